#include "tokenizer/pattern.h"

#include <stdio.h>

#include "tokenizer/automaton.h"
#include "tokenizer/text.h"

/* Is it (?=(X{n})+(?!X)) or (?=(?:X{n})+(?!X)), X one character of a set? From each digit of a long number a
 * backtracking engine would look to its end. */
static void find_group(struct tk_pattern *p)
{
    struct ft_str s = p->source, x;
    const struct ft_str head[] = {FT_STR("(?=(?:"), FT_STR("(?=(")};
    const int k = ft_str_starts(s, head[0]) ? 0 : 1;
    if (!ft_str_starts(s, head[k]))
        return;
    s.p += head[k].n;
    s.n -= head[k].n;
    const bool named = ft_str_starts(s, FT_STR("\\p{")) || ft_str_starts(s, FT_STR("\\P{"));
    const char *end = named ? memchr(s.p, '}', s.n) : s.n && *s.p == '[' ? memchr(s.p, ']', s.n) : s.n > 1 ? s.p + 1 : NULL;
    if (!end || *s.p == '(')
        return;
    x = (struct ft_str){s.p, (size_t)(end - s.p) + 1};
    char tail[100];
    for (unsigned n = 1; n < 10 && x.n < 40; n++) {
        snprintf(tail, sizeof tail, "%.*s{%u})+(?!%.*s))", (int)x.n, x.p, n, (int)x.n, x.p);
        if (ft_str_is(s, tail))
            p->every = n;
    }
    if (p->every && (*x.p == '[' || (*x.p == '\\' && strchr("dDpPsSwW", x.p[1]))))
        p->group = tk_automaton_new(x);
}

/* Its matches, all empty: in front of each n-th of its characters, counted from the end of a row of them. */
static void cut_group(const struct tk_pattern *pat, struct ft_arena *mem, const char *p, size_t n, struct tk_match **out, size_t *count)
{
    size_t row = 0, k = 0, most = 16;
    struct tk_match *v = ft_arena_alloc(mem, most * sizeof *v);
    for (size_t at = n; at > 0;) {
        const size_t end = at;
        while (at > 0 && ((unsigned char)p[--at] & 0xc0) == 0x80)
            ;
        row = tk_automaton_match(pat->group, p, end, at) == end ? row + 1 : 0;
        if (!row || row % pat->every)
            continue;
        if (k == most) {
            struct tk_match *more = ft_arena_alloc(mem, (most *= 2) * sizeof *v);
            memcpy(more, v, k * sizeof *v);
            v = more;
        }
        v[k++] = (struct tk_match){(uint32_t)at, (uint32_t)at};
    }
    for (size_t i = 0; i < k / 2; i++) {
        const struct tk_match x = v[i];
        v[i] = v[k - 1 - i];
        v[k - 1 - i] = x;
    }
    *out = v;
    *count = k;
}

int tk_pattern_load(const struct ft_json *j, struct ft_arena *mem, struct tk_pattern *out, struct ft_err *e)
{
    const struct ft_json *s = ft_json_get(j, "String"), *r = ft_json_get(j, "Regex"), *own = ft_json_get(j, "ft:tiktoken");
    *out = (struct tk_pattern){0};
    if (s && s->type == FT_JSON_STRING) {
        out->text = (struct ft_str){ft_arena_dup(mem, s->s.p, s->s.n), s->s.n};
        return 0;
    }
    if (!r)
        r = own;
    if (!r || r->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "a pattern is neither String nor Regex");
    out->source = (struct ft_str){ft_arena_dup(mem, r->s.p, r->s.n), r->s.n};
    out->regex = r == own ? tk_regex_new_tiktoken(out->source, e) : tk_regex_new(out->source, e);
    if (!out->regex)
        return -1;
    find_group(out);
    return 0;
}

void tk_pattern_release(struct tk_pattern *p)
{
    tk_regex_free(p->regex);
    p->regex = NULL;
    tk_automaton_free(p->group);
    p->group = NULL;
}

enum { LONG = 1 << 14 };

/* In long text by a table, which bounds the work. */
static bool next_of_table(struct tk_hunt *h, size_t at, size_t *b, size_t *e)
{
    for (int len; at < h->n; at += (size_t)len) {
        const size_t end = tk_hunt_match(h, at);
        if (end > at)
            return *b = at, *e = end, true;
        ft_utf8_get(h->p + at, &len);
    }
    return false;
}

int tk_pattern_find(const struct tk_pattern *pat, struct tk_matcher *m, struct ft_arena *mem, const char *p,
                    size_t n, struct tk_match **out, size_t *count, struct ft_err *err)
{
    struct tk_match *v = NULL;
    size_t k = 0, cap = 0, at = 0;
    if (pat->group)
        return cut_group(pat, mem, p, n, out, count), 0;
    struct tk_hunt far = {.a = pat->regex && n >= LONG ? tk_matcher_table(m, pat->regex, pat->source) : NULL, .p = p, .n = n};
    /* Empty matches count, but not one where the last match ends. */
    while (n && at <= n) {
        size_t b, e;
        if (far.a) {
            if (!next_of_table(&far, at, &b, &e))
                break;
        } else if (pat->regex) {
            const int r = tk_regex_find(pat->regex, m, p, n, at, &b, &e, err);
            if (r < 0)
                return -1;
            if (!r)
                break;
        } else {
            const char *hit = !pat->text.n ? p + at
                              : n - at >= pat->text.n ? memmem(p + at, n - at, pat->text.p, pat->text.n)
                                                      : NULL;
            if (!hit)
                break;
            b = (size_t)(hit - p);
            e = b + pat->text.n;
        }
        if (b == e && k && v[k - 1].e == e) {
            int len = 1;
            if (at < n)
                ft_utf8_get(p + at, &len);
            at += (size_t)len;
            continue;
        }
        at = e;
        if (k == cap) {
            struct tk_match *more = ft_arena_alloc(mem, (cap = cap ? cap * 2 : 16) * sizeof *v);
            if (k)
                memcpy(more, v, k * sizeof *v);
            v = more;
        }
        v[k++] = (struct tk_match){(uint32_t)b, (uint32_t)e};
    }
    tk_hunt_end(&far);
    *out = v;
    *count = k;
    return 0;
}
