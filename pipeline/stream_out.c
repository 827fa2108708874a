#include "pipeline/stream_priv.h"

#ifdef FT_TINY
enum { FLUSH_AT = 7 };
#else
enum { FLUSH_AT = 128 << 10 };
#endif

int ft_stream_flush(struct ft_stream *s)
{
    if (s->err.code || ft_outfile_write(&s->file, s->out.p, s->out.n, &s->err))
        return -1;
    s->out.n = 0;
    return 0;
}

int ft_stream_emitted(struct ft_stream *s, size_t from)
{
    s->bytes_out += s->out.n - from;
    if (s->seal.out)
        ft_hasher_add(s->seal.out, s->out.p + from, s->out.n - from);
    return s->out.n >= FLUSH_AT ? ft_stream_flush(s) : 0;
}

int ft_stream_emit(struct ft_stream *s, const char *p, size_t n)
{
    if (s->err.code)
        return -1;
    if (n < FLUSH_AT) {
        const size_t from = s->out.n;
        ft_buf_put(&s->out, p, n);
        return ft_stream_emitted(s, from);
    }
    if (ft_stream_flush(s))
        return -1;
    s->bytes_out += n;
    if (s->seal.out)
        ft_hasher_add(s->seal.out, p, n);
    return ft_outfile_write(&s->file, p, n, &s->err);
}
