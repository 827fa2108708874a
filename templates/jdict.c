/* jdict.c -- hashes of values, and dicts. */
#include "templates/jvalue.h"

#include <math.h>

#include "templates/jbig.h"
#include "templates/jiter.h"
#include "templates/jtext.h"

static uint32_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 29;
    return (uint32_t)x;
}

static uint32_t hash_of(struct jrt *rt, struct jval v)
{
    switch (v.tag) {
    case J_STR:
        if (!v.s->hash)
            ft_jstep(rt, v.s->n / 16);
        return ft_jhash_str(v.s);
    case J_BOOL: return mix(v.b);
    case J_INT: return mix((uint64_t)v.i);
    case J_BIG: return ft_jbig_hash(v);
    case J_FLOAT:
        if (isfinite(v.f) && v.f == trunc(v.f))
            return hash_of(rt, ft_jbig_from_float(rt, v.f));
        {
            uint64_t bits;
            ft_jcopy(&bits, &v.f, sizeof bits);
            return mix(bits);
        }
    case J_TUPLE: {
        uint32_t h = 0x345678;
        ft_jstack(rt);
        ft_jstep(rt, v.q->in.n);
        for (uint32_t i = 0; i < ft_jq(rt, v)->n; i++)
            h = mix(((uint64_t)h << 32) + hash_of(rt, ft_jq(rt, v)->v[i]));
        return h;
    }
    case J_LIST:
    case J_DICT:
    case J_SLICE:
        ft_jraise(rt, J_TYPE, "unhashable type: '%s'", ft_jtype(v));
    case J_VIEW:
        if (v.aux != J_VALUES)
            ft_jraise(rt, J_TYPE, "unhashable type: '%s'", ft_jtype(v));
        return mix((uint64_t)(uintptr_t)v.p);
    case J_NONE:
    case J_UNDEF:
    case J_SELF:
    case J_MISSING: return 7 + v.tag;
    case J_RANGE: return mix((uint64_t)v.r->n * 31 + (uint64_t)(v.r->n ? v.r->start : 0));
    case J_FUNC: return mix(v.aux + 1000);
    case J_BOUND: return mix((uint64_t)v.m->attr);
    default: return mix((uint64_t)(uintptr_t)v.p);
    }
}

void ft_jneed_hash(struct jrt *rt, struct jval v) { hash_of(rt, v); }

bool ft_jhashable(struct jrt *rt, struct jval v)
{
    if (v.tag == J_TUPLE) {
        ft_jstack(rt);
        ft_jstep(rt, v.q->in.n);
        for (uint32_t i = 0; i < v.q->in.n; i++)
            if (!ft_jhashable(rt, v.q->in.v[i]))
                return false;
        return true;
    }
    return v.tag != J_LIST && v.tag != J_DICT && v.tag != J_SLICE && (v.tag != J_VIEW || v.aux == J_VALUES);
}

/* ---- dicts ---- */

struct jdict *ft_jdict_new(struct jrt *rt, size_t cap)
{
    struct jdict *d = J_NEW(rt, struct jdict);
    *d = (struct jdict){0};
    if (cap) {
        d->e = J_NEWS(rt, struct jent, cap);
        d->cap = (uint32_t)cap;
    }
    return d;
}

static void index_put(struct jdict *d, uint32_t hash, uint32_t at)
{
    uint32_t i = hash & d->mask;
    while (d->index[i])
        i = (i + 1) & d->mask;
    d->index[i] = at + 1;
}

static void reindex(struct jrt *rt, struct jdict *d)
{
    uint32_t size = 32;
    while (size < d->cap * 2)
        size *= 2;
    if (!d->index)
        for (uint32_t i = 0; i < d->n; i++)
            d->e[i].hash = hash_of(rt, d->e[i].k);
    d->index = J_NEWS(rt, uint32_t, size);
    memset(d->index, 0, size * sizeof *d->index);
    d->mask = size - 1;
    for (uint32_t i = 0; i < d->n; i++)
        index_put(d, d->e[i].hash, i);
}

static bool key_eq(struct jrt *rt, struct jval a, struct jval b)
{
    return ft_jsame(a, b) || ft_jeq(rt, a, b);
}

static struct jent *find_str(const struct jdict *d, const struct jstr *k)
{
    if (!d->index) {
        for (uint32_t i = 0; i < d->n; i++)
            if (d->e[i].k.tag == J_STR && ft_jstr_same(d->e[i].k.s, k))
                return &d->e[i];
        return NULL;
    }
    const uint32_t hash = k->hash ? k->hash : ft_jhash_bytes(k->p, k->n);
    for (uint32_t i = hash & d->mask; d->index[i]; i = (i + 1) & d->mask) {
        struct jent *e = &d->e[d->index[i] - 1];
        if (e->hash == hash && e->k.tag == J_STR && ft_jstr_same(e->k.s, k))
            return e;
    }
    return NULL;
}

static struct jent *find(struct jrt *rt, const struct jdict *d, struct jval k)
{
    if (k.tag == J_STR) {
        ft_jstep(rt, k.s->n / 16);
        return find_str(d, k.s);
    }
    const uint32_t hash = hash_of(rt, k); /* also says what cannot be a key */
    if (!d->index) {
        for (uint32_t i = 0; i < d->n; i++)
            if (key_eq(rt, d->e[i].k, k))
                return &d->e[i];
        return NULL;
    }
    for (uint32_t i = hash & d->mask; d->index[i]; i = (i + 1) & d->mask) {
        struct jent *e = &d->e[d->index[i] - 1];
        if (e->hash == hash && key_eq(rt, e->k, k))
            return e;
    }
    return NULL;
}

struct jval *ft_jdict_get(struct jrt *rt, const struct jdict *d, struct jval k)
{
    struct jent *e = find(rt, d, k);
    return e ? &e->v : NULL;
}

struct jval *ft_jdict_get_str(const struct jdict *d, const struct jstr *k)
{
    struct jent *e = find_str(d, k);
    return e ? &e->v : NULL;
}

void ft_jdict_set(struct jrt *rt, struct jdict *d, struct jval k, struct jval v)
{
    struct jent *e = find(rt, d, k);
    if (e) {
        e->v = v;
        return;
    }
    if (d->n == d->cap) {
        const uint32_t cap = d->cap ? d->cap * 2 : 4;
        struct jent *ne = J_NEWS(rt, struct jent, cap);
        if (d->n)
            ft_jcopy(ne, d->e, d->n * sizeof *ne);
        d->e = ne;
        d->cap = cap;
        if (d->index)
            reindex(rt, d);
    }
    d->e[d->n] = (struct jent){k, v, d->index ? hash_of(rt, k) : 0};
    if (d->index)
        index_put(d, d->e[d->n].hash, d->n);
    d->n++;
    if (!d->index && d->n > J_SMALL_DICT)
        reindex(rt, d);
}

void ft_jdict_update(struct jrt *rt, struct jdict *d, const struct jdict *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        ft_jstep(rt, 1);
        ft_jdict_set(rt, d, from->e[i].k, from->e[i].v);
    }
}
