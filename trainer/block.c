#include "trainer/block.h"

#include <math.h>

static const struct ft_linear *lin(const struct ft_model *m, int i) { return &m->linears[i]; }

/* The widths of all query heads and of all key/value heads. */
static ft_dim width_q(const struct ft_model *m) { return m->config.heads * m->config.head_dim; }
static ft_dim width_k(const struct ft_model *m) { return m->config.kv_heads * m->config.head_dim; }

static struct ft_tensor top(struct ft_tensor t, ft_dim n) { return ft_rows(t, 0, n); }

/* Attention of this layer over the segments of the batch. Keys and values stand
 * beside the queries, or in the cache, where those of the segment are put first. */
static struct ft_attn attention(struct ft_model *m, int layer, const struct ft_batch *b, struct ft_tensor qkv,
                                struct ft_tensor dqkv)
{
    const struct ft_config *c = &m->config;
    const ft_dim Q = width_q(m), K = width_k(m);
    struct ft_layout *w = m->layout;

    for (ft_dim i = 0; i < b->segments; i++) {
        const ft_dim first = b->segment[i], n = b->segment[i + 1] - first;
        struct ft_attn_seg *s = &w->segs[i];
        *s = (struct ft_attn_seg){.q = first, .n = n, .nk = n, .stride = qkv.stride, .dstride = dqkv.stride,
                                  .k = ft_tensor_at(qkv, first, Q), .v = ft_tensor_at(qkv, first, Q + K),
                                  .dk = ft_tensor_at(dqkv, first, Q), .dv = ft_tensor_at(dqkv, first, Q + K)};
        if (!b->cache_row)
            continue;
        const ft_dim at = b->cache_row[i] * m->plan.cache_length, used = w->cache_used[b->cache_row[i]];
        m->b->op->copy(m->b, ft_rows(w->cache_k[layer], at + used, n), ft_rows(ft_cols(qkv, Q, K), first, n));
        m->b->op->copy(m->b, ft_rows(w->cache_v[layer], at + used, n), ft_rows(ft_cols(qkv, Q + K, K), first, n));
        s->k = ft_tensor_at(w->cache_k[layer], at, 0);
        s->v = ft_tensor_at(w->cache_v[layer], at, 0);
        s->stride = K;
        s->nk = used + n;
    }
    return (struct ft_attn){.heads = c->heads, .kv_heads = c->kv_heads, .dim = c->head_dim,
                            .scale = (float)(1 / sqrt((double)c->head_dim)),
                            .window = c->windowed[layer] ? c->window : 0, .seg = w->segs, .segs = b->segments};
}

void ft_block_forward(struct ft_model *m, int layer, ft_dim n, const struct ft_batch *b, struct ft_tensor out)
{
    struct ft_backend *be = m->b;
    const struct ft_ops *op = be->op;
    const struct ft_config *c = &m->config;
    const struct ft_block_ids *id = &m->blocks[layer];
    struct ft_layout *w = m->layout;
    const struct ft_saved *s = &w->saved[layer];
    const ft_dim Q = width_q(m), K = width_k(m), F = c->intermediate;
    const float eps = (float)c->norm_eps;
    const struct ft_tensor x = top(s->x, n), norm1 = top(s->norm1, n), qkv = top(s->qkv, n), att = top(s->att, n),
                           mid = top(s->mid, n), norm2 = top(s->norm2, n), gu = top(s->gu, n), act = top(s->act, n);
    const struct ft_tensor into = c->qk_norm ? top(s->raw, n) : qkv;

    op->rmsnorm_fwd(be, norm1, s->rstd1, x, (struct ft_tensor){0}, ft_model_data(m, id->norm1), eps, 1);
    ft_linear_forward(m, lin(m, id->q), ft_cols(into, 0, Q), norm1, s->z[FT_LIN_Q]);
    ft_linear_forward(m, lin(m, id->k), ft_cols(into, Q, K), norm1, s->z[FT_LIN_K]);
    ft_linear_forward(m, lin(m, id->v), ft_cols(qkv, Q + K, K), norm1, s->z[FT_LIN_V]);
    if (c->qk_norm) {
        op->rmsnorm_fwd(be, ft_cols(qkv, 0, Q), s->rstdq, ft_cols(into, 0, Q), (struct ft_tensor){0},
                        ft_model_data(m, id->qnorm), eps, c->heads);
        op->rmsnorm_fwd(be, ft_cols(qkv, Q, K), s->rstdk, ft_cols(into, Q, K), (struct ft_tensor){0},
                        ft_model_data(m, id->knorm), eps, c->kv_heads);
    }
    op->rope(be, ft_cols(qkv, 0, Q + K), w->table, w->pos, c->heads + c->kv_heads, false);
    const struct ft_attn a = attention(m, layer, b, qkv, (struct ft_tensor){0});
    op->attn_fwd(be, att, s->lse, ft_cols(qkv, 0, Q), &a);
    ft_linear_forward(m, lin(m, id->o), mid, att, s->z[FT_LIN_O]);

    op->rmsnorm_fwd(be, norm2, s->rstd2, mid, x, ft_model_data(m, id->norm2), eps, 1); /* mid += x */
    ft_linear_forward(m, lin(m, id->gate), ft_cols(gu, 0, F), norm2, s->z[FT_LIN_GATE]);
    ft_linear_forward(m, lin(m, id->up), ft_cols(gu, F, F), norm2, s->z[FT_LIN_UP]);
    op->glu_fwd(be, act, gu, c->act);
    ft_linear_forward(m, lin(m, id->down), top(out, n), act, s->z[FT_LIN_DOWN]);
    op->add(be, top(out, n), 1, mid);
}

