/* jnames.c -- scopes, and which slot holds each name of an expression. */
#include "templates/jsym.h"

#include <math.h>

#include "templates/jiter.h"
#include "templates/jtext.h"

/* ---- context variables ---- */

uint32_t ft_jcontext_name(struct resolver *r, struct jstr *name)
{
    struct ft_template *t = r->t;
    for (uint32_t i = 0; i < t->nnames; i++)
        if (ft_jstr_same(t->names[i], name))
            return i;
    GROW(r->rt, t->names, t->nnames, t->names_cap);
    t->names[t->nnames] = name;
    return t->nnames++;
}

/* ---- frames ---- */

static uint32_t hops(const struct fn *from, const struct fn *to)
{
    uint32_t n = 0;
    for (; from && from != to; from = from->up)
        n++;
    return n;
}

struct loads ft_jscope_enter(struct resolver *r, const struct scope *s)
{
    struct loads l = {.n = s->sym->nloads};
    l.v = J_NEWS(r->rt, struct load, l.n + 1);
    for (uint32_t i = 0; i < l.n; i++) {
        const struct sload *x = &s->sym->loads[i];
        l.v[i] = (struct load){.slot = x->id->slot};
        switch (x->how) {
        case LOAD_RESOLVE:
            l.v[i].how = LOAD_RESOLVE;
            l.v[i].from = ft_jcontext_name(r, x->name);
            break;
        case LOAD_ALIAS:
            l.v[i].how = LOAD_ALIAS;
            l.v[i].from = x->from->slot;
            l.v[i].up = hops(s->fn, x->from->fn);
            break;
        case LOAD_UNDEFINED: l.v[i].how = LOAD_UNDEFINED; break;
        default: l.v[i].how = LOAD_PARAM;
        }
    }
    return l;
}

struct scope ft_jscope_inner(struct resolver *r, const struct scope *s, struct fn *fn)
{
    return (struct scope){.sym = ft_jsym_new(r, s->sym, fn ? fn : s->fn), .fn = fn ? fn : s->fn, .in_loop = fn ? false : s->in_loop};
}
struct scope ft_jscope_soft(struct resolver *r, const struct scope *s)
{
    struct scope c = *s;
    c.sym = ft_jsym_copy(r, s->sym);
    c.soft = true;
    return c;
}
struct fn *ft_jfn_new(struct resolver *r, struct fn *up)
{
    struct fn *f = J_NEW(r->rt, struct fn);
    *f = (struct fn){.up = up};
    return f;
}

struct ident *ft_jscope_find(struct resolver *r, struct scope *s, const struct jstr *name, uint32_t line)
{
    struct ident *id = ft_jsym_find(s->sym, name);
    if (!id) {
        r->rt->line = line;
        ft_jraise(r->rt, "AssertionError", "Tried to resolve a name to a reference that was unknown to the frame ('%.*s')",
                  (int)name->n, name->p);
    }
    return id;
}

void ft_jname_visit(struct resolver *r, struct node *n, struct scope *s, bool export)
{
    struct ident *id = ft_jscope_find(r, s, n->name, n->line);
    n->slot = id->slot;
    n->up = hops(s->fn, id->fn);
    if (n->store && export)
        n->export = (int32_t)ft_jcontext_name(r, n->name);
    const struct sload *l = ft_jsym_load_of(s->sym, id);
    n->maybe = true;
    if (l && l->how == LOAD_PARAM) {
        n->maybe = false;
        for (uint32_t i = 0; i < r->nundeclared; i++)
            n->maybe |= r->undeclared[i] == id;
    }
}

void ft_jtarget_visit(struct resolver *r, struct node *n, struct scope *s, bool export)
{
    if (n->kind == N_TUPLE) {
        for (uint32_t i = 0; i < n->list.n; i++)
            ft_jtarget_visit(r, n->list.v[i], s, export);
    } else if (n->kind == N_NSREF) {
        struct ident *id = ft_jscope_find(r, s, n->name, n->line);
        n->slot = id->slot;
        n->up = hops(s->fn, id->fn);
        n->mark = r->mark;
    } else {
        ft_jname_visit(r, n, s, export);
    }
}

static void visit_call(struct resolver *r, struct call *c, struct scope *s)
{
    for (uint32_t i = 0; i < c->args.n; i++)
        ft_jexpr_visit(r, &c->args.v[i], s);
    for (uint32_t i = 0; i < c->nkw; i++)
        ft_jexpr_visit(r, &c->kw[i].value, s);
    if (c->dyn_args)
        ft_jexpr_visit(r, &c->dyn_args, s);
    if (c->dyn_kwargs)
        ft_jexpr_visit(r, &c->dyn_kwargs, s);
}

