/* jattr.c -- attributes, subscripts and calls as jinja2.sandbox allows them. */
#include <math.h>

#include "templates/jattrs.h"
#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

static const struct {
    const char *name;
    uint32_t types;
} attrs[] = {
    {"", 0},
#define X(name, types) {#name, types},
    J_ATTRS(X)
#undef X
};

/* Numbers by hash, open addressing; made once, by ft_jtext_init. */
enum { ATTR_SLOTS = 1024 };
_Static_assert(A_COUNT * 2 < ATTR_SLOTS, "the table of attributes is too full");
static uint16_t attr_slot[ATTR_SLOTS];

void ft_jattr_init(void)
{
    for (int i = 1; i < A_COUNT; i++) {
        uint32_t at = ft_jhash_bytes(attrs[i].name, strlen(attrs[i].name)) % ATTR_SLOTS;
        while (attr_slot[at])
            at = (at + 1) % ATTR_SLOTS;
        attr_slot[at] = (uint16_t)i;
    }
}

int ft_jattr_id(const struct jstr *s)
{
    const uint32_t hash = s->hash ? s->hash : ft_jhash_bytes(s->p, s->n);
    for (uint32_t at = hash % ATTR_SLOTS; attr_slot[at]; at = (at + 1) % ATTR_SLOTS)
        if (ft_jstr_is(s, attrs[attr_slot[at]].name))
            return attr_slot[at];
    return 0;
}

bool ft_jchar_has(int attr) { return attr < 0 || attrs[attr].types & T_STR; }
bool ft_jdict_has(int attr) { return attr < 0 || attrs[attr].types & T_DICT; }

static uint32_t type_bit(struct jval v)
{
    switch (v.tag) {
    case J_UNDEF: return T_UNDEFINED;
    case J_NONE: return T_NONE;
    case J_BOOL:
    case J_INT:
    case J_BIG: return T_INT;
    case J_FLOAT: return T_FLOAT;
    case J_STR: return v.s->markup ? T_MARKUP : T_STR;
    case J_LIST: return T_LIST;
    case J_TUPLE: return v.q->in.group ? T_GROUP : T_TUPLE;
    case J_DICT: return T_DICT;
    case J_RANGE: return T_RANGE;
    case J_VIEW: return v.aux == J_VALUES ? T_VALUES : T_KEYS;
    case J_ITER: return strcmp(v.it->type, "generator") == 0 ? T_GENERATOR : T_ITERATOR;
    case J_FUNC: {
        const char *t = ft_jfunc_type(v);
        return strcmp(t, "TemplateDict") == 0 ? T_TDICT : strcmp(t, "type") == 0 ? T_CLASS : T_FUNCTION;
    }
    case J_BOUND: return v.m->self.tag == J_SELF ? 0 : T_METHOD;
    case J_MACRO: return T_MACRO;
    case J_LOOP: return T_LOOP;
    case J_CYCLER: return T_CYCLER;
    case J_JOINER: return T_JOINER;
    case J_SELF: return T_SELF;
    case J_NS: return T_NS;
    default: return 0;
    }
}

static bool unsafe(struct jval obj, int attr)
{
    const char *n = attrs[attr].name;
    if (n[0] == '_')
        return true;
    if (obj.tag == J_DICT)
        return attr == A_clear || attr == A_pop || attr == A_popitem || attr == A_setdefault || attr == A_update;
    if (obj.tag == J_LIST)
        return attr == A_append || attr == A_clear || attr == A_pop || attr == A_reverse || attr == A_insert ||
               attr == A_sort || attr == A_extend || attr == A_remove;
    if (obj.tag == J_ITER)
        return strncmp(n, "gi_", 3) == 0;
    if (obj.tag == J_FUNC)
        return attr == A_mro;
    return false;
}

