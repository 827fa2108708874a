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

void tk_trie_freeze(struct tk_trie *t)
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
    size_t cap = 1024, used = 1, low = 1; /* cells below `low` are taken */
    struct tk_trie_cell *cell = ft_malloc(cap * sizeof *cell);
    for (size_t i = 0; i < cap; i++)
        cell[i] = (struct tk_trie_cell){0, -1, -1};
    int32_t *where = ft_malloc(g->n_nodes * sizeof *where), *queue = ft_malloc(g->n_nodes * sizeof *queue);
    size_t head = 0, tail = 0;
    queue[tail++] = 0;
    where[0] = 0;
    cell[0].parent = -2; /* nobody's child */
    while (head < tail) {
        const int32_t node = queue[head++];
        struct child *c = child + first[node];
        const size_t n = first[node + 1] - first[node];
        cell[where[node]].value = g->value[node];
        if (!n) {
            cell[where[node]].base = 0; /* its cells are the root's or free: never its own */
            continue;
        }
        qsort(c, n, sizeof *c, by_byte);
        while (low < cap && cell[low].parent != -1)
            low++;
        size_t base = low > c[0].byte ? low - c[0].byte : 0;
        for (size_t tries = 0;; base++, tries++) {
            if (base + 512 > cap) {
                cell = ft_reallocs(cell, cap * 2, sizeof *cell);
                for (size_t i = cap; i < cap * 2; i++)
                    cell[i] = (struct tk_trie_cell){0, -1, -1};
                cap *= 2;
            }
            size_t k = 0;
            while (k < n && base + c[k].byte > 0 && cell[base + c[k].byte].parent == -1)
                k++;
            if (k == n)
                break;
            if (tries == 1000) /* crowded here: never mind the gaps */
                low = base;
        }
        cell[where[node]].base = (int32_t)base;
        for (size_t k = 0; k < n; k++) {
            const size_t at = base + c[k].byte;
            cell[at].parent = where[node];
            where[c[k].to] = (int32_t)at;
            queue[tail++] = c[k].to;
            used = at + 1 > used ? at + 1 : used;
        }
    }
    t->n_cells = used + 256;
    while (cap < t->n_cells) {
        cell = ft_reallocs(cell, cap * 2, sizeof *cell);
        for (size_t i = cap; i < cap * 2; i++)
            cell[i] = (struct tk_trie_cell){0, -1, -1};
        cap *= 2;
    }
    t->cell = ft_reallocs(cell, t->n_cells, sizeof *cell);
    free(first);
    free(child);
    free(where);
    free(queue);
    edges_free(g);
    t->filling = NULL;
}

struct tk_trie *tk_trie_map(const struct tk_trie_cell *cell, size_t n_cells)
{
    struct tk_trie *t = ft_calloc(1, sizeof *t);
    t->cell = cell;
    t->n_cells = n_cells;
    t->mapped = true;
    return t;
}

void tk_trie_free(struct tk_trie *t)
{
    if (!t)
        return;
    edges_free(t->filling);
    if (!t->mapped)
        free((void *)(uintptr_t)t->cell);
    free(t);
}
