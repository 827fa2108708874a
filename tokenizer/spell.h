/* spell.h -- words whose ids follow from their characters, one by one, with no word looked
 * up: much of Chinese, Japanese and Korean under vocabularies made for other languages.
 *
 * WordPiece: every character has its id at the front of a word and its id behind others,
 * where no longer piece begins with it; and a character that no piece has makes its word
 * unknown, whatever else stands in it. Unigram: a character that no piece has is unknown by
 * itself, so the best way goes by both of its sides; what is between such characters is
 * sought apart, with the sum of what stands in front.
 *
 * A word that is not of this kind is left to the cache (cache.h), and so is text with
 * characters that do not go by themselves (normalize_chars.h).
 */
#ifndef FT_TOKENIZER_SPELL_H
#define FT_TOKENIZER_SPELL_H

#include "tokenizer/fast.h"
#include "tokenizer/normalize_chars.h"

/* Sets of characters below U+10000, as in lone_chars.h, of which the first is used: those of a token. */
void tk_spell_add(uint64_t *set, const char *p, size_t n);

struct tk_spell; /* a thread's */
/* NULL: no word of f is spelled. `chars` may be NULL. */
struct tk_spell *tk_spell_new(const struct tk_fast *f, struct tk_chars *chars, struct tk_work *w, struct tk_matcher *m);
void tk_spell_free(struct tk_spell *s);

/* Adds to the cache's records the ids of the words with which p[0..n) begins, text that begins
 * with a unit or a gap, and ends where its last word may. Gives their bytes, up to where
 * a unit or a gap begins; 0: the first word is not spelled. */
size_t tk_spell_run(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n);

/* The same to tokens with their places; `base`: what p's place is. The cache has no part in it but
 * for what it encodes. */
size_t tk_spell_places(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n, uint32_t base, struct tk_tokens *out);

#endif
