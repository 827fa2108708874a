/* jout.c -- the text of a render, with the origin of its bytes.
 *
 * Captures (macros, set blocks, recursive loops) write to the same buffer and
 * are taken off its end, so that a template never joins lists of pieces. */
#include "templates/jtext.h"

void ft_jout_room(struct jrt *rt, size_t more)
{
    if (rt->out_n + more > rt->out_limit)
        ft_jraise(rt, J_LIMIT, "the text grows beyond %zu bytes", rt->out_limit);
    size_t cap = rt->out_cap ? rt->out_cap : 4096;
    while (cap - rt->out_n < more)
        cap *= 2;
    rt->out = ft_realloc(rt->out, cap);
    rt->out_cap = cap;
}

static void span(struct jrt *rt, size_t begin, size_t end, uint32_t leaf, uint32_t flags)
{
    if (rt->nospan) {
        struct ft_text_span *l = &rt->ospan[rt->nospan - 1];
        if (l->end == begin && l->leaf == leaf && l->flags == flags) {
            l->end = end;
            return;
        }
    }
    if (rt->nospan == rt->ospan_cap) {
        rt->ospan_cap = rt->ospan_cap ? rt->ospan_cap * 2 : 64;
        rt->ospan = ft_reallocs(rt->ospan, rt->ospan_cap, sizeof *rt->ospan);
    }
    rt->ospan[rt->nospan++] = (struct ft_text_span){begin, end, leaf, flags};
}

void ft_jout_str(struct jrt *rt, const struct jstr *s)
{
    const size_t at = rt->out_n;
    if (!s->n)
        return;
    ft_jstep(rt, s->n / 64);
    ft_jout_put(rt, s->p, s->n);
    if (!s->leaf)
        return;
    if (s->leaf != J_MIXED) {
        span(rt, at, rt->out_n, s->leaf, s->flags);
        return;
    }
    for (uint32_t i = 0; i < s->nspans; i++)
        span(rt, at + s->spans[i].begin, at + s->spans[i].end, s->spans[i].leaf, s->spans[i].flags);
}

void ft_jout_val(struct jrt *rt, struct jval v)
{
    if (v.tag == J_STR && !rt->autoescape)
        ft_jout_str(rt, v.s);
    else if (v.tag == J_UNDEF)
        return;
    else if (rt->autoescape)
        ft_jout_str(rt, ft_jstr_escape(rt, ft_jsoft(rt, v)));
    else
        ft_jout_str(rt, ft_jstr_of(rt, v));
}

void ft_jout_check(struct jrt *rt)
{
    if (rt->nontext && rt->nontext_depth == rt->captures)
        ft_jraise(rt, J_TYPE, "sequence item 0: expected str instance, %s found", rt->nontext);
}

struct jmark ft_jout_open(struct jrt *rt)
{
    if (!rt->captures++)
        rt->root_mark = rt->out_n;
    return (struct jmark){rt->out_n, rt->nospan, rt->captures - 1};
}

struct jstr *ft_jout_close(struct jrt *rt, struct jmark m)
{
    const size_t n = rt->out_n - m.n, ns = rt->nospan - m.ns;
    if (n >= UINT32_MAX)
        ft_jlimit_memory(rt);
    ft_jout_check(rt);
    struct jstr *s = ft_jstr_copy(rt, rt->out + m.n, n);
    ft_jstep(rt, n / 64);
    rt->captures = m.depth;
    rt->out_n = m.n;
    if (!rt->nospan)
        return s;
    const size_t end = m.n + n;
    const struct ft_text_span *o = rt->ospan + m.ns;
    /* the span before the capture may have grown into it: neighbours of one leaf join */
    size_t over = 0;
    if (m.ns && rt->ospan[m.ns - 1].end > m.n)
        over = 1;
    if (over + ns == 1 && o[-(ptrdiff_t)over].begin <= m.n && o[-(ptrdiff_t)over].end == end) {
        s->leaf = o[-(ptrdiff_t)over].leaf;
        s->flags = (uint8_t)o[-(ptrdiff_t)over].flags;
    } else if (over + ns) {
        struct jspan *sp = J_NEWS(rt, struct jspan, over + ns);
        for (size_t i = 0; i < over + ns; i++) {
            const struct ft_text_span *x = &o[(ptrdiff_t)i - (ptrdiff_t)over];
            sp[i] = (struct jspan){x->begin < m.n ? 0 : (uint32_t)(x->begin - m.n), (uint32_t)(x->end - m.n), x->leaf,
                                   x->flags};
        }
        s->leaf = J_MIXED;
        s->spans = sp;
        s->nspans = (uint32_t)(over + ns);
    }
    if (over)
        rt->ospan[m.ns - 1].end = m.n;
    rt->nospan = m.ns;
    return s;
}
