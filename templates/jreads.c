/* jreads.c -- what a body reads and stores, before it is resolved. */
#include "templates/jsym.h"

#include "templates/jiter.h"
#include "templates/jtext.h"

/* find_undeclared: is `name` read before it is stored, anywhere below? 1 yes,
 * -1 stored first, 0 neither. */
static int reads(struct resolver *r, const struct node *n, const char *name);

int ft_jreads(struct resolver *r, const struct node_list *l, const char *name)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const int k = reads(r, l->v[i], name);
        if (k)
            return k;
    }
    return 0;
}
static int reads(struct resolver *r, const struct node *n, const char *name)
{
    int k = 0;
    if (!n)
        return 0;
    ft_jstack(r->rt);
    ft_jstep(r->rt, 1);
    if (n->kind == N_CONST)
        return 0;
    if (n->kind == N_NAME)
        return !ft_jstr_is(n->name, name) ? 0 : n->store ? -1 : 1;
    /* children in the order of Jinja's fields */
    switch (n->kind) {
    case N_COND:
        (void)((k = reads(r, n->b, name)) || (k = reads(r, n->a, name)) || (k = reads(r, n->c, name)));
        return k;
    case N_FOR:
        (void)((k = reads(r, n->a, name)) || (k = reads(r, n->b, name)) || (k = ft_jreads(r, &n->body, name)) ||
               (k = ft_jreads(r, &n->other, name)) || (k = reads(r, n->loop->test, name)));
        return k;
    case N_MACRO:
    case N_CALLBLOCK:
    case N_GENERATION:
        (void)((n->kind == N_CALLBLOCK && (k = reads(r, n->a, name))) || (k = ft_jreads(r, &n->macro->args, name)) ||
               (k = ft_jreads(r, &n->macro->defaults, name)) || (k = ft_jreads(r, &n->body, name)));
        return k;
    case N_FILTERBLOCK:
        (void)((k = ft_jreads(r, &n->body, name)) || (k = reads(r, n->a, name)));
        return k;
    case N_BLOCK: return 0;
    default: break;
    }
    if ((k = reads(r, n->a, name)) || (k = reads(r, n->b, name)) || (k = reads(r, n->c, name)))
        return k;
    if (n->kind == N_IF) {
        (void)((k = ft_jreads(r, &n->body, name)) || (k = ft_jreads(r, &n->list, name)) ||
               (k = ft_jreads(r, &n->other, name)));
        return k;
    }
    if ((k = ft_jreads(r, &n->list, name)) || (k = ft_jreads(r, &n->body, name)))
        return k;
    if (n->call) {
        if ((k = ft_jreads(r, &n->call->args, name)))
            return k;
        for (uint32_t i = 0; i < n->call->nkw; i++)
            if ((k = reads(r, n->call->kw[i].value, name)))
                return k;
        (void)((k = reads(r, n->call->dyn_args, name)) || (k = reads(r, n->call->dyn_kwargs, name)));
    }
    return k;
}

static bool stores_loop_list(struct resolver *r, const struct node_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (ft_jstores_loop(r, l->v[i]))
            return true;
    return false;
}
bool ft_jstores_loop(struct resolver *r, const struct node *n)
{
    if (!n || n->kind == N_CONST)
        return false;
    ft_jstack(r->rt);
    ft_jstep(r->rt, 1);
    if (n->kind == N_NAME && n->store && ft_jstr_is(n->name, "loop")) {
        r->rt->line = n->line;
        return true;
    }
    if (n->kind == N_WITH) /* its targets are parameters */
        return stores_loop_list(r, &n->body);
    return ft_jstores_loop(r, n->kind == N_MACRO ? NULL : n->a) || ft_jstores_loop(r, n->b) || ft_jstores_loop(r, n->c) ||
           stores_loop_list(r, &n->list) || stores_loop_list(r, &n->body) || stores_loop_list(r, &n->other);
}
