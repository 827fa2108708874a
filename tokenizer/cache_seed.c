#include "tokenizer/cache_seed.h"

#include <stdlib.h>

void tk_seed_init(struct tk_seed *s, size_t words)
{
    *s = (struct tk_seed){.n_slots = 64, .low = 63};
    while (s->n_slots < 2 * words)
        s->n_slots *= 2;
    while (s->low < words)
        s->low = s->low << 1 | 1;
    s->slot = memset(ft_large(s->n_slots * sizeof *s->slot), 0, s->n_slots * sizeof *s->slot);
    s->key = ft_large((words + 1) * sizeof *s->key);
    s->id = ft_calloc(words + 4, sizeof *s->id);
}

struct tk_seed_word tk_seed_ask(const struct tk_seed *s, const char *p, size_t n, int32_t id)
{
    if (!n || n > TK_KEY_MAX)
        return (struct tk_seed_word){.id = -1};
    const struct tk_key k = tk_key_of(p, n);
    const uint32_t hash = tk_key_hash(k.lo, k.hi);
    tk_seed_prefetch(s, hash);
    return (struct tk_seed_word){k, hash, id};
}

void tk_seed_put(struct tk_seed *s, const struct tk_seed_word *w)
{
    if (w->id < 0 || tk_seed_find(s, w->key, w->hash) >= 0)
        return;
    s->key[s->n] = w->key;
    s->id[s->n++] = (uint32_t)w->id | 1u << 24;
    size_t i = w->hash & (s->n_slots - 1);
    while (s->slot[i])
        i = (i + 1) & (s->n_slots - 1);
    s->slot[i] = (w->hash & ~s->low) | (uint32_t)s->n;
}

void tk_seed_add(struct tk_seed *s, const char *p, size_t n, int32_t id)
{
    const struct tk_seed_word w = tk_seed_ask(s, p, n, id);
    tk_seed_put(s, &w);
}

void tk_seed_release(struct tk_seed *s)
{
    if (!s->mapped) {
        free(s->slot);
        free(s->key);
        free(s->id);
    }
    *s = (struct tk_seed){0};
}
