/* err.h -- how anything in tuneutils fails.
 *
 * A function that can fail takes `struct ft_err *` as its last argument and
 * returns 0 or -1 (iterators: 1 for an item, 0 at the end, -1). The struct
 * lives on the caller's stack, starts as {0} and keeps the FIRST failure, so
 * clean-up code may fail freely. Only `main` (through cli.h and stream.h)
 * prints. `assert` is for our own bugs, ft_fail for what a user gave us.
 */
#ifndef FT_PIPELINE_ERR_H
#define FT_PIPELINE_ERR_H

#include <stdint.h>

/* The values are the exit statuses of every tool. */
enum ft_code {
    FT_OK = 0,
    FT_DATA = 1,  /* the input is wrong */
    FT_USAGE = 2, /* the command line is wrong */
    FT_SYS = 3,   /* the system refused: read, write, memory */
};

struct ft_err {
    enum ft_code code;
    uint64_t byte; /* 1-based byte within the record or file; 0: not known */
    char msg[480]; /* lower case, no full stop, no newline */
    const char *rest; /* what follows msg where the whole is longer, in the record's memory; NULL */
};

#define FT_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Records a failure unless one is recorded already. `e` may be NULL.
 * Always returns -1, so that `return ft_fail(...)` reads well. */
int ft_fail(struct ft_err *e, enum ft_code code, const char *fmt, ...) FT_PRINTF(3, 4);

/* The same, at a 1-based byte of the record or file being read. */
int ft_fail_at(struct ft_err *e, enum ft_code code, uint64_t byte, const char *fmt, ...)
    FT_PRINTF(4, 5);

/* FT_SYS with ": " and the text of errno appended. */
int ft_fail_errno(struct ft_err *e, const char *fmt, ...) FT_PRINTF(2, 3);

/* Puts context before the recorded message ("manifest.json: " ...). No-op
 * when nothing failed. Returns -1. */
int ft_fail_in(struct ft_err *e, const char *fmt, ...) FT_PRINTF(2, 3);

/* Forgets the failure, for a caller that dealt with it. */
void ft_err_clear(struct ft_err *e);

/* Prints `out of memory` and exits with FT_SYS. Readers bound what they
 * accept before memory grows and writers rename into place, so an exit here
 * loses nothing that was promised. */
_Noreturn void ft_oom(void);

#endif
