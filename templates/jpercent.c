/* jpercent.c -- printf-style formatting: str % args. */
#include <math.h>

#include "templates/jbig.h"
#include "templates/jformat.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

struct fmt {
    struct jrt *rt;
    struct jval args, cur;
    int64_t n, at; /* -1, -2: a single argument */
    bool markup;
};

static struct jval next_arg(struct fmt *f)
{
    if (f->at >= f->n)
        ft_jraise(f->rt, J_TYPE, "not enough arguments for format string");
    f->at++;
    return f->n < 0 ? f->cur : ft_jq(f->rt, f->cur)->v[f->at - 1];
}

static bool is_mapping(struct jval v)
{
    return v.tag == J_DICT || v.tag == J_LIST || v.tag == J_RANGE || v.tag == J_UNDEF;
}

static int64_t star(struct fmt *f)
{
    const struct jval v = next_arg(f);
    if (!ft_jis_int(v))
        ft_jraise(f->rt, J_TYPE, "* wants int");
    return ft_jindex(f->rt, v);
}

static struct jval to_int(struct fmt *f, struct jval v, char c)
{
    struct jrt *rt = f->rt;
    struct jval out;
    if (v.tag == J_BOOL)
        return ft_jint(v.b);
    if (ft_jis_int(v))
        return v;
    if (c == 'o' || c == 'x' || c == 'X')
        ft_jraise(rt, J_TYPE, "%%%c format: an integer is required, not %s", c, ft_jtype(v));
    if (v.tag == J_UNDEF)
        ft_jundef_raise(rt, v);
    if (v.tag == J_FLOAT) {
        if (isnan(v.f))
            ft_jraise(rt, J_VALUE, "cannot convert float NaN to integer");
        if (isinf(v.f))
            ft_jraise(rt, J_OVERFLOW, "cannot convert float infinity to integer");
        return ft_jbig_from_float(rt, v.f);
    }
    if (f->markup && v.tag == J_STR) { /* the wrapper's __int__ */
        if (ft_jparse_int(rt, v.s, 10, &out))
            return out;
        ft_jraise(rt, J_VALUE, "invalid literal for int() with base 10: %s", ft_jrepr_z(rt, v));
    }
    ft_jraise(rt, J_TYPE, "%%%c format: a real number is required, not %s", c, ft_jtype(v));
}

static double to_float(struct fmt *f, struct jval v)
{
    double x;
    if (ft_jis_num(v))
        return ft_jto_float(f->rt, v);
    if (v.tag == J_UNDEF)
        ft_jundef_raise(f->rt, v);
    if (f->markup && v.tag == J_STR) {
        if (ft_jparse_float(f->rt, v.s, &x))
            return x;
        ft_jraise(f->rt, J_VALUE, "could not convert string to float: %s", ft_jrepr_z(f->rt, v));
    }
    ft_jraise(f->rt, J_TYPE, "must be real number, not %s", ft_jtype(v));
}

struct spec {
    bool left, plus, space, alt, zero;
    int64_t width, prec; /* -1: not given */
};

/* sign, prefix and digits, or text, to a width */
static void put(struct fmt *f, struct jsb *b, const struct spec *x, char sign, const char *prefix,
                struct jstr *s, bool number)
{
    const int64_t fixed = (sign != 0) + (int64_t)strlen(prefix) + ft_jchars(s);
    int64_t more = x->width > fixed ? x->width - fixed : 0;
    if (more > 1 << 28)
        ft_jlimit_memory(f->rt);
    const bool zeros = x->zero && number;
    if (!x->left && !zeros)
        ft_jsb_fill(b, ' ', (size_t)more), more = 0;
    if (sign)
        ft_jsb_putc(b, sign);
    ft_jsb_putz(b, prefix);
    if (!x->left && zeros)
        ft_jsb_fill(b, '0', (size_t)more), more = 0;
    ft_jsb_str(b, s);
    ft_jsb_fill(b, ' ', (size_t)more);
}

