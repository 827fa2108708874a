/* jformatspec.c -- a value by a format specification: format(v, spec), and the digits of floats. */
#include "templates/jformat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

/* ---- numbers to digits ---- */

/* As PyOS_double_to_string: type e E f F g G, or 'r' for repr; *dot adds ".0"
 * to what would look like an integer. No sign for the caller to deal with:
 * x >= 0. */
struct jstr *ft_jfloat_digits(struct jrt *rt, double x, char type, int64_t prec, bool alt, bool dot)
{
    struct jsb b;
    const bool upper = type == 'E' || type == 'F' || type == 'G';
    ft_jsb_init(&b, rt, 64);
    if (isnan(x) || isinf(x)) {
        ft_jsb_putz(&b, isnan(x) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"));
        return ft_jsb_done(&b);
    }
    if (type == 'r') {
        ft_jsb_repr_float(&b, x);
        if (!dot && b.n > 2 && memcmp(b.p + b.n - 2, ".0", 2) == 0)
            b.n -= 2;
        return ft_jsb_done(&b);
    }
    if (prec > 5000)
        ft_jraise(rt, J_LIMIT, "a precision of more than 5000 digits");
    const int p = (int)prec;
    const size_t cap = (size_t)p + 400;
    ft_jstep(rt, (size_t)p / 2 + (fabs(x) > 1e22 || fabs(x) < 1e-22 ? 100 : 8));
    char *z = ft_jalloc(rt, cap);
    if (type == 'g' || type == 'G') {
        const int digits = p ? p : 1;
        snprintf(z, cap, "%.*e", digits - 1, x);
        const int exp = atoi(strchr(z, 'e') + 1);
        if (exp < -4 || exp >= digits - (dot ? 1 : 0)) {
            char *e = strchr(z, 'e');
            char *end = e;
            if (!alt) {
                if (memchr(z, '.', (size_t)(e - z))) {
                    while (end[-1] == '0')
                        end--;
                    if (end[-1] == '.')
                        end--;
                }
            }
            ft_jsb_put(&b, z, (size_t)(end - z));
            if (alt && !memchr(z, '.', (size_t)(e - z)))
                ft_jsb_putc(&b, '.');
            ft_jsb_printf(&b, "%c%c%02d", upper ? 'E' : 'e', exp < 0 ? '-' : '+', abs(exp));
            return ft_jsb_done(&b);
        }
        snprintf(z, cap, "%.*f", digits - 1 - exp > 0 ? digits - 1 - exp : 0, x);
        char *end = z + strlen(z);
        if (!alt && strchr(z, '.')) {
            while (end[-1] == '0')
                end--;
            if (end[-1] == '.')
                end--;
        }
        ft_jsb_put(&b, z, (size_t)(end - z));
        if (alt && !memchr(b.p, '.', b.n))
            ft_jsb_putc(&b, '.');
        else if (dot && !memchr(b.p, '.', b.n))
            ft_jsb_putz(&b, ".0");
        return ft_jsb_done(&b);
    }
    if (type == 'e' || type == 'E')
        snprintf(z, cap, alt ? "%#.*e" : "%.*e", p, x);
    else
        snprintf(z, cap, alt ? "%#.*f" : "%.*f", p, x);
    for (char *q = z; upper && *q; q++)
        if (*q == 'e')
            *q = 'E';
    ft_jsb_putz(&b, z);
    return ft_jsb_done(&b);
}

/* ---- format specifications ---- */

struct spec {
    struct jstr *fill; /* NULL: the default */
    char align, sign, type, group;
    bool alt, zero, z;
    int64_t width, prec; /* -1: none */
};

static int64_t number(struct jrt *rt, const char **p, const char *end)
{
    int64_t n = 0;
    if (*p == end || **p < '0' || **p > '9')
        return -1;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n))
            ft_jraise(rt, J_VALUE, "Too many decimal digits in format string");
    }
    return n;
}

