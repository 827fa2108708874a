#include "pipeline/spans.h"

/* All of this reads JSON that is known to be valid. */

static const char *space(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    return p;
}

/* Behind the value at p. */
static const char *skip(const char *p)
{
    int depth = 0;
    for (;; p++) {
        switch (*p) {
        case '"':
            for (p++; *p != '"'; p++)
                p += *p == '\\';
            break;
        case '[': case '{':
            depth++;
            break;
        case ']': case '}':
            if (!depth)
                return p;
            depth--;
            break;
        case ',': case ' ': case '\t': case '\n': case '\r':
            if (!depth)
                return p;
            continue;
        default:
            continue; /* of a number or a word: its end is seen there */
        }
        if (!depth)
            return p + 1;
    }
}

int ft_range_int(struct ft_str s, int64_t *out)
{
    int64_t v = 0;
    const bool minus = s.n && *s.p == '-';
    if (!s.p || s.n - minus < 1 || s.n - minus > 18)
        return -1;
    for (size_t i = minus; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = minus ? -v : v;
    return 0;
}

int ft_range_string(struct ft_rec *r, struct ft_str item, struct ft_str *out)
{
    if (!item.p || *item.p != '"')
        return -1;
    *out = ft_json_unescape((struct ft_str){item.p + 1, item.n - 2}, r->mem);
    return 0;
}

/* The entry at p, and behind it. */
static const char *entry(const char *p, struct ft_range *x)
{
    *x = (struct ft_range){.begin = -1};
    if (*p != '[')
        return skip(p);
    struct ft_str first[2] = {{0}};
    p = space(p + 1);
    for (int i = 0; *p != ']'; i++) {
        const char *end = skip(p);
        const struct ft_str s = {p, (size_t)(end - p)};
        if (i < 2)
            first[i] = s;
        else if (i - 2 < FT_RANGE_ITEMS)
            x->item[i - 2] = s;
        p = space(end);
        if (*p == ',')
            p = space(p + 1);
        if (i == 1)
            x->more = (struct ft_str){end, 0};
    }
    if (ft_range_int(first[0], &x->begin) || ft_range_int(first[1], &x->end) || x->begin < 0 || x->end < x->begin)
        x->begin = -1;
    if (x->more.p)
        x->more.n = (size_t)(p - x->more.p);
    return p + 1;
}

int ft_rec_ranges(struct ft_rec *r, const char *key, struct ft_range **v, size_t *n, struct ft_err *e)
{
    struct ft_str raw;
    enum ft_json_type type;
    const int k = ft_rec_find(r, key, &raw, &type, e);
    *v = NULL;
    *n = 0;
    if (k <= 0 || type == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    if (type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "member \"%s\" is not an array", key);
    size_t cap = 16;
    *v = ft_arena_alloc(r->mem, cap * sizeof **v);
    for (const char *p = space(raw.p + 1); *p != ']';) {
        if (*n == cap) {
            struct ft_range *more = ft_arena_alloc(r->mem, 2 * cap * sizeof **v);
            memcpy(more, *v, cap * sizeof **v);
            *v = more;
            cap *= 2;
        }
        p = space(entry(p, &(*v)[(*n)++]));
        if (*p == ',')
            p = space(p + 1);
    }
    return 1;
}
