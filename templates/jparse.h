/* jparse.h -- what the files of the parser share: jcursor.c (the current token,
 * making nodes), jexpr.c (expressions), jparse.c (statements). All of it raises
 * jinja2's TemplateSyntaxError by the runtime's jump, so nothing returns a
 * failure; nodes live in the template's memory.
 */
#ifndef FT_TEMPLATES_JPARSE_H
#define FT_TEMPLATES_JPARSE_H

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

/* ---- jcursor.c ---- */

/* Raise at a template line; FAIL: with the syntax error's type and a format. */
_Noreturn void ft_jp_fail_at(struct parser *p, uint32_t line, const char *type, const struct jstr *msg);
/* Raises what the lexer found wrong with the current token. */
void ft_jp_check(struct parser *p);
/* next: the current token, and moves on. look: the one behind it. skip: moves on
 * if it is that. expect: the same, or raises. */
const struct jtoken *ft_jp_next(struct parser *p);
const struct jtoken *ft_jp_look(struct parser *p);
bool ft_jp_is_name(const struct jtoken *t, const char *z);
bool ft_jp_skip_name(struct parser *p, const char *z);
bool ft_jp_skip_type(struct parser *p, enum token_type type);
struct jstr *ft_jp_describe(struct parser *p, const struct jtoken *t);
const struct jtoken *ft_jp_expect(struct parser *p, enum token_type type);
void ft_jp_expect_name(struct parser *p, const char *z);
struct node *ft_jp_node(struct parser *p, enum node_kind kind, uint32_t line);
void ft_jp_add(struct parser *p, struct node_list *l, struct node *n);
void ft_jp_literal(struct parser *p, struct jstr *s);
struct node *ft_jp_konst(struct parser *p, struct jval v, uint32_t line);
struct node *ft_jp_name_node(struct parser *p, struct jstr *name, bool store, uint32_t line);
#define FAIL(p, line, ...) ft_jp_fail_at((p), (line), J_SYNTAX, ft_jstr_fmt((p)->rt, __VA_ARGS__))

/* ---- jexpr.c: as jinja2's parse_expression, parse_primary, parse_tuple, ... ---- */

struct tuple_opts {
    bool simplified, no_cond, parens, ns;
};
/* One expression, or a tuple of them without parentheses. */
struct node *ft_jp_tuple(struct parser *p, struct tuple_opts o);
/* ns: a name may have a namespace's attribute (ns.x), as a target of set. */
struct node *ft_jp_primary(struct parser *p, bool ns);
/* inline_start: no bar stands before the first filter. */
struct node *ft_jp_filter(struct parser *p, struct node *left, bool inline_start);
/* cond: with a trailing `if ... else ...`. */
struct node *ft_jp_expression(struct parser *p, bool cond);

#endif
