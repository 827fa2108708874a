/* config.h -- a decoder's sizes and variations, as read from config.json.
 *
 * One decoder block serves all families; what differs between them is here and
 * nowhere else. All zero is no valid config: ft_config_default sets what
 * transformers' LlamaConfig has, hf_config.h overlays a file, ft_config_check
 * rejects what does not fit together.
 */
#ifndef FT_TRAINER_CONFIG_H
#define FT_TRAINER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/err.h"

enum { FT_LAYERS_MAX = 512 };

enum ft_act { FT_ACT_SILU, FT_ACT_GELU_TANH, FT_ACT_GELU };

enum ft_rope_kind {
    FT_ROPE_DEFAULT,
    FT_ROPE_LINEAR,  /* inv_freq / factor */
    FT_ROPE_LLAMA3,  /* reference: modeling_rope_utils.py, _compute_llama3_parameters */
    FT_ROPE_YARN,    /* _compute_yarn_parameters */
};

/* transformers' rope_parameters (v5) or rope_theta + rope_scaling (v4). */
struct ft_rope {
    enum ft_rope_kind kind;
    double theta;                    /* 10000 */
    double factor;                   /* linear, llama3, yarn */
    double low_freq, high_freq;      /* llama3: low_freq_factor, high_freq_factor */
    double original_max;             /* llama3, yarn: original_max_position_embeddings; 0: max_positions */
    double beta_fast, beta_slow;     /* yarn: 32, 1 */
    double attention_factor;         /* yarn; 0: from factor, mscale, mscale_all_dim */
    double mscale, mscale_all_dim;   /* yarn; 0: absent */
    bool truncate;                   /* yarn: true */
};

struct ft_config {
    char family[32]; /* model_type: "llama", "mistral", "qwen2", "qwen3" */

    int64_t vocab, hidden, intermediate, layers;
    int64_t heads, kv_heads; /* heads is a multiple of kv_heads */
    int64_t head_dim;        /* need not be hidden / heads */
    int64_t max_positions;

    double norm_eps;
    enum ft_act act;
    struct ft_rope rope;
    bool tied;     /* the head's weight is model.embed_tokens.weight; no lm_head.weight */
    bool qkv_bias; /* q_proj, k_proj, v_proj have a bias (Qwen2; attention_bias of Llama) */
    bool o_bias;   /* o_proj too (attention_bias of Llama) */
    bool mlp_bias; /* gate_proj, up_proj, down_proj */
    bool qk_norm;  /* RMSNorm over head_dim of q and k before RoPE (Qwen3) */

    /* Sliding window: a query sees itself and the window - 1 positions before
     * it, in the layers marked. 0: none. */
    int64_t window;
    bool windowed[FT_LAYERS_MAX];

    double init_std; /* initializer_range */
    int32_t bos, eos[16], pad; /* -1: none */
    int n_eos;
};

void ft_config_default(struct ft_config *c);
/* FT_DATA: a size is not positive or absurd, heads do not divide, ... */
int ft_config_check(const struct ft_config *c, struct ft_err *e);

#endif
