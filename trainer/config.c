#include "trainer/config.h"

#include <inttypes.h>
#include <string.h>

void ft_config_default(struct ft_config *c)
{
    *c = (struct ft_config){
        .family = "llama",
        .norm_eps = 1e-6,
        .rope = {.theta = 10000, .factor = 1, .low_freq = 1, .high_freq = 4, .beta_fast = 32, .beta_slow = 1,
                 .truncate = true},
        .max_positions = 2048,
        .init_std = 0.02,
        .bos = -1,
        .pad = -1,
    };
}

static int size(const char *what, int64_t v, int64_t max, struct ft_err *e)
{
    if (v < 1 || v > max)
        return ft_fail(e, FT_DATA, "%s is %" PRId64 ", not in 1..%" PRId64, what, v, max);
    return 0;
}

int ft_config_check(const struct ft_config *c, struct ft_err *e)
{
    if (size("vocab_size", c->vocab, INT32_MAX, e) || size("hidden_size", c->hidden, 1 << 20, e) ||
        size("intermediate_size", c->intermediate, 1 << 22, e) ||
        size("num_hidden_layers", c->layers, FT_LAYERS_MAX, e) ||
        size("num_attention_heads", c->heads, 1 << 14, e) ||
        size("num_key_value_heads", c->kv_heads, c->heads, e) || size("head_dim", c->head_dim, 1 << 14, e) ||
        size("max_position_embeddings", c->max_positions, INT32_MAX, e))
        return -1;
    if (c->heads % c->kv_heads)
        return ft_fail(e, FT_DATA, "num_attention_heads %" PRId64 " is no multiple of num_key_value_heads %" PRId64,
                       c->heads, c->kv_heads);
    if (c->head_dim % 2)
        return ft_fail(e, FT_DATA, "head_dim %" PRId64 " is odd", c->head_dim);
    if (!(c->norm_eps >= 0 && c->norm_eps < 1))
        return ft_fail(e, FT_DATA, "rms_norm_eps %g is not in [0,1)", c->norm_eps);
    if (!(c->rope.theta > 0 && c->rope.theta < 1e30))
        return ft_fail(e, FT_DATA, "rope_theta %g is not positive", c->rope.theta);
    if (c->rope.kind != FT_ROPE_DEFAULT && !(c->rope.factor >= 1 && c->rope.factor < 1e9))
        return ft_fail(e, FT_DATA, "the factor %g of rope_scaling is below 1", c->rope.factor);
    if (c->window < 0)
        return ft_fail(e, FT_DATA, "sliding_window is %" PRId64, c->window);
    return 0;
}
