/* The table of parameters: what a config implies, and how data gets in. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trainer/block.h"
#include "trainer/decoder_priv.h"
#include "trainer/philox.h"

int ft_model_add_param(struct ft_model *m, const char *name, enum ft_param_role role, int slot, int64_t rows,
                       int64_t cols)
{
    if (m->n_params == m->cap_params) {
        m->cap_params = m->cap_params ? 2 * m->cap_params : 64;
        m->params = ft_reallocs(m->params, (size_t)m->cap_params, sizeof *m->params);
    }
    struct ft_param *p = &m->params[m->n_params];
    *p = (struct ft_param){.name = ft_arena_dup(&m->mem, name, strlen(name)), .role = role, .slot = slot,
                           .rank = cols ? 2 : 1, .shape = {rows, cols}, .decay = ft_param_decays(name)};
    p->data = cols ? ft_matrix(NULL, rows, cols) : ft_matrix(NULL, 1, rows);
    return m->n_params++;
}

static int vector(struct ft_model *m, const char *name, enum ft_param_role role, int64_t n)
{
    return ft_model_add_param(m, name, role, -1, n, 0);
}

static int linear(struct ft_model *m, int layer, const char *name, int64_t out, int64_t in, bool bias)
{
    struct ft_linear *l = &m->linears[m->n_linears];
    char path[128], key[160];

    snprintf(path, sizeof path, "model.layers.%d.%s", layer, name);
    *l = (struct ft_linear){.path = ft_arena_dup(&m->mem, path, strlen(path)), .id = m->n_linears, .out = out,
                            .in = in, .bias = -1};
    for (int s = 0; s < FT_SLOTS_MAX; s++)
        l->lora[s].a = l->lora[s].b = -1;
    snprintf(key, sizeof key, "%s.weight", path);
    l->weight = ft_model_add_param(m, key, FT_ROLE_WEIGHT, -1, out, in);
    if (bias) {
        snprintf(key, sizeof key, "%s.bias", path);
        l->bias = vector(m, key, FT_ROLE_BIAS, out);
    }
    return m->n_linears++;
}

static int norm(struct ft_model *m, int layer, const char *name, int64_t n)
{
    char key[160];

    snprintf(key, sizeof key, "model.layers.%d.%s.weight", layer, name);
    return vector(m, key, FT_ROLE_NORM, n);
}

static void add_block(struct ft_model *m, int i)
{
    const struct ft_config *c = &m->config;
    struct ft_block_ids *b = &m->blocks[i];
    const int64_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;

    b->q = linear(m, i, "self_attn.q_proj", q, c->hidden, c->qkv_bias);
    b->k = linear(m, i, "self_attn.k_proj", kv, c->hidden, c->qkv_bias);
    b->v = linear(m, i, "self_attn.v_proj", kv, c->hidden, c->qkv_bias);
    b->o = linear(m, i, "self_attn.o_proj", c->hidden, q, c->o_bias);
    b->qnorm = c->qk_norm ? norm(m, i, "self_attn.q_norm", c->head_dim) : -1;
    b->knorm = c->qk_norm ? norm(m, i, "self_attn.k_norm", c->head_dim) : -1;
    b->gate = linear(m, i, "mlp.gate_proj", c->intermediate, c->hidden, c->mlp_bias);
    b->up = linear(m, i, "mlp.up_proj", c->intermediate, c->hidden, c->mlp_bias);
    b->down = linear(m, i, "mlp.down_proj", c->hidden, c->intermediate, c->mlp_bias);
    b->norm1 = norm(m, i, "input_layernorm", c->hidden);
    b->norm2 = norm(m, i, "post_attention_layernorm", c->hidden);
}

int ft_model_new(struct ft_backend *b, const struct ft_config *c, struct ft_model **out, struct ft_err *e)
{
    *out = NULL;
    if (ft_config_check(c, e))
        return -1;
    struct ft_model *m = ft_calloc(1, sizeof *m);
    m->b = b;
    m->config = *c;
    m->blocks = ft_calloc((size_t)c->layers, sizeof *m->blocks);
    m->linears = ft_calloc(7 * (size_t)c->layers, sizeof *m->linears);
    m->embed = ft_model_add_param(m, "model.embed_tokens.weight", FT_ROLE_EMBED, -1, c->vocab, c->hidden);
    for (int i = 0; i < c->layers; i++)
        add_block(m, i);
    m->norm = vector(m, "model.norm.weight", FT_ROLE_NORM, c->hidden);
    m->head = c->tied ? m->embed : ft_model_add_param(m, "lm_head.weight", FT_ROLE_HEAD, -1, c->vocab, c->hidden);
    *out = m;
    return 0;
}

void ft_model_free(struct ft_model *m)
{
    if (!m)
        return;
    ft_layout_free(m);
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i].owned)
            m->b->op->free(m->b, m->params[i].data.p);
    free(m->params);
    free(m->linears);
    free(m->blocks);
    ft_arena_release(&m->mem);
    free(m);
}

const struct ft_config *ft_model_config(const struct ft_model *m) { return &m->config; }
int ft_model_params(const struct ft_model *m) { return m->n_params; }
struct ft_param *ft_model_param(struct ft_model *m, int i) { return &m->params[i]; }
int ft_model_linears(const struct ft_model *m) { return m->n_linears; }
const struct ft_linear *ft_model_linear(const struct ft_model *m, int i) { return &m->linears[i]; }
void ft_model_set_seed(struct ft_model *m, uint64_t seed) { m->seed = seed; }

int ft_model_find(const struct ft_model *m, const char *name)
{
    for (int i = 0; i < m->n_params; i++)
        if (!strcmp(m->params[i].name, name))
            return i;
    return -1;
}

void ft_model_train_base(struct ft_model *m)
{
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i].slot < 0)
            m->params[i].trainable = true;
}

/* Gives a parameter memory of its own, zeroed, if it has none. */
static int own_memory(struct ft_model *m, struct ft_param *p, struct ft_err *e)
{
    if (p->owned)
        return 0;
    void *to = m->b->op->alloc(m->b, ft_tensor_bytes(p->data));
    if (!to)
        return ft_fail(e, FT_SYS, "no memory for '%s' (%zu bytes)", p->name, ft_tensor_bytes(p->data));
    p->data.p = to;
    p->owned = true;
    return 0;
}

