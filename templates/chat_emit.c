#include "templates/chat_emit.h"

#include <stdio.h>
#include <stdlib.h>

#include "templates/chat_json.h"
#include "templates/chat_spans.h"

/* Templates that records bring, the last used first. */
enum { MAX_OWN = 16 };

struct ft_chat_worker {
    struct ft_render *render;
    struct ft_turn_cache *turns;
    struct ft_chat_compiled own[MAX_OWN];
    size_t n_own;
    struct ft_buf shown; /* --explain: the record so far */
    struct ft_buf room;  /* scratch */
};

struct ft_chat_worker *ft_chat_worker_new(const struct ft_chat_emit *c)
{
    struct ft_chat_worker *w = ft_calloc(1, sizeof *w);
    w->render = ft_render_new();
    w->turns = ft_turn_cache_new(&c->setup.learn);
    return w;
}

void ft_chat_worker_free(struct ft_chat_worker *w)
{
    if (!w)
        return;
    ft_buf_release(&w->shown);
    ft_buf_release(&w->room);
    ft_render_free(w->render);
    ft_turn_cache_free(w->turns);
    for (size_t i = 0; i < w->n_own; i++)
        ft_chat_compiled_release(&w->own[i]);
    free(w);
}

/* ---- the template of a record ---- */

/* One that the record brings: a name in the model's folder, or a text. */
static int own_template(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_str text,
                        const struct ft_chat_compiled **out, struct ft_err *e)
{
    const struct ft_named *named = c->setup.model ? ft_chat_model_find(&c->setup.folder, text) : NULL;
    struct ft_chat_compiled found = {0};
    size_t i = 0;
    if (named)
        text = named->text;
    while (i < w->n_own && !ft_str_eq(ft_template_source(w->own[i].t), text))
        i++;
    if (i < w->n_own) {
        found = w->own[i];
    } else {
        if (ft_chat_compile("chat_template", text, &found, e))
            return ft_fail_in(e, "chat_template_kwargs: ");
        if (w->n_own == MAX_OWN)
            ft_chat_compiled_release(&w->own[--i]);
        else
            w->n_own++;
    }
    memmove(&w->own[1], &w->own[0], i * sizeof *w->own);
    w->own[0] = found;
    *out = &w->own[0];
    return 0;
}

static const struct ft_json *kwarg(const struct ft_chat *x, const char *name)
{
    const struct ft_json *v = x->kwargs.type == FT_JSON_OBJECT ? ft_json_get(&x->kwargs, name) : NULL;
    return v && v->type != FT_JSON_NULL ? v : NULL;
}

static const struct ft_json *tools_of(const struct ft_chat_emit *c, const struct ft_chat *x)
{
    return x->tools.type == FT_JSON_ARRAY ? &x->tools : c->setup.tools.n && !x->no_tools ? &c->setup.tools : NULL;
}

/* As transformers chooses it. */
static int template_for(const struct ft_chat_emit *c, struct ft_chat_worker *w, const struct ft_chat *x,
                        const struct ft_chat_compiled **out, struct ft_err *e)
{
    const struct ft_json *own = kwarg(x, "chat_template");
    if (own && own->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "chat_template_kwargs: chat_template is not a string");
    if (own)
        return own_template(c, w, own->s, out, e);
    const bool tools = tools_of(c, x) || kwarg(x, "tools");
    if (c->setup.tools_only && !tools)
        return ft_fail(e, FT_DATA, "no tools, and the model has no template called default: choose with --template");
    *out = c->setup.with_tools.t && tools ? &c->setup.with_tools : &c->setup.main;
    return 0;
}

static struct ft_chat_call call_for(const struct ft_chat_emit *emit, const struct ft_chat *x, const struct ft_chat_compiled *t,
                                    const struct ft_json *messages)
{
    const struct ft_chat_setup *c = &emit->setup;
    const struct ft_json *documents = x->documents.type == FT_JSON_ARRAY ? &x->documents : c->documents_file ? &c->documents : NULL;
    return (struct ft_chat_call){
        .t = t->t, .template_id = t->id, .messages = messages, .tools = tools_of(emit, x), .documents = documents,
        .kwargs = x->kwargs.type == FT_JSON_OBJECT ? &x->kwargs : NULL, .vars = c->vars, .nvars = c->nvars,
        .keep_nulls = c->nulls == FT_NULLS_KEEP, .now = &c->now};
}

/* ---- rendering ---- */

