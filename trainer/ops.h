/* ops.h -- the operators: everything a backend computes.
 *
 * Letters: T tokens of a micro-batch, C channels, V vocabulary, H query heads,
 * K key/value heads, D channels of a head, F feed-forward width, N targets.
 *
 * Outputs come first, then inputs, then sizes. A backward operator has the sign
 * `+=` where it accumulates and `=` where it overwrites. A tensor whose p is
 * NULL is an output nobody wants or an input that is absent; where that is
 * allowed the comment says so. Outputs never overlap inputs unless said.
 *
 * Every operator's bytes depend on its inputs and their shapes alone, not on
 * threads. `plain` kernels (op_plain.c) are the definition, the others are
 * tested against them.
 */
#ifndef FT_TRAINER_OPS_H
#define FT_TRAINER_OPS_H

#include "trainer/backend.h"
#include "trainer/config.h"

/* The queries of one segment and the keys they may see. */
struct ft_attn_seg {
    ft_dim q, n;           /* first row of q and o, number of rows */
    const void *k, *v;     /* backend addresses of key and value 0; the values of K heads side by side */
    ft_dim stride, nk;     /* elements from a key to the next; keys: query i is key nk - n + i */
    void *dk, *dv;         /* backward: their gradients, laid out the same way */
    ft_dim dstride;
};

struct ft_attn {
    ft_dim heads, kv_heads, dim;
    float scale;   /* of q k^T: 1 / sqrt(D) */
    ft_dim window; /* 0: none; else a query sees itself and the window - 1 keys before it */
    const struct ft_attn_seg *seg;
    ft_dim segs;
};

/* What keys the dropout of a token: Philox counted by these and the channel. */
struct ft_drop {
    float p;
    uint64_t seed;
    uint32_t purpose, step;
};

/* AdamW as torch's (adamw.h gives the formula); t is 1 for the first step. */
struct ft_adamw {
    double lr, beta1, beta2, eps, decay;
    int64_t t;
    double grad_scale; /* multiplies the gradient first: clipping */
};

/* Sequences that are decoded together: op gemm says why. */
enum { FT_THIN = 16 };

struct ft_ops {
    /* ---- memory ---- */
    void *(*alloc)(struct ft_backend *b, size_t bytes); /* zeroed, 64-byte aligned; NULL: none left */
    void (*free)(struct ft_backend *b, void *p);
    void (*upload)(struct ft_backend *b, struct ft_tensor t, const void *host);   /* contiguous on the host */
    void (*download)(struct ft_backend *b, void *host, struct ft_tensor t); /* waits for what was enqueued */
    void (*zero)(struct ft_backend *b, struct ft_tensor t);
    void (*copy)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in);

    /* ---- linear algebra ---- */

    /* out[M,N] = alpha op(a) op(b) + beta out; op(a) is [M,K], a itself when
     * ta is false, its transpose else. beta 0 does not read out. Up to FT_THIN
     * rows of a b^T each depend on their own row of a only, whatever M. */
    void (*gemm)(struct ft_backend *be, struct ft_tensor out, float alpha, struct ft_tensor a, bool ta,
                 struct ft_tensor b, bool tb, float beta);
    /* out[T,C] += bias[1,C] in every row; and its gradient dbias += column sums. */
    void (*bias_fwd)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor bias);
    void (*bias_bwd)(struct ft_backend *b, struct ft_tensor dbias, struct ft_tensor dout);
    /* out += alpha in */
    void (*add)(struct ft_backend *b, struct ft_tensor out, float alpha, struct ft_tensor in);

    /* ---- layers ---- */

    /* out[T,C] = w[ids[t]]; dw[ids[t]] += dout[t]. ids [1,T] of I32. */
    void (*embed_fwd)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor w, struct ft_tensor ids);
    void (*embed_bwd)(struct ft_backend *b, struct ft_tensor dw, struct ft_tensor dout, struct ft_tensor ids);

    /* x = x + add first (add may be absent), then, for each group of C/groups
     * channels: out = x * rstd * w, rstd[T,groups] = 1 / sqrt(mean(x^2) + eps).
     * w [1,C/groups]. out may be x where nothing is to be kept. */
    void (*rmsnorm_fwd)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor rstd, struct ft_tensor x,
                        struct ft_tensor add, struct ft_tensor w, float eps, ft_dim groups);
    /* dx += ..., dw += ... (dw may be absent). dx may be dout: then dx = ... */
    void (*rmsnorm_bwd)(struct ft_backend *b, struct ft_tensor dx, struct ft_tensor dw, struct ft_tensor dout,
                        struct ft_tensor x, struct ft_tensor w, struct ft_tensor rstd, ft_dim groups);

    /* Rotates pairs (i, i + D/2) of each head of x[T,heads*D] in place by the
     * angles of its position: table[P,D] holds D/2 cosines, then D/2 sines.
     * pos [1,T] of I32. `back`: by the negative angles, the gradient. */
    void (*rope)(struct ft_backend *b, struct ft_tensor x, struct ft_tensor table, struct ft_tensor pos,
                 ft_dim heads, bool back);

    /* o[T,H*D] = softmax(scale q k^T + causal mask) v by segment and head; head h
     * reads key/value head h / (H/K). lse[T,H] = log-sum-exp of the scaled scores. */
    void (*attn_fwd)(struct ft_backend *b, struct ft_tensor o, struct ft_tensor lse, struct ft_tensor q,
                     const struct ft_attn *a);
    /* dq, and dk, dv of a->seg, = ... */
    void (*attn_bwd)(struct ft_backend *b, struct ft_tensor dq, struct ft_tensor dout, struct ft_tensor o,
                     struct ft_tensor lse, struct ft_tensor q, const struct ft_attn *a);

    /* out[T,F] = act(gu[:, :F]) * gu[:, F:] */
    void (*glu_fwd)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor gu, enum ft_act act);
    /* dgu[T,2F] = ... */
    void (*glu_bwd)(struct ft_backend *b, struct ft_tensor dgu, struct ft_tensor dout, struct ft_tensor gu,
                    enum ft_act act);

    /* out[T,C] = in with elements zeroed with probability p, the others divided
     * by 1 - p. keys[T,4] of I32: document (low, high), position, unused. `acc`: out += */
    void (*dropout)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor keys,
                    const struct ft_drop *d, bool acc);

    /* ---- head ---- */

    /* out[i] = in[rows[i]]; and out[rows[i]] = in[i]. rows [1,N] of I32, distinct. */
    void (*gather)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows);
    void (*scatter)(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows);

    /* Rows of logits[N,V] against target[1,N] (I32): score[N,4] = log p of the
     * target, entropy, log-sum-exp, 1 if the target is the first maximum. Where
     * dlogp[1,N] is given, logits become the gradient: dlogp * (onehot - p). */
    void (*xent)(struct ft_backend *b, struct ft_tensor score, struct ft_tensor logits, struct ft_tensor target,
                 struct ft_tensor dlogp);

    /* ---- optimizer ---- */

    /* Sum of squares, in double, fixed order. Waits. */
    double (*sumsq)(struct ft_backend *b, struct ft_tensor t);
    /* One update of w in place; m and v are its moments, g its gradient, all alike in shape. */
    void (*adamw)(struct ft_backend *b, struct ft_tensor w, struct ft_tensor m, struct ft_tensor v,
                  struct ft_tensor g, const struct ft_adamw *c);
};

#endif
