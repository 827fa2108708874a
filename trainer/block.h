/* block.h -- where a plan's activations lie, and the passes over one decoder block.
 *
 *     x -> norm1 -> q,k,v -> (norms) -> rope -> attention -> o -> + x = mid
 *     mid -> norm2 -> gate,up -> act(gate) * up -> down -> + mid = next x
 */
#ifndef FT_TRAINER_BLOCK_H
#define FT_TRAINER_BLOCK_H

#include "trainer/decoder_priv.h"

enum ft_block_linear { FT_LIN_Q, FT_LIN_K, FT_LIN_V, FT_LIN_O, FT_LIN_GATE, FT_LIN_UP, FT_LIN_DOWN, FT_LINS };

/* What a block's forward pass leaves for its backward pass. Q, K: widths of all
 * query, key/value heads together. Without training, all blocks share one. */
struct ft_saved {
    struct ft_tensor x;                  /* [T,C] what came in */
    struct ft_tensor rstd1, norm1;       /* [T,1] [T,C] */
    struct ft_tensor qkv;                /* [T,Q+2K] rotated */
    struct ft_tensor raw, rstdq, rstdk;  /* with qk_norm: [T,Q+K] before the norms, [T,heads], [T,kv_heads] */
    struct ft_tensor att, lse;           /* [T,Q] [T,heads] */
    struct ft_tensor mid;                /* [T,C] x + attention */
    struct ft_tensor rstd2, norm2;       /* [T,1] [T,C] */
    struct ft_tensor gu, act;            /* [T,2F] [T,F] */
    struct ft_tensor z[FT_LINS][FT_SLOTS_MAX]; /* [T,r] x A^T of each adapter */
};

struct ft_layout {
    ft_dim tokens; /* of the plan */
    /* Uploaded with each batch. I32. */
    struct ft_tensor ids, pos;       /* [1,T] */
    struct ft_tensor keys;           /* [T,4] for dropout */
    struct ft_tensor table;          /* [positions,D] cosines and sines */
    struct ft_saved *saved;          /* [layers] */
    struct ft_tensor x[2];           /* [T,C] residual stream; without training, by turns */
    struct ft_tensor rstd, hidden;   /* [T,1] [T,C] behind the last norm */
    /* Backward, and scratch of adapters. */
    struct ft_tensor dx, dn, dqkv, datt, dgu, dact; /* as x, norm1, qkv, att, gu, act */
    struct ft_tensor dz;             /* [T,r] */
    struct ft_tensor drop;           /* [T,widest input] */
    /* Head: rows that have a target. */
    ft_dim chunk;                    /* rows of logits at a time */
    struct ft_tensor rows, target;   /* [1,T] I32 */
    struct ft_tensor dlogp;          /* [1,T] */
    struct ft_tensor picked, dpicked; /* [T,C] */
    struct ft_tensor logits;         /* [chunk,V] */
    struct ft_tensor score;          /* [T,4] */
    /* Key/value cache. */
    struct ft_tensor *cache_k, *cache_v; /* [layers]: [rows*length,K] */
    ft_dim *cache_used;              /* [rows] */
    /* Host memory. */
    struct ft_attn_seg *segs;        /* [T] */
    int32_t *host_ids;               /* [4 T] */
    float *host_f32;                 /* [4 T] */
    bool dropping;                   /* adapter dropout in this pass */
    uint32_t step;
};

void ft_layout_free(struct ft_model *m); /* and the gradients that lie in it */

/* Passes over n tokens. The attention segments of the batch are in
 * layout->segs; their keys and values are set per block. */
void ft_block_forward(struct ft_model *m, int layer, ft_dim n, const struct ft_batch *b, struct ft_tensor out);
/* layout->dx comes in as the gradient of the block's output and leaves as that
 * of its input; without `input` only what the linears need is computed. */
void ft_block_backward(struct ft_model *m, int layer, ft_dim n, const struct ft_batch *b, bool input);

/* y = x W^T + ... (linear.h); z [T,r] per slot is kept for the backward pass. */
void ft_linear_forward(struct ft_model *m, const struct ft_linear *l, struct ft_tensor y, struct ft_tensor x,
                       const struct ft_tensor *z);
/* dx = or += dy W + ...; parameters' gradients += ...; dx absent: not wanted. */
void ft_linear_backward(struct ft_model *m, const struct ft_linear *l, struct ft_tensor dx, bool add,
                        struct ft_tensor dy, struct ft_tensor x, const struct ft_tensor *z);

/* Cosines and sines of all positions (rope.c). table[positions, head_dim]. */
void ft_rope_table(const struct ft_config *c, float *table, ft_dim positions);

#endif
