/* Attention by blocks: 64 queries against up to 512 keys at a time, with a
 * running maximum and sum (Milakov and Gimelshein, "Online normalizer calculation
 * for softmax", 2018); the backward pass recomputes the scores of a block from
 * the saved log-sum-exp (Dao et al., FlashAttention, 2022). A segment's scores are never
 * held at once, and keys that a block cannot see are not touched. */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "trainer/cpu.h"

enum { BQ = 64, BK = 512 };

struct job {
    struct ft_tensor o, lse, q, dq, dout;
    const struct ft_attn *a;
};

static ft_dim min(ft_dim a, ft_dim b) { return a < b ? a : b; }

/* c[m,n] = alpha op(a) op(b) + beta c, plain row-major. */
static void mul(bool ta, bool tb, ft_dim m, ft_dim n, ft_dim k, float alpha, const float *a, ft_dim lda,
                const float *b, ft_dim ldb, float beta, float *c, ft_dim ldc)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n,
                (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

/* The keys that queries [q0, q0 + rows) of a segment see: [*lo, *hi). */
static struct ft_mask reach(const struct ft_attn *a, const struct ft_attn_seg *s, ft_dim q0, ft_dim rows, ft_dim *lo,
                            ft_dim *hi)
{
    const ft_dim at = s->nk - s->n + q0; /* own key of the first query */

    *lo = a->window && at - a->window + 1 > 0 ? at - a->window + 1 : 0;
    *hi = min(at + rows, s->nk);
    return (struct ft_mask){.at = at, .window = a->window};
}

static void fwd_block(const struct ft_cpu *c, const struct job *j, const struct ft_attn_seg *s, ft_dim head,
                      ft_dim q0, float *own)
{
    const struct ft_attn *a = j->a;
    const ft_dim D = a->dim, rows = min(BQ, s->n - q0), kv = head / (a->heads / a->kv_heads) * D;
    const float *q = ft_tensor_at(j->q, s->q + q0, head * D), *k = s->k, *v = s->v;
    float *o = ft_tensor_at(j->o, s->q + q0, head * D), *scores = own;
    float top[BQ], sum[BQ], by[BQ];
    ft_dim lo, hi;
    struct ft_mask m = reach(a, s, q0, rows, &lo, &hi);

    for (ft_dim r = 0; r < rows; r++) {
        top[r] = -INFINITY;
        sum[r] = 0;
    }
    for (ft_dim k0 = lo; k0 < hi; k0 += BK) {
        const ft_dim n = min(BK, hi - k0);
        const float *kk = k + k0 * s->stride + kv, *vv = v + k0 * s->stride + kv;
        m.k0 = k0;
        if (rows == 1) /* decoding: a product of matrices would pack more than it computes */
            c->k->thin(scores, n, a->scale, q, j->q.stride, kk, s->stride, 0, 1, n, D);
        else
            mul(false, true, rows, n, D, a->scale, q, j->q.stride, kk, s->stride, 0, scores, n);
        c->k->soft_fwd(scores, n, rows, n, &m, top, sum, by);
        if (k0 > lo)
            c->k->scale_rows(o, j->o.stride, by, rows, D);
        if (rows == 1)
            c->k->mix(o, scores, vv, s->stride, n, D, k0 > lo);
        else
            mul(false, false, rows, D, n, 1, scores, n, vv, s->stride, k0 > lo, o, j->o.stride);
    }
    for (ft_dim r = 0; r < rows; r++) {
        by[r] = 1 / sum[r];
        if (j->lse.p)
            *(float *)ft_tensor_at(j->lse, s->q + q0 + r, head) = top[r] + logf(sum[r]);
    }
    c->k->scale_rows(o, j->o.stride, by, rows, D);
}

/* Tasks: segment by segment, head by head, block by block. */
static void fwd_task(void *arg, ptrdiff_t i, int worker)
{
    const struct job *j = ((void **)arg)[1];
    const struct ft_cpu *c = ((void **)arg)[0];
    const struct ft_attn_seg *s = j->a->seg;
    ft_dim blocks;

    while (i >= (blocks = (s->n + BQ - 1) / BQ) * j->a->heads) {
        i -= blocks * j->a->heads;
        s++;
    }
    fwd_block(c, j, s, i / blocks, i % blocks * BQ, c->own[worker]);
}

void ft_cpu_attn_fwd(struct ft_backend *b, struct ft_tensor o, struct ft_tensor lse, struct ft_tensor q,
                     const struct ft_attn *a)
{
    struct job j = {.o = o, .lse = lse, .q = q, .a = a};
    void *arg[2] = {ft_cpu(b), &j};
    ft_dim tasks = 0;

    for (ft_dim i = 0; i < a->segs; i++)
        tasks += (a->seg[i].n + BQ - 1) / BQ * a->heads;
    ft_team_run(ft_cpu(b)->team, fwd_task, arg, tasks);
}

/* One block of queries of one head: its dq, and its part of dk and dv. */
static void bwd_block(const struct ft_cpu *c, const struct job *j, const struct ft_attn_seg *s, ft_dim head,
                      ft_dim q0, float *own)
{
    const struct ft_attn *a = j->a;
    const ft_dim D = a->dim, rows = min(BQ, s->n - q0), kv = head / (a->heads / a->kv_heads) * D, at = s->q + q0;
    const float *q = ft_tensor_at(j->q, at, head * D), *o = ft_tensor_at(j->o, at, head * D),
                *dout = ft_tensor_at(j->dout, at, head * D), *lse = ft_tensor_at(j->lse, at, head), *k = s->k,
                *v = s->v;
    float *dq = ft_tensor_at(j->dq, at, head * D), *p = own, *dp = own + BQ * BK, *dk = s->dk, *dv = s->dv;
    float delta[BQ];
    ft_dim lo, hi;
    struct ft_mask m = reach(a, s, q0, rows, &lo, &hi);

    c->k->dot_rows(delta, dout, j->dout.stride, o, j->o.stride, rows, D);
    for (ft_dim k0 = lo; k0 < hi; k0 += BK) {
        const ft_dim n = min(BK, hi - k0), sk = k0 * s->stride + kv, sd = k0 * s->dstride + kv;
        m.k0 = k0;
        mul(false, true, rows, n, D, a->scale, q, j->q.stride, k + sk, s->stride, 0, p, n);
        mul(false, true, rows, n, D, 1, dout, j->dout.stride, v + sk, s->stride, 0, dp, n);
        c->k->soft_bwd(p, dp, n, rows, n, &m, lse, j->lse.stride, delta);
        mul(true, false, n, D, rows, 1, p, n, dout, j->dout.stride, 1, dv + sd, s->dstride);
        mul(true, false, n, D, rows, a->scale, dp, n, q, j->q.stride, 1, dk + sd, s->dstride);
        mul(false, false, rows, D, n, a->scale, dp, n, k + sk, s->stride, k0 > lo, dq, j->dq.stride);
    }
}

/* Tasks: segment by segment, key/value head by head, so that the heads that
 * share one add to dk and dv in order. */
static void bwd_task(void *arg, ptrdiff_t i, int worker)
{
    const struct job *j = ((void **)arg)[1];
    const struct ft_cpu *c = ((void **)arg)[0];
    const struct ft_attn *a = j->a;
    const struct ft_attn_seg *s = &a->seg[i / a->kv_heads];
    const ft_dim kv = i % a->kv_heads, group = a->heads / a->kv_heads;

    for (ft_dim r = 0; r < s->nk; r++) {
        memset((float *)s->dk + r * s->dstride + kv * a->dim, 0, (size_t)a->dim * sizeof(float));
        memset((float *)s->dv + r * s->dstride + kv * a->dim, 0, (size_t)a->dim * sizeof(float));
    }
    for (ft_dim h = kv * group; h < (kv + 1) * group; h++)
        for (ft_dim q0 = 0; q0 < s->n; q0 += BQ)
            bwd_block(c, j, s, h, q0, c->own[worker]);
}

void ft_cpu_attn_bwd(struct ft_backend *b, struct ft_tensor dq, struct ft_tensor dout, struct ft_tensor o,
                     struct ft_tensor lse, struct ft_tensor q, const struct ft_attn *a)
{
    struct job j = {.o = o, .lse = lse, .q = q, .dq = dq, .dout = dout, .a = a};
    void *arg[2] = {ft_cpu(b), &j};

    ft_team_run(ft_cpu(b)->team, bwd_task, arg, a->segs * a->kv_heads);
}
