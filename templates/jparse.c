/* jparse.c -- tokens to a tree: jinja2.parser with the tags of transformers. */
#include <stdio.h>

#include "templates/jnode.h"
#include "templates/jtext.h"

struct parser {
    struct jrt *rt;
    struct ft_template *t;
    const struct jtoken *tok; /* the current one */
    const char *const *ends[256]; /* end tags looked for, innermost last */
    unsigned nends;
    const char *tags[256];
    unsigned ntags;
};

static struct node *expression(struct parser *p, bool cond);
static struct node *primary(struct parser *p, bool ns);
static struct node *unary(struct parser *p, bool filters);
static void subparse(struct parser *p, struct node_list *body, const char *const *ends);

static _Noreturn void fail_at(struct parser *p, uint32_t line, const char *type, const struct jstr *msg)
{
    p->rt->line = line;
    ft_jraise_str(p->rt, type, msg);
}
#define FAIL(p, line, ...) fail_at((p), (line), J_SYNTAX, ft_jstr_fmt((p)->rt, __VA_ARGS__))

static void check(struct parser *p)
{
    if (p->tok->type == TK_ERROR)
        fail_at(p, p->tok->line, J_SYNTAX, p->tok->value.s);
}
static const struct jtoken *next(struct parser *p)
{
    const struct jtoken *t = p->tok;
    if (t->type != TK_EOF) {
        p->tok++;
        check(p);
    }
    return t;
}
static const struct jtoken *look(struct parser *p)
{
    if (p->tok->type == TK_EOF)
        return p->tok;
    if (p->tok[1].type == TK_ERROR)
        fail_at(p, p->tok[1].line, J_SYNTAX, p->tok[1].value.s);
    return p->tok + 1;
}

static bool is_name(const struct jtoken *t, const char *z) { return t->type == TK_NAME && ft_jstr_is(t->value.s, z); }
static bool skip_name(struct parser *p, const char *z)
{
    if (!is_name(p->tok, z))
        return false;
    next(p);
    return true;
}
static bool skip_type(struct parser *p, enum token_type type)
{
    if (p->tok->type != type)
        return false;
    next(p);
    return true;
}

static const char *describe_type(enum token_type type)
{
    static const char *const names[] = {
        [TK_EOF] = "end of template", [TK_ERROR] = "error", [TK_DATA] = "template data / text",
        [TK_VAR_BEGIN] = "begin of print statement", [TK_VAR_END] = "end of print statement",
        [TK_BLOCK_BEGIN] = "begin of statement block", [TK_BLOCK_END] = "end of statement block",
        [TK_NAME] = "name", [TK_STRING] = "string", [TK_INT] = "integer", [TK_FLOAT] = "float",
        [TK_ADD] = "+", [TK_SUB] = "-", [TK_DIV] = "/", [TK_FLOORDIV] = "//", [TK_MUL] = "*", [TK_MOD] = "%",
        [TK_POW] = "**", [TK_TILDE] = "~", [TK_LBRACKET] = "[", [TK_RBRACKET] = "]", [TK_LPAREN] = "(",
        [TK_RPAREN] = ")", [TK_LBRACE] = "{", [TK_RBRACE] = "}", [TK_EQ] = "==", [TK_NE] = "!=", [TK_GT] = ">",
        [TK_GE] = ">=", [TK_LT] = "<", [TK_LE] = "<=", [TK_ASSIGN] = "=", [TK_DOT] = ".", [TK_COLON] = ":",
        [TK_PIPE] = "|", [TK_COMMA] = ",", [TK_SEMICOLON] = ";"};
    return names[type];
}
static struct jstr *describe(struct parser *p, const struct jtoken *t)
{
    return t->type == TK_NAME ? t->value.s : ft_jstr_z(p->rt, describe_type(t->type));
}
static _Noreturn void fail_expected(struct parser *p, const struct jstr *want)
{
    struct jsb b;
    ft_jsb_init(&b, p->rt, 64);
    if (p->tok->type == TK_EOF) {
        ft_jsb_putz(&b, "unexpected end of template, expected ");
        ft_jsb_repr_str(&b, want, false);
        ft_jsb_putc(&b, '.');
    } else {
        ft_jsb_putz(&b, "expected token ");
        ft_jsb_repr_str(&b, want, false);
        ft_jsb_putz(&b, ", got ");
        ft_jsb_repr_str(&b, describe(p, p->tok), false);
    }
    fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
}
static const struct jtoken *expect(struct parser *p, enum token_type type)
{
    if (p->tok->type != type)
        fail_expected(p, ft_jstr_z(p->rt, describe_type(type)));
    return next(p);
}
static void expect_name(struct parser *p, const char *z)
{
    if (!skip_name(p, z))
        fail_expected(p, ft_jstr_z(p->rt, z));
}

