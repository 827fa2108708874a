/* Escapes and brackets of Oniguruma's syntax (doc/RE of Oniguruma 6.9; what it does not say was asked of the library). */
#include <strings.h>

#include "tokenizer/regex_syntax.h"

enum { DEPTH = 64 };

int rx_refuse(struct rx_reader *r, const char *what) { return ft_fail(r->e, FT_DATA, "regex: %s is not supported", what); }

static void put_code(struct ft_buf *codes, uint32_t c) { ft_buf_put(codes, (const char *)&c, sizeof c); }

/* Up to `most` digits of base 8 or 16 at *p. */
static int number(const char **p, const char *end, int base, int most, uint32_t *out)
{
    int n = 0;
    *out = 0;
    for (; n < most && *p < end && ft_digit(**p) < base; n++, (*p)++)
        *out = *out * (uint32_t)base + (uint32_t)ft_digit(**p);
    return n;
}

/* \x41, \101: a byte. Those from 0x80 on make up a character with those that follow. */
static int byte_escape(const char **p, const char *end, uint32_t *out)
{
    const char *q = *p + 1;
    const bool hex = end - q > 1 && *q == 'x' && ft_digit(q[1]) < 16;
    q += hex;
    if (end - *p < 2 || **p != '\\' || !number(&q, end, hex ? 16 : 8, hex ? 2 : 3, out))
        return 0;
    *p = q;
    return 1;
}

static int bytes(struct rx_reader *r, uint32_t first, struct ft_buf *codes)
{
    char c[4] = {(char)first};
    const size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    size_t n = 1;
    int len;
    for (uint32_t b; n < want && byte_escape(&r->p, r->end, &b) && b < 0x100; n++)
        c[n] = (char)b;
    if (first > 0xff || n < want || ft_utf8_valid(c, want) != want)
        return ft_fail(r->e, FT_DATA, "regex: the bytes of \\x%02x are no character", (unsigned)first);
    put_code(codes, ft_utf8_get(c, &len));
    return 1;
}

/* Behind \x{ or \o{. In brackets ranges may stand in it: they are made into sets by the caller, which sees RX_NEVER + 1 between. */
static int braces(struct rx_reader *r, const char *p, int base, bool bracket, struct ft_buf *codes)
{
    bool range = false;
    for (;;) {
        uint32_t v;
        while (p < r->end && rx_one_of(" \n\t", *p))
            p++;
        if (p < r->end && *p == '}' && codes->n && !range)
            break;
        const int n = number(&p, r->end, base, base == 16 ? 8 : 11, &v);
        if (!n || (p < r->end && !rx_one_of(" \n\t}-", *p)))
            return ft_fail(r->e, FT_DATA, "regex: \\%c{ without its digits", base == 16 ? 'x' : 'o');
        put_code(codes, v > 0x10ffff || (v >= 0xd800 && v < 0xe000 && !bracket) ? RX_NEVER : v);
        range = p < r->end && *p == '-';
        if (range) {
            if (!bracket)
                return ft_fail(r->e, FT_DATA, "regex: a range in \\x{ outside of brackets");
            put_code(codes, RX_NEVER + 1);
            p++;
        }
    }
    r->p = p + 1;
    return 1;
}

