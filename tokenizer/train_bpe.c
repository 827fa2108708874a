#include "tokenizer/train_bpe.h"

#include <assert.h>
#include <stdlib.h>

/* A slot of the symbol array: the id of the symbol that begins there, or, with
 * this bit, in the last slot of a longer symbol the way back to its first.
 * STOP stands between words. */
#define BACK 0x80000000u
#define STOP 0xffffffffu

enum {
    BLOCK = 64, /* slots for which the count class is noted */
    AHEAD = 12, /* occurrences between asking for memory and needing it */
};

struct run { /* slots [.., end) belong to words of this count */
    uint64_t end, count;
};

struct count { /* of a pair */
    uint64_t pair; /* left << 32 | right; UINT64_MAX: free */
    int64_t n;
    uint32_t at;   /* at the start: occurrences */
    bool merged;
};

/* A queued pair with the occurrences that one merge made. All of a pair's come
 * into being at once (a text is always put together in the same steps) but for
 * words that a vocabulary which is extended cut in its own way: such a pair may
 * have two entries. */
struct entry {
    int64_t count;
    uint64_t pair;
    uint32_t n;
    uint32_t *at;
};

struct near { /* a neighbour of the merged pair, by id */
    int64_t lost, won; /* of (neighbour, first) or (second, neighbour); of the new pair */
    uint32_t n_won;    /* occurrences of the new pair */
    uint32_t *at;      /* where their list grows; NULL: no entry */
};

struct found {
    uint32_t id, at;
};

struct founds {
    struct found *v;
    size_t n, cap;
};

struct side { /* left or right of the merged pairs */
    struct near *by_id;
    uint32_t *seen; /* ids with something in by_id */
    size_t n_seen, cap_seen;
    struct founds won;
};

struct tk_corpus {
    uint32_t *sym;
    size_t n, cap;
    struct run *runs;
    size_t n_runs, cap_runs;
    uint32_t *block; /* run of the block's first slot */
    struct count *counts;
    size_t n_counts, n_slots;
    struct entry *heap;
    size_t heap_n, heap_cap;
    uint32_t *first_lists; /* the occurrences of the pairs there are at the start */
    size_t n_first;
    struct side left, right;
    size_t cap_near;
};

/* ---- tokens ---- */

void tk_learner_init(struct tk_learner *l)
{
    *l = (struct tk_learner){0};
    tk_vocab_init(&l->vocab, 1024);
}

static void release_list(const struct tk_corpus *c, uint32_t *at)
{
    if (at < c->first_lists || at >= c->first_lists + c->n_first)
        free(at);
}

void tk_learner_release(struct tk_learner *l)
{
    struct tk_corpus *c = l->corpus;
    tk_vocab_release(&l->vocab);
    free(l->len);
    free(l->merges);
    if (c) {
        for (size_t i = 0; i < c->heap_n; i++)
            release_list(c, c->heap[i].at);
        free(c->sym);
        free(c->runs);
        free(c->block);
        free(c->counts);
        free(c->heap);
        free(c->first_lists);
        free(c->left.by_id);
        free(c->left.seen);
        free(c->left.won.v);
        free(c->right.by_id);
        free(c->right.seen);
        free(c->right.won.v);
        free(c);
    }
    *l = (struct tk_learner){0};
}

void tk_learner_put(struct tk_learner *l, struct ft_str s, uint32_t id, uint32_t chars)
{
    assert(id == l->n_tokens && id < BACK - 1);
    if (id == l->cap_len) {
        l->cap_len = l->cap_len ? l->cap_len * 2 : 1024;
        l->len = ft_reallocs(l->len, l->cap_len, sizeof *l->len);
    }
    l->len[id] = chars;
    if (s.p)
        tk_vocab_add(&l->vocab, s, id);
    l->n_tokens++;
}

