/* kern.h -- the row kernels of the CPU backend, one table per ISA.
 *
 * Each works on some rows of an operator, on one thread; op_*.c cut the work.
 * `ld...` are elements from a row to the next.
 */
#ifndef FT_TRAINER_KERN_H
#define FT_TRAINER_KERN_H

#include "trainer/ops.h"

/* Rows of a block of attention scores against keys k0 .. k0 + cols - 1: row i
 * may see keys up to `at` + i, and no more than `window` of them (0: all). */
struct ft_mask {
    ft_dim at, k0, window;
};

struct ft_kernels {
    const char *isa;

    /* y[n] += a x[n] */
    void (*axpy)(float *y, float a, const float *x, ft_dim n);
    /* y[rows,cols] += b[cols]; out[cols] += column sums of x */
    void (*add_row)(float *y, ft_dim ldy, const float *b, ft_dim rows, ft_dim cols);
    void (*sum_rows)(float *out, const float *x, ft_dim ldx, ft_dim rows, ft_dim cols);

    void (*rmsnorm_fwd)(float *out, ft_dim ldo, float *rstd, float *x, ft_dim ldx, const float *add, ft_dim lda,
                        const float *w, float eps, ft_dim rows, ft_dim groups, ft_dim width);
    void (*rmsnorm_bwd)(float *dx, ft_dim lddx, float *dw, const float *dout, ft_dim lddo, const float *x, ft_dim ldx,
                        const float *w, const float *rstd, ft_dim rows, ft_dim groups, ft_dim width);
    void (*rope)(float *x, ft_dim ldx, const float *table, const int32_t *pos, ft_dim rows, ft_dim heads, ft_dim dim,
                 bool back);
    void (*glu_fwd)(float *out, ft_dim ldo, const float *gu, ft_dim ldg, ft_dim rows, ft_dim width, enum ft_act act);
    void (*glu_bwd)(float *dgu, ft_dim lddg, const float *dout, ft_dim lddo, const float *gu, ft_dim ldg, ft_dim rows,
                    ft_dim width, enum ft_act act);

    /* Scores become exp(s - top), 0 where hidden; top[i], sum[i] go on from the
     * chunk before and fade[i] = exp(old top - new top). */
    void (*soft_fwd)(float *s, ft_dim ld, ft_dim rows, ft_dim cols, const struct ft_mask *m, float *top, float *sum,
                     float *fade);
    /* Scores become p = exp(s - lse), dp becomes p * (dp - delta); 0 where hidden. */
    void (*soft_bwd)(float *s, float *dp, ft_dim ld, ft_dim rows, ft_dim cols, const struct ft_mask *m,
                     const float *lse, ft_dim ldl, const float *delta);
    /* x[i] *= by[i] */
    void (*scale_rows)(float *x, ft_dim ld, const float *by, ft_dim rows, ft_dim cols);
    /* out[i] = x[i] . y[i] */
    void (*dot_rows)(float *out, const float *x, ft_dim ldx, const float *y, ft_dim ldy, ft_dim rows, ft_dim cols);

    void (*xent)(float *score, float *logits, ft_dim ld, const int32_t *target, const float *dlogp, ft_dim rows,
                 ft_dim vocab);
    void (*dropout)(float *out, ft_dim ldo, const float *in, ft_dim ldi, const int32_t *keys, const struct ft_drop *d,
                    bool acc, ft_dim rows, ft_dim cols);

    /* out[m,n] = beta out + alpha x[m,:] . w[n,:]: few rows of x, any number of w */
    void (*thin)(float *out, ft_dim ldo, float alpha, const float *x, ft_dim ldx, const float *w, ft_dim ldw,
                 float beta, ft_dim m, ft_dim n, ft_dim k);
    /* out[d] = (add: out +) sum over n of p[i] v[i,:] */
    void (*mix)(float *out, const float *p, const float *v, ft_dim ldv, ft_dim n, ft_dim d, bool add);

    double (*sumsq)(const float *x, ft_dim n);
    void (*adamw)(float *w, float *m, float *v, const float *g, const struct ft_adamw *c, ft_dim n);
};

extern const struct ft_kernels ft_kern_generic;
#ifdef __x86_64__
extern const struct ft_kernels ft_kern_avx2, ft_kern_avx512;
#endif

#endif
