#include "tokenizer/text.h"

void tk_push(struct tk_pieces *v, struct tk_piece p)
{
    if (v->n == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 64;
        v->v = ft_reallocs(v->v, v->cap, sizeof *v->v);
    }
    v->v[v->n++] = p;
}

struct tk_piece tk_slice(const struct tk_piece *p, uint32_t b, uint32_t e)
{
    struct tk_piece s = *p;
    s.p += b;
    s.n = e - b;
    s.front = p->front <= b ? 0 : p->front < e ? p->front - b : s.n;
    s.hollow = s.n && s.front == s.n;
    if (p->al) {
        s.al += b;
        s.base = b < p->n ? p->al[b].b : p->base;
    } else {
        s.base += b;
    }
    return s;
}

static bool lead(char c) { return ((unsigned char)c & 0xc0) != 0x80; }

struct tk_range tk_origin(const struct tk_piece *p, uint32_t b, uint32_t e)
{
    if (p->al)
        return (struct tk_range){p->al[b].b, p->al[e - 1].e};
    /* Every byte of a character stands for the whole character. */
    while (b > 0 && !lead(p->p[b]))
        b--;
    while (e < p->n && !lead(p->p[e]))
        e++;
    return (struct tk_range){p->base + b, p->base + e};
}

/* The range of one byte of the old text. */
static struct tk_range at(const struct tk_piece *p, uint32_t i)
{
    if (i >= p->n)
        return (struct tk_range){0, 0};
    return tk_origin(p, i, i + 1);
}

static uint32_t length(const char *p)
{
    int len;
    ft_utf8_get(p, &len);
    return (uint32_t)len;
}

void tk_edit_put(struct tk_work *w, uint32_t c, int32_t change)
{
    if (w->n_edits == w->cap_edits) {
        w->cap_edits = w->cap_edits ? w->cap_edits * 2 : 256;
        w->edits = ft_reallocs(w->edits, w->cap_edits, sizeof *w->edits);
    }
    w->edits[w->n_edits++] = (struct tk_edit){c, change};
}

void tk_edit_apply(struct tk_work *w, struct tk_piece *p, uint32_t skip)
{
    /* What is no part of the edit: the front, or of a hollow piece all, which then comes last. */
    const uint32_t kept = p->front, before = p->hollow ? 0 : kept;
    const size_t room = w->n_edits * 4 + kept + 1;
    char *out = ft_arena_alloc(&w->mem, room);
    struct tk_range *al = w->offsets ? ft_arena_alloc(&w->mem, room * sizeof *al) : NULL;
    uint32_t n = before, old = before;
    if (!before)
        old += p->hollow ? 0 : skip;
    else
        for (size_t k = ft_utf8_count(p->p, skip); k && old < p->n; k--)
            old += length(p->p + old);
    for (size_t i = 0; i < w->n_edits; i++) {
        const struct tk_edit *d = &w->edits[i];
        const int len = ft_utf8_put(out + n, d->c);
        w->lost |= d->change <= 0 && old >= p->n;
        if (al) {
            struct tk_range r = {p->base, p->base};
            if (d->change <= 0)
                r = at(p, old);
            else if (old > 0)
                r = at(p, old - 1);
            for (int k = 0; k < len; k++)
                al[n + (uint32_t)k] = r;
        }
        n += (uint32_t)len;
        for (int32_t k = d->change; k <= 0 && old < p->n && !p->hollow; k++)
            old += length(p->p + old);
    }
    w->n_edits = 0;
    const uint32_t to = p->hollow ? n : 0;
    for (uint32_t i = 0; i < kept; i++) {
        out[to + i] = p->p[i];
        if (al)
            al[to + i] = at(p, i);
    }
    n += p->hollow ? kept : 0;
    p->front = p->hollow ? n : kept;
    p->p = out;
    p->n = n;
    p->al = al;
}

int tk_edit_check(struct tk_work *w, struct ft_err *e)
{
    if (!w->lost)
        return 0;
    w->lost = false;
    return ft_fail(e, FT_DATA, "text that was put in where nothing was, at the very front, cannot be rewritten again (the library panics)");
}

void tk_prepend(struct tk_work *w, struct tk_piece *p, struct ft_str text)
{
    if (!p->n)
        return;
    const uint32_t first = length(p->p);
    char *out = ft_arena_alloc(&w->mem, p->n + text.n);
    memcpy(out, text.p, text.n);
    memcpy(out + text.n, p->p, p->n);
    struct tk_range *al = NULL;
    if (w->offsets) { /* what is put in front stands for the first character, as that does itself; if that is nothing,
                         so does it for nothing (a slip of the library) */
        const struct tk_range r = text.n ? at(p, 0) : (struct tk_range){p->base, p->base};
        al = ft_arena_alloc(&w->mem, (p->n + text.n) * sizeof *al);
        for (size_t i = 0; i < text.n + first; i++)
            al[i] = r;
        for (uint32_t i = first; i < p->n; i++)
            al[text.n + i] = at(p, i);
    }
    if (!text.n)
        p->front = p->front > first ? p->front : first;
    else if (p->front)
        p->front += (uint32_t)text.n;
    p->p = out;
    p->n += (uint32_t)text.n;
    p->al = al;
}

void tk_replace(struct tk_work *w, struct tk_piece *p, const struct tk_match *m, size_t n, struct ft_str text)
{
    if (!n)
        return;
    const size_t room = p->n + n * text.n;
    char *out = ft_arena_alloc(&w->mem, room + 1);
    struct tk_range *al = w->offsets ? ft_arena_alloc(&w->mem, (room + 1) * sizeof *al) : NULL;
    uint32_t to = 0, from = 0, front = 0;
    for (size_t i = 0; i <= n; i++) {
        const uint32_t end = i < n ? m[i].b : p->n;
        if (front == to && from < p->front)
            front += (end < p->front ? end : p->front) - from;
        memcpy(out + to, p->p + from, end - from);
        if (al)
            for (uint32_t k = from; k < end; k++)
                al[to + k - from] = at(p, k);
        to += end - from;
        if (i == n)
            break;
        memcpy(out + to, text.p, text.n);
        if (front == to && m[i].e <= p->front)
            front += (uint32_t)text.n;
        if (al) { /* it stands for the last character replaced */
            const struct tk_range r = m[i].e ? at(p, m[i].e - 1) : (struct tk_range){p->base, p->base};
            for (size_t k = 0; k < text.n; k++)
                al[to + k] = r;
        }
        to += (uint32_t)text.n;
        from = m[i].e;
    }
    p->p = out;
    p->n = to;
    p->front = front;
    p->al = al;
}
