/* jmethod.c -- calls, and the methods of dicts, lists, tuples, numbers and loops (those of strings: jstrmeth.c). */
#include <math.h>

#include "templates/jattrs.h"
#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

const char *ft_jbound_type(const struct jbound *m)
{
    switch (m->self.tag) {
    case J_SELF: return "BlockReference";
    case J_STR: /* the sandbox wraps format in a function */
        return m->attr == A_format || m->attr == A_format_map ? "function" : m->self.s->markup ? "method" : "builtin_function_or_method";
    case J_LOOP:
    case J_CYCLER:
    case J_FUNC: return "method";
    default: return "builtin_function_or_method";
    }
}

bool ft_jcallable(struct jval v)
{
    return v.tag == J_FUNC || v.tag == J_BOUND || v.tag == J_MACRO || v.tag == J_LOOP || v.tag == J_JOINER ||
           v.tag == J_UNDEF;
}

struct jval ft_jcall(struct jrt *rt, struct jval f, const struct jargs *args)
{
    switch (f.tag) {
    case J_BOUND: return ft_jmethod(rt, f.m, args);
    case J_FUNC: return ft_jglobal_call(rt, f, args);
    case J_MACRO: return ft_jcall_macro(rt, f.mac, args);
    case J_LOOP: {
        struct jval v[1];
        ft_jbind(rt, "LoopContext.__call__", "iterable", 1, args, v);
        return ft_jcall_loop(rt, f.loop, v[0]);
    }
    case J_JOINER: {
        ft_jbind(rt, "Joiner.__call__", "", 1, args, NULL);
        const bool used = f.cyc->used;
        f.cyc->used = true;
        return ft_jstrv(used ? f.cyc->sep : ft_jstr_ref(rt, "", 0));
    }
    case J_UNDEF: ft_jundef_raise(rt, f);
    default: ft_jraise(rt, J_TYPE, "'%s' object is not callable", ft_jtype(f));
    }
}

void ft_jarity(struct jrt *rt, const char *func, const struct jargs *a, uint32_t lo, uint32_t hi)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "%s() takes no keyword arguments", func);
    if (a->n >= lo && a->n <= hi)
        return;
    if (lo == hi)
        ft_jraise(rt, J_TYPE, lo == 0 ? "%s() takes no arguments (%u given)" : "%s() takes exactly one argument (%u given)",
                  func, a->n);
    if (a->n < lo)
        ft_jraise(rt, J_TYPE, "%s expected at least %u argument%s, got %u", func, lo, lo == 1 ? "" : "s", a->n);
    ft_jraise(rt, J_TYPE, "%s expected at most %u argument%s, got %u", func, hi, hi == 1 ? "" : "s", a->n);
}

static _Noreturn void unsupported(struct jrt *rt, const struct jbound *m)
{
    ft_jraise(rt, J_LIMIT, "the method '%s' of '%s' objects is not supported%s", ft_jattr_name(m->attr), ft_jtype(m->self),
              m->attr == A_to_bytes || m->attr == A_from_bytes ? ": there are no bytes here" : "");
}

static struct jval view(struct jval d, enum jview kind)
{
    return (struct jval){.tag = J_VIEW, .aux = kind, .d = d.d};
}

static struct jval dict_method(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    struct jdict *d = ft_jd(rt, m->self);
    switch (m->attr) {
    case A_get: {
        ft_jarity(rt, "get", a, 1, 2);
        const struct jval *v = ft_jdict_get(rt, d, a->v[0]);
        return v ? *v : a->n > 1 ? a->v[1] : ft_jnone();
    }
    case A_items: ft_jarity(rt, "dict.items", a, 0, 0); return view(m->self, J_ITEMS);
    case A_keys: ft_jarity(rt, "dict.keys", a, 0, 0); return view(m->self, J_KEYS);
    case A_values: ft_jarity(rt, "dict.values", a, 0, 0); return view(m->self, J_VALUES);
    case A_copy: ft_jarity(rt, "dict.copy", a, 0, 0); return m->self;
    case A_fromkeys: return ft_jdict_fromkeys(rt, a);
    default: unsupported(rt, m);
    }
}

/* The bounds of list.index: no None, unlike a slice's. */
static int64_t bound(struct jrt *rt, struct jval v)
{
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "slice indices must be integers or have an __index__ method");
    return ft_jindex(rt, v);
}

