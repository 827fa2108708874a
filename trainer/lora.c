/* Adapter slots: which linears one lies on, by PEFT's rules
 * (peft/tuners/tuners_utils.py: check_target_module_exists;
 * peft/utils/other.py: get_pattern_key). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <inttypes.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/str.h"
#include "trainer/decoder_priv.h"

/* Does the regular expression, between `before` and `after`, match the whole
 * subject? 1, 0, or -1 with FT_USAGE. */
static int matches(const char *before, const char *regex, const char *after, const char *subject, struct ft_err *e)
{
    struct ft_buf text = {0};
    int code, k = -1;
    PCRE2_SIZE at;

    ft_buf_printf(&text, "%s%s%s", before, regex, after);
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)text.p, text.n, PCRE2_UTF, &code, &at, NULL);
    ft_buf_release(&text);
    if (!re)
        return ft_fail(e, FT_USAGE, "'%s' is no regular expression", regex);
    pcre2_match_data *md = pcre2_match_data_create(1, NULL);
    if (!md)
        ft_oom();
    code = pcre2_match(re, (PCRE2_SPTR)subject, strlen(subject), 0, 0, md, NULL);
    if (code >= 0 || code == PCRE2_ERROR_NOMATCH)
        k = code >= 0;
    else
        ft_fail(e, FT_USAGE, "matching '%s' takes too long", regex);
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    return k;
}

static bool listed(const struct ft_list *list, const char *path)
{
    const size_t n = strlen(path);

    for (size_t i = 0; i < list->n; i++) {
        const size_t k = strlen(list->v[i]);
        if (k <= n && !strcmp(path + n - k, list->v[i]) && (k == n || path[n - k - 1] == '.'))
            return true;
    }
    return false;
}

static int targeted(const struct ft_lora_config *c, const char *path, struct ft_err *e)
{
    if (listed(&c->exclude, path))
        return 0;
    if (c->targets_regex)
        return matches("^(?:", c->targets_regex, ")$", path, e);
    if (c->targets.n == 1 && !strcmp(c->targets.v[0], "all-linear"))
        return 1;
    return listed(&c->targets, path);
}

static int pattern(const struct ft_pattern *p, size_t n, const char *path, double *value, struct ft_err *e)
{
    for (size_t i = 0; i < n; i++) {
        const int k = matches("^(?:.*\\.)?(?:", p[i].key, ")$", path, e);
        if (k < 0)
            return -1;
        if (k) {
            *value = p[i].value;
            return 0;
        }
    }
    return 0;
}

static struct ft_list copy_list(struct ft_arena *a, const struct ft_list *in)
{
    struct ft_list out = {FT_NEWS(a, const char *, in->n ? in->n : 1), in->n};

    for (size_t i = 0; i < in->n; i++)
        out.v[i] = ft_arena_dup(a, in->v[i], strlen(in->v[i]));
    return out;
}

static const struct ft_pattern *copy_patterns(struct ft_arena *a, const struct ft_pattern *in, size_t n)
{
    struct ft_pattern *out = FT_NEWS(a, struct ft_pattern, n ? n : 1);

    for (size_t i = 0; i < n; i++)
        out[i] = (struct ft_pattern){ft_arena_dup(a, in[i].key, strlen(in[i].key)), in[i].value};
    return out;
}

/* Puts the pair on one linear; the names are PEFT's. */
static int adapt(struct ft_model *m, int slot, struct ft_linear *l, struct ft_err *e)
{
    const struct ft_lora_config *c = &m->slots[slot].config;
    struct ft_lora *lora = &l->lora[slot];
    double r = (double)c->r, alpha = c->alpha;
    char name[256];

    if (pattern(c->rank_pattern, c->n_rank_pattern, l->path, &r, e) ||
        pattern(c->alpha_pattern, c->n_alpha_pattern, l->path, &alpha, e))
        return -1;
    if (!(r >= 1 && r <= 1 << 16 && r == floor(r)))
        return ft_fail(e, FT_USAGE, "rank %g of the adapter on '%s' is not in 1..65536", r, l->path);
    lora->r = (ft_dim)r;
    lora->scale = (float)(c->rslora ? alpha / sqrt(r) : alpha / r);
    lora->dropout = (float)c->dropout;
    snprintf(name, sizeof name, "base_model.model.%s.lora_A.weight", l->path);
    lora->a = ft_model_add_param(m, name, FT_ROLE_LORA_A, slot, lora->r, l->in);
    snprintf(name, sizeof name, "base_model.model.%s.lora_B.weight", l->path);
    lora->b = ft_model_add_param(m, name, FT_ROLE_LORA_B, slot, l->out, lora->r);
    m->params[lora->a].trainable = m->params[lora->b].trainable = c->trainable;
    return 0;
}

int ft_model_add_lora(struct ft_model *m, const struct ft_lora_config *c, int *slot, struct ft_err *e)
{
    static const char *const usual[] = {"q_proj", "v_proj"}; /* PEFT's map for all families here */
    const char *name = c->name ? c->name : "default";
    int found = 0;

    if (m->n_slots == FT_SLOTS_MAX)
        return ft_fail(e, FT_USAGE, "more than %d adapters", FT_SLOTS_MAX);
    for (int s = 0; s < m->n_slots; s++)
        if (!strcmp(m->slots[s].config.name, name))
            return ft_fail(e, FT_USAGE, "two adapters are named '%s'", name);
    if (!(c->dropout >= 0 && c->dropout < 1))
        return ft_fail(e, FT_USAGE, "adapter dropout %g is not in [0,1)", c->dropout);
    *slot = m->n_slots;
    struct ft_lora_config *own = &m->slots[*slot].config;
    *own = *c;
    own->name = ft_arena_dup(&m->mem, name, strlen(name));
    own->targets = copy_list(&m->mem, &c->targets);
    if (!own->targets.n && !c->targets_regex)
        own->targets = copy_list(&m->mem, &(struct ft_list){(const char **)(uintptr_t)usual, 2});
    own->exclude = copy_list(&m->mem, &c->exclude);
    if (c->targets_regex)
        own->targets_regex = ft_arena_dup(&m->mem, c->targets_regex, strlen(c->targets_regex));
    own->rank_pattern = copy_patterns(&m->mem, c->rank_pattern, c->n_rank_pattern);
    own->alpha_pattern = copy_patterns(&m->mem, c->alpha_pattern, c->n_alpha_pattern);

    for (int i = 0; i < m->n_linears; i++) {
        const int k = targeted(own, m->linears[i].path, e);
        if (k < 0 || (k && adapt(m, *slot, &m->linears[i], e)))
            return -1;
        found += k;
    }
    if (!found)
        return ft_fail(e, FT_USAGE, "the target modules of adapter '%s' match no linear layer", name);
    m->active |= 1u << *slot;
    m->n_slots++;
    return 0;
}

void ft_model_use_slots(struct ft_model *m, unsigned mask) { m->active = mask; }
const struct ft_lora_config *ft_model_slot_config(const struct ft_model *m, int slot) { return &m->slots[slot].config; }
