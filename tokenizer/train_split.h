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
 * outlive the splitter. `at_spaces`: cut UTF-8 words before each run of U+2581
 * too. SentencePiece models are trained so, and their files often leave it out
 * as encoding does not need it: no token goes over such a place. */
int tk_splitter_load(const struct ft_json *j, bool at_spaces, struct tk_splitter **out, struct ft_err *e);
void tk_splitter_free(struct tk_splitter *s);

struct tk_split_state *tk_split_state_new(void);
void tk_split_state_free(struct tk_split_state *s);

/* What the words so far were: 1 UTF-8, 2 raw bytes (a byte-level pre-tokenizer
 * ended them), 3 both, 0 none yet. */
unsigned tk_split_kinds(const struct tk_split_state *s);

/* Counts the words of a text. `added`: find added tokens in it, else it is all plain. */
int tk_split(const struct tk_splitter *s, struct tk_split_state *st, struct ft_str text, bool added,
             struct tk_tally *words, struct ft_err *e);

#endif
