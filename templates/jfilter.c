/* jfilter.c -- filters of values: text and numbers. Those of sequences are in jfilterseq.c. */
#include "templates/jfilter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "templates/jbig.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

/* Binds to p; `implied` arguments come before: the value, and the environment
 * where the function takes it. Messages count them. */
#define BIND2(func, params, count, implied)                                                                            \
    struct jval p[count + 1];                                                                                          \
    ft_jbind(rt, func, params, implied, a, p)
#define BIND(func, params, count) BIND2(func, params, count, 1)
/* A built-in function of one argument. */
static void only_value(struct jrt *rt, const char *func, const struct jargs *a)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "%s() takes no keyword arguments", func);
    if (a->n)
        ft_jraise(rt, J_TYPE, "%s() takes exactly one argument (%u given)", func, a->n + 1);
}
static inline bool given(struct jval v) { return v.tag != J_MISSING; }

static struct jval do_default(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_default", "default_value= boolean=", 2);
    if (v.tag == J_UNDEF || (given(p[1]) && ft_jtrue(rt, p[1]) && !ft_jtrue(rt, v)))
        return given(p[0]) ? p[0] : ft_jstrv(ft_jstr_ref(rt, "", 0));
    return v;
}

static struct jval do_length(struct jrt *rt, struct jval v, const struct jargs *a)
{
    only_value(rt, "len", a);
    return ft_jint(ft_jlen(rt, v));
}

static struct jval do_string(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("soft_str", "", 0);
    return ft_jstrv(ft_jsoft(rt, v));
}

static struct jval do_safe(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_mark_safe", "", 0);
    return ft_jstrv(ft_jstr_as(rt, ft_jsoft(rt, v), true));
}

static struct jval do_escape(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("escape", "", 0);
    return ft_jstrv(ft_jstr_escape(rt, ft_jsoft(rt, v)));
}

static struct jval do_forceescape(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_forceescape", "", 0);
    return ft_jstrv(ft_jstr_escape(rt, ft_jstr_of(rt, v)));
}

static struct jval do_trim(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_trim", "chars=", 1);
    if (given(p[0]) && p[0].tag != J_NONE && p[0].tag != J_STR)
        ft_jraise(rt, J_TYPE, "strip arg must be None or str");
    return ft_jstrv(ft_jstr_strip(rt, ft_jsoft(rt, v), p[0].tag == J_STR ? p[0].s : NULL, 3));
}

static struct jval do_upper(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_upper", "", 0);
    return ft_jstrv(ft_jstr_case(rt, ft_jsoft(rt, v), J_CASE_UPPER));
}
static struct jval do_lower(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_lower", "", 0);
    return ft_jstrv(ft_jstr_case(rt, ft_jsoft(rt, v), J_CASE_LOWER));
}
static struct jval do_capitalize(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_capitalize", "", 0);
    return ft_jstrv(ft_jstr_case(rt, ft_jsoft(rt, v), J_CASE_CAPITALIZE));
}

/* Words begin behind [-\s({\[<]+; the rest is lowered word by word. */
static struct jval do_title(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_title", "", 0);
    struct jstr *s = ft_jsoft(rt, v);
    struct jsb b;
    ft_jsb_init(&b, rt, s->n);
    ft_jstep(rt, s->n / 4 + 1);
    for (size_t i = 0; i < s->n;) {
        int len;
        uint32_t c = ft_utf8_get(s->p + i, &len);
        const bool gap = ft_jspace(c) || (c < 0x80 && strchr("-({[<", (int)c) && c);
        size_t j = i;
        while (j < s->n) {
            c = ft_utf8_get(s->p + j, &len);
            if ((ft_jspace(c) || (c < 0x80 && strchr("-({[<", (int)c) && c)) != gap)
                break;
            j += (size_t)len;
        }
        if (gap) {
            /* item[0].upper() of a separator is itself */
            ft_jsb_cut(&b, s, i, j - i);
        } else {
            ft_utf8_get(s->p + i, &len);
            ft_jsb_str(&b, ft_jstr_case(rt, ft_jstr_cut(rt, s, i, (size_t)len, false), J_CASE_UPPER));
            ft_jsb_str(&b, ft_jstr_case(rt, ft_jstr_cut(rt, s, i + (size_t)len, j - i - (size_t)len, false), J_CASE_LOWER));
        }
        i = j;
    }
    return ft_jstrv(ft_jsb_done(&b));
}

