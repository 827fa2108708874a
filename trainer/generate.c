#include "trainer/generate.h"

#include <stdlib.h>
#include <string.h>

#include "trainer/decoder_priv.h"

enum { CHUNK = 256 }; /* tokens of a prompt at a time */

struct run {
    struct ft_model *m;
    const struct ft_generation *g;
    struct ft_sequence *seq;
    size_t n;
    float *logits;      /* [n, vocab] */
    int32_t *order;     /* [vocab] */
    int32_t *positions; /* [CHUNK] */
    struct ft_err *e;
};

static int reserve(struct ft_model *m, size_t n, size_t length, struct ft_err *e)
{
    struct ft_plan p = {.tokens = CHUNK, .cache_rows = FT_THIN, .cache_length = m->plan.cache_length};

    if (m->layout && !m->plan.train && m->plan.cache_rows >= (ft_dim)n && m->plan.cache_length >= (ft_dim)length)
        return 0;
    p.cache_length = p.cache_length < 256 ? 256 : p.cache_length;
    while (p.cache_length < (ft_dim)length)
        p.cache_length *= 2; /* so that growing prompts make few new plans */
    return ft_model_reserve(m, &p, e);
}

/* Takes the next token of sequence i from its logits. */
static void take(struct run *r, size_t i, const float *logits)
{
    struct ft_sequence *s = &r->seq[i];
    const int32_t id = ft_sample(&r->g->sampling, logits, r->m->config.vocab, r->order, s->record, (uint32_t)s->n_out);

    s->out[s->n_out++] = id;
    for (size_t k = 0; k < r->g->n_stop; k++)
        s->stopped |= id == r->g->stop[k];
}

static int prefill(struct run *r, size_t i)
{
    const struct ft_sequence *s = &r->seq[i];
    const int32_t row = (int32_t)i;

    ft_model_cache_trim(r->m, row, 0);
    for (size_t at = 0; at < s->n_prompt; at += CHUNK) {
        const size_t n = s->n_prompt - at < CHUNK ? s->n_prompt - at : CHUNK;
        const int32_t bounds[2] = {0, (int32_t)n};
        for (size_t k = 0; k < n; k++)
            r->positions[k] = (int32_t)(at + k);
        const struct ft_batch b = {.n = (ft_dim)n, .tokens = s->prompt + at, .positions = r->positions, .segments = 1,
                                   .segment = bounds, .cache_row = &row};
        if (ft_model_next(r->m, &b, r->logits, r->e))
            return -1;
    }
    take(r, i, r->logits);
    return 0;
}

/* One more token for each sequence that has not ended; 0 when there is none. */
static int step(struct run *r)
{
    int32_t tokens[FT_THIN], positions[FT_THIN], rows[FT_THIN], bounds[FT_THIN + 1] = {0};
    int n = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct ft_sequence *s = &r->seq[i];
        if (s->stopped || s->n_out >= r->g->max_new)
            continue;
        tokens[n] = s->out[s->n_out - 1];
        positions[n] = (int32_t)(s->n_prompt + s->n_out - 1);
        rows[n] = (int32_t)i;
        bounds[n + 1] = n + 1;
        n++;
    }
    if (!n)
        return 0;
    const struct ft_batch b = {.n = n, .tokens = tokens, .positions = positions, .segments = n, .segment = bounds,
                               .cache_row = rows};
    if (ft_model_next(r->m, &b, r->logits, r->e))
        return -1;
    for (int k = 0; k < n; k++)
        take(r, (size_t)rows[k], r->logits + k * r->m->config.vocab);
    return 1;
}

int ft_generate(struct ft_model *m, const struct ft_generation *g, struct ft_sequence *s, size_t n, struct ft_err *e)
{
    const size_t vocab = (size_t)m->config.vocab;
    struct run r = {.m = m, .g = g, .seq = s, .n = n, .e = e};
    size_t longest = 0;
    int k = 0;

    for (size_t i = 0; i < n; i++) {
        s[i].n_out = 0;
        s[i].stopped = false;
        longest = s[i].n_prompt > longest ? s[i].n_prompt : longest;
    }
    if (!g->max_new)
        return 0;
    if (reserve(m, n, longest + g->max_new, e))
        return -1;
    r.logits = ft_reallocs(NULL, n * vocab, sizeof *r.logits);
    r.order = ft_reallocs(NULL, vocab, sizeof *r.order);
    r.positions = ft_reallocs(NULL, CHUNK, sizeof *r.positions);
    for (size_t i = 0; i < n && !k; i++)
        k = prefill(&r, i);
    if (!k)
        while ((k = step(&r)) > 0)
            ;
    free(r.logits);
    free(r.order);
    free(r.positions);
    return k;
}
