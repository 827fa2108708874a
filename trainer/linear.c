#include "trainer/block.h"

static bool active(const struct ft_model *m, const struct ft_linear *l, int slot)
{
    return l->lora[slot].a >= 0 && (m->active >> slot & 1);
}

/* The adapter's input: x, or x with dropout, made again from its keys. */
static struct ft_tensor dropped(struct ft_model *m, const struct ft_linear *l, int slot, struct ft_tensor x)
{
    const struct ft_layout *w = m->layout;

    if (!w->dropping || l->lora[slot].dropout == 0)
        return x;
    const struct ft_drop d = {l->lora[slot].dropout, m->seed, (uint32_t)(l->id * FT_SLOTS_MAX + slot), w->step};
    struct ft_tensor out = ft_cols(ft_rows(w->drop, 0, x.rows), 0, x.cols);
    m->b->op->dropout(m->b, out, x, w->keys, &d, false);
    return out;
}

void ft_linear_forward(struct ft_model *m, const struct ft_linear *l, struct ft_tensor y, struct ft_tensor x,
                       const struct ft_tensor *z)
{
    struct ft_backend *b = m->b;

    b->op->gemm(b, y, 1, x, false, ft_model_data(m, l->weight), true, 0);
    if (l->bias >= 0)
        b->op->bias_fwd(b, y, ft_model_data(m, l->bias));
    for (int s = 0; s < m->n_slots; s++) {
        if (!active(m, l, s))
            continue;
        const struct ft_tensor zs = ft_rows(z[s], 0, x.rows);
        b->op->gemm(b, zs, 1, dropped(m, l, s, x), false, ft_model_data(m, l->lora[s].a), true, 0);
        b->op->gemm(b, y, l->lora[s].scale, zs, false, ft_model_data(m, l->lora[s].b), true, 1);
    }
}

void ft_linear_backward(struct ft_model *m, const struct ft_linear *l, struct ft_tensor dx, bool add,
                        struct ft_tensor dy, struct ft_tensor x, const struct ft_tensor *z)
{
    struct ft_backend *b = m->b;
    const struct ft_tensor dw = ft_model_grad(m, l->weight), dbias = ft_model_grad(m, l->bias);

    if (dw.p)
        b->op->gemm(b, dw, 1, dy, true, x, false, 1);
    if (dbias.p)
        b->op->bias_bwd(b, dbias, dy);
    if (dx.p)
        b->op->gemm(b, dx, 1, dy, false, ft_model_data(m, l->weight), false, add ? 1 : 0);
    for (int s = 0; s < m->n_slots; s++) {
        if (!active(m, l, s))
            continue;
        const struct ft_lora *a = &l->lora[s];
        const struct ft_tensor da = ft_model_grad(m, a->a), db = ft_model_grad(m, a->b);
        const struct ft_tensor dz = {m->layout->dz.p, FT_F32, x.rows, a->r, a->r};
        if (db.p)
            b->op->gemm(b, db, a->scale, dy, true, ft_rows(z[s], 0, x.rows), false, 1);
        if (!dx.p && !da.p)
            continue;
        b->op->gemm(b, dz, a->scale, dy, false, ft_model_data(m, a->b), false, 0);
        if (da.p)
            b->op->gemm(b, da, 1, dz, true, dropped(m, l, s, x), false, 1);
        if (!dx.p)
            continue;
        if (m->layout->dropping && a->dropout > 0) {
            const struct ft_drop d = {a->dropout, m->seed, (uint32_t)(l->id * FT_SLOTS_MAX + s), m->layout->step};
            struct ft_tensor t = ft_cols(ft_rows(m->layout->drop, 0, x.rows), 0, x.cols);
            b->op->gemm(b, t, 1, dz, false, ft_model_data(m, a->a), false, 0);
            b->op->dropout(b, dx, t, m->layout->keys, &d, true);
        } else {
            b->op->gemm(b, dx, 1, dz, false, ft_model_data(m, a->a), false, 1);
        }
    }
}

int ft_model_merge(struct ft_model *m, int slot, struct ft_err *e)
{
    for (int i = 0; i < m->n_linears; i++) {
        const struct ft_linear *l = &m->linears[i];
        const struct ft_lora *a = &l->lora[slot];
        if (a->a < 0)
            continue;
        if (!m->params[l->weight].owned)
            return ft_fail(e, FT_SYS, "'%s' is not ours to change", m->params[l->weight].name);
        m->b->op->gemm(m->b, ft_model_data(m, l->weight), a->scale, ft_model_data(m, a->b), false,
                       ft_model_data(m, a->a), false, 1);
    }
    m->active &= ~(1u << slot);
    return ft_backend_ok(m->b, e);
}
