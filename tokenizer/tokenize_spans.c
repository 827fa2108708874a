/* Spans of the text become spans of its tokens, by the places of their ends (ranges.h). */
#include <stdlib.h>

#include "pipeline/frame.h"
#include "tokenizer/ranges.h"
#include "tokenizer/tokenize.h"

int ft_tz_spans_read(struct ft_rec *r, const char *key, size_t text_n, struct ft_tz_spans *out, struct ft_err *e)
{
    *out = (struct ft_tz_spans){0};
    const int k = ft_rec_ranges(r, key, &out->v, &out->n, e);
    for (size_t i = 0; i < out->n; i++)
        if (out->v[i].begin < 0 || (uint64_t)out->v[i].end > text_n)
            return ft_fail(e, FT_DATA, "\"%s\": entry %zu is not a range of bytes of \"text\"", key, i);
    return k;
}

/* ---- marks ---- */

/* The i-th of the places where ranges begin and end. */
static inline uint32_t end_of(const struct ft_tz_spans *s, size_t i) { return (uint32_t)(i & 1 ? s->v[i / 2].end : s->v[i / 2].begin); }

static int by_place(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of lists that are not sorted: all places, and where among them each is. */
static void sort(struct ft_tz_spans *s, uint32_t *mark, const uint32_t *v, size_t n)
{
    for (size_t i = 0; i < 2 * s->n; i++) {
        const uint32_t at = end_of(s, i);
        mark[i] = (uint32_t)((const uint32_t *)bsearch(&at, v, n, sizeof *v, by_place) - v);
    }
}

const uint32_t *ft_tz_marks(struct ft_rec *r, struct ft_tz_spans *a, struct ft_tz_spans *b, size_t *n)
{
    const size_t n_a = 2 * a->n, n_b = 2 * b->n;
    uint32_t *const v = ft_arena_alloc(r->mem, 2 * (n_a + n_b) * sizeof *v + 1), *const mark_a = v + n_a + n_b, *const mark_b = mark_a + n_a;
    bool sorted = true;
    uint32_t last = 0;
    *n = n_a + n_b;
    a->mark = mark_a;
    b->mark = mark_b;
    for (size_t i = 0, k = 0, m = 0; m < n_a + n_b; m++) {
        const bool first = k == n_b || (i < n_a && end_of(a, i) < end_of(b, k));
        const uint32_t at = first ? end_of(a, i) : end_of(b, k);
        *(first ? &mark_a[i] : &mark_b[k]) = (uint32_t)m;
        i += first;
        k += !first;
        sorted &= last <= at;
        v[m] = last = at;
    }
    if (!sorted) {
        qsort(v, *n, sizeof *v, by_place);
        sort(a, mark_a, v, *n);
        sort(b, mark_b, v, *n);
    }
    return v;
}

/* ---- to tokens ---- */

/* `learn`: of what is learnt, where the first token of a turn may begin within its
 * prompt ("\n" and "\n" as one): prefix takes it, as TRL does it twice over, by the
 * common prefix of prompts and by the tokens of {% generation %} blocks. */
struct ft_span ft_tz_span(const struct ft_tz *c, const struct ft_tz_spans *s, const struct ft_tok_place *place, size_t i, bool learn)
{
    size_t from, to;
    ft_tok_range_of(place[s->mark[2 * i]], place[s->mark[2 * i + 1]],
                    c->boundary == FT_TZ_OVERLAP || (learn && c->boundary == FT_TZ_PREFIX) ? FT_TOK_OVERLAP
                    : c->boundary == FT_TZ_INSIDE                                          ? FT_TOK_INSIDE
                                                                                           : FT_TOK_START,
                    &from, &to);
    return (struct ft_span){(uint32_t)from, (uint32_t)(to - from)};
}

/* What of it is kept, counted from there. */
static inline struct ft_span within(struct ft_span t, struct ft_span kept)
{
    const uint64_t end = (uint64_t)t.at + t.n, last = (uint64_t)kept.at + kept.n;
    const uint32_t from = t.at > kept.at ? t.at : kept.at, to = (uint32_t)(end < last ? end : last);
    return from < to ? (struct ft_span){from - kept.at, to - from} : (struct ft_span){0};
}

/* t: of each the tokens, n 0: it has none. */
static struct ft_str as_json(struct ft_rec *r, const struct ft_tz_spans *s, const struct ft_span *t)
{
    size_t room = 2;
    for (size_t i = 0; i < s->n; i++)
        room += 2 * FT_DECIMAL + 4 + s->v[i].more.n;
    char *const p = ft_arena_alloc(r->mem, room), *w = p;
    *w++ = '[';
    for (size_t i = 0; i < s->n; i++) {
        const struct ft_str more = s->v[i].more;
        if (!t[i].n)
            continue;
        if (w > p + 1)
            *w++ = ',';
        *w++ = '[';
        w = ft_put_decimal(w, t[i].at);
        *w++ = ',';
        w = ft_put_decimal(w, t[i].at + t[i].n);
        memcpy(w, more.p ? more.p : "", more.n);
        w += more.n;
        *w++ = ']';
    }
    *w++ = ']';
    return (struct ft_str){p, (size_t)(w - p)};
}

/* As numbers of the record's frame. False: one of them cannot be that. */
static bool frame_spans(struct ft_rec *r, const struct ft_tz_spans *s, const struct ft_span *t)
{
    char *const p = ft_arena_alloc(r->mem, FT_FRAME_SPAN * s->n), *w = p;
    for (size_t i = 0; i < s->n; i++) {
        if (!t[i].n)
            continue;
        if (!s->v[i].usual)
            return false;
        ft_frame_put_span(w, &s->v[i], t[i].at, t[i].at + t[i].n);
        w += FT_FRAME_SPAN;
    }
    r->numbers.spans = p;
    r->numbers.n_spans = (size_t)(w - p) / FT_FRAME_SPAN;
    return true;
}

static bool frame_learn(struct ft_rec *r, const struct ft_tz_spans *s, const struct ft_span *t)
{
    char *const p = ft_arena_alloc(r->mem, FT_FRAME_LEARN * s->n), *w = p;
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].more.n)
            return false;
        if (!t[i].n)
            continue;
        ft_frame_put_learn(w, t[i].at, t[i].at + t[i].n);
        w += FT_FRAME_LEARN;
    }
    r->numbers.learn = p;
    r->numbers.n_learn = (size_t)(w - p) / FT_FRAME_LEARN;
    return true;
}

