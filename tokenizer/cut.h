/* cut.h -- where a word of BPE may be cut in two without changing its tokens.
 *
 * Whatever merges make is a token that stands in the text. If no token has the
 * characters left and right of a boundary side by side (whole, or cut off where
 * the token begins or ends), no merge crosses it, and the two sides are encoded
 * apart. Chinese, Japanese and Korean text falls into parts of one to three
 * characters by this, which a cache can remember; and a hostile long word into
 * short ones.
 */
#ifndef FT_TOKENIZER_CUT_H
#define FT_TOKENIZER_CUT_H

#include "pipeline/str.h"

struct tk_cut { /* immutable; all zero: cuts nowhere */
    uint64_t *pair; /* left bytes << 32 | right bytes, 0: free */
    size_t n_slots, n_pairs;
    uint64_t ascii[128][2]; /* bit b of [a]: ASCII a and b stand together in a token */
    bool mapped;
};

void tk_cut_init(struct tk_cut *c, size_t expected);
/* Learns the boundaries inside one token's bytes. */
void tk_cut_add(struct tk_cut *c, const char *p, size_t n);
void tk_cut_release(struct tk_cut *c);

enum { TK_CUT_MEMO = 1 << 13 };
struct tk_cut_memo { /* a thread's memory of answers; all zero is empty */
    uint64_t v[TK_CUT_MEMO];
};

/* The end of the part that begins at p[at]: the next boundary behind it that no
 * token spans, or n. p[0..n) is valid UTF-8. */
size_t tk_cut_next(const struct tk_cut *c, struct tk_cut_memo *m, const char *p, size_t n, size_t at);
/* May the boundary before p[at] be cut? 0 < at < n, a character's first byte. */
bool tk_cut_here(const struct tk_cut *c, struct tk_cut_memo *m, const char *p, size_t at);

#endif
