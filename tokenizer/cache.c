#include "tokenizer/cache.h"

#include <stdlib.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "pipeline/hash.h"

/* A slot without inline ids (count 0). In a side slot id[1] is where the ids
 * begin in `over` and id[2] how many; in a hot slot they are in the big table,
 * where they may have been overwritten. */

struct tk_big {
    unsigned char key[TK_BIG_KEY]; /* bytes, zeros, length */
    uint32_t n;
    int32_t id[TK_BIG_IDS];
};

void tk_ids_grow(struct tk_ids *o, size_t room)
{
    size_t cap = o->cap ? o->cap * 2 : 1024;
    while (cap < o->n + room)
        cap *= 2;
    o->v = ft_reallocs(o->v, cap, sizeof *o->v);
    o->cap = cap;
}

/* Zeroed, in whole pages that cost nothing before they are touched; large ones
 * where the system has them. */
static void *pages(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return ft_malloc(SIZE_MAX); /* out of memory, as everywhere */
    madvise(p, n, MADV_HUGEPAGE);
    return p;
}

/* ---- seed ---- */

void tk_seed_init(struct tk_seed *s, size_t words)
{
    *s = (struct tk_seed){.n_lines = 64};
    while (s->n_lines * 2 < words + words / 2)
        s->n_lines *= 2;
    s->line = pages(s->n_lines * sizeof *s->line);
}

static struct tk_slot *seed_slot(const struct tk_seed *s, struct tk_key k, uint32_t hash)
{
    for (size_t i = hash & (s->n_lines - 1);; i = (i + 1) & (s->n_lines - 1))
        for (int x = 0; x < 2; x++) {
            struct tk_slot *slot = &s->line[i].slot[x];
            if (tk_key_eq(slot->key, k) || !slot->key.hi)
                return slot;
        }
}

static bool store(struct tk_slot *slot, struct tk_key k, const int32_t *ids, size_t n)
{
    if (n < 1 || n > 4)
        return false;
    slot->key = k;
    for (size_t i = 0; i < 4; i++)
        slot->id[i] = i < n ? (uint32_t)ids[i] : 0;
    slot->id[0] |= (uint32_t)n << 24;
    return true;
}

void tk_seed_add(struct tk_seed *s, const char *p, size_t n, const int32_t *ids, size_t n_ids)
{
    if (!n || n > TK_KEY_MAX)
        return;
    const struct tk_key k = tk_key_of(p, n);
    struct tk_slot *slot = seed_slot(s, k, tk_key_hash(k.lo, k.hi));
    if (!slot->key.hi)
        store(slot, k, ids, n_ids);
}

void tk_seed_release(struct tk_seed *s)
{
    if (s->line && !s->mapped)
        munmap(s->line, s->n_lines * sizeof *s->line);
    *s = (struct tk_seed){0};
}

static const struct tk_slot *seed_find(const struct tk_seed *s, struct tk_key k, uint32_t hash)
{
    if (!s->n_lines)
        return NULL;
    const struct tk_slot *slot = seed_slot(s, k, hash);
    return slot->key.hi ? slot : NULL;
}

/* ---- life ---- */

struct tk_cache *tk_cache_new(const struct tk_seed *seed, tk_word_fn *encode, void *ctx)
{
    struct tk_cache *c = ft_calloc(1, sizeof *c);
    c->seed = seed;
    c->encode = encode;
    c->ctx = ctx;
    c->hot = pages(sizeof *c->hot << TK_HOT_BITS);
    c->part = pages(sizeof *c->part << TK_PART_BITS);
    c->big = pages(sizeof *c->big << TK_BIG_BITS);
    return c;
}

void tk_cache_free(struct tk_cache *c)
{
    if (!c)
        return;
    munmap(c->hot, sizeof *c->hot << TK_HOT_BITS);
    munmap(c->part, sizeof *c->part << TK_PART_BITS);
    munmap(c->big, sizeof *c->big << TK_BIG_BITS);
    free(c->over.v);
    free(c);
}

/* ---- the big table ---- */

