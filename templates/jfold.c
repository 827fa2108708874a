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
        for (uint32_t i = 0; i < ft_jq(NULL, v)->n; i++)
            if (!freeze(ft_jq(NULL, v)->v[i]))
                return false;
        return !v.q->in.group;
    case J_DICT:
        for (uint32_t i = 0; i < ft_jd(NULL, v)->n; i++)
            if (!freeze(ft_jd(NULL, v)->e[i].k) || !freeze(ft_jd(NULL, v)->e[i].v))
                return false;
        return true;
    default: return false;
    }
}

static bool foldable(struct jrt *rt, const struct node *n);
static bool guarded(struct jrt *rt, struct node *n, struct jval *out);

/* Truth of a frozen constant. */
static bool const_true(struct jval v) { return ft_jtrue(NULL, v); }

static bool all_foldable(struct jrt *rt, const struct node_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (!foldable(rt, l->v[i]))
            return false;
    return true;
}

/* Undefined is no constant, but where it stands left of an `and` or behind an `if`
 * the other branch is dead, whether it is evaluated now or in the render: so it need
 * not be constant, and is dropped. */
static bool dead(struct jrt *rt, const struct node *test, struct node **branch)
{
    struct jval v;
    if (test->kind == N_CONST || !guarded(rt, (struct node *)test, &v) || v.tag != J_UNDEF)
        return false;
    *branch = J_NEW(rt, struct node);
    **branch = (struct node){.kind = N_CONST, .line = test->line, .export = -1, .value = ft_jnone()};
    return true;
}

/* No name, no call, and no filter that needs the context, wherever it is evaluated. */
static bool foldable(struct jrt *rt, const struct node *n)
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
        yes = const_true(n->b->value) ? foldable(rt, n->a) : n->c && foldable(rt, n->c);
    else if ((n->kind == N_AND || n->kind == N_OR) && n->a->kind == N_CONST && const_true(n->a->value) == (n->kind == N_OR))
        yes = true;
    else if (n->kind == N_AND)
        yes = foldable(rt, n->a) && (foldable(rt, n->b) || dead(rt, n->a, &((struct node *)n)->b));
    else if (n->kind == N_COND)
        yes = n->c && foldable(rt, n->b) && foldable(rt, n->c) && (foldable(rt, n->a) || dead(rt, n->b, &((struct node *)n)->a));
    else
        yes = foldable(rt, n->a) && foldable(rt, n->b) && foldable(rt, n->c) && all_foldable(rt, &n->list);
    if (yes && n->call) {
        yes = all_foldable(rt, &n->call->args) && foldable(rt, n->call->dyn_args) && foldable(rt, n->call->dyn_kwargs);
        for (uint32_t i = 0; i < n->call->nkw; i++)
            yes = yes && foldable(rt, n->call->kw[i].value);
    }
    if (!yes)
        ((struct node *)n)->maybe = true;
    return yes;
}

/* Evaluates what is foldable; false where that raises. */
static bool guarded(struct jrt *rt, struct node *n, struct jval *out)
{
    jmp_buf here, *const outer = rt->catch;
    const unsigned line = rt->line;
    const int64_t steps = rt->steps;
    const size_t limit = rt->mem_limit, mem = rt->mem;
    volatile bool done = false;
    n->attr = n->kind == N_GETATTR ? ft_jattr_id(n->name) : -1;
    rt->catch = &here;
    rt->folding = true;
    rt->steps = 100000; /* a constant that costs more is left to the render and its limits */
    rt->mem_limit = rt->mem + (1 << 20) < limit ? rt->mem + (1 << 20) : limit;
    if (setjmp(here) == 0) {
        *out = ft_jeval(rt, n, NULL);
        done = true;
    }
    rt->catch = outer;
    rt->folding = false;
    rt->line = line;
    rt->steps = steps;
    rt->mem_limit = limit;
    if (rt->mem < mem)
        rt->mem = mem;
    return done;
}

static struct node *evaluate(struct jrt *rt, struct node *n, bool printed)
{
    struct jval v;
    if (!guarded(rt, n, &v))
        return n;
    if (printed && v.tag != J_STR) /* text it becomes anyway, whatever it is */
        v = ft_jstrv(ft_jstr_of(rt, v));
    if (!freeze(v))
        return n;
    struct node *c = J_NEW(rt, struct node);
    *c = (struct node){.kind = N_CONST, .line = n->line, .export = -1, .value = v};
    return c;
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
    if (n->kind != N_CONST && n->kind != N_SLICE && foldable(rt, n))
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
    return n->kind != N_CONST && foldable(rt, n) ? evaluate(rt, n, true) : n;
}
