#include "tokenizer/bpe_reachable.h"

#include <stdlib.h>

enum { NEVER = INT32_MAX, BYTE = -1, DEEP = 512 };

struct node { /* a token and the merge that makes it */
    uint32_t left, right;
    int32_t merge; /* its number, BYTE or NEVER */
};

struct pair {
    uint32_t a, b;
};

/* The inverse of an odd number modulo 2^64 (Newton: each step doubles the bits that are right). */
static uint64_t inverse(uint64_t x)
{
    uint64_t y = x;
    for (int i = 0; i < 5; i++)
        y *= 2 - x * y;
    return y;
}

/* The pairs of the table, by the number of their merge: those of k are v[first[k] .. first[k + 1]). */
static struct pair *pairs_of(const struct tk_merges *m, uint32_t *first)
{
    const uint64_t all = (1ull << 48) - 1, mul[2] = {inverse(TK_MIX_FIRST), inverse(m->mul)};
    const size_t entries = (size_t)1 << m->bits;
    size_t n = 0;
    for (size_t i = 0; i < entries; i++)
        if (m->slot[i] != UINT64_MAX) {
            first[(m->slot[i] & TK_NO_MERGE) + 1]++;
            n++;
        }
    for (size_t k = 0; k < m->n; k++)
        first[k + 1] += first[k];
    struct pair *v = ft_large((n + 1) * sizeof *v);
    for (size_t i = 0; i < entries; i++) {
        if (m->slot[i] == UINT64_MAX)
            continue;
        /* tk_pair_mix, backwards. */
        uint64_t x = (uint64_t)(i >> (m->bits - TK_PAIR_REGIONS)) << 40 | m->slot[i] >> 24;
        x = x * mul[1] & all;
        x = (x ^ x >> 24) * mul[0] & all;
        v[first[m->slot[i] & TK_NO_MERGE]++] = (struct pair){(uint32_t)(x >> 24), (uint32_t)x & 0xffffff};
    }
    memmove(first + 1, first, m->n * sizeof *first);
    *first = 0;
    return v;
}

/* From a token down to its last byte, or its first one; how many, or 0: too many. */
static int edge(const struct node *node, uint32_t id, bool last, uint32_t *v)
{
    for (int n = 0; n < DEEP; id = last ? node[id].right : node[id].left) {
        v[n++] = id;
        if (node[id].merge == BYTE)
            return n;
    }
    return 0;
}

/* Do a and b grow side by side without a merge across? 1, 0, -1: too deep to tell. Of merges of one rank the leftmost goes first. */
static int apart(const struct tk_model *m, const struct node *node, uint32_t a, uint32_t b)
{
    uint32_t x[DEEP], y[DEEP];
    int i = edge(node, a, true, x) - 1, k = edge(node, b, false, y) - 1;
    if (i < 0 || k < 0)
        return -1;
    while (i || k) {
        /* When what stands here is merged into more. */
        const int32_t left = i ? node[x[i - 1]].merge : NEVER, right = k ? node[y[k - 1]].merge : NEVER;
        const uint32_t across = tk_pair_find(&m->merges, x[i], y[k]);
        if (across != TK_NO_MERGE && (int32_t)across < left && (int32_t)across <= right)
            return 0;
        if (left <= right)
            i--;
        else
            k--;
    }
    return 1;
}

/* False: it cannot be told. */
static bool find(const struct tk_model *m, struct node *node, const struct pair *pair, const uint32_t *first)
{
    for (size_t k = 0; k < m->merges.n; k++) {
        struct node *t = &node[m->merges.v[k].id];
        for (size_t i = first[k]; i < first[k + 1] && t->merge == NEVER; i++) {
            const uint32_t a = pair[i].a, b = pair[i].b;
            const int is = node[a].merge == NEVER || node[b].merge == NEVER ? 0 : apart(m, node, a, b);
            if (is < 0)
                return false;
            if (is)
                *t = (struct node){a, b, (int32_t)k};
        }
    }
    /* A part that is made later than it is needed: by a merge out of order. */
    for (size_t k = 0; k < m->merges.n; k++)
        for (size_t i = first[k]; i < first[k + 1] && node[m->merges.v[k].id].merge == NEVER; i++) {
            const int32_t a = node[pair[i].a].merge, b = node[pair[i].b].merge;
            if (a != NEVER && b != NEVER && (a >= (int32_t)k || b >= (int32_t)k))
                return false;
        }
    return true;
}

struct tk_bpe_reachable tk_bpe_reachable(const struct tk_model *m)
{
    if (!m->merges.ascending)
        return (struct tk_bpe_reachable){0};
    const size_t n = m->vocab.n_ids;
    struct node *node = ft_large(n * sizeof *node);
    uint32_t *first = ft_calloc(m->merges.n + 2, sizeof *first);
    struct pair *pair = pairs_of(&m->merges, first);
    for (size_t i = 0; i < n; i++)
        node[i].merge = NEVER;
    for (int b = 0; b < 256; b++)
        if (m->raw_id[b] >= 0)
            node[m->raw_id[b]].merge = BYTE;
    struct tk_bpe_reachable r = {0};
    if (find(m, node, pair, first)) {
        r.is = ft_malloc(n);
        for (size_t i = 0; i < n; i++)
            r.is[i] = node[i].merge != NEVER;
        r.live = ft_reallocs(NULL, n + 1, sizeof *r.live);
        for (size_t k = 0; k < m->merges.n; k++) {
            const struct node *t = &node[m->merges.v[k].id];
            if (t->merge == (int32_t)k)
                r.live[r.n_live++] = (struct tk_merge_pair){t->left, t->right, (uint32_t)k};
        }
    }
    free(node);
    free(first);
    free(pair);
    return r;
}