static void visit_filter(struct resolver *r, struct node *n, struct scope *s)
{
    const bool is_filter = n->kind == N_FILTER;
    n->filter = is_filter ? ft_jfilter_find(ft_jbytes(n->name)) : ft_jtest_find(ft_jbytes(n->name));
    if (!n->filter && !s->soft) {
        r->rt->line = n->line;
        ft_jraise(r->rt, J_ASSERTION, "No %s named '%.*s'.", is_filter ? "filter" : "test", (int)n->name->n, n->name->p);
    }
    if (n->a)
        ft_jexpr_visit(r, &n->a, s);
    visit_call(r, n->call, s);
    const struct call *c = n->call;
    if (n->filter && n->filter->tags && !c->args.n && !c->nkw && !c->dyn_args && !c->dyn_kwargs) {
        n->kind = N_ISTYPE;
        n->tags = n->filter->tags;
    }
}

static bool nonfinite(struct jval v)
{
    bool yes = v.tag == J_FLOAT && !isfinite(v.f);
    for (uint32_t i = 0; (v.tag == J_LIST || v.tag == J_TUPLE) && i < ft_jq(NULL, v)->n; i++)
        yes |= nonfinite(ft_jq(NULL, v)->v[i]);
    for (uint32_t i = 0; v.tag == J_DICT && i < ft_jd(NULL, v)->n; i++)
        yes |= nonfinite(ft_jd(NULL, v)->e[i].k) || nonfinite(ft_jd(NULL, v)->e[i].v);
    return yes;
}
/* Whether the first of them is nan. */
static bool is_nan(struct jval v)
{
    for (uint32_t i = 0; (v.tag == J_LIST || v.tag == J_TUPLE) && i < ft_jq(NULL, v)->n; i++)
        if (nonfinite(ft_jq(NULL, v)->v[i]))
            return is_nan(ft_jq(NULL, v)->v[i]);
    for (uint32_t i = 0; v.tag == J_DICT && i < ft_jd(NULL, v)->n; i++)
        if (nonfinite(ft_jd(NULL, v)->e[i].k) || nonfinite(ft_jd(NULL, v)->e[i].v))
            return is_nan(nonfinite(ft_jd(NULL, v)->e[i].k) ? ft_jd(NULL, v)->e[i].k : ft_jd(NULL, v)->e[i].v);
    return v.tag == J_FLOAT && isnan(v.f);
}

/* a + b, whose operands are resolved, as one list with the sum that a is. */
static struct node *sum(struct resolver *r, struct node *n)
{
    struct node *to = n->a;
    if (to->kind != N_SUM) {
        to = J_NEW(r->rt, struct node);
        *to = (struct node){.kind = N_SUM, .line = n->line, .export = -1};
        ft_node_add(&r->rt->arena, &to->list, n->a);
    }
    ft_node_add(&r->rt->arena, &to->list, n->b);
    to->line = n->line;
    return to;
}

void ft_jexpr_visit(struct resolver *r, struct node **np, struct scope *s)
{
    struct node *n = *np;
    ft_jstack(r->rt);
    ft_jstep(r->rt, 1);
    switch (n->kind) {
    case N_CONST:
        if (nonfinite(n->value)) {
            n->kind = N_NONFINITE;
            n->value = ft_jbool(is_nan(n->value));
        }
        return;
    case N_NONFINITE:
    case N_DATA: return;
    case N_NAME: ft_jname_visit(r, n, s, false); return;
    case N_COND: {
        struct scope c = ft_jscope_soft(r, s);
        ft_jexpr_visit(r, &n->a, &c);
        ft_jexpr_visit(r, &n->b, &c);
        if (n->c)
            ft_jexpr_visit(r, &n->c, &c);
        return;
    }
    case N_FILTER:
    case N_TEST: visit_filter(r, n, s); return;
    case N_GETATTR: n->attr = ft_jattr_id(n->name); break;
    case N_GETITEM:
        n->attr = n->b->kind == N_CONST && n->b->value.tag == J_STR ? ft_jattr_id(n->b->value.s) : 0;
        break;
    default: break;
    }
    if (n->a)
        ft_jexpr_visit(r, &n->a, s);
    if (n->b)
        ft_jexpr_visit(r, &n->b, s);
    if (n->c)
        ft_jexpr_visit(r, &n->c, s);
    for (uint32_t i = 0; i < n->list.n; i++)
        ft_jexpr_visit(r, &n->list.v[i], s);
    if (n->call)
        visit_call(r, n->call, s);
    if (n->kind == N_BINARY && n->op == J_ADD)
        *np = sum(r, n);
}

/* A whole expression of a statement: folded, then resolved. */
void ft_jexpr_fold(struct resolver *r, struct node **np, struct scope *s)
{
    if (r->folding)
        *np = ft_jfold(r->rt, *np, s->soft);
    ft_jexpr_visit(r, np, s);
}
