/* bpe_many.h -- short words of byte-level BPE, merged side by side.
 *
 * A merge is little work and much waiting: its two new pairs are sought in tables
 * of megabytes, and the next merge depends on them. So several words are merged in
 * turn, a merge each: what one asks for arrives while the others are at work.
 */
#ifndef FT_TOKENIZER_BPE_MANY_H
#define FT_TOKENIZER_BPE_MANY_H

#include <stdint.h>

#include "pipeline/str.h"

struct tk_cut;
struct tk_model;

enum {
    TK_MANY_BYTES = 32, /* bytes of a word, at most */
    TK_MANY_IDS = 12,   /* ids */
};

struct tk_job {
    const char *p;
    uint32_t n;
    uint32_t *to; /* TK_MANY_IDS: the word's ids, with their number << 24 added to the first, and 0 behind
                   * a single one; 0: not done, encode it by itself */
};

/* What tk_bpe_ids gives for words of 1 to TK_MANY_BYTES bytes. m->merges.ascending must
 * be true. cut: that of the model's tokens, by which some characters are symbols from
 * the beginning: words must be valid UTF-8 then. NULL: bytes are. */
typedef void tk_bpe_many_fn(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, size_t n);

/* The fastest one for this machine, or "scalar". */
tk_bpe_many_fn *tk_bpe_many_level(const char *isa);

#endif
