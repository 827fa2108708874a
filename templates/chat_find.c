#include "templates/chat_find.h"

#include "templates/chat_special.h"
#include "templates/chat_text.h"

void ft_turn_add(struct ft_arena *a, struct ft_turn_list *l, struct ft_turn t)
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

/* The first token in s that stops any turn. */
static struct ft_str stop_of(const struct ft_finder *f, struct ft_str s)
{
    const struct ft_str t = ft_first_of(s, f->rules->stops, f->rules->n_stops);
    const char *own = ft_find(s, f->own_stop);
    return own && (!t.n || own <= t.p) ? (struct ft_str){own, f->own_stop.n} : t;
}

/* ---- the end ---- */

struct ending {
    size_t n; /* bytes that belong to the turn */
    bool stopped;
};

/* What of the template's text `s`, behind what message i says in `field`, ends its
 * turn. `last`: nothing follows. */
static struct ending ending_in(const struct ft_finder *f, size_t i, struct ft_str field, struct ft_str s, bool last)
{
    const struct ft_learn_rules *r = f->rules;
    const struct ft_str own = f->own_stop;
    const bool none = !own.n && !r->n_stops; /* nothing is known that ends an answer */
    struct ft_str t = stop_of(f, s), closing = {0};
    bool whole = false, no_stop = false;
    if (!t.n && s.n) {
        const struct ft_str ending = ft_probe_ending(f->probe, f->call, i, field, s, f->a);
        closing = ft_cut(s, 0, ft_common(s, ending));
        whole = closing.n == ending.n;
        t = none ? (struct ft_str){0} : ft_last_special(r, closing);
        if (t.n && ft_str_eq(t, f->edges.unlearnt)) {
            closing.n = (size_t)(t.p - closing.p);
            t.n = 0;
            no_stop = true;
        }
    }
    if (!t.n && own.n && !no_stop && !whole) {
        /* Neither: another closing token, if it is not the opening of what follows. */
        t = ft_first_special(r, s);
        if (t.n && !last) {
            const size_t behind = (size_t)(t.p - s.p) + t.n;
            if (!ft_first_special(r, ft_cut(s, behind, s.n)).n)
                t.n = 0;
        }
    }
    if (!whole && !no_stop)
        closing.n = 0;
    if (!t.n && none && !last) {
        /* Then the opening of what follows must. */
        const struct ft_str rest = ft_cut(s, closing.n, s.n), open = ft_first_special(r, rest);
        if (open.n && open.p == ft_trim(rest).p)
            t = open;
    }
    if (t.n)
        return (struct ending){(size_t)(t.p - s.p) + t.n, true};
    /* The frame that closes it, where the message goes on behind another's text. */
    while (closing.n && ft_is_blank(closing.p[closing.n - 1]))
        closing.n--;
    return (struct ending){closing.n, false};
}

/* Bytes behind the stop token, at `at` of the text, that the edges take in; `limit` is
 * where the next message begins. */
static size_t widen(const struct ft_finder *f, int32_t i, size_t at, size_t limit)
{
    size_t n = 0;
    if (!f->own_stop.n) /* a stop token of the next message: so is what is behind */
        return 0;
    if (f->edges.tail && limit == f->text.n && !f->prompted && (size_t)i + 1 == f->call->messages->n)
        return limit - at;
    while (f->edges.space && at + n < limit && ft_is_blank(f->text.p[at + n]))
        n++;
    return n;
}

/* ---- the beginning ---- */

/* The prompt as far as the turn does not have it. */
static struct ft_prompt shaped(const struct ft_finder *f, const struct ft_prompt *p)
{
    struct ft_prompt q = *p;
    const bool think = f->edges.begin == FT_EDGE_THINK || f->edges.begin == FT_EDGE_HEADER;
    const char *at = think && p->known ? ft_find(ft_prompt_text(p), FT_STR("<think>")) : NULL;
    if (at)
        q.tail.n = (size_t)(at - q.tail.p);
    return q;
}