/* The key, and the first of the two slots that the word may have. */
static struct tk_big *big_of(const struct tk_cache *c, const struct tk_rec *r, unsigned char *key)
{
    memset(key, 0, TK_BIG_KEY);
    memcpy(key, r->p, r->n);
    key[TK_BIG_KEY - 1] = (unsigned char)r->n;
    const uint32_t h = r->n <= TK_KEY_MAX ? r->hash : (uint32_t)ft_hash64(r->p, r->n);
    return &c->big[h & ((1u << TK_BIG_BITS) - 2)];
}

/* The word's ids, appended; from the big table or else from the model. */
static int resolve(struct tk_cache *c, const struct tk_rec *r, struct tk_ids *out, struct ft_err *e)
{
    unsigned char key[TK_BIG_KEY];
    struct tk_big *b = NULL;
    if (r->n < TK_BIG_KEY) {
        b = big_of(c, r, key);
        const struct tk_big *hit = !memcmp(b->key, key, TK_BIG_KEY)     ? b
                                   : !memcmp(b[1].key, key, TK_BIG_KEY) ? b + 1
                                                                        : NULL;
        if (hit) {
            tk_ids_room(out, TK_BIG_IDS);
            memcpy(out->v + out->n, hit->id, sizeof hit->id);
            out->n += hit->n;
            return 0;
        }
    }
    const size_t first = out->n;
    if (c->encode(c->ctx, r->p, r->n, out, e))
        return -1;
    const size_t n = out->n - first;
    if (b && n <= TK_BIG_IDS && (r->n > TK_KEY_MAX || n > 4)) {
        b[1] = b[0]; /* the older falls out */
        memcpy(b->key, key, TK_BIG_KEY);
        memcpy(b->id, out->v + first, n * sizeof *b->id);
        b->n = (uint32_t)n;
    }
    return 0;
}

/* ---- a batch ---- */

/* A line that is full lends its neighbour's room. */
static struct tk_line *neighbour(const struct tk_cache *c, struct tk_line *l) { return &c->hot[(l - c->hot) ^ 1]; }

static const struct tk_slot *beside(const struct tk_cache *c, const struct tk_rec *r)
{
    const struct tk_line *l = neighbour(c, tk_cache_line(c, r->hash));
    return tk_key_eq(l->slot[0].key, r->key) ? &l->slot[0] : tk_key_eq(l->slot[1].key, r->key) ? &l->slot[1] : NULL;
}

static void insert(struct tk_cache *c, const struct tk_rec *r, const struct tk_slot *slot)
{
    struct tk_line *l = tk_cache_line(c, r->hash);
    if (tk_key_eq(l->slot[0].key, r->key))
        return;
    if (l->slot[1].key.hi) { /* the older one moves over, and pushes out what is there */
        struct tk_line *x = neighbour(c, l);
        const int k = x->slot[1].key.hi && !x->slot[0].key.hi ? 0 : 1;
        x->slot[k] = l->slot[1];
    }
    l->slot[1] = l->slot[0];
    l->slot[0] = *slot;
}

static bool is_hot(const struct tk_cache *c, const struct tk_slot *s)
{
    return (uintptr_t)s - (uintptr_t)c->hot < sizeof *c->hot << TK_HOT_BITS;
}