uint32_t tk_learner_token(struct tk_learner *l, struct ft_str s, uint32_t chars)
{
    const int64_t id = tk_vocab_find(&l->vocab, s.p, s.n);
    if (id >= 0)
        return (uint32_t)id;
    tk_learner_put(l, s, l->n_tokens, chars);
    return l->n_tokens - 1;
}

/* ---- the corpus ---- */

void tk_learner_begin(struct tk_learner *l, size_t n_words, size_t n_slots)
{
    struct tk_corpus *c = l->corpus = ft_calloc(1, sizeof *c);
    assert(n_words + n_slots + 1 < STOP);
    c->cap = n_words + n_slots + 1;
    c->sym = ft_reallocs(NULL, c->cap, sizeof *c->sym);
    c->sym[c->n++] = STOP;
}

void tk_learner_word(struct tk_learner *l, const uint32_t *ids, size_t n, uint64_t count)
{
    struct tk_corpus *c = l->corpus;
    if (n < 2) /* nothing to merge */
        return;
    for (size_t i = 0; i < n; i++) {
        const uint32_t k = l->len[ids[i]];
        assert(k && c->n + k < c->cap);
        c->sym[c->n] = ids[i];
        for (uint32_t m = 1; m < k; m++)
            c->sym[c->n + m] = BACK | m; /* those in the middle are never looked at */
        c->n += k;
    }
    assert(c->n < c->cap);
    c->sym[c->n++] = STOP;
    if (c->n_runs && c->runs[c->n_runs - 1].count == count) {
        c->runs[c->n_runs - 1].end = c->n;
        return;
    }
    assert(!c->n_runs || c->runs[c->n_runs - 1].count > count);
    if (c->n_runs == c->cap_runs) {
        c->cap_runs = c->cap_runs ? c->cap_runs * 2 : 256;
        c->runs = ft_reallocs(c->runs, c->cap_runs, sizeof *c->runs);
    }
    c->runs[c->n_runs++] = (struct run){c->n, count};
}

static void index_runs(struct tk_corpus *c)
{
    const size_t blocks = c->n / BLOCK + 1;
    c->block = ft_reallocs(NULL, blocks, sizeof *c->block);
    uint32_t r = 0;
    for (size_t b = 0; b < blocks; b++) {
        while (r + 1 < c->n_runs && c->runs[r].end <= b * BLOCK)
            r++;
        c->block[b] = r;
    }
}

/* The count of the word that a slot belongs to. */
static inline int64_t weight(const struct tk_corpus *c, uint32_t at)
{
    const struct run *r = &c->runs[c->block[at / BLOCK]];
    while (at >= r->end)
        r++;
    return (int64_t)r->count;
}

/* ---- pair counts ---- */

static inline uint64_t pair_of(uint32_t l, uint32_t r) { return (uint64_t)l << 32 | r; }

static inline size_t mix(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15u;
    return (size_t)(x ^ x >> 29);
}

static void grow_counts(struct tk_corpus *c)
{
    struct count *old = c->counts;
    const size_t n = c->n_slots;
    c->n_slots = n ? n * 2 : 1024;
    c->counts = ft_reallocs(NULL, c->n_slots, sizeof *c->counts);
    for (size_t i = 0; i < c->n_slots; i++)
        c->counts[i].pair = UINT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (old[i].pair != UINT64_MAX) {
            size_t k = mix(old[i].pair) & (c->n_slots - 1);
            while (c->counts[k].pair != UINT64_MAX)
                k = (k + 1) & (c->n_slots - 1);
            c->counts[k] = old[i];
        }
    free(old);
}

/* NULL: none, the pair is too rare to matter. */
static inline struct count *find_count(const struct tk_corpus *c, uint64_t pair)
{
    for (size_t k = mix(pair) & (c->n_slots - 1);; k = (k + 1) & (c->n_slots - 1)) {
        if (c->counts[k].pair == pair)
            return &c->counts[k];
        if (c->counts[k].pair == UINT64_MAX)
            return NULL;
    }
}

