#include "tokenizer/train_tally.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/hash.h"

#ifdef FT_TINY
enum { CHUNK = 256, FIRST = 8, READ = 64 };
#else
enum { CHUNK = 1 << 18, FIRST = 512, READ = 1 << 16 };
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
    free(t->ends);
    if (t->open)
        close(t->fd);
    t->ends = NULL;
    t->n_runs = 0;
    t->open = false;
}

/* ---- runs on disk: length, count, bytes of each word, in the order of the bytes ---- */

static int by_bytes(const void *x, const void *y)
{
    const struct tk_counted *a = x, *b = y;
    return ft_str_cmp((struct ft_str){a->p, a->n}, (struct ft_str){b->p, b->n});
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

static void put_number(struct ft_buf *b, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        ft_buf_putc(b, (char)(v | 128));
    ft_buf_putc(b, (char)v);
}

static int open_temp(struct tk_tally *t, struct ft_err *e)
{
    const char *dir = t->temp ? t->temp : getenv("TMPDIR");
    struct ft_buf path = {0};
    ft_buf_printf(&path, "%s/train-tokenizer.XXXXXX", dir && *dir ? dir : "/tmp");
    ft_buf_putc(&path, 0);
    t->fd = mkostemp(path.p, O_CLOEXEC);
    t->open = t->fd >= 0;
    int r = 0;
    if (!t->open)
        r = ft_fail_errno(e, "cannot create a temporary file in '%s'", dir && *dir ? dir : "/tmp");
    else
        unlink(path.p); /* gone when we are, however we end */
    ft_buf_release(&path);
    return r;
}

static int write_out(struct tk_tally *t, struct ft_buf *b, struct ft_err *e)
{
    for (size_t at = 0; at < b->n;) {
        const ssize_t k = write(t->fd, b->p + at, b->n - at);
        if (k < 0 && errno != EINTR)
            return ft_fail_errno(e, "cannot write the temporary file");
        at += k > 0 ? (size_t)k : 0;
    }
    t->ends[t->n_runs] += b->n;
    b->n = 0;
    return 0;
}

static int spill(struct tk_tally *t, struct ft_err *e)
{
    if (!t->n)
        return 0;
    if (!t->open && open_temp(t, e))
        return -1;
    struct tk_counted *v = gather(t);
    qsort(v, t->n, sizeof *v, by_bytes);
    t->ends = ft_reallocs(t->ends, t->n_runs + 1, sizeof *t->ends);
    t->ends[t->n_runs] = t->n_runs ? t->ends[t->n_runs - 1] : 0;
    struct ft_buf b = {0};
    int r = 0;
    for (size_t i = 0; i < t->n && !r; i++) {
        put_number(&b, v[i].n);
        put_number(&b, v[i].count);
        ft_buf_put(&b, v[i].p, v[i].n);
        if (b.n >= READ)
            r = write_out(t, &b, e);
    }
    r = r || write_out(t, &b, e) ? -1 : 0;
    t->n_runs++;
    free(v);
    ft_buf_release(&b);
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

struct reader {
    int fd;
    uint64_t at, end; /* in the file, of what is not in the buffer */
    char *buf;
    size_t n, from, cap;
    struct ft_str word; /* in the buffer */
    uint64_t count;
};

/* Makes at least `want` bytes stand in the buffer. */
static int fill(struct reader *r, size_t want, struct ft_err *e)
{
    if (r->n - r->from >= want)
        return 0;
    memmove(r->buf, r->buf + r->from, r->n - r->from);
    r->n -= r->from;
    r->from = 0;
    if (want > r->cap) {
        r->cap = want;
        r->buf = ft_realloc(r->buf, r->cap);
    }
    while (r->n < want) {
        const size_t room = r->cap - r->n, left = r->end - r->at;
        const ssize_t k = pread(r->fd, r->buf + r->n, room < left ? room : left, (off_t)r->at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k ? ft_fail_errno(e, "cannot read the temporary file") : ft_fail(e, FT_SYS, "the temporary file is short");
        r->n += (size_t)k;
        r->at += (uint64_t)k;
    }
    return 0;
}

static int get_number(struct reader *r, uint64_t *v, struct ft_err *e)
{
    *v = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (fill(r, 1, e))
            return -1;
        const unsigned char c = (unsigned char)r->buf[r->from++];
        *v |= (uint64_t)(c & 127) << shift;
        if (c < 128)
            return 0;
    }
}

/* 1, 0 at the end of the run, -1. */
static int next_word(struct reader *r, struct ft_err *e)
{
    uint64_t n;
    if (r->from == r->n && r->at == r->end)
        return 0;
    if (get_number(r, &n, e) || get_number(r, &r->count, e) || fill(r, n, e))
        return -1;
    r->word = (struct ft_str){r->buf + r->from, n};
    r->from += n;
    return 1;
}

/* ---- all runs merged ---- */

struct merge {
    struct reader *r;
    struct reader **heap; /* the first word on top */
    size_t n, n_readers;
    struct ft_buf word; /* the one given */
};

static void sift(struct merge *m, size_t i)
{
    struct reader *x = m->heap[i];
    for (;;) {
        size_t k = 2 * i + 1;
        if (k >= m->n)
            break;
        if (k + 1 < m->n && ft_str_cmp(m->heap[k + 1]->word, m->heap[k]->word) < 0)
            k++;
        if (ft_str_cmp(x->word, m->heap[k]->word) <= 0)
            break;
        m->heap[i] = m->heap[k];
        i = k;
    }
    m->heap[i] = x;
}

static void merge_end(struct merge *m)
{
    for (size_t i = 0; i < m->n_readers; i++)
        free(m->r[i].buf);
    free(m->r);
    free(m->heap);
    ft_buf_release(&m->word);
    *m = (struct merge){0};
}

static int merge_begin(struct merge *m, const struct tk_tally *t, size_t n_tallies, struct ft_err *e)
{
    size_t runs = 0;
    for (size_t i = 0; i < n_tallies; i++)
        runs += t[i].n_runs;
    const uint64_t share = runs ? t->limit * n_tallies / runs : 0;
    const size_t cap = share > READ ? READ : share > 1024 ? (size_t)share : 1024;
    *m = (struct merge){.r = ft_calloc(runs, sizeof *m->r), .heap = ft_calloc(runs, sizeof *m->heap)};
    for (size_t i = 0; i < n_tallies; i++)
        for (size_t k = 0; k < t[i].n_runs; k++) {
            struct reader *r = &m->r[m->n_readers++];
            *r = (struct reader){.fd = t[i].fd, .at = k ? t[i].ends[k - 1] : 0, .end = t[i].ends[k], .cap = cap};
            r->buf = ft_malloc(r->cap);
            const int more = next_word(r, e);
            if (more < 0)
                return -1;
            if (more)
                m->heap[m->n++] = r;
        }
    for (size_t i = m->n / 2 + 1; i-- > 0;)
        if (i < m->n)
            sift(m, i);
    return 0;
}

/* The next word and its count over all runs: 1, 0, -1. */
static int merge_next(struct merge *m, struct tk_counted *out, struct ft_err *e)
{
    if (!m->n)
        return 0;
    m->word.n = 0;
    ft_buf_puts(&m->word, m->heap[0]->word);
    const struct tk_key key = tk_key_of(m->word.p, m->word.n);
    *out = (struct tk_counted){m->word.p, 0, (uint32_t)m->word.n,
                               m->word.n > TK_KEY_MAX ? (uint32_t)ft_hash64(m->word.p, m->word.n) : tk_key_hash(key.lo, key.hi)};
    while (m->n && ft_str_eq(m->heap[0]->word, ft_buf_str(&m->word))) {
        out->count += m->heap[0]->count;
        const int more = next_word(m->heap[0], e);
        if (more < 0)
            return -1;
        if (!more)
            m->heap[0] = m->heap[--m->n];
        if (m->n)
            sift(m, 0);
    }
    return 1;
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
    return by_bytes(x, y);
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
    struct merge m = {0};
    struct tk_counted w;
    struct tk_tally store = {0}; /* for the bytes only */
    size_t cap = 0;
    int more = 0, r = 0;
    for (size_t i = 0; i < n_tallies && !r; i++)
        r = spill(&t[i], e);
    for (int pass = 0; pass < 2 && !r; pass++) {
        r = merge_begin(&m, t, n_tallies, e);
        while (!r && (more = merge_next(&m, &w, e)) > 0)
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
        merge_end(&m);
        if (!pass)
            sieve_set(s);
    }
    if (out->n)
        qsort(out->v, out->n, sizeof *out->v, by_count);
    out->mem = store.mem;
    return r;
}

int tk_tally_finish(struct tk_tally *t, size_t n_tallies, uint64_t size, struct tk_words *out, struct ft_err *e)
{
    struct sieve s = {.cost = ft_calloc(CLASSES, sizeof *s.cost), .size = size};
    bool runs = false;
    int r = 0;
    *out = (struct tk_words){0};
    for (size_t i = 0; i < n_tallies; i++)
        runs |= t[i].n_runs > 0;
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
