#include "tokenizer/merge_list.h"

static bool string(struct tk_merge_list *l, struct ft_str *s)
{
    bool escaped;
    if (!ft_json_walk_string(&l->w, s, &escaped))
        return false;
    if (escaped)
        *s = ft_json_unescape(*s, l->mem);
    return true;
}

static int list(struct tk_merge_list *l, struct tk_merge_text *out)
{
    if (!ft_json_walk_next(&l->w) || !string(l, &out->a) || !ft_json_walk_next(&l->w) || !string(l, &out->b))
        return -1;
    if (!ft_json_walk_next(&l->w))
        return 1;
    const char *begin = l->w.s.p;
    if (!ft_json_walk_count(&l->w, &out->rank_value))
        return -1;
    out->rank = (struct ft_str){begin, (size_t)(l->w.s.p - begin)};
    return ft_json_walk_next(&l->w) ? -1 : 1;
}

int tk_merge_list_next(struct tk_merge_list *l, struct tk_merge_text *out)
{
    struct ft_str s = {0};
    out->rank = (struct ft_str){0};
    do { /* the first line of a merges.txt may be left */
        if (!ft_json_walk_next(&l->w))
            return 0;
        const bool pair = ft_json_walk_array(&l->w);
        if (l->any && pair != l->pairs)
            return -1;
        l->any = true;
        l->pairs = pair;
        if (pair)
            return list(l, out);
        if (!string(l, &s))
            return -1;
    } while (ft_str_starts(s, FT_STR("#version")));
    const char *space = s.n ? memchr(s.p, ' ', s.n) : NULL;
    if (!space)
        return -1;
    out->a = (struct ft_str){s.p, (size_t)(space - s.p)};
    out->b = (struct ft_str){space + 1, s.n - out->a.n - 1};
    return out->b.n && memchr(out->b.p, ' ', out->b.n) ? -1 : 1;
}
