#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/stream_priv.h"

#ifdef FT_TINY
enum { FLUSH_AT = 7 };
#else
enum { FLUSH_AT = 128 << 10 };
#endif

int ft_stream_open_out(struct ft_stream *s, struct ft_err *e)
{
    s->out_fd = STDOUT_FILENO;
    if (!s->so.output || !strcmp(s->so.output, "-"))
        return 0;
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s.%ld.tmp", s->so.output, (long)getpid());
    s->out_tmp = ft_arena_dup(&s->mem, b.p, b.n);
    ft_buf_release(&b);
    s->out_fd = open(s->out_tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return s->out_fd < 0 ? ft_fail_errno(e, "cannot create '%s'", s->so.output) : 0;
}

int ft_stream_flush(struct ft_stream *s)
{
    size_t done = 0;
    if (s->err.code)
        return -1;
    while (done < s->out.n) {
        const ssize_t k = write(s->out_fd, s->out.p + done, s->out.n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(&s->err, "cannot write to %s", s->out_tmp ? s->so.output : "stdout");
        done += (size_t)k;
    }
    s->out.n = 0;
    return 0;
}

int ft_stream_emit(struct ft_stream *s, const char *p, size_t n)
{
    if (s->err.code)
        return -1;
    ft_buf_put(&s->out, p, n);
    s->bytes_out += n;
    if (s->seal.out)
        ft_hasher_add(s->seal.out, p, n);
    return s->out.n >= FLUSH_AT ? ft_stream_flush(s) : 0;
}

int ft_stream_commit(struct ft_stream *s, bool good)
{
    if (!s->out_tmp) {
        /* close(2) is where some file systems report that the disk is full */
        if (s->out_fd >= 0 && close(s->out_fd) && errno != EBADF && good)
            return ft_fail_errno(&s->err, "cannot write to stdout");
        return 0;
    }
    const char *name = s->so.output;
    if (good && fsync(s->out_fd) && errno != EINVAL && errno != EROFS) {
        ft_fail_errno(&s->err, "cannot write to %s", name);
        good = false;
    }
    if (close(s->out_fd) && good) {
        ft_fail_errno(&s->err, "cannot write to %s", name);
        good = false;
    }
    if (good && rename(s->out_tmp, name)) {
        ft_fail_errno(&s->err, "cannot rename '%s' to '%s'", s->out_tmp, name);
        good = false;
    }
    if (!good)
        unlink(s->out_tmp);
    return good ? 0 : -1;
}
