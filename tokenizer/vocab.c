#include "tokenizer/vocab.h"

#include <stdlib.h>

#include "pipeline/hash.h"

void tk_vocab_init(struct tk_vocab *v, size_t expected)
{
    *v = (struct tk_vocab){.n_slots = 64};
    while (v->n_slots < expected * 2)
        v->n_slots *= 2;
    v->slots = ft_calloc(v->n_slots, sizeof *v->slots);
}

static uint32_t *slot(const struct tk_vocab *v, const char *p, size_t n)
{
    size_t i = ft_hash64(p, n) & (v->n_slots - 1);
    for (;; i = (i + 1) & (v->n_slots - 1)) {
        uint32_t *s = &v->slots[i];
        if (!*s)
            return s;
        const struct ft_str t = v->token[*s - 1];
        if (t.n == n && !memcmp(t.p, p, n))
            return s;
    }
}

static void grow(struct tk_vocab *v)
{
    uint32_t *old = v->slots;
    const size_t n = v->n_slots;
    v->n_slots *= 2;
    v->slots = ft_calloc(v->n_slots, sizeof *v->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i])
            *slot(v, v->token[old[i] - 1].p, v->token[old[i] - 1].n) = old[i];
    free(old);
}

void tk_vocab_add(struct tk_vocab *v, struct ft_str s, uint32_t id)
{
    if (v->count * 2 >= v->n_slots)
        grow(v);
    if (id >= v->n_ids) {
        size_t n = v->n_ids ? v->n_ids : 256;
        while (n <= id)
            n *= 2;
        v->token = ft_reallocs(v->token, n, sizeof *v->token);
        memset(v->token + v->n_ids, 0, (n - v->n_ids) * sizeof *v->token);
        v->n_ids = n;
    }
    uint32_t *at = slot(v, s.p, s.n);
    const struct ft_str own = {ft_arena_dup(&v->mem, s.p, s.n), s.n};
    v->count += *at == 0;
    v->token[id] = own;
    *at = id + 1;
}

int64_t tk_vocab_find(const struct tk_vocab *v, const char *p, size_t n)
{
    if (!v->n_slots)
        return -1;
    return (int64_t)*slot(v, p, n) - 1;
}

void tk_vocab_release(struct tk_vocab *v)
{
    ft_arena_release(&v->mem);
    free(v->token);
    free(v->slots);
    *v = (struct tk_vocab){0};
}
