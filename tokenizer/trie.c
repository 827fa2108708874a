#include "tokenizer/trie.h"

#include <stdlib.h>

/* While it is filled: a hash of (node, byte) -> node. */
struct edge {
    uint64_t key; /* node << 8 | byte, + 1; 0: free */
    int32_t to;
};

struct tk_trie_edges {
    struct edge *edges;
    size_t n_slots, n_edges;
    int32_t *value; /* by node */
    size_t n_nodes, cap_nodes;
};

static int32_t new_node(struct tk_trie_edges *t)
{
    if (t->n_nodes == t->cap_nodes) {
        t->cap_nodes = t->cap_nodes ? t->cap_nodes * 2 : 256;
        t->value = ft_reallocs(t->value, t->cap_nodes, sizeof *t->value);
    }
    t->value[t->n_nodes] = -1;
    return (int32_t)t->n_nodes++;
}

struct tk_trie *tk_trie_new(void)
{
    struct tk_trie *t = ft_calloc(1, sizeof *t);
    t->filling = ft_calloc(1, sizeof *t->filling);
    t->filling->n_slots = 256;
    t->filling->edges = ft_calloc(256, sizeof *t->filling->edges);
    new_node(t->filling);
    return t;
}

static struct edge *slot(const struct tk_trie_edges *t, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 24) & (t->n_slots - 1);
    while (t->edges[i].key && t->edges[i].key != key)
        i = (i + 1) & (t->n_slots - 1);
    return &t->edges[i];
}

void tk_trie_add(struct tk_trie *trie, const char *p, size_t n, int32_t value)
{
    struct tk_trie_edges *t = trie->filling;
    int32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t key = ((uint64_t)node << 8 | (unsigned char)p[i]) + 1;
        struct edge *s = slot(t, key);
        if (!s->key) {
            const int32_t next = new_node(t);
            *s = (struct edge){key, next};
            if (++t->n_edges * 2 > t->n_slots) {
                struct edge *old = t->edges;
                const size_t k = t->n_slots;
                t->n_slots *= 2;
                t->edges = ft_calloc(t->n_slots, sizeof *t->edges);
                for (size_t j = 0; j < k; j++)
                    if (old[j].key)
                        *slot(t, old[j].key) = old[j];
                free(old);
            }
            node = next;
        } else {
            node = s->to;
        }
    }
    t->value[node] = value;
}

static void edges_free(struct tk_trie_edges *t)
{
    if (t) {
        free(t->edges);
        free(t->value);
        free(t);
    }
}

struct child {
    int32_t to;
    unsigned char byte;
};

/* By the byte, so that the array does not depend on how the hash lies. */
static int by_byte(const void *a, const void *b)
{
    return ((const struct child *)a)->byte - ((const struct child *)b)->byte;
}

enum { FREE = 256 };

struct cells {
    uint32_t *cell;
    uint64_t *used, *bases; /* a bit each: the cell is somebody's; the base is. 0 is that of nodes without children */
    size_t n;
};

static void cells_room(struct cells *x, size_t n)
{
    size_t cap = x->n ? x->n : 1024;
    while (cap < n)
        cap *= 2;
    if (cap == x->n)
        return;
    x->cell = ft_reallocs(x->cell, cap, sizeof *x->cell);
    x->used = ft_reallocs(x->used, cap / 64, sizeof *x->used);
    x->bases = ft_reallocs(x->bases, cap / 64, sizeof *x->bases);
    for (size_t i = x->n; i < cap; i++)
        x->cell[i] = FREE;
    memset(x->used + x->n / 64, 0, (cap - x->n) / 8);
    memset(x->bases + x->n / 64, 0, (cap - x->n) / 8);
    x->n = cap;
}

/* 64 bits from bit i on. */
static uint64_t bits_at(const uint64_t *v, size_t i)
{
    return i & 63 ? v[i >> 6] >> (i & 63) | v[(i >> 6) + 1] << (64 - (i & 63)) : v[i >> 6];
}

/* A base with free cells for n children, *low: where free cells begin. */
static uint32_t find_base(struct cells *x, const struct child *c, size_t n, uint32_t *low)
{
    enum { CROWDED = 16 }; /* blocks of 64 without a place: never mind their gaps */
    cells_room(x, *low + 1024);
    while (x->used[*low >> 6] >> (*low & 63) & 1)
        cells_room(x, ++*low + 1024);
    uint32_t base = *low > c[0].byte ? *low - c[0].byte : 1;
    for (int blocks = 0;; blocks++, base += 64) {
        cells_room(x, base + 1024);
        uint64_t good = ~bits_at(x->bases, base);
        for (size_t k = 0; k < n && good; k++)
            good &= ~bits_at(x->used, base + c[k].byte);
        if (good)
            return base + (uint32_t)__builtin_ctzll(good);
        if (blocks == CROWDED)
            *low = base + c[0].byte;
    }
}

