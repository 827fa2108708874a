/* train_tally.h -- distinct words and how often each was seen, in bounded memory.
 *
 * Each thread counts in a tally of its own. One that grows beyond its limit is
 * sorted and written to an unnamed temporary file; in the end all runs are
 * merged, so that every word's count is exact however the text was cut among
 * threads and runs. Only then are rare words dropped, when the words do not fit
 * the memory that learning may take: which ones depends on the words and their
 * counts alone.
 */
#ifndef FT_TOKENIZER_TRAIN_TALLY_H
#define FT_TOKENIZER_TRAIN_TALLY_H

#include "tokenizer/cache.h"
#include "tokenizer/train_runs.h"

struct tk_tally { /* all zero but for limit and temp is empty */
    uint64_t limit;   /* bytes; 0: none */
    const char *temp; /* folder for the temporary file; NULL: $TMPDIR, or /tmp */
    /* private */
    struct tk_tally_slot *slots; /* open addressing */
    size_t n_slots, n;
    struct ft_arena mem; /* the bytes of long words, in chunks */
    char *at, *end;
    uint64_t held;   /* bytes in chunks */
    struct tk_runs runs; /* what was written out */
};

/* 1 <= n < 4 GiB. */
void tk_tally_add(struct tk_tally *t, const char *p, size_t n);
/* The words that wait in a cache's records; empties them. */
void tk_tally_take(struct tk_tally *t, struct tk_cache *c);
/* To be called now and then: writes the tally out if it is beyond its limit. */
int tk_tally_check(struct tk_tally *t, struct ft_err *e);
void tk_tally_release(struct tk_tally *t);

struct tk_words { /* all zero is empty */
    struct tk_counted *v; /* the most frequent first, equal ones in an order that the words decide */
    size_t n;
    uint64_t seen, distinct;   /* before any were dropped: occurrences, words */
    uint64_t dropped, lost;    /* words, their occurrences */
    uint64_t rarest;           /* count of the rarest word kept, if any were dropped */
    struct ft_arena mem;
    void *keys; /* where short words lie */
};

/* What learning from a word of n bytes takes, about, in bytes of memory. */
static inline uint64_t tk_word_cost(uint32_t n) { return 192 + 28 * (uint64_t)n; }

/* The sum of the tallies, which are released. Words that cost more than `size`
 * in all (0: no bound) are dropped from the rarest on; of those of the last
 * count some may stay, picked by hash. */
int tk_tally_finish(struct tk_tally *t, size_t n_tallies, uint64_t size, struct tk_words *out, struct ft_err *e);
/* The numbers stay. */
void tk_words_release(struct tk_words *w);

#endif
