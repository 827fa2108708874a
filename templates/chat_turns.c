#include "templates/chat_turns.h"

#include <stdlib.h>

#include "pipeline/hash.h"
#include "templates/chat_json.h"

/* What stands between the last said before a place and the place, when the model is
 * prompted there. */
struct prompt {
    struct ft_digest key;
    bool known;           /* else the template refuses such a chat */
    struct ft_str tail;   /* closing of what is before, and the generation prompt */
    size_t closing;       /* bytes of it that are there without generation prompt too */
    struct prompt *next;
};

struct stop {
    struct ft_digest key;
    struct ft_str text;
    struct stop *next;
};

struct ft_turn_cache {
    struct ft_learn_rules rules;
    struct ft_arena mem;     /* of the run */
    struct ft_render *render;
    struct prompt *prompts;
    struct stop *stops;
    size_t n_prompts, n_stops;
    struct ft_buf room, last; /* scratch; the call that last_key is of */
    struct ft_digest last_key;
};

/* Places differ by what comes before them; data sets have a handful, hostile ones
 * could have millions. */
enum { MAX_PROMPTS = 4096 };

struct ft_turn_cache *ft_turn_cache_new(const struct ft_learn_rules *rules)
{
    struct ft_turn_cache *c = ft_calloc(1, sizeof *c);
    c->rules = *rules;
    c->render = ft_render_new();
    return c;
}

void ft_turn_cache_free(struct ft_turn_cache *c)
{
    if (!c)
        return;
    ft_render_free(c->render);
    ft_arena_release(&c->mem);
    ft_buf_release(&c->room);
    ft_buf_release(&c->last);
    free(c);
}

static struct ft_str keep(struct ft_arena *a, struct ft_str s)
{
    return (struct ft_str){ft_arena_dup(a, s.p ? s.p : "", s.n), s.n};
}

/* s[from, to), empty where that runs backwards (text printed out of order). */
static struct ft_str cut(struct ft_str s, size_t from, size_t to)
{
    return (struct ft_str){s.p + from, to > from ? to - from : 0};
}

static size_t common(struct ft_str x, struct ft_str y)
{
    size_t i = 0;
    while (i < x.n && i < y.n && x.p[i] == y.p[i])
        i++;
    return i;
}

static const char *find(struct ft_str s, struct ft_str what)
{
    return what.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
}

static struct ft_str role_of(const struct ft_json *m)
{
    const struct ft_json *v = ft_json_get(m, "role");
    return v && v->type == FT_JSON_STRING ? v->s : (struct ft_str){0};
}

/* ---- what a place is like ---- */

static void add_field(struct ft_buf *b, struct ft_str s)
{
    const uint32_t n = (uint32_t)s.n;
    ft_buf_put(b, &n, sizeof n);
    ft_buf_puts(b, s);
}

/* The template, its variables, and whether there are tools and documents: the same
 * from record to record, mostly, so the last is kept. */
static struct ft_digest call_key(struct ft_turn_cache *c, const struct ft_chat_call *call)
{
    struct ft_buf *b = &c->room;
    const char extras[2] = {call->tools != NULL, call->documents != NULL};
    b->n = 0;
    ft_buf_put(b, &call->t, sizeof call->t);
    ft_buf_put(b, extras, 2);
    if (call->kwargs)
        ft_json_put(b, call->kwargs);
    if (!c->last.n || !ft_str_eq(ft_buf_str(b), ft_buf_str(&c->last))) {
        c->last_key = ft_hash128(b->p, b->n);
        c->last.n = 0;
        ft_buf_put(&c->last, b->p, b->n);
    }
    return c->last_key;
}

