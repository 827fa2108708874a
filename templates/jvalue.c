/* jvalue.c -- making values, raising, truth, equality and order. */
#include "templates/jvalue.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jtext.h"

/* ---- raising ---- */

void ft_jraise(struct jrt *rt, const char *type, const char *fmt, ...)
{
    va_list ap;
    rt->error_text.n = 0;
    va_start(ap, fmt);
    ft_buf_vprintf(&rt->error_text, fmt, ap);
    va_end(ap);
    rt->error.type = type;
    rt->error.line = rt->line;
    longjmp(*rt->catch, 1);
}

void ft_jraise_str(struct jrt *rt, const char *type, const struct jstr *s)
{
    rt->error_text.n = 0;
    ft_buf_put(&rt->error_text, s->p, s->n);
    rt->error.type = type;
    rt->error.line = rt->line;
    longjmp(*rt->catch, 1);
}

void ft_jlimit_steps(struct jrt *rt)
{
    rt->steps = INT32_MAX; /* so that the message itself can be made */
    ft_jraise(rt, J_LIMIT, "the template takes too many steps");
}

void ft_jlimit_memory(struct jrt *rt)
{
    rt->mem = 0;
    ft_jraise(rt, J_LIMIT, "the template takes too much memory (limit %zu bytes)", rt->mem_limit);
}

void ft_jlimit_stack(struct jrt *rt) { ft_jraise(rt, J_RECURSION, "maximum recursion depth exceeded"); }

void *ft_jalloc_n(struct jrt *rt, size_t n, size_t size)
{
    if (n > (SIZE_MAX / 4) / size)
        ft_jlimit_memory(rt);
    return ft_jalloc(rt, n * size);
}

/* ---- undefined ---- */

static inline struct jval undef(struct jrt *rt, struct jval obj, struct jval name)
{
    struct jundef *p = J_NEW(rt, struct jundef);
    p->obj = obj;
    p->name = name;
    return (struct jval){.tag = J_UNDEF, .u = p};
}

struct jval ft_jundef_name(struct jrt *rt, struct jstr *name) { return undef(rt, (struct jval){0}, ft_jstrv(name)); }

struct jval ft_jundef_attr(struct jrt *rt, struct jval obj, struct jval name) { return undef(rt, obj, name); }

struct jval ft_jundef_hint(struct jrt *rt, const char *hint)
{
    return undef(rt, (struct jval){.tag = J_SLICE}, (struct jval){.p = (void *)(uintptr_t)hint});
}

struct jval ft_jundef_unsafe(struct jrt *rt, struct jval obj, struct jval name)
{
    name.aux = 1;
    return undef(rt, obj, name);
}

/* Jinja's object_type_repr: "dict object", "None". */
static void put_object(struct jval v, struct ft_buf *b)
{
    if (v.tag == J_NONE) {
        ft_buf_putz(b, "None");
        return;
    }
    const char *module = "";
    switch (v.tag) {
    case J_STR: module = v.s->markup ? "markupsafe." : ""; break;
    case J_TUPLE: module = v.q->in.group ? "jinja2.filters." : ""; break;
    case J_UNDEF:
    case J_MACRO:
    case J_SELF:
    case J_LOOP: module = "jinja2.runtime."; break;
    case J_CYCLER:
    case J_JOINER: module = "jinja2.utils."; break;
    case J_NS: module = "transformers.utils.chat_template_utils."; break;
    case J_FUNC:
        module = strcmp(ft_jfunc_type(v), "TemplateDict") == 0 ? "transformers.utils.chat_template_utils." : "";
        break;
    default: break;
    }
    ft_buf_putz(b, module);
    ft_buf_putz(b, ft_jtype(v));
    ft_buf_putz(b, " object");
}

/* An unsafe attribute: its name is marked. */
static bool unsafe(const struct jundef *u) { return u->name.tag == J_STR && u->name.aux; }