int rx_escaped(struct rx_reader *r, bool bracket, struct ft_buf *codes)
{
    static const char plain[] = "tnrfvae", means[] = "\t\n\r\f\v\a\x1b";
    const char *p = r->p + 1;
    uint32_t v;
    if (p == r->end)
        return ft_fail(r->e, FT_DATA, "regex: a backslash at the end");
    const char *hit = memchr(plain, *p, sizeof plain - 1);
    if (hit) {
        put_code(codes, (unsigned char)means[hit - plain]);
        r->p = p + 1;
        return 1;
    }
    if ((*p == 'x' || *p == 'o') && r->end - p > 2 && p[1] == '{' && ft_digit(p[2]) < (*p == 'x' ? 16 : 8))
        return braces(r, p + 2, *p == 'x' ? 16 : 8, bracket, codes);
    const bool digit = *p >= '0' && *p <= '9', last = p + 1 == r->end;
    if (digit && !bracket && *p != '0') { /* a back reference, if there is such a group or it is one digit; else octal */
        uint32_t k = 0;
        for (const char *q = p; q < r->end && *q >= '0' && *q <= '9' && k < 100000; q++)
            k = k * 10 + (uint32_t)(*q - '0');
        if (k <= 9 || k <= (uint32_t)r->captures)
            return 0;
    }
    if (*p >= '0' && *p <= '7') {
        r->p = p;
        number(&r->p, r->end, 8, 3, &v);
    } else if (*p == 'x' && !last && p[1] != '{') {
        r->p = p + 1;
        number(&r->p, r->end, 16, 2, &v); /* none: U+0000 */
    } else if (*p == 'u' && !last) {
        r->p = p + 1;
        if (number(&r->p, r->end, 16, 4, &v) < 4)
            return ft_fail(r->e, FT_DATA, "regex: \\u without its digits");
        put_code(codes, v >= 0xd800 && v < 0xe000 && !bracket ? RX_NEVER : v);
        return 1;
    } else if (*p == 'c' || (*p == 'C' && !last && p[1] == '-')) {
        struct ft_buf of = {0};
        r->p = p + (*p == 'c' ? 1 : 2);
        if (r->p == r->end)
            return ft_fail(r->e, FT_DATA, "regex: \\%c at the end", *p);
        int len = 1, k = 1;
        v = *r->p == '\\' ? 0 : ft_utf8_get(r->p, &len);
        if (*r->p != '\\')
            r->p += len;
        else if ((k = rx_escaped(r, true, &of)) == 1)
            memcpy(&v, of.p, sizeof v);
        ft_buf_release(&of);
        if (k != 1)
            return k < 0 ? -1 : rx_refuse(r, "this control escape");
        put_code(codes, v == '?' ? 0x7f : v & 0x9f);
        return 1;
    } else if (*p == 'M' && !last && p[1] == '-') {
        return rx_refuse(r, "\\M-");
    } else if (rx_one_of(bracket ? "sSdDwWhHb" : "sSdDwWhHbBAzZGKRXkgyYNO", *p) || (rx_one_of("pP", *p) && !last && p[1] == '{') ||
               (digit && !bracket)) {
        return 0;
    } else {
        int len;
        put_code(codes, ft_utf8_get(p, &len));
        r->p = p + len;
        return 1;
    }
    if (v >= 0x80)
        return bytes(r, v, codes);
    put_code(codes, v);
    return 1;
}

/* ---- sets ---- */

static struct rx_set ascii_only(struct rx_reader *r, struct rx_set s) { return rx_set_and(&r->mem, s, rx_set_char(&r->mem, 0, 0x7f)); }

/* Do the options (?W), (?D), (?S), (?P) keep a class to ASCII? POSIX has no categories and no scripts. */
static bool of_ascii(const struct rx_options *o, struct ft_str name)
{
    static const char *const posix[] = {"alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
                                        "upper", "xdigit", "word", "\\w", "\\d", "\\s"};
    char key[8] = "";
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < sizeof key - 1; i++)
        if (!rx_one_of(" _-:", name.p[i]))
            key[n++] = (char)(name.p[i] | (name.p[i] >= 'A' && name.p[i] <= 'Z' ? 32 : 0));
    key[n] = 0;
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++)
        if (!strcmp(key, posix[i]))
            return o->p || (o->w && rx_one_of("w", key[key[0] == '\\'])) || (o->d && rx_one_of("d", key[key[0] == '\\'])) ||
                   (o->s && !strcmp(key, key[0] == '\\' ? "\\s" : "space"));
    return false;
}

static bool named(struct rx_reader *r, struct ft_str name, struct rx_set *out)
{
    if (!rx_set_named(&r->mem, name, out))
        return false;
    if (of_ascii(&r->o, name))
        *out = ascii_only(r, *out);
    return true;
}

