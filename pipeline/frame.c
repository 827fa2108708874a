#include "pipeline/frame.h"

#include "pipeline/bytes.h"

static void store_u32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) /* one store, as compilers see it */
        p[i] = (char)(v >> 8 * i);
}

void ft_frames_start(int width, char to[FT_FRAMES_START_SIZE])
{
    memcpy(to, FT_FRAMES_MAGIC, 8);
    store_u32(to + 8, FT_FRAMES_VERSION);
    store_u32(to + 12, (uint32_t)width);
}

static uint32_t load_u32(const char *p) { return ft_load_u32((const unsigned char *)p); }

struct ft_frame_span ft_frame_span(const struct ft_numbers *f, size_t i)
{
    const char *p = f->spans + FT_FRAME_SPAN * i;
    return (struct ft_frame_span){load_u32(p), load_u32(p + 4), (int32_t)load_u32(p + 8), (uint8_t)p[12], (uint8_t)p[13], (uint8_t)p[14]};
}

struct ft_frame_learn ft_frame_learn(const struct ft_numbers *f, size_t i)
{
    const char *p = f->learn + FT_FRAME_LEARN * i;
    return (struct ft_frame_learn){load_u32(p), load_u32(p + 4)};
}

void ft_frame_put_span(char *to, const struct ft_range *x, uint32_t begin, uint32_t end)
{
    store_u32(to, begin);
    store_u32(to + 4, end);
    store_u32(to + 8, (uint32_t)x->message);
    store_u32(to + 12, (uint32_t)x->field | (uint32_t)x->role << 8 | (uint32_t)x->flags << 16);
}

void ft_frame_put_learn(char *to, uint32_t begin, uint32_t end)
{
    store_u32(to, begin);
    store_u32(to + 4, end);
}

static void pad(struct ft_buf *out, size_t from)
{
    ft_buf_put(out, "\0\0\0", -(out->n - from) & 3);
}

/* The ids are as in memory, which shard.c makes sure is little-endian. */
static void put_ids(const struct ft_numbers *f, int width, struct ft_buf *out)
{
    const size_t from = out->n, n = (size_t)width * f->n_ids;
    ft_copy_ids(ft_buf_room(out, n), width, f->ids, f->width, f->n_ids);
    out->n += n;
    pad(out, from);
}

void ft_frame_put(struct ft_rec *r, int width, struct ft_buf *out)
{
    const struct ft_numbers *f = &r->numbers;
    const size_t at = out->n;
    ft_buf_room(out, FT_FRAME_HEADER);
    out->n += FT_FRAME_HEADER;
    ft_rec_write(r, out);
    out->n--; /* the newline */
    char *head = out->p + at;
    store_u32(head, (uint32_t)(out->n - at - FT_FRAME_HEADER));
    store_u32(head + 4, f->ids ? (uint32_t)f->n_ids : FT_FRAME_NONE);
    store_u32(head + 8, f->spans ? (uint32_t)f->n_spans : FT_FRAME_NONE);
    store_u32(head + 12, f->learn ? (uint32_t)f->n_learn : FT_FRAME_NONE);
    pad(out, at);
    put_ids(f, width, out);
    ft_buf_put(out, f->spans, FT_FRAME_SPAN * f->n_spans);
    ft_buf_put(out, f->learn, FT_FRAME_LEARN * f->n_learn);
}

void ft_frame_put_seal(struct ft_str seal, struct ft_buf *out)
{
    const size_t at = out->n;
    ft_put_u32(out, (uint32_t)seal.n);
    ft_put_u32(out, FT_FRAME_SEAL);
    ft_put_u32(out, FT_FRAME_NONE);
    ft_put_u32(out, FT_FRAME_NONE);
    ft_buf_puts(out, seal);
    pad(out, at);
}

void ft_frame_json(const struct ft_numbers *f, struct ft_buf *out)
{
    if (f->ids) {
        ft_buf_putz(out, ",\"input_ids\":[");
        for (size_t i = 0; i < f->n_ids; i++) {
            uint32_t id;
            ft_copy_ids(&id, 4, f->ids + (size_t)f->width * i, f->width, 1);
            ft_buf_printf(out, i ? ",%u" : "%u", id);
        }
        ft_buf_putc(out, ']');
    }
    if (f->spans) {
        ft_buf_putz(out, ",\"spans\":[");
        for (size_t i = 0; i < f->n_spans; i++) {
            const struct ft_frame_span x = ft_frame_span(f, i);
            ft_buf_printf(out, "%s[%u,%u,%d,\"%s\",\"%s\",%d]", i ? "," : "", x.begin, x.end, x.message,
                          ft_span_fields[x.field % FT_SPAN_FIELDS].p, ft_span_roles[x.role % FT_SPAN_ROLES].p, x.flags);
        }
        ft_buf_putc(out, ']');
    }
    if (f->learn) {
        ft_buf_putz(out, ",\"learn\":[");
        for (size_t i = 0; i < f->n_learn; i++) {
            const struct ft_frame_learn x = ft_frame_learn(f, i);
            ft_buf_printf(out, "%s[%u,%u]", i ? "," : "", x.begin, x.end);
        }
        ft_buf_putc(out, ']');
    }
}
