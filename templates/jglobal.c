/* jglobal.c -- the functions of the context: Jinja's and transformers'. */
#include <time.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

enum { G_RANGE, G_DICT, G_LIPSUM, G_CYCLER, G_JOINER, G_NAMESPACE, G_RAISE, G_STRFTIME, G_COUNT };
static const char *const names[] = {"range", "dict", "lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now"};

int ft_jglobal_find(struct ft_str name)
{
    for (int i = 0; i < G_COUNT; i++)
        if (ft_str_is(name, names[i]))
            return i;
    return -1;
}

const char *ft_jfunc_type(struct jval f)
{
    switch (f.aux) {
    case G_DICT: return "TemplateDict";
    case G_CYCLER:
    case G_JOINER:
    case G_NAMESPACE: return "type";
    default: return "function";
    }
}

const char *ft_jfunc_repr(struct jval f)
{
    switch (f.aux) {
    case G_CYCLER: return "<class 'jinja2.utils.Cycler'>";
    case G_JOINER: return "<class 'jinja2.utils.Joiner'>";
    case G_NAMESPACE:
        return "<class 'transformers.utils.chat_template_utils._cached_compile_jinja_template.<locals>.TemplateNamespace'>";
    default: return NULL;
    }
}

static int64_t integer(struct jrt *rt, struct jval v)
{
    if (v.tag == J_BIG)
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C ssize_t");
    return ft_jindex(rt, v);
}

static struct jval range(struct jrt *rt, const struct jargs *a)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "safe_range() got an unexpected keyword argument '%.*s'", (int)a->kw[0].name->n, a->kw[0].name->p);
    if (a->n < 1 || a->n > 3)
        ft_jraise(rt, J_TYPE, "range expected at %s, got %u", a->n ? "most 3 arguments" : "least 1 argument", a->n);
    for (uint32_t i = 0; i < a->n; i++)
        if (!ft_jis_int(a->v[i]))
            ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(a->v[i]));
    if (a->n == 3 && a->v[2].tag != J_BIG && ft_jindex(rt, a->v[2]) == 0)
        ft_jraise(rt, J_VALUE, "range() arg 3 must not be zero");
    struct jrange *r = J_NEW(rt, struct jrange);
    *r = (struct jrange){.step = 1};
    const struct jval from = a->n == 1 ? ft_jint(0) : a->v[0], to = a->v[a->n > 1];
    if (a->n == 3)
        r->step = integer(rt, a->v[2]);
    if ((from.tag == J_BIG || to.tag == J_BIG) && ft_jcompare(rt, from, to, r->step > 0 ? J_LT : J_GT))
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C ssize_t");
    if (from.tag == J_BIG || to.tag == J_BIG || (a->n == 3 && a->v[2].tag == J_BIG))
        ft_jraise(rt, J_LIMIT, "a range beyond 64 bits is not supported");
    r->start = ft_jindex(rt, from);
    r->stop = ft_jindex(rt, to);
    if (r->step > 0 ? r->start < r->stop : r->start > r->stop) {
        const uint64_t span = r->step > 0 ? (uint64_t)r->stop - (uint64_t)r->start : (uint64_t)r->start - (uint64_t)r->stop;
        const uint64_t by = r->step > 0 ? (uint64_t)r->step : 0 - (uint64_t)r->step;
        const uint64_t n = (span - 1) / by + 1;
        if (n > INT64_MAX)
            ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C ssize_t");
        if (n > 100000)
            ft_jraise(rt, J_OVERFLOW, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
        r->n = (int64_t)n;
    }
    return (struct jval){.tag = J_RANGE, .r = r};
}

/* dict(mapping or pairs, **kw) */
static struct jdict *dict(struct jrt *rt, const struct jargs *a)
{
    struct jdict *d = ft_jdict_new(rt, a->nkw);
    if (a->n > 1)
        ft_jraise(rt, J_TYPE, "dict expected at most 1 argument, got %u", a->n);
    if (a->n && a->v[0].tag == J_UNDEF)
        ft_jundef_raise(rt, a->v[0]); /* asked for its keys */
    if (a->n && a->v[0].tag == J_DICT) {
        ft_jdict_update(rt, d, ft_jd(rt, a->v[0]));
    } else if (a->n) {
        struct jiter *it = ft_jiter(rt, a->v[0]);
        struct jval item;
        for (unsigned i = 0; ft_jnext(rt, it, &item); i++) {
            if (!ft_jiterable(item))
                ft_jraise(rt, J_TYPE, "cannot convert dictionary update sequence element #%u to a sequence", i);
            const struct jvec pair = ft_jcollect(rt, item);
            if (pair.n != 2)
                ft_jraise(rt, J_VALUE, "dictionary update sequence element #%u has length %zu; 2 is required", i, pair.n);
            ft_jdict_set(rt, d, pair.v[0], pair.v[1]);
        }
    }
    for (uint32_t i = 0; i < a->nkw; i++)
        ft_jdict_set(rt, d, ft_jstrv(a->kw[i].name), a->kw[i].v);
    return d;
}

