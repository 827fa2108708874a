#include "tokenizer/cache.h"

#include <stdlib.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "pipeline/hash.h"
#include "tokenizer/cut.h"

/* A line without ids (count 0): in a side line id[1] is where they begin in `over`
 * and id[2] how many; of a hot line they are in the big tables, where they may have
 * been overwritten. */

struct tk_big {
    unsigned char key[48]; /* bytes, zeros, length */
    uint32_t n;
    int32_t id[19];
};

struct tk_huge {
    unsigned char key[256];
    uint32_t n;
    int32_t id[63];
};

enum { BIG_BITS = 14, HUGE_BITS = 9 };

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

static void fill(uint32_t *to, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint32_t)ids[i];
    to[0] |= (uint32_t)n << 24;
}

/* ---- life ---- */

struct tk_cache *tk_cache_new(const struct tk_seed *seed, tk_word_fn *encode, void *ctx)
{
    struct tk_cache *c;
    if (posix_memalign((void **)&c, 64, sizeof *c))
        c = ft_malloc(SIZE_MAX);
    memset(c, 0, sizeof *c);
    c->seed = seed;
    c->encode = encode;
    c->ctx = ctx;
    c->hot = pages(sizeof *c->hot << TK_HOT_BITS);
    c->own = pages(sizeof *c->own << TK_OWN_BITS);
    c->big = pages(sizeof *c->big << BIG_BITS);
    c->huge = pages(sizeof *c->huge << HUGE_BITS);
    return c;
}

void tk_cache_free(struct tk_cache *c)
{
    if (!c)
        return;
    munmap(c->hot, sizeof *c->hot << TK_HOT_BITS);
    munmap(c->own, sizeof *c->own << TK_OWN_BITS);
    munmap(c->big, sizeof *c->big << BIG_BITS);
    munmap(c->huge, sizeof *c->huge << HUGE_BITS);
    free(c->over.v);
    free(c);
}

void tk_cache_rest(struct tk_cache *c, size_t limit)
{
    const size_t n = (size_t)(c->left_end - c->left);
    size_t at = 0;
    while (at < n && c->n < limit) {
        const size_t e = tk_cut_next(c->cut, c->left, n, at);
        tk_cache_whole(c, c->left + at, e - at);
        at = e;
    }
    c->left = at < n ? c->left + at : NULL;
}

/* ---- the big tables: two slots a word, the older falls out ---- */

/* As bytes: key[key_n], count, ids. */
struct place {
    unsigned char *slot; /* the first of the two; NULL: the word is too long */
    size_t key_n, size, max;
    unsigned char key[256];
};

static void place_of(const struct tk_cache *c, const struct tk_rec *r, struct place *x)
{
    x->slot = NULL;
    if (r->n > 255)
        return;
    const uint32_t h = r->n <= TK_KEY_MAX ? r->hash : (uint32_t)ft_hash64(r->p, r->n);
    if (r->n < sizeof c->big->key) {
        x->slot = (unsigned char *)&c->big[h & ((1u << BIG_BITS) - 2)];
        x->key_n = sizeof c->big->key;
        x->size = sizeof *c->big;
        x->max = sizeof c->big->id / 4;
    } else {
        x->slot = (unsigned char *)&c->huge[h & ((1u << HUGE_BITS) - 2)];
        x->key_n = sizeof c->huge->key;
        x->size = sizeof *c->huge;
        x->max = sizeof c->huge->id / 4;
    }
    memset(x->key, 0, x->key_n);
    memcpy(x->key, r->p, r->n);
    x->key[x->key_n - 1] = (unsigned char)r->n;
}

/* The word's ids, appended; from a big table or else from the model. `known`: a
 * line without ids was found for it. */
static int resolve(struct tk_cache *c, const struct tk_rec *r, bool known, struct tk_ids *out, struct ft_err *e)
{
    struct place x = {0};
    if (known || r->n > TK_KEY_MAX)
        place_of(c, r, &x);
    for (int k = 0; x.slot && k < 2; k++) {
        const unsigned char *b = x.slot + (size_t)k * x.size;
        if (memcmp(b, x.key, x.key_n))
            continue;
        uint32_t n;
        memcpy(&n, b + x.key_n, 4);
        tk_ids_room(out, n);
        memcpy(out->v + out->n, b + x.key_n + 4, n * sizeof *out->v);
        out->n += n;
        return 0;
    }
    const size_t first = out->n;
    if (c->encode(c->ctx, r->p, r->n, out, e))
        return -1;
    const size_t n = out->n - first;
    if (x.slot && n && n <= x.max && (r->n > TK_KEY_MAX || n > TK_INLINE)) {
        const uint32_t count = (uint32_t)n;
        memcpy(x.slot + x.size, x.slot, x.size);
        memcpy(x.slot, x.key, x.key_n);
        memcpy(x.slot + x.key_n, &count, 4);
        memcpy(x.slot + x.key_n + 4, out->v + first, n * sizeof *out->v);
    }
    return 0;
}

