/* tokenizer_priv.h -- what tokenizer.c, load.c and encode.c share. */
#ifndef FT_TOKENIZER_TOKENIZER_PRIV_H
#define FT_TOKENIZER_TOKENIZER_PRIV_H

#include "tokenizer/added.h"
#include "tokenizer/decode.h"
#include "tokenizer/fast.h"
#include "tokenizer/image.h"
#include "tokenizer/model.h"
#include "tokenizer/post.h"
#include "tokenizer/pretok.h"
#include "tokenizer/tokenizer.h"

struct ft_tokenizer {
    struct ft_arena mem;
    struct tk_normalizer *normalizer;
    struct tk_pretok *pretok;
    struct tk_model model;
    struct tk_added added;
    struct tk_post post;
    struct tk_decoder *decoder;
    struct tk_fast fast;
    struct tk_image image; /* where the arrays of model and fast are, or none */
    struct ft_tok_specials specials;
    char fingerprint[FT_TOK_FINGERPRINT + 1];
    size_t size;
    uint64_t *special; /* a bit an id: its string was given as special */
    int32_t special_low, special_high; /* all of them are up to the first, or from the second on */
    char asks[80]; /* padding and truncation of the file */
    struct ft_buf unapplied; /* of tokenizer_config.json; a string where it is not empty */
    bool origins; /* the pre-tokenizer must know where rewritten text came from */
};

/* Tokens on their way out. */
struct row {
    struct tk_ids ids;
    /* Only when something of them is asked for: */
    uint32_t *begin, *end, *type;
    uint32_t *lead, *trail; /* white space at the ends of the token, where it is trimmed */
    size_t cap;
};

struct ft_tok_state {
    struct tk_work work;
    struct tk_matcher *matcher;
    struct tk_scratch *scratch;
    struct tk_tokens tokens;
    struct tk_fast_state *fast; /* NULL: the slow way only */
    bool places;                /* rows have more than ids */
    struct row row, assembled;
    struct { /* of the marks of a call (marks.h) */
        struct ft_tok_place *place;
        size_t cap;
        const struct tk_post_item *post;
        bool may, done; /* may they be placed while words go by? were they? */
    } marks;
};

/* encode_marks.c. Appends the tokens of raw text, in units: 1, 0 it cannot, -1. */
int tk_encode_marked(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                     struct ft_err *e);

#endif
