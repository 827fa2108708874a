#include "tokenizer/train_texts.h"

static void add_text(struct ft_rec *r, struct tk_texts *t, struct ft_str s)
{
    if (t->n == t->cap) {
        struct ft_str *v = FT_NEWS(r->mem, struct ft_str, t->cap * 2 + 8);
        if (t->n)
            memcpy(v, t->v, t->n * sizeof *v);
        t->v = v;
        t->cap = t->cap * 2 + 8;
    }
    t->v[t->n++] = s;
}

/* The texts of a message's content: a string, or parts that have a text. */
static int content(struct ft_rec *r, struct tk_texts *t, const struct ft_json *c)
{
    if (!c || c->type == FT_JSON_NULL)
        return 0;
    if (c->type == FT_JSON_STRING) {
        add_text(r, t, c->s);
        return 0;
    }
    if (c->type != FT_JSON_ARRAY)
        return -1;
    for (size_t i = 0; i < c->n; i++) {
        const struct ft_json *text = c->items[i].type == FT_JSON_STRING ? &c->items[i] : ft_json_get(&c->items[i], "text");
        if (text && text->type == FT_JSON_STRING)
            add_text(r, t, text->s);
    }
    return 0;
}

static int message(struct ft_rec *r, struct tk_texts *t, const struct ft_json *m)
{
    if (m->type == FT_JSON_STRING) {
        add_text(r, t, m->s);
        return 0;
    }
    return m->type != FT_JSON_OBJECT || content(r, t, ft_json_get(m, "content")) ||
                   content(r, t, ft_json_get(m, "reasoning_content")) || content(r, t, ft_json_get(m, "value"))
               ? -1
               : 0;
}

/* A member that is a string, a message or a list of them: 1, 0 when absent or
 * null, -1. */
static int member(struct ft_rec *r, const char *key, struct tk_texts *t, struct ft_err *e)
{
    struct ft_json v;
    const int k = ft_rec_value(r, key, &v, e);
    if (k <= 0 || v.type == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    int bad = 0;
    if (v.type == FT_JSON_ARRAY)
        for (size_t i = 0; i < v.n; i++)
            bad |= message(r, t, &v.items[i]);
    else
        bad = message(r, t, &v);
    if (bad)
        return ft_fail_at(e, FT_DATA, (uint64_t)(v.raw.p - r->line.p) + 1, "member \"%s\" is neither a string nor messages", key);
    return 1;
}

static int members(struct ft_rec *r, const char *const *names, size_t n, struct tk_texts *t, struct ft_err *e)
{
    int any = 0;
    for (size_t i = 0; i < n; i++) {
        const int k = member(r, names[i], t, e);
        if (k < 0)
            return -1;
        any |= k;
    }
    return any;
}

int tk_texts_of(struct ft_rec *r, const char *const *names, size_t n_names, struct tk_texts *t, struct ft_err *e)
{
    static const char *const text[] = {"text"}, *const alpaca[] = {"instruction", "input", "output"};
    static const char *const chats[] = {"messages", "conversations", "prompt", "completion", "chosen", "rejected"};
    if (n_names) {
        const int any = members(r, names, n_names, t, e);
        return any ? -(any < 0) : ft_rec_missing(r, names[0], e);
    }
    int any = members(r, text, 1, t, e);
    if (!any)
        any = members(r, chats, sizeof chats / sizeof *chats, t, e);
    if (!any && ft_rec_has(r, "instruction"))
        any = members(r, alpaca, 3, t, e);
    if (any)
        return any < 0 ? -1 : 0;
    return ft_fail_at(e, FT_DATA, 1, "no member \"text\", \"messages\" or \"prompt\": '--field' names the members to learn from");
}