static struct ft_str keep(struct ft_rec *r, struct ft_str s)
{
    return (struct ft_str){ft_arena_dup(r->mem, s.p ? s.p : "", s.n), s.n};
}

/* A chat rendered: its text (in the record's memory), and where it is from. */
struct seen {
    struct ft_rendered x; /* of the worker's state, but for the text */
    struct ft_chat_span *spans;
    size_t n;
    const struct ft_chat_controls *controls;
    struct ft_buf *room; /* the worker's */
};

static int render(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat_compiled *t,
                  struct ft_chat_call *call, struct seen *out, struct ft_err *e)
{
    call->spans = true;
    if (ft_chat_render(w->render, call, r->mem, &out->x, e)) {
        if (e->rest)
            e->rest = ft_arena_dup(r->mem, e->rest, strlen(e->rest));
        return -1;
    }
    if (out->x.text.n > UINT32_MAX)
        return ft_fail(e, FT_DATA, "the rendered chat is of 4 GiB or more");
    out->n = ft_chat_spans(w->render, &out->x, call->messages, c->setup.vars, c->setup.n_trusted, r->mem, &out->spans);
    out->controls = &t->controls;
    out->room = &w->room;
    return 0;
}

/* The same, to be kept over the next render. */
static int render_kept(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat_compiled *t,
                       struct ft_chat_call *call, struct seen *out, struct ft_err *e)
{
    if (render(c, w, r, t, call, out, e))
        return -1;
    out->x.text = keep(r, out->x.text);
    return 0;
}

/* The longest common prefix that ends between characters: TRL's rule for what is the
 * prompt of a chat rendered whole. */
static struct ft_str common(struct ft_str x, struct ft_str y)
{
    size_t i = 0;
    while (i < x.n && i < y.n && x.p[i] == y.p[i])
        i++;
    while (i && ((i < x.n && ((unsigned char)x.p[i] & 0xc0) == 0x80) || (i < y.n && ((unsigned char)y.p[i] & 0xc0) == 0x80)))
        i--;
    return (struct ft_str){x.p, i};
}

static int render_prompt(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                         const struct ft_chat_compiled *t, struct seen *out, struct ft_err *e)
{
    const struct ft_json *role = x->prompt.n ? ft_json_get(&x->prompt.items[x->prompt.n - 1], "role") : NULL;
    struct ft_chat_call call = call_for(c, x, t, &x->prompt);
    if (!x->prompt.n)
        return ft_fail(e, FT_DATA, "\"prompt\" is empty");
    if (!role || role->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "prompt[%zu] has no role", x->prompt.n - 1);
    call.fixed = true;
    if (ft_str_is(role->s, "user") || ft_str_is(role->s, "tool"))
        call.generation_prompt = true;
    else if (ft_str_is(role->s, "assistant"))
        call.continue_field = FT_STR("content");
    else
        return ft_fail(e, FT_DATA, "the prompt's last role is \"%.*s\", not user, tool or assistant",
                       (int)(role->s.n < 40 ? role->s.n : 40), role->s.p);
    return render_kept(c, w, r, t, &call, out, e);
}

/* prompt + branch, rendered whole. */
static int render_whole(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                        const struct ft_chat_compiled *t, const struct ft_json *branch, struct seen *out, struct ft_err *e)
{
    const struct ft_json all = ft_json_concat(r->mem, &x->prompt, branch);
    struct ft_chat_call call = call_for(c, x, t, &all);
    return render_kept(c, w, r, t, &call, out, e);
}

static void put_range(struct ft_buf *b, uint32_t begin, uint32_t end)
{
    char *w = ft_buf_room(b, 4 + 2 * FT_DECIMAL), *const start = w;
    if (b->p[b->n - 1] != '[')
        *w++ = ',';
    *w++ = '[';
    w = ft_put_decimal(w, begin);
    *w++ = ',';
    w = ft_put_decimal(w, end);
    *w++ = ']';
    b->n += (size_t)(w - start);
}

static inline bool has(struct ft_rec *r, const char *key) { return ft_rec_may_have(r, key) && ft_rec_has(r, key); }

