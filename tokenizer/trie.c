#include "tokenizer/trie.h"

#include <stdlib.h>

struct edge {
    uint64_t key; /* node << 8 | byte, + 1; 0: free */
    int32_t to;
};

struct tk_trie {
    struct edge *edges;
    size_t n_slots, n_edges;
    int32_t *value; /* by node */
    size_t n_nodes, cap_nodes;
    int32_t root[256];
    bool mapped; /* the arrays are not ours */
};

static int32_t new_node(struct tk_trie *t)
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
    t->n_slots = 256;
    t->edges = ft_calloc(t->n_slots, sizeof *t->edges);
    for (int i = 0; i < 256; i++)
        t->root[i] = -1;
    new_node(t);
    return t;
}

static struct edge *slot(const struct tk_trie *t, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 24) & (t->n_slots - 1);
    while (t->edges[i].key && t->edges[i].key != key)
        i = (i + 1) & (t->n_slots - 1);
    return &t->edges[i];
}

void tk_trie_add(struct tk_trie *t, const char *p, size_t n, int32_t value)
{
    int32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        int32_t next = tk_trie_step(t, node, c);
        if (next < 0) {
            next = new_node(t);
            if (node == 0) {
                t->root[c] = next;
            } else {
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
                const uint64_t key = ((uint64_t)node << 8 | c) + 1;
                *slot(t, key) = (struct edge){key, next};
            }
        }
        node = next;
    }
    t->value[node] = value;
}

int32_t tk_trie_step(const struct tk_trie *t, int32_t node, unsigned char c)
{
    if (node == 0)
        return t->root[c];
    const struct edge *s = slot(t, ((uint64_t)node << 8 | c) + 1);
    return s->key ? s->to : -1;
}

int32_t tk_trie_value(const struct tk_trie *t, int32_t node) { return t->value[node]; }

bool tk_trie_starts(const struct tk_trie *t, unsigned char c) { return t->root[c] >= 0; }

void tk_trie_free(struct tk_trie *t)
{
    if (!t)
        return;
    if (!t->mapped) {
        free(t->edges);
        free(t->value);
    }
    free(t);
}

void tk_trie_parts(const struct tk_trie *t, const void **edges, size_t *edge_size, size_t *n_edges,
                   const void **values, size_t *n_nodes, int32_t root[256])
{
    *edges = t->edges;
    *edge_size = sizeof *t->edges;
    *n_edges = t->n_slots;
    *values = t->value;
    *n_nodes = t->n_nodes;
    memcpy(root, t->root, sizeof t->root);
}

struct tk_trie *tk_trie_map(const void *edges, size_t n_edges, const void *values, size_t n_nodes,
                            const int32_t root[256])
{
    struct tk_trie *t = ft_calloc(1, sizeof *t);
    t->edges = (struct edge *)(uintptr_t)edges;
    t->n_slots = n_edges;
    t->value = (int32_t *)(uintptr_t)values;
    t->n_nodes = n_nodes;
    t->mapped = true;
    memcpy(t->root, root, sizeof t->root);
    return t;
}
