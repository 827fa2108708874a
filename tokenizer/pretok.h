/* pretok.h -- the `pre_tokenizer` of a tokenizer.json: text into words. */
#ifndef FT_TOKENIZER_PRETOK_H
#define FT_TOKENIZER_PRETOK_H

#include "pipeline/json.h"
#include "tokenizer/regex.h"
#include "tokenizer/text.h"

struct tk_pretok; /* immutable; NULL does nothing */

/* `raw`: the model takes bytes for the characters of the byte-level alphabet. */
int tk_pretok_load(const struct ft_json *j, bool raw, struct tk_pretok **out, struct ft_err *e);
void tk_pretok_free(struct tk_pretok *t);
/* Must pieces carry where they came from even when nobody asks for offsets? A
 * Metaspace that looks for the start of the text behind what rewrites and cuts
 * does; `rewritten`: a normalizer ran; `cut`: added tokens are found behind it. */
bool tk_pretok_asks_origin(const struct tk_pretok *t, bool rewritten, bool cut);

/* Cuts (and rewrites) the pieces in w->a that are not added tokens. Pieces that
 * ByteLevel ended have raw bytes and `mapped` set: the model reads them in the
 * byte-level alphabet. */
int tk_pretokenize(const struct tk_pretok *t, struct tk_work *w, struct tk_matcher *m, struct ft_err *e);

#endif
