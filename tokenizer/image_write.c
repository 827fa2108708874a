/* Writing an image, on a thread of its own. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tokenizer/image_priv.h"
#include "tokenizer/lone_chars.h"
#include "tokenizer/trie.h"

/* ---- what it is made of ---- */

static void rest_of(const struct ft_json *j, struct ft_buf *b)
{
    ft_buf_putc(b, '{');
    for (size_t i = 0; i < j->n; i++) {
        const struct ft_json_member *x = &j->members[i];
        ft_buf_putz(b, i ? "," : "");
        ft_json_put_str(b, x->key);
        ft_buf_putc(b, ':');
        if (!ft_str_is(x->key, "model") || x->value.type != FT_JSON_OBJECT) {
            ft_buf_puts(b, x->value.raw);
            continue;
        }
        ft_buf_putc(b, '{');
        bool first = true;
        for (size_t k = 0; k < x->value.n; k++) {
            const struct ft_json_member *y = &x->value.members[k];
            if (ft_str_is(y->key, "vocab") || ft_str_is(y->key, "merges"))
                continue;
            ft_buf_putz(b, first ? "" : ",");
            first = false;
            ft_json_put_str(b, y->key);
            ft_buf_putc(b, ':');
            ft_buf_puts(b, y->value.raw);
        }
        ft_buf_putc(b, '}');
    }
    ft_buf_putc(b, '}');
}

