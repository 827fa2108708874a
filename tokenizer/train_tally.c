#include "tokenizer/train_tally.h"

#include <stdlib.h>

#include "pipeline/hash.h"

#ifdef FT_TINY
enum { CHUNK = 256, FIRST = 8 };
#else
enum { CHUNK = 1 << 18, FIRST = 512 };
#endif
enum { CLASSES = 1 << 16 }; /* counts told apart when words are dropped */

/* ---- counting ---- */

/* A word of at most 15 bytes is in its key (cache.h). A longer one lies elsewhere
 * and has a key that tells most of them apart. */
struct tk_tally_slot {
    struct tk_key key;
    uint64_t count; /* 0: free */
    struct far {
        uint32_t n, hash;
        char p[];
    } *far; /* NULL: short */
};

static char *room(struct tk_tally *t, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if ((size_t)(t->end - t->at) < n) {
        const size_t size = n > CHUNK / 4 ? n : CHUNK;
        char *chunk = ft_arena_alloc(&t->mem, size);
        t->held += size;
        if (size == n)
            return chunk;
        t->at = chunk;
        t->end = chunk + size;
    }
    char *to = t->at;
    t->at += n;
    return to;
}

static inline size_t length(const struct tk_tally_slot *s)
{
    return s->far ? s->far->n : (size_t)(s->key.hi >> 56);
}

static inline uint32_t hash_of(const struct tk_tally_slot *s)
{
    return s->far ? s->far->hash : tk_key_hash(s->key.lo, s->key.hi);
}

static void grow(struct tk_tally *t)
{
    struct tk_tally_slot *old = t->slots;
    const size_t n = t->n_slots;
    t->n_slots = n ? n * 2 : FIRST;
    t->slots = ft_calloc(t->n_slots, sizeof *t->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].count) {
            size_t k = hash_of(&old[i]) & (t->n_slots - 1);
            while (t->slots[k].count)
                k = (k + 1) & (t->n_slots - 1);
            t->slots[k] = old[i];
        }
    free(old);
}

static inline void add_short(struct tk_tally *t, struct tk_key key, uint32_t hash, uint64_t count)
{
    if (t->n * 2 >= t->n_slots)
        grow(t);
    for (size_t i = hash & (t->n_slots - 1);; i = (i + 1) & (t->n_slots - 1)) {
        struct tk_tally_slot *s = &t->slots[i];
        if (!s->count) {
            s->key = key;
            t->n++;
        } else if (!tk_key_eq(s->key, key)) {
            continue;
        }
        s->count += count;
        return;
    }
}

static void add_long(struct tk_tally *t, struct tk_key key, const char *p, size_t n, uint64_t count)
{
    const uint32_t hash = (uint32_t)ft_hash64(p, n); /* the key's would be that of its first bytes */
    if (t->n * 2 >= t->n_slots)
        grow(t);
    for (size_t i = hash & (t->n_slots - 1);; i = (i + 1) & (t->n_slots - 1)) {
        struct tk_tally_slot *s = &t->slots[i];
        if (!s->count) {
            s->key = key;
            s->far = (struct far *)(void *)room(t, sizeof *s->far + n);
            s->far->n = (uint32_t)n;
            s->far->hash = hash;
            memcpy(s->far->p, p, n);
            t->n++;
        } else if (!tk_key_eq(s->key, key) || s->far->hash != hash || s->far->n != n || memcmp(s->far->p, p, n)) {
            continue;
        }
        s->count += count;
        return;
    }
}

static void add(struct tk_tally *t, const char *p, size_t n, uint64_t count)
{
    const struct tk_key key = tk_key_of(p, n);
    if (n <= TK_KEY_MAX)
        add_short(t, key, tk_key_hash(key.lo, key.hi), count);
    else
        add_long(t, key, p, n, count);
}

void tk_tally_add(struct tk_tally *t, const char *p, size_t n) { add(t, p, n, 1); }

