/* jurlize.c -- the filter urlize: addresses in a text become links.
 *
 * The rules are those of jinja2.utils.urlize, whose regular expressions are matched here
 * by hand: they allow one reading only, for what ends a host (":/?#") is in no label.
 */
#include "templates/jfilter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

static inline bool given(struct jval v) { return v.tag != J_MISSING && v.tag != J_NONE; }

/* ---- re, with IGNORECASE ---- */

static bool is_word(uint32_t c) { return c == '_' || ft_juni_is(c, J_ALNUM); }

/* Does code point c match the small letter x? Beyond ASCII as Python's re has it. */
static bool is_letter(uint32_t c, char x)
{
    return c == (uint32_t)x || c == (uint32_t)(x - 32) || (x == 'i' && (c == 0x130 || c == 0x131)) || (x == 's' && c == 0x17f) ||
           (x == 'k' && c == 0x212a);
}

static bool is_any_letter(uint32_t c)
{
    return (c < 128 && (c | 32) >= 'a' && (c | 32) <= 'z') || c == 0x130 || c == 0x131 || c == 0x17f || c == 0x212a;
}

/* Bytes of s that match the lower-case word, 0 for none. */
static size_t match_word(struct ft_str s, const char *word)
{
    size_t at = 0;
    for (; *word; word++) {
        int len;
        if (at >= s.n)
            return 0;
        const uint32_t c = ft_utf8_get(s.p + at, &len);
        if (!(*word >= 'a' && *word <= 'z' ? is_letter(c, *word) : c == (uint32_t)*word))
            return 0;
        at += (size_t)len;
    }
    return at;
}

static struct ft_str behind(struct ft_str s, size_t n) { return (struct ft_str){s.p + n, s.n - n}; }

enum { LABEL = 1, WORD_OR_PERCENT, LETTERS, DIGITS };

/* Are lo to hi code points of this kind all of s? */
static bool all(struct ft_str s, int kind, size_t lo, size_t hi)
{
    size_t n = 0;
    for (size_t at = 0; at < s.n; n++) {
        int len;
        const uint32_t c = ft_utf8_get(s.p + at, &len);
        if (n == hi || !(kind == LETTERS  ? is_any_letter(c)
                         : kind == DIGITS ? ft_juni_is(c, J_DECIMAL)
                                          : is_word(c) || c == '%' || (kind == LABEL && c == '-')))
            return false;
        at += (size_t)len;
    }
    return n >= lo;
}

/* The last label of a host; the others, each with its dot, in *front. */
static struct ft_str last_label(struct ft_str host, struct ft_str *front)
{
    size_t at = host.n;
    while (at && host.p[at - 1] != '.')
        at--;
    *front = (struct ft_str){host.p, at};
    return behind(host, at);
}

static bool all_labels(struct ft_str s, size_t lo, size_t hi)
{
    while (s.n) {
        const char *dot = memchr(s.p, '.', s.n);
        if (!dot || !all((struct ft_str){s.p, (size_t)(dot - s.p)}, LABEL, lo, hi))
            return false;
        s = behind(s, (size_t)(dot - s.p) + 1);
    }
    return true;
}

static bool is_ip4(struct ft_str host)
{
    for (int i = 0; i < 4; i++) {
        const char *dot = i < 3 ? memchr(host.p, '.', host.n) : host.p + host.n;
        if (!dot || !all((struct ft_str){host.p, (size_t)(dot - host.p)}, DIGITS, 1, 3))
            return false;
        host = behind(host, (size_t)(dot - host.p) + (i < 3));
    }
    return host.n == 0;
}

static size_t hex(struct ft_str s)
{
    size_t n = 0;
    while (n < 4 && n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || ((s.p[n] | 32) >= 'a' && (s.p[n] | 32) <= 'f')))
        n++;
    return n;
}

