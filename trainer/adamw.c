#include "trainer/adamw.h"

#include <math.h>
#include <stdlib.h>

#include "pipeline/str.h"
#include "trainer/safetensors.h"

int ft_optim_init(struct ft_optim *o, struct ft_backend *b, struct ft_model *m, struct ft_err *e)
{
    const int all = ft_model_params(m);
    *o = (struct ft_optim){.b = b, .m = m, .beta1 = .9, .beta2 = .999, .eps = 1e-8, .max_norm = 1};
    o->param = ft_calloc((size_t)all + 1, sizeof *o->param);
    o->m1 = ft_calloc((size_t)all + 1, sizeof *o->m1);
    o->m2 = ft_calloc((size_t)all + 1, sizeof *o->m2);
    for (int i = 0; i < all; i++) {
        const struct ft_param *p = ft_model_param(m, i);
        if (!p->trainable)
            continue;
        struct ft_tensor like = p->data;
        like.stride = like.cols;
        o->param[o->n] = i;
        o->m1[o->n] = o->m2[o->n] = like;
        o->m1[o->n].p = b->op->alloc(b, ft_tensor_bytes(like));
        o->m2[o->n].p = b->op->alloc(b, ft_tensor_bytes(like));
        o->n++;
        if (!o->m1[o->n - 1].p || !o->m2[o->n - 1].p) {
            ft_fail(e, FT_SYS, "no memory for the moments of '%s'", p->name);
            ft_optim_release(o);
            return -1;
        }
    }
    return 0;
}

void ft_optim_release(struct ft_optim *o)
{
    for (int i = 0; i < o->n; i++) {
        if (o->m1[i].p)
            o->b->op->free(o->b, o->m1[i].p);
        if (o->m2[i].p)
            o->b->op->free(o->b, o->m2[i].p);
    }
    free(o->param);
    free(o->m1);
    free(o->m2);
    *o = (struct ft_optim){0};
}

double ft_optim_norm(struct ft_optim *o)
{
    double sum = 0;
    for (int i = 0; i < o->n; i++)
        sum += o->b->op->sumsq(o->b, ft_model_param(o->m, o->param[i])->grad);
    return sqrt(sum);
}

int ft_optim_step(struct ft_optim *o, double lr, double norm, struct ft_err *e)
{
    const double scale = o->max_norm > 0 ? o->max_norm / (norm + 1e-6) : 1;
    struct ft_adamw c = {.lr = lr, .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .t = ++o->t,
                         .grad_scale = scale < 1 ? scale : 1};
    for (int i = 0; i < o->n; i++) {
        const struct ft_param *p = ft_model_param(o->m, o->param[i]);
        c.decay = p->decay ? o->decay : 0;
        o->b->op->adamw(o->b, p->data, o->m1[i], o->m2[i], p->grad, &c);
    }
    return ft_backend_ok(o->b, e);
}

/* ---- files ---- */

static void name_of(struct ft_buf *b, const char *what, const struct ft_param *p)
{
    b->n = 0;
    ft_buf_printf(b, "%s.%s", what, p->name);
    ft_buf_putc(b, 0);
}

int ft_optim_save(const struct ft_optim *o, const char *path, struct ft_err *e)
{
    struct ft_arena a = {0};
    struct ft_buf name = {0};
    struct ft_st_tensor *t = FT_NEWS(&a, struct ft_st_tensor, 2 * (size_t)o->n + 1);
    for (int i = 0; i < 2 * o->n; i++) {
        const struct ft_param *p = ft_model_param(o->m, o->param[i / 2]);
        name_of(&name, i % 2 ? "exp_avg_sq" : "exp_avg", p);
        t[i] = (struct ft_st_tensor){.name = ft_arena_dup(&a, name.p, name.n), .dtype = FT_ST_F32, .rank = p->rank,
                                     .shape = {p->shape[0], p->shape[1]}, .data = (i % 2 ? o->m2 : o->m1)[i / 2].p};
    }
    const int r = ft_st_write(path, t, 2 * (size_t)o->n, e);
    ft_buf_release(&name);
    ft_arena_release(&a);
    return r;
}

int ft_optim_load(struct ft_optim *o, const char *path, struct ft_err *e)
{
    struct ft_st *s;
    struct ft_buf name = {0};
    float *room = NULL;
    int r = ft_st_open(path, &s, e);
    if (!r && ft_st_count(s) != 2 * (size_t)o->n)
        r = ft_fail(e, FT_DATA, "%s: %zu tensors, and %d parameters have two moments each", path, ft_st_count(s), o->n);
    for (int i = 0; i < 2 * o->n && !r; i++) {
        const struct ft_param *p = ft_model_param(o->m, o->param[i / 2]);
        name_of(&name, i % 2 ? "exp_avg_sq" : "exp_avg", p);
        const struct ft_st_tensor *t = ft_st_find(s, name.p);
        if (!t || t->rank != p->rank || t->shape[0] != p->shape[0] || t->shape[1] != p->shape[1]) {
            r = ft_fail(e, FT_DATA, "%s: no tensor \"%s\" of the parameter's shape", path, name.p);
            continue;
        }
        room = ft_reallocs(room, t->count ? t->count : 1, sizeof *room);
        r = ft_st_f32(t, 0, t->count, room, e);
        if (!r)
            o->b->op->upload(o->b, (i % 2 ? o->m2 : o->m1)[i / 2], room);
    }
    free(room);
    ft_buf_release(&name);
    ft_st_close(s);
    return r ? r : ft_backend_ok(o->b, e);
}
