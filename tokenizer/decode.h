/* decode.h -- the `decoder` of a tokenizer.json: token strings to text. */
#ifndef FT_TOKENIZER_DECODE_H
#define FT_TOKENIZER_DECODE_H

#include "pipeline/json.h"
#include "tokenizer/regex.h"

struct tk_decoder; /* immutable; NULL: tokens joined by spaces */
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
