/* train_words.h -- distinct words and how often each was seen. */
#ifndef FT_TOKENIZER_TRAIN_WORDS_H
#define FT_TOKENIZER_TRAIN_WORDS_H

#include "pipeline/str.h"

struct tk_word {
    const char *p; /* not NULL */
    uint64_t count;
    uint32_t n, hash;
};

struct tk_words { /* all zero is empty */
    struct ft_arena mem;
    struct tk_word *slots; /* open addressing; count 0: free */
    size_t n_slots, n;     /* n_slots: a power of two, or 0 */
    uint64_t total;        /* sum of the counts */
    uint64_t bytes;        /* of the distinct words */
};

/* n < 4 GiB; the bytes are copied when the word is new. */
void tk_words_add(struct tk_words *w, const char *p, size_t n, uint64_t count);
/* Adds what `from` holds and releases it. */
void tk_words_merge(struct tk_words *w, struct tk_words *from);
/* Moves the words to the front of `slots` in the order of falling count; of
 * equal counts in the order of their bytes. No more can be added. */
void tk_words_sort(struct tk_words *w);
void tk_words_release(struct tk_words *w);

#endif
