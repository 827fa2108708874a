/* From Oniguruma's syntax to PCRE2's. */
#include "tokenizer/regex_syntax.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 64 };

struct group {
    size_t begin;            /* where it begins in `out` */
    struct rx_options outer; /* options behind it */
    int extra;               /* brackets to close before it: an option in its middle opens one */
    bool behind, look;
};

struct rewriter {
    struct rx_reader r;
    struct ft_buf out;
    size_t atom; /* where the last atom begins in `out`; SIZE_MAX: there is none to repeat */
    struct group groups[DEPTH];
    int depth, looks, behinds; /* groups open: of all kinds, look-arounds, look-behinds */
    int plain;                 /* open groups that are as if they were not there */
    int highest;               /* back reference */
    bool refers, calls, numbered;
    struct ft_str *names;
    size_t n_names;
    struct ft_buf run; /* characters without regard to case that follow each other */
    bool tiktoken;     /* the pattern is in that one's syntax */
};

static bool one_of(const char *set, char c) { return c && strchr(set, c); }

/* ---- characters ---- */

static struct rx_set cases(struct rewriter *w, uint32_t c)
{
    return rx_set_cases(&w->r.mem, rx_set_char(&w->r.mem, c, c));
}

static void put_char(struct rewriter *w, uint32_t c)
{
    if (c >= RX_NEVER)
        ft_buf_putz(&w->out, "(?!)");
    else
        ft_buf_printf(&w->out, "\\x{%x}", (unsigned)c);
}

static void put_cases(struct rewriter *w, uint32_t c)
{
    const struct rx_set s = cases(w, c);
    if (s.n == 1 && s.v[0].a == s.v[0].b)
        put_char(w, s.v[0].a);
    else
        rx_set_put(s, &w->out);
}

/* The letters that are the next characters of a run, at most as many as `n`: how many those are, 0. */
static size_t letters_of(struct rewriter *w, const uint32_t *c, size_t n, struct rx_set *out)
{
    size_t best = 0;
    struct rx_set like[3] = {{0}};
    for (size_t i = 0; i < 3 && i < n; i++)
        like[i] = cases(w, c[i]);
    for (size_t i = 0; i < rx_several_count(); i++) {
        uint32_t letter, to[3];
        const size_t k = rx_several_of(i, &letter, to);
        size_t same = 0;
        while (k <= n && same < k && rx_set_has(like[same], to[same]))
            same++;
        if (same < k || k < best)
            continue;
        if (k > best)
            *out = (struct rx_set){0};
        best = k;
        *out = rx_set_or(&w->r.mem, *out, rx_set_char(&w->r.mem, letter, letter));
    }
    return best;
}

static size_t fold(uint32_t c, uint32_t to[3])
{
    for (size_t i = 0; i < rx_several_count(); i++) {
        uint32_t letter;
        const size_t k = rx_several_of(i, &letter, to);
        if (letter == c)
            return k;
    }
    return 0;
}

/* The run so far. Where some of its characters are also one letter, the longest such stretch is
 * either; where a character is also several, it is either (not in a look-behind; tiktoken's engine
 * knows neither). */
static void flush(struct rewriter *w)
{
    const size_t n = w->run.n / sizeof(uint32_t);
    uint32_t *c = ft_arena_alloc(&w->r.mem, w->run.n + 1), to[3];
    const bool several = !w->tiktoken && !w->behinds;
    struct rx_set letters;
    if (n)
        memcpy(c, w->run.p, w->run.n);
    w->run.n = 0;
    for (size_t i = 0; i < n;) {
        size_t k = several ? letters_of(w, c + i, n - i, &letters) : 0;
        const size_t parts = k || !several ? 0 : fold(c[i], to);
        if (k || parts)
            ft_buf_putz(&w->out, "(?:");
        w->atom = w->out.n;
        for (size_t x = 0; x < (k ? k : 1); x++)
            put_cases(w, c[i + x]);
        if (k || parts) {
            w->atom -= 3;
            ft_buf_putc(&w->out, '|');
            if (k)
                rx_set_put(letters, &w->out);
            for (size_t x = 0; x < parts; x++)
                put_cases(w, to[x]);
            ft_buf_putc(&w->out, ')');
        }
        i += k ? k : 1;
    }
}

static void literal(struct rewriter *w, uint32_t c)
{
    if (w->r.o.i && c < RX_NEVER) {
        ft_buf_put(&w->run, (const char *)&c, sizeof c);
        w->atom = w->out.n; /* of the last one, once it is flushed */
        return;
    }
    flush(w);
    w->atom = w->out.n;
    put_char(w, c);
}

static int put_set(struct rewriter *w, struct rx_set s)
{
    flush(w);
    w->atom = w->out.n;
    rx_set_put(s, &w->out);
    return 0;
}

