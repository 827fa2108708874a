#include "trainer/recipe.h"

#include <inttypes.h>
#include <stdio.h>

#include "pipeline/json.h"

enum {
    STEP_TOKENS = 32768, /* a step's batch, where it is not given */
    MICRO_TOKENS = 4096, /* a micro-batch: enough for the matrix products, little enough for the cache and memory */
    MIN_STEPS = 100,     /* packing starves a run of steps: 1,000 documents of 200 tokens are 98 rows of 2k */
};

void ft_recipe_init(struct ft_recipe *r)
{
    *r = (struct ft_recipe){
        .epochs = NAN, .max_steps = -1, .lr = NAN, .warmup = NAN, .decay = NAN, .beta1 = .9, .beta2 = NAN, .eps = 1e-8,
        .max_norm = 1, .seed = 42, .logging_steps = NAN, .eval_steps = NAN, .save_steps = NAN, .save_limit = 2,
        .patience = NAN, .patience_threshold = 0,
    };
    ft_schedule_init(&r->schedule);
    r->schedule.type = FT_LR_COSINE;
}

/* Notes a computed value: `value` is JSON. */
static void note_json(struct ft_recipe *r, const char *name, const char *value, const char *rule)
{
    ft_buf_printf(&r->notes, "  %s %s: %s\n", name, value, rule);
    ft_buf_putz(&r->resolved, r->resolved.n ? ",\n    " : "\n    ");
    ft_json_put_strz(&r->resolved, name);
    ft_buf_printf(&r->resolved, ": {\"value\": %s, \"rule\": ", value);
    ft_json_put_strz(&r->resolved, rule);
    ft_buf_putc(&r->resolved, '}');
}

static void note_real(struct ft_recipe *r, const char *name, double v, const char *rule)
{
    char text[40];
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(text, sizeof text, "%.0f", v);
    else
        text[ft_real_repr(text, v)] = 0;
    note_json(r, name, text, rule);
}

static void preset(struct ft_recipe *r, double *to, const char *name, double v, const char *rule)
{
    if (isnan(*to)) {
        *to = v;
        note_real(r, name, v, rule);
    }
}

