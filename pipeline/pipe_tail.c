#include "pipeline/pipe_tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#ifdef FT_TINY
enum { READ = 3 };
#else
enum { READ = 128 << 10 };
#endif
enum { SEAL_MAX = 16 << 20 }; /* stages have command lines, and those are short */

static const struct ft_str opening = {"{\"#seal\":", 9};

static int put(struct ft_tail *t, int out, size_t from, size_t to, struct ft_err *e)
{
    ft_hasher_add(t->hash, t->buf.p + from, to - from);
    while (from < to) {
        const ssize_t k = write(out, t->buf.p + from, to - from);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot write the output");
        from += (size_t)k;
    }
    return 0;
}

/* Looks at buf from `at` on, where `start` says whether a line begins; returns
 * how far it is data, or where a seal (or what may become one) stands. */
static size_t data_end(struct ft_tail *t, size_t at, bool *start)
{
    while (at < t->buf.n) {
        const size_t left = t->buf.n - at;
        if (*start && !memcmp(t->buf.p + at, opening.p, left < opening.n ? left : opening.n))
            return at;
        const char *nl = memchr(t->buf.p + at, '\n', left);
        *start = nl != NULL;
        t->lines += nl != NULL;
        at = nl ? (size_t)(nl + 1 - t->buf.p) : t->buf.n;
    }
    return at;
}

static int take_seal(struct ft_tail *t, size_t at, size_t end, struct ft_err *e)
{
    if (t->seal.n)
        return ft_fail(e, FT_DATA, "a second seal at the end of the pipe");
    ft_buf_put(&t->seal, t->buf.p + at, end - at);
    if (ft_json_parse(t->seal.p, t->seal.n - 1, &t->mem, &t->tree, e) ||
        ft_json_get_bool(ft_json_get(&t->tree, "#seal"), "ok", &t->ok, e))
        return ft_fail_in(e, "the seal at the end of the pipe is damaged: ");
    return 0;
}

/* Passes on what can be; the rest moves to the front of buf. */
static int work(struct ft_tail *t, int out, bool *start, bool at_end, struct ft_err *e)
{
    size_t at = 0;

    for (;;) {
        const size_t end = data_end(t, at, start);
        if (end > at && t->seal.n)
            return ft_fail(e, FT_DATA, "records behind the seal at the end of the pipe");
        if (put(t, out, at, end, e))
            return -1;
        at = end;
        const char *nl = at < t->buf.n ? memchr(t->buf.p + at, '\n', t->buf.n - at) : NULL;
        if (nl && t->buf.n - at >= opening.n) {
            const size_t next = (size_t)(nl + 1 - t->buf.p);
            if (take_seal(t, at, next, e))
                return -1;
            at = next;
            continue;
        }
        break;
    }
    if (at_end && at < t->buf.n) /* a stub of a line, seal or not */
        return put(t, out, at, t->buf.n, e);
    if (t->buf.n - at > SEAL_MAX)
        return ft_fail(e, FT_DATA, "the seal at the end of the pipe is longer than %d bytes", SEAL_MAX);
    memmove(t->buf.p, t->buf.p + at, t->buf.n - at);
    t->buf.n -= at;
    return 0;
}

int ft_tail_copy(struct ft_tail *t, int in, int out, struct ft_err *e)
{
    bool start = true;
    ssize_t k;

    *t = (struct ft_tail){.hash = ft_hasher_new()};
    do {
        k = read(in, ft_buf_room(&t->buf, READ), READ);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot read from the pipe");
        t->buf.n += (size_t)k;
        if (work(t, out, &start, k == 0, e))
            return -1;
    } while (k);
    return 0;
}

const struct ft_json *ft_tail_stages(const struct ft_tail *t)
{
    const struct ft_json *stages = ft_json_get(ft_json_get(&t->tree, "#seal"), "stages");

    return t->seal.n && stages && stages->type == FT_JSON_ARRAY && stages->n ? stages : NULL;
}

int ft_tail_check(const struct ft_tail *t, struct ft_err *e)
{
    const struct ft_json *stages = ft_tail_stages(t);
    struct ft_str want = {0};
    char got[17];

    if (!t->seal.n)
        return ft_fail(e, FT_DATA, "no seal at the end of the pipe: nothing vouches for the output");
    if (!t->ok)
        return ft_fail(e, FT_DATA, "the seal at the end of the pipe says that a stage failed");
    snprintf(got, sizeof got, "%016" PRIx64, ft_hasher_sum64(t->hash));
    if (!stages || ft_json_get_string(&stages->items[stages->n - 1], "xxh3", &want, e) || !ft_str_is(want, got))
        return ft_fail(e, FT_DATA, "the output is not what the last stage sealed (%" PRIu64 " lines came)", t->lines);
    return 0;
}

void ft_tail_release(struct ft_tail *t)
{
    ft_buf_release(&t->buf);
    ft_buf_release(&t->seal);
    ft_hasher_free(t->hash);
    ft_arena_release(&t->mem);
    *t = (struct ft_tail){0};
}
