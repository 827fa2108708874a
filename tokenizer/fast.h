/* fast.h -- the quick way from normalized text to ids, for the splitting rules in
 * common use: words.h cuts, cache.h remembers, cut.h and bpe.c do what is new.
 *
 * What it gives is what the pieces of pretok.h and model.h give (the slow way,
 * which stays as its oracle, and takes what is not recognised here).
 */
#ifndef FT_TOKENIZER_FAST_H
#define FT_TOKENIZER_FAST_H

#include "tokenizer/cache.h"
#include "tokenizer/cut.h"
#include "tokenizer/model.h"
#include "tokenizer/words.h"

struct tk_fast { /* immutable */
    bool on;
    const struct tk_model *model;
    enum tk_rule rule;
    tk_words_fn *words;
    struct tk_seed seed;
    struct tk_cut *cut; /* a word may be encoded in parts; NULL: it may not */
    bool plain;     /* a part's ids are those of the same word */
    uint16_t *len;  /* bytes of text that a token stands for, by id; NULL: not known */
};

/* The rule of a pre_tokenizer that cuts text by one and maps bytes, and no more. */
enum tk_rule tk_fast_rule(const struct ft_json *pretok);

/* `pretok`: the pre_tokenizer's JSON. Never fails: what it does not know leaves
 * `on` false. */
void tk_fast_init(struct tk_fast *f, const struct tk_model *m, const struct ft_json *pretok);
void tk_fast_release(struct tk_fast *f);

/* A thread's part. */
struct tk_fast_state;
struct tk_fast_state *tk_fast_state_new(const struct tk_fast *f, struct tk_scratch *s);
void tk_fast_state_free(struct tk_fast_state *s);

/* Text and ids in the order of the output; they are written to `out` at the flush
 * at the latest, and the text's bytes must stay until then. */
int tk_fast_text(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
int tk_fast_id(struct tk_fast_state *s, int32_t id, struct tk_ids *out, struct ft_err *e);
int tk_fast_flush(struct tk_fast_state *s, struct tk_ids *out, struct ft_err *e);

#endif
