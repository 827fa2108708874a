/* Norms, rotary positions, gated units, dropout, cross-entropy, the optimizer:
 * operators whose rows do not meet, or meet only in a sum. */
#include "trainer/cpu.h"

struct job {
    struct ft_tensor out, in, aux, w, rstd, dx, table, ids;
    ft_dim groups;
    float eps;
    bool flag;
    enum ft_act act;
    const struct ft_drop *drop;
};

/* ---- norms ---- */

static void norm_fwd(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->rmsnorm_fwd(ft_tensor_at(j->out, first, 0), j->out.stride, ft_f32(j->rstd) + first * j->groups,
                      ft_tensor_at(j->in, first, 0), j->in.stride, ft_tensor_at(j->aux, first, 0), j->aux.stride,
                      j->w.p, j->eps, n, j->groups, j->w.cols);
}

void ft_cpu_rmsnorm_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor rstd, struct ft_tensor x,
                        struct ft_tensor add, struct ft_tensor w, float eps, ft_dim groups)
{
    struct job j = {.out = out, .rstd = rstd, .in = x, .aux = add, .w = w, .eps = eps, .groups = groups};

    ft_cpu_rows(b, norm_fwd, &j, x.rows, 2 * groups * w.cols);
}

static void norm_bwd(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->rmsnorm_bwd(ft_tensor_at(j->dx, first, 0), j->dx.stride, NULL, ft_tensor_at(j->out, first, 0), j->out.stride,
                      ft_tensor_at(j->in, first, 0), j->in.stride, j->w.p, ft_f32(j->rstd) + first * j->groups, n,
                      j->groups, j->w.cols);
}

static void norm_bwd_share(const struct ft_cpu *c, void *arg, float *dw, ft_dim first, ft_dim n)
{
    const struct job *j = arg;

    c->k->rmsnorm_bwd(ft_tensor_at(j->dx, first, 0), j->dx.stride, dw, ft_tensor_at(j->out, first, 0), j->out.stride,
                      ft_tensor_at(j->in, first, 0), j->in.stride, j->w.p, ft_f32(j->rstd) + first * j->groups, n,
                      j->groups, j->w.cols);
}

void ft_cpu_rmsnorm_bwd(struct ft_backend *b, struct ft_tensor dx, struct ft_tensor dw, struct ft_tensor dout,
                        struct ft_tensor x, struct ft_tensor w, struct ft_tensor rstd, ft_dim groups)
{
    struct job j = {.dx = dx, .out = dout, .in = x, .w = w, .rstd = rstd, .groups = groups};

    if (dw.p)
        ft_cpu_shares(b, norm_bwd_share, &j, dw.p, x.rows, w.cols);
    else
        ft_cpu_rows(b, norm_bwd, &j, x.rows, 3 * groups * w.cols);
}

/* ---- rotary positions ---- */

static void rope_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->rope(ft_tensor_at(j->out, first, 0), j->out.stride, j->table.p, (const int32_t *)j->ids.p + first, n,
               j->groups, j->table.cols, j->flag);
}

void ft_cpu_rope(struct ft_backend *b, struct ft_tensor x, struct ft_tensor table, struct ft_tensor pos, ft_dim heads,
                 bool back)
{
    struct job j = {.out = x, .table = table, .ids = pos, .groups = heads, .flag = back};

    ft_cpu_rows(b, rope_rows, &j, x.rows, heads * table.cols);
}

/* ---- gated units ---- */

static void glu_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->glu_fwd(ft_tensor_at(j->out, first, 0), j->out.stride, ft_tensor_at(j->in, first, 0), j->in.stride, n,
                  j->out.cols, j->act);
}

void ft_cpu_glu_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor gu, enum ft_act act)
{
    struct job j = {.out = out, .in = gu, .act = act};

    ft_cpu_rows(b, glu_rows, &j, out.rows, 4 * out.cols);
}

