/* jexpr.c -- expressions to a tree, by jinja2's precedences. */
#include "templates/jparse.h"

static struct node *unary(struct parser *p, bool filters);

/* Jinja2 means `in` and `recursive` to end the tuples of a for too, but its test never
 * holds: `for in in x` is a loop over x. */
static bool tuple_end(struct parser *p)
{
    const enum token_type t = p->tok->type;
    return t == TK_VAR_END || t == TK_BLOCK_END || t == TK_RPAREN;
}

struct node *ft_jp_tuple(struct parser *p, struct tuple_opts o)
{
    uint32_t line = p->tok->line;
    struct node_list items = {0};
    bool is_tuple = false;
    for (;;) {
        if (items.n)
            ft_jp_expect(p, TK_COMMA);
        if (tuple_end(p))
            break;
        ft_jp_add(p, &items, o.simplified ? ft_jp_primary(p, o.ns) : ft_jp_expression(p, !o.no_cond));
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
            ft_jsb_repr_str(&b, ft_jp_describe(p, p->tok), false);
            ft_jp_fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
        }
    }
    struct node *n = ft_jp_node(p, N_TUPLE, line);
    n->list = items;
    return n;
}

struct node *ft_jp_primary(struct parser *p, bool ns)
{
    const struct jtoken *t = p->tok;
    struct node *n;
    switch (t->type) {
    case TK_NAME: {
        struct jstr *s = t->value.s;
        ft_jp_next(p);
        if (ft_jstr_is(s, "true") || ft_jstr_is(s, "True"))
            return ft_jp_konst(p, ft_jbool(true), t->line);
        if (ft_jstr_is(s, "false") || ft_jstr_is(s, "False"))
            return ft_jp_konst(p, ft_jbool(false), t->line);
        if (ft_jstr_is(s, "none") || ft_jstr_is(s, "None"))
            return ft_jp_konst(p, ft_jnone(), t->line);
        if (ns && p->tok->type == TK_DOT) {
            ft_jp_next(p);
            n = ft_jp_node(p, N_NSREF, t->line);
            n->name = s;
            n->name2 = ft_jp_expect(p, TK_NAME)->value.s;
            return n;
        }
        return ft_jp_name_node(p, s, false, t->line);
    }
    case TK_STRING: {
        ft_jp_next(p);
        struct jstr *s = t->value.s;
        while (p->tok->type == TK_STRING)
            s = ft_jstr_cat(p->rt, s, ft_jp_next(p)->value.s);
        ft_jchars(s);
        ft_jhash_str(s);
        ft_jp_literal(p, s);
        return ft_jp_konst(p, ft_jstrv(s), t->line);
    }
    case TK_INT:
    case TK_FLOAT: ft_jp_next(p); return ft_jp_konst(p, t->value, t->line);
    case TK_LPAREN:
        ft_jp_next(p);
        n = ft_jp_tuple(p, (struct tuple_opts){.parens = true});
        ft_jp_expect(p, TK_RPAREN);
        return n;
    case TK_LBRACKET:
        ft_jp_next(p);
        n = ft_jp_node(p, N_LIST, t->line);
        while (p->tok->type != TK_RBRACKET) {
            if (n->list.n)
                ft_jp_expect(p, TK_COMMA);
            if (p->tok->type == TK_RBRACKET)
                break;
            ft_jp_add(p, &n->list, ft_jp_expression(p, true));
        }
        ft_jp_expect(p, TK_RBRACKET);
        return n;
    case TK_LBRACE:
        ft_jp_next(p);
        n = ft_jp_node(p, N_DICT, t->line);
        while (p->tok->type != TK_RBRACE) {
            if (n->list.n)
                ft_jp_expect(p, TK_COMMA);
            if (p->tok->type == TK_RBRACE)
                break;
            ft_jp_add(p, &n->list, ft_jp_expression(p, true));
            ft_jp_expect(p, TK_COLON);
            ft_jp_add(p, &n->list, ft_jp_expression(p, true));
        }
        ft_jp_expect(p, TK_RBRACE);
        return n;
    default: {
        struct jsb b;
        ft_jsb_init(&b, p->rt, 64);
        ft_jsb_putz(&b, "unexpected ");
        ft_jsb_repr_str(&b, ft_jp_describe(p, t), false);
        ft_jp_fail_at(p, t->line, J_SYNTAX, ft_jsb_done(&b));
    }
    }
}

