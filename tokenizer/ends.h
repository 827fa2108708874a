/* ends.h -- where words end in a window of 64 bytes, as bits and as a list: for words_kernel.h and units_kernel.h. */
#ifndef FT_TOKENIZER_ENDS_H
#define FT_TOKENIZER_ENDS_H

#include "tokenizer/cache_seed.h"

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#endif

/* The places of the bits, from `base` on, as a list: room for 64 numbers. */
static inline void list(uint32_t *to, uint64_t bits, uint32_t base)
{
#ifdef __AVX512VBMI2__
    static const unsigned char count[64] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
        32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i v = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(count)), add = _mm512_set1_epi32((int)base);
#define SIXTEEN(k) \
    _mm512_storeu_si512(to + 16 * (k), _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, k)), add))
    SIXTEEN(0);
    SIXTEEN(1);
    if (__builtin_expect(_mm_popcnt_u64(bits) > 32, 0)) {
        SIXTEEN(2);
        SIXTEEN(3);
    }
#undef SIXTEEN
#elif defined(__AVX2__) && defined(__BMI2__)
    for (int n = (int)_mm_popcnt_u64(bits); n > 0; n -= 4) /* four at a time: fewer branches to guess */
        for (int i = 0; i < 4; i++, bits = _blsr_u64(bits))
            *to++ = base + (uint32_t)_tzcnt_u64(bits);
#else
    for (; bits; bits &= bits - 1)
        *to++ = base + (uint32_t)__builtin_ctzll(bits);
#endif
}

/* The ends of words of more than TK_KEY_MAX bytes: those that have no end close before them. */
static inline uint64_t long_ends(uint64_t ends)
{
    uint64_t near = (ends | 1) << 1;
    near |= near << 1;
    near |= near << 2;
    near |= near << 4;
    near |= near << 7;
    return ends & ~near;
}

#endif
