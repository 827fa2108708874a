#include "pipeline/input.h"

#include <stdio.h>
#include <stdlib.h>

#include "pipeline/input_priv.h"
#include "pipeline/source.h"

#ifdef FT_TINY
enum { CHUNK = 3 };
#else
enum { CHUNK = 128 << 10 };
#endif

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

/* ---- bytes ---- */

int ft_input_fill(struct ft_input *in, struct ft_err *e)
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

int ft_input_reach(struct ft_input *in, size_t i, struct ft_err *e)
{
    while (in->at + i >= in->end) {
        const int r = ft_input_fill(in, e);
        if (r <= 0)
            return r;
    }
    return 1;
}

bool ft_input_is_blank(struct ft_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r')
            return false;
    return true;
}

int ft_input_check_utf8(struct ft_str s, struct ft_err *e)
{
    const size_t k = ft_utf8_valid(s.p, s.n);
    if (k == s.n)
        return 0;
    return ft_fail_at(e, FT_DATA, k + 1, "invalid UTF-8: byte 0x%02x", (unsigned char)s.p[k]);
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

/* JSON lines, or JSON spread over lines? An array opens with its bracket; a
 * line of JSON lines never ends in an opening bracket or a comma, unless it is
 * bad: an object that is spread goes on with a name, not with another object. */
static int by_content(struct ft_input *in, struct ft_err *e)
{
    in->format = FT_IN_JSONL;
    for (size_t i = 0;; i++) {
        const int c = ft_input_peek(in, i, e);
        if (c < 0)
            return c == -2 ? -1 : 0;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '[')
            in->format = FT_IN_JSON;
        if (c != '{')
            return 0;
        int last = c;
        int lines = 0;
        i++;
        for (size_t steps = 0; steps < 4096; steps++, i++) {
            const int x = ft_input_peek(in, i, e);
            if (x < 0)
                return x == -2 ? -1 : 0;
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
        const int k = ft_input_fill(in, e);
        if (k < 0)
            return -1;
        if (!k || (in->buf[in->at] != '\xef' && in->buf[in->at] != '\xff' && in->buf[in->at] != '\xfe'))
            break;
    }
    if (ft_source_packed_twice(in->src, in->buf + in->at, in->end - in->at))
        return ft_fail(e, FT_DATA, "cannot unpack '%s': it is packed once more; unpack the archive first", in->name);
    if (in->end - in->at >= 2 && (!memcmp(in->buf + in->at, "\xff\xfe", 2) || !memcmp(in->buf + in->at, "\xfe\xff", 2)))
        return ft_fail(e, FT_DATA, "'%s' is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)", in->name);
    const int frames = ft_input_open_frames(in, e);
    if (frames)
        return frames;
    if (in->end - in->at >= 3 && !memcmp(in->buf + in->at, "\xef\xbb\xbf", 3))
        in->at += 3;
    in->format = in->wanted != FT_IN_AUTO ? in->wanted : by_name(in->name);
    if (in->format == FT_IN_AUTO && by_content(in, e))
        return -1;
    if ((in->format == FT_IN_CSV || in->format == FT_IN_TSV) && ft_input_open_csv(in, out, e) < 0)
        return -1;
    return 1;
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
        const int r = in->frames                                            ? ft_input_next_frame(in, out, e)
                      : in->format == FT_IN_JSON                            ? ft_input_next_json(in, out, e)
                      : in->format == FT_IN_CSV || in->format == FT_IN_TSV ? ft_input_next_row(in, out, e)
                                                                            : ft_input_next_line(in, out, e);
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
    if (in->frames ? ft_input_has_frame(in) : in->format == FT_IN_JSONL ? ft_input_has_line(in) : in->end > in->at)
        return true;
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
