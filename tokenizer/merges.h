/* merges.h -- the merges of a BPE and the table that finds them; private to the
 * files about BPE.
 *
 * The two ids of a pair are mixed into 48 bits without loss. Their top tells the turn
 * of its group, a number chosen so that all pairs of the group fall on slots of their own: a
 * pair that merges is in one place, and any other is not there (hash and displace: Belazzougui,
 * Botelho, Dietzfelbinger 2009). A slot is of a region that the top eight bits tell, and
 * holds the other 40, which together are the pair itself, and the number of its merge.
 */
#ifndef FT_TOKENIZER_MERGES_H
#define FT_TOKENIZER_MERGES_H

#include <stdint.h>

#include "pipeline/str.h"

struct tk_merge {
    uint32_t rank, id; /* of what the two become */
};

enum {
    TK_NO_MERGE = (1 << 24) - 1,
    TK_PAIR_REGIONS = 8, /* bits of a region's number */
};

struct tk_merges {
    struct tk_merge *v;  /* [n] in the order of the file; several of one rank and id in a row share one */
    uint64_t *slot;      /* [1 << bits]; UINT64_MAX: free */
    uint16_t *turn;      /* [1 << turn_bits] */
    uint32_t *byte_pair; /* [left byte | right byte << 8]: number of their merge, TK_NO_MERGE: none */
    size_t n;
    uint64_t mul;        /* odd; pairs are mixed by it */
    unsigned bits, turn_bits; /* more than TK_PAIR_REGIONS; 0: no table */
    bool ascending;      /* ranks are in the order of the numbers: to compare these is enough */
    bool numbers_are_ids; /* a merge's number is the id of what the two become */
};

struct tk_merge_pair { /* a merge while they are read */
    uint32_t a, b;
    uint32_t merge; /* its number */
};

/* Builds the tables for pairs whose ids are below 2^24; of those that are equal the
 * last counts. v and n are there; raw_id: ids of the bytes, -1: none. */
void tk_merges_build(struct tk_merges *m, const struct tk_merge_pair *pair, size_t n_pairs, const int32_t raw_id[256]);
/* Leaves these of its pairs, no two of one number, in the order of their numbers, which may change; m was `ascending` and is. */
void tk_merges_keep(struct tk_merges *m, struct tk_merge_pair *pair, size_t n_pairs, const int32_t raw_id[256]);
void tk_merges_release(struct tk_merges *m);

#define TK_MIX_FIRST 0x9e3779b97f4a7c15u
#define TK_MIX_SECOND 0xd1b54a32d192ed03u /* mul at first */
static inline uint64_t tk_pair_mix(const struct tk_merges *m, uint32_t a, uint32_t b)
{
    const uint64_t all = (1ull << 48) - 1;
    uint64_t x = ((uint64_t)a << 24 | b) * TK_MIX_FIRST & all;
    x ^= x >> 24;
    return x * m->mul & all;
}

static inline size_t tk_pair_group(const struct tk_merges *m, uint64_t mix) { return (size_t)(mix >> (48 - m->turn_bits)); }
/* Where it is, if it is. */
static inline size_t tk_pair_place(const struct tk_merges *m, uint64_t mix, uint32_t turn)
{
    const unsigned in = m->bits - TK_PAIR_REGIONS;
    return (size_t)(mix >> (48 - TK_PAIR_REGIONS)) << in | (((uint32_t)mix ^ turn) * 0x9e3779b1u) >> (32 - in);
}
static inline const uint64_t *tk_pair_slot(const struct tk_merges *m, uint64_t mix)
{
    return &m->slot[tk_pair_place(m, mix, m->turn[tk_pair_group(m, mix)])];
}
/* The number of its merge or TK_NO_MERGE, by that slot. */
static inline uint32_t tk_pair_in(const uint64_t *slot, uint64_t mix)
{
    const uint64_t x = *slot ^ mix << 24;
    return x < TK_NO_MERGE ? (uint32_t)x : TK_NO_MERGE;
}

static inline uint32_t tk_pair_find(const struct tk_merges *m, uint32_t a, uint32_t b)
{
    const uint64_t mix = tk_pair_mix(m, a, b);
    return tk_pair_in(tk_pair_slot(m, mix), mix);
}

/* NULL: the pair does not merge. */
static inline const struct tk_merge *tk_merge_find(const struct tk_merges *m, int32_t a, int32_t b)
{
    const uint32_t i = tk_pair_find(m, (uint32_t)a, (uint32_t)b);
    return i == TK_NO_MERGE ? NULL : &m->v[i];
}

/* Rank and id of a merge in one number: the lowest is merged first. */
static inline uint64_t tk_merge_key(const struct tk_merges *m, uint32_t i)
{
    return i == TK_NO_MERGE ? UINT64_MAX : (uint64_t)m->v[i].rank << 32 | m->v[i].id;
}

#endif