static void peeked(struct ft_finder *f, size_t at, size_t same, struct ft_str tail)
{
    if (f->n_peeks == f->cap_peeks) {
        struct ft_peek *more = FT_NEWS(f->a, struct ft_peek, f->cap_peeks = f->cap_peeks ? f->cap_peeks * 2 : 8);
        if (f->n_peeks)
            memcpy(more, f->peeks, f->n_peeks * sizeof *more);
        f->peeks = more;
    }
    f->peeks[f->n_peeks++] = (struct ft_peek){at, same, tail};
}

/* Where the turn begins in `rest`, the text from the end of what was said before;
 * `gap` bytes of it are the template's. -1: not found. */
static ptrdiff_t begin_in(struct ft_finder *f, const struct ft_prompt *p, struct ft_str rest, size_t gap, bool whole)
{
    if (!p->known)
        return -1;
    const struct ft_str g = ft_prompt_text(p);
    const size_t m = ft_common(rest, p->tail);
    if (m >= gap && p->tail.n > gap)
        peeked(f, (size_t)(rest.p - f->text.p), m, p->tail);
    if (m == p->tail.n || (!g.n && ft_trim(ft_cut(p->tail, 0, m)).n == ft_trim(p->tail).n))
        return (ptrdiff_t)m;
    /* Part of the prompt: history without the <think> that the prompt adds. */
    if (m <= p->closing || (m < gap && 2 * (m - p->closing) < g.n))
        return -1;
    /* where nothing is said, the stop token must follow */
    return !whole || stop_of(f, ft_cut(rest, m, rest.n)).p == rest.p + m ? (ptrdiff_t)m : -1;
}

/* The end of the last place in `gap` where the generation prompt g itself stands; -1. */
static ptrdiff_t last_prompt(struct ft_str g, struct ft_str gap)
{
    const char *best = NULL;
    if (!ft_trim(g).n)
        return -1;
    for (const char *p = gap.p, *q; (q = ft_find((struct ft_str){p, (size_t)(gap.p + gap.n - p)}, g)); p = q + 1)
        best = q;
    return best ? best + g.n - gap.p : -1;
}

/* The same, also where the gap ends within it. */
static ptrdiff_t begin_by_search(struct ft_str g, struct ft_str gap)
{
    const ptrdiff_t at = last_prompt(g, gap);
    if (at >= 0 || !ft_trim(g).n)
        return at;
    for (size_t n = g.n < gap.n ? g.n : gap.n; 2 * n >= g.n && n > 1; n--)
        if (!memcmp(gap.p + gap.n - n, g.p, n))
            return (ptrdiff_t)gap.n;
    return -1;
}

/* `at` where the edges put it; `header` is where the generation prompt begins. */
static size_t edge(const struct ft_finder *f, struct ft_str rest, size_t at, size_t header)
{
    if (f->edges.begin == FT_EDGE_HEADER && header < at)
        return header;
    if (f->edges.begin == FT_EDGE_BREAK && at > header && rest.p[at - 1] == '\n')
        return at - 1;
    return at;
}

/* Where a piece of message i begins whose first span begins at `first`; the
 * template's text before it begins at byte `from`. */
static size_t find_begin(struct ft_finder *f, int32_t i, size_t from, size_t first, bool first_piece, bool prompts, bool *prompted)
{
    const struct ft_str gap = ft_cut(f->text, from, first), rest = ft_cut(f->text, from, f->text.n);
    ptrdiff_t at = -1;
    size_t header = 0;
    int32_t who;
    *prompted = false;
    if (!prompts)
        return first;
    if (first_piece && i > 0) {
        ft_said(f->spans, f->n_spans, i, first, &who);
        const size_t last = who < 0 ? 0 : (size_t)who;
        const struct ft_prompt p = shaped(f, ft_probe_prompt(f->probe, f->call, last, (size_t)i, f->a));
        const struct ft_str g = ft_prompt_text(&p);
        at = begin_in(f, &p, rest, gap.n, false);
        header = p.closing;
        if (at < 0 && p.known && (at = begin_by_search(g, gap)) >= 0)
            header = (size_t)at > g.n ? (size_t)at - g.n : 0;
        if (at >= 0 && !ft_trim(g).n) {
            /* Nothing prompts the model here (an answer that goes on behind its function's
             * result), but the template may print a header all the same. */
            const struct ft_prompt plain = shaped(f, ft_probe_plain_prompt(f->probe, f->call, f->a));
            const ptrdiff_t behind = last_prompt(ft_prompt_text(&plain), gap);
            header = f->edges.begin == FT_EDGE_HEADER ? ft_probe_owned(f->probe, f->call, last, (size_t)i, gap, f->a) : (size_t)at;
            if (behind > at)
                at = behind;
        }
    }
    if (at < 0) {
        const struct ft_prompt plain = shaped(f, ft_probe_plain_prompt(f->probe, f->call, f->a));
        const size_t n = ft_prompt_text(&plain).n;
        at = begin_by_search(ft_prompt_text(&plain), gap);
        header = at > (ptrdiff_t)n ? (size_t)at - n : 0;
    }
    if (at < 0)
        return first;
    *prompted = true;
    return from + edge(f, rest, (size_t)at, header);
}

