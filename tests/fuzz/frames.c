/* Any bytes as a stream of token frames behind its start, the first of them saying how wide ids are. What is read from a frame is inside
 * of it, and a frame written from it is the same one but for its padding. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/bytes.h"
#include "pipeline/doc_read.h"
#include "pipeline/frame.h"
#include "pipeline/input.h"
#include "pipeline/json.h"
#include "pipeline/shard_write.h"

enum { MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct ft_str frame, const char *p, size_t n)
{
    assert(!n || (p >= frame.p && p <= frame.p + frame.n && n <= (size_t)(frame.p + frame.n - p)));
}

static void same(struct ft_rec *r, struct ft_str frame)
{
    const struct ft_numbers *f = &r->numbers;
    const size_t text = r->line.n, numbers = (FT_FRAME_HEADER + text + 3) & ~(size_t)3;
    struct ft_buf b = {0};
    ft_frame_put(r, f->width, &b);
    frame.p += frame.n - b.n; /* a start is in front of the first */
    assert(b.n <= frame.n && b.n == numbers + ft_frame_ids_size(f->n_ids, f->width) + FT_FRAME_SPAN * f->n_spans + FT_FRAME_LEARN * f->n_learn);
    for (size_t i = 0; i < FT_FRAME_HEADER; i += 4) {
        const uint32_t n = ft_load_u32((const unsigned char *)frame.p + i); /* a seal has no ids either */
        assert(ft_load_u32((const unsigned char *)b.p + i) == (n < FT_FRAME_NONE ? n : FT_FRAME_NONE));
    }
    assert(!memcmp(b.p + FT_FRAME_HEADER, frame.p + FT_FRAME_HEADER, text));
    const size_t ids = (size_t)f->width * f->n_ids, rest = numbers + ft_frame_ids_size(f->n_ids, f->width);
    assert(!memcmp(b.p + numbers, frame.p + numbers, ids));
    assert(!memcmp(b.p + rest, frame.p + rest, b.n - rest));
    ft_buf_release(&b);
}

static void read_one(const struct ft_line *line, const struct ft_frame *frame)
{
    struct ft_arena mem = {0};
    struct ft_err e = {0};
    struct ft_rec r = {.line = line->text, .file = line->file, .lineno = line->lineno, .mem = &mem, .numbers = frame->numbers};
    const struct ft_numbers *f = &r.numbers;
    struct ft_stamp stamp;
    struct ft_doc d;
    struct ft_buf json = {0};
    uint64_t learnt;
    inside(frame->raw, line->text.p, line->text.n);
    inside(frame->raw, f->ids, (size_t)f->width * f->n_ids);
    inside(frame->raw, f->spans, FT_FRAME_SPAN * f->n_spans);
    inside(frame->raw, f->learn, FT_FRAME_LEARN * f->n_learn);
    ft_buf_putz(&json, "{\"a\":0");
    ft_frame_json(f, &json);
    ft_buf_putc(&json, '}');
    struct ft_rec shown = {.line = ft_buf_str(&json), .file = "f", .lineno = 1, .mem = &mem};
    assert(ft_rec_parse(&shown, &e) == 0);
    if (ft_rec_parse(&r, &e) == 0) {
        same(&r, frame->raw);
        if (ft_doc_read(&r, &d, &stamp, &learnt, &e) == 0 && d.n) {
            assert(d.n_runs && d.runs[d.n_runs - 1].end == d.n && learnt <= d.n);
            assert(ft_writer_check(&d, 0, &e) == 0);
            ft_doc_cut(&d, (d.n + 1) / 2);
            assert(d.runs[d.n_runs - 1].end == d.n);
        }
    }
    assert(!e.code || *e.msg);
    ft_buf_release(&json);
    ft_arena_release(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    struct ft_line line;
    struct ft_err e = {0};
    int k;
    if (fd < 0) {
        fd = memfd_create("frames", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    char start[FT_FRAMES_START_SIZE];
    if (!size)
        return 0;
    ft_frames_start(*data & 1 ? 4 : 2, start);
    data++, size--;
    if (ftruncate(fd, 0) || pwrite(fd, start, sizeof start, 0) != sizeof start ||
        (size && pwrite(fd, data, size, sizeof start) != (ssize_t)size))
        abort();
    char *files[] = {path, NULL};
    struct ft_input *in = ft_input_new(files, FT_IN_AUTO, MAX);
    while ((k = ft_input_next(in, &line, &e)) > 0) {
        const struct ft_frame *frame = ft_input_frame(in);
        assert(frame && line.lineno >= 1 && frame->raw.n <= MAX);
        read_one(&line, frame);
        ft_input_ready(in);
    }
    assert(k == 0 || *e.msg);
    ft_input_free(in);
    return 0;
}
