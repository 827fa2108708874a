#include "templates/chat_spans.h"

#include <stdio.h>
#include <stdlib.h>

#include "templates/chat_text.h"

static struct ft_str field_name(const struct ft_leaf_place *p, struct ft_arena *a)
{
    if (p->message < 0)
        return p->var;
    if (p->part < 0 || !ft_str_is(p->field, "content"))
        return p->field;
    const size_t room = p->field.n + p->part_field.n + 32;
    char *s = ft_arena_alloc(a, room);
    const int n = snprintf(s, room, "%.*s[%lld]%s%.*s", (int)p->field.n, p->field.p, (long long)p->part,
                           p->part_field.n ? "." : "", (int)p->part_field.n, p->part_field.p ? p->part_field.p : "");
    return (struct ft_str){s, (size_t)n};
}

static bool is_trusted(const struct ft_leaf_place *p, const struct ft_var *trusted, size_t n)
{
    /* the special tokens, also where chat_template_kwargs gives them */
    static const char *const tokens[] = {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        if (ft_str_is(p->var, tokens[i]))
            return true;
    for (size_t i = 0; i < n; i++)
        if (ft_str_eq(trusted[i].name, p->var))
            return true;
    return false;
}

/* A role that is a word is no danger, and often part of a token: <|user|>. */
static bool is_word(struct ft_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
            return false;
    return true;
}

/* Which leaves were printed before: a bit each, made when a first tool call is met. */
struct printed {
    uint64_t *bits;
    size_t upto; /* spans before this one are in */
};

/* Was the leaf of span i printed before? i grows from call to call. */
static bool was_printed(struct printed *p, const struct ft_rendered *x, size_t i, struct ft_arena *a)
{
    if (!p->bits) {
        uint32_t most = 0;
        for (size_t k = 0; k < x->nspans; k++)
            most = x->spans[k].leaf > most ? x->spans[k].leaf : most;
        p->bits = ft_arena_alloc(a, (most / 64 + 1) * sizeof *p->bits);
        memset(p->bits, 0, (most / 64 + 1) * sizeof *p->bits);
    }
    for (; p->upto < i; p->upto++)
        p->bits[x->spans[p->upto].leaf / 64] |= (uint64_t)1 << x->spans[p->upto].leaf % 64;
    return p->bits[x->spans[i].leaf / 64] >> x->spans[i].leaf % 64 & 1;
}

size_t ft_chat_spans(struct ft_render *r, const struct ft_rendered *x, const struct ft_json *messages,
                     const struct ft_var *trusted, size_t n_trusted, struct ft_arena *a, struct ft_chat_span **out)
{
    struct ft_chat_span *v = ft_arena_alloc(a, (x->nspans + 1) * sizeof *v);
    struct printed printed = {0};
    struct ft_str role = FT_STR(""); /* of message `of` */
    int64_t of = -1;
    /* The member of v[n - 1] where more of it may come as other leaves; a variable passed over. */
    uint32_t last_top = 0, passed = 0;
    size_t n = 0;
    for (size_t i = 0; i < x->nspans; i++) {
        const struct ft_text_span *s = &x->spans[i];
        const size_t end = s->end < x->text.n ? s->end : x->text.n;
        const uint32_t flags = FT_CHAT_UNTRUSTED | (s->flags & (FT_SPAN_CHANGED | FT_SPAN_STRUCT) ? FT_CHAT_CHANGED : 0);
        struct ft_leaf_place place;
        if (s->begin >= end || (passed && s->leaf == passed))
            continue;
        if (last_top && v[n - 1].end == s->begin && last_top == ft_leaf_top(r, s->leaf)) {
            v[n - 1].end = (uint32_t)end;
            v[n - 1].flags |= flags;
            v[n - 1].repeated = false;
            continue;
        }
        last_top = 0;
        ft_leaf_where(r, s->leaf, &place);
        if (place.message < 0 && is_trusted(&place, trusted, n_trusted)) {
            passed = s->leaf;
            continue;
        }
        struct ft_chat_span t = {.begin = (uint32_t)s->begin, .end = (uint32_t)end, .message = (int32_t)place.message, .part = -1, .flags = flags};
        if (!place.whole) {
            if (place.message < 0 || !ft_str_is(place.field, "content"))
                last_top = ft_leaf_top(r, s->leaf);
            else
                t.part = (int32_t)place.part;
        }
        struct ft_chat_span *last = n ? &v[n - 1] : NULL;
        /* same field of the same message, right behind */
        if (last && last->end == t.begin && last->message == t.message && last->part == t.part &&
            (t.part >= 0 ? place.part_field.n == 0 || (last->field.n > place.part_field.n &&
                           !memcmp(last->field.p + last->field.n - place.part_field.n, place.part_field.p, place.part_field.n))
                         : ft_str_eq(last->field, t.message < 0 ? place.var : place.field))) {
            last->end = t.end;
            last->flags |= t.flags;
            last->repeated = false;
            continue;
        }
        t.field = field_name(&place, a);
        t.role = FT_STR("");
        if (t.message >= 0 && (size_t)t.message < messages->n) {
            if (of != t.message) {
                const struct ft_json *r0 = ft_json_get(&messages->items[t.message], "role");
                role = r0 && r0->type == FT_JSON_STRING ? r0->s : FT_STR("");
                of = t.message;
            }
            t.role = role;
            t.is_role = ft_str_is(place.field, "role");
            if (t.is_role && is_word((struct ft_str){x->text.p + t.begin, t.end - t.begin}))
                t.flags &= ~(uint32_t)FT_CHAT_UNTRUSTED;
            t.repeated = ft_str_is(place.field, "tool_calls") && was_printed(&printed, x, i, a);
        }
        v[n++] = t;
    }
    *out = v;
    return n;
}

/* ---- tokens of the template ---- */

enum { LONGEST_TOKEN = 80 };

/* The length of what looks like a token at s: brackets, and no space in them. */
static size_t token_at(struct ft_str s)
{
    const char close = *s.p == '<' ? '>' : ']';
    for (size_t k = 1; k < s.n && k < LONGEST_TOKEN && !ft_is_blank(s.p[k]) && s.p[k] != '<' && s.p[k] != '['; k++)
        if (s.p[k] == close)
            return k + 1;
    return 0;
}

static void add_controls(void *ctx, struct ft_str s)
{
    struct ft_chat_controls *c = ctx;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '<' && s.p[i] != '[')
            continue;
        const struct ft_str t = {s.p + i, token_at(ft_cut(s, i, s.n))};
        bool known = t.n < 3;
        for (size_t k = 0; k < c->n && !known; k++)
            known = ft_str_eq(c->v[k], t);
        if (known || c->n == 256)
            continue;
        c->v = ft_reallocs(c->v, c->n + 1, sizeof *c->v);
        c->v[c->n++] = t;
        c->square |= *t.p == '[';
    }
}