void ft_tz_spans_set(const struct ft_tz *c, struct ft_rec *r, const char *key, const struct ft_tz_spans *s,
                     const struct ft_tok_place *place, struct ft_span kept)
{
    const bool learn = !strcmp(key, "learn");
    struct ft_span *t = ft_arena_alloc(r->mem, (s->n + 1) * sizeof *t);
    uint32_t behind = 0; /* of the last one learnt: ranges stay disjoint */
    for (size_t i = 0; i < s->n; i++) {
        t[i] = s->v[i].begin < s->v[i].end ? ft_tz_span(c, s, place, i, learn) : (struct ft_span){0};
        if (learn && t[i].n && t[i].at < behind) {
            const uint32_t shared = behind - t[i].at;
            t[i].at = behind;
            t[i].n -= shared < t[i].n ? shared : t[i].n;
        }
        behind = t[i].n ? t[i].at + t[i].n : behind;
        t[i] = within(t[i], kept);
    }
    if (!c->binary || !(learn ? frame_learn(r, s, t) : frame_spans(r, s, t)))
        ft_rec_set(r, key, as_json(r, s, t));
    else
        ft_rec_remove(r, key);
}

/* ---- what users said ---- */

static int64_t flags_of(const struct ft_range *x)
{
    struct ft_str item[FT_RANGE_ITEMS];
    int64_t flags;
    ft_range_items(x, item);
    return ft_range_int(item[FT_RANGE_FLAGS], &flags) ? 0 : flags;
}

struct ft_tok_range *ft_tz_untrusted(struct ft_rec *r, const struct ft_tz_spans *s, size_t *n, bool **bare, uint32_t **which)
{
    struct ft_tok_range *v = ft_arena_alloc(r->mem, (s->n + 1) * sizeof *v);
    *bare = ft_arena_alloc(r->mem, s->n + 1);
    *which = ft_arena_alloc(r->mem, (s->n + 1) * sizeof **which);
    *n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const int64_t flags = s->v[i].usual ? s->v[i].flags : flags_of(&s->v[i]);
        if (flags & 1) {
            (*bare)[*n] = flags & 4;
            (*which)[*n] = (uint32_t)i;
            v[(*n)++] = (struct ft_tok_range){(uint32_t)s->v[i].begin, (uint32_t)s->v[i].end};
        }
    }
    return v;
}

uint64_t ft_tz_specials_inside(const struct ft_tz *c, const struct ft_tz_spans *s, const uint32_t *which, size_t n,
                               const struct ft_encoding *x)
{
    uint64_t inside = 0;
    size_t done = 0; /* one that two ranges share is one */
    for (size_t i = 0; i < n; i++) {
        const uint32_t *mark = &s->mark[2 * which[i]];
        size_t from, to;
        ft_tok_range_of(x->place[mark[0]], x->place[mark[1]], FT_TOK_OVERLAP, &from, &to);
        from = from > done ? from : done;
        if (from < to)
            inside += ft_tokenizer_count_special(c->tok, x->ids + from, to - from);
        done = to > done ? to : done;
    }
    return inside;
}
