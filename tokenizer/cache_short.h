/* cache_short.h -- tk_cache_whole by the vectors of the level that includes it. */
#ifndef FT_TOKENIZER_CACHE_SHORT_H
#define FT_TOKENIZER_CACHE_SHORT_H

#include "tokenizer/cache.h"

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#endif

/* Fills a record of a cache whose hot table is `hot`: a loop over words does best with
 * both in registers. `limit`: where the text ends that the word stands in; `longs`: many are long, and have no
 * line to be asked for. */
static inline void tk_rec_short(struct tk_rec *r, struct tk_lines hot, const char *p, size_t n, const char *limit, bool longs)
{
#if defined(__AVX2__) && defined(__BMI2__)
    const unsigned length = n < 255 ? (unsigned)n : 255; /* a long word has no line: 16 to 255 is no length of a key */
#ifdef __AVX512BW__
    (void)limit;
    __m128i k = _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0x7fff, length), p);
#else
    static const unsigned char keep[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    const size_t cut = n < TK_KEY_MAX ? TK_KEY_MAX - n : 0;
    unsigned char near[16];
    const char *from = p;
    if (limit - p < 16) {
        memcpy(near, p, (size_t)(limit - p));
        from = (const char *)near;
    }
    __m128i k = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)from),
                              _mm_loadu_si128((const __m128i *)(const void *)(keep + cut)));
#endif
    k = _mm_insert_epi8(k, (int)length, 15);
    _mm_storeu_si128((__m128i *)(void *)&r->key, k);
    r->p = p;
    r->n = (uint32_t)n;
    r->hash = tk_key_hash((uint64_t)_mm_cvtsi128_si64(k), (uint64_t)_mm_extract_epi64(k, 1));
#else
    (void)limit;
    r->key = tk_key_of(p, n);
    r->p = p;
    r->n = (uint32_t)n;
    r->hash = tk_key_hash(r->key.lo, r->key.hi);
#endif
    if (longs)
        r->hash &= (uint32_t)((int64_t)(n - (TK_KEY_MAX + 1)) >> 63); /* 0 of a long one, without a branch */
    __builtin_prefetch(&hot.line[r->hash >> hot.shift]);
}

static inline void tk_cache_short(struct tk_cache *c, const char *p, size_t n, const char *limit)
{
    tk_rec_short(&c->rec[c->n++], c->hot, p, n, limit, false);
}

#endif