struct jstr *ft_jundef_text(struct jrt *rt, struct jval v)
{
    const struct jundef *u = v.u;
    struct jsb b;
    ft_jsb_init(&b, rt, 128);
    if (unsafe(u)) {
        ft_jsb_putz(&b, "access to attribute ");
        ft_jsb_repr(&b, u->name);
        ft_jsb_printf(&b, " of '%s' object is unsafe.", ft_jtype(u->obj));
        return ft_jsb_done(&b);
    }
    if (u->obj.tag == J_SLICE)
        return ft_jstr_z(rt, u->name.p);
    if (u->obj.tag == J_MISSING) {
        ft_jsb_repr(&b, u->name);
        ft_jsb_putz(&b, " is undefined");
        return ft_jsb_done(&b);
    }
    struct ft_buf obj = {0};
    put_object(u->obj, &obj);
    ft_buf_putc(&obj, 0);
    const struct jstr *name = ft_jstr_copy(rt, obj.p, obj.n - 1);
    ft_buf_release(&obj);
    if (u->name.tag == J_STR) {
        ft_jsb_repr(&b, ft_jstrv(name));
        ft_jsb_putz(&b, " has no attribute ");
    } else {
        ft_jsb_str(&b, name);
        ft_jsb_putz(&b, " has no element ");
    }
    ft_jsb_repr(&b, u->name);
    return ft_jsb_done(&b);
}

void ft_jundef_raise(struct jrt *rt, struct jval v)
{
    ft_jraise_str(rt, unsafe(v.u) ? J_SECURITY : J_UNDEFINED, ft_jundef_text(rt, v));
}

/* ---- sequences ---- */

static struct jval seq(struct jrt *rt, enum jtag tag, struct jval *v, size_t n)
{
    struct jseq *q = J_NEW(rt, struct jseq);
    if (n > UINT32_MAX)
        ft_jlimit_memory(rt);
    *q = (struct jseq){.v = v, .n = (uint32_t)n};
    return (struct jval){.tag = tag, .q = (struct jseq_shut *)q};
}
struct jval ft_jlist(struct jrt *rt, struct jval *v, size_t n) { return seq(rt, J_LIST, v, n); }
struct jval ft_jtuple(struct jrt *rt, struct jval *v, size_t n) { return seq(rt, J_TUPLE, v, n); }
struct jval ft_jtuple2(struct jrt *rt, struct jval a, struct jval b)
{
    struct jval *v = J_NEWS(rt, struct jval, 2);
    v[0] = a, v[1] = b;
    return seq(rt, J_TUPLE, v, 2);
}

void ft_jvec_grow(struct jrt *rt, struct jvec *a)
{
    const size_t cap = a->cap ? a->cap * 2 : 8;
    struct jval *v = J_NEWS(rt, struct jval, cap);
    if (a->n)
        ft_jcopy(v, a->v, a->n * sizeof *v);
    a->v = v;
    a->cap = cap;
}

/* ---- types ---- */

const char *ft_jtype(struct jval v)
{
    switch (v.tag) {
    case J_MISSING: return "missing";
    case J_UNDEF: return "Undefined";
    case J_NONE: return "NoneType";
    case J_BOOL: return "bool";
    case J_INT:
    case J_BIG: return "int";
    case J_FLOAT: return "float";
    case J_STR: return v.s->markup ? "Markup" : "str";
    case J_LIST: return "list";
    case J_TUPLE: return v.q->in.group ? "_GroupTuple" : "tuple";
    case J_DICT: return "dict";
    case J_RANGE: return "range";
    case J_VIEW: return v.aux == J_KEYS ? "dict_keys" : v.aux == J_VALUES ? "dict_values" : "dict_items";
    case J_ITER: return ft_jiter_type(v.it);
    case J_NS: return "TemplateNamespace";
    case J_FUNC: return ft_jfunc_type(v);
    case J_BOUND: return ft_jbound_type(v.m);
    case J_MACRO: return "Macro";
    case J_LOOP: return "LoopContext";
    case J_CYCLER: return "Cycler";
    case J_JOINER: return "Joiner";
    case J_SLICE: return "slice";
    case J_SELF: return "TemplateReference";
    }
    return "object";
}