static struct node *node(struct parser *p, enum node_kind kind, uint32_t line)
{
    struct node *n = ft_jalloc(p->rt, sizeof *n);
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)kind;
    n->line = line;
    n->export = -1;
    return n;
}
static void add(struct parser *p, struct node_list *l, struct node *n)
{
    ft_jstep(p->rt, 1);
    ft_node_add(&p->rt->arena, l, n);
}
static void literal(struct parser *p, struct jstr *s)
{
    struct ft_template *t = p->t;
    if (t->nliteral == t->literal_cap) {
        t->literal_cap = t->literal_cap ? t->literal_cap * 2 : 64;
        struct jstr **v = J_NEWS(p->rt, struct jstr *, t->literal_cap);
        if (t->nliteral)
            ft_jcopy(v, t->literal, t->nliteral * sizeof *v);
        t->literal = v;
    }
    t->literal[t->nliteral++] = s;
}
static struct node *konst(struct parser *p, struct jval v, uint32_t line)
{
    struct node *n = node(p, N_CONST, line);
    n->value = v;
    return n;
}
static struct node *name_node(struct parser *p, struct jstr *name, bool store, uint32_t line)
{
    struct node *n = node(p, N_NAME, line);
    n->name = name;
    n->store = store;
    return n;
}

/* ---- expressions ---- */

static bool tuple_end(struct parser *p, const char *extra)
{
    const enum token_type t = p->tok->type;
    return t == TK_VAR_END || t == TK_BLOCK_END || t == TK_RPAREN || (extra && is_name(p->tok, extra));
}

struct tuple_opts {
    bool simplified, no_cond, parens, ns;
    const char *end;
};
static struct node *tuple(struct parser *p, struct tuple_opts o)
{
    uint32_t line = p->tok->line;
    struct node_list items = {0};
    bool is_tuple = false;
    for (;;) {
        if (items.n)
            expect(p, TK_COMMA);
        if (tuple_end(p, o.end))
            break;
        add(p, &items, o.simplified ? primary(p, o.ns) : expression(p, !o.no_cond));
        if (p->tok->type != TK_COMMA)
            break;
        is_tuple = true;
        line = p->tok->line;
    }
    if (!is_tuple) {
        if (items.n)
            return items.v[0];
        if (!o.parens) {
            struct jsb b;
            ft_jsb_init(&b, p->rt, 64);
            ft_jsb_putz(&b, "Expected an expression, got ");
            ft_jsb_repr_str(&b, describe(p, p->tok), false);
            fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
        }
    }
    struct node *n = node(p, N_TUPLE, line);
    n->list = items;
    return n;
}