int tk_trie_freeze(struct tk_trie *t, const double *score, struct ft_err *e)
{
    struct tk_trie_edges *g = t->filling;
    /* Children in a row, by parent. */
    uint32_t *first = ft_calloc(g->n_nodes + 2, sizeof *first);
    for (size_t i = 0; i < g->n_slots; i++)
        if (g->edges[i].key)
            first[((g->edges[i].key - 1) >> 8) + 2]++;
    for (size_t i = 2; i < g->n_nodes + 2; i++)
        first[i] += first[i - 1];
    struct child *child = ft_malloc((g->n_edges + 1) * sizeof *child);
    for (size_t i = 0; i < g->n_slots; i++)
        if (g->edges[i].key)
            child[first[((g->edges[i].key - 1) >> 8) + 1]++] =
                (struct child){g->edges[i].to, (unsigned char)(g->edges[i].key - 1)};
    /* now first[n] .. first[n + 1] */
    struct cells x = {0};
    uint32_t low = 1; /* cells below it are taken */
    uint32_t *where = ft_malloc(g->n_nodes * sizeof *where);
    int32_t *queue = ft_malloc(g->n_nodes * sizeof *queue);
    size_t head = 0, tail = 0;
    int r = 0;
    cells_room(&x, 1024);
    queue[tail++] = 0;
    where[0] = 0;
    x.used[0] = 1; /* and nobody's child */
    while (head < tail && !r) {
        const int32_t node = queue[head++];
        struct child *c = child + first[node];
        const size_t n = first[node + 1] - first[node];
        x.cell[where[node]] |= g->value[node] >= 0 ? TK_TRIE_ENDS : 0;
        if (!n) /* its children are sought where those of a free cell are, and nobody's base is: see below */
            continue;
        qsort(c, n, sizeof *c, by_byte);
        const uint32_t base = find_base(&x, c, n, &low);
        x.bases[base >> 6] |= 1ull << (base & 63);
        if (base + 512 >= TK_TRIE_CELLS) {
            r = ft_fail(e, FT_DATA, "the vocabulary is too large for its tree: %zu nodes", g->n_nodes);
            break;
        }
        x.cell[where[node]] |= base << TK_TRIE_BASE;
        for (size_t k = 0; k < n; k++) {
            const uint32_t at = base + c[k].byte;
            x.cell[at] = c[k].byte;
            x.used[at >> 6] |= 1ull << (at & 63);
            where[c[k].to] = at;
            queue[tail++] = c[k].to;
            t->n_cells = at + 1 > t->n_cells ? at + 1 : t->n_cells;
        }
    }
    t->n_cells += 257;
    cells_room(&x, t->n_cells);
    uint32_t *cell = ft_reallocs(x.cell, t->n_cells, sizeof *cell);
    int32_t *value = ft_calloc(t->n_cells, sizeof *value);
    struct tk_trie_end *end = score ? ft_calloc(t->n_cells, sizeof *end) : NULL;
    for (size_t i = 0; i < g->n_nodes && !r; i++) {
        value[where[i]] = g->value[i];
        if (score && g->value[i] >= 0)
            end[where[i]] = (struct tk_trie_end){score[g->value[i]], g->value[i]};
    }
    t->cell = cell;
    t->value = value;
    t->end = end;
    free(x.used);
    free(x.bases);
    free(first);
    free(child);
    free(where);
    free(queue);
    edges_free(g);
    t->filling = NULL;
    return r;
}

struct tk_trie *tk_trie_map(const uint32_t *cell, const int32_t *value, const struct tk_trie_end *end, size_t n_cells)
{
    struct tk_trie *t = ft_calloc(1, sizeof *t);
    t->cell = cell;
    t->value = value;
    t->end = end;
    t->n_cells = n_cells;
    t->mapped = true;
    return t;
}

void tk_trie_free(struct tk_trie *t)
{
    if (!t)
        return;
    edges_free(t->filling);
    if (!t->mapped) {
        free((void *)(uintptr_t)t->cell);
        free((void *)(uintptr_t)t->value);
        free((void *)(uintptr_t)t->end);
    }
    free(t);
}