bool ft_jtrue(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_MISSING:
    case J_UNDEF:
    case J_NONE: return false;
    case J_BOOL: return v.b;
    case J_INT: return v.i != 0;
    case J_BIG: return true;
    case J_FLOAT: return v.f != 0;
    case J_STR: return v.s->n != 0;
    case J_LIST:
    case J_TUPLE: return ft_jq(rt, v)->n != 0;
    case J_DICT:
    case J_VIEW: return ft_jd(rt, v)->n != 0;
    case J_RANGE: return v.r->n != 0;
    case J_LOOP: return ft_jlen(rt, v) != 0;
    default: return true;
    }
}

bool ft_jhas_len(struct jval v)
{
    switch (v.tag) {
    case J_UNDEF:
    case J_STR:
    case J_LIST:
    case J_TUPLE:
    case J_DICT:
    case J_VIEW:
    case J_RANGE:
    case J_LOOP: return true;
    default: return false;
    }
}

int64_t ft_jlen(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_UNDEF: return 0;
    case J_STR: return ft_jchars(v.s);
    case J_LIST:
    case J_TUPLE: return ft_jq(rt, v)->n;
    case J_DICT:
    case J_VIEW: return ft_jd(rt, v)->n;
    case J_RANGE: return v.r->n;
    case J_LOOP: return ft_jloop_length(rt, v.loop);
    default: ft_jraise(rt, J_TYPE, "object of type '%s' has no len()", ft_jtype(v));
    }
}

int64_t ft_jindex(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_INT: return v.i;
    case J_BOOL: return v.b;
    case J_BIG: return ft_jbig_negative(v) ? INT64_MIN : INT64_MAX;
    default: ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(v));
    }
}

/* ---- equality and order ---- */

bool ft_jsame(struct jval a, struct jval b)
{
    if (a.tag != b.tag)
        return false;
    switch (a.tag) {
    case J_MISSING:
    case J_NONE:
    case J_SELF: return true;
    case J_BOOL: return a.b == b.b;
    case J_INT: return a.i == b.i; /* CPython says so only of small ones, and of one object */
    case J_FLOAT: return memcmp(&a.f, &b.f, sizeof a.f) == 0;
    case J_STR: return a.s == b.s || (a.s->n <= 1 && a.s->n == b.s->n && a.s->markup == b.s->markup && ft_jstr_same(a.s, b.s));
    case J_FUNC: return a.aux == b.aux;
    case J_VIEW: return false;
    case J_TUPLE: return a.q == b.q || (a.q->in.n == 0 && b.q->in.n == 0);
    default: return a.p == b.p;
    }
}

static int num_cmp(struct jrt *rt, struct jval a, struct jval b, bool *nan)
{
    *nan = false;
    if (a.tag == J_FLOAT && b.tag == J_FLOAT) {
        *nan = isnan(a.f) || isnan(b.f);
        return a.f < b.f ? -1 : a.f > b.f;
    }
    if (a.tag == J_FLOAT || b.tag == J_FLOAT) {
        const double f = a.tag == J_FLOAT ? a.f : b.f;
        int c;
        if (isnan(f)) {
            *nan = true;
            return 1;
        }
        if (isinf(f))
            c = f > 0 ? -1 : 1;
        else
            c = ft_jbig_cmp_float(rt, a.tag == J_FLOAT ? b : a, f);
        return a.tag == J_FLOAT ? -c : c;
    }
    if (a.tag == J_BIG || b.tag == J_BIG)
        return ft_jbig_cmp(rt, a, b);
    const int64_t x = a.tag == J_BOOL ? a.b : a.i, y = b.tag == J_BOOL ? b.b : b.i;
    return x < y ? -1 : x > y;
}

