#include "tokenizer/cut.h"

#include <stdlib.h>

static size_t slot(const struct tk_cut *c, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (c->n_slots - 1);
    while (c->pair[i] && c->pair[i] != key)
        i = (i + 1) & (c->n_slots - 1);
    return i;
}

void tk_cut_init(struct tk_cut *c, size_t expected)
{
    *c = (struct tk_cut){.n_slots = 1024};
    while (c->n_slots < expected * 2)
        c->n_slots *= 2;
    c->pair = ft_calloc(c->n_slots, sizeof *c->pair);
}

static bool follows(unsigned char c) { return (c & 0xc0) == 0x80; }
static size_t length_of(unsigned char c) { return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4; }

static uint64_t key_of(const char *left, size_t nl, const char *right, size_t nr)
{
    uint64_t k = 0;
    for (size_t i = 0; i < nl; i++)
        k = k << 8 | (unsigned char)left[i];
    k <<= 32;
    uint64_t r = 0;
    for (size_t i = 0; i < nr; i++)
        r = r << 8 | (unsigned char)right[i];
    return (k | r) + 1;
}

void tk_cut_add(struct tk_cut *c, const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    for (size_t i = 1; i < n; i++) {
        if (follows(u[i]))
            continue;
        if ((u[i] | u[i - 1]) < 0x80) {
            c->ascii[u[i - 1]][u[i] >> 6] |= 1ull << (u[i] & 63);
            continue;
        }
        /* The character on the left: whole, or its end. */
        size_t b = i - 1;
        while (b > 0 && i - b < 4 && follows(u[b]))
            b--;
        if (follows(u[b]) ? b > 0 || i > 3 : length_of(u[b]) != i - b)
            continue; /* no text has this */
        /* The one on the right: whole, or its beginning. */
        size_t e = i + 1;
        while (e < n && e - i < length_of(u[i]) && follows(u[e]))
            e++;
        if (e < n && e - i < length_of(u[i]))
            continue;
        const uint64_t key = key_of(p + b, i - b, p + i, e - i);
        size_t at = slot(c, key);
        if (c->pair[at])
            continue;
        c->pair[at] = key;
        if (++c->n_pairs * 2 > c->n_slots) {
            uint64_t *old = c->pair;
            const size_t k = c->n_slots;
            c->n_slots *= 2;
            c->pair = ft_calloc(c->n_slots, sizeof *c->pair);
            for (size_t x = 0; x < k; x++)
                if (old[x])
                    c->pair[slot(c, old[x])] = old[x];
            free(old);
        }
    }
}

void tk_cut_release(struct tk_cut *c)
{
    if (!c->mapped)
        free(c->pair);
    *c = (struct tk_cut){0};
}

static bool spanned(const struct tk_cut *c, const char *a, size_t na, const char *b, size_t nb)
{
    for (size_t i = 0; i < na; i++) /* the whole character, then ever shorter ends of it */
        for (size_t k = nb; k > 0; k--)
            if (c->pair[slot(c, key_of(a + i, na - i, b, k))])
                return true;
    return false;
}

static inline bool together(const struct tk_cut *c, struct tk_cut_memo *m, const char *a, size_t na, const char *b,
                            size_t nb)
{
    if (na + nb == 2) {
        const unsigned char x = (unsigned char)*a, y = (unsigned char)*b;
        return c->ascii[x][y >> 6] >> (y & 63) & 1;
    }
    int len;
    const uint64_t pair = (uint64_t)ft_utf8_get(a, &len) << 21 | ft_utf8_get(b, &len);
    uint64_t *at = &m->v[(size_t)((pair * 0x9e3779b97f4a7c15u) >> 51)];
    if (*at >> 1 != pair)
        *at = pair << 1 | spanned(c, a, na, b, nb);
    return *at & 1;
}

size_t tk_cut_next(const struct tk_cut *c, struct tk_cut_memo *m, const char *p, size_t n, size_t at)
{
    size_t len = length_of((unsigned char)p[at]);
    for (at += len; at < n; at += len) {
        const size_t before = len;
        len = length_of((unsigned char)p[at]);
        if (!together(c, m, p + at - before, before, p + at, len))
            return at;
    }
    return n;
}

bool tk_cut_here(const struct tk_cut *c, struct tk_cut_memo *m, const char *p, size_t at)
{
    size_t b = at - 1;
    while (follows((unsigned char)p[b]))
        b--;
    return !together(c, m, p + b, at - b, p + at, length_of((unsigned char)p[at]));
}
