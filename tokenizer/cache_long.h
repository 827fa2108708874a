/* cache_long.h -- words that no line of the hot table can hold, remembered whole.
 *
 * A word of more than 15 bytes, or of more than 12 ids, lies in a ring: its bytes, then its
 * ids. What is new overwrites what is oldest, so memory is bounded whatever comes. Places in
 * the ring are counted on and on: one is good while the ring has not come round to it. Sets of
 * eight slots lead from a hash to places; there are more of them as more words come, up to a bound.
 *
 * Most long words never come again (a sentence of Japanese is a word to some rules), so one
 * that is seen for the first time leaves its hash in a slot, and its ids go into the ring
 * when it comes again. While nearly none does, only one of eight is looked after.
 */
#ifndef FT_TOKENIZER_CACHE_LONG_H
#define FT_TOKENIZER_CACHE_LONG_H

#include "tokenizer/cache_seed.h"

#ifdef __AVX2__
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    TK_LONG_BYTES = 192,    /* of a word that is remembered, at most */
    TK_LONG_IDS = 192,      /* its ids */
    TK_LONG_SETS = 13,      /* bits of the number of sets, at most: 512 KiB */
    TK_LONG_SLOTS = 8,      /* of a set */
    TK_LONG_FEW = 16,       /* a score below it: nearly no word comes again */
    TK_RING = 18,           /* bits of the ring's size in units of 16 bytes: 4 MiB */
    TK_RING_BATCH = 1 << 12 /* units that one flush may fill: so long what was found stays */
};

struct tk_long_set {
    uint32_t tag[TK_LONG_SLOTS]; /* upper bits of the hash, and the word's length below; 0: free */
    uint32_t at[TK_LONG_SLOTS];  /* its place; one that is not good: seen once */
} __attribute__((aligned(64)));

struct tk_long {
    struct tk_long_set *set; /* [1 << bits]; as many as it takes */
    unsigned char *ring;
    uint32_t bits, used; /* the second: slots that are not free */
    uint32_t head, stop; /* where the next word goes; where this flush must end */
    uint32_t score; /* up with every word that was seen before, down with others */
};

void tk_long_new(struct tk_long *l);
void tk_long_release(struct tk_long *l);
/* A flush ends: what was found by now may go. False: places are used up, and all that knows
 * any must be forgotten. */
bool tk_long_next(struct tk_long *l);

/* Is this word, of 16 bytes or more, none to be looked after? */
static inline bool tk_long_skips(const struct tk_long *l, const char *p, size_t n)
{
    uint64_t x;
    memcpy(&x, p + n - 8, 8);
    return l->score < TK_LONG_FEW && (x * 0x9e3779b97f4a7c15u) >> 61;
}

/* Of a word of 16 bytes or more; not the same at every level. */
static inline uint64_t tk_long_hash(const char *p, size_t n)
{
    const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xd1b54a32d192ed03u;
    unsigned __int128 x;
#ifdef __AVX512BW__
    const __m512i key = _mm512_set_epi64(0x2545f4914f6cdd1d, 0x5851f42d4c957f2d, 0x14057b7ef767814f, 0x6c078965d5b2fa4b,
                                         0x369dea0f31a53f85, 0x27bb2ee687b0b0fd, 0x106689d45497fdb5, 0x7fb5d329728ea185);
    __m512i sum = _mm512_set1_epi64((long long)n);
    for (size_t i = 0; i < n; i += 64) {
        const __mmask64 m = n - i >= 64 ? ~0ull : (1ull << (n - i)) - 1;
        const __m512i v = _mm512_maskz_loadu_epi8(m, p + i), y = _mm512_xor_si512(v, key);
        sum = _mm512_add_epi64(_mm512_xor_si512(_mm512_rol_epi64(sum, 23), v), _mm512_mul_epu32(y, _mm512_srli_epi64(y, 32)));
    }
    const __m256i four = _mm256_add_epi64(_mm512_castsi512_si256(sum),
                                          _mm256_xor_si256(_mm512_extracti64x4_epi64(sum, 1), _mm256_set1_epi64x((long long)k1)));
    const __m128i two = _mm_xor_si128(_mm256_castsi256_si128(four), _mm_slli_epi64(_mm256_extracti128_si256(four, 1), 1));
    x = (unsigned __int128)((uint64_t)_mm_cvtsi128_si64(two) ^ k0) * ((uint64_t)_mm_extract_epi64(two, 1) ^ k1);
    return (uint64_t)x ^ (uint64_t)(x >> 64);
#else
    uint64_t a, b, h = n * k1;
    for (size_t i = 0;; i += 16) {
        const size_t from = i + 16 < n ? i : n - 16; /* the last sixteen bytes may be some of those before */
        memcpy(&a, p + from, 8);
        memcpy(&b, p + from + 8, 8);
        x = (unsigned __int128)(a ^ h ^ k0) * (b ^ k1);
        h = (uint64_t)x ^ (uint64_t)(x >> 64);
        if (from != i || i + 16 == n)
            return h;
    }
#endif
}