void tk_tally_take(struct tk_tally *t, struct tk_cache *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct tk_rec *r = &c->rec[i];
        if (r->n <= TK_KEY_MAX)
            add_short(t, r->key, r->hash, 1);
        else
            add_long(t, r->key, r->p, r->n, 1);
    }
    c->n = 0;
}

static void forget(struct tk_tally *t)
{
    free(t->slots);
    ft_arena_release(&t->mem);
    t->slots = NULL;
    t->n_slots = t->n = 0;
    t->at = t->end = NULL;
    t->held = 0;
}

void tk_tally_release(struct tk_tally *t)
{
    forget(t);
    tk_runs_release(&t->runs);
}

/* The words; short ones lie in the slots. */
static struct tk_counted *gather(const struct tk_tally *t)
{
    struct tk_counted *v = ft_reallocs(NULL, t->n ? t->n : 1, sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < t->n_slots; i++) {
        const struct tk_tally_slot *s = &t->slots[i];
        if (s->count)
            v[n++] = (struct tk_counted){s->far ? s->far->p : (const char *)&s->key, s->count, (uint32_t)length(s), hash_of(s)};
    }
    return v;
}

/* Writes all out, and begins anew. */
static int spill(struct tk_tally *t, struct ft_err *e)
{
    if (!t->n)
        return 0;
    struct tk_counted *v = gather(t);
    const int r = tk_runs_add(&t->runs, t->temp, v, t->n, e);
    free(v);
    forget(t);
    return r;
}

int tk_tally_check(struct tk_tally *t, struct ft_err *e)
{
    /* Old and new table stand side by side while it grows, which is next. */
    const uint64_t slots = t->n_slots * sizeof *t->slots;
    const bool grows = t->n * 2 >= t->n_slots / 8 * 7;
    return t->limit && t->n >= FIRST / 2 && t->held + (grows ? slots * 3 : slots) > t->limit ? spill(t, e) : 0;
}

/* ---- what fits ---- */

struct sieve {
    uint64_t *cost; /* by count, the last for all higher ones */
    uint64_t size, rarest; /* of words of this count those are kept */
    uint64_t room;         /* that are small beside this */
    uint32_t below;        /* and whose hash is not above this */
};

static inline size_t class_of(uint64_t count) { return count < CLASSES ? (size_t)count : CLASSES - 1; }

static void sieve_set(struct sieve *s)
{
    uint64_t sum = 0;
    size_t c = CLASSES - 1;
    while (c > 0 && (!s->size || sum + s->cost[c] <= s->size))
        sum += s->cost[c--];
    s->rarest = c; /* 0: all fit */
    if (c) {
        s->room = s->size - sum;
        s->below = (uint32_t)((double)s->room / (double)s->cost[c] * UINT32_MAX);
    }
}

/* In whatever order the words come. */
static bool sieve_keeps(const struct sieve *s, const struct tk_counted *w)
{
    const size_t c = class_of(w->count);
    if (c != s->rarest)
        return c > s->rarest;
    return ft_hash64(w->p, w->n) >> 32 <= s->below && tk_word_cost(w->n) <= s->room / 8;
}

static void account(struct tk_words *out, const struct tk_counted *w, bool kept)
{
    if (!kept) {
        out->dropped++;
        out->lost += w->count;
    } else if (!out->rarest || w->count < out->rarest) {
        out->rarest = w->count;
    }
}

static int by_count(const void *x, const void *y)
{
    const struct tk_counted *a = x, *b = y;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return tk_counted_cmp(x, y);
}

static void push(struct tk_words *out, size_t *cap, struct tk_counted w)
{
    if (out->n == *cap) {
        *cap = *cap ? *cap * 2 : 1024;
        out->v = ft_reallocs(out->v, *cap, sizeof *out->v);
    }
    out->v[out->n++] = w;
}