bool ft_jhas_method(struct jval v, int attr)
{
    return attr && (v.tag == J_STR || v.tag == J_DICT || v.tag == J_LIST) && (attrs[attr].types & type_bit(v)) &&
           !unsafe(v, attr);
}

/* Attributes that are values, not methods. */
static bool data_attr(struct jrt *rt, struct jval obj, int attr, struct jval *out)
{
    switch (obj.tag) {
    case J_BOOL: obj = ft_jint(obj.b); /* fall through */
    case J_INT:
    case J_BIG:
        if (attr == A_real || attr == A_numerator)
            return *out = obj, true;
        if (attr == A_imag)
            return *out = ft_jint(0), true;
        if (attr == A_denominator)
            return *out = ft_jint(1), true;
        return false;
    case J_FLOAT:
        if (attr == A_real || attr == A_imag)
            return *out = attr == A_real ? obj : ft_jfloat(0), true;
        return false;
    case J_RANGE:
        if (attr == A_start || attr == A_stop || attr == A_step)
            return *out = ft_jint(attr == A_start ? obj.r->start : attr == A_stop ? obj.r->stop : obj.r->step), true;
        return false;
    case J_TUPLE:
        if (attr == A_grouper || attr == A_list)
            return *out = ft_jq(rt, obj)->v[attr == A_list], true;
        return false;
    case J_MACRO: {
        const struct macro_info *m = obj.mac->node->macro;
        switch (attr) {
        case A_name: *out = m->name ? ft_jstrv(m->name) : ft_jnone(); return true;
        case A_arguments: {
            struct jval *v = J_NEWS(rt, struct jval, m->args.n);
            for (uint32_t i = 0; i < m->args.n; i++)
                v[i] = ft_jstrv(m->args.v[i]->name);
            *out = ft_jtuple(rt, v, m->args.n);
            return true;
        }
        case A_catch_kwargs: *out = ft_jbool(m->kwargs); return true;
        case A_catch_varargs: *out = ft_jbool(m->varargs); return true;
        case A_caller: *out = ft_jbool(m->caller); return true;
        case A_explicit_caller: *out = ft_jbool(m->explicit_caller); return true;
        default: return false;
        }
    }
    case J_LOOP: return ft_jloop_attr(rt, obj.loop, attr, out);
    case J_CYCLER:
        if (attr == A_current)
            return *out = obj.cyc->v[obj.cyc->pos], true;
        if (attr == A_pos)
            return *out = ft_jint(obj.cyc->pos), true;
        if (attr == A_items)
            return *out = ft_jtuple(rt, obj.cyc->v, obj.cyc->n), true;
        return false;
    case J_JOINER:
        if (attr == A_sep || attr == A_used)
            return *out = attr == A_sep ? ft_jstrv(obj.cyc->sep) : ft_jbool(obj.cyc->used), true;
        return false;
    default: return false;
    }
}

bool ft_jattribute(struct jrt *rt, struct jval obj, struct jstr *name, int attr, struct jval *out)
{
    if (obj.tag == J_NS) {
        const struct jval *v = ft_jdict_get_str(ft_jd(rt, obj), name);
        if (v)
            return *out = *v, true;
        if (attr == A___class__ || ft_jstr_is(name, "_Namespace__attrs"))
            return *out = ft_jundef_unsafe(rt, obj, ft_jstrv(name)), true;
        return false;
    }
    if (!attr || !(attrs[attr].types & type_bit(obj))) {
        if (obj.tag == J_BOUND && obj.m->self.tag == J_SELF)
            ft_jraise(rt, J_LIMIT, "attributes of a block are not supported");
        if (obj.tag == J_SELF && ft_jblock_of(rt, obj, name, out))
            return true;
        if (obj.tag != J_UNDEF)
            return false;
        if (name->n >= 4 && memcmp(name->p, "__", 2) == 0 && memcmp(name->p + name->n - 2, "__", 2) == 0)
            return false;
        ft_jundef_raise(rt, obj);
    }
    if (unsafe(obj, attr))
        return *out = ft_jundef_unsafe(rt, obj, ft_jstrv(name)), true;
    if (data_attr(rt, obj, attr, out))
        return true;
    struct jbound *m = J_NEW(rt, struct jbound);
    m->attr = attr;
    m->self = obj;
    *out = (struct jval){.tag = J_BOUND, .m = m};
    return true;
}

