#include "tokenizer/automaton_priv.h"

#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/model.h"
#include "tokenizer/regex.h"

enum { CLASSES = 200, STATES = 600, LIST = 400 };

/* ---- classes: characters that no set of the pattern tells apart ---- */

struct edge {
    uint32_t at;
    int set;
    bool in;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

struct classes {
    uint64_t sets[CLASSES]; /* in which the class is, a bit each */
    int n;
    size_t pages, cap;
};

static int class_of(struct tk_automaton *a, struct classes *k, uint64_t sets)
{
    for (int i = 0; i < k->n; i++)
        if (k->sets[i] == sets)
            return i;
    if (k->n == CLASSES)
        return -1;
    k->sets[k->n] = sets;
    memset(a->kind[k->n], k->n, sizeof *a->kind);
    return k->n++;
}

/* Characters [from, to) are of that class. */
static void fill(struct tk_automaton *a, struct classes *k, uint32_t from, uint32_t to, int class)
{
    while (from < to) {
        const uint32_t page = from >> 7, end = (page + 1) << 7;
        if (!(from & 127) && to >= end) {
            a->page[page] = (uint16_t)class;
            from = end;
            continue;
        }
        if (!(from & 127)) { /* the first of a page of several */
            if (k->pages == k->cap)
                a->kind = ft_reallocs(a->kind, k->cap *= 2, sizeof *a->kind);
            a->page[page] = (uint16_t)k->pages++;
        }
        for (; from < to && from < end; from++)
            a->kind[a->page[page]][from & 127] = (uint8_t)class;
    }
}

static bool classify(struct tk_automaton *a, struct an_graph *g, struct classes *k)
{
    size_t n = 0;
    for (int i = 0; i < g->n_sets; i++)
        n += 2 * g->set[i].n;
    struct edge *v = ft_arena_alloc(&g->mem, (n + 1) * sizeof *v);
    n = 0;
    for (int i = 0; i < g->n_sets; i++)
        for (size_t r = 0; r < g->set[i].n; r++) {
            v[n++] = (struct edge){g->set[i].v[r].a, i, true};
            v[n++] = (struct edge){g->set[i].v[r].b + 1, i, false};
        }
    qsort(v, n, sizeof *v, by_place);
    k->pages = CLASSES;
    k->cap = 2 * CLASSES;
    a->kind = ft_reallocs(NULL, k->cap, sizeof *a->kind);
    uint64_t sets = 0;
    uint32_t at = 0;
    for (size_t i = 0; i <= n; i++) {
        const uint32_t to = i < n ? v[i].at : 0x110000;
        if (to > at) {
            const int c = class_of(a, k, sets);
            if (c < 0)
                return false;
            fill(a, k, at, to, c);
            at = to;
        }
        if (i < n)
            sets ^= 1ull << v[i].set;
    }
    for (int b = 0; b < 256; b++)
        a->byte[b] = (uint8_t)tk_automaton_class(a, tk_byte_char((unsigned char)b));
    return true;
}

/* ---- states ---- */

struct builder {
    struct an_graph *g;
    struct classes *k;
    uint16_t *list; /* [state * LIST ...]: count, nodes */
    size_t n, cap;
    uint32_t mark[AN_NODES], round; /* seen in this closure */
    int now[LIST];               /* the next state's nodes, in order */
    size_t n_now;
    bool matched, bad;
};

/* Follows what needs no character; `sets`: those that have the character ahead. Stops
 * at a match: what is less preferred can win no more. */
static void follow(struct builder *b, int from, uint64_t sets)
{
    int stack[LIST], n = 0;
    stack[n++] = from;
    while (n && !b->matched) {
        const int i = stack[--n];
        if (i < 0 || b->mark[i] == b->round)
            continue;
        b->mark[i] = b->round;
        const struct an_node *x = &b->g->node[i];
        switch (x->op) {
        case AN_MATCH:
            b->matched = true;
            break;
        case AN_FORK:
            if (n + 2 > LIST) {
                b->bad = true;
                return;
            }
            if (x->or >= 0)
                stack[n++] = x->or;
            stack[n++] = x->next;
            break;
        case AN_LOOK: case AN_LOOK_NOT:
            if ((sets >> x->set & 1) == (x->op == AN_LOOK))
                stack[n++] = x->next;
            break;
        case AN_SET:
            if (!(sets >> x->set & 1))
                break;
            if (b->n_now == LIST - 1) {
                b->bad = true;
                return;
            }
            b->now[b->n_now++] = x->next;
            break;
        }
    }
}

/* The state of the nodes in b->now. */
static size_t state(struct builder *b)
{
    uint16_t v[LIST] = {0};
    /* Of several ways to one node only the first counts. */
    for (size_t i = 0; i < b->n_now; i++) {
        bool seen = false;
        for (size_t k = 1; k <= v[0] && !seen; k++)
            seen = v[k] == b->now[i];
        if (!seen)
            v[++v[0]] = (uint16_t)b->now[i];
    }
    for (size_t s = 0; s < b->n; s++)
        if (!memcmp(b->list + s * LIST, v, (v[0] + 1u) * sizeof *v))
            return s;
    if (b->n == STATES) {
        b->bad = true;
        return 0;
    }
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->list = ft_reallocs(b->list, b->cap * LIST, sizeof *b->list);
    }
    memcpy(b->list + b->n * LIST, v, sizeof v);
    return b->n++;
}