static void glu_back_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->glu_bwd(ft_tensor_at(j->dx, first, 0), j->dx.stride, ft_tensor_at(j->out, first, 0), j->out.stride,
                  ft_tensor_at(j->in, first, 0), j->in.stride, n, j->out.cols, j->act);
}

void ft_cpu_glu_bwd(struct ft_backend *b, struct ft_tensor dgu, struct ft_tensor dout, struct ft_tensor gu,
                    enum ft_act act)
{
    struct job j = {.dx = dgu, .out = dout, .in = gu, .act = act};

    ft_cpu_rows(b, glu_back_rows, &j, dout.rows, 6 * dout.cols);
}

/* ---- dropout ---- */

static void drop_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->dropout(ft_tensor_at(j->out, first, 0), j->out.stride, ft_tensor_at(j->in, first, 0), j->in.stride,
                  (const int32_t *)j->ids.p + 4 * first, j->drop, j->flag, n, j->out.cols);
}

void ft_cpu_dropout(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor keys,
                    const struct ft_drop *d, bool acc)
{
    struct job j = {.out = out, .in = in, .ids = keys, .drop = d, .flag = acc};

    ft_cpu_rows(b, drop_rows, &j, out.rows, 4 * out.cols);
}

/* ---- cross-entropy ---- */

static void xent_rows(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct job *j = arg;

    (void)worker;
    c->k->xent(ft_f32(j->out) + 4 * first, ft_tensor_at(j->in, first, 0), j->in.stride,
               (const int32_t *)j->ids.p + first, j->aux.p ? ft_f32(j->aux) + first : NULL, n, j->in.cols);
}

void ft_cpu_xent(struct ft_backend *b, struct ft_tensor score, struct ft_tensor logits, struct ft_tensor target,
                 struct ft_tensor dlogp)
{
    struct job j = {.out = score, .in = logits, .ids = target, .aux = dlogp};

    ft_cpu_rows(b, xent_rows, &j, logits.rows, 3 * logits.cols);
}

/* ---- optimizer: a row of these is a run of 4096 elements ---- */

enum { RUN = 4096, SUMS = 1024 };

struct step {
    float *w, *m, *v;
    const float *g;
    const struct ft_adamw *c;
    ft_dim n;
    ft_dim run;
    double *sums;
};

static void square(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct step *j = arg;

    (void)worker;
    for (ft_dim i = first; i < first + n; i++) {
        const ft_dim left = j->n - i * j->run;
        j->sums[i] = c->k->sumsq(j->g + i * j->run, left < j->run ? left : j->run);
    }
}

double ft_cpu_sumsq(struct ft_backend *b, struct ft_tensor t)
{
    double sums[SUMS], s = 0;
    struct step j = {.g = t.p, .n = t.rows * t.cols, .sums = sums};

    /* Up to SUMS runs, whose sums are added in order. */
    j.run = (j.n + SUMS - 1) / SUMS;
    j.run = j.run < RUN ? RUN : j.run;
    const ft_dim runs = (j.n + j.run - 1) / j.run;
    ft_cpu_rows(b, square, &j, runs, j.run);
    for (ft_dim i = 0; i < runs; i++)
        s += sums[i];
    return s;
}

static void update(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim n, int worker)
{
    const struct step *j = arg;
    const ft_dim at = first * RUN, left = j->n - at, len = left < n * RUN ? left : n * RUN;

    (void)worker;
    c->k->adamw(j->w + at, j->m + at, j->v + at, j->g + at, j->c, len);
}

void ft_cpu_adamw(struct ft_backend *b, struct ft_tensor w, struct ft_tensor m, struct ft_tensor v,
                  struct ft_tensor g, const struct ft_adamw *c)
{
    struct step j = {.w = w.p, .m = m.p, .v = v.p, .g = g.p, .c = c, .n = w.rows * w.cols};

    ft_cpu_rows(b, update, &j, (j.n + RUN - 1) / RUN, 2 * RUN);
}
