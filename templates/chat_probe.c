#include "templates/chat_probe.h"

#include <stdlib.h>

#include "templates/chat_json.h"
#include "templates/chat_special.h"
#include "templates/chat_text.h"

enum { NEAR = 16 }; /* messages that are near a place */

struct ft_probe {
    const struct ft_learn_rules *rules;
    struct ft_facts *facts;
    struct ft_render *render;
    struct ft_buf room;
};

struct ft_probe *ft_probe_new(const struct ft_learn_rules *rules)
{
    struct ft_probe *p = ft_calloc(1, sizeof *p);
    p->rules = rules;
    p->facts = ft_facts_new();
    p->render = ft_render_new();
    return p;
}

void ft_probe_free(struct ft_probe *p)
{
    if (!p)
        return;
    ft_render_free(p->render);
    ft_facts_free(p->facts);
    ft_buf_release(&p->room);
    free(p);
}

void ft_probe_begin(struct ft_probe *p) { ft_facts_begin(p->facts); }
struct ft_facts *ft_probe_facts(struct ft_probe *p) { return p->facts; }

static struct ft_str keep(struct ft_arena *a, struct ft_str s)
{
    return (struct ft_str){ft_arena_dup(a, s.p ? s.p : "", s.n), s.n};
}

static struct ft_str role_of(const struct ft_json *m)
{
    const struct ft_json *v = ft_json_get(m, "role");
    return v && v->type == FT_JSON_STRING ? v->s : (struct ft_str){0};
}

/* ---- prompts ---- */

size_t ft_span_behind(const struct ft_chat_span *v, size_t n, size_t byte)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (v[mid].end > byte)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

size_t ft_said(const struct ft_chat_span *v, size_t n, int32_t to, size_t before, int32_t *who)
{
    size_t end = 0;
    *who = -1;
    for (size_t i = ft_span_behind(v, n, before); i-- > 0 && *who < 0;)
        if (!v[i].is_role && v[i].message < to) {
            end = end ? end : v[i].end;
            *who = v[i].message;
        }
    return end;
}

/* Renders `messages` as they would stand at this point of the chat. */
static int render(struct ft_probe *p, const struct ft_chat_call *call, const struct ft_json *messages, bool prompt,
                  struct ft_arena *a, struct ft_rendered *x)
{
    struct ft_chat_call q = *call;
    struct ft_err e = {0};
    q.messages = messages;
    q.continue_field = (struct ft_str){0};
    q.fixed = true;
    q.spans = true;
    q.generation_prompt = prompt;
    return ft_chat_render(p->render, &q, a, x, &e);
}

static void learn_prompt(struct ft_probe *p, const struct ft_chat_call *call, size_t to, struct ft_arena *a,
                         struct ft_arena *mem, struct ft_prompt *out)
{
    const struct ft_json before = ft_json_slice(call->messages, 0, to);
    struct ft_rendered x;
    struct ft_chat_span *spans;
    int32_t who;
    if (render(p, call, &before, true, a, &x))
        return;
    const size_t n = ft_chat_spans(p->render, &x, &before, call->vars, call->nvars, a, &spans);
    const size_t end = ft_said(spans, n, (int32_t)to, x.text.n, &who);
    out->tail = keep(mem, ft_cut(x.text, end, x.text.n)); /* x is of the state, which renders again */
    out->known = true;
    if (!render(p, call, &before, false, a, &x) && x.text.n >= end)
        out->closing = ft_common(out->tail, ft_cut(x.text, end, x.text.n));
}

const struct ft_prompt *ft_probe_prompt(struct ft_probe *p, const struct ft_chat_call *call, size_t from, size_t to,
                                        struct ft_arena *a)
{
    struct ft_arena *mem;
    bool fresh;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_RANGE, 'p', from, to, (struct ft_str){0}, a, &mem, &fresh);
    if (fresh && to)
        learn_prompt(p, call, to, a, mem, &f->prompt);
    return &f->prompt;
}

const struct ft_prompt *ft_probe_plain_prompt(struct ft_probe *p, const struct ft_chat_call *call, struct ft_arena *a)
{
    struct ft_arena *mem;
    bool fresh;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_CALL, 'q', 0, 0, (struct ft_str){0}, a, &mem, &fresh);
    if (fresh) {
        struct ft_json probe = ft_json_new_array(a, 1);
        struct ft_chat_call q = *call;
        probe.items[0] = ft_json_message(a, "user", FT_STR("x"));
        q.messages = &probe;
        learn_prompt(p, &q, 1, a, mem, &f->prompt);
    }
    return &f->prompt;
}

struct ft_str ft_prompt_text(const struct ft_prompt *p) { return ft_cut(p->tail, p->closing, p->tail.n); }