/* The record with text, spans and learn, stamped: straight to `out` where it has none of these yet. */
static int write_text(struct ft_rec *r, const struct ft_chat_compiled *t, const struct seen *x, struct ft_str learn,
                      struct ft_buf *out, struct ft_err *e)
{
    if (has(r, "text") || has(r, "spans") || has(r, "learn") || has(r, "_ft")) {
        learn = keep(r, learn); /* it was in x->room */
        ft_rec_set_string(r, "text", x->x.text);
        x->room->n = 0;
        ft_chat_spans_put(x->room, x->spans, x->n, x->x.text, x->controls, r->line);
        ft_rec_set(r, "spans", keep(r, ft_buf_str(x->room)));
        ft_rec_set(r, "learn", learn);
        if (ft_rec_stamp(r, "tpl", t->digest, e))
            return -1;
        ft_rec_write(r, out);
        return 0;
    }
    struct ft_rec_tail tail = ft_rec_begin(r, out);
    ft_rec_name(&tail, out, "text");
    ft_json_put_str(out, x->x.text);
    ft_rec_name(&tail, out, "spans");
    ft_chat_spans_put(out, x->spans, x->n, x->x.text, x->controls, r->line);
    ft_rec_name(&tail, out, "learn");
    ft_buf_puts(out, learn);
    ft_rec_name(&tail, out, "_ft");
    ft_rec_put_stamp(r, out, "tpl", t->digest);
    ft_rec_end(r, &tail, out);
    return 0;
}

/* Member `key` and its spans: bytes [from, to) of what was rendered. */
static void set_piece(struct ft_rec *r, const char *key, const struct seen *x, size_t from, size_t to)
{
    struct ft_chat_span *cut = ft_arena_alloc(r->mem, (x->n + 1) * sizeof *cut);
    struct ft_buf *const b = x->room;
    char spans[32];
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++) {
        struct ft_chat_span s = x->spans[i];
        if (s.end <= from || s.begin >= to)
            continue;
        s.begin = (s.begin < from ? (uint32_t)from : s.begin) - (uint32_t)from;
        s.end = (s.end > to ? (uint32_t)to : s.end) - (uint32_t)from;
        cut[n++] = s;
    }
    ft_rec_set_string(r, key, (struct ft_str){x->x.text.p + from, to - from});
    snprintf(spans, sizeof spans, "%s_spans", key);
    b->n = 0;
    ft_chat_spans_put(b, cut, n, (struct ft_str){x->x.text.p + from, to - from}, x->controls, r->line);
    ft_rec_set(r, spans, keep(r, ft_buf_str(b)));
}

/* --explain: a text of the record, of which the turns are learnt; `part` says which text, such as "chosen: ". Of
 * `only` >= 0 just the turn of that message. */
static void explain(const struct ft_chat_emit *c, struct ft_chat_worker *w, const struct ft_rec *r, const char *part,
                    struct ft_str text, const struct ft_turn *v, size_t n, int64_t only)
{
    struct ft_buf *out = &w->shown;
    size_t at = 0, learnt = 0;
    if (!ft_explain_wants(c->shown, r->seq))
        return;
    for (size_t i = 0; i < n; i++)
        learnt += only < 0 || v[i].message == only ? v[i].end - v[i].begin : 0;
    ft_buf_printf(out, "== %s:%llu: %s%zu of %zu bytes learnt\n", r->file, (unsigned long long)r->lineno, part, learnt, text.n);
    for (size_t i = 0; i < n; i++) {
        if (only >= 0 && v[i].message != only)
            continue;
        ft_explain_put(out, (struct ft_str){text.p + at, v[i].begin - at}, false, c->in_colour);
        ft_explain_put(out, (struct ft_str){text.p + v[i].begin, v[i].end - v[i].begin}, true, c->in_colour);
        at = v[i].end;
    }
    ft_explain_put(out, (struct ft_str){text.p + at, text.n - at}, false, c->in_colour);
    if (out->p[out->n - 1] != '\n')
        ft_buf_putc(out, '\n');
}

/* The same, learnt from byte `from` on. */
static void explain_from(const struct ft_chat_emit *c, struct ft_chat_worker *w, const struct ft_rec *r, const char *part,
                         struct ft_str text, size_t from)
{
    const struct ft_turn turn = {.begin = (uint32_t)from, .end = (uint32_t)text.n};
    explain(c, w, r, part, text, &turn, from < text.n, -1);
}

