#include "pipeline/bytes.h"
#include "pipeline/frame.h"
#include "pipeline/input_priv.h"

int ft_input_open_frames(struct ft_input *in, struct ft_err *e)
{
    in->frames = 0;
    in->frame = (struct ft_frame){0};
    const int first = ft_input_peek(in, 0, e);
    if (first != (unsigned char)FT_FRAMES_MAGIC[0])
        return first == -2 ? -1 : 0;
    const int r = ft_input_reach(in, FT_FRAMES_START_SIZE - 1, e);
    if (r <= 0 || memcmp(in->buf + in->at, FT_FRAMES_MAGIC, 8))
        return r < 0 ? -1 : 0;
    const unsigned char *const start = (const unsigned char *)in->buf + in->at;
    const uint32_t version = ft_load_u32(start + 8), width = ft_load_u32(start + 12);
    if (version != FT_FRAMES_VERSION)
        return ft_fail(e, FT_DATA, "'%s' has token frames of version %u, and only %d is known", in->name, version, FT_FRAMES_VERSION);
    if (width != 2 && width != 4)
        return ft_fail(e, FT_DATA, "'%s' has token frames with ids of %u bytes", in->name, width);
    in->frames = (int)width;
    in->unseen = FT_FRAMES_START_SIZE;
    return 1;
}

/* How long the frame is whose header is at p. */
static uint64_t frame_size(const char *p, int width)
{
    const unsigned char *h = (const unsigned char *)p;
    const uint32_t ids = ft_load_u32(h + 4), spans = ft_load_u32(h + 8), learn = ft_load_u32(h + 12);
    return FT_FRAME_HEADER + (((uint64_t)ft_load_u32(h) + 3) & ~(uint64_t)3) + (ids < FT_FRAME_NONE ? ft_frame_ids_size(ids, width) : 0) +
           (spans < FT_FRAME_NONE ? FT_FRAME_SPAN * (uint64_t)spans : 0) + (learn < FT_FRAME_NONE ? FT_FRAME_LEARN * (uint64_t)learn : 0);
}

/* Takes `n` numbers of `size` bytes, and what fills them up; NULL: they are not in the frame. */
static const char *numbers(const char **p, int size, const unsigned char *count, size_t *n)
{
    const char *at = *p;
    *n = ft_load_u32(count);
    if (*n >= FT_FRAME_NONE)
        return *n = 0, NULL;
    *p += ft_frame_ids_size(*n, size);
    return at;
}

int ft_input_next_frame(struct ft_input *in, struct ft_line *out, struct ft_err *e)
{
    const size_t head = in->unseen + FT_FRAME_HEADER;
    int r = ft_input_reach(in, head - 1, e);
    *out = (struct ft_line){{0}, in->name, 0};
    if (r < 0 || (!r && in->end - in->at == in->unseen))
        return r;
    const uint64_t n = r ? in->unseen + frame_size(in->buf + in->at + in->unseen, in->frames) : 0;
    if (r && n > in->max)
        return ft_fail(e, FT_DATA, "%s:%llu: frame longer than %llu bytes: see --max-record", in->name,
                       (unsigned long long)in->lineno, (unsigned long long)in->max);
    r = r ? ft_input_reach(in, (size_t)n - 1, e) : 0;
    if (r <= 0)
        return r < 0 ? -1 : ft_fail(e, FT_DATA, "%s:%llu: the token frames are cut off", in->name, (unsigned long long)in->lineno);
    const char *const at = in->buf + in->at, *p = at + head;
    const unsigned char *const h = (const unsigned char *)p - FT_FRAME_HEADER;
    const size_t text = ft_load_u32(h);
    struct ft_numbers *const x = &in->frame.numbers;
    *out = (struct ft_line){{p, text}, in->name, in->lineno};
    p += (text + 3) & ~(size_t)3;
    x->width = in->frames;
    x->ids = numbers(&p, x->width, h + 4, &x->n_ids);
    x->spans = numbers(&p, FT_FRAME_SPAN, h + 8, &x->n_spans);
    x->learn = numbers(&p, FT_FRAME_LEARN, h + 12, &x->n_learn);
    in->frame.raw = (struct ft_str){at, (size_t)n};
    in->at += (size_t)n;
    in->unseen = 0;
    in->lineno++;
    return 1;
}

bool ft_input_has_frame(const struct ft_input *in)
{
    const size_t left = in->end - in->at;
    return left >= in->unseen + FT_FRAME_HEADER && left - in->unseen >= frame_size(in->buf + in->at + in->unseen, in->frames);
}
