/* Forward, head, backward over a micro-batch. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "trainer/block.h"

/* ---- forward ---- */

static struct ft_tensor left(struct ft_tensor row, ft_dim n) { return ft_cols(row, 0, n); }

/* What the operators read of a batch goes up. */
static void upload(struct ft_model *m, const struct ft_batch *b)
{
    struct ft_layout *w = m->layout;
    const struct ft_ops *op = m->b->op;

    op->upload(m->b, left(w->ids, b->n), b->tokens);
    op->upload(m->b, left(w->pos, b->n), b->positions);
    w->step = (uint32_t)b->step;
    if (!w->dropping)
        return;
    for (ft_dim s = 0; s < b->segments; s++)
        for (ft_dim t = b->segment[s]; t < b->segment[s + 1]; t++) {
            const uint64_t doc = b->document ? b->document[s] : (uint64_t)s;
            int32_t *k = w->host_ids + 4 * t;
            k[0] = (int32_t)(uint32_t)doc;
            k[1] = (int32_t)(uint32_t)(doc >> 32);
            k[2] = b->positions[t];
            k[3] = 0;
        }
    op->upload(m->b, ft_rows(w->keys, 0, b->n), w->host_ids);
}

static bool drops(const struct ft_model *m)
{
    for (int s = 0; s < m->n_slots; s++)
        if ((m->active >> s & 1) && m->slots[s].config.dropout > 0)
            return true;
    return false;
}

void ft_model_forward(struct ft_model *m, const struct ft_batch *b, bool train)
{
    struct ft_layout *w = m->layout;
    const struct ft_ops *op = m->b->op;
    const struct ft_config *c = &m->config;
    const bool kept = m->plan.train;
    struct ft_tensor x = kept ? w->saved[0].x : w->x[0];

    assert(b->n <= w->tokens && (kept || !train));
    w->dropping = train && drops(m);
    upload(m, b);
    op->embed_fwd(m->b, ft_rows(x, 0, b->n), ft_model_data(m, m->embed), left(w->ids, b->n));
    for (int i = 0; i < c->layers; i++) {
        const struct ft_tensor out = kept ? (i + 1 < c->layers ? w->saved[i + 1].x : w->x[0]) : w->x[(i + 1) % 2];
        w->saved[i].x = x;
        ft_block_forward(m, i, b->n, b, out);
        x = out;
    }
    op->rmsnorm_fwd(m->b, ft_rows(w->hidden, 0, b->n), w->rstd, ft_rows(x, 0, b->n), (struct ft_tensor){0},
                    ft_model_data(m, m->norm), (float)c->norm_eps, 1);
    for (ft_dim s = 0; b->cache_row && s < b->segments; s++)
        w->cache_used[b->cache_row[s]] += b->segment[s + 1] - b->segment[s];
}

/* ---- head ---- */

/* Rows with a target, their targets and gradients, packed; returns how many. */
static ft_dim pick(struct ft_model *m, const struct ft_batch *b, const float *dlogp)
{
    struct ft_layout *w = m->layout;
    int32_t *rows = w->host_ids, *targets = rows + b->n;
    ft_dim n = 0;

    for (ft_dim t = 0; b->targets && t < b->n; t++)
        if (b->targets[t] >= 0) {
            rows[n] = (int32_t)t;
            targets[n] = b->targets[t];
            if (dlogp)
                w->host_f32[n] = dlogp[t];
            n++;
        }
    if (!n)
        return 0;
    m->b->op->upload(m->b, left(w->rows, n), rows);
    m->b->op->upload(m->b, left(w->target, n), targets);
    if (dlogp)
        m->b->op->upload(m->b, left(w->dlogp, n), w->host_f32);
    return n;
}

