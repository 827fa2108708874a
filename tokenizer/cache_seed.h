/* cache_seed.h -- words of one token, known from the start.
 *
 * A table of 4-byte slots leads from the hash of a word to its number: what is left
 * of the hash stands beside the number, so that a word that is not there costs one
 * line of a small table. Words are numbered in the order they were added, which is
 * that of the ids: frequent ones lie together. It is built once, read by all
 * threads, and may be mapped from an image.
 */
#ifndef FT_TOKENIZER_CACHE_SEED_H
#define FT_TOKENIZER_CACHE_SEED_H

#include <stdint.h>

#include "pipeline/str.h"

enum { TK_KEY_MAX = 15 }; /* bytes of a word that has a key */

/* The bytes, zeros, and the length last: 1..15. 0 is free; above 15: no key. */
struct tk_key {
    uint64_t lo, hi;
};

static inline uint32_t tk_key_hash(uint64_t lo, uint64_t hi)
{
    const unsigned __int128 x =
        (unsigned __int128)(lo ^ 0x9e3779b97f4a7c15u) * (hi ^ 0xd1b54a32d192ed03u);
    return (uint32_t)((uint64_t)x ^ (uint64_t)(x >> 64));
}

static inline struct tk_key tk_key_of(const char *p, size_t n)
{
    struct tk_key k = {0, 0};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t a, b;
    if (n < 4) {
        k.lo = (unsigned char)p[0];
        if (n > 1)
            k.lo |= (uint64_t)(unsigned char)p[1] << 8 | (uint64_t)(unsigned char)p[n - 1] << (8 * (n - 1));
    } else if (n < 8) { /* the two halves overlap */
        memcpy(&a, p, 4);
        memcpy(&b, p + n - 4, 4);
        k.lo = a | (uint64_t)b << (8 * (n - 4));
    } else {
        memcpy(&k.lo, p, 8);
        if (n >= 15) {
            memcpy(&a, p + 8, 4);
            memcpy(&b, p + 11, 4);
            k.hi = a | (uint64_t)b << 24;
        } else if (n > 8) {
            memcpy(&k.hi, p + n - 8, 8);
            k.hi >>= 8 * (16 - n);
        }
    }
    k.hi |= (uint64_t)(n < 255 ? n : 255) << 56;
#else
    unsigned char *to = (unsigned char *)&k;
    memcpy(to, p, n < TK_KEY_MAX ? n : TK_KEY_MAX);
    to[15] = n < 255 ? (unsigned char)n : 255;
#endif
    return k;
}

static inline bool tk_key_eq(struct tk_key a, struct tk_key b) { return !((a.lo ^ b.lo) | (a.hi ^ b.hi)); }

struct tk_seed {
    uint32_t *slot;      /* [n_slots] upper bits of the hash, and the word's number + 1; 0: free. A word
                          * is at its hash or, when that is taken, in the next free one */
    struct tk_key *key;  /* [n] */
    uint32_t *id;        /* [n] its token | 1 << 24, as in a line of a cache; 3 more may be read */
    size_t n, n_slots;   /* the second a power of two, of which at least half are free; 0: none */
    uint32_t low;        /* the bits of a slot that are the number */
    bool mapped;         /* not ours to free */
};

/* Room for `words` words. */
void tk_seed_init(struct tk_seed *s, size_t words);
/* A word of 1 to 15 bytes that is the token `id`; others are left out. A word that is there stays. */
void tk_seed_add(struct tk_seed *s, const char *p, size_t n, int32_t id);
/* The same in two steps, some words apart: the table is larger than what is near. */
struct tk_seed_word {
    struct tk_key key;
    uint32_t hash;
    int32_t id; /* -1: it is none */
};
struct tk_seed_word tk_seed_ask(const struct tk_seed *s, const char *p, size_t n, int32_t id);
void tk_seed_put(struct tk_seed *s, const struct tk_seed_word *w);
void tk_seed_release(struct tk_seed *s);

/* Asks for the word's slot. */
static inline void tk_seed_prefetch(const struct tk_seed *s, uint32_t hash)
{
    __builtin_prefetch(&s->slot[hash & (s->n_slots - 1)]);
}

/* The number of the word that it may be, or -1: there is none. s is not empty. Asks for
 * what tells. */
static inline int64_t tk_seed_guess(const struct tk_seed *s, uint32_t hash)
{
    for (size_t i = hash & (s->n_slots - 1);; i = (i + 1) & (s->n_slots - 1)) {
        const uint32_t x = s->slot[i];
        if (!x)
            return -1;
        if (!((x ^ hash) & ~s->low)) {
            __builtin_prefetch(&s->key[(x & s->low) - 1]);
            __builtin_prefetch(&s->id[(x & s->low) - 1]);
            return (x & s->low) - 1;
        }
    }
}

/* Its number, or -1. s is not empty. */
static inline int64_t tk_seed_find(const struct tk_seed *s, struct tk_key k, uint32_t hash)
{
    const uint32_t low = s->low;
    for (size_t i = hash & (s->n_slots - 1);; i = (i + 1) & (s->n_slots - 1)) {
        const uint32_t x = s->slot[i];
        if (!x)
            return -1;
        if (!((x ^ hash) & ~low) && tk_key_eq(s->key[(x & low) - 1], k))
            return (x & low) - 1;
    }
}

/* The same when tk_seed_guess gave `word`. */
static inline int64_t tk_seed_check(const struct tk_seed *s, int64_t word, struct tk_key k, uint32_t hash)
{
    return __builtin_expect(tk_key_eq(s->key[word], k), 1) ? word : tk_seed_find(s, k, hash);
}

#endif
