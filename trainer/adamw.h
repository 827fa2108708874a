/* adamw.h -- gradient clipping and AdamW over a model's trainable parameters.
 *
 * One step t = 1, 2, ... of a parameter w with gradient g, as torch.optim.AdamW
 * (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019):
 *
 *     g = g * min(1, max_norm / (|g| + 1e-6))         |g| over all parameters
 *     w = w * (1 - lr * decay)                        decay where param.h says so
 *     m = beta1 m + (1 - beta1) g
 *     v = beta2 v + (1 - beta2) g^2
 *     w = w - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 */
#ifndef FT_TRAINER_ADAMW_H
#define FT_TRAINER_ADAMW_H

#include "trainer/decoder.h"
#include "trainer/ops.h"

struct ft_optim {
    struct ft_backend *b;
    struct ft_model *m;
    double beta1, beta2, eps, decay;
    double max_norm; /* 0: no clipping */
    int64_t t;       /* steps taken */
    int n;           /* trainable parameters, in the order of the table */
    int *param;
    struct ft_tensor *m1, *m2; /* first and second moments */
};

/* Moments for what is trainable, all zero. After ft_model_reserve. FT_SYS. */
int ft_optim_init(struct ft_optim *o, struct ft_backend *b, struct ft_model *m, struct ft_err *e);
void ft_optim_release(struct ft_optim *o); /* accepts all-zero */

/* The L2 norm of all gradients, before clipping; summed in double in the order
 * of the table. */
double ft_optim_norm(struct ft_optim *o);
/* One update; `norm` is what ft_optim_norm gave. */
int ft_optim_step(struct ft_optim *o, double lr, double norm, struct ft_err *e);

/* Moments as `exp_avg.NAME` and `exp_avg_sq.NAME` in a safetensors file. t is
 * not in it. Loading wants exactly these tensors. */
int ft_optim_save(const struct ft_optim *o, const char *path, struct ft_err *e);
int ft_optim_load(struct ft_optim *o, const char *path, struct ft_err *e);

#endif
