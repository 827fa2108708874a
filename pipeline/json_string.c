/* What stands between quotes: scanned 64 bytes at a time where the odd ones are not known, and unescaped. */
#include "pipeline/json_scan.h"

static int hex4(const char *p, const char *end, uint32_t *out)
{
    if (end - p < 4)
        return -1;
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        const int d = ft_digit(p[i]);
        if (d >= 16)
            return -1;
        v = v << 4 | (uint32_t)d;
    }
    *out = v;
    return 0;
}

/* At a backslash: checks the escape and returns its length, or -1. */
static int escape(struct ft_scan *s, const char *p)
{
    if (s->end - p < 2)
        return ft_scan_expected(s, s->end, "the rest of an escape");
    switch (p[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return 2;
    case 'u':
        break;
    default:
        return ft_scan_fail(s, p, "invalid JSON: unknown escape in a string");
    }
    uint32_t u, low;
    if (hex4(p + 2, s->end, &u))
        return ft_scan_fail(s, p, "invalid JSON: \\u wants four hex digits");
    if (u < 0xd800 || u > 0xdfff)
        return 6;
    if (u <= 0xdbff && s->end - p >= 12 && p[6] == '\\' && p[7] == 'u' && !hex4(p + 8, s->end, &low) &&
        low >= 0xdc00 && low <= 0xdfff)
        return 12;
    return ft_fail_at(s->e, FT_DATA, (uint64_t)(p - s->begin) + 1,
                      "lone surrogate \\u%04x in a string: no character has this code", (unsigned)u);
}

/* ft_utf8_seq with the usual cases in line: text in most scripts is made of
 * sequences of two and three bytes. */
static inline int sequence(const unsigned char *p, const unsigned char *end)
{
    if (p[0] >= 0xc2 && p[0] < 0xe0 && end - p >= 2 && (p[1] & 0xc0) == 0x80)
        return 2;
    if ((p[0] & 0xf0) == 0xe0 && end - p >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
        (p[0] != 0xe0 || p[1] >= 0xa0) && (p[0] != 0xed || p[1] < 0xa0))
        return 3;
    return ft_utf8_seq(p, (size_t)(end - p));
}

/* Bits of the bytes among 16 at p that are a quote, a backslash or a control, and with
 * `high` of those from 0x80 on. */
#if defined(__SSE2__)
static inline uint64_t odd16(const char *p, bool high)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
                                     _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    return (uint64_t)(unsigned)_mm_movemask_epi8(high ? _mm_or_si128(odd, v) : odd);
}

static inline unsigned slashes16(const char *p)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('\\')));
}
#else
static inline uint64_t odd16(const char *p, bool high)
{
    uint64_t m = 0;
    for (int i = 0; i < 16; i++) {
        const unsigned char c = (unsigned char)p[i];
        m |= (uint64_t)(c == '"' || c == '\\' || c < 0x20 || (high && c >= 0x80)) << i;
    }
    return m;
}

static inline unsigned slashes16(const char *p)
{
    unsigned m = 0;
    for (int i = 0; i < 16; i++)
        m |= (unsigned)(p[i] == '\\') << i;
    return m;
}
#endif

static inline uint64_t odd64(const char *p, bool high)
{
    return odd16(p, high) | odd16(p + 16, high) << 16 | odd16(p + 32, high) << 32 | odd16(p + 48, high) << 48;
}

/* What two-byte escapes stand for, by the byte behind the backslash. */
static const char simple[256] = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};

/* The length of what is at p and no plain byte, or -1. */
static int odd(struct ft_scan *s, const char *p, bool *escaped)
{
    if (*p == '\\') {
        *escaped = true;
        return escape(s, p);
    }
    if ((unsigned char)*p < 0x20)
        return ft_scan_fail(s, p, "invalid JSON: control character in a string");
    const char *q = p;
    do {
        const int n = sequence((const unsigned char *)q, (const unsigned char *)s->end);
        if (!n)
            return ft_fail_at(s->e, FT_DATA, (uint64_t)(q - s->begin) + 1, "invalid UTF-8: byte 0x%02x",
                              (unsigned char)*q);
        q += n;
    } while (q < s->end && (signed char)*q < 0 && q - p < 1 << 20);
    return (int)(q - p);
}

