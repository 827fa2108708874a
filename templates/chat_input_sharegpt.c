/* ShareGPT: conversations of {from, value}, by many names. */
#include "templates/chat_input_priv.h"

static const struct ft_str role_key = FT_STR("role"), content_key = FT_STR("content");

static const struct {
    const char *from, *role;
} names[] = {
    {"human", "user"},      {"user", "user"},           {"gpt", "assistant"},     {"assistant", "assistant"},
    {"chatgpt", "assistant"}, {"bing", "assistant"},    {"bard", "assistant"},    {"model", "assistant"},
    {"system", "system"},   {"observation", "tool"},    {"tool", "tool"},         {"function_response", "tool"},
    {"tool_response", "tool"}, {"function_call", "call"}, {"tool_call", "call"},
};

/* {"name": ..., "arguments": ...} as one entry of tool_calls. */
static int tool_call(struct ft_rec *r, const struct ft_json *v, struct ft_json *out, const char *where, size_t i,
                     struct ft_err *e)
{
    const struct ft_json *f = ft_json_get(v, "function");
    if (f && f->type == FT_JSON_OBJECT)
        v = f;
    const struct ft_json *name = ft_json_get(v, "name");
    if (!name || name->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "%s[%zu]: a function call without \"name\"", where, i);
    *out = ft_json_new_object(r->mem, 2);
    out->members[0] = (struct ft_json_member){FT_STR("type"), ft_json_of_str(FT_STR("function"))};
    out->members[1] = (struct ft_json_member){FT_STR("function"), *v};
    return 0;
}

static int call_message(struct ft_rec *r, struct ft_str value, struct ft_json *out, struct ft_str *name,
                        const char *where, size_t i, struct ft_err *e)
{
    struct ft_json v, calls;
    if (ft_json_parse(value.p, value.n, r->mem, &v, e))
        return ft_chat_not_here(e, NULL), ft_fail_in(e, "%s[%zu]: a function call is not JSON: ", where, i);
    const size_t n = v.type == FT_JSON_ARRAY ? v.n : 1;
    calls = ft_json_new_array(r->mem, n);
    for (size_t k = 0; k < n; k++)
        if (tool_call(r, v.type == FT_JSON_ARRAY ? &v.items[k] : &v, &calls.items[k], where, i, e))
            return -1;
    if (n)
        *name = ft_json_get(&calls.items[n - 1].members[1].value, "name")->s;
    *out = ft_json_new_object(r->mem, 3);
    out->members[0] = (struct ft_json_member){role_key, ft_json_of_str(FT_STR("assistant"))};
    out->members[1] = (struct ft_json_member){content_key, ft_json_of_str(FT_STR(""))};
    out->members[2] = (struct ft_json_member){FT_STR("tool_calls"), calls};
    return 0;
}

/* One {from, value}; `called` is the function called last, which a tool's answer
 * then names. Other members (train, weight) come along. */
static int turn(struct ft_rec *r, const struct ft_json *v, struct ft_str *called, struct ft_json *out,
                const char *where, size_t i, struct ft_err *e)
{
    const struct ft_json *from = ft_json_get(v, "from"), *value = ft_json_get(v, "value");
    if (v->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "%s[%zu] is not an object", where, i);
    if (!from && ft_json_get(v, "role")) {
        *out = *v;
        return 0;
    }
    if (!from || from->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "%s[%zu]: no member \"from\"", where, i);
    if (!value || value->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "%s[%zu]: %s", where, i, value ? "\"value\" is not a string" : "no member \"value\"");
    const char *role = NULL;
    for (size_t k = 0; k < sizeof names / sizeof *names && !role; k++)
        if (ft_str_is(from->s, names[k].from))
            role = names[k].role;
    if (!role)
        return ft_fail(e, FT_DATA, "%s[%zu]: \"from\" is \"%.*s\", not human, gpt, system, function_call or observation",
                       where, i, (int)(from->s.n < 40 ? from->s.n : 40), from->s.p);
    struct ft_json m = {0};
    if (!strcmp(role, "call")) {
        if (call_message(r, value->s, &m, called, where, i, e))
            return -1;
    } else if (!strcmp(role, "tool") && called->n) {
        m = ft_json_new_object(r->mem, 3);
        m.members[0] = (struct ft_json_member){role_key, ft_json_of_str(FT_STR("tool"))};
        m.members[1] = (struct ft_json_member){FT_STR("name"), ft_json_of_str(*called)};
        m.members[2] = (struct ft_json_member){content_key, ft_json_of_str(value->s)};
    } else {
        m = ft_json_message(r->mem, role, value->s);
    }
    struct ft_json all = ft_json_new_object(r->mem, m.n + v->n);
    memcpy(all.members, m.members, m.n * sizeof *m.members);
    all.n = m.n;
    for (size_t k = 0; k < v->n; k++)
        if (!ft_str_is(v->members[k].key, "from") && !ft_str_is(v->members[k].key, "value") &&
            !ft_json_get_str(&m, v->members[k].key))
            all.members[all.n++] = v->members[k];
    *out = all;
    return 0;
}

