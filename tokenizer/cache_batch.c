/* A batch of words: what it finds, what it asks the model for, what it remembers.
 *
 * A line without ids (count 0): in a side line id[1] is where they begin in `over` and id[2]
 * how many; of a hot line id[1] is their place in the long table, where they may be gone. */
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "tokenizer/cache_parts.h"
#include "tokenizer/cache_tables.h"

enum {
    MOST = TK_BATCH + TK_WINDOW, /* records of a batch */
    AGAIN = 64,                  /* new words of a batch that are known before they are in a table */
};

/* What falls out of the hot table, but for words of the seed, whose second id says so. */
static void keep(struct tk_cache *c, const struct tk_line *l)
{
    const uint32_t hash = tk_key_hash(l->key.lo, l->key.hi), count = l->id[0] >> 24;
    if (count && !(count == 1 && l->id[1]) && !tk_own_find(c, l->key, hash))
        *tk_own_take(c, hash) = *l;
}

void tk_hot_insert(struct tk_cache *c, uint32_t hash, struct tk_key key, const uint32_t *ids)
{
    struct tk_line *l = tk_cache_line(c, hash), *x = tk_hot_beside(c, l);
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

void tk_side_settle(struct tk_cache *c, size_t first, uint32_t *to)
{
    const size_t count = c->over.n - first;
    to[0] = 0;
    if (count >= 1 && count <= TK_INLINE) {
        to[1] = 0;
        tk_line_fill(to, c->over.v + first, count);
        c->over.n = first;
    } else {
        to[1] = (uint32_t)first;
        to[2] = (uint32_t)count;
    }
}

static void put_long(struct tk_cache *c, const char *p, size_t n, const int32_t *ids, size_t count)
{
    if (n > TK_KEY_MAX && n <= TK_LONG_BYTES)
        tk_long_put(&c->longs, p, n, tk_long_hash(p, n), ids, count);
}

int tk_side_encode(struct tk_cache *c, const struct tk_rec *r, uint32_t *to, struct ft_err *e)
{
    const size_t first = c->over.n;
    if (c->encode(c->ctx, r->p, r->n, &c->over, e))
        return -1;
    put_long(c, r->p, r->n, c->over.v + first, c->over.n - first);
    tk_side_settle(c, first, to);
    return 0;
}

/* Encodes words together. */
static int encode_jobs(struct tk_cache *c, const struct tk_job *job, size_t n, struct ft_err *e)
{
    c->encode_many(c->ctx, job, n);
    for (size_t k = 0; k < n; k++) {
        const struct tk_rec r = {.p = job[k].p, .n = job[k].n};
        const uint32_t *to = job[k].to, count = to[0] >> 24;
        if (!to[0]) {
            if (tk_side_encode(c, &r, job[k].to, e))
                return -1;
        } else if (r.n > TK_KEY_MAX) {
            int32_t ids[TK_INLINE];
            memcpy(ids, to, sizeof ids);
            ids[0] &= 0xffffff;
            put_long(c, r.p, r.n, ids, count);
        }
    }
    return 0;
}

/* ---- the batch ---- */

/* Is the model asked for this word in parts? */
static bool is_parted(const struct tk_cache *c, const struct tk_rec *r)
{
    return c->part_cut && ((r->key.lo | r->key.hi) & 0x8080808080808080u);
}

static inline bool is_long(const struct tk_rec *r) { return r->p && r->n > TK_KEY_MAX; }

static inline struct tk_line *beside_of(const struct tk_cache *c, const struct tk_rec *r)
{
    return tk_hot_beside(c, tk_cache_line(c, r->hash));
}

/* Parts the records miss[] that are not in their lines of the hot table: those in the line next to it, as
 * most are, go to near[]. Gives how many others are left. */
static size_t find_beside(const struct tk_cache *c, uint16_t *miss, size_t n, const uint32_t **at, uint16_t *near)
{
    size_t left = 0;
    for (size_t k = 0; k < n; k++)
        __builtin_prefetch(beside_of(c, &c->rec[miss[k]]));
    for (size_t k = 0; k < n; k++) {
        const uint16_t i = miss[k];
        const struct tk_rec *r = &c->rec[i];
        const struct tk_line *x = beside_of(c, r);
        const bool is = (r->p != NULL) & (r->n <= TK_KEY_MAX) & tk_key_eq(x->key, r->key);
        at[i] = is ? x->id : at[i];
        near[k - left] = i;
        miss[left] = i;
        left += !is;
    }
    return left;
}

/* Lets those change places with what is in their lines. */
static void swap_beside(struct tk_cache *c, const uint16_t *near, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const struct tk_rec *r = &c->rec[near[k]];
        struct tk_line *l = tk_cache_line(c, r->hash), *x = tk_hot_beside(c, l), was = *l;
        if (tk_key_eq(x->key, r->key)) { /* another one may have taken its place just now */
            *l = *x;
            *x = was;
        }
    }
}