/* Valid until the next call. */
static inline struct count *count_of(struct tk_corpus *c, uint64_t pair)
{
    if (c->n_counts * 2 >= c->n_slots)
        grow_counts(c);
    for (size_t k = mix(pair) & (c->n_slots - 1);; k = (k + 1) & (c->n_slots - 1)) {
        if (c->counts[k].pair == pair)
            return &c->counts[k];
        if (c->counts[k].pair == UINT64_MAX) {
            c->n_counts++;
            c->counts[k] = (struct count){.pair = pair};
            return &c->counts[k];
        }
    }
}

/* ---- the queue: a heap of four children a node ---- */

static inline bool before(const struct entry *a, const struct entry *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    return a->pair < b->pair;
}

static void sift_up(struct tk_corpus *c, size_t i)
{
    const struct entry x = c->heap[i];
    while (i && before(&x, &c->heap[(i - 1) / 4])) {
        c->heap[i] = c->heap[(i - 1) / 4];
        i = (i - 1) / 4;
    }
    c->heap[i] = x;
}

static void sift_down(struct tk_corpus *c, size_t i)
{
    const struct entry x = c->heap[i];
    for (;;) {
        const size_t first = i * 4 + 1, end = first + 4 < c->heap_n ? first + 4 : c->heap_n;
        size_t best = i;
        const struct entry *top = &x;
        for (size_t k = first; k < end; k++)
            if (before(&c->heap[k], top)) {
                top = &c->heap[k];
                best = k;
            }
        if (best == i)
            break;
        c->heap[i] = *top;
        i = best;
    }
    c->heap[i] = x;
}

static void push(struct tk_corpus *c, struct entry x)
{
    if (c->heap_n == c->heap_cap) {
        c->heap_cap = c->heap_cap ? c->heap_cap * 2 : 1024;
        c->heap = ft_reallocs(c->heap, c->heap_cap, sizeof *c->heap);
    }
    c->heap[c->heap_n] = x;
    sift_up(c, c->heap_n++);
}

static struct entry pop(struct tk_corpus *c)
{
    const struct entry top = c->heap[0];
    c->heap[0] = c->heap[--c->heap_n];
    if (c->heap_n)
        sift_down(c, 0);
    return top;
}

/* ---- the start: all pairs that there are ---- */

static void first_pairs(struct tk_learner *l, int64_t least)
{
    struct tk_corpus *c = l->corpus;
    size_t total = 0;
    index_runs(c);
    grow_counts(c);
    for (int pass = 0; pass < 2; pass++) {
        if (pass) { /* where each pair's list begins */
            c->first_lists = ft_reallocs(NULL, total ? total : 1, sizeof *c->first_lists);
            c->n_first = total;
            c->heap_cap = c->n_counts + 1024;
            c->heap = ft_reallocs(NULL, c->heap_cap, sizeof *c->heap);
            uint32_t at = 0;
            for (size_t k = 0; k < c->n_slots; k++)
                if (c->counts[k].pair != UINT64_MAX) {
                    struct count *x = &c->counts[k];
                    const uint32_t n = x->at;
                    x->at = at;
                    if (x->n >= least)
                        c->heap[c->heap_n++] = (struct entry){x->n, x->pair, n, c->first_lists + at};
                    at += n;
                }
        }
        uint32_t run = 0;
        for (size_t i = 1; i < c->n;) {
            const uint32_t s = c->sym[i];
            if (s == STOP) {
                i++;
                continue;
            }
            const size_t next = i + l->len[s];
            if (c->sym[next] != STOP) {
                struct count *x = count_of(c, pair_of(s, c->sym[next]));
                if (pass) {
                    c->first_lists[x->at++] = (uint32_t)i;
                } else {
                    while (i >= c->runs[run].end)
                        run++;
                    x->n += (int64_t)c->runs[run].count;
                    x->at++;
                    total++;
                }
            }
            i = next;
        }
    }
    for (size_t i = c->heap_n / 4 + 1; i-- > 0;)
        if (i < c->heap_n)
            sift_down(c, i);
}

