#include "templates/chat_input.h"

#include <stdio.h>

#include "templates/chat_json.h"

static const struct ft_str role_key = FT_STR("role"), content_key = FT_STR("content");

static void consume(struct ft_chat *c, const char *key)
{
    if (c->n_consumed < FT_CHAT_CONSUMED)
        c->consumed[c->n_consumed++] = key;
}

/* A member of the wanted type: 1, 0 absent or null, -1. */
static int take(struct ft_rec *r, struct ft_chat *c, const char *key, enum ft_json_type type, struct ft_json *out,
                struct ft_err *e)
{
    *out = (struct ft_json){0};
    if (!ft_rec_may_have(r, key) || !ft_rec_has(r, key))
        return 0;
    const int k = ft_rec_value(r, key, out, e);
    if (k < 0)
        return -1;
    if (c)
        consume(c, key);
    if (!k || out->type == FT_JSON_NULL)
        return 0;
    if (out->type != type)
        return ft_fail(e, FT_DATA, "member \"%s\" is not %s", key,
                       type == FT_JSON_STRING ? "a string" : type == FT_JSON_ARRAY ? "an array" : "an object");
    return 1;
}

static inline enum ft_json_type type_of(struct ft_rec *r, const char *key)
{
    if (!ft_rec_may_have(r, key))
        return FT_JSON_NULL;
    struct ft_str raw;
    enum ft_json_type type = FT_JSON_NULL;
    return ft_rec_find(r, key, &raw, &type, NULL) > 0 ? type : FT_JSON_NULL;
}

/* There and not null. A member that occurs twice is there: reading it will fail. */
static inline bool has(struct ft_rec *r, const char *key)
{
    if (!ft_rec_may_have(r, key))
        return false;
    struct ft_str raw;
    enum ft_json_type type = FT_JSON_NULL;
    const int k = ft_rec_find(r, key, &raw, &type, NULL);
    return k < 0 || (k > 0 && type != FT_JSON_NULL);
}

static struct ft_json one(struct ft_arena *a, struct ft_json message)
{
    struct ft_json v = ft_json_new_array(a, 1);
    v.items[0] = message;
    return v;
}

/* The byte of an error in a string within the record is not one of the record. */
static int not_here(struct ft_err *e, const char *where)
{
    e->byte = 0;
    return where ? ft_fail_in(e, "%s", where) : -1;
}

/* ---- tools, documents, variables ---- */

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
    consume(c, "tools");
    if (k && v.type == FT_JSON_STRING) {
        const struct ft_str text = v.s;
        size_t i = 0;
        while (i < text.n && strchr(" \t\r\n", text.p[i]))
            i++;
        if (i == text.n)
            return 0;
        if (ft_json_parse(text.p, text.n, r->mem, &v, e))
            return not_here(e, "member \"tools\": in its string: ");
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

static int read_extras(struct ft_rec *r, struct ft_chat *c, bool wrap, struct ft_err *e)
{
    if (read_tools(r, c, wrap, e) || take(r, c, "documents", FT_JSON_ARRAY, &c->documents, e) < 0 ||
        take(r, c, "chat_template_kwargs", FT_JSON_OBJECT, &c->kwargs, e) < 0)
        return -1;
    for (size_t i = 0; i < (c->documents.type == FT_JSON_ARRAY ? c->documents.n : 0); i++)
        if (c->documents.items[i].type != FT_JSON_OBJECT)
            return ft_fail(e, FT_DATA, "documents[%zu] is not an object", i);
    return 0;
}

/* ---- ShareGPT ---- */

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
        return not_here(e, NULL), ft_fail_in(e, "%s[%zu]: a function call is not JSON: ", where, i);
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

/* chosen and rejected: one turn, or an array of them. */
static int branch(struct ft_rec *r, struct ft_chat *c, const char *key, struct ft_json *out, struct ft_err *e)
{
    struct ft_json v;
    const int k = ft_rec_value(r, key, &v, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, key, e);
    (void)c;
    if (v.type == FT_JSON_STRING)
        *out = one(r->mem, ft_json_message(r->mem, "assistant", v.s));
    else if (v.type == FT_JSON_OBJECT) {
        const struct ft_json single = one(r->mem, v);
        return turns(r, &single, (struct ft_str){0}, out, key, e);
    } else if (v.type == FT_JSON_ARRAY)
        return turns(r, &v, (struct ft_str){0}, out, key, e);
    else
        return ft_fail(e, FT_DATA, "member \"%s\" is neither a string nor messages", key);
    return 0;
}

/* The last answer of `all` and what is before it become completion and prompt. */
static int unpaired(struct ft_rec *r, struct ft_chat *c, const struct ft_json *all, const char *label, struct ft_err *e)
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
        consume(c, label);
        c->label_made = true;
    }
    return 0;
}

