#include "pipeline/input.h"

#include <stdio.h>
#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/frame.h"
#include "pipeline/json.h"
#include "pipeline/source.h"

#ifdef FT_TINY
enum { CHUNK = 3 };
#else
enum { CHUNK = 128 << 10 };
#endif

struct ft_input {
    struct ft_source *src;
    enum ft_input_format wanted, format; /* as asked for; of the present file */
    uint64_t max;
    FILE *spill;

    const char *name; /* of the present file, NULL: none open */
    uint64_t lineno;  /* of the byte at `at` */
    char *buf;        /* [at, end) is read and not given out */
    size_t at, end, cap;
    size_t seen;      /* bytes behind `at` searched already, without success */
    bool eof;         /* of the present file */

    struct ft_buf made; /* a record written from CSV, text or spread JSON */
    struct ft_arena header_mem;
    struct ft_str *header; /* CSV column names */
    size_t columns;
    bool in_array, had_element; /* JSON: inside the outer brackets */
    bool frames;           /* the file is one of frames */
    size_t unseen;         /* bytes of its header, until the first frame takes them */
    struct ft_frame frame; /* the last one */

    bool repair;
    struct ft_buf repaired_line;
    uint64_t bytes, blank, repaired;
};

struct ft_input *ft_input_new(char **files, enum ft_input_format format, uint64_t max)
{
    struct ft_input *in = ft_calloc(1, sizeof *in);
    in->src = ft_source_new(files);
    in->wanted = format;
    in->max = max;
    return in;
}

void ft_input_repair(struct ft_input *in) { in->repair = true; }
uint64_t ft_input_repaired(const struct ft_input *in) { return in->repaired; }

void ft_input_spill(struct ft_input *in, void *file) { in->spill = file; }

/* Reads more of the present file behind `end`: 1, 0 at its end, -1. */
static int fill(struct ft_input *in, struct ft_err *e)
{
    if (in->eof)
        return 0;
    if (in->cap - in->end < CHUNK) {
        if (in->at >= CHUNK || in->at > in->cap / 2) {
            memmove(in->buf, in->buf + in->at, in->end - in->at);
            in->end -= in->at;
            in->at = 0;
        }
        if (in->cap - in->end < CHUNK) {
            in->cap = in->cap * 2 + CHUNK;
            in->buf = ft_realloc(in->buf, in->cap);
        }
    }
    const ptrdiff_t n = ft_source_read(in->src, in->buf + in->end, CHUNK, e);
    if (n < 0)
        return -1;
    in->eof = n == 0;
    in->end += (size_t)n;
    in->bytes += (uint64_t)n;
    return n > 0;
}

/* Reads on until byte *i is there, which moves with the buffer: 1, 0 at the end of the file, -1. */
static int at_hand(struct ft_input *in, size_t *i, struct ft_err *e)
{
    while (*i >= in->end) {
        const size_t done = *i - in->at;
        const int r = fill(in, e);
        if (r <= 0)
            return r;
        *i = in->at + done;
    }
    return 1;
}

/* ---- what a file is ---- */

static bool ends(const char *name, const char *suffix)
{
    const size_t n = strlen(name), k = strlen(suffix);
    return n > k && !strcmp(name + n - k, suffix);
}

static enum ft_input_format by_name(const char *name)
{
    static const char *const packed[] = {".gz", ".zst", ".xz", ".bz2", ".lz4"};
    char tmp[512];
    snprintf(tmp, sizeof tmp, "%s", name);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (ends(tmp, packed[i])) {
            tmp[strlen(tmp) - strlen(packed[i])] = 0;
            break;
        }
    return ends(tmp, ".csv") ? FT_IN_CSV : ends(tmp, ".tsv") ? FT_IN_TSV : ends(tmp, ".txt") ? FT_IN_TEXT : FT_IN_AUTO;
}

static void skip_to(struct ft_input *in, size_t at)
{
    for (size_t i = in->at; i < at; i++)
        in->lineno += in->buf[i] == '\n';
    in->at = at;
    in->seen = 0;
}

/* JSON lines, or JSON spread over lines? An array opens with its bracket; a
 * line of JSON lines never ends in an opening bracket or a comma, unless it is
 * bad: an object that is spread goes on with a name, not with another object. */