static bool view_eq(struct jrt *rt, struct jval a, struct jval b)
{
    if (a.aux == J_VALUES || b.aux == J_VALUES || ft_jd(rt, a)->n != ft_jd(rt, b)->n)
        return false;
    if (a.aux != b.aux)
        return ft_jd(rt, a)->n == 0;
    for (uint32_t i = 0; i < ft_jd(rt, a)->n; i++) {
        struct jval *v = ft_jdict_get(rt, ft_jd(rt, b), ft_jd(rt, a)->e[i].k);
        if (!v || (a.aux == J_ITEMS && !ft_jeq(rt, ft_jd(rt, a)->e[i].v, *v)))
            return false;
    }
    return true;
}

bool ft_jeq(struct jrt *rt, struct jval a, struct jval b)
{
    if (a.tag == J_STR) {
        if (b.tag != J_STR || a.s->n != b.s->n)
            return false;
        ft_jstep(rt, a.s->n / 64);
        return a.s == b.s || ft_jstr_same(a.s, b.s);
    }
    if (ft_jis_num(a)) {
        bool nan;
        return ft_jis_num(b) && num_cmp(rt, a, b, &nan) == 0 && !nan;
    }
    if (a.tag != b.tag)
        return false;
    switch (a.tag) {
    case J_UNDEF: return true;
    case J_LIST:
    case J_TUPLE:
        ft_jstack(rt);
        if (ft_jq(rt, a)->n != ft_jq(rt, b)->n)
            return false;
        for (uint32_t i = 0; i < ft_jq(rt, a)->n; i++) {
            ft_jstep(rt, 1);
            if (!ft_jsame(ft_jq(rt, a)->v[i], ft_jq(rt, b)->v[i]) && !ft_jeq(rt, ft_jq(rt, a)->v[i], ft_jq(rt, b)->v[i]))
                return false;
        }
        return true;
    case J_DICT:
        ft_jstack(rt);
        if (a.d == b.d)
            return true;
        if (ft_jd(rt, a)->n != ft_jd(rt, b)->n)
            return false;
        for (uint32_t i = 0; i < ft_jd(rt, a)->n; i++) {
            ft_jstep(rt, 1);
            const struct jval *v = ft_jdict_get(rt, ft_jd(rt, b), ft_jd(rt, a)->e[i].k);
            if (!v || (!ft_jsame(ft_jd(rt, a)->e[i].v, *v) && !ft_jeq(rt, ft_jd(rt, a)->e[i].v, *v)))
                return false;
        }
        return true;
    case J_RANGE:
        return a.r->n == b.r->n && (a.r->n == 0 || (a.r->start == b.r->start && (a.r->n == 1 || a.r->step == b.r->step)));
    case J_VIEW: return view_eq(rt, a, b);
    case J_BOUND: return a.m->attr == b.m->attr && a.m->self.tag != J_SELF && ft_jsame(a.m->self, b.m->self);
    default: return ft_jsame(a, b);
    }
}

