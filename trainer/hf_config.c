#include "trainer/hf_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/save.h"

/* ---- members ---- */

static int get_size(const struct ft_json *j, const char *name, int64_t *out, struct ft_err *e)
{
    return ft_json_get_int(j, name, out, e);
}

/* A token id or a list of them; null and absent leave what is there. */
static int get_ids(const struct ft_json *j, const char *name, int32_t *out, int *n, int max, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, name);
    if (!v || v->type == FT_JSON_NULL)
        return 0;
    const struct ft_json *items = v->type == FT_JSON_ARRAY ? v->items : v;
    const size_t count = v->type == FT_JSON_ARRAY ? v->n : 1;
    if (count > (size_t)max)
        return ft_fail(e, FT_DATA, "\"%s\" has more than %d ids", name, max);
    for (size_t i = 0; i < count; i++) {
        int64_t id;
        if (ft_json_int(&items[i], &id) || id < -1 || id > INT32_MAX)
            return ft_fail(e, FT_DATA, "\"%s\" is no token id", name);
        out[i] = (int32_t)id;
    }
    *n = (int)count;
    return 0;
}

static int get_tokens(const struct ft_json *j, struct ft_config *c, struct ft_err *e)
{
    int one;
    if (get_ids(j, "bos_token_id", &c->bos, &one, 1, e) || get_ids(j, "pad_token_id", &c->pad, &one, 1, e) ||
        get_ids(j, "eos_token_id", c->eos, &c->n_eos, (int)(sizeof c->eos / sizeof *c->eos), e))
        return -1;
    if (c->n_eos == 1 && c->eos[0] < 0)
        c->n_eos = 0;
    return 0;
}

static int get_rope(const struct ft_json *j, struct ft_config *c, struct ft_err *e)
{
    struct ft_rope *r = &c->rope;
    struct ft_str type = FT_STR("default");
    const struct ft_json *p = ft_json_get(j, "rope_parameters");
    double part = 1;

    if (!p || p->type == FT_JSON_NULL)
        p = ft_json_get(j, "rope_scaling");
    if (p && p->type != FT_JSON_NULL && p->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "\"rope_parameters\" is no object");
    if (ft_json_get_real(j, "rope_theta", &r->theta, e) || ft_json_get_real(p, "rope_theta", &r->theta, e) ||
        ft_json_get_real(j, "partial_rotary_factor", &part, e) || ft_json_get_real(p, "partial_rotary_factor", &part, e) ||
        ft_json_get_string(p, "type", &type, e) || ft_json_get_string(p, "rope_type", &type, e))
        return -1;
    for (size_t i = 0; p && p->type == FT_JSON_OBJECT && i < p->n; i++)
        if (p->members[i].value.type == FT_JSON_OBJECT)
            return ft_fail(e, FT_DATA, "\"rope_parameters\" by layer type is not supported");
    if (part != 1)
        return ft_fail(e, FT_DATA, "\"partial_rotary_factor\" %g is not supported", part);
    if (ft_str_is(type, "default"))
        r->kind = FT_ROPE_DEFAULT;
    else if (ft_str_is(type, "linear"))
        r->kind = FT_ROPE_LINEAR;
    else if (ft_str_is(type, "llama3"))
        r->kind = FT_ROPE_LLAMA3;
    else if (ft_str_is(type, "yarn"))
        r->kind = FT_ROPE_YARN;
    else
        return ft_fail(e, FT_DATA, "rope type \"%.*s\" is not supported (default, linear, llama3, yarn)",
                       type.n > 40 ? 40 : (int)type.n, type.p);
    if (r->kind != FT_ROPE_DEFAULT && !ft_json_get(p, "factor"))
        return ft_fail(e, FT_DATA, "rope type \"%.*s\" wants a \"factor\"", (int)type.n, type.p);
    r->original_max = (double)c->max_positions;
    return ft_json_get_real(p, "factor", &r->factor, e) || ft_json_get_real(p, "low_freq_factor", &r->low_freq, e) ||
                   ft_json_get_real(p, "high_freq_factor", &r->high_freq, e) ||
                   ft_json_get_real(p, "original_max_position_embeddings", &r->original_max, e) ||
                   ft_json_get_real(j, "original_max_position_embeddings", &r->original_max, e) ||
                   ft_json_get_real(p, "beta_fast", &r->beta_fast, e) || ft_json_get_real(p, "beta_slow", &r->beta_slow, e) ||
                   ft_json_get_real(p, "attention_factor", &r->attention_factor, e) ||
                   ft_json_get_real(p, "mscale", &r->mscale, e) || ft_json_get_real(p, "mscale_all_dim", &r->mscale_all_dim, e) ||
                   ft_json_get_bool(p, "truncate", &r->truncate, e)
               ? -1
               : 0;
}

