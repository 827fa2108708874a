#include "tokenizer/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/hash.h"
#include "tokenizer/solo.h"
#include "tokenizer/trie.h"

#ifndef TK_STAMP
#define TK_STAMP "none"
#endif

enum {
    IMAGES = 32,
    WORTH = 64 << 10, /* bytes of a source below which reading it is as quick */
};

/* Sections, each at a multiple of 64 bytes. */
enum section {
    REST, FINGERPRINT, POOL, TOKENS, SLOTS, MERGES, PAIRS, BYTE_PAIRS, MAYBE, SCORES, TRIE, TRIE_VALUES, TRIE_ENDS, SEED_SLOTS, SEED_KEYS, SEED_IDS, CUT, LENGTHS, FLAT, SOLO, PREFIX, SUFFIX, SECTIONS,
};

struct header {
    char magic[8];
    uint64_t size;     /* of the file */
    uint64_t checksum; /* XXH3-64 of all behind this member */
    struct ft_digest source;
    uint64_t source_n;
    struct {
        uint64_t at, n; /* bytes */
    } part[SECTIONS];
    /* What is not an array. */
    struct tk_model model; /* its pointers mean nothing */
    uint64_t n_cells;      /* of the trie */
    struct tk_seed seed;   /* likewise */
    int32_t rule, unit, front;
    bool has_trie, on, plain, low_line, normalized;
};

static const char magic[8] = {'F', 'T', 'T', 'O', 'K', 'I', 'M', '2'};

/* ---- the source and the place ---- */

struct bytes {
    void *p;
    size_t n;
};

static bool map_file(const char *path, struct bytes *b, bool own)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    if (own) /* nobody else may have written it */
        good = good && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
    if (good) {
        b->n = (size_t)st.st_size;
        b->p = mmap(NULL, b->n, PROT_READ, MAP_PRIVATE | (own ? MAP_POPULATE : 0), fd, 0);
        good = b->p != MAP_FAILED;
    }
    close(fd);
    return good;
}

/* Of a source and how it is read. */
static struct ft_digest digest_of(const struct bytes *src, const char *how)
{
    struct ft_digest d = ft_hash128(src->p, src->n);
    const struct ft_digest x = ft_hash128(how, strlen(how));
    if (*how) {
        d.hi ^= x.hi;
        d.lo ^= x.lo;
    }
    return d;
}