static struct node *primary(struct parser *p, bool ns)
{
    const struct jtoken *t = p->tok;
    struct node *n;
    switch (t->type) {
    case TK_NAME: {
        struct jstr *s = t->value.s;
        next(p);
        if (ft_jstr_is(s, "true") || ft_jstr_is(s, "True"))
            return konst(p, ft_jbool(true), t->line);
        if (ft_jstr_is(s, "false") || ft_jstr_is(s, "False"))
            return konst(p, ft_jbool(false), t->line);
        if (ft_jstr_is(s, "none") || ft_jstr_is(s, "None"))
            return konst(p, ft_jnone(), t->line);
        if (ns && p->tok->type == TK_DOT) {
            next(p);
            n = node(p, N_NSREF, t->line);
            n->name = s;
            n->name2 = expect(p, TK_NAME)->value.s;
            return n;
        }
        return name_node(p, s, false, t->line);
    }
    case TK_STRING: {
        next(p);
        struct jstr *s = t->value.s;
        while (p->tok->type == TK_STRING)
            s = ft_jstr_cat(p->rt, s, next(p)->value.s);
        ft_jchars(s);
        ft_jhash_str(s);
        literal(p, s);
        return konst(p, ft_jstrv(s), t->line);
    }
    case TK_INT:
    case TK_FLOAT: next(p); return konst(p, t->value, t->line);
    case TK_LPAREN:
        next(p);
        n = tuple(p, (struct tuple_opts){.parens = true});
        expect(p, TK_RPAREN);
        return n;
    case TK_LBRACKET:
        next(p);
        n = node(p, N_LIST, t->line);
        while (p->tok->type != TK_RBRACKET) {
            if (n->list.n)
                expect(p, TK_COMMA);
            if (p->tok->type == TK_RBRACKET)
                break;
            add(p, &n->list, expression(p, true));
        }
        expect(p, TK_RBRACKET);
        return n;
    case TK_LBRACE:
        next(p);
        n = node(p, N_DICT, t->line);
        while (p->tok->type != TK_RBRACE) {
            if (n->list.n)
                expect(p, TK_COMMA);
            if (p->tok->type == TK_RBRACE)
                break;
            add(p, &n->list, expression(p, true));
            expect(p, TK_COLON);
            add(p, &n->list, expression(p, true));
        }
        expect(p, TK_RBRACE);
        return n;
    default: {
        struct jsb b;
        ft_jsb_init(&b, p->rt, 64);
        ft_jsb_putz(&b, "unexpected ");
        ft_jsb_repr_str(&b, describe(p, t), false);
        fail_at(p, t->line, J_SYNTAX, ft_jsb_done(&b));
    }
    }
}

static struct node *subscribed(struct parser *p)
{
    const uint32_t line = p->tok->line;
    struct node *part[3] = {0};
    if (p->tok->type != TK_COLON) {
        part[0] = expression(p, true);
        if (p->tok->type != TK_COLON)
            return part[0];
    }
    next(p);
    for (int i = 1; i < 3; i++) {
        if (p->tok->type == TK_COLON) {
            if (i == 2) {
                next(p);
                if (p->tok->type != TK_RBRACKET && p->tok->type != TK_COMMA)
                    part[2] = expression(p, true);
            }
        } else if (i == 1 && p->tok->type != TK_RBRACKET && p->tok->type != TK_COMMA) {
            part[1] = expression(p, true);
        }
    }
    struct node *n = node(p, N_SLICE, line);
    n->a = part[0], n->b = part[1], n->c = part[2];
    return n;
}

static struct node *subscript(struct parser *p, struct node *left)
{
    const struct jtoken *t = next(p);
    struct node *n;
    if (t->type == TK_DOT) {
        const struct jtoken *a = p->tok;
        next(p);
        if (a->type == TK_NAME) {
            n = node(p, N_GETATTR, t->line);
            n->a = left;
            n->name = a->value.s;
            return n;
        }
        if (a->type != TK_INT)
            FAIL(p, a->line, "expected name or number");
        n = node(p, N_GETITEM, t->line);
        n->a = left;
        n->b = konst(p, a->value, a->line);
        return n;
    }
    struct node_list args = {0};
    while (p->tok->type != TK_RBRACKET) {
        if (args.n)
            expect(p, TK_COMMA);
        add(p, &args, subscribed(p));
    }
    expect(p, TK_RBRACKET);
    n = node(p, N_GETITEM, t->line);
    n->a = left;
    if (args.n == 1) {
        n->b = args.v[0];
    } else {
        n->b = node(p, N_TUPLE, t->line);
        n->b->list = args;
    }
    return n;
}

