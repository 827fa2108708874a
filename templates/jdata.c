/* jdata.c -- the data of a render: values out of JSON, as Python's json.loads makes them. */
#include "templates/jbig.h"
#include "templates/jtext.h"

uint32_t ft_jleaf_new(struct jrt *rt, const struct ft_json *j, uint32_t parent, uint32_t index, struct ft_str key,
                      uint8_t kind)
{
    if (rt->nleaves == rt->leaves_cap) {
        rt->leaves_cap = rt->leaves_cap ? rt->leaves_cap * 2 : 64;
        rt->leaves = ft_reallocs(rt->leaves, rt->leaves_cap, sizeof *rt->leaves);
    }
    rt->leaves[rt->nleaves] = (struct jleaf){parent, index, key, j, kind};
    return rt->nleaves++;
}

static struct jval number(struct jrt *rt, const struct ft_json *j)
{
    if (j->is_float)
        return ft_jfloat(ft_json_real(j));
    int64_t i;
    if (ft_json_int(j, &i) == 0)
        return ft_jint(i);
    const bool neg = j->s.n && j->s.p[0] == '-';
    if (j->s.n - neg > 4300)
        ft_jraise(rt, J_VALUE, "Exceeds the limit (4300 digits) for integer string conversion: value has %zu digits; "
                  "use sys.set_int_max_str_digits() to increase the limit", j->s.n - neg);
    return ft_jbig_parse(rt, j->s.p + neg, j->s.n - neg, 10, neg);
}

static inline void string(struct jrt *rt, struct jstr *s, struct ft_str from)
{
    if (from.n >= UINT32_MAX)
        ft_jlimit_memory(rt);
    *s = (struct jstr){.p = from.n ? from.p : "", .n = (uint32_t)from.n, .chars = J_UNCOUNTED};
}

/* Containers come shut. */
static inline struct jval value(struct jrt *rt, const struct ft_json *j, uint32_t parent, uint32_t index,
                                struct ft_str key, uint8_t kind)
{
    switch (j->type) {
    case FT_JSON_NULL: return ft_jnone();
    case FT_JSON_FALSE: return ft_jbool(false);
    case FT_JSON_TRUE: return ft_jbool(true);
    case FT_JSON_NUMBER: return number(rt, j);
    case FT_JSON_STRING: {
        struct jstr *s = J_NEW(rt, struct jstr);
        string(rt, s, j->s);
        if (rt->spans)
            s->leaf = ft_jleaf_new(rt, j, parent, index, key, kind);
        return ft_jstrv(s);
    }
    case FT_JSON_ARRAY: {
        struct jseq *q = J_NEW(rt, struct jseq);
        if (j->n > UINT32_MAX)
            ft_jlimit_memory(rt);
        *q = (struct jseq){.leaf = rt->spans ? ft_jleaf_new(rt, j, parent, index, key, kind) : 0, .shut = j};
        return (struct jval){.tag = J_LIST, .q = (struct jseq_shut *)q};
    }
    case FT_JSON_OBJECT: {
        struct jdict *d = J_NEW(rt, struct jdict);
        if (j->n > UINT32_MAX)
            ft_jlimit_memory(rt);
        *d = (struct jdict){.leaf = rt->spans ? ft_jleaf_new(rt, j, parent, index, key, kind) : 0, .shut = j};
        return ft_jdictv(d);
    }
    }
    return ft_jnone();
}

void ft_jopen_dict(struct jrt *rt, struct jdict *d)
{
    const struct ft_json *j = d->shut;
    struct jstr *keys = J_NEWS(rt, struct jstr, j->n);
    const bool small = j->n <= J_SMALL_DICT;
    uint64_t seen = 0;
    d->e = J_NEWS(rt, struct jent, j->n);
    d->cap = (uint32_t)j->n;
    d->shut = NULL;
    for (size_t i = 0; i < j->n; i++) {
        const struct ft_json_member *m = &j->members[i];
        struct jstr *k = &keys[i];
        string(rt, k, m->key);
        if (rt->spans) {
            k->leaf = ft_jleaf_new(rt, &m->value, d->leaf, 0, m->key, 2);
            k->flags = FT_SPAN_KEY;
        }
        const struct jval v = value(rt, &m->value, d->leaf, 0, m->key, 1);
        const uint64_t bit = ft_jname_bit(m->key);
        if (small && !(seen & bit)) {
            seen |= bit;
            d->e[d->n++] = (struct jent){.k = ft_jstrv(k), .v = v};
        } else {
            ft_jdict_set(rt, d, ft_jstrv(k), v);
        }
    }
}

void ft_jopen_seq(struct jrt *rt, struct jseq *q)
{
    const struct ft_json *j = q->shut;
    q->v = J_NEWS(rt, struct jval, j->n);
    q->shut = NULL;
    for (size_t i = 0; i < j->n; i++)
        q->v[i] = value(rt, &j->items[i], q->leaf, (uint32_t)i, (struct ft_str){0}, 0);
    q->n = (uint32_t)j->n;
}

struct jval ft_jfrom_json(struct jrt *rt, const struct ft_json *j, uint32_t parent, uint32_t index, struct ft_str key,
                          uint8_t kind)
{
    return value(rt, j, parent, index, key, kind);
}