static inline bool tk_long_good(const struct tk_long *l, uint32_t at)
{
    return l->head - at <= (1u << TK_RING) - TK_RING_BATCH;
}
static inline unsigned char *tk_long_place(const struct tk_long *l, uint32_t at)
{
    return l->ring + 16 * (size_t)(at & ((1u << TK_RING) - 1));
}
static inline struct tk_long_set *tk_long_set(const struct tk_long *l, uint64_t hash)
{
    return &l->set[hash >> (64 - l->bits)];
}
static inline void tk_long_prefetch(const struct tk_long *l, uint64_t hash) { __builtin_prefetch(tk_long_set(l, hash)); }
static inline uint32_t tk_long_tag(uint64_t hash, size_t n) { return ((uint32_t)hash & ~255u) | (uint32_t)n; }

/* The slots that have this tag, a bit each. */
static inline unsigned tk_long_slots(const struct tk_long_set *s, uint32_t tag)
{
#if defined(__AVX2__)
    const __m256i same = _mm256_cmpeq_epi32(_mm256_load_si256((const __m256i *)(const void *)s->tag), _mm256_set1_epi32((int)tag));
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same));
#elif defined(__SSE2__)
    const __m128i *t = (const __m128i *)(const void *)s->tag, x = _mm_set1_epi32((int)tag);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(_mm_cmpeq_epi32(t[0], x), _mm_cmpeq_epi32(t[1], x)), _mm_setzero_si128()));
#else
    unsigned slots = 0;
    for (unsigned k = 0; k < TK_LONG_SLOTS; k++)
        slots |= (unsigned)(s->tag[k] == tag) << k;
    return slots;
#endif
}

/* Where the word of 16 to TK_LONG_BYTES bytes is, or another one as long with the same hash; or NULL.
 * Asks for it; it stays until the next flush ends. */
static inline const unsigned char *tk_long_guess(const struct tk_long *l, size_t n, uint64_t hash)
{
    const struct tk_long_set *s = tk_long_set(l, hash);
    const unsigned slots = tk_long_slots(s, tk_long_tag(hash, n));
    if (!slots)
        return NULL;
    const uint32_t at = s->at[__builtin_ctz(slots)];
    const unsigned char *x = tk_long_place(l, at);
    __builtin_prefetch(x);
    __builtin_prefetch(x + 64);
    __builtin_prefetch(x + n);
    return tk_long_good(l, at) ? x : NULL;
}
/* Is it the word at x? */
static inline bool tk_long_is(const unsigned char *x, const char *p, size_t n)
{
#ifdef __SSE2__
#define DIFFERENT(i) \
    _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(p + (i))), _mm_loadu_si128((const __m128i *)(const void *)(x + (i))))
    /* Sixteen bytes at four places, some of them the same ones twice, are all of most words: no branch hangs on the length. */
    const size_t end = n - 16, second = end < 16 ? end : 16, third = n < 32 ? 0 : n - 32;
    __m128i d = _mm_or_si128(_mm_or_si128(DIFFERENT(0), DIFFERENT(second)), _mm_or_si128(DIFFERENT(third), DIFFERENT(end)));
    if (__builtin_expect(n > 64, 0))
        for (size_t i = 32; i < n - 32; i += 16)
            d = _mm_or_si128(d, DIFFERENT(i));
#undef DIFFERENT
    return _mm_movemask_epi8(_mm_cmpeq_epi8(d, _mm_setzero_si128())) == 0xffff;
#else
    return !memcmp(x, p, n);
#endif
}
/* Its ids: their number << 24 is added to the first, and 15 more may be read. */
static inline const uint32_t *tk_long_ids(const unsigned char *x, size_t n)
{
    return (const uint32_t *)(const void *)(x + ((n + 3) & ~(size_t)3));
}
static inline const uint32_t *tk_long_find(const struct tk_long *l, const char *p, size_t n, uint64_t hash)
{
    const unsigned char *x = tk_long_guess(l, n, hash);
    return x && tk_long_is(x, p, n) ? tk_long_ids(x, n) : NULL;
}
/* A word was seen before. */
static inline void tk_long_again(struct tk_long *l) { l->score += l->score < 256 ? TK_LONG_FEW : 0; }
/* The word is not there: has it been seen before? From now on it has. */
bool tk_long_seen(struct tk_long *l, size_t n, uint64_t hash);
/* Remembers the word with that many ids, if there is room. */
void tk_long_put(struct tk_long *l, const char *p, size_t n, uint64_t hash, const int32_t *ids, size_t count);

/* Remembers ids alone; gives their place, or 0: there is no room. */
uint32_t tk_long_keep(struct tk_long *l, const int32_t *ids, size_t count);
/* The ids at that place, as tk_long_ids gives them, or NULL: they are gone. */
static inline const uint32_t *tk_long_kept(const struct tk_long *l, uint32_t at)
{
    return tk_long_good(l, at) ? tk_long_ids(tk_long_place(l, at), 0) : NULL;
}

#endif
