/* param.h -- the table of a model's parameters.
 *
 * Each tensor of a model is named once, here. Loaders, optimizers, checkpoints,
 * adapter files and reports go through this table; the forward and backward
 * passes (block.c) use the same entries. Names are those of Hugging Face files:
 *
 *     base       model.layers.0.self_attn.q_proj.weight
 *     adapter    base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight
 *
 * Order: the base in transformers' module order, then slot by slot, linear by
 * linear, A before B. It is stable for a config and a list of slots.
 */
#ifndef FT_TRAINER_PARAM_H
#define FT_TRAINER_PARAM_H

#include "trainer/tensor.h"

enum ft_param_role { FT_ROLE_EMBED, FT_ROLE_WEIGHT, FT_ROLE_BIAS, FT_ROLE_NORM, FT_ROLE_HEAD, FT_ROLE_LORA_A, FT_ROLE_LORA_B };

struct ft_param {
    const char *name; /* key in a safetensors file */
    enum ft_param_role role;
    int slot;         /* adapter slot; -1: the base */
    int rank;         /* 1 or 2, as in the file */
    int64_t shape[2]; /* [out, in]; a vector has [n] */
    /* Float32, contiguous, [shape[0], shape[1]] or [1, n]. p is NULL until
     * loaded or initialised. When not `owned`, the memory is the caller's (a
     * mapped file) and is never written. */
    struct ft_tensor data;
    bool owned;
    bool trainable;
    bool decay; /* weight decay applies (transformers' get_decay_parameter_names) */
    /* The gradient of the loss, summed over micro-batches in float32; p is NULL
     * for what is not trainable and before ft_model_reserve. */
    struct ft_tensor grad;
};

static inline int64_t ft_param_count(const struct ft_param *p)
{
    return p->rank == 2 ? p->shape[0] * p->shape[1] : p->shape[0];
}

/* transformers' rule on the (file) name: biases and norms do not decay. */
bool ft_param_decays(const char *name);

#endif
