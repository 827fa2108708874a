/* jfilterlazy.c -- filters that give a generator, as Jinja's do: nothing runs before the first item is asked for. */
#include "templates/jfilter.h"
#include "templates/jpath.h"
#include "templates/jtext.h"

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
            g->path = ft_jpath_of(rt, *attribute);
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
        *out = ft_jpath_get(rt, &g->path, item, g->dflt);
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
            g->path = ft_jpath_of(rt, g->args.v[0]);
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
        if (ft_jtrue(rt, ask(rt, g, ft_jpath_get(rt, &g->path, item, (struct jval){0}))) != g->negate) {
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
        const struct jval k = ft_jpath_key(rt, &g->path, item, (struct jval){0}, g->sensitive);
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
    g->path = ft_jpath_of(rt, p[1]);
    g->sensitive = ft_jflag(rt, p[0]);
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
    if (ft_jgiven(g->dflt)) {
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
    if (ft_jset(g->args.v[0]) && ft_jcompare(rt, ft_jint((int64_t)tmp.n), g->fill, J_LT)) {
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
    if (ft_jset(g->fill) && g->number >= g->extra)
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
