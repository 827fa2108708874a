#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What a byte is within quotes: up to 6 bytes, and how many. */
struct piece {
    char s[7], n;
};
_Static_assert(sizeof(struct piece) == 8, "a piece is one word");
#define P1(c) {{(char)(c)}, 1}
#define P8(c) P1(c), P1(c + 1), P1(c + 2), P1(c + 3), P1(c + 4), P1(c + 5), P1(c + 6), P1(c + 7)
#define P32(c) P8(c), P8(c + 8), P8(c + 16), P8(c + 24)
#define PU(hi, lo) {{'\\', 'u', '0', '0', hi, lo}, 6}
#define PE(c) {{'\\', c}, 2}
static const struct piece pieces[256] = {
    PU('0', '0'), PU('0', '1'), PU('0', '2'), PU('0', '3'), PU('0', '4'), PU('0', '5'), PU('0', '6'), PU('0', '7'),
    PE('b'), PE('t'), PE('n'), PU('0', 'b'), PE('f'), PE('r'), PU('0', 'e'), PU('0', 'f'),
    PU('1', '0'), PU('1', '1'), PU('1', '2'), PU('1', '3'), PU('1', '4'), PU('1', '5'), PU('1', '6'), PU('1', '7'),
    PU('1', '8'), PU('1', '9'), PU('1', 'a'), PU('1', 'b'), PU('1', 'c'), PU('1', 'd'), PU('1', 'e'), PU('1', 'f'),
    P1(' '), P1('!'), PE('"'), P1('#'), P1('$'), P1('%'), P1('&'), P1('\''), P8(0x28), P8(0x30), P8(0x38),
    P8(0x40), P8(0x48), P8(0x50), P1('X'), P1('Y'), P1('Z'), P1('['), PE('\\'), P1(']'), P1('^'), P1('_'), P32(0x60),
    P32(0x80), P32(0xa0), P32(0xc0), P32(0xe0),
};

#if defined(__SSE2__)
static inline __m128i controls16(__m128i v) { return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v); }
static inline __m128i quotes16(__m128i v)
{
    return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
}
#endif

size_t ft_json_str_room(struct ft_str s)
{
    size_t n = s.n + 2 + FT_JSON_SLACK, i = 0;
    if (s.n < 64)
        return ft_json_str_most(s.n);
#if defined(__SSE2__)
    __m128i sum = _mm_setzero_si128(); /* what escapes add */
    for (; i + 16 <= s.n; i += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
        const __m128i more = _mm_or_si128(_mm_and_si128(controls16(v), _mm_set1_epi8(5)), _mm_and_si128(quotes16(v), _mm_set1_epi8(1)));
        sum = _mm_add_epi64(sum, _mm_sad_epu8(more, _mm_setzero_si128()));
    }
    n += (size_t)_mm_cvtsi128_si64(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum)));
#else
    for (; i < s.n; i++)
        n += (unsigned char)s.p[i] < 0x20 ? 5 : s.p[i] == '"' || s.p[i] == '\\';
#endif
    return n + 5 * (s.n - i);
}

static inline char *put_piece(char *w, char c)
{
    const struct piece *p = &pieces[(unsigned char)c];
    memcpy(w, p, 8);
    return w + p->n;
}

/* High bits of those among 8 bytes that are a quote, a backslash or a control; one that is not may
 * be among them behind one that is. */
