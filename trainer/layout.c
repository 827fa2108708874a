/* Planned memory: one walk over everything a plan needs, done twice, to count
 * and to lay out. */
#include <stdlib.h>
#include <string.h>

#include "trainer/block.h"

enum { LOGITS = 4 << 20 }; /* floats of logits at a time: 16 MB, but no fewer than 64 rows */

static ft_dim most(ft_dim a, ft_dim b) { return a > b ? a : b; }
static ft_dim least(ft_dim a, ft_dim b) { return a < b ? a : b; }

static void lay_saved(const struct ft_model *m, struct ft_saved *s, struct ft_mem *mem, ft_dim T, bool own_x)
{
    const struct ft_config *c = &m->config;
    const ft_dim Q = c->heads * c->head_dim, K = c->kv_heads * c->head_dim, F = c->intermediate, C = c->hidden;

    if (own_x)
        s->x = ft_mem_f32(mem, T, C);
    s->rstd1 = ft_mem_f32(mem, T, 1);
    s->norm1 = ft_mem_f32(mem, T, C);
    s->qkv = ft_mem_f32(mem, T, Q + 2 * K);
    if (c->qk_norm) {
        s->raw = ft_mem_f32(mem, T, Q + K);
        s->rstdq = ft_mem_f32(mem, T, c->heads);
        s->rstdk = ft_mem_f32(mem, T, c->kv_heads);
    }
    s->att = ft_mem_f32(mem, T, Q);
    s->lse = ft_mem_f32(mem, T, c->heads);
    s->mid = ft_mem_f32(mem, T, C);
    s->rstd2 = ft_mem_f32(mem, T, 1);
    s->norm2 = ft_mem_f32(mem, T, C);
    s->gu = ft_mem_f32(mem, T, 2 * F);
    s->act = ft_mem_f32(mem, T, F);
}

static void lay_adapters(const struct ft_model *m, struct ft_saved *s, struct ft_mem *mem, ft_dim T, ft_dim layer)
{
    const struct ft_block_ids *id = &m->blocks[layer];
    const int lins[FT_LINS] = {id->q, id->k, id->v, id->o, id->gate, id->up, id->down};

    for (int l = 0; l < FT_LINS; l++)
        for (int k = 0; k < m->n_slots; k++)
            if (m->linears[lins[l]].lora[k].a >= 0)
                s->z[l][k] = ft_mem_f32(mem, T, m->linears[lins[l]].lora[k].r);
}

static void lay(const struct ft_model *m, const struct ft_plan *p, struct ft_layout *w, struct ft_mem *mem)
{
    const struct ft_config *c = &m->config;
    const ft_dim T = p->tokens, Q = c->heads * c->head_dim, K = c->kv_heads * c->head_dim, F = c->intermediate,
                 C = c->hidden;
    ft_dim rank = 0, widest = 0;

    for (int i = 0; i < m->n_linears; i++)
        for (int k = 0; k < m->n_slots; k++)
            if (m->linears[i].lora[k].a >= 0) {
                rank = most(rank, m->linears[i].lora[k].r);
                if (m->linears[i].lora[k].dropout > 0)
                    widest = most(widest, m->linears[i].in);
            }
    w->tokens = T;
    w->ids = ft_mem_tensor(mem, FT_I32, 1, T);
    w->pos = ft_mem_tensor(mem, FT_I32, 1, T);
    w->keys = ft_mem_tensor(mem, FT_I32, T, 4);
    w->table = ft_mem_f32(mem, most(T, p->cache_length), c->head_dim);
    for (ft_dim i = 0; i < c->layers; i++) {
        if (i == 0 || p->train)
            lay_saved(m, &w->saved[i], mem, T, p->train);
        else
            w->saved[i] = w->saved[0];
        lay_adapters(m, &w->saved[i], mem, T, i);
    }
    w->x[0] = ft_mem_f32(mem, T, C);
    w->x[1] = p->train ? w->x[0] : ft_mem_f32(mem, T, C);
    w->rstd = ft_mem_f32(mem, T, 1);
    w->hidden = ft_mem_f32(mem, T, C);
    if (widest)
        w->drop = ft_mem_f32(mem, T, widest);
    w->chunk = least(T, most(64, LOGITS / c->vocab));
    w->rows = ft_mem_tensor(mem, FT_I32, 1, T);
    w->target = ft_mem_tensor(mem, FT_I32, 1, T);
    w->dlogp = ft_mem_f32(mem, 1, T);
    w->picked = ft_mem_f32(mem, T, C);
    w->logits = ft_mem_f32(mem, w->chunk, c->vocab);
    w->score = ft_mem_f32(mem, T, 4);
    if (p->train) {
        w->dx = ft_mem_f32(mem, T, C);
        w->dn = ft_mem_f32(mem, T, C);
        w->dqkv = ft_mem_f32(mem, T, Q + 2 * K);
        w->datt = ft_mem_f32(mem, T, Q);
        w->dgu = ft_mem_f32(mem, T, 2 * F);
        w->dact = ft_mem_f32(mem, T, F);
        w->dz = ft_mem_f32(mem, T, most(rank, 1));
        w->dpicked = ft_mem_f32(mem, T, C);
    }
    for (ft_dim i = 0; p->cache_rows && i < c->layers; i++) {
        w->cache_k[i] = ft_mem_f32(mem, p->cache_rows * p->cache_length, K);
        w->cache_v[i] = ft_mem_f32(mem, p->cache_rows * p->cache_length, K);
    }
}

