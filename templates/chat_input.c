#include "templates/chat_input.h"

#include "templates/chat_input_priv.h"

void ft_chat_consume(struct ft_chat *c, const char *key)
{
    if (c->n_consumed < FT_CHAT_CONSUMED)
        c->consumed[c->n_consumed++] = key;
}

int ft_chat_take(struct ft_rec *r, struct ft_chat *c, const char *key, enum ft_json_type type, struct ft_json *out,
                struct ft_err *e)
{
    *out = (struct ft_json){0};
    if (!ft_rec_may_have(r, key) || !ft_rec_has(r, key))
        return 0;
    const int k = ft_rec_value(r, key, out, e);
    if (k < 0)
        return -1;
    ft_chat_consume(c, key);
    if (!k || out->type == FT_JSON_NULL)
        return 0;
    if (out->type != type)
        return ft_fail(e, FT_DATA, "member \"%s\" is not %s", key,
                       type == FT_JSON_STRING ? "a string" : type == FT_JSON_ARRAY ? "an array" : "an object");
    return 1;
}

struct ft_json ft_chat_one(struct ft_arena *a, struct ft_json message)
{
    struct ft_json v = ft_json_new_array(a, 1);
    v.items[0] = message;
    return v;
}

int ft_chat_not_here(struct ft_err *e, const char *where)
{
    e->byte = 0;
    return where ? ft_fail_in(e, "%s", where) : -1;
}

/* Tools are an array, or (as data sets store them) a string of one. None and []
 * are the same to TRL; here [] keeps those of --tools away. `wrap`: bare functions become {"type": "function", ...}, the
 * form that templates expect. */
static int read_tools(struct ft_rec *r, struct ft_chat *c, bool wrap, struct ft_err *e)
{
    struct ft_json v = {0};
    if (!ft_rec_may_have(r, "tools") || !ft_rec_has(r, "tools"))
        return 0;
    const int k = ft_rec_value(r, "tools", &v, e);
    if (k < 0)
        return -1;
    ft_chat_consume(c, "tools");
    if (k && v.type == FT_JSON_STRING) {
        const struct ft_str text = v.s;
        size_t i = 0;
        while (i < text.n && strchr(" \t\r\n", text.p[i]))
            i++;
        if (i == text.n)
            return 0;
        if (ft_json_parse(text.p, text.n, r->mem, &v, e))
            return ft_chat_not_here(e, "member \"tools\": in its string: ");
    }
    c->no_tools = k && v.type == FT_JSON_ARRAY && !v.n;
    if (!k || v.type == FT_JSON_NULL || c->no_tools)
        return 0;
    if (v.type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "member \"tools\" is not an array");
    struct ft_json out = ft_json_new_array(r->mem, v.n);
    for (size_t i = 0; i < v.n; i++) {
        const struct ft_json *t = &v.items[i];
        if (t->type != FT_JSON_OBJECT)
            return ft_fail(e, FT_DATA, "tools[%zu] is not an object (the JSON schema of a function)", i);
        out.items[i] = *t;
        if (wrap && !ft_json_get(t, "function") && ft_json_get(t, "name")) {
            out.items[i] = ft_json_new_object(r->mem, 2);
            out.items[i].members[0] = (struct ft_json_member){FT_STR("type"), ft_json_of_str(FT_STR("function"))};
            out.items[i].members[1] = (struct ft_json_member){FT_STR("function"), *t};
        }
    }
    c->tools = out;
    return 0;
}

int ft_chat_extras(struct ft_rec *r, struct ft_chat *c, bool wrap, struct ft_err *e)
{
    if (read_tools(r, c, wrap, e) || ft_chat_take(r, c, "documents", FT_JSON_ARRAY, &c->documents, e) < 0 ||
        ft_chat_take(r, c, "chat_template_kwargs", FT_JSON_OBJECT, &c->kwargs, e) < 0)
        return -1;
    for (size_t i = 0; i < (c->documents.type == FT_JSON_ARRAY ? c->documents.n : 0); i++)
        if (c->documents.items[i].type != FT_JSON_OBJECT)
            return ft_fail(e, FT_DATA, "documents[%zu] is not an object", i);
    return 0;
}

int ft_chat_unpaired(struct ft_rec *r, struct ft_chat *c, const struct ft_json *all, const char *label, struct ft_err *e)
{
    const int k = ft_rec_bool(r, label, &c->label, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, label, e);
    const struct ft_json *role = all->n ? ft_json_get(&all->items[all->n - 1], "role") : NULL;
    if (all->n < 2 || !role || role->type != FT_JSON_STRING || !ft_str_is(role->s, "assistant"))
        return ft_fail(e, FT_DATA, "\"%s\" judges an answer, and the last message is not the assistant's", label);
    c->prompt = ft_json_slice(all, 0, all->n - 1);
    c->completion = ft_json_slice(all, all->n - 1, all->n);
    c->kind = FT_CHAT_COMPLETION;
    if (strcmp(label, "label")) {
        ft_chat_consume(c, label);
        c->label_made = true;
    }
    return 0;
}

static int no_format(struct ft_rec *r, struct ft_err *e)
{
    struct ft_buf b = {0};
    if (!r->n)
        return ft_fail(e, FT_DATA, "the record has no members");
    for (size_t i = 0; i < r->n && b.n < 200; i++)
        ft_buf_printf(&b, "%s%.*s", i ? ", " : "", (int)(r->fields[i].key.n < 40 ? r->fields[i].key.n : 40),
                      r->line.p + r->fields[i].key.at);
    const int k = ft_fail(e, FT_DATA, "no format that chat-template knows (members %.*s); rename with --map, such as "
                          "--map prompt=question,completion=answer", (int)b.n, b.p ? b.p : "");
    ft_buf_release(&b);
    return k;
}

