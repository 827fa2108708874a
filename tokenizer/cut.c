#include "tokenizer/cut.h"

static uint64_t mix(uint64_t key) { return (key * 0x9e3779b97f4a7c15u) >> (64 - TK_CUT_BITS); }

static bool follows(unsigned char c) { return (c & 0xc0) == 0x80; }
static size_t length_of(unsigned char c) { return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4; }

/* A character's bytes, or some of them, as a number, the first on top. */
static uint32_t number(const unsigned char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
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
        c->lengths[u[i - 1]][u[i]] |= (uint16_t)(1u << (4 * (i - b - 1) + (e - i - 1)));
        const uint64_t h = mix((uint64_t)number(u + b, i - b) << 32 | number(u + i, e - i));
        c->pair[h >> 6] |= 1ull << (h & 63);
    }
}

static inline bool has(const struct tk_cut *c, uint64_t a, uint32_t b)
{
    const uint64_t h = mix(a << 32 | b);
    return c->pair[h >> 6] >> (h & 63) & 1;
}

/* Two characters side by side, of na and nb bytes: may a token have them so, or an
 * end of the left one and a beginning of the right one? */
static inline bool together(const struct tk_cut *c, uint32_t a, unsigned na, uint32_t b, unsigned nb)
{
    if ((a | b) < 0x80)
        return c->ascii[a][b >> 6] >> (b & 63) & 1;
    const unsigned todo = c->lengths[a & 255][b >> (8 * (nb - 1))], whole = 1u << (4 * (na - 1) + nb - 1);
    bool yes = has(c, a, b) & !!(todo & whole);
    for (unsigned rest = todo & ~whole; rest && !yes; rest &= rest - 1) {
        const unsigned bit = (unsigned)__builtin_ctz(rest), l = bit / 4 + 1, r = bit % 4 + 1;
        yes = l <= na && r <= nb && has(c, a & (0xffffffffu >> (32 - 8 * l)), b >> (8 * (nb - r)));
    }
    return yes;
}

static inline uint32_t char_at(const unsigned char *p, unsigned *len)
{
    if (p[0] < 0x80)
        return *len = 1, p[0];
    if (p[0] < 0xe0)
        return *len = 2, (uint32_t)p[0] << 8 | p[1];
    if (p[0] < 0xf0)
        return *len = 3, (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    return *len = 4, number(p, 4);
}

uint64_t tk_cut_mask(const struct tk_cut *c, const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    unsigned len, before;
    uint32_t a = char_at(u, &before);
    uint64_t cuts = 0;
    for (size_t at = before; at < n; at += len) {
        const uint32_t b = char_at(u + at, &len);
        cuts |= (uint64_t)!together(c, a, before, b, len) << at;
        a = b;
        before = len;
    }
    return cuts;
}

size_t tk_cut_next(const struct tk_cut *c, const char *p, size_t n, size_t at)
{
    const unsigned char *u = (const unsigned char *)p;
    unsigned len, before;
    uint32_t a = char_at(u + at, &before);
    for (at += before; at < n; at += len) {
        const uint32_t b = char_at(u + at, &len);
        if (!together(c, a, before, b, len))
            return at;
        a = b;
        before = len;
    }
    return n;
}
