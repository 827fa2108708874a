#include "templates/jiter.h"

#include "templates/jattrs.h"
#include "templates/jtext.h"
#include "templates/unidata.h"

struct jiter *ft_jiter_new(struct jrt *rt, bool (*next)(struct jrt *, struct jiter *, struct jval *), const char *type,
                           struct jval src)
{
    struct jiter *it = J_NEW(rt, struct jiter);
    *it = (struct jiter){.next = next, .type = type, .src = src};
    return it;
}

const char *ft_jiter_type(const struct jiter *it) { return it->type; }

static bool next_seq(struct jrt *rt, struct jiter *it, struct jval *out)
{
    (void)rt;
    if (it->i >= ft_jq(rt, it->src)->n)
        return false;
    *out = ft_jq(rt, it->src)->v[it->i++];
    return true;
}
static bool next_seq_back(struct jrt *rt, struct jiter *it, struct jval *out)
{
    (void)rt;
    if (it->i <= 0)
        return false;
    *out = ft_jq(rt, it->src)->v[--it->i];
    return true;
}
static bool next_str(struct jrt *rt, struct jiter *it, struct jval *out)
{
    const struct jstr *s = it->src.s;
    if (it->i >= s->n)
        return false;
    int len;
    ft_utf8_get(s->p + it->i, &len);
    *out = ft_jstrv(len == 1 && !s->leaf ? &ft_jchar[(unsigned char)s->p[it->i]] : ft_jstr_cut(rt, s, (size_t)it->i, (size_t)len, false));
    it->i += len;
    return true;
}
static struct jval view_at(struct jrt *rt, struct jval v, int64_t i)
{
    const struct jent *e = &ft_jd(rt, v)->e[i];
    if (v.tag == J_DICT || v.aux == J_KEYS)
        return e->k;
    return v.aux == J_VALUES ? e->v : ft_jtuple2(rt, e->k, e->v);
}
static bool next_dict(struct jrt *rt, struct jiter *it, struct jval *out)
{
    if (it->i >= ft_jd(rt, it->src)->n)
        return false;
    *out = view_at(rt, it->src, it->i++);
    return true;
}
static bool next_dict_back(struct jrt *rt, struct jiter *it, struct jval *out)
{
    if (it->i <= 0)
        return false;
    *out = view_at(rt, it->src, --it->i);
    return true;
}
static bool next_range(struct jrt *rt, struct jiter *it, struct jval *out)
{
    (void)rt;
    if (it->i >= it->src.r->n)
        return false;
    *out = ft_jrange_at(it->src.r, it->i++);
    return true;
}
static bool next_range_back(struct jrt *rt, struct jiter *it, struct jval *out)
{
    (void)rt;
    if (it->i <= 0)
        return false;
    *out = ft_jrange_at(it->src.r, --it->i);
    return true;
}
static bool next_none(struct jrt *rt, struct jiter *it, struct jval *out)
{
    (void)rt, (void)it, (void)out;
    return false;
}
/* __getitem__ with 0, 1, … until IndexError: reversed(Undefined), a string backwards */
static bool next_str_back(struct jrt *rt, struct jiter *it, struct jval *out)
{
    if (it->i <= 0)
        return false;
    int len;
    ft_jback(it->src.s->p, it->src.s->p + it->i, &len);
    it->i -= len;
    *out = ft_jstrv(ft_jstr_cut(rt, it->src.s, (size_t)it->i, (size_t)len, false));
    return true;
}
static bool next_loop(struct jrt *rt, struct jiter *it, struct jval *out)
{
    struct jval item;
    if (!ft_jloop_next(rt, it->src.loop, &item))
        return false;
    *out = ft_jtuple2(rt, item, it->src);
    return true;
}

bool ft_jiterable(struct jval v)
{
    return v.tag == J_ITER || ft_jhas_len(v);
}

struct jiter *ft_jiter(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_UNDEF: return ft_jiter_new(rt, next_none, "generator", v);
    case J_STR: return ft_jiter_new(rt, next_str, "str_ascii_iterator", v);
    case J_LIST: return ft_jiter_new(rt, next_seq, "list_iterator", v);
    case J_TUPLE: return ft_jiter_new(rt, next_seq, "tuple_iterator", v);
    case J_DICT: return ft_jiter_new(rt, next_dict, "dict_keyiterator", v);
    case J_VIEW: return ft_jiter_new(rt, next_dict, "dict_itemiterator", v);
    case J_RANGE: return ft_jiter_new(rt, next_range, "range_iterator", v);
    case J_LOOP: return ft_jiter_new(rt, next_loop, "LoopContext", v);
    case J_ITER: return v.it;
    default: ft_jraise(rt, J_TYPE, "'%s' object is not iterable", ft_jtype(v));
    }
}

