/* jfold.c -- constants at compile time, as jinja2.optimizer folds them.
 *
 * A subtree without names and calls is evaluated once; what raises is left for
 * the render, which raises in its place. */
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

/* Only what Jinja takes for safely printable may become a constant. Strings
 * get their counts and hashes now: threads share them. */
static bool freeze(struct jval v)
{
    switch (v.tag) {
    case J_NONE:
    case J_BOOL:
    case J_INT:
    case J_BIG:
    case J_FLOAT: return true;
    case J_STR:
        ft_jchars(v.s);
        ft_jhash_str(v.s);
        return true;
    case J_LIST:
    case J_TUPLE:
        for (uint32_t i = 0; i < v.q->n; i++)
            if (!freeze(v.q->v[i]))
                return false;
        return !v.q->group;
    case J_DICT:
        for (uint32_t i = 0; i < v.d->n; i++)
            if (!freeze(v.d->e[i].k) || !freeze(v.d->e[i].v))
                return false;
        return true;
    default: return false;
    }
}

static bool is_const(const struct node *n) { return !n || n->kind == N_CONST; }

static bool all_const(const struct node *n)
{
    if (!is_const(n->a) || !is_const(n->b) || !is_const(n->c))
        return false;
    for (uint32_t i = 0; i < n->list.n; i++)
        if (!is_const(n->list.v[i]))
            return false;
    if (n->call) {
        for (uint32_t i = 0; i < n->call->args.n; i++)
            if (!is_const(n->call->args.v[i]))
                return false;
        for (uint32_t i = 0; i < n->call->nkw; i++)
            if (!is_const(n->call->kw[i].value))
                return false;
        return is_const(n->call->dyn_args) && is_const(n->call->dyn_kwargs);
    }
    return true;
}

static struct node *evaluate(struct jrt *rt, struct node *n)
{
    jmp_buf here, *const outer = rt->catch;
    const unsigned line = rt->line;
    const int64_t steps = rt->steps;
    const size_t limit = rt->mem_limit, mem = rt->mem;
    struct node *volatile result = n;
    if (n->kind == N_FILTER || n->kind == N_TEST) {
        n->filter = n->kind == N_FILTER ? ft_jfilter_find(ft_jbytes(n->name)) : ft_jtest_find(ft_jbytes(n->name));
        if (!n->filter || n->filter->context)
            return n;
    }
    n->attr = n->kind == N_GETATTR ? ft_jattr_id(n->name->p, n->name->n) : 0;
    rt->catch = &here;
    rt->steps = 100000; /* a constant that costs more is left to the render and its limits */
    rt->mem_limit = rt->mem + (1 << 20) < limit ? rt->mem + (1 << 20) : limit;
    if (setjmp(here) == 0) {
        const struct jval v = ft_jeval(rt, n, NULL);
        if (freeze(v)) {
            struct node *c = J_NEW(rt, struct node);
            *c = (struct node){.kind = N_CONST, .line = n->line, .export = -1, .value = v};
            result = c;
        }
    }
    rt->catch = outer;
    rt->line = line;
    rt->steps = steps;
    rt->mem_limit = limit;
    if (rt->mem < mem)
        rt->mem = mem;
    return result;
}

struct node *ft_jfold(struct jrt *rt, struct node *n, bool soft)
{
    if (!n)
        return NULL;
    ft_jstack(rt);
    n->a = n->kind == N_NSREF ? n->a : ft_jfold(rt, n->a, soft);
    n->b = ft_jfold(rt, n->b, soft);
    n->c = ft_jfold(rt, n->c, soft);
    for (uint32_t i = 0; i < n->list.n; i++)
        n->list.v[i] = ft_jfold(rt, n->list.v[i], soft);
    if (n->call) {
        for (uint32_t i = 0; i < n->call->args.n; i++)
            n->call->args.v[i] = ft_jfold(rt, n->call->args.v[i], soft);
        for (uint32_t i = 0; i < n->call->nkw; i++)
            n->call->kw[i].value = ft_jfold(rt, n->call->kw[i].value, soft);
        n->call->dyn_args = ft_jfold(rt, n->call->dyn_args, soft);
        n->call->dyn_kwargs = ft_jfold(rt, n->call->dyn_kwargs, soft);
    }
    switch (n->kind) {
    case N_TUPLE:
    case N_LIST:
    case N_DICT:
    case N_BINARY:
    case N_AND:
    case N_OR:
    case N_NOT:
    case N_NEG:
    case N_POS:
    case N_CONCAT:
    case N_COMPARE:
    case N_GETATTR:
    case N_FILTER:
    case N_TEST: return all_const(n) ? evaluate(rt, n) : n;
    case N_GETITEM:
        if (n->b->kind == N_SLICE)
            return is_const(n->a) && is_const(n->b->a) && is_const(n->b->b) && is_const(n->b->c) ? evaluate(rt, n) : n;
        return all_const(n) ? evaluate(rt, n) : n;
    case N_COND:
        /* the branch not taken need not be constant, nor exist */
        if (n->b->kind == N_CONST) {
            const bool yes = ft_jtrue(rt, n->b->value);
            if (yes && n->a->kind == N_CONST)
                return n->a;
            if (!yes && n->c && n->c->kind == N_CONST)
                return n->c;
        }
        return n;
    default: return n;
    }
}