/* Below U+0100 Oniguruma looks into a table of another making, in which six numbers are of words. */
struct rx_set rx_word(struct rx_reader *r)
{
    static const uint32_t more[][2] = {{0xb2, 0xb3}, {0xb9, 0xb9}, {0xbc, 0xbe}};
    struct rx_set s = {0};
    rx_set_named(&r->mem, FT_STR("\\w"), &s);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        s = rx_set_or(&r->mem, s, rx_set_char(&r->mem, more[i][0], more[i][1]));
    return r->o.w || r->o.p ? ascii_only(r, s) : s;
}

int rx_escaped_set(struct rx_reader *r, bool bracket, struct rx_set *out)
{
    const char c = r->p[1];
    if (!bracket && rx_one_of("wW", c)) {
        *out = rx_word(r);
    } else if (rx_one_of("sSdDwWhH", c)) {
        const char name[2] = {'\\', (char)(c | 32)};
        if (!named(r, (struct ft_str){name, 2}, out))
            return rx_refuse(r, "this escape");
    }
    if (rx_one_of("sSdDwWhH", c)) {
        if (c < 'a')
            *out = rx_set_not(&r->mem, *out);
        r->p += 2;
        return 1;
    }
    if (c != 'p' && c != 'P')
        return 0;
    const char *open = r->p + 2, *close = open < r->end ? memchr(open, '}', (size_t)(r->end - open)) : NULL;
    if (!close || *open != '{')
        return ft_fail(r->e, FT_DATA, "regex: \\%c without a name in braces", c);
    struct ft_str name = {open + 1, (size_t)(close - open) - 1};
    bool negate = c == 'P';
    if (name.n && name.p[0] == '^') {
        negate = !negate;
        name.p++;
        name.n--;
    }
    if (!name.n || name.p[0] == ':' || name.p[0] == '\\' || !named(r, name, out))
        return ft_fail(r->e, FT_DATA, "regex: the class \\p{%.*s} is not supported", (int)(name.n < 60 ? name.n : 60), name.p);
    if (!bracket && name.n == 4 && !strncasecmp(name.p, "word", 4))
        *out = rx_word(r);
    if (negate)
        *out = rx_set_not(&r->mem, *out);
    r->p = close + 1;
    return 1;
}

/* [:name:] inside brackets: 1; 0 when it is none. */
static int posix(struct rx_reader *r, struct rx_set *out)
{
    char name[16] = ":";
    size_t n = 1;
    const char *p = r->p + 2;
    const bool negate = p < r->end && *p == '^';
    p += negate;
    while (p < r->end && n < sizeof name && *p >= 'a' && *p <= 'z')
        name[n++] = *p++;
    if (r->end - p < 2 || p[0] != ':' || p[1] != ']')
        return 0;
    if (!named(r, (struct ft_str){name, n}, out))
        return rx_refuse(r, "this POSIX class");
    if (negate)
        *out = rx_set_not(&r->mem, *out);
    r->p = p + 2;
    return 1;
}

static bool dash(const struct rx_reader *r)
{
    return r->end - r->p > 1 && r->p[0] == '-' && r->p[1] != ']' && !(r->p[1] == '&' && r->end - r->p > 2 && r->p[2] == '&');
}

/* From the character c: it, or the range that it begins. */
static int from_char(struct rx_reader *r, uint32_t c, struct rx_set *out)
{
    uint32_t to = c;
    if (dash(r) && r->p[1] == '[') {
        struct rx_set end;
        r->p++;
        const int k = r->end - r->p > 1 && r->p[1] == ':' ? posix(r, &end) : 0;
        if (k)
            return k < 0 ? -1 : ft_fail(r->e, FT_DATA, "regex: a range in brackets ends in a class");
        *out = (struct rx_set){0}; /* Oniguruma forgets the beginning of a range to a set, and the set stands alone */
        return 0;
    }
    if (dash(r)) {
        r->p++;
        if (*r->p == '\\') {
            struct ft_buf codes = {0};
            const int k = rx_escaped(r, true, &codes);
            if (k > 0)
                memcpy(&to, codes.p, sizeof to);
            const bool one = codes.n == sizeof to;
            ft_buf_release(&codes);
            if (k < 0)
                return -1;
            if (!k || !one)
                return ft_fail(r->e, FT_DATA, "regex: a range in brackets ends in a class");
        } else {
            int len;
            to = ft_utf8_get(r->p, &len);
            r->p += len;
        }
        if (to < c)
            return ft_fail(r->e, FT_DATA, "regex: a range in brackets runs backwards");
    }
    *out = rx_set_char(&r->mem, c, to);
    return 0;
}

