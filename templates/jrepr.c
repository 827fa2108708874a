/* jrepr.c -- str, repr and json.dumps of values, as CPython 3.11 writes them. */
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

/* One member of a container of the data: the container's own bytes end where
 * another container begins. */
static size_t repr_member(struct jsb *b, struct jval v, size_t from, uint32_t leaf)
{
    const bool other = leaf && ft_jval_leaf(v);
    if (other)
        ft_jsb_under(b, from, leaf, FT_SPAN_STRUCT);
    ft_jsb_repr(b, v);
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
            from = repr_member(b, d->e[i].v, from, leaf);
        if (view == J_ITEMS)
            ft_jsb_putc(b, ')');
    }
    return from;
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
            from = repr_member(b, ft_jq(b->rt, v)->v[i], from, v.q->in.leaf);
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
        ft_jstack(b->rt);
        ft_jsb_putz(b, "<Namespace {");
        repr_dict(b, ft_jd(b->rt, v), -1, 0, 0);
        ft_jsb_putz(b, "}>");
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
    size_t n = s->n < 200 ? s->n : 200;
    while (n < s->n && n && ((unsigned char)s->p[n] & 0xc0) == 0x80)
        n--;
    return ft_arena_dup(&rt->arena, s->p, n);
}

/* ---- json.dumps ---- */

struct dump {
    struct jsb b;
    bool ascii, sort;
    struct jstr *indent; /* NULL: on one line */
    struct jstr *item, *key;
    unsigned level;
};

/* The first byte from i on that JSON escapes, or n. */
static size_t plain_until(const char *p, size_t i, size_t n, bool ascii)
{
    const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
    for (; i + 8 <= n; i += 8) {
        uint64_t x;
        memcpy(&x, p + i, 8);
        const uint64_t q = x ^ ones * '"', s = x ^ ones * '\\';
        if ((((x - ones * 0x20) | (q - ones) | (s - ones)) & ~x & high) || (ascii && ((x | (x + ones)) & high)))
            break; /* one of these 8, or the byte behind such a one */
    }
    for (; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        if (c < 0x20 || c == '"' || c == '\\' || (ascii && c >= 0x7f))
            return i;
    }
    return n;
}

static void json_str(struct jsb *b, const struct jstr *s, bool ascii)
{
    size_t from = 0, i = 0;
    ft_jstep(b->rt, s->n / 64 + 1);
    ft_jsb_putc(b, '"');
    while ((i = plain_until(s->p, i, s->n, ascii)) < s->n) {
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        ft_jsb_cut(b, s, from, i - from);
        const size_t at = b->n;
        switch (c) {
        case '"': ft_jsb_putz(b, "\\\""); break;
        case '\\': ft_jsb_putz(b, "\\\\"); break;
        case '\n': ft_jsb_putz(b, "\\n"); break;
        case '\r': ft_jsb_putz(b, "\\r"); break;
        case '\t': ft_jsb_putz(b, "\\t"); break;
        case '\f': ft_jsb_putz(b, "\\f"); break;
        case '\b': ft_jsb_putz(b, "\\b"); break;
        default:
            if (c < 0x10000)
                ft_jsb_printf(b, "\\u%04x", c);
            else
                ft_jsb_printf(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
        }
        ft_jsb_mark(b, at, s, i);
        i += (size_t)len;
        from = i;
    }
    ft_jsb_cut(b, s, from, s->n - from);
    ft_jsb_putc(b, '"');
}

static void json_float(struct jsb *b, double f)
{
    if (isnan(f))
        ft_jsb_putz(b, "NaN");
    else if (isinf(f))
        ft_jsb_putz(b, f > 0 ? "Infinity" : "-Infinity");
    else
        ft_jsb_repr_float(b, f);
}

static void newline(struct dump *d)
{
    ft_jsb_putc(&d->b, '\n');
    for (unsigned i = 0; i < d->level; i++)
        ft_jsb_str(&d->b, d->indent);
}

static void dump(struct dump *d, struct jval v);

static void dump_key(struct dump *d, struct jval k)
{
    struct jsb *b = &d->b;
    switch (k.tag) {
    case J_STR: json_str(b, k.s, d->ascii); return;
    case J_BOOL: ft_jsb_putz(b, k.b ? "\"true\"" : "\"false\""); return;
    case J_NONE: ft_jsb_putz(b, "\"null\""); return;
    case J_INT:
    case J_BIG:
        ft_jsb_putc(b, '"');
        ft_jsb_repr(b, k);
        ft_jsb_putc(b, '"');
        return;
    case J_FLOAT:
        ft_jsb_putc(b, '"');
        json_float(b, k.f);
        ft_jsb_putc(b, '"');
        return;
    default:
        ft_jraise(b->rt, J_TYPE, "keys must be str, int, float, bool or None, not %s", ft_jtype(k));
    }
}

static size_t dump_member(struct dump *d, struct jval v, size_t from, uint32_t leaf)
{
    const bool other = leaf && ft_jval_leaf(v);
    if (other)
        ft_jsb_under(&d->b, from, leaf, FT_SPAN_STRUCT);
    dump(d, v);
    return other ? d->b.n : from;
}

static void dump_dict(struct dump *d, const struct jdict *x)
{
    struct jsb *b = &d->b;
    size_t from = b->n;
    if (!x->n) {
        ft_jsb_putz(b, "{}");
        ft_jsb_under(b, from, x->leaf, FT_SPAN_STRUCT);
        return;
    }
    uint32_t *order = NULL;
    if (d->sort)
        order = ft_jsort_keys(b->rt, x);
    ft_jsb_putc(b, '{');
    d->level++;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct jent *e = &x->e[order ? order[i] : i];
        if (i)
            ft_jsb_str(b, d->item);
        if (d->indent)
            newline(d);
        dump_key(d, e->k);
        ft_jsb_str(b, d->key);
        from = dump_member(d, e->v, from, x->leaf);
    }
    d->level--;
    if (d->indent)
        newline(d);
    ft_jsb_putc(b, '}');
    ft_jsb_under(b, from, x->leaf, FT_SPAN_STRUCT);
}

