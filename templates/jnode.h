/* jnode.h -- a compiled template: a tree whose names are resolved.
 *
 * The parser makes the tree; the compiler (jresolve.c) then decides for
 * every name which slot of which frame holds it, by the rules of Jinja's
 * idtracking, and folds constants as Jinja's optimizer does. Rendering walks
 * the tree. All of it lives in the template's arena. */
#ifndef FT_TEMPLATES_JNODE_H
#define FT_TEMPLATES_JNODE_H

#include "templates/jvalue.h"

enum node_kind {
    /* expressions */
    N_CONST,
    N_NONFINITE, /* a constant with inf or nan in it, which Jinja's code cannot name */
    N_NAME,    /* name, slot, up */
    N_NSREF,   /* name.attr as a target */
    N_TUPLE,   /* list */
    N_LIST,    /* list */
    N_DICT,    /* list: key, value, key, value */
    N_BINARY,  /* op, a, b; sums only before they are resolved */
    N_SUM,     /* list: a + b + c */
    N_AND,
    N_OR,
    N_NOT,     /* a */
    N_NEG,
    N_POS,
    N_CONCAT,  /* list */
    N_COMPARE, /* a, list of operands, ops */
    N_GETATTR, /* a, name, attr */
    N_GETITEM, /* a, b */
    N_SLICE,   /* a, b, c: parts that may be NULL */
    N_FILTER,  /* a (NULL in filter blocks), name, call, filter */
    N_TEST,
    N_ISTYPE, /* a, tags: a test of the type alone */
    N_CALL, /* a, call */
    N_COND, /* a if b else c */
    /* statements */
    N_DATA,   /* name: the text */
    N_OUTPUT, /* list of expressions and N_DATA */
    N_IF,     /* a, body, list: elif nodes (N_IF), other */
    N_FOR,
    N_MACRO,
    N_CALLBLOCK,
    N_GENERATION, /* a call block without a call */
    N_FILTERBLOCK,
    N_SET,      /* a = b */
    N_SETBLOCK, /* a, b: the filter or NULL, body */
    N_WITH,     /* list: target, value, ...; body */
    N_AUTOESCAPE,
    N_BLOCK, /* body; list: of a scoped one the names that it is given, `export` says which of the context */
    N_BREAK,
    N_CONTINUE,
};

enum cmp_op { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_IN, CMP_NOTIN };

struct node_list {
    struct node **v;
    uint32_t n, cap;
};

/* What enter_frame does before a body runs. */
struct load {
    enum { LOAD_RESOLVE, LOAD_ALIAS, LOAD_UNDEFINED, LOAD_PARAM /* only cleared on leaving */ } how;
    uint32_t slot;
    uint32_t from, up; /* RESOLVE: number of the context variable; ALIAS: slot of the frame `up` above */
};
struct loads {
    struct load *v;
    uint32_t n;
};

struct kwarg {
    struct jstr *name;
    struct node *value;
};
struct call {
    struct node_list args;
    struct kwarg *kw;
    uint32_t nkw;
    struct node *dyn_args, *dyn_kwargs;
};

/* A body with its own frame: a macro, call block, recursive loop or the root. */
struct func {
    uint32_t nslots;
};

/* What evaluating reads comes first, within a cache line or two. */
struct node {
    uint8_t kind, op;
    bool store; /* N_NAME: a target */
    bool maybe; /* N_NAME: may be missing when read; others: known not to fold */
    uint32_t line;
    union {
        struct jval value; /* N_CONST */
        struct {
            struct node *a, *b;
        };
    };
    struct node *c;
    struct jstr *name;
    uint32_t slot, up; /* N_NAME, N_NSREF */
    union {
        uint32_t tags; /* N_ISTYPE: bits by enum jtag */
        uint32_t mark; /* N_NSREF, N_WITH, N_AUTOESCAPE: the line that Jinja names in errors */
    };
    int32_t attr;      /* number of name, or of a constant subscript, in jattrs.h */
    int32_t export;    /* N_NAME as a top-level target: the context variable to set, or -1 */
    struct node_list list;
    struct call *call;
    const struct jfilter *filter;
    uint8_t *ops; /* N_COMPARE */
    struct jstr *name2; /* N_NSREF's attribute */
    /* statements */
    struct node_list body, other;
    struct loads loads, other_loads;
    struct loop_info *loop;
    struct macro_info *macro;
    struct block_info *block;
};

struct loop_info {
    bool extended; /* something may read `loop` */
    bool recursive;
    bool idle; /* does nothing over the characters of a string */
    struct node *test; /* NULL: no filter */
    struct node *test_target;
    struct loads test_loads;
    struct func test_func, func; /* func: of a recursive loop */
    uint32_t loop_slot;
};