/* Messages from `from` up to the place, by role and by which members have a value. */
static struct ft_digest place_key(struct ft_turn_cache *c, const struct ft_chat_call *call, size_t from, size_t to)
{
    const struct ft_digest base = call_key(c, call);
    struct ft_buf *b = &c->room;
    b->n = 0;
    ft_buf_put(b, &base, sizeof base);
    for (size_t i = from; i < to; i++) {
        const struct ft_json *m = &call->messages->items[i];
        add_field(b, role_of(m));
        for (size_t k = 0; k < m->n; k++) {
            const struct ft_json *v = &m->members[k].value;
            const bool empty = v->type == FT_JSON_NULL || (v->type == FT_JSON_STRING ? !v->s.n :
                               (v->type == FT_JSON_ARRAY || v->type == FT_JSON_OBJECT) && !v->n);
            if (!empty && !ft_str_is(m->members[k].key, "role"))
                add_field(b, m->members[k].key);
        }
        ft_buf_putc(b, 0);
    }
    ft_buf_putc(b, from ? 'n' : '0');
    return ft_hash128(b->p, b->n);
}

/* End of what the messages before `to` (and tools, documents) say; roles and what is
 * behind are not counted. */
static size_t said(const struct ft_chat_span *v, size_t n, int32_t to, size_t before, int32_t *who)
{
    size_t end = 0;
    *who = -1;
    for (size_t i = 0; i < n && v[i].begin < before; i++)
        if (!v[i].is_role && v[i].message < to && v[i].end <= before) {
            end = v[i].end;
            if (v[i].message >= 0)
                *who = v[i].message;
        }
    return end;
}

static void learn_prompt(struct ft_turn_cache *c, const struct ft_chat_call *call, size_t to, struct ft_arena *a,
                         struct ft_arena *mem, struct prompt *p)
{
    const struct ft_json before = ft_json_slice(call->messages, 0, to);
    struct ft_chat_call q = *call;
    struct ft_rendered x;
    struct ft_chat_span *spans;
    struct ft_err e = {0};
    int32_t who;
    q.messages = &before;
    q.continue_field = (struct ft_str){0};
    q.fixed = true;
    q.spans = true;
    q.generation_prompt = true;
    if (ft_chat_render(c->render, &q, a, &x, &e))
        return;
    const size_t n = ft_chat_spans(c->render, &x, &before, call->vars, call->nvars, a, &spans);
    const size_t end = said(spans, n, (int32_t)to, x.text.n, &who);
    p->tail = keep(mem, cut(x.text, end, x.text.n)); /* x is of the state, which renders again */
    p->known = true;
    q.generation_prompt = false;
    ft_err_clear(&e);
    p->closing = 0;
    if (!ft_chat_render(c->render, &q, a, &x, &e) && x.text.n >= end)
        p->closing = common(p->tail, cut(x.text, end, x.text.n));
    const char *think = c->rules.wide ? find(cut(p->tail, p->closing, p->tail.n), FT_STR("<think>")) : NULL;
    if (think)
        p->tail.n = (size_t)(think - p->tail.p);
}

static const struct prompt *prompt_at(struct ft_turn_cache *c, const struct ft_chat_call *call, size_t from, size_t to,
                                      struct ft_arena *a)
{
    const struct ft_digest key = place_key(c, call, from, to);
    for (struct prompt **q = &c->prompts; *q; q = &(*q)->next)
        if ((*q)->key.lo == key.lo && (*q)->key.hi == key.hi) {
            struct prompt *p = *q; /* to the front: the next record is likely alike */
            *q = p->next;
            p->next = c->prompts;
            return c->prompts = p;
        }
    const bool full = c->n_prompts >= MAX_PROMPTS;
    struct ft_arena *mem = full ? a : &c->mem;
    struct prompt *p = FT_NEW(mem, struct prompt);
    p->key = key;
    if (to)
        learn_prompt(c, call, to, a, mem, p);
    if (full)
        return p;
    p->next = c->prompts;
    c->n_prompts++;
    return c->prompts = p;
}

/* The generation prompt after a user's message, for a turn with nothing before it. */
static const struct prompt *plain_prompt(struct ft_turn_cache *c, const struct ft_chat_call *call, struct ft_arena *a)
{
    struct ft_json *probe = ft_arena_alloc(a, sizeof *probe);
    *probe = ft_json_new_array(a, 1);
    probe->items[0] = ft_json_message(a, "user", FT_STR("x"));
    struct ft_chat_call q = *call;
    q.messages = probe;
    return prompt_at(c, &q, 0, 1, a);
}

static struct ft_str generation(const struct prompt *p)
{
    return cut(p->tail, p->closing, p->tail.n);
}

/* ---- the stop token ---- */

