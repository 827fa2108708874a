/* train_base.h -- a tokenizer that is extended: its ids and merges stay, new ones
 * come behind. */
#ifndef FT_TOKENIZER_TRAIN_BASE_H
#define FT_TOKENIZER_TRAIN_BASE_H

#include "tokenizer/train_alphabet.h"
#include "tokenizer/train_recipe.h"

struct tk_base {
    struct ft_arena mem;
    struct tk_parts parts;  /* of its tokenizer.json; the added tokens with their ids and the new ones */
    struct ft_str *merges;  /* tokens, two a merge */
    size_t n_merges;
    size_t size, n_new;     /* ids there were; special tokens that are new */
    int64_t unk;
};

/* Reads `dir` and puts its tokens into the learner, then those of `specials`
 * that are new. FT_DATA for what cannot be extended (no BPE, a prefix or suffix
 * of subwords, an id of two tokens). */
int tk_base_load(struct tk_base *b, const char *dir, const struct ft_str *specials, size_t n_specials,
                 struct tk_learner *l, struct ft_err *e);
void tk_base_release(struct tk_base *b);

/* Hands the words to the learner as the tokens that the base makes of them. What
 * is unknown, or spelt in byte tokens, takes part in no merge. */
int tk_base_words(const struct tk_base *b, struct tk_learner *l, const struct tk_words *w, bool bytes, struct ft_err *e);

#endif
