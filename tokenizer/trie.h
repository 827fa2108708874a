/* trie.h -- strings by their prefixes. Filled first, then frozen into a double array
 * (Aoe 1989): a cell of four bytes a node, the child for a byte at base + byte, which
 * is one's own child when it has that byte for a label, since no two nodes have one
 * base. One cell, and so one wait for memory, a step. */
#ifndef FT_TOKENIZER_TRIE_H
#define FT_TOKENIZER_TRIE_H

#include "pipeline/str.h"

enum {
    TK_TRIE_LABEL = 511,     /* of a cell: the byte that leads to it, 256: free */
    TK_TRIE_ENDS = 512,      /* a string ends here */
    TK_TRIE_BASE = 10,       /* the base is above */
    TK_TRIE_CELLS = 1 << 22, /* how many there may be */
};

struct tk_trie_end { /* score and value on one line of the cache */
    double score;
    int32_t value;
};

struct tk_trie {
    const uint32_t *cell; /* n_cells, the last 256 free: base + byte is always inside */
    const int32_t *value; /* of the cells where a string ends */
    const struct tk_trie_end *end; /* the same with the scores, NULL: there are none */
    size_t n_cells;
    bool mapped; /* not ours to free */
    struct tk_trie_edges *filling; /* until frozen */
};

struct tk_trie *tk_trie_new(void);
/* value >= 0; a string that is there already takes the new value. */
void tk_trie_add(struct tk_trie *t, const char *p, size_t n, int32_t value);
/* No adding behind it, no stepping before. score: by value, copied; NULL: there are
 * none. -1: more than TK_TRIE_CELLS. */
int tk_trie_freeze(struct tk_trie *t, const double *score, struct ft_err *e);
/* A frozen one over arrays that stay the caller's. */
struct tk_trie *tk_trie_map(const uint32_t *cell, const int32_t *value, const struct tk_trie_end *end,
                            size_t n_cells);
void tk_trie_free(struct tk_trie *t);

/* One step from a node (the root is 0): the next node, or -1. */
static inline int32_t tk_trie_step(const struct tk_trie *t, int32_t node, unsigned char byte)
{
    const uint32_t next = (t->cell[node] >> TK_TRIE_BASE) + byte;
    return (t->cell[next] & TK_TRIE_LABEL) == byte ? (int32_t)next : -1;
}

/* The value of a node, -1: no string ends there. */
static inline int32_t tk_trie_value(const struct tk_trie *t, int32_t node)
{
    return t->cell[node] & TK_TRIE_ENDS ? t->value[node] : -1;
}

/* Is no string longer than the one of this node? Not of the root. */
static inline bool tk_trie_is_leaf(const struct tk_trie *t, int32_t node) { return !(t->cell[node] >> TK_TRIE_BASE); }

#endif