/* Where a template does not have a list of its special tokens with it: what looks
 * like one, <|im_end|>, </s>, [/X]. */
static struct ft_str looks_special(struct ft_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '<' && s.p[i] != '[')
            continue;
        const char close = s.p[i] == '<' ? '>' : ']';
        for (size_t k = i + 1; k < s.n && k < i + 80 && !strchr(" \t\r\n<[", s.p[k]); k++)
            if (s.p[k] == close)
                return cut(s, i, k + 1);
    }
    return (struct ft_str){0};
}

static struct ft_str first_of(struct ft_str s, const struct ft_str *v, size_t n)
{
    const char *best = NULL;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *q = find(s, v[i]);
        if (q && (!best || q < best || (q == best && v[i].n > len))) {
            best = q;
            len = v[i].n;
        }
    }
    return best ? (struct ft_str){best, len} : (struct ft_str){0};
}

static struct ft_str trim(struct ft_str s)
{
    while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    while (s.n && strchr(" \t\r\n", *s.p)) {
        s.p++;
        s.n--;
    }
    return s;
}

/* The first special token of a text, or what looks like one. */
static struct ft_str first_special(const struct ft_learn_rules *r, struct ft_str s)
{
    const struct ft_str known = first_of(s, r->controls, r->n_controls), stop = first_of(s, r->stops, r->n_stops);
    if (known.n && stop.n)
        return known.p < stop.p ? known : stop;
    if (known.n || stop.n)
        return known.n ? known : stop;
    return looks_special(s);
}

/* The last of them that is whole in s. */
static struct ft_str last_special(const struct ft_learn_rules *r, struct ft_str s)
{
    struct ft_str last = {0};
    for (struct ft_str t; (t = first_special(r, s)).n; s = cut(s, (size_t)(t.p - s.p) + t.n, s.n))
        last = t;
    return last;
}

/* Renders `messages` with nothing behind them. The text behind what they say; p ==
 * NULL when the template refuses. Valid until the next render of the state. */
static struct ft_str tail_of(struct ft_turn_cache *c, const struct ft_chat_call *call, const struct ft_json *messages,
                             int32_t of, struct ft_arena *a)
{
    struct ft_chat_call q = *call;
    struct ft_rendered x;
    struct ft_chat_span *spans;
    struct ft_err e = {0};
    size_t end = 0, limit;
    q.messages = messages;
    q.continue_field = (struct ft_str){0};
    q.fixed = true;
    q.spans = true;
    q.generation_prompt = false;
    if (ft_chat_render(c->render, &q, a, &x, &e))
        return (struct ft_str){0};
    const size_t n = ft_chat_spans(c->render, &x, messages, call->vars, call->nvars, a, &spans);
    limit = x.text.n;
    for (size_t i = 0; i < n; i++)
        if (!spans[i].is_role && spans[i].message == of)
            end = spans[i].end;
    for (size_t i = n; i-- > 0;)
        if (!spans[i].is_role && spans[i].begin >= end)
            limit = spans[i].begin;
    return cut(x.text, end, limit);
}

struct ft_str ft_turn_stop(struct ft_turn_cache *c, const struct ft_chat_call *call, struct ft_arena *a)
{
    const struct ft_digest key = call_key(c, call);
    for (const struct stop *s = c->stops; s; s = s->next)
        if (s->key.lo == key.lo && s->key.hi == key.hi)
            return s->text;
    const bool full = c->n_stops >= MAX_PROMPTS;
    struct ft_arena *mem = full ? a : &c->mem;
    struct stop *s = FT_NEW(mem, struct stop);
    s->key = key;
    if (!full) {
        s->next = c->stops;
        c->stops = s;
        c->n_stops++;
    }

