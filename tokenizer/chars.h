/* chars.h -- normalized text, character by character, where that is all a normalizer
 * does: what single characters become is asked once and remembered.
 *
 * Japanese has no spaces, so a unit of it (words.h) is a sentence or more, which no
 * cache remembers; grapheme clusters, canonical order and edits cost a hundred times
 * what a copy costs. Only characters whose result does not hang on their neighbours
 * are taken: kana, ideographs, Hangul syllables, their punctuation and widths,
 * European letters, and those that stay as they are. A unit with any other goes the
 * slow way whole.
 */
#ifndef FT_TOKENIZER_CHARS_H
#define FT_TOKENIZER_CHARS_H

#include "tokenizer/normalize.h"

/* A thread's. */
struct tk_chars;

/* `flat`: bits of characters below U+10000 that stay as they are beside any other;
 * both must outlive the result. NULL: the normalizer looks at more than a character. */
struct tk_chars *tk_chars_new(const struct tk_normalizer *n, const uint64_t *flat);
void tk_chars_free(struct tk_chars *c);

/* The words of p[0..n), valid UTF-8, normalized and cut at white space: their bytes in
 * c's memory, each word behind `front` (of a few bytes). `ends`: where each ends; none is as long as
 * `front` alone. False: a character of it is not known here; nothing is given. */
struct tk_chars_words {
    const char *p;
    const uint32_t *ends;
    size_t n;
};
bool tk_chars_words(struct tk_chars *c, struct tk_work *w, struct tk_matcher *m, const char *p, size_t n,
                    struct ft_str front, struct tk_chars_words *out);

#endif