static bool is_align(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

static struct spec parse_spec(struct jrt *rt, const struct jstr *s, const char *type_name, char def_align)
{
    struct spec f = {.align = def_align, .width = -1, .prec = -1};
    const char *p = s->p, *end = s->p + s->n;
    int len = 1;
    bool aligned = false;
    if (p < end)
        ft_utf8_get(p, &len);
    if (end - p > len && is_align(p[len])) {
        f.fill = ft_jstr_cut(rt, s, 0, (size_t)len, false);
        f.align = p[len];
        p += len + 1;
        aligned = true;
    } else if (p < end && is_align(*p)) {
        f.align = *p++;
        aligned = true;
    }
    if (p < end && (*p == '+' || *p == '-' || *p == ' '))
        f.sign = *p++;
    if (p < end && *p == 'z')
        f.z = true, p++;
    if (p < end && *p == '#')
        f.alt = true, p++;
    if (!f.fill && p < end && *p == '0') {
        f.fill = ft_jstr_ref(rt, "0", 1);
        if (!aligned && def_align == '>')
            f.align = '=';
        p++;
        f.zero = true;
    }
    f.width = number(rt, &p, end);
    if (f.width > 1 << 28)
        ft_jlimit_memory(rt);
    while (p < end && (*p == ',' || *p == '_')) {
        if (f.group)
            ft_jraise(rt, J_VALUE, f.group != *p ? "Cannot specify both ',' and '_'." : *p == ',' ? "Cannot specify ',' with ','." : "Cannot specify '_' with '_'.");
        f.group = *p++;
    }
    if (p < end && *p == '.') {
        p++;
        f.prec = number(rt, &p, end);
        if (f.prec < 0)
            ft_jraise(rt, J_VALUE, "Format specifier missing precision");
    }
    if (end - p > 1)
        ft_jraise(rt, J_VALUE, "Invalid format specifier '%.*s' for object of type '%s'", (int)s->n, s->p, type_name);
    if (p < end)
        f.type = *p;
    if (f.group && !f.type && def_align == '<')
        ft_jraise(rt, J_VALUE, "Cannot specify '%c' with 's'.", f.group);
    if (f.group && !(strchr("defgEG%F", f.type ? f.type : 'd') || (f.group == '_' && strchr("boxX", f.type))))
        ft_jraise(rt, J_VALUE, "Cannot specify '%c' with '%c'.", f.group, f.type);
    return f;
}

static _Noreturn void bad_code(struct jrt *rt, char c, const char *type)
{
    if (c > 32 && c < 127)
        ft_jraise(rt, J_VALUE, "Unknown format code '%c' for object of type '%s'", c, type);
    ft_jraise(rt, J_VALUE, "Unknown format code '\\x%x' for object of type '%s'", (unsigned char)c, type);
}

static struct jstr *format_str(struct jrt *rt, struct jstr *s, const struct jstr *spec)
{
    if (!spec->n)
        return ft_jstr_as(rt, s, false);
    const struct spec f = parse_spec(rt, spec, "str", '<');
    if (f.type && f.type != 's')
        bad_code(rt, f.type, s->markup ? "Markup" : "str");
    if (f.sign)
        ft_jraise(rt, J_VALUE, f.sign == ' ' ? "Space not allowed in string format specifier" : "Sign not allowed in string format specifier");
    if (f.z)
        ft_jraise(rt, J_VALUE, "Negative zero coercion (z) not allowed in string format specifier");
    if (f.alt)
        ft_jraise(rt, J_VALUE, "Alternate form (#) not allowed in string format specifier");
    if (f.align == '=')
        ft_jraise(rt, J_VALUE, "'=' alignment not allowed in string format specifier");
    s = ft_jstr_as(rt, s, false);
    if (f.prec >= 0 && f.prec < ft_jchars(s))
        s = ft_jstr_cut(rt, s, 0, ft_jstr_at(s, (size_t)f.prec), false);
    struct jstr *fill = f.fill ? f.fill : ft_jstr_ref(rt, " ", 1);
    if (f.align == '^') {
        /* format centres with the smaller half left, unlike str.center */
        const int64_t more = f.width - ft_jchars(s);
        if (more <= 0)
            return s;
        struct jsb b;
        ft_jsb_init(&b, rt, s->n + (size_t)more * fill->n);
        ft_jsb_pad(&b, fill, more / 2);
        ft_jsb_str(&b, s);
        ft_jsb_pad(&b, fill, more - more / 2);
        return ft_jsb_done(&b);
    }
    return ft_jstr_pad(rt, s, f.width, f.align, fill);
}

/* sign, prefix, digits and the rest (fraction, exponent, %), grouped and filled */
static struct jstr *assemble(struct jrt *rt, const struct spec *f, bool neg, const char *prefix, const struct jstr *digits)
{
    struct jsb b, g;
    size_t whole = 0;
    while (whole < digits->n && ((digits->p[whole] >= '0' && digits->p[whole] <= '9') ||
                                 (strchr("boxX", f->type) && f->type && ((digits->p[whole] | 32) >= 'a' && (digits->p[whole] | 32) <= 'f'))))
        whole++;
    const char sign = neg ? '-' : f->sign == '+' ? '+' : f->sign == ' ' ? ' ' : 0;
    const size_t fixed = (sign != 0) + strlen(prefix) + (digits->n - whole);
    const unsigned every = f->group && f->type && strchr("boxX", f->type) ? 4 : 3;
    ft_jsb_init(&g, rt, digits->n * 2 + 16);
    /* with zero fill the zeros are grouped too, up to the width */
    size_t want = whole;
    const bool zeros = f->fill && f->fill->n == 1 && f->fill->p[0] == '0' && f->align == '=' && whole;
    if (zeros && f->width > 0) {
        ft_jstep(rt, (size_t)f->width / 2);
        for (;;) {
            const size_t len = want + (f->group && want ? (want - 1) / every : 0);
            if (fixed + len >= (size_t)f->width)
                break;
            want++;
        }
    }
    for (size_t i = 0; i < want; i++) {
        const size_t left = want - i;
        if (i && f->group && left % every == 0)
            ft_jsb_putc(&g, f->group);
        ft_jsb_putc(&g, left > whole ? '0' : digits->p[whole - left]);
    }
    ft_jstep(rt, want / 4);
    const struct jstr *fill = f->fill ? f->fill : ft_jstr_ref(rt, " ", 1);
    const int64_t more = f->width - (int64_t)(fixed + g.n);
    ft_jsb_init(&b, rt, fixed + g.n + (more > 0 ? (size_t)more * fill->n : 0));
    const int64_t left = more <= 0 ? 0 : f->align == '>' ? more : f->align == '^' ? more / 2 : 0;
    const int64_t mid = more > 0 && f->align == '=' ? more : 0;
    ft_jsb_pad(&b, fill, left);
    if (sign)
        ft_jsb_putc(&b, sign);
    ft_jsb_putz(&b, prefix);
    ft_jsb_pad(&b, fill, mid);
    ft_jsb_put(&b, g.p, g.n);
    ft_jsb_put(&b, digits->p + whole, digits->n - whole);
    if (more > 0)
        ft_jsb_pad(&b, fill, more - left - mid);
    return ft_jsb_done(&b);
}

static struct jstr *format_float(struct jrt *rt, double x, struct spec *f)
{
    char type = f->type;
    int64_t prec = f->prec;
    bool dot = false, percent = false;
    if (!type) {
        dot = true;
        type = prec < 0 ? 'r' : 'g';
    } else if (type == 'n') {
        type = 'g';
    } else if (type == '%') {
        type = 'f';
        x *= 100;
        percent = true;
    }
    if (prec < 0 && type != 'r')
        prec = 6;
    bool neg = signbit(x) && !isnan(x);
    struct jstr *d = ft_jfloat_digits(rt, fabs(x), type, prec, f->alt, dot);
    if (f->z && neg && strspn(ft_str_z(&rt->arena, ft_jbytes(d)), "0.e+-") == d->n)
        neg = false;
    if (percent)
        d = ft_jstr_cat(rt, d, ft_jstr_ref(rt, "%", 1));
    return assemble(rt, f, neg, "", d);
}

static struct jstr *format_int(struct jrt *rt, struct jval v, struct spec *f)
{
    switch (f->type) {
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%': return format_float(rt, ft_jto_float(rt, v), f);
    case 0:
    case 'b':
    case 'c':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
    case 'n': break;
    default: bad_code(rt, f->type, v.tag == J_BOOL ? "bool" : "int");
    }
    if (f->prec >= 0)
        ft_jraise(rt, J_VALUE, "Precision not allowed in integer format specifier");
    if (f->z)
        ft_jraise(rt, J_VALUE, "Negative zero coercion (z) not allowed in format specifier with integer presentation type '%c'", f->type ? f->type : 'd');
    if (f->type == 'c') {
        char z[4];
        const int64_t c = ft_jindex(rt, v);
        if (f->sign)
            ft_jraise(rt, J_VALUE, "Sign not allowed with integer format specifier 'c'");
        if (f->alt)
            ft_jraise(rt, J_VALUE, "Alternate form (#) not allowed with integer format specifier 'c'");
        if (v.tag == J_BIG)
            ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C long");
        if (c < 0 || c > 0x10ffff)
            ft_jraise(rt, J_OVERFLOW, "%%c arg not in range(0x110000)");
        if (c >= 0xd800 && c < 0xe000)
            ft_jraise(rt, J_LIMIT, "surrogates are not supported");
        struct jstr *s = ft_jstr_copy(rt, z, 0);
        s = ft_jstr_copy(rt, z, (size_t)ft_utf8_put(z, (uint32_t)c));
        struct spec g = *f;
        g.type = 0;
        return assemble(rt, &g, false, "", s);
    }
    const int base = f->type == 'b' ? 2 : f->type == 'o' ? 8 : f->type == 'x' || f->type == 'X' ? 16 : 10;
    const bool neg = ft_jbig_negative(v);
    struct jstr *d = ft_jbig_text(rt, v, base);
    if (neg)
        d = ft_jstr_cut(rt, d, 1, d->n - 1, false);
    if (f->type == 'X')
        d = ft_jstr_case(rt, d, J_CASE_UPPER);
    const char *prefix = !f->alt ? "" : base == 2 ? "0b" : base == 8 ? "0o" : f->type == 'x' ? "0x" : f->type == 'X' ? "0X" : "";
    return assemble(rt, f, neg, prefix, d);
}

struct jstr *ft_jformat_value(struct jrt *rt, struct jval v, struct jstr *spec)
{
    if (v.tag == J_STR)
        return format_str(rt, v.s, spec);
    if (!spec->n)
        return ft_jstr_of(rt, v);
    if (ft_jis_num(v)) {
        const char *type = v.tag == J_FLOAT ? "float" : v.tag == J_BOOL ? "bool" : "int";
        struct spec f = parse_spec(rt, spec, type, '>');
        if (v.tag != J_FLOAT)
            return format_int(rt, v, &f);
        if (f.type && !strchr("eEfFgGn%", f.type))
            bad_code(rt, f.type, "float");
        return format_float(rt, v.f, &f);
    }
    ft_jraise(rt, J_TYPE, "unsupported format string passed to %s.__format__", ft_jtype(v));
}