    struct ft_json probe = ft_json_new_array(a, 3);
    probe.items[0] = ft_json_message(a, "user", FT_STR("x"));
    probe.items[1] = ft_json_message(a, "assistant", FT_STR("y"));
    probe.items[2] = ft_json_message(a, "user", FT_STR("z"));
    /* What ends an answer in the middle and at the end: a template may print more at
     * the end (phi's end-of-text), or several tokens in both places (Cohere's). */
    const struct ft_json final = ft_json_slice(&probe, 0, 2);
    const struct ft_str end = keep(a, tail_of(c, call, &final, 1, a)), middle = tail_of(c, call, &probe, 1, a);
    struct ft_str stop = first_of(end, c->rules.stops, c->rules.n_stops);
    if (!stop.n)
        stop = last_special(&c->rules, cut(end, 0, common(end, middle)));
    if (!stop.n)
        stop = first_special(&c->rules, end);
    if (!stop.n)
        stop = trim(end);
    s->text = keep(mem, stop);
    return s->text;
}

struct finder {
    struct ft_turn_cache *c;
    const struct ft_chat_call *call;
    struct ft_str text, own_stop;
    bool prompted; /* the text ends with a generation prompt */
    const struct ft_chat_span *spans;
    size_t n_spans;
    struct ft_arena *a;
};

/* The text behind message i where the chat ends with it. */
static struct ft_str ending_at(struct ft_turn_cache *c, const struct ft_chat_call *call, size_t i, struct ft_arena *a)
{
    struct ft_digest key = place_key(c, call, i, i + 1);
    key.hi = ~key.hi; /* another kind of thing under the same list */
    for (const struct stop *s = c->stops; s; s = s->next)
        if (s->key.lo == key.lo && s->key.hi == key.hi)
            return s->text;
    const bool full = c->n_stops >= MAX_PROMPTS;
    struct ft_arena *mem = full ? a : &c->mem;
    struct stop *s = FT_NEW(mem, struct stop);
    const struct ft_json so_far = ft_json_slice(call->messages, 0, i + 1);
    s->key = key;
    s->text = keep(mem, tail_of(c, call, &so_far, (int32_t)i, a));
    if (!full) {
        s->next = c->stops;
        c->stops = s;
        c->n_stops++;
    }
    return s->text;
}

/* The stop token in the template's text `s` behind message i: its end in s, 0 for
 * none. `last`: nothing follows. */
static size_t stop_in(const struct finder *f, size_t i, struct ft_str s, bool last)
{
    const struct ft_learn_rules *r = &f->c->rules;
    const struct ft_str own = f->own_stop;
    struct ft_str t = first_of(s, r->stops, r->n_stops);
    const char *q = find(s, own);
    if (q && (!t.n || q <= t.p))
        t = (struct ft_str){q, own.n};
    if (!t.n && s.n)
        t = last_special(r, cut(s, 0, common(s, ending_at(f->c, f->call, i, f->a))));
    if (!t.n && own.n) {
        /* Neither: another closing token, if it is not the opening of what follows. */
        t = first_special(r, s);
        if (t.n && !last) {
            const size_t behind = (size_t)(t.p - s.p) + t.n;
            if (!first_special(r, cut(s, behind, s.n)).n)
                t.n = 0;
        }
    }
    return t.n ? (size_t)(t.p - s.p) + t.n : 0;
}

/* ---- turns ---- */

/* Where the turn begins in `rest`, the text from the end of what was said before;
 * `gap` bytes of it are the template's. -1: not found. */
static ptrdiff_t begin_in(const struct prompt *p, struct ft_str rest, size_t gap, bool whole)
{
    if (!p->known)
        return -1;
    const struct ft_str g = generation(p);
    const size_t m = common(rest, p->tail);
    if (m == p->tail.n || (!g.n && trim(cut(p->tail, 0, m)).n == trim(p->tail).n))
        return (ptrdiff_t)m;
    if (whole || m <= p->closing)
        return -1;
    /* Part of the prompt: history without the <think> that the prompt adds. */
    return m >= gap || 2 * (m - p->closing) >= g.n ? (ptrdiff_t)m : -1;
}

/* The same, by the last place where the generation prompt itself stands. */
static ptrdiff_t begin_by_search(struct ft_str g, struct ft_str gap)
{
    const char *best = NULL;
    if (!trim(g).n)
        return -1;
    for (const char *p = gap.p, *q; (q = find((struct ft_str){p, (size_t)(gap.p + gap.n - p)}, g)); p = q + 1)
        best = q;
    if (best)
        return best + g.n - gap.p;
    /* the gap may end within the prompt */
    for (size_t n = g.n < gap.n ? g.n : gap.n; 2 * n >= g.n && n > 1; n--)
        if (!memcmp(gap.p + gap.n - n, g.p, n))
            return (ptrdiff_t)gap.n;
    return -1;
}

