/* json_walk.h -- the elements of a container one by one, without a tree: for what
 * has hundreds of thousands of them.
 *
 * It goes over text that was validated, a value's `raw`; on other text its steps
 * fail or stop, and read nothing outside.
 */
#ifndef FT_PIPELINE_JSON_WALK_H
#define FT_PIPELINE_JSON_WALK_H

#include "pipeline/json_scan.h"

struct ft_json_walk {
    struct ft_scan s;
};

/* Into an array or object. */
static inline struct ft_json_walk ft_json_walk_in(struct ft_str raw)
{
    return (struct ft_json_walk){{.begin = raw.p, .p = raw.p + (raw.n > 0), .end = raw.p + raw.n, .utf8 = true}};
}

/* At the next element, or behind the end of the container. */
static inline bool ft_json_walk_next(struct ft_json_walk *w)
{
    struct ft_scan *s = &w->s;
    ft_scan_space(s);
    if (s->p < s->end && *s->p == ',') {
        s->p++;
        ft_scan_space(s);
    }
    const bool more = s->p < s->end && *s->p != ']' && *s->p != '}';
    s->p += !more && s->p < s->end;
    return more;
}

/* The array that stands here is entered; false: there is none. */
static inline bool ft_json_walk_array(struct ft_json_walk *w)
{
    const bool is = w->s.p < w->s.end && *w->s.p == '[';
    w->s.p += is;
    return is;
}

/* The string here, still escaped where it says so; false: there is none. */
static inline bool ft_json_walk_string(struct ft_json_walk *w, struct ft_str *inside, bool *escaped)
{
    const char *begin = w->s.p + 1;
    if (w->s.p >= w->s.end || *w->s.p != '"' || ft_scan_string(&w->s, escaped))
        return false;
    *inside = (struct ft_str){begin, (size_t)(w->s.p - 1 - begin)};
    return true;
}

/* The name of the member here. */
static inline bool ft_json_walk_key(struct ft_json_walk *w, struct ft_str *inside, bool *escaped)
{
    return !ft_scan_key(&w->s, inside, escaped);
}

/* The whole number here, of at most 8 digits; false: what stands here is left. */
static inline bool ft_json_walk_count(struct ft_json_walk *w, uint32_t *v)
{
    const char *p = w->s.p, *const end = w->s.end;
    uint64_t digits;
    if (end - p > 8) {
        const int n = ft_scan_digits(p, &digits);
        *v = n ? ft_scan_value(digits, n) : 0;
        p += n;
    } else {
        for (*v = 0; p < end && *p >= '0' && *p <= '9'; p++)
            *v = *v * 10 + (uint32_t)(*p - '0');
    }
    if (p == w->s.p || p == end || *p == '.' || *p == 'e' || *p == 'E' || (*p >= '0' && *p <= '9'))
        return false;
    w->s.p = p;
    return true;
}

/* Any value here, as written. */
static inline bool ft_json_walk_raw(struct ft_json_walk *w, struct ft_str *raw, enum ft_json_type *type)
{
    const char *begin = w->s.p;
    if (ft_scan_skip(&w->s, type))
        return false;
    *raw = (struct ft_str){begin, (size_t)(w->s.p - begin)};
    return true;
}

#endif
