/* cpu.h -- inside of the CPU backend; for cpu.c and op_*.c. */
#ifndef FT_TRAINER_CPU_H
#define FT_TRAINER_CPU_H

#include "trainer/kern.h"
#include "trainer/team.h"

enum {
    CPU_WORK = 4 << 20,    /* floats of scratch for sums over chunks, shared */
    CPU_OWN = 2 * 64 * 512, /* floats of scratch of each thread: op_attn.c's blocks */
};

struct ft_cpu {
    const struct ft_kernels *k;
    struct ft_team *team;
    float *work;  /* CPU_WORK */
    float **own;  /* [threads] CPU_OWN each */
    char isa[16], provider[96], slow[160];
};

static inline struct ft_cpu *ft_cpu(const struct ft_backend *b) { return b->self; }
static inline float *ft_f32(struct ft_tensor t) { return t.p; }

/* Runs fn over [0, rows) in chunks that depend on `rows` and the cost of one
 * (in elements touched) alone. */
typedef void ft_rows_fn(const struct ft_cpu *c, void *ctx, ft_dim first, ft_dim n, int worker);
void ft_cpu_rows(struct ft_backend *b, ft_rows_fn *fn, void *ctx, ft_dim rows, ft_dim cost);

/* Sums over rows: fn adds its chunk's share to out[width], which starts as zero;
 * the shares are added to `to` in the order of the chunks. */
typedef void ft_share_fn(const struct ft_cpu *c, void *ctx, float *out, ft_dim first, ft_dim n);
void ft_cpu_shares(struct ft_backend *b, ft_share_fn *fn, void *ctx, float *to, ft_dim rows, ft_dim width);

void ft_cpu_gemm(struct ft_backend *be, struct ft_tensor out, float alpha, struct ft_tensor a, bool ta,
                 struct ft_tensor b, bool tb, float beta);
void ft_cpu_bias_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor bias);
void ft_cpu_bias_bwd(struct ft_backend *b, struct ft_tensor dbias, struct ft_tensor dout);
void ft_cpu_add(struct ft_backend *b, struct ft_tensor out, float alpha, struct ft_tensor in);
void ft_cpu_embed_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor w, struct ft_tensor ids);
void ft_cpu_embed_bwd(struct ft_backend *b, struct ft_tensor dw, struct ft_tensor dout, struct ft_tensor ids);
void ft_cpu_gather(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows);
void ft_cpu_scatter(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor rows);
void ft_cpu_rmsnorm_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor rstd, struct ft_tensor x,
                        struct ft_tensor add, struct ft_tensor w, float eps, ft_dim groups);
void ft_cpu_rmsnorm_bwd(struct ft_backend *b, struct ft_tensor dx, struct ft_tensor dw, struct ft_tensor dout,
                        struct ft_tensor x, struct ft_tensor w, struct ft_tensor rstd, ft_dim groups);
void ft_cpu_rope(struct ft_backend *b, struct ft_tensor x, struct ft_tensor table, struct ft_tensor pos, ft_dim heads,
                 bool back);
void ft_cpu_attn_fwd(struct ft_backend *b, struct ft_tensor o, struct ft_tensor lse, struct ft_tensor q,
                     const struct ft_attn *a);
void ft_cpu_attn_bwd(struct ft_backend *b, struct ft_tensor dq, struct ft_tensor dout, struct ft_tensor o,
                     struct ft_tensor lse, struct ft_tensor q, const struct ft_attn *a);
void ft_cpu_glu_fwd(struct ft_backend *b, struct ft_tensor out, struct ft_tensor gu, enum ft_act act);
void ft_cpu_glu_bwd(struct ft_backend *b, struct ft_tensor dgu, struct ft_tensor dout, struct ft_tensor gu,
                    enum ft_act act);
void ft_cpu_dropout(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in, struct ft_tensor keys,
                    const struct ft_drop *d, bool acc);
void ft_cpu_xent(struct ft_backend *b, struct ft_tensor score, struct ft_tensor logits, struct ft_tensor target,
                 struct ft_tensor dlogp);
double ft_cpu_sumsq(struct ft_backend *b, struct ft_tensor t);
void ft_cpu_adamw(struct ft_backend *b, struct ft_tensor w, struct ft_tensor m, struct ft_tensor v,
                  struct ft_tensor g, const struct ft_adamw *c);

/* The oracle: the same operators in plain loops on one thread (op_plain.c). */
extern const struct ft_ops ft_plain_ops;
/* Memory operators that both share (cpu.c). */
void *ft_cpu_alloc(struct ft_backend *b, size_t bytes);
void ft_cpu_free(struct ft_backend *b, void *p);
void ft_cpu_upload(struct ft_backend *b, struct ft_tensor t, const void *host);
void ft_cpu_download(struct ft_backend *b, void *host, struct ft_tensor t);
void ft_cpu_zero(struct ft_backend *b, struct ft_tensor t);
void ft_cpu_copy(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in);

#endif
