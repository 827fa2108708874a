#include "tokenizer/merges.h"

#include <stdlib.h>

enum { GROUP = 64 }; /* pairs of one group, beyond which another way to mix is sought */

struct item {
    uint64_t mix;
    uint32_t merge;
};

/* Leaves of equal pairs the last. */
static size_t unequal(struct item *x, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = i + 1; k < n && !again; k++)
            again = x[k].mix == x[i].mix;
        if (!again)
            x[kept++] = x[i];
    }
    return kept;
}

/* Finds the turn by which the pairs of a group fall on free slots, and takes these. */
static bool place(struct tk_merges *m, const struct item *x, size_t n)
{
    for (uint32_t turn = 0; n && turn <= UINT16_MAX; turn++) {
        size_t k = 0;
        for (; k < n; k++) {
            uint64_t *slot = &m->slot[tk_pair_place(m, x[k].mix, turn)];
            if (*slot != UINT64_MAX)
                break;
            *slot = x[k].mix << 24 | x[k].merge;
        }
        m->turn[tk_pair_group(m, x->mix)] = (uint16_t)turn;
        if (k == n)
            return true;
        while (k--)
            m->slot[tk_pair_place(m, x[k].mix, turn)] = UINT64_MAX;
    }
    return !n;
}

/* The groups of a region, the largest first. */
static bool fill_region(struct tk_merges *m, struct item *item, const uint32_t *first, size_t groups)
{
    uint32_t size[GROUP + 1] = {0}, *n = ft_malloc(groups * sizeof *n);
    bool ok = true;
    for (size_t g = 0; g < groups && ok; g++) {
        n[g] = (uint32_t)unequal(item + first[g], first[g + 1] - first[g]);
        ok = n[g] <= GROUP;
        size[ok ? n[g] : 0]++;
    }
    for (uint32_t k = GROUP; k > 0 && ok; k--)
        for (size_t g = 0; g < groups && ok && size[k]; g++)
            ok = n[g] != k || place(m, item + first[g], k);
    free(n);
    return ok;
}

/* False: some pairs found no place. */
static bool fill(struct tk_merges *m, const struct tk_merge_pair *pair, size_t n)
{
    const size_t slots = (size_t)1 << m->bits, turns = (size_t)1 << m->turn_bits, groups = turns >> TK_PAIR_REGIONS;
    bool ok = true;
    if (slots * sizeof *m->slot >= 1 << 20)
        m->slot = ft_large(slots * sizeof *m->slot);
    else if (posix_memalign((void **)&m->slot, 64, slots * sizeof *m->slot))
        ft_oom();
    memset(m->slot, 0xff, slots * sizeof *m->slot);
    m->turn = ft_calloc(turns, sizeof *m->turn);
    struct item *item = ft_malloc((n + 1) * sizeof *item);
    uint32_t *first = ft_calloc(turns + 2, sizeof *first);
    for (size_t i = 0; i < n; i++)
        first[tk_pair_group(m, tk_pair_mix(m, pair[i].a, pair[i].b)) + 2]++;
    for (size_t g = 0; g < turns; g++) {
        ok = ok && first[g + 2] <= 4 * GROUP; /* with some that are equal */
        first[g + 2] += first[g + 1];
    }
    for (size_t i = 0; i < n && ok; i++) {
        const uint64_t mix = tk_pair_mix(m, pair[i].a, pair[i].b);
        item[first[tk_pair_group(m, mix) + 1]++] = (struct item){mix, pair[i].merge};
    }
    for (size_t r = 0; r < 1u << TK_PAIR_REGIONS && ok; r++)
        ok = fill_region(m, item, first + r * groups, groups);
    free(item);
    free(first);
    return ok;
}

void tk_merges_build(struct tk_merges *m, const struct tk_merge_pair *pair, size_t n, const int32_t raw_id[256])
{
    m->bits = TK_PAIR_REGIONS + 3;
    while (((size_t)1 << m->bits) * 4 < n * 5)
        m->bits++;
    m->turn_bits = TK_PAIR_REGIONS + 1;
    while (((size_t)1 << m->turn_bits) * 5 < n)
        m->turn_bits++;
    m->mul = TK_MIX_SECOND;
    for (int tries = 1; !fill(m, pair, n); tries++) {
        free(m->slot);
        free(m->turn);
        /* By the pairs themselves, or there could be some for which none will do. */
        for (size_t i = 0; i < n; i++)
            m->mul = (m->mul ^ ((uint64_t)pair[i].a << 24 | pair[i].b)) * TK_MIX_FIRST;
        m->mul = (m->mul ^ m->mul >> 29) | 1;
        if (tries % 2 == 0 && (size_t)1 << m->bits < 16 * n + 4096)
            m->bits++;
    }
    m->ascending = true;
    for (size_t i = 1; i < m->n; i++)
        m->ascending = m->ascending && m->v[i - 1].rank < m->v[i].rank;
    m->byte_pair = ft_malloc(65536 * sizeof *m->byte_pair);
    for (uint32_t i = 0; i < 65536; i++) {
        const int32_t a = raw_id[i & 255], b = raw_id[i >> 8];
        m->byte_pair[i] = a < 0 || b < 0 ? TK_NO_MERGE : tk_pair_find(m, (uint32_t)a, (uint32_t)b);
    }
}

void tk_merges_keep(struct tk_merges *m, struct tk_merge_pair *pair, size_t n, const int32_t raw_id[256])
{
    struct tk_merges old = *m;
    uint32_t last = 0;
    *m = (struct tk_merges){.numbers_are_ids = true};
    for (size_t i = 0; i < n; i++) { /* most vocabularies were numbered as the merges were found */
        const uint32_t id = old.v[pair[i].merge].id;
        m->numbers_are_ids = m->numbers_are_ids && id < TK_NO_MERGE && (!i || id > last);
        last = id;
    }
    m->n = !n ? 0 : m->numbers_are_ids ? last + 1 : n;
    m->v = ft_calloc(m->n + 1, sizeof *m->v);
    for (size_t i = 0; i < n; i++) {
        const struct tk_merge *x = &old.v[pair[i].merge];
        pair[i].merge = m->numbers_are_ids ? x->id : (uint32_t)i;
        m->v[pair[i].merge] = *x;
    }
    tk_merges_build(m, pair, n, raw_id);
    m->ascending = true;
    tk_merges_release(&old);
}

void tk_merges_release(struct tk_merges *m)
{
    free(m->v);
    free(m->slot);
    free(m->turn);
    free(m->byte_pair);
    *m = (struct tk_merges){0};
}
