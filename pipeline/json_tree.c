/* The tree. Values are written where they are to stay: a container begins with room for a few,
 * and moves when it is outgrown. */
#include <stdlib.h>

#include "pipeline/json_scan.h"

struct open_container {
    struct ft_json *self; /* where its value goes, in the container around it */
    union {
        struct ft_json *items;
        struct ft_json_member *members;
    };
    size_t n, cap;
    const char *begin;
    bool object;
};

enum { FEW = 24, ROOM = 4 }; /* open containers that need no heap; children of one that need no move */
struct builder {
    struct ft_scan *s;
    struct ft_arena *a;
    const char *const *leave; /* or NULL */
    struct open_container *open;
    size_t depth, cap;
    struct open_container few[FEW];
};

static void open_grow(struct builder *b)
{
    struct open_container *more = ft_reallocs(b->open == b->few ? NULL : b->open, b->cap * 2, sizeof *more);
    if (b->open == b->few)
        memcpy(more, b->few, b->cap * sizeof *more);
    b->open = more;
    b->cap *= 2;
}

static void outgrow(struct builder *b, struct open_container *c)
{
    const size_t size = c->object ? sizeof *c->members : sizeof *c->items;
    void *more = ft_arena_alloc(b->a, 2 * c->cap * size);
    memcpy(more, c->items, c->n * size);
    c->items = more;
    c->cap *= 2;
}

/* Where the scan is, apart from its place: what does not change is kept out of memory that values are written to. */
struct text {
    const char *begin, *end;
    const uint64_t *odd;
};

/* The first odd byte from p on, as ft_scan_odd. */
static inline const char *odd_from(const struct text *t, const char *p)
{
    const size_t i = (size_t)(p - t->begin);
    const uint64_t *w = t->odd + i / 64;
    uint64_t m = *w >> i % 64;
    if (m)
        return p + __builtin_ctzll(m);
    while (!(m = *++w))
        ;
    return t->begin + (size_t)(w - t->odd) * 64 + __builtin_ctzll(m);
}

static const char *any_name(struct builder *b, const char *p, struct ft_str *key)
{
    bool escaped;
    b->s->p = p;
    if (ft_scan_key(b->s, key, &escaped))
        return NULL;
    if (escaped)
        *key = ft_json_unescape(*key, b->a);
    return b->s->p;
}

/* A member name at p, and what stands before its value. NULL: an error. */
static inline const char *name(struct builder *b, const struct text *t, const char *p, struct ft_str *key)
{
    if (t->odd && p < t->end && *p == '"') { /* "name": and perhaps a space, as most are */
        const char *q = odd_from(t, p + 1);
        if (t->end - q > 3 && q[0] == '"' && q[1] == ':') {
            *key = (struct ft_str){p + 1, (size_t)(q - p) - 1};
            q += 2 + (q[2] == ' ');
            if (*q > ' ')
                return q;
        }
    }
    return any_name(b, p, key);
}

static const char *any_space(struct ft_scan *s, const char *p)
{
    s->p = p;
    ft_scan_space(s);
    return s->p;
}

static inline const char *space(struct builder *b, const struct text *t, const char *p)
{
    return p < t->end && *p > ' ' ? p : any_space(b->s, p);
}

/* Room for the next value of a container. */
static inline struct ft_json *element(struct builder *b, struct open_container *c)
{
    if (c->n == c->cap)
        outgrow(b, c);
    return &c->items[c->n++];
}
static inline struct ft_json_member *member(struct builder *b, struct open_container *c)
{
    if (c->n == c->cap)
        outgrow(b, c);
    return &c->members[c->n++];
}

/* The container ends before p. */
static inline void shut(const struct open_container *c, const char *p)
{
    struct ft_json *v = c->self;
    v->type = c->object ? FT_JSON_OBJECT : FT_JSON_ARRAY;
    v->is_float = false;
    v->s = (struct ft_str){0};
    v->raw = (struct ft_str){c->begin, (size_t)(p - c->begin)};
    v->n = c->n;
    v->items = c->items;
}

/* Returns where the value ends, NULL: an error. */
static const char *any_scalar(struct builder *b, struct ft_json *v, const char *const begin)
{
    struct ft_scan *const s = b->s;
    bool escaped = false;
    v->is_float = false;
    v->n = 0;
    v->items = NULL;
    s->p = begin;
    if (begin < s->end && *begin == '"') {
        if (ft_scan_string(s, &escaped))
            return NULL;
        v->type = FT_JSON_STRING;
        v->s = (struct ft_str){begin + 1, (size_t)(s->p - begin) - 2};
        if (escaped)
            v->s = ft_json_unescape(v->s, b->a);
    } else if (begin < s->end && (*begin == '-' || (*begin >= '0' && *begin <= '9'))) {
        if (ft_scan_number(s, &v->is_float))
            return NULL;
        v->type = FT_JSON_NUMBER;
        v->s = (struct ft_str){begin, (size_t)(s->p - begin)};
    } else if (ft_scan_word(s, &v->type)) {
        return NULL;
    } else {
        v->s = (struct ft_str){0};
    }
    v->raw = (struct ft_str){begin, (size_t)(s->p - begin)};
    return s->p;
}

