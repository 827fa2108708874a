#include "tokenizer/merges.h"

#include <stdlib.h>

enum { AHEAD = 12 }; /* the table is larger than what is near */

/* False: there is no room, or none left for a search to end at. */
static bool put(struct tk_merges *m, const struct tk_merge_pair *p)
{
    const uint64_t mix = tk_pair_mix(p->a, p->b), rest = tk_pair_rest(mix), entry = rest << 24 | p->merge;
    const size_t first = tk_pair_line(m, mix);
    size_t at = first;
    do {
        uint64_t *line = &m->line[at * TK_PAIR_LINE];
        for (int i = 0; i < TK_PAIR_LINE; i++) {
            if (line[i] != UINT64_MAX && line[i] >> 24 != rest)
                continue;
            line[i] = entry;
            return true;
        }
        at = tk_pair_next(m, at);
    } while (at != first);
    return false;
}

static bool ends(const struct tk_merges *m)
{
    const size_t same = (size_t)1 << (m->bits - 8);
    for (size_t at = 0; at < (size_t)1 << m->bits; at += same) {
        bool free_one = false;
        for (size_t i = 0; i < same; i++)
            free_one = free_one || m->line[(at + i + 1) * TK_PAIR_LINE - 1] == UINT64_MAX;
        if (!free_one)
            return false;
    }
    return true;
}

static bool fill(struct tk_merges *m, const struct tk_merge_pair *pair, size_t n)
{
    const size_t entries = (size_t)TK_PAIR_LINE << m->bits;
    if (entries * sizeof *m->line >= 1 << 20)
        m->line = ft_large(entries * sizeof *m->line);
    else if (posix_memalign((void **)&m->line, 64, entries * sizeof *m->line))
        ft_oom();
    memset(m->line, 0xff, entries * sizeof *m->line);
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(&m->line[TK_PAIR_LINE * tk_pair_line(m, tk_pair_mix(pair[i + AHEAD].a, pair[i + AHEAD].b))], 1);
        if (!put(m, &pair[i]))
            return false;
    }
    return ends(m);
}

void tk_merges_build(struct tk_merges *m, const struct tk_merge_pair *pair, size_t n, const int32_t raw_id[256])
{
    m->bits = 8;
    while (((size_t)TK_PAIR_LINE << m->bits) * 4 < n * 5)
        m->bits++;
    while (!fill(m, pair, n)) {
        free(m->line);
        m->bits++;
    }
    m->n_maybe = 64;
    while (m->n_maybe * 8 < n)
        m->n_maybe *= 2;
    m->maybe = ft_calloc(m->n_maybe, sizeof *m->maybe);
    for (size_t i = 0; i < n; i++) {
        const uint64_t mix = tk_pair_mix(pair[i].a, pair[i].b);
        m->maybe[(mix >> 12) & (m->n_maybe - 1)] |= 1ull << (mix >> 42);
    }
    m->ascending = true;
    for (size_t i = 1; i < m->n; i++)
        m->ascending = m->ascending && m->v[i - 1].rank < m->v[i].rank;
    m->byte_pair = ft_malloc(65536 * sizeof *m->byte_pair);
    for (uint32_t i = 0; i < 65536; i++) {
        const int32_t a = raw_id[i >> 8], b = raw_id[i & 255];
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
    free(m->line);
    free(m->maybe);
    free(m->byte_pair);
    *m = (struct tk_merges){0};
}
