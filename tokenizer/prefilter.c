#include "tokenizer/prefilter.h"

#include <stdlib.h>

#include "tokenizer/words.h"

/* A set of bytes as two tables of 16: c is in it when lo[c & 15] & hi[c >> 4].
 * Exact below 0x80; above, the upper halves share bits with those below, which may
 * let others through. */
static void put(unsigned char *lo, unsigned char *hi, unsigned char c)
{
    const unsigned char bit = (unsigned char)(1u << (c >> 4 & 7));
    lo[c & 15] |= bit;
    hi[c >> 4] |= bit;
}

void tk_prefilter_add(struct tk_prefilter *s, const char *p, size_t n)
{
    if (!n)
        return;
    const unsigned a = (unsigned char)p[0];
    s->any = true;
    put(s->first_lo, s->first_hi, (unsigned char)a);
    for (unsigned b = n > 1 ? (unsigned char)p[1] : 0; b < (n > 1 ? (unsigned char)p[1] + 1u : 256u); b++) {
        put(s->second_lo, s->second_hi, (unsigned char)b);
        s->pair[(a << 8 | b) >> 6] |= 1ull << (b & 63);
    }
}

static size_t next_scalar(const struct tk_prefilter *s, const char *p, size_t n, size_t at)
{
    for (; s->any && at < n; at++) {
        const unsigned a = (unsigned char)p[at], b = at + 1 < n ? (unsigned char)p[at + 1] : 0;
        if (at + 1 == n ? s->first_lo[a & 15] & s->first_hi[a >> 4]
                        : s->pair[(a << 8 | b) >> 6] >> (b & 63) & 1)
            return at;
    }
    return n;
}

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2"))) static inline __m256i in_set(__m256i x, __m256i lo, __m256i hi)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i a = _mm256_shuffle_epi8(lo, _mm256_and_si256(x, nibble));
    const __m256i b = _mm256_shuffle_epi8(hi, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
    return _mm256_and_si256(a, b);
}

/* Is none of these 128 bytes in the set? */
__attribute__((target("avx2"))) static inline bool none(const char *p, __m256i lo, __m256i hi)
{
    __m256i any = _mm256_setzero_si256();
    __builtin_prefetch(p + 1024);
    __builtin_prefetch(p + 1088);
    for (size_t i = 0; i < 128; i += 32)
        any = _mm256_or_si256(any, in_set(_mm256_loadu_si256((const __m256i *)(const void *)(p + i)), lo, hi));
    return _mm256_testz_si256(any, any);
}

__attribute__((target("avx2"))) static size_t next_avx2(const struct tk_prefilter *s, const char *p, size_t n, size_t at)
{
#define TABLE(t) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(t)))
    const __m256i lo = TABLE(s->first_lo), hi = TABLE(s->first_hi), lo2 = TABLE(s->second_lo),
                  hi2 = TABLE(s->second_hi), zero = _mm256_setzero_si256();
    for (size_t tested = at; at + 33 <= n; at += 32) {
        if (at >= tested) {
            while (at + 160 < n && none(p + at, lo, hi))
                at += 128;
            tested = at + 128;
        }
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
        const __m256i f = in_set(x, lo, hi);
        if (_mm256_testz_si256(f, f))
            continue;
        const __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 1));
        unsigned m = ~(unsigned)_mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(f, zero),
                                                                     _mm256_cmpeq_epi8(in_set(y, lo2, hi2), zero)));
        for (; m; m &= m - 1) {
            const size_t k = at + (size_t)__builtin_ctz(m);
            const unsigned a = (unsigned char)p[k], b = (unsigned char)p[k + 1];
            if (s->pair[(a << 8 | b) >> 6] >> (b & 63) & 1)
                return k;
        }
    }
    return next_scalar(s, p, n, at);
}
#endif

size_t tk_prefilter_next(const struct tk_prefilter *s, const char *p, size_t n, size_t at)
{
    if (!s->any)
        return n;
#ifdef __x86_64__
    if (tk_words() != tk_words_scalar)
        return next_avx2(s, p, n, at);
#endif
    return next_scalar(s, p, n, at);
}
