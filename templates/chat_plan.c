#include "templates/chat_plan.h"

#include <stdlib.h>

#include "templates/chat_text.h"

/* Hostile chats are each of another kind; and a plan is for chats that come again. */
enum { MAX_PLANS = 4096, SLOTS = 2 * MAX_PLANS, MAX_TURNS = 64 };

/* A byte of a text: so many behind the end of its k-th span, the 0th ends where it begins. */
struct place {
    uint32_t k, n;
};
struct planned {
    struct place begin, end;
    struct ft_turn turn;
};
struct seen {
    struct place at;
    struct ft_peek peek;
};
struct plan {
    struct ft_digest key;
    struct planned *turn;
    struct seen *seen;
    size_t n_turns, n_seen;
};

struct ft_plans {
    struct ft_arena mem;
    struct plan **slot; /* SLOTS of them, by key; several may have one */
    size_t n;
    struct ft_buf room;
};

struct ft_plans *ft_plans_new(void)
{
    struct ft_plans *p = ft_calloc(1, sizeof *p);
    p->slot = ft_calloc(SLOTS, sizeof *p->slot);
    return p;
}

void ft_plans_free(struct ft_plans *p)
{
    if (!p)
        return;
    ft_arena_release(&p->mem);
    ft_buf_release(&p->room);
    free(p->slot);
    free(p);
}

/* ---- the key ---- */

/* What is the same of the span whoever says it; its part and its field tell fields of one message apart. */
struct head {
    int32_t message, part;
    uint32_t repeated, gap; /* bytes of the template's before it */
    uint64_t field;
};

struct ft_plan_of ft_plan_of(struct ft_plans *p, const struct ft_finder *f, const struct ft_glance *v, const unsigned char *want,
                             struct ft_digest base)
{
    const size_t n_messages = f->call->messages->n;
    uint32_t *begin = ft_arena_alloc(f->a, 2 * (f->n_spans + 2) * sizeof *begin), *end = begin + f->n_spans + 2;
    struct ft_buf *const b = &p->room;
    const struct {
        struct ft_digest base;
        size_t n_messages;
        uint32_t prompted, continued;
    } call = {base, n_messages, f->prompted, f->call->continue_field.n > 0};
    size_t n = 0;
    b->n = 0;
    ft_buf_put(b, &call, sizeof call);
    char *w = ft_buf_room(b, n_messages * sizeof v->shape + (f->n_spans + 1) * sizeof(struct head) + f->text.n), *const start = w;
    for (size_t i = 0; i < n_messages; i++, w += sizeof v->shape) {
        const uint64_t shape = v[i].shape + want[i];
        memcpy(w, &shape, sizeof shape);
    }
    end[n] = 0;
    for (size_t k = 0; k <= f->n_spans; k++) {
        const struct ft_chat_span *const s = k < f->n_spans ? &f->spans[k] : NULL;
        if (s && s->is_role) /* a role is the template's word for who speaks */
            continue;
        begin[n] = s ? s->begin : (uint32_t)f->text.n;
        const struct ft_str gap = ft_cut(f->text, end[n], begin[n]);
        const struct head h = {s ? s->message : -2, s ? s->part : 0, s && s->repeated, (uint32_t)gap.n, s ? ft_shape_add(0, s->field) : 0};
        memcpy(w, &h, sizeof h);
        if (gap.n)
            memcpy(w + sizeof h, gap.p, gap.n);
        w += sizeof h + gap.n;
        end[++n] = s ? s->end : 0;
    }
    b->n += (size_t)(w - start);
    return (struct ft_plan_of){ft_hash128(b->p, b->n), end, begin, n};
}

/* ---- use ---- */

static inline size_t byte_at(const struct ft_plan_of *of, struct place x) { return of->end[x.k] + x.n; }