static struct node *subscribed(struct parser *p)
{
    const uint32_t line = p->tok->line;
    struct node *part[3] = {0};
    if (p->tok->type != TK_COLON) {
        part[0] = ft_jp_expression(p, true);
        if (p->tok->type != TK_COLON)
            return part[0];
    }
    ft_jp_next(p);
    for (int i = 1; i < 3; i++) {
        if (p->tok->type == TK_COLON) {
            if (i == 2) {
                ft_jp_next(p);
                if (p->tok->type != TK_RBRACKET && p->tok->type != TK_COMMA)
                    part[2] = ft_jp_expression(p, true);
            }
        } else if (i == 1 && p->tok->type != TK_RBRACKET && p->tok->type != TK_COMMA) {
            part[1] = ft_jp_expression(p, true);
        }
    }
    struct node *n = ft_jp_node(p, N_SLICE, line);
    n->a = part[0], n->b = part[1], n->c = part[2];
    return n;
}

static struct node *subscript(struct parser *p, struct node *left)
{
    const struct jtoken *t = ft_jp_next(p);
    struct node *n;
    if (t->type == TK_DOT) {
        const struct jtoken *a = p->tok;
        ft_jp_next(p);
        if (a->type == TK_NAME) {
            n = ft_jp_node(p, N_GETATTR, t->line);
            n->a = left;
            n->name = a->value.s;
            return n;
        }
        if (a->type != TK_INT)
            FAIL(p, a->line, "expected name or number");
        n = ft_jp_node(p, N_GETITEM, t->line);
        n->a = left;
        n->b = ft_jp_konst(p, a->value, a->line);
        return n;
    }
    struct node_list args = {0};
    while (p->tok->type != TK_RBRACKET) {
        if (args.n)
            ft_jp_expect(p, TK_COMMA);
        ft_jp_add(p, &args, subscribed(p));
    }
    ft_jp_expect(p, TK_RBRACKET);
    n = ft_jp_node(p, N_GETITEM, t->line);
    n->a = left;
    if (args.n == 1) {
        n->b = args.v[0];
    } else {
        n->b = ft_jp_node(p, N_TUPLE, t->line);
        n->b->list = args;
    }
    return n;
}

static struct call *call_args(struct parser *p)
{
    const struct jtoken *open = ft_jp_expect(p, TK_LPAREN);
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
            ft_jp_expect(p, TK_COMMA);
            if (p->tok->type == TK_RPAREN)
                break;
        }
        if (p->tok->type == TK_MUL) {
            ENSURE(!c->dyn_args && !c->dyn_kwargs);
            ft_jp_next(p);
            c->dyn_args = ft_jp_expression(p, true);
        } else if (p->tok->type == TK_POW) {
            ENSURE(!c->dyn_kwargs);
            ft_jp_next(p);
            c->dyn_kwargs = ft_jp_expression(p, true);
        } else if (p->tok->type == TK_NAME && ft_jp_look(p)->type == TK_ASSIGN) {
            ENSURE(!c->dyn_kwargs);
            struct jstr *key = ft_jp_next(p)->value.s;
            ft_jp_next(p);
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
            c->kw[c->nkw++] = (struct kwarg){key, ft_jp_expression(p, true)};
        } else {
            ENSURE(!c->dyn_args && !c->dyn_kwargs && !c->nkw);
            ft_jp_add(p, &c->args, ft_jp_expression(p, true));
        }
        comma = true;
    }
#undef ENSURE
    ft_jp_expect(p, TK_RPAREN);
    return c;
}

static struct node *call(struct parser *p, struct node *left)
{
    struct node *n = ft_jp_node(p, N_CALL, p->tok->line);
    n->a = left;
    n->call = call_args(p);
    return n;
}

static struct jstr *dotted(struct parser *p)
{
    struct jstr *s = ft_jp_expect(p, TK_NAME)->value.s;
    while (ft_jp_skip_type(p, TK_DOT)) {
        s = ft_jstr_cat(p->rt, s, ft_jstr_z(p->rt, "."));
        s = ft_jstr_cat(p->rt, s, ft_jp_expect(p, TK_NAME)->value.s);
    }
    return s;
}