static uint64_t at_least_1(double x) { return x < 1 ? 1 : (uint64_t)x; }
static uint64_t divide_up(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/* Rows of a step, and how they are cut into micro-batches. */
static void choose_batch(struct ft_recipe *r, const struct ft_facts *f)
{
    const double mean = (double)f->tokens / (double)f->rows;
    const uint64_t by_tokens = at_least_1(STEP_TOKENS / mean);
    uint64_t rows = by_tokens < f->rows ? by_tokens : f->rows;
    char rule[160];

    if (r->max_steps < 0) {
        const uint64_t by_steps = at_least_1((double)f->rows * r->epochs / MIN_STEPS);
        if (rows > by_steps)
            rows = by_steps;
    }
    const uint64_t micro = at_least_1(MICRO_TOKENS / (double)f->max_row);
    if (!r->batch_rows) {
        r->batch_rows = r->accumulation ? rows / r->accumulation : rows;
        if (r->batch_rows > micro)
            r->batch_rows = micro;
        if (!r->batch_rows)
            r->batch_rows = 1;
        snprintf(rule, sizeof rule, "rows of at most %" PRIu64 " tokens, about %d tokens a micro-batch", f->max_row, MICRO_TOKENS);
        note_real(r, "per_device_train_batch_size", (double)r->batch_rows, rule);
    }
    if (!r->accumulation) {
        r->accumulation = at_least_1((double)rows / (double)r->batch_rows);
        if (rows == f->rows)
            snprintf(rule, sizeof rule, "all %" PRIu64 " rows a step, about %d tokens were wanted", f->rows, STEP_TOKENS);
        else if (rows < by_tokens)
            snprintf(rule, sizeof rule, "so that the run has %d steps, else about %d tokens a step", MIN_STEPS, STEP_TOKENS);
        else
            snprintf(rule, sizeof rule, "about %d tokens a step", STEP_TOKENS);
        note_real(r, "gradient_accumulation_steps", (double)r->accumulation, rule);
    }
    if (!r->eval_rows)
        r->eval_rows = r->batch_rows;
}

/* A number of steps, or a share of all below 1. */
static int64_t every(double given, int64_t total)
{
    return given < 1 ? (int64_t)ceil(given * (double)total) : (int64_t)given;
}

static int check(const struct ft_recipe *r, struct ft_err *e)
{
    if (!(r->lr > 0 && r->lr <= 10))
        return ft_fail(e, FT_USAGE, "'--learning-rate' %g is not in (0,10]", r->lr);
    if (!(r->beta1 >= 0 && r->beta1 < 1 && r->beta2 >= 0 && r->beta2 < 1 && r->eps > 0))
        return ft_fail(e, FT_USAGE, "'--adam-beta1', '--adam-beta2' want [0,1), '--adam-epsilon' more than 0");
    if (!(r->decay >= 0 && r->decay <= 10))
        return ft_fail(e, FT_USAGE, "'--weight-decay' %g is not in [0,10]", r->decay);
    if (!(r->max_norm >= 0))
        return ft_fail(e, FT_USAGE, "'--max-grad-norm' is negative");
    if (!(r->warmup >= 0 && r->warmup <= 1e12))
        return ft_fail(e, FT_USAGE, "'--warmup-steps' %g is no number of steps and no share of them", r->warmup);
    if (!(r->epochs > 0 && r->epochs <= 1e6))
        return ft_fail(e, FT_USAGE, "'--num-train-epochs' %g is not in (0,1e6]", r->epochs);
    if (r->max_steps == 0 || r->max_steps < -1)
        return ft_fail(e, FT_USAGE, "'--max-steps' wants a number above 0, or -1");
    if (r->logging_steps <= 0 || r->eval_steps <= 0 || r->save_steps <= 0)
        return ft_fail(e, FT_USAGE, "'--logging-steps', '--eval-steps' and '--save-steps' want numbers above 0");
    if (!isnan(r->patience) && (!(r->patience >= 1) || r->patience != floor(r->patience)))
        return ft_fail(e, FT_USAGE, "'--early-stopping-patience' wants a number of evaluations");
    if (r->batch_rows > 1u << 30 || r->accumulation > 1u << 30 || r->eval_rows > 1u << 30)
        return ft_fail(e, FT_USAGE, "batches of more than 2^30");
    return 0;
}

int ft_recipe_resolve(struct ft_recipe *r, const struct ft_facts *f, struct ft_err *e)
{
    const char *what = f->scratch ? "from random weights" : f->pretrain ? f->lora ? "continued pre-training, LoRA" : "continued pre-training, full weights"
                                  : f->lora ? "SFT, LoRA" : "SFT, full weights";
    char rule[160];

    preset(r, &r->lr, "learning_rate", f->scratch ? 1e-3 : f->pretrain ? f->lora ? 1e-4 : 2e-5 : f->lora ? 2e-4 : 2e-5, what);
    preset(r, &r->beta2, "adam_beta2", f->scratch ? .95 : .999, f->scratch ? what : "transformers'");
    preset(r, &r->decay, "weight_decay", f->scratch ? .1 : 0, f->scratch ? what : "transformers'");
    preset(r, &r->warmup, "warmup_steps", .03, "a share of all steps");
    if (r->max_steps < 0 || !isnan(r->epochs))
        preset(r, &r->epochs, "num_train_epochs", f->pretrain ? 1 : 3, f->pretrain ? "pre-training" : "SFT");
    const bool steps_given = r->max_steps > 0;
    if (isnan(r->epochs))
        r->epochs = 1; /* not used: max_steps decides */
    if (check(r, e))
        return -1;
    choose_batch(r, f);

    r->per_epoch = divide_up(f->rows, r->batch_rows);
    r->updates = divide_up(r->per_epoch, r->accumulation);
    if (!steps_given) {
        const double steps = ceil(r->epochs * (double)r->updates);
        if (steps > 1e15)
            return ft_fail(e, FT_USAGE, "%g steps are too many", steps);
        r->max_steps = (int64_t)steps;
        snprintf(rule, sizeof rule, "%g epochs of %" PRIu64, r->epochs, r->updates);
        note_real(r, "max_steps", (double)r->max_steps, rule);
    }
    r->schedule.base = r->lr;
    r->schedule.total = r->max_steps;
    r->schedule.warmup = ft_warmup_steps(r->warmup, r->max_steps);
    if (ft_schedule_check(&r->schedule, e))
        return -1;

    const int64_t tenth = r->max_steps >= 10 ? r->max_steps / 10 : 1;
    preset(r, &r->logging_steps, "logging_steps", (double)(tenth < 10 ? tenth : 10), "10, or a tenth of the run");
    r->log_every = every(r->logging_steps, r->max_steps);
    const int64_t epoch = (int64_t)r->updates;
    if (f->eval_rows && r->eval_strategy == FT_WHEN_STEPS) {
        preset(r, &r->eval_steps, "eval_steps", (double)tenth, "ten times a run");
        r->eval_every = every(r->eval_steps, r->max_steps);
    }
    if (f->eval_rows && r->eval_strategy == FT_WHEN_EPOCH)
        r->eval_every = epoch;
    if (r->save_strategy == FT_WHEN_STEPS) {
        preset(r, &r->save_steps, "save_steps", (double)(r->eval_every ? r->eval_every : tenth),
               r->eval_every ? "with each evaluation" : "ten times a run");
        r->save_every = every(r->save_steps, r->max_steps);
    }
    if (r->save_strategy == FT_WHEN_EPOCH)
        r->save_every = epoch;
    return 0;
}

void ft_recipe_put(const struct ft_recipe *r, struct ft_buf *b)
{
    static const char *const metrics[] = {"eval_loss_per_token", "eval_loss"};
    const struct ft_schedule *s = &r->schedule;
    const struct {
        const char *name;
        double v;
    } reals[] = {
        {"learning_rate", r->lr}, {"weight_decay", r->decay}, {"adam_beta1", r->beta1}, {"adam_beta2", r->beta2},
        {"adam_epsilon", r->eps}, {"max_grad_norm", r->max_norm}, {"num_cycles", s->num_cycles}, {"lr_end", s->lr_end},
        {"power", s->power}, {"min_lr_rate", s->min_lr_rate}, {"warmup_lr_rate", s->warmup_lr_rate},
        {"early_stopping_patience", r->patience}, {"early_stopping_threshold", r->patience_threshold},
    };
    const struct {
        const char *name;
        int64_t v;
    } ints[] = {
        {"per_device_train_batch_size", (int64_t)r->batch_rows}, {"gradient_accumulation_steps", (int64_t)r->accumulation},
        {"per_device_eval_batch_size", (int64_t)r->eval_rows}, {"max_steps", r->max_steps}, {"warmup_steps", s->warmup},
        {"timescale", s->timescale}, {"num_decay_steps", s->decay_steps}, {"num_stable_steps", s->stable_steps},
        {"seed", (int64_t)r->seed}, {"logging_steps", r->log_every}, {"eval_steps", r->eval_every},
    };
    static const char *const types = FT_SCHEDULE_NAMES, *const ramps = FT_RAMP_NAMES;
    const struct {
        const char *name, *words;
        int i;
    } words[] = {
        {"lr_scheduler_type", types, (int)s->type}, {"warmup_type", ramps, (int)s->warmup_type},
        {"decay_type", ramps, (int)s->decay_type}, {"train_sampling_strategy", "random|sequential", r->sampling},
    };

    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        ft_buf_printf(b, "\"%s\": ", reals[i].name);
        ft_json_put_real(b, reals[i].v);
        ft_buf_putz(b, ", ");
    }
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        ft_buf_printf(b, "\"%s\": %" PRId64 ", ", ints[i].name, ints[i].v);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *w = words[i].words;
        for (int k = words[i].i; k > 0; k--)
            w += strcspn(w, "|") + 1;
        ft_buf_printf(b, "\"%s\": \"%.*s\", ", words[i].name, (int)strcspn(w, "|"), w);
    }
    ft_buf_printf(b, "\"metric_for_best_model\": \"%s\"", metrics[r->metric]);
}

void ft_recipe_release(struct ft_recipe *r)
{
    ft_buf_release(&r->notes);
    ft_buf_release(&r->resolved);
}