static struct call *call_args(struct parser *p)
{
    const struct jtoken *open = expect(p, TK_LPAREN);
    struct call *c = ft_jalloc(p->rt, sizeof *c);
    uint32_t cap = 0;
    *c = (struct call){0};
#define ENSURE(cond)                                                                                                  \
    do                                                                                                                \
        if (!(cond))                                                                                                  \
            FAIL(p, open->line, "invalid syntax for function call expression");                                       \
    while (0)
    bool comma = false;
    while (p->tok->type != TK_RPAREN) {
        if (comma) {
            expect(p, TK_COMMA);
            if (p->tok->type == TK_RPAREN)
                break;
        }
        if (p->tok->type == TK_MUL) {
            ENSURE(!c->dyn_args && !c->dyn_kwargs);
            next(p);
            c->dyn_args = expression(p, true);
        } else if (p->tok->type == TK_POW) {
            ENSURE(!c->dyn_kwargs);
            next(p);
            c->dyn_kwargs = expression(p, true);
        } else if (p->tok->type == TK_NAME && look(p)->type == TK_ASSIGN) {
            ENSURE(!c->dyn_kwargs);
            struct jstr *key = next(p)->value.s;
            next(p);
            if (c->nkw == cap) {
                cap = cap ? cap * 2 : 4;
                struct kwarg *kw = J_NEWS(p->rt, struct kwarg, cap);
                if (c->nkw)
                    ft_jcopy(kw, c->kw, c->nkw * sizeof *kw);
                c->kw = kw;
            }
            for (uint32_t i = 0; i < c->nkw; i++)
                if (ft_jstr_same(c->kw[i].name, key))
                    FAIL(p, open->line, "keyword argument repeated: %.*s", (int)key->n, key->p);
            c->kw[c->nkw++] = (struct kwarg){key, expression(p, true)};
        } else {
            ENSURE(!c->dyn_args && !c->dyn_kwargs && !c->nkw);
            add(p, &c->args, expression(p, true));
        }
        comma = true;
    }
#undef ENSURE
    expect(p, TK_RPAREN);
    return c;
}

static struct node *call(struct parser *p, struct node *left)
{
    struct node *n = node(p, N_CALL, p->tok->line);
    n->a = left;
    n->call = call_args(p);
    return n;
}

static struct jstr *dotted(struct parser *p)
{
    struct jstr *s = expect(p, TK_NAME)->value.s;
    while (skip_type(p, TK_DOT)) {
        s = ft_jstr_cat(p->rt, s, ft_jstr_z(p->rt, "."));
        s = ft_jstr_cat(p->rt, s, expect(p, TK_NAME)->value.s);
    }
    return s;
}

static struct node *filter(struct parser *p, struct node *left, bool inline_start)
{
    while (p->tok->type == TK_PIPE || inline_start) {
        if (!inline_start)
            next(p);
        struct node *n = node(p, N_FILTER, p->tok->line);
        n->a = left;
        n->name = dotted(p);
        if (p->tok->type == TK_LPAREN) {
            n->call = call_args(p);
        } else {
            n->call = ft_jalloc(p->rt, sizeof *n->call);
            *n->call = (struct call){0};
        }
        left = n;
        inline_start = false;
    }
    return left;
}

static struct node *postfix(struct parser *p, struct node *n)
{
    for (;;) {
        if (p->tok->type == TK_DOT || p->tok->type == TK_LBRACKET)
            n = subscript(p, n);
        else if (p->tok->type == TK_LPAREN)
            n = call(p, n);
        else
            return n;
    }
}

static struct node *test(struct parser *p, struct node *left)
{
    const struct jtoken *t = next(p);
    const bool negated = skip_name(p, "not");
    struct node *n = node(p, N_TEST, t->line);
    n->a = left;
    n->name = dotted(p);
    const struct jtoken *c = p->tok;
    if (c->type == TK_LPAREN) {
        n->call = call_args(p);
    } else {
        n->call = ft_jalloc(p->rt, sizeof *n->call);
        *n->call = (struct call){0};
        if ((c->type == TK_NAME || c->type == TK_STRING || c->type == TK_INT || c->type == TK_FLOAT ||
             c->type == TK_LBRACKET || c->type == TK_LBRACE) &&
            !is_name(c, "else") && !is_name(c, "or") && !is_name(c, "and")) {
            if (is_name(c, "is"))
                FAIL(p, c->line, "You cannot chain multiple tests with is");
            add(p, &n->call->args, postfix(p, primary(p, false)));
        }
    }
    if (negated) {
        struct node *not = node(p, N_NOT, t->line);
        not->a = n;
        return not;
    }
    return n;
}

