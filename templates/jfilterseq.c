/* jfilterseq.c -- filters of sequences and mappings that give a value; those that give a generator: jfilterlazy.c. */
#include "templates/jfilter.h"
#include "templates/jpath.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

/* sorted(reverse=): an integer */
static bool reversed(struct jrt *rt, struct jval v)
{
    if (ft_jgiven(v) && !ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(v));
    if (ft_jgiven(v) && (v.tag == J_BIG || (v.tag == J_INT && v.i != (int)v.i)))
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C int");
    return ft_jgiven(v) && ft_jindex(rt, v);
}

/* ---- simple ones ---- */

J_FILTER(list)
{
    ft_jbind(rt, "sync_do_list", "", 1, a, NULL);
    const struct jvec l = ft_jcollect(rt, v);
    const struct jval r = ft_jlist(rt, l.v, l.n);
    if (v.tag == J_LIST)
        r.q->in.leaf = v.q->in.leaf;
    return r;
}

J_FILTER(first)
{
    ft_jbind(rt, "sync_do_first", "", 2, a, NULL);
    struct jval item;
    return ft_jnext(rt, ft_jiter(rt, v), &item) ? item : ft_jundef_hint(rt, "No first item, sequence was empty.");
}

J_FILTER(last)
{
    ft_jbind(rt, "do_last", "", 2, a, NULL);
    struct jiter *it = ft_jreversed(rt, v);
    struct jval item;
    if (!it)
        ft_jraise(rt, J_TYPE, "'%s' object is not reversible", ft_jtype(v));
    return ft_jnext(rt, it, &item) ? item : ft_jundef_hint(rt, "No last item, sequence was empty.");
}

J_FILTER(reverse)
{
    ft_jbind(rt, "do_reverse", "", 1, a, NULL);
    if (v.tag == J_STR) {
        const struct jslice s = {ft_jnone(), ft_jnone(), ft_jint(-1)};
        return ft_jgetslice(rt, v, &s);
    }
    struct jiter *it = ft_jreversed(rt, v);
    if (it)
        return ft_jiterv(it);
    if (!ft_jiterable(v))
        ft_jraise(rt, J_FILTERARG, "argument must be iterable");
    /* a TypeError on the way is the argument's fault */
    jmp_buf here, *const outer = rt->catch;
    rt->catch = &here;
    if (setjmp(here)) {
        rt->catch = outer;
        if (strcmp(rt->error.type, J_TYPE) != 0)
            longjmp(*outer, 1);
        ft_jraise(rt, J_FILTERARG, "argument must be iterable");
    }
    const struct jvec l = ft_jcollect(rt, v);
    rt->catch = outer;
    for (size_t i = 0; i < l.n / 2; i++) {
        const struct jval t = l.v[i];
        l.v[i] = l.v[l.n - 1 - i];
        l.v[l.n - 1 - i] = t;
    }
    return ft_jlist(rt, l.v, l.n);
}

J_FILTER(join)
{
    struct jval p[2];
    ft_jbind(rt, "sync_do_join", "d= attribute=", 2, a, p);
    struct jval d = ft_jgiven(p[0]) ? p[0] : ft_jstrv(ft_jstr_ref(rt, "", 0));
    struct jvec l = ft_jcollect(rt, v);
    if (ft_jset(p[1])) {
        const struct jpath path = ft_jpath_of(rt, p[1]);
        for (size_t i = 0; i < l.n; i++)
            l.v[i] = ft_jpath_get(rt, &path, l.v[i], (struct jval){0});
    }
    bool escape = false;
    if (rt->autoescape) {
        escape = d.tag == J_STR && d.s->markup;
        for (size_t i = 0; i < l.n; i++)
            escape |= l.v[i].tag == J_STR && l.v[i].s->markup;
        if (escape)
            d = ft_jstrv(ft_jstr_escape(rt, ft_jsoft(rt, d)));
    }
    if (!escape)
        for (size_t i = 0; i < l.n; i++)
            l.v[i] = ft_jstrv(ft_jstr_of(rt, l.v[i]));
    return ft_jstrv(ft_jstr_as(rt, ft_jstr_join(rt, ft_jstr_as(rt, ft_jsoft(rt, d), escape), l.v, l.n, escape), escape));
}

J_FILTER(sum)
{
    struct jval p[2];
    ft_jbind(rt, "sync_do_sum", "attribute= start=", 2, a, p);
    const struct jpath path = ft_jpath_of(rt, p[0]);
    struct jval r = ft_jgiven(p[1]) ? p[1] : ft_jint(0), item;
    struct jiter *it = ft_jiter(rt, v);
    if (r.tag == J_STR)
        ft_jraise(rt, J_TYPE, "sum() can't sum strings [use ''.join(seq) instead]");
    while (ft_jnext(rt, it, &item))
        r = ft_jbinary(rt, J_ADD, r, ft_jpath_get(rt, &path, item, (struct jval){0}));
    return r;
}

/* ---- order ---- */

