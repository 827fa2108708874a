/* json_scan.h -- the steps of the JSON scanner, shared by the flat scan and the
 * tree parser; private to json*.c. Each step starts at s->p and leaves it
 * behind what it read; -1 with FT_DATA and the byte. */
#ifndef FT_PIPELINE_JSON_SCAN_H
#define FT_PIPELINE_JSON_SCAN_H

#include "pipeline/bytes.h"
#include "pipeline/json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct ft_scan {
    const char *begin, *p, *end;
    bool utf8;           /* all of it is known to be valid UTF-8 */
    const uint64_t *odd; /* a bit for each byte that is a quote, a backslash, a control; for the end; and,
                            where the text is not UTF-8, for each from 0x80 on; NULL: not known */
    struct ft_err *e;
};

/* Begins with p[0..n); memory is few, or from a. */
enum { FT_SCAN_FEW = 32 };
void ft_scan_open(struct ft_scan *s, const char *p, size_t n, uint64_t few[FT_SCAN_FEW], struct ft_arena *a, struct ft_err *e);

/* FT_DATA, -1. expected: and what stands there instead. */
int ft_scan_fail(struct ft_scan *s, const char *at, const char *what);
int ft_scan_expected(struct ft_scan *s, const char *at, const char *wanted);

static inline void ft_scan_space(struct ft_scan *s)
{
    if (s->p < s->end && *s->p > ' ')
        return;
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}
/* The first odd byte from p on; the end has one. */
static inline const char *ft_scan_odd(const struct ft_scan *s, const char *p)
{
    const size_t i = (size_t)(p - s->begin);
    const uint64_t *w = s->odd + i / 64;
    uint64_t m = *w >> i % 64;
    if (m)
        return p + __builtin_ctzll(m);
    while (!(m = *++w))
        ;
    return s->begin + (size_t)(w - s->odd) * 64 + __builtin_ctzll(m);
}
/* The rest of a string, from an odd byte on that is not its quote. */
int ft_scan_string_odd(struct ft_scan *s, const char *p, bool *escaped);
/* At a quote. *escaped: it has a backslash. */
int ft_scan_string_any(struct ft_scan *s, bool *escaped);
/* The same; most names and many values end within 16 bytes. */
static inline int ft_scan_string(struct ft_scan *s, bool *escaped)
{
    if (s->odd) {
        const char *p = ft_scan_odd(s, s->p + 1);
        *escaped = false;
        if (p < s->end && *p == '"')
            return s->p = p + 1, 0;
        return ft_scan_string_odd(s, p, escaped);
    }
#if defined(__SSE2__)
    if (s->end - s->p > 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s->p + 1)), quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
        const unsigned q = (unsigned)_mm_movemask_epi8(quote), o = (unsigned)_mm_movemask_epi8(s->utf8 ? odd : _mm_or_si128(odd, v));
        if (q && !(o & (q ^ (q - 1)))) { /* nothing odd before the first quote */
            *escaped = false;
            s->p += 2 + __builtin_ctz(q);
            return 0;
        }
    }
#endif
    return ft_scan_string_any(s, escaped);
}
/* The number of digits at p, of which 8 bytes can be read, at most 8; *digits
 * holds their values, the first in the lowest byte. */
static inline int ft_scan_digits(const char *p, uint64_t *digits)
{
    const uint64_t y = ft_load_u64((const unsigned char *)p) ^ 0x3030303030303030;
    /* High bits: not a digit. A carry reaches only bytes behind such a one. */
    const uint64_t other = ((y + 0x7676767676767676) | y) & 0x8080808080808080;
    *digits = y;
    return other ? __builtin_ctzll(other) / 8 : 8;
}
/* The value of the first n of them, 1 <= n <= 8. */
static inline uint32_t ft_scan_value(uint64_t digits, int n)
{
    uint64_t v = digits << (64 - 8 * n);
    v = (v * 10) + (v >> 8); /* pairs, in every other byte */
    v = (((v & 0x000000ff000000ff) * 0x000f424000000064) + (((v >> 16) & 0x000000ff000000ff) * 0x0000271000000001)) >> 32;
    return (uint32_t)v;
}
/* At a minus sign or a digit. */
int ft_scan_number(struct ft_scan *s, bool *is_float);
/* true, false, null; anything else fails. */
int ft_scan_word(struct ft_scan *s, enum ft_json_type *type);
/* A member name with its colon and the space behind it. */
int ft_scan_key(struct ft_scan *s, struct ft_str *inside, bool *escaped);
/* Any value, validated and passed over. */
int ft_scan_skip(struct ft_scan *s, enum ft_json_type *type);
/* Any value, as a tree in the arena; `but`: NULL or as in ft_json_parse_but. */
int ft_scan_tree(struct ft_scan *s, struct ft_arena *a, const char *const *but, struct ft_json *out);
/* Does a member of this name hold ranges (spans.h)? */
bool ft_scan_holds_ranges(struct ft_str key);
/* A value of ranges as our tools write them; false, and nothing is read, where it is another one. */
bool ft_scan_ranges(struct ft_scan *s, struct ft_arena *a, struct ft_range **out, uint32_t *n);
/* The value of a member of this name, where it is a stamp as our tools write it; NULL, and nothing is read: it is not. */
struct ft_stamp_read *ft_scan_stamp(struct ft_scan *s, struct ft_str key, struct ft_arena *a);
/* Only whitespace is left. */
int ft_scan_end(struct ft_scan *s);

#endif
