/* train_alphabet.h -- the characters that a trained vocabulary starts from. */
#ifndef FT_TOKENIZER_TRAIN_ALPHABET_H
#define FT_TOKENIZER_TRAIN_ALPHABET_H

#include "tokenizer/train_bpe.h"
#include "tokenizer/train_tally.h"

struct tk_alphabet {
    bool bytes;      /* words are raw bytes: `id` is by byte, else by code point */
    int32_t *id;     /* token ids, -1: not in the alphabet; release with free */
    uint64_t kept, seen;      /* characters */
    uint64_t lost;            /* occurrences of characters that were left out */
};

/* Adds the alphabet's tokens, by code point. Bytes, in GPT-2's printable
 * characters: `all` 256 or those that occur. Else the characters of the words and of
 * `initial`; more than `limit` (0: none): the rarest go, of equally rare ones
 * the higher code points; those of `initial` go last. */
void tk_alphabet_make(struct tk_alphabet *a, struct tk_learner *l, const struct tk_words *w, bool bytes, bool all,
                      uint64_t limit, struct ft_str initial);

/* The characters of all words and of the longest one. FT_DATA when they are too
 * many for the learner. */
int tk_words_size(const struct tk_words *w, bool bytes, size_t *slots, size_t *longest, struct ft_err *e);

/* Hands the words to the learner. Characters outside the alphabet vanish and
 * their neighbours meet, as in the library. */
int tk_alphabet_words(const struct tk_alphabet *a, struct tk_learner *l, const struct tk_words *w, struct ft_err *e);

#endif
