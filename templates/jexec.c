/* jexec.c -- statements and loops. */
#include "templates/jexec.h"
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

static void leave(const struct loads *l, struct jframe *f)
{
    for (uint32_t i = 0; i < l->n; i++)
        f->slot[l->v[i].slot] = (struct jval){0};
}

static void assign(struct jrt *rt, const struct node *to, struct jframe *f, struct jval v)
{
    switch (to->kind) {
    case N_NAME: {
        struct jframe *g = f;
        for (uint32_t k = to->up; k; k--)
            g = g->up;
        g->slot[to->slot] = v;
        if (to->export >= 0)
            rt->ctx[to->export] = v;
        break;
    }
    case N_NSREF: {
        struct jframe *g = f;
        for (uint32_t k = to->up; k; k--)
            g = g->up;
        const struct jval ns = g->slot[to->slot];
        if (ns.tag != J_NS)
            ft_jraise(rt, J_RUNTIME, "cannot assign attribute on non-namespace object");
        ft_jns_check(rt, ft_jstrv(to->name2));
        ft_jdict_set(rt, ft_jd(rt, ns), ft_jstrv(to->name2), v);
        break;
    }
    default: {
        struct jval few[8], *part = to->list.n > 8 ? J_NEWS(rt, struct jval, to->list.n) : few;
        ft_junpack(rt, v, part, to->list.n);
        for (uint32_t i = 0; i < to->list.n; i++)
            assign(rt, to->list.v[i], f, part[i]);
    }
    }
}

/* Every namespace of the target must be one before the value is made. */
static void check_namespaces(struct jrt *rt, const struct node *to, struct jframe *f)
{
    if (to->kind == N_NSREF) {
        for (uint32_t k = to->up; k; k--)
            f = f->up;
        if (f->slot[to->slot].tag != J_NS) {
            rt->line = to->mark;
            ft_jraise(rt, J_RUNTIME, "cannot assign attribute on non-namespace object");
        }
    } else if (to->kind == N_TUPLE) {
        for (uint32_t i = 0; i < to->list.n; i++)
            check_namespaces(rt, to->list.v[i], f);
    }
}

/* ---- loops ---- */

struct filtered {
    const struct node *node;
    struct jframe *f;
};

static struct jval target_value(struct jrt *rt, const struct node *to, struct jframe *f)
{
    if (to->kind != N_TUPLE)
        return f->slot[to->slot];
    struct jval *v = J_NEWS(rt, struct jval, to->list.n);
    for (uint32_t i = 0; i < to->list.n; i++)
        v[i] = target_value(rt, to->list.v[i], f);
    return ft_jtuple(rt, v, to->list.n);
}

static bool next_filtered(struct jrt *rt, struct jiter *it, struct jval *out)
{
    const struct filtered *x = it->state;
    const struct loop_info *l = x->node->loop;
    struct jval v;
    bool more;
    rt->line = l->test->line; /* a function of its own in Jinja's code */
    while ((more = ft_jnext(rt, it->inner, &v))) {
        assign(rt, l->test_target, x->f, v);
        if (ft_jeval_true(rt, l->test, x->f)) {
            *out = target_value(rt, l->test_target, x->f);
            break;
        }
    }
    rt->line = x->node->line;
    return more;
}

static struct jval filtered(struct jrt *rt, const struct node *n, struct jframe *f, struct jval iterable)
{
    if (!n->loop->test)
        return iterable;
    struct jiter *it = ft_jiter_new(rt, next_filtered, "generator", iterable);
    struct filtered *x = J_NEW(rt, struct filtered);
    x->node = n;
    x->f = ft_jframe_new(rt, n->loop->test_func.nslots, f);
    ft_jenter(&n->loop->test_loads, x->f);
    it->inner = ft_jiter(rt, iterable);
    it->state = x;
    return ft_jiterv(it);
}

