/* str.h -- (pointer, length) strings, growing buffers, UTF-8.
 *
 * ft_str borrows: it never owns the bytes it points to and is not
 * NUL-terminated. ft_buf owns its bytes and grows by doubling.
 */
#ifndef FT_PIPELINE_STR_H
#define FT_PIPELINE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pipeline/err.h"
#include "pipeline/mem.h"

struct ft_str {
    const char *p;
    size_t n;
};

#define FT_STR(lit) ((struct ft_str){(lit), sizeof(lit) - 1})

static inline struct ft_str ft_strz(const char *z)
{
    return (struct ft_str){z, strlen(z)};
}
static inline bool ft_str_eq(struct ft_str a, struct ft_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool ft_str_is(struct ft_str a, const char *z)
{
    return ft_str_eq(a, ft_strz(z));
}
static inline bool ft_str_starts(struct ft_str a, struct ft_str prefix)
{
    return a.n >= prefix.n && memcmp(a.p, prefix.p, prefix.n) == 0;
}
/* Bytewise order, the shorter first among equals. */
int ft_str_cmp(struct ft_str a, struct ft_str b);
/* What c is worth as a digit of a base up to 36, letters of either case; 99: it is none. */
static inline int ft_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}
/* NUL-terminated copy in the arena. */
static inline char *ft_str_z(struct ft_arena *a, struct ft_str s)
{
    return ft_arena_dup(a, s.p, s.n);
}

/* ---- buffers ---- */

struct ft_buf { /* all zero is a valid empty buffer */
    char *p;
    size_t n, cap;
};

/* Makes room for `more` bytes behind n and returns where they go; the caller
 * writes there and then adds to n what it wrote. */
void ft_buf_grow(struct ft_buf *b, size_t more); /* its slow half */
static inline char *ft_buf_room(struct ft_buf *b, size_t more)
{
    if (b->cap - b->n < more)
        ft_buf_grow(b, more);
    return b->p + b->n;
}
static inline void ft_buf_put(struct ft_buf *b, const void *p, size_t n)
{
    if (n) {
        memcpy(ft_buf_room(b, n), p, n);
        b->n += n;
    }
}
static inline void ft_buf_puts(struct ft_buf *b, struct ft_str s) { ft_buf_put(b, s.p, s.n); }
static inline void ft_buf_putz(struct ft_buf *b, const char *z) { ft_buf_put(b, z, strlen(z)); }
static inline void ft_buf_putc(struct ft_buf *b, char c)
{
    *ft_buf_room(b, 1) = c;
    b->n++;
}
void ft_buf_printf(struct ft_buf *b, const char *fmt, ...) FT_PRINTF(2, 3);
void ft_buf_vprintf(struct ft_buf *b, const char *fmt, va_list ap) FT_PRINTF(2, 0);
/* Decimal, without printf's cost: numbers are most of what we write. Into room for FT_DECIMAL
 * bytes; returns the end. */
enum { FT_DECIMAL = 20 };
char *ft_put_decimal(char *w, uint64_t v);
void ft_buf_put_u64(struct ft_buf *b, uint64_t v);
void ft_buf_put_i64(struct ft_buf *b, int64_t v);
/* The contents, valid until the next change. */
static inline struct ft_str ft_buf_str(const struct ft_buf *b) { return (struct ft_str){b->p, b->n}; }
void ft_buf_release(struct ft_buf *b);

/* ---- UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF, shortest form) ---- */

/* The offset of the first byte that is not part of valid UTF-8, or n. */
size_t ft_utf8_valid(const char *p, size_t n);
/* Appends bytes as valid UTF-8: each longest prefix of a character that breaks off
 * becomes one U+FFFD (Unicode's "maximal subpart", as Rust and Python do it). */
void ft_utf8_repair(struct ft_buf *out, const char *s, size_t n);
/* Length (1..4) of the valid sequence at p, 0 if there is none; n >= 1. */
int ft_utf8_seq(const unsigned char *p, size_t n);
/* Decodes one code point of VALID UTF-8 at p (p < end); *len is 1..4. */
static inline uint32_t ft_utf8_get(const char *s, int *len)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80)
        return *len = 1, p[0];
    if (p[0] < 0xe0)
        return *len = 2, (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    if (p[0] < 0xf0)
        return *len = 3, (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    *len = 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
           (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}
/* Encodes into out[4], returns the length; c must be a scalar value. */
int ft_utf8_put(char *out, uint32_t c);
/* Number of code points in VALID UTF-8. */
size_t ft_utf8_count(const char *p, size_t n);

#endif