/* Scores of the n picked rows go out to their places, sums in order. */
static void report(struct ft_model *m, const struct ft_batch *b, ft_dim n, struct ft_scores *s, struct ft_loss *loss)
{
    struct ft_layout *w = m->layout;
    float *score = w->host_f32;
    ft_dim i = 0;

    if (loss)
        *loss = (struct ft_loss){.count = n};
    if (n)
        m->b->op->download(m->b, score, ft_rows(w->score, 0, n));
    for (ft_dim t = 0; t < b->n; t++) {
        const bool has = b->targets && b->targets[t] >= 0;
        const float *v = score + 4 * i;
        if (s && s->logp)
            s->logp[t] = has ? v[0] : 0;
        if (s && s->entropy)
            s->entropy[t] = has ? v[1] : 0;
        if (s && s->greedy)
            s->greedy[t] = has && v[3] != 0;
        if (loss && has) {
            loss->nll -= v[0];
            loss->entropy += v[1];
            loss->greedy += v[3] != 0;
        }
        i += has;
    }
}

void ft_model_head(struct ft_model *m, const struct ft_batch *b, const float *dlogp, struct ft_scores *s,
                   struct ft_loss *loss)
{
    struct ft_layout *w = m->layout;
    const struct ft_ops *op = m->b->op;
    const struct ft_tensor W = ft_model_data(m, m->head), dW = ft_model_grad(m, m->head);
    const ft_dim n = pick(m, b, dlogp);

    if (n)
        op->gather(m->b, ft_rows(w->picked, 0, n), w->hidden, left(w->rows, n));
    for (ft_dim at = 0; at < n; at += w->chunk) {
        const ft_dim k = n - at < w->chunk ? n - at : w->chunk;
        const struct ft_tensor x = ft_rows(w->picked, at, k), logits = ft_rows(w->logits, 0, k);
        op->gemm(m->b, logits, 1, x, false, W, true, 0);
        op->xent(m->b, ft_rows(w->score, at, k), logits, ft_cols(w->target, at, k),
                 dlogp ? ft_cols(w->dlogp, at, k) : (struct ft_tensor){0});
        if (!dlogp)
            continue;
        op->gemm(m->b, ft_rows(w->dpicked, at, k), 1, logits, false, W, false, 0);
        if (dW.p)
            op->gemm(m->b, dW, 1, logits, true, x, false, 1);
    }
    if (dlogp) {
        op->zero(m->b, ft_rows(w->dn, 0, b->n));
        if (n)
            op->scatter(m->b, w->dn, ft_rows(w->dpicked, 0, n), left(w->rows, n));
    }
    report(m, b, n, s, loss);
}

/* ---- backward ---- */

/* The lowest block that has something to learn; -1: only what is above them. */
static int lowest(const struct ft_model *m, bool *input)
{
    *input = false;
    if (m->params[m->embed].grad.p)
        return *input = true, 0;
    for (int i = 0; i < m->config.layers; i++) {
        const struct ft_block_ids *id = &m->blocks[i];
        const int lins[] = {id->q, id->k, id->v, id->o, id->gate, id->up, id->down};
        const int norms[] = {id->norm1, id->norm2, id->qnorm, id->knorm};
        bool found = false;
        for (int k = 0; k < FT_LINS; k++) {
            const struct ft_linear *l = &m->linears[lins[k]];
            found |= ft_model_grad(m, l->weight).p || ft_model_grad(m, l->bias).p;
            for (int s = 0; s < m->n_slots; s++)
                found |= (m->active >> s & 1) && (ft_model_grad(m, l->lora[s].a).p || ft_model_grad(m, l->lora[s].b).p);
        }
        for (int k = 0; k < 4; k++)
            found |= ft_model_grad(m, norms[k]).p != NULL;
        if (found) {
            *input = ft_model_grad(m, id->norm1).p != NULL;
            return i;
        }
    }
    return -1;
}

