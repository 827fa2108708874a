/* jparse.c -- statements to a tree: jinja2.parser with the tags of transformers. */
#include "templates/jparse.h"

#include <stdio.h>

#include "templates/jstrmeth.h"

static void subparse(struct parser *p, struct node_list *body, const char *const *ends);

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
    const struct jtoken *t = ft_jp_expect(p, TK_NAME);
    static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
    for (int i = 0; i < 6; i++)
        if (ft_jstr_is(t->value.s, constants[i]))
            FAIL(p, t->line, "can't assign to 'name'");
    return ft_jp_name_node(p, t->value.s, true, t->line);
}

static struct node *target(struct parser *p, bool tuples, bool ns)
{
    struct node *n = tuples ? ft_jp_tuple(p, (struct tuple_opts){.simplified = true, .ns = ns}) : ft_jp_primary(p, ns);
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
    ft_jp_skip_type(p, TK_COLON);
    ft_jp_expect(p, TK_BLOCK_END);
    subparse(p, body, ends);
    if (p->tok->type == TK_EOF) {
        struct jsb b;
        ft_jsb_init(&b, p->rt, 200);
        ft_jsb_putz(&b, "Unexpected end of template.");
        p->ends[p->nends++] = ends;
        end_of(p, &b, NULL);
        ft_jp_fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
    }
    if (drop)
        ft_jp_next(p);
}

#define ENDS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const END_IF[] = {"elif", "else", "endif", NULL}, *const END_ELSE_IF[] = {"endif", NULL};
static const char *const END_FOR[] = {"endfor", "else", NULL}, *const END_ELSE_FOR[] = {"endfor", NULL};
static const char *const END_SET[] = {"endset", NULL}, *const END_WITH[] = {"endwith", NULL};
static const char *const END_CALL[] = {"endcall", NULL}, *const END_FILTER[] = {"endfilter", NULL};
static const char *const END_MACRO[] = {"endmacro", NULL}, *const END_GEN[] = {"endgeneration", NULL};
static const char *const END_ESCAPE[] = {"endautoescape", NULL}, *const END_BLOCK[] = {"endblock", NULL};

static struct node *parse_if(struct parser *p, uint32_t line)
{
    struct node *result = ft_jp_node(p, N_IF, line), *n = result;
    for (;;) {
        n->a = ft_jp_tuple(p, (struct tuple_opts){.no_cond = true});
        statements(p, &n->body, END_IF, false);
        const struct jtoken *t = ft_jp_next(p);
        if (ft_jp_is_name(t, "elif")) {
            n = ft_jp_node(p, N_IF, p->tok->line);
            ft_jp_add(p, &result->list, n);
            continue;
        }
        if (ft_jp_is_name(t, "else"))
            statements(p, &result->other, END_ELSE_IF, true);
        return result;
    }
}

static struct node *parse_for(struct parser *p, uint32_t line)
{
    struct node *n = ft_jp_node(p, N_FOR, line);
    const uint32_t before = p->t->blocks.n;
    n->loop = ft_jalloc(p->rt, sizeof *n->loop);
    *n->loop = (struct loop_info){0};
    n->a = target(p, true, false);
    ft_jp_expect_name(p, "in");
    n->b = ft_jp_tuple(p, (struct tuple_opts){.no_cond = true});
    if (ft_jp_skip_name(p, "if"))
        n->loop->test = ft_jp_expression(p, true);
    n->loop->recursive = ft_jp_skip_name(p, "recursive");
    statements(p, &n->body, END_FOR, false);
    if (!ft_jp_is_name(ft_jp_next(p), "endfor"))
        statements(p, &n->other, END_ELSE_FOR, true);
    for (uint32_t i = before; i < p->t->blocks.n; i++)
        n->loop->extended |= p->t->blocks.v[i]->block->scoped; /* it may read `loop` */
    return n;
}

static void signature(struct parser *p, struct macro_info *m)
{
    ft_jp_expect(p, TK_LPAREN);
    while (p->tok->type != TK_RPAREN) {
        if (m->args.n)
            ft_jp_expect(p, TK_COMMA);
        struct node *arg = target_name(p);
        if (ft_jp_skip_type(p, TK_ASSIGN))
            ft_jp_add(p, &m->defaults, ft_jp_expression(p, true));
        else if (m->defaults.n)
            FAIL(p, p->tok->line, "non-default argument follows default argument");
        for (uint32_t i = 0; i < m->args.n; i++)
            if (ft_jstr_same(m->args.v[i]->name, arg->name))
                FAIL(p, arg->line, "duplicate argument '%.*s' in function definition", (int)arg->name->n, arg->name->p);
        ft_jp_add(p, &m->args, arg);
    }
    ft_jp_expect(p, TK_RPAREN);
}

static struct macro_info *macro_info(struct parser *p)
{
    struct macro_info *m = ft_jalloc(p->rt, sizeof *m);
    *m = (struct macro_info){0};
    return m;
}

static struct node *parse_set(struct parser *p, uint32_t line)
{
    struct node *to = target(p, true, true), *n;
    if (ft_jp_skip_type(p, TK_ASSIGN)) {
        n = ft_jp_node(p, N_SET, line);
        n->a = to;
        n->b = ft_jp_tuple(p, (struct tuple_opts){0});
        return n;
    }
    n = ft_jp_node(p, N_SETBLOCK, line);
    n->a = to;
    n->b = ft_jp_filter(p, NULL, false);
    statements(p, &n->body, END_SET, true);
    return n;
}

static bool is_blank(struct jrt *rt, const struct node *n)
{
    for (uint32_t i = 0; i < n->list.n; i++)
        if (n->list.v[i]->kind != N_DATA || ft_jstr_strip(rt, n->list.v[i]->name, NULL, 3)->n)
            return false;
    return n->kind == N_OUTPUT;
}