static struct jval seq_method(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    const struct jseq *q = ft_jq(rt, m->self);
    switch (m->attr) {
    case A_copy: ft_jarity(rt, "list.copy", a, 0, 0); return m->self;
    case A_count: {
        ft_jarity(rt, m->self.tag == J_LIST ? "list.count" : "tuple.count", a, 1, 1);
        int64_t n = 0;
        for (uint32_t i = 0; i < q->n; i++) {
            ft_jstep(rt, 1);
            n += ft_jsame(q->v[i], a->v[0]) || ft_jeq(rt, q->v[i], a->v[0]);
        }
        return ft_jint(n);
    }
    case A_index: {
        ft_jarity(rt, "index", a, 1, 3);
        int64_t lo = a->n > 1 ? bound(rt, a->v[1]) : 0, hi = a->n > 2 ? bound(rt, a->v[2]) : q->n;
        lo = lo < 0 ? (lo + q->n < 0 ? 0 : lo + q->n) : lo;
        hi = hi < 0 ? hi + q->n : hi > q->n ? q->n : hi;
        for (int64_t i = lo; i < hi; i++) {
            ft_jstep(rt, 1);
            if (ft_jsame(q->v[i], a->v[0]) || ft_jeq(rt, q->v[i], a->v[0]))
                return ft_jint(i);
        }
        if (m->self.tag == J_LIST)
            ft_jraise(rt, J_VALUE, "%s is not in list", ft_jrepr_z(rt, a->v[0]));
        ft_jraise(rt, J_VALUE, "tuple.index(x): x not in tuple");
    }
    default: unsupported(rt, m);
    }
}

static struct jval integer_ratio(struct jrt *rt, double x)
{
    if (x - x != 0)
        ft_jraise(rt, isnan(x) ? J_VALUE : J_OVERFLOW, "cannot convert %s to integer ratio", isnan(x) ? "NaN" : "Infinity");
    int e;
    double m = frexp(x, &e);
    for (; m != floor(m); e--)
        m *= 2;
    const struct jval two = ft_jbig_pow(rt, ft_jint(2), e < 0 ? -e : e), n = ft_jbig_from_float(rt, m);
    return ft_jtuple2(rt, e > 0 ? ft_jbig_mul(rt, n, two) : n, e < 0 ? two : ft_jint(1));
}

static struct jval float_hex(struct jrt *rt, double x)
{
    int e;
    if (x - x != 0 || x == 0)
        return ft_jstrv(ft_jstr_z(rt, isnan(x) ? "nan" : x == 0 ? (signbit(x) ? "-0x0.0p+0" : "0x0.0p+0") : x < 0 ? "-inf" : "inf"));
    ft_jstep(rt, 16);
    double m = frexp(fabs(x), &e) * 2; /* 1.xxx, 13 digits behind the point; subnormals 0.xxx */
    const int down = -1022 - (e - 1) > 0 ? -1022 - (e - 1) : 0;
    m = ldexp(m, -down);
    const long long digits = (long long)ldexp(m - floor(m), 52);
    return ft_jstrv(ft_jstr_fmt(rt, "%s0x%d.%013llxp%+d", x < 0 ? "-" : "", (int)m, digits, e - 1 + down));
}

static struct jval num_method(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    const struct jval v = m->self;
    switch (m->attr) {
    case A_conjugate:
        ft_jarity(rt, v.tag == J_BOOL ? "bool.conjugate" : v.tag == J_FLOAT ? "float.conjugate" : "int.conjugate", a, 0, 0);
        return v.tag == J_BOOL ? ft_jint(v.b) : v;
    case A_bit_length: ft_jarity(rt, v.tag == J_BOOL ? "bool.bit_length" : "int.bit_length", a, 0, 0); return ft_jint(ft_jbig_bits(v));
    case A_is_integer:
        if (v.tag != J_FLOAT)
            break;
        ft_jarity(rt, "float.is_integer", a, 0, 0);
        return ft_jbool(v.f - v.f == 0 && v.f == __builtin_floor(v.f));
    case A_as_integer_ratio:
        if (v.tag != J_FLOAT) {
            ft_jarity(rt, "as_integer_ratio", a, 0, 0);
            return ft_jtuple2(rt, v.tag == J_BOOL ? ft_jint(v.b) : v, ft_jint(1));
        }
        ft_jarity(rt, "float.as_integer_ratio", a, 0, 0);
        return integer_ratio(rt, v.f);
    case A_hex:
        if (v.tag != J_FLOAT)
            break;
        ft_jarity(rt, "float.hex", a, 0, 0);
        return float_hex(rt, v.f);
    case A_bit_count: {
        ft_jarity(rt, "bit_count", a, 0, 0);
        if (v.tag == J_BIG)
            return ft_jint(ft_jbig_ones(v));
        const int64_t i = v.tag == J_BOOL ? v.b : v.i;
        return ft_jint(__builtin_popcountll(i < 0 ? 0 - (uint64_t)i : (uint64_t)i));
    }
    default: break;
    }
    unsupported(rt, m);
}

