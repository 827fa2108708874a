#include "tokenizer/cut.h"

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

static inline uint32_t code(const unsigned char *p) { return tk_cut_code((const char *)p); }

/* Learns that a[0..na) and b[0..nb), of characters of three bytes, stand side by side. */
static void add_wide(struct tk_cut *c, const unsigned char *a, size_t na, const unsigned char *b, size_t nb)
{
    if (na == 3 && nb == 3) {
        const uint64_t h = tk_cut_mix_codes(code(a), code(b));
        c->pair[h >> 6] |= 1ull << (h & 63);
        return;
    }
    /* A bit for what is asked of the right one. */
    const uint32_t right = nb > 1 ? (b[0] & 15u) << 6 | (b[1] & 63u) : 1024u + b[0];
    const uint32_t bit = 1u << (uint32_t)(right * 0x9e3779b9u >> 27);
    for (uint32_t l = na > 1 ? a[na - 2] & 63u : 0u; l < (na > 1 ? (a[na - 2] & 63u) + 1u : 64u); l++)
        c->left[l << 6 | (a[na - 1] & 63u)] |= bit;
    for (uint32_t r = nb > 1 ? (b[1] & 63u) : 0; r < (nb > 1 ? (b[1] & 63u) + 1 : 64u); r++)
        c->right[(b[0] & 15u) << 6 | r] |= bit;
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
        const uint64_t h = tk_cut_mix((uint64_t)number(u + b, i - b) << 32 | number(u + i, e - i));
        c->pair[h >> 6] |= 1ull << (h & 63);
        if ((u[i] & 0xf0) == 0xe0 && (follows(u[b]) ? i - b < 3 : i - b == 3))
            add_wide(c, u + b, i - b, u + i, e - i);
    }
}

static inline bool has(const struct tk_cut *c, uint64_t a, uint32_t b)
{
    const uint64_t h = tk_cut_mix(a << 32 | b);
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

static inline bool wide(const unsigned char *p) { return (p[0] & 0xf0) == 0xe0; }

/* From the character at p[at] on: the first one behind it that is not of three bytes,
 * or n; and the bits of those at which it may be cut, or the first of them if `one`. */
static inline size_t wide_run(const struct tk_cut *c, const unsigned char *p, size_t n, size_t at, bool one, uint64_t *cuts)
{
    uint32_t a = code(p + at);
    for (at += 3; at < n && wide(p + at); at += 3) {
        const uint32_t b = code(p + at);
        const bool is = !tk_cut_wide_together(c, a, b);
        if (one && is)
            return *cuts = 1, at;
        if (!one)
            *cuts |= (uint64_t)is << at;
        a = b;
    }
    return at;
}

uint64_t tk_cut_mask(const struct tk_cut *c, const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    uint64_t cuts = 0;
    for (size_t at = 0; at < n;) {
        unsigned before, len;
        if (wide(u + at)) {
            const size_t to = wide_run(c, u, n, at, false, &cuts);
            at = to < n ? to - 3 : n;
            if (at == n)
                break;
        }
        const uint32_t a = char_at(u + at, &before);
        at += before;
        if (at < n) {
            const uint32_t b = char_at(u + at, &len);
            cuts |= (uint64_t)!together(c, a, before, b, len) << at;
        }
    }
    return cuts;
}

size_t tk_cut_next(const struct tk_cut *c, const char *p, size_t n, size_t at)
{
    const unsigned char *u = (const unsigned char *)p;
    while (at < n) {
        unsigned before, len;
        uint64_t found = 0;
        if (wide(u + at)) {
            const size_t to = wide_run(c, u, n, at, true, &found);
            if (found || to >= n)
                return to;
            at = to - 3;
        }
        const uint32_t a = char_at(u + at, &before);
        at += before;
        if (at < n) {
            const uint32_t b = char_at(u + at, &len);
            if (!together(c, a, before, b, len))
                return at;
        }
    }
    return n;
}
