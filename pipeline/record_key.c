#include "pipeline/record_key.h"

#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json_canon.h"

static void add_names(struct ft_key *k, const char *list)
{
    while (*list) {
        const size_t n = strcspn(list, ",");
        if (n) {
            k->names = ft_reallocs(k->names, k->n + 1, sizeof *k->names);
            k->names[k->n++] = (struct ft_str){list, n};
        }
        list += n + (list[n] == ',');
    }
}

int ft_key_init(struct ft_key *k, const char *spec, const char *ignore, struct ft_err *e)
{
    static const char *const words[] = {"record", "text", "messages", "prompt", "response", "last-user"};

    *k = (struct ft_key){.kind = FT_KEY_MEMBERS};
    for (int i = 0; i < FT_KEY_MEMBERS; i++)
        if (!strcmp(spec, words[i]))
            k->kind = (enum ft_key_kind)i;
    if (k->kind == FT_KEY_RECORD) {
        add_names(k, FT_KEY_IGNORED);
        add_names(k, ignore ? ignore : "");
    } else if (k->kind == FT_KEY_MEMBERS) {
        add_names(k, spec);
        if (!k->n)
            return ft_fail(e, FT_USAGE, "a key without members");
    }
    return 0;
}

void ft_key_release(struct ft_key *k)
{
    free(k->names);
    ft_buf_release(&k->form);
    ft_buf_release(&k->room);
    *k = (struct ft_key){0};
}

/* ---- whole records ---- */

static struct ft_str key_name(struct ft_rec *r, size_t i)
{
    const struct ft_field *f = &r->fields[i];
    const struct ft_str s = {r->line.p + f->key.at, f->key.n};

    return f->key_escaped ? ft_json_unescape(s, r->mem) : s;
}

static bool is_ignored(const struct ft_key *k, struct ft_str name)
{
    for (size_t i = 0; i < k->n; i++)
        if (ft_str_eq(k->names[i], name))
            return true;
    return false;
}

static int put_record(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    struct ft_rec now;
    struct ft_canon_sum sum = {0};

    if (r->edits) { /* members were renamed: look at the record as it would be written */
        k->room.n = 0;
        ft_rec_write(r, &k->room);
        now = *r;
        now.line = (struct ft_str){ft_arena_dup(r->mem, k->room.p, k->room.n - 1), k->room.n - 1};
        if (ft_rec_parse(&now, e))
            return -1;
        r = &now;
    }
    for (size_t i = 0; i < r->n; i++) {
        const struct ft_str name = key_name(r, i);
        if (is_ignored(k, name))
            continue;
        for (size_t j = 0; j < i; j++)
            if (r->fields[j].key.n == r->fields[i].key.n && ft_str_eq(key_name(r, j), name))
                return ft_fail_at(e, FT_DATA, r->fields[i].key.at, "member \"%.*s\" occurs twice",
                                  (int)(name.n < 100 ? name.n : 100), name.p);
        if (r->fields[i].type != FT_JSON_NULL)
            ft_canon_add(&sum, name,
                         (struct ft_str){r->line.p + r->fields[i].value.at, r->fields[i].value.n}, &k->room);
    }
    if (!sum.n)
        return 0;
    ft_canon_put(&sum, &k->form);
    return 1;
}

/* ---- parts ---- */

/* Appends the member's value; 1, 0 when absent or null, -1. */
static int put_member(struct ft_key *k, struct ft_rec *r, const char *name, struct ft_err *e)
{
    struct ft_str raw = {0};
    enum ft_json_type type = FT_JSON_NULL;
    const int found = ft_rec_find(r, name, &raw, &type, e);

    if (found <= 0 || type == FT_JSON_NULL)
        return found < 0 ? -1 : 0;
    ft_canon(raw, &k->form);
    return 1;
}

/* The conversation as a tree: `messages`, `conversations`, or a `prompt` that
 * is a list. */
static int messages_of(struct ft_rec *r, bool prompt_too, struct ft_json *out, struct ft_err *e)
{
    const char *const names[] = {"messages", "conversations", "prompt"};

    for (int i = 0; i < 2 + prompt_too; i++) {
        const int found = ft_rec_value(r, names[i], out, e);
        if (found < 0)
            return -1;
        if (found && out->type == FT_JSON_ARRAY)
            return 1;
        if (found && i < 2)
            return ft_fail_at(e, FT_DATA, 0, "member \"%s\" is not an array", names[i]);
    }
    return 0;
}

static bool has_role(const struct ft_json *message, const char *a, const char *b, const char *c)
{
    const struct ft_json *role = ft_json_get(message, "role");

    if (!role)
        role = ft_json_get(message, "from");
    return role && role->type == FT_JSON_STRING &&
           (ft_str_is(role->s, a) || ft_str_is(role->s, b) || ft_str_is(role->s, c));
}

static bool is_answer(const struct ft_json *message)
{
    return has_role(message, "assistant", "gpt", "model");
}

static bool ends_with_answer(const struct ft_json *list)
{
    return list->n && is_answer(&list->items[list->n - 1]);
}

static void put_items(struct ft_key *k, const struct ft_json *list, size_t from, size_t to)
{
    ft_buf_putc(&k->form, 'm');
    for (size_t i = from; i < to; i++)
        ft_canon(list->items[i].raw, &k->form);
}

