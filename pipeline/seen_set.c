#include "pipeline/seen_set.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pipeline/mem.h"

#ifdef FT_TINY
enum { FIRST = 2 };
#else
enum { FIRST = 1024 };
#endif

void ft_seen_init(struct ft_seen *s, uint64_t *limit)
{
    *s = (struct ft_seen){.limit = limit};
}

/* The slot that holds key, or the free one where it belongs. */
static struct ft_seen_slot *slot_of(const struct ft_seen *s, struct ft_digest key)
{
    for (size_t i = key.lo & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
        struct ft_seen_slot *slot = &s->slots[i];
        if (!slot->value || (slot->key.lo == key.lo && slot->key.hi == key.hi))
            return slot;
    }
}

bool ft_seen_get(const struct ft_seen *s, struct ft_digest key, uint64_t *value)
{
    const struct ft_seen_slot *slot = s->cap ? slot_of(s, key) : NULL;

    if (!slot || !slot->value)
        return false;
    *value = slot->value - 1;
    return true;
}

static int grow(struct ft_seen *s, struct ft_err *e)
{
    struct ft_seen next = *s;
    uint64_t bytes;

    next.cap = s->cap ? s->cap * 2 : FIRST;
    bytes = next.cap * sizeof *s->slots;
    /* Old and new stand side by side while the entries move. */
    if (s->limit && *s->limit < bytes)
        return ft_fail(e, FT_SYS, "%zu keys fill the memory allowed: the next step takes %" PRIu64 " %s more", s->n,
                       bytes >> 20 ? bytes >> 20 : bytes >> 10, bytes >> 20 ? "MiB" : "KiB");
    next.slots = ft_calloc(next.cap, sizeof *next.slots);
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i].value)
            *slot_of(&next, s->slots[i].key) = s->slots[i];
    if (s->limit)
        *s->limit = *s->limit - bytes + s->cap * sizeof *s->slots;
    free(s->slots);
    *s = next;
    return 0;
}

int ft_seen_put(struct ft_seen *s, struct ft_digest key, uint64_t value, struct ft_err *e)
{
    if ((s->n + 1) * 4 > s->cap * 3 && grow(s, e)) /* never full: a search must end */
        return -1;
    *slot_of(s, key) = (struct ft_seen_slot){key, value + 1};
    s->n++;
    return 0;
}

void ft_seen_release(struct ft_seen *s)
{
    free(s->slots);
    *s = (struct ft_seen){0};
}
