/* unidata.h -- what Python's str knows of a code point. */
#ifndef FT_TEMPLATES_UNIDATA_H
#define FT_TEMPLATES_UNIDATA_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/str.h"

enum {
    J_PRINTABLE = 1,
    J_ALPHA = 2,
    J_DECIMAL = 4,
    J_DIGIT = 8,
    J_NUMERIC = 16,
    J_LOWER = 32,
    J_UPPER = 64,
    J_TITLE = 128,
    J_START = 256,    /* may begin an identifier */
    J_CONTINUE = 512, /* may be inside one */
    J_CASED = 1024,
    J_IGNORABLE = 2048, /* by the rule of the final sigma */
    J_SPACE = 4096,
    J_ALNUM = J_ALPHA | J_DECIMAL | J_DIGIT | J_NUMERIC,
};
unsigned ft_juni(uint32_t c);
static inline bool ft_juni_is(uint32_t c, unsigned flags) { return (ft_juni(c) & flags) != 0; }
/* 0..9 of a J_DECIMAL. */
int ft_juni_digit(uint32_t c);

enum jcase { J_TO_UPPER, J_TO_LOWER, J_TO_TITLE, J_TO_FOLD };
/* The full mapping, 1 to 3 code points; returns how many. */
int ft_juni_map(uint32_t c, enum jcase to, uint32_t out[3]);

/* str.isspace of a code point, and of the sequence at p (its length in *len). */
static inline bool ft_jspace(uint32_t c)
{
    if (c < 0x80)
        return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);
    return ft_juni_is(c, J_SPACE);
}
/* Does str.splitlines break here? */
static inline bool ft_jbreak(uint32_t c)
{
    return (c >= 10 && c <= 13) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}
/* The code point before p (p > start). */
static inline uint32_t ft_jback(const char *start, const char *p, int *len)
{
    const char *q = p - 1;
    while (q > start && ((unsigned char)*q & 0xc0) == 0x80)
        q--;
    return ft_utf8_get(q, len);
}

#endif
