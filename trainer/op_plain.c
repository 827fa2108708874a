/* The definition of every operator: plain loops, one thread, sums in double
 * where that is no trouble. FT_ISA=plain runs a whole model on them; the tests
 * hold the fast kernels against them. */
#include <math.h>
#include <string.h>

#include "trainer/cpu.h"
#include "trainer/philox.h"

#define AT(t, r, c) (*(float *)ft_tensor_at(t, r, c))

static void gemm(struct ft_backend *be, struct ft_tensor out, float alpha, struct ft_tensor a, bool ta,
                 struct ft_tensor b, bool tb, float beta)
{
    const ft_dim K = ta ? a.rows : a.cols;

    (void)be;
    for (ft_dim m = 0; m < out.rows; m++)
        for (ft_dim n = 0; n < out.cols; n++) {
            double s = 0;
            for (ft_dim k = 0; k < K; k++)
                s += (double)(ta ? AT(a, k, m) : AT(a, m, k)) * (tb ? AT(b, n, k) : AT(b, k, n));
            AT(out, m, n) = (float)(alpha * s + (beta == 0 ? 0 : (double)beta * AT(out, m, n)));
        }
}

static void bias_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor bias)
{
    (void)b;
    for (ft_dim r = 0; r < out.rows; r++)
        for (ft_dim c = 0; c < out.cols; c++)
            AT(out, r, c) += AT(bias, 0, c);
}

static void bias_bwd(struct ft_backend *b, struct ft_tensor dbias, struct ft_tensor dout)
{
    (void)b;
    for (ft_dim c = 0; c < dout.cols; c++) {
        double s = 0;
        for (ft_dim r = 0; r < dout.rows; r++)
            s += AT(dout, r, c);
        AT(dbias, 0, c) += (float)s;
    }
}

static void add(struct ft_backend *b, struct ft_tensor out, float alpha, struct ft_tensor in)
{
    (void)b;
    for (ft_dim r = 0; r < out.rows; r++)
        for (ft_dim c = 0; c < out.cols; c++)
            AT(out, r, c) += alpha * AT(in, r, c);
}

static int32_t id(struct ft_tensor ids, ft_dim i) { return ((const int32_t *)ids.p)[i]; }

static void gather(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows)
{
    (void)b;
    for (ft_dim r = 0; r < out.rows; r++)
        for (ft_dim c = 0; c < out.cols; c++)
            AT(out, r, c) = AT(in, id(rows, r), c);
}

static void scatter(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows)
{
    (void)b;
    for (ft_dim r = 0; r < in.rows; r++)
        for (ft_dim c = 0; c < in.cols; c++)
            AT(out, id(rows, r), c) = AT(in, r, c);
}

static void embed_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor w, struct ft_tensor ids)
{
    gather(b, out, w, ids);
}

static void embed_bwd(struct ft_backend *b, struct ft_tensor dw, struct ft_tensor dout, struct ft_tensor ids)
{
    (void)b;
    for (ft_dim r = 0; r < dout.rows; r++)
        for (ft_dim c = 0; c < dout.cols; c++)
            AT(dw, id(ids, r), c) += AT(dout, r, c);
}

static void rmsnorm_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor rstd, struct ft_tensor x,
                        struct ft_tensor more, struct ft_tensor w, float eps, ft_dim groups)
{
    if (more.p)
        add(b, x, 1, more);
    for (ft_dim r = 0; r < x.rows; r++)
        for (ft_dim g = 0; g < groups; g++) {
            double s = 0;
            for (ft_dim c = g * w.cols; c < (g + 1) * w.cols; c++)
                s += (double)AT(x, r, c) * AT(x, r, c);
            s = 1 / sqrt(s / (double)w.cols + eps);
            AT(rstd, r, g) = (float)s;
            for (ft_dim c = 0; c < w.cols; c++)
                AT(out, r, g * w.cols + c) = (float)(AT(x, r, g * w.cols + c) * s) * AT(w, 0, c);
        }
}