int tk_cache_flush(struct tk_cache *c, struct tk_ids *out, struct ft_err *e)
{
    const struct tk_slot *at[TK_BATCH + 64];
    uint16_t miss[TK_BATCH + 64];
    const size_t n = c->n;
    size_t n_miss = 0;
    c->n = 0;
    c->over.n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tk_rec *r = &c->rec[i];
        const struct tk_line *l = tk_cache_line(c, r->hash);
#ifdef __SSE2__
        const __m128i k = _mm_loadu_si128((const __m128i *)(const void *)&r->key);
        const __m128i *s = (const __m128i *)(const void *)l;
        const bool a = _mm_movemask_epi8(_mm_cmpeq_epi8(k, s[0])) == 0xffff;
        const bool b = _mm_movemask_epi8(_mm_cmpeq_epi8(k, s[2])) == 0xffff;
#else
        const bool a = tk_key_eq(r->key, l->slot[0].key), b = tk_key_eq(r->key, l->slot[1].key);
#endif
        at[i] = &l->slot[b & !a];
        miss[n_miss] = (uint16_t)i;
        n_miss += !(a | b) | !r->p;
    }
    if (n_miss) {
        if (c->seed->n_lines)
            for (size_t k = 0; k < n_miss; k++)
                __builtin_prefetch(&c->seed->line[c->rec[miss[k]].hash & (c->seed->n_lines - 1)]);
        for (size_t k = 0; k < n_miss; k++) {
            const struct tk_rec *r = &c->rec[miss[k]];
            struct tk_slot *side = &c->side[miss[k]];
            at[miss[k]] = side;
            if (!r->p) {
                side->id[0] = r->n | 1u << 24;
                continue;
            }
            const struct tk_slot *s = NULL;
            if (r->n <= TK_KEY_MAX && ((s = beside(c, r)) || (s = seed_find(c->seed, r->key, r->hash)))) {
                at[miss[k]] = s;
                continue;
            }
            const size_t first = c->over.n;
            if (resolve(c, r, &c->over, e))
                return -1;
            side->key = r->key;
            if (store(side, r->key, c->over.v + first, c->over.n - first)) {
                c->over.n = first;
            } else {
                side->id[0] = 0;
                side->id[1] = (uint32_t)first;
                side->id[2] = (uint32_t)(c->over.n - first);
            }
        }
    }
    tk_ids_room(out, 4 * n + c->over.n + TK_BIG_IDS);
    int32_t *to = out->v + out->n;
    for (size_t i = 0; i < n; i++) {
        const struct tk_slot *s = at[i];
        const uint32_t count = s->id[0] >> 24;
        to[0] = (int32_t)(s->id[0] & 0xffffff);
        memcpy(to + 1, s->id + 1, 12);
        to += count;
        if (__builtin_expect(!count, 0)) {
            if (s == &c->side[i]) {
                memcpy(to, c->over.v + s->id[1], s->id[2] * sizeof *to);
                to += s->id[2];
            } else {
                out->n = (size_t)(to - out->v);
                if (resolve(c, &c->rec[i], out, e))
                    return -1;
                tk_ids_room(out, 4 * n + c->over.n + TK_BIG_IDS);
                to = out->v + out->n;
            }
        }
    }
    out->n = (size_t)(to - out->v);
    for (size_t k = 0; k < n_miss; k++) {
        const struct tk_rec *r = &c->rec[miss[k]];
        const struct tk_slot *s = at[miss[k]];
        if (r->p && r->n <= TK_KEY_MAX && (s == &c->side[miss[k]] || !is_hot(c, s)))
            insert(c, r, s);
    }
    return 0;
}

int tk_cache_part(struct tk_cache *c, const char *p, size_t n, bool seeded, tk_word_fn *encode,
                  struct tk_ids *out, struct ft_err *e)
{
    if (n > TK_KEY_MAX)
        return encode(c->ctx, p, n, out, e);
    const struct tk_key key = tk_key_of(p, n);
    const uint32_t hash = tk_key_hash(key.lo, key.hi);
    struct tk_line *l = &c->part[hash >> (32 - TK_PART_BITS)];
    const struct tk_slot *s = tk_key_eq(l->slot[0].key, key)   ? &l->slot[0]
                              : tk_key_eq(l->slot[1].key, key) ? &l->slot[1]
                                                               : NULL;
    if (!s) {
        struct tk_slot side;
        const struct tk_slot *in = seeded ? seed_find(c->seed, key, hash) : NULL;
        if (in) {
            side = *in;
        } else {
            const size_t first = out->n;
            if (encode(c->ctx, p, n, out, e))
                return -1;
            const size_t k = out->n - first;
            if (!store(&side, key, out->v + first, k))
                return 0; /* too many to remember */
            out->n = first;
        }
        l->slot[1] = l->slot[0];
        l->slot[0] = side;
        s = &l->slot[0];
    }
    tk_ids_room(out, 4);
    out->v[out->n] = (int32_t)(s->id[0] & 0xffffff);
    memcpy(out->v + out->n + 1, s->id + 1, 12);
    out->n += s->id[0] >> 24;
    return 0;
}