static int by_content(struct ft_input *in, struct ft_err *e)
{
    in->format = FT_IN_JSONL;
    for (size_t i = in->at;; i++) {
        const int r = at_hand(in, &i, e);
        if (r <= 0)
            return r;
        const char c = in->buf[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '[')
            in->format = FT_IN_JSON;
        if (c != '{')
            return 0;
        char last = c;
        int lines = 0;
        i++;
        for (size_t steps = 0; steps < 4096; steps++, i++) {
            const int more = at_hand(in, &i, e);
            if (more <= 0)
                return more;
            const char x = in->buf[i];
            if (x == '\n' && last != '{' && last != '[' && last != ',')
                return 0;
            lines += x == '\n';
            if (x == ' ' || x == '\r' || x == '\t' || x == '\n')
                continue;
            if (lines) {
                if (x != '{' || last != '{')
                    in->format = FT_IN_JSON;
                return 0;
            }
            last = x;
        }
        return 0;
    }
}

static int read_header(struct ft_input *in, struct ft_line *out, struct ft_err *e);

/* Opens the next file: 1, 0, -1. */
static int open_next(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const int r = ft_source_open(in->src, &in->name, e);
    if (r <= 0) {
        in->name = NULL;
        return r;
    }
    in->at = in->end = in->seen = 0;
    in->eof = false;
    in->lineno = 1;
    in->in_array = in->had_element = false;
    in->columns = 0;
    while (in->end - in->at < 3) {
        const int k = fill(in, e);
        if (k < 0)
            return -1;
        if (!k || (in->buf[in->at] != '\xef' && in->buf[in->at] != '\xff' && in->buf[in->at] != '\xfe'))
            break;
    }
    if (ft_source_packed_twice(in->src, in->buf + in->at, in->end - in->at))
        return ft_fail(e, FT_DATA, "cannot unpack '%s': it is packed once more; unpack the archive first", in->name);
    if (in->end - in->at >= 2 && (!memcmp(in->buf + in->at, "\xff\xfe", 2) || !memcmp(in->buf + in->at, "\xfe\xff", 2)))
        return ft_fail(e, FT_DATA, "'%s' is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)", in->name);
    in->frames = false;
    in->frame = (struct ft_frame){0};
    while (in->end - in->at < FT_FRAMES_START_SIZE && in->end > in->at && in->buf[in->at] == FT_FRAMES_MAGIC[0]) {
        const int k = fill(in, e);
        if (k < 0)
            return -1;
        if (!k)
            break;
    }
    if (in->end - in->at >= FT_FRAMES_START_SIZE && !memcmp(in->buf + in->at, FT_FRAMES_MAGIC, 8)) {
        if (ft_load_u32((const unsigned char *)in->buf + in->at + 8) != FT_FRAMES_VERSION)
            return ft_fail(e, FT_DATA, "'%s' has token frames of a version that is not known", in->name);
        in->frames = true;
        in->unseen = FT_FRAMES_START_SIZE;
        return 1;
    }
    if (in->end - in->at >= 3 && !memcmp(in->buf + in->at, "\xef\xbb\xbf", 3))
        in->at += 3;
    in->format = in->wanted != FT_IN_AUTO ? in->wanted : by_name(in->name);
    if (in->format == FT_IN_AUTO && by_content(in, e))
        return -1;
    if (in->format == FT_IN_CSV || in->format == FT_IN_TSV) {
        const int k = read_header(in, out, e);
        return k < 0 ? -1 : 1;
    }
    return 1;
}

/* ---- too long ---- */

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
        const int r = fill(in, e);
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

/* ---- lines ---- */

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
            const int r = fill(in, e);
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

static bool is_blank(struct ft_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r')
            return false;
    return true;
}

static int utf8_or_fail(struct ft_str s, struct ft_err *e)
{
    const size_t k = ft_utf8_valid(s.p, s.n);
    if (k == s.n)
        return 0;
    return ft_fail_at(e, FT_DATA, k + 1, "invalid UTF-8: byte 0x%02x", (unsigned char)s.p[k]);
}

