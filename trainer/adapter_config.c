/* adapter_config.json, in (adapter.h). */
#include "trainer/adapter.h"

#include <stdlib.h>

#include "trainer/save.h"

static bool unset(const struct ft_json *v)
{
    return !v || v->type == FT_JSON_NULL || v->type == FT_JSON_FALSE || ((v->type == FT_JSON_ARRAY || v->type == FT_JSON_OBJECT) && !v->n);
}

/* Members that change what is computed, in ways that we do not have. */
static int refuse_others(const struct ft_json *j, struct ft_err *e)
{
    static const char *const names[] = {
        "use_dora", "modules_to_save", "trainable_token_indices", "layers_to_transform", "layers_pattern", "layer_replication",
        "fan_in_fan_out", "lora_bias", "target_parameters", "use_qalora", "alora_invocation_tokens", "use_bdlora", "arrow_config",
        "megatron_config", "kasa_config", "monteclora_config", "velora_config",
    };
    /* These start from a base whose weights were changed, which the file does not hold. */
    static const char *const inits[] = {"gaussian", "eva", "orthogonal"};
    const struct ft_json *init = ft_json_get(j, "init_lora_weights");
    struct ft_str s = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!unset(ft_json_get(j, names[i])))
            return ft_fail(e, FT_DATA, "adapters with \"%s\" are not supported", names[i]);
    if (ft_json_get_string(j, "peft_type", &s, e))
        return -1;
    if (!ft_str_is(s, "LORA"))
        return ft_fail(e, FT_DATA, "peft_type \"%.*s\" is not supported (LORA)", s.n > 40 ? 40 : (int)s.n, s.p);
    s = FT_STR("none");
    if (ft_json_get_string(j, "bias", &s, e))
        return -1;
    if (!ft_str_is(s, "none"))
        return ft_fail(e, FT_DATA, "adapters with trained \"bias\" are not supported");
    if (init && init->type == FT_JSON_STRING) {
        size_t k = 0;
        while (k < sizeof inits / sizeof *inits && !ft_str_is(init->s, inits[k]))
            k++;
        if (k == sizeof inits / sizeof *inits)
            return ft_fail(e, FT_DATA, "adapters of init_lora_weights \"%.*s\" need a base that was changed with them",
                           init->s.n > 40 ? 40 : (int)init->s.n, init->s.p);
    }
    return 0;
}

static const char *word(const struct ft_json *v, struct ft_arena *a)
{
    return v->type == FT_JSON_STRING && v->s.n && !memchr(v->s.p, 0, v->s.n) ? ft_str_z(a, v->s) : NULL;
}

static int get_list(const struct ft_json *v, const char *name, struct ft_arena *a, struct ft_list *out, struct ft_err *e)
{
    if (v->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "\"%s\" wants a list of module names", name);
    *out = (struct ft_list){FT_NEWS(a, const char *, v->n ? v->n : 1), v->n};
    for (size_t i = 0; i < v->n; i++)
        if (!(out->v[i] = word(&v->items[i], a)))
            return ft_fail(e, FT_DATA, "\"%s\" wants a list of module names", name);
    return 0;
}

static int get_targets(const struct ft_json *j, struct ft_arena *a, struct ft_lora_config *c, struct ft_err *e)
{
    const struct ft_json *t = ft_json_get(j, "target_modules"), *x = ft_json_get(j, "exclude_modules");
    if (t && t->type == FT_JSON_STRING) {
        const char *s = word(t, a);
        if (!s)
            return ft_fail(e, FT_DATA, "\"target_modules\" is no module name");
        if (strcmp(s, "all-linear")) {
            c->targets_regex = s;
        } else {
            c->targets = (struct ft_list){FT_NEWS(a, const char *, 1), 1};
            c->targets.v[0] = s;
        }
    } else if (t && t->type != FT_JSON_NULL) {
        if (get_list(t, "target_modules", a, &c->targets, e))
            return -1;
        if (!c->targets.n)
            return ft_fail(e, FT_DATA, "\"target_modules\" is empty");
    }
    return unset(x) ? 0 : get_list(x, "exclude_modules", a, &c->exclude, e);
}

static int get_patterns(const struct ft_json *j, const char *name, struct ft_arena *a, const struct ft_pattern **out,
                        size_t *n, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, name);
    *n = 0;
    if (unset(v))
        return 0;
    if (v->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "\"%s\" wants an object", name);
    struct ft_pattern *p = FT_NEWS(a, struct ft_pattern, v->n);
    for (size_t i = 0; i < v->n; i++) {
        const struct ft_json_member *m = &v->members[i];
        if (m->value.type != FT_JSON_NUMBER || !m->key.n || memchr(m->key.p, 0, m->key.n))
            return ft_fail(e, FT_DATA, "\"%s\" wants a number for each module", name);
        p[i] = (struct ft_pattern){ft_str_z(a, m->key), ft_json_real(&m->value)};
    }
    *out = p;
    *n = v->n;
    return 0;
}

int ft_adapter_config_read(const struct ft_json *j, struct ft_arena *a, struct ft_lora_config *c, struct ft_str *base,
                           struct ft_err *e)
{
    struct ft_str name = {0};
    *c = (struct ft_lora_config)FT_LORA_DEFAULTS;
    if (j->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "no object");
    if (refuse_others(j, e) || ft_json_get_int(j, "r", &c->r, e) || ft_json_get_real(j, "lora_alpha", &c->alpha, e) ||
        ft_json_get_real(j, "lora_dropout", &c->dropout, e) || ft_json_get_bool(j, "use_rslora", &c->rslora, e) ||
        ft_json_get_string(j, "base_model_name_or_path", &name, e) || get_targets(j, a, c, e) ||
        get_patterns(j, "rank_pattern", a, &c->rank_pattern, &c->n_rank_pattern, e) ||
        get_patterns(j, "alpha_pattern", a, &c->alpha_pattern, &c->n_alpha_pattern, e))
        return -1;
    if (!(c->alpha > -1e6 && c->alpha < 1e6))
        return ft_fail(e, FT_DATA, "\"lora_alpha\" is %g", c->alpha);
    if (base)
        *base = name;
    return 0;
}

int ft_adapter_config_load(const char *dir, struct ft_arena *a, struct ft_lora_config *out, struct ft_str *base,
                           struct ft_err *e)
{
    struct ft_json j;
    char *path = ft_path(dir, "adapter_config.json");
    int r = ft_json_load(path, a, &j, e);
    if (!r && (r = ft_adapter_config_read(&j, a, out, base, e)))
        ft_fail_in(e, "%s: ", path);
    free(path);
    return r;
}