static int put_bracket(struct rewriter *w)
{
    struct rx_set s, several;
    bool more = false;
    flush(w);
    if (rx_bracket(&w->r, &s, &several))
        return -1;
    w->atom = w->out.n;
    for (size_t i = 0; several.n && !w->tiktoken && i < rx_several_count(); i++) {
        uint32_t letter, to[3];
        const size_t k = rx_several_of(i, &letter, to);
        if (!rx_set_has(several, letter))
            continue;
        if (!more) {
            ft_buf_putz(&w->out, "(?:");
            rx_set_put(s, &w->out);
        }
        more = true;
        ft_buf_putc(&w->out, '|');
        for (size_t x = 0; x < k; x++)
            put_cases(w, to[x]);
    }
    if (more)
        ft_buf_putc(&w->out, ')');
    else
        rx_set_put(s, &w->out);
    return 0;
}

/* ---- escapes ---- */

static int name_index(struct rewriter *w, struct ft_str name)
{
    int at = -1;
    for (size_t i = 0; i < w->n_names; i++)
        if (ft_str_eq(w->names[i], name))
            at = at < 0 ? (int)i : -2;
    return at;
}

static bool word_char(struct rewriter *w, const char *p, bool first)
{
    int len;
    const uint32_t c = ft_utf8_get(p, &len);
    struct rx_set s = {0};
    rx_set_named(&w->r.mem, FT_STR("\\w"), &s);
    return rx_set_has(s, c) && !(first && c >= '0' && c <= '9');
}

/* <name> or 'name' at p: one past it, NULL when it is none. */
static const char *read_name(struct rewriter *w, const char *p, struct ft_str *out)
{
    const char close = p < w->r.end && *p == '<' ? '>' : '\'', *q = p + 1;
    if (p >= w->r.end || !one_of("<'", *p))
        return NULL;
    while (q < w->r.end && *q != close) {
        int len;
        if (!word_char(w, q, q == p + 1))
            return NULL;
        ft_utf8_get(q, &len);
        q += len;
    }
    *out = (struct ft_str){p + 1, (size_t)(q - p) - 1};
    return q < w->r.end && out->n ? q + 1 : NULL;
}

/* <1>, <-1>, '+2' at p: the group's number. */
static const char *read_number(struct rewriter *w, const char *p, bool ahead, int *out)
{
    const char close = p < w->r.end && *p == '<' ? '>' : '\'', *q = p + 1;
    if (w->r.end - p < 3 || !one_of("<'", *p))
        return NULL;
    const char sign = one_of("-+", *q) ? *q++ : 0;
    int n = 0;
    const char *digits = q;
    while (q < w->r.end && q - digits < 4 && *q >= '0' && *q <= '9')
        n = n * 10 + (*q++ - '0');
    if (q == digits || q == w->r.end || *q != close || (sign == '+' && !ahead))
        return NULL;
    *out = sign == '-' ? w->r.captures + 1 - n : sign == '+' ? w->r.captures + n : n;
    return *out > 0 || (*out == 0 && !sign && ahead) ? q + 1 : NULL;
}

/* Behind \k or \g. */
static int reference(struct rewriter *w, bool call)
{
    struct ft_str name;
    int n;
    const char *q = read_number(w, w->r.p, call, &n);
    if (!call && w->r.o.i)
        return rx_refuse(&w->r, "a back reference without regard to case");
    *(call ? &w->calls : &w->refers) = true;
    if (q) {
        w->highest = n > w->highest ? n : w->highest;
        w->numbered = true;
        ft_buf_printf(&w->out, call ? "(?%d)" : "\\g{%d}", n);
    } else {
        q = read_name(w, w->r.p, &name);
        const int i = q ? name_index(w, name) : -1;
        if (i < 0)
            return rx_refuse(&w->r, i == -2 ? "a reference to a name of several groups" : "this reference to a group");
        ft_buf_printf(&w->out, call ? "(?&n%d)" : "\\k<n%d>", i);
    }
    w->r.p = q;
    return 0;
}

