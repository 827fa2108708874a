/* fast_state.h -- a thread's part of fast.h; private to its files. */
#ifndef FT_TOKENIZER_FAST_STATE_H
#define FT_TOKENIZER_FAST_STATE_H

#include "tokenizer/fast.h"
#include "tokenizer/model_scratch.h"
#include "tokenizer/normalize_chars.h"

struct tk_fast_state {
    const struct tk_fast *f;
    struct tk_cache *cache;
    struct tk_scratch *scratch;
    struct tk_work work; /* of a unit that goes the slow way */
    struct tk_matcher *matcher;
    struct tk_chars *chars; /* of a normalizer that goes by them, NULL */
    struct tk_spell *spell;
    struct tk_tokens tokens;
    struct ft_buf text;
    struct ft_buf room; /* tk_split_text's */
    /* Where places are asked for: */
    struct tk_ids ids; /* of a batch */
    uint32_t starts[TK_BATCH + TK_WINDOW + 1];
    uint64_t even[2]; /* ASCII that becomes one byte each, whatever stands beside it */
    unsigned char odd[256]; /* ASCII that is not of such, nor white space between units */
    bool knows_even;
};

static const struct ft_str low_line = {"\xe2\x96\x81", 3}; /* U+2581, SentencePiece's space */

static inline bool tk_has_low_line(const char *p, size_t n)
{
    for (const char *q = p; (q = memchr(q, 0xe2, n - (size_t)(q - p))); q++)
        if (n - (size_t)(q - p) >= low_line.n && !memcmp(q, low_line.p, low_line.n))
            return true;
    return false;
}

/* The ids of one piece of text that the normalizer and the pre-tokenizer are done with. */
int tk_fast_model(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
/* Those of raw text the slow way; `front`, `back`: as they are where a gap and other text stand there. */
int tk_fast_slow(struct tk_fast_state *s, const char *p, size_t n, bool front, bool back, struct tk_ids *out, struct ft_err *e);
/* Adds the units of raw text to the cache. */
int tk_fast_units(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
/* The same of a text whose ends are not as its middle: f->ends. */
int tk_fast_ends(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
/* Do these characters come out of normalizer and pre-tokenizer as they went in? */
bool tk_fast_flat(const struct tk_fast *f, const char *p, size_t n);

/* Is a blank put in front of this text, for TK_UNIT_PIECES? */
static inline bool tk_fast_front(const struct tk_fast *f, const char *p, bool first)
{
    return f->front == TK_FRONT_EACH || (*p != ' ' && (f->front == TK_FRONT_ALWAYS || (f->front == TK_FRONT_FIRST && first)));
}

/* Text as the units of SentencePiece BPE need it: blanks for U+2581, one in front. */
struct ft_str tk_fast_blanks(const struct tk_fast *f, struct tk_work *w, const char *p, size_t n, bool first);

#endif
