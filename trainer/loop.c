#include "trainer/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the log ---- */

static int log_line(struct ft_loop *l, struct ft_buf *b, struct ft_err *e)
{
    ft_buf_putz(b, "}\n");
    for (size_t at = 0; at < b->n;) {
        const ssize_t k = write(l->log, b->p + at, b->n - at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot write '%s/log.jsonl'", l->run);
        at += (size_t)k;
    }
    l->progress.log_bytes += b->n;
    return 0;
}

static void put(struct ft_buf *b, const char *name, double v)
{
    ft_buf_printf(b, ", \"%s\": ", name);
    ft_json_put_real(b, v);
}

static double epoch_of(const struct ft_loop *l)
{
    const struct ft_recipe *r = l->recipe;
    const uint64_t e = (uint64_t)l->progress.step / r->updates, k = (uint64_t)l->progress.step % r->updates;
    return (double)e + (double)(k * r->accumulation) / (double)r->per_epoch;
}

static void begin(const struct ft_loop *l, struct ft_buf *b)
{
    ft_buf_printf(b, "{\"step\": %" PRId64, l->progress.step);
    put(b, "epoch", epoch_of(l));
}

static int log_training(struct ft_loop *l, double norm, double lr, struct ft_err *e)
{
    struct ft_progress *p = &l->progress;
    struct ft_buf b = {0};
    const double loss = p->loss_sum / (double)p->loss_steps, batches = (double)p->micro_batches, t = now();
    begin(l, &b);
    put(&b, "loss", loss);
    put(&b, "grad_norm", norm);
    put(&b, "learning_rate", lr);
    put(&b, "entropy", p->entropy_sum / batches);
    ft_buf_printf(&b, ", \"num_tokens\": %" PRId64, p->num_tokens);
    put(&b, "mean_token_accuracy", p->accuracy_sum / batches);
    const int r = log_line(l, &b, e);
    ft_buf_release(&b);
    if (!l->quiet)
        fprintf(stderr, "step %" PRId64 "/%" PRId64 "  loss %.4f  norm %.3g  lr %.3g  %.0f tok/s\n", p->step, l->recipe->max_steps,
                loss, norm, lr, (double)(p->num_tokens - l->since_tokens) / (t - l->since + 1e-9));
    p->loss_sum = p->entropy_sum = p->accuracy_sum = 0;
    p->loss_steps = p->micro_batches = 0;
    l->since = t;
    l->since_tokens = p->num_tokens;
    return r;
}

/* ---- evaluation ---- */

static int evaluate(struct ft_loop *l, struct ft_err *e)
{
    const struct ft_recipe *r = l->recipe;
    struct ft_progress *p = &l->progress;
    struct ft_evaluation v;
    struct ft_buf b = {0};
    const double start = now();

    if (ft_evaluate(l->model, l->eval, r->eval_rows, &l->feed, &v, e))
        return -1;
    const double loss = ft_evaluation_loss(&v), metric = r->metric == FT_METRIC_LOSS ? v.row_loss : loss;
    if (!isfinite(loss))
        return ft_fail(e, FT_DATA, "step %" PRId64 ": the evaluation loss is no finite number", p->step);
    begin(l, &b);
    put(&b, "eval_loss", v.row_loss);
    put(&b, "eval_loss_per_token", loss);
    put(&b, "eval_perplexity", exp(loss));
    put(&b, "eval_entropy", v.batch_entropy);
    put(&b, "eval_mean_token_accuracy", v.batch_accuracy);
    const int bad = log_line(l, &b, e);
    ft_buf_release(&b);

    const bool best = isnan(p->best) || metric < p->best;
    /* As EarlyStoppingCallback: it sees the best before this evaluation's. */
    if (isnan(p->best) || p->best - metric > r->patience_threshold)
        p->worse = 0;
    else
        p->worse++;
    if (best) {
        p->best = metric;
        p->best_step = p->step;
    }
    if (!isnan(r->patience) && p->worse >= (int64_t)r->patience)
        p->stopped = true;
    if (!l->quiet)
        fprintf(stderr, "step %" PRId64 "/%" PRId64 "  eval loss %.4f  perplexity %.4g%s\n", p->step, r->max_steps, loss, exp(loss),
                best ? "  best" : "");
    l->since += now() - start; /* evaluation is no training time */
    return bad;
}

/* ---- saving ---- */

static int save(struct ft_loop *l, struct ft_err *e)
{
    const double start = now();
    if (fdatasync(l->log))
        return ft_fail_errno(e, "cannot write '%s/log.jsonl'", l->run);
    if (ft_checkpoint_save(l->run, &l->progress, &l->identity, l->optim, l->save, l->save_ctx, e) ||
        ft_checkpoint_prune(l->run, (int64_t)l->recipe->save_limit, l->progress.best_step, e))
        return -1;
    l->since += now() - start;
    return 0;
}

/* ---- a step ---- */

/* Rows of micro-batch i of an epoch: [first, first + n). */
static uint64_t rows_of(const struct ft_loop *l, uint64_t i, uint64_t *n)
{
    const uint64_t first = i * l->recipe->batch_rows, left = l->train->n - first;
    *n = left < l->recipe->batch_rows ? left : l->recipe->batch_rows;
    return first;
}

static uint64_t row_at(const struct ft_loop *l, uint64_t epoch, uint64_t i)
{
    return ft_rows_at(l->train, l->recipe->sampling == 0, l->recipe->seed, epoch, i);
}

static int window_targets(const struct ft_loop *l, uint64_t epoch, uint64_t first, uint64_t end, uint64_t *sum, struct ft_err *e)
{
    *sum = 0;
    for (uint64_t k = first; k < end; k++) {
        uint64_t n;
        const uint64_t at = rows_of(l, k, &n);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t targets, tokens;
            if (ft_rows_count(l->train, row_at(l, epoch, at + i), &targets, &tokens, e))
                return -1;
            *sum += targets;
        }
    }
    return 0;
}