struct jstr *ft_jascii(struct jrt *rt, struct jval v)
{
    /* ascii(v): repr with everything beyond ASCII escaped */
    struct jstr *r = ft_jrepr(rt, v);
    if (ft_jchars(r) == r->n)
        return r;
    struct jsb b;
    ft_jsb_init(&b, rt, r->n * 2);
    for (size_t i = 0; i < r->n;) {
        int len;
        const uint32_t c = ft_utf8_get(r->p + i, &len);
        if (c < 0x80)
            ft_jsb_cut(&b, r, i, 1);
        else
            ft_jsb_printf(&b, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        i += (size_t)len;
    }
    return ft_jsb_done(&b);
}

static void conversion(struct fmt *f, struct jsb *b, char c, struct spec x, struct jval v)
{
    struct jrt *rt = f->rt;
    switch (c) {
    case 's':
    case 'r':
    case 'a': {
        struct jstr *s = c == 's' ? ft_jsoft(rt, v) : c == 'r' ? ft_jrepr(rt, v) : ft_jascii(rt, v);
        if (f->markup)
            s = ft_jstr_escape(rt, s);
        if (x.prec >= 0 && x.prec < ft_jchars(s))
            s = ft_jstr_cut(rt, s, 0, ft_jstr_at(s, (size_t)x.prec), false);
        put(f, b, &x, 0, "", s, false);
        return;
    }
    case 'c': {
        struct jstr *s = NULL;
        char z[4];
        if (v.tag == J_STR && ft_jchars(v.s) == 1 && !f->markup) {
            s = v.s;
        } else if (ft_jis_int(v) && !f->markup) {
            const int64_t cp = ft_jindex(rt, v);
            if (cp < 0 || cp > 0x10ffff)
                ft_jraise(rt, J_OVERFLOW, "%%c arg not in range(0x110000)");
            if (cp >= 0xd800 && cp < 0xe000)
                ft_jraise(rt, J_LIMIT, "surrogates are not supported");
            s = ft_jstr_copy(rt, z, (size_t)ft_utf8_put(z, (uint32_t)cp));
        } else {
            ft_jraise(rt, J_TYPE, "%%c requires int or char");
        }
        put(f, b, &x, 0, "", s, false);
        return;
    }
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': {
        const struct jval i = to_int(f, v, c);
        const int base = c == 'o' ? 8 : c == 'x' || c == 'X' ? 16 : 10;
        const bool neg = ft_jbig_negative(i);
        struct jstr *s = ft_jbig_text(rt, i, base);
        if (neg)
            s = ft_jstr_cut(rt, s, 1, s->n - 1, false);
        if (c == 'X')
            s = ft_jstr_case(rt, s, J_CASE_UPPER);
        if (x.prec > s->n) {
            if (x.prec > 1 << 20)
                ft_jlimit_memory(rt);
            struct jsb z;
            ft_jsb_init(&z, rt, (size_t)x.prec);
            ft_jsb_fill(&z, '0', (size_t)x.prec - s->n);
            ft_jsb_str(&z, s);
            s = ft_jsb_done(&z);
        }
        put(f, b, &x, neg ? '-' : x.plus ? '+' : x.space ? ' ' : 0,
            !x.alt ? "" : c == 'o' ? "0o" : c == 'x' ? "0x" : c == 'X' ? "0X" : "", s, true);
        return;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
        const double d = to_float(f, v);
        const bool neg = signbit(d) && !isnan(d);
        struct jstr *s = ft_jfloat_digits(rt, fabs(d), c, x.prec < 0 ? 6 : x.prec, x.alt, false);
        put(f, b, &x, neg ? '-' : x.plus ? '+' : x.space ? ' ' : 0, "", s, true);
        return;
    }
    default: break;
    }
}

/* The argument is that of the key in brackets that begins at s[i]; gives where they end. */
static size_t named_arg(struct fmt *f, struct jstr *s, size_t i)
{
    struct jrt *rt = f->rt;
    const size_t from = i;
    if (!is_mapping(f->args))
        ft_jraise(rt, J_TYPE, "format requires a mapping");
    for (int depth = 1; i < s->n; i++) {
        depth += s->p[i] == '(';
        if (s->p[i] == ')' && !--depth)
            break;
    }
    if (i >= s->n)
        ft_jraise(rt, J_VALUE, "incomplete format key");
    const struct jval key = ft_jstrv(ft_jstr_cut(rt, s, from, i - from, false));
    if (f->args.tag == J_UNDEF)
        ft_jundef_raise(rt, f->args);
    if (f->args.tag != J_DICT)
        ft_jraise(rt, J_TYPE, "%s indices must be integers or slices, not str", ft_jtype(f->args));
    const struct jval *v = ft_jdict_get(rt, ft_jd(rt, f->args), key);
    if (!v)
        ft_jraise(rt, J_KEY, "%s", ft_jrepr_z(rt, key));
    f->cur = *v;
    f->n = -1;
    f->at = -2;
    return i + 1;
}