/* At an escape: the characters or the class. */
static int from_escape(struct rx_reader *r, struct rx_set *out)
{
    struct ft_buf codes = {0};
    uint32_t c[3];
    int k = rx_escaped(r, true, &codes);
    if (k > 0) {
        const size_t n = codes.n / sizeof *c;
        for (size_t i = 0; i < n && k > 0; i++) {
            memcpy(c, codes.p + i * sizeof *c, (n - i < 3 ? n - i : 3) * sizeof *c);
            struct rx_set one;
            const bool range = n - i > 2 && c[1] == RX_NEVER + 1;
            if (range && c[2] < c[0])
                k = ft_fail(r->e, FT_DATA, "regex: a range in brackets runs backwards");
            else if (range)
                one = rx_set_char(&r->mem, c[0], c[2]), i += 2;
            else if (i + 1 < n)
                one = rx_set_char(&r->mem, c[0], c[0]);
            else if (from_char(r, c[0], &one))
                k = -1;
            if (k > 0)
                *out = rx_set_or(&r->mem, *out, one);
        }
    } else if (!k && r->p[1] == 'b') {
        r->p += 2;
        k = from_char(r, 8, out);
    } else if (!k) {
        k = rx_escaped_set(r, true, out);
        if (k > 0 && dash(r) && r->p[1] != '[')
            k = ft_fail(r->e, FT_DATA, "regex: a range in brackets begins with a class");
    }
    ft_buf_release(&codes);
    return k < 0 ? -1 : 0;
}

/* Nested sets are joined, && intersects. */
static int bracket_in(struct rx_reader *r, struct rx_set *out, struct rx_set *several, int depth)
{
    struct rx_set cur = {0}, acc = {0};
    bool have_acc = false, empty = true;
    if (depth == DEPTH)
        return rx_refuse(r, "nesting this deep");
    r->p++;
    const bool negate = r->p < r->end && *r->p == '^';
    r->p += negate;
    for (;; empty = false) {
        struct rx_set item = {0};
        int k = 0, len;
        if (r->p == r->end)
            return ft_fail(r->e, FT_DATA, "regex: a bracket is not closed");
        if (*r->p == ']') {
            if (!empty)
                break;
            if (!memchr(r->p + 1, ']', (size_t)(r->end - r->p) - 1))
                return ft_fail(r->e, FT_DATA, "regex: brackets with nothing in them");
            r->p++;
            k = from_char(r, ']', &item);
        } else if (*r->p == '[') {
            k = r->end - r->p > 1 && r->p[1] == ':' ? posix(r, &item) : 0;
            if (k == 0)
                k = bracket_in(r, &item, NULL, depth + 1);
            k = k < 0 ? -1 : 0;
        } else if (*r->p == '&' && r->end - r->p > 1 && r->p[1] == '&') {
            acc = have_acc ? rx_set_and(&r->mem, acc, cur) : cur;
            have_acc = true;
            cur = (struct rx_set){0};
            r->p += 2;
            continue;
        } else if (*r->p == '\\') {
            k = from_escape(r, &item);
        } else {
            const uint32_t c = ft_utf8_get(r->p, &len);
            r->p += len;
            k = from_char(r, c, &item);
        }
        if (k)
            return -1;
        cur = rx_set_or(&r->mem, cur, item);
    }
    r->p++;
    if (have_acc)
        cur = rx_set_and(&r->mem, acc, cur);
    if (r->o.i && depth == 0) {
        *several = negate ? (struct rx_set){0} : cur;
        cur = rx_set_cases(&r->mem, cur);
    }
    *out = negate ? rx_set_not(&r->mem, cur) : cur;
    return 0;
}

int rx_bracket(struct rx_reader *r, struct rx_set *out, struct rx_set *several)
{
    *several = (struct rx_set){0};
    return bracket_in(r, out, several, 0);
}
