/* jresolve.c -- which slot of which frame holds a name: jinja2.idtracking and
 * the frames of jinja2.compiler.
 *
 * Jinja compiles to Python: a scope becomes a prefix of local variables
 * ("l_1_x" is x of a scope at level 1), a macro or recursive loop a nested
 * function, and closures, late binding and shared locals follow Python. Odd
 * corners of scoping come from there and are kept by doing the same: scopes
 * here are `struct sym`, functions `struct fn`, locals slots of a fn by level
 * and name. */
#include <math.h>

#include "templates/jattrs.h"
#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

struct ident {
    uint32_t level, slot;
    const struct jstr *name;
    struct fn *fn;
    struct ident *next;
};
struct fn {
    struct fn *up;
    struct ident *idents;
    uint32_t nslots;
};

struct ref {
    const struct jstr *name;
    struct ident *id;
};
struct sload {
    struct ident *id;
    int how;
    struct ident *from;
    struct jstr *name;
};
struct sym {
    struct sym *parent;
    uint32_t level;
    struct fn *fn;
    struct ref *refs;
    uint32_t nrefs, refs_cap;
    struct sload *loads;
    uint32_t nloads, loads_cap;
    const struct jstr **stores;
    uint32_t nstores, stores_cap;
};

struct scope { /* jinja2.compiler.Frame */
    struct sym *sym;
    struct fn *fn;
    bool toplevel, soft;
    bool in_loop; /* break and continue have a loop of this function */
};

struct resolver {
    struct jrt *rt;
    struct ft_template *t;
    /* parameters of a macro whose defaults are being visited, not yet stored */
    struct ident **undeclared;
    uint32_t nundeclared;
    bool folding; /* off inside autoescape */
    uint32_t mark; /* the template line that Jinja's compiled code was last marked with */
};

static void visit_body(struct resolver *r, struct node_list *l, struct scope *s);
static void visit(struct resolver *r, struct node *n, struct scope *s);
static void visit_expr(struct resolver *r, struct node **np, struct scope *s);

#define GROW(rt, v, n, cap)                                                                                            \
    do {                                                                                                               \
        if ((n) == (cap)) {                                                                                            \
            (cap) = (cap) ? (cap) * 2 : 8;                                                                             \
            void *grown = ft_jalloc_n((rt), (cap), sizeof *(v));                                                       \
            if (n)                                                                                                     \
                ft_jcopy(grown, (v), (n) * sizeof *(v));                                                                 \
            (v) = grown;                                                                                               \
        }                                                                                                              \
    } while (0)

/* ---- symbols ---- */

static struct ident *ident(struct resolver *r, struct fn *fn, uint32_t level, const struct jstr *name)
{
    for (struct ident *i = fn->idents; i; i = i->next)
        if (i->level == level && ft_jstr_same(i->name, name))
            return i;
    struct ident *i = J_NEW(r->rt, struct ident);
    *i = (struct ident){level, fn->nslots++, name, fn, fn->idents};
    fn->idents = i;
    ft_jstep(r->rt, 16);
    return i;
}