/* ---- merging ---- */

static inline void note(struct side *s, uint32_t id)
{
    if (s->n_seen == s->cap_seen) {
        s->cap_seen = s->cap_seen ? s->cap_seen * 2 : 256;
        s->seen = ft_reallocs(s->seen, s->cap_seen, sizeof *s->seen);
    }
    s->seen[s->n_seen++] = id;
}

static inline void change(struct side *s, uint32_t id, int64_t weight_, bool keep, uint32_t at)
{
    struct near *x = &s->by_id[id];
    if (!x->lost)
        note(s, id);
    x->lost += weight_;
    if (!keep)
        return;
    x->won += weight_;
    x->n_won++;
    if (s->won.n == s->won.cap) {
        s->won.cap = s->won.cap ? s->won.cap * 2 : 256;
        s->won.v = ft_reallocs(s->won.v, s->won.cap, sizeof *s->won.v);
    }
    s->won.v[s->won.n++] = (struct found){id, at};
}

struct merging {
    uint32_t a, b, id, size;
    uint64_t limit; /* a new pair must be shorter */
    int64_t least;  /* the count that a pair must have */
    int64_t done;   /* sum of the weights */
};

/* At a slot where the pair was seen: is it still there? */
static inline void merge_at(struct tk_learner *l, struct merging *m, uint32_t at)
{
    struct tk_corpus *c = l->corpus;
    if (c->sym[at] != m->a || c->sym[at + l->len[m->a]] != m->b)
        return;
    const int64_t w = weight(c, at);
    const uint32_t before_ = c->sym[at - 1], after = c->sym[at + m->size];
    if (before_ != STOP) {
        const uint32_t from = before_ & BACK ? at - 1 - (before_ & ~BACK) : at - 1;
        const uint32_t x = c->sym[from];
        change(&c->left, x, w, l->len[x] + (uint64_t)m->size < m->limit, from);
    }
    if (after != STOP)
        change(&c->right, after, w, l->len[after] + (uint64_t)m->size < m->limit, at);
    m->done += w;
    c->sym[at + l->len[m->a]] = BACK; /* so that nothing is found there */
    c->sym[at] = m->id;
    c->sym[at + m->size - 1] = BACK | (m->size - 1);
}

/* Books what the merge made. A pair that is too rare now will not become more
 * frequent: it gets no count and no entry. */
static void count_new(struct tk_corpus *c, const struct merging *m, bool right)
{
    struct side *s = right ? &c->right : &c->left;
    for (size_t i = 0; i < s->n_seen; i++) {
        struct near *x = &s->by_id[s->seen[i]];
        if (x->won < m->least)
            x->n_won = 0;
        else
            count_of(c, right ? pair_of(m->id, s->seen[i]) : pair_of(s->seen[i], m->id))->n += x->won;
    }
}

/* Books what the merge took away. */
static void count_lost(struct tk_corpus *c, const struct merging *m, bool right)
{
    struct side *s = right ? &c->right : &c->left;
    for (size_t i = 0; i < s->n_seen; i++) {
        struct count *x = find_count(c, right ? pair_of(m->b, s->seen[i]) : pair_of(s->seen[i], m->a));
        if (x)
            x->n -= s->by_id[s->seen[i]].lost;
    }
}

/* Queues the pairs that the merge made on one side. */
static void queue_new(struct tk_corpus *c, const struct merging *m, bool right)
{
    struct side *s = right ? &c->right : &c->left;
    for (size_t i = 0; i < s->n_seen; i++) {
        struct near *x = &s->by_id[s->seen[i]];
        if (!x->n_won)
            continue;
        const struct count *n = find_count(c, right ? pair_of(m->id, s->seen[i]) : pair_of(s->seen[i], m->id));
        if (n->n >= m->least) {
            uint32_t *at = ft_reallocs(NULL, x->n_won, sizeof *at);
            push(c, (struct entry){n->n, n->pair, x->n_won, at});
            x->at = at;
        }
    }
    for (size_t i = 0; i < s->won.n; i++) {
        struct near *x = &s->by_id[s->won.v[i].id];
        if (x->at)
            *x->at++ = s->won.v[i].at;
    }
    for (size_t i = 0; i < s->n_seen; i++)
        s->by_id[s->seen[i]] = (struct near){0};
    s->n_seen = s->won.n = 0;
}

