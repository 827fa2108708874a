/* pipe_tail.h -- the end of a sealed pipe: passes data on and keeps the seal.
 *
 * Lines go out as they come, whole or in part; only what may be the beginning
 * of a seal waits. RECORD.md gives the seal's form.
 */
#ifndef FT_PIPELINE_PIPE_TAIL_H
#define FT_PIPELINE_PIPE_TAIL_H

#include "pipeline/hash.h"
#include "pipeline/json.h"

struct ft_tail {
    struct ft_buf buf;
    struct ft_hasher *hash; /* of the data passed on */
    uint64_t lines;
    struct ft_buf seal;     /* its line, empty when there was none */
    struct ft_arena mem;
    struct ft_json tree;    /* of the seal */
    bool ok;                /* the seal says so */
};

/* Copies `in` to `out` until its end; then *t tells about the seal. -1: a read
 * or write failed, data came behind the seal, or it is damaged. */
int ft_tail_copy(struct ft_tail *t, int in, int out, struct ft_err *e);
/* The stages of the seal, or NULL. */
const struct ft_json *ft_tail_stages(const struct ft_tail *t);
/* -1 when the seal is missing, not ok, or does not fit what was passed on. */
int ft_tail_check(const struct ft_tail *t, struct ft_err *e);
void ft_tail_release(struct ft_tail *t);

#endif