/* IEEE half to float: exact. */
static float half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 1023;
    uint32_t u = sign | (exp + 112) << 23 | frac << 13;
    float f;

    if (exp == 0) {
        f = (float)frac * 0x1p-24f;
        return sign ? -f : f;
    }
    if (exp == 31)
        u = sign | 0x7f800000u | frac << 13;
    memcpy(&f, &u, 4);
    return f;
}

int ft_model_load(struct ft_model *m, int i, const void *src, enum ft_dtype dtype, bool own, struct ft_err *e)
{
    struct ft_param *p = &m->params[i];
    const size_t n = (size_t)ft_param_count(p);

    if (dtype == FT_F32 && !own && !p->trainable && !p->owned && (uintptr_t)src % 4 == 0) {
        p->data.p = (void *)(uintptr_t)src;
        return 0;
    }
    if (dtype != FT_F32 && dtype != FT_BF16 && dtype != FT_F16)
        return ft_fail(e, FT_DATA, "tensor '%s' is %s, not F32, BF16 or F16", p->name, ft_dtype_names[dtype]);
    if (own_memory(m, p, e))
        return -1;
    if (dtype == FT_F32) {
        m->b->op->upload(m->b, p->data, src);
        return ft_backend_ok(m->b, e);
    }
    float *wide = ft_reallocs(NULL, n, sizeof *wide);
    for (size_t k = 0; k < n; k++) {
        uint16_t h;
        memcpy(&h, (const char *)src + 2 * k, 2);
        const uint32_t u = (uint32_t)h << 16;
        if (dtype == FT_F16)
            wide[k] = half(h);
        else
            memcpy(&wide[k], &u, 4);
    }
    m->b->op->upload(m->b, p->data, wide);
    free(wide);
    return ft_backend_ok(m->b, e);
}

int ft_model_complete(const struct ft_model *m, struct ft_err *e)
{
    for (int i = 0; i < m->n_params; i++)
        if (!m->params[i].data.p)
            return ft_fail(e, FT_DATA, "no tensor '%s'", m->params[i].name);
    return 0;
}

/* ---- initial values ---- */

/* Element k of parameter i: uniform in [-1,1) or standard normal (Box-Muller). */
static void draw(float *out, size_t n, uint64_t seed, uint32_t purpose, uint32_t param, bool normal, double scale)
{
    const uint64_t key = ft_philox_key(seed, purpose);

    for (size_t k = 0; k < n; k += 4) {
        const uint32_t counter[4] = {(uint32_t)(k / 4), (uint32_t)(k / 4 >> 32), param, 0};
        uint32_t x[4];
        double v[4];
        ft_philox(x, counter, (uint32_t)key, (uint32_t)(key >> 32));
        for (int j = 0; j < 4; j += 2) {
            /* (0,1): the logarithm needs u > 0. */
            const double u = (x[j] + 0.5) * 0x1p-32, w = (x[j + 1] + 0.5) * 0x1p-32;
            const double r = sqrt(-2 * log(u)), a = 6.283185307179586 * w;
            v[j] = normal ? r * cos(a) : 2 * u - 1;
            v[j + 1] = normal ? r * sin(a) : 2 * w - 1;
        }
        for (size_t j = 0; j < 4 && k + j < n; j++)
            out[k + j] = (float)(scale * v[j]);
    }
}

static void init_param(struct ft_model *m, int i, uint64_t seed)
{
    struct ft_param *p = &m->params[i];
    const size_t n = (size_t)ft_param_count(p);
    float *x = ft_calloc(n, sizeof *x);
    struct ft_err e = {0};

    switch (p->role) {
    case FT_ROLE_NORM:
        for (size_t k = 0; k < n; k++)
            x[k] = 1;
        break;
    case FT_ROLE_EMBED:
    case FT_ROLE_WEIGHT:
    case FT_ROLE_HEAD:
        draw(x, n, seed, FT_FOR_INIT, (uint32_t)i, true, m->config.init_std);
        break;
    case FT_ROLE_LORA_A:
        draw(x, n, seed, FT_FOR_LORA, (uint32_t)i, false, 1 / sqrt((double)p->shape[1]));
        break;
    case FT_ROLE_LORA_B:
    case FT_ROLE_BIAS:
        break;
    }
    if (own_memory(m, p, &e))
        ft_oom();
    m->b->op->upload(m->b, p->data, x);
    free(x);
}

void ft_model_init(struct ft_model *m, uint64_t seed)
{
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i].slot < 0)
            init_param(m, i, seed);
}

void ft_model_init_lora(struct ft_model *m, int slot, uint64_t seed)
{
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i].slot == slot)
            init_param(m, i, seed);
}
