/* jstrmeth.c -- the methods of str and Markup: their arguments, and what asks for kinds of characters. */
#include <stdio.h>

#include "templates/jattrs.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

/* ---- arguments ---- */

static struct jstr *str_arg(struct jrt *rt, const char *func, int i, struct jval v)
{
    if (v.tag == J_STR)
        return v.s;
    if (i)
        ft_jraise(rt, J_TYPE, "%s() argument %d must be str, not %s", func, i, ft_jarg_type(v));
    ft_jraise(rt, J_TYPE, "must be str, not %s", ft_jtype(v));
}

static int64_t index_arg(struct jrt *rt, struct jval v)
{
    if (!ft_jis_int(v))
        ft_jraise(rt, J_TYPE, "'%s' object cannot be interpreted as an integer", ft_jtype(v));
    if (v.tag == J_BIG)
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C ssize_t");
    return ft_jindex(rt, v);
}

static int64_t int_arg(struct jrt *rt, struct jval v)
{
    if (v.tag == J_BIG || (ft_jis_int(v) && ft_jindex(rt, v) != (int)ft_jindex(rt, v)))
        ft_jraise(rt, J_OVERFLOW, "Python int too large to convert to C int");
    return index_arg(rt, v);
}

/* Optional start and end in code points, as bytes of s. False when start lies
 * behind the end of s. */
static bool range_args(struct jrt *rt, struct jstr *s, const struct jargs *a, uint32_t at, size_t *lo, size_t *hi,
                       int64_t *start)
{
    const int64_t n = ft_jchars(s);
    int64_t i = 0, j = n;
    for (uint32_t k = at; k < at + 2 && k < a->n; k++) {
        if (a->v[k].tag == J_NONE)
            continue;
        if (!ft_jis_int(a->v[k]))
            ft_jraise(rt, J_TYPE, "slice indices must be integers or None or have an __index__ method");
        *(k == at ? &i : &j) = ft_jindex(rt, a->v[k]);
    }
    if (j > n)
        j = n;
    else if (j < 0 && (j += n) < 0)
        j = 0;
    if (i < 0 && (i += n) < 0)
        i = 0;
    *start = i;
    if (i > n || i > j)
        return false;
    *lo = ft_jstr_at(s, (size_t)i);
    *hi = ft_jstr_at(s, (size_t)j);
    return true;
}

/* A text and where it is sought: no keyword, and one to three arguments. */
static void one_to_three(struct jrt *rt, const char *name, const struct jargs *a)
{
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "%s() takes no keyword arguments", name);
    if (a->n < 1 || a->n > 3)
        ft_jraise(rt, J_TYPE, "%s() takes at %s argument%s (%u given)", name, a->n < 1 ? "least 1" : "most 3", a->n < 1 ? "" : "s", a->n);
}

static struct jval find_method(struct jrt *rt, struct jstr *s, int attr, const struct jargs *a)
{
    const char *name = attr == A_find ? "find" : attr == A_rfind ? "rfind" : attr == A_index ? "index" : attr == A_rindex ? "rindex" : "count";
    size_t lo, hi;
    int64_t start;
    one_to_three(rt, name, a);
    const bool in = range_args(rt, s, a, 1, &lo, &hi, &start);
    if (a->n > 1 && s->chars != s->n)
        ft_jstep(rt, s->n / 8);
    if (a->v[0].tag != J_STR)
        ft_jraise(rt, J_TYPE, "must be str, not %s", ft_jtype(a->v[0]));
    const struct jstr *sub = a->v[0].s;
    ft_jstep(rt, in ? (hi - lo) / 8 + 1 : 1);
    if (attr == A_count) {
        int64_t n = 0;
        if (!in)
            return ft_jint(0);
        if (!sub->n)
            return ft_jint((int64_t)ft_utf8_count(s->p + lo, hi - lo) + 1);
        for (const char *p = s->p + lo; (p = ft_jstr_find(rt, p, s->p + hi, sub, false)) != NULL; p += sub->n, n++)
            ft_jstep(rt, 1);
        return ft_jint(n);
    }
    const char *p = in ? ft_jstr_find(rt, s->p + lo, s->p + hi, sub, attr == A_rfind || attr == A_rindex) : NULL;
    if (p && s->chars == s->n)
        return ft_jint(p - s->p);
    if (p) {
        ft_jstep(rt, (size_t)(p - s->p) / 16);
        return ft_jint((int64_t)ft_utf8_count(s->p, (size_t)(p - s->p)));
    }
    if (attr == A_index || attr == A_rindex)
        ft_jraise(rt, J_VALUE, "substring not found");
    return ft_jint(-1);
}