struct jiter *ft_jreversed(struct jrt *rt, struct jval v)
{
    struct jiter *it;
    switch (v.tag) {
    case J_LIST:
    case J_TUPLE:
        it = ft_jiter_new(rt, next_seq_back, v.tag == J_LIST ? "list_reverseiterator" : "reversed", v);
        it->i = ft_jq(rt, v)->n;
        return it;
    case J_DICT:
    case J_VIEW:
        it = ft_jiter_new(rt, next_dict_back, "dict_reversekeyiterator", v);
        it->i = ft_jd(rt, v)->n;
        return it;
    case J_RANGE:
        it = ft_jiter_new(rt, next_range_back, "range_iterator", v);
        it->i = v.r->n;
        return it;
    case J_STR:
        it = ft_jiter_new(rt, next_str_back, "reversed", v);
        it->i = v.s->n;
        return it;
    case J_UNDEF: return ft_jiter_new(rt, next_none, "reversed", v); /* len() is 0 */
    default: return NULL;
    }
}

struct jvec ft_jcollect(struct jrt *rt, struct jval v)
{
    struct jvec a = {0};
    if (v.tag == J_LIST || v.tag == J_TUPLE) {
        ft_jstep(rt, ft_jq(rt, v)->n / 4);
        a.v = J_NEWS(rt, struct jval, ft_jq(rt, v)->n);
        ft_jcopy(a.v, ft_jq(rt, v)->v, ft_jq(rt, v)->n * sizeof *a.v);
        a.n = a.cap = ft_jq(rt, v)->n;
        return a;
    }
    struct jiter *it = ft_jiter(rt, v);
    struct jval item;
    while (ft_jnext(rt, it, &item))
        ft_jvec_put(rt, &a, item);
    return a;
}

void ft_junpack(struct jrt *rt, struct jval v, struct jval *out, uint32_t n)
{
    if (v.tag == J_TUPLE || v.tag == J_LIST) {
        if (ft_jq(rt, v)->n == n) {
            ft_jcopy(out, ft_jq(rt, v)->v, n * sizeof *out);
            return;
        }
        if (ft_jq(rt, v)->n > n)
            ft_jraise(rt, J_VALUE, "too many values to unpack (expected %u)", n);
        ft_jraise(rt, J_VALUE, "not enough values to unpack (expected %u, got %u)", n, ft_jq(rt, v)->n);
    }
    if (!ft_jiterable(v))
        ft_jraise(rt, J_TYPE, "cannot unpack non-iterable %s object", ft_jtype(v));
    struct jiter *it = ft_jiter(rt, v);
    struct jval item;
    for (uint32_t i = 0; i < n; i++)
        if (!ft_jnext(rt, it, &out[i]))
            ft_jraise(rt, J_VALUE, "not enough values to unpack (expected %u, got %u)", n, i);
    if (ft_jnext(rt, it, &item))
        ft_jraise(rt, J_VALUE, "too many values to unpack (expected %u)", n);
}

/* ---- sorting ---- */

static bool less(struct jrt *rt, const struct jval *k, uint32_t x, uint32_t y)
{
    ft_jstep(rt, 1);
    return ft_jcompare(rt, k[x], k[y], J_LT);
}

static void flip(uint32_t *a, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        const uint32_t t = a[i];
        a[i] = a[n - 1 - i];
        a[n - 1 - i] = t;
    }
}

/* What CPython does with short lists, comparison for comparison: which pair is
 * compared first shows in the messages of TypeErrors. */
static void insertion(struct jrt *rt, const struct jval *k, uint32_t *a, uint32_t n)
{
    uint32_t run = n < 2 ? n : 2;
    if (n >= 2) {
        if (less(rt, k, a[1], a[0])) {
            while (run < n && less(rt, k, a[run], a[run - 1]))
                run++;
            flip(a, run);
        } else {
            while (run < n && !less(rt, k, a[run], a[run - 1]))
                run++;
        }
    }
    for (; run < n; run++) {
        const uint32_t pivot = a[run];
        uint32_t lo = 0, hi = run;
        while (lo < hi) {
            const uint32_t mid = lo + (hi - lo) / 2;
            if (less(rt, k, pivot, a[mid]))
                hi = mid;
            else
                lo = mid + 1;
        }
        memmove(a + lo + 1, a + lo, (run - lo) * sizeof *a);
        a[lo] = pivot;
    }
}