static int micro_batch(struct ft_loop *l, uint64_t epoch, uint64_t k, double scale, double *nll, struct ft_err *e)
{
    struct ft_progress *p = &l->progress;
    struct ft_loss loss;
    uint64_t n;
    const uint64_t at = rows_of(l, k, &n);

    ft_feed_start(&l->feed);
    for (uint64_t i = 0; i < n; i++)
        if (ft_feed_add(&l->feed, l->train, row_at(l, epoch, at + i), epoch, e))
            return -1;
    ft_feed_end(&l->feed);
    l->feed.batch.step = (uint64_t)p->step;
    if (ft_model_train(l->model, &l->feed.batch, scale, &loss, e))
        return -1;
    *nll += loss.nll;
    p->entropy_sum += loss.count ? loss.entropy / (double)loss.count : 0;
    p->accuracy_sum += loss.count ? (double)loss.greedy / (double)loss.count : 0;
    p->num_tokens += l->feed.batch.n;
    p->micro_batches++;
    return 0;
}

static int step(struct ft_loop *l, double *norm, double *lr, struct ft_err *e)
{
    const struct ft_recipe *r = l->recipe;
    struct ft_progress *p = &l->progress;
    const uint64_t epoch = (uint64_t)p->step / r->updates, first = (uint64_t)p->step % r->updates * r->accumulation;
    const uint64_t end = first + r->accumulation < r->per_epoch ? first + r->accumulation : r->per_epoch;
    uint64_t targets;
    double nll = 0;

    if (window_targets(l, epoch, first, end, &targets, e))
        return -1;
    const double scale = targets ? 1 / (double)targets : 1;
    ft_model_zero_grad(l->model);
    for (uint64_t k = first; k < end; k++)
        if (micro_batch(l, epoch, k, scale, &nll, e))
            return -1;
    const double loss = nll * scale;
    *norm = ft_optim_norm(l->optim);
    if (!isfinite(loss) || !isfinite(*norm))
        return ft_fail(e, FT_DATA, "step %" PRId64 ": %s is no finite number: a lower '--learning-rate' may help", p->step + 1,
                       isfinite(loss) ? "the gradient" : "the loss");
    *lr = ft_schedule_at(&r->schedule, p->step);
    if (ft_optim_step(l->optim, *lr, *norm, e))
        return -1;
    p->loss_sum += loss;
    p->loss_total += loss;
    p->loss_steps++;
    p->step++;
    return 0;
}

static bool due(int64_t step, int64_t every) { return every && step % every == 0; }

int ft_loop_run(struct ft_loop *l, struct ft_err *e)
{
    const struct ft_recipe *r = l->recipe;
    struct ft_progress *p = &l->progress;

    l->since = now();
    l->since_tokens = p->num_tokens;
    /* A kill may have come between a save and its pruning. */
    if (p->step > 0 && ft_checkpoint_prune(l->run, (int64_t)r->save_limit, p->best_step, e))
        return -1;
    while (p->step < r->max_steps && !p->stopped) {
        double norm = 0, lr = 0;
        if (step(l, &norm, &lr, e))
            return -1;
        const bool last = p->step == r->max_steps;
        /* The Trainer drops a tail shorter than logging_steps; we log it. */
        if ((p->step % r->log_every == 0 || last) && log_training(l, norm, lr, e))
            return -1;
        const int64_t best = p->best_step;
        if (l->eval && (due(p->step, r->eval_every) || last) && evaluate(l, e))
            return -1;
        const bool stop = l->stop && *l->stop && !last && !p->stopped;
        if (p->stopped && p->loss_steps && log_training(l, norm, lr, e))
            return -1;
        if ((due(p->step, r->save_every) || last || p->stopped || stop || p->best_step != best) && save(l, e))
            return -1;
        if (stop)
            return 1;
    }
    return 0;
}

void ft_loop_release(struct ft_loop *l) { ft_feed_release(&l->feed); }
