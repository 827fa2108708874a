/* jeval.c -- expressions. */
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

enum { SUM = 16 }; /* operands of a sum that are joined at once */

static inline struct jval slot_of(const struct node *n, struct jframe *f)
{
    for (uint32_t i = n->up; i; i--)
        f = f->up;
    return f->slot[n->slot];
}

static __attribute__((noinline)) struct jval eval_seq(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval *v = J_NEWS(rt, struct jval, n->list.n);
    for (uint32_t i = 0; i < n->list.n; i++)
        v[i] = ft_jeval(rt, n->list.v[i], f);
    return n->kind == N_LIST ? ft_jlist(rt, v, n->list.n) : ft_jtuple(rt, v, n->list.n);
}

/* ---- where only the truth, the type or equality of a value counts ---- */

/* The Undefined of a look-up whose name nobody will ask for. */
static struct jundef nameless = {.obj = {.tag = J_SLICE}, .name = {.p = "a value is undefined"}};
static const struct jval undefined = {.tag = J_UNDEF, .u = &nameless};

/* The value of n; what is not there is `undefined`, made without memory. */
static struct jval glance(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval v;
    const struct jval *at;
    switch (n->kind) {
    case N_CONST: return n->value;
    case N_NAME:
        v = slot_of(n, f);
        return v.tag == J_MISSING && n->maybe ? undefined : v;
    case N_GETATTR:
        v = ft_jeval(rt, n->a, f);
        if (v.tag != J_DICT || ft_jdict_has(n->attr))
            return ft_jgetattr(rt, v, n->name, n->attr);
        at = ft_jdict_get_str(ft_jd(rt, v), n->name);
        return at ? *at : undefined;
    case N_GETITEM:
        if (n->b->kind != N_CONST || n->b->value.tag != J_STR)
            break;
        v = ft_jeval(rt, n->a, f);
        if (v.tag == J_DICT) {
            at = ft_jdict_get_str(ft_jd(rt, v), n->b->value.s);
            if (at)
                return *at;
            if (!ft_jdict_has(n->attr))
                return undefined;
        } else if (v.tag == J_STR && !v.s->markup && !ft_jchar_has(n->attr)) {
            return undefined;
        }
        return ft_jgetitem(rt, v, n->b->value, n->attr);
    default: break;
    }
    return ft_jeval(rt, n, f);
}

static inline bool equal(struct jrt *rt, struct jval a, struct jval b)
{
    if (a.tag == J_STR && b.tag == J_STR && a.s->n < 256)
        return ft_jstr_same(a.s, b.s);
    return ft_jeq(rt, a, b);
}

static bool compare(struct jrt *rt, unsigned op, struct jval a, struct jval b)
{
    switch (op) {
    case CMP_EQ: return equal(rt, a, b);
    case CMP_NE: return !equal(rt, a, b);
    case CMP_LT: return ft_jcompare(rt, a, b, J_LT);
    case CMP_LE: return ft_jcompare(rt, a, b, J_LE);
    case CMP_GT: return ft_jcompare(rt, a, b, J_GT);
    case CMP_GE: return ft_jcompare(rt, a, b, J_GE);
    case CMP_IN: return ft_jin(rt, a, b);
    default: return !ft_jin(rt, a, b);
    }
}

static bool compare_all(struct jrt *rt, const struct node *n, struct jframe *f)
{
    if (n->list.n == 1 && n->ops[0] <= CMP_NE) {
        const struct jval v = glance(rt, n->a, f);
        return compare(rt, n->ops[0], v, glance(rt, n->list.v[0], f));
    }
    struct jval v = ft_jeval(rt, n->a, f);
    for (uint32_t i = 0; i < n->list.n; i++) {
        const struct jval b = ft_jeval(rt, n->list.v[i], f);
        if (!compare(rt, n->ops[i], v, b))
            return false;
        v = b;
    }
    return true;
}

static inline bool is_type(struct jrt *rt, const struct node *n, struct jframe *f)
{
    return n->tags >> glance(rt, n->a, f).tag & 1;
}

bool ft_jeval_true(struct jrt *rt, const struct node *n, struct jframe *f)
{
    ft_jstep(rt, 1);
    switch (n->kind) {
    case N_NOT: ft_jstack(rt); return !ft_jeval_true(rt, n->a, f);
    case N_AND: ft_jstack(rt); return ft_jeval_true(rt, n->a, f) && ft_jeval_true(rt, n->b, f);
    case N_OR: ft_jstack(rt); return ft_jeval_true(rt, n->a, f) || ft_jeval_true(rt, n->b, f);
    case N_COMPARE: ft_jstack(rt); return compare_all(rt, n, f);
    case N_ISTYPE: ft_jstack(rt); return is_type(rt, n, f);
    default: ft_jstack(rt); return ft_jtrue(rt, glance(rt, n, f));
    }
}

