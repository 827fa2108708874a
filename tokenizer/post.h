/* post.h -- the `post_processor` and the `decoder` of a tokenizer.json. */
#ifndef FT_TOKENIZER_POST_H
#define FT_TOKENIZER_POST_H

#include "tokenizer/normalize.h"
#include "tokenizer/vocab.h"

/* What all post-processors come to for one sequence: tokens in front, tokens
 * behind, and offsets trimmed of the white space inside tokens. */
struct tk_post {
    int32_t *prefix, *suffix; /* in the arena given to load */
    size_t n_prefix, n_suffix;
    bool trim, prefix_space;
};
int tk_post_load(const struct ft_json *j, struct ft_arena *mem, struct tk_post *out, struct ft_err *e);
/* Trims one token's offsets, in characters or bytes alike: white space and the
 * byte-level space are one byte. */
void tk_post_trim(const struct tk_post *p, struct ft_str token, size_t index, uint32_t *b, uint32_t *e);

struct tk_decoder; /* NULL: tokens joined by spaces */
int tk_decoder_load(const struct ft_json *j, struct tk_decoder **out, struct ft_err *e);
void tk_decoder_free(struct tk_decoder *d);

struct tk_strings {
    struct ft_str *v;
    size_t n;
};
/* Rewrites the list; memory from `mem`. */
int tk_decode(const struct tk_decoder *d, struct tk_strings *t, struct tk_matcher *m, struct ft_arena *mem,
              struct ft_err *e);

#endif