static bool is_bool(enum ft_json_type t) { return t == FT_JSON_TRUE || t == FT_JSON_FALSE; }

static int sharegpt(struct ft_rec *r, struct ft_chat *c, struct ft_err *e)
{
    struct ft_json v, system, all;
    if (take(r, c, "conversations", FT_JSON_ARRAY, &v, e) <= 0)
        return e->code ? -1 : ft_rec_missing(r, "conversations", e);
    if (take(r, c, "system", FT_JSON_STRING, &system, e) < 0 || read_extras(r, c, true, e) ||
        turns(r, &v, system.s, &all, "conversations", e))
        return -1;
    if (has(r, "chosen") && has(r, "rejected")) {
        c->kind = FT_CHAT_PAIR;
        c->prompt = all;
        return branch(r, c, "chosen", &c->chosen, e) || branch(r, c, "rejected", &c->rejected, e) ? -1 : 0;
    }
    if (is_bool(type_of(r, "kto_tag")) || is_bool(type_of(r, "label")))
        return unpaired(r, c, &all, is_bool(type_of(r, "kto_tag")) ? "kto_tag" : "label", e);
    c->kind = FT_CHAT_MESSAGES;
    c->messages = all;
    return 0;
}

/* ---- Alpaca ---- */

static struct ft_str join(struct ft_arena *a, struct ft_str x, struct ft_str y)
{
    if (!x.n || !y.n)
        return x.n ? x : y;
    char *p = ft_arena_alloc(a, x.n + y.n + 1);
    memcpy(p, x.p, x.n);
    p[x.n] = '\n';
    memcpy(p + x.n + 1, y.p, y.n);
    return (struct ft_str){p, x.n + y.n + 1};
}

static int alpaca(struct ft_rec *r, struct ft_chat *c, bool may_pair, struct ft_err *e)
{
    struct ft_json instruction, input, output, system, history;
    if (take(r, c, "instruction", FT_JSON_STRING, &instruction, e) < 0 || take(r, c, "input", FT_JSON_STRING, &input, e) < 0 ||
        take(r, c, "output", FT_JSON_STRING, &output, e) < 0 || take(r, c, "system", FT_JSON_STRING, &system, e) < 0 ||
        take(r, c, "history", FT_JSON_ARRAY, &history, e) < 0 || read_extras(r, c, true, e))
        return -1;
    const size_t past = history.type == FT_JSON_ARRAY ? history.n : 0, lead = system.s.n > 0;
    struct ft_json all = ft_json_new_array(r->mem, lead + 2 * past + 2);
    size_t n = 0;
    if (lead)
        all.items[n++] = ft_json_message(r->mem, "system", system.s);
    for (size_t i = 0; i < past; i++) {
        const struct ft_json *h = &history.items[i];
        if (h->type != FT_JSON_ARRAY || h->n != 2 || h->items[0].type != FT_JSON_STRING || h->items[1].type != FT_JSON_STRING)
            return ft_fail(e, FT_DATA, "history[%zu] is not a pair of strings", i);
        all.items[n++] = ft_json_message(r->mem, "user", h->items[0].s);
        all.items[n++] = ft_json_message(r->mem, "assistant", h->items[1].s);
    }
    const struct ft_str question = join(r->mem, instruction.s, input.s);
    if (!question.n)
        return ft_fail(e, FT_DATA, "\"instruction\" and \"input\" are empty");
    all.items[n++] = ft_json_message(r->mem, "user", question);
    if (may_pair && has(r, "chosen") && has(r, "rejected")) {
        c->kind = FT_CHAT_PAIR;
        c->prompt = ft_json_slice(&all, 0, n);
        return branch(r, c, "chosen", &c->chosen, e) || branch(r, c, "rejected", &c->rejected, e) ? -1 : 0;
    }
    if (output.type != FT_JSON_STRING)
        return ft_rec_missing(r, "output", e);
    all.items[n++] = ft_json_message(r->mem, "assistant", output.s);
    all.n = n;
    if (is_bool(type_of(r, "kto_tag")) || is_bool(type_of(r, "label")))
        return unpaired(r, c, &all, is_bool(type_of(r, "kto_tag")) ? "kto_tag" : "label", e);
    c->kind = FT_CHAT_MESSAGES;
    c->messages = all;
    return 0;
}