struct list {
    struct ft_turn *v;
    size_t n, cap;
};

/* Bytes behind the stop token, at `at` of the text, that a wide turn has too; `limit`
 * is where the next message begins. */
static size_t widen(const struct finder *f, int32_t i, size_t at, size_t limit)
{
    size_t n = 0;
    if (!f->c->rules.wide || !f->own_stop.n) /* a stop token of the next message: so is what is behind */
        return 0;
    if (limit == f->text.n && !f->prompted && (size_t)i + 1 == f->call->messages->n)
        return limit - at;
    while (at + n < limit && strchr(" \t\r\n", f->text.p[at + n]))
        n++;
    return n;
}

static void add(struct ft_arena *a, struct list *l, struct ft_turn t)
{
    if (t.end <= t.begin)
        return;
    if (l->n == l->cap) {
        struct ft_turn *more = FT_NEWS(a, struct ft_turn, l->cap = l->cap ? l->cap * 2 : 16);
        if (l->n)
            memcpy(more, l->v, l->n * sizeof *more);
        l->v = more;
    }
    l->v[l->n++] = t;
}

/* A message whose pieces begin with span `first`; the template's text before it
 * begins at byte `from`. */
static size_t find_begin(struct finder *f, int32_t i, size_t from, size_t first, bool first_piece, bool prompts, bool *prompted)
{
    const size_t gap = first - from;
    ptrdiff_t at = -1;
    int32_t who;
    *prompted = true;
    if (!prompts)
        return *prompted = false, first;
    if (first_piece && i > 0) {
        said(f->spans, f->n_spans, i, first, &who);
        const struct prompt *p = prompt_at(f->c, f->call, who < 0 ? 0 : (size_t)who, (size_t)i, f->a);
        at = begin_in(p, cut(f->text, from, f->text.n), gap, false);
        if (at < 0 && p->known)
            at = begin_by_search(generation(p), cut(f->text, from, first));
    }
    if (at < 0)
        at = begin_by_search(generation(plain_prompt(f->c, f->call, f->a)), cut(f->text, from, first));
    if (at < 0)
        *prompted = false;
    return at < 0 ? first : from + (size_t)at;
}

/* A message of which nothing was printed: an empty answer has its frame. */
static void empty_turn(struct finder *f, int32_t i, struct list *out)
{
    int32_t who;
    size_t limit = f->text.n;
    for (size_t k = f->n_spans; k-- > 0;)
        if (f->spans[k].message > i && !f->spans[k].is_role)
            limit = f->spans[k].begin;
    if (!i)
        return;
    const size_t from = said(f->spans, f->n_spans, i, limit, &who);
    const struct prompt *p = prompt_at(f->c, f->call, who < 0 ? 0 : (size_t)who, (size_t)i, f->a);
    const ptrdiff_t at = begin_in(p, cut(f->text, from, f->text.n), limit - from, true);
    if (at < 0 || from + (size_t)at > limit)
        return;
    const size_t begin = from + (size_t)at;
    const size_t stop = stop_in(f, (size_t)i, cut(f->text, begin, limit), limit == f->text.n);
    if (stop)
        add(f->a, out, (struct ft_turn){(uint32_t)begin, (uint32_t)(begin + stop + widen(f, i, begin + stop, limit)), i, true, true});
}

/* Does span k, printed before, belong to the frame of what another message says? It
 * does when nothing between stops the turn. */
static bool in_frame(const struct finder *f, size_t k)
{
    const struct ft_chat_span *v = f->spans;
    size_t next = k + 1;
    if (!v[k].repeated)
        return false;
    while (next < f->n_spans && (v[next].is_role || (v[next].message == v[k].message && v[next].repeated)))
        next++;
    if (next == f->n_spans || v[next].message == v[k].message)
        return false;
    const struct ft_str gap = cut(f->text, v[k].end, v[next].begin);
    return !find(gap, f->own_stop) && !first_of(gap, f->c->rules.stops, f->c->rules.n_stops).n;
}

