#include "templates/jpath.h"

#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

static struct jpart part_of(struct jrt *rt, struct jval name)
{
    if (name.tag != J_STR)
        return (struct jpart){name, 0};
    const struct jstr *s = name.s;
    bool digits = s->n > 0;
    for (uint32_t k = 0; k < s->n && digits; k++)
        digits = s->p[k] >= '0' && s->p[k] <= '9';
    struct jval v;
    if (digits && ft_jparse_int(rt, name.s, 10, &v))
        return (struct jpart){v, 0};
    return (struct jpart){name, ft_jattr_id(s)};
}

struct jpath ft_jpath_of(struct jrt *rt, struct jval attribute)
{
    struct jpath p = {0};
    if (!ft_jset(attribute))
        return p;
    if (attribute.tag != J_STR || !memchr(attribute.s->p, '.', attribute.s->n)) {
        p.part = J_NEW(rt, struct jpart);
        p.part[0] = part_of(rt, attribute);
        p.n = 1;
        return p;
    }
    const struct jval parts = ft_jstr_split(rt, attribute.s, ft_jstr_ref(rt, ".", 1), -1, false);
    p.n = ft_jq(rt, parts)->n;
    p.part = J_NEWS(rt, struct jpart, p.n);
    for (uint32_t i = 0; i < p.n; i++)
        p.part[i] = part_of(rt, ft_jq(rt, parts)->v[i]);
    return p;
}

struct jval ft_jpath_get(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt)
{
    for (uint32_t i = 0; i < p->n; i++) {
        item = ft_jgetitem(rt, item, p->part[i].name, p->part[i].attr);
        if (item.tag == J_UNDEF && ft_jset(dflt))
            item = dflt;
    }
    return item;
}

struct jval ft_jignore_case(struct jrt *rt, struct jval v)
{
    return v.tag == J_STR ? ft_jstrv(ft_jstr_case(rt, v.s, J_CASE_LOWER)) : v;
}

struct jval ft_jpath_key(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt, bool sensitive)
{
    const struct jval k = ft_jpath_get(rt, p, item, dflt);
    return sensitive ? k : ft_jignore_case(rt, k);
}
