/* Groups of a pattern, by number and by name, and what refers to them. */
#include "tokenizer/regex_rewrite.h"

#include <stdio.h>

static int name_index(struct rx_rewriter *w, struct ft_str name)
{
    int at = -1;
    for (size_t i = 0; i < w->n_names; i++)
        if (ft_str_eq(w->names[i], name))
            at = at < 0 ? (int)i : -2;
    return at;
}

static bool word_char(struct rx_rewriter *w, const char *p, bool first)
{
    int len;
    const uint32_t c = ft_utf8_get(p, &len);
    struct rx_set s = {0};
    rx_set_named(&w->r.mem, FT_STR("\\w"), &s);
    return rx_set_has(s, c) && !(first && c >= '0' && c <= '9');
}

/* <name> or 'name' at p: one past it, NULL when it is none. */
static const char *read_name(struct rx_rewriter *w, const char *p, struct ft_str *out)
{
    const char close = p < w->r.end && *p == '<' ? '>' : '\'', *q = p + 1;
    if (p >= w->r.end || !rx_one_of("<'", *p))
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
static const char *read_number(struct rx_rewriter *w, const char *p, bool ahead, int *out)
{
    const char close = p < w->r.end && *p == '<' ? '>' : '\'', *q = p + 1;
    if (w->r.end - p < 3 || !rx_one_of("<'", *p))
        return NULL;
    const char sign = rx_one_of("-+", *q) ? *q++ : 0;
    int n = 0;
    const char *digits = q;
    while (q < w->r.end && q - digits < 4 && *q >= '0' && *q <= '9')
        n = n * 10 + (*q++ - '0');
    if (q == digits || q == w->r.end || *q != close || (sign == '+' && !ahead))
        return NULL;
    *out = sign == '-' ? w->r.captures + 1 - n : sign == '+' ? w->r.captures + n : n;
    return *out > 0 || (*out == 0 && !sign && ahead) ? q + 1 : NULL;
}

int rx_reference(struct rx_rewriter *w, bool call)
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

static int open_group(struct rx_rewriter *w, const char *as, bool look, bool behind)
{
    rx_flush(w);
    if (w->depth == RX_DEPTH - 1)
        return rx_refuse(&w->r, "nesting this deep");
    w->groups[w->depth++] = (struct rx_group){w->out.n, w->r.o, 0, behind, look};
    w->looks += look;
    w->behinds += behind;
    w->atom = SIZE_MAX;
    ft_buf_putz(&w->out, as);
    return 0;
}

/* Behind "(?:", is what follows up to its bracket characters alone, and not repeated? Oniguruma then makes one run of them and their
 * neighbours. */
static bool is_plain(const struct rx_rewriter *w, const char *p)
{
    int open = 1;
    const char *const begin = p;
    for (; p < w->r.end; p++) {
        if (*p == ')' && (p == begin || rx_repeats(w, p + 1)))
            return false;
        if (*p == ')' && --open == 0)
            return true;
        if (w->r.end - p > 2 && !memcmp(p, "(?:", 3)) {
            open++;
            p += 2;
        } else if (*p != ')' && (rx_one_of("|(?*+{[.^$#", *p) || (*p == '\\' && (w->r.end - p < 2 || !rx_one_of("xutnrfvae-/.", *++p))))) {
            return false;
        }
    }
    return false;
}

static void add_name(struct rx_rewriter *w, struct ft_str name)
{
    struct ft_str *v = FT_NEWS(&w->r.mem, struct ft_str, w->n_names + 1);
    if (w->n_names)
        memcpy(v, w->names, w->n_names * sizeof *v);
    v[w->n_names++] = name;
    w->names = v;
}

/* Behind "(?(": a group's number or name. */
static int condition(struct rx_rewriter *w, const char *p)
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
static int options(struct rx_rewriter *w, const char *q)
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
        rx_flush(w);
        ft_buf_putz(&w->out, "(?:");
        w->groups[w->depth ? w->depth - 1 : RX_DEPTH - 1].extra++;
        w->atom = SIZE_MAX;
    }
    w->r.o = o;
    return 0;
}

/* At '('. */
int rx_open(struct rx_rewriter *w)
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
    if (left > 3 && rx_one_of("<'", p[2]))
        return rx_refuse(&w->r, "this group name");
    if (left > 3 && p[2] == '(')
        return condition(w, p + 3);
    return options(w, p + 2);
}

int rx_close(struct rx_rewriter *w)
{
    w->r.p++;
    if (w->plain) {
        w->plain--;
        return 0;
    }
    rx_flush(w);
    if (!w->depth)
        return ft_fail(w->r.e, FT_DATA, "regex: a bracket is closed that was not opened");
    const struct rx_group *g = &w->groups[--w->depth];
    for (int i = 0; i < g->extra; i++)
        ft_buf_putc(&w->out, ')');
    ft_buf_putc(&w->out, ')');
    w->r.o = g->outer;
    w->atom = g->begin;
    w->looks -= g->look;
    w->behinds -= g->behind;
    return 0;
}
