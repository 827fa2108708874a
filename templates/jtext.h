/* jtext.h -- strings of a template: made, joined, cut, with their origin. */
#ifndef FT_TEMPLATES_JTEXT_H
#define FT_TEMPLATES_JTEXT_H

#include "templates/jvalue.h"

/* Code points; counted once. */
uint32_t ft_jchars_count(struct jstr *s);
static inline uint32_t ft_jchars(struct jstr *s) { return s->chars != J_UNCOUNTED ? s->chars : ft_jchars_count(s); }
uint32_t ft_jhash_bytes(const char *p, size_t n);
static inline uint32_t ft_jhash_str(struct jstr *s)
{
    return s->hash ? s->hash : (s->hash = ft_jhash_bytes(s->p, s->n));
}
/* Names and roles are short: a head and a tail that overlap beat a call. */
static inline bool ft_jbytes_same(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    uint32_t u, v;
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&x, a, 8), memcpy(&y, b, 8);
        if (x != y)
            return false;
        memcpy(&x, a + n - 8, 8), memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        memcpy(&u, a, 4), memcpy(&v, b, 4);
        if (u != v)
            return false;
        memcpy(&u, a + n - 4, 4), memcpy(&v, b + n - 4, 4);
        return u == v;
    }
    return n == 0 || (a[0] == b[0] && (n == 1 || (a[1] == b[1] && a[n - 1] == b[n - 1])));
}
static inline bool ft_jstr_same(const struct jstr *a, const struct jstr *b)
{
    return a->n == b->n && ft_jbytes_same(a->p, b->p, a->n);
}
static inline struct ft_str ft_jbytes(const struct jstr *s) { return (struct ft_str){s->p, s->n}; }
static inline bool ft_jstr_is(const struct jstr *s, const char *z)
{
    const size_t n = strlen(z);
    return s->n == n && memcmp(s->p, z, n) == 0;
}

/* The strings of one ASCII character, of no origin; shared by all once ft_jtext_init ran. */
extern struct jstr ft_jchar[128];
void ft_jtext_init(void);
/* A string of the template's origin; borrows p. */
struct jstr *ft_jstr_ref(struct jrt *rt, const char *p, size_t n);
/* The same, copying. */
struct jstr *ft_jstr_copy(struct jrt *rt, const char *p, size_t n);
struct jstr *ft_jstr_z(struct jrt *rt, const char *z); /* borrows */
struct jstr *ft_jstr_fmt(struct jrt *rt, const char *fmt, ...) FT_PRINTF(2, 3);
/* Bytes [at, at+n) of s; a plain str even of Markup, unless keep. */
struct jstr *ft_jstr_cut(struct jrt *rt, const struct jstr *s, size_t at, size_t n, bool keep);
struct jstr *ft_jstr_cat(struct jrt *rt, struct jstr *a, struct jstr *b);
/* n >= 1 plain strings joined. */
struct jstr *ft_jstr_cat_all(struct jrt *rt, struct jstr **s, uint32_t n);
/* The same bytes as Markup, or as a plain str. */
struct jstr *ft_jstr_as(struct jrt *rt, struct jstr *s, bool markup);
/* Byte offset of code point i <= chars. */
size_t ft_jstr_at(struct jstr *s, size_t i);
/* Code points from i to j with a step, as Python's s[i:j:k] does (resolved). */
struct jstr *ft_jstr_slice(struct jrt *rt, struct jstr *s, int64_t start, int64_t step, int64_t count);
/* HTML-escaped, as markupsafe.escape does; always Markup. Markup itself is returned as it is. */
struct jstr *ft_jstr_escape(struct jrt *rt, struct jstr *s);

