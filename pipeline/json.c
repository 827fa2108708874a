/* The tree. Children are gathered on a scratch stack and copied to the arena
 * when their container closes, so that every container is one array. */
#include "pipeline/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/json_scan.h"

struct open_container {
    bool object;
    size_t first; /* its first child on the stack */
    const char *begin;
    struct ft_str key; /* its own name in the parent */
};

enum { FEW = 48 }; /* children and open containers that need no heap */
struct builder {
    struct ft_scan s;
    struct ft_arena *a;
    const char *const *leave; /* or NULL */
    struct ft_json_member *stack;
    size_t n, cap;
    struct open_container *open;
    size_t depth, open_cap;
    struct ft_json_member few[FEW];
    struct open_container few_open[FEW];
};

/* Twice the room; the first was the builder's own. */
static void *grow(void *old, void *few, size_t *cap, size_t size)
{
    void *p = ft_reallocs(old == few ? NULL : old, *cap * 2, size);
    if (old == few)
        memcpy(p, few, *cap * size);
    *cap *= 2;
    return p;
}

/* Room for a value; all of it is still to be written. */
static inline struct ft_json_member *push(struct builder *b, struct ft_str key)
{
    if (b->n == b->cap)
        b->stack = grow(b->stack, b->few, &b->cap, sizeof *b->stack);
    struct ft_json_member *m = &b->stack[b->n++];
    m->key = key;
    return m;
}

static void close_container(struct builder *b)
{
    const struct open_container c = b->open[--b->depth];
    struct ft_json v = {.type = c.object ? FT_JSON_OBJECT : FT_JSON_ARRAY, .n = b->n - c.first};
    const struct ft_json_member *from = b->stack + c.first;
    v.raw = (struct ft_str){c.begin, (size_t)(b->s.p - c.begin)};
    if (c.object) {
        v.members = ft_arena_alloc(b->a, v.n * sizeof *v.members);
        if (v.n)
            memcpy(v.members, from, v.n * sizeof *v.members);
    } else {
        v.items = ft_arena_alloc(b->a, v.n * sizeof *v.items);
        for (size_t i = 0; i < v.n; i++)
            v.items[i] = from[i].value;
    }
    b->n = c.first;
    push(b, c.key)->value = v;
}

static int scalar(struct builder *b, struct ft_str key)
{
    struct ft_json *v = &push(b, key)->value;
    const char *begin = b->s.p;
    bool flag = false;
    v->s = (struct ft_str){0};
    v->n = 0;
    v->items = NULL;
    if (begin < b->s.end && *begin == '"') {
        if (ft_scan_string(&b->s, &flag))
            return -1;
        v->type = FT_JSON_STRING;
        v->is_float = false;
        v->s = (struct ft_str){begin + 1, (size_t)(b->s.p - begin) - 2};
        if (flag)
            v->s = ft_json_unescape(v->s, b->a);
    } else if (begin < b->s.end && (*begin == '-' || (*begin >= '0' && *begin <= '9'))) {
        if (ft_scan_number(&b->s, &flag))
            return -1;
        v->type = FT_JSON_NUMBER;
        v->is_float = flag;
        v->s = (struct ft_str){begin, (size_t)(b->s.p - begin)};
    } else {
        v->is_float = false;
        if (ft_scan_word(&b->s, &v->type))
            return -1;
    }
    v->raw = (struct ft_str){begin, (size_t)(b->s.p - begin)};
    return 0;
}

static int key_of(struct builder *b, struct ft_str *key)
{
    bool esc;
    if (ft_scan_key(&b->s, key, &esc))
        return -1;
    if (esc)
        *key = ft_json_unescape(*key, b->a);
    return 0;
}

static bool is_left(const struct builder *b, struct ft_str key)
{
    for (const char *const *name = b->leave; name && b->depth == 2 && *name; name++)
        if (ft_str_is(key, *name))
            return true;
    return false;
}

/* A container without its children. */
static int leave(struct builder *b, struct ft_str key)
{
    const char *begin = b->s.p;
    struct ft_json v = {0};
    if (ft_scan_skip(&b->s, &v.type))
        return -1;
    v.raw = (struct ft_str){begin, (size_t)(b->s.p - begin)};
    push(b, key)->value = v;
    return 0;
}

static int build(struct builder *b)
{
    struct ft_str key = {0};
    struct ft_scan *s = &b->s;
    for (;;) {
        if (s->p < s->end && (*s->p == '{' || *s->p == '[') && is_left(b, key)) {
            if (leave(b, key))
                return -1;
        } else if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
            const bool object = *s->p == '{';
            if (b->depth == FT_JSON_DEPTH)
                return ft_fail_at(s->e, FT_DATA, (uint64_t)(s->p - s->begin) + 1,
                                  "JSON nested too deeply (limit %d)", FT_JSON_DEPTH);
            if (b->depth == b->open_cap)
                b->open = grow(b->open, b->few_open, &b->open_cap, sizeof *b->open);
            b->open[b->depth++] = (struct open_container){object, b->n, s->p, key};
            s->p++;
            ft_scan_space(s);
            if (s->p < s->end && *s->p == (object ? '}' : ']')) {
                s->p++;
                close_container(b);
            } else {
                key = (struct ft_str){0};
                if (object && key_of(b, &key))
                    return -1;
                continue;
            }
        } else if (scalar(b, key)) {
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
                key = (struct ft_str){0};
                if (object && key_of(b, &key))
                    return -1;
                break;
            }
            if (s->p >= s->end || *s->p != (object ? '}' : ']'))
                return ft_scan_expected(s, s->p, object ? "',' or '}'" : "',' or ']'");
            s->p++;
            close_container(b);
        }
    }
}