static struct jval affix_method(struct jrt *rt, struct jstr *s, bool prefix, const struct jargs *a)
{
    const char *name = prefix ? "startswith" : "endswith";
    size_t lo, hi;
    int64_t start;
    one_to_three(rt, name, a);
    const bool in = range_args(rt, s, a, 1, &lo, &hi, &start);
    const struct jval *v = &a->v[0];
    uint32_t n = 1;
    if (v->tag == J_TUPLE) {
        const struct jseq *q = ft_jq(rt, *v);
        n = q->n;
        v = q->v;
    } else if (v->tag != J_STR) {
        ft_jraise(rt, J_TYPE, "%s first arg must be str or a tuple of str, not %s", name, ft_jtype(*v));
    }
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].tag != J_STR)
            ft_jraise(rt, J_TYPE, "tuple for %s must only contain str, not %s", name, ft_jtype(v[i]));
        const struct jstr *x = v[i].s;
        ft_jstep(rt, x->n / 64 + 1);
        if (in && x->n <= hi - lo && memcmp(s->p + (prefix ? lo : hi - x->n), x->p, x->n) == 0)
            return ft_jbool(true);
    }
    return ft_jbool(false);
}

/* fill: one code point; left and right: how many of it. */
static struct jstr *padded(struct jrt *rt, struct jstr *s, int64_t left, int64_t right, const struct jstr *fill)
{
    struct jsb b;
    if (left + right <= 0)
        return s;
    if (left + right > 1 << 28)
        ft_jlimit_memory(rt);
    ft_jsb_init(&b, rt, s->n + (size_t)(left + right) * fill->n);
    ft_jsb_pad(&b, fill, left);
    ft_jsb_str(&b, s);
    ft_jsb_pad(&b, fill, right);
    return ft_jsb_done(&b);
}

struct jstr *ft_jstr_pad(struct jrt *rt, struct jstr *s, int64_t width, char side, struct jstr *fill)
{
    const int64_t n = ft_jchars(s), marg = width - n;
    if (marg <= 0)
        return s;
    if (side == '<')
        return padded(rt, s, 0, marg, fill);
    if (side == '>')
        return padded(rt, s, marg, 0, fill);
    const int64_t left = marg / 2 + (marg & width & 1);
    return padded(rt, s, left, marg - left, fill);
}

static struct jval pad_method(struct jrt *rt, struct jstr *s, int attr, const struct jargs *a)
{
    const char *name = attr == A_center ? "center" : attr == A_ljust ? "ljust" : "rjust";
    if (a->nkw)
        ft_jraise(rt, J_TYPE, "str.%s() takes no keyword arguments", name);
    ft_jarity(rt, name, a, 1, 2);
    const int64_t width = index_arg(rt, a->v[0]);
    struct jstr *fill = ft_jstr_ref(rt, " ", 1);
    if (a->n > 1) {
        if (a->v[1].tag != J_STR && !s->markup)
            ft_jraise(rt, J_TYPE, "The fill character must be a unicode character, not %s", ft_jtype(a->v[1]));
        fill = s->markup ? ft_jstr_escape(rt, ft_jsoft(rt, a->v[1])) : a->v[1].s;
        if (ft_jchars(fill) != 1)
            ft_jraise(rt, J_TYPE, "The fill character must be exactly one character long");
    }
    return ft_jstrv(ft_jstr_pad(rt, s, width, attr == A_center ? '^' : attr == A_ljust ? '<' : '>', fill));
}

