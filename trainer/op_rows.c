/* Operators that move or add rows: biases, sums, embeddings, gather, scatter. */
#include <string.h>

#include "trainer/cpu.h"

struct two {
    struct ft_tensor out, in, ids;
    float alpha;
};

static void bias_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct two *j = arg;

    (void)worker;
    c->k->add_row(ft_tensor_at(j->out, first, 0), j->out.stride, j->in.p, n, j->out.cols);
}

void ft_cpu_bias_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor bias)
{
    struct two j = {.out = out, .in = bias};

    ft_cpu_rows(b, bias_rows, &j, out.rows, out.cols);
}

static void bias_share(const struct ft_cpu *c, void *arg, float *out, ft_dim first, ft_dim n)
{
    const struct two *j = arg;

    c->k->sum_rows(out, ft_tensor_at(j->in, first, 0), j->in.stride, n, j->in.cols);
}

void ft_cpu_bias_bwd(struct ft_backend *b, struct ft_tensor dbias, struct ft_tensor dout)
{
    struct two j = {.in = dout};

    ft_cpu_shares(b, bias_share, &j, dbias.p, dout.rows, dout.cols);
}

static void add_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct two *j = arg;

    (void)worker;
    for (ft_dim r = first; r < first + n; r++)
        c->k->axpy(ft_tensor_at(j->out, r, 0), j->alpha, ft_tensor_at(j->in, r, 0), j->out.cols);
}

void ft_cpu_add(struct ft_backend *b, struct ft_tensor out, float alpha, struct ft_tensor in)
{
    struct two j = {.out = out, .in = in, .alpha = alpha};

    ft_cpu_rows(b, add_rows, &j, out.rows, out.cols);
}

static void take_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct two *j = arg;
    const int32_t *ids = j->ids.p;

    (void)c;
    (void)worker;
    for (ft_dim r = first; r < first + n; r++)
        memcpy(ft_tensor_at(j->out, r, 0), ft_tensor_at(j->in, ids[r], 0), (size_t)j->out.cols * sizeof(float));
}

void ft_cpu_gather(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows)
{
    struct two j = {.out = out, .in = in, .ids = rows};

    ft_cpu_rows(b, take_rows, &j, out.rows, out.cols);
}

void ft_cpu_embed_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor w, struct ft_tensor ids)
{
    ft_cpu_gather(b, out, w, ids);
}

static void put_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct two *j = arg;
    const int32_t *ids = j->ids.p;

    (void)c;
    (void)worker;
    for (ft_dim r = first; r < first + n; r++)
        memcpy(ft_tensor_at(j->out, ids[r], 0), ft_tensor_at(j->in, r, 0), (size_t)j->in.cols * sizeof(float));
}

void ft_cpu_scatter(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows)
{
    struct two j = {.out = out, .in = in, .ids = rows};

    ft_cpu_rows(b, put_rows, &j, in.rows, in.cols);
}

/* A token may occur in many rows, so a task takes columns, not rows: then each
 * sum runs over the rows in order. */
static void embed_cols(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct two *j = arg;
    const int32_t *ids = j->ids.p;

    (void)worker;
    for (ft_dim r = 0; r < j->in.rows; r++)
        c->k->axpy(ft_tensor_at(j->out, ids[r], first * 64), 1, ft_tensor_at(j->in, r, first * 64),
                   j->in.cols - first * 64 < n * 64 ? j->in.cols - first * 64 : n * 64);
}

void ft_cpu_embed_bwd(struct ft_backend *b, struct ft_tensor dw, struct ft_tensor dout, struct ft_tensor ids)
{
    struct two j = {.out = dw, .in = dout, .ids = ids};

    ft_cpu_rows(b, embed_cols, &j, (dout.cols + 63) / 64, dout.rows * 64);
}