static struct ident *own_ref(const struct sym *s, const struct jstr *name)
{
    for (uint32_t i = 0; i < s->nrefs; i++)
        if (ft_jstr_same(s->refs[i].name, name))
            return s->refs[i].id;
    return NULL;
}
static struct ident *find_ref(const struct sym *s, const struct jstr *name)
{
    for (; s; s = s->parent) {
        struct ident *id = own_ref(s, name);
        if (id)
            return id;
    }
    return NULL;
}
static struct sload *own_load(const struct sym *s, const struct ident *id)
{
    for (uint32_t i = 0; i < s->nloads; i++)
        if (s->loads[i].id == id)
            return &s->loads[i];
    return NULL;
}
static struct sload *find_load(const struct sym *s, const struct ident *id)
{
    for (; s; s = s->parent) {
        struct sload *l = own_load(s, id);
        if (l)
            return l;
    }
    return NULL;
}
static void set_ref(struct resolver *r, struct sym *s, const struct jstr *name, struct ident *id)
{
    ft_jstep(r->rt, s->nrefs / 4);
    for (uint32_t i = 0; i < s->nrefs; i++)
        if (ft_jstr_same(s->refs[i].name, name)) {
            s->refs[i].id = id;
            return;
        }
    GROW(r->rt, s->refs, s->nrefs, s->refs_cap);
    s->refs[s->nrefs++] = (struct ref){name, id};
}
static void set_load(struct resolver *r, struct sym *s, struct sload l)
{
    ft_jstep(r->rt, s->nloads / 4);
    struct sload *old = own_load(s, l.id);
    if (old) {
        *old = l;
        return;
    }
    GROW(r->rt, s->loads, s->nloads, s->loads_cap);
    s->loads[s->nloads++] = l;
}
static bool stored(const struct sym *s, const struct jstr *name)
{
    for (uint32_t i = 0; i < s->nstores; i++)
        if (ft_jstr_same(s->stores[i], name))
            return true;
    return false;
}
static void add_store(struct resolver *r, struct sym *s, const struct jstr *name)
{
    ft_jstep(r->rt, s->nstores / 4);
    if (stored(s, name))
        return;
    GROW(r->rt, s->stores, s->nstores, s->stores_cap);
    s->stores[s->nstores++] = name;
}
static struct ident *define(struct resolver *r, struct sym *s, const struct jstr *name, int how, struct ident *from)
{
    struct ident *id = ident(r, s->fn, s->level, name);
    set_ref(r, s, name, id);
    set_load(r, s, (struct sload){id, how, from, (struct jstr *)name});
    return id;
}
static void sym_store(struct resolver *r, struct sym *s, const struct jstr *name)
{
    add_store(r, s, name);
    if (own_ref(s, name))
        return;
    struct ident *outer = s->parent ? find_ref(s->parent, name) : NULL;
    define(r, s, name, outer ? LOAD_ALIAS : LOAD_UNDEFINED, outer);
}
static struct ident *sym_param(struct resolver *r, struct sym *s, const struct jstr *name)
{
    add_store(r, s, name);
    return define(r, s, name, LOAD_PARAM, NULL);
}
static void sym_load(struct resolver *r, struct sym *s, const struct jstr *name)
{
    if (!find_ref(s, name))
        define(r, s, name, LOAD_RESOLVE, NULL);
}
static struct sym *sym_copy(struct resolver *r, const struct sym *s)
{
    struct sym *c = J_NEW(r->rt, struct sym);
    *c = *s;
#define COPY(v, n, cap)                                                                                                \
    c->cap = c->n + 8;                                                                                                 \
    c->v = ft_jalloc_n(r->rt, c->cap, sizeof *c->v);                                                                   \
    if (c->n)                                                                                                          \
    ft_jcopy(c->v, s->v, c->n * sizeof *c->v)
    COPY(refs, nrefs, refs_cap);
    COPY(loads, nloads, loads_cap);
    COPY(stores, nstores, stores_cap);
#undef COPY
    ft_jstep(r->rt, (size_t)c->nrefs + 8);
    return c;
}
static struct sym *sym_new(struct resolver *r, struct sym *parent, struct fn *fn)
{
    struct sym *s = J_NEW(r->rt, struct sym);
    *s = (struct sym){.parent = parent, .level = parent ? parent->level + 1 : 0, .fn = fn};
    return s;
}

static void branch_update(struct resolver *r, struct sym *s, struct sym **branch, int n)
{
    const uint32_t before = s->nstores;
    const struct jstr **names = NULL;
    uint32_t nnames = 0, cap = 0;
    for (int b = 0; b < n; b++)
        for (uint32_t i = 0; i < branch[b]->nstores; i++) {
            const struct jstr *name = branch[b]->stores[i];
            bool known = false;
            ft_jstep(r->rt, (before + nnames) / 4);
            for (uint32_t k = 0; k < before && !known; k++)
                known = ft_jstr_same(s->stores[k], name);
            for (uint32_t k = 0; k < nnames && !known; k++)
                known = ft_jstr_same(names[k], name);
            if (!known) {
                GROW(r->rt, names, nnames, cap);
                names[nnames++] = name;
            }
        }
    for (int b = 0; b < n; b++) {
        for (uint32_t i = 0; i < branch[b]->nrefs; i++)
            set_ref(r, s, branch[b]->refs[i].name, branch[b]->refs[i].id);
        for (uint32_t i = 0; i < branch[b]->nloads; i++)
            set_load(r, s, branch[b]->loads[i]);
        for (uint32_t i = 0; i < branch[b]->nstores; i++)
            add_store(r, s, branch[b]->stores[i]);
    }
    for (uint32_t i = 0; i < nnames; i++) {
        struct ident *to = find_ref(s, names[i]);
        struct ident *outer = s->parent ? find_ref(s->parent, names[i]) : NULL;
        set_load(r, s, (struct sload){to, outer ? LOAD_ALIAS : LOAD_RESOLVE, outer, (struct jstr *)names[i]});
    }
}