/* Which layers have the sliding window. */
static int get_window(const struct ft_json *j, struct ft_config *c, bool qwen, struct ft_err *e)
{
    bool use = !qwen;
    int64_t from = qwen ? 28 : 0;
    const struct ft_json *types = ft_json_get(j, "layer_types"), *w = ft_json_get(j, "sliding_window");
    int64_t window = 4096; /* the class default of Mistral and Qwen, when the member is absent */

    if (w && w->type == FT_JSON_NULL)
        window = 0;
    if (get_size(j, "sliding_window", &window, e) || ft_json_get_bool(j, "use_sliding_window", &use, e) ||
        (qwen && get_size(j, "max_window_layers", &from, e)))
        return -1;
    c->window = use ? window : 0;
    for (int64_t i = 0; i < c->layers && i < FT_LAYERS_MAX; i++)
        c->windowed[i] = c->window > 0 && i >= from;
    if (!qwen || !types || types->type == FT_JSON_NULL)
        return 0;
    if (types->type != FT_JSON_ARRAY || (int64_t)types->n != c->layers)
        return ft_fail(e, FT_DATA, "\"layer_types\" wants one word for each of %" PRId64 " layers", c->layers);
    for (size_t i = 0; i < types->n && i < FT_LAYERS_MAX; i++) {
        const struct ft_json *t = &types->items[i];
        const bool slides = t->type == FT_JSON_STRING && ft_str_is(t->s, "sliding_attention");
        if (!slides && !(t->type == FT_JSON_STRING && ft_str_is(t->s, "full_attention")))
            return ft_fail(e, FT_DATA, "\"layer_types\" has a kind of attention that is not supported");
        c->windowed[i] = c->window > 0 && slides;
    }
    return 0;
}

/* ---- the whole ---- */

enum family { LLAMA, MISTRAL, QWEN2, QWEN3 };

static void family_defaults(enum family f, struct ft_config *c)
{
    ft_config_default(c);
    c->vocab = f >= QWEN2 ? 151936 : 32000;
    c->hidden = 4096;
    c->intermediate = f == LLAMA ? 11008 : f == MISTRAL ? 14336 : 22016;
    c->layers = c->heads = 32;
    c->kv_heads = f == LLAMA ? 0 : f == MISTRAL ? 8 : 32;
    c->max_positions = f == LLAMA ? 2048 : f == MISTRAL ? 131072 : 32768;
    c->head_dim = f == QWEN3 ? 128 : 0;
    c->qkv_bias = f == QWEN2;
    c->qk_norm = f == QWEN3;
    if (f == LLAMA || f == MISTRAL)
        c->bos = 1, c->eos[0] = 2, c->n_eos = 1;
}