/* A string under construction. */
struct jsb {
    struct jrt *rt;
    char *p;
    size_t n, cap;
    struct jspan *s;
    size_t ns, scap;
};
void ft_jsb_init(struct jsb *b, struct jrt *rt, size_t hint);
char *ft_jsb_grow(struct jsb *b, size_t more);
static inline char *ft_jsb_room(struct jsb *b, size_t more)
{
    return b->cap - b->n >= more ? b->p + b->n : ft_jsb_grow(b, more);
}
static inline void ft_jsb_put(struct jsb *b, const void *p, size_t n)
{
    if (n)
        memcpy(ft_jsb_room(b, n), p, n);
    b->n += n;
}
static inline void ft_jsb_putc(struct jsb *b, char c)
{
    *ft_jsb_room(b, 1) = c;
    b->n++;
}
void ft_jsb_putz(struct jsb *b, const char *z);
void ft_jsb_fill(struct jsb *b, char c, size_t n);
/* n times the character that fill is. */
void ft_jsb_pad(struct jsb *b, const struct jstr *fill, int64_t n);
void ft_jsb_printf(struct jsb *b, const char *fmt, ...) FT_PRINTF(2, 3);
/* A code point. */
void ft_jsb_cp(struct jsb *b, uint32_t c);
/* Bytes [at, at+n) of s with their origin. */
void ft_jsb_cut(struct jsb *b, const struct jstr *s, size_t at, size_t n);
static inline void ft_jsb_str(struct jsb *b, const struct jstr *s) { ft_jsb_cut(b, s, 0, s->n); }
/* Says that the bytes from `from` on came from byte `at` of s, changed. */
void ft_jsb_mark(struct jsb *b, size_t from, const struct jstr *s, size_t at);
/* Says that the bytes from `from` on came from a leaf; what has an origin keeps it. A container does so before
 * and behind each container inside it, so that no span is looked at twice. */
void ft_jsb_under(struct jsb *b, size_t from, uint32_t leaf, uint32_t flags);
/* The container of the data that v is, or 0. */
static inline uint32_t ft_jval_leaf(struct jval v)
{
    return v.tag == J_DICT ? v.d->in.leaf : v.tag == J_LIST || v.tag == J_TUPLE ? v.q->in.leaf : 0;
}
struct jstr *ft_jsb_done(struct jsb *b);

/* ---- str, repr, json ---- */

/* str(v): the string itself when it is one (Markup becomes str). */
struct jstr *ft_jstr_of(struct jrt *rt, struct jval v);
/* soft_str: the same, but Markup stays. */
struct jstr *ft_jsoft(struct jrt *rt, struct jval v);
void ft_jsb_repr(struct jsb *b, struct jval v);
/* One member of a container of the data, written by `put`: the container's own bytes, from
 * `from` on, end where another container begins. Returns where they go on. */
size_t ft_jsb_member(struct jsb *b, struct jval v, size_t from, uint32_t leaf, void (*put)(struct jsb *, struct jval));
struct jstr *ft_jrepr(struct jrt *rt, struct jval v);
/* repr of a str; ascii: the one of ascii(). */
void ft_jsb_repr_str(struct jsb *b, const struct jstr *s, bool ascii);
void ft_jsb_repr_float(struct jsb *b, double f);
/* The filter tojson: json.dumps with these arguments. */
struct jval ft_jtojson(struct jrt *rt, struct jval v, bool ascii, struct jval indent, struct jval separators, bool sort);
/* For messages: repr(v), NUL-terminated, in the arena. */
const char *ft_jrepr_z(struct jrt *rt, struct jval v);

/* ---- output ---- */

void ft_jout_room(struct jrt *rt, size_t more);
void ft_jout_str(struct jrt *rt, const struct jstr *s);
/* str(v), or escape(v) where autoescape is on. */
void ft_jout_val(struct jrt *rt, struct jval v);
static inline void ft_jout_put(struct jrt *rt, const char *p, size_t n)
{
    if (rt->out_cap - rt->out_n < n)
        ft_jout_room(rt, n);
    memcpy(rt->out + rt->out_n, p, n);
    rt->out_n += n;
}
struct jmark {
    size_t n, ns, depth;
};
/* Raises when a piece of the capture (or the whole text) is no text. */
void ft_jout_check(struct jrt *rt);
struct jmark ft_jout_open(struct jrt *rt);
/* What was written since, as a string, and removed from the output. */
struct jstr *ft_jout_close(struct jrt *rt, struct jmark m);

#endif