/* ---- sums ---- */

/* Evaluates operands of a sum for as long as they are plain strings, at most `room` of them, and adds those
 * after it to *rest. What is added in Python in order of reading is added so here. Returns their number;
 * *rest is J_MISSING when they are all there is, else it takes their place. */
static uint32_t sum_parts(struct jrt *rt, const struct node *n, struct jframe *f, struct jstr **part, uint32_t room,
                          struct jval *rest)
{
    const struct node_list *l = &n->list;
    uint32_t i = 0;
    *rest = (struct jval){0};
    for (; i < l->n; i++) {
        struct jval v = ft_jeval(rt, l->v[i], f);
        if (i < room && v.tag == J_STR && !v.s->markup) {
            part[i] = v.s;
            continue;
        }
        if (i)
            v = ft_jbinary(rt, J_ADD, ft_jstrv(ft_jstr_cat_all(rt, part, i)), v);
        for (i++; i < l->n; i++)
            v = ft_jbinary(rt, J_ADD, v, ft_jeval(rt, l->v[i], f));
        *rest = v;
        break;
    }
    return i;
}

static __attribute__((noinline)) struct jval eval_sum(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval v;
    if (n->list.n == 2) {
        v = ft_jeval(rt, n->list.v[0], f);
        const struct jval b = ft_jeval(rt, n->list.v[1], f);
        if (v.tag == J_STR && b.tag == J_STR && !v.s->markup && !b.s->markup)
            return ft_jstrv(ft_jstr_cat(rt, v.s, b.s));
        return ft_jbinary(rt, J_ADD, v, b);
    }
    struct jstr *part[SUM];
    const uint32_t k = sum_parts(rt, n, f, part, SUM, &v);
    return v.tag == J_MISSING ? ft_jstrv(ft_jstr_cat_all(rt, part, k)) : v;
}

void ft_jeval_print(struct jrt *rt, const struct node *n, struct jframe *f)
{
    if (n->kind != N_SUM || rt->autoescape) {
        ft_jout_val(rt, ft_jeval(rt, n, f));
        return;
    }
    struct jval v;
    struct jstr *part[SUM];
    ft_jstack(rt);
    ft_jstep(rt, 1);
    const uint32_t k = sum_parts(rt, n, f, part, SUM, &v);
    if (v.tag != J_MISSING)
        ft_jout_val(rt, v);
    else
        for (uint32_t i = 0; i < k; i++)
            ft_jout_str(rt, part[i]);
}

/* ---- operators ---- */

static __attribute__((noinline)) struct jval eval_concat(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval v = ft_jeval(rt, n->list.v[0], f);
    if (rt->autoescape) {
        /* markup_join: escaped as soon as one part is Markup */
        struct jval *p = J_NEWS(rt, struct jval, n->list.n);
        bool markup = v.tag == J_STR && v.s->markup;
        p[0] = v;
        for (uint32_t i = 1; i < n->list.n; i++) {
            p[i] = ft_jeval(rt, n->list.v[i], f);
            markup |= p[i].tag == J_STR && p[i].s->markup;
        }
        struct jstr *s = ft_jstr_ref(rt, "", 0);
        for (uint32_t i = 0; i < n->list.n; i++) {
            struct jstr *x = ft_jsoft(rt, p[i]);
            s = ft_jstr_cat(rt, s, ft_jstr_as(rt, markup ? ft_jstr_escape(rt, x) : x, false));
        }
        return ft_jstrv(ft_jstr_as(rt, s, markup));
    }
    struct jstr *s = ft_jstr_of(rt, v);
    for (uint32_t i = 1; i < n->list.n; i++)
        s = ft_jstr_cat(rt, s, ft_jstr_of(rt, ft_jeval(rt, n->list.v[i], f)));
    return ft_jstrv(s);
}

