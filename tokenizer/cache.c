#include "tokenizer/cache_tables.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "tokenizer/cache_parts.h"
#include "tokenizer/cut.h"

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

void tk_cache_enlarge(struct tk_cache *c)
{
    struct tk_lines hot = c->hot, own = c->own;
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

static void tables_free(struct tk_cache *c)
{
    lines_free(&c->hot);
    lines_free(&c->own);
    tk_long_release(&c->longs);
}

void tk_cache_forget(struct tk_cache *c)
{
    tables_free(c);
    lines_new(&c->hot, HOT, true);
    lines_new(&c->own, OWN, true);
    tk_long_new(&c->longs);
    c->owns = false;
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
    c->long_known = true;
    lines_new(&c->hot, HOT_BRIEF, false);
    lines_new(&c->own, OWN_BRIEF, false);
    tk_long_new(&c->longs);
    return c;
}

void tk_cache_free(struct tk_cache *c)
{
    if (!c)
        return;
    tables_free(c);
    tk_cache_parts_free(c);
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