void ft_model_backward(struct ft_model *m, const struct ft_batch *b)
{
    struct ft_layout *w = m->layout;
    const struct ft_ops *op = m->b->op;
    const struct ft_config *c = &m->config;
    bool input;
    const int low = lowest(m, &input);
    const struct ft_tensor dnorm = ft_model_grad(m, m->norm);

    if (low < 0 && !dnorm.p)
        return;
    op->zero(m->b, ft_rows(w->dx, 0, b->n));
    op->rmsnorm_bwd(m->b, ft_rows(w->dx, 0, b->n), dnorm, ft_rows(w->dn, 0, b->n), ft_rows(w->x[0], 0, b->n),
                    ft_model_data(m, m->norm), w->rstd, 1);
    for (int i = (int)c->layers - 1; low >= 0 && i >= low; i--)
        ft_block_backward(m, i, b->n, b, i > low || input);
    if (ft_model_grad(m, m->embed).p)
        op->embed_bwd(m->b, ft_model_grad(m, m->embed), ft_rows(w->dx, 0, b->n), left(w->ids, b->n));
}

/* ---- whole steps ---- */

static int check(const struct ft_model *m, const struct ft_batch *b, struct ft_err *e)
{
    const ft_dim positions = m->layout->table.rows;

    for (ft_dim t = 0; t < b->n; t++) {
        if (b->tokens[t] < 0 || b->tokens[t] >= m->config.vocab)
            return ft_fail(e, FT_DATA, "token %" PRId32 " is not below the model's vocabulary of %" PRId64,
                           b->tokens[t], m->config.vocab);
        if (b->targets && b->targets[t] >= m->config.vocab)
            return ft_fail(e, FT_DATA, "target %" PRId32 " is not below the model's vocabulary of %" PRId64,
                           b->targets[t], m->config.vocab);
        if (b->positions[t] < 0 || b->positions[t] >= positions)
            return ft_fail(e, FT_DATA, "position %" PRId32 " is not below %td", b->positions[t], positions);
    }
    return 0;
}

int ft_model_train(struct ft_model *m, const struct ft_batch *b, double scale, struct ft_loss *loss, struct ft_err *e)
{
    float *dlogp = m->layout->host_f32 + 3 * m->layout->tokens;

    if (check(m, b, e))
        return -1;
    for (ft_dim t = 0; t < b->n; t++)
        dlogp[t] = (float)-scale; /* read before the scores come down over it */
    ft_model_forward(m, b, true);
    ft_model_head(m, b, dlogp, NULL, loss);
    ft_model_backward(m, b);
    return ft_backend_ok(m->b, e);
}

int ft_model_score(struct ft_model *m, const struct ft_batch *b, struct ft_scores *s, struct ft_loss *loss,
                   struct ft_err *e)
{
    if (check(m, b, e))
        return -1;
    ft_model_forward(m, b, false);
    ft_model_head(m, b, NULL, s, loss);
    return ft_backend_ok(m->b, e);
}

/* ---- generation ---- */

int ft_model_next(struct ft_model *m, const struct ft_batch *b, float *out, struct ft_err *e)
{
    struct ft_layout *w = m->layout;
    const struct ft_ops *op = m->b->op;

    for (ft_dim s = 0; s < b->segments; s++)
        if (w->cache_used[b->cache_row[s]] + b->segment[s + 1] - b->segment[s] > m->plan.cache_length)
            return ft_fail(e, FT_DATA, "more than %td positions", m->plan.cache_length);
    if (check(m, b, e))
        return -1;
    ft_model_forward(m, b, false);
    for (ft_dim s = 0; s < b->segments; s++)
        w->host_ids[s] = b->segment[s + 1] - 1;
    op->upload(m->b, left(w->rows, b->segments), w->host_ids);
    op->gather(m->b, ft_rows(w->picked, 0, b->segments), w->hidden, left(w->rows, b->segments));
    for (ft_dim at = 0; at < b->segments; at += w->chunk) {
        const ft_dim k = b->segments - at < w->chunk ? b->segments - at : w->chunk;
        op->gemm(m->b, ft_rows(w->logits, 0, k), 1, ft_rows(w->picked, at, k), false, ft_model_data(m, m->head), true, 0);
        op->download(m->b, out + at * m->config.vocab, ft_rows(w->logits, 0, k));
    }
    return ft_backend_ok(m->b, e);
}

void ft_model_cache_trim(struct ft_model *m, ft_dim row, ft_dim length)
{
    if (m->layout->cache_used[row] > length)
        m->layout->cache_used[row] = length;
}