static __attribute__((noinline)) struct jval eval_dict(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jdict *d = ft_jdict_new(rt, n->list.n / 2);
    struct jval v[30];
    if (n->list.n <= 30) { /* as CPython builds it: all is evaluated before anything is hashed */
        for (uint32_t i = 0; i < n->list.n; i++)
            v[i] = ft_jeval(rt, n->list.v[i], f);
        for (uint32_t i = 0; i < n->list.n; i += 2)
            ft_jdict_set(rt, d, v[i], v[i + 1]);
        return ft_jdictv(d);
    }
    for (uint32_t i = 0; i < n->list.n; i += 2) {
        const struct jval k = ft_jeval(rt, n->list.v[i], f);
        ft_jdict_set(rt, d, k, ft_jeval(rt, n->list.v[i + 1], f));
    }
    return ft_jdictv(d);
}


/* v[expression] and v[a:b:c] */
static __attribute__((noinline)) struct jval eval_item(struct jrt *rt, const struct node *n, struct jframe *f, struct jval v)
{
    if (n->b->kind != N_SLICE)
        return ft_jgetitem(rt, v, ft_jeval(rt, n->b, f), -1);
    struct jslice s = {ft_jnone(), ft_jnone(), ft_jnone()};
    if (n->b->a)
        s.start = ft_jeval(rt, n->b->a, f);
    if (n->b->b)
        s.stop = ft_jeval(rt, n->b->b, f);
    if (n->b->c)
        s.step = ft_jeval(rt, n->b->c, f);
    return ft_jgetslice(rt, v, &s);
}

/* A slice inside a tuple of subscripts, which nothing takes. */
static __attribute__((noinline)) struct jval eval_slice(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jslice *s = J_NEW(rt, struct jslice);
    s->start = n->a ? ft_jeval(rt, n->a, f) : ft_jnone();
    s->stop = n->b ? ft_jeval(rt, n->b, f) : ft_jnone();
    s->step = n->c ? ft_jeval(rt, n->c, f) : ft_jnone();
    return (struct jval){.tag = J_SLICE, .sl = s};
}

enum { FEW = 8 };

/* Arguments evaluated into room for FEW of each, or the arena. */
static void eval_args(struct jrt *rt, const struct call *c, struct jframe *f, struct jargs *out, struct jval *v,
                      struct jkw *kw)
{
    const uint32_t n = c->args.n, nkw = c->nkw;
    out->v = n > FEW ? J_NEWS(rt, struct jval, n) : v;
    out->kw = nkw > FEW ? J_NEWS(rt, struct jkw, nkw) : kw;
    for (uint32_t i = 0; i < n; i++)
        out->v[i] = ft_jeval(rt, c->args.v[i], f);
    for (uint32_t i = 0; i < nkw; i++)
        out->kw[i] = (struct jkw){c->kw[i].name, ft_jeval(rt, c->kw[i].value, f)};
    out->n = n;
    out->nkw = nkw;
    if (c->dyn_args) {
        const struct jval d = ft_jeval(rt, c->dyn_args, f);
        if (!ft_jiterable(d))
            ft_jraise(rt, J_TYPE, "Value after * must be an iterable, not %s", ft_jtype(d));
        struct jvec a = {0};
        for (uint32_t i = 0; i < n; i++)
            ft_jvec_put(rt, &a, out->v[i]);
        const struct jvec more = ft_jcollect(rt, d);
        for (size_t i = 0; i < more.n; i++)
            ft_jvec_put(rt, &a, more.v[i]);
        out->v = a.v;
        out->n = (uint32_t)a.n;
    }
    if (c->dyn_kwargs) {
        const struct jval d = ft_jeval(rt, c->dyn_kwargs, f);
        if (d.tag == J_UNDEF)
            ft_jundef_raise(rt, d);
        if (d.tag != J_DICT)
            ft_jraise(rt, J_TYPE, "argument after ** must be a mapping, not %s", ft_jtype(d));
        struct jkw *k = J_NEWS(rt, struct jkw, nkw + ft_jd(rt, d)->n);
        ft_jcopy(k, out->kw, nkw * sizeof *k);
        for (uint32_t i = 0; i < ft_jd(rt, d)->n; i++) {
            const struct jval key = ft_jd(rt, d)->e[i].k;
            if (key.tag != J_STR)
                ft_jraise(rt, J_TYPE, "keywords must be strings");
            for (uint32_t j = 0; j < nkw; j++)
                if (ft_jstr_same(k[j].name, key.s))
                    ft_jraise(rt, J_TYPE, "got multiple values for keyword argument '%.*s'", (int)key.s->n, key.s->p);
            k[nkw + i] = (struct jkw){key.s, ft_jd(rt, d)->e[i].v};
        }
        out->kw = k;
        out->nkw = nkw + ft_jd(rt, d)->n;
    }
}

