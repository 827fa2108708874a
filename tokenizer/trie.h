/* trie.h -- strings by their prefixes: a hash of (node, byte) -> node. */
#ifndef FT_TOKENIZER_TRIE_H
#define FT_TOKENIZER_TRIE_H

#include "pipeline/str.h"

struct tk_trie;

struct tk_trie *tk_trie_new(void);
/* value >= 0; a string that is there already takes the new value. */
void tk_trie_add(struct tk_trie *t, const char *p, size_t n, int32_t value);
/* One step from a node (the root is 0): the next node, or -1. */
int32_t tk_trie_step(const struct tk_trie *t, int32_t node, unsigned char byte);
/* The value of a node, -1: no string ends there. */
int32_t tk_trie_value(const struct tk_trie *t, int32_t node);
/* Number of strings added that begin with this byte: a quick way to say no. */
bool tk_trie_starts(const struct tk_trie *t, unsigned char byte);
void tk_trie_free(struct tk_trie *t);

/* Its arrays, to be written to a file and mapped from there again: edges of
 * *edge_size bytes, a value a node, the root's steps. */
void tk_trie_parts(const struct tk_trie *t, const void **edges, size_t *edge_size, size_t *n_edges,
                   const void **values, size_t *n_nodes, int32_t root[256]);
/* A trie over such arrays, which stay the caller's; nothing can be added. */
struct tk_trie *tk_trie_map(const void *edges, size_t n_edges, const void *values, size_t n_nodes,
                            const int32_t root[256]);

#endif
