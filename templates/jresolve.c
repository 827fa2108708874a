/* jresolve.c -- statements: which slot of which frame holds a name (jsym.h says by what rules). */
#include "templates/jsym.h"

#include "templates/jiter.h"
#include "templates/jtext.h"

static void visit_body(struct resolver *r, struct node_list *l, struct scope *s);

static struct node *clone_target(struct resolver *r, const struct node *n)
{
    struct node *c = J_NEW(r->rt, struct node);
    *c = *n;
    c->list = (struct node_list){0};
    for (uint32_t i = 0; i < n->list.n; i++)
        ft_node_add(&r->rt->arena, &c->list, clone_target(r, n->list.v[i]));
    return c;
}

static struct jstr *special(struct resolver *r, const char *z)
{
    struct jstr *s = ft_jstr_z(r->rt, z);
    ft_jchars(s);
    ft_jhash_str(s);
    return s;
}

static void visit_for(struct resolver *r, struct node *n, struct scope *s)
{
    struct loop_info *l = n->loop;
    struct fn *fn = l->recursive ? ft_jfn_new(r, s->fn) : s->fn;
    struct scope body = ft_jscope_inner(r, s, fn), other = ft_jscope_inner(r, s, fn);
    body.in_loop = true;
    other.in_loop = l->recursive ? false : s->in_loop;
    l->extended = l->extended || l->recursive || ft_jreads(r, &n->body, "loop") > 0;
    if (l->extended)
        l->loop_slot = ft_jsym_param(r, body.sym, special(r, "loop"))->slot;
    struct sym *bs = body.sym, *os = other.sym;
    ft_jsym_visit(r, &bs, n->a, true);
    ft_jsym_visit_list(r, &bs, &n->body, false);
    if (n->other.n)
        ft_jsym_visit_list(r, &os, &n->other, false);
    if (l->test) {
        struct fn *tf = ft_jfn_new(r, s->fn);
        struct scope test = ft_jscope_inner(r, s, tf);
        struct sym *ts = test.sym;
        test.in_loop = false;
        ft_jsym_visit(r, &ts, n->a, true);
        ft_jsym_visit(r, &ts, l->test, false);
        l->test_loads = ft_jscope_enter(r, &test);
        l->test_target = clone_target(r, n->a);
        ft_jtarget_visit(r, l->test_target, &test, false);
        ft_jexpr_fold(r, &l->test, &test);
        l->test_func.nslots = tf->nslots;
    }
    if (ft_jstores_loop(r, n))
        ft_jraise(r->rt, J_ASSERTION, "Can't assign to special loop variable in for-loop target");
    ft_jtarget_visit(r, n->a, &body, false);
    ft_jexpr_fold(r, &n->b, s);
    n->loads = ft_jscope_enter(r, &body);
    r->mark = n->line;
    visit_body(r, &n->body, &body);
    if (n->other.n) {
        n->other_loads = ft_jscope_enter(r, &other);
        visit_body(r, &n->other, &other);
    }
    if (l->recursive) {
        l->func.nslots = fn->nslots;
        r->mark = n->line; /* its call */
    }
    l->idle = ft_jidle(n);
}

