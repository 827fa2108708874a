/* jfilterhtml.c -- filters for markup, urls and wrapped text. */
#include "templates/jfilter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

static inline bool given(struct jval v) { return v.tag != J_MISSING; }

/* ---- pprint.pformat, width 80, indent 1, dicts sorted ---- */

/* One line: pprint._safe_repr. */
static void safe_repr(struct jsb *b, struct jval v);

/* Sorts as pprint does: by value where all compare, else by type and identity,
 * which here is the order of insertion. */
static uint32_t *sorted_keys(struct jrt *rt, const struct jdict *d)
{
    bool strings = true, numbers = true;
    for (uint32_t i = 0; i < d->n; i++) {
        strings &= d->e[i].k.tag == J_STR;
        numbers &= ft_jis_num(d->e[i].k);
    }
    if (strings || numbers)
        return ft_jsort_keys(rt, d);
    struct jval *types = J_NEWS(rt, struct jval, d->n);
    for (uint32_t i = 0; i < d->n; i++)
        types[i] = ft_jstrv(ft_jstr_z(rt, ft_jtype(d->e[i].k)));
    return ft_jsort(rt, types, d->n, false);
}

static void safe_repr(struct jsb *b, struct jval v)
{
    const size_t from = b->n;
    ft_jstack(b->rt);
    if (v.tag == J_DICT) {
        const uint32_t *order = sorted_keys(b->rt, v.d);
        ft_jsb_putc(b, '{');
        for (uint32_t i = 0; i < v.d->n; i++) {
            if (i)
                ft_jsb_putz(b, ", ");
            safe_repr(b, v.d->e[order[i]].k);
            ft_jsb_putz(b, ": ");
            safe_repr(b, v.d->e[order[i]].v);
        }
        ft_jsb_putc(b, '}');
        ft_jsb_under(b, from, v.d->leaf, FT_SPAN_STRUCT);
    } else if (v.tag == J_LIST || (v.tag == J_TUPLE && !v.q->group)) {
        ft_jsb_putc(b, v.tag == J_LIST ? '[' : '(');
        for (uint32_t i = 0; i < v.q->n; i++) {
            if (i)
                ft_jsb_putz(b, ", ");
            safe_repr(b, v.q->v[i]);
        }
        if (v.tag == J_TUPLE && v.q->n == 1)
            ft_jsb_putc(b, ',');
        ft_jsb_putc(b, v.tag == J_LIST ? ']' : ')');
        ft_jsb_under(b, from, v.q->leaf, FT_SPAN_STRUCT);
    } else {
        ft_jsb_repr(b, v);
    }
}

struct pretty {
    struct jsb b;
    struct jrt *rt;
};
static void format(struct pretty *p, struct jval v, int64_t indent, int64_t allowance, int level);

static void spaces(struct pretty *p, int64_t n) { ft_jsb_fill(&p->b, ' ', n > 0 ? (size_t)n : 0); }

static void items(struct pretty *p, const struct jval *v, uint32_t n, int64_t indent, int64_t allowance, int level)
{
    indent += 1;
    for (uint32_t i = 0; i < n; i++) {
        if (i) {
            ft_jsb_putz(&p->b, ",\n");
            spaces(p, indent);
        }
        format(p, v[i], indent, i + 1 == n ? allowance : 1, level);
    }
}