static inline uint64_t odd8(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101, quote = x ^ ones * '"', slash = x ^ ones * '\\';
    return (((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & ones * 0x80;
}

/* At most 15 bytes: a head and a tail that overlap. */
static inline char *put_short(char *w, const char *p, size_t n)
{
    uint64_t a, b;
    uint32_t c, d;
    if (n >= 8) {
        memcpy(&a, p, 8), memcpy(&b, p + n - 8, 8);
        if (!(odd8(a) | odd8(b)))
            return memcpy(w, &a, 8), memcpy(w + n - 8, &b, 8), w + n;
    } else if (n >= 4) {
        memcpy(&c, p, 4), memcpy(&d, p + n - 4, 4);
        if (!odd8((uint64_t)d << 32 | c))
            return memcpy(w, &c, 4), memcpy(w + n - 4, &d, 4), w + n;
    }
    for (size_t i = 0; i < n; i++)
        w = put_piece(w, p[i]);
    return w;
}

#if defined(__SSE2__)
/* The 16 bytes at p, of which those in m, not none, are odd. Returns how many were written: up to the
 * first of these, or all where there are several. */
static inline size_t put_odd(char **w, const char *p, unsigned m)
{
    if (m & (m - 1)) { /* without a branch for each: text within text is full of quotes */
        for (size_t k = 0; k < 16; k++)
            *w = put_piece(*w, p[k]);
        return 16;
    }
    const size_t k = (size_t)__builtin_ctz(m);
    *w = put_piece(*w + k, p[k]);
    return k + 1;
}
#endif

#ifdef __x86_64__
#include <immintrin.h>

/* Up to the last 31 bytes, or fewer; returns where it stopped. */
__attribute__((target("avx2"))) static size_t put_avx2(char **out, struct ft_str s)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), last = _mm256_set1_epi8(0x1f);
    size_t i = 0;
    char *w = *out;
    while (i + 32 <= s.n) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(s.p + i));
        const __m256i odd = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash)),
                                            _mm256_cmpeq_epi8(_mm256_min_epu8(v, last), v));
        const unsigned m = (unsigned)_mm256_movemask_epi8(odd);
        _mm256_storeu_si256((__m256i *)(void *)w, v);
        if (!m) {
            w += 32;
            i += 32;
        } else if (m & 0xffff) {
            i += put_odd(&w, s.p + i, m & 0xffff);
        } else {
            w += 16;
            i += 16;
            i += put_odd(&w, s.p + i, m >> 16);
        }
    }
    *out = w;
    return i;
}

#define EXPANDS "avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2"
static inline bool expands(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
}

/* The same where bytes can be squeezed out of a vector: each byte is written with a backslash before it, which stays
 * where it is wanted. Up to 64 bytes are written at a time. */
__attribute__((target(EXPANDS))) static size_t put_expanded(char **out, struct ft_str s)
{
    /* What stands behind the backslash of a control; 0: it is more than one letter. */
    const __m256i letters = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 'b', 't', 'n', 0, 'f', 'r', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    size_t i = 0;
    char *w = *out;
    for (; i + 32 <= s.n; i += 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(s.p + i));
        const __mmask32 control = _mm256_cmplt_epu8_mask(v, _mm256_set1_epi8(0x20));
        const __mmask32 m = control | _mm256_cmpeq_epi8_mask(v, _mm256_set1_epi8('"')) | _mm256_cmpeq_epi8_mask(v, _mm256_set1_epi8('\\'));
        if (!m) {
            _mm256_storeu_si256((__m256i *)(void *)w, v);
            w += 32;
            continue;
        }
        const __m256i c = _mm256_mask_permutexvar_epi8(v, control, v, letters);
        if (_mm256_testn_epi8_mask(c, c)) { /* some are \u00xx */
            for (size_t k = 0; k < 32; k++)
                w = put_piece(w, s.p[i + k]);
            continue;
        }
        const __m512i pairs = _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(c), 8), _mm512_set1_epi16('\\'));
        const __mmask64 kept = 0xaaaaaaaaaaaaaaaa | _pdep_u64(m, 0x5555555555555555);
        _mm512_storeu_si512(w, _mm512_maskz_compress_epi8(kept, pairs));
        w += 32 + __builtin_popcount(m);
    }
    *out = w;
    return i;
}
#endif

