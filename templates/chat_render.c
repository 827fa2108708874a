#include "templates/chat_render.h"

#include "templates/chat_json.h"

static const struct ft_str tag = FT_STR("CONTINUE_FINAL_MESSAGE_TAG ");
static const char *const reasoning_fields[] = {"reasoning_content", "thinking", "reasoning"};
static const struct ft_json none = {.type = FT_JSON_NULL, .raw = {"null", 4}};

bool ft_chat_is_argument(struct ft_str name)
{
    static const char *const arguments[] = {
        "add_generation_prompt", "continue_final_message", "tools",          "documents",      "messages",
        "conversation",          "chat_template",          "tokenize",       "padding",        "truncation",
        "max_length",            "return_tensors",         "return_dict",    "tokenizer_kwargs",
        "return_assistant_tokens_mask", "sanitize_control_tokens", "processor_kwargs",
    };
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        if (ft_str_is(name, arguments[i]))
            return true;
    return false;
}

/* ---- messages ---- */

/* The first of the fields that is there and not null. */
static const struct ft_json *reasoning_of(const struct ft_json *m)
{
    for (int i = 0; i < 3; i++) {
        const struct ft_json *v = ft_json_get(m, reasoning_fields[i]);
        if (v && v->type != FT_JSON_NULL)
            return v;
    }
    return NULL;
}

/* {"thinking": r, **message, "reasoning_content": r}, without nulls unless kept. */
static struct ft_json prepare(struct ft_arena *a, const struct ft_json *m, bool keep_nulls, const struct ft_json *r)
{
    const struct ft_str thinking = FT_STR("thinking"), content = FT_STR("reasoning_content");
    struct ft_json out = ft_json_new_object(a, m->n + 2);
    size_t n = 0;
    bool placed = false;
    if (r)
        out.members[n++] = (struct ft_json_member){thinking, *r};
    for (size_t i = 0; i < m->n; i++) {
        struct ft_json_member x = m->members[i];
        if (x.value.type == FT_JSON_NULL && !keep_nulls)
            continue;
        if (r && ft_str_eq(x.key, thinking)) {
            out.members[0].value = x.value; /* its own value, in the new place */
            continue;
        }
        if (r && ft_str_eq(x.key, content)) {
            x.value = *r;
            placed = true;
        }
        out.members[n++] = x;
    }
    if (r && !placed)
        out.members[n++] = (struct ft_json_member){content, *r};
    out.n = n;
    return out;
}

static int prepare_all(const struct ft_chat_call *c, struct ft_arena *a, struct ft_json *out, struct ft_err *e)
{
    *out = *c->messages;
    bool copied = false;
    for (size_t i = 0; i < c->messages->n; i++) {
        const struct ft_json *m = &c->messages->items[i];
        bool change = false;
        if (m->type != FT_JSON_OBJECT)
            return ft_fail(e, FT_DATA, "messages[%zu] is not an object", i);
        for (size_t k = 0; k < m->n; k++) {
            const struct ft_str key = m->members[k].key;
            change |= (m->members[k].value.type == FT_JSON_NULL && !c->keep_nulls) || ft_str_is(key, "reasoning_content") ||
                      ft_str_is(key, "thinking") || ft_str_is(key, "reasoning");
        }
        if (!change)
            continue;
        if (!copied) {
            const struct ft_json empty = {.type = FT_JSON_ARRAY};
            *out = ft_json_concat(a, c->messages, &empty);
            copied = true;
        }
        out->items[i] = prepare(a, m, c->keep_nulls, reasoning_of(m));
    }
    return 0;
}

/* ---- continuing the final message ---- */