struct node *ft_jp_filter(struct parser *p, struct node *left, bool inline_start)
{
    while (p->tok->type == TK_PIPE || inline_start) {
        if (!inline_start)
            ft_jp_next(p);
        struct node *n = ft_jp_node(p, N_FILTER, p->tok->line);
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
    const struct jtoken *t = ft_jp_next(p);
    const bool negated = ft_jp_skip_name(p, "not");
    struct node *n = ft_jp_node(p, N_TEST, t->line);
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
            !ft_jp_is_name(c, "else") && !ft_jp_is_name(c, "or") && !ft_jp_is_name(c, "and")) {
            if (ft_jp_is_name(c, "is"))
                FAIL(p, c->line, "You cannot chain multiple tests with is");
            ft_jp_add(p, &n->call->args, postfix(p, ft_jp_primary(p, false)));
        }
    }
    if (negated) {
        struct node *not = ft_jp_node(p, N_NOT, t->line);
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
        ft_jp_next(p);
        n = ft_jp_node(p, t->type == TK_SUB ? N_NEG : N_POS, t->line);
        n->a = unary(p, false);
    } else {
        n = ft_jp_primary(p, false);
    }
    n = postfix(p, n);
    while (filters) {
        if (p->tok->type == TK_PIPE)
            n = ft_jp_filter(p, n, false);
        else if (ft_jp_is_name(p->tok, "is"))
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
    struct node *n = ft_jp_node(p, kind, line);
    n->op = (uint8_t)op;
    n->a = a, n->b = b;
    return n;
}

static struct node *power(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = unary(p, true);
    while (ft_jp_skip_type(p, TK_POW)) {
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
        ft_jp_next(p);
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
    struct node *n = ft_jp_node(p, N_CONCAT, line);
    ft_jp_add(p, &n->list, first);
    while (ft_jp_skip_type(p, TK_TILDE))
        ft_jp_add(p, &n->list, product(p));
    return n;
}

static struct node *sum(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = concat(p);
    while (p->tok->type == TK_ADD || p->tok->type == TK_SUB) {
        const unsigned op = ft_jp_next(p)->type == TK_SUB;
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
            op = ft_jp_is_name(p->tok, "in") ? CMP_IN : ft_jp_is_name(p->tok, "not") && ft_jp_is_name(ft_jp_look(p), "in") ? CMP_NOTIN : -1;
        }
        if (op < 0)
            break;
        ft_jp_next(p);
        if (op == CMP_NOTIN)
            ft_jp_next(p);
        if (rest.n % 8 == 0) {
            uint8_t *o = ft_jalloc(p->rt, rest.n + 8);
            if (rest.n)
                ft_jcopy(o, ops, rest.n);
            ops = o;
        }
        ops[rest.n] = (uint8_t)op;
        ft_jp_add(p, &rest, sum(p));
        line = p->tok->line;
    }
    if (!rest.n)
        return first;
    struct node *n = ft_jp_node(p, N_COMPARE, line);
    n->a = first;
    n->list = rest;
    n->ops = ops;
    return n;
}

static struct node *not_expr(struct parser *p)
{
    ft_jstack(p->rt);
    if (ft_jp_is_name(p->tok, "not")) {
        struct node *n = ft_jp_node(p, N_NOT, ft_jp_next(p)->line);
        n->a = not_expr(p);
        return n;
    }
    return compare(p);
}

static struct node *and_expr(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = not_expr(p);
    while (ft_jp_skip_name(p, "and")) {
        left = binary(p, N_AND, 0, left, not_expr(p), line);
        line = p->tok->line;
    }
    return left;
}

static struct node *or_expr(struct parser *p)
{
    uint32_t line = p->tok->line;
    struct node *left = and_expr(p);
    while (ft_jp_skip_name(p, "or")) {
        left = binary(p, N_OR, 0, left, and_expr(p), line);
        line = p->tok->line;
    }
    return left;
}

struct node *ft_jp_expression(struct parser *p, bool cond)
{
    uint32_t line = p->tok->line;
    ft_jstack(p->rt);
    struct node *n = or_expr(p);
    while (cond && ft_jp_skip_name(p, "if")) {
        struct node *c = ft_jp_node(p, N_COND, line);
        c->a = n;
        c->b = or_expr(p);
        if (ft_jp_skip_name(p, "else"))
            c->c = ft_jp_expression(p, true);
        n = c;
        line = p->tok->line;
    }
    return n;
}