static struct node *parse_block(struct parser *p, uint32_t line)
{
    struct node *n = ft_jp_node(p, N_BLOCK, line);
    struct block_info *b = n->block = J_NEW(p->rt, struct block_info);
    *b = (struct block_info){0};
    n->name = ft_jp_expect(p, TK_NAME)->value.s;
    ft_node_add(&p->rt->arena, &p->t->blocks, n);
    b->scoped = ft_jp_skip_name(p, "scoped");
    b->required = ft_jp_skip_name(p, "required");
    if (p->tok->type == TK_SUB)
        FAIL(p, p->tok->line, "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
    statements(p, &n->body, END_BLOCK, true);
    for (uint32_t i = 0; b->required && i < n->body.n; i++)
        if (!is_blank(p->rt, n->body.v[i]))
            FAIL(p, p->tok->line, "Required blocks can only contain comments or whitespace");
    if (p->tok->type == TK_NAME && ft_jstr_same(p->tok->value.s, n->name))
        ft_jp_next(p);
    return n;
}

static struct node *statement(struct parser *p)
{
    const struct jtoken *t = p->tok;
    struct node *n;
    if (t->type != TK_NAME)
        FAIL(p, t->line, "tag name expected");
    static const char *const known[] = {"for",      "if",   "print",      "macro", "set",      "with", "autoescape",
                                        "call",     "filter", "generation", "break", "block", "continue"};
    static const char *const refused[] = {"extends", "include", "import", "from"};
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
        ft_jp_fail_at(p, t->line, J_SYNTAX, ft_jsb_done(&b));
    }
    if (p->ntags == sizeof p->tags / sizeof *p->tags)
        FAIL(p, t->line, "blocks nested deeper than %u", p->ntags);
    p->tags[p->ntags++] = known[which];
    const uint32_t line = ft_jp_next(p)->line;
    switch (which) {
    case 0: n = parse_for(p, line); break;
    case 1: n = parse_if(p, line); break;
    case 2:
        n = ft_jp_node(p, N_OUTPUT, line);
        while (p->tok->type != TK_BLOCK_END) {
            if (n->list.n)
                ft_jp_expect(p, TK_COMMA);
            ft_jp_add(p, &n->list, ft_jp_expression(p, true));
        }
        break;
    case 3:
        n = ft_jp_node(p, N_MACRO, line);
        n->macro = macro_info(p);
        n->a = target_name(p);
        n->macro->name = n->a->name;
        signature(p, n->macro);
        statements(p, &n->body, END_MACRO, true);
        break;
    case 4: n = parse_set(p, line); break;
    case 5:
        n = ft_jp_node(p, N_WITH, line);
        while (p->tok->type != TK_BLOCK_END) {
            if (n->list.n)
                ft_jp_expect(p, TK_COMMA);
            ft_jp_add(p, &n->list, target(p, true, false));
            ft_jp_expect(p, TK_ASSIGN);
            ft_jp_add(p, &n->list, ft_jp_expression(p, true));
        }
        statements(p, &n->body, END_WITH, true);
        break;
    case 6:
        n = ft_jp_node(p, N_AUTOESCAPE, line);
        n->a = ft_jp_expression(p, true);
        statements(p, &n->body, END_ESCAPE, true);
        break;
    case 7:
        n = ft_jp_node(p, N_CALLBLOCK, line);
        n->macro = macro_info(p);
        if (p->tok->type == TK_LPAREN)
            signature(p, n->macro);
        n->a = ft_jp_expression(p, true);
        if (n->a->kind != N_CALL)
            FAIL(p, line, "expected call");
        statements(p, &n->body, END_CALL, true);
        break;
    case 8:
        n = ft_jp_node(p, N_FILTERBLOCK, line);
        n->a = ft_jp_filter(p, NULL, true);
        statements(p, &n->body, END_FILTER, true);
        break;
    case 9:
        n = ft_jp_node(p, N_GENERATION, line);
        n->macro = macro_info(p);
        statements(p, &n->body, END_GEN, true);
        p->t->generation = true;
        break;
    case 10: n = ft_jp_node(p, N_BREAK, line); break;
    case 11: n = parse_block(p, line); break;
    default: n = ft_jp_node(p, N_CONTINUE, line); break;
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
            ft_jp_next(p);
            for (const char *const *e = ends; e && *e; e++)
                if (ft_jp_is_name(p->tok, *e)) {
                    p->nends--;
                    return;
                }
            ft_jp_add(p, body, statement(p));
            ft_jp_expect(p, TK_BLOCK_END);
            continue;
        }
        struct node *n;
        if (t->type == TK_DATA) {
            n = ft_jp_node(p, N_DATA, t->line);
            n->name = t->value.s;
            ft_jp_literal(p, n->name);
            ft_jp_next(p);
        } else {
            ft_jp_next(p);
            n = ft_jp_tuple(p, (struct tuple_opts){0});
            ft_jp_expect(p, TK_VAR_END);
        }
        if (!out) {
            out = ft_jp_node(p, N_OUTPUT, n->line);
            ft_jp_add(p, body, out);
        }
        ft_jp_add(p, &out->list, n);
    }
    if (ends)
        p->nends--;
}

void ft_jparse(struct jrt *rt, struct ft_template *t, const struct jtoken *tokens)
{
    struct parser *p = ft_jalloc(rt, sizeof *p);
    *p = (struct parser){.rt = rt, .t = t, .tok = tokens};
    ft_jp_check(p);
    subparse(p, &t->body, NULL);
}
