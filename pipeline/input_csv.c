/* CSV and TSV (RFC 4180): each row an object, the header's names its members. */
#include "pipeline/input_priv.h"
#include "pipeline/json.h"

/* The extent of the next row, quoted newlines included: 1, 0, -1. A quote opens
 * only at the beginning of a cell: 5" is five inches. */
static int raw_row(struct ft_input *in, struct ft_str *row, struct ft_line *out, struct ft_err *e)
{
    enum { BEGIN, PLAIN, QUOTED, CLOSED } at = BEGIN;
    const bool quotes = in->format == FT_IN_CSV;
    size_t i = 0;
    for (;; i++) {
        if (i > in->max)
            return *out = (struct ft_line){{0}, in->name, in->lineno},
                   ft_fail(e, FT_DATA, "row longer than %llu bytes%s: see --max-record",
                           (unsigned long long)in->max, at == QUOTED ? " (a quote is not closed)" : "");
        const int c = ft_input_peek(in, i, e);
        if (c == -2)
            return -1;
        if (c == -1) {
            if (at == QUOTED)
                return *out = (struct ft_line){{0}, in->name, in->lineno},
                       ft_fail(e, FT_DATA, "the file ends inside quotes");
            if (!i)
                return 0;
            *row = (struct ft_str){in->buf + in->at, i};
            in->at += i;
            return 1;
        }
        if (c == '\n' && at != QUOTED)
            break;
        if (c == '"' && quotes)
            at = at == BEGIN || at == CLOSED ? QUOTED : at == QUOTED ? CLOSED : at; /* CLOSED, again: a doubled quote */
        else if (c == ',' && at != QUOTED)
            at = BEGIN;
        else if (at != QUOTED)
            at = PLAIN;
    }
    *row = (struct ft_str){in->buf + in->at, i};
    in->at += i + 1;
    if (row->n && row->p[row->n - 1] == '\r')
        row->n--;
    return 1;
}

/* Takes one cell off the row into `cell` (unquoted). False at the row's end. */
static bool next_cell(struct ft_str *row, bool *more, char sep, struct ft_buf *cell)
{
    if (!*more)
        return false;
    cell->n = 0;
    const char *p = row->p, *end = row->p + row->n;
    if (sep == ',' && p < end && *p == '"') {
        for (p++; p < end; p++) {
            if (*p == '"') {
                if (p + 1 < end && p[1] == '"')
                    p++;
                else {
                    p++;
                    break;
                }
            }
            ft_buf_putc(cell, *p);
        }
    }
    while (p < end && *p != sep)
        ft_buf_putc(cell, *p++);
    *more = p < end;
    *row = (struct ft_str){p + (p < end), (size_t)(end - p) - (p < end)};
    return true;
}

static char separator(const struct ft_input *in) { return in->format == FT_IN_CSV ? ',' : '\t'; }

int ft_input_open_csv(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    struct ft_str row;
    struct ft_buf cell = {0};
    bool more = true;
    *out = (struct ft_line){{0}, in->name, in->lineno};
    const int r = raw_row(in, &row, out, e);
    if (r <= 0)
        return r;
    if (ft_input_check_utf8(row, e))
        return -1;
    in->lineno++;
    ft_arena_reset(&in->header_mem);
    in->header = ft_arena_alloc(&in->header_mem, (row.n + 1) * sizeof *in->header);
    in->columns = 0;
    while (next_cell(&row, &more, separator(in), &cell)) {
        const struct ft_str name = {ft_arena_dup(&in->header_mem, cell.p, cell.n), cell.n};
        for (size_t i = 0; i < in->columns; i++)
            if (ft_str_eq(in->header[i], name)) {
                ft_buf_release(&cell);
                return ft_fail(e, FT_DATA, "column \"%.*s\" occurs twice", (int)name.n, name.p);
            }
        in->header[in->columns++] = name;
    }
    ft_buf_release(&cell);
    return 1;
}

int ft_input_next_row(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    struct ft_str row;
    for (;;) {
        const uint64_t lineno = in->lineno;
        const int r = raw_row(in, &row, out, e);
        if (r <= 0)
            return r;
        for (size_t i = 0; i < row.n; i++)
            in->lineno += row.p[i] == '\n';
        in->lineno++;
        if (ft_input_is_blank(row)) {
            in->blank++;
            continue;
        }
        *out = (struct ft_line){row, in->name, lineno};
        if (ft_input_check_utf8(row, e))
            return -1;
        struct ft_str rest = row;
        struct ft_buf cell = {0};
        bool more = true;
        size_t n = 0;
        in->made.n = 0;
        while (next_cell(&rest, &more, separator(in), &cell)) {
            if (n < in->columns) {
                ft_buf_putc(&in->made, n ? ',' : '{');
                ft_json_put_str(&in->made, in->header[n]);
                ft_buf_putc(&in->made, ':');
                ft_json_put_str(&in->made, ft_buf_str(&cell));
            }
            n++;
        }
        ft_buf_release(&cell);
        ft_buf_putc(&in->made, '}');
        if (n != in->columns)
            return ft_fail(e, FT_DATA, "row of %zu cells under a header of %zu", n, in->columns);
        out->text = ft_buf_str(&in->made);
        return 1;
    }
}
