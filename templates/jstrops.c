/* jstrops.c -- texts stripped, cased, searched, cut and joined. */
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

/* ---- stripping ---- */

struct set {
    const struct jstr *s; /* NULL: white space */
    uint64_t ascii[2];    /* its ASCII characters, a bit each */
};

static bool in_set(struct jrt *rt, const struct set *t, uint32_t c)
{
    if (!t->s)
        return ft_jspace(c);
    if (c < 0x80)
        return t->ascii[c >> 6] >> (c & 63) & 1;
    const char *p = t->s->p, *end = p + t->s->n;
    ft_jstep(rt, t->s->n / 8);
    while (p < end) {
        int len;
        if (ft_utf8_get(p, &len) == c)
            return true;
        p += len;
    }
    return false;
}

struct jstr *ft_jstr_strip(struct jrt *rt, struct jstr *s, const struct jstr *set, int sides)
{
    const char *p = s->p, *end = s->p + s->n;
    struct set t = {.s = set};
    int len;
    ft_jstep(rt, (set ? set->n : 0) / 8 + 1);
    for (uint32_t i = 0; set && i < set->n; i++) {
        const unsigned char c = (unsigned char)set->p[i];
        if (c < 0x80)
            t.ascii[c >> 6] |= (uint64_t)1 << (c & 63);
    }
    if (sides & 1)
        while (p < end && in_set(rt, &t, ft_utf8_get(p, &len)))
            p += len;
    if (sides & 2)
        while (end > p && in_set(rt, &t, ft_jback(p, end, &len)))
            end -= len;
    ft_jstep(rt, (s->n - (size_t)(end - p)) / 8);
    if ((size_t)(end - p) == s->n)
        return s;
    return ft_jstr_cut(rt, s, (size_t)(p - s->p), (size_t)(end - p), true);
}

/* ---- case ---- */

/* The small final sigma, by the rule of CPython's handle_capital_sigma. */
static uint32_t sigma(const struct jstr *s, size_t at)
{
    const char *p = s->p + at, *end = s->p + s->n;
    int len = 0;
    bool final = false;
    for (const char *q = p; q > s->p;) {
        const uint32_t c = ft_jback(s->p, q, &len);
        q -= len;
        if (ft_juni_is(c, J_IGNORABLE))
            continue;
        final = ft_juni_is(c, J_CASED);
        break;
    }
    if (final) {
        ft_utf8_get(p, &len);
        for (const char *q = p + len; q < end;) {
            const uint32_t c = ft_utf8_get(q, &len);
            q += len;
            if (ft_juni_is(c, J_IGNORABLE))
                continue;
            final = !ft_juni_is(c, J_CASED);
            break;
        }
    }
    return final ? 0x3c2 : 0x3c3;
}

struct jstr *ft_jstr_case(struct jrt *rt, struct jstr *s, enum jstr_case how)
{
    struct jsb b;
    size_t i = 0;
    bool cased = false, same = true, first = true;
    ft_jsb_init(&b, rt, s->n);
    ft_jstep(rt, s->n / 2 + 4);
    while (i < s->n) {
        int len;
        const uint32_t c = ft_utf8_get(s->p + i, &len);
        enum jcase to = J_TO_LOWER;
        switch (how) {
        case J_CASE_UPPER: to = J_TO_UPPER; break;
        case J_CASE_LOWER: to = J_TO_LOWER; break;
        case J_CASE_FOLD: to = J_TO_FOLD; break;
        case J_CASE_TITLE: to = cased ? J_TO_LOWER : J_TO_TITLE; break;
        case J_CASE_CAPITALIZE: to = first ? J_TO_TITLE : J_TO_LOWER; break;
        case J_CASE_SWAP: to = ft_juni_is(c, J_UPPER) ? J_TO_LOWER : J_TO_UPPER; break;
        }
        uint32_t out[3];
        int n = 1;
        if (how == J_CASE_SWAP && !ft_juni_is(c, J_UPPER | J_LOWER))
            out[0] = c;
        else if (c == 0x3a3 && to == J_TO_LOWER)
            out[0] = sigma(s, i);
        else
            n = ft_juni_map(c, to, out);
        if (n == 1 && out[0] == c) {
            ft_jsb_cut(&b, s, i, (size_t)len);
        } else {
            const size_t at = b.n;
            for (int k = 0; k < n; k++)
                ft_jsb_cp(&b, out[k]);
            ft_jsb_mark(&b, at, s, i);
            same = false;
        }
        cased = ft_juni_is(c, J_CASED);
        first = false;
        i += (size_t)len;
    }
    return same ? s : ft_jstr_as(rt, ft_jsb_done(&b), s->markup);
}

/* ---- searching ---- */

const char *ft_jstr_find(struct jrt *rt, const char *p, const char *end, const struct jstr *sub, bool last)
{
    const size_t n = (size_t)(end - p);
    if (sub->n > n)
        return NULL;
    if (!last)
        return sub->n ? memmem(p, n, sub->p, sub->n) : p;
    for (const char *q = end - sub->n; q >= p; q--) {
        if (!sub->n || (*q == *sub->p && memcmp(q, sub->p, sub->n) == 0))
            return q;
        if (*q == *sub->p)
            ft_jstep(rt, sub->n / 64);
    }
    return NULL;
}

