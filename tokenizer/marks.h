/* marks.h -- where marks of the text stand among its tokens, told while its words go by.
 *
 * Nearly all marks of a chat stand where a word begins: there the number of ids so far is
 * the answer. Only within a word the lengths of its tokens are added up. So spans cost a
 * comparison a word, and no list of the places of all tokens.
 */
#ifndef FT_TOKENIZER_MARKS_H
#define FT_TOKENIZER_MARKS_H

#include "tokenizer/cache.h"
#include "tokenizer/post.h"
#include "tokenizer/tokenizer.h"

struct tk_marks {
    const struct ft_tokenizer *t;
    const struct tk_post_item *post; /* whose trimming counts */
    struct ft_str text;
    const uint32_t *at;         /* [n], sorted */
    size_t n, next;             /* so many are placed */
    size_t first;               /* ids in front of the text's own */
    struct ft_tok_place *place; /* [n] */
};

/* A tk_placed_fn; ctx is a tk_marks. The words must be those of x->text, in its bytes, one behind the other. */
tk_placed_fn tk_marks_take;
/* Places what is left: at the end of the text. */
void tk_marks_finish(struct tk_marks *x, const struct tk_ids *ids);

#endif
