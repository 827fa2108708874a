/* jwrap.c -- the filters wordwrap and pprint: textwrap and pprint of Python. */
#include "templates/jfilter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

/* ---- textwrap ---- */

/* A paragraph as code points, with the byte where each begins. */
struct para {
    struct jstr *s;
    uint32_t *c, *at;
    uint32_t n;
};

static bool blank(uint32_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static bool word(uint32_t c) { return c == '_' || ft_juni_is(c, J_ALNUM); }
/* [^\d\W] */
static bool letter(uint32_t c) { return word(c) && !ft_juni_is(c, J_DECIMAL); }
static bool punct(uint32_t c) { return word(c) || (c < 0x80 && c && strchr("!\"'&.,?", (int)c)); }

/* Dashes from i on, two or more and a word behind them. */
static bool em_dash(const struct para *p, uint32_t i)
{
    uint32_t j = i;
    while (j < p->n && p->c[j] == '-')
        j++;
    return j - i >= 2 && j < p->n && word(p->c[j]);
}

/* TextWrapper.wordsep_re at i: where the chunk ends. */
static uint32_t chunk(const struct para *p, uint32_t i, bool hyphens)
{
    uint32_t j = i;
    if (blank(p->c[i])) {
        while (j < p->n && blank(p->c[j]))
            j++;
        return j;
    }
    if (!hyphens) {
        while (j < p->n && !blank(p->c[j]))
            j++;
        return j;
    }
    if (i && punct(p->c[i - 1]) && em_dash(p, i)) {
        while (p->c[j] == '-')
            j++;
        return j;
    }
    for (j = i + 1;; j++) {
        if (j < p->n && p->c[j] == '-') {
            const bool two = j >= 2 && letter(p->c[j - 1]) && letter(p->c[j - 2]);
            const bool one = j >= 3 && letter(p->c[j - 1]) && p->c[j - 2] == '-' && letter(p->c[j - 3]);
            const uint32_t k = j + 1;
            if ((two || one) && k < p->n && letter(p->c[k])) {
                const uint32_t m = k + 1 + (k + 1 < p->n && p->c[k + 1] == '-');
                if ((m < p->n && letter(p->c[m])) || (k + 1 < p->n && letter(p->c[k + 1])))
                    return k;
            }
        }
        if (j >= p->n || blank(p->c[j]))
            return j;
        if (punct(p->c[j - 1]) && em_dash(p, j))
            return j;
    }
}

struct range {
    uint32_t begin, end;
};

/* chunk.strip() == "" */
static bool all_space(const struct para *p, struct range r)
{
    for (uint32_t i = r.begin; i < r.end; i++)
        if (!ft_jspace(p->c[i]))
            return false;
    return true;
}

static void wrap(struct jrt *rt, struct jstr *s, int64_t width, bool break_long, bool hyphens, struct jvec *lines)
{
    struct para p = {.s = s, .n = ft_jchars(s)};
    p.c = J_NEWS(rt, uint32_t, p.n + 1);
    p.at = J_NEWS(rt, uint32_t, p.n + 1);
    uint32_t k = 0;
    for (uint32_t i = 0; i < s->n; k++) {
        int len;
        p.at[k] = i;
        p.c[k] = ft_utf8_get(s->p + i, &len);
        i += (uint32_t)len;
    }
    p.at[p.n] = s->n;
    struct range *ch = J_NEWS(rt, struct range, p.n + 1);
    uint32_t nch = 0;
    for (uint32_t i = 0; i < p.n; nch++) {
        const uint32_t j = chunk(&p, i, hyphens);
        ft_jstep(rt, j - i);
        ch[nch] = (struct range){i, j};
        i = j;
    }
    const size_t before = lines->n;
    for (uint32_t i = 0; i < nch;) {
        if (lines->n > before && all_space(&p, ch[i]))
            i++;
        if (i == nch)
            break;
        struct range line = {ch[i].begin, ch[i].begin}, last = line;
        ft_jstep(rt, 1);
        while (i < nch && (int64_t)(line.end - line.begin) + (ch[i].end - ch[i].begin) <= width) {
            last = ch[i++];
            line.end = last.end;
        }
        if (i < nch && ch[i].end - ch[i].begin > width) {
            const int64_t left = width - (line.end - line.begin);
            if (break_long) {
                uint32_t end = ch[i].begin + (uint32_t)left;
                if (hyphens && ch[i].end - ch[i].begin > left) {
                    uint32_t h = end;
                    while (h > ch[i].begin && p.c[h - 1] != '-')
                        h--;
                    /* h is behind the last hyphen; something else must be before it */
                    bool other = false;
                    for (uint32_t m = ch[i].begin; h > ch[i].begin + 1 && m < h - 1; m++)
                        other |= p.c[m] != '-';
                    if (other)
                        end = h;
                }
                last = (struct range){ch[i].begin, end};
                line.end = ch[i].begin = end;
            } else if (line.end == line.begin) {
                last = ch[i++];
                line.end = last.end;
            }
        }
        if (line.end > line.begin && all_space(&p, last))
            line.end = last.begin;
        if (line.end > line.begin)
            ft_jvec_put(rt, lines, ft_jstrv(ft_jstr_cut(rt, s, p.at[line.begin], p.at[line.end] - p.at[line.begin], true)));
    }
}

J_FILTER(wordwrap)
{
    struct jval p[4];
    ft_jbind(rt, "do_wordwrap", "width= break_long_words= wrapstring= break_on_hyphens=", 2, a, p);
    const struct jval width = p[0].tag == J_MISSING ? ft_jint(79) : p[0];
    const bool break_long = p[1].tag == J_MISSING || ft_jtrue(rt, p[1]), hyphens = p[3].tag == J_MISSING || ft_jtrue(rt, p[3]);
    struct jval sep = p[2].tag == J_MISSING || p[2].tag == J_NONE ? ft_jstrv(ft_jstr_ref(rt, "\n", 1)) : p[2];
    if (sep.tag == J_UNDEF)
        ft_jundef_raise(rt, sep);
    if (sep.tag != J_STR)
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'join'", ft_jtype(sep));
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag != J_STR)
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'splitlines'", ft_jtype(v));
    const struct jval paras = ft_jstr_lines(rt, v.s, false);
    struct jvec out = {0};
    for (uint32_t i = 0; i < ft_jq(rt, paras)->n; i++) {
        struct jvec lines = {0};
        if (!ft_jis_num(width) || ft_jcompare(rt, width, ft_jint(0), J_LE)) {
            if (!ft_jis_num(width))
                ft_jcompare(rt, width, ft_jint(0), J_LE);
            ft_jraise(rt, J_VALUE, "invalid width %s (must be > 0)", ft_jrepr_z(rt, width));
        }
        wrap(rt, ft_jq(rt, paras)->v[i].s, width.tag == J_FLOAT ? (int64_t)width.f : ft_jindex(rt, width), break_long, hyphens, &lines);
        ft_jvec_put(rt, &out, ft_jstrv(ft_jstr_join(rt, sep.s, lines.v, lines.n, false)));
    }
    return ft_jstrv(ft_jstr_join(rt, sep.s, out.v, out.n, false));
}

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
    size_t from = b->n;
    const uint32_t leaf = ft_jval_leaf(v);
    ft_jstack(b->rt);
    if (v.tag == J_DICT) {
        const uint32_t *order = sorted_keys(b->rt, ft_jd(b->rt, v));
        ft_jsb_putc(b, '{');
        for (uint32_t i = 0; i < ft_jd(b->rt, v)->n; i++) {
            if (i)
                ft_jsb_putz(b, ", ");
            safe_repr(b, ft_jd(b->rt, v)->e[order[i]].k);
            ft_jsb_putz(b, ": ");
            from = ft_jsb_member(b, ft_jd(b->rt, v)->e[order[i]].v, from, leaf, safe_repr);
        }
        ft_jsb_putc(b, '}');
        ft_jsb_under(b, from, v.d->in.leaf, FT_SPAN_STRUCT);
    } else if (v.tag == J_LIST || (v.tag == J_TUPLE && !v.q->in.group)) {
        ft_jsb_putc(b, v.tag == J_LIST ? '[' : '(');
        for (uint32_t i = 0; i < ft_jq(b->rt, v)->n; i++) {
            if (i)
                ft_jsb_putz(b, ", ");
            from = ft_jsb_member(b, ft_jq(b->rt, v)->v[i], from, leaf, safe_repr);
        }
        if (v.tag == J_TUPLE && ft_jq(b->rt, v)->n == 1)
            ft_jsb_putc(b, ',');
        ft_jsb_putc(b, v.tag == J_LIST ? ']' : ')');
        ft_jsb_under(b, from, v.q->in.leaf, FT_SPAN_STRUCT);
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
    for (uint32_t i = 0; i < ft_jq(p->rt, lines)->n; i++) {
        struct jstr *line = ft_jq(p->rt, lines)->v[i].s;
        rep = ft_jrepr(p->rt, ft_jstrv(line));
        const bool last_line = i + 1 == ft_jq(p->rt, lines)->n;
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
        const uint32_t *order = sorted_keys(p->rt, ft_jd(p->rt, v));
        ft_jsb_putc(&p->b, '{');
        for (uint32_t i = 0; i < ft_jd(p->rt, v)->n; i++) {
            const struct jent *e = &ft_jd(p->rt, v)->e[order[i]];
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
            format(p, e->v, indent + 1 + ft_jchars(key) + 2, i + 1 == ft_jd(p->rt, v)->n ? allowance + 1 : 1, level);
        }
        ft_jsb_putc(&p->b, '}');
    } else if (v.tag == J_LIST || (v.tag == J_TUPLE && !v.q->in.group)) {
        const bool one = v.tag == J_TUPLE && ft_jq(p->rt, v)->n == 1;
        ft_jsb_putc(&p->b, v.tag == J_LIST ? '[' : '(');
        items(p, ft_jq(p->rt, v)->v, ft_jq(p->rt, v)->n, indent, allowance + 1 + one, level);
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
