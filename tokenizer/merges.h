/* merges.h -- the table of BPE merges; private to the files about BPE. */
#ifndef FT_TOKENIZER_MERGES_H
#define FT_TOKENIZER_MERGES_H

#include "tokenizer/model.h"

static inline uint64_t tk_pair_mix(uint64_t pair) { return pair * 0x9e3779b97f4a7c15u; }

/* Its slot, or the free one where it would be. */
static inline struct tk_merge *tk_merge_slot(const struct tk_model *m, uint64_t pair)
{
    size_t i = (size_t)(tk_pair_mix(pair) >> 20) & (m->n_merge_slots - 1);
    while (m->merges[i].pair != UINT64_MAX && m->merges[i].pair != pair)
        i = (i + 1) & (m->n_merge_slots - 1);
    return &m->merges[i];
}

/* Most pairs do not merge: a bit that is near says so without the table. */
static inline uint64_t *tk_merge_maybe(const struct tk_model *m, uint64_t pair, unsigned *bit)
{
    const uint64_t h = tk_pair_mix(pair) >> 16;
    *bit = (unsigned)h & 63;
    return &m->maybe_pair[(h >> 6) & (m->n_merge_slots / 16 - 1)];
}

/* NULL: the pair does not merge. */
static inline const struct tk_merge *tk_merge_find(const struct tk_model *m, int32_t a, int32_t b)
{
    unsigned bit;
    const uint64_t pair = (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
    const uint64_t word = *tk_merge_maybe(m, pair, &bit); /* sets bit: before it is used */
    if (!(word >> bit & 1))
        return NULL;
    const struct tk_merge *s = tk_merge_slot(m, pair);
    return s->pair == UINT64_MAX ? NULL : s;
}

/* Rank and id of the pair in one number: the lowest is merged first, and equal
 * ones are the same pair. */
static inline uint64_t tk_pair_key(const struct tk_model *m, uint32_t a, uint32_t b)
{
    const struct tk_merge *g = tk_merge_find(m, (int32_t)a, (int32_t)b);
    return g ? (uint64_t)g->rank << 32 | g->id : UINT64_MAX;
}

#endif