struct ft_chat_controls ft_chat_controls(const struct ft_template *t)
{
    struct ft_chat_controls c = {0};
    ft_template_literals(t, add_controls, &c);
    return c;
}

/* The first of these brackets in text[from, to); to: none. */
static size_t next_bracket(struct ft_str text, size_t from, size_t to, bool square)
{
    const char *a = from < to ? memchr(text.p + from, '<', to - from) : NULL;
    const size_t angle = a ? (size_t)(a - text.p) : to;
    const char *b = square && from < angle ? memchr(text.p + from, '[', angle - from) : NULL;
    return b ? (size_t)(b - text.p) : angle;
}

/* Where a token may begin that ends behind `from`: at the bracket before it, where no space and no other
 * bracket stands between; else at `from`. */
static size_t open_bracket(struct ft_str text, size_t from)
{
    for (size_t at = from; at-- > 0 && from - at < LONGEST_TOKEN && !ft_is_blank(text.p[at]);)
        if (text.p[at] == '<' || text.p[at] == '[')
            return at;
    return from;
}

/* The first control in text that ends behind `from` and begins before `to`; n == 0: none. */
static struct ft_str next_control(struct ft_str text, size_t from, size_t to, const struct ft_chat_controls *c)
{
    size_t at = c->n ? open_bracket(text, from) : to;
    for (; (at = next_bracket(text, at, to, c->square)) < to; at++) {
        const struct ft_str t = {text.p + at, token_at(ft_cut(text, at, text.n))};
        for (size_t k = 0; t.n && at + t.n > from && k < c->n; k++)
            if (ft_str_eq(c->v[k], t))
                return t;
    }
    return (struct ft_str){0};
}

static inline char *put_number(char *w, uint64_t v)
{
    return v < 10 ? *w = (char)('0' + v), w + 1 : ft_put_decimal(w, v);
}

/* A string. One that lies in the record's line had no escape there, and needs none here. */
static inline char *put_name(char *w, struct ft_str s, struct ft_str line)
{
    if ((uintptr_t)s.p - (uintptr_t)line.p >= line.n)
        return ft_json_write_str(w, s);
    *w++ = '"';
    if (s.n > 16) {
        memcpy(w, s.p, s.n);
    } else if (s.n >= 8) {
        memcpy(w, s.p, 8);
        memcpy(w + s.n - 8, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        memcpy(w, s.p, 4);
        memcpy(w + s.n - 4, s.p + s.n - 4, 4);
    } else {
        for (size_t i = 0; i < s.n; i++)
            w[i] = s.p[i];
    }
    w[s.n] = '"';
    return w + s.n + 1;
}

static void put_span(struct ft_buf *b, const struct ft_chat_span *s, size_t begin, size_t end, uint32_t flags, struct ft_str line)
{
    /* four numbers, a sign, brackets and commas */
    char *const room = ft_buf_room(b, 4 * FT_DECIMAL + 10 + ft_json_str_most(s->field.n) + ft_json_str_most(s->role.n)), *w = room;
    if (begin >= end)
        return;
    if (room[-1] != '[')
        *w++ = ',';
    *w++ = '[';
    w = ft_put_decimal(w, begin);
    *w++ = ',';
    w = ft_put_decimal(w, end);
    *w++ = ',';
    if (s->message < 0)
        *w++ = '-';
    w = put_number(w, s->message < 0 ? 0 - (uint64_t)s->message : (uint64_t)s->message);
    *w++ = ',';
    w = put_name(w, s->field, line);
    *w++ = ',';
    w = put_name(w, s->role, line);
    *w++ = ',';
    w = put_number(w, flags);
    *w++ = ']';
    b->n += (size_t)(w - room);
}

void ft_chat_spans_put(struct ft_buf *b, const struct ft_chat_span *v, size_t n, struct ft_str text, const struct ft_chat_controls *c, struct ft_str line)
{
    ft_buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        size_t at = v[i].begin;
        struct ft_str t;
        while (v[i].flags & FT_CHAT_UNTRUSTED && at < v[i].end && (t = next_control(text, at, v[i].end, c)).n) {
            const size_t begin = (size_t)(t.p - text.p) > at ? (size_t)(t.p - text.p) : at, end = (size_t)(t.p - text.p) + t.n;
            put_span(b, &v[i], at, begin, v[i].flags, line);
            at = end < v[i].end ? end : v[i].end;
            put_span(b, &v[i], begin, at, v[i].flags | FT_CHAT_CONTROL, line);
        }
        put_span(b, &v[i], at, v[i].end, v[i].flags, line);
    }
    ft_buf_putc(b, ']');
}