static void find_turn(struct finder *f, int32_t i, bool prompts, struct list *out)
{
    const struct ft_chat_span *v = f->spans;
    bool open = false, any = false;
    struct ft_turn t = {.message = i};
    size_t from = 0; /* end of the last span of any kind, roles apart */

    for (size_t k = 0; k <= f->n_spans; k++) {
        const bool end = k == f->n_spans;
        if (!end && v[k].is_role)
            continue;
        const bool mine = !end && v[k].message == i && !in_frame(f, k);
        const size_t next = end ? f->text.n : v[k].begin;
        if (open && !(mine || (!end && v[k].message < 0)) ) {
            const size_t stop = stop_in(f, (size_t)i, cut(f->text, t.end, next), end);
            t.stopped = stop > 0;
            t.end += (uint32_t)stop;
            if (stop)
                t.end += (uint32_t)widen(f, i, t.end, next);
            add(f->a, out, t);
            open = false;
        } else if (open && mine) {
            /* a stop token between two parts of the message ends a piece */
            const struct ft_str gap = cut(f->text, t.end, next);
            struct ft_str stop = first_of(gap, f->c->rules.stops, f->c->rules.n_stops);
            if (!stop.n && find(gap, f->own_stop))
                stop = (struct ft_str){find(gap, f->own_stop), f->own_stop.n};
            if (stop.n) {
                from = t.end + (size_t)(stop.p - gap.p) + stop.n;
                t.end = (uint32_t)(from + widen(f, i, from, next));
                t.stopped = true;
                add(f->a, out, t);
                open = false;
            }
        }
        if (mine && !open) {
            const size_t begin = find_begin(f, i, from, v[k].begin, !any, prompts, &t.prompted);
            if (!any || t.prompted) {
                t.begin = (uint32_t)begin;
                t.stopped = false;
                open = true;
            }
            any = true;
        }
        if (mine && open)
            t.end = v[k].end;
        if (!end)
            from = v[k].end > from ? v[k].end : from;
    }
    if (!any && prompts)
        empty_turn(f, i, out);
}

/* ---- which turns ---- */

/* true, false, or a number: learnt where it is above 0. Fractions cannot be had here:
 * a token is learnt or not. -1 for anything else. */
static int flag_of(const struct ft_json *v)
{
    if (v->type == FT_JSON_TRUE || v->type == FT_JSON_FALSE)
        return v->type == FT_JSON_TRUE;
    return v->type == FT_JSON_NUMBER ? ft_json_real(v) > 0 : -1;
}

/* 1 learnt, 0 not: by the message's own word, else by its role. */
static int wanted(const struct ft_learn_rules *r, const struct ft_json *m, size_t i, struct ft_err *e)
{
    static const char *const own[] = {"train", "weight"};
    for (int k = 0; k < 2; k++) {
        const struct ft_json *v = ft_json_get(m, own[k]);
        if (!v || v->type == FT_JSON_NULL)
            continue;
        const int flag = flag_of(v);
        if (flag < 0)
            return ft_fail(e, FT_DATA, "messages[%zu]: \"%s\" is neither true or false nor a number", i, own[k]);
        return flag;
    }
    const struct ft_str role = role_of(m);
    for (size_t k = 0; k < r->n_roles; k++)
        if (ft_str_eq(role, r->roles[k]))
            return 1;
    return 0;
}

static bool part_is_left_out(const struct ft_chat_call *call, const struct ft_chat_span *s)
{
    if (s->message < 0 || s->part < 0)
        return false;
    const struct ft_json *content = ft_json_get(&call->messages->items[s->message], "content");
    if (!content || content->type != FT_JSON_ARRAY || (size_t)s->part >= content->n)
        return false;
    const struct ft_json *train = ft_json_get(&content->items[s->part], "train");
    return train && flag_of(train) == 0;
}

