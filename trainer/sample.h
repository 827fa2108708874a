/* sample.h -- the next token from logits.
 *
 * Temperature 0 is greedy: the most likely token, the lowest id among equals, as
 * torch.argmax. Otherwise transformers' order: logits / temperature, then the
 * top_k most likely, then the fewest of these whose probability reaches top_p. A
 * draw is a function of (seed, record, step).
 */
#ifndef FT_TRAINER_SAMPLE_H
#define FT_TRAINER_SAMPLE_H

#include <stdint.h>

struct ft_sampling {
    double temperature;
    int64_t top_k; /* 0: all */
    double top_p;  /* 1: all */
    uint64_t seed;
};

/* `order` is room for `vocab` ids. Logits are not changed. */
int32_t ft_sample(const struct ft_sampling *s, const float *logits, int64_t vocab, int32_t *order, uint64_t record,
                  uint32_t step);

#endif
