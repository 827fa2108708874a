/* normalize.h -- the `normalizer` of a tokenizer.json. */
#ifndef FT_TOKENIZER_NORMALIZE_H
#define FT_TOKENIZER_NORMALIZE_H

#include "pipeline/json.h"
#include "tokenizer/regex.h"
#include "tokenizer/text.h"

struct tk_sp;
struct tk_normalizer; /* immutable; NULL does nothing */

/* *out is NULL for null. What is not known is refused by name. */
int tk_normalizer_load(const struct ft_json *j, struct tk_normalizer **out, struct ft_err *e);
void tk_normalizer_free(struct tk_normalizer *n);
/* Does it go stage by stage and character by character, but for characters that join
 * with their neighbours by Unicode's rules (marks, jamo, clusters) and for ASCII that a
 * Replace looks for, whose bits are set in `pattern`? */
bool tk_normalizer_by_char(const struct tk_normalizer *n, uint64_t pattern[2]);
/* Is it a Replace of white space in a row by a blank? What is cut into words there does not see it. */
bool tk_is_blanks_to_one(struct ft_str regex, struct ft_str content);
/* Is it that of a SentencePiece .model? Else NULL. */
const struct tk_sp *tk_normalizer_sp(const struct tk_normalizer *n);
/* Rewrites the piece's text. */
int tk_normalize(const struct tk_normalizer *n, struct tk_work *w, struct tk_matcher *m,
                 struct tk_piece *p, struct ft_err *e);

#endif
