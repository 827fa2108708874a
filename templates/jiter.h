/* jiter.h -- iteration, loops, and what is called.
 *
 * Filters such as map and select are generators: they run when something asks
 * for the next item, once, and say so to a template that asks for their length. */
#ifndef FT_TEMPLATES_JITER_H
#define FT_TEMPLATES_JITER_H

#include "templates/jvalue.h"

struct jiter {
    bool (*next)(struct jrt *rt, struct jiter *it, struct jval *out);
    const char *type; /* "generator", "list_iterator" */
    struct jval src;
    int64_t i, n;
    struct jiter *inner;
    void *state;
    bool done;
};

bool ft_jiterable(struct jval v);
/* iter(v); raises TypeError "'int' object is not iterable". */
struct jiter *ft_jiter(struct jrt *rt, struct jval v);
static inline bool ft_jnext(struct jrt *rt, struct jiter *it, struct jval *out)
{
    ft_jstep(rt, 1);
    return it->next(rt, it, out);
}
const char *ft_jiter_type(const struct jiter *it);
struct jiter *ft_jiter_new(struct jrt *rt, bool (*next)(struct jrt *, struct jiter *, struct jval *), const char *type,
                           struct jval src);
static inline struct jval ft_jiterv(struct jiter *it) { return (struct jval){.tag = J_ITER, .it = it}; }
/* reversed(v) or NULL where Python has none. */
struct jiter *ft_jreversed(struct jrt *rt, struct jval v);
/* list(v) */
struct jvec ft_jcollect(struct jrt *rt, struct jval v);
/* a, b = v: exactly n items, or ValueError and TypeError as Python's. */
void ft_junpack(struct jrt *rt, struct jval v, struct jval *out, uint32_t n);
/* Item i of a range. */
static inline struct jval ft_jrange_at(const struct jrange *r, int64_t i) { return ft_jint(r->start + i * r->step); }

/* ---- sorting ---- */

/* A stable sort of n items by keys, as sorted(key=, reverse=); returns the order. */
uint32_t *ft_jsort(struct jrt *rt, const struct jval *keys, uint32_t n, bool reverse);
uint32_t *ft_jsort_keys(struct jrt *rt, const struct jdict *d);

/* ---- loops ---- */

struct jloop {
    struct jiter *it;
    struct jval iterable;
    int64_t index0, length; /* length < 0: not known */
    struct jval before, current, after; /* after: J_MISSING when not peeked */
    bool ended;
    struct jval changed; /* the last arguments of changed(), a tuple */
    const struct node *node; /* recursive: the loop to call */
    struct jframe *up;
    unsigned depth0;
};
struct jloop *ft_jloop_new(struct jrt *rt, struct jval iterable, struct jiter *it);
bool ft_jloop_next(struct jrt *rt, struct jloop *l, struct jval *out);
int64_t ft_jloop_length(struct jrt *rt, struct jloop *l);
static inline int64_t ft_jloop_index(const struct jloop *l) { return l->index0 + 1; }
/* loop.NAME; false: no such attribute. */
bool ft_jloop_attr(struct jrt *rt, struct jloop *l, int attr, struct jval *out);

/* ---- calling ---- */

/* Calls anything callable with the checks of the sandbox. */
struct jval ft_jcall(struct jrt *rt, struct jval f, const struct jargs *args);
struct jval ft_jcall_macro(struct jrt *rt, struct jmacro *m, const struct jargs *args);
struct jval ft_jcall_loop(struct jrt *rt, struct jloop *l, struct jval iterable); /* recursive */
const struct jstr *ft_jmacro_name(const struct jmacro *m);
const char *ft_jfunc_type(struct jval f);
/* repr of those that are classes; NULL: of the others it holds an address. */
const char *ft_jfunc_repr(struct jval f);
const char *ft_jbound_type(const struct jbound *m);
bool ft_jcallable(struct jval v);
bool ft_jhashable(struct jrt *rt, struct jval v);
/* TypeError where it is not, naming the part that is not. */
void ft_jneed_hash(struct jrt *rt, struct jval v);
/* dict.fromkeys(iterable, value=None) */
struct jval ft_jdict_fromkeys(struct jrt *rt, const struct jargs *a);