static void visit_macro(struct resolver *r, struct node *n, struct scope *s)
{
    struct macro_info *m = n->macro;
    struct fn *fn = ft_jfn_new(r, s->fn);
    struct scope f = ft_jscope_inner(r, s, fn);
    struct sym *fs = f.sym;
    /* two passes, as Jinja's: the special parameters come in between */
    for (int pass = 0; pass < 2; pass++) {
        ft_jsym_visit_list(r, &fs, &m->args, true);
        ft_jsym_visit_list(r, &fs, &m->defaults, false);
        ft_jsym_visit_list(r, &fs, &n->body, false);
        if (pass)
            break;
        bool skip_kwargs = false, skip_varargs = false;
        int explicit_caller = -1;
        for (uint32_t i = 0; i < m->args.n; i++) {
            const struct jstr *a = m->args.v[i]->name;
            if (ft_jstr_is(a, "caller"))
                explicit_caller = (int)i;
            skip_kwargs |= ft_jstr_is(a, "kwargs");
            skip_varargs |= ft_jstr_is(a, "varargs");
        }
        m->explicit_caller = explicit_caller >= 0;
        if (ft_jreads(r, &n->body, "caller") > 0) {
            if (explicit_caller >= 0) {
                if ((uint32_t)explicit_caller < m->args.n - m->defaults.n) {
                    r->rt->line = n->line;
                    ft_jraise(r->rt, J_ASSERTION,
                              "When defining macros or call blocks the special \"caller\" argument must be omitted or be "
                              "given a default.");
                }
            } else {
                m->caller_slot = ft_jsym_param(r, fs, special(r, "caller"))->slot;
            }
            m->caller = true;
        }
        if (ft_jreads(r, &n->body, "kwargs") > 0 && !skip_kwargs) {
            m->kwargs_slot = ft_jsym_param(r, fs, special(r, "kwargs"))->slot;
            m->kwargs = true;
        }
        if (ft_jreads(r, &n->body, "varargs") > 0 && !skip_varargs) {
            m->varargs_slot = ft_jsym_param(r, fs, special(r, "varargs"))->slot;
            m->varargs = true;
        }
    }
    m->loads = ft_jscope_enter(r, &f);
    m->slot = J_NEWS(r->rt, uint32_t, m->args.n);
    struct ident **saved = r->undeclared;
    const uint32_t nsaved = r->nundeclared;
    r->undeclared = J_NEWS(r->rt, struct ident *, fs->nloads + 1);
    r->nundeclared = 0;
    for (uint32_t i = 0; i < fs->nloads; i++)
        if (fs->loads[i].how == LOAD_PARAM)
            r->undeclared[r->nundeclared++] = fs->loads[i].id;
    for (uint32_t i = 0; i < m->args.n; i++) {
        struct ident *id = ft_jscope_find(r, &f, m->args.v[i]->name, n->line);
        m->slot[i] = id->slot;
        const uint32_t first = m->args.n - m->defaults.n;
        if (i >= first)
            ft_jexpr_fold(r, &m->defaults.v[i - first], &f);
        for (uint32_t k = 0; k < r->nundeclared; k++)
            if (r->undeclared[k] == id)
                r->undeclared[k--] = r->undeclared[--r->nundeclared];
    }
    r->undeclared = saved;
    r->nundeclared = nsaved;
    r->mark = n->line;
    visit_body(r, &n->body, &f);
    m->func.nslots = fn->nslots;
}

/* What is stored in the scopes around a scoped block: each name that one of them stores. */
static void give_locals(struct resolver *r, struct node *n, struct scope *s)
{
    for (const struct sym *y = s->sym; y; y = y->parent)
        for (uint32_t i = 0; i < y->nstores; i++) {
            bool known = false;
            ft_jstep(r->rt, n->list.n + 1);
            for (uint32_t k = 0; k < n->list.n && !known; k++)
                known = ft_jstr_same(n->list.v[k]->name, y->stores[i]);
            if (known)
                continue;
            struct node *x = J_NEW(r->rt, struct node);
            *x = (struct node){.kind = N_NAME, .line = n->line, .name = (struct jstr *)y->stores[i]};
            ft_jname_visit(r, x, s, false);
            x->export = (int32_t)ft_jcontext_name(r, x->name);
            ft_node_add(&r->rt->arena, &n->list, x);
        }
}

