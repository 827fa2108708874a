/* team.h -- the one thread pool: a fixed team that takes numbered tasks.
 *
 * Which thread takes which task is chance, so a task's result must depend on
 * its number alone. Work is cut by shapes, never by the number of threads: then
 * bytes do not depend on it either.
 */
#ifndef FT_TRAINER_TEAM_H
#define FT_TRAINER_TEAM_H

#include <stddef.h>

struct ft_team;

/* `threads` >= 1 counts the caller, who works too. */
struct ft_team *ft_team_new(int threads);
void ft_team_free(struct ft_team *t);
int ft_team_size(const struct ft_team *t);

/* Task i on thread `worker` (0..threads-1), for scratch of its own. */
typedef void ft_task_fn(void *ctx, ptrdiff_t i, int worker);
/* Runs fn(ctx, 0..n-1, .) and returns when all are done. Not reentrant. */
void ft_team_run(struct ft_team *t, ft_task_fn *fn, void *ctx, ptrdiff_t n);

#endif