/* Digits of s from *i on, behind those of n. */
static int64_t digits_at(struct fmt *f, const struct jstr *s, size_t *i, int64_t n, const char *what)
{
    for (; *i < s->n && s->p[*i] >= '0' && s->p[*i] <= '9'; (*i)++) {
        n = (n < 0 ? 0 : n) * 10 + (s->p[*i] - '0');
        if (n > INT32_MAX)
            ft_jraise(f->rt, J_VALUE, "%s too big", what);
    }
    return n;
}

/* Flags, width and precision at s[i]; gives where they end. */
static size_t spec_at(struct fmt *f, const struct jstr *s, size_t i, struct spec *x)
{
    *x = (struct spec){.width = -1, .prec = -1};
    for (; i < s->n; i++) {
        const char c = s->p[i];
        if (c == '-')
            x->left = true;
        else if (c == '+')
            x->plus = true;
        else if (c == ' ')
            x->space = true;
        else if (c == '#')
            x->alt = true;
        else if (c == '0')
            x->zero = true;
        else
            break;
    }
    if (i < s->n && s->p[i] == '*') {
        x->width = star(f);
        if (x->width < 0) {
            x->left = true;
            x->width = -x->width;
        }
        i++;
    } else {
        x->width = digits_at(f, s, &i, -1, "width");
    }
    if (i < s->n && s->p[i] == '.') {
        if (++i < s->n && s->p[i] == '*') {
            x->prec = star(f);
            if (x->prec < 0)
                x->prec = 0;
            i++;
        } else {
            x->prec = digits_at(f, s, &i, 0, "precision");
        }
    }
    return i;
}

struct jval ft_jpercent(struct jrt *rt, struct jstr *s, struct jval args)
{
    struct fmt f = {.rt = rt, .args = args, .cur = args, .n = -1, .at = -2, .markup = s->markup};
    const bool mapping = is_mapping(args);
    struct jsb b;
    if (args.tag == J_TUPLE) {
        f.n = ft_jq(rt, args)->n;
        f.at = 0;
    }
    ft_jsb_init(&b, rt, s->n + 32);
    ft_jstep(rt, s->n / 64 + 1);
    size_t i = 0, count = 0; /* count: characters, for the message */
    while (i < s->n) {
        const char *p = memchr(s->p + i, '%', s->n - i);
        const size_t upto = p ? (size_t)(p - s->p) : s->n;
        ft_jsb_cut(&b, s, i, upto - i);
        if (!p)
            break;
        i = upto + 1;
        struct spec x;
        ft_jstep(rt, 1);
        if (i < s->n && s->p[i] == '(')
            i = named_arg(&f, s, i + 1);
        i = spec_at(&f, s, i, &x);
        if (i < s->n && (s->p[i] == 'h' || s->p[i] == 'l' || s->p[i] == 'L'))
            i++;
        if (i >= s->n)
            ft_jraise(rt, J_VALUE, "incomplete format");
        const char c = s->p[i];
        if (c == '%') {
            ft_jsb_putc(&b, '%');
            i++;
            continue;
        }
        const struct jval v = next_arg(&f);
        if (!strchr("srcadiuoxXeEfFgG", c) || !c) {
            int len;
            const uint32_t cp = ft_utf8_get(s->p + i, &len);
            count = ft_utf8_count(s->p, i);
            ft_jraise(rt, J_VALUE, "unsupported format character '%c' (0x%x) at index %zu", cp > 31 && cp < 127 ? (int)cp : '?', cp, count);
        }
        conversion(&f, &b, c, x, v);
        i++;
    }
    if (f.at < f.n && !mapping)
        ft_jraise(rt, J_TYPE, "not all arguments converted during string formatting");
    return ft_jstrv(ft_jstr_as(rt, ft_jsb_done(&b), s->markup));
}