int ft_scan_string_any(struct ft_scan *s, bool *escaped)
{
    const char *p = s->p + 1, *const end = s->end;
    const bool high = !s->utf8;
    int step = 16; /* most names and many values are short */
    *escaped = false;
    for (;;) {
        uint64_t m;
        if (end - p < step) {
            step = (int)(end - p < 16 ? end - p : 16);
            if (!step)
                return ft_scan_expected(s, p, "the closing quote of a string");
        }
        if (step == 64) {
            m = odd64(p, high);
        } else if (step == 16) {
            m = odd16(p, high);
        } else {
            char last[16] = {'"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"', '"'};
            memcpy(last, p, (size_t)step);
            m = odd16(last, high) & ((1u << step) - 1);
        }
        while (m) {
            const int i = __builtin_ctzll(m);
            if (p[i] == '"') {
                s->p = p + i + 1;
                return 0;
            }
            int n = 2;
            if (p[i] == '\\' && end - p > i + 1 && simple[(unsigned char)p[i + 1]]) {
                *escaped = true;
            } else {
                n = odd(s, p + i, escaped);
                if (n < 0)
                    return -1;
            }
            if (i + n >= step) { /* it reaches behind what m is about */
                p += i + n - step;
                break;
            }
            m &= ~(uint64_t)0 << (i + n);
        }
        p += step;
        if (step == 16 && end - p >= 64)
            step = 64;
    }
}

int ft_scan_string_odd(struct ft_scan *s, const char *p, bool *escaped)
{
    const char *const end = s->end;
    for (; p < end && *p != '"'; p = ft_scan_odd(s, p)) {
        int n = 2;
        if (*p == '\\' && end - p > 1 && simple[(unsigned char)p[1]])
            *escaped = true;
        else if ((n = odd(s, p, escaped)) < 0)
            return -1;
        p += n;
    }
    if (p >= end)
        return ft_scan_expected(s, end, "the closing quote of a string");
    s->p = p + 1;
    return 0;
}

struct ft_str ft_json_unescape(struct ft_str in, struct ft_arena *a)
{
    if (!in.n || !memchr(in.p, '\\', in.n))
        return in;
    char *const out = ft_arena_alloc(a, in.n + FT_JSON_SLACK);
    return (struct ft_str){out, (size_t)(ft_json_unescape_to(out, in) - out)};
}

char *ft_json_unescape_to(char *w, struct ft_str in)
{
    const char *p = in.p, *const end = in.p + in.n;
    while (p < end) {
        /* To the next backslash, 32 bytes at a time. */
        for (; end - p >= 32; p += 32, w += 32) {
            memcpy(w, p, 32);
            const unsigned m = slashes16(p) | slashes16(p + 16) << 16;
            if (m) {
                p += __builtin_ctz(m);
                w += __builtin_ctz(m);
                goto escaped;
            }
        }
        if (end - p >= 16) {
            memcpy(w, p, 16);
            const unsigned m = slashes16(p);
            const int n = m ? __builtin_ctz(m) : 16;
            p += n;
            w += n;
            if (m)
                goto escaped;
        }
        while (p < end && *p != '\\')
            *w++ = *p++;
        if (p == end)
            break;
escaped:
        if (p[1] != 'u') {
            *w++ = simple[(unsigned char)p[1]];
            p += 2;
            continue;
        }
        uint32_t u = 0, low = 0;
        hex4(p + 2, end, &u);
        p += 6;
        if (u >= 0xd800 && u <= 0xdbff) {
            hex4(p + 2, end, &low);
            p += 6;
            u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
        }
        w += ft_utf8_put(w, u);
    }
    return w;
}
