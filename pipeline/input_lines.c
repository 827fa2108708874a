#include "pipeline/input_priv.h"
#include "pipeline/json.h"

/* Puts the rest of the present line where it can be kept and goes behind it. */
static int spill_line(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const uint64_t line = in->lineno;
    for (;;) {
        char *nl = in->end > in->at ? memchr(in->buf + in->at, '\n', in->end - in->at) : NULL;
        const size_t n = nl ? (size_t)(nl - in->buf) - in->at : in->end - in->at;
        if (in->spill && fwrite(in->buf + in->at, 1, n, in->spill) != n)
            return ft_fail_errno(e, "cannot write the file of bad lines");
        in->at += n + (nl != NULL);
        if (nl)
            break;
        in->at = in->end = 0;
        const int r = ft_input_fill(in, e);
        if (r < 0)
            return -1;
        if (!r)
            break;
    }
    if (in->spill)
        fputc('\n', in->spill);
    in->lineno++;
    in->seen = 0;
    *out = (struct ft_line){{in->spill ? "" : NULL, 0}, in->name, line};
    return ft_fail(e, FT_DATA, "record longer than %llu bytes: see --max-record",
                   (unsigned long long)in->max);
}

/* The next raw line, without its newline: 1, 0 at the end of the file, -1. */
static int raw_line(struct ft_input *in, struct ft_str *line, struct ft_line *out, struct ft_err *e)
{
    for (;;) {
        char *from = in->buf + in->at + in->seen;
        const size_t left = in->end - in->at - in->seen;
        char *nl = left ? memchr(from, '\n', left) : NULL;
        const size_t n = nl ? (size_t)(nl - in->buf) - in->at : in->end - in->at;
        if (n > in->max)
            return spill_line(in, out, e);
        if (!nl) {
            in->seen = n;
            const int r = ft_input_fill(in, e);
            if (r < 0)
                return -1;
            if (r)
                continue;
            if (!n)
                return 0;
        }
        *line = (struct ft_str){in->buf + in->at, n};
        in->at += n + (nl != NULL);
        in->seen = 0;
        in->lineno++;
        if (line->n && line->p[line->n - 1] == '\r')
            line->n--;
        return 1;
    }
}

int ft_input_next_line(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    struct ft_str line;
    for (;;) {
        const uint64_t lineno = in->lineno;
        const int r = raw_line(in, &line, out, e);
        if (r <= 0)
            return r;
        if (ft_input_is_blank(line)) {
            in->blank++;
            continue;
        }
        if (in->repair && ft_utf8_valid(line.p, line.n) != line.n) {
            in->repaired_line.n = 0;
            ft_utf8_repair(&in->repaired_line, line.p, line.n);
            line = ft_buf_str(&in->repaired_line);
            in->repaired++;
        }
        *out = (struct ft_line){line, in->name, lineno};
        if (in->format == FT_IN_TEXT) {
            if (ft_input_check_utf8(line, e))
                return -1;
            in->made.n = 0;
            ft_buf_putz(&in->made, "{\"text\":");
            ft_json_put_str(&in->made, line);
            ft_buf_putc(&in->made, '}');
            out->text = ft_buf_str(&in->made);
        }
        return 1;
    }
}

bool ft_input_has_line(struct ft_input *in)
{
    const size_t left = in->end - in->at;
    if (left <= in->seen)
        return false;
    const char *nl = memchr(in->buf + in->at + in->seen, '\n', left - in->seen);
    in->seen = nl ? (size_t)(nl - in->buf) - in->at : left; /* raw_line goes on from where this search ends */
    return nl;
}