static void rmsnorm_bwd(struct ft_backend *b, struct ft_tensor dx, struct ft_tensor dw, struct ft_tensor dout,
                        struct ft_tensor x, struct ft_tensor w, struct ft_tensor rstd, ft_dim groups)
{
    const ft_dim C = w.cols;
    const bool over = dx.p == dout.p;

    (void)b;
    for (ft_dim c = 0; dw.p && c < C; c++) {
        double sum = 0;
        for (ft_dim r = 0; r < x.rows; r++)
            for (ft_dim g = 0; g < groups; g++)
                sum += (double)AT(dout, r, g * C + c) * AT(x, r, g * C + c) * AT(rstd, r, g);
        AT(dw, 0, c) += (float)sum;
    }
    for (ft_dim r = 0; r < x.rows; r++)
        for (ft_dim g = 0; g < groups; g++) {
            const double s = AT(rstd, r, g);
            double mean = 0;
            for (ft_dim c = 0; c < C; c++)
                mean += (double)AT(dout, r, g * C + c) * AT(w, 0, c) * AT(x, r, g * C + c) * s;
            mean /= (double)C;
            for (ft_dim c = 0; c < C; c++) {
                const double n = AT(x, r, g * C + c) * s, d = AT(dout, r, g * C + c);
                const double v = s * (d * AT(w, 0, c) - n * mean);
                AT(dx, r, g * C + c) = (float)(v + (over ? 0 : AT(dx, r, g * C + c)));
            }
        }
}

static void rope(struct ft_backend *b, struct ft_tensor x, struct ft_tensor table, struct ft_tensor pos, ft_dim heads,
                 bool back)
{
    const ft_dim half = table.cols / 2;

    (void)b;
    for (ft_dim r = 0; r < x.rows; r++)
        for (ft_dim h = 0; h < heads; h++)
            for (ft_dim i = 0; i < half; i++) {
                const double c = AT(table, id(pos, r), i), s = (back ? -1 : 1) * (double)AT(table, id(pos, r), half + i);
                float *u = &AT(x, r, h * 2 * half + i), *v = u + half;
                const double uu = *u, vv = *v;
                *u = (float)(uu * c - vv * s);
                *v = (float)(vv * c + uu * s);
            }
}

/* ---- attention: the probability of key k for a query, straight from its row ---- */

static bool sees(const struct ft_attn *a, const struct ft_attn_seg *s, ft_dim q, ft_dim k)
{
    const ft_dim own = s->nk - s->n + q;
    return k <= own && (!a->window || k > own - a->window);
}

static double score(const struct ft_attn *a, const struct ft_attn_seg *s, struct ft_tensor q, ft_dim i, ft_dim h,
                    ft_dim k)
{
    const float *kk = (const float *)s->k + k * s->stride + h / (a->heads / a->kv_heads) * a->dim;
    double t = 0;

    for (ft_dim d = 0; d < a->dim; d++)
        t += (double)AT(q, s->q + i, h * a->dim + d) * kk[d];
    return t * a->scale;
}

static void attn_fwd(struct ft_backend *b, struct ft_tensor o, struct ft_tensor lse, struct ft_tensor q,
                     const struct ft_attn *a)
{
    (void)b;
    for (const struct ft_attn_seg *s = a->seg; s < a->seg + a->segs; s++)
        for (ft_dim i = 0; i < s->n; i++)
            for (ft_dim h = 0; h < a->heads; h++) {
                const ft_dim kv = h / (a->heads / a->kv_heads) * a->dim;
                double top = -INFINITY, sum = 0;
                for (ft_dim k = 0; k < s->nk; k++)
                    if (sees(a, s, i, k))
                        top = fmax(top, score(a, s, q, i, h, k));
                for (ft_dim k = 0; k < s->nk; k++)
                    if (sees(a, s, i, k))
                        sum += exp(score(a, s, q, i, h, k) - top);
                if (lse.p)
                    AT(lse, s->q + i, h) = (float)(top + log(sum));
                for (ft_dim d = 0; d < a->dim; d++)
                    AT(o, s->q + i, h * a->dim + d) = 0;
                for (ft_dim k = 0; k < s->nk; k++) {
                    if (!sees(a, s, i, k))
                        continue;
                    const double p = exp(score(a, s, q, i, h, k) - top) / sum;
                    for (ft_dim d = 0; d < a->dim; d++)
                        AT(o, s->q + i, h * a->dim + d) += (float)(p * ((const float *)s->v)[k * s->stride + kv + d]);
                }
            }
}

