/* checkpoint.h -- a run's state on disk: complete, or not there.
 *
 *     RUN/checkpoint-N/
 *         adapter_model.safetensors, adapter_config.json   or  model.safetensors, config.json
 *         optimizer.safetensors    exp_avg.NAME, exp_avg_sq.NAME
 *         state.json               everything else, and size and digest of the files above
 *
 * A checkpoint is filled under `.saving`, synced and renamed; one to be removed is
 * renamed to `.removing` first. So `checkpoint-N` is always whole, whenever the
 * process was killed. Nothing in it depends on the number of threads or workers:
 * randomness is a function of seed, step and document, and needs no state.
 */
#ifndef FT_TRAINER_CHECKPOINT_H
#define FT_TRAINER_CHECKPOINT_H

#include "pipeline/json.h"
#include "trainer/adamw.h"

/* What a run knows beside weights and moments. */
struct ft_progress {
    int64_t step;          /* optimizer steps taken */
    double loss_sum;       /* of the steps since the last line of the log */
    int64_t loss_steps;
    double entropy_sum, accuracy_sum; /* means of the micro-batches since then */
    int64_t micro_batches;
    double loss_total;     /* of all steps */
    int64_t num_tokens;    /* seen so far */
    double best;           /* metric of the best evaluation; NaN: none yet */
    int64_t best_step;
    int64_t worse;         /* evaluations in a row that did not improve (early stopping) */
    bool stopped;          /* by early stopping */
    uint64_t log_bytes;    /* length of log.jsonl */
};

/* What must be the same for a run to go on. */
struct ft_identity {
    struct ft_str recipe;   /* JSON object: all that decides the result */
    struct ft_str numerics; /* binary, kernels, provider: the tuple for which bytes are promised */
};

/* Writes the model's files into a folder. */
typedef int ft_save_model_fn(void *ctx, const char *dir, struct ft_err *e);

/* Writes RUN/checkpoint-STEP, replacing one of that name. `save` writes the model's
 * files into the folder that is filled. FT_SYS. */
int ft_checkpoint_save(const char *run, const struct ft_progress *p, const struct ft_identity *id, const struct ft_optim *o,
                       ft_save_model_fn *save, void *ctx, struct ft_err *e);

/* The checkpoints of a run, in ascending order; *steps from malloc. A run folder
 * that is not there has none. */
int ft_checkpoint_list(const char *run, int64_t **steps, size_t *n, struct ft_err *e);

/* Reads RUN/checkpoint-STEP/state.json and verifies every file it names.
 * FT_DATA when something is damaged. The identity's strings are in `a`. */
int ft_checkpoint_read(const char *run, int64_t step, struct ft_arena *a, struct ft_progress *p, struct ft_identity *id,
                       struct ft_err *e);
/* From the text of a state.json; `files` may be NULL. */
int ft_checkpoint_parse(struct ft_str text, struct ft_arena *a, struct ft_progress *p, struct ft_identity *id,
                        const struct ft_json **files, struct ft_err *e);

/* Removes checkpoints from the oldest on until `limit` are left, never the newest
 * nor that of step `best` (transformers' save_total_limit). 0: no limit. */
int ft_checkpoint_prune(const char *run, int64_t limit, int64_t best, struct ft_err *e);
int ft_checkpoint_remove(const char *run, int64_t step, struct ft_err *e);
/* Removes what a killed process left half done. */
int ft_checkpoint_sweep(const char *run, struct ft_err *e);

/* "RUN/checkpoint-STEP", from malloc. */
char *ft_checkpoint_path(const char *run, int64_t step);

#endif
