/* head.h -- from hidden states and targets to log-probabilities, and back.
 *
 * Full logits never exist. Positions without a target are skipped before the
 * matrix product; the rest goes through in chunks of rows, each of which yields
 * log-probabilities and, where a gradient is wanted, its share of dhidden and dW
 * while its logits are still in cache.
 */
#ifndef FT_TRAINER_HEAD_H
#define FT_TRAINER_HEAD_H

#include <stdint.h>

/* Per target, in the order of the batch; each array may be NULL. Host memory. */
struct ft_scores {
    float *logp;      /* [n] log-probability of the target in nats, 0 where there is none */
    float *entropy;   /* [n] of the distribution, in nats */
    uint8_t *greedy;  /* [n] 1: the target is the most likely token (lowest id among equals) */
};

/* Sums over the targets of a batch, in double, in a fixed order. */
struct ft_loss {
    double nll;     /* sum of -log p, nats */
    double entropy; /* sum */
    int64_t count;  /* targets */
    int64_t greedy; /* targets that greedy decoding would give */
};

#endif
