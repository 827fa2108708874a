#include "trainer/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

void ft_schedule_init(struct ft_schedule *s)
{
    *s = (struct ft_schedule){
        .num_cycles = NAN, .lr_end = NAN, .power = NAN, .min_lr = NAN, .min_lr_rate = NAN, .warmup_lr_rate = NAN,
        .timescale = -1, .decay_steps = -1, .stable_steps = -1, .warmup_type = FT_RAMP_LINEAR, .decay_type = FT_RAMP_COSINE,
    };
}

static void preset(double *v, double to)
{
    if (isnan(*v))
        *v = to;
}

int ft_schedule_check(struct ft_schedule *s, struct ft_err *e)
{
    switch (s->type) {
    case FT_LR_COSINE_WITH_RESTARTS:
        preset(&s->num_cycles, 1);
        break;
    case FT_LR_POLYNOMIAL:
        preset(&s->lr_end, 1e-7);
        preset(&s->power, 1);
        if (!(s->base > s->lr_end))
            return ft_fail(e, FT_USAGE, "'polynomial' wants '--lr-end' (%g) below '--learning-rate' (%g)", s->lr_end, s->base);
        break;
    case FT_LR_INVERSE_SQRT:
        if (s->timescale < 0)
            s->timescale = s->warmup ? s->warmup : 10000;
        if (!s->timescale)
            return ft_fail(e, FT_USAGE, "'--timescale' wants a number above 0");
        break;
    case FT_LR_COSINE_WITH_MIN_LR:
    case FT_LR_COSINE_WARMUP_WITH_MIN_LR:
        if (isnan(s->min_lr) == isnan(s->min_lr_rate))
            return ft_fail(e, FT_USAGE, "this schedule wants one of '--min-lr' and '--min-lr-rate'");
        if (!isnan(s->min_lr))
            s->min_lr_rate = s->min_lr / s->base;
        break;
    case FT_LR_WARMUP_STABLE_DECAY:
        if (s->decay_steps < 0)
            return ft_fail(e, FT_USAGE, "'warmup_stable_decay' wants '--num-decay-steps'");
        if (s->stable_steps < 0)
            s->stable_steps = s->total - s->warmup - s->decay_steps;
        preset(&s->min_lr_rate, 0);
        break;
    default:
        break;
    }
    preset(&s->num_cycles, .5);
    return 0;
}

int64_t ft_warmup_steps(double given, int64_t total)
{
    return given < 1 ? (int64_t)ceil(given * (double)total) : (int64_t)given;
}

static double at_least_1(double x) { return x < 1 ? 1 : x; }
static double positive(double x) { return x > 0 ? x : 0; }

/* `p` from 0 to 1, rising. */
static double ramp_up(enum ft_ramp how, double p)
{
    return how == FT_RAMP_LINEAR ? p : how == FT_RAMP_COSINE ? .5 * (1 - cos(pi * p)) : 1 - sqrt(1 - p);
}

static double stable_decay(const struct ft_schedule *s, int64_t t)
{
    const double m = s->min_lr_rate;
    if (t < s->warmup)
        return positive(ramp_up(s->warmup_type, (double)t / at_least_1((double)s->warmup)) * (1 - m) + m);
    t -= s->warmup;
    if (t < s->stable_steps)
        return 1;
    t -= s->stable_steps;
    if (t >= s->decay_steps)
        return m;
    const double p = (double)t / at_least_1((double)s->decay_steps);
    const double f = s->decay_type == FT_RAMP_LINEAR ? 1 - p
                     : s->decay_type == FT_RAMP_COSINE ? .5 * (1 + cos(pi * s->num_cycles * 2 * p))
                                                       : 1 - sqrt(p);
    return positive(f * (1 - m) + m);
}

static double factor(const struct ft_schedule *s, int64_t step)
{
    const double t = (double)step, w = (double)s->warmup, total = (double)s->total;
    const double p = (t - w) / at_least_1(total - w);
    double f;

    if (s->type == FT_LR_CONSTANT)
        return 1;
    if (s->type == FT_LR_WARMUP_STABLE_DECAY)
        return stable_decay(s, step);
    if (s->type == FT_LR_COSINE_WARMUP_WITH_MIN_LR) {
        if (step < s->warmup)
            return isnan(s->warmup_lr_rate) ? (t + 1) / at_least_1(w)
                                            : s->warmup_lr_rate + (1 - s->warmup_lr_rate) * t / at_least_1(w - 1);
        const double ahead = (t - w + 1) / at_least_1(total - w);
        f = .5 * (1 + cos(pi * s->num_cycles * 2 * ahead));
        return positive(f * (1 - s->min_lr_rate) + s->min_lr_rate);
    }
    if (step < s->warmup)
        return t / at_least_1(w);
    switch (s->type) {
    case FT_LR_LINEAR:
        return positive((total - t) / at_least_1(total - w));
    case FT_LR_COSINE:
        return positive(.5 * (1 + cos(pi * s->num_cycles * 2 * p)));
    case FT_LR_COSINE_WITH_MIN_LR:
        f = .5 * (1 + cos(pi * s->num_cycles * 2 * p));
        return positive(f * (1 - s->min_lr_rate) + s->min_lr_rate);
    case FT_LR_COSINE_WITH_RESTARTS:
        return p >= 1 ? 0 : positive(.5 * (1 + cos(pi * fmod(s->num_cycles * p, 1))));
    case FT_LR_POLYNOMIAL:
        if (step > s->total)
            return s->lr_end / s->base;
        /* With no decay steps theirs divides 0 by 0; the end is meant. */
        f = total > w ? 1 - (t - w) / (total - w) : 0;
        return ((s->base - s->lr_end) * pow(f, s->power) + s->lr_end) / s->base;
    case FT_LR_INVERSE_SQRT:
        return 1 / sqrt((t + (double)s->timescale - w) / (double)s->timescale);
    default:
        return 1;
    }
}

double ft_schedule_at(const struct ft_schedule *s, int64_t t) { return s->base * factor(s, t); }
