/* jops.c -- Python's operators. */
#include <math.h>
#include <stdlib.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

static const char *const op_names[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

static _Noreturn void unsupported(struct jrt *rt, enum jop op, struct jval a, struct jval b)
{
    if (a.tag == J_UNDEF)
        ft_jundef_raise(rt, a);
    if (b.tag == J_UNDEF)
        ft_jundef_raise(rt, b);
    ft_jraise(rt, J_TYPE, "unsupported operand type(s) for %s: '%s' and '%s'", op_names[op], ft_jtype(a), ft_jtype(b));
}

double ft_jto_float(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_FLOAT: return v.f;
    case J_BOOL: return v.b;
    case J_INT: return (double)v.i;
    default: return ft_jbig_float(rt, v);
    }
}

static double float_mod(double x, double y, double *div)
{
    double mod = fmod(x, y), d = (x - mod) / y;
    if (mod != 0) {
        if ((y < 0) != (mod < 0)) {
            mod += y;
            d -= 1;
        }
    } else {
        mod = copysign(0, y);
    }
    if (d != 0) {
        *div = floor(d);
        if (d - *div > 0.5)
            *div += 1;
    } else {
        *div = copysign(0, x / y);
    }
    return mod;
}

static struct jval float_pow(struct jrt *rt, double x, double y)
{
    if (x == 0 && y < 0)
        ft_jraise(rt, J_ZERODIV, "0.0 cannot be raised to a negative power");
    if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y))
        ft_jraise(rt, J_LIMIT, "complex numbers are not supported");
    const double r = pow(x, y);
    if (isinf(r) && isfinite(x) && isfinite(y))
        ft_jraise(rt, J_OVERFLOW, "(34, 'Numerical result out of range')");
    return ft_jfloat(r);
}

static struct jval float_op(struct jrt *rt, enum jop op, double x, double y)
{
    double div;
    switch (op) {
    case J_ADD: return ft_jfloat(x + y);
    case J_SUB: return ft_jfloat(x - y);
    case J_MUL: return ft_jfloat(x * y);
    case J_DIV:
        if (y == 0)
            ft_jraise(rt, J_ZERODIV, "float division by zero");
        return ft_jfloat(x / y);
    case J_FLOORDIV:
        if (y == 0)
            ft_jraise(rt, J_ZERODIV, "float floor division by zero");
        float_mod(x, y, &div);
        return ft_jfloat(div);
    case J_MOD:
        if (y == 0)
            ft_jraise(rt, J_ZERODIV, "float modulo");
        return ft_jfloat(float_mod(x, y, &div));
    default: return float_pow(rt, x, y);
    }
}

static struct jval int_op(struct jrt *rt, enum jop op, struct jval a, struct jval b)
{
    if (a.tag == J_BOOL)
        a = ft_jint(a.b);
    if (b.tag == J_BOOL)
        b = ft_jint(b.b);
    const bool zero = b.tag == J_INT && b.i == 0, small = a.tag == J_INT && b.tag == J_INT;
    int64_t r;
    switch (op) {
    case J_ADD: return small && !__builtin_add_overflow(a.i, b.i, &r) ? ft_jint(r) : ft_jbig_add(rt, a, b, false);
    case J_SUB: return small && !__builtin_sub_overflow(a.i, b.i, &r) ? ft_jint(r) : ft_jbig_add(rt, a, b, true);
    case J_MUL: return small && !__builtin_mul_overflow(a.i, b.i, &r) ? ft_jint(r) : ft_jbig_mul(rt, a, b);
    case J_DIV:
        if (zero)
            ft_jraise(rt, J_ZERODIV, "division by zero");
        return ft_jfloat(ft_jbig_true_div(rt, a, b));
    case J_FLOORDIV:
    case J_MOD: {
        if (zero)
            ft_jraise(rt, J_ZERODIV, op == J_MOD ? "integer modulo by zero" : "integer division or modulo by zero");
        struct jval q, m;
        if (small && b.i != -1) {
            int64_t d = a.i / b.i, e = a.i % b.i;
            if (e && (e < 0) != (b.i < 0)) {
                e += b.i;
                d--;
            }
            return ft_jint(op == J_MOD ? e : d);
        }
        ft_jbig_divmod(rt, a, b, &q, &m);
        return op == J_MOD ? m : q;
    }
    default:
        if (ft_jbig_negative(b))
            return float_pow(rt, ft_jto_float(rt, a), ft_jto_float(rt, b));
        return ft_jbig_pow(rt, a, ft_jindex(rt, b));
    }
}

