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
    size_t n = s.n + 2 + 16, i = 0; /* written up to 16 bytes at a time */
    if (s.n < 64)
        return n + 5 * s.n;
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

char *ft_json_write_str(char *w, struct ft_str s)
{
    size_t i = 0;
    *w++ = '"';
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
        if (m & (m - 1)) { /* without a branch for each: text within text is full of quotes */
            for (size_t k = 0; k < 16; k++)
                w = put_piece(w, s.p[i + k]);
            i += 16;
            continue;
        }
        const int k = __builtin_ctz(m);
        w = put_piece(w + k, s.p[i + (size_t)k]);
        i += (size_t)k + 1;
    }
#endif
    for (; i < s.n; i++)
        w = put_piece(w, s.p[i]);
    *w++ = '"';
    return w;
}

void ft_json_put_str(struct ft_buf *b, struct ft_str s)
{
    char *w = ft_buf_room(b, ft_json_str_room(s));
    b->n += (size_t)(ft_json_write_str(w, s) - w);
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