size_t ft_probe_owned(struct ft_probe *p, const struct ft_chat_call *call, size_t from, size_t to, struct ft_str tail,
                      struct ft_arena *a)
{
    struct ft_arena *mem;
    bool fresh;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_RANGE, 'o', from, to, (struct ft_str){0}, a, &mem, &fresh);
    if (fresh) {
        struct ft_json all = ft_json_new_array(a, to + 1);
        struct ft_rendered x;
        struct ft_chat_span *spans;
        int32_t who;
        memcpy(all.items, call->messages->items, to * sizeof *all.items);
        all.items[to] = all.items[to - 1];
        if (render(p, call, &all, false, a, &x))
            return 0;
        const size_t n = ft_chat_spans(p->render, &x, &all, call->vars, call->nvars, a, &spans);
        size_t limit = x.text.n;
        for (size_t i = n; i-- > 0;)
            if (!spans[i].is_role && spans[i].message == (int32_t)to)
                limit = spans[i].begin;
        f->text = keep(mem, ft_cut(x.text, ft_said(spans, n, (int32_t)to, limit, &who), limit));
    }
    return ft_whole(tail, ft_common(tail, f->text));
}

/* The end of what is said before message `to`, as it should be: before the next message says anything. */
static size_t said_before(const struct ft_chat_span *v, size_t n, size_t to, size_t text, int32_t *who)
{
    size_t k = 0;
    while (k < n && (v[k].is_role || v[k].message <= (int32_t)to))
        k++;
    return ft_said(v, n, (int32_t)to, k < n ? v[k].begin : text, who);
}

bool ft_probe_bare_prompt(struct ft_probe *p, const struct ft_chat_call *call, size_t to, struct ft_str text,
                          const struct ft_chat_span *spans, size_t n_spans, int *budget, struct ft_arena *a, struct ft_prompt *out,
                          size_t *at)
{
    struct ft_arena *mem;
    bool fresh;
    int32_t who;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_CHAT, 'b', 0, to, (struct ft_str){0}, a, &mem, &fresh);
    const size_t from = said_before(spans, n_spans, to, text.n, &who);
    *at = from;
    /* What is said may change it after all, see ft_probe_ending. */
    if (!fresh && !f->flag && ft_common(ft_cut(text, from, text.n), f->prompt.tail) >= f->prompt.closing) {
        *out = f->prompt;
        return true;
    }
    f->flag |= fresh; /* the chat so far is to be rendered each time */
    *out = (struct ft_prompt){0};
    if (--*budget < 0) {
        if (who < 0 || to - (size_t)who > NEAR)
            return false;
        *out = *ft_probe_prompt(p, call, (size_t)who, to, a);
        return true;
    }
    const struct ft_json before = ft_json_slice(call->messages, 0, to);
    struct ft_rendered x;
    struct ft_chat_span *v;
    *at = 0;
    if (render(p, call, &before, true, a, &x))
        return true;
    const size_t n = ft_chat_spans(p->render, &x, &before, call->vars, call->nvars, a, &v);
    const size_t end = ft_said(v, n, (int32_t)to, x.text.n, &who);
    out->tail = keep(a, x.text);
    out->known = true;
    if (!render(p, call, &before, false, a, &x))
        out->closing = ft_common(out->tail, x.text);
    /* Does all that is before it stand in the chat as it does alone? Then it will in chats of this shape. */
    if (fresh && end == from && out->closing >= end && text.n >= end && !memcmp(text.p, out->tail.p, end)) {
        f->flag = false;
        f->prompt = (struct ft_prompt){true, keep(mem, ft_cut(out->tail, end, out->tail.n)), out->closing - end};
    }
    return true;
}

/* ---- what ends a message ---- */

/* Renders `messages` with nothing behind them. The text behind what message `of` says
 * in `field` (n == 0: in any); p == NULL when the template refuses. Valid until the
 * next render of the state. */
static struct ft_str tail_of(struct ft_probe *p, const struct ft_chat_call *call, const struct ft_json *messages,
                             int32_t of, struct ft_str field, struct ft_arena *a)
{
    struct ft_rendered x;
    struct ft_chat_span *spans;
    size_t end = 0, limit;
    bool said = false;
    if (render(p, call, messages, false, a, &x))
        return (struct ft_str){0};
    const size_t n = ft_chat_spans(p->render, &x, messages, call->vars, call->nvars, a, &spans);
    limit = x.text.n;
    for (size_t i = 0; i < n; i++)
        if (!spans[i].is_role && spans[i].message == of && (!field.n || ft_str_eq(spans[i].field, field))) {
            end = spans[i].end;
            said = true;
        }
    if (!said)
        return (struct ft_str){0};
    for (size_t i = n; i-- > 0;)
        if (!spans[i].is_role && spans[i].begin >= end)
            limit = spans[i].begin;
    return ft_cut(x.text, end, limit);
}

/* The chat up to message i without most of its middle: up to the first user message,
 * then what is near i, from a message on that has the role of the one left out. */