static struct jval repeat(struct jrt *rt, struct jval s, struct jval times)
{
    if (times.tag == J_BIG)
        ft_jraise(rt, J_OVERFLOW, "cannot fit 'int' into an index-sized integer");
    int64_t n = ft_jindex(rt, times);
    if (n < 0)
        n = 0;
    if (s.tag == J_STR) {
        if (n == 1)
            return s;
        if (s.s->n && n > UINT32_MAX / s.s->n)
            ft_jlimit_memory(rt);
        struct jsb b;
        ft_jsb_init(&b, rt, s.s->n * (size_t)n);
        if (s.s->n == 1 && !s.s->leaf)
            ft_jsb_fill(&b, s.s->p[0], (size_t)n);
        else
            for (int64_t i = 0; i < n && s.s->n; i++) {
                ft_jstep(rt, s.s->n / 64 + 1);
                ft_jsb_str(&b, s.s);
            }
        return ft_jstrv(ft_jstr_as(rt, ft_jsb_done(&b), s.s->markup));
    }
    if (ft_jq(rt, s)->n && n > INT32_MAX / ft_jq(rt, s)->n)
        ft_jlimit_memory(rt);
    struct jval *v = J_NEWS(rt, struct jval, ft_jq(rt, s)->n * (size_t)n);
    for (int64_t i = 0; i < n && ft_jq(rt, s)->n; i++) {
        ft_jstep(rt, ft_jq(rt, s)->n / 4 + 1);
        ft_jcopy(v + i * ft_jq(rt, s)->n, ft_jq(rt, s)->v, ft_jq(rt, s)->n * sizeof *v);
    }
    return s.tag == J_LIST ? ft_jlist(rt, v, ft_jq(rt, s)->n * (size_t)n) : ft_jtuple(rt, v, ft_jq(rt, s)->n * (size_t)n);
}

static struct jval add(struct jrt *rt, struct jval a, struct jval b)
{
    if (a.tag == J_STR && b.tag == J_STR) {
        if (a.s->markup || b.s->markup) {
            struct jstr *r = ft_jstr_cat(rt, ft_jstr_escape(rt, a.s), ft_jstr_escape(rt, b.s));
            return ft_jstrv(ft_jstr_as(rt, r, true));
        }
        return ft_jstrv(ft_jstr_cat(rt, a.s, b.s));
    }
    if (a.tag == b.tag && (a.tag == J_LIST || a.tag == J_TUPLE)) {
        const size_t n = (size_t)ft_jq(rt, a)->n + ft_jq(rt, b)->n;
        struct jval *v = J_NEWS(rt, struct jval, n);
        ft_jstep(rt, n / 4);
        ft_jcopy(v, ft_jq(rt, a)->v, ft_jq(rt, a)->n * sizeof *v);
        ft_jcopy(v + ft_jq(rt, a)->n, ft_jq(rt, b)->v, ft_jq(rt, b)->n * sizeof *v);
        return a.tag == J_LIST ? ft_jlist(rt, v, n) : ft_jtuple(rt, v, n);
    }
    if (a.tag != J_UNDEF && b.tag == J_UNDEF)
        ft_jundef_raise(rt, b);
    if ((a.tag == J_STR && !a.s->markup) || a.tag == J_LIST || a.tag == J_TUPLE) {
        const char *t = a.tag == J_STR ? "str" : a.tag == J_LIST ? "list" : "tuple";
        ft_jraise(rt, J_TYPE, "can only concatenate %s (not \"%s\") to %s", t, ft_jtype(b), t);
    }
    unsupported(rt, J_ADD, a, b);
}

static bool is_seq(struct jval v) { return v.tag == J_STR || v.tag == J_LIST || v.tag == J_TUPLE; }

struct jval ft_jbinary(struct jrt *rt, enum jop op, struct jval a, struct jval b)
{
    if (ft_jis_num(a) && ft_jis_num(b)) {
        if (a.tag == J_FLOAT || b.tag == J_FLOAT)
            return float_op(rt, op, ft_jto_float(rt, a), ft_jto_float(rt, b));
        return int_op(rt, op, a, b);
    }
    switch (op) {
    case J_ADD: return add(rt, a, b);
    case J_MUL:
        if (is_seq(a) && ft_jis_int(b))
            return repeat(rt, a, b);
        if (is_seq(b) && ft_jis_int(a))
            return repeat(rt, b, a);
        if (b.tag == J_STR && b.s->markup && a.tag != J_UNDEF)
            ft_jindex(rt, a); /* Markup's own method, which words it so */
        if (a.tag == J_STR && a.s->markup)
            ft_jindex(rt, b);
        if (a.tag != J_UNDEF && b.tag != J_UNDEF && (is_seq(a) || is_seq(b)))
            ft_jraise(rt, J_TYPE, "can't multiply sequence by non-int of type '%s'", ft_jtype(is_seq(a) ? b : a));
        break;
    case J_MOD:
        if (a.tag == J_STR)
            return ft_jpercent(rt, a.s, b);
        break;
    case J_SUB:
        if ((a.tag == J_VIEW && a.aux != J_VALUES) || (b.tag == J_VIEW && b.aux != J_VALUES)) {
            if (a.tag == J_UNDEF)
                break;
            if (!ft_jiterable(a) || !ft_jiterable(b))
                ft_jraise(rt, J_TYPE, "'%s' object is not iterable", ft_jtype(ft_jiterable(a) ? b : a));
            ft_jraise(rt, J_LIMIT, "sets are not supported, their order is not fixed: reject('in', ...) does it");
        }
        break;
    default: break;
    }
    unsupported(rt, op, a, b);
}