static void attn_bwd(struct ft_backend *b, struct ft_tensor dq, struct ft_tensor dout, struct ft_tensor o,
                     struct ft_tensor lse, struct ft_tensor q, const struct ft_attn *a)
{
    const ft_dim D = a->dim;

    (void)b;
    for (const struct ft_attn_seg *s = a->seg; s < a->seg + a->segs; s++) {
        for (ft_dim k = 0; k < s->nk; k++)
            for (ft_dim c = 0; c < a->kv_heads * D; c++)
                ((float *)s->dk)[k * s->dstride + c] = ((float *)s->dv)[k * s->dstride + c] = 0;
        for (ft_dim h = 0; h < a->heads; h++)
            for (ft_dim i = 0; i < s->n; i++) {
                const ft_dim kv = h / (a->heads / a->kv_heads) * D, at = s->q + i;
                double delta = 0;
                for (ft_dim d = 0; d < D; d++) {
                    delta += (double)AT(dout, at, h * D + d) * AT(o, at, h * D + d);
                    AT(dq, at, h * D + d) = 0;
                }
                for (ft_dim k = 0; k < s->nk; k++) {
                    if (!sees(a, s, i, k))
                        continue;
                    const float *kk = (const float *)s->k + k * s->stride + kv, *vv = (const float *)s->v + k * s->stride + kv;
                    float *dk = (float *)s->dk + k * s->dstride + kv, *dv = (float *)s->dv + k * s->dstride + kv;
                    const double p = exp(score(a, s, q, i, h, k) - AT(lse, at, h));
                    double dp = 0;
                    for (ft_dim d = 0; d < D; d++)
                        dp += (double)AT(dout, at, h * D + d) * vv[d];
                    const double ds = p * (dp - delta) * a->scale;
                    for (ft_dim d = 0; d < D; d++) {
                        AT(dq, at, h * D + d) += (float)(ds * kk[d]);
                        dk[d] += (float)(ds * AT(q, at, h * D + d));
                        dv[d] += (float)(p * AT(dout, at, h * D + d));
                    }
                }
            }
    }
}

/* ---- gated units ---- */

static double activate(double g, enum ft_act act, double *slope)
{
    if (act == FT_ACT_SILU) {
        const double s = 1 / (1 + exp(-g));
        *slope = s * (1 + g * (1 - s));
        return g * s;
    }
    if (act == FT_ACT_GELU_TANH) {
        const double c = sqrt(2 / M_PI), t = tanh(c * (g + 0.044715 * g * g * g));
        *slope = 0.5 * (1 + t) + 0.5 * g * (1 - t * t) * c * (1 + 3 * 0.044715 * g * g);
        return 0.5 * g * (1 + t);
    }
    const double cdf = 0.5 * (1 + erf(g / sqrt(2)));
    *slope = cdf + g * exp(-g * g / 2) / sqrt(2 * M_PI);
    return g * cdf;
}

static void glu_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor gu, enum ft_act act)
{
    double slope;

    (void)b;
    for (ft_dim r = 0; r < out.rows; r++)
        for (ft_dim c = 0; c < out.cols; c++)
            AT(out, r, c) = (float)(activate(AT(gu, r, c), act, &slope) * AT(gu, r, out.cols + c));
}

static void glu_bwd(struct ft_backend *b, struct ft_tensor dgu, struct ft_tensor dout, struct ft_tensor gu,
                    enum ft_act act)
{
    (void)b;
    for (ft_dim r = 0; r < dout.rows; r++)
        for (ft_dim c = 0; c < dout.cols; c++) {
            double slope;
            const double a = activate(AT(gu, r, c), act, &slope), d = AT(dout, r, c), u = AT(gu, r, dout.cols + c);
            AT(dgu, r, c) = (float)(d * u * slope);
            AT(dgu, r, dout.cols + c) = (float)(d * a);
        }
}

