#include "templates/chat_turns.h"

#include <stdlib.h>

#include "templates/chat_edges.h"
#include "templates/chat_plan.h"
#include "templates/chat_special.h"
#include "templates/chat_text.h"

/* The edges of a template's turns. */
struct way {
    const struct ft_template *t;
    uint64_t id;
    struct ft_edges edges;
};

struct ft_turn_cache {
    struct ft_learn_rules rules;
    struct ft_probe *probe;
    struct ft_plans *plans;
    struct way ways[16]; /* of the templates met last: records may bring their own */
    size_t n_ways;
};

struct ft_turn_cache *ft_turn_cache_new(const struct ft_learn_rules *rules)
{
    struct ft_turn_cache *c = ft_calloc(1, sizeof *c);
    c->rules = *rules;
    c->probe = ft_probe_new(&c->rules);
    c->plans = ft_plans_new();
    return c;
}

void ft_turn_cache_free(struct ft_turn_cache *c)
{
    if (!c)
        return;
    ft_plans_free(c->plans);
    ft_probe_free(c->probe);
    free(c);
}

struct ft_str ft_turn_stop(struct ft_turn_cache *c, const struct ft_chat_call *call, struct ft_arena *a)
{
    struct ft_str middle;
    ft_probe_begin(c->probe);
    return ft_probe_stop(c->probe, call, &middle, a);
}

static struct ft_edges edges_for(struct ft_turn_cache *c, const struct ft_finder *f)
{
    const struct ft_edges wide = {.begin = FT_EDGE_THINK, .space = true, .tail = true};
    const size_t room = sizeof c->ways / sizeof *c->ways;
    if (c->rules.edges != FT_EDGES_AUTO)
        return c->rules.edges == FT_EDGES_WIDE ? wide : (struct ft_edges){0};
    for (size_t i = 0; i < c->n_ways && i < room; i++)
        if (c->ways[i].t == f->call->t && c->ways[i].id == f->call->template_id)
            return c->ways[i].edges;
    struct way *w = &c->ways[c->n_ways++ % room];
    *w = (struct way){.t = f->call->t, .id = f->call->template_id};
    if (!ft_edges_of_trl(w->t, &w->edges))
        ft_edges_of_blocks(f, &w->edges);
    return w->edges;
}

/* true, false, or a number: learnt where it is above 0. Fractions cannot be had here:
 * a token is learnt or not. -1 for anything else. */
static int flag_of(const struct ft_json *v)
{
    if (v->type == FT_JSON_TRUE || v->type == FT_JSON_FALSE)
        return v->type == FT_JSON_TRUE;
    return v->type == FT_JSON_NUMBER ? ft_json_real(v) > 0 : -1;
}

/* 1 learnt, 0 not: by the message's own word, else by its role. */
static int wanted(const struct ft_learn_rules *r, const struct ft_json *m, const struct ft_glance *g, size_t i, struct ft_err *e)
{
    static const char *const own[] = {"train", "weight"};
    for (int k = 0; g->own && k < 2; k++) {
        const struct ft_json *v = ft_json_get(m, own[k]);
        if (!v || v->type == FT_JSON_NULL)
            continue;
        const int flag = flag_of(v);
        if (flag < 0)
            return ft_fail(e, FT_DATA, "messages[%zu]: \"%s\" is neither true or false nor a number", i, own[k]);
        return flag;
    }
    for (size_t k = 0; k < r->n_roles; k++)
        if (ft_str_eq(g->role, r->roles[k]))
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
static void leave_out_parts(const struct ft_finder *f, struct ft_turn_list *l)
{
    struct ft_turn_list out = {0};
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
            ft_turn_add(f->a, &out, before);
            t.begin = s->end;
        }
        ft_turn_add(f->a, &out, t);
    }
    *l = out;
}