static void merge(struct jrt *rt, const struct jval *k, uint32_t *a, uint32_t *tmp, uint32_t n)
{
    if (n < 64) {
        insertion(rt, k, a, n);
        return;
    }
    const uint32_t h = n / 2;
    merge(rt, k, a, tmp, h);
    merge(rt, k, a + h, tmp, n - h);
    ft_jcopy(tmp, a, h * sizeof *a);
    uint32_t i = 0, j = h, o = 0;
    while (i < h && j < n)
        a[o++] = less(rt, k, a[j], tmp[i]) ? a[j++] : tmp[i++];
    while (i < h)
        a[o++] = tmp[i++];
}

uint32_t *ft_jsort(struct jrt *rt, const struct jval *keys, uint32_t n, bool reverse)
{
    uint32_t *a = J_NEWS(rt, uint32_t, n), *tmp = J_NEWS(rt, uint32_t, n / 2 + 1);
    for (uint32_t i = 0; i < n; i++)
        a[i] = i;
    /* reversed before and after, so that equal items keep their order */
    if (reverse)
        flip(a, n);
    merge(rt, keys, a, tmp, n);
    if (reverse)
        flip(a, n);
    return a;
}

uint32_t *ft_jsort_keys(struct jrt *rt, const struct jdict *d)
{
    /* json sorts items; keys are unique, so values are never compared */
    struct jval *k = J_NEWS(rt, struct jval, d->n);
    for (uint32_t i = 0; i < d->n; i++)
        k[i] = d->e[i].k;
    return ft_jsort(rt, k, d->n, false);
}

/* ---- loops: jinja2.runtime.LoopContext ---- */

struct jloop *ft_jloop_new(struct jrt *rt, struct jval iterable, struct jiter *it)
{
    struct jloop *l = J_NEW(rt, struct jloop);
    *l = (struct jloop){.it = it, .iterable = iterable, .index0 = -1, .length = -1};
    return l;
}

static struct jval peek(struct jrt *rt, struct jloop *l)
{
    if (l->after.tag == J_MISSING && !ft_jnext(rt, l->it, &l->after))
        l->after = (struct jval){0};
    return l->after;
}

bool ft_jloop_next(struct jrt *rt, struct jloop *l, struct jval *out)
{
    struct jval v;
    if (l->after.tag != J_MISSING) {
        v = l->after;
        l->after = (struct jval){0};
    } else if (!ft_jnext(rt, l->it, &v)) {
        return false;
    }
    l->index0++;
    l->before = l->current;
    l->current = v;
    *out = v;
    return true;
}

int64_t ft_jloop_length(struct jrt *rt, struct jloop *l)
{
    if (l->length >= 0)
        return l->length;
    if (l->iterable.tag != J_ITER && ft_jhas_len(l->iterable))
        return l->length = ft_jlen(rt, l->iterable);
    const struct jvec rest = ft_jcollect(rt, ft_jiterv(l->it));
    l->it = ft_jiter(rt, ft_jlist(rt, rest.v, rest.n));
    return l->length = (int64_t)rest.n + l->index0 + 1 + (l->after.tag != J_MISSING);
}

bool ft_jloop_attr(struct jrt *rt, struct jloop *l, int attr, struct jval *out)
{
    switch (attr) {
    case A_index0: *out = ft_jint(l->index0); return true;
    case A_index: *out = ft_jint(l->index0 + 1); return true;
    case A_first: *out = ft_jbool(l->index0 == 0); return true;
    case A_last: *out = ft_jbool(peek(rt, l).tag == J_MISSING); return true;
    case A_length: *out = ft_jint(ft_jloop_length(rt, l)); return true;
    case A_revindex: *out = ft_jint(ft_jloop_length(rt, l) - l->index0); return true;
    case A_revindex0: *out = ft_jint(ft_jloop_length(rt, l) - l->index0 - 1); return true;
    case A_depth0: *out = ft_jint(l->depth0); return true;
    case A_depth: *out = ft_jint((int64_t)l->depth0 + 1); return true;
    case A_previtem: *out = l->index0 == 0 ? ft_jundef_hint(rt, "there is no previous item") : l->before; return true;
    case A_nextitem: {
        const struct jval v = peek(rt, l);
        *out = v.tag == J_MISSING ? ft_jundef_hint(rt, "there is no next item") : v;
        return true;
    }
    default: return false;
    }
}
