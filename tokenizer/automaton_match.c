/* automaton_match.c -- a table at work: one match, or all of a text. */
#include "tokenizer/automaton.h"

#include <stdlib.h>

/* The class of the character at p, and its length. */
static inline unsigned class_at(const struct tk_automaton *a, const char *p, size_t *len)
{
    const unsigned char *u = (const unsigned char *)p;
    if (*u < 0x80)
        return *len = 1, a->kind[a->page[0]][*u];
    if (*u >= 0xe0 && *u < 0xf0)
        return *len = 3, tk_automaton_class(a, (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u));
    int k;
    const uint32_t c = ft_utf8_get(p, &k);
    return *len = (size_t)k, tk_automaton_class(a, c);
}

/* *reach: how far it looked. */
static inline __attribute__((always_inline)) size_t match(const struct tk_automaton *a, bool bytes, const char *p, size_t n, size_t at,
                                                          size_t *reach)
{
    size_t last = at, len = 1, i = at;
    unsigned s = TK_STEP_START;
    while (i < n) {
        s = a->step[s << a->shift | (bytes ? a->byte[(unsigned char)p[i]] : class_at(a, p + i, &len))];
        if (s & TK_STEP_MATCH) {
            last = i;
            s &= TK_STEP_MATCH - 1;
        }
        if (!s) {
            *reach = i;
            return last;
        }
        i += len;
    }
    *reach = n;
    return a->step[s << a->shift | a->end] & TK_STEP_MATCH ? n : last;
}

size_t tk_automaton_match(const struct tk_automaton *a, const char *p, size_t n, size_t at)
{
    size_t reach;
    return match(a, false, p, n, at, &reach);
}

/* ---- looking far ahead ---- */

enum { MARK = 6 }; /* a mark every 1 << MARK bytes, at the character that begins there or next */

static void remember(struct tk_hunt *h)
{
    const size_t marks = (h->n >> MARK) + 2, words = (h->a->states + 63) / 64;
    h->dead = ft_calloc(marks * words, sizeof *h->dead);
    h->trail = ft_reallocs(NULL, marks, sizeof *h->trail);
    h->spent = 0;
}

/* The same, which ends where an earlier one came by in the same state and found nothing more. */
static size_t remembered(struct tk_hunt *h, size_t at)
{
    const struct tk_automaton *a = h->a;
    const size_t words = (a->states + 63) / 64, first = at >> MARK;
    size_t last = at, len = 1, i = at, mark = first;
    unsigned s = TK_STEP_START;
    bool known = false;
    for (; i < h->n; i += len, h->spent++) {
        if (i >> MARK > mark) {
            mark = i >> MARK;
            h->trail[mark] = (uint16_t)s;
            known = h->dead[mark * words + s / 64] >> s % 64 & 1;
            if (known)
                break;
        }
        s = a->step[s << a->shift | (h->bytes ? a->byte[(unsigned char)h->p[i]] : class_at(a, h->p + i, &len))];
        if (s & TK_STEP_MATCH) {
            last = i;
            s &= TK_STEP_MATCH - 1;
        }
        if (!s)
            break;
    }
    if (i >= h->n && !known && a->step[s << a->shift | a->end] & TK_STEP_MATCH)
        return h->n;
    /* What was noted at or before a match led to it. */
    for (size_t k = (last >> MARK) + 1 > first + 1 ? (last >> MARK) + 1 : first + 1; k <= mark; k++)
        h->dead[k * words + h->trail[k] / 64] |= 1ull << h->trail[k] % 64;
    return last;
}

size_t tk_hunt_match(struct tk_hunt *h, size_t at)
{
    if (h->dead)
        return remembered(h, at);
    size_t reach;
    const size_t end = h->bytes ? match(h->a, true, h->p, h->n, at, &reach) : match(h->a, false, h->p, h->n, at, &reach);
    h->spent += reach > end ? reach - end : 0;
    if (__builtin_expect(h->spent > TK_HUNT_LIMIT(h->n), 0))
        remember(h);
    return end;
}

void tk_hunt_end(struct tk_hunt *h)
{
    free(h->dead);
    free(h->trail);
    h->dead = NULL;
    h->trail = NULL;
}
