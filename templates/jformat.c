/* jformat.c -- str.format in the sandbox: string.Formatter and its fields. */
#include "templates/jformat.h"

#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

struct formatter {
    struct jrt *rt;
    const struct jargs *args;
    const struct jdict *map; /* format_map, or NULL */
    struct jval mapping;
    bool markup;
    int64_t next; /* automatic numbering; -1: manual */
};

static bool all_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return n > 0;
}

static struct jval index_value(struct jrt *rt, struct jstr *s)
{
    if (!all_digits(s->p, s->n))
        return ft_jstrv(s);
    if (s->n > 18)
        ft_jraise(rt, J_VALUE, "Too many decimal digits in format string");
    int64_t n = 0;
    for (uint32_t i = 0; i < s->n; i++)
        n = n * 10 + (s->p[i] - '0');
    return ft_jint(n);
}

static struct jval get_value(struct formatter *f, struct jval key)
{
    struct jrt *rt = f->rt;
    if (key.tag == J_INT) {
        const uint32_t n = f->args ? f->args->n : 0;
        if (key.i >= n)
            ft_jraise(rt, J_INDEX, "tuple index out of range");
        return f->args->v[key.i];
    }
    if (f->args) {
        for (uint32_t i = 0; i < f->args->nkw; i++)
            if (ft_jstr_same(f->args->kw[i].name, key.s))
                return f->args->kw[i].v;
    } else {
        if (f->mapping.tag == J_UNDEF)
            ft_jundef_raise(rt, f->mapping);
        if (f->mapping.tag != J_DICT) {
            const struct jval v = ft_jgetitem(rt, f->mapping, key, -1);
            if (v.tag == J_UNDEF)
                ft_jraise(rt, J_TYPE, "'%s' object is not subscriptable", ft_jtype(f->mapping));
            return v;
        }
        const struct jval *v = ft_jdict_get(rt, ft_jd(rt, f->mapping), key);
        if (v)
            return *v;
    }
    ft_jraise(rt, J_KEY, "%s", ft_jrepr_z(rt, key));
}

static struct jval get_field(struct formatter *f, struct jstr *name)
{
    struct jrt *rt = f->rt;
    size_t i = 0;
    while (i < name->n && name->p[i] != '.' && name->p[i] != '[')
        i++;
    struct jval v = get_value(f, index_value(rt, ft_jstr_cut(rt, name, 0, i, false)));
    while (i < name->n) {
        const char c = name->p[i++];
        size_t from = i;
        if (c == '.') {
            while (i < name->n && name->p[i] != '.' && name->p[i] != '[')
                i++;
            if (i == from)
                ft_jraise(rt, J_VALUE, "Empty attribute in format string");
            struct jstr *a = ft_jstr_cut(rt, name, from, i - from, false);
            v = ft_jgetattr(rt, v, a, ft_jattr_id(a));
        } else if (c == '[') {
            while (i < name->n && name->p[i] != ']')
                i++;
            if (i == name->n)
                ft_jraise(rt, J_VALUE, "Missing ']' in format string");
            if (i == from)
                ft_jraise(rt, J_VALUE, "Empty attribute in format string");
            v = ft_jgetitem(rt, v, index_value(rt, ft_jstr_cut(rt, name, from, i - from, false)), -1);
            i++;
        } else {
            ft_jraise(rt, J_VALUE, "Only '.' or '[' may follow ']' in format field specifier");
        }
    }
    return v;
}

struct field {
    struct jstr *name, *spec;
    uint32_t conv; /* the character behind "!", 0: none */
};

/* The field that begins at s[i], behind its brace: name, !conversion, :spec, with braces balanced in the
 * spec. Gives where it ends. */
