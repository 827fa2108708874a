/* tensor.h -- what model code sees of numbers: where, what, which shape.
 *
 * Everything in a decoder is a matrix, [tokens, channels] or [out, in]; a
 * vector is one row. So a tensor is a matrix view: `rows` x `cols` elements,
 * neighbours in a row adjacent, `stride` elements from one row to the next.
 * Columns of a wider matrix (the q of [q|k|v]) are a view too.
 *
 * `p` is an address in the backend's memory. Only a backend reads or writes
 * behind it; model code makes views and hands them to operators (ops.h). On the
 * CPU backend it is an ordinary pointer, which loaders, optimizers and
 * checkpoints may use between steps (param.h).
 */
#ifndef FT_TRAINER_TENSOR_H
#define FT_TRAINER_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes and indices: 64 tokens x 1024 x 50304 is past 2^31. */
typedef ptrdiff_t ft_dim;

enum ft_dtype { FT_F32, FT_BF16, FT_F16, FT_I32, FT_U8, FT_DTYPES };
extern const char *const ft_dtype_names[FT_DTYPES]; /* safetensors': "F32" "BF16" ... */

static inline size_t ft_dtype_size(enum ft_dtype t)
{
    return t == FT_F32 || t == FT_I32 ? 4 : t == FT_U8 ? 1 : 2;
}

struct ft_tensor {
    void *p; /* NULL: absent */
    enum ft_dtype dtype;
    ft_dim rows, cols, stride;
};

static inline struct ft_tensor ft_matrix(void *p, ft_dim rows, ft_dim cols)
{
    return (struct ft_tensor){p, FT_F32, rows, cols, cols};
}

/* Address arithmetic only: nothing is read. */
static inline void *ft_tensor_at(struct ft_tensor t, ft_dim row, ft_dim col)
{
    return t.p ? (char *)t.p + (size_t)(row * t.stride + col) * ft_dtype_size(t.dtype) : NULL;
}
static inline struct ft_tensor ft_rows(struct ft_tensor t, ft_dim first, ft_dim n)
{
    return (struct ft_tensor){ft_tensor_at(t, first, 0), t.dtype, n, t.cols, t.stride};
}
static inline struct ft_tensor ft_cols(struct ft_tensor t, ft_dim first, ft_dim n)
{
    return (struct ft_tensor){ft_tensor_at(t, 0, first), t.dtype, t.rows, n, t.stride};
}
/* Of its elements, without the gaps between the rows of a view. */
static inline size_t ft_tensor_bytes(struct ft_tensor t)
{
    return (size_t)(t.rows * t.cols) * ft_dtype_size(t.dtype);
}

#endif
