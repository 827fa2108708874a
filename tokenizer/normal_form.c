#include "tokenizer/normal_form.h"

#include "tokenizer/unicode.h"

struct mark {
    uint32_t c;
    int32_t change;
    int ccc;
};

/* Canonical order of a run of marks: by their classes, else as they come. */
static void order(struct tk_work *w, struct mark *v, size_t n)
{
    if (n > 64) { /* by counting, else a run would take its square */
        size_t first[257] = {0};
        struct mark *copy = ft_arena_alloc(&w->mem, n * sizeof *v);
        memcpy(copy, v, n * sizeof *v);
        for (size_t i = 0; i < n; i++)
            first[v[i].ccc + 1]++;
        for (int c = 0; c < 256; c++)
            first[c + 1] += first[c];
        for (size_t i = 0; i < n; i++)
            v[first[copy[i].ccc]++] = copy[i];
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct mark m = v[i];
        size_t at = i;
        for (; at > 0 && v[at - 1].ccc > m.ccc; at--)
            v[at] = v[at - 1];
        v[at] = m;
    }
}

/* The forms keep, with every character, how the text changed at it: a
 * decomposed character is its first part and insertions, a composite carries
 * the sum of its parts minus one for each joined (tokenizers' rule). */
void tk_normal_form(struct tk_work *w, struct tk_piece *p, bool compat, bool compose)
{
    struct mark *v = ft_arena_alloc(&w->mem, ((size_t)p->n * 18 + 1) * sizeof *v);
    size_t n = 0;
    for (uint32_t i = 0; i < p->n;) {
        int len;
        uint32_t d[18];
        const uint32_t c = ft_utf8_get(p->p + i, &len);
        int k = uc_decompose(c, compat, d);
        i += (uint32_t)len;
        if (!k) {
            d[0] = c;
            k = 1;
        }
        for (int x = 0; x < k; x++) {
            v[n++] = (struct mark){d[x], x > 0, uc_ccc(d[x])};
        }
    }
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && v[end].ccc)
            end++;
        order(w, v + i, end - i);
        i = end + 1;
    }
    if (compose) {
        ptrdiff_t starter = -1;
        size_t out = 0;
        int last = -1; /* class of the last mark kept behind the starter, -1: none */
        for (size_t i = 0; i < n; i++) {
            const struct mark m = v[i];
            const bool blocked = last >= 0 && last >= m.ccc;
            const uint32_t c = starter >= 0 && !blocked ? uc_compose(v[starter].c, m.c) : 0;
            if (c) {
                v[starter].c = c;
                v[starter].change += m.change - 1;
                continue;
            }
            if (m.ccc == 0) {
                starter = (ptrdiff_t)out;
                last = -1;
            } else if (starter >= 0) {
                last = m.ccc;
            }
            v[out++] = m;
        }
        n = out;
    }
    for (size_t i = 0; i < n; i++)
        tk_edit_put(w, v[i].c, v[i].change);
    tk_edit_apply(w, p, 0);
}
