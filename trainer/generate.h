/* generate.h -- continuing token sequences, several at a time.
 *
 * A prompt goes through the model alone; then all sequences of a group take
 * their steps together, at most FT_THIN of them, which is how many rows a product
 * treats each on its own. So a sequence's tokens do not depend on what else is in
 * its group, nor on the number of threads.
 */
#ifndef FT_TRAINER_GENERATE_H
#define FT_TRAINER_GENERATE_H

#include "trainer/decoder.h"
#include "trainer/ops.h"
#include "trainer/sample.h"

struct ft_sequence {
    const int32_t *prompt; /* the caller's */
    size_t n_prompt;       /* at least 1 */
    uint64_t record;       /* keys the draws */
    int32_t *out;          /* room for max_new tokens, the caller's */
    size_t n_out;          /* result; with the stop token where there is one */
    bool stopped;          /* by a stop token, not by max_new */
};

struct ft_generation {
    size_t max_new;
    struct ft_sampling sampling;
    const int32_t *stop; /* ids that end a sequence */
    size_t n_stop;
};

/* Up to FT_THIN sequences. Reserves cache for them when there is too little.
 * FT_DATA for a token that the model does not have. */
int ft_generate(struct ft_model *m, const struct ft_generation *g, struct ft_sequence *s, size_t n, struct ft_err *e);

#endif
