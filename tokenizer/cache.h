/* cache.h -- words and the ids they become, remembered.
 *
 * Text is a few thousand words said over and over: an encoder that looks a word
 * up costs tens of cycles, one that merges costs hundreds. Three tables, asked in
 * this order; none is ever needed for a right answer.
 *
 *   hot   of one thread: lines of two slots, the newer first, the older falls
 *         out. Fixed size, so memory does not grow with the stream.
 *   seed  shared, read-only: every token of the vocabulary that can be a word,
 *         with the ids that the model gives it. Made at load or mapped from the
 *         compiled image.
 *   big   of one thread: words of 16 to 47 bytes or of 5 to 19 ids.
 *
 * A fourth, `part`, is like hot, for the parts that the encoder cuts a long word
 * into (cut.h): what a part becomes need not be what the same bytes become as a
 * word.
 *
 * Words go through in batches: the splitter fills records (key, line) and asks
 * for the lines; then all are probed, then what missed is sought in the seed, then
 * all ids are written. So the waits for memory overlap.
 */
#ifndef FT_TOKENIZER_CACHE_H
#define FT_TOKENIZER_CACHE_H

#include <stdint.h>

#include "pipeline/str.h"

enum {
    TK_KEY_MAX = 15,  /* bytes of a word that has a key */
    TK_BATCH = 256,   /* records */
    TK_HOT_BITS = 15, /* lines of the hot table: 2 MiB */
    TK_PART_BITS = 14, /* lines of the table of parts: 1 MiB */
    TK_BIG_BITS = 14, /* slots of the big table: 2 MiB */
    TK_BIG_KEY = 48, TK_BIG_IDS = 19,
};

/* The bytes, zeros, and the length last: 1..15. 0 is free; above 15: no key. */
struct tk_key {
    uint64_t lo, hi;
};

/* Up to four ids of 24 bits; the count is on top of the first, 0: see cache.c. */
struct tk_slot {
    struct tk_key key;
    uint32_t id[4];
};

struct tk_line {
    struct tk_slot slot[2];
} __attribute__((aligned(64)));

struct tk_rec { /* a word to be looked up */
    struct tk_key key;
    const char *p;
    uint32_t n, hash;
};

static inline uint32_t tk_key_hash(uint64_t lo, uint64_t hi)
{
    const unsigned __int128 x =
        (unsigned __int128)(lo ^ 0x9e3779b97f4a7c15u) * (hi ^ 0xd1b54a32d192ed03u);
    return (uint32_t)((uint64_t)x ^ (uint64_t)(x >> 64));
}

static inline struct tk_key tk_key_of(const char *p, size_t n)
{
    unsigned char b[16] = {0};
    memcpy(b, p, n < TK_KEY_MAX ? n : TK_KEY_MAX);
    b[15] = n < 255 ? (unsigned char)n : 255;
    struct tk_key k;
    memcpy(&k, b, 16);
    return k;
}

static inline bool tk_key_eq(struct tk_key a, struct tk_key b) { return !((a.lo ^ b.lo) | (a.hi ^ b.hi)); }

/* ---- ids on their way out ---- */

struct tk_ids {
    int32_t *v;
    size_t n, cap;
};
void tk_ids_grow(struct tk_ids *o, size_t room);
static inline void tk_ids_room(struct tk_ids *o, size_t room)
{
    if (o->n + room > o->cap)
        tk_ids_grow(o, room);
}
static inline void tk_ids_put(struct tk_ids *o, int32_t id)
{
    tk_ids_room(o, 1);
    o->v[o->n++] = id;
}

/* ---- seed ---- */

struct tk_seed {
    struct tk_line *line; /* a word is in its line or, when that is full, in the next */
    size_t n_lines;       /* a power of two; 0: none */
    bool mapped;          /* not ours to free */
};
/* Room for `words` words. */
void tk_seed_init(struct tk_seed *s, size_t words);
/* 1 to 4 ids. A word that is there stays. */
void tk_seed_add(struct tk_seed *s, const char *p, size_t n, const int32_t *ids, size_t n_ids);
void tk_seed_release(struct tk_seed *s);

/* ---- the cache of a thread ---- */

/* Encodes a word without the cache, appending to `out`. */
typedef int tk_word_fn(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);

struct tk_cache {
    struct tk_line *hot, *part;
    struct tk_big *big;
    const struct tk_seed *seed;
    tk_word_fn *encode;
    void *ctx;
    size_t n;                    /* records waiting */
    struct tk_rec rec[TK_BATCH + 64]; /* a window more than a batch */
    struct tk_slot side[TK_BATCH + 64];
    struct tk_ids over;          /* ids of this batch that found no room in a slot */
};

struct tk_cache *tk_cache_new(const struct tk_seed *seed, tk_word_fn *encode, void *ctx);
void tk_cache_free(struct tk_cache *c);

static inline struct tk_line *tk_cache_line(const struct tk_cache *c, uint32_t hash)
{
    return &c->hot[hash >> (32 - TK_HOT_BITS)];
}

/* Adds a word of n >= 1 bytes; its bytes must stay until the flush. */
static inline void tk_cache_word(struct tk_cache *c, const char *p, size_t n)
{
    struct tk_rec *r = &c->rec[c->n++];
    r->key = tk_key_of(p, n);
    r->p = p;
    r->n = (uint32_t)n;
    r->hash = tk_key_hash(r->key.lo, r->key.hi);
    __builtin_prefetch(tk_cache_line(c, r->hash));
}
/* Adds an id that is known. */
static inline void tk_cache_id(struct tk_cache *c, int32_t id)
{
    c->rec[c->n++] = (struct tk_rec){.n = (uint32_t)id}; /* p NULL says so */
}
/* Must the records be flushed before another window of words comes? */
static inline bool tk_cache_full(const struct tk_cache *c) { return c->n >= TK_BATCH; }

/* Writes the ids of all waiting records. */
int tk_cache_flush(struct tk_cache *c, struct tk_ids *out, struct ft_err *e);

/* One part of a word, now; what is not remembered is encoded by `encode`.
 * `seeded`: the seed's answers are right for parts. */
int tk_cache_part(struct tk_cache *c, const char *p, size_t n, bool seeded, tk_word_fn *encode,
                  struct tk_ids *out, struct ft_err *e);

#endif