/* ---- attributes ---- */

/* obj.name as the sandbox resolves it: attribute, then item. attr is the
 * number of the name in jattrs.h, or 0. */
struct jval ft_jgetattr(struct jrt *rt, struct jval obj, struct jstr *name, int attr);
/* obj[arg]: item, then attribute; attr is the number of arg in jattrs.h, -1 when not known. */
struct jval ft_jgetitem(struct jrt *rt, struct jval obj, struct jval arg, int attr);
/* obj[a:b:c] past the sandbox, as Jinja compiles it. */
struct jval ft_jgetslice(struct jrt *rt, struct jval obj, const struct jslice *s);
/* The number of a name in jattrs.h, or 0. */
int ft_jattr_id(const struct jstr *name);
const char *ft_jattr_name(int attr);
void ft_jattr_init(void);
/* May a str, a dict have it? -1: the name is not known. */
bool ft_jchar_has(int attr);
bool ft_jdict_has(int attr);
/* Is it a method of v that the sandbox lets pass, and v a str, list or dict? */
bool ft_jhas_method(struct jval v, int attr);
/* The attribute itself, sandboxed; false where Python raises AttributeError. */
bool ft_jattribute(struct jrt *rt, struct jval obj, struct jstr *name, int attr, struct jval *out);
/* Calls a bound method. */
struct jval ft_jmethod(struct jrt *rt, const struct jbound *m, const struct jargs *args);
struct jval ft_jstr_method(struct jrt *rt, struct jval self, int attr, const struct jargs *args);

/* A namespace takes no name that begins with "_". */
void ft_jns_check(struct jrt *rt, struct jval name);

/* ---- filters, tests, functions ---- */

struct jfilter {
    const char *name;
    struct jval (*call)(struct jrt *rt, struct jval v, const struct jargs *args);
    bool context; /* takes the context: never folded */
    bool plain;    /* a test that answers the same for every Undefined */
    uint32_t tags; /* a test without arguments that holds for these types (bits by enum jtag); 0: any other */
};
const struct jfilter *ft_jfilter_find(struct ft_str name);
const struct jfilter *ft_jtest_find(struct ft_str name);
int ft_jglobal_find(struct ft_str name); /* the aux of a J_FUNC, or -1 */
struct jval ft_jglobal_call(struct jrt *rt, struct jval f, const struct jargs *args);

/* Arguments bound to parameters: names separated by spaces, a '=' behind those
 * with a default. out[i] is J_MISSING where the default applies. Raises
 * TypeError as Python words it for `func`. */
void ft_jbind(struct jrt *rt, const char *func, const char *params, unsigned implied, const struct jargs *args,
              struct jval *out);
/* No keyword, and between lo and hi arguments, or TypeError for a built-in method. */
void ft_jarity(struct jrt *rt, const char *func, const struct jargs *args, uint32_t lo, uint32_t hi);

/* ---- operators ---- */

enum jop { J_ADD, J_SUB, J_MUL, J_DIV, J_FLOORDIV, J_MOD, J_POW };
struct jval ft_jbinary(struct jrt *rt, enum jop op, struct jval a, struct jval b);
struct jval ft_jneg(struct jrt *rt, struct jval a);
struct jval ft_jpos(struct jrt *rt, struct jval a);
/* fmt % args */
struct jval ft_jpercent(struct jrt *rt, struct jstr *fmt, struct jval args);
struct jstr *ft_jascii(struct jrt *rt, struct jval v); /* ascii(v) */
/* fmt.format(*args, **kw), sandboxed */
struct jval ft_jformat(struct jrt *rt, struct jstr *fmt, const struct jargs *args);
/* float(v), int(v) as the built-ins do; raise TypeError, ValueError. */
bool ft_jparse_float(struct jrt *rt, const struct jstr *s, double *out);
bool ft_jparse_int(struct jrt *rt, struct jstr *s, int base, struct jval *out);
double ft_jto_float(struct jrt *rt, struct jval v);

#endif
