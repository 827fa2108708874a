/* jexec.c -- statements, macros, loops. */
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

enum flow { GO, BREAK, CONTINUE };

static enum flow body(struct jrt *rt, const struct node_list *l, struct jframe *f);

static struct jframe *frame_new(struct jrt *rt, uint32_t nslots, struct jframe *up)
{
    struct jframe *f = J_NEW(rt, struct jframe);
    f->up = up;
    f->ctx = up ? up->ctx : rt->ctx;
    f->slot = J_NEWS(rt, struct jval, nslots);
    memset(f->slot, 0, nslots * sizeof *f->slot); /* J_MISSING is 0 */
    return f;
}

static void enter(const struct loads *l, struct jframe *f)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const struct load *x = &l->v[i];
        switch (x->how) {
        case LOAD_RESOLVE: f->slot[x->slot] = f->ctx[x->from]; break;
        case LOAD_ALIAS: {
            struct jframe *g = f;
            for (uint32_t k = x->up; k; k--)
                g = g->up;
            f->slot[x->slot] = g->slot[x->from];
            break;
        }
        case LOAD_UNDEFINED: f->slot[x->slot] = (struct jval){0}; break;
        case LOAD_PARAM: break;
        }
    }
}

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
    x->f = frame_new(rt, n->loop->test_func.nslots, f);
    enter(&n->loop->test_loads, x->f);
    it->inner = ft_jiter(rt, iterable);
    it->state = x;
    return ft_jiterv(it);
}

/* Runs the body; *done when an iteration came to its end. */
static bool iterate(struct jrt *rt, const struct node *n, struct jframe *f, struct jval item, bool *done)
{
    assign(rt, n->a, f, item);
    enter(&n->loads, f);
    const enum flow w = body(rt, &n->body, f);
    *done |= w == GO;
    rt->line = n->line; /* the next item is made there */
    return w != BREAK;
}

static enum flow loop_else(struct jrt *rt, const struct node *n, struct jframe *f, bool done)
{
    leave(&n->loads, f);
    if (done || !n->other.n)
        return GO;
    enter(&n->other_loads, f);
    const enum flow w = body(rt, &n->other, f);
    leave(&n->other_loads, f);
    return w;
}