/* What stands between the quotes. */
static char *put_inside(char *w, struct ft_str s)
{
    size_t i = 0;
#ifdef __x86_64__
    if (s.n >= 32 && expands())
        i = put_expanded(&w, s);
    else if (s.n >= 64 && __builtin_cpu_supports("avx2"))
        i = put_avx2(&w, s);
#endif
#if defined(__SSE2__)
    while (i + 16 <= s.n) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
        const unsigned m = (unsigned)_mm_movemask_epi8(_mm_or_si128(controls16(v), quotes16(v)));
        _mm_storeu_si128((__m128i *)(void *)w, v);
        if (!m) {
            w += 16;
            i += 16;
            continue;
        }
        i += put_odd(&w, s.p + i, m);
    }
#endif
    for (; i + 16 <= s.n; i++)
        w = put_piece(w, s.p[i]);
    return put_short(w, s.p + i, s.n - i);
}

char *ft_json_write_str(char *w, struct ft_str s)
{
    *w++ = '"';
    w = s.n < 16 ? put_short(w, s.p, s.n) : put_inside(w, s); /* most are names */
    *w++ = '"';
    return w;
}

void ft_json_put_str(struct ft_buf *b, struct ft_str s)
{
    enum { PIECE = 4096 }; /* room for the worst of so many, rather than counting first */
    ft_buf_putc(b, '"');
    while (s.n) {
        const struct ft_str piece = {s.p, s.n < PIECE ? s.n : PIECE};
        char *w = ft_buf_room(b, ft_json_str_most(piece.n));
        b->n += (size_t)(put_inside(w, piece) - w);
        s.p += piece.n;
        s.n -= piece.n;
    }
    ft_buf_putc(b, '"');
}

/* The shortest digits d1d2...dn with v = 0.d1d2...dn * 10^point that read back
 * as v > 0. Returns n. Rounding to n digits and trying is enough but for one
 * case: below a power of two the neighbours are twice as near on one side, so
 * the digits that read back may be the ones rounded the other way. */
static int shortest(double v, char *digits, int *point)
{
    char s[40];
    const bool normal = v >= 2.2250738585072014e-308;
    for (int n = normal ? 15 : 1;; n++) {
        snprintf(s, sizeof s, "%.*e", n - 1, v);
        bool ok = n >= 17 || strtod(s, NULL) == v;
        if (!ok && n == 16) { /* up by one in the last place */
            char *last = s + 1 + (n > 1) * n - 1;
            if (*last < '9') {
                ++*last;
                ok = strtod(s, NULL) == v;
            }
        }
        if (!ok)
            continue;
        int k = 0;
        const char *p = s;
        for (; *p != 'e'; p++)
            if (*p != '.')
                digits[k++] = *p;
        *point = atoi(p + 1) + 1;
        while (k > 1 && digits[k - 1] == '0')
            k--;
        return k;
    }
}

int ft_real_repr(char *out, double v)
{
    char d[20];
    char *w = out;
    int point;
    if (isnan(v))
        return memcpy(out, "nan", 4), 3;
    if (signbit(v))
        *w++ = '-';
    if (isinf(v))
        return memcpy(w, "inf", 4), (int)(w - out) + 3;
    if (v == 0)
        return memcpy(w, "0.0", 4), (int)(w - out) + 3;
    const int n = shortest(fabs(v), d, &point);
    if (point > 16 || point < -3) { /* Python's rule for repr */
        *w++ = d[0];
        if (n > 1) {
            *w++ = '.';
            memcpy(w, d + 1, (size_t)n - 1);
            w += n - 1;
        }
        w += sprintf(w, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
    } else if (point <= 0) {
        *w++ = '0';
        *w++ = '.';
        memset(w, '0', (size_t)-point);
        w += -point;
        memcpy(w, d, (size_t)n);
        w += n;
    } else {
        for (int i = 0; i < point || i < n; i++) {
            if (i == point)
                *w++ = '.';
            *w++ = i < n ? d[i] : '0';
        }
        if (point >= n) {
            *w++ = '.';
            *w++ = '0';
        }
    }
    *w = 0;
    return (int)(w - out);
}

void ft_json_put_real(struct ft_buf *b, double v)
{
    char s[40];
    if (!isfinite(v))
        ft_buf_putz(b, "null");
    else
        ft_buf_put(b, s, (size_t)ft_real_repr(s, v));
}
