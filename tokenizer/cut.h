/* cut.h -- where a word of BPE may be cut in two without changing its tokens.
 *
 * Whatever merges make is a token that stands in the text. If no token has the
 * characters left and right of a boundary side by side (whole, or cut off where
 * the token begins or ends), no merge crosses it, and the two sides are encoded
 * apart. Chinese, Japanese and Korean text falls into parts of one to three
 * characters by this, which a cache can remember; and a hostile long word into
 * short ones.
 *
 * Pairs are remembered as bits by their hash, which may say yes where the truth is
 * no: then a part is longer than it must be, and as right.
 */
#ifndef FT_TOKENIZER_CUT_H
#define FT_TOKENIZER_CUT_H

#include "pipeline/str.h"

enum { TK_CUT_BITS = 19 };

struct tk_cut {
    uint64_t ascii[128][2]; /* bit b of [a]: ASCII a and b stand together in a token */
    /* [last byte left][first byte right]: bit 4 * (bytes left - 1) + bytes right - 1
     * for the lengths that pairs with these bytes have. */
    uint16_t lengths[256][256];
    uint64_t pair[1 << (TK_CUT_BITS - 6)];
    /* Characters of three bytes side by side, one of them cut off: they may stand so
     * where [the left one's last two bytes] and [the right one's first two] share a bit. */
    uint32_t left[4096], right[1024];
    uint32_t one[0x10000]; /* by tk_cut_code: the token that a character of three bytes becomes by itself, + 1; 0: several, or not told */
};

/* Of a character of three bytes the sixteen bits that tell it from others. */
static inline uint32_t tk_cut_code(const char *p) { return (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u); }

static inline uint64_t tk_cut_mix(uint64_t key) { return (key * 0x9e3779b97f4a7c15u) >> (64 - TK_CUT_BITS); }
static inline uint64_t tk_cut_mix_codes(uint32_t a, uint32_t b)
{
    return tk_cut_mix((uint64_t)(a | 0xe00000) << 32 | (b | 0xe00000)); /* as no bytes of a character */
}

/* May a token have two characters of three bytes side by side, but not all of both? */
static inline bool tk_cut_wide_broken(const struct tk_cut *c, uint32_t a, uint32_t b) { return c->left[a & 0xfff] & c->right[b >> 6]; }

/* May a token have two characters of three bytes side by side, or an end of the left one and a beginning of the right one? */
static inline bool tk_cut_wide_together(const struct tk_cut *c, uint32_t a, uint32_t b)
{
    const uint64_t h = tk_cut_mix_codes(a, b);
    return (c->pair[h >> 6] >> (h & 63) & 1) | tk_cut_wide_broken(c, a, b);
}

/* Learns the boundaries inside one token's bytes. An empty one is all zero. */
void tk_cut_add(struct tk_cut *c, const char *p, size_t n);
/* Bits of the bytes of p[0..n) before which it may be cut, n <= 64. p is whole
 * characters of valid UTF-8; bit 0 is never set. */
uint64_t tk_cut_mask(const struct tk_cut *c, const char *p, size_t n);
/* The end of the part that begins at p[at]: the next boundary behind it that no
 * token spans, or n. */
size_t tk_cut_next(const struct tk_cut *c, const char *p, size_t n, size_t at);

#endif
