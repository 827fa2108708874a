/* jtest.c -- the tests behind `is`. */
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

#define T(name) static struct jval is_##name(struct jrt *rt, struct jval v, const struct jargs *a)
#define NO_ARGS(func) ft_jbind(rt, func, "", 1, a, NULL)

static struct jval one(struct jrt *rt, const char *func, const struct jargs *a, const char *param)
{
    struct jval v;
    ft_jbind(rt, func, param, 1, a, &v);
    return v;
}

/* The tests of the type alone: of these tags. */
#define BIT(tag) (1u << (tag))
#define NUMBER (BIT(J_BOOL) | BIT(J_INT) | BIT(J_BIG) | BIT(J_FLOAT))
/* len(v) and v.__getitem__ */
#define SEQUENCE (BIT(J_STR) | BIT(J_LIST) | BIT(J_TUPLE) | BIT(J_DICT) | BIT(J_RANGE) | BIT(J_UNDEF))
#define ITERABLE (SEQUENCE | BIT(J_VIEW) | BIT(J_LOOP) | BIT(J_ITER))
#define TYPE_TEST(name, tags) T(name) { NO_ARGS("test_" #name); return ft_jbool(BIT(v.tag) & (tags)); }
TYPE_TEST(defined, ~BIT(J_UNDEF))
TYPE_TEST(undefined, BIT(J_UNDEF))
TYPE_TEST(none, BIT(J_NONE))
TYPE_TEST(boolean, BIT(J_BOOL))
T(false) { NO_ARGS("test_false"); return ft_jbool(v.tag == J_BOOL && !v.b); }
T(true) { NO_ARGS("test_true"); return ft_jbool(v.tag == J_BOOL && v.b); }
TYPE_TEST(integer, BIT(J_INT) | BIT(J_BIG))
TYPE_TEST(float, BIT(J_FLOAT))
TYPE_TEST(number, NUMBER)
TYPE_TEST(string, BIT(J_STR))
TYPE_TEST(mapping, BIT(J_DICT))
TYPE_TEST(iterable, ITERABLE)
TYPE_TEST(sequence, SEQUENCE)
T(callable)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "callable() takes no keyword arguments");
    if (a->n)
        ft_jraise(rt, J_TYPE, "callable() takes exactly one argument (%u given)", a->n + 1);
    return ft_jbool(ft_jcallable(v));
}
T(escaped) { NO_ARGS("test_escaped"); return ft_jbool(v.tag == J_STR && v.s->markup); }
static struct jstr *text(struct jrt *rt, struct jval v)
{
    struct jstr *s = ft_jstr_of(rt, v);
    ft_jstep(rt, s->n / 8);
    return s;
}
T(lower) { NO_ARGS("test_lower"); return ft_jbool(ft_jstr_islower(text(rt, v))); }
T(upper) { NO_ARGS("test_upper"); return ft_jbool(ft_jstr_isupper(text(rt, v))); }

static struct jval modulo(struct jrt *rt, struct jval v, struct jval n, int64_t want)
{
    return ft_jbool(ft_jeq(rt, ft_jbinary(rt, J_MOD, v, n), ft_jint(want)));
}
T(odd) { NO_ARGS("test_odd"); return modulo(rt, v, ft_jint(2), 1); }
T(even) { NO_ARGS("test_even"); return modulo(rt, v, ft_jint(2), 0); }
T(divisibleby) { return modulo(rt, v, one(rt, "test_divisibleby", a, "num"), 0); }
T(sameas) { return ft_jbool(ft_jsame(v, one(rt, "test_sameas", a, "other"))); }
T(in) { return ft_jbool(ft_jin(rt, v, one(rt, "test_in", a, "seq"))); }

T(filter)
{
    ft_jbind(rt, "test_filter", "", 2, a, NULL);
    ft_jneed_hash(rt, v);
    return ft_jbool(v.tag == J_STR && ft_jfilter_find(ft_jbytes(v.s)));
}
T(test)
{
    ft_jbind(rt, "test_test", "", 2, a, NULL);
    ft_jneed_hash(rt, v);
    return ft_jbool(v.tag == J_STR && ft_jtest_find(ft_jbytes(v.s)));
}

/* The operators: built-in functions of two positional arguments. */
static struct jval second(struct jrt *rt, const char *func, const struct jargs *a)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "%s() takes no keyword arguments", func);
    if (a->n != 1)
        ft_jraise(rt, J_TYPE, "%s expected 2 arguments, got %u", func, a->n + 1);
    return a->v[0];
}
T(eq) { return ft_jbool(ft_jeq(rt, v, second(rt, "eq", a))); }
T(ne) { return ft_jbool(!ft_jeq(rt, v, second(rt, "ne", a))); }
T(gt) { return ft_jbool(ft_jcompare(rt, v, second(rt, "gt", a), J_GT)); }
T(ge) { return ft_jbool(ft_jcompare(rt, v, second(rt, "ge", a), J_GE)); }
T(lt) { return ft_jbool(ft_jcompare(rt, v, second(rt, "lt", a), J_LT)); }
T(le) { return ft_jbool(ft_jcompare(rt, v, second(rt, "le", a), J_LE)); }

#define F(name, call) {name, call, false, false, 0}
#define PLAIN(name, call) {name, call, false, true, 0}
#define TYPE(name, call, tags) {name, call, false, true, tags}
static const struct jfilter tests[] = {
    PLAIN("!=", is_ne),
    F("<", is_lt),
    F("<=", is_le),
    PLAIN("==", is_eq),
    F(">", is_gt),
    F(">=", is_ge),
    TYPE("boolean", is_boolean, BIT(J_BOOL)),
    PLAIN("callable", is_callable),
    TYPE("defined", is_defined, ~BIT(J_UNDEF)),
    F("divisibleby", is_divisibleby),
    PLAIN("eq", is_eq),
    PLAIN("equalto", is_eq),
    PLAIN("escaped", is_escaped),
    F("even", is_even),
    PLAIN("false", is_false),
    F("filter", is_filter),
    TYPE("float", is_float, BIT(J_FLOAT)),
    F("ge", is_ge),
    F("greaterthan", is_gt),
    F("gt", is_gt),
    F("in", is_in),
    TYPE("integer", is_integer, BIT(J_INT) | BIT(J_BIG)),
    TYPE("iterable", is_iterable, ITERABLE),
    F("le", is_le),
    F("lessthan", is_lt),
    F("lower", is_lower),
    F("lt", is_lt),
    TYPE("mapping", is_mapping, BIT(J_DICT)),
    PLAIN("ne", is_ne),
    TYPE("none", is_none, BIT(J_NONE)),
    TYPE("number", is_number, NUMBER),
    F("odd", is_odd),
    F("sameas", is_sameas),
    TYPE("sequence", is_sequence, SEQUENCE),
    TYPE("string", is_string, BIT(J_STR)),
    F("test", is_test),
    PLAIN("true", is_true),
    TYPE("undefined", is_undefined, BIT(J_UNDEF)),
    F("upper", is_upper),
};

const struct jfilter *ft_jtest_find(struct ft_str name)
{
    size_t lo = 0, hi = sizeof tests / sizeof *tests;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        const int c = ft_str_cmp(ft_strz(tests[mid].name), name);
        if (c == 0)
            return &tests[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}
