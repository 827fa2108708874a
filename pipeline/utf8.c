/* UTF-8 by RFC 3629: str.h. */
#include "pipeline/str.h"

static bool cont(unsigned char c) { return (c & 0xc0) == 0x80; }

int ft_utf8_seq(const unsigned char *p, size_t n)
{
    const unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2)
        return 0; /* a continuation, or an overlong two-byte form */
    if (c < 0xe0)
        return n >= 2 && cont(p[1]) ? 2 : 0;
    if (c < 0xf0) {
        if (n < 3 || !cont(p[1]) || !cont(p[2]))
            return 0;
        if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] >= 0xa0))
            return 0; /* overlong; surrogate */
        return 3;
    }
    if (c > 0xf4 || n < 4 || !cont(p[1]) || !cont(p[2]) || !cont(p[3]))
        return 0;
    if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] >= 0x90))
        return 0; /* overlong; above U+10FFFF */
    return 4;
}

/* From a place where a character begins. */
static size_t valid_scalar(const unsigned char *p, size_t n, size_t i)
{
    while (i < n) {
        uint64_t w;
        if (n - i >= 8 && (memcpy(&w, p + i, 8), (w & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        const int k = ft_utf8_seq(p + i, n - i);
        if (!k)
            return i;
        i += (size_t)k;
    }
    return n;
}

#ifdef __x86_64__
#include <immintrin.h>

/* What can be wrong with two bytes that follow each other; each table says which
 * of it a half byte of the first or second leaves possible, and what all three leave
 * is wrong (Keiser and Lemire, "Validating UTF-8 in less than one instruction per
 * byte", 2021). TWO_CONTS alone is no error: it must stand where, and only where, a
 * byte two or three before asks for it. */
enum {
    TOO_SHORT = 1,      /* 11______ 0_______, 11______ 11______ */
    TOO_LONG = 2,       /* 0_______ 10______ */
    OVERLONG_3 = 4,     /* 11100000 100_____ */
    TOO_LARGE = 8,      /* 11110100 1001____, 11110100 101_____, 11110101 and more */
    SURROGATE = 16,     /* 11101101 101_____ */
    OVERLONG_2 = 32,    /* 1100000_ 10______ */
    TOO_LARGE_4 = 64,   /* 11110101 1000____ and more; OVERLONG_4: 11110000 1000____ */
    TWO_CONTS = 128,    /* 10______ 10______ */
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
};
static const unsigned char first_hi[16] = {
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
    TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_4};
static const unsigned char first_lo[16] = {
    CARRY | OVERLONG_3 | OVERLONG_2 | TOO_LARGE_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE,
    CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4,
    CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4,
    CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4 | SURROGATE,
    CARRY | TOO_LARGE | TOO_LARGE_4, CARRY | TOO_LARGE | TOO_LARGE_4};
static const unsigned char second_hi[16] = {
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_4, TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE, TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT};

#define TABLE(t) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(t)))
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))

__attribute__((target("avx2"))) static size_t valid_avx2(const unsigned char *p, size_t n)
{
    const __m256i nibble = _mm256_set1_epi8(15), a_hi = TABLE(first_hi), a_lo = TABLE(first_lo), b_hi = TABLE(second_hi);
    size_t i = 0;
    __m256i before = _mm256_setzero_si256(); /* the 32 bytes in front of i */
    for (; n - i >= 32; i += 32) {
        const __m256i x = LOAD(p + i);
        /* Plain ASCII, and nothing open in front of it: a lead byte is among the last three. */
        if (!_mm256_movemask_epi8(x) && !((unsigned)_mm256_movemask_epi8(before) >> 29)) {
            before = x;
            continue;
        }
        const __m256i across = _mm256_permute2x128_si256(before, x, 0x21);
        const __m256i one = _mm256_alignr_epi8(x, across, 15), two = _mm256_alignr_epi8(x, across, 14),
                      three = _mm256_alignr_epi8(x, across, 13);
        const __m256i wrong = _mm256_and_si256(
            _mm256_and_si256(_mm256_shuffle_epi8(a_hi, _mm256_and_si256(_mm256_srli_epi16(one, 4), nibble)),
                             _mm256_shuffle_epi8(a_lo, _mm256_and_si256(one, nibble))),
            _mm256_shuffle_epi8(b_hi, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
        const __m256i asked = _mm256_or_si256(_mm256_subs_epu8(two, _mm256_set1_epi8(0xe0 - 0x80)),
                                              _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xf0 - 0x80))));
        const __m256i error = _mm256_xor_si256(wrong, _mm256_and_si256(asked, _mm256_set1_epi8((char)TWO_CONTS)));
        if (!_mm256_testz_si256(error, error))
            break;
        before = x;
    }
    /* The rest, and where exactly it goes wrong, from the character that may be open. */
    for (size_t k = 1; k <= 3 && k <= i && (p[i - k] & 0x80); k++)
        if (p[i - k] >= 0xc0)
            return valid_scalar(p, n, i - k);
    return valid_scalar(p, n, i);
}
#endif

size_t ft_utf8_valid(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
#ifdef __x86_64__
    if (n >= 32 && __builtin_cpu_supports("avx2"))
        return valid_avx2(p, n);
#endif
    return valid_scalar(p, n, 0);
}

int ft_utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

size_t ft_utf8_count(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xc0) != 0x80;
    return count;
}

void ft_utf8_repair(struct ft_buf *out, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    for (size_t i = 0; i < n;) {
        const size_t good = ft_utf8_valid(s + i, n - i);
        ft_buf_put(out, s + i, good);
        i += good;
        if (i >= n)
            break;
        const unsigned char c = p[i];
        size_t k = 1;
        const size_t want = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1;
        unsigned char lo = 0x80, hi = 0xbf;
        if (c == 0xe0)
            lo = 0xa0;
        if (c == 0xed)
            hi = 0x9f;
        if (c == 0xf0)
            lo = 0x90;
        if (c == 0xf4)
            hi = 0x8f;
        while (k < want && i + k < n && p[i + k] >= lo && p[i + k] <= hi) {
            k++;
            lo = 0x80;
            hi = 0xbf;
        }
        ft_buf_put(out, "\xef\xbf\xbd", 3);
        i += k;
    }
}
