#include "pipeline/spans.h"

#include "pipeline/json_scan.h"

#define NAME(z) {z, sizeof(z) - 1}
const struct ft_str ft_span_fields[FT_SPAN_FIELDS] = {NAME("content"), NAME("role"), NAME("reasoning_content"), NAME("tool_calls"),
                                                      NAME("name"), NAME("thinking"), NAME("tools"), NAME("documents")};
const struct ft_str ft_span_roles[FT_SPAN_ROLES] = {NAME(""), NAME("system"), NAME("user"), NAME("assistant"), NAME("tool"), NAME("developer")};

/* The number of a string's value among the names, or -1. */
static int among(const struct ft_str *names, int n, struct ft_str item)
{
    if (!item.p || item.n < 2 || *item.p != '"')
        return -1;
    for (int i = 0; i < n; i++)
        if (ft_str_eq(names[i], (struct ft_str){item.p + 1, item.n - 2}))
            return i;
    return -1;
}

/* ---- as our tools write them, while the record is scanned ---- */

bool ft_scan_holds_ranges(struct ft_str key)
{
    return key.n >= 5 && ((key.p[key.n - 1] == 's' && !memcmp(key.p + key.n - 5, "spans", 5)) || ft_str_is(key, "learn"));
}

enum { ROOM = 64 }; /* bytes that can be read from where an element begins */

/* A number of up to seven digits without a sign; p behind it, NULL: it is another one. */
static inline const char *quick_number(const char *p, int64_t *out)
{
    uint64_t digits;
    const int n = ft_scan_digits(p, &digits);
    if (n == 0 || n == 8 || (n > 1 && *p == '0'))
        return NULL;
    *out = ft_scan_value(digits, n);
    return p + n;
}

/* A string without escapes that is among the names, or NULL: it is another value. */
static const char *quick_name(struct ft_scan *s, const char *p, const struct ft_str *names, int n, uint8_t *out)
{
    bool escaped;
    s->p = p;
    if (*p != '"' || ft_scan_string(s, &escaped) || escaped || s->end - s->p < 32)
        return NULL;
    const int k = among(names, n, (struct ft_str){p, (size_t)(s->p - p)});
    *out = (uint8_t)k;
    return k < 0 ? NULL : s->p;
}

static inline const char *quick_field(struct ft_scan *s, const char *p, uint8_t *out)
{
    if (!memcmp(p, "\"content\"", 9))
        return *out = 0, p + 9;
    if (!memcmp(p, "\"role\"", 6))
        return *out = 1, p + 6;
    return quick_name(s, p, ft_span_fields, FT_SPAN_FIELDS, out);
}

static inline const char *quick_role(struct ft_scan *s, const char *p, uint8_t *out)
{
    if (!memcmp(p, "\"user\"", 6))
        return *out = 2, p + 6;
    if (!memcmp(p, "\"assistant\"", 11))
        return *out = 3, p + 11;
    return quick_name(s, p, ft_span_roles, FT_SPAN_ROLES, out);
}

/* Past a comma, and a blank behind it. */
static inline const char *comma(const char *p) { return p && *p == ',' ? p + 1 + (p[1] == ' ') : NULL; }

/* The entry at p, and behind it. */
static inline const char *quick_entry(struct ft_scan *s, const char *p, struct ft_range *x)
{
    if (s->end - p < 2 * ROOM || *p != '[' || !(p = quick_number(p + 1, &x->begin)) || !(p = comma(p)) ||
        !(p = quick_number(p, &x->end)))
        return NULL;
    x->more.p = p;
    x->usual = *p == ',';
    if (x->usual) {
        int64_t message, flags;
        p = comma(p);
        const bool minus = *p == '-';
        if (!(p = quick_number(p + minus, &message)) || !(p = comma(p)) || !(p = quick_field(s, p, &x->field)) || !(p = comma(p)) ||
            !(p = quick_role(s, p, &x->role)) || !(p = comma(p)) || !(p = quick_number(p, &flags)) || flags > 255)
            return NULL;
        x->message = (int32_t)(minus ? -message : message);
        x->flags = (uint8_t)flags;
    }
    if (*p != ']')
        return NULL;
    x->more.n = (size_t)(p - x->more.p);
    x->begin = x->end < x->begin ? -1 : x->begin;
    return p + 1;
}