/* At a backslash, outside of brackets. */
static int escape(struct rewriter *w)
{
    struct ft_buf codes = {0};
    struct rx_set s;
    int r = rx_escaped(&w->r, false, &codes);
    for (size_t i = 0; r > 0 && i < codes.n; i += sizeof(uint32_t)) {
        uint32_t c;
        memcpy(&c, codes.p + i, sizeof c);
        literal(w, c);
    }
    ft_buf_release(&codes);
    if (r)
        return r < 0 ? -1 : 0;
    flush(w);
    const char k = w->r.p[1];
    r = rx_escaped_set(&w->r, false, &s);
    if (r)
        return r < 0 ? -1 : put_set(w, s);
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
        return reference(w, k == 'g');
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

/* ---- repetitions ---- */

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

static bool repeats(const struct rewriter *w, const char *p)
{
    bool fixed;
    unsigned from, to;
    return p < w->r.end && (one_of("*+?", *p) || (*p == '{' && interval(p, w->r.end, &fixed, &from, &to)));
}

/* What may follow an atom. In Ruby a{2,3}+ repeats the repetition (in Perl it is possessive), and so does a{2}?. a{3,1} is a{1,3},
 * possessive. */
static int quantifier(struct rewriter *w)
{
    const char *const end = w->r.end;
    bool fixed = false;
    unsigned from = 0, to = 0;
    const size_t n = *w->r.p == '{' ? interval(w->r.p, end, &fixed, &from, &to) : 0;
    if (*w->r.p == '{' && !n)
        return w->r.p++, literal(w, '{'), 0;
    if (w->atom == SIZE_MAX)
        return ft_fail(w->r.e, FT_DATA, "regex: nothing to repeat");
    if (n && from == 1 && to == 1 && !repeats(w, w->r.p + n)) /* as if it were not there */
        return w->r.p += n, 0;
    if (w->run.n) { /* of the last character alone */
        uint32_t last;
        w->run.n -= sizeof last;
        memcpy(&last, w->run.p + w->run.n, sizeof last);
        flush(w);
        ft_buf_put(&w->run, (const char *)&last, sizeof last);
        flush(w);
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
    if (repeats(w, w->r.p)) /* a repetition of the repetition */
        wrap_atom(w);
    return 0;
}

/* ---- groups ---- */

static int open_group(struct rewriter *w, const char *as, bool look, bool behind)
{
    flush(w);
    if (w->depth == DEPTH - 1)
        return rx_refuse(&w->r, "nesting this deep");
    w->groups[w->depth++] = (struct group){w->out.n, w->r.o, 0, behind, look};
    w->looks += look;
    w->behinds += behind;
    w->atom = SIZE_MAX;
    ft_buf_putz(&w->out, as);
    return 0;
}

/* Behind "(?:", is what follows up to its bracket characters alone, and not repeated? Oniguruma then makes one run of them and their
 * neighbours. */
static bool is_plain(const struct rewriter *w, const char *p)
{
    int open = 1;
    const char *const begin = p;
    for (; p < w->r.end; p++) {
        if (*p == ')' && (p == begin || repeats(w, p + 1)))
            return false;
        if (*p == ')' && --open == 0)
            return true;
        if (w->r.end - p > 2 && !memcmp(p, "(?:", 3)) {
            open++;
            p += 2;
        } else if (*p != ')' && (one_of("|(?*+{[.^$#", *p) || (*p == '\\' && (w->r.end - p < 2 || !one_of("xutnrfvae-/.", *++p))))) {
            return false;
        }
    }
    return false;
}

static void add_name(struct rewriter *w, struct ft_str name)
{
    struct ft_str *v = FT_NEWS(&w->r.mem, struct ft_str, w->n_names + 1);
    if (w->n_names)
        memcpy(v, w->names, w->n_names * sizeof *v);
    v[w->n_names++] = name;
    w->names = v;
}

/* Behind "(?(": a group's number or name. */
static int condition(struct rewriter *w, const char *p)
{
    char as[40];
    struct ft_str name;
    int n = 0;
    const char *q = p;
    if (q < w->r.end && *q >= '1' && *q <= '9') {
        while (q < w->r.end && *q >= '0' && *q <= '9' && n < 1000)
            n = n * 10 + (*q++ - '0');
        w->numbered = true;
        w->highest = n > w->highest ? n : w->highest;
        snprintf(as, sizeof as, "(?(%d)", n);
    } else if ((q = read_name(w, p, &name))) {
        const int i = name_index(w, name);
        if (i < 0)
            return rx_refuse(&w->r, "this condition");
        snprintf(as, sizeof as, "(?(<n%d>)", i);
    }
    if (!q || q == p || q == w->r.end || *q != ')')
        return rx_refuse(&w->r, "this condition");
    w->refers = true;
    w->r.p = q + 1;
    return open_group(w, as, false, false);
}

/* Behind "(?": letters of options. */
static int options(struct rewriter *w, const char *q)
{
    struct rx_options o = w->r.o;
    bool on = true;
    for (; q < w->r.end && *q != ')' && *q != ':'; q++) {
        bool *of = *q == 'i' ? &o.i : *q == 'x' ? &o.x : w->tiktoken ? NULL : *q == 'm' ? &o.m : *q == 'W' ? &o.w : *q == 'D' ? &o.d
                 : *q == 'S' ? &o.s : *q == 'P' ? &o.p : NULL;
        if (*q == '-' && on)
            on = false;
        else if (of)
            *of = on;
        else
            return rx_refuse(&w->r, "this kind of group or option");
    }
    if (q == w->r.end)
        return ft_fail(w->r.e, FT_DATA, "regex: a group is not closed");
    w->r.p = q + 1;
    if (*q == ':') {
        if (open_group(w, "(?:", false, false))
            return -1;
    } else { /* in its middle: what follows up to the end of the group is a group of its own, alternatives and all */
        flush(w);
        ft_buf_putz(&w->out, "(?:");
        w->groups[w->depth ? w->depth - 1 : DEPTH - 1].extra++;
        w->atom = SIZE_MAX;
    }
    w->r.o = o;
    return 0;
}

/* At '('. */
static int open_(struct rewriter *w)
{
    const size_t left = (size_t)(w->r.end - w->r.p);
    const char *p = w->r.p;
    static const struct {
        const char *name;
        bool look, behind;
    } kinds[] = {{"(?:", false, false}, {"(?>", false, false}, {"(?=", true, false}, {"(?!", true, false}, {"(?<=", true, true},
                 {"(?<!", true, true}};
    if (left < 2 || p[1] != '?') {
        if (left > 1 && p[1] == '*')
            return rx_refuse(&w->r, "(*");
        w->r.p++;
        w->r.captures++;
        return open_group(w, "(", false, false);
    }
    if (w->r.o.i && left > 3 && p[2] == ':' && is_plain(w, p + 3)) {
        w->r.p += 3;
        w->plain++;
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ft_str_starts((struct ft_str){p, left}, ft_strz(kinds[i].name))) {
            w->r.p += strlen(kinds[i].name);
            return open_group(w, kinds[i].name, kinds[i].look, kinds[i].behind);
        }
    if (left > 2 && p[2] == '#') { /* a comment */
        const char *close = memchr(p, ')', left);
        if (!close)
            return ft_fail(w->r.e, FT_DATA, "regex: a comment is not closed");
        w->r.p = close + 1;
        return 0;
    }
    struct ft_str name;
    const char *q = left > 3 ? read_name(w, p + 2, &name) : NULL;
    if (q) {
        char as[40];
        snprintf(as, sizeof as, "(?<n%zu>", w->n_names);
        add_name(w, name);
        w->r.p = q;
        return open_group(w, as, false, false);
    }
    if (left > 3 && one_of("<'", p[2]))
        return rx_refuse(&w->r, "this group name");
    if (left > 3 && p[2] == '(')
        return condition(w, p + 3);
    return options(w, p + 2);
}

static int close_(struct rewriter *w)
{
    w->r.p++;
    if (w->plain) {
        w->plain--;
        return 0;
    }
    flush(w);
    if (!w->depth)
        return ft_fail(w->r.e, FT_DATA, "regex: a bracket is closed that was not opened");
    const struct group *g = &w->groups[--w->depth];
    for (int i = 0; i < g->extra; i++)
        ft_buf_putc(&w->out, ')');
    ft_buf_putc(&w->out, ')');
    w->r.o = g->outer;
    w->atom = g->begin;
    w->looks -= g->look;
    w->behinds -= g->behind;
    return 0;
}

static int rewrite(struct rewriter *w)
{
    w->atom = SIZE_MAX;
    while (w->r.p < w->r.end) {
        const char c = *w->r.p;
        int r = 0, len;
        if (w->r.o.x && (c == '#' || one_of(" \t\n\r\f\v", c))) {
            if (c == '#')
                while (w->r.p < w->r.end && *w->r.p != '\n')
                    w->r.p++;
            w->r.p += w->r.p < w->r.end;
            continue;
        }
        switch (c) {
        case '\\': r = escape(w); break;
        case '[': r = put_bracket(w); break;
        case '(': r = open_(w); break;
        case ')': r = close_(w); break;
        case '*': case '+': case '?': case '{': r = quantifier(w); break;
        case '|':
            flush(w);
            ft_buf_putc(&w->out, *w->r.p++);
            w->atom = SIZE_MAX;
            break;
        case '^': case '$': /* of a line */
            flush(w);
            w->atom = w->out.n;
            if (w->tiktoken)
                ft_buf_putz(&w->out, c == '^' ? "\\A" : "\\z");
            else
                ft_buf_printf(&w->out, "(?m:%c)", c);
            w->r.p++;
            break;
        case '.':
            flush(w);
            w->atom = w->out.n;
            ft_buf_putz(&w->out, w->r.o.m ? "(?s:.)" : "[^\\x{a}]");
            w->r.p++;
            break;
        default: {
            const uint32_t ch = ft_utf8_get(w->r.p, &len);
            w->r.p += len;
            literal(w, ch);
        }
        }
        if (r)
            return -1;
    }
    flush(w);
    for (int i = 0; i < w->groups[DEPTH - 1].extra; i++) /* of the outermost level */
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
    struct rewriter *w = ft_calloc(1, sizeof *w);
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
