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

/* The place of the next value in the innermost container, behind its name where it has one;
 * NULL: an error. */
static inline struct ft_json *next_place(struct builder *b)
{
    struct open_container *c = &b->open[b->depth - 1];
    if (c->n == c->cap)
        outgrow(b, c);
    if (!c->object)
        return &c->items[c->n++];
    struct ft_json_member *m = &c->members[c->n++];
    bool escaped;
    if (ft_scan_key(b->s, &m->key, &escaped))
        return NULL;
    if (escaped)
        m->key = ft_json_unescape(m->key, b->a);
    return &m->value;
}

static inline void shut(struct builder *b)
{
    const struct open_container *c = &b->open[--b->depth];
    struct ft_json *v = c->self;
    v->type = c->object ? FT_JSON_OBJECT : FT_JSON_ARRAY;
    v->is_float = false;
    v->s = (struct ft_str){0};
    v->raw = (struct ft_str){c->begin, (size_t)(b->s->p - c->begin)};
    v->n = c->n;
    v->items = c->items;
}

static inline int scalar(struct builder *b, struct ft_json *v)
{
    struct ft_scan *s = b->s;
    const char *const begin = s->p;
    bool flag = false;
    v->is_float = false;
    v->s = (struct ft_str){0};
    v->n = 0;
    v->items = NULL;
    if (begin < s->end && *begin == '"') {
        if (ft_scan_string(s, &flag))
            return -1;
        v->type = FT_JSON_STRING;
        v->s = (struct ft_str){begin + 1, (size_t)(s->p - begin) - 2};
        if (flag)
            v->s = ft_json_unescape(v->s, b->a);
    } else if (begin < s->end && (*begin == '-' || (*begin >= '0' && *begin <= '9'))) {
        if (ft_scan_number(s, &v->is_float))
            return -1;
        v->type = FT_JSON_NUMBER;
        v->s = (struct ft_str){begin, (size_t)(s->p - begin)};
    } else if (ft_scan_word(s, &v->type)) {
        return -1;
    }
    v->raw = (struct ft_str){begin, (size_t)(s->p - begin)};
    return 0;
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

static int leave(struct builder *b, struct ft_json *v)
{
    const char *begin = b->s->p;
    *v = (struct ft_json){0};
    if (ft_scan_skip(b->s, &v->type))
        return -1;
    v->raw = (struct ft_str){begin, (size_t)(b->s->p - begin)};
    return 0;
}

static int build(struct builder *b, struct ft_json *v)
{
    struct ft_scan *const s = b->s;
    for (;;) {
        if (s->p < s->end && (*s->p == '{' || *s->p == '[') && b->leave && is_left(b)) {
            if (leave(b, v))
                return -1;
        } else if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
            const bool object = *s->p == '{';
            if (b->depth == FT_JSON_DEPTH)
                return ft_fail_at(s->e, FT_DATA, (uint64_t)(s->p - s->begin) + 1,
                                  "JSON nested too deeply (limit %d)", FT_JSON_DEPTH);
            if (b->depth == b->cap)
                open_grow(b);
            struct open_container *c = &b->open[b->depth++];
            c->self = v;
            c->begin = s->p;
            c->object = object;
            c->n = 0;
            c->cap = ROOM;
            s->p++;
            ft_scan_space(s);
            if (s->p < s->end && *s->p == (object ? '}' : ']')) {
                c->items = ft_arena_alloc(b->a, 0);
                s->p++;
                shut(b);
            } else {
                c->items = ft_arena_alloc(b->a, ROOM * (object ? sizeof *c->members : sizeof *c->items));
                if (!(v = next_place(b)))
                    return -1;
                continue;
            }
        } else if (scalar(b, v)) {
            return -1;
        }
        for (;;) { /* a value is complete */
            if (!b->depth)
                return 0;
            const bool object = b->open[b->depth - 1].object;
            ft_scan_space(s);
            if (s->p < s->end && *s->p == ',') {
                s->p++;
                ft_scan_space(s);
                if (!(v = next_place(b)))
                    return -1;
                break;
            }
            if (s->p >= s->end || *s->p != (object ? '}' : ']'))
                return ft_scan_expected(s, s->p, object ? "',' or '}'" : "',' or ']'");
            s->p++;
            shut(b);
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
    const int r = build(&b, out);
    if (b.open != b.few)
        free(b.open);
    return r;
}