/* Its strings must be known to be UTF-8: an error is for the scanner proper to find. */
bool ft_scan_ranges(struct ft_scan *s, struct ft_arena *a, struct ft_range **out, uint32_t *n)
{
    const char *const begin = s->p, *p = begin + 1;
    uint32_t cap = 16;
    *n = 0;
    if (!s->utf8 || s->end - begin < 2 || begin[0] != '[' || begin[1] != '[')
        return false;
    struct ft_range *v = ft_arena_alloc(a, cap * sizeof *v);
    for (;;) {
        if (*n == cap) {
            struct ft_range *more = ft_arena_alloc(a, 2 * cap * sizeof *v);
            memcpy(more, v, cap * sizeof *v);
            v = more;
            cap *= 2;
        }
        p = quick_entry(s, p, &v[(*n)++]);
        if (!p || (*p != ',' && *p != ']')) {
            s->p = begin;
            ft_err_clear(s->e);
            return false;
        }
        if (*p == ']')
            break;
        p += 1 + (p[1] == ' ');
    }
    s->p = p + 1;
    *out = v;
    return true;
}

/* ---- any others ---- */

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

void ft_range_items(const struct ft_range *x, struct ft_str item[FT_RANGE_ITEMS])
{
    const char *p = x->more.p, *const end = p ? p + x->more.n : NULL;
    for (int i = 0; i < FT_RANGE_ITEMS; i++) {
        item[i] = (struct ft_str){0};
        p = p ? space(p) : end;
        if (p == end)
            continue;
        p = space(p + 1);
        item[i].p = p;
        p = skip(p);
        item[i].n = (size_t)(p - item[i].p);
    }
}

/* Is what is behind its bounds what a chat's spans have? */
static void judge(struct ft_range *x, int items)
{
    struct ft_str item[FT_RANGE_ITEMS];
    int64_t message, flags;
    ft_range_items(x, item);
    const int field = among(ft_span_fields, FT_SPAN_FIELDS, item[FT_RANGE_FIELD]), role = among(ft_span_roles, FT_SPAN_ROLES, item[FT_RANGE_ROLE]);
    x->usual = items == FT_RANGE_ITEMS && field >= 0 && role >= 0 && !ft_range_int(item[FT_RANGE_MESSAGE], &message) &&
               message == (int32_t)message && !ft_range_int(item[FT_RANGE_FLAGS], &flags) && flags >= 0 && flags <= 255;
    if (!x->usual)
        return;
    x->field = (uint8_t)field;
    x->role = (uint8_t)role;
    x->message = (int32_t)message;
    x->flags = (uint8_t)flags;
}

/* The entry at p, and behind it. */
static const char *entry(const char *p, struct ft_range *x)
{
    *x = (struct ft_range){.begin = -1};
    if (*p != '[')
        return skip(p);
    struct ft_str first[2] = {{0}};
    int items = 0;
    for (p = space(p + 1); *p != ']'; items++) {
        const char *end = skip(p);
        if (items < 2)
            first[items] = (struct ft_str){p, (size_t)(end - p)};
        p = space(end);
        if (*p == ',')
            p = space(p + 1);
        if (items == 1)
            x->more = (struct ft_str){end, 0};
    }
    if (ft_range_int(first[0], &x->begin) || ft_range_int(first[1], &x->end) || x->begin < 0 || x->end < x->begin)
        x->begin = -1;
    if (x->more.p) {
        x->more.n = (size_t)(p - x->more.p);
        judge(x, items - 2);
    }
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
    for (size_t i = 0; i < r->n; i++)
        if (r->fields[i].ranges && raw.p == r->line.p + r->fields[i].value.at) {
            *v = r->fields[i].ranges;
            *n = r->fields[i].n_ranges;
            return 1;
        }
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