struct jval ft_jgetattr(struct jrt *rt, struct jval obj, struct jstr *name, int attr)
{
    struct jval v;
    if (obj.tag == J_DICT) {
        if (!attr || !(attrs[attr].types & T_DICT)) {
            const struct jval *item = ft_jdict_get_str(ft_jd(rt, obj), name);
            return item ? *item : ft_jundef_attr(rt, obj, ft_jstrv(name));
        }
    } else if (obj.tag == J_LOOP && attr && ft_jloop_attr(rt, obj.loop, attr, &v)) {
        return v;
    }
    if (ft_jattribute(rt, obj, name, attr, &v))
        return v;
    if (obj.tag == J_UNDEF)
        ft_jundef_raise(rt, obj);
    return ft_jundef_attr(rt, obj, ft_jstrv(name));
}

/* i of a sequence of n, Python's way; -1 when out of range. */
static int64_t resolve_index(struct jval arg, int64_t n)
{
    if (arg.tag == J_BIG)
        return -1;
    int64_t i = arg.tag == J_BOOL ? arg.b : arg.i;
    if (i < 0)
        i += n;
    return i >= 0 && i < n ? i : -1;
}

struct jval ft_jgetitem(struct jrt *rt, struct jval obj, struct jval arg, int attr)
{
    switch (obj.tag) {
    case J_DICT:
        if (arg.tag == J_STR) {
            ft_jstep(rt, arg.s->n / 16);
            const struct jval *v = ft_jdict_get_str(ft_jd(rt, obj), arg.s);
            if (v)
                return *v;
        } else if (arg.tag != J_LIST && arg.tag != J_DICT && arg.tag != J_SLICE && arg.tag != J_TUPLE) {
            const struct jval *v = ft_jdict_get(rt, ft_jd(rt, obj), arg);
            if (v)
                return *v;
        } else if (arg.tag == J_TUPLE && ft_jhashable(rt, arg)) {
            const struct jval *v = ft_jdict_get(rt, ft_jd(rt, obj), arg);
            if (v)
                return *v;
        }
        break;
    case J_LIST:
    case J_TUPLE:
        if (ft_jis_int(arg)) {
            const int64_t i = resolve_index(arg, ft_jq(rt, obj)->n);
            if (i >= 0)
                return ft_jq(rt, obj)->v[i];
        }
        break;
    case J_STR:
        if (ft_jis_int(arg)) {
            const int64_t i = resolve_index(arg, ft_jchars(obj.s));
            if (i >= 0)
                return ft_jstrv(ft_jstr_as(rt, ft_jstr_slice(rt, obj.s, i, 1, 1), obj.s->markup));
        }
        break;
    case J_RANGE:
        if (ft_jis_int(arg)) {
            const int64_t i = resolve_index(arg, obj.r->n);
            if (i >= 0)
                return ft_jrange_at(obj.r, i);
        }
        break;
    case J_UNDEF: ft_jundef_raise(rt, obj);
    default: break;
    }
    if (arg.tag == J_STR) {
        struct jval v;
        ft_jstep(rt, arg.s->n / 16);
        if (ft_jattribute(rt, obj, arg.s, attr >= 0 ? attr : ft_jattr_id(arg.s), &v))
            return v;
    }
    arg.aux = 0;
    return ft_jundef_attr(rt, obj, arg);
}

/* The bounds of list.index: no None, unlike a slice's. */
static int64_t bound(struct jrt *rt, struct jval v)
{
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "slice indices must be integers or have an __index__ method");
    return ft_jindex(rt, v);
}

