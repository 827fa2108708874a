/* merges.h -- the merges of a BPE and the table that finds them; private to the
 * files about BPE.
 *
 * The two ids of a pair are mixed into 48 bits without loss. Their top tells the
 * line of eight entries, of 8 bytes each: the lower 40 bits, which together with the
 * line's place are the pair itself, and the number of its merge. When a line is
 * full, the next one is used, of those whose place has the same top eight bits.
 */
#ifndef FT_TOKENIZER_MERGES_H
#define FT_TOKENIZER_MERGES_H

#include <stdint.h>

#include "pipeline/str.h"

struct tk_merge {
    uint32_t rank, id; /* of what the two become */
};

enum {
    TK_PAIR_LINE = 8,             /* entries of a line */
    TK_NO_MERGE = (1 << 24) - 1,
};

struct tk_merges {
    struct tk_merge *v;  /* [n] in the order of the file; several of one rank and id in a row share one */
    uint64_t *line;      /* [TK_PAIR_LINE << bits]; UINT64_MAX: free */
    uint64_t *maybe;     /* [n_maybe] bits by the pair; clear: there is no such merge */
    uint32_t *byte_pair; /* [left byte << 8 | right byte]: number of their merge, TK_NO_MERGE: none */
    size_t n, n_maybe;
    unsigned bits;       /* 8 or more */
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
#define TK_MIX_SECOND 0xd1b54a32d192ed03u
static inline uint64_t tk_pair_mix(uint32_t a, uint32_t b)
{
    const uint64_t all = (1ull << 48) - 1;
    uint64_t x = ((uint64_t)a << 24 | b) * TK_MIX_FIRST & all;
    x ^= x >> 24;
    return x * TK_MIX_SECOND & all;
}

/* Most pairs do not merge: a bit that is near says so without the table. */
static inline bool tk_pair_maybe(const struct tk_merges *m, uint64_t mix)
{
    return m->maybe[(mix >> 12) & (m->n_maybe - 1)] >> (mix >> 42) & 1;
}

static inline size_t tk_pair_line(const struct tk_merges *m, uint64_t mix) { return (size_t)(mix >> (48 - m->bits)); }
static inline uint64_t tk_pair_rest(uint64_t mix) { return mix & ((1ull << 40) - 1); }
static inline size_t tk_pair_next(const struct tk_merges *m, size_t line)
{
    const size_t same = ((size_t)1 << (m->bits - 8)) - 1;
    return (line & ~same) | ((line + 1) & same);
}

/* The number of the pair's merge or TK_NO_MERGE, in the table alone. */
static inline uint32_t tk_pair_seek(const struct tk_merges *m, uint64_t mix)
{
    const uint64_t rest = tk_pair_rest(mix);
    for (size_t at = tk_pair_line(m, mix);; at = tk_pair_next(m, at)) {
        const uint64_t *line = &m->line[at * TK_PAIR_LINE];
        for (int i = 0; i < TK_PAIR_LINE; i++)
            if (line[i] >> 24 == rest || line[i] == UINT64_MAX)
                return line[i] & TK_NO_MERGE;
    }
}

static inline uint32_t tk_pair_find(const struct tk_merges *m, uint32_t a, uint32_t b)
{
    const uint64_t mix = tk_pair_mix(a, b);
    return tk_pair_maybe(m, mix) ? tk_pair_seek(m, mix) : TK_NO_MERGE;
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
