#include "templates/chat_special.h"

#include "templates/chat_text.h"

/* Where a template does not have a list of its special tokens with it: what looks
 * like one, <|im_end|>, </s>, [/X]. */
static struct ft_str looks_special(struct ft_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '<' && s.p[i] != '[')
            continue;
        const char close = s.p[i] == '<' ? '>' : ']';
        for (size_t k = i + 1; k < s.n && k < i + 80 && !strchr(" \t\r\n<[", s.p[k]); k++)
            if (s.p[k] == close)
                return ft_cut(s, i, k + 1);
    }
    return (struct ft_str){0};
}

struct ft_str ft_first_of(struct ft_str s, const struct ft_str *v, size_t n)
{
    const char *best = NULL;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *q = ft_find(s, v[i]);
        if (q && (!best || q < best || (q == best && v[i].n > len))) {
            best = q;
            len = v[i].n;
        }
    }
    return best ? (struct ft_str){best, len} : (struct ft_str){0};
}

struct ft_str ft_first_special(const struct ft_learn_rules *r, struct ft_str s)
{
    const struct ft_str known = ft_first_of(s, r->controls, r->n_controls), stop = ft_first_of(s, r->stops, r->n_stops);
    if (known.n && stop.n)
        return known.p < stop.p ? known : stop;
    if (known.n || stop.n)
        return known.n ? known : stop;
    return looks_special(s);
}

struct ft_str ft_last_special(const struct ft_learn_rules *r, struct ft_str s)
{
    struct ft_str last = {0};
    for (struct ft_str t; (t = ft_first_special(r, s)).n; s = ft_cut(s, (size_t)(t.p - s.p) + t.n, s.n))
        last = t;
    return last;
}

size_t ft_whole(struct ft_str s, size_t n)
{
    for (size_t i = n; i-- > 0 && n - i < 80;)
        if (s.p[i] == '<' || s.p[i] == '[') {
            const struct ft_str t = looks_special(ft_cut(s, i, s.n));
            return t.p == s.p + i && i + t.n > n ? i : n;
        }
    return n;
}
