/* Alpaca, and correction pairs: one question, one answer. */
#include "templates/chat_input_priv.h"

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

int ft_chat_alpaca(struct ft_rec *r, struct ft_chat *c, bool may_pair, struct ft_err *e)
{
    struct ft_json instruction, input, output, system, history;
    if (ft_chat_take(r, c, "instruction", FT_JSON_STRING, &instruction, e) < 0 || ft_chat_take(r, c, "input", FT_JSON_STRING, &input, e) < 0 ||
        ft_chat_take(r, c, "output", FT_JSON_STRING, &output, e) < 0 || ft_chat_take(r, c, "system", FT_JSON_STRING, &system, e) < 0 ||
        ft_chat_take(r, c, "history", FT_JSON_ARRAY, &history, e) < 0 || ft_chat_extras(r, c, true, e))
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
    if (may_pair && ft_chat_has(r, "chosen") && ft_chat_has(r, "rejected")) {
        c->kind = FT_CHAT_PAIR;
        c->prompt = ft_json_slice(&all, 0, n);
        return ft_chat_branch(r, "chosen", &c->chosen, e) || ft_chat_branch(r, "rejected", &c->rejected, e) ? -1 : 0;
    }
    if (output.type != FT_JSON_STRING)
        return ft_rec_missing(r, "output", e);
    all.items[n++] = ft_json_message(r->mem, "assistant", output.s);
    all.n = n;
    if (ft_chat_is_bool(ft_chat_type(r, "kto_tag")) || ft_chat_is_bool(ft_chat_type(r, "label")))
        return ft_chat_unpaired(r, c, &all, ft_chat_is_bool(ft_chat_type(r, "kto_tag")) ? "kto_tag" : "label", e);
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
        if (ft_chat_type(r, v[i]) == FT_JSON_STRING) {
            found = v[i];
            count++;
        }
    return count == 1 ? found : NULL;
}

bool ft_chat_correction_names(struct ft_rec *r, const char **bad, const char **good)
{
    *bad = only_one(r, bad_names, sizeof bad_names / sizeof *bad_names);
    *good = only_one(r, good_names, sizeof good_names / sizeof *good_names);
    return *bad && *good;
}

int ft_chat_correction(struct ft_rec *r, struct ft_chat *c, const char *bad, const char *good, struct ft_err *e)
{
    struct ft_json x, y, system;
    if (ft_chat_take(r, c, bad, FT_JSON_STRING, &x, e) < 0 || ft_chat_take(r, c, good, FT_JSON_STRING, &y, e) < 0 ||
        ft_chat_take(r, c, "system", FT_JSON_STRING, &system, e) < 0 || ft_chat_extras(r, c, true, e))
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