/* ---- correction pairs ---- */

static const char *const bad_names[] = {"bad", "wrong", "incorrect", "original"};
static const char *const good_names[] = {"corrected", "correct", "correction", "fixed"};

/* The one of the names that the record has as a string; NULL for none or several. */
static const char *only_one(struct ft_rec *r, const char *const *v, size_t n)
{
    const char *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (type_of(r, v[i]) == FT_JSON_STRING) {
            found = v[i];
            count++;
        }
    return count == 1 ? found : NULL;
}

/* The names of a correction pair; false: the record is none. */
static bool correction_names(struct ft_rec *r, const char **bad, const char **good)
{
    *bad = only_one(r, bad_names, sizeof bad_names / sizeof *bad_names);
    *good = only_one(r, good_names, sizeof good_names / sizeof *good_names);
    return *bad && *good;
}

static int correction(struct ft_rec *r, struct ft_chat *c, const char *bad, const char *good, struct ft_err *e)
{
    struct ft_json x, y, system;
    if (take(r, c, bad, FT_JSON_STRING, &x, e) < 0 || take(r, c, good, FT_JSON_STRING, &y, e) < 0 ||
        take(r, c, "system", FT_JSON_STRING, &system, e) < 0 || read_extras(r, c, true, e))
        return -1;
    if (!x.s.n)
        return ft_fail(e, FT_DATA, "member \"%s\" is empty", bad);
    size_t n = 0;
    c->kind = FT_CHAT_MESSAGES;
    c->messages = ft_json_new_array(r->mem, 3);
    if (system.s.n)
        c->messages.items[n++] = ft_json_message(r->mem, "system", system.s);
    c->messages.items[n++] = ft_json_message(r->mem, "user", x.s);
    c->messages.items[n++] = ft_json_message(r->mem, "assistant", y.s);
    c->messages.n = n;
    return 0;
}

/* ---- strings as conversations (--as-chat) ---- */

/* "\n\nHuman: ...\n\nAssistant: ...", the form of Anthropic's data. 1, or 0 when it
 * is no such transcript. */