static struct jval partition(struct jrt *rt, struct jstr *s, bool last, const struct jargs *a)
{
    ft_jarity(rt, last ? "str.rpartition" : "str.partition", a, 1, 1);
    const struct jstr *sep = str_arg(rt, "", 0, a->v[0]);
    if (!sep->n)
        ft_jraise(rt, J_VALUE, "empty separator");
    struct jval *v = J_NEWS(rt, struct jval, 3);
    ft_jstep(rt, s->n / 16 + 1);
    const char *q = ft_jstr_find(rt, s->p, s->p + s->n, sep, last);
    const struct jval none = ft_jstrv(ft_jstr_as(rt, ft_jstr_ref(rt, "", 0), s->markup));
    if (!q) {
        v[0] = v[1] = v[2] = none;
        v[last ? 2 : 0] = ft_jstrv(s);
    } else {
        const size_t at = (size_t)(q - s->p);
        v[0] = ft_jstrv(ft_jstr_cut(rt, s, 0, at, true));
        v[1] = ft_jstrv(ft_jstr_as(rt, a->v[0].s, s->markup));
        v[2] = ft_jstrv(ft_jstr_cut(rt, s, at + sep->n, s->n - at - sep->n, true));
    }
    return ft_jtuple(rt, v, 3);
}

static struct jstr *expandtabs(struct jrt *rt, struct jstr *s, int64_t size)
{
    struct jsb b;
    int64_t col = 0;
    if (size > 1 << 20)
        ft_jlimit_memory(rt);
    ft_jsb_init(&b, rt, s->n);
    ft_jstep(rt, s->n / 4 + 1);
    for (size_t i = 0; i < s->n;) {
        int len;
        ft_utf8_get(s->p + i, &len);
        if (s->p[i] == '\t') {
            if (size > 0) {
                const int64_t n = size - col % size;
                const size_t at = b.n;
                ft_jsb_fill(&b, ' ', (size_t)n);
                ft_jsb_mark(&b, at, s, i);
                col += n;
            }
        } else {
            ft_jsb_cut(&b, s, i, (size_t)len);
            col = s->p[i] == '\n' || s->p[i] == '\r' ? 0 : col + 1;
        }
        i += (size_t)len;
    }
    return ft_jsb_done(&b);
}

static struct jstr *zfill(struct jrt *rt, struct jstr *s, int64_t width)
{
    const int64_t more = width - ft_jchars(s);
    if (more <= 0)
        return s;
    const bool sign = s->n && (s->p[0] == '+' || s->p[0] == '-');
    struct jstr *r = padded(rt, sign ? ft_jstr_cut(rt, s, 1, s->n - 1, false) : s, more, 0, ft_jstr_ref(rt, "0", 1));
    return sign ? ft_jstr_cat(rt, ft_jstr_cut(rt, s, 0, 1, false), r) : r;
}

/* ---- predicates ---- */

static bool all_are(const struct jstr *s, unsigned flags)
{
    for (size_t i = 0; i < s->n;) {
        int len;
        if (!ft_juni_is(ft_utf8_get(s->p + i, &len), flags))
            return false;
        i += (size_t)len;
    }
    return s->n > 0;
}

/* Some character of the wanted case, none of another. */
static bool all_cased(const struct jstr *s, unsigned want, unsigned other)
{
    bool cased = false;
    for (size_t i = 0; i < s->n;) {
        int len;
        const unsigned u = ft_juni(ft_utf8_get(s->p + i, &len));
        if (u & other)
            return false;
        cased |= (u & want) != 0;
        i += (size_t)len;
    }
    return cased;
}

