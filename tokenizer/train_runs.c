#include "tokenizer/train_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/hash.h"
#include "tokenizer/cache_seed.h"

#ifdef FT_TINY
enum { READ = 64 };
#else
enum { READ = 1 << 16 };
#endif

int tk_counted_cmp(const void *x, const void *y)
{
    const struct tk_counted *a = x, *b = y;
    return ft_str_cmp((struct ft_str){a->p, a->n}, (struct ft_str){b->p, b->n});
}

/* ---- writing ---- */

static void put_number(struct ft_buf *b, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        ft_buf_putc(b, (char)(v | 128));
    ft_buf_putc(b, (char)v);
}

static int open_temp(struct tk_runs *t, const char *temp, struct ft_err *e)
{
    const char *dir = temp ? temp : getenv("TMPDIR");
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

static int write_out(struct tk_runs *t, struct ft_buf *b, struct ft_err *e)
{
    for (size_t at = 0; at < b->n;) {
        const ssize_t k = write(t->fd, b->p + at, b->n - at);
        if (k < 0 && errno != EINTR)
            return ft_fail_errno(e, "cannot write the temporary file");
        at += k > 0 ? (size_t)k : 0;
    }
    t->ends[t->n] += b->n;
    b->n = 0;
    return 0;
}

int tk_runs_add(struct tk_runs *t, const char *temp, struct tk_counted *v, size_t n, struct ft_err *e)
{
    if (!t->open && open_temp(t, temp, e))
        return -1;
    qsort(v, n, sizeof *v, tk_counted_cmp);
    t->ends = ft_reallocs(t->ends, t->n + 1, sizeof *t->ends);
    t->ends[t->n] = t->n ? t->ends[t->n - 1] : 0;
    struct ft_buf b = {0};
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) {
        put_number(&b, v[i].n);
        put_number(&b, v[i].count);
        ft_buf_put(&b, v[i].p, v[i].n);
        if (b.n >= READ)
            r = write_out(t, &b, e);
    }
    r = r || write_out(t, &b, e) ? -1 : 0;
    t->n++;
    ft_buf_release(&b);
    return r;
}

void tk_runs_release(struct tk_runs *t)
{
    free(t->ends);
    if (t->open)
        close(t->fd);
    *t = (struct tk_runs){0};
}

/* ---- reading ---- */

struct tk_run_reader {
    int fd;
    uint64_t at, end; /* in the file, of what is not in the buffer */
    char *buf;
    size_t n, from, cap;
    struct ft_str word; /* in the buffer */
    uint64_t count;
};

/* Makes at least `want` bytes stand in the buffer. */
static int fill(struct tk_run_reader *r, size_t want, struct ft_err *e)
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

static int get_number(struct tk_run_reader *r, uint64_t *v, struct ft_err *e)
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
static int next_word(struct tk_run_reader *r, struct ft_err *e)
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

/* ---- merging ---- */

static void sift(struct tk_run_merge *m, size_t i)
{
    struct tk_run_reader *x = m->heap[i];
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

void tk_run_merge_end(struct tk_run_merge *m)
{
    for (size_t i = 0; i < m->n_readers; i++)
        free(m->r[i].buf);
    free(m->r);
    free(m->heap);
    ft_buf_release(&m->word);
    *m = (struct tk_run_merge){0};
}

int tk_run_merge_begin(struct tk_run_merge *m, const struct tk_runs *const *file, size_t n_files, uint64_t memory, struct ft_err *e)
{
    size_t runs = 0;
    for (size_t i = 0; i < n_files; i++)
        runs += file[i]->n;
    const uint64_t share = runs ? memory / runs : 0;
    const size_t cap = share > READ ? READ : share > 1024 ? (size_t)share : 1024;
    *m = (struct tk_run_merge){.r = ft_calloc(runs, sizeof *m->r), .heap = ft_calloc(runs, sizeof *m->heap)};
    for (size_t i = 0; i < n_files; i++)
        for (size_t k = 0; k < file[i]->n; k++) {
            struct tk_run_reader *r = &m->r[m->n_readers++];
            *r = (struct tk_run_reader){.fd = file[i]->fd, .at = k ? file[i]->ends[k - 1] : 0, .end = file[i]->ends[k], .cap = cap};
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

int tk_run_merge_next(struct tk_run_merge *m, struct tk_counted *out, struct ft_err *e)
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