static struct node *unary(struct parser *p, bool filters)
{
    const struct jtoken *t = p->tok;
    struct node *n;
    ft_jstack(p->rt);
    if (t->type == TK_SUB || t->type == TK_ADD) {
        next(p);
        n = node(p, t->type == TK_SUB ? N_NEG : N_POS, t->line);
        n->a = unary(p, false);
    } else {
        n = primary(p, false);
    }
    n = postfix(p, n);
    while (filters) {
        if (p->tok->type == TK_PIPE)
            n = filter(p, n, false);
        else if (is_name(p->tok, "is"))
            n = test(p, n);
        else if (p->tok->type == TK_LPAREN)
            n = call(p, n);
        else
            break;
    }
    return n;
}

static struct node *binary(struct parser *p, enum node_kind kind, unsigned op, struct node *a, struct node *b, uint32_t line)
{
    struct node *n = node(p, kind, line);
    n->op = (uint8_t)op;
    n->a = a, n->b = b;
    return n;
}

static struct node *power(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = unary(p, true);
    while (skip_type(p, TK_POW)) {
        left = binary(p, N_BINARY, 6, left, unary(p, true), line);
        line = p->tok->line;
    }
    return left;
}

static struct node *product(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = power(p);
    for (;;) {
        const enum token_type t = p->tok->type;
        const int op = t == TK_MUL ? 2 : t == TK_DIV ? 3 : t == TK_FLOORDIV ? 4 : t == TK_MOD ? 5 : -1;
        if (op < 0)
            return left;
        next(p);
        left = binary(p, N_BINARY, (unsigned)op, left, power(p), line);
        line = p->tok->line;
    }
}

static struct node *concat(struct parser *p)
{
    const uint32_t line = p->tok->line;
    struct node *first = product(p);
    if (p->tok->type != TK_TILDE)
        return first;
    struct node *n = node(p, N_CONCAT, line);
    add(p, &n->list, first);
    while (skip_type(p, TK_TILDE))
        add(p, &n->list, product(p));
    return n;
}

static struct node *sum(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = concat(p);
    while (p->tok->type == TK_ADD || p->tok->type == TK_SUB) {
        const unsigned op = next(p)->type == TK_SUB;
        left = binary(p, N_BINARY, op, left, concat(p), line);
        line = p->tok->line;
    }
    return left;
}

static struct node *compare(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *first = sum(p);
    struct node_list rest = {0};
    uint8_t *ops = NULL;
    for (;;) {
        int op;
        switch (p->tok->type) {
        case TK_EQ: op = CMP_EQ; break;
        case TK_NE: op = CMP_NE; break;
        case TK_LT: op = CMP_LT; break;
        case TK_LE: op = CMP_LE; break;
        case TK_GT: op = CMP_GT; break;
        case TK_GE: op = CMP_GE; break;
        default:
            op = is_name(p->tok, "in") ? CMP_IN : is_name(p->tok, "not") && is_name(look(p), "in") ? CMP_NOTIN : -1;
        }
        if (op < 0)
            break;
        next(p);
        if (op == CMP_NOTIN)
            next(p);
        if (rest.n % 8 == 0) {
            uint8_t *o = ft_jalloc(p->rt, rest.n + 8);
            if (rest.n)
                ft_jcopy(o, ops, rest.n);
            ops = o;
        }
        ops[rest.n] = (uint8_t)op;
        add(p, &rest, sum(p));
        line = p->tok->line;
    }
    if (!rest.n)
        return first;
    struct node *n = node(p, N_COMPARE, line);
    n->a = first;
    n->list = rest;
    n->ops = ops;
    return n;
}

static struct node *not_expr(struct parser *p)
{
    ft_jstack(p->rt);
    if (is_name(p->tok, "not")) {
        struct node *n = node(p, N_NOT, next(p)->line);
        n->a = not_expr(p);
        return n;
    }
    return compare(p);
}

static struct node *and_expr(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = not_expr(p);
    while (skip_name(p, "and")) {
        left = binary(p, N_AND, 0, left, not_expr(p), line);
        line = p->tok->line;
    }
    return left;
}

static struct node *or_expr(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = and_expr(p);
    while (skip_name(p, "or")) {
        left = binary(p, N_OR, 0, left, and_expr(p), line);
        line = p->tok->line;
    }
    return left;
}

