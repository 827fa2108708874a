#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "tokenizer/regex_set.h"

struct tk_regex {
    pcre2_code *code;
};

struct tk_matcher {
    pcre2_match_data *data;
    pcre2_match_context *ctx;
    pcre2_jit_stack *stack;
};

/* ---- from Ruby syntax to PCRE2's ---- */

enum { DEPTH = 64 };

struct options {
    bool i, m, x; /* no case; the dot takes newlines; white space is no pattern */
};

struct group {
    size_t begin;         /* where it begins in `out` */
    struct options outer; /* options behind it */
    int extra;            /* brackets to close before it: an option in its middle opens one */
    bool look;
};

struct rewriter {
    const char *p, *end;
    struct ft_buf out;
    struct ft_arena mem;
    size_t atom; /* where the last atom begins in `out`; SIZE_MAX: there is none to repeat */
    struct group groups[DEPTH];
    int depth, captures, names, looks;
    int highest; /* back reference */
    struct options o;
    struct rx_set last; /* the last literal, without regard to case; n 0: none */
    bool tiktoken; /* the pattern is in that one's syntax */
    struct ft_err *e;
};

static int refuse(struct rewriter *w, const char *what)
{
    return ft_fail(w->e, FT_DATA, "regex: %s is not supported", what);
}

static bool one_of(const char *set, char c) { return c && strchr(set, c); }

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* At a backslash: the one character that the escape stands for, 1; 0 when it is no character. */
static int escaped_char(struct rewriter *w, uint32_t *c)
{
    static const char plain[] = "tnrfvae", means[] = "\t\n\r\f\v\a\x1b";
    const char *p = w->p + 1;
    if (p == w->end)
        return ft_fail(w->e, FT_DATA, "regex: a backslash at the end");
    const char *hit = memchr(plain, *p, sizeof plain - 1);
    if (hit) {
        *c = (unsigned char)means[hit - plain];
        w->p = p + 1;
        return 1;
    }
    if (*p == 'x' || *p == 'u') {
        const bool braces = *p == 'x' && p + 1 < w->end && p[1] == '{';
        const int most = braces ? 8 : *p == 'x' ? 2 : 4;
        uint32_t v = 0;
        int n = 0;
        const char *q = p + 1 + braces;
        while (n < most && q < w->end && hex_digit(*q) >= 0) {
            v = v << 4 | (uint32_t)hex_digit(*q++);
            n++;
        }
        if (n == 0 || (*p == 'u' && n != 4) || (braces && (q == w->end || *q != '}')))
            return ft_fail(w->e, FT_DATA, "regex: \\%c without its digits", *p);
        if (!braces && *p == 'x' && v >= 0x80)
            return refuse(w, "a single byte (\\x80 to \\xff)");
        if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
            return ft_fail(w->e, FT_DATA, "regex: \\x{%x} is no character", (unsigned)v);
        w->p = q + braces;
        *c = v;
        return 1;
    }
    if (*p == '0') {
        uint32_t v = 0;
        int n = 0;
        const char *q = p;
        for (; n < 3 && q < w->end && *q >= '0' && *q <= '7'; n++)
            v = v << 3 | (uint32_t)(*q++ - '0');
        w->p = q;
        *c = v;
        return 1;
    }
    if (one_of("cCM", *p))
        return refuse(w, "a control escape (\\c, \\C, \\M)");
    if (one_of("pPsSdDwWhHbBAzZGKRXkgyYNO123456789", *p))
        return 0;
    int len;
    *c = ft_utf8_get(p, &len);
    w->p = p + len;
    return 1;
}

