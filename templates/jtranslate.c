/* jtranslate.c -- str.translate and str.maketrans. */
#include "templates/jstrmeth.h"

#include "templates/jiter.h"
#include "templates/jtext.h"

static uint32_t only_char(const struct jstr *s)
{
    int len;
    return ft_utf8_get(s->p, &len);
}

/* table[c], or J_MISSING for a LookupError. */
static struct jval look_up(struct jrt *rt, struct jval table, uint32_t c)
{
    switch (table.tag) {
    case J_DICT: {
        const struct jval *v = ft_jdict_get(rt, ft_jd(rt, table), ft_jint(c));
        return v ? *v : (struct jval){0};
    }
    case J_LIST:
    case J_TUPLE: return c < ft_jq(rt, table)->n ? ft_jq(rt, table)->v[c] : (struct jval){0};
    case J_STR: return c < ft_jchars(table.s) ? ft_jstrv(ft_jstr_slice(rt, table.s, c, 1, 1)) : (struct jval){0};
    case J_RANGE: return c < table.r->n ? ft_jint(table.r->start + table.r->step * (int64_t)c) : (struct jval){0};
    case J_UNDEF: ft_jundef_raise(rt, table);
    default: ft_jraise(rt, J_TYPE, "'%s' object is not subscriptable", ft_jtype(table));
    }
}

struct jstr *ft_jstr_translate(struct jrt *rt, struct jstr *s, struct jval table)
{
    struct jsb b;
    ft_jsb_init(&b, rt, s->n);
    for (size_t i = 0; i < s->n;) {
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        ft_jstep(rt, 1);
        const struct jval v = look_up(rt, table, c);
        const size_t at = b.n;
        if (v.tag == J_MISSING) {
            ft_jsb_cut(&b, s, i, (size_t)len);
        } else if (ft_jis_int(v)) {
            if (v.tag == J_BIG || ft_jindex(rt, v) < 0 || ft_jindex(rt, v) > 0x10ffff)
                ft_jraise(rt, J_VALUE, "character mapping must be in range(0x110000)");
            if (ft_jindex(rt, v) >= 0xd800 && ft_jindex(rt, v) < 0xe000)
                ft_jraise(rt, J_LIMIT, "surrogates are not supported");
            ft_jsb_cp(&b, (uint32_t)ft_jindex(rt, v));
            ft_jsb_mark(&b, at, s, i);
        } else if (v.tag == J_STR) {
            ft_jstep(rt, v.s->n / 64);
            ft_jsb_str(&b, v.s);
        } else if (v.tag != J_NONE) {
            ft_jraise(rt, J_TYPE, "character mapping must return integer, None or str");
        }
        i += (size_t)len;
    }
    return ft_jsb_done(&b);
}

struct jval ft_jstr_maketrans(struct jrt *rt, const struct jargs *a)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "str.maketrans() takes no keyword arguments");
    ft_jarity(rt, "maketrans", a, 1, 3);
    const struct jval x = a->v[0];
    for (uint32_t i = 1; i < a->n; i++)
        if (a->v[i].tag != J_STR)
            ft_jraise(rt, J_TYPE, "maketrans() argument %u must be str, not %s", i + 1, ft_jarg_type(a->v[i]));
    if (a->n == 1) {
        if (x.tag != J_DICT)
            ft_jraise(rt, J_TYPE, "if you give only one argument to maketrans it must be a dict");
        const struct jdict *from = ft_jd(rt, x);
        struct jdict *to = ft_jdict_new(rt, from->n);
        for (uint32_t i = 0; i < from->n; i++) {
            const struct jent *e = &from->e[i];
            ft_jstep(rt, 1);
            if (e->k.tag == J_STR && ft_jchars(e->k.s) != 1)
                ft_jraise(rt, J_VALUE, "string keys in translate table must be of length 1");
            if (e->k.tag != J_STR && !ft_jis_int(e->k))
                ft_jraise(rt, J_TYPE, "keys in translate table must be strings or integers");
            ft_jdict_set(rt, to, e->k.tag == J_STR ? ft_jint(only_char(e->k.s)) : e->k, e->v);
        }
        return ft_jdictv(to);
    }
    if (x.tag != J_STR)
        ft_jraise(rt, J_TYPE, "first maketrans argument must be a string if there is a second argument");
    const struct jstr *y = a->v[1].s, *z = a->n > 2 ? a->v[2].s : NULL;
    if (ft_jchars(x.s) != ft_jchars(a->v[1].s))
        ft_jraise(rt, J_VALUE, "the first two maketrans arguments must have equal length");
    struct jdict *to = ft_jdict_new(rt, x.s->chars);
    for (size_t i = 0, k = 0; i < x.s->n;) {
        int n, m;
        const uint32_t c = ft_utf8_get(x.s->p + i, &n), d = ft_utf8_get(y->p + k, &m);
        ft_jstep(rt, 1);
        ft_jdict_set(rt, to, ft_jint(c), ft_jint(d));
        i += (size_t)n;
        k += (size_t)m;
    }
    for (size_t i = 0; z && i < z->n;) {
        int n;
        ft_jstep(rt, 1);
        ft_jdict_set(rt, to, ft_jint(ft_utf8_get(z->p + i, &n)), ft_jnone());
        i += (size_t)n;
    }
    return ft_jdictv(to);
}
