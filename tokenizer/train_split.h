/* train_split.h -- what a tokenizer's model sees of a text: its words.
 *
 * The words are those that encoding with the finished tokenizer would hand to
 * the model, cut by the same code: added tokens out, normalized, pre-tokenized.
 */
#ifndef FT_TOKENIZER_TRAIN_SPLIT_H
#define FT_TOKENIZER_TRAIN_SPLIT_H

#include "pipeline/json.h"
#include "tokenizer/train_tally.h"

struct tk_splitter; /* immutable, shared by threads */
struct tk_split_state; /* a thread's */

/* `added_tokens`, `normalizer` and `pre_tokenizer` of a tokenizer.json. *j must
 * outlive the splitter. */
int tk_splitter_load(const struct ft_json *j, struct tk_splitter **out, struct ft_err *e);
void tk_splitter_free(struct tk_splitter *s);

struct tk_split_state *tk_split_state_new(void);
void tk_split_state_free(struct tk_split_state *s);

/* Counts the words of a text. Those of a byte-level pre-tokenizer are raw bytes,
 * others UTF-8. `added`: find added tokens in it, else it is all plain. */
int tk_split(const struct tk_splitter *s, struct tk_split_state *st, struct ft_str text, bool added,
             struct tk_tally *words, struct ft_err *e);

#endif
