/* split.h -- any pre_tokenizer that only cuts text and maps bytes, quickly: its parts
 * as passes over the text (pass.h), and words straight to the cache.
 *
 * The pieces are those of pretok.h, which cuts all text by the first part, then all
 * pieces by the second: so do the passes, by a bit a byte. What they cannot (a part that
 * drops text, hostile text) goes piece by piece: each through all parts before the next, and
 * what finds no match in it is passed over by a filter of its first bytes.
 */
#ifndef FT_TOKENIZER_SPLIT_H
#define FT_TOKENIZER_SPLIT_H

#include "pipeline/json.h"
#include "tokenizer/cache.h"
#include "tokenizer/words.h"

struct tk_split; /* immutable, shared by threads */

/* Of a pre_tokenizer of tokenizer.json. NULL: something in it is not of this kind, or
 * no automaton. */
struct tk_split *tk_split_load(const struct ft_json *pretok);
void tk_split_free(struct tk_split *s);

/* A space is put in front of text that does not begin with one. */
bool tk_split_prefix(const struct tk_split *s);
/* Every byte is in some word; words end where characters end. */
bool tk_split_keeps(const struct tk_split *s);
bool tk_split_chars(const struct tk_split *s);

/* Encodes the words of p[0..n) by the cache: records may be left, whose bytes must
 * stay until the flush. `room`: memory of the thread's. */
int tk_split_text(const struct tk_split *s, struct ft_buf *room, struct tk_cache *c, tk_words_fn *words, const char *p, size_t n,
                  struct tk_ids *out, struct ft_err *e);

#endif