struct jval ft_jneg(struct jrt *rt, struct jval a)
{
    if (a.tag == J_FLOAT)
        return ft_jfloat(-a.f);
    if (ft_jis_int(a))
        return int_op(rt, J_SUB, ft_jint(0), a);
    if (a.tag == J_UNDEF)
        ft_jundef_raise(rt, a);
    ft_jraise(rt, J_TYPE, "bad operand type for unary -: '%s'", ft_jtype(a));
}

struct jval ft_jpos(struct jrt *rt, struct jval a)
{
    if (a.tag == J_BOOL)
        return ft_jint(a.b);
    if (ft_jis_num(a))
        return a;
    if (a.tag == J_UNDEF)
        ft_jundef_raise(rt, a);
    ft_jraise(rt, J_TYPE, "bad operand type for unary +: '%s'", ft_jtype(a));
}

/* ---- numbers out of text ---- */

/* Copies s without outer whitespace, its Unicode digits as ASCII; false when a
 * character can be in no number. */
static bool plain(const struct jstr *s, char *out, size_t cap, size_t *n)
{
    const char *p = s->p, *end = s->p + s->n;
    int len;
    while (p < end && ft_jspace(ft_utf8_get(p, &len)))
        p += len;
    while (end > p && ft_jspace(ft_jback(p, end, &len)))
        end -= len;
    *n = 0;
    while (p < end) {
        const uint32_t c = ft_utf8_get(p, &len);
        p += len;
        if (*n + 1 >= cap)
            return false;
        if (c < 0x80)
            out[(*n)++] = (char)c;
        else if (ft_juni_is(c, J_DECIMAL))
            out[(*n)++] = (char)('0' + ft_juni_digit(c));
        else
            return false;
    }
    out[*n] = 0;
    return true;
}

bool ft_jparse_float(struct jrt *rt, const struct jstr *s, double *out)
{
    char few[256], *b = few;
    size_t n, cap = (size_t)s->n + 1;
    ft_jstep(rt, s->n / 2 + 4);
    if (cap > sizeof few)
        b = ft_malloc(cap);
    bool good = plain(s, b, cap, &n) && n;
    if (good) {
        /* underscores stand between digits */
        size_t m = 0;
        for (size_t i = 0; i < n && good; i++) {
            if (b[i] == '_')
                good = i && i + 1 < n && b[i - 1] >= '0' && b[i - 1] <= '9' && b[i + 1] >= '0' && b[i + 1] <= '9';
            else
                b[m++] = b[i];
        }
        b[m] = 0;
        n = m;
    }
    if (good) {
        const char *p = b + (*b == '+' || *b == '-');
        if (strcasecmp(p, "inf") == 0 || strcasecmp(p, "infinity") == 0)
            *out = *b == '-' ? -INFINITY : INFINITY;
        else if (strcasecmp(p, "nan") == 0)
            *out = NAN;
        else {
            char *end;
            good = n && strspn(p, "0123456789.eE+-") == strlen(p) && (*p == '.' || (*p >= '0' && *p <= '9'));
            if (good) {
                *out = strtod(b, &end);
                good = *end == 0;
            }
        }
    }
    if (b != few)
        free(b);
    return good;
}

bool ft_jparse_int(struct jrt *rt, struct jstr *s, int base, struct jval *out)
{
    const size_t cap = (size_t)s->n + 1;
    char *b = ft_jalloc(rt, cap);
    size_t n;
    ft_jstep(rt, s->n / 4 + 1);
    if (!plain(s, b, cap, &n) || !n)
        return false;
    const bool neg = *b == '-';
    char *p = b + (neg || *b == '+');
    bool prefixed = false;
    if (p[0] == '0' && p[1]) {
        const int pb = (p[1] | 32) == 'x' ? 16 : (p[1] | 32) == 'o' ? 8 : (p[1] | 32) == 'b' ? 2 : 0;
        if (pb && (base == pb || base == 0)) {
            base = pb;
            p += 2;
            prefixed = true;
        }
    }
    if (base == 0) {
        base = 10;
        if (*p == '0' && strspn(p, "0_") != strlen(p))
            return false;
    }
    char *o = b;
    if (prefixed && *p == '_')
        p++;
    bool digit = false;
    for (; *p; p++) {
        if (*p == '_') {
            if (!digit || !p[1])
                return false;
            digit = false;
            continue;
        }
        if (ft_digit(*p) >= base)
            return false;
        digit = true;
        *o++ = *p;
    }
    if (!digit)
        return false;
    if (o - b > 4300 && (base & (base - 1)))
        return false; /* a ValueError, as for any text that is no integer */
    *out = ft_jbig_parse(rt, b, (size_t)(o - b), base, neg);
    return true;
}
