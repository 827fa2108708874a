/* loop.h -- training: rows in, updated weights, a log and checkpoints out.
 *
 * Counting is the Trainer's: an epoch is ceil(rows / batch) micro-batches and
 * ceil(that / accumulation) steps; a short last window of an epoch steps on its
 * own, and windows never span epochs. The loss of a step is the sum over all
 * targets of the window divided by their number, which is known before the first
 * gradient; so any split of the window into micro-batches gives the same step.
 *
 * Order within a step: gradients, norm, clipping, AdamW, log, evaluation, save.
 */
#ifndef FT_TRAINER_LOOP_H
#define FT_TRAINER_LOOP_H

#include "trainer/checkpoint.h"
#include "trainer/evaluate.h"
#include "trainer/recipe.h"
#include "trainer/rows.h"

struct ft_loop {
    /* Set by the caller; all borrowed. */
    const char *run; /* folder */
    const struct ft_recipe *recipe;
    struct ft_model *model;
    struct ft_optim *optim;
    struct ft_rows *train, *eval; /* eval: NULL, none */
    struct ft_identity identity;
    struct ft_progress progress;  /* where to start; moves on */
    ft_save_model_fn *save;
    void *save_ctx;
    bool quiet;
    int log; /* log.jsonl, open for appending at progress.log_bytes */
    const volatile int *stop; /* a signal wants us to end: checkpoint first; NULL: never */

    /* Private. */
    struct ft_feed feed;
    double since; /* clock at the last line of the log */
    int64_t since_tokens;
};

/* 0: all steps were taken (or early stopping ended the run: progress.stopped).
 * 1: *stop was set; a checkpoint of the present step is saved. -1: FT_DATA when
 * a loss or gradient is no finite number (nothing was updated by it), FT_SYS. */
int ft_loop_run(struct ft_loop *l, struct ft_err *e);
void ft_loop_release(struct ft_loop *l);

#endif
