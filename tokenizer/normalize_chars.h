/* normalize_chars.h -- normalized text, character by character, where that is all a normalizer
 * does: what single characters become is asked once and remembered.
 *
 * Japanese has no spaces, so a unit of it (words.h) is a sentence or more, which no
 * cache remembers; grapheme clusters, canonical order and edits cost a hundred times
 * what a copy costs. Only characters whose result does not hang on their neighbours
 * are taken: kana, ideographs, Hangul syllables, their punctuation and widths,
 * European letters, and those that stay as they are. A unit with any other goes the
 * slow way whole.
 */
#ifndef FT_TOKENIZER_NORMALIZE_CHARS_H
#define FT_TOKENIZER_NORMALIZE_CHARS_H

#include "tokenizer/normalize.h"

/* What a character below U+10000 becomes. */
enum { TK_CHAR_MAX = 11, TK_CHAR_SPACE = 254, TK_CHAR_SLOW = 255 };
struct tk_char {
    char text[TK_CHAR_MAX];
    unsigned char n; /* bytes of text; 0: not asked yet; SPACE; SLOW: it is not known by itself */
    uint32_t own;    /* whatever the caller wants to remember with it */
};

/* A thread's. */
struct tk_chars {
    const struct tk_normalizer *normalizer;
    const uint64_t *flat;
    uint64_t pattern[2]; /* ASCII that a Replace looks for */
    bool no_punct;       /* a character that becomes punctuation is not taken (BERT's units have none) */
    bool blanks;         /* white space is what becomes blanks, and no other: what is cut at is U+2581 in their place */
    struct ft_buf text;
    uint32_t *ends;
    size_t cap;
    struct tk_char entry[0x10000];
};

/* `flat`: bits of characters below U+10000 that stay as they are beside any other;
 * both must outlive the result. NULL: the normalizer looks at more than a character. */
struct tk_chars *tk_chars_new(const struct tk_normalizer *n, const uint64_t *flat);
void tk_chars_free(struct tk_chars *c);

/* Fills an entry. */
void tk_chars_ask(struct tk_chars *c, struct tk_work *w, struct tk_matcher *m, uint32_t x);
static inline const struct tk_char *tk_chars_at(struct tk_chars *c, struct tk_work *w, struct tk_matcher *m, uint32_t x)
{
    if (__builtin_expect(!c->entry[x].n, 0))
        tk_chars_ask(c, w, m, x);
    return &c->entry[x];
}
/* Does neither normal form nor case of it hang on others of this kind, or on flat ones? */
bool tk_char_alone(uint32_t c);

/* The character at p, valid UTF-8. */
static inline uint32_t tk_char_get(const char *p, int *len)
{
    const unsigned char *q = (const unsigned char *)p;
    if (q[0] < 0x80)
        return *len = 1, q[0];
    if (q[0] >= 0xe0 && q[0] < 0xf0)
        return *len = 3, (q[0] & 15u) << 12 | (q[1] & 63u) << 6 | (q[2] & 63u);
    return ft_utf8_get(p, len);
}

/* The words of p[0..n), valid UTF-8, normalized and cut at white space alone: their bytes in
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