int ft_hf_config_read(const struct ft_json *j, struct ft_config *c, struct ft_err *e)
{
    static const char *const families[] = {"llama", "mistral", "qwen2", "qwen3"};
    struct ft_str type = {0}, act = FT_STR("silu");
    bool bias = false;
    int f = 0;

    if (j->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "no object");
    if (ft_json_get_string(j, "model_type", &type, e))
        return -1;
    while (f < 4 && !ft_str_is(type, families[f]))
        f++;
    if (f == 4)
        return ft_fail(e, FT_DATA, "model_type \"%.*s\" is not supported (llama, mistral, qwen2, qwen3)",
                       type.n > 40 ? 40 : (int)type.n, type.p);
    family_defaults((enum family)f, c);
    strcpy(c->family, families[f]);
    const struct ft_json *quant = ft_json_get(j, "quantization_config");
    if (quant && quant->type != FT_JSON_NULL)
        return ft_fail(e, FT_DATA, "quantized weights (\"quantization_config\") are not supported");

    if (get_size(j, "vocab_size", &c->vocab, e) || get_size(j, "hidden_size", &c->hidden, e) ||
        get_size(j, "intermediate_size", &c->intermediate, e) || get_size(j, "num_hidden_layers", &c->layers, e) ||
        get_size(j, "num_attention_heads", &c->heads, e) || get_size(j, "num_key_value_heads", &c->kv_heads, e) ||
        get_size(j, "head_dim", &c->head_dim, e) || get_size(j, "max_position_embeddings", &c->max_positions, e) ||
        ft_json_get_real(j, "rms_norm_eps", &c->norm_eps, e) || ft_json_get_real(j, "initializer_range", &c->init_std, e) ||
        ft_json_get_bool(j, "tie_word_embeddings", &c->tied, e) || ft_json_get_string(j, "hidden_act", &act, e) ||
        get_tokens(j, c, e))
        return -1;
    if (c->kv_heads == 0 && !ft_json_get(j, "num_key_value_heads"))
        c->kv_heads = c->heads;
    const struct ft_json *kv = ft_json_get(j, "num_key_value_heads"), *dim = ft_json_get(j, "head_dim");
    if (kv && kv->type == FT_JSON_NULL)
        c->kv_heads = c->heads;
    if (c->heads > 0 && c->head_dim == 0 && (!dim || dim->type == FT_JSON_NULL)) {
        if (c->hidden % c->heads)
            return ft_fail(e, FT_DATA, "hidden_size %" PRId64 " is no multiple of num_attention_heads %" PRId64, c->hidden,
                           c->heads);
        c->head_dim = c->hidden / c->heads;
    }
    if (!(c->init_std >= 0 && c->init_std <= 1))
        return ft_fail(e, FT_DATA, "initializer_range %g is not in [0,1]", c->init_std);
    if (ft_str_is(act, "silu") || ft_str_is(act, "swish"))
        c->act = FT_ACT_SILU;
    else if (ft_str_is(act, "gelu_pytorch_tanh") || ft_str_is(act, "gelu_new"))
        c->act = FT_ACT_GELU_TANH;
    else if (ft_str_is(act, "gelu"))
        c->act = FT_ACT_GELU;
    else
        return ft_fail(e, FT_DATA, "hidden_act \"%.*s\" is not supported", act.n > 40 ? 40 : (int)act.n, act.p);
    if ((f == LLAMA || f == QWEN3) && ft_json_get_bool(j, "attention_bias", &bias, e))
        return -1;
    if (bias)
        c->qkv_bias = c->o_bias = true;
    if (f == LLAMA && ft_json_get_bool(j, "mlp_bias", &c->mlp_bias, e))
        return -1;
    if (get_rope(j, c, e) || (f != LLAMA && get_window(j, c, f >= QWEN2, e)))
        return -1;
    return ft_config_check(c, e);
}

int ft_hf_config_file(const char *path, struct ft_arena *a, struct ft_config *out, struct ft_json *tree, struct ft_err *e)
{
    struct ft_json j;
    if (ft_json_load(path, a, &j, e))
        return -1;
    if (ft_hf_config_read(&j, out, e))
        return ft_fail_in(e, "%s: ", path);
    if (tree)
        *tree = j;
    return 0;
}

int ft_hf_generation_load(const char *dir, struct ft_arena *a, struct ft_config *out, struct ft_err *e)
{
    struct ft_json j;
    char *path = ft_path(dir, "generation_config.json");
    int r = access(path, F_OK) ? 0 : ft_json_load(path, a, &j, e) ? -1 : 1;
    if (r > 0 && j.type != FT_JSON_OBJECT)
        r = ft_fail(e, FT_DATA, "%s: no object", path);
    else if (r > 0 && get_tokens(&j, out, e))
        r = ft_fail_in(e, "%s: ", path);
    free(path);
    return r;
}

int ft_hf_config_load(const char *dir, struct ft_arena *a, struct ft_config *out, struct ft_json *tree, struct ft_err *e)
{
    char *config = ft_path(dir, "config.json");
    const int r = ft_hf_config_file(config, a, out, tree, e);
    free(config);
    return r || ft_hf_generation_load(dir, a, out, e) < 0 ? -1 : 0;
}