/* Python's str.isspace for the characters that strip() takes off. */
static bool space(uint32_t c)
{
    return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static struct ft_str rstrip(struct ft_str s)
{
    while (s.n) {
        size_t i = s.n - 1;
        int len;
        while (i && ((unsigned char)s.p[i] & 0xc0) == 0x80)
            i--;
        if (!space(ft_utf8_get(s.p + i, &len)))
            break;
        s.n = i;
    }
    return s;
}

static struct ft_str strip(struct ft_str s)
{
    int len;
    while (s.n && space(ft_utf8_get(s.p, &len))) {
        s.p += len;
        s.n -= (size_t)len;
    }
    return rstrip(s);
}

static struct ft_json tagged(struct ft_arena *a, struct ft_str s)
{
    char *p = ft_arena_alloc(a, s.n + tag.n + 1);
    memcpy(p, s.p, s.n);
    memcpy(p + s.n, tag.p, tag.n);
    return ft_json_of_str((struct ft_str){p, s.n + tag.n});
}

static bool in_source(const struct ft_template *t, const char *name)
{
    const struct ft_str s = ft_template_source(t);
    return memmem(s.p, s.n, name, strlen(name)) != NULL;
}

/* The last part with a text gets the tag. 1, or 0 when none has. */
static int tag_parts(struct ft_arena *a, struct ft_json *parts, struct ft_str *text, struct ft_err *e)
{
    const struct ft_json empty = {.type = FT_JSON_ARRAY};
    struct ft_json v = ft_json_concat(a, parts, &empty);
    for (size_t i = v.n; i-- > 0;) {
        const struct ft_json *old = ft_json_get(&v.items[i], "text");
        if (!old)
            continue;
        if (old->type != FT_JSON_STRING)
            return ft_fail(e, FT_DATA, "the text to continue is not a string");
        struct ft_json part = ft_json_new_object(a, v.items[i].n);
        memcpy(part.members, v.items[i].members, part.n * sizeof *part.members);
        *text = old->s;
        ft_json_get(&part, "text")->s = tagged(a, *text).s;
        ft_json_get(&part, "text")->raw = (struct ft_str){0};
        v.items[i] = part;
        *parts = v;
        return 1;
    }
    return 0;
}

/* Puts the tag into the final message. *text: what is continued. */
static int put_tag(const struct ft_chat_call *c, struct ft_str field, struct ft_arena *a, struct ft_json *messages,
                   struct ft_str *text, struct ft_err *e)
{
    const char *name = ft_str_z(a, field);
    if (!messages->n)
        return ft_fail(e, FT_DATA, "continue_final_message is set but the conversation is empty");
    const struct ft_json empty = {.type = FT_JSON_ARRAY};
    struct ft_json all = ft_json_concat(a, messages, &empty), *last = &all.items[all.n - 1];
    struct ft_json copy = ft_json_new_object(a, last->n), *value;
    memcpy(copy.members, last->members, last->n * sizeof *copy.members);
    *last = copy;
    value = ft_json_get(last, name);
    if (!value || value->type == FT_JSON_NULL)
        return ft_fail(e, FT_DATA, "continue_final_message is set but the final message has no \"%s\" to continue", name);

    const char *fields[3] = {name};
    size_t n = 1;
    if (ft_str_is(field, "reasoning_content") || ft_str_is(field, "thinking") || ft_str_is(field, "reasoning")) {
        n = 0;
        for (int i = 0; i < 3; i++) {
            const struct ft_json *v = ft_json_get(last, reasoning_fields[i]);
            if (v && ft_json_same(v, value))
                fields[n++] = reasoning_fields[i];
        }
    }
    bool accepted = false;
    for (size_t i = 0; i < n; i++)
        accepted |= in_source(c->t, fields[i]);
    if (!accepted)
        return ft_fail(e, FT_DATA, "continue_final_message is \"%s\", and the template does not read it", name);

    const struct ft_json before = *value;
    if (before.type != FT_JSON_STRING && before.type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "continue_final_message is set and \"%s\" of the final message is not text", name);
    for (size_t i = 0; i < n; i++) {
        struct ft_json *v = ft_json_get(last, fields[i]);
        int k = 1;
        *text = before.s;
        if (before.type == FT_JSON_STRING)
            *v = tagged(a, before.s);
        else
            k = tag_parts(a, v, text, e);
        if (k < 0)
            return -1;
        if (!k)
            return ft_fail(e, FT_DATA, "continue_final_message is set but the final message has no text to continue");
        v->raw = (struct ft_str){0};
    }
    *messages = all;
    return 0;
}

static int cut_at_tag(struct ft_str text, struct ft_rendered *out, struct ft_err *e)
{
    const struct ft_str bare = {tag.p, tag.n - 1}, want = strip(text);
    const char *found = NULL;
    if (!want.n || memmem(out->text.p, out->text.n, want.p, want.n))
        for (const char *p = out->text.p, *q; (q = memmem(p, (size_t)(out->text.p + out->text.n - p), bare.p, bare.n)); p = q + 1)
            found = q;
    if (!found)
        return ft_fail(e, FT_DATA, "continue_final_message is set but the final message does not appear in the rendered chat: "
                       "the template deletes or changes it");
    const size_t at = (size_t)(found - out->text.p);
    const bool whole = out->text.n - at >= tag.n && !memcmp(found, tag.p, tag.n);
    out->text.n = at;
    if (!whole) /* the tag's space was trimmed, so the message's own would have been */
        out->text = rstrip(out->text);
    return 0;
}

/* ---- the call ---- */

/* As Python sees it. */
static bool is_true(const struct ft_json *v)
{
    switch (v->type) {
    case FT_JSON_NULL:
    case FT_JSON_FALSE: return false;
    case FT_JSON_TRUE: return true;
    case FT_JSON_NUMBER: return ft_json_real(v) != 0;
    case FT_JSON_STRING: return v->s.n > 0;
    default: return v->n > 0;
    }
}

/* Arguments that chat_template_kwargs may hold besides variables. *prompt: the value
 * of add_generation_prompt, which templates may print. */
static int read_kwargs(struct ft_chat_call *c, const struct ft_json **prompt, struct ft_err *e)
{
    for (size_t i = 0; c->kwargs && i < c->kwargs->n; i++) {
        const struct ft_str key = c->kwargs->members[i].key;
        const struct ft_json *v = &c->kwargs->members[i].value;
        const bool truth = v->type == FT_JSON_TRUE, flag = truth || v->type == FT_JSON_FALSE || v->type == FT_JSON_NULL;
        if (ft_str_is(key, "add_generation_prompt") && !c->fixed) {
            *prompt = v;
            c->generation_prompt = is_true(v);
        } else if (ft_str_is(key, "continue_final_message") && !c->fixed) {
            if (!flag && v->type != FT_JSON_STRING)
                return ft_fail(e, FT_DATA, "chat_template_kwargs: continue_final_message is neither true or false nor a member's name");
            c->continue_field = truth ? FT_STR("content") : flag ? (struct ft_str){0} : v->s;
        } else if (ft_str_is(key, "tools") && !c->tools) {
            c->tools = v;
        } else if (ft_str_is(key, "documents") && !c->documents) {
            c->documents = v;
        } else if (ft_str_is(key, "messages") || ft_str_is(key, "conversation")) {
            return ft_fail(e, FT_DATA, "chat_template_kwargs: \"%.*s\" cannot be given there", (int)key.n, key.p);
        }
    }
    return 0;
}

int ft_chat_render(struct ft_render *r, const struct ft_chat_call *call, struct ft_arena *a, struct ft_rendered *out,
                   struct ft_err *e)
{
    struct ft_chat_call c = *call;
    struct ft_json messages, flag;
    struct ft_str text = {0};

    if (c.tools && c.tools->type == FT_JSON_NULL)
        c.tools = NULL;
    if (c.documents && c.documents->type == FT_JSON_NULL)
        c.documents = NULL;
    if (!c.messages->n)
        return ft_fail(e, FT_DATA, "the conversation is empty");
    const struct ft_json *prompt = NULL;
    if (read_kwargs(&c, &prompt, e) || prepare_all(&c, a, &messages, e))
        return -1;
    if (c.continue_field.n && c.generation_prompt) {
        /* Who asked for it in the record means it; an option gives way. */
        if (!call->generation_prompt || call->fixed)
            return ft_fail(e, FT_DATA, "continue_final_message and add_generation_prompt do not go together");
        c.generation_prompt = false;
    }
    if (c.continue_field.n && put_tag(&c, c.continue_field, a, &messages, &text, e))
        return -1;

    const size_t nkw = c.kwargs ? c.kwargs->n : 0;
    struct ft_var *vars = ft_arena_alloc(a, (c.nvars + nkw + 4) * sizeof *vars);
    size_t n = c.nvars;
    if (n)
        memcpy(vars, c.vars, n * sizeof *vars);
    for (size_t i = 0; i < nkw; i++)
        if (!ft_chat_is_argument(c.kwargs->members[i].key))
            vars[n++] = (struct ft_var){c.kwargs->members[i].key, &c.kwargs->members[i].value};
    flag = prompt && c.generation_prompt == is_true(prompt) ? *prompt : ft_json_of_bool(c.generation_prompt);
    struct ft_json *kept = ft_arena_alloc(a, 2 * sizeof *kept); /* they are read after this returns */
    kept[0] = messages;
    kept[1] = flag;
    vars[n++] = (struct ft_var){FT_STR("messages"), &kept[0]};
    vars[n++] = (struct ft_var){FT_STR("tools"), c.tools ? c.tools : &none};
    vars[n++] = (struct ft_var){FT_STR("documents"), c.documents ? c.documents : &none};
    vars[n++] = (struct ft_var){FT_STR("add_generation_prompt"), &kept[1]};

    const struct ft_render_args args = {.vars = vars, .nvars = n, .now = c.now, .spans = c.spans, .limits = c.limits};
    if (ft_render(r, c.t, &args, out, e))
        return -1;
    if (!c.continue_field.n)
        return 0;
    if (cut_at_tag(text, out, e))
        return -1;
    while (out->nspans && out->spans[out->nspans - 1].begin >= out->text.n)
        out->nspans--;
    return 0; /* the last span may reach behind the cut: readers bound it by the text */
}