/* The oldest images make room, and what was left half written goes. */
static void tidy(void)
{
    char dir[4096], path[4400], oldest[4400];
    if (tk_image_folder(dir, sizeof dir, false))
        return;
    for (int round = 0; round < 8; round++) {
        int count = 0;
        time_t when = 0;
        const time_t now = time(NULL);
        DIR *d = opendir(dir);
        for (struct dirent *x; d && (x = readdir(d));) {
            struct stat st;
            const char *tok = strstr(x->d_name, ".tok");
            if (!tok)
                continue;
            snprintf(path, sizeof path, "%s/%s", dir, x->d_name);
            if (stat(path, &st))
                continue;
            if (tok[4]) { /* of a program that was killed while it wrote */
                if (st.st_mtime < now - 3600)
                    unlink(path);
                continue;
            }
            if (!count++ || st.st_mtime < when) {
                when = st.st_mtime;
                snprintf(oldest, sizeof oldest, "%s", path);
            }
        }
        if (d)
            closedir(d);
        if (count <= TK_IMAGES || unlink(oldest))
            return;
    }
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        const ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* ---- the thread ---- */

struct piece {
    const void *p;
    size_t n;
};

struct tk_image_writer {
    pthread_t thread;
    struct tk_image_header h;
    struct ft_buf rest;
    struct piece part[SECTIONS];
    const struct tk_model *model;
    const struct tk_fast *fast;
    const char *fingerprint;
    char path[4300];
};

static void add(struct tk_image_writer *w, enum section s, const void *p, size_t n) { w->part[s] = (struct piece){p, p ? n : 0}; }

/* What the model and the quick way consist of, the strings apart. */
static void add_tables(struct tk_image_writer *w, size_t n_ids)
{
    const struct tk_model *m = w->model;
    const struct tk_fast *f = w->fast;
    const struct tk_merges *g = &m->merges;
    struct tk_image_header *h = &w->h;
    add(w, SLOTS, m->vocab.slots, m->vocab.n_slots * sizeof *m->vocab.slots);
    add(w, MERGES, g->v, g->n * sizeof *g->v);
    add(w, PAIRS, g->slot, sizeof *g->slot << g->bits);
    add(w, BYTE_PAIRS, g->byte_pair, 65536 * sizeof *g->byte_pair);
    add(w, TURNS, g->turn, sizeof *g->turn << g->turn_bits);
    add(w, SCORES, m->score, m->size * sizeof *m->score);
    h->has_trie = m->trie != NULL;
    h->n_cells = m->trie ? m->trie->n_cells : 0;
    add(w, TRIE, m->trie ? m->trie->cell : NULL, h->n_cells * sizeof *m->trie->cell);
    add(w, TRIE_VALUES, m->trie ? m->trie->value : NULL, h->n_cells * sizeof *m->trie->value);
    add(w, TRIE_ENDS, m->trie ? m->trie->end : NULL, h->n_cells * sizeof *m->trie->end);
    add(w, SEED_SLOTS, f->seed.slot, f->seed.n_slots * sizeof *f->seed.slot);
    add(w, SEED_KEYS, f->seed.key, f->seed.n * sizeof *f->seed.key);
    add(w, SEED_IDS, f->seed.id, (f->seed.n + 4) * sizeof *f->seed.id);
    h->seed = (struct tk_seed){.n = f->seed.n, .n_slots = f->seed.n_slots, .low = f->seed.low, .mapped = true};
    add(w, CUT, f->cut, sizeof *f->cut);
    add(w, LENGTHS, f->len, (n_ids + 1) * sizeof *f->len);
    add(w, FLAT, f->flat, 1024 * sizeof *f->flat);
    add(w, IN_TOKENS, f->in_tokens, TK_LONE_WORDS * sizeof *f->in_tokens);
    add(w, PREFIX, m->prefix.p, m->prefix.n);
    add(w, SUFFIX, m->suffix.p, m->suffix.n);
    h->model = *m;
    h->model.vocab = (struct tk_vocab){.n_ids = n_ids, .count = m->vocab.count, .n_slots = m->vocab.n_slots};
    h->model.merges.v = NULL; /* addresses mean nothing in a file */
    h->model.merges.slot = NULL;
    h->model.merges.turn = NULL;
    h->model.merges.byte_pair = NULL;
    h->model.score = NULL;
    h->model.trie = NULL;
    h->model.prefix.p = h->model.suffix.p = NULL;
    h->on = f->on;
    h->plain = f->plain;
    h->low_line = f->low_line;
    h->normalized = f->normalized;
    h->rule = (int32_t)f->rule;
    h->unit = (int32_t)f->unit;
    h->front = (int32_t)f->front;
    h->ends = (int32_t)f->ends;
}

/* The strings, one behind the other, and where each is: its place and length, by id. False: one is too long. */
static bool pool_of(const struct tk_vocab *v, size_t n_ids, struct ft_buf *pool, uint64_t *token)
{
    bool fits = true;
    ft_buf_room(pool, 1);
    for (size_t i = 0; i < n_ids; i++) {
        const struct ft_str t = v->token[i];
        token[i] = t.p ? (uint64_t)pool->n << 24 | t.n : UINT64_MAX;
        fits = fits && t.n < 1u << 24;
        ft_buf_puts(pool, t);
    }
    token[n_ids] = 0;
    return fits;
}

/* All bytes in their order. */
static bool put_all(const struct tk_image_writer *w, size_t from, bool (*put)(void *, const void *, size_t), void *to)
{
    static const char zeros[64];
    bool good = put(to, (const char *)&w->h + from, sizeof w->h - from);
    size_t at = sizeof w->h;
    for (int s = 0; s < SECTIONS && good; s++) {
        good = put(to, zeros, w->h.part[s].at - at) && put(to, w->part[s].p, w->part[s].n);
        at = w->h.part[s].at + w->part[s].n;
    }
    return good;
}

static bool put_sum(void *h, const void *p, size_t n)
{
    ft_hasher_add(h, p, n);
    return true;
}

static bool put_file(void *fd, const void *p, size_t n) { return write_all(*(int *)fd, p, n); }

static void *write_image(void *ctx)
{
    struct tk_image_writer *w = ctx;
    const struct tk_vocab *v = &w->model->vocab;
    struct ft_buf pool = {0};
    char temp[4330];
    size_t n_ids = v->n_ids; /* without the room behind the last token */
    while (n_ids && !v->token[n_ids - 1].p)
        n_ids--;
    uint64_t *token = ft_malloc((n_ids + 1) * sizeof *token);
    bool good = pool_of(v, n_ids, &pool, token);
    add(w, REST, w->rest.p, w->rest.n);
    add(w, FINGERPRINT, w->fingerprint, strlen(w->fingerprint) + 1);
    add(w, POOL, pool.p, pool.n);
    add(w, TOKENS, token, (n_ids + 1) * sizeof *token);
    add_tables(w, n_ids);
    uint64_t at = sizeof w->h;
    for (int s = 0; s < SECTIONS; s++) {
        at += -at & 63;
        w->h.part[s].at = at;
        w->h.part[s].n = w->part[s].n;
        at += w->part[s].n;
    }
    w->h.size = at;
    struct ft_hasher *sum = ft_hasher_new();
    put_all(w, TK_IMAGE_SUMMED, put_sum, sum);
    w->h.checksum = ft_hasher_sum64(sum);
    ft_hasher_free(sum);
    snprintf(temp, sizeof temp, "%s.XXXXXX", w->path);
    int fd = good ? mkstemp(temp) : -1;
    if (fd >= 0) {
        good = put_all(w, 0, put_file, &fd);
        if (close(fd) || !good || rename(temp, w->path))
            unlink(temp);
        else
            tidy();
    }
    free(token);
    ft_buf_release(&pool);
    return NULL;
}

void tk_image_save(struct tk_image *im, struct ft_str source, const char *how, const struct ft_json *j, const struct tk_model *m,
                   const struct tk_fast *f, const char *fingerprint)
{
    char path[4300];
    if (m->mapped || source.n < TK_IMAGE_WORTH || tk_image_folder(path, sizeof path, false))
        return;
    struct tk_image_writer *w = ft_calloc(1, sizeof *w);
    w->model = m;
    w->fast = f;
    w->fingerprint = fingerprint;
    memcpy(w->h.magic, TK_IMAGE_MAGIC, sizeof w->h.magic);
    w->h.layout = tk_image_layout();
    w->h.source = tk_image_digest(ft_hash128(source.p, source.n), how);
    w->h.source_n = source.n;
    rest_of(j, &w->rest);
    /* Signals are the program's; and that of a file that may not grow (ulimit -f) stays with this thread: its write fails. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    const bool begun = !tk_image_path(w->path, sizeof w->path, w->h.source, true) && !pthread_create(&w->thread, NULL, write_image, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (begun) {
        im->writer = w;
        return;
    }
    ft_buf_release(&w->rest);
    free(w);
}

void tk_image_wait(struct tk_image *im)
{
    struct tk_image_writer *w = im->writer;
    if (!w)
        return;
    pthread_join(w->thread, NULL);
    ft_buf_release(&w->rest);
    free(w);
    im->writer = NULL;
}
