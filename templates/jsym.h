/* jsym.h -- names while a template is resolved: jinja2.idtracking and the frames of
 * jinja2.compiler; private to jsym.c, jreads.c, jnames.c and jresolve.c.
 *
 * Jinja compiles to Python: a scope becomes a prefix of local variables
 * ("l_1_x" is x of a scope at level 1), a macro or recursive loop a nested
 * function, and closures, late binding and shared locals follow Python. Odd
 * corners of scoping come from there and are kept by doing the same: scopes
 * here are `struct sym`, functions `struct fn`, locals slots of a fn by level
 * and name. */
#ifndef FT_TEMPLATES_JSYM_H
#define FT_TEMPLATES_JSYM_H

#include "templates/jnode.h"

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

/* ---- jsym.c: the symbols of a scope ---- */

struct sym *ft_jsym_new(struct resolver *r, struct sym *parent, struct fn *fn);
struct sym *ft_jsym_copy(struct resolver *r, const struct sym *s);
/* What a name, a local is in the scope or those around it; NULL: not known. */
struct ident *ft_jsym_find(const struct sym *s, const struct jstr *name);
struct sload *ft_jsym_load_of(const struct sym *s, const struct ident *id);
struct ident *ft_jsym_param(struct resolver *r, struct sym *s, const struct jstr *name);
/* FrameSymbolVisitor: notes what n reads and stores. `param`: its names are parameters. */
void ft_jsym_visit(struct resolver *r, struct sym **s, struct node *n, bool param);
void ft_jsym_visit_list(struct resolver *r, struct sym **s, struct node_list *l, bool param);

/* ---- jreads.c: questions to a tree not yet resolved ---- */

/* find_undeclared: is `name` read before it is stored, anywhere in l? 1 yes, -1 stored first, 0 neither. */
int ft_jreads(struct resolver *r, const struct node_list *l, const char *name);
/* Does something below n store `loop`? */
bool ft_jstores_loop(struct resolver *r, const struct node *n);

/* ---- jnames.c: scopes, and the names in expressions ---- */

uint32_t ft_jcontext_name(struct resolver *r, struct jstr *name);
struct fn *ft_jfn_new(struct resolver *r, struct fn *up);
/* A scope within s; of a new function unless fn is NULL. */
struct scope ft_jscope_inner(struct resolver *r, const struct scope *s, struct fn *fn);
struct scope ft_jscope_soft(struct resolver *r, const struct scope *s);
struct loads ft_jscope_enter(struct resolver *r, const struct scope *s);
struct ident *ft_jscope_find(struct resolver *r, struct scope *s, const struct jstr *name, uint32_t line);
void ft_jname_visit(struct resolver *r, struct node *n, struct scope *s, bool export);
void ft_jtarget_visit(struct resolver *r, struct node *n, struct scope *s, bool export);
void ft_jexpr_visit(struct resolver *r, struct node **np, struct scope *s);
/* A whole expression of a statement: folded, then resolved. */
void ft_jexpr_fold(struct resolver *r, struct node **np, struct scope *s);

#endif