bool ft_jstr_islower(const struct jstr *s) { return all_cased(s, J_LOWER, J_UPPER | J_TITLE); }
bool ft_jstr_isupper(const struct jstr *s) { return all_cased(s, J_UPPER, J_LOWER | J_TITLE); }

static bool istitle(const struct jstr *s)
{
    bool cased = false, before = false;
    for (size_t i = 0; i < s->n;) {
        int len;
        const unsigned u = ft_juni(ft_utf8_get(s->p + i, &len));
        if (u & (J_UPPER | J_TITLE)) {
            if (before)
                return false;
            before = cased = true;
        } else if (u & J_LOWER) {
            if (!before)
                return false;
            cased = true;
        } else {
            before = false;
        }
        i += (size_t)len;
    }
    return cased;
}

static bool isidentifier(const struct jstr *s)
{
    for (size_t i = 0; i < s->n;) {
        int len;
        if (!ft_juni_is(ft_utf8_get(s->p + i, &len), i ? J_CONTINUE : J_START))
            return false;
        i += (size_t)len;
    }
    return s->n > 0;
}

static struct jval predicate(struct jrt *rt, struct jstr *s, int attr, const struct jargs *a)
{
    static const struct {
        int attr;
        const char *name;
        unsigned flags;
    } simple[] = {{A_isalnum, "isalnum", J_ALNUM},       {A_isalpha, "isalpha", J_ALPHA},
                  {A_isdecimal, "isdecimal", J_DECIMAL}, {A_isdigit, "isdigit", J_DIGIT},
                  {A_isnumeric, "isnumeric", J_NUMERIC}, {A_isspace, "isspace", J_SPACE},
                  {A_islower, "islower", 0},             {A_isupper, "isupper", 0},
                  {A_istitle, "istitle", 0},             {A_isidentifier, "isidentifier", 0},
                  {A_isascii, "isascii", 0},             {A_isprintable, "isprintable", 0}};
    ft_jstep(rt, s->n / 8 + 1);
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (simple[i].attr != attr)
            continue;
        char name[32];
        snprintf(name, sizeof name, "%s.%s", s->markup ? "Markup" : "str", simple[i].name);
        ft_jarity(rt, name, a, 0, 0);
        switch (attr) {
        case A_islower: return ft_jbool(ft_jstr_islower(s));
        case A_isupper: return ft_jbool(ft_jstr_isupper(s));
        case A_istitle: return ft_jbool(istitle(s));
        case A_isidentifier: return ft_jbool(isidentifier(s));
        case A_isascii: return ft_jbool(ft_jchars(s) == s->n);
        case A_isprintable: return ft_jbool(!s->n || all_are(s, J_PRINTABLE));
        default: return ft_jbool(all_are(s, simple[i].flags));
        }
    }
    return (struct jval){0};
}

/* ---- dispatch ---- */

/* Built-in methods with keywords word their errors in their own way. */
static void bind_method(struct jrt *rt, const char *func, const char *params, uint32_t most, const struct jargs *a,
                        struct jval *out)
{
    if (a->n + a->nkw > most)
        ft_jraise(rt, J_TYPE, "%s() takes at most %u %sargument%s (%u given)", func, most, a->n ? "" : "keyword ", most == 1 ? "" : "s",
                  a->n + a->nkw);
    for (uint32_t k = 0; k < a->nkw; k++) {
        const struct jstr *name = a->kw[k].name;
        const char *at = memmem(params, strlen(params), name->p, name->n);
        if (!at || !name->n || (at != params && at[-1] != ' ') || at[name->n] != '=')
            ft_jraise(rt, J_TYPE, "'%.*s' is an invalid keyword argument for %s()", (int)name->n, name->p, func);
    }
    ft_jbind(rt, func, params, 0, a, out);
}