/* Runs the body; *done when an iteration came to its end. */
static bool iterate(struct jrt *rt, const struct node *n, struct jframe *f, struct jval item, bool *done)
{
    assign(rt, n->a, f, item);
    ft_jenter(&n->loads, f);
    const enum jflow w = ft_jbody(rt, &n->body, f);
    *done |= w == J_GO;
    rt->line = n->line; /* the next item is made there */
    return w != J_BREAK;
}

static enum jflow loop_else(struct jrt *rt, const struct node *n, struct jframe *f, bool done)
{
    leave(&n->loads, f);
    if (done || !n->other.n)
        return J_GO;
    ft_jenter(&n->other_loads, f);
    const enum jflow w = ft_jbody(rt, &n->other, f);
    leave(&n->other_loads, f);
    return w;
}

static enum jflow run_for(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval iterable = filtered(rt, n, f, ft_jeval(rt, n->b, f));
    bool done = false;
    struct jval item;
    if (n->loop->idle && iterable.tag == J_STR) {
        ft_jstep(rt, iterable.s->n / 64 + 1);
        leave(&n->loads, f);
        return J_GO;
    }
    if (n->loop->extended) {
        f->slot[n->loop->loop_slot] = (struct jval){0};
        struct jloop *l = ft_jloop_new(rt, iterable, ft_jiter(rt, iterable));
        while (ft_jloop_next(rt, l, &item)) {
            f->slot[n->loop->loop_slot] = (struct jval){.tag = J_LOOP, .loop = l};
            if (!iterate(rt, n, f, item, &done))
                break;
        }
    } else {
        struct jiter *it = ft_jiter(rt, iterable);
        while (ft_jnext(rt, it, &item))
            if (!iterate(rt, n, f, item, &done))
                break;
    }
    return loop_else(rt, n, f, done);
}

/* One call of a recursive loop: its own frame, its text returned. */
static struct jval run_recursive(struct jrt *rt, const struct node *n, struct jframe *up, struct jval iterable,
                                 unsigned depth0)
{
    struct jframe *f = ft_jframe_new(rt, n->loop->func.nslots, up);
    ft_jdeeper(rt);
    const struct jmark m = ft_jout_open(rt);
    const unsigned line = rt->line;
    /* the test is a function of the frame around the loop */
    iterable = filtered(rt, n, up, iterable);
    struct jloop *l = ft_jloop_new(rt, iterable, ft_jiter(rt, iterable));
    l->node = n;
    l->up = up;
    l->depth0 = depth0;
    bool done = false;
    struct jval item;
    while (ft_jloop_next(rt, l, &item)) {
        f->slot[n->loop->loop_slot] = (struct jval){.tag = J_LOOP, .loop = l};
        if (!iterate(rt, n, f, item, &done))
            break;
    }
    if (!done && n->other.n)
        loop_else(rt, n, f, done);
    rt->depth--;
    rt->line = line;
    return ft_jcaptured(rt, m);
}

struct jval ft_jcall_loop(struct jrt *rt, struct jloop *l, struct jval iterable)
{
    if (!l->node)
        ft_jraise(rt, J_TYPE, "The loop must have the 'recursive' marker to be called recursively.");
    return run_recursive(rt, l->node, l->up, iterable, l->depth0 + 1);
}

/* ---- statements ---- */

