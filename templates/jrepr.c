/* jrepr.c -- str and repr of values, as CPython 3.11 writes them. */
#include <math.h>
#include <stdio.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

void ft_jsb_repr_float(struct jsb *b, double f)
{
    char *p = ft_jsb_room(b, 40);
    if (isnan(f))
        ft_jcopy(p, "nan", 4), b->n += 3;
    else
        b->n += (size_t)ft_real_repr(p, f);
}

static void put_int(struct jsb *b, int64_t i)
{
    char tmp[24];
    int at = 24;
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    do
        tmp[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (i < 0)
        tmp[--at] = '-';
    ft_jsb_put(b, tmp + at, (size_t)(24 - at));
}

/* Copies what needs no escape in one piece, marks escapes as changed. */
void ft_jsb_repr_str(struct jsb *b, const struct jstr *s, bool ascii)
{
    const bool single = memchr(s->p, '\'', s->n) && !memchr(s->p, '"', s->n);
    const char quote = single ? '"' : '\'';
    size_t from = 0, i = 0;
    ft_jstep(b->rt, s->n / 64 + 1);
    ft_jsb_putc(b, quote);
    while (i < s->n) {
        const unsigned char ch = (unsigned char)s->p[i];
        if (ch >= 0x20 && ch < 0x7f && ch != '\\' && ch != (unsigned char)quote) {
            i++;
            continue;
        }
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        if (c >= 0x80 && !ascii && ft_juni_is(c, J_PRINTABLE)) {
            i += (size_t)len;
            continue;
        }
        ft_jsb_cut(b, s, from, i - from);
        const size_t at = b->n;
        switch (c) {
        case '\n': ft_jsb_putz(b, "\\n"); break;
        case '\r': ft_jsb_putz(b, "\\r"); break;
        case '\t': ft_jsb_putz(b, "\\t"); break;
        case '\\': ft_jsb_putz(b, "\\\\"); break;
        default:
            if (c == (unsigned char)quote)
                ft_jsb_printf(b, "\\%c", quote);
            else
                ft_jsb_printf(b, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        }
        ft_jsb_mark(b, at, s, i);
        i += (size_t)len;
        from = i;
    }
    ft_jsb_cut(b, s, from, s->n - from);
    ft_jsb_putc(b, quote);
}

size_t ft_jsb_member(struct jsb *b, struct jval v, size_t from, uint32_t leaf, void (*put)(struct jsb *, struct jval))
{
    const bool other = leaf && ft_jval_leaf(v);
    if (other)
        ft_jsb_under(b, from, leaf, FT_SPAN_STRUCT);
    put(b, v);
    return other ? b->n : from;
}

static size_t repr_dict(struct jsb *b, const struct jdict *d, int view, size_t from, uint32_t leaf)
{
    for (uint32_t i = 0; i < d->n; i++) {
        if (i)
            ft_jsb_putz(b, ", ");
        if (view == J_ITEMS)
            ft_jsb_putc(b, '(');
        if (view != J_VALUES)
            ft_jsb_repr(b, d->e[i].k);
        if (view == J_ITEMS || view < 0)
            ft_jsb_putz(b, view == J_ITEMS ? ", " : ": ");
        if (view != J_KEYS)
            from = ft_jsb_member(b, d->e[i].v, from, leaf, ft_jsb_repr);
        if (view == J_ITEMS)
            ft_jsb_putc(b, ')');
    }
    return from;
}

struct jns_shown {
    const void *ns;
    const struct jns_shown *up;
};

static void repr_namespace(struct jsb *b, struct jval v)
{
    const struct jns_shown me = {v.p, b->rt->showing};
    ft_jstack(b->rt);
    ft_jsb_putz(b, "<Namespace {");
    for (const struct jns_shown *x = me.up; x; x = x->up)
        if (x->ns == me.ns) {
            ft_jsb_putz(b, "...}>");
            return;
        }
    b->rt->showing = &me;
    repr_dict(b, ft_jd(b->rt, v), -1, 0, 0);
    b->rt->showing = me.up;
    ft_jsb_putz(b, "}>");
}

void ft_jsb_repr(struct jsb *b, struct jval v)
{
    size_t from = b->n;
    ft_jstep(b->rt, 1);
    switch (v.tag) {
    case J_MISSING: ft_jsb_putz(b, "missing"); break;
    case J_UNDEF: ft_jsb_putz(b, "Undefined"); break;
    case J_NONE: ft_jsb_putz(b, "None"); break;
    case J_BOOL: ft_jsb_putz(b, v.b ? "True" : "False"); break;
    case J_INT: put_int(b, v.i); break;
    case J_BIG: ft_jsb_str(b, ft_jbig_text(b->rt, v, 10)); break;
    case J_FLOAT: ft_jsb_repr_float(b, v.f); break;
    case J_STR:
        if (v.s->markup)
            ft_jsb_putz(b, "Markup(");
        ft_jsb_repr_str(b, v.s, false);
        if (v.s->markup)
            ft_jsb_putc(b, ')');
        break;
    case J_LIST:
    case J_TUPLE:
        ft_jstack(b->rt);
        ft_jsb_putc(b, v.tag == J_LIST ? '[' : '(');
        for (uint32_t i = 0; i < ft_jq(b->rt, v)->n; i++) {
            if (i)
                ft_jsb_putz(b, ", ");
            from = ft_jsb_member(b, ft_jq(b->rt, v)->v[i], from, v.q->in.leaf, ft_jsb_repr);
        }
        if (v.tag == J_TUPLE && ft_jq(b->rt, v)->n == 1)
            ft_jsb_putc(b, ',');
        ft_jsb_putc(b, v.tag == J_LIST ? ']' : ')');
        ft_jsb_under(b, from, v.q->in.leaf, FT_SPAN_STRUCT);
        break;
    case J_DICT:
        ft_jstack(b->rt);
        ft_jsb_putc(b, '{');
        from = repr_dict(b, ft_jd(b->rt, v), -1, from, v.d->in.leaf);
        ft_jsb_putc(b, '}');
        ft_jsb_under(b, from, v.d->in.leaf, FT_SPAN_STRUCT);
        break;
    case J_VIEW:
        ft_jstack(b->rt);
        ft_jsb_printf(b, "%s([", ft_jtype(v));
        repr_dict(b, ft_jd(b->rt, v), (int)v.aux, 0, 0);
        ft_jsb_putz(b, "])");
        break;
    case J_RANGE:
        ft_jsb_printf(b, "range(%lld, %lld", (long long)v.r->start, (long long)v.r->stop);
        if (v.r->step != 1)
            ft_jsb_printf(b, ", %lld", (long long)v.r->step);
        ft_jsb_putc(b, ')');
        break;
    case J_NS:
        /* Namespace.__repr__: <Namespace {...}> with the attributes */
        repr_namespace(b, v);
        break;
    case J_MACRO: {
        const struct jstr *name = ft_jmacro_name(v.mac);
        ft_jsb_putz(b, "<Macro ");
        if (name)
            ft_jsb_repr_str(b, name, false);
        else
            ft_jsb_putz(b, "anonymous");
        ft_jsb_putc(b, '>');
        break;
    }
    case J_LOOP:
        ft_jsb_printf(b, "<LoopContext %lld/%lld>", (long long)ft_jloop_index(v.loop),
                      (long long)ft_jloop_length(b->rt, v.loop));
        break;
    case J_SELF: ft_jsb_putz(b, "<TemplateReference None>"); break;
    case J_FUNC:
        if (ft_jfunc_repr(v)) {
            ft_jsb_putz(b, ft_jfunc_repr(v));
            break;
        }
        /* fallthrough */
    default:
        /* CPython prints an address, which no test can expect */
        ft_jsb_printf(b, "<%s object>", ft_jtype(v));
    }
}

static void put_str(struct jsb *b, struct jval v)
{
    if (v.tag == J_STR)
        ft_jsb_str(b, v.s);
    else if (v.tag != J_UNDEF)
        ft_jsb_repr(b, v);
}

struct jstr *ft_jrepr(struct jrt *rt, struct jval v)
{
    struct jsb b;
    ft_jsb_init(&b, rt, 64);
    ft_jsb_repr(&b, v);
    return ft_jsb_done(&b);
}

struct jstr *ft_jstr_of(struct jrt *rt, struct jval v)
{
    if (v.tag == J_STR)
        return ft_jstr_as(rt, v.s, false);
    struct jsb b;
    ft_jsb_init(&b, rt, 24);
    put_str(&b, v);
    return ft_jsb_done(&b);
}

struct jstr *ft_jsoft(struct jrt *rt, struct jval v) { return v.tag == J_STR ? v.s : ft_jstr_of(rt, v); }

const char *ft_jrepr_z(struct jrt *rt, struct jval v)
{
    const struct jstr *s = ft_jrepr(rt, v);
    return ft_arena_dup(&rt->arena, s->p, s->n);
}