static struct jval do_replace(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND2("do_replace", "old new count=", 3, 2);
    int64_t count = -1;
    if (given(p[2]) && p[2].tag != J_NONE) {
        if (!ft_jis_int(p[2]))
            ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(p[2]));
        if (p[2].tag == J_BIG)
            ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C ssize_t");
        count = ft_jindex(rt, p[2]);
    }
    if (!rt->autoescape)
        return ft_jstrv(ft_jstr_replace(rt, ft_jstr_of(rt, v), ft_jstr_of(rt, p[0]), ft_jstr_of(rt, p[1]), count));
    struct jstr *s = ft_jsoft(rt, v), *old = ft_jsoft(rt, p[0]), *new = ft_jsoft(rt, p[1]);
    if (old->markup || (new->markup && !s->markup))
        s = ft_jstr_escape(rt, s);
    struct jstr *r = ft_jstr_replace(rt, s, old, s->markup ? ft_jstr_escape(rt, new) : new, count);
    return ft_jstrv(ft_jstr_as(rt, r, s->markup));
}

static struct jval do_indent(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_indent", "width= first= blank=", 3);
    struct jstr *indention;
    if (given(p[0]) && p[0].tag == J_STR) {
        indention = p[0].s;
    } else {
        const struct jval w = given(p[0]) ? p[0] : ft_jint(4);
        indention = ft_jbinary(rt, J_MUL, ft_jstrv(ft_jstr_ref(rt, " ", 1)), w).s;
    }
    struct jval newline = ft_jstrv(ft_jstr_ref(rt, "\n", 1));
    const bool markup = v.tag == J_STR && v.s->markup;
    if (markup) {
        indention = ft_jstr_as(rt, indention, true);
        newline.s = ft_jstr_as(rt, newline.s, true);
    }
    if (v.tag != J_STR && v.tag != J_LIST && v.tag != J_TUPLE && v.tag != J_UNDEF)
        ft_jraise(rt, J_TYPE, "unsupported operand type(s) for +=: '%s' and '%s'", ft_jtype(v), ft_jtype(newline));
    const struct jval s = v.tag == J_LIST ? v : ft_jbinary(rt, J_ADD, v, newline);
    if (s.tag != J_STR) /* list += str is a list */
        ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'splitlines'", ft_jtype(s));
    const struct jval lines = ft_jstr_lines(rt, s.s, false);
    const bool blank = given(p[2]) && ft_jtrue(rt, p[2]), first = given(p[1]) && ft_jtrue(rt, p[1]);
    struct jsb b;
    ft_jsb_init(&b, rt, s.s->n + 64);
    /* Markup escapes what is no Markup as it is added */
#define PUT(x) ft_jsb_str(&b, markup ? ft_jstr_escape(rt, (x)) : (x))
    for (uint32_t i = 0; i < ft_jq(rt, lines)->n; i++) {
        struct jstr *l = ft_jq(rt, lines)->v[i].s;
        if (i)
            PUT(newline.s);
        if (i ? blank || l->n : first)
            PUT(indention);
        PUT(l);
    }
#undef PUT
    return ft_jstrv(ft_jstr_as(rt, ft_jsb_done(&b), markup));
}

static struct jval do_center(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_center", "width=", 1);
    const int64_t width = given(p[0]) ? ft_jindex(rt, p[0]) : 80;
    struct jstr *s = ft_jsoft(rt, v);
    return ft_jstrv(ft_jstr_as(rt, ft_jstr_pad(rt, s, width, '^', ft_jstr_ref(rt, " ", 1)), s->markup));
}

static struct jval do_format(struct jrt *rt, struct jval v, const struct jargs *a)
{
    if (a->n && a->nkw)
        ft_jraise(rt, J_FILTERARG, "can't handle positional and keyword arguments at the same time");
    struct jstr *s = ft_jsoft(rt, v);
    if (!a->nkw)
        return ft_jpercent(rt, s, ft_jtuple(rt, a->v, a->n));
    struct jdict *d = ft_jdict_new(rt, a->nkw);
    for (uint32_t i = 0; i < a->nkw; i++)
        ft_jdict_set(rt, d, ft_jstrv(a->kw[i].name), a->kw[i].v);
    return ft_jpercent(rt, s, ft_jdictv(d));
}

static struct jval do_wordcount(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_wordcount", "", 0);
    const struct jstr *s = ft_jsoft(rt, v);
    int64_t n = 0;
    bool in = false;
    ft_jstep(rt, s->n / 8 + 1);
    for (size_t i = 0; i < s->n;) {
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        const bool word = c == '_' || ft_juni_is(c, J_ALNUM);
        n += word && !in;
        in = word;
        i += (size_t)len;
    }
    return ft_jint(n);
}

