/* encode_guarded.h -- encoding a rendered chat so that what users said spells no token.
 *
 * The rule is that of transformers 5.23 (sanitize_control_tokens, encode_marked_chat in
 * utils/chat_template_utils.py), and so are the ids: the text is cut at each control token
 * that content spells; it is encoded alone, as text in which no added token is found, and
 * the pieces between as usual. Each piece but the first is encoded behind a line break,
 * whose ids are taken away again, so that no space is put in front of it.
 */
#ifndef FT_TOKENIZER_ENCODE_GUARDED_H
#define FT_TOKENIZER_ENCODE_GUARDED_H

#include "tokenizer/tokenizer.h"

/* ft_encode of one text. o->plain is the content, in which no special token counts, and
 * where o->bare is set no added token at all but white space. The result is the
 * state's where content spells no control token, else in the arena. FT_DATA also where
 * the tokenizer makes such a token of plain text. */
int ft_encode_guarded(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                      struct ft_arena *a, struct ft_encoding *out, struct ft_err *e);

#endif