/* ---- FrameSymbolVisitor ---- */

static void analyze(struct resolver *r, struct sym **s, struct node *n, bool param);

static void analyze_list(struct resolver *r, struct sym **s, struct node_list *l, bool param)
{
    for (uint32_t i = 0; i < l->n; i++)
        analyze(r, s, l->v[i], param);
}
static void analyze_call(struct resolver *r, struct sym **s, struct call *c)
{
    analyze_list(r, s, &c->args, false);
    for (uint32_t i = 0; i < c->nkw; i++)
        analyze(r, s, c->kw[i].value, false);
    analyze(r, s, c->dyn_args, false);
    analyze(r, s, c->dyn_kwargs, false);
}

static void analyze(struct resolver *r, struct sym **sp, struct node *n, bool param)
{
    if (!n)
        return;
    ft_jstack(r->rt);
    struct sym *s = *sp;
    switch (n->kind) {
    case N_CONST:
    case N_NONFINITE: break;
    case N_NAME:
        if (param)
            sym_param(r, s, n->name);
        else if (n->store)
            sym_store(r, s, n->name);
        else
            sym_load(r, s, n->name);
        break;
    case N_NSREF: sym_load(r, s, n->name); break;
    case N_IF: {
        analyze(r, sp, n->a, false);
        struct sym *b[3];
        for (int i = 0; i < 3; i++)
            b[i] = sym_copy(r, s);
        analyze_list(r, &b[0], &n->body, false);
        analyze_list(r, &b[1], &n->list, false);
        analyze_list(r, &b[2], &n->other, false);
        branch_update(r, s, b, 3);
        break;
    }
    case N_MACRO: sym_store(r, s, n->a->name); break;
    case N_SET:
        analyze(r, sp, n->b, false);
        analyze(r, sp, n->a, false);
        break;
    case N_FOR: analyze(r, sp, n->b, false); break;
    case N_CALLBLOCK:
    case N_FILTERBLOCK: analyze(r, sp, n->a, false); break;
    case N_GENERATION: break;
    case N_WITH:
        for (uint32_t i = 1; i < n->list.n; i += 2)
            analyze(r, sp, n->list.v[i], false);
        break;
    case N_SETBLOCK: analyze(r, sp, n->a, false); break;
    case N_AUTOESCAPE: break; /* a Scope */
    case N_CALL:
        analyze(r, sp, n->a, false);
        analyze_call(r, sp, n->call);
        break;
    case N_FILTER:
    case N_TEST:
        analyze(r, sp, n->a, false);
        analyze_call(r, sp, n->call);
        break;
    default:
        analyze(r, sp, n->a, param);
        analyze(r, sp, n->b, param);
        analyze(r, sp, n->c, param);
        analyze_list(r, sp, &n->list, param);
        analyze_list(r, sp, &n->body, false);
    }
}

/* find_undeclared: is `name` read before it is stored, anywhere below? 1 yes,
 * -1 stored first, 0 neither. */
static int reads(struct resolver *r, const struct node *n, const char *name);

static int reads_list(struct resolver *r, const struct node_list *l, const char *name)
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
        (void)((k = reads(r, n->a, name)) || (k = reads(r, n->b, name)) || (k = reads_list(r, &n->body, name)) ||
               (k = reads_list(r, &n->other, name)) || (k = reads(r, n->loop->test, name)));
        return k;
    case N_MACRO:
    case N_CALLBLOCK:
    case N_GENERATION:
        (void)((n->kind == N_CALLBLOCK && (k = reads(r, n->a, name))) || (k = reads_list(r, &n->macro->args, name)) ||
               (k = reads_list(r, &n->macro->defaults, name)) || (k = reads_list(r, &n->body, name)));
        return k;
    case N_FILTERBLOCK:
        (void)((k = reads_list(r, &n->body, name)) || (k = reads(r, n->a, name)));
        return k;
    default: break;
    }
    if ((k = reads(r, n->a, name)) || (k = reads(r, n->b, name)) || (k = reads(r, n->c, name)))
        return k;
    if (n->kind == N_IF) {
        (void)((k = reads_list(r, &n->body, name)) || (k = reads_list(r, &n->list, name)) ||
               (k = reads_list(r, &n->other, name)));
        return k;
    }
    if ((k = reads_list(r, &n->list, name)) || (k = reads_list(r, &n->body, name)))
        return k;
    if (n->call) {
        if ((k = reads_list(r, &n->call->args, name)))
            return k;
        for (uint32_t i = 0; i < n->call->nkw; i++)
            if ((k = reads(r, n->call->kw[i].value, name)))
                return k;
        (void)((k = reads(r, n->call->dyn_args, name)) || (k = reads(r, n->call->dyn_kwargs, name)));
    }
    return k;
}