/* Finds the ids of the records miss[] that are not in the hot table. What is waited for is asked for one
 * loop before. */
static int find(struct tk_cache *c, const uint16_t *miss, size_t n, const uint32_t **at, struct ft_err *e)
{
    struct tk_job job[MOST], longer[MOST], parted[MOST];
    int64_t word[MOST]; /* of the seed, that it may be; of a long word the hash */
    bool spelled[MOST];
    uint16_t again[AGAIN]; /* by the hash, the last new word: it often comes again at once */
    memset(again, 0xff, sizeof again);
    size_t n_jobs = 0, n_longer = 0, n_parted = 0;
    for (size_t k = 0; k < n; k++) {
        const uint32_t hash = c->rec[miss[k]].hash;
        if (is_long(&c->rec[miss[k]])) {
            word[k] = (int64_t)tk_long_hash(c->rec[miss[k]].p, c->rec[miss[k]].n);
            __builtin_prefetch(tk_long_set(&c->longs, (uint64_t)word[k]));
            continue;
        }
        if (c->rec[miss[k]].p && is_parted(c, &c->rec[miss[k]]))
            tk_cache_parts_prefetch(c, c->rec[miss[k]].p, c->rec[miss[k]].n);
        if (c->seed->n_slots)
            tk_seed_prefetch(c->seed, hash);
        if (c->owns)
            __builtin_prefetch(tk_own_line(c, hash));
    }
    for (size_t k = 0; k < n; k++) {
        const struct tk_rec *r = &c->rec[miss[k]];
        spelled[k] = r->p && r->n <= TK_KEY_MAX && is_parted(c, r) && tk_cache_parts_spell(c, &(struct tk_job){r->p, r->n, c->side[k].id});
        if (!is_long(r))
            word[k] = spelled[k] || !r->p || !c->seed->n_slots ? -1 : tk_seed_guess(c->seed, r->hash);
        at[miss[k]] = c->side[k].id;
    }
    for (size_t k = 0; k < n; k++) {
        const struct tk_rec *r = &c->rec[miss[k]];
        uint32_t *to = c->side[k].id;
        const struct tk_line *own;
        if (spelled[k])
            continue;
        if (!r->p) {
            to[0] = r->key.lo == 2 ? 0 : r->n | 1u << 24;
            to[1] = r->hash;
            to[2] = r->n;
        } else if (r->n > TK_KEY_MAX) {
            const uint32_t *ids = r->n <= TK_LONG_BYTES ? tk_long_find(&c->longs, r->p, r->n, (uint64_t)word[k]) : NULL;
            if (ids) {
                at[miss[k]] = ids;
                c->long_ids += ids[0] >> 24;
            } else if (!c->encode_many || !c->cut || r->n > TK_MANY_BYTES) {
                if (tk_side_encode(c, r, to, e))
                    return -1;
            } else { /* it has been cut where it may be */
                longer[n_longer++] = (struct tk_job){r->p, r->n, to};
            }
        } else if (word[k] >= 0 && (word[k] = tk_seed_check(c->seed, word[k], r->key, r->hash)) >= 0) {
            to[0] = c->seed->id[word[k]];
            to[1] = 1; /* a word of the seed */
        } else if ((own = tk_own_find(c, r->key, r->hash))) {
            memcpy(to, own->id, sizeof own->id); /* it may fall out before the ids are written */
        } else if (!c->encode_many) {
            if (tk_side_encode(c, r, to, e))
                return -1;
        } else if (again[r->hash % AGAIN] != UINT16_MAX && tk_key_eq(c->rec[miss[again[r->hash % AGAIN]]].key, r->key)) {
            at[miss[k]] = at[miss[again[r->hash % AGAIN]]];
        } else {
            const struct tk_job x = {r->p, r->n, to};
            again[r->hash % AGAIN] = (uint16_t)k;
            if (is_parted(c, r))
                parted[n_parted++] = x;
            else
                job[n_jobs++] = x;
        }
    }
    if (n_parted && tk_cache_parts_find(c, parted, n_parted, e))
        return -1;
    if (n_longer && encode_jobs(c, longer, n_longer, e))
        return -1;
    return n_jobs ? encode_jobs(c, job, n_jobs, e) : 0;
}