static inline const char *scalar(struct builder *b, const struct text *t, struct ft_json *v, const char *const begin)
{
    if (t->odd && begin < t->end && *begin == '"') { /* a string without escapes, as most are */
        const char *const q = odd_from(t, begin + 1);
        if (q < t->end && *q == '"') {
            v->type = FT_JSON_STRING;
            v->is_float = false;
            v->s = (struct ft_str){begin + 1, (size_t)(q - begin) - 1};
            v->raw = (struct ft_str){begin, (size_t)(q - begin) + 1};
            v->n = 0;
            v->items = NULL;
            return q + 1;
        }
    }
    return any_scalar(b, v, begin);
}

/* Is the container that begins here one without its children? */
static bool is_left(const struct builder *b)
{
    if (b->depth != 2 || !b->open[1].object)
        return false;
    for (const char *const *name = b->leave; *name; name++)
        if (ft_str_is(b->open[1].members[b->open[1].n - 1].key, *name))
            return true;
    return false;
}

static const char *leave(struct builder *b, struct ft_json *v, const char *p)
{
    *v = (struct ft_json){0};
    b->s->p = p;
    if (ft_scan_skip(b->s, &v->type))
        return NULL;
    v->raw = (struct ft_str){p, (size_t)(b->s->p - p)};
    return b->s->p;
}

static inline struct open_container *enter(struct builder *b, struct ft_json *v, const char *p)
{
    if (b->depth == b->cap)
        open_grow(b);
    struct open_container *c = &b->open[b->depth++];
    c->self = v;
    c->begin = p;
    c->object = *p == '{';
    c->n = 0;
    return c;
}

/* Any value at p; where it ends, or NULL. */
static const char *build(struct builder *b, struct ft_json *v, const char *p)
{
    const struct text text = {b->s->begin, b->s->end, b->s->odd}, *const t = &text;
    const char *const end = text.end;
    struct open_container *c = NULL; /* the innermost */
    for (;;) {
        const bool opens = p < end && (*p == '{' || *p == '[');
        if (!opens) {
            if (!(p = scalar(b, t, v, p)))
                return NULL;
        } else if (b->leave && is_left(b)) {
            if (!(p = leave(b, v, p)))
                return NULL;
        } else {
            if (b->depth == FT_JSON_DEPTH)
                return ft_fail_at(b->s->e, FT_DATA, (uint64_t)(p - text.begin) + 1, "JSON nested too deeply (limit %d)", FT_JSON_DEPTH), NULL;
            c = enter(b, v, p);
            p = space(b, t, p + 1);
            c->cap = p < end && *p == (c->object ? '}' : ']') ? 0 : ROOM;
            c->items = ft_arena_alloc(b->a, c->cap * (c->object ? sizeof *c->members : sizeof *c->items));
            if (c->cap)
                goto next;
        }
        for (;;) { /* a value is complete, or an empty container has begun */
            if (!c)
                return p;
            p = space(b, t, p);
            if (p < end && *p == ',') {
                p += 1 + (end - p > 1 && p[1] == ' ');
                p = space(b, t, p);
                break;
            }
            if (p >= end || *p != (c->object ? '}' : ']'))
                return ft_scan_expected(b->s, p, c->object ? "',' or '}'" : "',' or ']'"), NULL;
            shut(c, ++p);
            c = --b->depth ? c - 1 : NULL;
        }
next:
        if (c->object) {
            struct ft_json_member *m = member(b, c);
            if (!(p = name(b, t, p, &m->key)))
                return NULL;
            v = &m->value;
        } else {
            v = element(b, c);
        }
    }
}

int ft_scan_tree(struct ft_scan *s, struct ft_arena *a, const char *const *but, struct ft_json *out)
{
    struct builder b;
    b.s = s;
    b.a = a;
    b.leave = but;
    b.open = b.few;
    b.cap = FEW;
    b.depth = 0;
    const char *p = build(&b, out, s->p);
    if (b.open != b.few)
        free(b.open);
    if (!p)
        return -1;
    s->p = p;
    return 0;
}
