/* jvalue.h -- the values of a template, and the state of a render.
 *
 * A value is 16 bytes and passed by value. What it points to lives in the
 * arena of the render (or, for constants, of the template) and is immutable
 * once made: the sandbox refuses every method that would change a list or a
 * dict. Only namespaces, loops, iterators, cyclers and joiners have state.
 *
 * Failures are raised with ft_jraise, which jumps to the caller of the render:
 * all memory is the arena's, so nothing is left behind. The exceptions are
 * Python's by name, because templates and their users know them by name.
 */
#ifndef FT_TEMPLATES_JVALUE_H
#define FT_TEMPLATES_JVALUE_H

#include <setjmp.h>

#include "templates/template.h"

/* Under sanitizers every allocation goes through the arena, which poisons. */
#if defined(__SANITIZE_ADDRESS__) || defined(FT_TINY)
#define J_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define J_CHECKED 1
#endif
#endif

enum jtag {
    J_MISSING, /* no value: a variable never set */
    J_UNDEF,
    J_NONE,
    J_BOOL,
    J_INT, /* fits int64 */
    J_BIG, /* any other integer */
    J_FLOAT,
    J_STR,
    J_LIST,
    J_TUPLE,
    J_DICT,
    J_RANGE,
    J_VIEW,  /* dict.keys(), .values(), .items() */
    J_ITER,  /* a generator or other one-way iterator */
    J_NS,    /* namespace() */
    J_FUNC,  /* a global function */
    J_BOUND, /* a method and its object */
    J_MACRO,
    J_LOOP,
    J_CYCLER,
    J_JOINER,
    J_SLICE, /* only as a subscript */
    J_SELF,  /* the variable `self`: p is the context; as the self of a J_BOUND, aux is the block */
};

/* Text with the origin of its bytes. A string of one origin says so in leaf;
 * only mixed ones have spans, so template text costs nothing. Spans are sorted
 * and disjoint, positions relative to p. */
struct jspan {
    uint32_t begin, end, leaf, flags;
};
#define J_MIXED UINT32_MAX
#define J_UNCOUNTED UINT32_MAX
struct jstr {
    const char *p;
    uint32_t n;      /* bytes */
    uint32_t chars;  /* code points, or J_UNCOUNTED; n == chars means ASCII */
    uint32_t leaf;   /* 0: the template; J_MIXED: see spans */
    uint32_t hash;   /* 0: not computed */
    uint32_t nspans; /* J_MIXED */
    uint8_t flags;   /* of leaf: FT_SPAN_ */
    bool markup;
    const struct jspan *spans;
};

struct jbig;
struct jval {
    enum jtag tag;
    uint32_t aux; /* J_FUNC: which; J_VIEW: enum jview */
    union {
        bool b;
        int64_t i;
        double f;
        struct jstr *s;
        struct jbig *big;
        struct jseq_shut *q; /* ft_jq gives what is in it */
        struct jdict_shut *d; /* ft_jd */
        struct jrange *r;
        struct jiter *it;
        struct jundef *u;
        struct jbound *m;
        struct jmacro *mac;
        struct jloop *loop;
        struct jslice *sl;
        struct jcycler *cyc;
        void *p;
    };
};

struct jseq {
    struct jval *v;
    uint32_t n;
    uint32_t leaf; /* the container of the data that this is, or 0 */
    bool group;    /* a tuple of groupby: has .grouper and .list */
    const struct ft_json *shut;
};

struct jent {
    struct jval k, v;
    uint32_t hash;
};
enum { J_SMALL_DICT = 8 }; /* up to this many entries are searched in order, and their keys not hashed */
struct jdict {
    struct jent *e; /* in order of insertion */
    uint32_t n, cap;
    uint32_t *index; /* 1 + entry by hash, open addressing; NULL while small */
    uint32_t mask;
    uint32_t leaf;
    const struct ft_json *shut;
};

/* A container as values hold it. One of the data is shut until something looks into it: most schemas
 * of tools are only printed, which their JSON does as well. */
struct jseq_shut {
    struct jseq in;
};
struct jdict_shut {
    struct jdict in;
};

struct jrange {
    int64_t start, stop, step, n;
};
struct jslice {
    struct jval start, stop, step;
};

enum jview { J_KEYS, J_VALUES, J_ITEMS };

/* What Undefined remembers for its message. */
struct jundef {
    struct jval obj;  /* J_MISSING: a variable. J_SLICE: name.p is the whole message */
    struct jval name; /* aux 1: an attribute that is unsafe, a SecurityError */
};

struct jbound {
    int attr; /* enum of jattrs.h */
    struct jval self;
};

struct jcycler {
    struct jval *v;
    uint32_t n, pos;
    struct jstr *sep; /* joiner */
    bool used;
};

/* Slots of one call of the template's root, of a macro or of a recursive loop;
 * kept by the closures made in it. */
struct jframe {
    struct jframe *up;
    struct jval *slot;
    struct jval *ctx; /* the context it resolves names in: the render's, or what a scoped block was given */
};

