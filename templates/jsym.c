/* jsym.c -- the symbols of a scope: jinja2.idtracking. */
#include "templates/jsym.h"

#include "templates/jiter.h"
#include "templates/jtext.h"

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
struct ident *ft_jsym_find(const struct sym *s, const struct jstr *name)
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
struct sload *ft_jsym_load_of(const struct sym *s, const struct ident *id)
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
    struct ident *outer = s->parent ? ft_jsym_find(s->parent, name) : NULL;
    define(r, s, name, outer ? LOAD_ALIAS : LOAD_UNDEFINED, outer);
}
struct ident *ft_jsym_param(struct resolver *r, struct sym *s, const struct jstr *name)
{
    add_store(r, s, name);
    return define(r, s, name, LOAD_PARAM, NULL);
}
static void sym_load(struct resolver *r, struct sym *s, const struct jstr *name)
{
    if (!ft_jsym_find(s, name))
        define(r, s, name, LOAD_RESOLVE, NULL);
}
struct sym *ft_jsym_copy(struct resolver *r, const struct sym *s)
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
struct sym *ft_jsym_new(struct resolver *r, struct sym *parent, struct fn *fn)
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
        struct ident *to = ft_jsym_find(s, names[i]);
        struct ident *outer = s->parent ? ft_jsym_find(s->parent, names[i]) : NULL;
        set_load(r, s, (struct sload){to, outer ? LOAD_ALIAS : LOAD_RESOLVE, outer, (struct jstr *)names[i]});
    }
}

/* ---- FrameSymbolVisitor ---- */

void ft_jsym_visit_list(struct resolver *r, struct sym **s, struct node_list *l, bool param)
{
    for (uint32_t i = 0; i < l->n; i++)
        ft_jsym_visit(r, s, l->v[i], param);
}
static void analyze_call(struct resolver *r, struct sym **s, struct call *c)
{
    ft_jsym_visit_list(r, s, &c->args, false);
    for (uint32_t i = 0; i < c->nkw; i++)
        ft_jsym_visit(r, s, c->kw[i].value, false);
    ft_jsym_visit(r, s, c->dyn_args, false);
    ft_jsym_visit(r, s, c->dyn_kwargs, false);
}

void ft_jsym_visit(struct resolver *r, struct sym **sp, struct node *n, bool param)
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
            ft_jsym_param(r, s, n->name);
        else if (n->store)
            sym_store(r, s, n->name);
        else
            sym_load(r, s, n->name);
        break;
    case N_NSREF: sym_load(r, s, n->name); break;
    case N_IF: {
        ft_jsym_visit(r, sp, n->a, false);
        struct sym *b[3];
        for (int i = 0; i < 3; i++)
            b[i] = ft_jsym_copy(r, s);
        ft_jsym_visit_list(r, &b[0], &n->body, false);
        ft_jsym_visit_list(r, &b[1], &n->list, false);
        ft_jsym_visit_list(r, &b[2], &n->other, false);
        branch_update(r, s, b, 3);
        break;
    }
    case N_MACRO: sym_store(r, s, n->a->name); break;
    case N_SET:
        ft_jsym_visit(r, sp, n->b, false);
        ft_jsym_visit(r, sp, n->a, false);
        break;
    case N_FOR: ft_jsym_visit(r, sp, n->b, false); break;
    case N_CALLBLOCK:
    case N_FILTERBLOCK: ft_jsym_visit(r, sp, n->a, false); break;
    case N_GENERATION: break;
    case N_WITH:
        for (uint32_t i = 1; i < n->list.n; i += 2)
            ft_jsym_visit(r, sp, n->list.v[i], false);
        break;
    case N_SETBLOCK: ft_jsym_visit(r, sp, n->a, false); break;
    case N_AUTOESCAPE: break; /* a Scope */
    case N_BLOCK: break; /* a function of its own */
    case N_CALL:
        ft_jsym_visit(r, sp, n->a, false);
        analyze_call(r, sp, n->call);
        break;
    case N_FILTER:
    case N_TEST:
        ft_jsym_visit(r, sp, n->a, false);
        analyze_call(r, sp, n->call);
        break;
    default:
        ft_jsym_visit(r, sp, n->a, param);
        ft_jsym_visit(r, sp, n->b, param);
        ft_jsym_visit(r, sp, n->c, param);
        ft_jsym_visit_list(r, sp, &n->list, param);
        ft_jsym_visit_list(r, sp, &n->body, false);
    }
}
