/* train_texts.h -- the texts of a record that a vocabulary is learnt from. */
#ifndef FT_TOKENIZER_TRAIN_TEXTS_H
#define FT_TOKENIZER_TRAIN_TEXTS_H

#include "pipeline/record.h"

struct tk_texts { /* all zero is empty; in the record's arena */
    struct ft_str *v;
    size_t n, cap;
};

/* The named members, or when n_names is 0: `text`; else what there is of messages,
 * conversations (ShareGPT), prompt, completion, chosen and rejected; else Alpaca's
 * instruction, input and output. A member is a string, a message, whose content
 * and reasoning are taken, or a list of these. FT_DATA when there is none. */
int tk_texts_of(struct ft_rec *r, const char *const *names, size_t n_names, struct tk_texts *t, struct ft_err *e);

#endif