/* At an escape that stands for a set: 1; 0 when it does not. */
static int escaped_set(struct rewriter *w, struct rx_set *out)
{
    const char c = w->p[1];
    if (one_of("sSdDwWhH", c)) {
        const char name[2] = {'\\', (char)(c | 32)};
        if (!rx_set_named(&w->mem, (struct ft_str){name, 2}, out))
            return refuse(w, "this escape");
        if (c < 'a')
            *out = rx_set_not(&w->mem, *out);
        w->p += 2;
        return 1;
    }
    if (c != 'p' && c != 'P')
        return 0;
    const char *open = w->p + 2, *close = open < w->end ? memchr(open, '}', (size_t)(w->end - open)) : NULL;
    if (!close || *open != '{')
        return ft_fail(w->e, FT_DATA, "regex: \\%c without a name in braces", c);
    struct ft_str name = {open + 1, (size_t)(close - open) - 1};
    bool negate = c == 'P';
    if (name.n && name.p[0] == '^') {
        negate = !negate;
        name.p++;
        name.n--;
    }
    if (!name.n || name.p[0] == ':' || name.p[0] == '\\' || !rx_set_named(&w->mem, name, out))
        return ft_fail(w->e, FT_DATA, "regex: the class \\p{%.*s} is not supported", (int)(name.n < 60 ? name.n : 60), name.p);
    if (negate)
        *out = rx_set_not(&w->mem, *out);
    w->p = close + 1;
    return 1;
}

/* [:name:] inside brackets: 1; 0 when it is none. */
static int posix(struct rewriter *w, struct rx_set *out)
{
    char name[16] = ":";
    size_t n = 1;
    const char *p = w->p + 2;
    const bool negate = p < w->end && *p == '^';
    p += negate;
    while (p < w->end && n < sizeof name && *p >= 'a' && *p <= 'z')
        name[n++] = *p++;
    if (w->end - p < 2 || p[0] != ':' || p[1] != ']')
        return 0;
    if (!rx_set_named(&w->mem, (struct ft_str){name, n}, out))
        return refuse(w, "this POSIX class");
    if (negate)
        *out = rx_set_not(&w->mem, *out);
    w->p = p + 2;
    return 1;
}

/* At '['. Ruby's brackets: nested sets are joined, && intersects. */
static int bracket(struct rewriter *w, struct rx_set *out, int depth)
{
    struct rx_set cur = {0}, acc = {0};
    bool have_acc = false, empty = true;
    if (depth == DEPTH)
        return refuse(w, "nesting this deep");
    w->p++;
    const bool negate = w->p < w->end && *w->p == '^';
    w->p += negate;
    for (;; empty = false) {
        struct rx_set item = {0};
        uint32_t c;
        int r = 0;
        if (w->p == w->end)
            return ft_fail(w->e, FT_DATA, "regex: a bracket is not closed");
        if (*w->p == ']') {
            if (!empty || !memchr(w->p + 1, ']', (size_t)(w->end - w->p) - 1))
                break;
            c = ']';
            w->p++;
        } else if (*w->p == '[') {
            r = w->end - w->p > 1 && w->p[1] == ':' ? posix(w, &item) : 0;
            if (r < 0 || (r == 0 && bracket(w, &item, depth + 1)))
                return -1;
            r = 1;
        } else if (*w->p == '&' && w->end - w->p > 1 && w->p[1] == '&') {
            acc = have_acc ? rx_set_and(&w->mem, acc, cur) : cur;
            have_acc = true;
            cur = (struct rx_set){0};
            w->p += 2;
            continue;
        } else if (*w->p == '\\' && w->end - w->p > 1 && w->p[1] == 'b') {
            c = 8;
            w->p += 2;
        } else if (*w->p == '\\') {
            r = escaped_char(w, &c);
            if (r < 0)
                return -1;
            if (!r) {
                r = escaped_set(w, &item);
                if (r == 0)
                    return refuse(w, "this escape in brackets");
                if (r < 0)
                    return -1;
            } else {
                r = 0;
            }
        } else {
            int len;
            c = ft_utf8_get(w->p, &len);
            w->p += len;
        }
        if (!r) { /* a character, or a range of them */
            uint32_t to = c;
            if (w->end - w->p > 1 && w->p[0] == '-' && w->p[1] != ']' && !(w->p[1] == '&' && w->end - w->p > 2 && w->p[2] == '&')) {
                const char *back = w->p++;
                int len;
                if (*w->p == '\\') {
                    const int k = escaped_char(w, &to);
                    if (k < 0)
                        return -1;
                    if (!k) { /* [a-\w]: the dash is a dash */
                        w->p = back;
                        to = c;
                    }
                } else if (*w->p == '[') {
                    w->p = back;
                } else {
                    to = ft_utf8_get(w->p, &len);
                    w->p += len;
                }
                if (to < c)
                    return ft_fail(w->e, FT_DATA, "regex: a range in brackets runs backwards");
            }
            item = rx_set_char(&w->mem, c, to);
        }
        cur = rx_set_or(&w->mem, cur, item);
    }
    w->p++;
    if (have_acc)
        cur = rx_set_and(&w->mem, acc, cur);
    if (w->o.i && depth == 0) {
        if (!negate && rx_set_several(cur))
            return refuse(w, "a set without regard to case that holds a letter like \xc3\x9f, which is also two");
        cur = rx_set_cases(&w->mem, cur);
    }
    *out = negate ? rx_set_not(&w->mem, cur) : cur;
    return 0;
}

