/* job.h -- one training run from data and base to its outputs.
 *
 * The tool fills in what was asked for; the job makes the model, takes or goes on
 * with the run's folder, trains, and writes the outputs and run.json.
 */
#ifndef FT_TRAINER_JOB_H
#define FT_TRAINER_JOB_H

#include "pipeline/cli.h"
#include "trainer/loop.h"
#include "trainer/output.h"

struct ft_job {
    const struct ft_tool *tool; /* whose name warnings begin with */
    const char *objective;      /* "pretrain", "sft" */
    const char *out;            /* folder of the run */
    bool resume, force, quiet;
    uint64_t threads;
    struct ft_str options;      /* as given: a JSON object for run.json */
    struct ft_recipe recipe;

    struct ft_base base;        /* no weights: from random ones */
    char *tokenizer;            /* folder whose files come along, or NULL */
    const char *name;           /* what an adapter records as its base */
    struct ft_hf_change changes[4]; /* to the config.json that is written */
    size_t n_changes;
    const char *adapter;        /* to go on with, or NULL */
    struct ft_lora_config lora;
    bool has_lora;
    bool ends;                  /* the base's config has other end tokens than its files say */

    const char *data, *eval_data; /* folders; eval_data NULL: held out, or none */
    double held;
    struct ft_set *set, *eval_set;
    struct ft_rows train, eval;
    bool has_eval;

    /* Private. */
    struct ft_backend backend;
    struct ft_model *model;
    int slot;
};

/* 0; 1 when *stop was set and a checkpoint of that moment is saved; -1. Until all
 * that can be refused was accepted, the run's folder is not touched. */
int ft_job_run(struct ft_job *j, const volatile int *stop, struct ft_err *e);
/* Everything of the job, what the tool opened included. */
void ft_job_release(struct ft_job *j);

/* ---- job_record.c ---- */

/* Everything that decides the result, as one JSON object. */
int ft_job_recipe(const struct ft_job *j, struct ft_buf *out, struct ft_err *e);
/* Writes run.json; `end` NULL: the run has only begun. */
int ft_job_record(const struct ft_job *j, const struct ft_identity *id, const struct ft_progress *end, struct ft_err *e);
void ft_job_parameters(const struct ft_job *j, int64_t *all, int64_t *trainable);

#endif
