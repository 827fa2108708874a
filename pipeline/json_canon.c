#include "pipeline/json_canon.h"

#include "pipeline/bytes.h"
#include "pipeline/json.h"

/* The text is valid, so reading needs no checks; `p` moves behind what was
 * read. */

static const char *blank(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    return p;
}

/* Behind the closing quote of the string that opens at p: the first quote with
 * an even number of backslashes before it. */
static const char *string_end(const char *p, bool *escaped)
{
    const char *end = p;
    size_t slashes;
    do {
        end = rawmemchr(end + 1, '"');
        for (slashes = 0; end[-1 - (ptrdiff_t)slashes] == '\\'; slashes++) {
        }
    } while (slashes % 2);
    *escaped = memchr(p + 1, '\\', (size_t)(end - p) - 1) != NULL;
    return end + 1;
}

/* The contents go to `out` unescaped. */
static const char *put_string(const char *p, struct ft_buf *out)
{
    bool escaped;
    const char *end = string_end(p, &escaped);
    struct ft_str inside = {p + 1, (size_t)(end - p) - 2};
    struct ft_arena mem = {0};

    if (escaped)
        inside = ft_json_unescape(inside, &mem);
    ft_buf_putc(out, 's');
    ft_put_u64(out, inside.n);
    ft_buf_puts(out, inside);
    ft_arena_release(&mem);
    return end;
}

static void add(struct ft_canon_sum *s, const char *p, size_t n)
{
    const struct ft_digest d = ft_hash128(p, n);

    s->lo += d.lo;
    s->hi += d.hi + (s->lo < d.lo);
    s->n++;
}

static const char *put_value(const char *p, struct ft_buf *out);

static const char *put_array(const char *p, struct ft_buf *out)
{
    uint64_t n = 0;
    const size_t head = out->n;

    ft_buf_putc(out, 'a');
    ft_put_u64(out, 0);
    for (p = blank(p + 1); *p != ']'; n++) {
        p = blank(put_value(p, out));
        if (*p == ',')
            p = blank(p + 1);
    }
    for (int i = 0; i < 8; i++) /* the count, now known */
        out->p[head + 1 + (size_t)i] = (char)(n >> 8 * i);
    return p + 1;
}

static const char *put_object(const char *p, struct ft_buf *out)
{
    struct ft_canon_sum s = {0};
    const size_t head = out->n;

    for (p = blank(p + 1); *p != '}';) {
        p = blank(put_string(p, out));
        p = blank(put_value(blank(p + 1), out)); /* behind the colon */
        add(&s, out->p + head, out->n - head);
        out->n = head;
        if (*p == ',')
            p = blank(p + 1);
    }
    ft_canon_put(&s, out);
    return p + 1;
}

static const char *put_value(const char *p, struct ft_buf *out)
{
    size_t n = 0;

    switch (*p) {
    case '"': return put_string(p, out);
    case '[': return put_array(p, out);
    case '{': return put_object(p, out);
    case 't': ft_buf_putc(out, 't'); return p + 4;
    case 'f': ft_buf_putc(out, 'f'); return p + 5;
    case 'n': ft_buf_putc(out, 'n'); return p + 4;
    default:
        while ((p[n] >= '0' && p[n] <= '9') || p[n] == '.' || p[n] == '-' || p[n] == '+' || p[n] == 'e' || p[n] == 'E')
            n++;
        ft_buf_putc(out, '#');
        ft_put_u64(out, n);
        ft_buf_put(out, p, n);
        return p + n;
    }
}

void ft_canon(struct ft_str raw, struct ft_buf *out)
{
    /* A number ends where something else begins: at the end of the text the
     * reader must find that something. All other values end by themselves. */
    if (raw.n && memchr("-0123456789", raw.p[0], 11)) {
        ft_buf_putc(out, '#');
        ft_put_u64(out, raw.n);
        ft_buf_puts(out, raw);
        return;
    }
    put_value(raw.p, out);
}

void ft_canon_add(struct ft_canon_sum *s, struct ft_str key, struct ft_str raw, struct ft_buf *room)
{
    room->n = 0;
    ft_buf_putc(room, 's');
    ft_put_u64(room, key.n);
    ft_buf_puts(room, key);
    ft_canon(raw, room);
    add(s, room->p, room->n);
}

void ft_canon_put(const struct ft_canon_sum *s, struct ft_buf *out)
{
    ft_buf_putc(out, 'o');
    ft_put_u64(out, s->n);
    ft_put_u64(out, s->lo);
    ft_put_u64(out, s->hi);
}
