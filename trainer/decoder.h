/* decoder.h -- a decoder: parameters, forward, backward.
 *
 * The life of a model:
 *
 *     ft_backend_open(&b, threads, &e);
 *     ft_model_new(&b, &config, &m, &e);          table of parameters, no data
 *     ft_model_train_base(m);                     full weights, or
 *     ft_model_add_lora(m, &lora, &slot, &e);     an adapter (linear.h)
 *     for each parameter i: ft_model_load(m, i, bytes, dtype, false, &e)
 *         or ft_model_init(m, seed), ft_model_init_lora(m, slot, seed)
 *     ft_model_reserve(m, &(struct ft_plan){.tokens = 8192, .train = true}, &e);
 *     loop: ft_model_zero_grad(m);
 *           for each micro-batch: ft_model_train(m, &batch, scale, &loss, &e);
 *           optimizer over ft_model_param(m, i)->data and ->grad
 *     ft_model_free(m); ft_backend_close(&b);
 *
 * A micro-batch is a run of tokens: rows one behind the other, without padding.
 * Segments say which tokens belong together; attention is causal inside a
 * segment and never leaves it, whether a row holds one document or twenty.
 */
#ifndef FT_TRAINER_DECODER_H
#define FT_TRAINER_DECODER_H

#include "trainer/backend.h"
#include "trainer/config.h"
#include "trainer/head.h"
#include "trainer/linear.h"
#include "trainer/param.h"

struct ft_model; /* opaque */

/* *out has its table of parameters and no memory for them. FT_DATA when the
 * config does not fit together. The config is copied. */
int ft_model_new(struct ft_backend *b, const struct ft_config *c, struct ft_model **out, struct ft_err *e);
void ft_model_free(struct ft_model *m); /* NULL is fine */
const struct ft_config *ft_model_config(const struct ft_model *m);

/* ---- parameters ---- */

int ft_model_params(const struct ft_model *m);
struct ft_param *ft_model_param(struct ft_model *m, int i);
/* By its file name; -1: none. */
int ft_model_find(const struct ft_model *m, const char *name);
/* Makes every parameter of the base trainable. Before ft_model_reserve. */
void ft_model_train_base(struct ft_model *m);

/* Takes `ft_param_count` little-endian elements of `dtype` (F32, BF16, F16; the
 * latter two are widened). Float32 that is frozen, aligned to 4 bytes and not to
 * be owned is used where it lies (a mapped file) and must outlive the model; all
 * else is copied. Call after the choice of what trains. */
int ft_model_load(struct ft_model *m, int i, const void *src, enum ft_dtype dtype, bool own, struct ft_err *e);
/* transformers' initial values: matrices and embedding normal with init_std,
 * norms 1, biases 0. The draws are Philox's, keyed by seed and counted by
 * parameter and element. */
void ft_model_init(struct ft_model *m, uint64_t seed);
/* FT_DATA naming the first parameter without data. */
int ft_model_complete(const struct ft_model *m, struct ft_err *e);

/* ---- memory ---- */

struct ft_plan {
    ft_dim tokens;  /* most tokens of a micro-batch */
    bool train;     /* activations are kept and gradients accumulated */
    /* Generation: sequences held in the key/value cache, positions each. 0: none. */
    ft_dim cache_rows, cache_length;
};

/* Takes memory for the plan: activations, scratch, gradients, cache. A second call
 * replaces the first (gradients are lost, zero). FT_SYS when the system has no such memory. */
int ft_model_reserve(struct ft_model *m, const struct ft_plan *p, struct ft_err *e);

/* ---- a step ---- */

enum { FT_NO_TARGET = -1 };

/* Host memory, the caller's; read during the call only. */
struct ft_batch {
    ft_dim n;                 /* tokens, at most the plan's */
    const int32_t *tokens;    /* [n] each below vocab */
    const int32_t *targets;   /* [n] the token to predict at this place (already shifted), or
                               * FT_NO_TARGET (any negative number); NULL: none */
    const int32_t *positions; /* [n] in its document, for RoPE; below max(max_positions, plan's tokens) */
    ft_dim segments;
    const int32_t *segment;   /* [segments + 1] first token of each, then n */
    /* Keys the dropout of a segment's tokens, with `step` and the position: the
     * document's number and epoch in one. NULL: 0, 1, 2, ... */
    const uint64_t *document; /* [segments] */
    uint64_t step;            /* of the optimizer */
    /* Cached generation: row of the cache that a segment continues; NULL: none. */
    const int32_t *cache_row; /* [segments] */
};

void ft_model_zero_grad(struct ft_model *m);

/* Gradients += scale * d(sum of -log p)/d(parameter). The usual step: scale is
 * 1 / (targets of the whole accumulation window). *loss is set, unscaled. */
int ft_model_train(struct ft_model *m, const struct ft_batch *b, double scale, struct ft_loss *loss,
                   struct ft_err *e);
/* Forward alone: sums, and per-target scores where wanted (NULL: no). */
int ft_model_score(struct ft_model *m, const struct ft_batch *b, struct ft_scores *s, struct ft_loss *loss,
                   struct ft_err *e);

/* The parts, for objectives that need log-probabilities before they know the
 * gradient: forward, head without dlogp, [the objective on the host], head with
 * dlogp [n] = d loss / d log p (0 where there is no target), backward. */
void ft_model_forward(struct ft_model *m, const struct ft_batch *b, bool train);
void ft_model_head(struct ft_model *m, const struct ft_batch *b, const float *dlogp, struct ft_scores *s,
                   struct ft_loss *loss);
void ft_model_backward(struct ft_model *m, const struct ft_batch *b);

/* ---- generation ---- */

/* Runs the segments, each continuing its cache row, and gives the logits behind
 * each segment's last token: out [segments, vocab] in host memory. */
int ft_model_next(struct ft_model *m, const struct ft_batch *b, float *out, struct ft_err *e);
/* Tokens held in a cache row; set to forget the rest. */
void ft_model_cache_trim(struct ft_model *m, ft_dim row, ft_dim length);

/* Adapter dropout is off outside ft_model_train; this keys it. */
void ft_model_set_seed(struct ft_model *m, uint64_t seed);

#endif