/* All in memory: the first tally takes in the others and becomes the list. */
static void finish_held(struct tk_tally *t, size_t n_tallies, struct sieve *s, struct tk_words *out)
{
    for (size_t i = 1; i < n_tallies; i++) {
        for (size_t k = 0; k < t[i].n_slots; k++) {
            const struct tk_tally_slot *x = &t[i].slots[k];
            if (x->count && x->far)
                add_long(&t[0], x->key, x->far->p, x->far->n, x->count);
            else if (x->count)
                add_short(&t[0], x->key, tk_key_hash(x->key.lo, x->key.hi), x->count);
        }
        tk_tally_release(&t[i]);
    }
    struct tk_counted *v = gather(&t[0]);
    const size_t n = t[0].n;
    for (size_t i = 0; i < n; i++) {
        s->cost[class_of(v[i].count)] += tk_word_cost(v[i].n);
        out->seen += v[i].count;
    }
    sieve_set(s);
    if (n)
        qsort(v, n, sizeof *v, by_count);
    out->distinct = n;
    for (size_t i = 0; i < n; i++) {
        const bool kept = sieve_keeps(s, &v[i]);
        account(out, &v[i], kept);
        if (kept)
            v[out->n++] = v[i];
    }
    out->v = v;
    out->mem = t[0].mem;
    out->keys = t[0].slots;
    t[0].slots = NULL;
    t[0].mem = (struct ft_arena){0};
    forget(&t[0]);
}

static int finish_runs(struct tk_tally *t, size_t n_tallies, struct sieve *s, struct tk_words *out, struct ft_err *e)
{
    struct tk_run_merge m = {0};
    const struct tk_runs **file = ft_reallocs(NULL, n_tallies, sizeof *file);
    struct tk_counted w;
    struct tk_tally store = {0}; /* for the bytes only */
    size_t cap = 0;
    int more = 0, r = 0;
    for (size_t i = 0; i < n_tallies && !r; i++)
        r = spill(&t[i], e);
    for (size_t i = 0; i < n_tallies; i++)
        file[i] = &t[i].runs;
    for (int pass = 0; pass < 2 && !r; pass++) {
        r = tk_run_merge_begin(&m, file, n_tallies, t->limit * n_tallies, e);
        while (!r && (more = tk_run_merge_next(&m, &w, e)) > 0)
            if (!pass) {
                s->cost[class_of(w.count)] += tk_word_cost(w.n);
                out->seen += w.count;
                out->distinct++;
            } else {
                const bool kept = sieve_keeps(s, &w);
                account(out, &w, kept);
                if (kept) {
                    w.p = memcpy(room(&store, w.n), w.p, w.n);
                    push(out, &cap, w);
                }
            }
        r = r || more < 0 ? -1 : 0;
        tk_run_merge_end(&m);
        if (!pass)
            sieve_set(s);
    }
    if (out->n)
        qsort(out->v, out->n, sizeof *out->v, by_count);
    out->mem = store.mem;
    free(file);
    return r;
}

int tk_tally_finish(struct tk_tally *t, size_t n_tallies, uint64_t size, struct tk_words *out, struct ft_err *e)
{
    struct sieve s = {.cost = ft_calloc(CLASSES, sizeof *s.cost), .size = size};
    bool runs = false;
    int r = 0;
    *out = (struct tk_words){0};
    for (size_t i = 0; i < n_tallies; i++)
        runs |= t[i].runs.n > 0;
    if (runs)
        r = finish_runs(t, n_tallies, &s, out, e);
    else
        finish_held(t, n_tallies, &s, out);
    for (size_t i = 0; i < n_tallies; i++)
        tk_tally_release(&t[i]);
    free(s.cost);
    return r;
}

void tk_words_release(struct tk_words *w)
{
    free(w->v);
    free(w->keys);
    w->keys = NULL;
    ft_arena_release(&w->mem);
    w->v = NULL;
    w->n = 0;
}