static struct jval do_truncate(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND2("do_truncate", "length= killwords= end= leeway=", 4, 2);
    const struct jval length = given(p[0]) ? p[0] : ft_jint(255);
    const struct jval end = given(p[2]) ? p[2] : ft_jstrv(ft_jstr_ref(rt, "...", 3));
    const struct jval leeway = given(p[3]) && p[3].tag != J_NONE ? p[3] : ft_jint(5);
    const int64_t n_end = ft_jlen(rt, end);
    if (!ft_jcompare(rt, length, ft_jint(n_end), J_GE))
        ft_jraise(rt, "AssertionError", "expected length >= %lld, got %s", (long long)n_end, ft_jrepr_z(rt, length));
    if (!ft_jcompare(rt, leeway, ft_jint(0), J_GE))
        ft_jraise(rt, "AssertionError", "expected leeway >= 0, got %s", ft_jrepr_z(rt, leeway));
    if (ft_jcompare(rt, ft_jint(ft_jlen(rt, v)), ft_jbinary(rt, J_ADD, length, leeway), J_LE))
        return v;
    const struct jslice cut = {ft_jnone(), ft_jbinary(rt, J_SUB, length, ft_jint(n_end)), ft_jnone()};
    struct jval s = ft_jgetslice(rt, v, &cut);
    if (!(given(p[1]) && ft_jtrue(rt, p[1]))) {
        if (s.tag != J_STR)
            ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'rsplit'", ft_jtype(s));
        s = ft_jq(rt, ft_jstr_split(rt, s.s, ft_jstr_ref(rt, " ", 1), 1, true))->v[0];
    }
    return ft_jbinary(rt, J_ADD, s, end);
}

/* ---- numbers ---- */

static struct jval to_int(struct jrt *rt, double f, bool *bad)
{
    *bad = !isfinite(f);
    return *bad ? ft_jnone() : ft_jbig_from_float(rt, f);
}

static struct jval do_int(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_int", "default= base=", 2);
    const struct jval dflt = given(p[0]) ? p[0] : ft_jint(0);
    struct jval out;
    bool bad;
    double f;
    switch (v.tag) {
    case J_STR: {
        int64_t base = 10;
        if (given(p[1])) {
            if (!ft_jis_int(p[1]))
                base = -1; /* a TypeError, which the filter takes for no integer */
            else
                base = ft_jindex(rt, p[1]);
        }
        if ((base == 0 || (base >= 2 && base <= 36)) && ft_jparse_int(rt, v.s, (int)base, &out))
            return out;
        if (!ft_jparse_float(rt, v.s, &f))
            return dflt;
        out = to_int(rt, f, &bad);
        return bad ? dflt : out;
    }
    case J_FLOAT:
        if (isinf(v.f)) /* int(inf) is an OverflowError, which nothing catches */
            ft_jraise(rt, J_OVERFLOW, "cannot convert float infinity to integer");
        out = to_int(rt, v.f, &bad);
        return bad ? dflt : out;
    case J_BOOL: return ft_jint(v.b);
    case J_INT:
    case J_BIG: return v;
    case J_UNDEF: ft_jundef_raise(rt, v);
    default: return dflt;
    }
}

static struct jval do_float(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_float", "default=", 1);
    double f;
    if (ft_jis_num(v))
        return ft_jfloat(ft_jto_float(rt, v));
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag == J_STR && ft_jparse_float(rt, v.s, &f))
        return ft_jfloat(f);
    return given(p[0]) ? p[0] : ft_jfloat(0);
}

static struct jval do_abs(struct jrt *rt, struct jval v, const struct jargs *a)
{
    only_value(rt, "abs", a);
    if (v.tag == J_FLOAT)
        return ft_jfloat(fabs(v.f));
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "bad operand type for abs(): '%s'", ft_jtype(v));
    return ft_jbig_negative(v) ? ft_jneg(rt, v) : ft_jpos(rt, v);
}

/* round(x, ndigits) of CPython: correctly rounded decimal, half to even. */
static double round_digits(double x, int64_t digits)
{
    char buf[512];
    if (!isfinite(x) || x == 0)
        return x;
    if (digits > 323)
        return x;
    if (digits < -308)
        return copysign(0, x);
    if (digits >= 0) {
        snprintf(buf, sizeof buf, "%.*f", (int)digits, x);
        return strtod(buf, NULL);
    }
    /* glibc rounds exactly, half to even, at any digit: through the exponent form */
    const int exp = (int)floor(log10(fabs(x)));
    const int keep = exp + (int)digits; /* digits behind the first */
    if (keep < -1)
        return copysign(0, x);
    if (keep >= 0) {
        snprintf(buf, sizeof buf, "%.*e", keep, x);
        double r = strtod(buf, NULL);
        return r;
    }
    const double unit = pow(10, (double)-digits);
    return copysign(fabs(x) > unit / 2 ? unit : 0, x);
}