static int put_literal(struct rewriter *w, uint32_t c)
{
    const struct rx_set one = rx_set_char(&w->mem, c, c);
    w->atom = w->out.n;
    if (w->o.i) {
        const struct rx_set s = rx_set_cases(&w->mem, one);
        if (rx_set_several(s) || rx_sets_join(w->last, s))
            return refuse(w, "a sequence without regard to case that is also one letter, or a letter that is also several");
        w->last = s;
        if (s.n != 1 || s.v[0].a != s.v[0].b) {
            rx_set_put(s, &w->out);
            return 0;
        }
    } else {
        w->last.n = 0;
    }
    ft_buf_printf(&w->out, "\\x{%x}", (unsigned)c);
    return 0;
}

static int put_set(struct rewriter *w, struct rx_set s)
{
    w->atom = w->out.n;
    w->last.n = 0;
    rx_set_put(s, &w->out);
    return 0;
}

/* \w outside of brackets, and what \b goes by: below U+0100 Oniguruma then looks
 * into a table of another making, in which six numbers are of words. */
static struct rx_set word(struct rewriter *w)
{
    static const uint32_t more[][2] = {{0xb2, 0xb3}, {0xb9, 0xb9}, {0xbc, 0xbe}};
    struct rx_set s = {0};
    rx_set_named(&w->mem, FT_STR("\\w"), &s);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        s = rx_set_or(&w->mem, s, rx_set_char(&w->mem, more[i][0], more[i][1]));
    return s;
}

/* At a backslash, outside of brackets. */
static int escape(struct rewriter *w)
{
    uint32_t c;
    struct rx_set s;
    int r = escaped_char(w, &c);
    if (r)
        return r < 0 ? -1 : put_literal(w, c);
    const char k = w->p[1];
    if (k == 'w' || k == 'W') {
        w->p += 2;
        return put_set(w, k == 'w' ? word(w) : rx_set_not(&w->mem, word(w)));
    }
    r = escaped_set(w, &s);
    if (r)
        return r < 0 ? -1 : put_set(w, s);
    w->last.n = 0;
    w->atom = w->out.n;
    w->p += 2;
    switch (k) {
    case 'b': case 'B': {
        struct ft_buf b = {0};
        rx_set_put(word(w), &b);
        ft_buf_printf(&w->out, k == 'b' ? "(?:(?<=%.*s)(?!%.*s)|(?<!%.*s)(?=%.*s))" : "(?:(?<=%.*s)(?=%.*s)|(?<!%.*s)(?!%.*s))",
                      (int)b.n, b.p, (int)b.n, b.p, (int)b.n, b.p, (int)b.n, b.p);
        ft_buf_release(&b);
        return 0;
    }
    case 'A': case 'z': case 'Z': case 'G':
        ft_buf_printf(&w->out, "\\%c", k);
        return 0;
    case 'K':
        if (w->looks)
            return refuse(w, "\\K in a look-around");
        ft_buf_putz(&w->out, "\\K");
        return 0;
    case 'R':
        ft_buf_putz(&w->out, "(?>\\x{d}\\x{a}|[\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}])");
        return 0;
    case 'k': {
        const char *close = w->p < w->end ? memchr(w->p, '>', (size_t)(w->end - w->p)) : NULL;
        if (w->o.i)
            return refuse(w, "a back reference without regard to case");
        if (!close || *w->p != '<' || close - w->p > 30 || (unsigned char)(w->p[1] | 32) < 'a' || (unsigned char)(w->p[1] | 32) > 'z')
            return refuse(w, "this back reference");
        for (const char *q = w->p + 1; q < close; q++)
            if (!((*q | 32) >= 'a' && (*q | 32) <= 'z') && !(*q >= '0' && *q <= '9') && *q != '_')
                return refuse(w, "this back reference");
        ft_buf_putz(&w->out, "\\k");
        ft_buf_put(&w->out, w->p, (size_t)(close - w->p) + 1);
        w->p = close + 1;
        return 0;
    }
    default:
        if (k >= '1' && k <= '9') {
            if (w->o.i || (w->p < w->end && *w->p >= '0' && *w->p <= '9'))
                return refuse(w, "this back reference");
            w->highest = k - '0' > w->highest ? k - '0' : w->highest;
            ft_buf_printf(&w->out, "\\g{%c}", k);
            return 0;
        }
        return ft_fail(w->e, FT_DATA, "regex: the escape \\%c is not supported", k);
    }
}