static void dump(struct dump *d, struct jval v)
{
    struct jsb *b = &d->b;
    ft_jstep(b->rt, 1);
    switch (v.tag) {
    case J_NONE: ft_jsb_putz(b, "null"); return;
    case J_BOOL: ft_jsb_putz(b, v.b ? "true" : "false"); return;
    case J_INT:
    case J_BIG: ft_jsb_repr(b, v); return;
    case J_FLOAT: json_float(b, v.f); return;
    case J_STR: json_str(b, v.s, d->ascii); return;
    case J_LIST:
    case J_TUPLE: {
        size_t from = b->n;
        ft_jstack(b->rt);
        ft_jsb_putc(b, '[');
        d->level++;
        for (uint32_t i = 0; i < ft_jq(b->rt, v)->n; i++) {
            if (i)
                ft_jsb_str(b, d->item);
            if (d->indent)
                newline(d);
            from = dump_member(d, ft_jq(b->rt, v)->v[i], from, v.q->in.leaf);
        }
        d->level--;
        if (d->indent && ft_jq(b->rt, v)->n)
            newline(d);
        ft_jsb_putc(b, ']');
        ft_jsb_under(b, from, v.q->in.leaf, FT_SPAN_STRUCT);
        return;
    }
    case J_DICT:
        ft_jstack(b->rt);
        dump_dict(d, ft_jd(b->rt, v));
        return;
    default: ft_jraise(b->rt, J_TYPE, "Object of type %s is not JSON serializable", ft_jtype(v));
    }
}

struct jval ft_jtojson(struct jrt *rt, struct jval v, bool ascii, struct jval indent, struct jval separators, bool sort)
{
    struct dump d = {.ascii = ascii, .sort = sort};
    struct jval pair[2] = {ft_jnone(), ft_jnone()};
    if (separators.tag != J_NONE)
        ft_junpack(rt, separators, pair, 2);
    if (v.tag == J_STR) /* the encoder looks at indent only when there is something to indent */
        indent = ft_jnone();
    if (indent.tag == J_STR) {
        d.indent = indent.s;
    } else if (indent.tag != J_NONE) {
        /* json.dumps: ' ' * indent; a negative one gives newlines alone */
        if (indent.tag == J_UNDEF)
            ft_jundef_raise(rt, indent);
        if (!ft_jis_int(indent))
            ft_jraise(rt, J_TYPE, "can't multiply sequence by non-int of type '%s'", ft_jtype(indent));
        const int64_t n = ft_jindex(rt, indent);
        if (n > 1 << 20)
            ft_jlimit_memory(rt);
        char *p = ft_jalloc(rt, n > 0 ? (size_t)n : 0);
        if (n > 0)
            memset(p, ' ', (size_t)n);
        d.indent = ft_jstr_ref(rt, p, n > 0 ? (size_t)n : 0);
    }
    d.item = ft_jstr_z(rt, d.indent ? "," : ", ");
    d.key = ft_jstr_z(rt, ": ");
    if (separators.tag != J_NONE) {
        for (int i = 0; i < 2; i++)
            if (pair[i].tag != J_STR)
                ft_jraise(rt, J_TYPE, "make_encoder() argument %d must be str, not %s", i + 5, ft_jtype(pair[1 - i]));
        d.item = pair[0].s;
        d.key = pair[1].s;
    }
    ft_jsb_init(&d.b, rt, 256);
    dump(&d, v);
    return ft_jstrv(ft_jsb_done(&d.b));
}