static int tree(struct ft_scan *s, struct ft_arena *a, const char *const *but, struct ft_json *out)
{
    struct builder b;
    b.s = *s;
    b.a = a;
    b.leave = but;
    b.stack = b.few;
    b.open = b.few_open;
    b.cap = b.open_cap = FEW;
    b.n = b.depth = 0;
    const int r = build(&b);
    if (!r)
        *out = b.stack[0].value;
    s->p = b.s.p;
    if (b.stack != b.few)
        free(b.stack);
    if (b.open != b.few_open)
        free(b.open);
    return r;
}

int ft_scan_tree(struct ft_scan *s, struct ft_arena *a, struct ft_json *out) { return tree(s, a, NULL, out); }

int ft_json_parse_but(const char *p, size_t n, struct ft_arena *a, const char *const *but, struct ft_json *out, struct ft_err *e)
{
    struct ft_scan s = {p, p, p + n, ft_utf8_valid(p, n) == n, e};
    ft_scan_space(&s);
    return tree(&s, a, but, out) || ft_scan_end(&s) ? -1 : 0;
}

int ft_json_parse(const char *p, size_t n, struct ft_arena *a, struct ft_json *out, struct ft_err *e)
{
    return ft_json_parse_but(p, n, a, NULL, out, e);
}

int ft_json_load(const char *path, struct ft_arena *a, struct ft_json *out, struct ft_err *e)
{
    return ft_json_load_but(path, a, NULL, out, e);
}

int ft_json_load_but(const char *path, struct ft_arena *a, const char *const *but, struct ft_json *out, struct ft_err *e)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return ft_fail_errno(e, "cannot open '%s'", path);
    if (fstat(fd, &st) || S_ISDIR(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            errno = EISDIR;
        ft_fail_errno(e, "cannot read '%s'", path);
        close(fd);
        return -1;
    }
    char *p = ft_arena_alloc(a, (size_t)st.st_size + 1);
    size_t n = 0;
    while (n < (size_t)st.st_size) {
        const ssize_t k = read(fd, p + n, (size_t)st.st_size - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            ft_fail_errno(e, "cannot read '%s'", path);
            close(fd);
            return -1;
        }
        if (k == 0)
            break;
        n += (size_t)k;
    }
    close(fd);
    if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
        p += 3;
        n -= 3;
    }
    if (ft_json_parse_but(p, n, a, but, out, e))
        return e ? ft_fail_in(e, e->byte ? "%s: byte %llu: " : "%s: ", path, (unsigned long long)e->byte)
                 : -1;
    return 0;
}

/* The member when it is there and not null. */
static const struct ft_json *there(const struct ft_json *v, const char *key)
{
    const struct ft_json *m = ft_json_get(v, key);
    return m && m->type != FT_JSON_NULL ? m : NULL;
}

int ft_json_get_bool(const struct ft_json *v, const char *key, bool *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_TRUE && m->type != FT_JSON_FALSE)
        return ft_fail(e, FT_DATA, "member \"%s\" is not true or false", key);
    *out = m->type == FT_JSON_TRUE;
    return 0;
}

int ft_json_get_int(const struct ft_json *v, const char *key, int64_t *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_NUMBER || ft_json_int(m, out))
        return ft_fail(e, FT_DATA, "member \"%s\" is not a whole number", key);
    return 0;
}

int ft_json_get_real(const struct ft_json *v, const char *key, double *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_NUMBER)
        return ft_fail(e, FT_DATA, "member \"%s\" is not a number", key);
    *out = ft_json_real(m);
    return 0;
}

int ft_json_get_string(const struct ft_json *v, const char *key, struct ft_str *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "member \"%s\" is not a string", key);
    *out = m->s;
    return 0;
}

int ft_json_int(const struct ft_json *v, int64_t *out)
{
    if (v->type != FT_JSON_NUMBER || v->is_float)
        return -1;
    const bool neg = v->s.p[0] == '-';
    uint64_t u = 0;
    for (size_t i = neg; i < v->s.n; i++) {
        const uint64_t d = (uint64_t)(v->s.p[i] - '0');
        if (__builtin_mul_overflow(u, 10u, &u) || __builtin_add_overflow(u, d, &u))
            return -1;
    }
    if (u > (uint64_t)INT64_MAX + neg)
        return -1;
    *out = neg ? (int64_t)(0 - u) : (int64_t)u;
    return 0;
}

double ft_json_real(const struct ft_json *v)
{
    char tmp[64];
    if (v->s.n < sizeof tmp) { /* strtod needs a NUL */
        memcpy(tmp, v->s.p, v->s.n);
        tmp[v->s.n] = 0;
        return strtod(tmp, NULL);
    }
    char *z = ft_malloc(v->s.n + 1);
    memcpy(z, v->s.p, v->s.n);
    z[v->s.n] = 0;
    const double d = strtod(z, NULL);
    free(z);
    return d;
}