/* A message of which nothing was printed, or nothing with a span (an empty answer, a
 * number): the chat before it is rendered whole to find its frame. */
static void bare_turn(struct ft_finder *f, int32_t i, struct ft_turn_list *out)
{
    struct ft_prompt p;
    ptrdiff_t at;
    size_t header, base, limit = f->text.n, n = 0;
    int32_t who;
    f->stared = true;
    if (i) {
        if (!ft_probe_bare_prompt(f->probe, f->call, (size_t)i, f->text, f->spans, f->n_spans, &f->budget, f->a, &p, &base)) {
            f->missed++;
            return;
        }
        p = shaped(f, &p);
        at = begin_in(f, &p, ft_cut(f->text, base, f->text.n), 0, true);
        if (at >= 0)
            at += (ptrdiff_t)base;
        header = base + p.closing;
        if (at >= 0 && !ft_trim(ft_prompt_text(&p)).n) {
            const size_t from = ft_said(f->spans, f->n_spans, i, (size_t)at, &who);
            const struct ft_prompt plain = shaped(f, ft_probe_plain_prompt(f->probe, f->call, f->a));
            const struct ft_str g = ft_prompt_text(&plain), rest = ft_cut(f->text, (size_t)at, f->text.n);
            header = (size_t)at;
            if (f->edges.begin == FT_EDGE_HEADER)
                header = from + ft_probe_owned(f->probe, f->call, who < 0 ? 0 : (size_t)who, (size_t)i, ft_cut(f->text, from, f->text.n), f->a);
            if (ft_trim(g).n && ft_str_starts(rest, g))
                at += (ptrdiff_t)g.n;
        }
    } else {
        p = shaped(f, ft_probe_plain_prompt(f->probe, f->call, f->a));
        const struct ft_str g = ft_prompt_text(&p);
        const char *first = ft_trim(g).n ? ft_find(f->text, g) : NULL;
        at = first ? first + g.n - f->text.p : -1;
        header = first ? (size_t)(first - f->text.p) : 0;
    }
    if (at < 0)
        return;
    for (size_t k = ft_span_behind(f->spans, f->n_spans, (size_t)at); k < f->n_spans; k++)
        if (f->spans[k].message >= 0 && !f->spans[k].is_role) {
            limit = f->spans[k].begin;
            break;
        }
    const struct ft_str s = ft_cut(f->text, (size_t)at, limit);
    struct ft_str stop = stop_of(f, s);
    const char *other = ft_find(s, f->middle_stop);
    if (other && (!stop.n || other < stop.p))
        stop = (struct ft_str){other, f->middle_stop.n};
    if (stop.n)
        n = (size_t)(stop.p - s.p) + stop.n;
    else if (!f->own_stop.n && !f->rules->n_stops && (stop = ft_first_special(f->rules, s)).n)
        n = (size_t)(stop.p - s.p) + stop.n;
    if (n)
        ft_turn_add(f->a, out, (struct ft_turn){(uint32_t)edge(f, f->text, (size_t)at, header),
                                                (uint32_t)((size_t)at + n + widen(f, i, (size_t)at + n, limit)), i, true, true});
}

/* ---- pieces ---- */

/* Does span k, printed before, belong to the frame of what another message says? It
 * does when nothing between stops the turn. */