/* `instruction` and, unless empty, `input`. */
static int put_instruction(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    const int found = put_member(k, r, "instruction", e);
    struct ft_str input = {0};

    if (found <= 0)
        return found;
    if (ft_rec_string(r, "input", &input, e) < 0)
        return -1;
    if (input.n && put_member(k, r, "input", e) < 0)
        return -1;
    return 1;
}

static int put_tools(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    ft_buf_putc(&k->form, 'T');
    return put_member(k, r, "tools", e) < 0 ? -1 : 1;
}

static int put_messages(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    struct ft_json list;
    const int found = messages_of(r, false, &list, e);

    if (found <= 0)
        return found;
    put_items(k, &list, 0, list.n);
    return put_tools(k, r, e);
}

static int put_prompt(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    struct ft_json list;
    int found = put_member(k, r, "prompt", e);

    if (found == 0) {
        found = messages_of(r, false, &list, e);
        if (found > 0)
            put_items(k, &list, 0, list.n - ends_with_answer(&list));
    }
    if (found == 0)
        found = put_instruction(k, r, e);
    return found <= 0 ? found : put_tools(k, r, e);
}

static int put_response(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    struct ft_json list;
    int found = put_member(k, r, "completion", e), more;

    if (found)
        return found;
    found = put_member(k, r, "chosen", e);
    more = found < 0 ? -1 : put_member(k, r, "rejected", e);
    if (found < 0 || more < 0)
        return -1;
    if (found || more)
        return 1;
    found = messages_of(r, false, &list, e);
    if (found < 0)
        return -1;
    if (found) {
        if (!ends_with_answer(&list))
            return 0;
        put_items(k, &list, list.n - 1, list.n);
        return 1;
    }
    return put_member(k, r, "output", e);
}

static int put_last_user(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    struct ft_json list;
    int found = messages_of(r, true, &list, e);

    if (found < 0)
        return -1;
    for (size_t i = found ? list.n : 0; i-- > 0;)
        if (has_role(&list.items[i], "user", "human", "user")) {
            const struct ft_json *content = ft_json_get(&list.items[i], "content");
            if (!content)
                content = ft_json_get(&list.items[i], "value");
            if (!content)
                return 0;
            ft_canon(content->raw, &k->form);
            return 1;
        }
    if (found)
        return 0;
    found = put_member(k, r, "prompt", e);
    return found ? found : put_instruction(k, r, e);
}

static int put_members(struct ft_key *k, struct ft_rec *r, struct ft_err *e)
{
    char name[256];

    for (size_t i = 0; i < k->n; i++) {
        snprintf(name, sizeof name, "%.*s", (int)k->names[i].n, k->names[i].p);
        if (!ft_rec_has(r, name))
            return 0;
        const int found = put_member(k, r, name, e);
        if (found < 0)
            return -1;
        if (!found)
            ft_buf_putc(&k->form, 'n');
    }
    return 1;
}

int ft_key_find(struct ft_key *k, struct ft_rec *r, struct ft_digest *out, struct ft_err *e)
{
    int found = 0;

    k->form.n = 0;
    ft_buf_putc(&k->form, (char)('A' + k->kind));
    switch (k->kind) {
    case FT_KEY_RECORD: found = put_record(k, r, e); break;
    case FT_KEY_TEXT: found = put_member(k, r, "text", e); break;
    case FT_KEY_MESSAGES: found = put_messages(k, r, e); break;
    case FT_KEY_PROMPT: found = put_prompt(k, r, e); break;
    case FT_KEY_RESPONSE: found = put_response(k, r, e); break;
    case FT_KEY_LAST_USER: found = put_last_user(k, r, e); break;
    case FT_KEY_MEMBERS: found = put_members(k, r, e); break;
    }
    if (found > 0)
        *out = ft_hash128(k->form.p, k->form.n);
    return found;
}

int ft_key_of(struct ft_key *k, struct ft_rec *r, struct ft_digest *out, struct ft_err *e)
{
    static const char *const wanted[] = {
        [FT_KEY_RECORD] = "no member besides ids and metadata",
        [FT_KEY_TEXT] = "no member \"text\"",
        [FT_KEY_MESSAGES] = "no member \"messages\"",
        [FT_KEY_PROMPT] = "no prompt: no member \"prompt\", \"messages\" or \"instruction\"",
        [FT_KEY_RESPONSE] = ("no response: no member \"completion\", \"chosen\" or \"output\", no answer at the end of "
                             "\"messages\""),
        [FT_KEY_LAST_USER] = "nothing that a user said: no such message, no \"prompt\", no \"instruction\"",
    };
    const int found = ft_key_find(k, r, out, e);
    char name[256];

    if (found)
        return found < 0 ? -1 : 0;
    if (k->kind != FT_KEY_MEMBERS)
        return ft_fail_at(e, FT_DATA, 1, "%s", wanted[k->kind]);
    for (size_t i = 0; i < k->n; i++) {
        snprintf(name, sizeof name, "%.*s", (int)k->names[i].n, k->names[i].p);
        if (!ft_rec_has(r, name))
            break;
    }
    return ft_rec_missing(r, name, e);
}
