/* From Oniguruma's syntax to PCRE2's: the walk over a pattern, escapes, repetitions. */
#include "tokenizer/regex_syntax.h"

#include <stdlib.h>

#include "tokenizer/regex_rewrite.h"

/* At a backslash, outside of brackets. */
static int escape(struct rx_rewriter *w)
{
    struct ft_buf codes = {0};
    struct rx_set s;
    int r = rx_escaped(&w->r, false, &codes);
    for (size_t i = 0; r > 0 && i < codes.n; i += sizeof(uint32_t)) {
        uint32_t c;
        memcpy(&c, codes.p + i, sizeof c);
        rx_literal(w, c);
    }
    ft_buf_release(&codes);
    if (r)
        return r < 0 ? -1 : 0;
    rx_flush(w);
    const char k = w->r.p[1];
    r = rx_escaped_set(&w->r, false, &s);
    if (r)
        return r < 0 ? -1 : rx_put_set(w, s);
    w->atom = w->out.n;
    w->r.p += 2;
    switch (k) {
    case 'b': case 'B': {
        struct ft_buf b = {0};
        rx_set_put(rx_word(&w->r), &b);
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
            return rx_refuse(&w->r, "\\K in a look-around");
        ft_buf_putz(&w->out, "\\K");
        return 0;
    case 'R':
        ft_buf_putz(&w->out, "(?>\\x{d}\\x{a}|[\\x{a}-\\x{d}\\x{85}\\x{2028}\\x{2029}])");
        return 0;
    case 'N': case 'O':
        ft_buf_putz(&w->out, k == 'N' ? "[^\\x{a}]" : "(?s:.)");
        return 0;
    case 'k': case 'g':
        return rx_reference(w, k == 'g');
    default:
        if (k >= '1' && k <= '9') {
            const char *q = w->r.p - 1;
            int n = 0;
            while (q < w->r.end && *q >= '0' && *q <= '9' && n < 1000)
                n = n * 10 + (*q++ - '0');
            if (w->r.o.i)
                return rx_refuse(&w->r, "a back reference without regard to case");
            w->r.p = q;
            w->refers = w->numbered = true;
            w->highest = n > w->highest ? n : w->highest;
            ft_buf_printf(&w->out, "\\g{%d}", n);
            return 0;
        }
        return ft_fail(w->r.e, FT_DATA, "regex: the escape \\%c is not supported", k);
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

static void wrap_atom(struct rx_rewriter *w)
{
    ft_buf_room(&w->out, 3);
    memmove(w->out.p + w->atom + 3, w->out.p + w->atom, w->out.n - w->atom);
    memcpy(w->out.p + w->atom, "(?:", 3);
    w->out.n += 3;
    ft_buf_putc(&w->out, ')');
}

bool rx_repeats(const struct rx_rewriter *w, const char *p)
{
    bool fixed;
    unsigned from, to;
    return p < w->r.end && (rx_one_of("*+?", *p) || (*p == '{' && interval(p, w->r.end, &fixed, &from, &to)));
}

/* What may follow an atom. In Ruby a{2,3}+ repeats the repetition (in Perl it is possessive), and so does a{2}?. a{3,1} is a{1,3},
 * possessive. */
static int quantifier(struct rx_rewriter *w)
{
    const char *const end = w->r.end;
    bool fixed = false;
    unsigned from = 0, to = 0;
    const size_t n = *w->r.p == '{' ? interval(w->r.p, end, &fixed, &from, &to) : 0;
    if (*w->r.p == '{' && !n)
        return w->r.p++, rx_literal(w, '{'), 0;
    if (w->atom == SIZE_MAX)
        return ft_fail(w->r.e, FT_DATA, "regex: nothing to repeat");
    if (n && from == 1 && to == 1 && !rx_repeats(w, w->r.p + n)) /* as if it were not there */
        return w->r.p += n, 0;
    if (w->run.n) { /* of the last character alone */
        uint32_t last;
        w->run.n -= sizeof last;
        memcpy(&last, w->run.p + w->run.n, sizeof last);
        rx_flush(w);
        ft_buf_put(&w->run, (const char *)&last, sizeof last);
        rx_flush(w);
    }
    if (!n) {
        ft_buf_putc(&w->out, *w->r.p++);
        if (w->r.p < end && (*w->r.p == '?' || *w->r.p == '+'))
            ft_buf_putc(&w->out, *w->r.p++);
    } else {
        const bool turned = from > to;
        if (turned && w->tiktoken)
            return ft_fail(w->r.e, FT_DATA, "regex: a repetition {n,m} with n greater than m");
        w->r.p += n;
        ft_buf_printf(&w->out, "{%u", turned ? to : from);
        if (to == UINT32_MAX)
            ft_buf_putc(&w->out, ',');
        else if (to != from)
            ft_buf_printf(&w->out, ",%u", turned ? from : to);
        ft_buf_putz(&w->out, turned ? "}+" : "}");
        if (w->r.p < end && !turned && (w->tiktoken ? *w->r.p == '?' || *w->r.p == '+' : *w->r.p == '?' && !fixed))
            ft_buf_putc(&w->out, *w->r.p++);
    }
    if (rx_repeats(w, w->r.p)) /* a repetition of the repetition */
        wrap_atom(w);
    return 0;
}

static int rewrite(struct rx_rewriter *w)
{
    w->atom = SIZE_MAX;
    while (w->r.p < w->r.end) {
        const char c = *w->r.p;
        int r = 0, len;
        if (w->r.o.x && (c == '#' || rx_one_of(" \t\n\r\f\v", c))) {
            if (c == '#')
                while (w->r.p < w->r.end && *w->r.p != '\n')
                    w->r.p++;
            w->r.p += w->r.p < w->r.end;
            continue;
        }
        switch (c) {
        case '\\': r = escape(w); break;
        case '[': r = rx_put_bracket(w); break;
        case '(': r = rx_open(w); break;
        case ')': r = rx_close(w); break;
        case '*': case '+': case '?': case '{': r = quantifier(w); break;
        case '|':
            rx_flush(w);
            ft_buf_putc(&w->out, *w->r.p++);
            w->atom = SIZE_MAX;
            break;
        case '^': case '$': /* of a line */
            rx_flush(w);
            w->atom = w->out.n;
            if (w->tiktoken)
                ft_buf_putz(&w->out, c == '^' ? "\\A" : "\\z");
            else
                ft_buf_printf(&w->out, "(?m:%c)", c);
            w->r.p++;
            break;
        case '.':
            rx_flush(w);
            w->atom = w->out.n;
            ft_buf_putz(&w->out, w->r.o.m ? "(?s:.)" : "[^\\x{a}]");
            w->r.p++;
            break;
        default: {
            const uint32_t ch = ft_utf8_get(w->r.p, &len);
            w->r.p += len;
            rx_literal(w, ch);
        }
        }
        if (r)
            return -1;
    }
    rx_flush(w);
    for (int i = 0; i < w->groups[RX_DEPTH - 1].extra; i++) /* of the outermost level */
        ft_buf_putc(&w->out, ')');
    if (w->depth)
        return ft_fail(w->r.e, FT_DATA, "regex: a bracket is not closed");
    if (w->highest > w->r.captures || (w->numbered && w->n_names))
        return ft_fail(w->r.e, FT_DATA, "regex: a reference to no group, or by number beside names");
    if (w->calls && w->refers) /* what a call caught stays caught there, not here */
        return rx_refuse(&w->r, "a call of a group beside a reference to one");
    return 0;
}

int rx_plain(struct ft_str pattern, bool tiktoken, struct ft_buf *out, struct ft_err *e)
{
    struct rx_rewriter *w = ft_calloc(1, sizeof *w);
    w->r.p = pattern.p;
    w->r.end = pattern.p + pattern.n;
    w->r.e = e;
    w->tiktoken = tiktoken;
    const int r = rewrite(w);
    if (!r)
        ft_buf_puts(out, ft_buf_str(&w->out));
    ft_buf_release(&w->out);
    ft_buf_release(&w->run);
    ft_arena_release(&w->r.mem);
    free(w);
    return r;
}
