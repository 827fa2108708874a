/* template.h -- chat templates: Jinja2 as transformers runs it, with the origin
 * of every byte.
 *
 * A template is compiled once from its text and is then immutable: any number
 * of threads render it, each with a state of its own (struct ft_render) whose
 * memory is reused from one render to the next.
 *
 *     struct ft_template *t = ft_template_compile(text, n, &e);
 *     struct ft_render *r = ft_render_new();
 *     struct ft_render_args args = {.vars = vars, .nvars = 5, .spans = true};
 *     if (ft_render(r, t, &args, &out, &e) == 0) ... out.text, out.spans ...
 *     ft_render_free(r);
 *     ft_template_free(t);
 *
 * The language is that of Jinja2 3.1.6 in the ImmutableSandboxedEnvironment of
 * transformers 5.23 (trim_blocks, lstrip_blocks, loop controls, `generation`,
 * its tojson, namespace, dict, raise_exception, strftime_now). Text, failures
 * and messages equal Python's. Blocks are there; `extends`, imports and includes are refused
 * by name.
 *
 * Data is JSON (pipeline/json.h) and becomes what Python's json.loads makes of
 * it. The engine changes nothing in the data: aliases of reasoning fields, the
 * tag of continue_final_message and defaults such as tools = None are the
 * caller's. It knows no variable by name, except that provenance reports which
 * message a leaf belongs to (ft_leaf_where).
 */
#ifndef FT_TEMPLATES_TEMPLATE_H
#define FT_TEMPLATES_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pipeline/err.h"
#include "pipeline/json.h"
#include "pipeline/str.h"

/* ---- compiling ---- */

struct ft_template; /* opaque, immutable */

/* Compiles n bytes of UTF-8; the text is copied. NULL on failure: FT_DATA,
 * "line 3: unexpected '}'", e->byte unset. */
struct ft_template *ft_template_compile(const char *text, size_t n, struct ft_err *e);
void ft_template_free(struct ft_template *t); /* accepts NULL */

/* The source as compiled (a final newline and CRs as given). */
struct ft_str ft_template_source(const struct ft_template *t);
/* Does the template have a {% generation %} block? */
bool ft_template_has_generation(const struct ft_template *t);
/* Literal text and string constants, in source order, for control-token rules:
 * calls `each` for every one. */
void ft_template_literals(const struct ft_template *t, void (*each)(void *ctx, struct ft_str s), void *ctx);

/* ---- rendering ---- */

/* One variable of the context. A later one of the same name wins. */
struct ft_var {
    struct ft_str name;
    const struct ft_json *value;
};

/* 0 means the default in brackets. A template that exceeds one fails with
 * FT_DATA and says which. */
struct ft_render_limits {
    uint64_t steps;  /* evaluations, iterations and blocks of bytes handled [50 M] */
    size_t output;   /* bytes of text, captured ones included [256 MiB] */
    size_t memory;   /* bytes of values made by the render [1 GiB] */
    unsigned depth;  /* nested macro calls and recursive loops [190, as CPython's stack allows] */
};

struct ft_render_args {
    const struct ft_var *vars; /* valid, with all they point to, until the results are no longer used */
    size_t nvars;
    const struct tm *now; /* what strftime_now sees; NULL: the local time */
    bool spans;           /* report the origin of bytes */
    struct ft_render_limits limits;
};

enum {
    FT_SPAN_CHANGED = 1, /* derived from the leaf, not a copy of its bytes: case, escapes, formatting */
    FT_SPAN_KEY = 2,     /* the leaf is a member name, not a value */
    FT_SPAN_STRUCT = 4,  /* the leaf is an array or object; these are its brackets, numbers, separators
                            (tojson and str of a container); strings inside have spans of their own */
};

/* Bytes [begin,end) of the text came from a leaf of the data; what no span
 * covers is the template's. Sorted, disjoint, not empty; neighbours of the same
 * leaf and flags are one. */
struct ft_text_span {
    size_t begin, end;
    uint32_t leaf;  /* for the ft_leaf_ functions */
    uint32_t flags; /* FT_SPAN_ */
};

/* A {% generation %} block as transformers records it, in the order in which
 * blocks ended. Code points and bytes of the text. Like upstream's, the start
 * is that of the outermost print statement when the block sits in a macro. */
struct ft_gen_span {
    size_t begin, end;           /* bytes */
    size_t char_begin, char_end; /* code points */
};

/* Owned by the state, valid until its next render. */
struct ft_rendered {
    struct ft_str text;
    const struct ft_text_span *spans;
    size_t nspans;
    const struct ft_gen_span *gens;
    size_t ngens;
};

/* Why a render failed, besides the message in ft_err. */
struct ft_render_error {
    const char *type;   /* Python's name: "TemplateError", "UndefinedError", "TypeError"; "LimitError" is ours */
    unsigned line;      /* line of the template, 0: not known */
    struct ft_str text; /* the message alone, of any length (raise_exception's argument) */
};

struct ft_render; /* opaque; one thread at a time */
struct ft_render *ft_render_new(void);
void ft_render_free(struct ft_render *r); /* accepts NULL */

/* Renders. On failure -1 and FT_DATA: "template line 7: TypeError: ..." (for
 * raise_exception the message alone behind the line); e->rest, of a long one, is
 * the state's and valid until its next render. */
int ft_render(struct ft_render *r, const struct ft_template *t, const struct ft_render_args *args,
              struct ft_rendered *out, struct ft_err *e);
/* The failure of the last ft_render; valid until the next. */
const struct ft_render_error *ft_render_failure(const struct ft_render *r);

/* ---- leaves ---- */

/* A leaf is a string, member name or container of the data, named by a number
 * that holds for one render. */

/* Where it is, as "messages[1].content[0].text"; appended to b. A key is named
 * by its own member. */
void ft_leaf_path(const struct ft_render *r, uint32_t leaf, struct ft_buf *b);

struct ft_leaf_place {
    int64_t message;    /* index into the variable `messages`, -1 when elsewhere */
    struct ft_str var;  /* the variable */
    struct ft_str field; /* member of the message ("content", "tool_calls"), or "" */
    int64_t part;       /* index where the field is an array, else -1 */
    struct ft_str part_field; /* member of that element ("text", "function"), or "" */
    bool whole; /* the leaf is the message's member itself, nothing in it */
};
void ft_leaf_where(const struct ft_render *r, uint32_t leaf, struct ft_leaf_place *out);
/* A leaf that stands for the message's member, or elsewhere for the variable, that this one is or is in. */
uint32_t ft_leaf_top(struct ft_render *r, uint32_t leaf);

#endif
