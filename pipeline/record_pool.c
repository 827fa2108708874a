#include "pipeline/record_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/side_input.h"

struct entry {
    uint64_t at;
    uint32_t n, line;
};

/* A run of entries that are read from one place. */
struct part {
    char *file; /* for messages and stamps */
    int fd;
    uint64_t first;
};

struct ft_pool {
    const struct ft_stream *stream;
    struct entry *entries;
    uint64_t n, cap;
    struct part *parts;
    size_t n_parts;
    int spool;
    uint64_t spooled;
    struct ft_buf line;
    struct ft_arena mem;
    struct ft_rec rec;
};

/* A second look at a file that may be plain lines. */
struct plain {
    FILE *f;
    char *text;
    size_t cap;
    ssize_t n;
    uint64_t line, at; /* of `text` */
};

static void plain_close(struct plain *p)
{
    if (p->f)
        fclose(p->f);
    free(p->text);
    *p = (struct plain){0};
}

static void plain_open(struct plain *p, const char *file)
{
    struct stat st;

    plain_close(p);
    p->f = fopen(file, "rbe");
    if (p->f && (fstat(fileno(p->f), &st) || !S_ISREG(st.st_mode)))
        plain_close(p);
}

/* Does the record stand in its line as it was read? Then *at is where. */
static bool plain_find(struct plain *p, const struct ft_rec *r, uint64_t *at)
{
    size_t skip = 0;

    if (!p->f)
        return false;
    while (p->line < r->lineno) {
        p->at += p->line ? (uint64_t)p->n : 0;
        p->n = getline(&p->text, &p->cap, p->f);
        p->line++;
        if (p->n <= 0)
            return false;
    }
    while (skip < (size_t)p->n && p->text[skip] != '{')
        skip++;
    *at = p->at + skip;
    return p->line == r->lineno && (size_t)p->n - skip >= r->line.n &&
           !memcmp(p->text + skip, r->line.p, r->line.n);
}

static int open_spool(struct ft_pool *p, const char *temp, struct ft_err *e)
{
    struct ft_buf path = {0};
    int fd;

    if (!temp)
        temp = getenv("TMPDIR");
    ft_buf_printf(&path, "%s/mix-replay.XXXXXX", temp && *temp ? temp : "/tmp");
    ft_buf_putc(&path, 0);
    fd = mkostemp(path.p, O_CLOEXEC);
    if (fd < 0)
        ft_fail_errno(e, "cannot create '%s'", path.p);
    else
        unlink(path.p); /* gone when we are, however we end */
    ft_buf_release(&path);
    p->spool = fd;
    return fd < 0 ? -1 : 0;
}

static int spool(struct ft_pool *p, struct ft_str line, const char *temp, uint64_t *at, struct ft_err *e)
{
    if (p->spool < 0 && open_spool(p, temp, e))
        return -1;
    *at = p->spooled;
    for (size_t done = 0; done < line.n;) {
        const ssize_t k = pwrite(p->spool, line.p + done, line.n - done, (off_t)(p->spooled + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot write a temporary file");
        done += (size_t)k;
    }
    p->spooled += line.n;
    return 0;
}

static int add(struct ft_pool *p, const struct ft_rec *r, int fd, uint64_t at, struct ft_err *e)
{
    const struct part *last = p->n_parts ? &p->parts[p->n_parts - 1] : NULL;

    if (!last || last->fd != fd || strcmp(last->file, r->file)) {
        p->parts = ft_reallocs(p->parts, p->n_parts + 1, sizeof *p->parts);
        p->parts[p->n_parts++] = (struct part){ft_strdup(r->file), fd, p->n};
    }
    if (r->lineno > UINT32_MAX)
        return ft_fail(e, FT_DATA, "%s: more than %u lines", r->file, UINT32_MAX);
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        p->entries = ft_reallocs(p->entries, p->cap, sizeof *p->entries);
    }
    p->entries[p->n++] = (struct entry){at, (uint32_t)r->line.n, (uint32_t)r->lineno};
    return 0;
}

static int read_all(struct ft_pool *p, struct ft_side *side, const char *temp, struct ft_err *e)
{
    struct plain plain = {0};
    struct ft_rec *r;
    char *file = NULL; /* the one being looked at */
    int fd = -1, k;    /* of it, when it is plain */
    uint64_t at;

    while ((k = ft_side_next(side, &r, e)) > 0) {
        if (!file || strcmp(file, r->file)) {
            free(file);
            file = ft_strdup(r->file);
            plain_open(&plain, file);
            fd = plain.f ? fcntl(fileno(plain.f), F_DUPFD_CLOEXEC, 0) : -1;
        }
        if (fd >= 0 && !plain_find(&plain, r, &at)) {
            plain_close(&plain);
            if (!p->n_parts || p->parts[p->n_parts - 1].fd != fd)
                close(fd); /* no entry refers to it */
            fd = -1;
        }
        if ((fd < 0 && spool(p, r->line, temp, &at, e)) || add(p, r, fd < 0 ? p->spool : fd, at, e)) {
            k = -1;
            break;
        }
    }
    plain_close(&plain);
    free(file);
    return k;
}

struct ft_pool *ft_pool_open(const struct ft_stream *s, const struct ft_stream_opts *so, char **files,
                             const char *temp, struct ft_err *e)
{
    struct ft_pool *p = ft_calloc(1, sizeof *p);
    struct ft_side *side = ft_side_new(s, so, files);
    int k;

    p->stream = s;
    p->spool = -1;
    k = read_all(p, side, temp, e);
    ft_side_free(side);
    if (k >= 0)
        return p;
    ft_pool_free(p);
    return NULL;
}

uint64_t ft_pool_count(const struct ft_pool *p) { return p->n; }

int ft_pool_read(struct ft_pool *p, uint64_t i, struct ft_rec **out, struct ft_err *e)
{
    const struct entry *at = &p->entries[i];
    size_t lo = 0, hi = p->n_parts, done = 0;

    while (hi - lo > 1) {
        const size_t mid = (lo + hi) / 2;
        if (p->parts[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    const struct part *part = &p->parts[lo];
    p->line.n = 0;
    ft_buf_room(&p->line, at->n + 1);
    while (done < at->n) {
        const ssize_t k = pread(part->fd, p->line.p + done, at->n - done, (off_t)(at->at + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot read '%s'", part->file);
        if (k == 0)
            break;
        done += (size_t)k;
    }
    ft_arena_reset(&p->mem);
    p->rec = (struct ft_rec){.line = {p->line.p, done}, .file = part->file, .lineno = at->line, .mem = &p->mem};
    /* It was valid when the pool was opened. */
    if (done < at->n || ft_rec_parse(&p->rec, e) || ft_stream_rename(p->stream, &p->rec, e)) {
        ft_err_clear(e);
        return ft_fail(e, FT_DATA, "%s:%" PRIu32 ": changed while it was being read", part->file, at->line);
    }
    *out = &p->rec;
    return 0;
}

void ft_pool_free(struct ft_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_parts; i++) {
        /* Several parts may share the spool, none shares a file. */
        if (p->parts[i].fd != p->spool)
            close(p->parts[i].fd);
        free(p->parts[i].file);
    }
    if (p->spool >= 0)
        close(p->spool);
    free(p->entries);
    free(p->parts);
    ft_buf_release(&p->line);
    ft_arena_release(&p->mem);
    free(p);
}
