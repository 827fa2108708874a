/* jfilterhtml.c -- filters for markup and urls. */
#include "templates/jfilter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

static inline bool given(struct jval v) { return v.tag != J_MISSING; }

J_FILTER(striptags)
{
    ft_jbind(rt, "do_striptags", "", 1, a, NULL);
    return ft_jstrv(ft_jstriptags(rt, ft_jstr_of(rt, v)));
}
/* urllib.parse.quote: letters, digits and _.-~ stay, and "/" where safe. */
static void quote(struct jsb *b, const struct jstr *s, bool qs)
{
    ft_jstep(b->rt, s->n / 4 + 1);
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
            ft_jsb_put(b, (const char[]){'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]}, 3);
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
    for (uint32_t i = 0; i < ft_jd(rt, v)->n; i++) {
        const struct jent *e = &ft_jd(rt, v)->e[i];
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