void ft_block_backward(struct ft_model *m, int layer, ft_dim n, const struct ft_batch *b, bool input)
{
    struct ft_backend *be = m->b;
    const struct ft_ops *op = be->op;
    const struct ft_config *c = &m->config;
    const struct ft_block_ids *id = &m->blocks[layer];
    struct ft_layout *w = m->layout;
    const struct ft_saved *s = &w->saved[layer];
    const ft_dim Q = width_q(m), K = width_k(m), F = c->intermediate;
    const struct ft_tensor none = {0}, dx = top(w->dx, n), dn = top(w->dn, n), dgu = top(w->dgu, n),
                           dact = top(w->dact, n), dqkv = top(w->dqkv, n), datt = top(w->datt, n),
                           qkv = top(s->qkv, n), norm1 = top(s->norm1, n), norm2 = top(s->norm2, n);

    ft_linear_backward(m, lin(m, id->down), dact, false, dx, top(s->act, n), s->z[FT_LIN_DOWN]);
    op->glu_bwd(be, dgu, dact, top(s->gu, n), c->act);
    ft_linear_backward(m, lin(m, id->gate), dn, false, ft_cols(dgu, 0, F), norm2, s->z[FT_LIN_GATE]);
    ft_linear_backward(m, lin(m, id->up), dn, true, ft_cols(dgu, F, F), norm2, s->z[FT_LIN_UP]);
    op->rmsnorm_bwd(be, dx, ft_model_grad(m, id->norm2), dn, top(s->mid, n), ft_model_data(m, id->norm2), s->rstd2, 1);

    ft_linear_backward(m, lin(m, id->o), datt, false, dx, top(s->att, n), s->z[FT_LIN_O]);
    const struct ft_attn a = attention(m, layer, b, qkv, dqkv);
    op->attn_bwd(be, ft_cols(dqkv, 0, Q), datt, top(s->att, n), s->lse, ft_cols(qkv, 0, Q), &a);
    op->rope(be, ft_cols(dqkv, 0, Q + K), w->table, w->pos, c->heads + c->kv_heads, true);
    if (c->qk_norm) {
        const struct ft_tensor raw = top(s->raw, n), dq = ft_cols(dqkv, 0, Q), dk = ft_cols(dqkv, Q, K);
        op->rmsnorm_bwd(be, dq, ft_model_grad(m, id->qnorm), dq, ft_cols(raw, 0, Q), ft_model_data(m, id->qnorm),
                        s->rstdq, c->heads);
        op->rmsnorm_bwd(be, dk, ft_model_grad(m, id->knorm), dk, ft_cols(raw, Q, K), ft_model_data(m, id->knorm),
                        s->rstdk, c->kv_heads);
    }
    ft_linear_backward(m, lin(m, id->q), input ? dn : none, false, ft_cols(dqkv, 0, Q), norm1, s->z[FT_LIN_Q]);
    ft_linear_backward(m, lin(m, id->k), input ? dn : none, true, ft_cols(dqkv, Q, K), norm1, s->z[FT_LIN_K]);
    ft_linear_backward(m, lin(m, id->v), input ? dn : none, true, ft_cols(dqkv, Q + K, K), norm1, s->z[FT_LIN_V]);
    if (input)
        op->rmsnorm_bwd(be, dx, ft_model_grad(m, id->norm1), dn, top(s->x, n), ft_model_data(m, id->norm1), s->rstd1, 1);
}