struct jmacro {
    const struct node *node; /* N_MACRO or N_CALLBLOCK */
    struct jframe *up;
};

struct jargs {
    struct jval *v;
    uint32_t n;
    struct jkw *kw;
    uint32_t nkw;
};
struct jkw {
    struct jstr *name;
    struct jval v;
};

/* Names of Python's exceptions. */
#define J_TYPE "TypeError"
#define J_VALUE "ValueError"
#define J_UNDEFINED "UndefinedError"
#define J_RUNTIME "TemplateRuntimeError"
#define J_SECURITY "SecurityError"
#define J_OVERFLOW "OverflowError"
#define J_LIMIT "LimitError"
#define J_FILTERARG "FilterArgumentError"
#define J_ZERODIV "ZeroDivisionError"
#define J_RECURSION "RecursionError"
#define J_KEY "KeyError"
#define J_INDEX "IndexError"

struct jleaf {
    uint32_t parent; /* 0: the variables */
    uint32_t index;  /* element of an array; FT_SPAN_KEY below for names */
    struct ft_str key;
    const struct ft_json *json;
    uint8_t kind; /* 0 element, 1 member, 2 member name, 3 variable */
};

struct jrt {
    struct ft_arena arena;
    size_t mem, mem_limit;
    int64_t steps; /* left */
    unsigned depth, depth_limit;
    const char *stack; /* lowest address that recursion in C may reach */
    jmp_buf *catch;
    const struct ft_template *t;
    struct jval *ctx; /* variables of the context by number, J_MISSING where unset */
    bool spans;
    bool autoescape;
    const struct jns_shown *showing; /* the namespaces whose repr is being made: one may hold itself */
    bool folding; /* constants are being made: see ft_jgetslice */
    unsigned line;
    const struct tm *now;

    /* output; captures are marked pieces at its end */
    char *out;
    size_t out_n, out_cap, out_limit;
    struct ft_text_span *ospan;
    size_t nospan, ospan_cap;
    size_t captures;  /* open captures */
    size_t root_mark; /* where the outermost begins */
    const char *nontext; /* type of a value among the pieces that is no text, or NULL */
    size_t nontext_depth; /* captures open when it came */
    struct ft_gen_span *gens;
    size_t ngens, gens_cap;

    /* room behind the last string made by concatenation */
    char *tail, *tail_end;
    struct jspan *stail, *stail_end;

    struct jleaf *leaves; /* [0] unused */
    uint32_t nleaves, leaves_cap;

    struct ft_render_error error;
    struct ft_buf error_text;
    struct tm local;
};

_Noreturn void ft_jraise(struct jrt *rt, const char *type, const char *fmt, ...) FT_PRINTF(3, 4);
_Noreturn void ft_jraise_str(struct jrt *rt, const char *type, const struct jstr *s);
_Noreturn void ft_jlimit_steps(struct jrt *rt);
_Noreturn void ft_jlimit_memory(struct jrt *rt);
_Noreturn void ft_jlimit_stack(struct jrt *rt);

/* memcpy that takes NULL for nothing. */
static inline void ft_jcopy(void *to, const void *from, size_t n)
{
    if (n)
        memcpy(to, from, n);
}
/* n steps are paid for. One is worth some 20 ns, so that the default limit ends a render after about a second,
 * whatever it does: 64 bytes copied or compared, 16 searched, 8 looked at one by one, 4 changed. */
static inline void ft_jstep(struct jrt *rt, size_t n)
{
    if ((rt->steps -= (int64_t)n) < 0)
        ft_jlimit_steps(rt);
}
/* Raises when the C stack is nearly used up: where data or templates recurse. */
static inline void ft_jstack(struct jrt *rt)
{
    if ((const char *)__builtin_frame_address(0) < rt->stack)
        ft_jlimit_stack(rt);
}
static inline void *ft_jalloc(struct jrt *rt, size_t n)
{
    if ((rt->mem += n + 16) > rt->mem_limit)
        ft_jlimit_memory(rt);
#ifndef J_CHECKED
    /* ft_arena_alloc's fast path, without the call */
    const size_t need = (n + 15) & ~(size_t)15;
    if (n && (size_t)(rt->arena.end - rt->arena.at) >= need) {
        void *p = rt->arena.at;
        rt->arena.at += need;
        return p;
    }
#endif
    return ft_arena_alloc(&rt->arena, n);
}
#define J_NEW(rt, type) ((type *)ft_jalloc((rt), sizeof(type)))
#define J_NEWS(rt, type, n) ((type *)ft_jalloc_n((rt), (n), sizeof(type)))
void *ft_jalloc_n(struct jrt *rt, size_t n, size_t size);

/* ---- making ---- */

static inline struct jval ft_jnone(void) { return (struct jval){.tag = J_NONE}; }
static inline struct jval ft_jbool(bool b) { return (struct jval){.tag = J_BOOL, .b = b}; }
static inline struct jval ft_jint(int64_t i) { return (struct jval){.tag = J_INT, .i = i}; }
static inline struct jval ft_jfloat(double f) { return (struct jval){.tag = J_FLOAT, .f = f}; }
static inline struct jval ft_jstrv(const struct jstr *s) { return (struct jval){.tag = J_STR, .s = (struct jstr *)s}; }

