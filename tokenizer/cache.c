#include "tokenizer/cache_tables.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "pipeline/hash.h"
#include "tokenizer/cut.h"
#include "tokenizer/parts.h"

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

void *tk_pages(size_t n, bool large)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return ft_malloc(SIZE_MAX); /* out of memory, as everywhere */
    if (large)
        madvise(p, n, MADV_HUGEPAGE);
    return p;
}

/* Bits of the number of lines, before and after TK_BRIEF words. */
enum { HOT_BRIEF = 9, HOT = 17, OWN_BRIEF = 7, OWN = 15 };

static void lines_new(struct tk_lines *t, unsigned n_bits, bool large)
{
    t->line = tk_pages(sizeof *t->line << n_bits, large);
    t->shift = 32 - n_bits;
}
static void lines_free(struct tk_lines *t) { munmap(t->line, tk_lines_n(t) * sizeof *t->line); }

static void longs_new(struct tk_cache *c, bool large)
{
    c->big = tk_pages(sizeof *c->big << BIG_BITS, large);
    c->huge = tk_pages(sizeof *c->huge << HUGE_BITS, large);
}

static void longs_free(struct tk_cache *c)
{
    munmap(c->big, sizeof *c->big << BIG_BITS);
    munmap(c->huge, sizeof *c->huge << HUGE_BITS);
}

void tk_cache_enlarge(struct tk_cache *c)
{
    struct tk_lines hot = c->hot, own = c->own;
    longs_free(c);
    longs_new(c, true);
    lines_new(&c->hot, HOT, true);
    lines_new(&c->own, OWN, true);
    c->owns = false;
    for (size_t i = 0; i < tk_lines_n(&own); i++)
        if (own.line[i].key.hi)
            *tk_own_take(c, tk_key_hash(own.line[i].key.lo, own.line[i].key.hi)) = own.line[i];
    for (size_t i = 0; i < tk_lines_n(&hot); i++)
        if (hot.line[i].key.hi)
            tk_hot_insert(c, tk_key_hash(hot.line[i].key.lo, hot.line[i].key.hi), hot.line[i].key, hot.line[i].id);
    lines_free(&hot);
    lines_free(&own);
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
    lines_new(&c->hot, HOT_BRIEF, false);
    lines_new(&c->own, OWN_BRIEF, false);
    longs_new(c, false);
    return c;
}

void tk_cache_free(struct tk_cache *c)
{
    if (!c)
        return;
    lines_free(&c->hot);
    lines_free(&c->own);
    longs_free(c);
    tk_parts_free(c);
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

void tk_big_prefetch(const struct tk_cache *c, const struct tk_rec *r)
{
    if (r->n >= sizeof c->big->key)
        return;
    const struct tk_big *b = &c->big[(uint32_t)ft_hash64(r->p, r->n) & ((1u << BIG_BITS) - 2)];
    __builtin_prefetch(b);
    __builtin_prefetch(b + 1);
}

bool tk_big_find(const struct tk_cache *c, const struct tk_rec *r, struct tk_ids *out)
{
    struct place x;
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
        return true;
    }
    return false;
}

void tk_big_put(struct tk_cache *c, const struct tk_rec *r, const int32_t *ids, size_t n)
{
    struct place x;
    place_of(c, r, &x);
    if (!x.slot || !n || n > x.max)
        return;
    const uint32_t count = (uint32_t)n;
    memcpy(x.slot + x.size, x.slot, x.size);
    memcpy(x.slot, x.key, x.key_n);
    memcpy(x.slot + x.key_n, &count, 4);
    memcpy(x.slot + x.key_n + 4, ids, n * sizeof *ids);
}

int tk_cache_resolve(struct tk_cache *c, const struct tk_rec *r, bool known, struct tk_ids *out, struct ft_err *e)
{
    const bool asked = known || r->n > TK_KEY_MAX;
    if (asked && tk_big_find(c, r, out))
        return 0;
    const size_t first = out->n;
    if (c->encode(c->ctx, r->p, r->n, out, e))
        return -1;
    const size_t n = out->n - first;
    if (asked && (r->n > TK_KEY_MAX || n > TK_INLINE))
        tk_big_put(c, r, out->v + first, n);
    return 0;
}

/* ---- one part ---- */

int tk_cache_part(struct tk_cache *c, const char *p, size_t n, bool plain, tk_word_fn *encode,
                  struct tk_ids *out, struct ft_err *e)
{
    if (n > TK_KEY_MAX)
        return encode(c->ctx, p, n, out, e);
    struct tk_key key = tk_key_of(p, n);
    if (!plain)
        key.hi |= 1ull << 63; /* no word has this key */
    const uint32_t hash = tk_key_hash(key.lo, key.hi);
    struct tk_line *l = tk_own_find(c, key, hash), in_line = {0};
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
            tk_line_fill(in_line.id, out->v + first, k);
            out->n = first;
        }
        in_line.key = key;
        l = tk_own_take(c, hash);
        *l = in_line;
    }
    const uint32_t count = l->id[0] >> 24;
    tk_ids_room(out, TK_INLINE);
    out->v[out->n] = (int32_t)(l->id[0] & 0xffffff);
    memcpy(out->v + out->n + 1, l->id + 1, (count > 4 ? TK_INLINE - 1 : 3) * sizeof *out->v);
    out->n += count;
    return 0;
}