static struct jval loop_method(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    struct jloop *l = m->self.loop;
    if (m->attr == A_cycle) {
        if (a->nkw)
            ft_jraise(rt, J_TYPE, "LoopContext.cycle() got an unexpected keyword argument '%.*s'", (int)a->kw[0].name->n,
                      a->kw[0].name->p);
        if (!a->n)
            ft_jraise(rt, J_TYPE, "no items for cycling given");
        return a->v[(uint64_t)l->index0 % a->n];
    }
    if (m->attr == A_changed) {
        if (a->nkw)
            ft_jraise(rt, J_TYPE, "LoopContext.changed() got an unexpected keyword argument '%.*s'", (int)a->kw[0].name->n,
                      a->kw[0].name->p);
        struct jval *v = J_NEWS(rt, struct jval, a->n);
        ft_jcopy(v, a->v, a->n * sizeof *v);
        const struct jval now = ft_jtuple(rt, v, a->n);
        if (l->changed.tag == J_TUPLE && ft_jeq(rt, l->changed, now))
            return ft_jbool(false);
        l->changed = now;
        return ft_jbool(true);
    }
    unsupported(rt, m);
}

struct jval ft_jmethod(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    const struct jval self = m->self;
    switch (self.tag) {
    case J_SELF: return ft_jcall_block(rt, m, a);
    case J_STR: return ft_jstr_method(rt, self, m->attr, a);
    case J_DICT: return dict_method(rt, m, a);
    case J_LIST:
    case J_TUPLE: return seq_method(rt, m, a);
    case J_BOOL:
    case J_INT:
    case J_BIG:
    case J_FLOAT: return num_method(rt, m, a);
    case J_LOOP: return loop_method(rt, m, a);
    case J_RANGE:
        if (m->attr == A_index || m->attr == A_count) {
            ft_jarity(rt, m->attr == A_index ? "range.index" : "range.count", a, 1, 1);
            const bool in = ft_jin(rt, a->v[0], self);
            if (m->attr == A_count)
                return ft_jint(in);
            if (!in)
                ft_jraise(rt, J_VALUE, "%s is not in range", ft_jrepr_z(rt, a->v[0]));
            return ft_jint((ft_jindex(rt, a->v[0]) - self.r->start) / self.r->step);
        }
        break;
    case J_CYCLER:
        if (m->attr == A_next || m->attr == A_reset) {
            struct jcycler *c = self.cyc;
            ft_jbind(rt, m->attr == A_next ? "Cycler.next" : "Cycler.reset", "", 1, a, NULL);
            if (m->attr == A_reset) {
                c->pos = 0;
                return ft_jnone();
            }
            const struct jval v = c->v[c->pos];
            c->pos = (c->pos + 1) % c->n;
            return v;
        }
        break;
    case J_VIEW:
        if (m->attr == A_isdisjoint) {
            ft_jarity(rt, "isdisjoint", a, 1, 1);
            struct jiter *it = ft_jiter(rt, a->v[0]);
            struct jval v;
            while (ft_jnext(rt, it, &v))
                if (ft_jin(rt, v, self))
                    return ft_jbool(false);
            return ft_jbool(true);
        }
        break;
    case J_FUNC:
        if (m->attr == A_fromkeys)
            return ft_jdict_fromkeys(rt, a);
        break;
    default: break;
    }
    unsupported(rt, m);
}