static struct jval split_method(struct jrt *rt, struct jstr *s, int attr, const struct jargs *a)
{
    struct jval v[2];
    bind_method(rt, attr == A_split ? "split" : "rsplit", "sep= maxsplit=", 2, a, v);
    const int64_t most = v[1].tag == J_MISSING ? -1 : index_arg(rt, v[1]);
    if (v[0].tag != J_MISSING && v[0].tag != J_NONE && v[0].tag != J_STR)
        ft_jraise(rt, J_TYPE, "must be str or None, not %s", ft_jtype(v[0]));
    return ft_jstr_split(rt, s, v[0].tag == J_STR ? v[0].s : NULL, most, attr == A_rsplit);
}

/* What Markup's methods return: Markup again. */
static struct jval markup(struct jrt *rt, struct jval v)
{
    if (v.tag == J_STR)
        return ft_jstrv(ft_jstr_as(rt, v.s, true));
    if (v.tag == J_LIST || v.tag == J_TUPLE)
        for (uint32_t i = 0; i < ft_jq(rt, v)->n; i++)
            ft_jq(rt, v)->v[i] = markup(rt, ft_jq(rt, v)->v[i]);
    return v;
}

static struct jval method(struct jrt *rt, struct jstr *s, int attr, const struct jargs *a)
{
    struct jval v;
    switch (attr) {
    case A_strip:
    case A_lstrip:
    case A_rstrip: {
        const char *name = attr == A_strip ? "strip" : attr == A_lstrip ? "lstrip" : "rstrip";
        if (a->nkw)
            ft_jraise(rt, J_TYPE, "str.%s() takes no keyword arguments", name);
        ft_jarity(rt, name, a, 0, 1);
        if (a->n && a->v[0].tag != J_NONE && a->v[0].tag != J_STR)
            ft_jraise(rt, J_TYPE, "%s arg must be None or str", name);
        return ft_jstrv(ft_jstr_strip(rt, s, a->n && a->v[0].tag == J_STR ? a->v[0].s : NULL,
                                      attr == A_strip ? 3 : attr == A_lstrip ? 1 : 2));
    }
    case A_split:
    case A_rsplit: return split_method(rt, s, attr, a);
    case A_startswith: return affix_method(rt, s, true, a);
    case A_endswith: return affix_method(rt, s, false, a);
    case A_replace: {
        if (a->nkw)
            ft_jraise(rt, J_TYPE, "str.replace() takes no keyword arguments");
        ft_jarity(rt, "replace", a, 2, 3);
        struct jstr *old = str_arg(rt, "replace", 1, a->v[0]);
        struct jstr *new = s->markup ? ft_jstr_escape(rt, ft_jsoft(rt, a->v[1])) : str_arg(rt, "replace", 2, a->v[1]);
        return ft_jstrv(ft_jstr_replace(rt, s, old, new, a->n > 2 ? index_arg(rt, a->v[2]) : -1));
    }
    case A_lower: ft_jarity(rt, "str.lower", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_LOWER));
    case A_upper: ft_jarity(rt, "str.upper", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_UPPER));
    case A_title: ft_jarity(rt, "str.title", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_TITLE));
    case A_capitalize: ft_jarity(rt, "str.capitalize", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_CAPITALIZE));
    case A_swapcase: ft_jarity(rt, "str.swapcase", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_SWAP));
    case A_casefold: ft_jarity(rt, "str.casefold", a, 0, 0); return ft_jstrv(ft_jstr_case(rt, s, J_CASE_FOLD));
    case A_find:
    case A_rfind:
    case A_index:
    case A_rindex:
    case A_count: return find_method(rt, s, attr, a);
    case A_join: {
        ft_jarity(rt, "str.join", a, 1, 1);
        if (!ft_jiterable(a->v[0]))
            ft_jraise(rt, J_TYPE, s->markup ? "'%s' object is not iterable" : "can only join an iterable", ft_jtype(a->v[0]));
        const struct jvec items = ft_jcollect(rt, a->v[0]);
        for (size_t i = 0; i < items.n && !s->markup; i++)
            if (items.v[i].tag != J_STR)
                ft_jraise(rt, J_TYPE, "sequence item %zu: expected str instance, %s found", i, ft_jtype(items.v[i]));
        if (!s->markup && items.n == 1)
            return items.v[0]; /* CPython returns the item itself: a Markup stays one */
        return ft_jstrv(ft_jstr_join(rt, s, items.v, items.n, s->markup));
    }
    case A_splitlines:
        bind_method(rt, "splitlines", "keepends=", 1, a, &v);
        return ft_jstr_lines(rt, s, v.tag != J_MISSING && index_arg(rt, v));
    case A_partition: return partition(rt, s, false, a);
    case A_rpartition: return partition(rt, s, true, a);
    case A_center:
    case A_ljust:
    case A_rjust: return pad_method(rt, s, attr, a);
    case A_zfill: ft_jarity(rt, "str.zfill", a, 1, 1); return ft_jstrv(zfill(rt, s, index_arg(rt, a->v[0])));
    case A_expandtabs:
        bind_method(rt, "expandtabs", "tabsize=", 1, a, &v);
        return ft_jstrv(expandtabs(rt, s, v.tag == J_MISSING ? 8 : int_arg(rt, v)));
    case A_removeprefix:
    case A_removesuffix: {
        ft_jarity(rt, attr == A_removeprefix ? "str.removeprefix" : "str.removesuffix", a, 1, 1);
        if (a->v[0].tag != J_STR)
            ft_jraise(rt, J_TYPE, "%s() argument must be str, not %s", attr == A_removeprefix ? "removeprefix" : "removesuffix",
                      ft_jarg_type(a->v[0]));
        const struct jstr *x = a->v[0].s;
        ft_jstep(rt, x->n / 64 + 1);
        if (!x->n || x->n > s->n || memcmp(attr == A_removeprefix ? s->p : s->p + s->n - x->n, x->p, x->n) != 0)
            return ft_jstrv(s);
        return ft_jstrv(ft_jstr_cut(rt, s, attr == A_removeprefix ? x->n : 0, s->n - x->n, false));
    }
    case A_translate: ft_jarity(rt, "str.translate", a, 1, 1); return ft_jstrv(ft_jstr_translate(rt, s, a->v[0]));
    case A_encode: ft_jraise(rt, J_LIMIT, "the method 'encode' of 'str' objects is not supported: there are no bytes here");
    default: return predicate(rt, s, attr, a);
    }
}

