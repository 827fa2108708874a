/* fast.h -- the quick way from text to ids, for what is in common use: words.h cuts,
 * cache.h remembers, cut.h and bpe.c do what is new.
 *
 * Byte-level BPE takes normalized text in words. Of the other kinds raw text is cut
 * into units that normalizer, pre-tokenizer and model treat apart from each other,
 * and a unit that is new goes the slow way through all three.
 *
 * What it gives is what the pieces of pretok.h and model.h give (the slow way,
 * which stays as its oracle, and takes what is not recognised here).
 */
#ifndef FT_TOKENIZER_FAST_H
#define FT_TOKENIZER_FAST_H

#include "tokenizer/cache.h"
#include "tokenizer/cut.h"
#include "tokenizer/model.h"
#include "tokenizer/pretok.h"
#include "tokenizer/split.h"
#include "tokenizer/words.h"

struct tk_fast { /* immutable */
    bool on;
    bool mapped;    /* cut and len are those of an image */
    const struct tk_model *model;
    enum tk_rule rule;
    struct tk_split *split; /* NONE and units NONE: words by this */
    enum tk_unit unit; /* not NONE: takes raw text, in units */
    tk_words_fn *words;
    tk_units_fn *units;
    tk_bpe_many_fn *many;
    const struct tk_normalizer *normalizer;
    const struct tk_pretok *pretok;
    uint64_t *flat; /* TK_UNIT_SPACES, _BERT: a bit for each character below U+10000 that no normalizer
                     * changes and no pre-tokenizer cuts at, whatever stands beside it */
    uint64_t *in_tokens; /* characters that stand in tokens: TK_UNIT_PIECES: the two sets of lone_chars.h; else that of spell.h */
    bool normalized; /* TK_UNIT_PIECES: takes text that the normalizer is done with, since tokens are sought in it */
    bool low_line;  /* TK_UNIT_SPACES: a word begins with U+2581 */
    enum { TK_FRONT_NONE, TK_FRONT_FIRST, TK_FRONT_ALWAYS, TK_FRONT_EACH } front; /* see fast_load.c */
    /* TK_UNIT_SPACES, not NONE: blanks at the end of a text are one U+2581 by itself, or stripped (fast_ends.c) */
    enum { TK_ENDS_NONE, TK_ENDS_MARKED, TK_ENDS_STRIPPED } ends;
    struct tk_seed seed;
    struct tk_cut *cut; /* a word may be encoded in parts; NULL: it may not */
    bool plain;     /* a part's ids are those of the same word */
    uint16_t *len;  /* bytes of text that a token stands for, by id; NULL: not known. Of TK_UNIT_SPACES and
                     * _BERT without U+2581 in front or the prefix of those that go on, which TK_LEN_MARKED tells */
};
enum { TK_LEN_MARKED = 1 << 15 };

/* The rule of a pre_tokenizer that cuts text by one and maps bytes, and no more. */
enum tk_rule tk_fast_rule(const struct ft_json *pretok);

/* `file`: tokenizer.json. Never fails: what it does not know leaves `on` false. The
 * others are what was made of the file, and must outlive f; m may lose merges that are never done. */
void tk_fast_init(struct tk_fast *f, const struct ft_json *file, struct tk_model *m,
                  const struct tk_normalizer *normalizer, const struct tk_pretok *pretok);
/* The same for one that was mapped. */
void tk_fast_attach(struct tk_fast *f, const struct ft_json *file, const struct tk_model *m,
                    const struct tk_normalizer *normalizer, const struct tk_pretok *pretok);
void tk_fast_release(struct tk_fast *f);

/* A thread's part. */
struct tk_fast_state;
struct tk_fast_state *tk_fast_state_new(const struct tk_fast *f, struct tk_scratch *s);
void tk_fast_state_free(struct tk_fast_state *s);

/* Text and ids in the order of the output; they are written to `out` at the flush
 * at the latest, and the text's bytes must stay until then. */
int tk_fast_text(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
/* Raw text, where f->unit says so, or normalized text, where f->normalized does too; `first`: it begins the
 * original. Memory from `w`, to stay until the flush. */
int tk_fast_raw(struct tk_fast_state *s, struct tk_work *w, const char *p, size_t n, bool first,
                struct tk_ids *out, struct ft_err *e);
/* Tokens are sought in normalized text: what it can do then is left. */
void tk_fast_normalized(struct tk_fast *f);
/* Can it tell places in this text, too? */
bool tk_fast_has_places(const struct tk_fast *f, const char *p, size_t n);
/* Tokens of a piece of raw text, with their places in the original, appended; nothing may be waiting. */
int tk_fast_places(struct tk_fast_state *s, struct tk_work *w, const struct tk_piece *x, bool first, struct tk_tokens *out,
                   struct ft_err *e);
/* An id that is known; from, to: see tk_cache_id. */
int tk_fast_id(struct tk_fast_state *s, int32_t id, uint32_t from, uint32_t to, struct tk_ids *out, struct ft_err *e);
/* Records that wait for the flush. */
size_t tk_fast_waiting(const struct tk_fast_state *s);
/* From now on fn is told of every flush. NULL: no more. */
void tk_fast_placed(struct tk_fast_state *s, tk_placed_fn *fn, void *ctx);
int tk_fast_flush(struct tk_fast_state *s, struct tk_ids *out, struct ft_err *e);

#endif
