/* jfilterseq.c -- filters of sequences and mappings, lazy where Jinja's are. */
#include "templates/jfilter.h"
#include "templates/jnode.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

static inline bool given(struct jval v) { return v.tag != J_MISSING; }
static inline bool set(struct jval v) { return v.tag != J_MISSING && v.tag != J_NONE; }
static bool flag(struct jrt *rt, struct jval v) { return given(v) && ft_jtrue(rt, v); }
/* sorted(reverse=): an integer */
static bool reversed(struct jrt *rt, struct jval v)
{
    if (given(v) && !ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(v));
    if (given(v) && (v.tag == J_BIG || (v.tag == J_INT && v.i != (int)v.i)))
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C int");
    return given(v) && ft_jindex(rt, v);
}

/* ---- attribute getters ---- */

/* make_attrgetter: a dotted path, or an integer; J_NONE or J_MISSING: the item itself. */
struct jpart {
    struct jval name;
    int attr; /* its number in jattrs.h */
};
struct jpath {
    struct jpart *part;
    uint32_t n;
};

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

static struct jpath path_of(struct jrt *rt, struct jval attribute)
{
    struct jpath p = {0};
    if (!set(attribute))
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

static struct jval path_get(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt)
{
    for (uint32_t i = 0; i < p->n; i++) {
        item = ft_jgetitem(rt, item, p->part[i].name, p->part[i].attr);
        if (item.tag == J_UNDEF && set(dflt))
            item = dflt;
    }
    return item;
}

static struct jval ignore_case(struct jrt *rt, struct jval v)
{
    return v.tag == J_STR ? ft_jstrv(ft_jstr_case(rt, v.s, J_CASE_LOWER)) : v;
}

static struct jval key_of(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt, bool sensitive)
{
    const struct jval k = path_get(rt, p, item, dflt);
    return sensitive ? k : ignore_case(rt, k);
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
    struct jval d = given(p[0]) ? p[0] : ft_jstrv(ft_jstr_ref(rt, "", 0));
    struct jvec l = ft_jcollect(rt, v);
    if (set(p[1])) {
        const struct jpath path = path_of(rt, p[1]);
        for (size_t i = 0; i < l.n; i++)
            l.v[i] = path_get(rt, &path, l.v[i], (struct jval){0});
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
    const struct jpath path = path_of(rt, p[0]);
    struct jval r = given(p[1]) ? p[1] : ft_jint(0), item;
    struct jiter *it = ft_jiter(rt, v);
    if (r.tag == J_STR)
        ft_jraise(rt, J_TYPE, "sum() can't sum strings [use ''.join(seq) instead]");
    while (ft_jnext(rt, it, &item))
        r = ft_jbinary(rt, J_ADD, r, path_get(rt, &path, item, (struct jval){0}));
    return r;
}

/* ---- order ---- */

J_FILTER(dictsort)
{
    struct jval p[3];
    ft_jbind(rt, "do_dictsort", "case_sensitive= by= reverse=", 1, a, p);
    bool value = false;
    if (given(p[1])) {
        if (p[1].tag == J_STR && ft_jstr_is(p[1].s, "value"))
            value = true;
        else if (p[1].tag != J_STR || !ft_jstr_is(p[1].s, "key"))
            ft_jraise(rt, J_FILTERARG, "You can only sort by either \"key\" or \"value\"");
    }
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag != J_DICT)
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'items'", ft_jtype(v));
    const bool sensitive = flag(rt, p[0]), reverse = reversed(rt, p[2]);
    const uint32_t n = ft_jd(rt, v)->n;
    struct jval *keys = J_NEWS(rt, struct jval, n), *out = J_NEWS(rt, struct jval, n);
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = value ? ft_jd(rt, v)->e[i].v : ft_jd(rt, v)->e[i].k;
        if (!sensitive)
            keys[i] = ignore_case(rt, keys[i]);
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
    const bool sensitive = flag(rt, p[1]);
    /* several attributes, separated by commas, make a list of keys */
    struct jpath few[1], *path = few;
    uint32_t npaths = 1;
    if (given(p[2]) && p[2].tag == J_STR) {
        const struct jval parts = ft_jstr_split(rt, p[2].s, ft_jstr_ref(rt, ",", 1), -1, false);
        npaths = ft_jq(rt, parts)->n;
        path = J_NEWS(rt, struct jpath, npaths);
        for (uint32_t i = 0; i < npaths; i++)
            path[i] = path_of(rt, ft_jq(rt, parts)->v[i]);
    } else {
        few[0] = path_of(rt, p[2]);
    }
    const struct jvec l = ft_jcollect(rt, v);
    const bool reverse = reversed(rt, p[0]);
    struct jval *keys = J_NEWS(rt, struct jval, l.n), *out = J_NEWS(rt, struct jval, l.n);
    for (size_t i = 0; i < l.n; i++) {
        struct jval *k = J_NEWS(rt, struct jval, npaths);
        for (uint32_t j = 0; j < npaths; j++)
            k[j] = key_of(rt, &path[j], l.v[i], (struct jval){0}, sensitive);
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
    const bool sensitive = flag(rt, p[2]);
    const struct jpath path = path_of(rt, p[0]);
    const struct jvec l = ft_jcollect(rt, v);
    struct jval *keys = J_NEWS(rt, struct jval, l.n);
    for (size_t i = 0; i < l.n; i++)
        keys[i] = key_of(rt, &path, l.v[i], p[1], sensitive);
    const uint32_t *order = ft_jsort(rt, keys, (uint32_t)l.n, false);
    struct jvec out = {0};
    for (size_t i = 0; i < l.n;) {
        struct jvec group = {0};
        const struct jval key = keys[order[i]];
        for (; i < l.n && ft_jeq(rt, key, keys[order[i]]); i++)
            ft_jvec_put(rt, &group, l.v[order[i]]);
        if (!group.n) /* a key unequal to itself: NaN */
            ft_jvec_put(rt, &group, l.v[order[i++]]);
        const struct jval shown = sensitive ? key : path_get(rt, &path, group.v[0], p[1]);
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
    const struct jpath path = path_of(rt, p[1]);
    const bool sensitive = flag(rt, p[0]);
    best_key = key_of(rt, &path, best, (struct jval){0}, sensitive);
    while (ft_jnext(rt, it, &item)) {
        const struct jval k = key_of(rt, &path, item, (struct jval){0}, sensitive);
        if (ft_jcompare(rt, k, best_key, max ? J_GT : J_LT)) {
            best = item;
            best_key = k;
        }
    }
    return best;
}
J_FILTER(max) { return extreme(rt, v, a, true); }
J_FILTER(min) { return extreme(rt, v, a, false); }

/* ---- generators ---- */

struct gen {
    struct jargs args;
    struct jpath path;
    struct jval dflt;
    const struct jfilter *call;
    struct jstr *name;
    bool attr, negate, test, sensitive, started;
    int64_t count;
    struct jval fill;
    struct jdict *seen;
    struct jvec list;
    int64_t offset, number, per, extra;
};

static struct gen *gen_new(struct jrt *rt, const struct jargs *a)
{
    struct gen *g = J_NEW(rt, struct gen);
    *g = (struct gen){0};
    if (a) {
        g->args.v = J_NEWS(rt, struct jval, a->n);
        g->args.kw = J_NEWS(rt, struct jkw, a->nkw);
        if (a->n)
            ft_jcopy(g->args.v, a->v, a->n * sizeof *a->v);
        if (a->nkw)
            ft_jcopy(g->args.kw, a->kw, a->nkw * sizeof *a->kw);
        g->args.n = a->n;
        g->args.nkw = a->nkw;
    }
    return g;
}

static struct jval generator(struct jrt *rt, struct jval src, bool (*next)(struct jrt *, struct jiter *, struct jval *), struct gen *g)
{
    struct jiter *it = ft_jiter_new(rt, next, "generator", src);
    it->state = g;
    return ft_jiterv(it);
}

/* Runs once, at the first item: what the body of a Python generator does first. */
static bool start(struct jrt *rt, struct jiter *it, bool unless_false)
{
    struct gen *g = it->state;
    if (g->started)
        return !it->done;
    g->started = true;
    if (unless_false && !ft_jtrue(rt, it->src)) {
        it->done = true;
        return false;
    }
    return true;
}

static const struct jfilter *named(struct jrt *rt, struct jval name, bool test)
{
    const struct jfilter *f = NULL;
    if (name.tag == J_UNDEF) {
        const struct jstr *why = ft_jundef_text(rt, name);
        ft_jraise(rt, J_RUNTIME, "No %s named Undefined. (%.*s; did you forget to quote the callable name?)",
                  test ? "test" : "filter", (int)why->n, why->p);
    }
    ft_jneed_hash(rt, name);
    if (name.tag == J_STR)
        f = test ? ft_jtest_find(ft_jbytes(name.s)) : ft_jfilter_find(ft_jbytes(name.s));
    if (!f)
        ft_jraise(rt, J_RUNTIME, "No %s named %s.", test ? "test" : "filter", ft_jrepr_z(rt, name));
    return f;
}

static bool next_map(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct gen *g = it->state;
    if (!start(rt, it, true))
        return false;
    if (!it->inner) {
        if (!g->args.n) {
            const struct jval *attribute = NULL;
            for (uint32_t i = 0; i < g->args.nkw; i++) {
                if (ft_jstr_is(g->args.kw[i].name, "attribute"))
                    attribute = &g->args.kw[i].v;
                else if (ft_jstr_is(g->args.kw[i].name, "default"))
                    g->dflt = g->args.kw[i].v;
            }
            if (!attribute)
                ft_jraise(rt, J_FILTERARG, "map requires a filter argument");
            for (uint32_t i = 0; i < g->args.nkw; i++)
                if (!ft_jstr_is(g->args.kw[i].name, "attribute") && !ft_jstr_is(g->args.kw[i].name, "default"))
                    ft_jraise(rt, J_FILTERARG, "Unexpected keyword argument %s", ft_jrepr_z(rt, ft_jstrv(g->args.kw[i].name)));
            g->path = path_of(rt, *attribute);
            g->attr = true;
        }
        it->inner = ft_jiter(rt, it->src);
    }
    struct jval item;
    if (!ft_jnext(rt, it->inner, &item)) {
        it->done = true;
        return false;
    }
    if (g->attr) {
        *out = path_get(rt, &g->path, item, g->dflt);
        return true;
    }
    if (!g->call)
        g->call = named(rt, g->args.v[0], false);
    const struct jargs rest = {g->args.v + 1, g->args.n - 1, g->args.kw, g->args.nkw};
    *out = g->call->call(rt, item, &rest);
    return true;
}
J_FILTER(map) { return generator(rt, v, next_map, gen_new(rt, a)); }

/* The test of a selection. */
static struct jval ask(struct jrt *rt, struct gen *g, struct jval x)
{
    const uint32_t off = g->attr;
    if (!g->test)
        return x;
    if (!g->call)
        g->call = named(rt, g->args.v[off], true);
    const struct jargs rest = {g->args.v + off + 1, g->args.n - off - 1, g->args.kw, g->args.nkw};
    return g->call->call(rt, x, &rest);
}

/* Templates select parts of a content that may be a string: no character has the attribute,
 * so that one answer holds for all. True when the answer is to take none. */
static bool no_character(struct jrt *rt, struct gen *g, struct jval src)
{
    if (src.tag != J_STR || !src.s->n || !g->attr || g->path.n != 1 || g->path.part[0].name.tag != J_STR ||
        ft_jchar_has(g->path.part[0].attr))
        return false;
    if (g->test && !g->call)
        g->call = named(rt, g->args.v[1], true);
    if (g->test && !g->call->plain)
        return false;
    const struct jval x = ft_jundef_attr(rt, ft_jstrv(src.s), g->path.part[0].name);
    ft_jstep(rt, src.s->n / 64);
    return ft_jtrue(rt, ask(rt, g, x)) == g->negate;
}

static bool next_select(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct gen *g = it->state;
    if (!start(rt, it, true))
        return false;
    if (!it->inner) {
        if (g->attr) {
            if (!g->args.n)
                ft_jraise(rt, J_FILTERARG, "Missing parameter for attribute name");
            g->path = path_of(rt, g->args.v[0]);
        }
        g->test = g->args.n > g->attr;
        it->inner = ft_jiter(rt, it->src);
        if (no_character(rt, g, it->src)) {
            it->done = true;
            return false;
        }
    }
    struct jval item;
    while (ft_jnext(rt, it->inner, &item)) {
        if (ft_jtrue(rt, ask(rt, g, path_get(rt, &g->path, item, (struct jval){0}))) != g->negate) {
            *out = item;
            return true;
        }
    }
    it->done = true;
    return false;
}
static struct jval selection(struct jrt *rt, struct jval v, const struct jargs *a, bool attr, bool negate)
{
    struct gen *g = gen_new(rt, a);
    g->attr = attr;
    g->negate = negate;
    return generator(rt, v, next_select, g);
}
J_FILTER(select) { return selection(rt, v, a, false, false); }
J_FILTER(reject) { return selection(rt, v, a, false, true); }
J_FILTER(selectattr) { return selection(rt, v, a, true, false); }
J_FILTER(rejectattr) { return selection(rt, v, a, true, true); }

static bool next_items(struct jrt *rt, struct jiter *it, struct jval *out)
{
    if (it->src.tag == J_UNDEF)
        return false;
    if (it->src.tag != J_DICT)
        ft_jraise(rt, J_TYPE, "Can only get item pairs from a mapping.");
    if (it->i >= ft_jd(rt, it->src)->n)
        return false;
    const struct jent *e = &ft_jd(rt, it->src)->e[it->i++];
    *out = ft_jtuple2(rt, e->k, e->v);
    return true;
}
J_FILTER(items)
{
    ft_jbind(rt, "do_items", "", 1, a, NULL);
    return generator(rt, v, next_items, gen_new(rt, NULL));
}

static bool next_unique(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct gen *g = it->state;
    if (!it->inner) {
        it->inner = ft_jiter(rt, it->src);
        g->seen = ft_jdict_new(rt, 0);
    }
    struct jval item;
    while (ft_jnext(rt, it->inner, &item)) {
        const struct jval k = key_of(rt, &g->path, item, (struct jval){0}, g->sensitive);
        if (ft_jdict_get(rt, g->seen, k))
            continue;
        ft_jdict_set(rt, g->seen, k, ft_jnone());
        *out = item;
        return true;
    }
    return false;
}
J_FILTER(unique)
{
    struct jval p[2];
    ft_jbind(rt, "sync_do_unique", "case_sensitive= attribute=", 2, a, p);
    struct gen *g = gen_new(rt, NULL);
    g->path = path_of(rt, p[1]);
    g->sensitive = flag(rt, p[0]);
    return generator(rt, v, next_unique, g);
}

static bool next_batch(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct gen *g = it->state;
    struct jvec tmp = {0};
    struct jval item;
    if (it->done)
        return false;
    if (!it->inner)
        it->inner = ft_jiter(rt, it->src);
    if (given(g->dflt)) {
        ft_jvec_put(rt, &tmp, g->dflt);
        g->dflt = (struct jval){0};
    }
    while (ft_jnext(rt, it->inner, &item)) {
        if (ft_jeq(rt, ft_jint((int64_t)tmp.n), g->fill)) {
            g->dflt = item; /* begins the next batch */
            *out = ft_jlist(rt, tmp.v, tmp.n);
            return true;
        }
        ft_jvec_put(rt, &tmp, item);
    }
    it->done = true;
    if (!tmp.n)
        return false;
    if (set(g->args.v[0]) && ft_jcompare(rt, ft_jint((int64_t)tmp.n), g->fill, J_LT)) {
        const int64_t n = ft_jindex(rt, g->fill);
        if (n > 1 << 24)
            ft_jlimit_memory(rt);
        while ((int64_t)tmp.n < n)
            ft_jvec_put(rt, &tmp, g->args.v[0]);
    }
    *out = ft_jlist(rt, tmp.v, tmp.n);
    return true;
}
J_FILTER(batch)
{
    struct jval p[2];
    ft_jbind(rt, "do_batch", "linecount fill_with=", 1, a, p);
    struct gen *g = gen_new(rt, &(struct jargs){.v = &p[1], .n = 1});
    g->fill = p[0];
    return generator(rt, v, next_batch, g);
}

static bool next_slice(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct gen *g = it->state;
    if (!g->started) {
        g->started = true;
        g->list = ft_jcollect(rt, it->src);
        if (!ft_jis_int(g->dflt))
            ft_jbinary(rt, J_FLOORDIV, ft_jint((int64_t)g->list.n), g->dflt), ft_jindex(rt, g->dflt);
        g->count = ft_jindex(rt, g->dflt);
        if (!g->count)
            ft_jraise(rt, J_ZERODIV, "integer division or modulo by zero");
        if (g->count > 0) {
            g->per = (int64_t)g->list.n / g->count;
            g->extra = (int64_t)g->list.n % g->count;
        }
    }
    if (g->number >= g->count)
        return false;
    const int64_t begin = g->offset + g->number * g->per;
    if (g->number < g->extra)
        g->offset++;
    const int64_t end = g->offset + (g->number + 1) * g->per;
    struct jvec tmp = {0};
    for (int64_t i = begin; i < end; i++)
        ft_jvec_put(rt, &tmp, g->list.v[i]);
    if (set(g->fill) && g->number >= g->extra)
        ft_jvec_put(rt, &tmp, g->fill);
    g->number++;
    *out = ft_jlist(rt, tmp.v, tmp.n);
    return true;
}
J_FILTER(slice)
{
    struct jval p[2];
    ft_jbind(rt, "sync_do_slice", "slices fill_with=", 1, a, p);
    struct gen *g = gen_new(rt, NULL);
    g->dflt = p[0];
    g->fill = p[1];
    return generator(rt, v, next_slice, g);
}