/* [..] of two groups with a colon and one to six that may have one; 0 for none. */
static size_t ip6(struct ft_str s)
{
    size_t at = 1;
    if (!s.n || s.p[0] != '[')
        return 0;
    for (int i = 0; i < 8 && (i < 3 || (at < s.n && s.p[at] != ']')); i++) {
        at += hex(behind(s, at));
        if (at < s.n && s.p[at] == ':')
            at++;
        else if (i < 2)
            return 0;
    }
    return at < s.n && s.p[at] == ']' ? at + 1 : 0;
}

/* (?::\d{1,5})?(?:[/?#]\S*)?$ */
static bool is_rest(struct ft_str s)
{
    if (s.n && *s.p == ':') {
        size_t end = 1;
        while (end < s.n && !strchr("/?#", s.p[end]))
            end++;
        if (!all((struct ft_str){s.p + 1, end - 1}, DIGITS, 1, 5))
            return false;
        s = behind(s, end);
    }
    return !s.n || strchr("/?#", *s.p);
}

static bool is_url(struct ft_str s)
{
    static const char *const domains[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
    size_t scheme = match_word(s, "https://"), host = 0;
    struct ft_str front, last;
    scheme = scheme ? scheme : match_word(s, "http://");
    const size_t lead = scheme ? scheme : match_word(s, "www.");
    const struct ft_str rest = behind(s, lead);
    while (host < rest.n && !strchr(":/?#", rest.p[host]))
        host++;
    if (lead && is_rest(behind(rest, host))) {
        last = last_label((struct ft_str){rest.p, host}, &front);
        const size_t xn = match_word(last, "xn--");
        if (all_labels(front, 1, SIZE_MAX) && (all(last, LETTERS, 2, 63) || (xn && all(behind(last, xn), WORD_OR_PERCENT, 2, 59))))
            return true;
        if (scheme && is_ip4((struct ft_str){rest.p, host}))
            return true;
    }
    const size_t six = scheme ? ip6(rest) : 0;
    if (six && is_rest(behind(rest, six)))
        return true;
    host = 0;
    while (host < s.n && !strchr(":/?#", s.p[host]))
        host++;
    last = last_label((struct ft_str){s.p, host}, &front);
    if (!front.n || !all_labels(front, 2, 63) || !is_rest(behind(s, host)))
        return false;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (last.n && match_word(last, domains[i]) == last.n)
            return true;
    return false;
}

/* \S+@\w[\w.-]*\.\w+$ */
static bool is_email(struct ft_str s)
{
    const char *sign = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (!sign || sign == s.p)
        return false;
    const struct ft_str host = behind(s, (size_t)(sign - s.p) + 1);
    struct ft_str front;
    const struct ft_str last = last_label(host, &front);
    if (front.n < 2 || !last.n)
        return false;
    for (size_t at = 0; at < host.n;) {
        int len;
        const uint32_t c = ft_utf8_get(host.p + at, &len);
        if (!is_word(c) && !(at && at < front.n && (c == '.' || c == '-')))
            return false;
        at += (size_t)len;
    }
    return true;
}

/* [\w.+-]{2,}:/{0,2} */
static bool is_scheme(struct ft_str s)
{
    int slashes = 0, n = 0;
    while (s.n && s.p[s.n - 1] == '/' && slashes < 2)
        s.n--, slashes++;
    if (!s.n || s.p[s.n - 1] != ':')
        return false;
    s.n--;
    for (size_t at = 0; at < s.n; n++) {
        int len;
        const uint32_t c = ft_utf8_get(s.p + at, &len);
        if (!is_word(c) && c != '.' && c != '+' && c != '-')
            return false;
        at += (size_t)len;
    }
    return n >= 2;
}

/* ---- words ---- */

static bool starts(struct ft_str s, const char *z) { return ft_str_starts(s, ft_strz(z)); }
static bool ends(struct ft_str s, const char *z)
{
    const size_t n = strlen(z);
    return s.n >= n && !memcmp(s.p + s.n - n, z, n);
}

static size_t count(struct ft_str s, const char *z)
{
    const size_t k = strlen(z);
    size_t n = 0;
    for (const char *p = s.p, *q; (q = memmem(p, (size_t)(s.p + s.n - p), z, k)); p = q + k)
        n++;
    return n;
}

/* Cuts word into what stands before an address, the address, and what stands behind. */
static struct ft_str middle_of(struct ft_str word)
{
    static const char *const pairs[][2] = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
    struct ft_str m = word;
    while (m.n && (*m.p == '(' || *m.p == '<' || starts(m, "&lt;")))
        m = behind(m, *m.p == '&' ? 4 : 1);
    const char *const stop = m.p + m.n;
    while (m.n && (strchr(")>.,", m.p[m.n - 1]) || ends(m, "&gt;")))
        m.n -= m.p[m.n - 1] == ';' ? 4 : 1;
    for (int k = 0; k < 3; k++) {
        const char *close = pairs[k][1];
        const size_t open = count(m, pairs[k][0]);
        if (open <= count(m, close))
            continue;
        struct ft_str tail = {m.p + m.n, (size_t)(stop - m.p) - m.n};
        const size_t there = count(tail, close);
        for (size_t i = 0; i < open && i < there; i++) {
            const char *at = memmem(tail.p, tail.n, close, strlen(close));
            m.n = (size_t)(at - m.p) + strlen(close);
            tail = (struct ft_str){m.p + m.n, (size_t)(stop - m.p) - m.n};
        }
    }
    return m;
}

struct link {
    struct jstr *attributes; /* rel and target */
    struct jval limit, schemes;
};

static void put_link(struct jsb *b, const struct link *l, const char *before, struct jval url, struct jval shown, bool bare)
{
    ft_jsb_putz(b, "<a href=\"");
    ft_jsb_putz(b, before);
    ft_jsb_str(b, url.s);
    ft_jsb_putc(b, '"');
    if (!bare)
        ft_jsb_str(b, l->attributes);
    ft_jsb_putc(b, '>');
    if (!bare && given(l->limit) && ft_jcompare(b->rt, ft_jint(ft_jlen(b->rt, shown)), l->limit, J_GT)) {
        const struct jslice cut = {ft_jnone(), l->limit, ft_jnone()};
        ft_jsb_str(b, ft_jgetslice(b->rt, shown, &cut).s);
        ft_jsb_putz(b, "...");
    } else {
        ft_jsb_str(b, shown.s);
    }
    ft_jsb_putz(b, "</a>");
}

static void put_word(struct jsb *b, const struct link *l, const struct jstr *text, size_t at, size_t n)
{
    const struct ft_str word = {text->p + at, n}, m = middle_of(word);
    const size_t head = (size_t)(m.p - word.p);
    struct jval url = ft_jstrv(ft_jstr_cut(b->rt, text, at + head, m.n, false));
    ft_jsb_cut(b, text, at, head);
    if (is_url(m)) {
        put_link(b, l, starts(m, "https://") || starts(m, "http://") ? "" : "https://", url, url, false);
    } else if (starts(m, "mailto:") && is_email(behind(m, 7))) {
        put_link(b, l, "", url, ft_jstrv(ft_jstr_cut(b->rt, text, at + head + 7, m.n - 7, false)), true);
    } else if (!starts(m, "www.") && !starts(m, "@") && m.n && !memchr(m.p, ':', m.n) && is_email(m)) {
        put_link(b, l, "mailto:", url, url, true);
    } else {
        struct jval scheme;
        struct jiter *it = given(l->schemes) ? ft_jiter(b->rt, l->schemes) : NULL;
        const struct link plain = {.attributes = l->attributes, .limit = ft_jnone()};
        while (it && ft_jnext(b->rt, it, &scheme)) {
            if (ft_jstr_same(url.s, scheme.s) || !ft_str_starts(ft_jbytes(url.s), ft_jbytes(scheme.s)))
                continue;
            struct jsb link; /* a link may be linked again */
            ft_jsb_init(&link, b->rt, url.s->n + 64);
            put_link(&link, &plain, "", url, url, false);
            url = ft_jstrv(ft_jsb_done(&link));
        }
        ft_jsb_str(b, url.s);
    }
    ft_jsb_cut(b, text, at + head + m.n, n - head - m.n);
}

/* ' rel="noopener ..."', in order, each once. */
static void put_rel(struct jsb *b, struct jval rel, bool nofollow)
{
    struct jrt *rt = b->rt;
    struct jsb words;
    ft_jsb_init(&words, rt, 64);
    if (given(rel) && ft_jtrue(rt, rel)) {
        if (rel.tag != J_STR)
            ft_jraise(rt, "AttributeError", "'%s' object has no attribute 'split'", ft_jtype(rel));
        ft_jsb_str(&words, rel.s);
    }
    ft_jsb_putz(&words, nofollow ? " nofollow noopener" : " noopener");
    const struct jval all_of = ft_jstr_split(rt, ft_jsb_done(&words), NULL, -1, false);
    struct jval item;
    struct jiter *it = ft_jiter(rt, ft_jdo_sort(rt, ft_jdo_unique(rt, all_of, &(struct jargs){.n = 1, .v = &(struct jval){.tag = J_BOOL, .b = true}}),
                                                &(struct jargs){.n = 2, .v = (struct jval[]){ft_jbool(false), ft_jbool(true)}}));
    ft_jsb_putz(b, " rel=\"");
    for (bool first = true; ft_jnext(rt, it, &item); first = false) {
        if (!first)
            ft_jsb_putc(b, ' ');
        ft_jsb_str(b, ft_jstr_escape(rt, item.s));
    }
    ft_jsb_putc(b, '"');
}

J_FILTER(urlize)
{
    struct jval p[5], scheme;
    struct jsb b;
    ft_jbind(rt, "do_urlize", "trim_url_limit= nofollow= target= rel= extra_schemes=", 2, a, p);
    struct link l = {.limit = p[0], .schemes = p[4]};
    ft_jsb_init(&b, rt, 64);
    put_rel(&b, p[3], given(p[1]) && ft_jtrue(rt, p[1]));
    if (given(p[4])) {
        struct jiter *it = ft_jiter(rt, p[4]);
        while (ft_jnext(rt, it, &scheme)) {
            if (scheme.tag != J_STR)
                ft_jraise(rt, J_TYPE, "expected string or bytes-like object, got '%s'", ft_jtype(scheme));
            if (!is_scheme(ft_jbytes(scheme.s)))
                ft_jraise(rt, J_FILTERARG, "%s is not a valid URI scheme prefix.", ft_jrepr_z(rt, scheme));
        }
    }
    if (given(p[2]) && ft_jtrue(rt, p[2])) {
        ft_jsb_putz(&b, " target=\"");
        ft_jsb_str(&b, ft_jstr_escape(rt, ft_jsoft(rt, p[2])));
        ft_jsb_putc(&b, '"');
    }
    l.attributes = ft_jsb_done(&b);

    struct jstr *text = ft_jstr_escape(rt, ft_jsoft(rt, v));
    ft_jsb_init(&b, rt, text->n + 64);
    for (size_t at = 0; at < text->n;) {
        int len;
        size_t n = 0;
        while (at + n < text->n && !ft_jspace(ft_utf8_get(text->p + at + n, &len)))
            n += (size_t)len;
        ft_jstep(rt, n / 2 + 8);
        if (n)
            put_word(&b, &l, text, at, n);
        at += n;
        if (at == text->n)
            break;
        ft_utf8_get(text->p + at, &len);
        ft_jsb_cut(&b, text, at, (size_t)len);
        at += (size_t)len;
    }
    return ft_jstrv(ft_jstr_as(rt, ft_jsb_done(&b), rt->autoescape));
}