static int transcript(struct ft_rec *r, struct ft_str s, struct ft_json *out)
{
    static const struct {
        struct ft_str mark;
        const char *role;
    } marks[] = {{FT_STR("\n\nHuman:"), "user"}, {FT_STR("\n\nAssistant:"), "assistant"}};
    size_t n = 0, cap = 0, at = 0;
    const char *role = NULL;
    struct ft_json v = {.type = FT_JSON_ARRAY};
    if (!ft_str_starts(s, marks[0].mark))
        return 0;
    for (size_t i = 0; i <= s.n; i++) {
        const struct ft_str rest = {s.p + i, s.n - i};
        size_t k = 0;
        while (k < 2 && !ft_str_starts(rest, marks[k].mark))
            k++;
        if (k == 2 && i < s.n)
            continue;
        if (role) {
            if (n == cap) {
                struct ft_json *more = FT_NEWS(r->mem, struct ft_json, cap = cap ? cap * 2 : 8);
                if (n)
                    memcpy(more, v.items, n * sizeof *more);
                v.items = more;
            }
            if (at < i && s.p[at] == ' ')
                at++;
            v.items[n++] = ft_json_message(r->mem, role, (struct ft_str){s.p + at, i - at});
        }
        if (k == 2)
            break;
        role = marks[k].role;
        i += marks[k].mark.n - 1;
        at = i + 1;
    }
    v.n = n;
    *out = v;
    return 1;
}

static void as_messages(struct ft_rec *r, const char *role, const struct ft_json *v, struct ft_json *out)
{
    if (!transcript(r, v->s, out))
        *out = one(r->mem, ft_json_message(r->mem, role, v->s));
}

/* ---- TRL's formats ---- */

enum { PROMPT = 1, COMPLETION = 2, CHOSEN = 4, REJECTED = 8, MESSAGES = 16, LABEL = 32 };
static const struct ft_str trl_keys[] = {FT_STR("prompt"), FT_STR("completion"), FT_STR("chosen"), FT_STR("rejected"), FT_STR("messages"), FT_STR("label")};

/* false: TRL's i-th member is not there, without a look. */
static inline bool may_have(const struct ft_rec *r, unsigned i) { return r->names & ft_rec_name_bit(trl_keys[i]); }

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

/* Is `key` one of the comma-separated names? */
static bool listed(const char *list, const char *key)
{
    const size_t n = strlen(key);
    for (const char *p = list;; p++) {
        if (!strncmp(p, key, n) && (p[n] == ',' || !p[n]))
            return true;
        if (!(p = strchr(p, ',')))
            return false;
    }
}

static int trl(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *c, struct ft_err *e)
{
    struct ft_json *to[] = {&c->prompt, &c->completion, &c->chosen, &c->rejected, &c->messages};
    static const char *const role[] = {"user", "assistant", "assistant", "assistant", ""};
    unsigned keys = 0, strings = 0, arrays = 0;
    for (unsigned i = 0; i < 6; i++) {
        const char *const key = trl_keys[i].p;
        struct ft_str raw;
        enum ft_json_type t = FT_JSON_NULL;
        const int k = may_have(r, i) ? ft_rec_find(r, key, &raw, &t, NULL) : 0;
        if (!k || (k > 0 && t == FT_JSON_NULL))
            continue;
        if (rules->use && !listed(rules->use, key)) {
            consume(c, key);
            continue;
        }
        keys |= 1u << i;
        if (1u << i == LABEL)
            continue;
        if (k < 0)
            return ft_rec_find(r, key, &raw, &t, e);
        if (1u << i == MESSAGES && t != FT_JSON_ARRAY)
            return ft_fail(e, FT_DATA, "member \"messages\" is not an array");
        if (t == FT_JSON_STRING)
            strings |= 1u << i;
        else if (t == FT_JSON_ARRAY)
            arrays |= 1u << i;
        else
            return ft_fail(e, FT_DATA, "member \"%s\" is neither a string nor messages", key);
    }
    if (!arrays && !(rules->as_chat && strings))
        return c->kind = FT_CHAT_PASS, 0;
    if (arrays && strings)
        return ft_fail(e, FT_DATA, "some of the members are strings and some are messages (--use chooses)");
    for (unsigned i = 0; i < 5; i++) {
        struct ft_json v;
        if (!(keys & 1u << i))
            continue;
        if (ft_rec_value(r, trl_keys[i].p, &v, e) < 0)
            return -1;
        if (arrays && v.n && ft_json_get(&v.items[0], "from") && ft_json_get(&v.items[0], "value"))
            ft_rec_count(r, "messages_of_from_and_value", 1); /* rendered as transformers does; --map conversations=messages reads them */
        if (arrays)
            *to[i] = v;
        else
            as_messages(r, role[i], &v, to[i]);
    }
    if (read_extras(r, c, false, e))
        return -1;
    switch (keys) {
    case MESSAGES:
        consume(c, "messages");
        return c->kind = FT_CHAT_MESSAGES, 0;
    case PROMPT:
        return c->kind = FT_CHAT_PROMPT, 0;
    case PROMPT | COMPLETION:
    case PROMPT | COMPLETION | LABEL:
        return c->kind = FT_CHAT_COMPLETION, 0;
    case PROMPT | CHOSEN | REJECTED:
        return c->kind = FT_CHAT_PAIR, 0;
    case CHOSEN | REJECTED:
        return c->kind = FT_CHAT_IMPLICIT, 0;
    case MESSAGES | LABEL:
        if (is_bool(type_of(r, "label"))) {
            const struct ft_json all = c->messages;
            consume(c, "messages");
            return unpaired(r, c, &all, "label", e);
        }
        break;
    default:
        break;
    }
    struct ft_buf b = {0};
    for (unsigned i = 0; i < 6; i++)
        if (keys & 1u << i)
            ft_buf_printf(&b, "%s%s", b.n ? ", " : "", trl_keys[i].p);
    const int k = ft_fail(e, FT_DATA, keys & (keys - 1) ? "the members %.*s together are no format (--use chooses)" : "member \"%.*s\" alone is no format",
                          (int)b.n, b.p);
    ft_buf_release(&b);
    return k;
}