/* {n}, {n,}, {,m}, {n,m} at p: its length, or 0. */
static size_t interval(const char *p, const char *end, bool *fixed, unsigned *from, unsigned *to)
{
    const char *q = p + 1;
    int digits[2] = {0, 0};
    unsigned v[2] = {0, 0};
    bool comma = false;
    for (; q < end && *q != '}'; q++) {
        if (*q == ',' && !comma) {
            comma = true;
        } else if (*q >= '0' && *q <= '9' && digits[comma] < 6) {
            v[comma] = v[comma] * 10 + (unsigned)(*q - '0');
            digits[comma]++;
        } else {
            return 0;
        }
    }
    if (q == end || (!digits[0] && !digits[1]))
        return 0;
    *fixed = !comma;
    *from = v[0];
    *to = comma && !digits[1] ? UINT32_MAX : comma ? v[1] : v[0];
    return (size_t)(q - p) + 1;
}

static void wrap_atom(struct rewriter *w)
{
    ft_buf_room(&w->out, 3);
    memmove(w->out.p + w->atom + 3, w->out.p + w->atom, w->out.n - w->atom);
    memcpy(w->out.p + w->atom, "(?:", 3);
    w->out.n += 3;
    ft_buf_putc(&w->out, ')');
}

/* What may follow an atom. In Ruby a{2,3}+ repeats the repetition (in Perl it is possessive), and so does a{2}?. */
static int quantifier(struct rewriter *w)
{
    bool fixed = false;
    unsigned from = 0, to = 0;
    const size_t n = *w->p == '{' ? interval(w->p, w->end, &fixed, &from, &to) : 0;
    if (*w->p == '{' && !n)
        return w->p++, put_literal(w, '{');
    if (w->atom == SIZE_MAX)
        return ft_fail(w->e, FT_DATA, "regex: nothing to repeat");
    w->last.n = 0;
    if (!n) {
        ft_buf_putc(&w->out, *w->p++);
        if (w->p < w->end && (*w->p == '?' || *w->p == '+'))
            ft_buf_putc(&w->out, *w->p++);
    } else {
        if (from > to)
            return refuse(w, "a repetition {n,m} with n greater than m");
        w->p += n;
        ft_buf_printf(&w->out, "{%u", from);
        if (to == UINT32_MAX)
            ft_buf_putc(&w->out, ',');
        else if (to != from)
            ft_buf_printf(&w->out, ",%u", to);
        ft_buf_putc(&w->out, '}');
        if (w->p < w->end && (w->tiktoken ? *w->p == '?' || *w->p == '+' : *w->p == '?' && !fixed))
            ft_buf_putc(&w->out, *w->p++);
    }
    if (w->p < w->end && one_of("*+?", *w->p)) /* a repetition of the repetition */
        wrap_atom(w);
    else if (w->p < w->end && *w->p == '{') {
        if (interval(w->p, w->end, &fixed, &from, &to))
            wrap_atom(w);
    }
    return 0;
}

static int open_group(struct rewriter *w, const char *as, bool look)
{
    if (w->depth == DEPTH - 1)
        return refuse(w, "nesting this deep");
    w->groups[w->depth++] = (struct group){w->out.n, w->o, 0, look};
    w->looks += look;
    w->atom = SIZE_MAX;
    w->last.n = 0;
    ft_buf_putz(&w->out, as);
    return 0;
}

