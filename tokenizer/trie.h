/* trie.h -- strings by their prefixes. Filled first, then frozen into a double array
 * (Aoe 1989): a cell a node, the child for a byte at base + byte, which is one's own
 * child when it names its parent. One cell, and so one wait for memory, a step. */
#ifndef FT_TOKENIZER_TRIE_H
#define FT_TOKENIZER_TRIE_H

#include "pipeline/str.h"

struct tk_trie_cell {
    int32_t base, parent, value; /* parent -1: free; value -1: no string ends here */
};

struct tk_trie {
    const struct tk_trie_cell *cell; /* n_cells, the last 256 free: base + byte is always inside */
    size_t n_cells;
    bool mapped; /* not ours to free */
    struct tk_trie_edges *filling; /* until frozen */
};

struct tk_trie *tk_trie_new(void);
/* value >= 0; a string that is there already takes the new value. */
void tk_trie_add(struct tk_trie *t, const char *p, size_t n, int32_t value);
/* No adding behind it, no stepping before. */
void tk_trie_freeze(struct tk_trie *t);
/* A frozen one over cells that stay the caller's. */
struct tk_trie *tk_trie_map(const struct tk_trie_cell *cell, size_t n_cells);
void tk_trie_free(struct tk_trie *t);

/* One step from a node (the root is 0): the next node, or -1. */
static inline int32_t tk_trie_step(const struct tk_trie *t, int32_t node, unsigned char byte)
{
    const int32_t next = t->cell[node].base + byte;
    return t->cell[next].parent == node ? next : -1;
}

/* The value of a node, -1: no string ends there. */
static inline int32_t tk_trie_value(const struct tk_trie *t, int32_t node) { return t->cell[node].value; }

#endif
