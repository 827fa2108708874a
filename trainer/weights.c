#include "trainer/weights.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static const char embed[] = "model.embed_tokens.weight", head[] = "lm_head.weight";

bool ft_weights_tie(const struct ft_st *s, struct ft_config *c)
{
    const struct ft_st_tensor *a = ft_st_find(s, embed), *b = ft_st_find(s, head);
    if (!c->tied || !a || !b || (a->dtype == b->dtype && a->bytes == b->bytes && !memcmp(a->data, b->data, a->bytes)))
        return false;
    c->tied = false;
    return true;
}

/* The tensor of a parameter. */
static const struct ft_st_tensor *find(const struct ft_st *s, const struct ft_param *p, bool tied)
{
    const struct ft_st_tensor *t = ft_st_find(s, p->name);
    return !t && tied && p->role == FT_ROLE_EMBED ? ft_st_find(s, head) : t;
}

/* Older files hold buffers that are computed; a tied head may be stored twice. */
static bool ignorable(const struct ft_st_tensor *t, bool tied)
{
    const char *dot = strstr(t->name, "rotary_emb.inv_freq");
    return (dot && !dot[strlen("rotary_emb.inv_freq")]) || (tied && !strcmp(t->name, head));
}

static int load(struct ft_model *m, int i, const struct ft_st_tensor *t, bool own, struct ft_err *e)
{
    const struct ft_param *p = ft_model_param(m, i);
    if (t->rank != p->rank || t->shape[0] != p->shape[0] || (p->rank == 2 && t->shape[1] != p->shape[1]))
        return p->rank == 2 ? ft_fail(e, FT_DATA, "%s: tensor \"%s\" is %s, and the config wants [%" PRId64 ", %" PRId64 "]",
                                      t->file, t->name, ft_st_describe(t).s, p->shape[0], p->shape[1])
                            : ft_fail(e, FT_DATA, "%s: tensor \"%s\" is %s, and the config wants [%" PRId64 "]", t->file, t->name,
                                      ft_st_describe(t).s, p->shape[0]);
    if (ft_st_check(t, e))
        return -1;
    if (t->dtype == FT_ST_F64) {
        float *wide = ft_reallocs(NULL, t->count, sizeof *wide);
        int r = ft_st_f32(t, 0, t->count, wide, e);
        if (!r)
            r = ft_model_load(m, i, wide, FT_F32, true, e);
        free(wide);
        return r;
    }
    return ft_model_load(m, i, t->data, t->dtype == FT_ST_F32 ? FT_F32 : t->dtype == FT_ST_BF16 ? FT_BF16 : FT_F16, own, e);
}

int ft_weights_load(struct ft_model *m, const struct ft_st *s, bool own, struct ft_err *e)
{
    const bool tied = ft_model_config(m)->tied;
    bool *used = ft_calloc(ft_st_count(s) + 1, sizeof *used);
    int r = 0;

    for (int i = 0; i < ft_model_params(m) && !r; i++) {
        const struct ft_param *p = ft_model_param(m, i);
        if (p->slot >= 0)
            continue;
        const struct ft_st_tensor *t = find(s, p, tied);
        if (!t)
            r = ft_fail(e, FT_DATA, "%s: no tensor \"%s\"", ft_st_count(s) ? ft_st_at(s, 0)->file : "the weights", p->name);
        else if (!(r = load(m, i, t, own, e)))
            used[t - ft_st_at(s, 0)] = true;
    }
    for (size_t k = 0; k < ft_st_count(s) && !r; k++)
        if (!used[k] && !ignorable(ft_st_at(s, k), tied))
            r = ft_fail(e, FT_DATA, "%s: tensor \"%s\" has no place in a model of this config", ft_st_at(s, k)->file,
                        ft_st_at(s, k)->name);
    free(used);
    return r;
}

struct ft_digest ft_weights_digest(const struct ft_st *s)
{
    struct ft_hasher *h = ft_hasher_new();
    for (size_t i = 0; i < ft_st_count(s); i++) {
        const struct ft_st_tensor *t = ft_st_at(s, i);
        const struct ft_st_text text = ft_st_describe(t);
        ft_hasher_field(h, t->name, strlen(t->name));
        ft_hasher_field(h, text.s, strlen(text.s));
        ft_hasher_field(h, t->data, t->bytes);
    }
    const struct ft_digest d = ft_hasher_sum128(h);
    ft_hasher_free(h);
    return d;
}

/* ---- writing ---- */

static uint16_t to_bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16); /* parameters are finite */
}

static uint16_t to_f16(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    const uint32_t sign = u >> 16 & 0x8000, mag = u & 0x7fffffff;
    if (mag >= 0x47800000) /* 65536 and up, and what rounds there below */
        return (uint16_t)(sign | 0x7c00);
    if (mag < 0x38800000) { /* below 2^-14: a multiple of 2^-24; adding 1/2 rounds there */
        float x;
        memcpy(&x, &mag, 4);
        x += 0.5f;
        memcpy(&u, &x, 4);
        return (uint16_t)(sign | (u - 0x3f000000));
    }
    return (uint16_t)(sign | (((mag - 0x38000000) + 0xfff + (mag >> 13 & 1)) >> 13));
}

int ft_weights_save(struct ft_model *m, const char *path, const struct ft_st *like, struct ft_err *e)
{
    const int n = ft_model_params(m);
    struct ft_st_tensor *t = ft_calloc((size_t)n, sizeof *t);
    void **rooms = ft_calloc((size_t)n, sizeof *rooms);
    size_t k = 0;
    int r = 0;

    for (int i = 0; i < n; i++) {
        const struct ft_param *p = ft_model_param(m, i);
        if (p->slot >= 0)
            continue;
        const struct ft_st_tensor *was = like ? find(like, p, ft_model_config(m)->tied) : NULL;
        const int64_t count = ft_param_count(p);
        const float *x = p->data.p;
        assert(x && p->data.stride == p->data.cols);
        t[k] = (struct ft_st_tensor){.name = p->name, .dtype = FT_ST_F32, .rank = p->rank,
                                     .shape = {p->shape[0], p->shape[1]}, .data = p->data.p};
        if (was && (was->dtype == FT_ST_BF16 || was->dtype == FT_ST_F16)) {
            uint16_t *half = rooms[k] = ft_reallocs(NULL, (size_t)count, sizeof *half);
            for (int64_t j = 0; j < count; j++)
                half[j] = was->dtype == FT_ST_BF16 ? to_bf16(x[j]) : to_f16(x[j]);
            for (int64_t j = 0; j < count && !r; j++)
                if ((half[j] & 0x7c00) == 0x7c00 && (was->dtype == FT_ST_F16 || (half[j] & 0x7f80) == 0x7f80))
                    r = ft_fail(e, FT_DATA, "tensor \"%s\": a value does not fit %s", p->name, ft_st_dtype_names[was->dtype]);
            t[k].dtype = was->dtype;
            t[k].data = (const unsigned char *)half;
        }
        k++;
    }
    if (!r)
        r = ft_st_write(path, t, k, e);
    for (size_t i = 0; i < k; i++)
        free(rooms[i]);
    free(rooms);
    free(t);
    return r;
}
