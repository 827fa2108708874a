/* automaton_priv.h -- a pattern as a graph, on its way to a table; private to automaton*.c. */
#ifndef FT_TOKENIZER_AUTOMATON_PRIV_H
#define FT_TOKENIZER_AUTOMATON_PRIV_H

#include "tokenizer/automaton.h"
#include "tokenizer/regex_set.h"

enum { AN_NODES = 3000, AN_SETS = 62 };

enum an_op { AN_SET, AN_FORK, AN_LOOK, AN_LOOK_NOT, AN_MATCH };
struct an_node {
    enum an_op op;
    int set;      /* AN_SET, AN_LOOK */
    int next, or; /* AN_FORK: `next` is preferred */
};

struct an_graph {
    struct an_node node[AN_NODES];
    int n;
    struct rx_set set[AN_SETS];
    int n_sets;
    struct ft_arena mem;
    const char *p, *end;
    int depth;
    bool bad;
};

/* A part with one way in and, by `last`, one way out: a node whose `next` is open. */
struct an_part {
    int first, last;
    bool empty; /* it may match nothing */
};

int an_node(struct an_graph *g, enum an_op op, int set, int next, int or);
/* Both, one behind the other. */
struct an_part an_chain(struct an_graph *g, struct an_part a, struct an_part b);
/* g->p[0..) to g->end, a pattern as tk_regex_plain writes it; g->bad: it is none of this kind. */
struct an_part an_pattern(struct an_graph *g);

#endif