static bool shorten(const struct ft_json *messages, size_t i, struct ft_arena *a, struct ft_json *out)
{
    size_t head = 0;
    if (i < 2 * NEAR)
        return false;
    while (head < 4 && !ft_str_is(role_of(&messages->items[head]), "user"))
        head++;
    size_t w = i - NEAR;
    head++;
    while (w < i && !ft_str_eq(role_of(&messages->items[w]), role_of(&messages->items[head])))
        w++;
    if (w == i)
        return false;
    *out = ft_json_new_array(a, head + i + 1 - w);
    memcpy(out->items, messages->items, head * sizeof *out->items);
    memcpy(out->items + head, messages->items + w, (i + 1 - w) * sizeof *out->items);
    return true;
}

struct ft_str ft_probe_ending(struct ft_probe *p, const struct ft_chat_call *call, size_t i, struct ft_str field,
                              struct ft_str s, struct ft_arena *a)
{
    struct ft_arena *mem;
    bool fresh;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_RANGE, 'e', i, i + 1, field, a, &mem, &fresh);
    const struct ft_json so_far = ft_json_slice(call->messages, 0, i + 1);
    if (fresh)
        f->text = keep(mem, tail_of(p, call, &so_far, (int32_t)i, field, a));
    if (fresh || ft_str_starts(s, f->text))
        return f->text;
    /* Another text stands here, be it for what is said (numbers have no spans) or because the chat goes on:
     * then this text, in a chat of this shape, is the place. */
    struct ft_buf *const place = &p->room;
    place->n = 0;
    ft_buf_puts(place, field);
    ft_buf_putc(place, 0);
    ft_buf_puts(place, s);
    f = ft_fact(p->facts, call, FT_OF_CHAT, 'f', 0, i, ft_buf_str(place), a, &mem, &fresh);
    if (!fresh)
        return f->text;
    /* A chat of thousands of messages is not rendered thousands of times as a whole. */
    struct ft_json near;
    if (shorten(call->messages, i, a, &near)) {
        const struct ft_str t = tail_of(p, call, &near, (int32_t)near.n - 1, field, a);
        if (t.n && ft_str_starts(s, t))
            return f->text = keep(mem, t);
    }
    return f->text = keep(mem, tail_of(p, call, &so_far, (int32_t)i, field, a));
}

struct ft_json ft_probe_chat(struct ft_arena *a, bool parts)
{
    static const char *const roles[] = {"user", "assistant", "user"}, *const words[] = {"x", "y", "z"};
    struct ft_json chat = ft_json_new_array(a, 3);
    for (int i = 0; i < 3; i++) {
        chat.items[i] = ft_json_message(a, roles[i], ft_strz(words[i]));
        if (!parts)
            continue;
        struct ft_json part = ft_json_new_object(a, 2), list = ft_json_new_array(a, 1);
        part.members[0] = (struct ft_json_member){FT_STR("type"), ft_json_of_str(FT_STR("text"))};
        part.members[1] = (struct ft_json_member){FT_STR("text"), ft_json_of_str(ft_strz(words[i]))};
        list.items[0] = part;
        chat.items[i].members[1].value = list;
    }
    return chat;
}

struct ft_str ft_probe_stop(struct ft_probe *p, const struct ft_chat_call *call, struct ft_str *middle_stop, struct ft_arena *a)
{
    const struct ft_learn_rules *r = p->rules;
    struct ft_arena *mem;
    bool fresh;
    struct ft_fact *f = ft_fact(p->facts, call, FT_OF_CALL, 's', 0, 0, (struct ft_str){0}, a, &mem, &fresh);
    if (!fresh)
        return *middle_stop = f->prompt.tail, f->text;
    /* What ends an answer in the middle and at the end: a template may print more at
     * the end (phi's end-of-text), or several tokens in both places (Cohere's). */
    const struct ft_str any = {0};
    struct ft_str end = {0}, middle = {0};
    for (int parts = 0; parts < 2 && !end.p; parts++) {
        const struct ft_json probe = ft_probe_chat(a, parts), final = ft_json_slice(&probe, 0, 2);
        end = tail_of(p, call, &final, 1, any, a);
        if (end.p)
            end = keep(a, end);
        middle = tail_of(p, call, &probe, 1, any, a);
    }
    struct ft_str stop = ft_first_of(end, r->stops, r->n_stops);
    if (!stop.n)
        stop = ft_last_special(r, ft_cut(end, 0, ft_common(end, middle)));
    if (!stop.n)
        stop = ft_first_special(r, end);
    if (!stop.n)
        stop = ft_trim(end);
    f->text = keep(mem, stop);
    if (!ft_find(middle, f->text)) /* gpt-oss: another token than at the end */
        f->prompt.tail = keep(mem, ft_first_special(r, middle));
    return *middle_stop = f->prompt.tail, f->text;
}