/* ---- a batch ---- */

static struct tk_line *neighbour(const struct tk_cache *c, struct tk_line *l) { return &c->hot[(l - c->hot) ^ 1]; }

static struct tk_line *own_line(const struct tk_cache *c, uint32_t hash)
{
    return &c->own[hash >> (32 - TK_OWN_BITS)];
}

/* The same two places as in the hot table. */
static struct tk_line *own_find(const struct tk_cache *c, struct tk_key k, uint32_t hash)
{
    if (!c->owns)
        return NULL;
    struct tk_line *l = own_line(c, hash), *x = &c->own[(l - c->own) ^ 1];
    return tk_key_eq(l->key, k) ? l : tk_key_eq(x->key, k) ? x : NULL;
}

/* A line for a new word. */
static struct tk_line *own_take(struct tk_cache *c, uint32_t hash)
{
    struct tk_line *l = own_line(c, hash);
    if (l->key.hi)
        c->own[(l - c->own) ^ 1] = *l;
    c->owns = true;
    return l;
}

/* What falls out of the hot table, but for words of the seed, whose second id says so. */
static void keep(struct tk_cache *c, const struct tk_line *l)
{
    const uint32_t hash = tk_key_hash(l->key.lo, l->key.hi), count = l->id[0] >> 24;
    if (count && !(count == 1 && l->id[1]) && !own_find(c, l->key, hash))
        *own_take(c, hash) = *l;
}

static void insert(struct tk_cache *c, uint32_t hash, struct tk_key key, const uint32_t *ids)
{
    struct tk_line *l = tk_cache_line(c, hash), *x = neighbour(c, l);
    struct tk_line in = {.key = key};
    if (tk_key_eq(l->key, key))
        return;
    memcpy(in.id, ids, sizeof in.id); /* they may be x's */
    if (l->key.hi) {
        if (x->key.hi && !tk_key_eq(x->key, key))
            keep(c, x);
        *x = *l;
    }
    *l = in;
}

/* Encodes a word into a side line's ids. */
static int encode_aside(struct tk_cache *c, const struct tk_rec *r, uint32_t *to, struct ft_err *e)
{
    const size_t first = c->over.n;
    if (resolve(c, r, false, &c->over, e)) {
        c->over.n = 0;
        return -1;
    }
    const size_t count = c->over.n - first;
    to[0] = 0;
    if (count >= 1 && count <= TK_INLINE) {
        to[1] = 0;
        fill(to, c->over.v + first, count);
        c->over.n = first;
    } else {
        to[1] = (uint32_t)first;
        to[2] = (uint32_t)count;
    }
    return 0;
}

/* Writes the ids of n records. As many are copied as most words have, whatever of
 * them counts; `wide`: as many as a line has, so that no branch hangs on the count. */
static inline __attribute__((always_inline)) int put(struct tk_cache *c, const uint32_t *const *at, size_t n,
                                                     struct tk_ids *out, bool wide, struct ft_err *e)
{
    const size_t room = TK_INLINE * n + c->over.n;
    tk_ids_room(out, room);
    int32_t *to = out->v + out->n;
    size_t many = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *s = at[i], count = s[0] >> 24;
        if (wide) {
            memcpy(to, s, TK_INLINE * sizeof *to);
            many += count > 4;
        } else {
            memcpy(to, s, 4 * sizeof *to);
        }
        to[0] = (int32_t)(s[0] & 0xffffff);
        to += count;
        if (__builtin_expect(wide ? count > 0 : count - 1 < 4, 1))
            continue;
        if (!wide && count) {
            memcpy(to - count + 4, s + 4, (TK_INLINE - 4) * sizeof *to);
            many++;
        } else if ((uintptr_t)s - (uintptr_t)c->side < sizeof c->side) {
            memcpy(to, c->over.v + s[1], s[2] * sizeof *to);
            to += s[2];
        } else {
            out->n = (size_t)(to - out->v);
            if (resolve(c, &c->rec[i], true, out, e))
                return -1;
            tk_ids_room(out, room);
            to = out->v + out->n;
        }
    }
    out->n = (size_t)(to - out->v);
    c->many = many;
    return 0;
}

int tk_cache_flush(struct tk_cache *c, struct tk_ids *out, struct ft_err *e)
{
    enum source { BESIDE, SIDE };
    const uint32_t *at[TK_BATCH + TK_WINDOW];
    uint16_t miss[TK_BATCH + TK_WINDOW];
    uint8_t from[TK_BATCH + TK_WINDOW];
    struct tk_job job[TK_BATCH + TK_WINDOW];
    size_t n_jobs = 0;
    const size_t n = c->n;
    size_t n_miss = 0;
    c->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tk_rec *r = &c->rec[i];
        const struct tk_line *l = tk_cache_line(c, r->hash);
#ifdef __SSE2__
        const bool hit = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)&r->key),
                                                          *(const __m128i *)(const void *)&l->key)) == 0xffff;