static int by_begin(const void *x, const void *y)
{
    const struct ft_turn *a = x, *b = y;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* Blocks of {% generation %}, each the message's whose text it holds. */
static void from_blocks(const struct ft_finder *f, const struct ft_rendered *x, struct ft_turn_list *out)
{
    for (size_t i = 0; i < x->ngens; i++) {
        struct ft_turn t = {.begin = (uint32_t)x->gens[i].begin, .end = (uint32_t)x->gens[i].end, .message = -1, .prompted = true};
        if (t.begin >= f->text.n) /* behind the cut of a message to be continued */
            continue;
        if (t.end > f->text.n)
            t.end = (uint32_t)f->text.n;
        for (size_t k = ft_span_behind(f->spans, f->n_spans, t.begin); k < f->n_spans && f->spans[k].begin < t.end && t.message < 0; k++)
            t.message = f->spans[k].message;
        /* in pieces, as it was written (what is said, and then the stop token) */
        struct ft_turn *last = out->n ? &out->v[out->n - 1] : NULL;
        if (last && last->end == t.begin && (t.message < 0 || t.message == last->message)) {
            t.begin = last->begin;
            t.message = last->message;
            out->n--;
        }
        const struct ft_str tail = ft_cut(f->text, t.begin, t.end);
        t.stopped = ft_first_of(tail, f->rules->stops, f->rules->n_stops).n || ft_find(tail, f->own_stop) || ft_find(tail, f->middle_stop);
        ft_turn_add(f->a, out, t);
    }
}

static bool truth(const struct ft_json *v) { return v && v->type == FT_JSON_TRUE; }

enum { WANTED = 1, ANSWER = 2 };

/* Finds the turns of the messages that are wanted. */
static void look_for(struct ft_turn_cache *c, struct ft_finder *f, const struct ft_rendered *x, const unsigned char *want, bool blocks,
                     struct ft_turn_list *out)
{
    bool edges_known = false;
    f->own_stop = ft_probe_stop(c->probe, f->call, &f->middle_stop, f->a);
    ft_finder_index(f);
    if (blocks) {
        from_blocks(f, x, out);
        size_t kept = 0;
        for (size_t i = 0; i < out->n; i++)
            if (out->v[i].message < 0 || want[out->v[i].message] & WANTED)
                out->v[kept++] = out->v[i];
        out->n = kept;
    }
    for (size_t i = 0; i < f->call->messages->n; i++) {
        const bool answer = want[i] & ANSWER;
        if (!(want[i] & WANTED) || (blocks && answer))
            continue;
        if (!edges_known) {
            f->edges = edges_for(c, f);
            edges_known = true;
        }
        ft_find_turn(f, (int32_t)i, answer, out);
    }
}

int ft_turns(struct ft_turn_cache *c, const struct ft_chat_call *call, const struct ft_rendered *x,
             const struct ft_chat_span *spans, size_t n_spans, struct ft_arena *a, struct ft_turn **out, size_t *n,
             size_t *missed, struct ft_err *e)
{
    struct ft_turn_list l = {0};
    const bool blocks = c->rules.from == FT_LEARN_GENERATION ||
                        (c->rules.from == FT_LEARN_AUTO && ft_template_has_generation(call->t));
    const bool prompted = call->generation_prompt || truth(ft_json_get(call->kwargs, "add_generation_prompt"));
    struct ft_finder f = {.probe = c->probe, .rules = &c->rules, .call = call, .prompted = prompted, .text = x->text, .spans = spans, .n_spans = n_spans, .a = a, .budget = 64};
    struct ft_digest base;
    ft_probe_begin(c->probe);
    const struct ft_glance *const v = ft_facts_glance(ft_probe_facts(c->probe), call, &base);
    unsigned char *want = ft_arena_alloc(a, call->messages->n + 1);
    for (size_t i = 0; i < call->messages->n; i++) {
        const int k = wanted(&c->rules, &call->messages->items[i], &v[i], i, e);
        if (k < 0)
            return -1;
        want[i] = (unsigned char)((k ? WANTED : 0) | (ft_str_is(v[i].role, "assistant") ? ANSWER : 0));
    }
    if (blocks) {
        look_for(c, &f, x, want, blocks, &l);
    } else {
        const struct ft_plan_of of = ft_plan_of(c->plans, &f, v, want, base);
        if (!ft_plan_use(c->plans, &of, &f, &l)) {
            look_for(c, &f, x, want, blocks, &l);
            ft_plan_learn(c->plans, &of, &f, &l);
        }
    }
    if (l.n > 1)
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
    *missed = f.missed;
    *out = l.v;
    *n = l.n;
    return 0;
}
