#include "templates/chat_facts.h"

#include <stdlib.h>

#include "templates/chat_json.h"
#include "templates/chat_text.h"

/* Places differ by what comes before them; data sets have a handful, hostile ones
 * could have millions. */
enum { MAX_FACTS = 8192, SLOTS = 2 * MAX_FACTS };

struct ft_facts {
    struct ft_arena mem;   /* of the run */
    struct ft_fact **slot; /* SLOTS of them, by key */
    size_t n;
    struct ft_buf room;
    struct ft_buf last; /* the call that last_key is of */
    struct ft_digest last_key;

    /* of the chat at hand */
    const struct ft_chat_call *call;
    struct ft_digest base, whole; /* of the call; of all its messages */
    bool whole_known;
    struct ft_fact *last_of_call; /* the one asked for last, of this base and kind */
    struct ft_digest of_base;
    char of_kind;
    struct ft_glance *seen; /* of the first n_seen messages */
    size_t n_seen, cap_seen;
};

struct ft_facts *ft_facts_new(void)
{
    struct ft_facts *f = ft_calloc(1, sizeof *f);
    f->slot = ft_calloc(SLOTS, sizeof *f->slot);
    return f;
}

void ft_facts_free(struct ft_facts *f)
{
    if (!f)
        return;
    ft_arena_release(&f->mem);
    ft_buf_release(&f->room);
    ft_buf_release(&f->last);
    free(f->seen);
    free(f->slot);
    free(f);
}

void ft_facts_begin(struct ft_facts *f) { f->call = NULL; }

/* What the last key is of. */
struct of_call {
    const struct ft_template *t;
    uint64_t template_id;
    bool tools, documents, kwargs;
};

/* The template, its variables, and whether there are tools and documents: the same
 * from record to record, mostly, so the last is kept. */
static struct ft_digest call_key(struct ft_facts *f, const struct ft_chat_call *call)
{
    struct ft_buf *b = &f->room;
    struct of_call of;
    memset(&of, 0, sizeof of); /* what is between its members is hashed too */
    of.t = call->t;
    of.template_id = call->template_id;
    of.tools = call->tools != NULL;
    of.documents = call->documents != NULL;
    of.kwargs = call->kwargs != NULL;
    struct ft_str kwargs = call->kwargs ? call->kwargs->raw : (struct ft_str){0};
    if (call->kwargs && !kwargs.p) {
        b->n = 0;
        ft_json_put(b, call->kwargs);
        kwargs = ft_buf_str(b);
    }
    if (f->last.n != sizeof of + kwargs.n || memcmp(f->last.p, &of, sizeof of) || memcmp(f->last.p + sizeof of, kwargs.p ? kwargs.p : "", kwargs.n)) {
        f->last.n = 0;
        ft_buf_put(&f->last, &of, sizeof of);
        ft_buf_puts(&f->last, kwargs);
        f->last_key = ft_hash128(f->last.p, f->last.n);
    }
    return f->last_key;
}

static void add_field(struct ft_buf *b, struct ft_str s)
{
    const uint32_t n = (uint32_t)s.n;
    ft_buf_put(b, &n, sizeof n);
    ft_buf_puts(b, s);
}

/* Nothing but white space, which templates may trim to nothing. */
static inline bool is_blank(struct ft_str s) { return !ft_trim(s).n; }

/* A bit each for what many templates look for in an answer, to cut reasoning out of the history: its begin, its end,
 * and that nothing follows. */
static unsigned reasoning(struct ft_str s)
{
    unsigned bits = 0;
    for (const char *p = s.p, *const end = s.p + s.n; (p = memchr(p, '<', (size_t)(end - p))) && end - p >= 7; p++)
        if (!memcmp(p, "<think>", 7))
            bits |= 1;
        else if (end - p >= 8 && !memcmp(p, "</think>", 8))
            bits = (bits & 1) | (is_blank((struct ft_str){p + 8, (size_t)(end - p) - 8}) ? 6 : 2);
    return bits;
}

/* The same for a question: words by which it switches reasoning on and off. */
static unsigned switches(struct ft_str s)
{
    unsigned bits = 0;
    for (const char *p = s.p, *const end = s.p + s.n; (p = memchr(p, '/', (size_t)(end - p))) && end - p >= 6; p++)
        if (!memcmp(p, "/think", 6) && (p == s.p || p[-1] != '<'))
            bits |= 1;
        else if (end - p >= 9 && !memcmp(p, "/no_think", 9))
            bits |= 2;
    return bits;
}

/* Templates remember that there was a tool's answer before, or a call: the first is framed otherwise than the next. */
enum { OF_USER = 1, OF_ASSISTANT = 2, OF_TOOL = 4, OF_SYSTEM = 8, OF_OTHER = 16, OF_CALLS = 32, OF_SWITCH = 6 /* its bits from here on */ };

static uint8_t kind_of(struct ft_str role)
{
    return ft_str_is(role, "user") ? OF_USER : ft_str_is(role, "assistant") ? OF_ASSISTANT : ft_str_is(role, "tool") ? OF_TOOL
         : ft_str_is(role, "system") ? OF_SYSTEM : OF_OTHER;
}

