/* model_scratch.h -- a thread's memory for the models; private to model.c's parts. */
#ifndef FT_TOKENIZER_MODEL_SCRATCH_H
#define FT_TOKENIZER_MODEL_SCRATCH_H

#include "pipeline/str.h"

enum { TK_SHORT = 32 }; /* symbols up to which looking beats a heap */

struct tk_symbol {
    int32_t id;
    uint32_t len; /* bytes of the word */
    int32_t prev, next;
};

struct tk_heap_item {
    uint32_t rank;
    int32_t at;
    uint32_t id;
};

struct tk_node { /* Unigram: the best way to end at a byte */
    double score;
    int32_t from, id; /* from -1: unreached */
};

struct tk_scratch {
    struct tk_symbol *sym;
    size_t n, cap;
    struct tk_heap_item *heap;
    size_t heap_n, heap_cap;
    struct tk_node *node;
    size_t node_cap;
    struct tk_sp_word *sp_word; /* sp_unigram.c's; NULL: none yet */
    struct ft_buf name;
};

/* Unigram's nodes 0..n, not set. */
static inline struct tk_node *tk_nodes_room(struct tk_scratch *s, size_t n)
{
    if (s->node_cap < n + 1) {
        s->node_cap = 2 * (n + 1);
        s->node = ft_reallocs(s->node, s->node_cap, sizeof *s->node);
    }
    return s->node;
}

/* All unreached. */
static inline struct tk_node *tk_nodes(struct tk_scratch *s, size_t n)
{
    tk_nodes_room(s, n);
    for (size_t i = 0; i <= n; i++)
        s->node[i] = (struct tk_node){0, -1, 0};
    return s->node;
}

#endif
