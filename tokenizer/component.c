#include "tokenizer/component.h"

static const struct tk_component_name *named(const struct tk_component_name *names, size_t n, struct ft_str name)
{
    for (size_t i = 0; i < n; i++)
        if (ft_str_is(name, names[i].name))
            return &names[i];
    return NULL;
}

int tk_component_of(const struct ft_json *j, const char *what, const struct tk_component_name *names, size_t n,
                    struct ft_str by_members, const struct tk_component_name **out, struct ft_err *e)
{
    const struct ft_str type = tk_type_of(j);
    if (!(*out = named(names, n, type)))
        *out = named(names, n, by_members);
    return *out ? 0 : ft_fail(e, FT_DATA, "%s \"%.*s\" is not known", what, (int)type.n, type.p ? type.p : "");
}

int tk_want_bool(const struct ft_json *j, const char *key, bool *out, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (!v || (v->type != FT_JSON_TRUE && v->type != FT_JSON_FALSE))
        return ft_fail(e, FT_DATA, "\"%s\" is not true or false", key);
    *out = v->type == FT_JSON_TRUE;
    return 0;
}

int tk_want_count(const struct ft_json *j, const char *key, int64_t *out, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (!v || v->type != FT_JSON_NUMBER || ft_json_int(v, out) || *out < 0)
        return ft_fail(e, FT_DATA, "\"%s\" is not a number", key);
    return 0;
}

int tk_want_string(const struct ft_json *j, const char *key, struct ft_arena *mem, struct ft_str *out, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (!v || v->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "\"%s\" is not a string", key);
    *out = (struct ft_str){ft_arena_dup(mem, v->s.p, v->s.n), v->s.n};
    return 0;
}

int tk_want_char(const struct ft_json *j, const char *key, struct ft_arena *mem, struct ft_str *out, struct ft_err *e)
{
    if (tk_want_string(j, key, mem, out, e))
        return -1;
    return ft_utf8_count(out->p, out->n) == 1 ? 0 : ft_fail(e, FT_DATA, "\"%s\" is not a character", key);
}

int tk_want_list(const struct ft_json *j, const char *key, const struct ft_json **out, struct ft_err *e)
{
    *out = ft_json_get(j, key);
    return *out && (*out)->type == FT_JSON_ARRAY ? 0 : ft_fail(e, FT_DATA, "\"%s\" is not a list", key);
}

int tk_metaspace_load(const struct ft_json *j, struct ft_arena *mem, struct tk_metaspace *out, struct ft_err *e)
{
    struct ft_str scheme = FT_STR("always");
    bool legacy = true;
    out->split = true;
    if (tk_want_char(j, "replacement", mem, &out->replacement, e) || ft_json_get_string(j, "prepend_scheme", &scheme, e) ||
        ft_json_get_bool(j, "split", &out->split, e) || ft_json_get_bool(j, "add_prefix_space", &legacy, e))
        return -1;
    out->scheme = ft_str_is(scheme, "always") ? TK_PREPEND_ALWAYS : ft_str_is(scheme, "first") ? TK_PREPEND_FIRST : TK_PREPEND_NEVER;
    if (out->scheme == TK_PREPEND_NEVER && !ft_str_is(scheme, "never"))
        return ft_fail(e, FT_DATA, "prepend_scheme \"%.*s\" is not known", (int)scheme.n, scheme.p);
    if (!legacy && out->scheme != TK_PREPEND_NEVER)
        return ft_fail(e, FT_DATA, "add_prefix_space does not match prepend_scheme");
    return 0;
}