static enum jflow run(struct jrt *rt, const struct node *n, struct jframe *f)
{
    rt->line = n->line;
    ft_jstep(rt, 1);
    switch (n->kind) {
    case N_OUTPUT:
        for (uint32_t i = 0; i < n->list.n; i++) {
            const struct node *x = n->list.v[i];
            if (x->kind == N_DATA) {
                ft_jout_str(rt, x->name);
                continue;
            }
            rt->line = x->line;
            ft_jeval_print(rt, x, f);
        }
        return J_GO;
    case N_IF:
        if (ft_jeval_true(rt, n->a, f))
            return ft_jbody(rt, &n->body, f);
        for (uint32_t i = 0; i < n->list.n; i++) {
            const struct node *e = n->list.v[i];
            rt->line = e->line;
            if (ft_jeval_true(rt, e->a, f))
                return ft_jbody(rt, &e->body, f);
        }
        return ft_jbody(rt, &n->other, f);
    case N_FOR:
        ft_jstack(rt);
        if (n->loop->recursive) {
            ft_jput_text(rt, run_recursive(rt, n, f, ft_jeval(rt, n->b, f), 0));
            return J_GO;
        }
        return run_for(rt, n, f);
    case N_MACRO: assign(rt, n->a, f, ft_jmacro_new(rt, n, f)); return J_GO;
    case N_CALLBLOCK: ft_jcall_block_run(rt, n, f); return J_GO;
    case N_GENERATION: ft_jgeneration(rt, n, f); return J_GO;
    case N_SET:
        if (n->a->kind != N_NAME)
            check_namespaces(rt, n->a, f);
        assign(rt, n->a, f, ft_jeval(rt, n->b, f));
        return J_GO;
    case N_SETBLOCK:
    case N_FILTERBLOCK: {
        ft_jenter(&n->loads, f);
        const struct jmark m = ft_jout_open(rt);
        const enum jflow w = ft_jbody(rt, &n->body, f);
        if (w != J_GO) {
            /* break and continue leave the block: its text is lost, as Python loses the buffer */
            ft_jout_close(rt, m);
            return w;
        }
        struct jval v = ft_jstrv(ft_jout_close(rt, m));
        if (rt->autoescape)
            v = ft_jstrv(ft_jstr_as(rt, v.s, true));
        const struct node *filter = n->kind == N_SETBLOCK ? n->b : n->a;
        const struct node *chain[32];
        uint32_t k = 0;
        for (; filter; filter = filter->a) {
            if (k == 32)
                ft_jraise(rt, J_LIMIT, "more than 32 filters on a block");
            chain[k++] = filter;
        }
        while (k--)
            v = ft_jeval_filter(rt, chain[k], f, v);
        if (n->kind == N_FILTERBLOCK) {
            ft_jput_text(rt, v);
        } else {
            if (rt->autoescape)
                v = ft_jstrv(ft_jstr_as(rt, ft_jsoft(rt, v), true));
            assign(rt, n->a, f, v);
        }
        leave(&n->loads, f);
        return J_GO;
    }
    case N_WITH: {
        ft_jenter(&n->loads, f);
        rt->line = n->mark; /* Jinja marks no line of its own here */
        for (uint32_t i = 0; i < n->list.n; i += 2)
            assign(rt, n->list.v[i], f, ft_jeval(rt, n->list.v[i + 1], f));
        const enum jflow w = ft_jbody(rt, &n->body, f);
        if (w == J_GO)
            leave(&n->loads, f);
        return w;
    }
    case N_AUTOESCAPE: {
        const bool before = rt->autoescape;
        ft_jenter(&n->loads, f);
        rt->line = n->mark;
        rt->autoescape = ft_jtrue(rt, ft_jeval(rt, n->a, f));
        const enum jflow w = ft_jbody(rt, &n->body, f);
        rt->autoescape = before;
        if (w == J_GO)
            leave(&n->loads, f);
        return w;
    }
    case N_BLOCK: ft_jplace_block(rt, n, f); return J_GO;
    case N_BREAK: return J_BREAK;
    case N_CONTINUE: return J_CONTINUE;
    default: return J_GO;
    }
}

enum jflow ft_jbody(struct jrt *rt, const struct node_list *l, struct jframe *f)
{
    ft_jstack(rt);
    for (uint32_t i = 0; i < l->n; i++) {
        const enum jflow w = run(rt, l->v[i], f);
        if (w != J_GO)
            return w;
    }
    return J_GO;
}

void ft_jrun_root(struct jrt *rt, const struct ft_template *t)
{
    struct jframe *f = ft_jframe_new(rt, t->root.nslots, NULL);
    for (uint32_t i = 0; i < t->loads.n; i++)
        if (t->loads.v[i].how == LOAD_PARAM) /* only `self` */
            f->slot[t->loads.v[i].slot] = (struct jval){.tag = J_SELF, .p = rt->ctx};
    ft_jenter(&t->loads, f);
    ft_jbody(rt, &t->body, f);
    ft_jout_check(rt);
}