static void dropout(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor keys,
                    const struct ft_drop *d, bool acc)
{
    /* Bits, not numbers: one kernel is the definition of them all. */
    ft_kern_generic.dropout(out.p, out.stride, in.p, in.stride, keys.p, d, acc, out.rows, out.cols);
    (void)b;
}

static void xent(struct ft_backend *b, struct ft_tensor score_out, struct ft_tensor logits, struct ft_tensor target,
                 struct ft_tensor dlogp)
{
    (void)b;
    for (ft_dim r = 0; r < logits.rows; r++) {
        const ft_dim V = logits.cols, t = id(target, r);
        double top = -INFINITY, sum = 0, mean = 0;
        ft_dim best = 0;
        for (ft_dim c = 0; c < V; c++)
            if (AT(logits, r, c) > top) {
                top = AT(logits, r, c);
                best = c;
            }
        for (ft_dim c = 0; c < V; c++)
            sum += exp(AT(logits, r, c) - top);
        const double lse = top + log(sum);
        for (ft_dim c = 0; c < V; c++)
            mean += exp(AT(logits, r, c) - lse) * AT(logits, r, c);
        float *s = &AT(score_out, r, 0);
        s[0] = (float)(AT(logits, r, t) - lse);
        s[1] = (float)(lse - mean);
        s[2] = (float)lse;
        s[3] = best == t;
        if (dlogp.p)
            for (ft_dim c = 0; c < V; c++)
                AT(logits, r, c) = (float)(AT(dlogp, 0, r) * ((c == t) - exp(AT(logits, r, c) - lse)));
    }
}

static double sumsq(struct ft_backend *b, struct ft_tensor t)
{
    double s = 0;

    (void)b;
    for (ft_dim r = 0; r < t.rows; r++)
        for (ft_dim c = 0; c < t.cols; c++)
            s += (double)AT(t, r, c) * AT(t, r, c);
    return s;
}

static void adamw(struct ft_backend *b, struct ft_tensor w, struct ft_tensor m, struct ft_tensor v, struct ft_tensor g,
                  const struct ft_adamw *c)
{
    (void)b;
    for (ft_dim r = 0; r < w.rows; r++)
        for (ft_dim i = 0; i < w.cols; i++) {
            const double d = AT(g, r, i) * c->grad_scale;
            const double mm = c->beta1 * AT(m, r, i) + (1 - c->beta1) * d;
            const double vv = c->beta2 * AT(v, r, i) + (1 - c->beta2) * d * d;
            AT(m, r, i) = (float)mm;
            AT(v, r, i) = (float)vv;
            AT(w, r, i) = (float)(AT(w, r, i) * (1 - c->lr * c->decay) -
                                  c->lr / (1 - pow(c->beta1, (double)c->t)) * mm /
                                      (sqrt(vv) / sqrt(1 - pow(c->beta2, (double)c->t)) + c->eps));
        }
}

const struct ft_ops ft_plain_ops = {
    .alloc = ft_cpu_alloc,
    .free = ft_cpu_free,
    .upload = ft_cpu_upload,
    .download = ft_cpu_download,
    .zero = ft_cpu_zero,
    .copy = ft_cpu_copy,
    .gemm = gemm,
    .bias_fwd = bias_fwd,
    .bias_bwd = bias_bwd,
    .add = add,
    .embed_fwd = embed_fwd,
    .embed_bwd = embed_bwd,
    .rmsnorm_fwd = rmsnorm_fwd,
    .rmsnorm_bwd = rmsnorm_bwd,
    .rope = rope,
    .attn_fwd = attn_fwd,
    .attn_bwd = attn_bwd,
    .glu_fwd = glu_fwd,
    .glu_bwd = glu_bwd,
    .dropout = dropout,
    .gather = gather,
    .scatter = scatter,
    .xent = xent,
    .sumsq = sumsq,
    .adamw = adamw,
};
