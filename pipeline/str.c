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

void ft_buf_vprintf(struct ft_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n > 0) {
        vsnprintf(ft_buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, ap);
        b->n += (size_t)n;
    }
}

void ft_buf_printf(struct ft_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ft_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

char *ft_put_decimal(char *w, uint64_t v)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
                                "55565758596061626364656667686970717273747576777879808182838485868788899091929394959697989900";
    char tmp[FT_DECIMAL];
    int i = FT_DECIMAL;
    if (v < 10) {
        *w = (char)('0' + v);
        return w + 1;
    }
    if (v < 100)
        return memcpy(w, pairs + 2 * v, 2), w + 2;
    if (v < 10000) {
        const uint64_t hi = v / 100, lo = v % 100;
        memcpy(w, pairs + 2 * hi + (hi < 10), 2);
        w += hi < 10 ? 1 : 2;
        return memcpy(w, pairs + 2 * lo, 2), w + 2;
    }
    for (; v >= 10; v /= 100)
        memcpy(tmp + (i -= 2), pairs + 2 * (v % 100), 2);
    if (v)
        tmp[--i] = (char)('0' + v);
    memcpy(w, tmp + i, (size_t)(FT_DECIMAL - i));
    return w + FT_DECIMAL - i;
}

void ft_buf_put_u64(struct ft_buf *b, uint64_t v)
{
    char *w = ft_buf_room(b, FT_DECIMAL);
    b->n += (size_t)(ft_put_decimal(w, v) - w);
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