static bool build(struct tk_automaton *a, struct builder *b, int first)
{
    b->n_now = 0;
    state(b); /* TK_STEP_DEAD: no node */
    b->now[b->n_now++] = first;
    state(b);
    a->end = (unsigned)b->k->n;
    while (1u << a->shift < a->end + 1)
        a->shift++;
    for (size_t s = 0; s < b->n && !b->bad; s++) {
        a->step = ft_reallocs(a->step, (s + 1) << a->shift, sizeof *a->step);
        for (unsigned c = 0; c <= a->end && !b->bad; c++) {
            const uint64_t sets = c < a->end ? b->k->sets[c] : 0;
            b->n_now = 0;
            b->matched = false;
            b->round++;
            const uint16_t *v = b->list + s * LIST;
            for (unsigned i = 1; i <= v[0] && !b->matched; i++)
                follow(b, v[i], sets);
            const bool matched = b->matched;
            const size_t to = state(b);
            a->step[s << a->shift | c] = (uint16_t)(to | (matched ? TK_STEP_MATCH : 0));
        }
    }
    /* A match of nothing is none of ours. */
    for (unsigned c = 0; c <= a->end && !b->bad; c++)
        b->bad = a->step[TK_STEP_START << a->shift | c] & TK_STEP_MATCH;
    return !b->bad;
}

static struct tk_automaton *made(struct an_graph *g, struct an_part all)
{
    struct tk_automaton *a = ft_calloc(1, sizeof *a);
    struct classes k = {0};
    struct builder *b = ft_calloc(1, sizeof *b);
    b->g = g;
    b->k = &k;
    bool good = !g->bad;
    if (good) {
        g->node[all.last].next = an_node(g, AN_MATCH, 0, -1, -1);
        good = !g->bad && classify(a, g, &k) && build(a, b, all.first);
    }
    a->states = (unsigned)b->n;
    free(b->list);
    free(b);
    ft_arena_release(&g->mem);
    free(g);
    if (good)
        return a;
    tk_automaton_free(a);
    return NULL;
}

struct tk_automaton *tk_automaton_new(struct ft_str regex)
{
    struct ft_buf plain = {0};
    struct ft_err e = {0};
    struct tk_automaton *a = NULL;
    if (!tk_regex_plain(regex, &plain, &e) && plain.n) {
        struct an_graph *g = ft_calloc(1, sizeof *g);
        ft_buf_putc(&plain, 0); /* strtoul stops there */
        g->p = plain.p;
        g->end = plain.p + plain.n - 1;
        a = made(g, an_pattern(g));
    }
    ft_buf_release(&plain);
    return a;
}

struct tk_automaton *tk_automaton_string(struct ft_str text)
{
    struct an_graph *g = ft_calloc(1, sizeof *g);
    struct an_part all = {an_node(g, AN_FORK, 0, -1, -1), 0, true};
    all.last = all.first;
    for (size_t i = 0; i < text.n && !g->bad;) {
        int len;
        const uint32_t c = ft_utf8_get(text.p + i, &len);
        if (g->n_sets == AN_SETS) {
            g->bad = true;
            break;
        }
        g->set[g->n_sets] = rx_set_char(&g->mem, c, c);
        const int k = an_node(g, AN_SET, g->n_sets++, -1, -1);
        all = an_chain(g, all, (struct an_part){k, k, false});
        i += (size_t)len;
    }
    return made(g, all);
}

struct tk_automaton *tk_automaton_of(bool (*is)(uint32_t c))
{
    struct an_graph *g = ft_calloc(1, sizeof *g);
    struct rx_set s = {ft_arena_alloc(&g->mem, 4096 * sizeof *s.v), 0};
    for (uint32_t c = 0; c < 0x110000 && s.n < 4096; c++) {
        if (!is(c))
            continue;
        if (s.n && s.v[s.n - 1].b + 1 == c)
            s.v[s.n - 1].b = c;
        else
            s.v[s.n++] = (struct rx_range){c, c};
    }
    g->set[g->n_sets++] = s;
    g->bad = s.n == 4096;
    const int k = an_node(g, AN_SET, 0, -1, -1);
    return made(g, (struct an_part){k, k, false});
}

void tk_automaton_free(struct tk_automaton *a)
{
    if (!a)
        return;
    free(a->step);
    free(a->kind);
    free(a);
}