/* The ids of a short word whose line, in the hot table, has none, appended: where they are
 * kept or else from the model. */
static int put_far(struct tk_cache *c, const struct tk_rec *r, const uint32_t *line, struct tk_ids *out, struct ft_err *e)
{
    struct tk_line *l = &c->hot.line[((uintptr_t)line - (uintptr_t)c->hot.line) / sizeof *l];
    const uint32_t *s = tk_long_kept(&c->longs, l->id[1]);
    const size_t first = out->n;
    if (s) {
        tk_ids_room(out, s[0] >> 24);
        memcpy(out->v + first, s, (s[0] >> 24) * sizeof *s);
        out->v[first] &= 0xffffff;
        out->n += s[0] >> 24;
        return 0;
    }
    if (c->encode(c->ctx, r->p, r->n, out, e))
        return -1;
    l->id[1] = tk_long_keep(&c->longs, out->v + first, out->n - first);
    return 0;
}

/* Four ids of a line, the count on the first left out. */
static inline void copy_four(int32_t *to, const uint32_t *s)
{
#ifdef __SSE2__
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
    _mm_storeu_si128((__m128i *)(void *)to, _mm_and_si128(v, _mm_setr_epi32(0xffffff, -1, -1, -1)));
#else
    memcpy(to, s, 4 * sizeof *to);
    to[0] &= 0xffffff;
#endif
}

/* Writes the ids of n records. Four are copied, or sixteen if `wide`, whatever of them
 * counts: as many as most words have, so that no branch hangs on the count.
 * starts: where each one's begin, NULL: not asked. */
static inline __attribute__((always_inline)) int put(struct tk_cache *c, const uint32_t *const *at, size_t n,
                                                     struct tk_ids *out, bool wide, uint32_t *starts, struct ft_err *e)
{
    const size_t room = TK_INLINE * n + c->over.n + c->long_ids + 16;
    tk_ids_room(out, room);
    int32_t *to = out->v + out->n;
    size_t many = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *s = at[i], count = s[0] >> 24;
        if (starts)
            starts[i] = (uint32_t)(to - out->v);
        copy_four(to, s);
        if (wide) {
            memcpy(to + 4, s + 4, 12 * sizeof *to);
            many += count > 4;
        }
        to += count;
        if (__builtin_expect(count - 1 < (wide ? 16 : 4), 1))
            continue;
        if (count) {
            if (!wide) { /* no more than a line has */
                memcpy(to - count + 4, s + 4, 12 * sizeof *to);
                many++;
            }
            for (uint32_t j = 16; j < count; j += 16)
                memcpy(to - count + j, s + j, 16 * sizeof *to);
        } else if ((uintptr_t)s - (uintptr_t)c->side < sizeof c->side) {
            if (s[2]) /* none: there may be no memory either */
                memcpy(to, c->over.v + s[1], s[2] * sizeof *to);
            to += s[2];
        } else {
            out->n = (size_t)(to - out->v);
            if (put_far(c, &c->rec[i], s, out, e))
                return -1;
            tk_ids_room(out, room);
            to = out->v + out->n;
        }
    }
    out->n = (size_t)(to - out->v);
    if (starts)
        starts[n] = (uint32_t)out->n;
    c->many = many;
    return 0;
}