/* ---- all ---- */

static bool is_system(const struct ft_json *m)
{
    const struct ft_json *role = ft_json_get(m, "role");
    return role && role->type == FT_JSON_STRING && (ft_str_is(role->s, "system") || ft_str_is(role->s, "developer"));
}

static void add_system(struct ft_rec *r, struct ft_str text, struct ft_json *v)
{
    if (v->type != FT_JSON_ARRAY || !v->n || is_system(&v->items[0]))
        return;
    const struct ft_json lead = one(r->mem, ft_json_message(r->mem, "system", text));
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
        return trl(r, rules, c, e);
    case FT_FROM_SHAREGPT:
        return sharegpt(r, c, e);
    case FT_FROM_ALPACA:
        return alpaca(r, c, false, e);
    case FT_FROM_CORRECTION:
        if (!correction_names(r, &bad, &good))
            return ft_fail(e, FT_DATA, "no correction pair: wants one of bad, wrong, incorrect, original and one of "
                           "corrected, correct, correction, fixed");
        return correction(r, c, bad, good, e);
    case FT_FROM_AUTO:
        break;
    }
    if (has(r, "messages"))
        return trl(r, rules, c, e);
    if (has(r, "conversations"))
        return sharegpt(r, c, e);
    if (type_of(r, "instruction") == FT_JSON_STRING && (has(r, "output") || has(r, "chosen")))
        return alpaca(r, c, true, e);
    for (unsigned i = 0; i < 4; i++)
        if (may_have(r, i) && has(r, trl_keys[i].p))
            return trl(r, rules, c, e);
    if (correction_names(r, &bad, &good))
        return correction(r, c, bad, good, e);
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
    if (out->kind == FT_CHAT_PASS && rules->extract_prompt && type_of(r, "chosen") == FT_JSON_STRING &&
        type_of(r, "rejected") == FT_JSON_STRING && !ft_rec_has(r, "prompt") && extract_text(r, e))
        return -1;
    if (rules->system.p) {
        struct ft_json *v[] = {&out->messages, &out->prompt, &out->chosen, &out->rejected};
        for (int i = 0; i < (out->kind == FT_CHAT_IMPLICIT ? 4 : 2); i++)
            add_system(r, rules->system, v[i]);
    }
    return 0;
}
