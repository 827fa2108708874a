/* recipe.h -- what a run does: the options as given, the rest computed from the
 * data, each with the rule behind it.
 *
 * Names and meanings are those of transformers' TrainingArguments. A default is
 * computed only where it depends on something; what was computed is noted with
 * its rule, printed, and kept in run.json (RUN.md).
 */
#ifndef FT_TRAINER_RECIPE_H
#define FT_TRAINER_RECIPE_H

#include <math.h>

#include "pipeline/str.h"
#include "trainer/schedule.h"

enum ft_when { FT_WHEN_STEPS, FT_WHEN_EPOCH, FT_WHEN_NO };
#define FT_WHEN_NAMES "steps|epoch|no"

enum ft_metric { FT_METRIC_LOSS_PER_TOKEN, FT_METRIC_LOSS };

struct ft_recipe {
    /* Options; 0, -1 or NaN: to be computed. ft_recipe_init sets them so. */
    uint64_t batch_rows;   /* per_device_train_batch_size */
    uint64_t accumulation; /* gradient_accumulation_steps */
    uint64_t eval_rows;    /* per_device_eval_batch_size */
    double epochs;         /* num_train_epochs */
    int64_t max_steps;
    double lr, warmup, decay, beta1, beta2, eps, max_norm;
    struct ft_schedule schedule;
    int sampling;          /* 0 random, 1 sequential */
    uint64_t seed;
    double logging_steps, eval_steps, save_steps; /* below 1: a share of max_steps */
    int eval_strategy, save_strategy; /* enum ft_when */
    uint64_t save_limit;
    int metric;            /* enum ft_metric */
    double patience, patience_threshold; /* evaluations; NaN: no early stopping */
    bool load_best;

    /* Computed. */
    uint64_t per_epoch;    /* micro-batches */
    uint64_t updates;      /* optimizer steps an epoch */
    int64_t log_every, eval_every, save_every; /* steps; 0: never but at the end */
    struct ft_buf notes;   /* "name value: rule" lines */
    struct ft_buf resolved; /* the same as members of a JSON object */
};

/* What the defaults depend on. */
struct ft_facts {
    bool pretrain, lora, scratch; /* scratch: from random weights */
    uint64_t rows, tokens, max_row, eval_rows;
};

void ft_recipe_init(struct ft_recipe *r);
/* FT_USAGE for values that make no sense. */
int ft_recipe_resolve(struct ft_recipe *r, const struct ft_facts *f, struct ft_err *e);
/* The members of a JSON object that decide the result, in a fixed order. */
void ft_recipe_put(const struct ft_recipe *r, struct ft_buf *out);
void ft_recipe_release(struct ft_recipe *r);

#endif