#else
        const bool hit = tk_key_eq(r->key, l->key);
#endif
        at[i] = l->id;
        miss[n_miss] = (uint16_t)i;
        n_miss += !hit | !r->p;
    }
    if (n_miss) {
        for (size_t k = 0; k < n_miss; k++) {
            const uint32_t hash = c->rec[miss[k]].hash;
            if (c->seed->n_slots)
                tk_seed_prefetch(c->seed, hash);
            __builtin_prefetch(neighbour(c, tk_cache_line(c, hash)));
            if (c->owns)
                __builtin_prefetch(own_line(c, hash));
        }
        for (size_t k = 0; k < n_miss; k++) {
            const struct tk_rec *r = &c->rec[miss[k]];
            struct tk_line *side = &c->side[k];
            int64_t word;
            from[k] = SIDE;
            if (!r->p) {
                side->id[0] = r->key.lo ? 0 : r->n | 1u << 24;
                side->id[1] = r->hash;
                side->id[2] = r->n;
                at[miss[k]] = side->id;
                continue;
            }
            if (r->n <= TK_KEY_MAX) {
                const struct tk_line *l = neighbour(c, tk_cache_line(c, r->hash));
                if (tk_key_eq(l->key, r->key)) {
                    at[miss[k]] = l->id;
                    from[k] = BESIDE;
                    continue;
                }
                if (c->seed->n_slots && (word = tk_seed_find(c->seed, r->key, r->hash)) >= 0) {
                    side->id[0] = c->seed->id[word];
                    side->id[1] = 1; /* a word of the seed */
                    at[miss[k]] = side->id;
                    from[k] = SIDE;
                    continue;
                }
            }
            at[miss[k]] = side->id;
            if (r->n <= TK_KEY_MAX) {
                const struct tk_line *own = own_find(c, r->key, r->hash);
                if (own) {
                    *side = *own; /* it may fall out before the ids are written */
                    continue;
                }
            }
            if (c->encode_many && r->n <= TK_KEY_MAX && !(c->cut && ((r->key.lo | r->key.hi) & 0x8080808080808080u))) {
                job[n_jobs++] = (struct tk_job){r->p, r->n, side->id};
                continue;
            }
            if (encode_aside(c, r, side->id, e))
                return -1;
        }
        if (n_jobs)
            c->encode_many(c->ctx, job, n_jobs);
        for (size_t k = 0; k < n_jobs; k++) {
            const struct tk_rec r = {.p = job[k].p, .n = job[k].n, .hash = 0};
            if (!job[k].to[0] && encode_aside(c, &r, job[k].to, e))
                return -1;
        }
    }
    if (c->many > n / 16 ? put(c, at, n, out, true, e) : put(c, at, n, out, false, e)) {
        c->over.n = 0;
        return -1;
    }
    c->over.n = 0;
    for (size_t k = 0; k < n_miss; k++) {
        const struct tk_rec *r = &c->rec[miss[k]];
        if (!r->p || r->n > TK_KEY_MAX)
            continue;
        if (from[k] == BESIDE && !tk_key_eq(neighbour(c, tk_cache_line(c, r->hash))->key, r->key))
            continue; /* another one took its place just now */
        insert(c, r->hash, r->key, at[miss[k]]);
    }
    return 0;
}

int tk_cache_part(struct tk_cache *c, const char *p, size_t n, bool plain, tk_word_fn *encode,
                  struct tk_ids *out, struct ft_err *e)
{
    if (n > TK_KEY_MAX)
        return encode(c->ctx, p, n, out, e);
    struct tk_key key = tk_key_of(p, n);
    if (!plain)
        key.hi |= 1ull << 63; /* no word has this key */
    const uint32_t hash = tk_key_hash(key.lo, key.hi);
    struct tk_line *l = own_find(c, key, hash), in_line = {0};
    if (!l) {
        const int64_t word = plain && c->seed->n_slots ? tk_seed_find(c->seed, key, hash) : -1;
        if (word >= 0) {
            in_line.id[0] = c->seed->id[word];
        } else {
            const size_t first = out->n;
            if (encode(c->ctx, p, n, out, e))
                return -1;
            const size_t k = out->n - first;
            if (k < 1 || k > TK_INLINE)
                return 0; /* too many to remember */
            in_line.id[0] = 0;
            fill(in_line.id, out->v + first, k);
            out->n = first;
        }
        in_line.key = key;
        l = own_take(c, hash);
        *l = in_line;
    }
    const uint32_t count = l->id[0] >> 24;
    tk_ids_room(out, TK_INLINE);
    out->v[out->n] = (int32_t)(l->id[0] & 0xffffff);
    memcpy(out->v + out->n + 1, l->id + 1, (count > 4 ? TK_INLINE - 1 : 3) * sizeof *out->v);
    out->n += count;
    return 0;
}
