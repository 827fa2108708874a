#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json.h"

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

/* The high bit of each byte below 0x20, and of each quote and backslash. A byte
 * behind such a one may be marked in error, which costs nothing but time. */
static inline uint64_t controls(uint64_t x)
{
    return (x - 0x0101010101010101u * 0x20) & ~x & 0x8080808080808080u;
}

static inline uint64_t quotes(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, q = x ^ ones * '"', b = x ^ ones * '\\';
    return (((q - ones) & ~q) | ((b - ones) & ~b)) & ones * 0x80;
}

static inline uint64_t word_at(const char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

size_t ft_json_str_room(struct ft_str s)
{
    size_t n = s.n + 2 + 8, i = 0; /* pieces are written 8 bytes at a time */
    for (; i + 8 <= s.n; i += 8) {
        const uint64_t x = word_at(s.p + i), c = controls(x), q = quotes(x);
        if (c | q) /* the sum of the marks */
            n += (size_t)(((q >> 7) * 0x0101010101010101u >> 56) + 5 * ((c >> 7) * 0x0101010101010101u >> 56));
    }
    return n + 5 * (s.n - i);
}

char *ft_json_write_str(char *w, struct ft_str s)
{
    size_t i = 0;
    *w++ = '"';
    for (; i + 8 <= s.n; i += 8) {
        const uint64_t x = word_at(s.p + i);
        if (!(controls(x) | quotes(x))) {
            memcpy(w, &x, 8);
            w += 8;
            continue;
        }
        for (size_t k = 0; k < 8; k++) { /* without a branch: text within text is full of quotes */
            const struct piece *p = &pieces[(unsigned char)s.p[i + k]];
            memcpy(w, p, 8);
            w += p->n;
        }
    }
    for (; i < s.n; i++) {
        const struct piece *p = &pieces[(unsigned char)s.p[i]];
        memcpy(w, p, 8);
        w += p->n;
    }
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
