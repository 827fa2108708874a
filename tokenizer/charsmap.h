/* charsmap.h -- SentencePiece's precompiled normalization: a double-array trie
 * of replacements, packed in base64 (sentencepiece, normalizer.cc: u32 size of
 * the trie, its u32 units, then NUL-terminated replacements). */
#ifndef FT_TOKENIZER_CHARSMAP_H
#define FT_TOKENIZER_CHARSMAP_H

#include "tokenizer/text.h"

struct tk_charsmap;

struct tk_charsmap *tk_charsmap_new(struct ft_str base64, struct ft_err *e);
void tk_charsmap_apply(const struct tk_charsmap *m, struct tk_work *w, struct tk_piece *p);
/* The longest entry with which p begins: its length, 0 when there is none. */
size_t tk_charsmap_longest(const struct tk_charsmap *m, const char *p, size_t n, struct ft_str *by);
/* Is p[0..n) the beginning of a longer entry? */
bool tk_charsmap_begins(const struct tk_charsmap *m, const char *p, size_t n);
void tk_charsmap_free(struct tk_charsmap *m);

#endif
