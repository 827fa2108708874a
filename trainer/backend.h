/* backend.h -- where tensors live and operators run.
 *
 * A backend is a table of operators (ops.h) and memory. Operators enqueue: on
 * the CPU they have run when they return, on a GPU they need not have. A failure
 * is sticky: it is kept in `err`, later operators do nothing, and the host asks
 * at the points where it takes results (ft_backend_ok). Nothing is allocated
 * inside a step: memory comes from an ft_mem that was planned beforehand.
 */
#ifndef FT_TRAINER_BACKEND_H
#define FT_TRAINER_BACKEND_H

#include "pipeline/err.h"
#include "trainer/tensor.h"

struct ft_ops;

struct ft_backend {
    const struct ft_ops *op;
    const char *name;     /* "cpu" */
    const char *isa;      /* "avx512", "avx2", "generic"; "plain": the oracle kernels */
    const char *provider; /* of matrix products, with its kernel: "openblas 0.3.21 SkylakeX" */
    const char *slow;     /* what keeps it below this CPU's pace, for a warning; NULL: nothing known */
    struct ft_err err;
    void *self;
};

/* The CPU backend on `threads` threads (0: every CPU allowed). Results do not
 * depend on their number. FT_ISA in the environment forces a kernel level
 * ("plain", "generic", "avx2", "avx512"); one that the CPU lacks is FT_USAGE. */
int ft_backend_open(struct ft_backend *b, uint64_t threads, struct ft_err *e);
void ft_backend_close(struct ft_backend *b);

/* 0, or -1 with the sticky failure in *e. */
int ft_backend_ok(struct ft_backend *b, struct ft_err *e);

/* ---- planned memory ---- */

/* One block, filled from the start. With base NULL nothing is there yet and
 * allocation only counts, so that the same code plans and lays out. */
struct ft_mem {
    char *base;
    size_t used, cap;
};
/* `rows` x `cols`, 64-byte aligned, contents undefined. p is NULL while planning. */
struct ft_tensor ft_mem_tensor(struct ft_mem *m, enum ft_dtype t, ft_dim rows, ft_dim cols);
static inline struct ft_tensor ft_mem_f32(struct ft_mem *m, ft_dim rows, ft_dim cols)
{
    return ft_mem_tensor(m, FT_F32, rows, cols);
}

#endif