static struct ft_glance glance(const struct ft_json *m)
{
    struct ft_glance g = {.shape = 1};
    struct ft_str said = {"", 0};
    for (size_t k = 0; k < m->n; k++) {
        const struct ft_json *v = &m->members[k].value;
        const struct ft_str key = m->members[k].key;
        const bool empty = v->type == FT_JSON_NULL || (v->type == FT_JSON_STRING ? !v->s.n :
                           (v->type == FT_JSON_ARRAY || v->type == FT_JSON_OBJECT) && !v->n);
        if (ft_str_is(key, "role")) {
            g.role = v->type == FT_JSON_STRING ? v->s : (struct ft_str){0};
        } else {
            g.own |= ft_str_is(key, "train") || ft_str_is(key, "weight");
            if (!empty && ft_str_is(key, "tool_calls"))
                g.kind |= OF_CALLS;
            g.shape = empty ? g.shape : ft_shape_add(g.shape, key);
            if (v->type == FT_JSON_STRING && !empty && is_blank(v->s))
                g.shape = ft_shape_add(g.shape, FT_STR(" "));
            if (v->type == FT_JSON_STRING && ft_str_is(key, "content"))
                said = v->s;
        }
        for (size_t j = 0; v->type == FT_JSON_ARRAY && j < v->n && j < 8; j++) {
            const struct ft_json *type = ft_json_get(&v->items[j], "type"); /* text, image */
            g.shape = ft_shape_add(g.shape, type && type->type == FT_JSON_STRING ? type->s : FT_STR("?"));
            const struct ft_json *text = ft_json_get(&v->items[j], "text");
            if (text && text->type == FT_JSON_STRING && is_blank(text->s))
                g.shape = ft_shape_add(g.shape, FT_STR(" "));
        }
    }
    g.shape = ft_shape_add(g.shape, g.role);
    g.kind |= kind_of(g.role);
    const unsigned words = g.kind & OF_ASSISTANT ? reasoning(said) : switches(said);
    g.kind |= g.kind & OF_ASSISTANT ? 0 : (uint8_t)(words << OF_SWITCH);
    g.shape += words * 0x9e3779b97f4a7c15;
    return g;
}

/* Sees to it that the call's key is known, and the shapes of the messages before `to`. */
static void look_at(struct ft_facts *f, const struct ft_chat_call *call, size_t to)
{
    if (f->call != call) {
        f->call = call;
        f->base = call_key(f, call);
        f->whole_known = false;
        f->n_seen = 0;
    }
    if (to > f->cap_seen) {
        f->cap_seen = 2 * to;
        f->seen = ft_reallocs(f->seen, f->cap_seen, sizeof *f->seen);
    }
    for (struct ft_glance *g; f->n_seen < to; f->n_seen++) {
        g = &f->seen[f->n_seen];
        *g = glance(&call->messages->items[f->n_seen]);
        g->before = f->n_seen ? g[-1].before | g[-1].kind : 0;
    }
}

const struct ft_glance *ft_facts_glance(struct ft_facts *f, const struct ft_chat_call *call, struct ft_digest *base)
{
    look_at(f, call, call->messages->n);
    *base = f->base;
    return f->seen;
}

bool ft_facts_full(const struct ft_facts *f) { return f->n >= MAX_FACTS; }

static void add_shapes(struct ft_buf *b, const struct ft_glance *v, size_t n)
{
    char *w = ft_buf_room(b, n * sizeof v->shape);
    for (size_t i = 0; i < n; i++)
        memcpy(w + i * sizeof v->shape, &v[i].shape, sizeof v->shape);
    b->n += n * sizeof v->shape;
}

static struct ft_digest place_key(struct ft_facts *f, const struct ft_chat_call *call, enum ft_fact_of of, char kind, size_t from,
                                  size_t to, struct ft_str field)
{
    const size_t n = of == FT_OF_CALL ? 0 : of == FT_OF_CHAT ? call->messages->n : to;
    struct ft_buf *b = &f->room;
    look_at(f, call, n);
    b->n = 0;
    ft_buf_put(b, &f->base, sizeof f->base);
    ft_buf_putc(b, kind);
    add_field(b, field);
    if (of == FT_OF_RANGE) {
        ft_buf_putc(b, from ? (char)f->seen[from].before : 0);
        add_shapes(b, f->seen + from, to - from);
    } else if (of == FT_OF_CHAT) {
        if (!f->whole_known) {
            const size_t at = b->n;
            add_shapes(b, f->seen, n);
            f->whole = ft_hash128(b->p + at, b->n - at);
            b->n = at;
        }
        f->whole_known = true;
        ft_buf_put(b, &f->whole, sizeof f->whole);
        ft_buf_put(b, &to, sizeof to);
    }
    return ft_hash128(b->p, b->n);
}

struct ft_fact *ft_fact(struct ft_facts *f, const struct ft_chat_call *call, enum ft_fact_of of, char kind, size_t from, size_t to,
                        struct ft_str field, struct ft_arena *a, struct ft_arena **mem, bool *fresh)
{
    *fresh = false;
    if (of == FT_OF_CALL) { /* of each chat the same is asked first */
        look_at(f, call, 0);
        if (f->last_of_call && f->of_kind == kind && f->of_base.hi == f->base.hi && f->of_base.lo == f->base.lo)
            return f->last_of_call;
    }
    const struct ft_digest key = place_key(f, call, of, kind, from, to, field);
    size_t i = key.lo % SLOTS;
    for (; f->slot[i]; i = (i + 1) % SLOTS)
        if (f->slot[i]->key.lo == key.lo && f->slot[i]->key.hi == key.hi) {
            if (of == FT_OF_CALL) {
                f->last_of_call = f->slot[i];
                f->of_base = f->base;
                f->of_kind = kind;
            }
            return f->slot[i];
        }
    const bool full = f->n >= MAX_FACTS;
    *fresh = true;
    *mem = full ? a : &f->mem;
    struct ft_fact *x = FT_NEW(*mem, struct ft_fact);
    x->key = key;
    if (!full) {
        f->slot[i] = x;
        f->n++;
    }
    return x;
}
