/* Records through a function on several threads, in order.
 *
 * One thread needs no more than a loop. With several the calling thread reads batches of about 128 KiB into a ring of slots, workers
 * take the slots in turn, and the calling thread writes them out in ring order.
 * Everything that depends on order -- output, bad lines, counts, the seal --
 * happens on the calling thread, so the result is that of one thread.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "pipeline/stream_priv.h"

#ifdef FT_TINY
enum { BATCH = 64 };
#else
enum { BATCH = 128 << 10 }; /* lines, their output and a thread's tables share a cache; with 1 MiB a second thread costs 10 % more */
#endif

struct item {
    size_t at, n; /* the line, in slot->text */
    const char *file;
    uint64_t lineno, seq, blank; /* blank: lines skipped before it */
    bool kept;  /* of a refused one: its text can be set aside */
    size_t bad; /* > 0: the input refused it, see slot->refused[bad - 1] */
};

struct bad_item {
    size_t item, out_at; /* which; how much of the slot's output precedes it */
    struct ft_err e;
    char *org_file;      /* owned by the slot's arena */
    size_t org_n;
    int64_t org_line;
};

enum state { FREE, FULL, DONE };

struct slot {
    enum state state;
    struct ft_buf text, out;
    struct item *items;
    size_t n_items, cap_items;
    struct bad_item *bads;
    size_t n_bads, cap_bads;
    struct ft_err *refused;
    size_t n_refused;
    uint64_t n_in, n_out, n_kept, n_dropped;
    struct ft_arena mem;
    struct ft_counter *drops, *counts;
};

struct pool {
    struct ft_stream *s;
    ft_map_fn *fn;
    void *ctx;
    struct slot *slots;
    size_t n_slots, head, tail; /* filled; written */
    size_t taken;               /* next slot for a worker */
    bool stop;
    pthread_mutex_t lock;
    pthread_cond_t full, done;
};

struct worker {
    struct pool *pool;
    int id;
    pthread_t thread;
    struct ft_arena mem;
};

int ft_stream_jobs(const struct ft_stream *s)
{
    if (s->so.jobs)
        return s->so.jobs > 256 ? 256 : (int)s->so.jobs;
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (f) {
        double quota, period;
        if (fscanf(f, "%lf %lf", &quota, &period) == 2 && period > 0 && quota / period < n)
            n = (int)(quota / period + 0.5);
        fclose(f);
    }
    return n < 1 ? 1 : n > 256 ? 256 : n;
}

static void note_bad(struct slot *b, size_t item, struct ft_rec *r, const struct ft_err *e)
{
    if (b->n_bads == b->cap_bads) {
        b->cap_bads = b->cap_bads * 2 + 4;
        b->bads = ft_reallocs(b->bads, b->cap_bads, sizeof *b->bads);
    }
    struct ft_stamp stamp = {0};
    struct ft_err ignore = {0};
    if (r->n)
        ft_rec_get_stamp(r, &stamp, &ignore);
    b->bads[b->n_bads++] = (struct bad_item){
        item, b->out.n, *e, ft_arena_dup(&b->mem, stamp.org_file.p, stamp.org_file.n), stamp.org_file.n,
        stamp.org_line};
    if (e->rest)
        b->bads[b->n_bads - 1].e.rest = ft_arena_dup(&b->mem, e->rest, strlen(e->rest));
}