struct macro_info {
    struct func func;
    struct node_list args, defaults;
    struct jstr *name;
    uint32_t *slot; /* of each argument */
    bool kwargs, varargs, caller;
    bool explicit_caller;
    uint32_t kwargs_slot, varargs_slot, caller_slot;
    struct loads loads;
};

/* A block is a function of the context alone: it sees what is exported to that, not the scopes around it. */
struct block_info {
    struct func func;
    struct loads loads;
    bool scoped, required;
    bool self, super;
    uint32_t self_slot, super_slot;
};

struct ft_template {
    struct ft_arena arena;
    uint64_t serial; /* of all that were compiled, from 1 on */
    struct ft_str source;
    struct node_list body;
    struct node_list blocks; /* all, in the order of the text */
    struct func root;
    struct loads loads;
    /* context variables read or exported, by number */
    struct jstr **names;
    uint32_t nnames, names_cap;
    uint32_t *name_index; /* 1 + number, open addressing by hash */
    uint32_t name_mask;
    struct jval *globals; /* by number: the function of that name, or J_MISSING */
    bool generation;
    struct jstr **literal;
    uint32_t nliteral, literal_cap;
};

/* ---- compiling ---- */

struct jtoken {
    uint8_t type;
    uint32_t line;
    struct jval value; /* string of a name, data or string; number */
};
enum token_type {
    TK_EOF,
    TK_ERROR, /* value: the message; raised when the parser comes to it */
    TK_DATA,
    TK_VAR_BEGIN,
    TK_VAR_END,
    TK_BLOCK_BEGIN,
    TK_BLOCK_END,
    TK_NAME,
    TK_STRING,
    TK_INT,
    TK_FLOAT,
    TK_ADD,
    TK_SUB,
    TK_DIV,
    TK_FLOORDIV,
    TK_MUL,
    TK_MOD,
    TK_POW,
    TK_TILDE,
    TK_LBRACKET,
    TK_RBRACKET,
    TK_LPAREN,
    TK_RPAREN,
    TK_LBRACE,
    TK_RBRACE,
    TK_EQ,
    TK_NE,
    TK_GT,
    TK_GE,
    TK_LT,
    TK_LE,
    TK_ASSIGN,
    TK_DOT,
    TK_COLON,
    TK_PIPE,
    TK_COMMA,
    TK_SEMICOLON,
};
#define J_SYNTAX "TemplateSyntaxError"
#define J_ASSERTION "TemplateAssertionError"

/* Errors are raised on rt with rt->line set; memory is rt->arena's. */
struct jtoken *ft_jlex(struct jrt *rt, const char *text, size_t n, size_t *count);
void ft_jparse(struct jrt *rt, struct ft_template *t, const struct jtoken *tokens);
void ft_jresolve(struct jrt *rt, struct ft_template *t);
/* Does the loop n, resolved, do nothing over the characters of a string? */
bool ft_jidle(const struct node *n);
/* Folds constants and finds filters; for expressions of one node. */
struct node *ft_jfold(struct jrt *rt, struct node *n, bool soft);
/* The same for what a print statement shows. */
struct node *ft_jfold_output(struct jrt *rt, struct node *n);

/* ---- rendering ---- */

struct jval ft_jeval_any(struct jrt *rt, const struct node *n, struct jframe *f);
/* The two commonest kinds without the call. */
static inline struct jval ft_jeval(struct jrt *rt, const struct node *n, struct jframe *f)
{
    if (n->kind == N_CONST)
        return n->value;
    if (n->kind == N_NAME && !n->up) {
        const struct jval v = f->slot[n->slot];
        if (v.tag != J_MISSING)
            return v;
    }
    return ft_jeval_any(rt, n, f);
}
/* Writes str(n). */
void ft_jeval_print(struct jrt *rt, const struct node *n, struct jframe *f);
/* bool(n) */
bool ft_jeval_true(struct jrt *rt, const struct node *n, struct jframe *f);
/* Applies the filter or test n to v. */
struct jval ft_jeval_filter(struct jrt *rt, const struct node *n, struct jframe *f, struct jval v);
void ft_jrun_root(struct jrt *rt, const struct ft_template *t);
/* self.NAME, a function that gives the text of a block; false when there is none. */
bool ft_jblock_of(struct jrt *rt, struct jval self, const struct jstr *name, struct jval *out);
struct jval ft_jcall_block(struct jrt *rt, const struct jbound *m, const struct jargs *a);

static inline void ft_node_add(struct ft_arena *a, struct node_list *l, struct node *n)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 4;
        struct node **v = ft_arena_alloc(a, l->cap * sizeof(struct node *));
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
    }
    l->v[l->n++] = n;
}

#endif
