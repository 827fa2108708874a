/* jdump.c -- the filter tojson: json.dumps of values, and of data that nothing has looked into. */
#include <math.h>

#include "templates/jiter.h"
#include "templates/jtext.h"

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

/* A UTF-16 unit as a backslash, u and four digits. */
static char *put_unit(char *p, uint32_t unit)
{
    *p++ = '\\';
    *p++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[unit >> shift & 15];
    return p;
}

static void put_units(struct jsb *b, uint32_t c)
{
    char *const from = ft_jsb_room(b, 12), *p = from;
    if (c >= 0x10000) {
        p = put_unit(p, 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    b->n += (size_t)(put_unit(p, c) - from);
}

static void json_str(struct jsb *b, const struct jstr *s, bool ascii)
{
    size_t from = 0, i = 0;
    ft_jstep(b->rt, s->n / 64 + 1);
    ft_jsb_putc(b, '"');
    while ((i = plain_until(s->p, i, s->n, ascii)) < s->n) {
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        ft_jstep(b->rt, 1);
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
        default: put_units(b, c);
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

static void put_separator(struct jsb *b, const struct jstr *s)
{
    if (s->n > 2 || s->leaf) {
        ft_jsb_str(b, s);
        return;
    }
    char *p = ft_jsb_room(b, 2);
    if (s->n)
        p[0] = s->p[0], p[1] = s->p[s->n - 1];
    b->n += s->n;
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
            put_separator(b, d->item);
        if (d->indent)
            newline(d);
        dump_key(d, e->k);
        put_separator(b, d->key);
        from = dump_member(d, e->v, from, x->leaf);
    }
    d->level--;
    if (d->indent)
        newline(d);
    ft_jsb_putc(b, '}');
    ft_jsb_under(b, from, x->leaf, FT_SPAN_STRUCT);
}

/* ---- data as it came ---- */

/* Has the object no name twice? Sure of it only when true. */
static bool names_differ(const struct ft_json *j)
{
    uint64_t seen = 0;
    if (j->n > 32)
        return false;
    for (size_t i = 0; i < j->n; i++) {
        const struct ft_str name = j->members[i].key;
        const uint64_t bit = ft_jname_bit(name);
        for (size_t k = 0; (seen & bit) && k < i; k++)
            if (ft_str_eq(j->members[k].key, name))
                return false;
        seen |= bit;
    }
    return true;
}

/* Is the number as Python writes it? Decimals of up to 15 digits are: they read back, and none shorter does.
 * False only costs time. */
static bool as_written(const struct ft_json *j)
{
    const char *p = j->s.p, *end = p + j->s.n;
    p += p < end && *p == '-';
    if (!j->is_float)
        return end - p <= 18 && (*p != '0' || p == j->s.p); /* -0 is 0 */
    if (end - p > 16)
        return false;
    const char *dot = memchr(p, '.', (size_t)(end - p));
    if (!dot || (end[-1] == '0' && end - dot != 2))
        return false;
    size_t zeros = 0;
    if (*p == '0')
        while (dot + 1 + zeros < end && dot[1 + zeros] == '0')
            zeros++;
    for (const char *q = dot + 1; q < end; q++)
        if (*q < '0' || *q > '9') /* an exponent */
            return false;
    return zeros < 4;
}

static void dump_text(struct dump *d, struct ft_str text, bool plain, uint32_t leaf, uint8_t flags)
{
    struct jstr s = {.p = text.p, .n = (uint32_t)text.n, .chars = J_UNCOUNTED, .leaf = leaf, .flags = flags};
    if (!plain) {
        json_str(&d->b, &s, d->ascii);
        return;
    }
    ft_jstep(d->b.rt, text.n / 64 + 1);
    ft_jsb_putc(&d->b, '"');
    ft_jsb_str(&d->b, &s);
    ft_jsb_putc(&d->b, '"');
}

static void dump_container(struct dump *d, const struct ft_json *j, uint32_t leaf);

/* One value inside `leaf`; a container ends what came before it from *from on. */
static void dump_value(struct dump *d, const struct ft_json *j, uint32_t leaf, size_t *from, uint32_t index, struct ft_str key,
                       uint8_t kind)
{
    struct jsb *b = &d->b;
    struct jrt *rt = b->rt;
    const bool plain = j->raw.n == j->s.n + 2 && !d->ascii; /* as it stands between its quotes */
    ft_jstep(rt, 1);
    switch (j->type) {
    case FT_JSON_NULL: ft_jsb_put(b, "null", 4); return;
    case FT_JSON_FALSE: ft_jsb_put(b, "false", 5); return;
    case FT_JSON_TRUE: ft_jsb_put(b, "true", 4); return;
    case FT_JSON_STRING:
        if (j->s.n >= UINT32_MAX)
            ft_jlimit_memory(rt);
        dump_text(d, j->s, plain, leaf ? ft_jleaf_new(rt, j, leaf, index, key, kind) : 0, 0);
        return;
    case FT_JSON_NUMBER:
        if (as_written(j))
            ft_jsb_put(b, j->s.p, j->s.n);
        else
            dump(d, ft_jfrom_json(rt, j, leaf, index, key, kind));
        return;
    default: break;
    }
    const uint32_t me = leaf ? ft_jleaf_new(rt, j, leaf, index, key, kind) : 0;
    if (leaf)
        ft_jsb_under(b, *from, leaf, FT_SPAN_STRUCT);
    if (j->type == FT_JSON_OBJECT && !names_differ(j))
        dump(d, ft_jfrom_json(rt, j, leaf, index, key, kind));
    else
        dump_container(d, j, me);
    if (leaf)
        *from = b->n;
}

/* An array, or an object whose names differ. */
static void dump_container(struct dump *d, const struct ft_json *j, uint32_t leaf)
{
    struct jsb *b = &d->b;
    const bool object = j->type == FT_JSON_OBJECT;
    size_t from = b->n;
    ft_jstack(b->rt);
    ft_jsb_putc(b, object ? '{' : '[');
    d->level++;
    for (size_t i = 0; i < j->n; i++) {
        if (i)
            put_separator(b, d->item);
        if (d->indent)
            newline(d);
        if (object) {
            const struct ft_json_member *m = &j->members[i];
            dump_text(d, m->key, false, leaf ? ft_jleaf_new(b->rt, &m->value, leaf, 0, m->key, 2) : 0, FT_SPAN_KEY);
            put_separator(b, d->key);
            dump_value(d, &m->value, leaf, &from, 0, m->key, 1);
        } else {
            dump_value(d, &j->items[i], leaf, &from, (uint32_t)i, (struct ft_str){0}, 0);
        }
    }
    d->level--;
    if (d->indent && j->n)
        newline(d);
    ft_jsb_putc(b, object ? '}' : ']');
    ft_jsb_under(b, from, leaf, FT_SPAN_STRUCT);
}

/* ---- values ---- */

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
        if (v.q->in.shut && !d->sort) {
            dump_container(d, v.q->in.shut, v.q->in.leaf);
            return;
        }
        size_t from = b->n;
        ft_jstack(b->rt);
        ft_jsb_putc(b, '[');
        d->level++;
        for (uint32_t i = 0; i < ft_jq(b->rt, v)->n; i++) {
            if (i)
                put_separator(b, d->item);
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
        if (v.d->in.shut && !d->sort && names_differ(v.d->in.shut)) {
            dump_container(d, v.d->in.shut, v.d->in.leaf);
            return;
        }
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