struct jval ft_jdict_fromkeys(struct jrt *rt, const struct jargs *a)
{
    ft_jarity(rt, "fromkeys", a, 1, 2);
    struct jdict *d = ft_jdict_new(rt, 0);
    struct jiter *it = ft_jiter(rt, a->v[0]);
    struct jval k;
    while (ft_jnext(rt, it, &k))
        ft_jdict_set(rt, d, k, a->n > 1 ? a->v[1] : ft_jnone());
    return ft_jdictv(d);
}

void ft_jns_check(struct jrt *rt, struct jval name)
{
    if (name.tag == J_STR && name.s->n && name.s->p[0] == '_')
        ft_jraise(rt, J_SECURITY, "Chat templates cannot store underscore-prefixed attributes on a namespace, but got %s. "
                                  "Please rename the attribute.", ft_jrepr_z(rt, name));
}

static struct jval namespace(struct jrt *rt, const struct jargs *a)
{
    struct jdict *d = dict(rt, a);
    for (uint32_t i = 0; i < d->n; i++)
        ft_jns_check(rt, d->e[i].k);
    return (struct jval){.tag = J_NS, .d = (struct jdict_shut *)d};
}

static struct jval cycler(struct jrt *rt, const struct jargs *a, bool join)
{
    struct jcycler *c = J_NEW(rt, struct jcycler);
    *c = (struct jcycler){0};
    if (join) {
        struct jval sep;
        ft_jbind(rt, "Joiner.__init__", "sep=", 1, a, &sep);
        if (sep.tag != J_MISSING && sep.tag != J_STR)
            ft_jraise(rt, J_TYPE, "the separator of a joiner must be a string");
        c->sep = sep.tag == J_STR ? sep.s : ft_jstr_z(rt, ", ");
        return (struct jval){.tag = J_JOINER, .cyc = c};
    }
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "Cycler.__init__() got an unexpected keyword argument '%.*s'", (int)a->kw[0].name->n, a->kw[0].name->p);
    if (!a->n)
        ft_jraise(rt, "RuntimeError", "at least one item has to be provided");
    c->v = J_NEWS(rt, struct jval, a->n);
    ft_jcopy(c->v, a->v, a->n * sizeof *c->v);
    c->n = a->n;
    return (struct jval){.tag = J_CYCLER, .cyc = c};
}

static struct jval now(struct jrt *rt, const struct jargs *a)
{
    struct jval fmt;
    ft_jbind(rt, "_cached_compile_jinja_template.<locals>.strftime_now", "format", 0, a, &fmt);
    if (fmt.tag != J_STR)
        ft_jraise(rt, J_TYPE, "strftime() argument 1 must be str, not %s", ft_jarg_type(fmt));
    if (!rt->now) {
        const time_t t = time(NULL);
        localtime_r(&t, &rt->local);
        rt->local.tm_gmtoff = 0; /* datetime.now() knows no zone: %z and %Z are empty */
        rt->now = &rt->local;
    }
    /* %f, %z, %Z and %:z are Python's, the rest the C library's */
    struct jsb b, out;
    const struct jstr *s = fmt.s;
    ft_jsb_init(&b, rt, s->n + 16);
    for (uint32_t i = 0; i < s->n && s->p[i]; i++) {
        if (s->p[i] != '%' || i + 1 >= s->n) {
            ft_jsb_putc(&b, s->p[i]);
            continue;
        }
        const char c = s->p[++i];
        if (c == 'f') {
            ft_jsb_putz(&b, "000000");
        } else if (c != 'z' && c != 'Z') {
            ft_jsb_putc(&b, '%');
            ft_jsb_putc(&b, c);
        }
    }
    if (!b.n)
        return ft_jstrv(ft_jstr_ref(rt, "", 0));
    ft_jsb_putc(&b, '\x01'); /* so that an empty result is no failure */
    ft_jsb_putc(&b, 0);
    ft_jsb_init(&out, rt, b.n * 4 + 64);
    size_t n;
    struct tm now = *rt->now;
    now.tm_zone = ""; /* a datetime without one */
    while ((n = strftime(out.p, out.cap, b.p, &now)) == 0) {
        if (out.cap > 1 << 20)
            ft_jlimit_memory(rt);
        ft_jsb_grow(&out, out.cap);
    }
    out.n = n - 1;
    return ft_jstrv(ft_jsb_done(&out));
}

struct jval ft_jglobal_call(struct jrt *rt, struct jval f, const struct jargs *a)
{
    switch (f.aux) {
    case G_RANGE: return range(rt, a);
    case G_DICT: return ft_jdictv(dict(rt, a));
    case G_CYCLER: return cycler(rt, a, false);
    case G_JOINER: return cycler(rt, a, true);
    case G_NAMESPACE: return namespace(rt, a);
    case G_RAISE: {
        struct jval message;
        ft_jbind(rt, "_cached_compile_jinja_template.<locals>.raise_exception", "message", 0, a, &message);
        ft_jraise_str(rt, "TemplateError", ft_jstr_of(rt, message));
    }
    case G_STRFTIME: return now(rt, a);
    default: ft_jraise(rt, J_LIMIT, "lipsum() is not supported: the same data must give the same text");
    }
}