static void room_for_ids(struct tk_learner *l)
{
    struct tk_corpus *c = l->corpus;
    if (l->n_tokens < c->cap_near)
        return;
    const size_t n = (size_t)l->n_tokens * 2 + 1024;
    struct side *const sides[2] = {&c->left, &c->right};
    for (int k = 0; k < 2; k++) {
        sides[k]->by_id = ft_reallocs(sides[k]->by_id, n, sizeof *sides[k]->by_id);
        memset(sides[k]->by_id + c->cap_near, 0, (n - c->cap_near) * sizeof *sides[k]->by_id);
    }
    c->cap_near = n;
}

/* The id of the pair's text. */
static uint32_t join(struct tk_learner *l, uint32_t a, uint32_t b)
{
    struct ft_buf text = {0};
    ft_buf_puts(&text, l->vocab.token[a]);
    ft_buf_puts(&text, l->vocab.token[b]);
    const uint32_t id = tk_learner_token(l, ft_buf_str(&text), l->len[a] + l->len[b]);
    ft_buf_release(&text);
    return id;
}

static void add_merge(struct tk_learner *l, struct tk_pair m)
{
    if (l->n_merges == l->cap_merges) {
        l->cap_merges = l->cap_merges ? l->cap_merges * 2 : 1024;
        l->merges = ft_reallocs(l->merges, l->cap_merges, sizeof *l->merges);
    }
    l->merges[l->n_merges++] = m;
}

void tk_learner_run(struct tk_learner *l, const struct tk_learn_opts *o)
{
    struct tk_corpus *c = l->corpus;
    if (!c->n_runs)
        return;
    const uint64_t limit = o->max_token_length ? o->max_token_length : UINT64_MAX;
    const int64_t least = o->min_frequency > INT64_MAX ? INT64_MAX : o->min_frequency ? (int64_t)o->min_frequency : 1;
    first_pairs(l, least);
    while (l->n_tokens < o->vocab_size && c->heap_n) {
        struct entry top = pop(c);
        struct count *n = count_of(c, top.pair);
        if (top.count != n->n) { /* it was queued with more */
            top.count = n->n;
            if (n->n >= least)
                push(c, top);
            else
                release_list(c, top.at);
            continue;
        }
        struct merging m = {.a = (uint32_t)(top.pair >> 32), .b = (uint32_t)top.pair, .limit = limit, .least = least};
        m.size = l->len[m.a] + l->len[m.b];
        const uint32_t before_ = l->n_tokens;
        m.id = join(l, m.a, m.b);
        l->n_new += l->n_tokens > before_;
        if (!n->merged)
            add_merge(l, (struct tk_pair){m.a, m.b, m.id});
        n->merged = true;
        room_for_ids(l);
        for (uint32_t i = 0; i < top.n; i++) {
            if (i + AHEAD < top.n)
                __builtin_prefetch(&c->sym[top.at[i + AHEAD]], 1);
            merge_at(l, &m, top.at[i]);
        }
        count_of(c, top.pair)->n -= m.done;
        count_new(c, &m, false);
        count_new(c, &m, true);
        count_lost(c, &m, false);
        count_lost(c, &m, true);
        queue_new(c, &m, false);
        queue_new(c, &m, true);
        release_list(c, top.at);
        if (o->progress && l->n_merges % 256 == 0)
            o->progress(o->ctx, l->n_tokens);
    }
}