static int next_line(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    struct ft_str line;
    for (;;) {
        const uint64_t lineno = in->lineno;
        const int r = raw_line(in, &line, out, e);
        if (r <= 0)
            return r;
        if (is_blank(line)) {
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
            if (utf8_or_fail(line, e))
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

/* ---- frames ---- */

/* Has it `n` bytes from `at` on? 1, 0 at the end of the file, -1. */
static int have(struct ft_input *in, size_t n, struct ft_err *e)
{
    while (in->end - in->at < n) {
        const int r = fill(in, e);
        if (r <= 0)
            return r;
    }
    return 1;
}

/* How long the frame is whose header is at p. */
static uint64_t frame_size(const char *p)
{
    const unsigned char *h = (const unsigned char *)p;
    const uint32_t ids = ft_load_u32(h + 4), spans = ft_load_u32(h + 8), learn = ft_load_u32(h + 12);
    return FT_FRAME_HEADER + (((uint64_t)ft_load_u32(h) + 3) & ~(uint64_t)3) + (ids < FT_FRAME_NONE ? 4 * (uint64_t)ids : 0) +
           (spans < FT_FRAME_NONE ? FT_FRAME_SPAN * (uint64_t)spans : 0) + (learn < FT_FRAME_NONE ? FT_FRAME_LEARN * (uint64_t)learn : 0);
}

/* Takes `n` numbers of `size` bytes; NULL: they are not in the frame. */
static const char *numbers(const char **p, size_t size, const unsigned char *count, size_t *n)
{
    const char *at = *p;
    *n = ft_load_u32(count);
    if (*n >= FT_FRAME_NONE)
        return *n = 0, NULL;
    *p += size * *n;
    return at;
}

static int next_frame(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const size_t head = in->unseen + FT_FRAME_HEADER;
    int r = have(in, head, e);
    *out = (struct ft_line){{0}, in->name, 0};
    if (r < 0 || (!r && in->end - in->at == in->unseen))
        return r;
    const uint64_t n = r ? in->unseen + frame_size(in->buf + in->at + in->unseen) : 0;
    if (r && n > in->max)
        return ft_fail(e, FT_DATA, "%s:%llu: frame longer than %llu bytes: see --max-record", in->name,
                       (unsigned long long)in->lineno, (unsigned long long)in->max);
    r = r ? have(in, (size_t)n, e) : 0;
    if (r <= 0)
        return r < 0 ? -1 : ft_fail(e, FT_DATA, "%s:%llu: the token frames are cut off", in->name, (unsigned long long)in->lineno);
    const char *const at = in->buf + in->at, *p = at + head;
    const unsigned char *const h = (const unsigned char *)p - FT_FRAME_HEADER;
    const size_t text = ft_load_u32(h);
    struct ft_numbers *const x = &in->frame.numbers;
    *out = (struct ft_line){{p, text}, in->name, in->lineno};
    p += (text + 3) & ~(size_t)3;
    x->ids = numbers(&p, 4, h + 4, &x->n_ids);
    x->spans = numbers(&p, FT_FRAME_SPAN, h + 8, &x->n_spans);
    x->learn = numbers(&p, FT_FRAME_LEARN, h + 12, &x->n_learn);
    in->frame.raw = (struct ft_str){at, (size_t)n};
    in->at += (size_t)n;
    in->unseen = 0;
    in->lineno++;
    return 1;
}

/* ---- CSV and TSV (RFC 4180) ---- */

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
        while (in->at + i >= in->end) {
            const int r = fill(in, e);
            if (r < 0)
                return -1;
            if (!r) {
                if (at == QUOTED)
                    return *out = (struct ft_line){{0}, in->name, in->lineno},
                           ft_fail(e, FT_DATA, "the file ends inside quotes");
                if (!i)
                    return 0;
                *row = (struct ft_str){in->buf + in->at, i};
                in->at += i;
                return 1;
            }
        }
        const char c = in->buf[in->at + i];
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

static int read_header(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    struct ft_str row;
    struct ft_buf cell = {0};
    bool more = true;
    *out = (struct ft_line){{0}, in->name, in->lineno};
    const int r = raw_row(in, &row, out, e);
    if (r <= 0)
        return r;
    if (utf8_or_fail(row, e))
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

static int next_row(struct ft_input *in, struct ft_line *out, struct ft_err *e)
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
        if (is_blank(row)) {
            in->blank++;
            continue;
        }
        *out = (struct ft_line){row, in->name, lineno};
        if (utf8_or_fail(row, e))
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

/* ---- JSON spread over lines ---- */

/* The byte at offset i behind `at`, or -1 at the end of the file, -2 on failure. */
static int peek(struct ft_input *in, size_t i, struct ft_err *e)
{
    while (in->at + i >= in->end) {
        const int r = fill(in, e);
        if (r <= 0)
            return r < 0 ? -2 : -1;
    }
    return (unsigned char)in->buf[in->at + i];
}

static int json_fail(struct ft_input *in, struct ft_line *out, struct ft_err *e, const char *what)
{
    *out = (struct ft_line){{0}, in->name, in->lineno};
    return ft_fail(e, FT_DATA, "invalid JSON: %s", what);
}

/* Copies the value at `at` to `made` without the space between its tokens. */
static int next_value(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const uint64_t lineno = in->lineno;
    bool string = false, escaped = false;
    size_t depth = 0, i = 0;
    in->made.n = 0;
    for (;; i++) {
        if (i > in->max)
            return *out = (struct ft_line){{0}, in->name, lineno},
                   ft_fail(e, FT_DATA, "record longer than %llu bytes: see --max-record",
                           (unsigned long long)in->max);
        const int c = peek(in, i, e);
        if (c == -2)
            return -1;
        if (c == -1) {
            if (!depth && !string && i)
                break;
            return json_fail(in, out, e, "the file ends inside a value");
        }
        const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (string) {
            ft_buf_putc(&in->made, (char)c);
            if (c == '"' && !escaped)
                string = false;
            escaped = c == '\\' && !escaped;
            continue;
        }
        if (!depth && i && (space || c == ',' || c == ']'))
            break;
        bool last = false;
        if (space)
            continue;
        ft_buf_putc(&in->made, (char)c);
        if (c == '"')
            string = true;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth)
            last = --depth == 0;
        if (last) { /* another value may follow at once */
            i++;
            break;
        }
    }
    skip_to(in, in->at + i);
    *out = (struct ft_line){ft_buf_str(&in->made), in->name, lineno};
    return 1;
}

static int next_json(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    bool comma = false;
    for (;;) {
        const int c = peek(in, 0, e);
        if (c == -2)
            return -1;
        if (c == -1)
            return in->in_array ? json_fail(in, out, e, "the file ends inside an array") : 0;
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            skip_to(in, in->at + 1);
        } else if (!in->in_array && c == '[') {
            skip_to(in, in->at + 1);
            in->in_array = true;
            in->had_element = false;
        } else if (in->in_array && c == ']' && !comma) {
            skip_to(in, in->at + 1);
            in->in_array = false;
        } else if (in->in_array && c == ',' && in->had_element && !comma) {
            skip_to(in, in->at + 1);
            comma = true;
        } else if (c == ',' || c == ']' || (in->in_array && in->had_element && !comma)) {
            return json_fail(in, out, e, "expected ',' or ']' between the elements of an array");
        } else {
            in->had_element = true;
            return next_value(in, out, e);
        }
    }
}

/* ---- any format ---- */

int ft_input_next(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    *out = (struct ft_line){{0}, in->name, 0};
    for (;;) {
        if (!in->name) {
            const int r = open_next(in, out, e);
            if (r <= 0)
                return r;
        }
        const int r = in->frames                                            ? next_frame(in, out, e)
                      : in->format == FT_IN_JSON                            ? next_json(in, out, e)
                      : in->format == FT_IN_CSV || in->format == FT_IN_TSV ? next_row(in, out, e)
                                                                            : next_line(in, out, e);
        if (r)
            return r;
        in->name = NULL;
    }
}

const struct ft_frame *ft_input_frame(const struct ft_input *in) { return in->frames && in->frame.raw.p ? &in->frame : NULL; }

bool ft_input_ready(struct ft_input *in)
{
    if (!in->name || in->eof)
        return true;
    const size_t left = in->end - in->at;
    if (in->frames) {
        if (left >= in->unseen + FT_FRAME_HEADER && left - in->unseen >= frame_size(in->buf + in->at + in->unseen))
            return true;
        return ft_source_ready(in->src);
    }
    if (left && in->format != FT_IN_JSONL)
        return true;
    if (left > in->seen) { /* raw_line goes on from where this search ends */
        const char *nl = memchr(in->buf + in->at + in->seen, '\n', left - in->seen);
        in->seen = nl ? (size_t)(nl - in->buf) - in->at : left;
        if (nl)
            return true;
    }
    return ft_source_ready(in->src);
}

uint64_t ft_input_bytes(const struct ft_input *in) { return in->bytes; }
uint64_t ft_input_blank(const struct ft_input *in) { return in->blank; }
uint64_t ft_input_total(const struct ft_input *in) { return ft_source_total(in->src); }

void ft_input_free(struct ft_input *in)
{
    if (!in)
        return;
    ft_source_free(in->src);
    ft_buf_release(&in->made);
    ft_buf_release(&in->repaired_line);
    ft_arena_release(&in->header_mem);
    free(in->buf);
    free(in);
}
