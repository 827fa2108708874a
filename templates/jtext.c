#include "templates/jtext.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "templates/jiter.h"

uint32_t ft_jchars_count(struct jstr *s)
{
    return s->chars = (uint32_t)ft_utf8_count(s->p, s->n);
}

uint32_t ft_jhash_bytes(const char *p, size_t n)
{
    uint64_t h = n * 0x9e3779b97f4a7c15u, w;
    for (; n >= 8; p += 8, n -= 8) {
        ft_jcopy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    w = 0;
    for (size_t i = 0; i < n; i++)
        w = w << 8 | (unsigned char)p[i];
    h = (h ^ w) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

static struct jstr *make(struct jrt *rt)
{
    struct jstr *s = J_NEW(rt, struct jstr);
    *s = (struct jstr){.chars = J_UNCOUNTED};
    return s;
}

struct jstr *ft_jstr_ref(struct jrt *rt, const char *p, size_t n)
{
    struct jstr *s = make(rt);
    s->p = n ? p : "";
    s->n = (uint32_t)n;
    return s;
}

struct jstr ft_jchar[128];
static char ascii_bytes[128];

static void init(void)
{
    ft_jattr_init();
    for (int i = 0; i < 128; i++) {
        ascii_bytes[i] = (char)i;
        ft_jchar[i] = (struct jstr){.p = &ascii_bytes[i], .n = 1, .chars = 1, .hash = ft_jhash_bytes(&ascii_bytes[i], 1)};
    }
}

void ft_jtext_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
}

struct jstr *ft_jstr_copy(struct jrt *rt, const char *p, size_t n)
{
    char *q = ft_jalloc(rt, n);
    if (n)
        ft_jcopy(q, p, n);
    return ft_jstr_ref(rt, q, n);
}

struct jstr *ft_jstr_z(struct jrt *rt, const char *z) { return ft_jstr_ref(rt, z, strlen(z)); }

struct jstr *ft_jstr_fmt(struct jrt *rt, const char *fmt, ...)
{
    va_list ap;
    char buf[512];
    va_start(ap, fmt);
    const int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    return ft_jstr_copy(rt, buf, n < (int)sizeof buf ? (size_t)n : sizeof buf - 1);
}

/* ---- origin ---- */

/* The first span of s that ends behind byte `at`, or nspans. */
static uint32_t span_at(const struct jstr *s, size_t at)
{
    uint32_t lo = 0, hi = s->nspans;
    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (s->spans[mid].end <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Origin of byte `at` of s: 0 for the template; *flags. */
static uint32_t origin_of(const struct jstr *s, size_t at, uint32_t *flags)
{
    *flags = s->flags;
    if (s->leaf != J_MIXED)
        return s->leaf;
    const uint32_t lo = span_at(s, at);
    if (lo < s->nspans && s->spans[lo].begin <= at) {
        *flags = s->spans[lo].flags;
        return s->spans[lo].leaf;
    }
    *flags = 0;
    return 0;
}

struct jstr *ft_jstr_cut(struct jrt *rt, const struct jstr *s, size_t at, size_t n, bool keep)
{
    struct jstr *r = make(rt);
    r->p = s->p + at;
    r->n = (uint32_t)n;
    if (s->chars == s->n)
        r->chars = r->n;
    r->markup = keep && s->markup;
    if (s->leaf != J_MIXED) {
        r->leaf = s->leaf;
        r->flags = s->flags;
        return r;
    }
    const uint32_t i = span_at(s, at);
    uint32_t k = 0;
    while (i + k < s->nspans && s->spans[i + k].begin < at + n)
        k++;
    if (!k)
        return r;
    ft_jstep(rt, k / 4);
    struct jspan *sp = J_NEWS(rt, struct jspan, k);
    for (uint32_t m = 0; m < k; m++) {
        const struct jspan *o = &s->spans[i + m];
        sp[m] = *o;
        sp[m].begin = o->begin < at ? 0 : o->begin - (uint32_t)at;
        sp[m].end = o->end > at + n ? (uint32_t)n : o->end - (uint32_t)at;
    }
    if (k == 1 && sp[0].begin == 0 && sp[0].end == n) {
        r->leaf = sp[0].leaf;
        r->flags = (uint8_t)sp[0].flags;
        return r;
    }
    r->leaf = J_MIXED;
    r->spans = sp;
    r->nspans = k;
    return r;
}

struct jstr *ft_jstr_as(struct jrt *rt, struct jstr *s, bool markup)
{
    if (s->markup == markup)
        return s;
    struct jstr *r = J_NEW(rt, struct jstr);
    *r = *s;
    r->markup = markup;
    return r;
}

/* Where the spans of a go when b is appended: behind a's when a made the last. */
static struct jspan *span_room(struct jrt *rt, const struct jstr *a, uint32_t na, uint32_t nb)
{
    if (a->leaf == J_MIXED && a->spans + a->nspans == rt->stail && rt->stail_end - rt->stail >= (ptrdiff_t)nb)
        return (struct jspan *)a->spans;
    const size_t need = (size_t)na + nb, cap = need * 2 + 8;
    ft_jstep(rt, na / 4);
    struct jspan *s = J_NEWS(rt, struct jspan, cap);
    if (a->leaf == J_MIXED)
        ft_jcopy(s, a->spans, a->nspans * sizeof *s);
    else if (na)
        s[0] = (struct jspan){0, a->n, a->leaf, a->flags};
    rt->stail = s + na;
    rt->stail_end = s + cap;
    return s;
}

struct jstr *ft_jstr_cat(struct jrt *rt, struct jstr *a, struct jstr *b)
{
    if (!b->n && !a->markup)
        return a;
    if (!a->n && !b->markup)
        return b;
    const size_t n = (size_t)a->n + b->n;
    if (n >= UINT32_MAX)
        ft_jlimit_memory(rt);
    ft_jstep(rt, b->n / 64 + 1);
    const char *p = a->p;
    if (a->p + a->n == rt->tail && (size_t)(rt->tail_end - rt->tail) >= b->n) {
        ft_jcopy(rt->tail, b->p, b->n);
        rt->tail += b->n;
    } else {
        if ((size_t)(rt->tail_end - rt->tail) < n) {
            const size_t cap = n < 512 ? 2048 : n * 2;
            rt->tail = ft_jalloc(rt, cap);
            rt->tail_end = rt->tail + cap;
        }
        ft_jstep(rt, a->n / 64);
        p = rt->tail;
        ft_jcopy(rt->tail, a->p, a->n);
        ft_jcopy(rt->tail + a->n, b->p, b->n);
        rt->tail += n;
    }
    struct jstr *r = make(rt);
    r->p = p;
    r->n = (uint32_t)n;
    if (a->chars != J_UNCOUNTED && b->chars != J_UNCOUNTED)
        r->chars = a->chars + b->chars;
    if (a->leaf == b->leaf && a->leaf != J_MIXED && a->flags == b->flags) {
        r->leaf = a->leaf;
        r->flags = a->flags;
        return r;
    }
    const uint32_t na = a->leaf == J_MIXED ? a->nspans : a->leaf && a->n, nb = b->leaf == J_MIXED ? b->nspans : b->leaf && b->n;
    struct jspan *s = span_room(rt, a, na, nb);
    r->leaf = J_MIXED;
    r->spans = s;
    r->nspans = na + nb;
    if (b->leaf != J_MIXED) {
        if (nb)
            s[na] = (struct jspan){a->n, (uint32_t)n, b->leaf, b->flags};
    } else {
        ft_jstep(rt, nb / 4);
        for (uint32_t i = 0; i < nb; i++) {
            s[na + i] = b->spans[i];
            s[na + i].begin += a->n;
            s[na + i].end += a->n;
        }
    }
    if (s + na == rt->stail)
        rt->stail += nb;
    return r;
}

struct jstr *ft_jstr_cat_all(struct jrt *rt, struct jstr **s, uint32_t n)
{
    struct jstr *r = s[0];
    for (uint32_t i = 1; i < n; i++)
        r = ft_jstr_cat(rt, r, s[i]);
    return r;
}

/* ---- positions ---- */

size_t ft_jstr_at(struct jstr *s, size_t i)
{
    if (ft_jchars(s) == s->n)
        return i;
    const char *p = s->p, *end = s->p + s->n;
    for (; i && p < end; i--) {
        p++;
        while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
            p++;
    }
    return (size_t)(p - s->p);
}

struct jstr *ft_jstr_slice(struct jrt *rt, struct jstr *s, int64_t start, int64_t step, int64_t count)
{
    if (count <= 0)
        return ft_jstr_ref(rt, "", 0);
    ft_jstep(rt, (size_t)count / 64 + 1);
    if (ft_jchars(s) != s->n) /* where the characters are is counted */
        ft_jstep(rt, (size_t)(step == 1 ? start + count : s->n) / 8);
    if (step == 1 || count == 1) {
        const size_t at = ft_jstr_at(s, (size_t)start);
        if (s->chars == s->n)
            return ft_jstr_cut(rt, s, at, (size_t)count, false);
        const char *p = s->p + at, *end = s->p + s->n;
        for (int64_t i = 0; i < count && p < end; i++) {
            p++;
            while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
                p++;
        }
        return ft_jstr_cut(rt, s, at, (size_t)(p - s->p) - at, false);
    }
    struct jsb b;
    ft_jsb_init(&b, rt, (size_t)count);
    ft_jstep(rt, (size_t)count);
    const bool ascii = ft_jchars(s) == s->n;
    uint32_t *pos = NULL;
    if (!ascii) {
        pos = J_NEWS(rt, uint32_t, s->chars + 1);
        uint32_t k = 0;
        for (uint32_t i = 0; i < s->n; i++)
            if (((unsigned char)s->p[i] & 0xc0) != 0x80)
                pos[k++] = i;
        pos[k] = s->n;
    }
    for (int64_t i = 0, at = start; i < count; i++, at += step) {
        if (ascii)
            ft_jsb_cut(&b, s, (size_t)at, 1);
        else
            ft_jsb_cut(&b, s, pos[at], pos[at + 1] - pos[at]);
    }
    return ft_jsb_done(&b);
}

static inline bool special(unsigned char c) { return c == '&' || c == '<' || c == '>' || c == '"' || c == '\''; }

struct jstr *ft_jstr_escape(struct jrt *rt, struct jstr *s)
{
    if (s->markup)
        return s;
    size_t i = 0;
    ft_jstep(rt, s->n / 16 + 1);
    while (i < s->n && !special((unsigned char)s->p[i]))
        i++;
    if (i == s->n)
        return ft_jstr_as(rt, s, true);
    struct jsb b;
    ft_jsb_init(&b, rt, s->n + 16);
    ft_jstep(rt, s->n / 4);
    size_t from = 0;
    for (i = 0; i < s->n; i++) {
        const char *e;
        switch (s->p[i]) {
        case '&': e = "&amp;"; break;
        case '<': e = "&lt;"; break;
        case '>': e = "&gt;"; break;
        case '"': e = "&#34;"; break;
        case '\'': e = "&#39;"; break;
        default: continue;
        }
        ft_jsb_cut(&b, s, from, i - from);
        const size_t at = b.n;
        ft_jsb_putz(&b, e);
        ft_jsb_mark(&b, at, s, i);
        from = i + 1;
    }
    ft_jsb_cut(&b, s, from, s->n - from);
    struct jstr *r = ft_jsb_done(&b);
    r->markup = true;
    return r;
}

/* ---- building ---- */

void ft_jsb_init(struct jsb *b, struct jrt *rt, size_t hint)
{
    *b = (struct jsb){.rt = rt, .cap = hint < 48 ? 48 : hint};
    b->p = ft_jalloc(rt, b->cap);
}

char *ft_jsb_grow(struct jsb *b, size_t more)
{
    const size_t need = b->n + more;
    if (need >= UINT32_MAX)
        ft_jlimit_memory(b->rt);
    size_t cap = b->cap * 2;
    if (cap < need)
        cap = need;
    char *p = ft_jalloc(b->rt, cap);
    ft_jcopy(p, b->p, b->n);
    ft_jstep(b->rt, b->n / 64 + 1);
    b->p = p;
    b->cap = cap;
    return p + b->n;
}

void ft_jsb_putz(struct jsb *b, const char *z) { ft_jsb_put(b, z, strlen(z)); }

void ft_jsb_fill(struct jsb *b, char c, size_t n)
{
    ft_jstep(b->rt, n / 64);
    memset(ft_jsb_room(b, n), c, n);
    b->n += n;
}

void ft_jsb_pad(struct jsb *b, const struct jstr *fill, int64_t n)
{
    if (n > 0 && fill->n == 1 && !fill->leaf) {
        ft_jsb_fill(b, *fill->p, (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        ft_jstep(b->rt, 1);
        ft_jsb_str(b, fill);
    }
}

void ft_jsb_printf(struct jsb *b, const char *fmt, ...)
{
    va_list ap;
    char buf[512];
    va_start(ap, fmt);
    const int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    ft_jsb_put(b, buf, n < (int)sizeof buf ? (size_t)n : sizeof buf - 1);
}

void ft_jsb_cp(struct jsb *b, uint32_t c)
{
    char *p = ft_jsb_room(b, 4);
    b->n += (size_t)ft_utf8_put(p, c);
}

static void span(struct jsb *b, size_t begin, size_t end, uint32_t leaf, uint32_t flags)
{
    if (begin == end || !leaf)
        return;
    if (b->ns) {
        struct jspan *l = &b->s[b->ns - 1];
        if (l->end == begin && l->leaf == leaf && l->flags == flags) {
            l->end = (uint32_t)end;
            return;
        }
    }
    if (b->ns == b->scap) {
        b->scap = b->scap ? b->scap * 2 : 4;
        struct jspan *s = J_NEWS(b->rt, struct jspan, b->scap);
        if (b->ns)
            ft_jcopy(s, b->s, b->ns * sizeof *s);
        b->s = s;
    }
    b->s[b->ns++] = (struct jspan){(uint32_t)begin, (uint32_t)end, leaf, flags};
}

void ft_jsb_cut(struct jsb *b, const struct jstr *s, size_t at, size_t n)
{
    const size_t from = b->n;
    ft_jsb_put(b, s->p + at, n);
    if (!s->leaf)
        return;
    if (s->leaf != J_MIXED) {
        span(b, from, b->n, s->leaf, s->flags);
        return;
    }
    const uint32_t first = span_at(s, at);
    uint32_t i = first;
    for (; i < s->nspans && s->spans[i].begin < at + n; i++) {
        const struct jspan *o = &s->spans[i];
        span(b, from + (o->begin < at ? 0 : o->begin - at), from + (o->end > at + n ? n : o->end - at), o->leaf, o->flags);
    }
    ft_jstep(b->rt, (i - first) / 4);
}

void ft_jsb_mark(struct jsb *b, size_t from, const struct jstr *s, size_t at)
{
    if (!s->leaf || b->n == from)
        return;
    uint32_t flags;
    const uint32_t leaf = origin_of(s, at, &flags);
    span(b, from, b->n, leaf, flags | FT_SPAN_CHANGED);
}

void ft_jsb_under(struct jsb *b, size_t from, uint32_t leaf, uint32_t flags)
{
    if (!leaf)
        return;
    /* the spans behind `from` stay, the gaps between them become the leaf's */
    size_t first = b->ns;
    while (first && b->s[first - 1].begin >= from)
        first--;
    const size_t n = b->ns - first;
    struct jspan few[16], *old = n > 16 ? J_NEWS(b->rt, struct jspan, n) : few;
    if (n)
        memcpy(old, b->s + first, n * sizeof *old);
    ft_jstep(b->rt, n / 4);
    b->ns = first;
    for (size_t i = 0; i < n; i++) {
        span(b, from, old[i].begin, leaf, flags);
        span(b, old[i].begin, old[i].end, old[i].leaf, old[i].flags);
        from = old[i].end;
    }
    span(b, from, b->n, leaf, flags);
}

struct jstr *ft_jsb_done(struct jsb *b)
{
    struct jstr *s = ft_jstr_ref(b->rt, b->p, b->n);
    if (!b->ns)
        return s;
    if (b->ns == 1 && b->s[0].begin == 0 && b->s[0].end == b->n) {
        s->leaf = b->s[0].leaf;
        s->flags = (uint8_t)b->s[0].flags;
        return s;
    }
    s->leaf = J_MIXED;
    s->spans = b->s;
    s->nspans = (uint32_t)b->ns;
    return s;
}