/* All records of a slot. Stops at the first bad one unless they are set aside. */
static void work(struct pool *p, struct slot *b, int id, struct ft_arena *mem)
{
    for (size_t i = 0; i < b->n_items; i++) {
        const struct item *it = &b->items[i];
        struct ft_err e = {0};
        ft_arena_reset(mem);
        struct ft_rec r = {.line = {b->text.p + it->at, it->n}, .file = it->file, .lineno = it->lineno,
                           .seq = it->seq, .mem = mem, .trees = p->s->so.trees};
        const size_t before = b->out.n;
        int n = -1;
        b->n_in++;
        if (it->bad)
            e = b->refused[it->bad - 1];
        else if (ft_rec_parse(&r, &e) == 0 && ft_stream_rename(p->s, &r, &e) == 0)
            n = p->fn(p->ctx, id, &r, &b->out, &e);
        if (n < 0) {
            b->out.n = before; /* half a record is not output */
            note_bad(b, i, &r, &e);
            if (e.code != FT_DATA || !p->s->bad_file)
                return;
            continue;
        }
        for (const struct ft_counter *c = r.counts; c; c = c->next)
            ft_stream_add(&b->mem, &b->counts, c->name, c->n);
        b->n_out += (uint64_t)n;
        if (n)
            b->n_kept++;
        else {
            b->n_dropped++;
            ft_stream_add(&b->mem, &b->drops, r.dropped ? r.dropped : "empty", 1);
        }
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->taken == p->head)
            pthread_cond_wait(&p->full, &p->lock);
        if (p->taken == p->head)
            break;
        struct slot *b = &p->slots[p->taken++ % p->n_slots];
        pthread_mutex_unlock(&p->lock);
        work(p, b, w->id, &w->mem);
        pthread_mutex_lock(&p->lock);
        b->state = DONE;
        pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Fills a slot with what can be read without waiting, at least one record.
 * 1: filled, 0: end of input (the slot may still hold records), -1. */
static int fill(struct pool *p, struct slot *b, struct ft_err *e)
{
    b->text.n = b->out.n = b->n_items = b->n_bads = 0;
    b->n_in = b->n_out = b->n_kept = b->n_dropped = 0;
    b->n_refused = 0;
    b->drops = b->counts = NULL;
    ft_arena_reset(&b->mem);
    do {
        struct ft_line line;
        const int r = ft_stream_raw(p->s, &line, e);
        if (r <= 0)
            return r;
        if (b->n_items == b->cap_items) {
            b->cap_items = b->cap_items * 2 + 64;
            b->items = ft_reallocs(b->items, b->cap_items, sizeof *b->items);
        }
        b->items[b->n_items++] = (struct item){b->text.n, line.text.n, line.file, line.lineno,
                                               p->s->n_read - 1, ft_input_blank(p->s->in), true,
                                               r == 2 ? b->n_refused + 1 : 0};
        if (r == 2) {
            b->refused = ft_reallocs(b->refused, b->n_refused + 1, sizeof *b->refused);
            b->refused[b->n_refused++] = *e;
            ft_err_clear(e);
            b->items[b->n_items - 1].kept = line.text.p != NULL;
            if (!line.text.p) /* the input cannot go on behind it */
                return 0;
        }
        ft_buf_puts(&b->text, line.text);
    } while (b->text.n < BATCH && ft_input_ready(p->s->in));
    return 1;
}

/* Writes a finished slot and settles its accounts. */
static int drain(struct pool *p, struct slot *b, struct ft_err *e)
{
    struct ft_stream *s = p->s;
    size_t at = 0;
    const uint64_t n_in = s->n_in + b->n_in;
    s->n_blank = b->n_in ? b->items[b->n_in - 1].blank : s->n_blank;
    s->n_out += b->n_out;
    s->n_kept += b->n_kept;
    s->n_dropped += b->n_dropped;
    for (const struct ft_counter *c = b->drops; c; c = c->next)
        ft_stream_add(&s->mem, &s->drops, c->name, c->n);
    for (const struct ft_counter *c = b->counts; c; c = c->next)
        ft_stream_add(&s->mem, &s->counts, c->name, c->n);
    for (size_t i = 0; i < b->n_bads; i++) {
        struct bad_item *bad = &b->bads[i];
        const struct item *it = &b->items[bad->item];
        if (ft_stream_emit(s, b->out.p + at, bad->out_at - at))
            return -1;
        at = bad->out_at;
        *e = bad->e;
        s->n_in = n_in - b->n_in + bad->item + 1; /* --max-bad P% is of the records so far */
        /* An over-long line that is in the file of bad lines has an empty text, not none. */
        struct ft_str text = {it->n ? b->text.p + it->at : "", it->n};
        if (it->bad && !it->kept)
            text.p = NULL;
        if (ft_stream_set_aside(s, text, it->file, it->lineno, (struct ft_str){bad->org_file, bad->org_n},
                                bad->org_line, e))
            return -1;
    }
    s->n_in = n_in;
    if (at < b->out.n && ft_stream_emit(s, b->out.p + at, b->out.n - at))
        return -1;
    if (b->text.cap > 128u * BATCH) /* one giant record must not cost memory for the rest */
        ft_buf_release(&b->text);
    if (b->out.cap > 512u * BATCH)
        ft_buf_release(&b->out);
    return 0;
}

/* Writes the oldest slot, waiting for it. */
static int drain_one(struct pool *p, struct ft_err *e)
{
    struct slot *b = &p->slots[p->tail % p->n_slots];
    pthread_mutex_lock(&p->lock);
    while (b->state != DONE)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
    p->tail++;
    b->state = FREE;
    return drain(p, b, e);
}

static int run(struct pool *p, struct ft_err *e)
{
    int more = 1;
    while (more > 0) {
        if (p->head - p->tail == p->n_slots && drain_one(p, e))
            return -1;
        if (!ft_input_ready(p->s->in)) {
            while (p->tail < p->head)
                if (drain_one(p, e))
                    return -1;
            if (ft_stream_flush(p->s))
                return -1;
        }
        struct slot *b = &p->slots[p->head % p->n_slots];
        more = fill(p, b, e);
        if (!b->n_items)
            break;
        pthread_mutex_lock(&p->lock);
        b->state = FULL;
        p->head++;
        pthread_cond_signal(&p->full);
        pthread_mutex_unlock(&p->lock);
    }
    /* What was read before a failure is still good output. */
    struct ft_err first = *e;
    struct ft_err late = {0};
    while (p->tail < p->head)
        if (drain_one(p, &late))
            break;
    *e = late.code ? late : first;
    return e->code || more < 0 ? -1 : 0;
}

/* On the calling thread: nothing is copied on its way. */
static int alone(struct ft_stream *s, ft_map_fn *fn, void *ctx, struct ft_err *e)
{
    struct ft_rec *r;
    int k;
    while ((k = ft_stream_next(s, &r, e)) > 0) {
        const size_t before = s->out.n;
        const int n = fn(ctx, 0, r, &s->out, e);
        if (n < 0) {
            s->out.n = before; /* half a record is not output */
            if (ft_stream_bad(s, r, e))
                return -1;
        } else if (n == 0) {
            ft_stream_drop(s, r, r->dropped ? r->dropped : "empty");
        } else {
            s->n_out += (uint64_t)n - 1;
            ft_stream_keep(s, r);
            if (ft_stream_emitted(s, before))
                return -1;
        }
    }
    return k;
}

int ft_stream_map(struct ft_stream *s, ft_map_fn *fn, void *ctx, struct ft_err *e)
{
    const int jobs = ft_stream_jobs(s);
    if (jobs == 1)
        return alone(s, fn, ctx, e);
    struct pool p = {.s = s, .fn = fn, .ctx = ctx, .n_slots = (size_t)jobs * 2 + 1};
    struct worker *w = ft_calloc((size_t)jobs, sizeof *w);
    p.slots = ft_calloc(p.n_slots, sizeof *p.slots);
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.full, NULL);
    pthread_cond_init(&p.done, NULL);
    int started = 0;
    for (int i = 0; i < jobs; i++) {
        w[i] = (struct worker){.pool = &p, .id = i};
        if (pthread_create(&w[i].thread, NULL, worker_main, &w[i]))
            break;
        started++;
    }
    const int r = started ? run(&p, e) : ft_fail(e, FT_SYS, "cannot start a thread");
    pthread_mutex_lock(&p.lock);
    p.stop = true;
    pthread_cond_broadcast(&p.full);
    pthread_mutex_unlock(&p.lock);
    for (int i = 0; i < started; i++)
        pthread_join(w[i].thread, NULL);
    for (int i = 0; i < jobs; i++)
        ft_arena_release(&w[i].mem);
    for (size_t i = 0; i < p.n_slots; i++) {
        struct slot *b = &p.slots[i];
        ft_buf_release(&b->text);
        ft_buf_release(&b->out);
        ft_arena_release(&b->mem);
        free(b->items);
        free(b->bads);
        free(b->refused);
    }
    free(p.slots);
    free(w);
    pthread_mutex_destroy(&p.lock);
    pthread_cond_destroy(&p.full);
    pthread_cond_destroy(&p.done);
    return r;
}
