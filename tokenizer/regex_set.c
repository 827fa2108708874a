#include "tokenizer/regex_set.h"

#include <stdlib.h>

#include "tokenizer/regex_tables.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static size_t ranges_of(unsigned set) { return rx_set_at[set + 1] - rx_set_at[set]; }

static size_t put_ends(uint32_t *end, unsigned set)
{
    const size_t from = rx_set_at[set], n = ranges_of(set);
    for (size_t i = 0; i < n; i++) {
        end[2 * i] = rx_ranges[2 * (from + i)];
        end[2 * i + 1] = rx_ranges[2 * (from + i) + 1] + 1;
    }
    return 2 * n;
}

static int by_place(const void *x, const void *y)
{
    const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* Categories, toggled by the set's own ranges: over all their ends in order, two that are equal undo each other. */
static struct rx_set set_of(struct ft_arena *mem, unsigned set)
{
    size_t room = ranges_of(set), n = 0, kept = 0;
    for (uint32_t left = rx_made_of[set]; left; left &= left - 1)
        room += ranges_of(rx_category[__builtin_ctz(left)]);
    uint32_t *end = FT_NEWS(mem, uint32_t, 2 * room);
    n = put_ends(end, set);
    for (uint32_t left = rx_made_of[set]; left; left &= left - 1)
        n += put_ends(end + n, rx_category[__builtin_ctz(left)]);
    if (rx_made_of[set])
        qsort(end, n, sizeof *end, by_place);
    for (size_t i = 0; i < n; i++) {
        if (kept && end[kept - 1] == end[i])
            kept--;
        else
            end[kept++] = end[i];
    }
    struct rx_set s = {FT_NEWS(mem, struct rx_range, kept / 2), kept / 2};
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = (struct rx_range){end[2 * i], end[2 * i + 1] - 1};
    return s;
}

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
    *out = set_of(mem, rx_names[lo].set);
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
