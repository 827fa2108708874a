/* normal_form.h -- NFC, NFD, NFKC and NFKD of a piece (Unicode Standard Annex 15), origins kept. */
#ifndef FT_TOKENIZER_NORMAL_FORM_H
#define FT_TOKENIZER_NORMAL_FORM_H

#include "tokenizer/text.h"

/* Rewrites the piece: `compat` takes the compatibility decompositions (the K forms), `compose` joins again (the C forms). */
void tk_normal_form(struct tk_work *w, struct tk_piece *p, bool compat, bool compose);

#endif