static __attribute__((noinline)) struct jval eval_call(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval v[FEW];
    struct jkw kw[FEW];
    struct jargs args;
    const struct node *c = n->a;
    if (c->kind == N_GETATTR) { /* a method: no need to make it a value */
        const struct jval self = ft_jeval(rt, c->a, f);
        if (ft_jhas_method(self, c->attr)) {
            const struct jbound m = {c->attr, self};
            eval_args(rt, n->call, f, &args, v, kw);
            return ft_jmethod(rt, &m, &args);
        }
        const struct jval callee = ft_jgetattr(rt, self, c->name, c->attr);
        eval_args(rt, n->call, f, &args, v, kw);
        return ft_jcall(rt, callee, &args);
    }
    const struct jval callee = ft_jeval(rt, c, f);
    eval_args(rt, n->call, f, &args, v, kw);
    return ft_jcall(rt, callee, &args);
}

__attribute__((noinline)) struct jval ft_jeval_filter(struct jrt *rt, const struct node *n, struct jframe *f, struct jval v)
{
    struct jval room[FEW];
    struct jkw kw[FEW];
    struct jargs args;
    eval_args(rt, n->call, f, &args, room, kw);
    if (!n->filter)
        ft_jraise(rt, J_RUNTIME, "No %s named '%.*s' found.", n->kind == N_FILTER ? "filter" : "test", (int)n->name->n,
                  n->name->p);
    return n->filter->call(rt, v, &args);
}

struct jval ft_jeval_any(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval v;
    ft_jstep(rt, 1);
    switch (n->kind) {
    case N_CONST: return n->value;
    case N_NONFINITE: ft_jraise(rt, "NameError", "name '%s' is not defined", n->value.b ? "nan" : "inf");
    case N_NAME:
        v = slot_of(n, f);
        if (v.tag == J_MISSING && n->maybe)
            return ft_jundef_name(rt, n->name);
        return v;
    case N_DATA: return ft_jstrv(n->name);
    case N_TUPLE:
    case N_LIST: ft_jstack(rt); return eval_seq(rt, n, f);
    case N_DICT: ft_jstack(rt); return eval_dict(rt, n, f);
    case N_BINARY: {
        ft_jstack(rt);
        v = ft_jeval(rt, n->a, f);
        return ft_jbinary(rt, (enum jop)n->op, v, ft_jeval(rt, n->b, f));
    }
    case N_SUM: ft_jstack(rt); return eval_sum(rt, n, f);
    case N_AND: ft_jstack(rt); v = ft_jeval(rt, n->a, f); return ft_jtrue(rt, v) ? ft_jeval(rt, n->b, f) : v;
    case N_OR: ft_jstack(rt); v = ft_jeval(rt, n->a, f); return ft_jtrue(rt, v) ? v : ft_jeval(rt, n->b, f);
    case N_NOT: ft_jstack(rt); return ft_jbool(!ft_jeval_true(rt, n->a, f));
    case N_NEG: ft_jstack(rt); return ft_jneg(rt, ft_jeval(rt, n->a, f));
    case N_POS: ft_jstack(rt); return ft_jpos(rt, ft_jeval(rt, n->a, f));
    case N_CONCAT: ft_jstack(rt); return eval_concat(rt, n, f);
    case N_COMPARE: ft_jstack(rt); return ft_jbool(compare_all(rt, n, f));
    case N_GETATTR: ft_jstack(rt); return ft_jgetattr(rt, ft_jeval(rt, n->a, f), n->name, n->attr);
    case N_GETITEM:
        ft_jstack(rt);
        v = ft_jeval(rt, n->a, f);
        if (n->b->kind == N_CONST)
            return ft_jgetitem(rt, v, n->b->value, n->attr);
        return eval_item(rt, n, f, v);
    case N_SLICE: return eval_slice(rt, n, f);
    case N_FILTER:
    case N_TEST: ft_jstack(rt); v = ft_jeval(rt, n->a, f); return ft_jeval_filter(rt, n, f, v);
    case N_ISTYPE: ft_jstack(rt); return ft_jbool(is_type(rt, n, f));
    case N_CALL: ft_jstack(rt); return eval_call(rt, n, f);
    case N_COND:
        ft_jstack(rt);
        if (ft_jeval_true(rt, n->b, f))
            return ft_jeval(rt, n->a, f);
        if (n->c)
            return ft_jeval(rt, n->c, f);
        return ft_jundef_hint(rt, ft_jstr_fmt(rt, "the inline if-expression on line %u evaluated to false and no else "
                                                  "section was defined.%c", n->line, 0)->p);
    default: return ft_jnone();
    }
}