static size_t field_at(struct jrt *rt, struct jstr *s, size_t i, struct field *x)
{
    size_t from = i;
    bool bracket = false;
    for (; i < s->n; i++) {
        const char c = s->p[i];
        if (c == '{')
            ft_jraise(rt, J_VALUE, "unexpected '{' in field name");
        if (c == '[')
            bracket = true;
        else if (c == ']')
            bracket = false;
        else if (!bracket && (c == '}' || c == ':' || c == '!'))
            break;
    }
    if (i == s->n)
        ft_jraise(rt, J_VALUE, "expected '}' before end of string");
    *x = (struct field){.name = ft_jstr_cut(rt, s, from, i - from, false), .spec = ft_jstr_ref(rt, "", 0)};
    if (s->p[i] == '!') {
        int len;
        if (++i >= s->n)
            ft_jraise(rt, J_VALUE, "end of string while looking for conversion specifier");
        x->conv = ft_utf8_get(s->p + i, &len);
        i += (size_t)len;
        if (i >= s->n)
            ft_jraise(rt, J_VALUE, "unmatched '{' in format spec");
        if (s->p[i] != '}' && s->p[i] != ':')
            ft_jraise(rt, J_VALUE, "expected ':' after conversion specifier");
    }
    if (s->p[i] == ':') {
        unsigned open = 1;
        from = ++i;
        for (; i < s->n; i++) {
            open += s->p[i] == '{';
            if (s->p[i] == '}' && !--open)
                break;
        }
        if (i == s->n)
            ft_jraise(rt, J_VALUE, "unmatched '{' in format spec");
        x->spec = ft_jstr_cut(rt, s, from, i - from, false);
    }
    return i + 1;
}

/* What the field names, numbered where it has no name, converted. */
static struct jval field_value(struct formatter *f, const struct field *x)
{
    struct jrt *rt = f->rt;
    struct jstr *name = x->name;
    if (!name->n) {
        if (f->next < 0)
            ft_jraise(rt, J_VALUE, "cannot switch from manual field specification to automatic field numbering");
        name = ft_jstr_fmt(rt, "%lld", (long long)f->next++);
    } else if (all_digits(name->p, name->n)) {
        if (f->next > 0)
            ft_jraise(rt, J_VALUE, "cannot switch from manual field specification to automatic field numbering");
        f->next = -1;
    }
    const struct jval v = get_field(f, name);
    switch (x->conv) {
    case 0: return v;
    case 's': return ft_jstrv(ft_jstr_of(rt, v));
    case 'r': return ft_jstrv(ft_jrepr(rt, v));
    case 'a': return ft_jstrv(ft_jascii(rt, v));
    default: break;
    }
    char z[5] = {0};
    ft_utf8_put(z, x->conv);
    ft_jraise(rt, J_VALUE, "Unknown conversion specifier %s", z);
}

static struct jstr *vformat(struct formatter *f, struct jstr *s, int depth)
{
    struct jrt *rt = f->rt;
    struct jsb b;
    if (depth < 0)
        ft_jraise(rt, J_VALUE, "Max string recursion exceeded");
    ft_jsb_init(&b, rt, s->n + 32);
    size_t i = 0;
    while (i < s->n) {
        ft_jstep(rt, 1);
        const size_t from = i;
        while (i < s->n && s->p[i] != '{' && s->p[i] != '}')
            i++;
        ft_jsb_cut(&b, s, from, i - from);
        if (i == s->n)
            break;
        const char c = s->p[i++];
        if (i < s->n && s->p[i] == c) {
            ft_jsb_cut(&b, s, i++, 1);
            continue;
        }
        if (c == '}')
            ft_jraise(rt, J_VALUE, "Single '}' encountered in format string");
        if (i == s->n)
            ft_jraise(rt, J_VALUE, "Single '{' encountered in format string");
        struct field x;
        i = field_at(rt, s, i, &x);
        const struct jval v = field_value(f, &x);
        struct jstr *spec = vformat(f, x.spec, depth - 1);
        if (f->markup && v.tag == J_STR && v.s->markup) {
            if (spec->n)
                ft_jraise(rt, J_VALUE, "Unsupported format specification for Markup.");
            ft_jsb_str(&b, v.s);
        } else {
            struct jstr *text = ft_jformat_value(rt, v, spec);
            ft_jsb_str(&b, f->markup ? ft_jstr_escape(rt, text) : text);
        }
    }
    return ft_jsb_done(&b);
}

struct jval ft_jformat(struct jrt *rt, struct jstr *fmt, const struct jargs *args)
{
    struct formatter f = {.rt = rt, .args = args, .markup = fmt->markup};
    return ft_jstrv(ft_jstr_as(rt, vformat(&f, fmt, 2), fmt->markup));
}

struct jval ft_jformat_map(struct jrt *rt, struct jstr *fmt, struct jval map)
{
    struct formatter f = {.rt = rt, .mapping = map, .markup = fmt->markup};
    return ft_jstrv(ft_jstr_as(rt, vformat(&f, fmt, 2), fmt->markup));
}
