#include "tokenizer/decode_stream.h"

#include <stdlib.h>

static bool broken(const struct ft_buf *b) { return b->n >= 3 && !memcmp(b->p + b->n - 3, "\xef\xbf\xbd", 3); }

static int decode(const struct ft_decode_stream *d, const struct ft_tokenizer *t, struct ft_tok_state *s, bool skip,
                  struct ft_buf *out, struct ft_err *e)
{
    out->n = 0;
    return ft_decode(t, s, d->ids, d->n, skip, out, e);
}

static int news(const struct ft_decode_stream *d, struct ft_buf *out, struct ft_err *e)
{
    if (d->text.n < d->prefix.n || (d->prefix.n && memcmp(d->text.p, d->prefix.p, d->prefix.n)))
        return ft_fail(e, FT_DATA, "text given out already changes with the ids that follow");
    ft_buf_put(out, d->text.p + d->prefix.n, d->text.n - d->prefix.n);
    return 0;
}

int ft_decode_step(struct ft_decode_stream *d, const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids,
                   size_t n, bool skip, struct ft_buf *out, struct ft_err *e)
{
    if (!d->prefix.n && d->n) {
        if (decode(d, t, s, skip, &d->prefix, e))
            return -1;
        if (broken(&d->prefix))
            d->prefix.n = 0;
        else
            d->shown = d->n;
    }
    if (d->n + n > d->cap) {
        d->cap = 2 * (d->n + n) + 16;
        d->ids = ft_reallocs(d->ids, d->cap, sizeof *d->ids);
    }
    if (n)
        memcpy(d->ids + d->n, ids, n * sizeof *ids);
    d->n += n;
    if (decode(d, t, s, skip, &d->text, e))
        return -1;
    if (d->text.n <= d->prefix.n || broken(&d->text))
        return 0;
    if (news(d, out, e))
        return -1;
    const size_t fresh = d->n - d->shown;
    memmove(d->ids, d->ids + d->shown, fresh * sizeof *d->ids);
    d->n = d->shown = fresh;
    return decode(d, t, s, skip, &d->prefix, e);
}

int ft_decode_finish(struct ft_decode_stream *d, const struct ft_tokenizer *t, struct ft_tok_state *s, bool skip,
                     struct ft_buf *out, struct ft_err *e)
{
    int r = decode(d, t, s, skip, &d->text, e);
    if (!r && d->text.n > d->prefix.n && news(d, out, NULL)) /* what is held back spoils what was given out: it comes alone */
        r = ft_decode(t, s, d->ids + d->shown, d->n - d->shown, skip, out, e);
    d->n = d->shown = d->prefix.n = 0;
    return r;
}

void ft_decode_stream_release(struct ft_decode_stream *d)
{
    free(d->ids);
    ft_buf_release(&d->prefix);
    ft_buf_release(&d->text);
    *d = (struct ft_decode_stream){0};
}
