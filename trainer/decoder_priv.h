/* decoder_priv.h -- inside of a model; for decoder.c, lora.c, layout.c, block.c, step.c, generate.c. */
#ifndef FT_TRAINER_DECODER_PRIV_H
#define FT_TRAINER_DECODER_PRIV_H

#include "pipeline/mem.h"
#include "trainer/decoder.h"
#include "trainer/ops.h"

struct ft_slot {
    struct ft_lora_config config; /* deep, in the model's arena */
};

/* What is where in a decoder block: numbers of linears and of parameters. */
struct ft_block_ids {
    int q, k, v, o, gate, up, down;  /* linears */
    int norm1, norm2, qnorm, knorm; /* parameters; qnorm, knorm -1: none */
};

struct ft_layout; /* activations of a plan: block.h */

struct ft_model {
    struct ft_backend *b;
    struct ft_config config;
    struct ft_arena mem; /* names, lists */
    struct ft_param *params;
    int n_params, cap_params;
    struct ft_linear *linears;
    int n_linears;
    struct ft_block_ids *blocks;
    int embed, norm, head; /* parameters; head == embed when tied */
    struct ft_slot slots[FT_SLOTS_MAX];
    int n_slots;
    unsigned active; /* slots in use */
    uint64_t seed;

    struct ft_plan plan;
    void *arena;           /* the block that the layout lies in */
    struct ft_layout *layout;
};

int ft_model_add_param(struct ft_model *m, const char *name, enum ft_param_role role, int slot, int64_t rows,
                       int64_t cols); /* cols 0: a vector of `rows` */

static inline struct ft_tensor ft_model_data(const struct ft_model *m, int param)
{
    return param < 0 ? (struct ft_tensor){0} : m->params[param].data;
}
/* The gradient, or an absent tensor for what does not train. */
static inline struct ft_tensor ft_model_grad(const struct ft_model *m, int param)
{
    return param < 0 ? (struct ft_tensor){0} : m->params[param].grad;
}

#endif
