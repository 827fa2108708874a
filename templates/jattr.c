/* jattr.c -- attributes, subscripts and slices as jinja2.sandbox allows them. */
#include "templates/jattrs.h"
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

const char *ft_jattr_name(int attr) { return attrs[attr].name; }

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

static int64_t slice_part(struct jrt *rt, struct jval v)
{
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "slice indices must be integers or None or have an __index__ method");
    return ft_jindex(rt, v);
}

/* A bound of a slice: counted from the end where negative, held within [lo, hi]. */
static int64_t slice_bound(struct jrt *rt, struct jval v, int64_t n, int64_t lo, int64_t hi, int64_t absent)
{
    if (v.tag == J_NONE)
        return absent;
    const int64_t i = slice_part(rt, v), at = i < 0 ? (i < -n ? lo : i + n) : i > hi ? hi : i;
    return at < lo ? lo : at;
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
    const int64_t start = slice_bound(rt, s->start, n, lo, hi, step < 0 ? hi : lo);
    const int64_t stop = slice_bound(rt, s->stop, n, lo, hi, step < 0 ? lo : hi);
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