/* Cuts the parts that are not to be learnt out of the turns. */
static void leave_out_parts(const struct finder *f, struct list *l)
{
    struct list out = {0};
    bool any = false;
    for (size_t k = 0; k < f->n_spans && !any; k++)
        any = part_is_left_out(f->call, &f->spans[k]);
    if (!any)
        return;
    for (size_t i = 0; i < l->n; i++) {
        struct ft_turn t = l->v[i];
        for (size_t k = 0; k < f->n_spans; k++) {
            const struct ft_chat_span *s = &f->spans[k];
            if (s->begin >= t.end || s->end <= t.begin || !part_is_left_out(f->call, s))
                continue;
            struct ft_turn before = t;
            before.end = s->begin;
            before.stopped = false;
            add(f->a, &out, before);
            t.begin = s->end;
        }
        add(f->a, &out, t);
    }
    *l = out;
}

static int by_begin(const void *x, const void *y)
{
    const struct ft_turn *a = x, *b = y;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* Blocks of {% generation %}, each the message's whose text it holds. */
static void from_blocks(const struct finder *f, const struct ft_rendered *x, struct list *out)
{
    for (size_t i = 0; i < x->ngens; i++) {
        struct ft_turn t = {.begin = (uint32_t)x->gens[i].begin, .end = (uint32_t)x->gens[i].end, .message = -1, .prompted = true};
        if (t.begin >= f->text.n) /* behind the cut of a message to be continued */
            continue;
        if (t.end > f->text.n)
            t.end = (uint32_t)f->text.n;
        for (size_t k = 0; k < f->n_spans && t.message < 0; k++)
            if (f->spans[k].message >= 0 && f->spans[k].begin < t.end && f->spans[k].end > t.begin)
                t.message = f->spans[k].message;
        const struct ft_str tail = cut(f->text, t.begin, t.end);
        t.stopped = first_of(tail, f->c->rules.stops, f->c->rules.n_stops).n || find(tail, f->own_stop);
        add(f->a, out, t);
    }
}

static bool truth(const struct ft_json *v) { return v && v->type == FT_JSON_TRUE; }

int ft_turns(struct ft_turn_cache *c, const struct ft_chat_call *call, const struct ft_rendered *x,
             const struct ft_chat_span *spans, size_t n_spans, struct ft_arena *a, struct ft_turn **out, size_t *n,
             struct ft_err *e)
{
    const struct ft_str assistant = FT_STR("assistant");
    struct list l = {0};
    const bool blocks = c->rules.from == FT_LEARN_GENERATION ||
                        (c->rules.from == FT_LEARN_AUTO && ft_template_has_generation(call->t));
    const bool prompted = call->generation_prompt || truth(ft_json_get(call->kwargs, "add_generation_prompt"));
    struct finder f = {.c = c, .call = call, .prompted = prompted, .text = x->text, .own_stop = ft_turn_stop(c, call, a), .spans = spans, .n_spans = n_spans, .a = a};
    signed char *want = ft_arena_alloc(a, call->messages->n + 1);

    for (size_t i = 0; i < call->messages->n; i++)
        if ((want[i] = (signed char)wanted(&c->rules, &call->messages->items[i], i, e)) < 0)
            return -1;
    if (blocks) {
        from_blocks(&f, x, &l);
        size_t kept = 0;
        for (size_t i = 0; i < l.n; i++)
            if (l.v[i].message < 0 || want[l.v[i].message])
                l.v[kept++] = l.v[i];
        l.n = kept;
    }
    for (size_t i = 0; i < call->messages->n; i++) {
        const bool answer = ft_str_eq(role_of(&call->messages->items[i]), assistant);
        if (want[i] && !(blocks && answer))
            find_turn(&f, (int32_t)i, answer, &l);
    }
    if (l.n)
        qsort(l.v, l.n, sizeof *l.v, by_begin);
    size_t w = 0; /* disjoint */
    for (size_t i = 0; i < l.n; i++) {
        if (w && l.v[i].begin < l.v[w - 1].end)
            l.v[i].begin = l.v[w - 1].end;
        if (l.v[i].begin < l.v[i].end)
            l.v[w++] = l.v[i];
    }
    l.n = w;
    if (c->rules.last && l.n) {
        const int32_t last = l.v[l.n - 1].message;
        size_t from = l.n - 1;
        while (from && last >= 0 && l.v[from - 1].message == last)
            from--;
        l.v += from;
        l.n -= from;
    }
    leave_out_parts(&f, &l);
    *out = l.v;
    *n = l.n;
    return 0;
}
