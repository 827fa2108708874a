/* lone_chars.h -- characters of SentencePiece BPE that become ids by themselves.
 *
 * Where no token has a character behind another one, or in front of another one, the
 * text may be cut on that side of it whatever stands there (cut.h). Most of Chinese,
 * Japanese and Korean is such characters under vocabularies made for English: their
 * ids are a table's, by code point, and nothing is hashed, looked up or merged.
 */
#ifndef FT_TOKENIZER_LONE_CHARS_H
#define FT_TOKENIZER_LONE_CHARS_H

#include "tokenizer/cache.h"

enum {
    TK_LONE_WORDS = 2048, /* of the sets below */
    TK_LONE_RUN = 1024,   /* characters that are taken at once */
};

/* Sets of characters below U+10000, a bit each: [c >> 6] those that stand behind
 * another one in a token, [1024 + (c >> 6)] those that stand in front of one. An empty
 * set is all zero; a blank stands for U+2581. */
void tk_lone_add(uint64_t sets[TK_LONE_WORDS], const char *p, size_t n);

/* A thread's. */
struct tk_lone {
    const uint64_t *sets;
    /* By code point: ids of 24 bits; on top of the first their count, 0: not asked yet,
     * LONE_NO: more than four; of the second, LONE_BEHIND and LONE_BEFORE. */
    uint32_t (*id)[4];
    bool blank; /* a blank is never behind another character in a token */
};
enum { LONE_NO = 255, LONE_BEHIND = 1, LONE_BEFORE = 2 };

struct tk_lone *tk_lone_new(const uint64_t sets[TK_LONE_WORDS]);
void tk_lone_free(struct tk_lone *s);

/* Adds to the cache's records the ids of the characters with which p[0..n), text that
 * begins at a cut, begins, for as long as they are alone. Gives their bytes, 0: none. */
size_t tk_lone_run(const struct tk_lone *s, struct tk_cache *c, const char *p, size_t n);

/* May the text be cut in front of the character of several bytes that begins at p? */
static inline bool tk_lone_starts(const struct tk_lone *s, const char *p)
{
    int len;
    const uint32_t c = ft_utf8_get(p, &len);
    return c <= 0xffff && !(s->sets[c >> 6] >> (c & 63) & 1);
}

#endif
