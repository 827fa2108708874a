/* component.h -- what the normalizer, the pre-tokenizer and the decoder of a tokenizer.json have in common:
 * an object that its "type" names, and members that have no default. */
#ifndef FT_TOKENIZER_COMPONENT_H
#define FT_TOKENIZER_COMPONENT_H

#include "pipeline/json.h"

/* What "type" names, or {0}: absent, or no string, where the members tell. */
static inline struct ft_str tk_type_of(const struct ft_json *j)
{
    const struct ft_json *type = ft_json_get(j, "type");
    return type && type->type == FT_JSON_STRING ? type->s : (struct ft_str){0};
}

struct tk_component_name {
    const char *name;
    int kind;
};
/* The row of names[0..n) that j's "type" names, or else `by_members`: what the members say
 * where old files have no type. `what` is the component, for the message: "normalizer". */
int tk_component_of(const struct ft_json *j, const char *what, const struct tk_component_name *names, size_t n,
                    struct ft_str by_members, const struct tk_component_name **out, struct ft_err *e);

/* Members that must be there (a default is read by ft_json_get_...). Strings are copied into `mem`. */
int tk_want_bool(const struct ft_json *j, const char *key, bool *out, struct ft_err *e);
int tk_want_count(const struct ft_json *j, const char *key, int64_t *out, struct ft_err *e); /* >= 0 */
int tk_want_string(const struct ft_json *j, const char *key, struct ft_arena *mem, struct ft_str *out, struct ft_err *e);
int tk_want_char(const struct ft_json *j, const char *key, struct ft_arena *mem, struct ft_str *out, struct ft_err *e);
int tk_want_list(const struct ft_json *j, const char *key, const struct ft_json **out, struct ft_err *e);

/* A Metaspace, which is a pre-tokenizer and a decoder: blanks are written as `replacement`, which also
 * stands in front of the text (ALWAYS), of its first piece only (FIRST) or not (NEVER). */
struct tk_metaspace {
    struct ft_str replacement; /* one character */
    enum { TK_PREPEND_ALWAYS, TK_PREPEND_NEVER, TK_PREPEND_FIRST } scheme;
    bool split; /* in front of each replacement */
};
int tk_metaspace_load(const struct ft_json *j, struct ft_arena *mem, struct tk_metaspace *out, struct ft_err *e);

#endif