/* pprint._pprint_str: lines of words, each a literal. */
static void long_str(struct pretty *p, struct jstr *s, int64_t indent, int64_t allowance, int level)
{
    const struct jval lines = ft_jstr_lines(p->rt, s, true);
    struct jvec chunks = {0};
    if (level == 1) {
        indent += 1;
        allowance += 1;
    }
    const int64_t max0 = 80 - indent;
    int64_t max = max0;
    struct jstr *rep = NULL;
    for (uint32_t i = 0; i < lines.q->n; i++) {
        struct jstr *line = lines.q->v[i].s;
        rep = ft_jrepr(p->rt, ft_jstrv(line));
        const bool last_line = i + 1 == lines.q->n;
        if (last_line)
            max -= allowance;
        if (ft_jchars(rep) <= max) {
            ft_jvec_put(p->rt, &chunks, ft_jstrv(rep));
            continue;
        }
        /* \S*\s* pieces, the empty one at the end dropped */
        struct jvec parts = {0};
        size_t at = 0;
        while (at < line->n) {
            size_t j = at;
            int len;
            while (j < line->n && !ft_jspace(ft_utf8_get(line->p + j, &len)))
                j += (size_t)len;
            while (j < line->n && ft_jspace(ft_utf8_get(line->p + j, &len)))
                j += (size_t)len;
            ft_jvec_put(p->rt, &parts, ft_jstrv(ft_jstr_cut(p->rt, line, at, j - at, false)));
            at = j;
        }
        int64_t max2 = max;
        struct jstr *current = ft_jstr_ref(p->rt, "", 0);
        for (size_t j = 0; j < parts.n; j++) {
            struct jstr *candidate = ft_jstr_cat(p->rt, current, parts.v[j].s);
            if (j + 1 == parts.n && last_line)
                max2 -= allowance;
            if (ft_jchars(ft_jrepr(p->rt, ft_jstrv(candidate))) > max2) {
                if (current->n)
                    ft_jvec_put(p->rt, &chunks, ft_jstrv(ft_jrepr(p->rt, ft_jstrv(current))));
                current = parts.v[j].s;
            } else {
                current = candidate;
            }
        }
        if (current->n)
            ft_jvec_put(p->rt, &chunks, ft_jstrv(ft_jrepr(p->rt, ft_jstrv(current))));
    }
    if (chunks.n == 1) {
        ft_jsb_str(&p->b, rep);
        return;
    }
    if (level == 1)
        ft_jsb_putc(&p->b, '(');
    for (size_t i = 0; i < chunks.n; i++) {
        if (i) {
            ft_jsb_putc(&p->b, '\n');
            spaces(p, indent);
        }
        ft_jsb_str(&p->b, chunks.v[i].s);
    }
    if (level == 1)
        ft_jsb_putc(&p->b, ')');
}

static void format(struct pretty *p, struct jval v, int64_t indent, int64_t allowance, int level)
{
    struct jsb line;
    ft_jstack(p->rt);
    ft_jsb_init(&line, p->rt, 64);
    safe_repr(&line, v);
    struct jstr *s = ft_jsb_done(&line);
    ft_jstep(p->rt, s->n / 16 + 1);
    if (ft_jchars(s) <= 80 - indent - allowance) {
        ft_jsb_str(&p->b, s);
        return;
    }
    level++;
    if (v.tag == J_DICT) {
        const uint32_t *order = sorted_keys(p->rt, v.d);
        ft_jsb_putc(&p->b, '{');
        for (uint32_t i = 0; i < v.d->n; i++) {
            const struct jent *e = &v.d->e[order[i]];
            if (i) {
                ft_jsb_putz(&p->b, ",\n");
                spaces(p, indent + 1);
            }
            struct jsb k;
            ft_jsb_init(&k, p->rt, 32);
            safe_repr(&k, e->k);
            struct jstr *key = ft_jsb_done(&k);
            ft_jsb_str(&p->b, key);
            ft_jsb_putz(&p->b, ": ");
            format(p, e->v, indent + 1 + ft_jchars(key) + 2, i + 1 == v.d->n ? allowance + 1 : 1, level);
        }
        ft_jsb_putc(&p->b, '}');
    } else if (v.tag == J_LIST || (v.tag == J_TUPLE && !v.q->group)) {
        const bool one = v.tag == J_TUPLE && v.q->n == 1;
        ft_jsb_putc(&p->b, v.tag == J_LIST ? '[' : '(');
        items(p, v.q->v, v.q->n, indent, allowance + 1 + one, level);
        ft_jsb_putz(&p->b, v.tag == J_LIST ? "]" : one ? ",)" : ")");
    } else if (v.tag == J_STR && !v.s->markup && v.s->n) {
        long_str(p, v.s, indent, allowance, level);
    } else {
        ft_jsb_str(&p->b, s);
    }
}

J_FILTER(pprint)
{
    struct pretty p = {.rt = rt};
    ft_jbind(rt, "do_pprint", "", 1, a, NULL);
    ft_jsb_init(&p.b, rt, 64);
    format(&p, v, 0, 0, 0);
    return ft_jstrv(ft_jsb_done(&p.b));
}

J_FILTER(striptags)
{
    ft_jbind(rt, "do_striptags", "", 1, a, NULL);
    return ft_jstrv(ft_jstriptags(rt, ft_jstr_of(rt, v)));
}
J_FILTER(urlize)
{
    (void)v, (void)a;
    ft_jraise(rt, J_LIMIT, "the filter 'urlize' is not supported");
}
J_FILTER(wordwrap)
{
    (void)v, (void)a;
    ft_jraise(rt, J_LIMIT, "the filter 'wordwrap' is not supported");
}