struct jval ft_jundef_name(struct jrt *rt, struct jstr *name);
struct jval ft_jundef_attr(struct jrt *rt, struct jval obj, struct jval name);
struct jval ft_jundef_hint(struct jrt *rt, const char *hint);
/* access to attribute ... is unsafe */
struct jval ft_jundef_unsafe(struct jrt *rt, struct jval obj, struct jval name);
/* What ft_jundef_raise says. */
struct jstr *ft_jundef_text(struct jrt *rt, struct jval u);
_Noreturn void ft_jundef_raise(struct jrt *rt, struct jval u);

struct jval ft_jlist(struct jrt *rt, struct jval *v, size_t n);
struct jval ft_jtuple(struct jrt *rt, struct jval *v, size_t n);
struct jval ft_jtuple2(struct jrt *rt, struct jval a, struct jval b);

/* A growing array of values. */
struct jvec {
    struct jval *v;
    size_t n, cap;
};
void ft_jvec_grow(struct jrt *rt, struct jvec *a);
static inline void ft_jvec_put(struct jrt *rt, struct jvec *a, struct jval v)
{
    if (a->n == a->cap)
        ft_jvec_grow(rt, a);
    a->v[a->n++] = v;
}

/* ---- asking ---- */

bool ft_jtrue(struct jrt *rt, struct jval v);
/* "int", "NoneType", "Markup": type(v).__name__ */
const char *ft_jtype(struct jval v);
/* The same for "argument must be str, not %s", where CPython writes None for None. */
static inline const char *ft_jarg_type(struct jval v) { return v.tag == J_NONE ? "None" : ft_jtype(v); }
bool ft_jsame(struct jval a, struct jval b); /* is */
bool ft_jeq(struct jrt *rt, struct jval a, struct jval b);
enum jorder { J_LT, J_LE, J_GT, J_GE };
bool ft_jcompare(struct jrt *rt, struct jval a, struct jval b, enum jorder op);
bool ft_jin(struct jrt *rt, struct jval item, struct jval seq);
/* len(); raises TypeError. */
int64_t ft_jlen(struct jrt *rt, struct jval v);
bool ft_jhas_len(struct jval v);
static inline bool ft_jis_int(struct jval v) { return v.tag == J_INT || v.tag == J_BIG || v.tag == J_BOOL; }
static inline bool ft_jis_num(struct jval v) { return ft_jis_int(v) || v.tag == J_FLOAT; }
/* An index or size out of an integer, clipped to int64; raises TypeError
 * "'str' object cannot be interpreted as an integer". */
int64_t ft_jindex(struct jrt *rt, struct jval v);

/* ---- dicts ---- */

struct jdict *ft_jdict_new(struct jrt *rt, size_t cap);
void ft_jdict_set(struct jrt *rt, struct jdict *d, struct jval k, struct jval v);
struct jval *ft_jdict_get(struct jrt *rt, const struct jdict *d, struct jval k); /* NULL: not there */
struct jval *ft_jdict_get_str(const struct jdict *d, const struct jstr *k);
static inline struct jval ft_jdictv(struct jdict *d) { return (struct jval){.tag = J_DICT, .d = (struct jdict_shut *)d}; }
void ft_jdict_update(struct jrt *rt, struct jdict *d, const struct jdict *from);

/* ---- data ---- */

/* What is in a list, tuple or dict (or namespace, or the dict of a view). */
void ft_jopen_seq(struct jrt *rt, struct jseq *q);
void ft_jopen_dict(struct jrt *rt, struct jdict *d);
static inline struct jseq *ft_jq(struct jrt *rt, struct jval v)
{
    if (v.q->in.shut)
        ft_jopen_seq(rt, &v.q->in);
    return &v.q->in;
}
static inline struct jdict *ft_jd(struct jrt *rt, struct jval v)
{
    if (v.d->in.shut)
        ft_jopen_dict(rt, &v.d->in);
    return &v.d->in;
}

/* A number for a leaf; only when rt->spans. */
uint32_t ft_jleaf_new(struct jrt *rt, const struct ft_json *j, uint32_t parent, uint32_t index, struct ft_str key,
                      uint8_t kind);
/* One bit of 64 by length and ends: members of different bits have different names. */
static inline uint64_t ft_jname_bit(struct ft_str s)
{
    const unsigned first = s.n ? (unsigned char)s.p[0] : 0, last = s.n ? (unsigned char)s.p[s.n - 1] : 0;
    return (uint64_t)1 << ((s.n * 7 + first + last * 3) & 63);
}

/* JSON as Python's json.loads reads it; leaves are numbered when rt->spans. Containers come shut. */
struct jval ft_jfrom_json(struct jrt *rt, const struct ft_json *j, uint32_t parent, uint32_t index, struct ft_str key,
                          uint8_t kind);

#endif