/* 0 with the folder's name, or -1: no image is wanted. */
static int folder(char *to, size_t room, bool make)
{
    const char *set = getenv("TUNEUTILS_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (set && (!strcmp(set, "off") || !*set))
        return -1;
    if (set)
        n = snprintf(to, room, "%s", set);
    else if (xdg && *xdg == '/')
        n = snprintf(to, room, "%s/tuneutils", xdg);
    else if (home && *home == '/')
        n = snprintf(to, room, "%s/.cache/tuneutils", home);
    else
        return -1;
    if (n < 0 || (size_t)n >= room)
        return -1;
    for (char *slash = to; make && slash;) { /* what is missing of the path */
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        if (mkdir(to, 0700) && errno != EEXIST)
            return -1;
        if (slash)
            *slash = '/';
    }
    return 0;
}

static int place(char *to, size_t room, struct ft_digest source, bool make)
{
    char hex[33], dir[4096];
    if (folder(dir, sizeof dir, make))
        return -1;
    ft_digest_hex(source, hex);
    const int n = snprintf(to, room, "%s/%s-%s.tok", dir, hex, TK_STAMP);
    return n < 0 || (size_t)n >= room ? -1 : 0;
}

/* ---- reading ---- */

static const void *part(const struct header *h, enum section s) { return (const char *)h + h->part[s].at; }

static bool sound(const struct header *h, size_t n, struct ft_digest source, size_t source_n)
{
    if (n < sizeof *h || memcmp(h->magic, magic, sizeof magic) || h->size != n || h->source.hi != source.hi ||
        h->source.lo != source.lo || h->source_n != source_n)
        return false;
    const size_t from = offsetof(struct header, source);
    if (ft_hash64((const char *)h + from, n - from) != h->checksum)
        return false;
    for (int i = 0; i < SECTIONS; i++)
        if (h->part[i].at % 64 || h->part[i].at > n || h->part[i].n > n - h->part[i].at)
            return false;
    const struct tk_model *m = &h->model;
    return h->part[TOKENS].n == (m->vocab.n_ids + 1) * sizeof(uint64_t) &&
           h->part[SLOTS].n == m->vocab.n_slots * sizeof(uint64_t) &&
           h->part[MERGES].n == m->merges.n * sizeof(struct tk_merge) && h->part[MAYBE].n == m->merges.n_maybe * 8 &&
           h->part[PAIRS].n == (m->merges.n_maybe ? (8u * TK_PAIR_LINE) << m->merges.bits : 0) &&
           h->part[SEED_SLOTS].n == h->seed.n_slots * sizeof(uint32_t) &&
           h->part[SEED_KEYS].n == h->seed.n * sizeof(struct tk_key) &&
           h->part[TRIE].n == h->n_cells * sizeof(uint32_t) && h->part[TRIE_VALUES].n == h->n_cells * sizeof(int32_t) &&
           (!h->part[TRIE_ENDS].n || h->part[TRIE_ENDS].n == h->n_cells * sizeof(struct tk_trie_end));
}

/* A section of a mapped file is read only; the struct's pointer is not const. */
static void *at(const struct header *h, enum section s)
{
    return h->part[s].n ? (void *)(uintptr_t)part(h, s) : NULL;
}

bool tk_image_open(struct tk_image *im, const char *source, const char *how, struct tk_model *m, struct tk_fast *f)
{
    struct bytes src, b;
    char path[4300];
    *im = (struct tk_image){0};
    if (folder(path, sizeof path, false) || !map_file(source, &src, false))
        return false;
    const struct ft_digest d = src.n < WORTH ? (struct ft_digest){0, 0} : digest_of(&src, how);
    munmap(src.p, src.n);
    if (src.n < WORTH || place(path, sizeof path, d, false) || !map_file(path, &b, true))
        return false;
    const struct header *h = b.p;
    if (!sound(h, b.n, d, src.n)) {
        munmap(b.p, b.n);
        return false;
    }
    *im = (struct tk_image){.map = b.p, .n = b.n, .rest = {part(h, REST), h->part[REST].n},
                            .fingerprint = {part(h, FINGERPRINT), h->part[FINGERPRINT].n}};
    *m = h->model;
    m->mapped = true;
    m->vocab.mem = (struct ft_arena){0};
    m->vocab.slots = at(h, SLOTS);
    m->merges.v = at(h, MERGES);
    m->merges.line = at(h, PAIRS);
    m->merges.byte_pair = at(h, BYTE_PAIRS);
    m->merges.maybe = at(h, MAYBE);
    m->score = at(h, SCORES);
    m->prefix = (struct ft_str){part(h, PREFIX), h->part[PREFIX].n};
    m->suffix = (struct ft_str){part(h, SUFFIX), h->part[SUFFIX].n};
    /* Tokens: offset and length of each, by id. */
    const uint64_t *token = part(h, TOKENS);
    const char *pool = part(h, POOL);
    m->vocab.token = ft_malloc((m->vocab.n_ids + 1) * sizeof *m->vocab.token);
    for (size_t i = 0; i < m->vocab.n_ids; i++)
        m->vocab.token[i] = token[i] == UINT64_MAX ? (struct ft_str){0}
                                                   : (struct ft_str){pool + (token[i] >> 24), token[i] & 0xffffff};
    m->trie = h->has_trie ? tk_trie_map(at(h, TRIE), at(h, TRIE_VALUES), at(h, TRIE_ENDS), h->n_cells) : NULL;
    *f = (struct tk_fast){.on = h->on, .plain = h->plain, .mapped = true, .rule = (enum tk_rule)h->rule,
                          .unit = (enum tk_unit)h->unit, .cut = at(h, CUT), .len = at(h, LENGTHS),
                          .flat = at(h, FLAT), .solo = at(h, SOLO), .low_line = h->low_line,
                          .normalized = h->normalized};
    f->front = (unsigned)h->front;
    f->seed = h->seed;
    f->seed.slot = at(h, SEED_SLOTS);
    f->seed.key = at(h, SEED_KEYS);
    f->seed.id = at(h, SEED_IDS);
    return true;
}

void tk_image_close(struct tk_image *im)
{
    if (im->map)
        munmap(im->map, im->n);
    *im = (struct tk_image){0};
}

/* ---- writing ---- */

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

/* The oldest images make room. */
static void tidy(void)
{
    char dir[4096], path[4400], oldest[4400];
    if (folder(dir, sizeof dir, false))
        return;
    for (int round = 0; round < 8; round++) {
        int count = 0;
        time_t when = 0;
        DIR *d = opendir(dir);
        for (struct dirent *x; d && (x = readdir(d));) {
            struct stat st;
            const size_t n = strlen(x->d_name);
            if (n < 4 || strcmp(x->d_name + n - 4, ".tok"))
                continue;
            snprintf(path, sizeof path, "%s/%s", dir, x->d_name);
            if (stat(path, &st))
                continue;
            if (!count++ || st.st_mtime < when) {
                when = st.st_mtime;
                snprintf(oldest, sizeof oldest, "%s", path);
            }
        }
        if (d)
            closedir(d);
        if (count <= IMAGES || unlink(oldest))
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

static void add(struct ft_buf *b, struct header *h, enum section s, const void *p, size_t n)
{
    const size_t pad = -b->n & 63;
    memset(ft_buf_room(b, pad + 64), 0, pad);
    b->n += pad;
    h->part[s].at = b->n;
    h->part[s].n = p ? n : 0;
    if (p)
        ft_buf_put(b, p, n);
}

void tk_image_save(const char *source, const char *how, const struct ft_json *j, const struct tk_model *m, const struct tk_fast *f,
                   const char *fingerprint)
{
    struct bytes src;
    char path[4300], temp[4330];
    if (m->mapped || folder(path, sizeof path, false) || !map_file(source, &src, false))
        return;
    struct header *h = ft_calloc(1, sizeof *h);
    h->source = digest_of(&src, how);
    h->source_n = src.n;
    munmap(src.p, src.n);
    if (src.n < WORTH || place(path, sizeof path, h->source, true)) {
        free(h);
        return;
    }
    struct ft_buf b = {0}, tmp = {0};
    memcpy(h->magic, magic, sizeof magic);
    ft_buf_put(&b, h, sizeof *h); /* room for it */
    rest_of(j, &tmp);
    add(&b, h, REST, tmp.p, tmp.n);
    add(&b, h, FINGERPRINT, fingerprint, strlen(fingerprint) + 1);
    size_t n_ids = m->vocab.n_ids; /* without the room behind the last token */
    while (n_ids && !m->vocab.token[n_ids - 1].p)
        n_ids--;
    uint64_t *token = ft_malloc((n_ids + 1) * sizeof *token);
    bool fits = true;
    tmp.n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        const struct ft_str t = m->vocab.token[i];
        token[i] = t.p ? (uint64_t)tmp.n << 24 | t.n : UINT64_MAX;
        fits = fits && t.n < 1u << 24;
        ft_buf_puts(&tmp, t);
    }
    token[n_ids] = 0;
    add(&b, h, POOL, tmp.p ? tmp.p : "", tmp.n);
    add(&b, h, TOKENS, token, (n_ids + 1) * sizeof *token);
    add(&b, h, SLOTS, m->vocab.slots, m->vocab.n_slots * sizeof *m->vocab.slots);
    const struct tk_merges *g = &m->merges;
    add(&b, h, MERGES, g->v, g->n * sizeof *g->v);
    add(&b, h, PAIRS, g->line, g->line ? (TK_PAIR_LINE * sizeof *g->line) << g->bits : 0);
    add(&b, h, BYTE_PAIRS, g->byte_pair, g->byte_pair ? 65536 * sizeof *g->byte_pair : 0);
    add(&b, h, MAYBE, g->maybe, g->n_maybe * sizeof *g->maybe);
    add(&b, h, SCORES, m->score, m->score ? m->size * sizeof *m->score : 0);
    h->has_trie = m->trie != NULL;
    h->n_cells = m->trie ? m->trie->n_cells : 0;
    add(&b, h, TRIE, m->trie ? m->trie->cell : NULL, h->n_cells * sizeof *m->trie->cell);
    add(&b, h, TRIE_VALUES, m->trie ? m->trie->value : NULL, h->n_cells * sizeof *m->trie->value);
    add(&b, h, TRIE_ENDS, m->trie ? m->trie->end : NULL, h->n_cells * sizeof *m->trie->end);
    add(&b, h, SEED_SLOTS, f->seed.slot, f->seed.n_slots * sizeof *f->seed.slot);
    add(&b, h, SEED_KEYS, f->seed.key, f->seed.n * sizeof *f->seed.key);
    add(&b, h, SEED_IDS, f->seed.id, f->seed.id ? (f->seed.n + 4) * sizeof *f->seed.id : 0);
    h->seed = (struct tk_seed){.n = f->seed.n, .n_slots = f->seed.n_slots, .low = f->seed.low, .mapped = true};
    add(&b, h, CUT, f->cut, sizeof *f->cut);
    add(&b, h, LENGTHS, f->len, (n_ids + 1) * sizeof *f->len);
    add(&b, h, FLAT, f->flat, 1024 * sizeof *f->flat);
    add(&b, h, SOLO, f->solo, TK_SOLO_WORDS * sizeof *f->solo);
    add(&b, h, PREFIX, m->prefix.p ? m->prefix.p : "", m->prefix.n);
    add(&b, h, SUFFIX, m->suffix.p ? m->suffix.p : "", m->suffix.n);
    h->model = *m;
    h->model.vocab.mem = (struct ft_arena){0}; /* addresses mean nothing in a file */
    h->model.vocab.token = NULL;
    h->model.vocab.n_ids = n_ids;
    h->model.vocab.slots = NULL;
    h->model.merges.v = NULL;
    h->model.merges.line = h->model.merges.maybe = NULL;
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
    h->size = b.n;
    memcpy(b.p, h, sizeof *h);
    const size_t from = offsetof(struct header, source);
    h->checksum = ft_hash64(b.p + from, b.n - from);
    memcpy(b.p, h, sizeof *h);
    snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    const int fd = fits ? mkstemp(temp) : -1;
    if (fd >= 0) {
        const bool good = write_all(fd, b.p, b.n);
        if (close(fd) || !good || rename(temp, path))
            unlink(temp);
        else
            tidy();
    }
    free(token);
    ft_buf_release(&b);
    ft_buf_release(&tmp);
    free(h);
}
