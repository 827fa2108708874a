#include "pipeline/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int ft_str_cmp(struct ft_str a, struct ft_str b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

#ifdef FT_TINY
enum { FIRST = 2 };
#else
enum { FIRST = 256 };
#endif

void ft_buf_grow(struct ft_buf *b, size_t more)
{
    size_t need, cap = b->cap ? b->cap : FIRST;
    if (__builtin_add_overflow(b->n, more, &need))
        ft_oom();
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    b->p = ft_realloc(b->p, cap);
    b->cap = cap;
}

void ft_buf_printf(struct ft_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        vsnprintf(ft_buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void ft_buf_put_u64(struct ft_buf *b, uint64_t v)
{
    char tmp[20];
    int i = 20;
    do
        tmp[--i] = (char)('0' + v % 10);
    while (v /= 10);
    ft_buf_put(b, tmp + i, (size_t)(20 - i));
}

void ft_buf_put_i64(struct ft_buf *b, int64_t v)
{
    if (v < 0)
        ft_buf_putc(b, '-');
    ft_buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void ft_buf_release(struct ft_buf *b)
{
    free(b->p);
    *b = (struct ft_buf){0};
}

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

size_t ft_utf8_valid(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t i = 0;
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
