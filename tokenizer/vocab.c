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

/* What a slot holds: an id, or the index of an alias with this bit. */
static const uint32_t ALIAS = 1u << 31;

static struct ft_str string_of(const struct tk_vocab *v, uint32_t slot)
{
    return slot & ALIAS ? v->alias[slot & ~ALIAS].s : v->token[slot - 1];
}

static uint32_t *slot(const struct tk_vocab *v, const char *p, size_t n)
{
    size_t i = ft_hash64(p, n) & (v->n_slots - 1);
    for (;; i = (i + 1) & (v->n_slots - 1)) {
        uint32_t *s = &v->slots[i];
        if (!*s)
            return s;
        const struct ft_str t = string_of(v, *s);
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
            *slot(v, string_of(v, old[i]).p, string_of(v, old[i]).n) = old[i];
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

void tk_vocab_add_alias(struct tk_vocab *v, struct ft_str s, uint32_t id)
{
    if (v->count * 2 >= v->n_slots)
        grow(v);
    if (!(v->n_alias & (v->n_alias - 1))) /* full at each power of two */
        v->alias = ft_reallocs(v->alias, v->n_alias ? 2 * v->n_alias : 1, sizeof *v->alias);
    v->alias[v->n_alias] = (struct tk_alias){{ft_arena_dup(&v->mem, s.p, s.n), s.n}, id};
    *slot(v, s.p, s.n) = ALIAS | (uint32_t)v->n_alias++;
    v->count++;
}

int64_t tk_vocab_find(const struct tk_vocab *v, const char *p, size_t n)
{
    if (!v->n_slots)
        return -1;
    const uint32_t s = *slot(v, p, n);
    return s & ALIAS ? (int64_t)v->alias[s & ~ALIAS].id : (int64_t)s - 1;
}

void tk_vocab_release(struct tk_vocab *v)
{
    ft_arena_release(&v->mem);
    free(v->token);
    free(v->alias);
    free(v->slots);
    *v = (struct tk_vocab){0};
}