/* The function of a block, which knows nothing of the scopes around it. */
static void visit_block(struct resolver *r, struct node *n)
{
    struct block_info *b = n->block;
    struct fn *fn = ft_jfn_new(r, NULL);
    struct sym *sym = ft_jsym_new(r, NULL, fn), *s = sym;
    struct scope f = {.sym = sym, .fn = fn};
    if ((b->self = ft_jreads(r, &n->body, "self") > 0))
        b->self_slot = ft_jsym_param(r, sym, special(r, "self"))->slot;
    if ((b->super = ft_jreads(r, &n->body, "super") > 0))
        b->super_slot = ft_jsym_param(r, sym, special(r, "super"))->slot;
    ft_jsym_visit_list(r, &s, &n->body, false);
    b->loads = ft_jscope_enter(r, &f);
    r->mark = n->line;
    visit_body(r, &n->body, &f);
    b->func.nslots = fn->nslots;
}

static void visit(struct resolver *r, struct node *n, struct scope *s)
{
    ft_jstack(r->rt);
    switch (n->kind) {
    case N_OUTPUT:
        for (uint32_t i = 0; i < n->list.n; i++) {
            if (r->folding && n->list.v[i]->kind != N_DATA)
                n->list.v[i] = ft_jfold_output(r->rt, n->list.v[i]);
            const uint8_t kind = n->list.v[i]->kind;
            if (kind != N_DATA && kind != N_CONST)
                r->mark = n->list.v[i]->line;
            ft_jexpr_visit(r, &n->list.v[i], s);
        }
        break;
    case N_IF: {
        struct scope f = ft_jscope_soft(r, s);
        r->mark = n->line;
        ft_jexpr_fold(r, &n->a, &f);
        visit_body(r, &n->body, &f);
        for (uint32_t i = 0; i < n->list.n; i++) {
            r->mark = n->list.v[i]->line;
            ft_jexpr_fold(r, &n->list.v[i]->a, &f);
            visit_body(r, &n->list.v[i]->body, &f);
        }
        visit_body(r, &n->other, &f);
        break;
    }
    case N_FOR: visit_for(r, n, s); break;
    case N_MACRO:
        visit_macro(r, n, s);
        ft_jname_visit(r, n->a, s, s->toplevel);
        break;
    case N_CALLBLOCK:
        visit_macro(r, n, s);
        r->mark = n->line;
        ft_jexpr_fold(r, &n->a, s);
        break;
    case N_GENERATION:
        visit_macro(r, n, s);
        r->mark = n->line;
        break;
    case N_SET:
        ft_jexpr_fold(r, &n->b, s);
        ft_jtarget_visit(r, n->a, s, s->toplevel);
        r->mark = n->line;
        break;
    case N_SETBLOCK: {
        struct scope f = ft_jscope_inner(r, s, NULL);
        struct sym *fs = f.sym;
        ft_jsym_visit_list(r, &fs, &n->body, false);
        n->loads = ft_jscope_enter(r, &f);
        visit_body(r, &n->body, &f);
        r->mark = n->line;
        ft_jtarget_visit(r, n->a, s, s->toplevel);
        if (n->b)
            ft_jexpr_visit(r, &n->b, &f);
        break;
    }
    case N_FILTERBLOCK: {
        struct scope f = ft_jscope_inner(r, s, NULL);
        struct sym *fs = f.sym;
        ft_jsym_visit_list(r, &fs, &n->body, false);
        ft_jsym_visit(r, &fs, n->a, false);
        n->loads = ft_jscope_enter(r, &f);
        visit_body(r, &n->body, &f);
        r->mark = n->line;
        ft_jexpr_visit(r, &n->a, &f);
        break;
    }
    case N_WITH: {
        struct scope f = ft_jscope_inner(r, s, NULL);
        struct sym *fs = f.sym;
        for (uint32_t i = 0; i < n->list.n; i += 2)
            ft_jsym_visit(r, &fs, n->list.v[i], true);
        ft_jsym_visit_list(r, &fs, &n->body, false);
        n->loads = ft_jscope_enter(r, &f);
        n->mark = r->mark;
        for (uint32_t i = 0; i < n->list.n; i += 2) {
            ft_jtarget_visit(r, n->list.v[i], &f, false);
            ft_jexpr_fold(r, &n->list.v[i + 1], s);
        }
        visit_body(r, &n->body, &f);
        break;
    }
    case N_AUTOESCAPE: {
        struct scope f = ft_jscope_inner(r, s, NULL);
        struct sym *fs = f.sym;
        const bool folding = r->folding;
        ft_jsym_visit(r, &fs, n->a, false);
        ft_jsym_visit_list(r, &fs, &n->body, false);
        n->loads = ft_jscope_enter(r, &f);
        n->mark = r->mark;
        ft_jexpr_fold(r, &n->a, &f);
        r->folding = false;
        visit_body(r, &n->body, &f);
        r->folding = folding;
        break;
    }
    case N_BLOCK:
        if (n->block->scoped)
            give_locals(r, n, s);
        break;
    case N_BREAK:
    case N_CONTINUE:
        if (!s->in_loop) {
            r->rt->line = n->line;
            ft_jraise(r->rt, "SyntaxError", n->kind == N_BREAK ? "'break' outside loop" : "'continue' not properly in loop");
        }
        r->mark = n->line;
        break;
    default: break;
    }
}

