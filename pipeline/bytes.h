/* bytes.h -- little-endian fields out of bytes we did not write, and into ours.
 *
 * A cursor consumes or fails: a short read returns 0, sets `bad`, and stays
 * bad. Read a whole header, ask `bad` once, then check ranges. No struct is
 * ever cast over a buffer.
 */
#ifndef FT_PIPELINE_BYTES_H
#define FT_PIPELINE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pipeline/str.h"

struct ft_cur {
    const unsigned char *p, *end;
    bool bad;
};

static inline struct ft_cur ft_cur(const void *p, size_t n)
{
    return (struct ft_cur){p, (const unsigned char *)p + n, false};
}

static inline const unsigned char *ft_cur_take(struct ft_cur *c, size_t n)
{
    if (c->bad || (size_t)(c->end - c->p) < n) {
        c->bad = true;
        return NULL;
    }
    const unsigned char *p = c->p;
    c->p += n;
    return p;
}

static inline uint32_t ft_load_u16(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static inline uint32_t ft_load_u32(const unsigned char *p) { return ft_load_u16(p) | ft_load_u16(p + 2) << 16; }
static inline uint64_t ft_load_u64(const unsigned char *p) { return ft_load_u32(p) | (uint64_t)ft_load_u32(p + 4) << 32; }

static inline uint32_t ft_get_u32(struct ft_cur *c)
{
    const unsigned char *p = ft_cur_take(c, 4);
    return p ? ft_load_u32(p) : 0;
}
static inline uint64_t ft_get_u64(struct ft_cur *c)
{
    const unsigned char *p = ft_cur_take(c, 8);
    return p ? ft_load_u64(p) : 0;
}

/* n numbers of `width` bytes each, 2 or 4, in our byte order, to numbers of `to_width`: of what does not fit the low half. */
static inline void ft_copy_ids(void *to, int to_width, const void *from, int width, size_t n)
{
    unsigned char *w = to;
    const unsigned char *p = from;
    uint16_t narrow;
    uint32_t wide;
    if (width == to_width) {
        if (n)
            memcpy(w, p, n * (size_t)width);
    } else if (width == 2) {
        for (size_t i = 0; i < n; i++) {
            memcpy(&narrow, p + 2 * i, 2);
            wide = narrow;
            memcpy(w + 4 * i, &wide, 4);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            memcpy(&wide, p + 4 * i, 4);
            narrow = (uint16_t)wide;
            memcpy(w + 2 * i, &narrow, 2);
        }
    }
}

/* Are all of n numbers below `limit`? Quicker than to look for the first that is not. */
static inline bool ft_all_below(const int32_t *v, size_t n, uint32_t limit)
{
    uint32_t bits = 0; /* any is at most all of them */
    bool wrong = false;
    for (size_t i = 0; i < n; i++)
        bits |= (uint32_t)v[i];
    if (bits < limit)
        return true;
    for (size_t i = 0; i < n; i++)
        wrong |= (uint32_t)v[i] >= limit;
    return !wrong;
}

static inline void ft_put_u32(struct ft_buf *b, uint32_t v)
{
    const unsigned char x[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                                (unsigned char)(v >> 24)};
    ft_buf_put(b, x, 4);
}
static inline void ft_put_u64(struct ft_buf *b, uint64_t v)
{
    unsigned char *p = (unsigned char *)ft_buf_room(b, 8);
    for (int i = 0; i < 8; i++) /* one store, as compilers see it */
        p[i] = (unsigned char)(v >> 8 * i);
    b->n += 8;
}

#endif
