#include "tokenizer/train_words.h"

#include <stdlib.h>

#include "pipeline/hash.h"

static struct tk_word *slot(const struct tk_words *w, const char *p, size_t n, uint32_t hash)
{
    for (size_t i = hash & (w->n_slots - 1);; i = (i + 1) & (w->n_slots - 1)) {
        struct tk_word *s = &w->slots[i];
        if (!s->count || (s->hash == hash && s->n == n && !memcmp(s->p, p, n)))
            return s;
    }
}

static void grow(struct tk_words *w)
{
    struct tk_word *old = w->slots;
    const size_t n = w->n_slots;
    w->n_slots = n ? n * 2 : 4096;
    w->slots = ft_calloc(w->n_slots, sizeof *w->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].count) {
            size_t k = old[i].hash & (w->n_slots - 1);
            while (w->slots[k].count)
                k = (k + 1) & (w->n_slots - 1);
            w->slots[k] = old[i];
        }
    free(old);
}

static void add(struct tk_words *w, const char *p, size_t n, uint32_t hash, uint64_t count)
{
    if (w->n * 2 >= w->n_slots)
        grow(w);
    struct tk_word *s = slot(w, p, n, hash);
    if (!s->count) {
        *s = (struct tk_word){ft_arena_dup(&w->mem, p, n), 0, (uint32_t)n, hash};
        w->n++;
        w->bytes += n;
    }
    s->count += count;
    w->total += count;
}

void tk_words_add(struct tk_words *w, const char *p, size_t n, uint64_t count)
{
    add(w, p, n, (uint32_t)ft_hash64(p, n), count);
}

void tk_words_merge(struct tk_words *w, struct tk_words *from)
{
    for (size_t i = 0; i < from->n_slots; i++)
        if (from->slots[i].count)
            add(w, from->slots[i].p, from->slots[i].n, from->slots[i].hash, from->slots[i].count);
    tk_words_release(from);
}

static int by_count(const void *x, const void *y)
{
    const struct tk_word *a = x, *b = y;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return ft_str_cmp((struct ft_str){a->p, a->n}, (struct ft_str){b->p, b->n});
}

void tk_words_sort(struct tk_words *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].count)
            w->slots[n++] = w->slots[i];
    if (n)
        qsort(w->slots, n, sizeof *w->slots, by_count);
    w->n_slots = 0;
}

void tk_words_release(struct tk_words *w)
{
    ft_arena_release(&w->mem);
    free(w->slots);
    *w = (struct tk_words){0};
}
