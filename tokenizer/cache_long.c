#include "tokenizer/cache_long.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "tokenizer/cache_tables.h"

enum { SLACK = 64 }; /* bytes behind the ring that may be read */

static void sets_new(struct tk_long *l, uint32_t bits)
{
    void *p;
    if (posix_memalign(&p, 64, sizeof *l->set << bits))
        p = ft_malloc(SIZE_MAX);
    memset(p, 0, sizeof *l->set << bits);
    l->set = p;
    l->bits = bits;
    l->used = 0;
}

void tk_long_new(struct tk_long *l)
{
    sets_new(l, 7);
    l->ring = tk_pages(((size_t)16 << TK_RING) + SLACK, false);
    l->score = 4 * TK_LONG_FEW;
    l->head = 1u << TK_RING; /* place 0 is not good */
    l->stop = l->head + TK_RING_BATCH;
}

void tk_long_release(struct tk_long *l)
{
    free(l->set);
    munmap(l->ring, ((size_t)16 << TK_RING) + SLACK);
}

bool tk_long_next(struct tk_long *l)
{
    l->stop = l->head + TK_RING_BATCH;
    return l->head < UINT32_MAX - 2 * TK_RING_BATCH;
}

/* Room for n bytes; 0: there is none. */
static uint32_t take(struct tk_long *l, size_t n)
{
    const uint32_t units = (uint32_t)((n + 15) / 16), in = l->head & ((1u << TK_RING) - 1);
    const uint32_t at = in + units > 1u << TK_RING ? l->head - in + (1u << TK_RING) : l->head;
    if (at + units > l->stop)
        return 0;
    l->head = at + units;
    return at;
}

static void put_ids(unsigned char *to, const int32_t *ids, size_t count)
{
    const uint32_t first = (uint32_t)ids[0] | (uint32_t)count << 24;
    memcpy(to, &first, 4);
    memcpy(to + 4, ids + 1, 4 * (count - 1));
}

/* Takes a slot for a new word: a free one, or else of a word that is not in the ring, or else of the
 * oldest. Not always the same of those, or of words that come in turn each would push out the next. */
static void set_slot(struct tk_long *l, uint64_t hash, uint32_t tag, uint32_t at)
{
    if (l->used >= TK_LONG_SLOTS / 2u << l->bits && l->bits < TK_LONG_SETS) { /* what was there is forgotten: this is not often */
        free(l->set);
        sets_new(l, l->bits + 2);
    }
    struct tk_long_set *s = tk_long_set(l, hash);
    const unsigned none = tk_long_slots(s, 0), turn = tag >> 8;
    unsigned best = turn % TK_LONG_SLOTS;
    for (unsigned i = 0; i < TK_LONG_SLOTS; i++) {
        const unsigned k = (i + turn) % TK_LONG_SLOTS;
        if (none ? none >> k & 1 : !tk_long_good(l, s->at[k])) {
            best = k;
            break;
        }
        if (l->head - s->at[k] > l->head - s->at[best])
            best = k;
    }
    l->used += !s->tag[best];
    s->tag[best] = tag;
    s->at[best] = at;
}

bool tk_long_seen(struct tk_long *l, size_t n, uint64_t hash)
{
    const uint32_t tag = tk_long_tag(hash, n);
    if (tk_long_slots(tk_long_set(l, hash), tag)) {
        tk_long_again(l);
        return true;
    }
    l->score -= l->score > 0;
    set_slot(l, hash, tag, 0);
    return false;
}

void tk_long_put(struct tk_long *l, const char *p, size_t n, uint64_t hash, const int32_t *ids, size_t count)
{
    if (n > TK_LONG_BYTES || !count || count > TK_LONG_IDS || tk_long_find(l, p, n, hash))
        return;
    const size_t key = (n + 3) & ~(size_t)3;
    const uint32_t at = take(l, key + 4 * count), tag = tk_long_tag(hash, n);
    if (!at)
        return;
    unsigned char *x = tk_long_place(l, at);
    memcpy(x, p, n);
    put_ids(x + key, ids, count);
    struct tk_long_set *s = tk_long_set(l, hash);
    const unsigned slots = tk_long_slots(s, tag);
    if (slots)
        s->at[__builtin_ctz(slots)] = at;
    else
        set_slot(l, hash, tag, at);
}

uint32_t tk_long_keep(struct tk_long *l, const int32_t *ids, size_t count)
{
    const uint32_t at = count && count <= TK_LONG_IDS ? take(l, 4 * count) : 0;
    if (at)
        put_ids(tk_long_place(l, at), ids, count);
    return at;
}