static int render_split(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                        const struct ft_chat_compiled *t, struct ft_err *e)
{
    struct seen prompt, a, b;
    const bool pair = x->kind == FT_CHAT_PAIR;
    if (render_prompt(c, w, r, x, t, &prompt, e) || render_whole(c, w, r, x, t, pair ? &x->chosen : &x->completion, &a, e))
        return -1;
    size_t n = common(prompt.x.text, a.x.text).n;
    if (pair) {
        if (render_whole(c, w, r, x, t, &x->rejected, &b, e))
            return -1;
        const size_t m = common(prompt.x.text, b.x.text).n;
        n = m < n ? m : n;
    }
    explain_from(c, w, r, pair ? "chosen: " : "", a.x.text, n);
    if (pair)
        explain_from(c, w, r, "rejected: ", b.x.text, n);
    set_piece(r, "prompt", &a, 0, n);
    set_piece(r, pair ? "chosen" : "completion", &a, n, a.x.text.n);
    if (pair)
        set_piece(r, "rejected", &b, n, b.x.text.n);
    return 0;
}

static int render_implicit(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                           const struct ft_chat_compiled *t, struct ft_err *e)
{
    struct ft_chat_call a = call_for(c, x, t, &x->chosen), b = call_for(c, x, t, &x->rejected);
    struct seen y;
    if (render(c, w, r, t, &a, &y, e))
        return -1;
    set_piece(r, "chosen", &y, 0, y.x.text.n);
    explain_from(c, w, r, "chosen: ", y.x.text, y.x.text.n);
    if (render(c, w, r, t, &b, &y, e))
        return -1;
    set_piece(r, "rejected", &y, 0, y.x.text.n);
    explain_from(c, w, r, "rejected: ", y.x.text, y.x.text.n);
    return 0;
}

/* --joint: prompt and completion as text, spans and learn. */
static int render_joint(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                        const struct ft_chat_compiled *t, struct ft_buf *out, struct ft_err *e)
{
    struct seen prompt, all;
    if (render_prompt(c, w, r, x, t, &prompt, e) || render_whole(c, w, r, x, t, &x->completion, &all, e))
        return -1;
    const struct ft_turn turn = {.begin = (uint32_t)common(prompt.x.text, all.x.text).n, .end = (uint32_t)all.x.text.n};
    explain_from(c, w, r, "", all.x.text, turn.begin);
    ft_rec_remove(r, "prompt");
    ft_rec_remove(r, "completion");
    w->room.n = 0;
    ft_buf_putc(&w->room, '[');
    if (turn.begin < turn.end)
        put_range(&w->room, turn.begin, turn.end);
    ft_buf_putc(&w->room, ']');
    return write_text(r, t, &all, ft_buf_str(&w->room), out, e) ? -1 : 1;
}

/* Writes the record of messages; `only` >= 0: learnt is just the turn of that message. 1, or 0
 * when it is not to be learnt. */
static int render_messages(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x,
                           const struct ft_chat_compiled *t, const struct ft_json *messages, int64_t only, struct ft_buf *out, struct ft_err *e)
{
    struct ft_chat_call call = call_for(c, x, t, messages);
    struct seen y;
    struct ft_turn *turns;
    size_t n_turns, missed, unprompted = 0, unstopped = 0;
    call.generation_prompt = c->setup.generation_prompt;
    if (c->setup.continue_final)
        call.continue_field = c->setup.continue_field ? ft_strz(c->setup.continue_field) : FT_STR("content");
    if (render(c, w, r, t, &call, &y, e))
        return -1;
    if (ft_turns(w->turns, &call, &y.x, y.spans, y.n, r->mem, &turns, &n_turns, &missed, e))
        return -1;
    struct ft_buf *const learn = &w->room;
    learn->n = 0;
    ft_buf_putc(learn, '[');
    for (size_t i = 0; i < n_turns; i++)
        if (only < 0 || turns[i].message == only) {
            put_range(learn, turns[i].begin, turns[i].end);
            unprompted += !turns[i].prompted;
            unstopped += !turns[i].stopped;
        }
    if (only >= 0 && learn->n == 1)
        return 0;
    ft_buf_putc(learn, ']');
    explain(c, w, r, "", y.x.text, turns, n_turns, only);
    if (missed)
        ft_rec_count(r, "turns_not_looked_for", missed);
    if (unprompted)
        ft_rec_count(r, "turns_without_prompt", unprompted);
    if (unstopped)
        ft_rec_count(r, "turns_without_stop", unstopped);
    return write_text(r, t, &y, ft_buf_str(learn), out, e) ? -1 : 1;
}

