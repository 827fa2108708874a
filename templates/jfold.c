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

static bool foldable(const struct node *n);

/* Truth of a frozen constant. */
static bool const_true(struct jval v) { return ft_jtrue(NULL, v); }

static bool all_foldable(const struct node_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (!foldable(l->v[i]))
            return false;
    return true;
}

/* No name, no call, and no filter that needs the context, wherever it is evaluated. */
static bool foldable(const struct node *n)
{
    if (!n)
        return true;
    switch (n->kind) {
    case N_CONST: return true;
    case N_COND:
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
    case N_GETITEM:
    case N_SLICE: break;
    case N_FILTER:
    case N_TEST: {
        const struct jfilter *f =
            n->kind == N_FILTER ? ft_jfilter_find(ft_jbytes(n->name)) : ft_jtest_find(ft_jbytes(n->name));
        if (!f || f->context)
            return false;
        ((struct node *)n)->filter = f;
        break;
    }
    default: return false;
    }
    if (n->maybe) /* seen before, and not */
        return false;
    bool yes;
    if (n->kind == N_COND && n->b->kind == N_CONST) /* only the branch taken matters */
        yes = const_true(n->b->value) ? foldable(n->a) : n->c && foldable(n->c);
    else if ((n->kind == N_AND || n->kind == N_OR) && n->a->kind == N_CONST && const_true(n->a->value) == (n->kind == N_OR))
        yes = true;
    else
        yes = foldable(n->a) && foldable(n->b) && foldable(n->c) && all_foldable(&n->list) && (n->kind != N_COND || n->c);
    if (yes && n->call) {
        yes = all_foldable(&n->call->args) && foldable(n->call->dyn_args) && foldable(n->call->dyn_kwargs);
        for (uint32_t i = 0; i < n->call->nkw; i++)
            yes = yes && foldable(n->call->kw[i].value);
    }
    if (!yes)
        ((struct node *)n)->maybe = true;
    return yes;
}

static struct node *evaluate(struct jrt *rt, struct node *n, bool printed)
{
    jmp_buf here, *const outer = rt->catch;
    const unsigned line = rt->line;
    const int64_t steps = rt->steps;
    const size_t limit = rt->mem_limit, mem = rt->mem;
    struct node *volatile result = n;
    n->attr = n->kind == N_GETATTR ? ft_jattr_id(n->name->p, n->name->n) : -1;
    rt->catch = &here;
    rt->folding = true;
    rt->steps = 100000; /* a constant that costs more is left to the render and its limits */
    rt->mem_limit = rt->mem + (1 << 20) < limit ? rt->mem + (1 << 20) : limit;
    if (setjmp(here) == 0) {
        struct jval v = ft_jeval(rt, n, NULL);
        if (printed && v.tag != J_STR) /* text it becomes anyway, whatever it is */
            v = ft_jstrv(ft_jstr_of(rt, v));
        if (freeze(v)) {
            struct node *c = J_NEW(rt, struct node);
            *c = (struct node){.kind = N_CONST, .line = n->line, .export = -1, .value = v};
            result = c;
        }
    }
    rt->catch = outer;
    rt->folding = false;
    rt->line = line;
    rt->steps = steps;
    rt->mem_limit = limit;
    if (rt->mem < mem)
        rt->mem = mem;
    return result;
}

struct node *ft_jfold(struct jrt *rt, struct node *n, bool soft)
{
    if (!n || n->kind == N_CONST)
        return n;
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
    if (n->kind == N_COND && n->b->kind == N_CONST) {
        /* the branch not taken need not be constant, nor exist */
        const bool yes = ft_jtrue(rt, n->b->value);
        if (yes && n->a->kind == N_CONST)
            return n->a;
        if (!yes && n->c && n->c->kind == N_CONST)
            return n->c;
        return n;
    }
    if (n->kind != N_CONST && n->kind != N_SLICE && foldable(n))
        return evaluate(rt, n, false);
    return n;
}

struct node *ft_jfold_output(struct jrt *rt, struct node *n)
{
    n = ft_jfold(rt, n, false);
    if (n->kind == N_CONST && n->value.tag != J_STR) {
        const struct jval text = ft_jstrv(ft_jstr_of(rt, n->value));
        freeze(text);
        n->value = text;
    }
    return n->kind != N_CONST && foldable(n) ? evaluate(rt, n, true) : n;
}