static int turns(struct ft_rec *r, const struct ft_json *v, struct ft_str system, struct ft_json *out,
                 const char *where, struct ft_err *e)
{
    struct ft_str called = {0};
    const struct ft_json *first = v->n ? &v->items[0] : NULL;
    const struct ft_json *role = first ? ft_json_get(first, ft_json_get(first, "from") ? "from" : "role") : NULL;
    const bool lead = system.n && !(role && role->type == FT_JSON_STRING && ft_str_is(role->s, "system"));
    *out = ft_json_new_array(r->mem, v->n + lead);
    if (lead)
        out->items[0] = ft_json_message(r->mem, "system", system);
    for (size_t i = 0; i < v->n; i++)
        if (turn(r, &v->items[i], &called, &out->items[i + lead], where, i, e))
            return -1;
    return 0;
}

int ft_chat_branch(struct ft_rec *r, const char *key, struct ft_json *out, struct ft_err *e)
{
    struct ft_json v;
    const int k = ft_rec_value(r, key, &v, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, key, e);
    if (v.type == FT_JSON_STRING)
        *out = ft_chat_one(r->mem, ft_json_message(r->mem, "assistant", v.s));
    else if (v.type == FT_JSON_OBJECT) {
        const struct ft_json single = ft_chat_one(r->mem, v);
        return turns(r, &single, (struct ft_str){0}, out, key, e);
    } else if (v.type == FT_JSON_ARRAY)
        return turns(r, &v, (struct ft_str){0}, out, key, e);
    else
        return ft_fail(e, FT_DATA, "member \"%s\" is neither a string nor messages", key);
    return 0;
}

int ft_chat_sharegpt(struct ft_rec *r, struct ft_chat *c, struct ft_err *e)
{
    struct ft_json v, system, all;
    if (ft_chat_take(r, c, "conversations", FT_JSON_ARRAY, &v, e) <= 0)
        return e->code ? -1 : ft_rec_missing(r, "conversations", e);
    if (ft_chat_take(r, c, "system", FT_JSON_STRING, &system, e) < 0 || ft_chat_extras(r, c, true, e) ||
        turns(r, &v, system.s, &all, "conversations", e))
        return -1;
    if (ft_chat_has(r, "chosen") && ft_chat_has(r, "rejected")) {
        c->kind = FT_CHAT_PAIR;
        c->prompt = all;
        return ft_chat_branch(r, "chosen", &c->chosen, e) || ft_chat_branch(r, "rejected", &c->rejected, e) ? -1 : 0;
    }
    if (ft_chat_is_bool(ft_chat_type(r, "kto_tag")) || ft_chat_is_bool(ft_chat_type(r, "label")))
        return ft_chat_unpaired(r, c, &all, ft_chat_is_bool(ft_chat_type(r, "kto_tag")) ? "kto_tag" : "label", e);
    c->kind = FT_CHAT_MESSAGES;
    c->messages = all;
    return 0;
}
