#include "trainer/adapter.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "trainer/safetensors.h"
#include "trainer/save.h"

/* ---- in ---- */

int ft_adapter_load(struct ft_model *m, int slot, const char *dir, struct ft_err *e)
{
    struct ft_st *s;
    char *path = ft_path(dir, "adapter_model.safetensors");
    int r = ft_st_open(path, &s, e), found = 0;
    float *wide = NULL;

    for (int i = 0; i < ft_model_params(m) && !r; i++) {
        const struct ft_param *p = ft_model_param(m, i);
        if (p->slot != slot)
            continue;
        const struct ft_st_tensor *t = ft_st_find(s, p->name);
        if (!t)
            r = ft_fail(e, FT_DATA, "%s: no tensor \"%s\"", path, p->name);
        else if (t->rank != 2 || t->shape[0] != p->shape[0] || t->shape[1] != p->shape[1])
            r = ft_fail(e, FT_DATA, "%s: tensor \"%s\" is %s, and the adapter wants [%" PRId64 ", %" PRId64 "]", path, p->name,
                        ft_st_describe(t).s, p->shape[0], p->shape[1]);
        else {
            wide = ft_reallocs(wide, t->count ? t->count : 1, sizeof *wide);
            r = ft_st_f32(t, 0, t->count, wide, e);
            if (!r)
                r = ft_model_load(m, i, wide, FT_F32, true, e);
            found++;
        }
    }
    for (size_t k = 0; !r && k < ft_st_count(s) && (size_t)found < ft_st_count(s); k++) {
        const int i = ft_model_find(m, ft_st_at(s, k)->name);
        if (i < 0 || ft_model_param(m, i)->slot < 0)
            r = ft_fail(e, FT_DATA, "%s: tensor \"%s\" lies on nothing that adapter_config.json names", path, ft_st_at(s, k)->name);
    }
    free(wide);
    ft_st_close(s);
    free(path);
    return r;
}

/* ---- out ---- */

static void put_number(struct ft_buf *b, double v)
{
    if (v == floor(v) && fabs(v) < 1e15)
        ft_buf_put_i64(b, (int64_t)v);
    else
        ft_json_put_real(b, v);
}

static void put_list(struct ft_buf *b, const char *const *v, size_t n)
{
    ft_buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        ft_buf_putz(b, i ? ",\n    " : "\n    ");
        ft_json_put_strz(b, v[i]);
    }
    ft_buf_putz(b, n ? "\n  ]" : "]");
}

static void put_patterns(struct ft_buf *b, const struct ft_pattern *p, size_t n)
{
    ft_buf_putc(b, '{');
    for (size_t i = 0; i < n; i++) {
        ft_buf_putz(b, i ? ",\n    " : "\n    ");
        ft_json_put_strz(b, p[i].key);
        ft_buf_putz(b, ": ");
        put_number(b, p[i].value);
    }
    ft_buf_putz(b, n ? "\n  }" : "}");
}

static void put_targets(struct ft_buf *b, const struct ft_model *m, int slot, const struct ft_lora_config *c)
{
    if (c->targets_regex) {
        ft_json_put_strz(b, c->targets_regex);
        return;
    }
    if (!(c->targets.n == 1 && !strcmp(c->targets.v[0], "all-linear"))) {
        put_list(b, c->targets.v, c->targets.n);
        return;
    }
    const char **paths = ft_calloc((size_t)ft_model_linears(m), sizeof *paths);
    size_t n = 0;
    for (int i = 0; i < ft_model_linears(m); i++)
        if (ft_model_linear(m, i)->lora[slot].a >= 0)
            paths[n++] = ft_model_linear(m, i)->path;
    put_list(b, paths, n);
    free(paths);
}

/* All members that PEFT writes, in its order. */
static void put_config(struct ft_buf *b, const struct ft_model *m, int slot, const char *base)
{
    const struct ft_lora_config *c = ft_model_slot_config(m, slot);
    ft_buf_putz(b, "{\n  \"alora_invocation_tokens\": null,\n  \"alpha_pattern\": ");
    put_patterns(b, c->alpha_pattern, c->n_alpha_pattern);
    ft_buf_putz(b, ",\n  \"arrow_config\": null,\n  \"auto_mapping\": null,\n  \"base_model_name_or_path\": ");
    ft_json_put_strz(b, base);
    ft_buf_putz(b, ",\n  \"bias\": \"none\",\n  \"corda_config\": null,\n  \"ensure_weight_tying\": false,\n"
                   "  \"eva_config\": null,\n  \"exclude_modules\": ");
    if (c->exclude.n)
        put_list(b, c->exclude.v, c->exclude.n);
    else
        ft_buf_putz(b, "null");
    ft_buf_putz(b, ",\n  \"fan_in_fan_out\": false,\n  \"inference_mode\": true,\n  \"init_lora_weights\": true,\n"
                   "  \"kasa_config\": null,\n  \"layer_replication\": null,\n  \"layers_pattern\": null,\n"
                   "  \"layers_to_transform\": null,\n  \"loftq_config\": {},\n  \"lora_alpha\": ");
    put_number(b, c->alpha);
    ft_buf_putz(b, ",\n  \"lora_bias\": false,\n  \"lora_dropout\": ");
    ft_json_put_real(b, c->dropout);
    ft_buf_putz(b, ",\n  \"lora_ga_config\": null,\n  \"megatron_config\": null,\n  \"megatron_core\": \"megatron.core\",\n"
                   "  \"modules_to_save\": null,\n  \"monteclora_config\": null,\n  \"peft_type\": \"LORA\",\n"
                   "  \"peft_version\": \"0.21.2\",\n  \"qalora_group_size\": 16,\n  \"r\": ");
    ft_buf_put_i64(b, c->r);
    ft_buf_putz(b, ",\n  \"rank_pattern\": ");
    put_patterns(b, c->rank_pattern, c->n_rank_pattern);
    ft_buf_putz(b, ",\n  \"revision\": null,\n  \"target_modules\": ");
    put_targets(b, m, slot, c);
    ft_buf_putz(b, ",\n  \"target_parameters\": null,\n  \"task_type\": \"CAUSAL_LM\",\n  \"trainable_token_indices\": null,\n"
                   "  \"use_bdlora\": null,\n  \"use_dora\": false,\n  \"use_qalora\": false,\n  \"use_rslora\": ");
    ft_buf_putz(b, c->rslora ? "true" : "false");
    ft_buf_putz(b, ",\n  \"velora_config\": null\n}");
}

int ft_adapter_save(struct ft_model *m, int slot, const char *dir, const char *base, struct ft_err *e)
{
    const int all = ft_model_params(m);
    struct ft_st_tensor *t = ft_calloc((size_t)all, sizeof *t);
    size_t n = 0;
    for (int i = 0; i < all; i++) {
        const struct ft_param *p = ft_model_param(m, i);
        if (p->slot == slot)
            t[n++] = (struct ft_st_tensor){.name = p->name, .dtype = FT_ST_F32, .rank = 2, .shape = {p->shape[0], p->shape[1]},
                                           .data = p->data.p};
    }
    struct ft_buf b = {0};
    put_config(&b, m, slot, base);
    char *weights = ft_path(dir, "adapter_model.safetensors"), *config = ft_path(dir, "adapter_config.json");
    int r = ft_st_write(weights, t, n, e);
    if (!r)
        r = ft_save_bytes(config, b.p, b.n, e);
    free(weights);
    free(config);
    free(t);
    ft_buf_release(&b);
    return r;
}
