/* linear.h -- the one place that computes y = x W^T (+ bias) (+ adapters).
 *
 * W is dense [out, in]. On top of it lies a set of named adapter slots, each
 * with a LoRA pair on the linears that its targets match:
 *
 *     y = x W^T + bias + sum over active slots of s * (drop(x) A^T) B^T
 *     A [r, in], B [out, r], s = alpha / r, or alpha / sqrt(r) with rslora
 *
 * Nothing outside this file knows how W is stored or which slots exist. A frozen
 * W gets no gradient and no gradient memory.
 */
#ifndef FT_TRAINER_LINEAR_H
#define FT_TRAINER_LINEAR_H

#include "pipeline/cli.h"
#include "trainer/backend.h"
#include "trainer/param.h"

enum { FT_SLOTS_MAX = 8 };

/* PEFT's LoraConfig, as far as it is supported. */
struct ft_lora_config {
    const char *name; /* of the slot: "default" */
    int64_t r;        /* 8 */
    double alpha;     /* 8 */
    double dropout;   /* 0 */
    bool rslora;
    /* Modules to adapt, by PEFT's rules: a list matches a module path that is
     * equal or ends with "." + item; the one item "all-linear" is every linear
     * but the head. Empty: the family's default (q_proj, v_proj). */
    struct ft_list targets;
    const char *targets_regex; /* PEFT's string form: must match the whole path; NULL: the list */
    struct ft_list exclude;    /* as a list */
    /* rank_pattern, alpha_pattern: value for paths that match ^(.*\.)?(key)$,
     * first match wins. */
    const struct ft_pattern *rank_pattern, *alpha_pattern;
    size_t n_rank_pattern, n_alpha_pattern;
    bool trainable;
};
#define FT_LORA_DEFAULTS {.name = "default", .r = 8, .alpha = 8, .trainable = true}

struct ft_pattern {
    const char *key; /* a regular expression */
    double value;
};

/* A LoRA pair on one linear; absent where a < 0. */
struct ft_lora {
    int a, b; /* parameter numbers */
    ft_dim r;
    float scale;
    float dropout;
};

struct ft_linear {
    const char *path; /* "model.layers.0.self_attn.q_proj" */
    int id;           /* number in the model, keys dropout */
    ft_dim out, in;
    int weight, bias; /* parameter numbers; bias -1: none */
    struct ft_lora lora[FT_SLOTS_MAX];
};

struct ft_model;

/* Adds a slot: its A and B enter the table, without data. Returns the slot's
 * number. FT_USAGE when nothing matches, the name is taken, or r is out of range
 * (PEFT: NoMatchingPeftModuleError). Before ft_model_reserve. */
int ft_model_add_lora(struct ft_model *m, const struct ft_lora_config *c, int *slot, struct ft_err *e);
/* PEFT's initial values: A uniform in +-1/sqrt(in), B zero. The draws are
 * Philox's, keyed by seed and counted by parameter and element. */
void ft_model_init_lora(struct ft_model *m, int slot, uint64_t seed);
/* Which slots take part in forward and backward: bit i is slot i. All at first. */
void ft_model_use_slots(struct ft_model *m, unsigned mask);
/* The config the slot was made with (deep copy). */
const struct ft_lora_config *ft_model_slot_config(const struct ft_model *m, int slot);

/* All linears, for adapter files and merging. */
int ft_model_linears(const struct ft_model *m);
const struct ft_linear *ft_model_linear(const struct ft_model *m, int i);

/* W += s * B A for every linear of the slot, as PEFT's merge_and_unload does in
 * float32; the slot leaves the active set. W must be owned (ft_model_load with
 * `own`). */
int ft_model_merge(struct ft_model *m, int slot, struct ft_err *e);

#endif
