/* train_bpe.h -- merges learnt from words and their counts.
 *
 * The result is that of tokenizers 0.23 (BpeTrainer) on the same words, token
 * for token, where the library's is determined:
 *
 * - the pair merged next is the one with the highest count; of equal counts the
 *   one with the lower left id, then the lower right id (so ids decide ties:
 *   special tokens first, then the alphabet by code point, then merges);
 * - a pair's count is the sum over words of word count times windows of two, so
 *   "aaa" holds (a,a) twice; in a word merges run from left to right;
 * - training stops at the wanted size, or when the best pair is rarer than
 *   min_frequency;
 * - a merge whose text is a token already (a special one) gets that token's id;
 * - a pair as long as max_token_length characters or longer is not made, but for
 *   pairs of two characters.
 *
 * Counts are 64 bits here; the library's 32 wrap around at 2^31.
 *
 * How: the words lie in one array of symbols, ordered by count, with a stop
 * between them. A pair's occurrences are positions in it, so that a merge costs
 * what it changes and not the length of the words; a symbol of several slots
 * notes its start in its last one, so that both neighbours are one look away.
 */
#ifndef FT_TOKENIZER_TRAIN_BPE_H
#define FT_TOKENIZER_TRAIN_BPE_H

#include "tokenizer/vocab.h"

struct tk_pair {
    uint32_t left, right, id;
};

struct tk_learner { /* private but for what is named in the functions' comments */
    struct tk_vocab vocab; /* all tokens */
    uint32_t n_tokens;     /* ids are 0 .. n_tokens - 1 */
    uint32_t *len;         /* characters of each token */
    size_t cap_len;
    struct tk_pair *merges; /* learnt here, by rank */
    size_t n_merges, cap_merges;
    size_t n_new;           /* tokens that merges made */
    struct tk_corpus *corpus;
};

struct tk_learn_opts {
    uint64_t vocab_size;       /* tokens in all */
    uint64_t min_frequency;    /* of a pair */
    uint64_t max_token_length; /* characters; 0: no limit */
    /* Called now and then with the number of tokens there are; may be NULL. */
    void (*progress)(void *ctx, uint64_t tokens);
    void *ctx;
};

void tk_learner_init(struct tk_learner *l);
void tk_learner_release(struct tk_learner *l);

/* A token (copied) with the next id, or the id it has. `chars`: its length. */
uint32_t tk_learner_token(struct tk_learner *l, struct ft_str s, uint32_t chars);

/* A token of a vocabulary that is extended, ids rising from 0 without gaps in the
 * calls; s.p NULL: an id without a token. */
void tk_learner_put(struct tk_learner *l, struct ft_str s, uint32_t id, uint32_t chars);

/* Words, the most frequent first (counts must not rise); `n_slots` is the sum of
 * their characters. Then each word as token ids; tokens of several characters
 * come from a vocabulary that is being extended. n_words + n_slots < 2^32. */
void tk_learner_begin(struct tk_learner *l, size_t n_words, size_t n_slots);
void tk_learner_word(struct tk_learner *l, const uint32_t *ids, size_t n, uint64_t count);

/* Learns; l->vocab, l->n_tokens and l->merges are the result. */
void tk_learner_run(struct tk_learner *l, const struct tk_learn_opts *o);

#endif
