/* schedule.h -- the learning rate of a step, by the formulas of transformers
 * 5.23 (optimization.py): a factor of the base rate, in double. */
#ifndef FT_TRAINER_SCHEDULE_H
#define FT_TRAINER_SCHEDULE_H

#include <stdint.h>

#include "pipeline/err.h"

enum ft_schedule_type {
    FT_LR_LINEAR, FT_LR_COSINE, FT_LR_COSINE_WITH_RESTARTS, FT_LR_POLYNOMIAL, FT_LR_CONSTANT, FT_LR_CONSTANT_WITH_WARMUP,
    FT_LR_INVERSE_SQRT, FT_LR_COSINE_WITH_MIN_LR, FT_LR_COSINE_WARMUP_WITH_MIN_LR, FT_LR_WARMUP_STABLE_DECAY,
};
/* Their names in that order, for an option table. */
#define FT_SCHEDULE_NAMES                                                                                             \
    "linear|cosine|cosine_with_restarts|polynomial|constant|constant_with_warmup|inverse_sqrt|cosine_with_min_lr|"    \
    "cosine_warmup_with_min_lr|warmup_stable_decay"

enum ft_ramp { FT_RAMP_LINEAR, FT_RAMP_COSINE, FT_RAMP_1_SQRT };
#define FT_RAMP_NAMES "linear|cosine|1-sqrt"

struct ft_schedule {
    enum ft_schedule_type type;
    double base;       /* --learning-rate; polynomial and min_lr depend on it */
    int64_t warmup, total; /* steps */
    /* lr_scheduler_kwargs; NaN or -1: transformers' default for the type */
    double num_cycles, lr_end, power, min_lr, min_lr_rate, warmup_lr_rate;
    int64_t timescale, decay_steps, stable_steps;
    enum ft_ramp warmup_type, decay_type;
};

/* NaN and -1 everywhere, linear and cosine ramps. */
void ft_schedule_init(struct ft_schedule *s);
/* Fills in the defaults; FT_USAGE where transformers raises. */
int ft_schedule_check(struct ft_schedule *s, struct ft_err *e);
/* The rate of the step numbered t, from 0. */
double ft_schedule_at(const struct ft_schedule *s, int64_t t);

/* Steps of --warmup-steps: a fraction of `total` below 1 (rounded up), else a
 * number (rounded down). */
int64_t ft_warmup_steps(double given, int64_t total);

#endif