struct jstr *ft_jstr_replace(struct jrt *rt, struct jstr *s, const struct jstr *old, const struct jstr *new, int64_t count)
{
    struct jsb b;
    size_t from = 0;
    if (count < 0)
        count = INT64_MAX;
    ft_jstep(rt, s->n / 8 + 1);
    if (!count || (old->n && !ft_jstr_find(rt, s->p, s->p + s->n, old, false)))
        return s;
    ft_jsb_init(&b, rt, s->n + new->n);
    if (!old->n) {
        /* between all characters and at both ends */
        size_t i = 0;
        for (; count > 0; count--) {
            int len = 1;
            ft_jstep(rt, new->n / 64 + 1);
            ft_jsb_str(&b, new);
            if (i == s->n)
                break;
            ft_utf8_get(s->p + i, &len);
            ft_jsb_cut(&b, s, i, (size_t)len);
            i += (size_t)len;
        }
        if (i < s->n)
            ft_jsb_cut(&b, s, i, s->n - i);
        return ft_jsb_done(&b);
    }
    for (; count > 0; count--) {
        const char *q = ft_jstr_find(rt, s->p + from, s->p + s->n, old, false);
        if (!q)
            break;
        ft_jstep(rt, new->n / 64 + 1);
        ft_jsb_cut(&b, s, from, (size_t)(q - s->p) - from);
        ft_jsb_str(&b, new);
        from = (size_t)(q - s->p) + old->n;
    }
    ft_jsb_cut(&b, s, from, s->n - from);
    return ft_jsb_done(&b);
}

static void put_cut(struct jrt *rt, struct jvec *v, struct jstr *s, const char *p, const char *end)
{
    ft_jstep(rt, 1);
    ft_jvec_put(rt, v, ft_jstrv(ft_jstr_cut(rt, s, (size_t)(p - s->p), (size_t)(end - p), true)));
}

struct jval ft_jstr_split(struct jrt *rt, struct jstr *s, const struct jstr *sep, int64_t max, bool right)
{
    struct jvec v = {0};
    const char *p = s->p, *end = s->p + s->n;
    int len;
    if (max < 0)
        max = INT64_MAX;
    if (sep && !sep->n)
        ft_jraise(rt, J_VALUE, "empty separator");
    ft_jstep(rt, s->n / 8 + 1);
    if (!right) {
        for (;;) {
            if (!sep)
                while (p < end && ft_jspace(ft_utf8_get(p, &len)))
                    p += len;
            if (!sep && p == end)
                break;
            const char *q = p;
            if (!max--) {
                q = NULL;
            } else if (sep) {
                q = ft_jstr_find(rt, p, end, sep, false);
            } else {
                while (q < end && !ft_jspace(ft_utf8_get(q, &len)))
                    q += len;
            }
            if (!q) {
                put_cut(rt, &v, s, p, end);
                break;
            }
            put_cut(rt, &v, s, p, q);
            if (!sep && q == end)
                break;
            p = q + (sep ? sep->n : 0);
        }
    } else {
        for (;;) {
            if (!sep)
                while (end > p && ft_jspace(ft_jback(p, end, &len)))
                    end -= len;
            if (!sep && p == end)
                break;
            const char *q = end;
            if (!max--) {
                q = NULL;
            } else if (sep) {
                q = ft_jstr_find(rt, p, end, sep, true);
            } else {
                while (q > p && !ft_jspace(ft_jback(p, q, &len)))
                    q -= len;
            }
            if (!q) {
                put_cut(rt, &v, s, p, end);
                break;
            }
            put_cut(rt, &v, s, q + (sep ? sep->n : 0), end);
            if (!sep && q == p)
                break;
            end = q;
        }
        for (size_t i = 0; i < v.n / 2; i++) {
            const struct jval t = v.v[i];
            v.v[i] = v.v[v.n - 1 - i];
            v.v[v.n - 1 - i] = t;
        }
    }
    return ft_jlist(rt, v.v, v.n);
}

struct jval ft_jstr_lines(struct jrt *rt, struct jstr *s, bool keep)
{
    struct jvec v = {0};
    const char *p = s->p, *end = s->p + s->n;
    ft_jstep(rt, s->n / 8 + 1);
    while (p < end) {
        const char *q = p;
        int len = 0;
        uint32_t c = 0;
        while (q < end && !ft_jbreak(c = ft_utf8_get(q, &len)))
            q += len;
        const char *next = q < end ? q + len : q;
        if (q < end && c == '\r' && next < end && *next == '\n')
            next++;
        put_cut(rt, &v, s, p, keep ? next : q);
        p = next;
    }
    return ft_jlist(rt, v.v, v.n);
}

struct jstr *ft_jstr_join(struct jrt *rt, const struct jstr *sep, const struct jval *v, size_t n, bool escape)
{
    struct jsb b;
    ft_jsb_init(&b, rt, 64);
    for (size_t i = 0; i < n; i++) {
        if (i)
            ft_jsb_str(&b, sep);
        if (escape)
            ft_jsb_str(&b, ft_jstr_escape(rt, ft_jsoft(rt, v[i])));
        else
            ft_jsb_str(&b, v[i].s);
        ft_jstep(rt, (i ? sep->n : 0) / 64 + 1);
    }
    return ft_jsb_done(&b);
}
