/* rundir.h -- the folder of a run.
 *
 *     run.json        options, what was computed and why, data, model, result
 *     log.jsonl       a line each logging step and evaluation
 *     checkpoint-N/   checkpoint.h
 *     the adapter or model, when the run has ended
 */
#ifndef FT_TRAINER_RUNDIR_H
#define FT_TRAINER_RUNDIR_H

#include "trainer/checkpoint.h"

enum ft_run_start { FT_RUN_NEW, FT_RUN_FORCE, FT_RUN_RESUME };

struct ft_rundir {
    const char *path;
    int log;               /* log.jsonl, locked: one process a run */
    bool resumed;          /* from a checkpoint, whose progress and identity are: */
    struct ft_progress progress;
    struct ft_identity identity;
    int64_t damaged;       /* checkpoints passed over, the newest of which is */
    int64_t damaged_step;
    char damage[480];      /* and why */
    struct ft_arena mem;
};

/* FT_DATA when the folder holds a run or a model. */
int ft_rundir_unused(const char *path, struct ft_err *e);
/* Makes or takes the folder. NEW: FT_DATA when it holds a run. FORCE: removes the
 * run that it holds. RESUME: finds the newest checkpoint that is whole; none is no
 * failure, the run then begins. Takes nothing away before the caller has compared
 * identities: the log is cut by ft_rundir_begin. FT_DATA when another process
 * writes there. */
int ft_rundir_open(struct ft_rundir *r, const char *path, enum ft_run_start how, struct ft_err *e);
/* Cuts the log to what the checkpoint (or the start) knows, removes what a killed
 * process left and what lies behind the checkpoint that is resumed. */
int ft_rundir_begin(struct ft_rundir *r, struct ft_err *e);
void ft_rundir_close(struct ft_rundir *r);

/* FT_DATA naming the first member in which two recipes differ; 0 when they are
 * the same. */
int ft_rundir_compare(struct ft_str was, struct ft_str is, struct ft_err *e);

#endif