static struct node *expression(struct parser *p, bool cond)
{
    uint32_t line = p->tok->line;
    ft_jstack(p->rt);
    struct node *n = or_expr(p);
    while (cond && skip_name(p, "if")) {
        struct node *c = node(p, N_COND, line);
        c->a = n;
        c->b = or_expr(p);
        if (skip_name(p, "else"))
            c->c = expression(p, true);
        n = c;
        line = p->tok->line;
    }
    return n;
}

/* ---- statements ---- */

static void set_store(struct node *n)
{
    n->store = true;
    for (uint32_t i = 0; i < n->list.n; i++)
        set_store(n->list.v[i]);
}

static const char *class_name(const struct node *n)
{
    static const char *const binary_names[] = {"add", "sub", "mul", "div", "floordiv", "mod", "pow"};
    switch (n->kind) {
    case N_CONST: return "const";
    case N_NAME: return "name";
    case N_TUPLE: return "tuple";
    case N_LIST: return "list";
    case N_DICT: return "dict";
    case N_BINARY: return binary_names[n->op];
    case N_AND: return "and";
    case N_OR: return "or";
    case N_NOT: return "not";
    case N_COND: return "condexpr";
    case N_CONCAT: return "concat";
    case N_COMPARE: return "compare";
    default: return "expression";
    }
}

static bool can_assign(const struct node *n)
{
    if (n->kind == N_NAME || n->kind == N_NSREF)
        return true; /* true, false and none are constants already */
    if (n->kind != N_TUPLE)
        return false;
    for (uint32_t i = 0; i < n->list.n; i++)
        if (!can_assign(n->list.v[i]))
            return false;
    return true;
}

static struct node *target_name(struct parser *p)
{
    const struct jtoken *t = expect(p, TK_NAME);
    static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
    for (int i = 0; i < 6; i++)
        if (ft_jstr_is(t->value.s, constants[i]))
            FAIL(p, t->line, "can't assign to 'name'");
    return name_node(p, t->value.s, true, t->line);
}

static struct node *target(struct parser *p, bool tuples, const char *end, bool ns)
{
    struct node *n = tuples ? tuple(p, (struct tuple_opts){.simplified = true, .end = end, .ns = ns}) : primary(p, ns);
    set_store(n);
    if (!can_assign(n))
        FAIL(p, n->line, "can't assign to '%s'", class_name(n));
    return n;
}

static void end_of(struct parser *p, struct jsb *b, const struct jstr *tag)
{
    const char *const *cur = p->nends ? p->ends[p->nends - 1] : NULL;
    if (cur) {
        bool expected = false;
        for (unsigned i = 0; tag && i < p->nends; i++)
            for (const char *const *e = p->ends[i]; *e; e++)
                expected |= ft_jstr_is(tag, *e);
        ft_jsb_putz(b, expected ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for "
                                : " Jinja was looking for the following tags: ");
        for (const char *const *e = cur; *e; e++)
            ft_jsb_printf(b, "%s'%s'", e > cur ? " or " : "", *e);
        ft_jsb_putc(b, '.');
    }
    if (p->ntags)
        ft_jsb_printf(b, " The innermost block that needs to be closed is '%s'.", p->tags[p->ntags - 1]);
}

static void statements(struct parser *p, struct node_list *body, const char *const *ends, bool drop)
{
    skip_type(p, TK_COLON);
    expect(p, TK_BLOCK_END);
    subparse(p, body, ends);
    if (p->tok->type == TK_EOF) {
        struct jsb b;
        ft_jsb_init(&b, p->rt, 200);
        ft_jsb_putz(&b, "Unexpected end of template.");
        p->ends[p->nends++] = ends;
        end_of(p, &b, NULL);
        fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
    }
    if (drop)
        next(p);
}