static bool is_system(const struct ft_json *m)
{
    const struct ft_json *role = ft_json_get(m, "role");
    return role && role->type == FT_JSON_STRING && (ft_str_is(role->s, "system") || ft_str_is(role->s, "developer"));
}

static void add_system(struct ft_rec *r, struct ft_str text, struct ft_json *v)
{
    if (v->type != FT_JSON_ARRAY || !v->n || is_system(&v->items[0]))
        return;
    const struct ft_json lead = ft_chat_one(r->mem, ft_json_message(r->mem, "system", text));
    *v = ft_json_concat(r->mem, &lead, v);
}

/* TRL's extract_prompt: the turns that both begin with. */
static int extract(struct ft_rec *r, struct ft_chat *c, struct ft_err *e)
{
    const size_t most = c->chosen.n < c->rejected.n ? c->chosen.n : c->rejected.n;
    size_t n = 0;
    while (n < most && ft_json_same(&c->chosen.items[n], &c->rejected.items[n]))
        n++;
    if (n == most && n) { /* an answer is left where nothing differs, as TRL leaves it */
        ft_rec_count(r, "pairs_that_do_not_differ", 1);
        n--;
    }
    if (!n)
        return ft_fail(e, FT_DATA, "\"chosen\" and \"rejected\" have no common prompt");
    c->prompt = ft_json_slice(&c->chosen, 0, n);
    c->chosen = ft_json_slice(&c->chosen, n, c->chosen.n);
    c->rejected = ft_json_slice(&c->rejected, n, c->rejected.n);
    c->kind = FT_CHAT_PAIR;
    return 0;
}

/* The same of two strings, by characters: a blank in front of what differs goes with it. */
static int extract_text(struct ft_rec *r, struct ft_err *e)
{
    struct ft_str a, b;
    if (ft_rec_string(r, "chosen", &a, e) < 0 || ft_rec_string(r, "rejected", &b, e) < 0)
        return -1;
    const size_t most = a.n < b.n ? a.n : b.n;
    size_t n = 0;
    while (n < most && a.p[n] == b.p[n])
        n++;
    const bool differ = n < most;
    n -= n && !differ;
    while (n && n < a.n && ((unsigned char)a.p[n] & 0xc0) == 0x80)
        n--;
    n -= differ && n && a.p[n - 1] == ' ';
    if (!n)
        return ft_fail(e, FT_DATA, "\"chosen\" and \"rejected\" have no common prompt");
    ft_rec_set_string(r, "prompt", (struct ft_str){a.p, n});
    ft_rec_set_string(r, "chosen", (struct ft_str){a.p + n, a.n - n});
    ft_rec_set_string(r, "rejected", (struct ft_str){b.p + n, b.n - n});
    return 0;
}

static int recognise(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *c, struct ft_err *e)
{
    const char *bad, *good;
    switch (rules->from) {
    case FT_FROM_TRL:
        return ft_chat_trl(r, rules, c, e);
    case FT_FROM_SHAREGPT:
        return ft_chat_sharegpt(r, c, e);
    case FT_FROM_ALPACA:
        return ft_chat_alpaca(r, c, false, e);
    case FT_FROM_CORRECTION:
        if (!ft_chat_correction_names(r, &bad, &good))
            return ft_fail(e, FT_DATA, "no correction pair: wants one of bad, wrong, incorrect, original and one of "
                           "corrected, correct, correction, fixed");
        return ft_chat_correction(r, c, bad, good, e);
    case FT_FROM_AUTO:
        break;
    }
    if (ft_chat_has(r, "messages"))
        return ft_chat_trl(r, rules, c, e);
    if (ft_chat_has(r, "conversations"))
        return ft_chat_sharegpt(r, c, e);
    if (ft_chat_type(r, "instruction") == FT_JSON_STRING && (ft_chat_has(r, "output") || ft_chat_has(r, "chosen")))
        return ft_chat_alpaca(r, c, true, e);
    if (ft_chat_has(r, "prompt") || ft_chat_has(r, "completion") || ft_chat_has(r, "chosen") || ft_chat_has(r, "rejected"))
        return ft_chat_trl(r, rules, c, e);
    if (ft_chat_correction_names(r, &bad, &good))
        return ft_chat_correction(r, c, bad, good, e);
    struct ft_str text;
    const int k = ft_rec_string(r, "text", &text, e);
    if (k < 0)
        return -1;
    if (k || ft_rec_has(r, "input_ids"))
        return c->kind = FT_CHAT_PASS, 0;
    return no_format(r, e);
}

int ft_chat_read(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *out, struct ft_err *e)
{
    *out = (struct ft_chat){0};
    if (recognise(r, rules, out, e))
        return -1;
    if (out->kind == FT_CHAT_IMPLICIT && rules->extract_prompt && extract(r, out, e))
        return -1;
    if (out->kind == FT_CHAT_PASS && rules->extract_prompt && ft_chat_type(r, "chosen") == FT_JSON_STRING &&
        ft_chat_type(r, "rejected") == FT_JSON_STRING && !ft_rec_has(r, "prompt") && extract_text(r, e))
        return -1;
    if (rules->system.p) {
        struct ft_json *v[] = {&out->messages, &out->prompt, &out->chosen, &out->rejected};
        for (int i = 0; i < (out->kind == FT_CHAT_IMPLICIT ? 4 : 2); i++)
            add_system(r, rules->system, v[i]);
    }
    return 0;
}