/* urllib.parse.quote: letters, digits and _.-~ stay, and "/" where safe. */
static void quote(struct jsb *b, const struct jstr *s, bool qs)
{
    ft_jstep(b->rt, s->n / 16 + 1);
    for (size_t i = 0; i < s->n; i++) {
        const unsigned char c = (unsigned char)s->p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("_.-~", c)) || (c == '/' && !qs)) {
            ft_jsb_cut(b, s, i, 1);
            continue;
        }
        const size_t at = b->n;
        if (qs && c == ' ')
            ft_jsb_putc(b, '+');
        else
            ft_jsb_printf(b, "%%%02X", c);
        ft_jsb_mark(b, at, s, i);
    }
}

J_FILTER(urlencode)
{
    ft_jbind(rt, "do_urlencode", "", 1, a, NULL);
    struct jsb b;
    ft_jsb_init(&b, rt, 64);
    if (v.tag == J_STR || !ft_jiterable(v)) {
        quote(&b, ft_jstr_of(rt, v), false);
        return ft_jstrv(ft_jsb_done(&b));
    }
    struct jval item, kv[2];
    struct jiter *it = ft_jiter(rt, v.tag == J_DICT ? (struct jval){.tag = J_VIEW, .aux = J_ITEMS, .d = v.d} : v);
    for (bool first = true; ft_jnext(rt, it, &item); first = false) {
        ft_junpack(rt, item, kv, 2);
        if (!first)
            ft_jsb_putc(&b, '&');
        quote(&b, ft_jstr_of(rt, kv[0]), true);
        ft_jsb_putc(&b, '=');
        quote(&b, ft_jstr_of(rt, kv[1]), true);
    }
    return ft_jstrv(ft_jsb_done(&b));
}

J_FILTER(xmlattr)
{
    struct jval p[1];
    ft_jbind(rt, "do_xmlattr", "autospace=", 2, a, p);
    struct jsb b;
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag != J_DICT)
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'items'", ft_jtype(v));
    ft_jsb_init(&b, rt, 64);
    const bool space = !given(p[0]) || ft_jtrue(rt, p[0]);
    bool first = true;
    for (uint32_t i = 0; i < v.d->n; i++) {
        const struct jent *e = &v.d->e[i];
        if (e->v.tag == J_NONE || e->v.tag == J_UNDEF)
            continue;
        if (e->k.tag != J_STR)
            ft_jraise(rt, J_TYPE, "expected string or bytes-like object, got '%s'", ft_jtype(e->k));
        for (uint32_t k = 0; k < e->k.s->n; k++)
            if (strchr(" \t\n\r\f\v/>=", e->k.s->p[k]))
                ft_jraise(rt, J_VALUE, "Invalid character in attribute name: %s", ft_jrepr_z(rt, e->k));
        if (!first || space)
            ft_jsb_putc(&b, ' ');
        first = false;
        ft_jsb_str(&b, ft_jstr_escape(rt, e->k.s));
        ft_jsb_putz(&b, "=\"");
        ft_jsb_str(&b, ft_jstr_escape(rt, ft_jsoft(rt, e->v)));
        ft_jsb_putc(&b, '"');
    }
    return ft_jstrv(ft_jstr_as(rt, ft_jsb_done(&b), rt->autoescape));
}

struct jstr *ft_jhtml_unescape(struct jrt *rt, struct jstr *s)
{
    (void)rt;
    return s;
}

/* Markup.striptags */
struct jstr *ft_jstriptags(struct jrt *rt, struct jstr *s)
{
    struct jsb b;
    const char *p = s->p, *end = s->p + s->n;
    ft_jsb_init(&b, rt, s->n);
    for (;;) {
        const char *lt = memchr(p, '<', (size_t)(end - p)), *gt;
        if (!lt)
            break;
        if (end - lt >= 4 && memcmp(lt, "<!--", 4) == 0) {
            gt = memmem(lt + 4, (size_t)(end - lt - 4), "-->", 3);
            if (gt)
                gt += 3;
        } else {
            gt = memchr(lt, '>', (size_t)(end - lt));
            if (gt)
                gt++;
        }
        if (!gt)
            break;
        ft_jsb_cut(&b, s, (size_t)(p - s->p), (size_t)(lt - p));
        p = gt;
    }
    ft_jsb_cut(&b, s, (size_t)(p - s->p), (size_t)(end - p));
    const struct jval words = ft_jstr_split(rt, ft_jsb_done(&b), NULL, -1, false);
    return ft_jhtml_unescape(rt, ft_jstr_join(rt, ft_jstr_ref(rt, " ", 1), words.q->v, words.q->n, false));
}