bool ft_jcompare(struct jrt *rt, struct jval a, struct jval b, enum jorder op)
{
    static const char *const names[] = {"<", "<=", ">", ">="};
    int c;
    if (a.tag == J_STR && b.tag == J_STR) {
        ft_jstep(rt, (a.s->n < b.s->n ? a.s->n : b.s->n) / 64);
        c = ft_str_cmp(ft_jbytes(a.s), ft_jbytes(b.s));
    } else if (ft_jis_num(a) && ft_jis_num(b)) {
        bool nan;
        c = num_cmp(rt, a, b, &nan);
        if (nan)
            return false;
    } else if (a.tag == b.tag && (a.tag == J_LIST || a.tag == J_TUPLE)) {
        ft_jstack(rt);
        uint32_t i = 0;
        const uint32_t n = ft_jq(rt, a)->n < ft_jq(rt, b)->n ? ft_jq(rt, a)->n : ft_jq(rt, b)->n;
        for (; i < n; i++) {
            ft_jstep(rt, 1);
            if (!ft_jsame(ft_jq(rt, a)->v[i], ft_jq(rt, b)->v[i]) && !ft_jeq(rt, ft_jq(rt, a)->v[i], ft_jq(rt, b)->v[i]))
                return ft_jcompare(rt, ft_jq(rt, a)->v[i], ft_jq(rt, b)->v[i], op);
        }
        c = ft_jq(rt, a)->n < ft_jq(rt, b)->n ? -1 : ft_jq(rt, a)->n > ft_jq(rt, b)->n;
    } else if (a.tag == J_UNDEF) {
        ft_jundef_raise(rt, a);
    } else if (b.tag == J_UNDEF) {
        ft_jundef_raise(rt, b);
    } else if (a.tag == J_VIEW && b.tag == J_VIEW && a.aux != J_VALUES && b.aux != J_VALUES) {
        /* as sets: a < b is a proper subset */
        const struct jval lo = op == J_LT || op == J_LE ? a : b, hi = op == J_LT || op == J_LE ? b : a;
        for (uint32_t i = 0; i < ft_jd(rt, lo)->n; i++) {
            const struct jval item = lo.aux == J_KEYS ? ft_jd(rt, lo)->e[i].k : ft_jtuple2(rt, ft_jd(rt, lo)->e[i].k, ft_jd(rt, lo)->e[i].v);
            if (!ft_jin(rt, item, hi))
                return false;
        }
        return op == J_LE || op == J_GE || ft_jd(rt, lo)->n < ft_jd(rt, hi)->n;
    } else {
        ft_jraise(rt, J_TYPE, "'%s' not supported between instances of '%s' and '%s'", names[op], ft_jtype(a),
                  ft_jtype(b));
    }
    switch (op) {
    case J_LT: return c < 0;
    case J_LE: return c <= 0;
    case J_GT: return c > 0;
    default: return c >= 0;
    }
}

bool ft_jin(struct jrt *rt, struct jval x, struct jval s)
{
    switch (s.tag) {
    case J_STR:
        if (x.tag != J_STR)
            ft_jraise(rt, J_TYPE, "'in <string>' requires string as left operand, not %s", ft_jtype(x));
        ft_jstep(rt, s.s->n / 64);
        return x.s->n == 0 || memmem(s.s->p, s.s->n, x.s->p, x.s->n) != NULL;
    case J_LIST:
    case J_TUPLE:
        for (uint32_t i = 0; i < ft_jq(rt, s)->n; i++) {
            ft_jstep(rt, 1);
            if (ft_jsame(ft_jq(rt, s)->v[i], x) || ft_jeq(rt, ft_jq(rt, s)->v[i], x))
                return true;
        }
        return false;
    case J_DICT: return ft_jdict_get(rt, ft_jd(rt, s), x) != NULL;
    case J_VIEW:
        if (s.aux == J_KEYS)
            return ft_jdict_get(rt, ft_jd(rt, s), x) != NULL;
        if (s.aux == J_ITEMS) {
            if (x.tag != J_TUPLE || ft_jq(rt, x)->n != 2)
                return false;
            const struct jval *v = ft_jdict_get(rt, ft_jd(rt, s), ft_jq(rt, x)->v[0]);
            return v && (ft_jsame(*v, ft_jq(rt, x)->v[1]) || ft_jeq(rt, *v, ft_jq(rt, x)->v[1]));
        }
        break;
    case J_RANGE:
        if (ft_jis_int(x) && x.tag != J_BIG) {
            const int64_t i = x.tag == J_BOOL ? x.b : x.i;
            const struct jrange *r = s.r;
            if (r->n == 0 || (r->step > 0 ? i < r->start || i >= r->stop : i > r->start || i <= r->stop))
                return false;
            return (i - r->start) % r->step == 0;
        }
        break;
    default: break;
    }
    if (!ft_jiterable(s))
        ft_jraise(rt, J_TYPE, "argument of type '%s' is not iterable", ft_jtype(s));
    struct jiter *it = ft_jiter(rt, s);
    struct jval item;
    while (ft_jnext(rt, it, &item))
        if (ft_jsame(item, x) || ft_jeq(rt, item, x))
            return true;
    return false;
}