/* Takes the words that were found in parts into the long table: now there are ids. */
static void put_again(struct tk_cache *c, size_t n, const struct tk_ids *out, const uint32_t *starts)
{
    for (size_t k = 0; k < c->n_again; k++) {
        const struct tk_again *x = &c->again[k];
        size_t i = x->first, done = 0;
        while (i < n && c->rec[i].p != x->p)
            i++;
        size_t end = i;
        for (; end < n && done < x->n && c->rec[end].p == x->p + done; end++)
            done += c->rec[end].n;
        if (done == x->n)
            tk_long_put(&c->longs, x->p, x->n, x->hash, out->v + starts[i], starts[end] - starts[i]);
    }
}

/* Takes what was found elsewhere into the hot table; gives how many words that were. */
static unsigned insert_all(struct tk_cache *c, const uint16_t *miss, size_t n, const uint32_t *const *at)
{
    unsigned fresh = 0;
    for (size_t k = 0; k < n; k++) {
        const struct tk_rec *r = &c->rec[miss[k]];
        const uint32_t *ids = at[miss[k]];
        uint32_t far[TK_INLINE] = {0};
        fresh += r->p != NULL;
        if (!r->p || r->n > TK_KEY_MAX)
            continue;
        if (!(ids[0] >> 24) && !tk_key_eq(tk_cache_line(c, r->hash)->key, r->key)) {
            far[1] = tk_long_keep(&c->longs, c->over.v + ids[1], ids[2]);
            ids = far;
        }
        tk_hot_insert(c, r->hash, r->key, ids);
    }
    return fresh;
}

static int batch(struct tk_cache *c, size_t n, struct tk_ids *out, struct ft_err *e)
{
    const uint32_t *at[MOST];
    uint16_t miss[MOST], near[MOST];
    uint32_t starts[MOST + 1], *const from = c->placed || (c->n_again && !c->starts) ? starts : c->starts;
    size_t n_miss = 0, n_near = 0;
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
        n_miss += !hit;
    }
    for (size_t k = 0; k < c->n_known; k++) {
        const size_t i = c->known[k].i;
        at[i] = tk_long_ids(c->known[k].x, c->rec[i].n);
        c->long_ids += at[i][0] >> 24;
        if (__builtin_expect(!tk_long_is(c->known[k].x, c->rec[i].p, c->rec[i].n), 0))
            miss[n_miss++] = (uint16_t)i;
    }
    if (n_miss) {
        const size_t left = find_beside(c, miss, n_miss, at, near);
        n_near = n_miss - left;
        n_miss = left;
    }
    const bool wide = c->many > n / 16;
    if ((n_miss && find(c, miss, n_miss, at, e)) ||
        (from   ? put(c, at, n, out, wide, from, e)
         : wide ? put(c, at, n, out, true, NULL, e)
                : put(c, at, n, out, false, NULL, e)))
        return -1;
    if (c->placed)
        c->placed(c->placed_ctx, c->rec, n, starts, out);
    if (c->n_again)
        put_again(c, n, out, from);
    swap_beside(c, near, n_near);
    const unsigned fresh = insert_all(c, miss, n_miss, at) + (unsigned)n_near;
    /* Where words are spelled few may come at all. */
    if (c->words < TK_BRIEF && (c->words += c->spell ? fresh : (unsigned)n) >= TK_BRIEF)
        tk_cache_enlarge(c);
    return 0;
}

int tk_cache_flush(struct tk_cache *c, struct tk_ids *out, struct ft_err *e)
{
    const size_t n = c->n;
    const int r = batch(c, n, out, e);
    c->n = c->n_again = c->n_known = c->long_ids = c->over.n = 0;
    if (!tk_long_next(&c->longs))
        tk_cache_forget(c);
    return r;
}