static void visit_body(struct resolver *r, struct node_list *l, struct scope *s)
{
    for (uint32_t i = 0; i < l->n; i++) {
        r->rt->line = l->v[i]->line;
        visit(r, l->v[i], s);
    }
}

void ft_jresolve(struct jrt *rt, struct ft_template *t)
{
    struct resolver r = {.rt = rt, .t = t, .folding = true, .mark = 1};
    struct fn *fn = ft_jfn_new(&r, NULL);
    struct sym *sym = ft_jsym_new(&r, NULL, fn), *s = sym;
    for (uint32_t i = 0; i < t->blocks.n; i++)
        for (uint32_t k = 0; k < i; k++) {
            ft_jstep(rt, 1);
            if (!ft_jstr_same(t->blocks.v[i]->name, t->blocks.v[k]->name))
                continue;
            rt->line = t->blocks.v[i]->line;
            struct jsb b;
            ft_jsb_init(&b, rt, 80);
            ft_jsb_putz(&b, "block ");
            ft_jsb_repr_str(&b, t->blocks.v[i]->name, false);
            ft_jsb_putz(&b, " defined twice");
            ft_jraise_str(rt, J_ASSERTION, ft_jsb_done(&b));
        }
    struct scope root = {.sym = sym, .fn = fn, .toplevel = true};
    if (ft_jreads(&r, &t->body, "self") > 0)
        ft_jsym_param(&r, sym, special(&r, "self"));
    ft_jsym_visit_list(&r, &s, &t->body, false);
    t->loads = ft_jscope_enter(&r, &root);
    visit_body(&r, &t->body, &root);
    t->root.nslots = fn->nslots;
    for (uint32_t i = 0; i < t->blocks.n; i++)
        visit_block(&r, t->blocks.v[i]);

    uint32_t size = 16;
    while (size < t->nnames * 2)
        size *= 2;
    t->name_index = J_NEWS(rt, uint32_t, size);
    memset(t->name_index, 0, size * sizeof *t->name_index);
    t->name_mask = size - 1;
    t->globals = J_NEWS(rt, struct jval, t->nnames + 1);
    for (uint32_t i = 0; i < t->nnames; i++) {
        uint32_t at = ft_jhash_str(t->names[i]) & t->name_mask;
        while (t->name_index[at])
            at = (at + 1) & t->name_mask;
        t->name_index[at] = i + 1;
        const int g = ft_jglobal_find(ft_jbytes(t->names[i]));
        t->globals[i] = g < 0 ? (struct jval){0} : (struct jval){.tag = J_FUNC, .aux = (uint32_t)g};
    }
}