static bool stores_loop(struct resolver *r, const struct node *n);
static bool stores_loop_list(struct resolver *r, const struct node_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (stores_loop(r, l->v[i]))
            return true;
    return false;
}
static bool stores_loop(struct resolver *r, const struct node *n)
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
    return stores_loop(r, n->kind == N_MACRO ? NULL : n->a) || stores_loop(r, n->b) || stores_loop(r, n->c) ||
           stores_loop_list(r, &n->list) || stores_loop_list(r, &n->body) || stores_loop_list(r, &n->other);
}

/* ---- context variables ---- */

static uint32_t context_name(struct resolver *r, struct jstr *name)
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

static struct loads enter(struct resolver *r, const struct scope *s)
{
    struct loads l = {.n = s->sym->nloads};
    l.v = J_NEWS(r->rt, struct load, l.n + 1);
    for (uint32_t i = 0; i < l.n; i++) {
        const struct sload *x = &s->sym->loads[i];
        l.v[i] = (struct load){.slot = x->id->slot};
        switch (x->how) {
        case LOAD_RESOLVE:
            l.v[i].how = LOAD_RESOLVE;
            l.v[i].from = context_name(r, x->name);
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

static struct scope inner(struct resolver *r, const struct scope *s, struct fn *fn)
{
    return (struct scope){.sym = sym_new(r, s->sym, fn ? fn : s->fn), .fn = fn ? fn : s->fn, .in_loop = fn ? false : s->in_loop};
}
static struct scope soft(struct resolver *r, const struct scope *s)
{
    struct scope c = *s;
    c.sym = sym_copy(r, s->sym);
    c.soft = true;
    return c;
}
static struct fn *fn_new(struct resolver *r, struct fn *up)
{
    struct fn *f = J_NEW(r->rt, struct fn);
    *f = (struct fn){.up = up};
    return f;
}

static struct ident *must_ref(struct resolver *r, struct scope *s, const struct jstr *name, uint32_t line)
{
    struct ident *id = find_ref(s->sym, name);
    if (!id) {
        r->rt->line = line;
        ft_jraise(r->rt, "AssertionError", "Tried to resolve a name to a reference that was unknown to the frame ('%.*s')",
                  (int)name->n, name->p);
    }
    return id;
}

static void visit_name(struct resolver *r, struct node *n, struct scope *s, bool export)
{
    struct ident *id = must_ref(r, s, n->name, n->line);
    n->slot = id->slot;
    n->up = hops(s->fn, id->fn);
    if (n->store && export)
        n->export = (int32_t)context_name(r, n->name);
    const struct sload *l = find_load(s->sym, id);
    n->maybe = true;
    if (l && l->how == LOAD_PARAM) {
        n->maybe = false;
        for (uint32_t i = 0; i < r->nundeclared; i++)
            n->maybe |= r->undeclared[i] == id;
    }
}

static void visit_target(struct resolver *r, struct node *n, struct scope *s, bool export)
{
    if (n->kind == N_TUPLE) {
        for (uint32_t i = 0; i < n->list.n; i++)
            visit_target(r, n->list.v[i], s, export);
    } else if (n->kind == N_NSREF) {
        struct ident *id = must_ref(r, s, n->name, n->line);
        n->slot = id->slot;
        n->up = hops(s->fn, id->fn);
        n->mark = r->mark;
    } else {
        visit_name(r, n, s, export);
    }
}

static void visit_call(struct resolver *r, struct call *c, struct scope *s)
{
    for (uint32_t i = 0; i < c->args.n; i++)
        visit_expr(r, &c->args.v[i], s);
    for (uint32_t i = 0; i < c->nkw; i++)
        visit_expr(r, &c->kw[i].value, s);
    if (c->dyn_args)
        visit_expr(r, &c->dyn_args, s);
    if (c->dyn_kwargs)
        visit_expr(r, &c->dyn_kwargs, s);
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
        visit_expr(r, &n->a, s);
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

static void visit_expr(struct resolver *r, struct node **np, struct scope *s)
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
    case N_NAME: visit_name(r, n, s, false); return;
    case N_COND: {
        struct scope c = soft(r, s);
        visit_expr(r, &n->a, &c);
        visit_expr(r, &n->b, &c);
        if (n->c)
            visit_expr(r, &n->c, &c);
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
        visit_expr(r, &n->a, s);
    if (n->b)
        visit_expr(r, &n->b, s);
    if (n->c)
        visit_expr(r, &n->c, s);
    for (uint32_t i = 0; i < n->list.n; i++)
        visit_expr(r, &n->list.v[i], s);
    if (n->call)
        visit_call(r, n->call, s);
    if (n->kind == N_BINARY && n->op == J_ADD)
        *np = sum(r, n);
}

/* A whole expression of a statement: folded, then resolved. */
static void visit_top(struct resolver *r, struct node **np, struct scope *s)
{
    if (r->folding)
        *np = ft_jfold(r->rt, *np, s->soft);
    visit_expr(r, np, s);
}

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
    struct fn *fn = l->recursive ? fn_new(r, s->fn) : s->fn;
    struct scope body = inner(r, s, fn), other = inner(r, s, fn);
    body.in_loop = true;
    other.in_loop = l->recursive ? false : s->in_loop;
    l->extended = l->recursive || reads_list(r, &n->body, "loop") > 0;
    if (l->extended)
        l->loop_slot = sym_param(r, body.sym, special(r, "loop"))->slot;
    struct sym *bs = body.sym, *os = other.sym;
    analyze(r, &bs, n->a, true);
    analyze_list(r, &bs, &n->body, false);
    if (n->other.n)
        analyze_list(r, &os, &n->other, false);
    if (l->test) {
        struct fn *tf = fn_new(r, s->fn);
        struct scope test = inner(r, s, tf);
        struct sym *ts = test.sym;
        test.in_loop = false;
        analyze(r, &ts, n->a, true);
        analyze(r, &ts, l->test, false);
        l->test_loads = enter(r, &test);
        l->test_target = clone_target(r, n->a);
        visit_target(r, l->test_target, &test, false);
        visit_top(r, &l->test, &test);
        l->test_func.nslots = tf->nslots;
    }
    if (stores_loop(r, n))
        ft_jraise(r->rt, J_ASSERTION, "Can't assign to special loop variable in for-loop target");
    visit_target(r, n->a, &body, false);
    visit_top(r, &n->b, s);
    n->loads = enter(r, &body);
    r->mark = n->line;
    visit_body(r, &n->body, &body);
    if (n->other.n) {
        n->other_loads = enter(r, &other);
        visit_body(r, &n->other, &other);
    }
    if (l->recursive)
        l->func.nslots = fn->nslots;
    l->idle = ft_jidle(n);
}

static void visit_macro(struct resolver *r, struct node *n, struct scope *s)
{
    struct macro_info *m = n->macro;
    struct fn *fn = fn_new(r, s->fn);
    struct scope f = inner(r, s, fn);
    struct sym *fs = f.sym;
    /* two passes, as Jinja's: the special parameters come in between */
    for (int pass = 0; pass < 2; pass++) {
        analyze_list(r, &fs, &m->args, true);
        analyze_list(r, &fs, &m->defaults, false);
        analyze_list(r, &fs, &n->body, false);
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
        if (reads_list(r, &n->body, "caller") > 0) {
            if (explicit_caller >= 0) {
                if ((uint32_t)explicit_caller < m->args.n - m->defaults.n) {
                    r->rt->line = n->line;
                    ft_jraise(r->rt, J_ASSERTION,
                              "When defining macros or call blocks the special \"caller\" argument must be omitted or be "
                              "given a default.");
                }
            } else {
                m->caller_slot = sym_param(r, fs, special(r, "caller"))->slot;
            }
            m->caller = true;
        }
        if (reads_list(r, &n->body, "kwargs") > 0 && !skip_kwargs) {
            m->kwargs_slot = sym_param(r, fs, special(r, "kwargs"))->slot;
            m->kwargs = true;
        }
        if (reads_list(r, &n->body, "varargs") > 0 && !skip_varargs) {
            m->varargs_slot = sym_param(r, fs, special(r, "varargs"))->slot;
            m->varargs = true;
        }
    }
    m->loads = enter(r, &f);
    m->slot = J_NEWS(r->rt, uint32_t, m->args.n);
    struct ident **saved = r->undeclared;
    const uint32_t nsaved = r->nundeclared;
    r->undeclared = J_NEWS(r->rt, struct ident *, fs->nloads + 1);
    r->nundeclared = 0;
    for (uint32_t i = 0; i < fs->nloads; i++)
        if (fs->loads[i].how == LOAD_PARAM)
            r->undeclared[r->nundeclared++] = fs->loads[i].id;
    for (uint32_t i = 0; i < m->args.n; i++) {
        struct ident *id = must_ref(r, &f, m->args.v[i]->name, n->line);
        m->slot[i] = id->slot;
        const uint32_t first = m->args.n - m->defaults.n;
        if (i >= first)
            visit_top(r, &m->defaults.v[i - first], &f);
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
            visit_expr(r, &n->list.v[i], s);
        }
        break;
    case N_IF: {
        struct scope f = soft(r, s);
        r->mark = n->line;
        visit_top(r, &n->a, &f);
        visit_body(r, &n->body, &f);
        for (uint32_t i = 0; i < n->list.n; i++) {
            r->mark = n->list.v[i]->line;
            visit_top(r, &n->list.v[i]->a, &f);
            visit_body(r, &n->list.v[i]->body, &f);
        }
        visit_body(r, &n->other, &f);
        break;
    }
    case N_FOR: visit_for(r, n, s); break;
    case N_MACRO:
        visit_macro(r, n, s);
        visit_name(r, n->a, s, s->toplevel);
        break;
    case N_CALLBLOCK:
        visit_macro(r, n, s);
        r->mark = n->line;
        visit_top(r, &n->a, s);
        break;
    case N_GENERATION:
        visit_macro(r, n, s);
        r->mark = n->line;
        break;
    case N_SET:
        visit_top(r, &n->b, s);
        visit_target(r, n->a, s, s->toplevel);
        r->mark = n->line;
        break;
    case N_SETBLOCK: {
        struct scope f = inner(r, s, NULL);
        struct sym *fs = f.sym;
        analyze_list(r, &fs, &n->body, false);
        n->loads = enter(r, &f);
        visit_body(r, &n->body, &f);
        r->mark = n->line;
        visit_target(r, n->a, s, s->toplevel);
        if (n->b)
            visit_expr(r, &n->b, &f);
        break;
    }
    case N_FILTERBLOCK: {
        struct scope f = inner(r, s, NULL);
        struct sym *fs = f.sym;
        analyze_list(r, &fs, &n->body, false);
        analyze(r, &fs, n->a, false);
        n->loads = enter(r, &f);
        visit_body(r, &n->body, &f);
        r->mark = n->line;
        visit_expr(r, &n->a, &f);
        break;
    }
    case N_WITH: {
        struct scope f = inner(r, s, NULL);
        struct sym *fs = f.sym;
        for (uint32_t i = 0; i < n->list.n; i += 2)
            analyze(r, &fs, n->list.v[i], true);
        analyze_list(r, &fs, &n->body, false);
        n->loads = enter(r, &f);
        n->mark = r->mark;
        for (uint32_t i = 0; i < n->list.n; i += 2) {
            visit_target(r, n->list.v[i], &f, false);
            visit_top(r, &n->list.v[i + 1], s);
        }
        visit_body(r, &n->body, &f);
        break;
    }
    case N_AUTOESCAPE: {
        struct scope f = inner(r, s, NULL);
        struct sym *fs = f.sym;
        const bool folding = r->folding;
        analyze(r, &fs, n->a, false);
        analyze_list(r, &fs, &n->body, false);
        n->loads = enter(r, &f);
        n->mark = r->mark;
        visit_top(r, &n->a, &f);
        r->folding = false;
        visit_body(r, &n->body, &f);
        r->folding = folding;
        break;
    }
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
    struct fn *fn = fn_new(&r, NULL);
    struct sym *sym = sym_new(&r, NULL, fn), *s = sym;
    struct scope root = {.sym = sym, .fn = fn, .toplevel = true};
    if (reads_list(&r, &t->body, "self") > 0)
        sym_param(&r, sym, special(&r, "self"));
    analyze_list(&r, &s, &t->body, false);
    t->loads = enter(&r, &root);
    visit_body(&r, &t->body, &root);
    t->root.nslots = fn->nslots;

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
