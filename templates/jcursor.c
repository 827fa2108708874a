/* jcursor.c -- the parser's place among the tokens, what it expects there, and new nodes. */
#include "templates/jparse.h"

_Noreturn void ft_jp_fail_at(struct parser *p, uint32_t line, const char *type, const struct jstr *msg)
{
    p->rt->line = line;
    ft_jraise_str(p->rt, type, msg);
}

void ft_jp_check(struct parser *p)
{
    if (p->tok->type == TK_ERROR)
        ft_jp_fail_at(p, p->tok->line, J_SYNTAX, p->tok->value.s);
}
const struct jtoken *ft_jp_next(struct parser *p)
{
    const struct jtoken *t = p->tok;
    if (t->type != TK_EOF) {
        p->tok++;
        ft_jp_check(p);
    }
    return t;
}
const struct jtoken *ft_jp_look(struct parser *p)
{
    if (p->tok->type == TK_EOF)
        return p->tok;
    if (p->tok[1].type == TK_ERROR)
        ft_jp_fail_at(p, p->tok[1].line, J_SYNTAX, p->tok[1].value.s);
    return p->tok + 1;
}

bool ft_jp_is_name(const struct jtoken *t, const char *z) { return t->type == TK_NAME && ft_jstr_is(t->value.s, z); }
bool ft_jp_skip_name(struct parser *p, const char *z)
{
    if (!ft_jp_is_name(p->tok, z))
        return false;
    ft_jp_next(p);
    return true;
}
bool ft_jp_skip_type(struct parser *p, enum token_type type)
{
    if (p->tok->type != type)
        return false;
    ft_jp_next(p);
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
struct jstr *ft_jp_describe(struct parser *p, const struct jtoken *t)
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
        ft_jsb_repr_str(&b, ft_jp_describe(p, p->tok), false);
    }
    ft_jp_fail_at(p, p->tok->line, J_SYNTAX, ft_jsb_done(&b));
}
const struct jtoken *ft_jp_expect(struct parser *p, enum token_type type)
{
    if (p->tok->type != type)
        fail_expected(p, ft_jstr_z(p->rt, describe_type(type)));
    return ft_jp_next(p);
}
void ft_jp_expect_name(struct parser *p, const char *z)
{
    if (!ft_jp_skip_name(p, z))
        fail_expected(p, ft_jstr_z(p->rt, z));
}

struct node *ft_jp_node(struct parser *p, enum node_kind kind, uint32_t line)
{
    struct node *n = ft_jalloc(p->rt, sizeof *n);
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)kind;
    n->line = line;
    n->export = -1;
    return n;
}
void ft_jp_add(struct parser *p, struct node_list *l, struct node *n)
{
    ft_jstep(p->rt, 1);
    ft_node_add(&p->rt->arena, l, n);
}
void ft_jp_literal(struct parser *p, struct jstr *s)
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
struct node *ft_jp_konst(struct parser *p, struct jval v, uint32_t line)
{
    struct node *n = ft_jp_node(p, N_CONST, line);
    n->value = v;
    return n;
}
struct node *ft_jp_name_node(struct parser *p, struct jstr *name, bool store, uint32_t line)
{
    struct node *n = ft_jp_node(p, N_NAME, line);
    n->name = name;
    n->store = store;
    return n;
}