static struct jval do_round(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_round", "precision= method=", 2);
    const struct jval precision = given(p[0]) ? p[0] : ft_jint(0);
    const struct jstr *method = NULL;
    if (given(p[1])) {
        ft_jneed_hash(rt, p[1]);
        method = p[1].tag == J_STR ? p[1].s : NULL;
        if (!method || !(ft_jstr_is(method, "common") || ft_jstr_is(method, "ceil") || ft_jstr_is(method, "floor")))
            ft_jraise(rt, J_FILTERARG, "method must be common, ceil or floor");
    }
    if (!method || ft_jstr_is(method, "common")) {
        if (v.tag == J_FLOAT) {
            if (precision.tag == J_NONE) {
                bool bad;
                const struct jval r = to_int(rt, rint(v.f), &bad);
                if (bad)
                    ft_jraise(rt, isnan(v.f) ? J_VALUE : J_OVERFLOW, isnan(v.f) ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer");
                return r;
            }
            const int64_t digits = ft_jindex(rt, precision);
            ft_jstep(rt, fabs(v.f) > 1e22 || digits > 20 || digits < 0 ? 200 : 8);
            const double r = round_digits(v.f, digits);
            if (isinf(r) && isfinite(v.f))
                ft_jraise(rt, J_OVERFLOW, "rounded value too large to represent");
            return ft_jfloat(r);
        }
        if (ft_jis_int(v)) {
            const int64_t digits = precision.tag == J_NONE ? 0 : ft_jindex(rt, precision);
            if (digits >= 0)
                return ft_jpos(rt, v);
            if (digits < -4300)
                return ft_jint(0);
            /* to a multiple of unit, half to even */
            const struct jval unit = ft_jbig_pow(rt, ft_jint(10), -digits);
            struct jval q, r;
            ft_jbig_divmod(rt, ft_jpos(rt, v), unit, &q, &r);
            const int c = ft_jbig_cmp(rt, ft_jbig_mul(rt, r, ft_jint(2)), unit);
            struct jval odd;
            ft_jbig_divmod(rt, q, ft_jint(2), NULL, &odd);
            if (c > 0 || (c == 0 && odd.i))
                q = ft_jbig_add(rt, q, ft_jint(1), false);
            return ft_jbig_mul(rt, q, unit);
        }
        ft_jraise(rt, J_TYPE, "type %s doesn't define __round__ method", ft_jtype(v));
    }
    const struct jval scale = ft_jbinary(rt, J_POW, ft_jint(10), precision);
    const struct jval scaled = ft_jbinary(rt, J_MUL, v, scale);
    struct jval whole = scaled;
    if (scaled.tag == J_FLOAT) {
        bool bad;
        whole = to_int(rt, ft_jstr_is(method, "ceil") ? ceil(scaled.f) : floor(scaled.f), &bad);
        if (bad)
            ft_jraise(rt, isnan(scaled.f) ? J_VALUE : J_OVERFLOW, isnan(scaled.f) ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer");
    } else if (!ft_jis_int(scaled)) {
        ft_jraise(rt, J_TYPE, "must be real number, not %s", ft_jtype(scaled));
    }
    return ft_jbinary(rt, J_DIV, whole, scale);
}

static struct jval do_filesizeformat(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND("do_filesizeformat", "binary=", 1);
    const bool binary = given(p[0]) && ft_jtrue(rt, p[0]);
    double bytes;
    if (ft_jis_num(v)) {
        bytes = ft_jto_float(rt, v);
    } else if (v.tag == J_STR) {
        if (!ft_jparse_float(rt, v.s, &bytes))
            ft_jraise(rt, J_VALUE, "could not convert string to float: %s", ft_jrepr_z(rt, v));
    } else if (v.tag == J_UNDEF) {
        ft_jundef_raise(rt, v);
    } else {
        ft_jraise(rt, J_TYPE, "float() argument must be a string or a real number, not '%s'", ft_jtype(v));
    }
    static const char *const si[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
    static const char *const iec[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
    const double base = binary ? 1024 : 1000;
    if (bytes == 1)
        return ft_jstrv(ft_jstr_z(rt, "1 Byte"));
    if (bytes < base) {
        if (!isfinite(bytes))
            ft_jraise(rt, J_OVERFLOW, "cannot convert float infinity to integer");
        return ft_jstrv(ft_jstr_cat(rt, ft_jstr_of(rt, ft_jbig_from_float(rt, bytes)), ft_jstr_z(rt, " Bytes")));
    }
    if (isnan(bytes))
        return ft_jstrv(ft_jstr_fmt(rt, "nan %s", (binary ? iec : si)[7]));
    double unit = base;
    int i = 0;
    for (; i < 8; i++) {
        unit *= base;
        if (bytes < unit)
            break;
    }
    return ft_jstrv(ft_jstr_fmt(rt, "%.1f %s", base * bytes / unit, (binary ? iec : si)[i < 8 ? i : 7]));
}

static struct jval do_tojson(struct jrt *rt, struct jval v, const struct jargs *a)
{
    for (uint32_t k = 0; k < a->nkw; k++)
        if (ft_jstr_is(a->kw[k].name, "x"))
            ft_jraise(rt, J_TYPE, "_cached_compile_jinja_template.<locals>.tojson() got multiple values for argument 'x'");
    BIND("_cached_compile_jinja_template.<locals>.tojson", "ensure_ascii= indent= separators= sort_keys=", 4);
    return ft_jtojson(rt, v, given(p[0]) && ft_jtrue(rt, p[0]), given(p[1]) ? p[1] : ft_jnone(), given(p[2]) ? p[2] : ft_jnone(),
                      given(p[3]) && ft_jtrue(rt, p[3]));
}

static struct jval do_attr(struct jrt *rt, struct jval v, const struct jargs *a)
{
    BIND2("do_attr", "name", 1, 2);
    struct jval out;
    ft_jneed_hash(rt, p[0]); /* looked up in the class first */
    if (p[0].tag != J_STR)
        ft_jraise(rt, J_TYPE, "attribute name must be string, not '%s'", ft_jtype(p[0]));
    if (ft_jattribute(rt, v, p[0].s, ft_jattr_id(p[0].s), &out))
        return out;
    return ft_jundef_attr(rt, v, p[0]);
}

static struct jval do_refused(struct jrt *rt, struct jval v, const struct jargs *a)
{
    (void)v, (void)a;
    ft_jraise(rt, J_LIMIT, "the filter 'random' is not supported: the same data must give the same text");
}

#define F(name, call) {name, call, false, false, 0}
#define C(name, call) {name, call, true, false, 0} /* needs the context */
static const struct jfilter filters[] = {
    F("abs", do_abs),
    F("attr", do_attr),
    F("batch", ft_jdo_batch),
    F("capitalize", do_capitalize),
    F("center", do_center),
    F("count", do_length),
    F("d", do_default),
    F("default", do_default),
    F("dictsort", ft_jdo_dictsort),
    F("e", do_escape),
    F("escape", do_escape),
    F("filesizeformat", do_filesizeformat),
    F("first", ft_jdo_first),
    F("float", do_float),
    F("forceescape", do_forceescape),
    F("format", do_format),
    F("groupby", ft_jdo_groupby),
    F("indent", do_indent),
    F("int", do_int),
    F("items", ft_jdo_items),
    F("join", ft_jdo_join),
    F("last", ft_jdo_last),
    F("length", do_length),
    F("list", ft_jdo_list),
    F("lower", do_lower),
    C("map", ft_jdo_map),
    F("max", ft_jdo_max),
    F("min", ft_jdo_min),
    F("pprint", ft_jdo_pprint),
    C("random", do_refused),
    C("reject", ft_jdo_reject),
    C("rejectattr", ft_jdo_rejectattr),
    F("replace", do_replace),
    F("reverse", ft_jdo_reverse),
    F("round", do_round),
    F("safe", do_safe),
    C("select", ft_jdo_select),
    C("selectattr", ft_jdo_selectattr),
    F("slice", ft_jdo_slice),
    F("sort", ft_jdo_sort),
    F("string", do_string),
    F("striptags", ft_jdo_striptags),
    F("sum", ft_jdo_sum),
    F("title", do_title),
    F("tojson", do_tojson),
    F("trim", do_trim),
    F("truncate", do_truncate),
    F("unique", ft_jdo_unique),
    F("upper", do_upper),
    F("urlencode", ft_jdo_urlencode),
    F("urlize", ft_jdo_urlize),
    F("wordcount", do_wordcount),
    F("wordwrap", ft_jdo_wordwrap),
    F("xmlattr", ft_jdo_xmlattr),
};

const struct jfilter *ft_jfilter_find(struct ft_str name)
{
    size_t lo = 0, hi = sizeof filters / sizeof *filters;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        const int c = ft_str_cmp(ft_strz(filters[mid].name), name);
        if (c == 0)
            return &filters[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}