/* Is what was looked at the same here, and ends within what is said there? */
static bool holds(const struct ft_plan_of *of, const struct ft_finder *f, const struct seen *x)
{
    const size_t at = byte_at(of, x->at);
    return x->at.k + 1 < of->n && at + x->peek.same < of->end[x->at.k + 1] &&
           ft_common(ft_cut(f->text, at, f->text.n), x->peek.tail) == x->peek.same;
}

static const struct plan *find(const struct ft_plans *p, const struct ft_plan_of *of, const struct ft_finder *f)
{
    for (size_t i = of->key.lo % SLOTS; p->slot[i]; i = (i + 1) % SLOTS) {
        const struct plan *const x = p->slot[i];
        if (x->key.lo != of->key.lo || x->key.hi != of->key.hi)
            continue;
        size_t k = 0;
        while (k < x->n_seen && holds(of, f, &x->seen[k]))
            k++;
        if (k == x->n_seen)
            return x;
    }
    return NULL;
}

bool ft_plan_use(const struct ft_plans *p, const struct ft_plan_of *of, const struct ft_finder *f, struct ft_turn_list *out)
{
    const struct plan *const x = find(p, of, f);
    if (!x)
        return false;
    for (size_t i = 0; i < x->n_turns; i++) {
        struct ft_turn t = x->turn[i].turn;
        t.begin = (uint32_t)byte_at(of, x->turn[i].begin);
        t.end = (uint32_t)byte_at(of, x->turn[i].end);
        ft_turn_add(f->a, out, t);
    }
    return true;
}

/* ---- learning ---- */

/* false: it lies within what is said. */
static bool place_of(const struct ft_plan_of *of, size_t byte, struct place *out)
{
    size_t lo = 0, hi = of->n; /* the last that ends there or before: ends grow, the first is 0 */
    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;
        if (of->end[mid] <= byte)
            lo = mid;
        else
            hi = mid;
    }
    *out = (struct place){(uint32_t)lo, (uint32_t)(byte - of->end[lo])};
    return byte <= of->begin[lo];
}

/* The same for a turn's begin: where the prompt goes on in what is said, it is counted from where that was looked for. */
static bool begin_of(const struct ft_plan_of *of, const struct plan *x, size_t byte, struct place *out)
{
    for (size_t i = 0; i < x->n_seen; i++) {
        const struct ft_peek *const p = &x->seen[i].peek;
        if (p->at <= byte && byte <= p->at + p->same)
            return *out = (struct place){x->seen[i].at.k, x->seen[i].at.n + (uint32_t)(byte - p->at)}, true;
    }
    return place_of(of, byte, out);
}

void ft_plan_learn(struct ft_plans *p, const struct ft_plan_of *of, const struct ft_finder *f, const struct ft_turn_list *l)
{
    if (p->n == MAX_PLANS || f->stared || l->n > MAX_TURNS || f->n_peeks > MAX_TURNS || ft_facts_full(ft_probe_facts(f->probe)))
        return;
    struct planned turn[MAX_TURNS];
    struct seen seen[MAX_TURNS];
    const struct plan made = {of->key, turn, seen, l->n, f->n_peeks};
    for (size_t i = 0; i < f->n_peeks; i++) {
        seen[i].peek = f->peeks[i];
        if (!place_of(of, f->peeks[i].at, &seen[i].at) || !holds(of, f, &seen[i]))
            return;
    }
    for (size_t i = 0; i < l->n; i++) {
        turn[i].turn = l->v[i];
        if (!begin_of(of, &made, l->v[i].begin, &turn[i].begin) || !place_of(of, l->v[i].end, &turn[i].end))
            return;
    }
    struct plan *x = FT_NEW(&p->mem, struct plan);
    *x = made;
    x->turn = memcpy(FT_NEWS(&p->mem, struct planned, l->n), turn, l->n * sizeof *turn);
    x->seen = memcpy(FT_NEWS(&p->mem, struct seen, f->n_peeks), seen, f->n_peeks * sizeof *seen);
    size_t i = of->key.lo % SLOTS;
    while (p->slot[i])
        i = (i + 1) % SLOTS;
    p->slot[i] = x;
    p->n++;
}