struct jval ft_jstr_method(struct jrt *rt, struct jval self, int attr, const struct jargs *a)
{
    struct jstr *s = self.s;
    if (attr == A_format)
        return ft_jformat(rt, s, a);
    if (attr == A_maketrans)
        return ft_jstr_maketrans(rt, a);
    if (attr == A_format_map) {
        if (a->nkw)
            ft_jraise(rt, J_TYPE, "format_map() takes no keyword arguments");
        if (a->n != 1)
            ft_jraise(rt, J_TYPE, "format_map() takes exactly one argument (%u given)", a->n);
        return ft_jformat_map(rt, s, a->v[0]);
    }
    struct jval room[3];
    struct jargs bound;
    if (s->markup && ft_jmarkup_bind(rt, attr, a, room, &bound))
        a = &bound;
    if (s->markup && attr == A_escape)
        return ft_jstrv(ft_jstr_escape(rt, ft_jsoft(rt, a->v[0])));
    if (s->markup && (attr == A_striptags || attr == A_unescape))
        return ft_jstrv(attr == A_striptags ? ft_jstriptags(rt, s) : ft_jhtml_unescape(rt, s));
    const struct jval v = method(rt, s, attr, a);
    if (v.tag == J_MISSING)
        ft_jraise(rt, J_LIMIT, "this method of 'str' objects is not supported");
    if (s->markup)
        return markup(rt, v);
    /* a str method never returns Markup, whatever its arguments; join of one item does */
    return v;
}
