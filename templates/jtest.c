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

T(defined) { NO_ARGS("test_defined"); return ft_jbool(v.tag != J_UNDEF); }
T(undefined) { NO_ARGS("test_undefined"); return ft_jbool(v.tag == J_UNDEF); }
T(none) { NO_ARGS("test_none"); return ft_jbool(v.tag == J_NONE); }
T(boolean) { NO_ARGS("test_boolean"); return ft_jbool(v.tag == J_BOOL); }
T(false) { NO_ARGS("test_false"); return ft_jbool(v.tag == J_BOOL && !v.b); }
T(true) { NO_ARGS("test_true"); return ft_jbool(v.tag == J_BOOL && v.b); }
T(integer) { NO_ARGS("test_integer"); return ft_jbool(v.tag == J_INT || v.tag == J_BIG); }
T(float) { NO_ARGS("test_float"); return ft_jbool(v.tag == J_FLOAT); }
T(number) { NO_ARGS("test_number"); return ft_jbool(ft_jis_num(v)); }
T(string) { NO_ARGS("test_string"); return ft_jbool(v.tag == J_STR); }
T(mapping) { NO_ARGS("test_mapping"); return ft_jbool(v.tag == J_DICT); }
T(iterable) { NO_ARGS("test_iterable"); return ft_jbool(ft_jiterable(v)); }
T(callable)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "callable() takes no keyword arguments");
    if (a->n)
        ft_jraise(rt, J_TYPE, "callable() takes exactly one argument (%u given)", a->n + 1);
    return ft_jbool(ft_jcallable(v)); }
T(escaped) { NO_ARGS("test_escaped"); return ft_jbool(v.tag == J_STR && v.s->markup); }
T(lower) { NO_ARGS("test_lower"); return ft_jbool(ft_jstr_islower(ft_jstr_of(rt, v))); }
T(upper) { NO_ARGS("test_upper"); return ft_jbool(ft_jstr_isupper(ft_jstr_of(rt, v))); }

/* len(v) and v.__getitem__ */
T(sequence)
{
    NO_ARGS("test_sequence");
    return ft_jbool(v.tag == J_STR || v.tag == J_LIST || v.tag == J_TUPLE || v.tag == J_DICT || v.tag == J_RANGE || v.tag == J_UNDEF);
}

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

static const struct jfilter tests[] = {
    {"!=", is_ne, false, true},
    {"<", is_lt, false, false},
    {"<=", is_le, false, false},
    {"==", is_eq, false, true},
    {">", is_gt, false, false},
    {">=", is_ge, false, false},
    {"boolean", is_boolean, false, true},
    {"callable", is_callable, false, true},
    {"defined", is_defined, false, true},
    {"divisibleby", is_divisibleby, false, false},
    {"eq", is_eq, false, true},
    {"equalto", is_eq, false, true},
    {"escaped", is_escaped, false, true},
    {"even", is_even, false, false},
    {"false", is_false, false, true},
    {"filter", is_filter, false, false},
    {"float", is_float, false, true},
    {"ge", is_ge, false, false},
    {"greaterthan", is_gt, false, false},
    {"gt", is_gt, false, false},
    {"in", is_in, false, false},
    {"integer", is_integer, false, true},
    {"iterable", is_iterable, false, true},
    {"le", is_le, false, false},
    {"lessthan", is_lt, false, false},
    {"lower", is_lower, false, false},
    {"lt", is_lt, false, false},
    {"mapping", is_mapping, false, true},
    {"ne", is_ne, false, true},
    {"none", is_none, false, true},
    {"number", is_number, false, true},
    {"odd", is_odd, false, false},
    {"sameas", is_sameas, false, false},
    {"sequence", is_sequence, false, true},
    {"string", is_string, false, true},
    {"test", is_test, false, false},
    {"true", is_true, false, true},
    {"undefined", is_undefined, false, true},
    {"upper", is_upper, false, false},
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
