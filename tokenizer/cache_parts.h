/* cache_parts.h -- words that are encoded in parts (cut.h).
 *
 * Korean and Japanese words are new without end, and made of the same characters. A part of
 * one character of three bytes, with a blank in front or without, has its ids in a table by
 * its code; a word of such parts alone is spelled from it. Other parts are in the
 * own table of the cache.
 */
#ifndef FT_TOKENIZER_CACHE_PARTS_H
#define FT_TOKENIZER_CACHE_PARTS_H

#include "tokenizer/cache.h"

/* Asks for what tk_parts_spell reads. */
void tk_cache_parts_prefetch(const struct tk_cache *c, const char *p, size_t n);
/* Sets the ids of a word of up to TK_KEY_MAX bytes, which c->part_cut cuts, from its characters, two or more; false: it is
 * not such a word, or not all of them are known. */
bool tk_cache_parts_spell(struct tk_cache *c, const struct tk_job *word);
/* Finds or makes those of n words, and learns their parts. */
int tk_cache_parts_find(struct tk_cache *c, const struct tk_job *word, size_t n, struct ft_err *e);
void tk_cache_parts_free(struct tk_cache *c);

#endif