static enum flow run_for(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval iterable = filtered(rt, n, f, ft_jeval(rt, n->b, f));
    bool done = false;
    struct jval item;
    if (n->loop->idle && iterable.tag == J_STR) {
        ft_jstep(rt, iterable.s->n / 64 + 1);
        leave(&n->loads, f);
        return GO;
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

static struct jval captured(struct jrt *rt, struct jmark m)
{
    return ft_jstrv(ft_jstr_as(rt, ft_jout_close(rt, m), rt->autoescape));
}

static void deeper(struct jrt *rt)
{
    if (++rt->depth > rt->depth_limit)
        ft_jraise(rt, J_RECURSION, "maximum recursion depth exceeded");
    ft_jstack(rt);
}

/* One call of a recursive loop: its own frame, its text returned. */
static struct jval run_recursive(struct jrt *rt, const struct node *n, struct jframe *up, struct jval iterable,
                                 unsigned depth0)
{
    struct jframe *f = frame_new(rt, n->loop->func.nslots, up);
    deeper(rt);
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
    return captured(rt, m);
}

struct jval ft_jcall_loop(struct jrt *rt, struct jloop *l, struct jval iterable)
{
    if (!l->node)
        ft_jraise(rt, J_TYPE, "The loop must have the 'recursive' marker to be called recursively.");
    return run_recursive(rt, l->node, l->up, iterable, l->depth0 + 1);
}

/* ---- macros ---- */

const struct jstr *ft_jmacro_name(const struct jmacro *m) { return m->node->macro->name; }

static struct jkw *take_kw(const struct jargs *a, bool *used, const struct jstr *name)
{
    for (uint32_t i = 0; i < a->nkw; i++)
        if (!used[i] && ft_jstr_same(a->kw[i].name, name)) {
            used[i] = true;
            return &a->kw[i];
        }
    return NULL;
}

static void raise_named(struct jrt *rt, const struct macro_info *m, const char *what, const struct jstr *kw)
{
    struct jsb b;
    ft_jsb_init(&b, rt, 80);
    ft_jsb_putz(&b, "macro ");
    if (m->name)
        ft_jsb_repr_str(&b, m->name, false);
    else
        ft_jsb_putz(&b, "None");
    ft_jsb_putz(&b, what);
    if (kw)
        ft_jsb_repr_str(&b, kw, false);
    ft_jraise_str(rt, J_TYPE, ft_jsb_done(&b));
}

/* jinja2.runtime.Macro.__call__ and the function of the macro. */
struct jval ft_jcall_macro(struct jrt *rt, struct jmacro *mac, const struct jargs *a)
{
    const struct node *n = mac->node;
    const struct macro_info *m = n->macro;
    struct jframe *f = frame_new(rt, m->func.nslots, mac->up);
    bool few[16] = {0}, *used = a->nkw > 16 ? ft_jalloc(rt, a->nkw) : few;
    if (a->nkw > 16)
        memset(used, 0, a->nkw);
    deeper(rt);
    struct jval arg_few[16], *arg = m->args.n > 16 ? J_NEWS(rt, struct jval, m->args.n) : arg_few;
    bool found_caller = false;
    for (uint32_t i = 0; i < m->args.n; i++) {
        if (i < a->n) {
            arg[i] = a->v[i];
            continue;
        }
        const struct jkw *kw = take_kw(a, used, m->args.v[i]->name);
        arg[i] = kw ? kw->v : (struct jval){0};
        if (ft_jstr_is(m->args.v[i]->name, "caller"))
            found_caller = true;
    }
    if (a->n >= m->args.n)
        found_caller = m->explicit_caller;
    struct jval caller = {0};
    if (m->caller && !found_caller) {
        const struct jkw *kw = take_kw(a, used, ft_jstr_z(rt, "caller"));
        caller = kw && kw->v.tag != J_NONE ? kw->v : ft_jundef_hint(rt, "No caller defined");
    }
    uint32_t left = 0;
    const struct jkw *first = NULL, *caller_kw = NULL;
    for (uint32_t i = 0; i < a->nkw; i++)
        if (!used[i]) {
            left++;
            if (!first)
                first = &a->kw[i];
            if (ft_jstr_is(a->kw[i].name, "caller"))
                caller_kw = &a->kw[i];
        }
    struct jdict *kwargs = NULL;
    if (m->kwargs) {
        kwargs = ft_jdict_new(rt, left);
        for (uint32_t i = 0; i < a->nkw; i++)
            if (!used[i])
                ft_jdict_set(rt, kwargs, ft_jstrv(a->kw[i].name), a->kw[i].v);
    } else if (left) {
        if (caller_kw)
            raise_named(rt, m, " was invoked with two values for the special caller argument. This is most likely a bug.",
                        NULL);
        raise_named(rt, m, " takes no keyword argument ", first->name);
    }
    if (!m->varargs && a->n > m->args.n)
        raise_named(rt, m, ft_jstr_fmt(rt, " takes not more than %u argument(s)%c", m->args.n, 0)->p, NULL);

    const struct jmark mark = ft_jout_open(rt);
    const unsigned line = rt->line;
    for (uint32_t i = 0; i < m->args.n; i++)
        f->slot[m->slot[i]] = arg[i];
    if (m->caller && !m->explicit_caller)
        f->slot[m->caller_slot] = caller;
    if (m->kwargs)
        f->slot[m->kwargs_slot] = ft_jdictv(kwargs);
    if (m->varargs)
        f->slot[m->varargs_slot] =
            a->n > m->args.n ? ft_jtuple(rt, J_NEWS(rt, struct jval, a->n - m->args.n), a->n - m->args.n) : ft_jtuple(rt, NULL, 0);
    if (m->varargs && a->n > m->args.n)
        ft_jcopy(ft_jq(rt, f->slot[m->varargs_slot])->v, a->v + m->args.n, (a->n - m->args.n) * sizeof *a->v);
    enter(&m->loads, f);
    const uint32_t required = m->args.n - m->defaults.n;
    for (uint32_t i = 0; i < m->args.n; i++) {
        struct jval *s = &f->slot[m->slot[i]];
        if (s->tag != J_MISSING)
            continue;
        if (i >= required) {
            const struct jval v = ft_jeval(rt, m->defaults.v[i - required], f);
            *s = v;
        } else {
            struct jsb b;
            ft_jsb_init(&b, rt, 80);
            ft_jsb_putz(&b, "parameter ");
            ft_jsb_repr_str(&b, m->args.v[i]->name, false);
            ft_jsb_putz(&b, " was not provided");
            ft_jsb_putc(&b, 0);
            *s = ft_jundef_hint(rt, b.p);
        }
    }
    body(rt, &n->body, f);
    rt->depth--;
    rt->line = line;
    return captured(rt, mark);
}

static struct jval macro(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jmacro *m = J_NEW(rt, struct jmacro);
    m->node = n;
    m->up = f;
    return (struct jval){.tag = J_MACRO, .mac = m};
}

/* What a filter block or call block gives is joined as it is: it must be text,
 * but that shows only when the pieces of the capture are joined. */
static void put_text(struct jrt *rt, struct jval v)
{
    if (v.tag == J_STR) {
        ft_jout_str(rt, v.s);
    } else if (!rt->nontext || rt->nontext_depth > rt->captures) {
        rt->nontext = ft_jtype(v);
        rt->nontext_depth = rt->captures;
    }
}

/* The call of a call block, with the block as `caller`. */
static void run_call_block(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval caller = macro(rt, n, f);
    const struct call *c = n->a->call;
    struct call with = *c;
    struct kwarg *kw = J_NEWS(rt, struct kwarg, c->nkw + 1);
    struct node *value = J_NEW(rt, struct node);
    if (c->nkw)
        ft_jcopy(kw, c->kw, c->nkw * sizeof *kw);
    *value = (struct node){.kind = N_CONST, .line = n->line, .value = caller};
    for (uint32_t i = 0; i < c->nkw; i++)
        if (ft_jstr_is(kw[i].name, "caller"))
            ft_jraise(rt, "SyntaxError", "keyword argument repeated: caller");
    kw[c->nkw] = (struct kwarg){ft_jstr_z(rt, "caller"), value};
    with.kw = kw;
    with.nkw = c->nkw + 1;
    struct node call = *n->a;
    call.call = &with;
    put_text(rt, ft_jeval(rt, &call, f));
}

static void run_generation(struct jrt *rt, const struct node *n, struct jframe *f)
{
    const struct jval m = macro(rt, n, f);
    const size_t start = rt->captures ? rt->root_mark : rt->out_n;
    const struct jval text = ft_jcall_macro(rt, m.mac, &(struct jargs){0});
    if (rt->ngens == rt->gens_cap) {
        rt->gens_cap = rt->gens_cap ? rt->gens_cap * 2 : 16;
        rt->gens = ft_reallocs(rt->gens, rt->gens_cap, sizeof *rt->gens);
    }
    /* ends are lengths until the text is whole: see template.c */
    rt->gens[rt->ngens++] = (struct ft_gen_span){.begin = start, .char_end = ft_jchars(text.s)};
    ft_jout_str(rt, text.s);
}

/* ---- blocks ---- */

static void run_block(struct jrt *rt, const struct node *n, struct jval *ctx)
{
    const struct block_info *b = n->block;
    const unsigned line = rt->line;
    if (rt->autoescape)
        ft_jraise(rt, J_LIMIT, "a block where autoescape is on is not supported");
    deeper(rt);
    struct jframe *f = frame_new(rt, b->func.nslots, NULL);
    f->ctx = ctx;
    if (b->self)
        f->slot[b->self_slot] = (struct jval){.tag = J_SELF, .p = ctx};
    if (b->super) {
        struct jsb m;
        ft_jsb_init(&m, rt, 80);
        ft_jsb_putz(&m, "there is no parent block called ");
        ft_jsb_repr_str(&m, n->name, false);
        ft_jsb_put(&m, ".", 2);
        f->slot[b->super_slot] = ft_jundef_hint(rt, m.p);
    }
    enter(&b->loads, f);
    body(rt, &n->body, f);
    rt->depth--;
    rt->line = line;
}

/* Where it stands. */
static void place_block(struct jrt *rt, const struct node *n, struct jframe *f)
{
    struct jval *ctx = f->ctx;
    if (n->block->required) {
        struct jsb m;
        ft_jsb_init(&m, rt, 80);
        ft_jsb_putz(&m, "Required block ");
        ft_jsb_repr_str(&m, n->name, false);
        ft_jsb_putz(&m, " not found");
        ft_jraise_str(rt, J_RUNTIME, ft_jsb_done(&m));
    }
    if (n->list.n) {
        ctx = J_NEWS(rt, struct jval, rt->t->nnames);
        ft_jstep(rt, rt->t->nnames / 4);
        ft_jcopy(ctx, f->ctx, rt->t->nnames * sizeof *ctx);
    }
    for (uint32_t i = 0; i < n->list.n; i++) {
        const struct node *x = n->list.v[i];
        const struct jframe *g = f;
        for (uint32_t k = x->up; k; k--)
            g = g->up;
        if (g->slot[x->slot].tag != J_MISSING)
            ctx[x->export] = g->slot[x->slot];
    }
    run_block(rt, n, ctx);
}

bool ft_jblock_of(struct jrt *rt, struct jval self, const struct jstr *name, struct jval *out)
{
    for (uint32_t i = 0; i < rt->t->blocks.n; i++) {
        ft_jstep(rt, 1);
        if (!ft_jstr_same(rt->t->blocks.v[i]->name, name))
            continue;
        struct jbound *m = J_NEW(rt, struct jbound);
        *m = (struct jbound){.self = self};
        m->self.aux = i;
        *out = (struct jval){.tag = J_BOUND, .m = m};
        return true;
    }
    return false;
}

struct jval ft_jcall_block(struct jrt *rt, const struct jbound *m, const struct jargs *a)
{
    ft_jbind(rt, "BlockReference.__call__", "", 1, a, NULL);
    const struct jmark mark = ft_jout_open(rt);
    run_block(rt, rt->t->blocks.v[m->self.aux], m->self.p);
    return ft_jstrv(ft_jout_close(rt, mark));
}

/* ---- statements ---- */

static enum flow run(struct jrt *rt, const struct node *n, struct jframe *f)
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
        return GO;
    case N_IF:
        if (ft_jeval_true(rt, n->a, f))
            return body(rt, &n->body, f);
        for (uint32_t i = 0; i < n->list.n; i++) {
            const struct node *e = n->list.v[i];
            rt->line = e->line;
            if (ft_jeval_true(rt, e->a, f))
                return body(rt, &e->body, f);
        }
        return body(rt, &n->other, f);
    case N_FOR:
        ft_jstack(rt);
        if (n->loop->recursive) {
            put_text(rt, run_recursive(rt, n, f, ft_jeval(rt, n->b, f), 0));
            return GO;
        }
        return run_for(rt, n, f);
    case N_MACRO: assign(rt, n->a, f, macro(rt, n, f)); return GO;
    case N_CALLBLOCK: run_call_block(rt, n, f); return GO;
    case N_GENERATION: run_generation(rt, n, f); return GO;
    case N_SET:
        if (n->a->kind != N_NAME)
            check_namespaces(rt, n->a, f);
        assign(rt, n->a, f, ft_jeval(rt, n->b, f));
        return GO;
    case N_SETBLOCK:
    case N_FILTERBLOCK: {
        enter(&n->loads, f);
        const struct jmark m = ft_jout_open(rt);
        const enum flow w = body(rt, &n->body, f);
        if (w != GO) {
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
            put_text(rt, v);
        } else {
            if (rt->autoescape)
                v = ft_jstrv(ft_jstr_as(rt, ft_jsoft(rt, v), true));
            assign(rt, n->a, f, v);
        }
        leave(&n->loads, f);
        return GO;
    }
    case N_WITH: {
        enter(&n->loads, f);
        rt->line = n->mark; /* Jinja marks no line of its own here */
        for (uint32_t i = 0; i < n->list.n; i += 2)
            assign(rt, n->list.v[i], f, ft_jeval(rt, n->list.v[i + 1], f));
        const enum flow w = body(rt, &n->body, f);
        if (w == GO)
            leave(&n->loads, f);
        return w;
    }
    case N_AUTOESCAPE: {
        const bool before = rt->autoescape;
        enter(&n->loads, f);
        rt->line = n->mark;
        rt->autoescape = ft_jtrue(rt, ft_jeval(rt, n->a, f));
        const enum flow w = body(rt, &n->body, f);
        rt->autoescape = before;
        if (w == GO)
            leave(&n->loads, f);
        return w;
    }
    case N_BLOCK: place_block(rt, n, f); return GO;
    case N_BREAK: return BREAK;
    case N_CONTINUE: return CONTINUE;
    default: return GO;
    }
}

static enum flow body(struct jrt *rt, const struct node_list *l, struct jframe *f)
{
    ft_jstack(rt);
    for (uint32_t i = 0; i < l->n; i++) {
        const enum flow w = run(rt, l->v[i], f);
        if (w != GO)
            return w;
    }
    return GO;
}

void ft_jrun_root(struct jrt *rt, const struct ft_template *t)
{
    struct jframe *f = frame_new(rt, t->root.nslots, NULL);
    for (uint32_t i = 0; i < t->loads.n; i++)
        if (t->loads.v[i].how == LOAD_PARAM) /* only `self` */
            f->slot[t->loads.v[i].slot] = (struct jval){.tag = J_SELF, .p = rt->ctx};
    enter(&t->loads, f);
    body(rt, &t->body, f);
    ft_jout_check(rt);
}