/* At '('. */
static int open_(struct rewriter *w)
{
    const size_t left = (size_t)(w->end - w->p);
    const char *p = w->p;
    static const struct {
        const char *name;
        bool look;
    } kinds[] = {{"(?:", false}, {"(?>", false}, {"(?=", true}, {"(?!", true}, {"(?<=", true}, {"(?<!", true}};
    if (left < 2 || p[1] != '?') {
        if (left > 1 && p[1] == '*')
            return refuse(w, "(*");
        w->p++;
        w->captures++;
        return open_group(w, "(", false);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ft_str_starts((struct ft_str){p, left}, ft_strz(kinds[i].name))) {
            w->p += strlen(kinds[i].name);
            return open_group(w, kinds[i].name, kinds[i].look);
        }
    if (left > 2 && p[2] == '#') { /* a comment */
        const char *close = memchr(p, ')', left);
        if (!close)
            return ft_fail(w->e, FT_DATA, "regex: a comment is not closed");
        w->p = close + 1;
        return 0;
    }
    if (left > 3 && p[2] == '<') {
        const char *q = p + 3;
        while (q < w->end && (((*q | 32) >= 'a' && (*q | 32) <= 'z') || *q == '_' || (q > p + 3 && *q >= '0' && *q <= '9')))
            q++;
        if (q == w->end || *q != '>' || q == p + 3 || q - p > 30)
            return refuse(w, "this group name");
        char as[40];
        snprintf(as, sizeof as, "%.*s", (int)(q - p) + 1, p);
        w->p = q + 1;
        w->names++;
        return open_group(w, as, false);
    }
    struct options o = w->o;
    bool on = true;
    const char *q = p + 2;
    for (; q < w->end && *q != ')' && *q != ':'; q++) {
        if (*q == '-')
            on = false;
        else if (*q == 'i')
            o.i = on;
        else if (*q == 'm' && !w->tiktoken)
            o.m = on;
        else if (*q == 'x')
            o.x = on;
        else
            return refuse(w, "this kind of group or option");
    }
    if (q == w->end)
        return ft_fail(w->e, FT_DATA, "regex: a group is not closed");
    w->p = q + 1;
    if (*q == ':') {
        if (open_group(w, "(?:", false))
            return -1;
    } else { /* in its middle: what follows up to the end of the group is a group of its own, alternatives and all */
        ft_buf_putz(&w->out, "(?:");
        w->groups[w->depth ? w->depth - 1 : DEPTH - 1].extra++;
        w->atom = SIZE_MAX;
        w->last.n = 0;
    }
    w->o = o;
    return 0;
}

static int close_(struct rewriter *w)
{
    if (!w->depth)
        return ft_fail(w->e, FT_DATA, "regex: a bracket is closed that was not opened");
    const struct group *g = &w->groups[--w->depth];
    for (int i = 0; i < g->extra; i++)
        ft_buf_putc(&w->out, ')');
    ft_buf_putc(&w->out, ')');
    w->o = g->outer;
    w->atom = g->begin;
    w->looks -= g->look;
    w->last.n = 0;
    w->p++;
    return 0;
}

static int rewrite(struct rewriter *w)
{
    w->atom = SIZE_MAX;
    w->groups[DEPTH - 1].extra = 0; /* of the outermost level */
    while (w->p < w->end) {
        const char c = *w->p;
        int r = 0, len;
        struct rx_set s;
        if (w->o.x && (c == '#' || one_of(" \t\n\r\f\v", c))) {
            if (c == '#')
                while (w->p < w->end && *w->p != '\n')
                    w->p++;
            w->p += w->p < w->end;
            continue;
        }
        switch (c) {
        case '\\': r = escape(w); break;
        case '[': r = bracket(w, &s, 0) || put_set(w, s) ? -1 : 0; break;
        case '(': r = open_(w); break;
        case ')': r = close_(w); break;
        case '*': case '+': case '?': case '{': r = quantifier(w); break;
        case '|':
            ft_buf_putc(&w->out, *w->p++);
            w->atom = SIZE_MAX;
            w->last.n = 0;
            break;
        case '^': case '$': /* of a line */
            w->atom = w->out.n;
            w->last.n = 0;
            if (w->tiktoken)
                ft_buf_putz(&w->out, c == '^' ? "\\A" : "\\z");
            else
                ft_buf_printf(&w->out, "(?m:%c)", c);
            w->p++;
            break;
        case '.':
            w->atom = w->out.n;
            w->last.n = 0;
            ft_buf_putz(&w->out, w->o.m ? "(?s:.)" : "[^\\x{a}]");
            w->p++;
            break;
        default: {
            const uint32_t ch = ft_utf8_get(w->p, &len);
            w->p += len;
            r = put_literal(w, ch);
        }
        }
        if (r)
            return -1;
    }
    for (int i = 0; i < w->groups[DEPTH - 1].extra; i++)
        ft_buf_putc(&w->out, ')');
    if (w->depth)
        return ft_fail(w->e, FT_DATA, "regex: a bracket is not closed");
    if (w->highest > (w->names ? 0 : w->captures))
        return refuse(w, "a back reference to no group, or by number beside names");
    return 0;
}