/* Each learnt turn with what comes before it, a record each. */
static int split(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, const struct ft_chat *x, const struct ft_chat_compiled *t,
                 struct ft_buf *out, struct ft_err *e)
{
    int lines = 0;
    for (size_t i = 0; i < x->messages.n; i++) {
        const struct ft_json *role = ft_json_get(&x->messages.items[i], "role");
        if (!role || role->type != FT_JSON_STRING || !ft_str_is(role->s, "assistant"))
            continue;
        const struct ft_json before = ft_json_slice(&x->messages, 0, i + 1);
        const int k = render_messages(c, w, r, x, t, &before, (int64_t)i, out, e);
        if (k < 0)
            return -1;
        lines += k;
    }
    if (!lines)
        ft_rec_drop(r, "no_turn");
    return lines;
}

static void set_value(struct ft_rec *r, const char *key, const struct ft_json *v)
{
    struct ft_buf b = {0};
    ft_json_put(&b, v);
    ft_rec_set(r, key, keep(r, ft_buf_str(&b)));
    ft_buf_release(&b);
}

/* --convert: the conversation itself, in TRL's form. */
static void write_messages(struct ft_rec *r, const struct ft_chat *x)
{
    if (x->kind == FT_CHAT_MESSAGES)
        set_value(r, "messages", &x->messages);
    if (x->kind != FT_CHAT_MESSAGES && x->kind != FT_CHAT_IMPLICIT)
        set_value(r, "prompt", &x->prompt);
    if (x->kind == FT_CHAT_COMPLETION)
        set_value(r, "completion", &x->completion);
    if (x->kind == FT_CHAT_PAIR || x->kind == FT_CHAT_IMPLICIT) {
        set_value(r, "chosen", &x->chosen);
        set_value(r, "rejected", &x->rejected);
    }
    if (x->tools.type == FT_JSON_ARRAY)
        set_value(r, "tools", &x->tools);
}

static bool is_extra(const char *key)
{
    return !strcmp(key, "tools") || !strcmp(key, "documents") || !strcmp(key, "chat_template_kwargs");
}

static int emit(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    const struct ft_chat_compiled *t = NULL;
    struct ft_chat x;
    struct seen y;
    int k = 0;

    if (ft_chat_read(r, &c->setup.input, &x, e))
        return -1;
    if (x.kind == FT_CHAT_PASS) {
        ft_rec_count(r, "not_chat", 1);
        ft_rec_write(r, out);
        return 1;
    }
    for (size_t i = 0; i < x.n_consumed && !c->keep; i++)
        if (!c->convert || (!is_extra(x.consumed[i]) || (!strcmp(x.consumed[i], "tools") && x.tools.type != FT_JSON_ARRAY)))
            ft_rec_remove(r, x.consumed[i]);
    if (x.label_made) {
        const struct ft_json label = ft_json_of_bool(x.label);
        set_value(r, "label", &label);
    }
    if (c->convert) {
        write_messages(r, &x);
        ft_rec_write(r, out);
        return 1;
    }
    if (template_for(c, w, &x, &t, e))
        return -1;
    switch (x.kind) {
    case FT_CHAT_MESSAGES:
        if (c->split_turns)
            return split(c, w, r, &x, t, out, e);
        return render_messages(c, w, r, &x, t, &x.messages, -1, out, e);
    case FT_CHAT_PROMPT:
        if (!(k = render_prompt(c, w, r, &x, t, &y, e))) {
            set_piece(r, "prompt", &y, 0, y.x.text.n);
            explain_from(c, w, r, "", y.x.text, y.x.text.n);
        }
        break;
    case FT_CHAT_COMPLETION:
    case FT_CHAT_PAIR:
        if (c->joint && x.kind == FT_CHAT_COMPLETION)
            return render_joint(c, w, r, &x, t, out, e);
        k = render_split(c, w, r, &x, t, e);
        break;
    case FT_CHAT_IMPLICIT:
        k = render_implicit(c, w, r, &x, t, e);
        break;
    case FT_CHAT_PASS:
        break;
    }
    if (k || ft_rec_stamp(r, "tpl", t->digest, e))
        return -1;
    ft_rec_write(r, out);
    return 1;
}

int ft_chat_emit(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    if (!w) /* what renders nothing needs none */
        return emit(c, w, r, out, e);
    w->shown.n = 0;
    const int k = emit(c, w, r, out, e);
    if (k >= 0 && w->shown.n)
        ft_explain_row(c->shown, r->seq, &w->shown);
    return k;
}