J_FILTER(dictsort)
{
    struct jval p[3];
    ft_jbind(rt, "do_dictsort", "case_sensitive= by= reverse=", 1, a, p);
    bool value = false;
    if (ft_jgiven(p[1])) {
        if (p[1].tag == J_STR && ft_jstr_is(p[1].s, "value"))
            value = true;
        else if (p[1].tag != J_STR || !ft_jstr_is(p[1].s, "key"))
            ft_jraise(rt, J_FILTERARG, "You can only sort by either \"key\" or \"value\"");
    }
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag != J_DICT)
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'items'", ft_jtype(v));
    const bool sensitive = ft_jflag(rt, p[0]), reverse = reversed(rt, p[2]);
    const uint32_t n = ft_jd(rt, v)->n;
    struct jval *keys = J_NEWS(rt, struct jval, n), *out = J_NEWS(rt, struct jval, n);
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = value ? ft_jd(rt, v)->e[i].v : ft_jd(rt, v)->e[i].k;
        if (!sensitive)
            keys[i] = ft_jignore_case(rt, keys[i]);
    }
    const uint32_t *order = ft_jsort(rt, keys, n, reverse);
    for (uint32_t i = 0; i < n; i++)
        out[i] = ft_jtuple2(rt, ft_jd(rt, v)->e[order[i]].k, ft_jd(rt, v)->e[order[i]].v);
    return ft_jlist(rt, out, n);
}

J_FILTER(sort)
{
    struct jval p[3];
    ft_jbind(rt, "do_sort", "reverse= case_sensitive= attribute=", 2, a, p);
    const bool sensitive = ft_jflag(rt, p[1]);
    /* several attributes, separated by commas, make a list of keys */
    struct jpath few[1], *path = few;
    uint32_t npaths = 1;
    if (ft_jgiven(p[2]) && p[2].tag == J_STR) {
        const struct jval parts = ft_jstr_split(rt, p[2].s, ft_jstr_ref(rt, ",", 1), -1, false);
        npaths = ft_jq(rt, parts)->n;
        path = J_NEWS(rt, struct jpath, npaths);
        for (uint32_t i = 0; i < npaths; i++)
            path[i] = ft_jpath_of(rt, ft_jq(rt, parts)->v[i]);
    } else {
        few[0] = ft_jpath_of(rt, p[2]);
    }
    const struct jvec l = ft_jcollect(rt, v);
    const bool reverse = reversed(rt, p[0]);
    struct jval *keys = J_NEWS(rt, struct jval, l.n), *out = J_NEWS(rt, struct jval, l.n);
    for (size_t i = 0; i < l.n; i++) {
        struct jval *k = J_NEWS(rt, struct jval, npaths);
        for (uint32_t j = 0; j < npaths; j++)
            k[j] = ft_jpath_key(rt, &path[j], l.v[i], (struct jval){0}, sensitive);
        keys[i] = ft_jlist(rt, k, npaths);
    }
    const uint32_t *order = ft_jsort(rt, keys, (uint32_t)l.n, reverse);
    for (size_t i = 0; i < l.n; i++)
        out[i] = l.v[order[i]];
    return ft_jlist(rt, out, l.n);
}

J_FILTER(groupby)
{
    struct jval p[3];
    ft_jbind(rt, "sync_do_groupby", "attribute default= case_sensitive=", 2, a, p);
    const bool sensitive = ft_jflag(rt, p[2]);
    const struct jpath path = ft_jpath_of(rt, p[0]);
    const struct jvec l = ft_jcollect(rt, v);
    struct jval *keys = J_NEWS(rt, struct jval, l.n);
    for (size_t i = 0; i < l.n; i++)
        keys[i] = ft_jpath_key(rt, &path, l.v[i], p[1], sensitive);
    const uint32_t *order = ft_jsort(rt, keys, (uint32_t)l.n, false);
    struct jvec out = {0};
    for (size_t i = 0; i < l.n;) {
        struct jvec group = {0};
        const struct jval key = keys[order[i]];
        for (; i < l.n && ft_jeq(rt, key, keys[order[i]]); i++)
            ft_jvec_put(rt, &group, l.v[order[i]]);
        if (!group.n) /* a key unequal to itself: NaN */
            ft_jvec_put(rt, &group, l.v[order[i++]]);
        const struct jval shown = sensitive ? key : ft_jpath_get(rt, &path, group.v[0], p[1]);
        const struct jval t = ft_jtuple2(rt, shown, ft_jlist(rt, group.v, group.n));
        t.q->in.group = true;
        ft_jvec_put(rt, &out, t);
    }
    return ft_jlist(rt, out.v, out.n);
}

static struct jval extreme(struct jrt *rt, struct jval v, const struct jargs *a, bool max)
{
    struct jval p[2], item, best, best_key;
    ft_jbind(rt, max ? "do_max" : "do_min", "case_sensitive= attribute=", 2, a, p);
    struct jiter *it = ft_jiter(rt, v);
    if (!ft_jnext(rt, it, &best))
        return ft_jundef_hint(rt, "No aggregated item, sequence was empty.");
    const struct jpath path = ft_jpath_of(rt, p[1]);
    const bool sensitive = ft_jflag(rt, p[0]);
    best_key = ft_jpath_key(rt, &path, best, (struct jval){0}, sensitive);
    while (ft_jnext(rt, it, &item)) {
        const struct jval k = ft_jpath_key(rt, &path, item, (struct jval){0}, sensitive);
        if (ft_jcompare(rt, k, best_key, max ? J_GT : J_LT)) {
            best = item;
            best_key = k;
        }
    }
    return best;
}
J_FILTER(max) { return extreme(rt, v, a, true); }
J_FILTER(min) { return extreme(rt, v, a, false); }
