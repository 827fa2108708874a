#include "tokenizer/regex_set.h"

#include <stdlib.h>

#include "tokenizer/regex_tables.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

bool rx_set_named(struct ft_arena *mem, struct ft_str name, struct rx_set *out)
{
    char key[40];
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        if (c == ' ' || c == '_' || c == '-')
            continue;
        if (n == sizeof key - 1)
            return false;
        key[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    key[n] = 0;
    size_t lo = 0, hi = COUNT(rx_names);
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (strcmp(rx_names[mid].name, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == COUNT(rx_names) || strcmp(rx_names[lo].name, key) != 0)
        return false;
    const size_t from = rx_set_at[rx_names[lo].set], to = rx_set_at[rx_names[lo].set + 1];
    out->v = FT_NEWS(mem, struct rx_range, to - from);
    out->n = to - from;
    for (size_t i = 0; i < out->n; i++)
        out->v[i] = (struct rx_range){rx_ranges[2 * (from + i)], rx_ranges[2 * (from + i) + 1]};
    return true;
}

struct rx_set rx_set_char(struct ft_arena *mem, uint32_t a, uint32_t b)
{
    struct rx_set s = {FT_NEWS(mem, struct rx_range, 2), 0};
    if (a < 0xd800)
        s.v[s.n++] = (struct rx_range){a, b < 0xd800 ? b : 0xd7ff};
    if (b > 0xdfff && a <= 0x10ffff)
        s.v[s.n++] = (struct rx_range){a > 0xdfff ? a : 0xe000, b < 0x10ffff ? b : 0x10ffff};
    return s;
}

static int by_begin(const void *x, const void *y)
{
    const struct rx_range *a = x, *b = y;
    return a->a < b->a ? -1 : a->a > b->a;
}

/* Sorts and joins what touches. */
static void settle(struct rx_set *s)
{
    size_t n = 0;
    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, by_begin);
    for (size_t i = 0; i < s->n; i++) {
        if (n && s->v[i].a <= s->v[n - 1].b + 1) {
            if (s->v[i].b > s->v[n - 1].b)
                s->v[n - 1].b = s->v[i].b;
        } else {
            s->v[n++] = s->v[i];
        }
    }
    s->n = n;
}

struct rx_set rx_set_or(struct ft_arena *mem, struct rx_set x, struct rx_set y)
{
    struct rx_set s = {FT_NEWS(mem, struct rx_range, x.n + y.n), x.n + y.n};
    if (x.n)
        memcpy(s.v, x.v, x.n * sizeof *s.v);
    if (y.n)
        memcpy(s.v + x.n, y.v, y.n * sizeof *s.v);
    settle(&s);
    return s;
}

struct rx_set rx_set_not(struct ft_arena *mem, struct rx_set x)
{
    struct rx_set s = {FT_NEWS(mem, struct rx_range, x.n + 2), 0};
    const struct rx_set all = rx_set_or(mem, x, rx_set_char(mem, 0xd800, 0xdfff));
    uint32_t at = 0;
    for (size_t i = 0; i < all.n; i++) {
        if (at < all.v[i].a)
            s.v[s.n++] = (struct rx_range){at, all.v[i].a - 1};
        at = all.v[i].b + 1;
    }
    if (at <= 0x10ffff)
        s.v[s.n++] = (struct rx_range){at, 0x10ffff};
    return s;
}

struct rx_set rx_set_and(struct ft_arena *mem, struct rx_set x, struct rx_set y)
{
    return rx_set_not(mem, rx_set_or(mem, rx_set_not(mem, x), rx_set_not(mem, y)));
}

bool rx_set_has(struct rx_set s, uint32_t c)
{
    size_t lo = 0, hi = s.n;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (s.v[mid].b < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s.n && s.v[lo].a <= c;
}

/* The first entry of rx_case, which is sorted, from letter c on. */
static size_t case_from(uint32_t c)
{
    size_t lo = 0, hi = COUNT(rx_case);
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (rx_case[mid].a < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct rx_set rx_set_cases(struct ft_arena *mem, struct rx_set x)
{
    size_t more = 0;
    for (size_t k = 0; k < x.n; k++)
        more += case_from(x.v[k].b + 1) - case_from(x.v[k].a);
    struct rx_set s = {FT_NEWS(mem, struct rx_range, x.n + more), x.n};
    if (x.n)
        memcpy(s.v, x.v, x.n * sizeof *s.v);
    for (size_t k = 0; k < x.n; k++)
        for (size_t i = case_from(x.v[k].a); i < COUNT(rx_case) && rx_case[i].a <= x.v[k].b; i++)
            s.v[s.n++] = (struct rx_range){rx_case[i].b, rx_case[i].b};
    settle(&s);
    return s;
}

size_t rx_several_count(void) { return COUNT(rx_several); }

size_t rx_several_of(size_t i, uint32_t *letter, uint32_t to[3])
{
    *letter = rx_several[i].letter;
    memcpy(to, rx_several[i].to, sizeof rx_several[i].to);
    return to[2] ? 3 : 2;
}

void rx_set_put(struct rx_set x, struct ft_buf *out)
{
    if (!x.n) {
        ft_buf_putz(out, "(?!)");
        return;
    }
    ft_buf_putc(out, '[');
    for (size_t i = 0; i < x.n; i++) {
        ft_buf_printf(out, "\\x{%x}", (unsigned)x.v[i].a);
        if (x.v[i].b > x.v[i].a)
            ft_buf_printf(out, "-\\x{%x}", (unsigned)x.v[i].b);
    }
    ft_buf_putc(out, ']');
}