#define ENDS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const END_IF[] = {"elif", "else", "endif", NULL}, *const END_ELSE_IF[] = {"endif", NULL};
static const char *const END_FOR[] = {"endfor", "else", NULL}, *const END_ELSE_FOR[] = {"endfor", NULL};
static const char *const END_SET[] = {"endset", NULL}, *const END_WITH[] = {"endwith", NULL};
static const char *const END_CALL[] = {"endcall", NULL}, *const END_FILTER[] = {"endfilter", NULL};
static const char *const END_MACRO[] = {"endmacro", NULL}, *const END_GEN[] = {"endgeneration", NULL};
static const char *const END_ESCAPE[] = {"endautoescape", NULL};

static struct node *parse_if(struct parser *p, uint32_t line)
{
    struct node *result = node(p, N_IF, line), *n = result;
    for (;;) {
        n->a = tuple(p, (struct tuple_opts){.no_cond = true});
        statements(p, &n->body, END_IF, false);
        const struct jtoken *t = next(p);
        if (is_name(t, "elif")) {
            n = node(p, N_IF, p->tok->line);
            add(p, &result->list, n);
            continue;
        }
        if (is_name(t, "else"))
            statements(p, &result->other, END_ELSE_IF, true);
        return result;
    }
}

static struct node *parse_for(struct parser *p, uint32_t line)
{
    struct node *n = node(p, N_FOR, line);
    n->loop = ft_jalloc(p->rt, sizeof *n->loop);
    *n->loop = (struct loop_info){0};
    n->a = target(p, true, "in", false);
    expect_name(p, "in");
    n->b = tuple(p, (struct tuple_opts){.no_cond = true, .end = "recursive"});
    if (skip_name(p, "if"))
        n->loop->test = expression(p, true);
    n->loop->recursive = skip_name(p, "recursive");
    statements(p, &n->body, END_FOR, false);
    if (!is_name(next(p), "endfor"))
        statements(p, &n->other, END_ELSE_FOR, true);
    return n;
}

static void signature(struct parser *p, struct macro_info *m)
{
    expect(p, TK_LPAREN);
    while (p->tok->type != TK_RPAREN) {
        if (m->args.n)
            expect(p, TK_COMMA);
        struct node *arg = target_name(p);
        if (skip_type(p, TK_ASSIGN))
            add(p, &m->defaults, expression(p, true));
        else if (m->defaults.n)
            FAIL(p, p->tok->line, "non-default argument follows default argument");
        for (uint32_t i = 0; i < m->args.n; i++)
            if (ft_jstr_same(m->args.v[i]->name, arg->name))
                FAIL(p, arg->line, "duplicate argument '%.*s' in function definition", (int)arg->name->n, arg->name->p);
        add(p, &m->args, arg);
    }
    expect(p, TK_RPAREN);
}

static struct macro_info *macro_info(struct parser *p)
{
    struct macro_info *m = ft_jalloc(p->rt, sizeof *m);
    *m = (struct macro_info){0};
    return m;
}

static struct node *parse_set(struct parser *p, uint32_t line)
{
    struct node *to = target(p, true, NULL, true), *n;
    if (skip_type(p, TK_ASSIGN)) {
        n = node(p, N_SET, line);
        n->a = to;
        n->b = tuple(p, (struct tuple_opts){0});
        return n;
    }
    n = node(p, N_SETBLOCK, line);
    n->a = to;
    n->b = filter(p, NULL, false);
    statements(p, &n->body, END_SET, true);
    return n;
}