static bool in_frame(struct ft_finder *f, size_t k)
{
    const struct ft_chat_span *v = f->spans;
    size_t next = k + 1;
    if (!v[k].repeated)
        return false;
    for (; next < f->n_spans && (v[next].is_role || (v[next].message == v[k].message && v[next].repeated)); next++)
        f->stared |= !v[next].is_role;
    if (next == f->n_spans || v[next].message == v[k].message)
        return false;
    return !stop_of(f, ft_cut(f->text, v[k].end, v[next].begin)).n;
}

/* Is this the first that the message says in this member? Calls apart: their names
 * stand in the frames of results too, and there alone where the template prints no
 * calls. */
static bool is_new(const struct ft_finder *f, size_t k)
{
    const struct ft_chat_span *v = f->spans;
    if (ft_str_is(v[k].field, "tool_calls"))
        return false;
    for (size_t j = f->first[v[k].message]; j < k; j++)
        if (v[j].message == v[k].message && ft_str_eq(v[j].field, v[k].field))
            return false;
    return true;
}

void ft_finder_index(struct ft_finder *f)
{
    const size_t n = f->call->messages->n;
    uint32_t *first = ft_arena_alloc(f->a, (n + 1) * sizeof *first), *last = ft_arena_alloc(f->a, (n + 1) * sizeof *last);
    memset(first, 0xff, n * sizeof *first);
    memset(last, 0, n * sizeof *last);
    for (size_t k = 0; k < f->n_spans; k++) {
        const struct ft_chat_span *s = &f->spans[k];
        if (s->is_role || s->message < 0 || (size_t)s->message >= n)
            continue;
        if (first[s->message] == UINT32_MAX)
            first[s->message] = (uint32_t)k;
        last[s->message] = (uint32_t)k;
    }
    f->first = first;
    f->last = last;
}

void ft_find_turn(struct ft_finder *f, int32_t i, bool prompts, struct ft_turn_list *out)
{
    const struct ft_chat_span *v = f->spans;
    struct ft_str field = {0}; /* of the last span of the open piece */
    bool open = false, any = false;
    struct ft_turn t = {.message = i};
    size_t from = 0; /* end of the last span of any kind, roles apart */
    size_t k = f->first[i] == UINT32_MAX ? f->n_spans : f->first[i];

    for (size_t j = k; j-- > 0 && !from;)
        from = v[j].is_role ? 0 : v[j].end;
    for (; k <= f->n_spans && (open || k <= f->last[i]); k++) {
        const bool end = k == f->n_spans;
        if (!end && v[k].is_role)
            continue;
        const bool mine = !end && v[k].message == i && !in_frame(f, k);
        const size_t next = end ? f->text.n : v[k].begin;
        f->stared |= open && !end && v[k].message < 0; /* within what is looked at for the end */
        if (open && !mine && (end || v[k].message >= 0)) {
            const struct ending x = ending_in(f, (size_t)i, field, ft_cut(f->text, t.end, next), end);
            t.stopped = x.stopped;
            t.end += (uint32_t)x.n;
            if (x.stopped)
                t.end += (uint32_t)widen(f, i, t.end, next);
            ft_turn_add(f->a, out, t);
            open = false;
        } else if (open && mine) {
            /* a stop token between two parts of the message ends a piece */
            const struct ft_str gap = ft_cut(f->text, t.end, next), stop = stop_of(f, gap);
            if (stop.n) {
                from = t.end + (size_t)(stop.p - gap.p) + stop.n;
                t.end = (uint32_t)(from + widen(f, i, from, next));
                t.stopped = true;
                ft_turn_add(f->a, out, t);
                open = false;
            }
        }
        if (mine && !open) {
            const size_t begin = find_begin(f, i, from, v[k].begin, !any, prompts, &t.prompted);
            if (!any || t.prompted || is_new(f, k)) {
                t.begin = (uint32_t)begin;
                t.stopped = false;
                open = true;
            }
            any = true;
        }
        if (mine && open) {
            t.end = v[k].end;
            field = v[k].field;
        }
        if (!end)
            from = v[k].end > from ? v[k].end : from;
    }
    if (!any && prompts)
        bare_turn(f, i, out);
}
