/* sp_normalize.h -- SentencePiece's own normalizer, for .model files. */
#ifndef FT_TOKENIZER_SP_NORMALIZE_H
#define FT_TOKENIZER_SP_NORMALIZE_H

#include "pipeline/json.h"
#include "tokenizer/text.h"

struct tk_sp;

/* `j`: the normalizer as sentencepiece.c writes it. */
int tk_sp_load(const struct ft_json *j, struct tk_sp **out, struct ft_err *e);
void tk_sp_free(struct tk_sp *s);
void tk_sp_apply(const struct tk_sp *s, struct tk_work *w, struct tk_piece *p);
/* The same with blanks as blanks; not for text that has a U+2581 of its own, here or when it is done. */
void tk_sp_blanks(const struct tk_sp *s, struct tk_work *w, struct tk_piece *p);

#endif