static int64_t slice_part(struct jrt *rt, struct jval v)
{
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "slice indices must be integers or None or have an __index__ method");
    return ft_jindex(rt, v);
}

struct jval ft_jgetslice(struct jrt *rt, struct jval obj, const struct jslice *s)
{
    int64_t n;
    /* Jinja folds constants through getitem, which forgives where the compiled
     * subscript raises */
    if (rt->folding && obj.tag != J_UNDEF && obj.tag != J_LIST && obj.tag != J_TUPLE && obj.tag != J_STR && obj.tag != J_RANGE)
        return ft_jundef_attr(rt, obj, ft_jnone());
    switch (obj.tag) {
    case J_LIST:
    case J_TUPLE: n = ft_jq(rt, obj)->n; break;
    case J_STR: n = ft_jchars(obj.s); break;
    case J_RANGE: n = obj.r->n; break;
    case J_UNDEF: ft_jundef_raise(rt, obj);
    case J_DICT: ft_jraise(rt, J_TYPE, "unhashable type: 'slice'");
    default: ft_jraise(rt, J_TYPE, "'%s' object is not subscriptable", ft_jtype(obj));
    }
    const int64_t step = s->step.tag == J_NONE ? 1 : slice_part(rt, s->step);
    if (step == 0)
        ft_jraise(rt, J_VALUE, "slice step cannot be zero");
    const int64_t lo = step < 0 ? -1 : 0, hi = step < 0 ? n - 1 : n;
    int64_t start, stop;
    if (s->start.tag == J_NONE) {
        start = step < 0 ? hi : lo;
    } else {
        start = slice_part(rt, s->start);
        start = start < 0 ? (start < -n ? lo : start + n) : start > hi ? hi : start;
        if (start < lo)
            start = lo;
    }
    if (s->stop.tag == J_NONE) {
        stop = step < 0 ? lo : hi;
    } else {
        stop = slice_part(rt, s->stop);
        stop = stop < 0 ? (stop < -n ? lo : stop + n) : stop > hi ? hi : stop;
        if (stop < lo)
            stop = lo;
    }
    int64_t count = 0;
    if (step < 0 ? stop < start : start < stop) {
        const uint64_t by = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
        count = (int64_t)((uint64_t)(step < 0 ? start - stop - 1 : stop - start - 1) / by + 1);
    }
    if (obj.tag == J_STR)
        return ft_jstrv(ft_jstr_as(rt, ft_jstr_slice(rt, obj.s, start, count > 1 ? step : 1, count), obj.s->markup));
    if (obj.tag == J_RANGE) {
        struct jrange *r = J_NEW(rt, struct jrange);
        int64_t rs = 1;
        if (__builtin_mul_overflow(obj.r->step, step, &rs))
            rs = step < 0 ? -1 : 1;
        *r = (struct jrange){obj.r->start + start * obj.r->step, obj.r->start + stop * obj.r->step, rs, count};
        return (struct jval){.tag = J_RANGE, .r = r};
    }
    ft_jstep(rt, (size_t)count / 4);
    struct jval *v;
    if (step == 1 && count) {
        v = ft_jq(rt, obj)->v + start; /* values are immutable: share */
    } else {
        v = J_NEWS(rt, struct jval, (size_t)count);
        for (int64_t i = 0, at = start; i < count; i++, at += step)
            v[i] = ft_jq(rt, obj)->v[at];
    }
    const struct jval r = obj.tag == J_LIST ? ft_jlist(rt, v, (size_t)count) : ft_jtuple(rt, v, (size_t)count);
    r.q->in.leaf = obj.q->in.leaf;
    return r;
}

/* ---- calls ---- */

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
    ft_jraise(rt, J_LIMIT, "the method '%s' of '%s' objects is not supported%s", attrs[m->attr].name, ft_jtype(m->self),
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