static struct ft_layout *layout_new(const struct ft_model *m, const struct ft_plan *p)
{
    struct ft_layout *w = ft_calloc(1, sizeof *w);
    const size_t layers = (size_t)m->config.layers, T = (size_t)p->tokens;

    w->saved = ft_calloc(layers, sizeof *w->saved);
    w->cache_k = ft_calloc(layers, sizeof *w->cache_k);
    w->cache_v = ft_calloc(layers, sizeof *w->cache_v);
    w->cache_used = ft_calloc((size_t)p->cache_rows + 1, sizeof *w->cache_used);
    w->segs = ft_calloc(T + 1, sizeof *w->segs);
    w->host_ids = ft_calloc(4 * T + 4, sizeof *w->host_ids);
    w->host_f32 = ft_calloc(4 * T + 4, sizeof *w->host_f32);
    return w;
}

static void layout_drop(struct ft_layout *w)
{
    if (!w)
        return;
    free(w->saved);
    free(w->cache_k);
    free(w->cache_v);
    free(w->cache_used);
    free(w->segs);
    free(w->host_ids);
    free(w->host_f32);
    free(w);
}

static void lay_grads(struct ft_model *m, const struct ft_plan *p, struct ft_mem *mem)
{
    for (int i = 0; p->train && i < m->n_params; i++)
        if (m->params[i].trainable) {
            const struct ft_tensor g = ft_mem_f32(mem, m->params[i].data.rows, m->params[i].data.cols);
            if (mem->base)
                m->params[i].grad = g;
        }
}

/* Bytes for the plan. */
static size_t needed(const struct ft_model *m, const struct ft_plan *p)
{
    struct ft_layout *w = layout_new(m, p);
    struct ft_mem mem = {0};

    lay(m, p, w, &mem);
    lay_grads((struct ft_model *)(uintptr_t)m, p, &mem); /* changes nothing while counting */
    layout_drop(w);
    return mem.used;
}

void ft_layout_free(struct ft_model *m)
{
    if (m->arena)
        m->b->op->free(m->b, m->arena);
    layout_drop(m->layout);
    m->arena = NULL;
    m->layout = NULL;
    for (int i = 0; i < m->n_params; i++)
        m->params[i].grad.p = NULL;
}

int ft_model_reserve(struct ft_model *m, const struct ft_plan *p, struct ft_err *e)
{
    struct ft_mem mem = {.cap = needed(m, p)};

    ft_layout_free(m);
    m->arena = m->b->op->alloc(m->b, mem.cap);
    if (!m->arena)
        return ft_fail(e, FT_SYS, "no memory for %td tokens at a time (%zu bytes)", p->tokens, mem.cap);
    mem.base = m->arena;
    m->plan = *p;
    m->layout = layout_new(m, p);
    lay(m, p, m->layout, &mem);
    lay_grads(m, p, &mem);

    const struct ft_tensor t = m->layout->table;
    float *table = ft_reallocs(NULL, (size_t)(t.rows * t.cols), sizeof *table);
    ft_rope_table(&m->config, table, t.rows);
    m->b->op->upload(m->b, t, table);
    free(table);
    return ft_backend_ok(m->b, e);
}

void ft_model_zero_grad(struct ft_model *m)
{
    for (int i = 0; i < m->n_params; i++)
        if (m->params[i].grad.p)
            m->b->op->zero(m->b, m->params[i].grad);
}