int tk_regex_plain(struct ft_str pattern, struct ft_buf *out, struct ft_err *e)
{
    struct rewriter *w = ft_calloc(1, sizeof *w);
    w->p = pattern.p;
    w->end = pattern.p + pattern.n;
    w->e = e;
    const int r = rewrite(w);
    if (!r)
        ft_buf_puts(out, ft_buf_str(&w->out));
    ft_buf_release(&w->out);
    ft_arena_release(&w->mem);
    free(w);
    return r;
}

static struct tk_regex *new(struct ft_str pattern, bool tiktoken, struct ft_err *e)
{
    struct rewriter *w = ft_calloc(1, sizeof *w);
    struct tk_regex *re = NULL;
    pcre2_code *c = NULL;
    int code;
    PCRE2_SIZE at;
    w->p = pattern.p;
    w->end = pattern.p + pattern.n;
    w->tiktoken = tiktoken;
    w->e = e;
    pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
    if (!ctx)
        ft_oom();
    pcre2_set_newline(ctx, PCRE2_NEWLINE_LF);
    if (!rewrite(w)) {
        c = pcre2_compile((PCRE2_SPTR)(w->out.p ? w->out.p : ""), w->out.n,
                          PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK, &code, &at, ctx);
        if (!c) {
            unsigned char why[200];
            pcre2_get_error_message(code, why, sizeof why);
            ft_fail(e, FT_DATA, "regex: %s", (char *)why);
        }
    }
    pcre2_compile_context_free(ctx);
    ft_buf_release(&w->out);
    ft_arena_release(&w->mem);
    free(w);
    if (!c)
        return NULL;
    pcre2_jit_compile(c, PCRE2_JIT_COMPLETE); /* without JIT it is slow, not wrong */
    re = ft_malloc(sizeof *re);
    re->code = c;
    return re;
}

struct tk_regex *tk_regex_new(struct ft_str pattern, struct ft_err *e) { return new(pattern, false, e); }
struct tk_regex *tk_regex_new_tiktoken(struct ft_str pattern, struct ft_err *e) { return new(pattern, true, e); }

void tk_regex_free(struct tk_regex *re)
{
    if (re)
        pcre2_code_free(re->code);
    free(re);
}

struct tk_matcher *tk_matcher_new(void)
{
    struct tk_matcher *m = ft_malloc(sizeof *m);
    m->data = pcre2_match_data_create(4, NULL);
    m->ctx = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(64 << 10, 64 << 20, NULL);
    if (!m->data || !m->ctx || !m->stack)
        ft_oom();
    pcre2_jit_stack_assign(m->ctx, NULL, m->stack);
    return m;
}

void tk_matcher_free(struct tk_matcher *m)
{
    if (!m)
        return;
    pcre2_jit_stack_free(m->stack);
    pcre2_match_context_free(m->ctx);
    pcre2_match_data_free(m->data);
    free(m);
}

int tk_regex_find(const struct tk_regex *re, struct tk_matcher *m, const char *p, size_t n, size_t from,
                  size_t *b, size_t *end, struct ft_err *e)
{
    const int r = pcre2_match(re->code, (PCRE2_SPTR)p, n, from, PCRE2_NO_UTF_CHECK, m->data, m->ctx);
    if (r == PCRE2_ERROR_NOMATCH)
        return 0;
    if (r < 0)
        return ft_fail(e, FT_DATA, "the splitting rule needs more than its limit of %s",
                       r == PCRE2_ERROR_JIT_STACKLIMIT ? "stack" : "steps");
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->data);
    *b = v[0];
    *end = v[1];
    return 1;
}