static struct node *statement(struct parser *p)
{
    const struct jtoken *t = p->tok;
    struct node *n;
    if (t->type != TK_NAME)
        FAIL(p, t->line, "tag name expected");
    static const char *const known[] = {"for",      "if",   "print",      "macro", "set",      "with", "autoescape",
                                        "call",     "filter", "generation", "break", "continue"};
    static const char *const refused[] = {"block", "extends", "include", "import", "from"};
    unsigned which = 0;
    const unsigned nknown = sizeof known / sizeof *known;
    while (which < nknown && !ft_jstr_is(t->value.s, known[which]))
        which++;
    if (which == nknown) {
        for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++)
            if (ft_jstr_is(t->value.s, refused[i]))
                FAIL(p, t->line, "the tag '%s' is not supported: a chat template is one file", refused[i]);
        struct jsb b;
        ft_jsb_init(&b, p->rt, 200);
        ft_jsb_putz(&b, "Encountered unknown tag ");
        ft_jsb_repr_str(&b, t->value.s, false);
        ft_jsb_putc(&b, '.');
        end_of(p, &b, t->value.s);
        fail_at(p, t->line, J_SYNTAX, ft_jsb_done(&b));
    }
    if (p->ntags == sizeof p->tags / sizeof *p->tags)
        FAIL(p, t->line, "blocks nested deeper than %u", p->ntags);
    p->tags[p->ntags++] = known[which];
    const uint32_t line = next(p)->line;
    switch (which) {
    case 0: n = parse_for(p, line); break;
    case 1: n = parse_if(p, line); break;
    case 2:
        n = node(p, N_OUTPUT, line);
        while (p->tok->type != TK_BLOCK_END) {
            if (n->list.n)
                expect(p, TK_COMMA);
            add(p, &n->list, expression(p, true));
        }
        break;
    case 3:
        n = node(p, N_MACRO, line);
        n->macro = macro_info(p);
        n->a = target_name(p);
        n->macro->name = n->a->name;
        signature(p, n->macro);
        statements(p, &n->body, END_MACRO, true);
        break;
    case 4: n = parse_set(p, line); break;
    case 5:
        n = node(p, N_WITH, line);
        while (p->tok->type != TK_BLOCK_END) {
            if (n->list.n)
                expect(p, TK_COMMA);
            add(p, &n->list, target(p, true, NULL, false));
            expect(p, TK_ASSIGN);
            add(p, &n->list, expression(p, true));
        }
        statements(p, &n->body, END_WITH, true);
        break;
    case 6:
        n = node(p, N_AUTOESCAPE, line);
        n->a = expression(p, true);
        statements(p, &n->body, END_ESCAPE, true);
        break;
    case 7:
        n = node(p, N_CALLBLOCK, line);
        n->macro = macro_info(p);
        if (p->tok->type == TK_LPAREN)
            signature(p, n->macro);
        n->a = expression(p, true);
        if (n->a->kind != N_CALL)
            FAIL(p, line, "expected call");
        statements(p, &n->body, END_CALL, true);
        break;
    case 8:
        n = node(p, N_FILTERBLOCK, line);
        n->a = filter(p, NULL, true);
        statements(p, &n->body, END_FILTER, true);
        break;
    case 9:
        n = node(p, N_GENERATION, line);
        n->macro = macro_info(p);
        statements(p, &n->body, END_GEN, true);
        p->t->generation = true;
        break;
    case 10: n = node(p, N_BREAK, line); break;
    default: n = node(p, N_CONTINUE, line); break;
    }
    p->ntags--;
    return n;
}

static void subparse(struct parser *p, struct node_list *body, const char *const *ends)
{
    struct node *out = NULL;
    ft_jstack(p->rt);
    if (ends) {
        if (p->nends + 1 >= sizeof p->ends / sizeof *p->ends)
            FAIL(p, p->tok->line, "blocks nested deeper than %u", p->nends);
        p->ends[p->nends++] = ends;
    }
    while (p->tok->type != TK_EOF) {
        const struct jtoken *t = p->tok;
        if (t->type == TK_BLOCK_BEGIN) {
            out = NULL;
            next(p);
            for (const char *const *e = ends; e && *e; e++)
                if (is_name(p->tok, *e)) {
                    p->nends--;
                    return;
                }
            add(p, body, statement(p));
            expect(p, TK_BLOCK_END);
            continue;
        }
        struct node *n;
        if (t->type == TK_DATA) {
            n = node(p, N_DATA, t->line);
            n->name = t->value.s;
            literal(p, n->name);
            next(p);
        } else {
            next(p);
            n = tuple(p, (struct tuple_opts){0});
            expect(p, TK_VAR_END);
        }
        if (!out) {
            out = node(p, N_OUTPUT, n->line);
            add(p, body, out);
        }
        add(p, &out->list, n);
    }
    if (ends)
        p->nends--;
}

void ft_jparse(struct jrt *rt, struct ft_template *t, const struct jtoken *tokens)
{
    struct parser *p = ft_jalloc(rt, sizeof *p);
    *p = (struct parser){.rt = rt, .t = t, .tok = tokens};
    check(p);
    subparse(p, &t->body, NULL);
}
