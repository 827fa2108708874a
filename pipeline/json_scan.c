/* The scanner: one pass that validates, remembers only what is asked for, and
 * never converts. Nesting is a bit stack, not recursion, so that hostile depth
 * costs bits instead of stack. */
#include "pipeline/json.h"
#include "pipeline/json_scan.h"

int ft_scan_fail(struct ft_scan *s, const char *at, const char *what)
{
    return ft_fail_at(s->e, FT_DATA, (uint64_t)(at - s->begin) + 1, "%s", what);
}

int ft_scan_expected(struct ft_scan *s, const char *at, const char *wanted)
{
    const uint64_t byte = (uint64_t)(at - s->begin) + 1;
    if (at >= s->end)
        return ft_fail_at(s->e, FT_DATA, byte, "JSON ends early, expected %s", wanted);
    const unsigned char c = (unsigned char)*at;
    if (c >= 0x20 && c < 0x7f)
        return ft_fail_at(s->e, FT_DATA, byte, "invalid JSON: expected %s, got '%c'", wanted, c);
    return ft_fail_at(s->e, FT_DATA, byte, "invalid JSON: expected %s, got byte 0x%02x", wanted, c);
}

int ft_scan_number(struct ft_scan *s, bool *is_float)
{
    const char *p = s->p, *end = s->end;
#define DIGIT(q) ((q) < end && *(q) >= '0' && *(q) <= '9')
    *is_float = false;
    if (*p == '-')
        p++;
    if (!DIGIT(p))
        return ft_scan_expected(s, p, "a digit");
    if (*p == '0') {
        p++;
        if (DIGIT(p))
            return ft_scan_fail(s, p, "invalid JSON: a number with a leading zero");
    } else {
        while (DIGIT(p))
            p++;
    }
    if (p < end && *p == '.') {
        *is_float = true;
        p++;
        if (!DIGIT(p))
            return ft_scan_expected(s, p, "a digit");
        while (DIGIT(p))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *is_float = true;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        if (!DIGIT(p))
            return ft_scan_expected(s, p, "a digit");
        while (DIGIT(p))
            p++;
    }
#undef DIGIT
    s->p = p;
    return 0;
}

int ft_scan_word(struct ft_scan *s, enum ft_json_type *type)
{
    const size_t left = (size_t)(s->end - s->p);
    if (left >= 4 && !memcmp(s->p, "true", 4))
        return *type = FT_JSON_TRUE, s->p += 4, 0;
    if (left >= 5 && !memcmp(s->p, "false", 5))
        return *type = FT_JSON_FALSE, s->p += 5, 0;
    if (left >= 4 && !memcmp(s->p, "null", 4))
        return *type = FT_JSON_NULL, s->p += 4, 0;
    return ft_scan_expected(s, s->p, "a value");
}

/* A scalar at s->p. */
static int scalar(struct ft_scan *s, enum ft_json_type *type)
{
    bool flag;
    if (s->p >= s->end)
        return ft_scan_expected(s, s->p, "a value");
    if (*s->p == '"')
        return *type = FT_JSON_STRING, ft_scan_string(s, &flag);
    if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
        return *type = FT_JSON_NUMBER, ft_scan_number(s, &flag);
    return ft_scan_word(s, type);
}

int ft_scan_key(struct ft_scan *s, struct ft_str *inside, bool *escaped)
{
    if (s->p >= s->end || *s->p != '"')
        return ft_scan_expected(s, s->p, "a member name in quotes");
    const char *begin = s->p + 1;
    if (ft_scan_string(s, escaped))
        return -1;
    *inside = (struct ft_str){begin, (size_t)(s->p - 1 - begin)};
    ft_scan_space(s);
    if (s->p >= s->end || *s->p != ':')
        return ft_scan_expected(s, s->p, "':'");
    s->p++;
    ft_scan_space(s);
    return 0;
}

/* Token ids fill most records of this pipe. At p, where an element of an array
 * begins: behind the commas of all elements that are short integers and have
 * one. What is anything else is left for the scanner proper. */
static const char *short_integers(const char *p, const char *end)
{
    while (end - p >= 9) {
        const char *q = p;
        uint64_t digits;
        while (q < p + 2 && *q == ' ')
            q++;
        q += *q == '-';
        if (end - q < 8)
            break;
        const int n = ft_scan_digits(q, &digits);
        if (n == 0 || n == 8 || (n > 1 && *q == '0') || q[n] != ',')
            break;
        p = q + n + 1;
    }
    return p;
}

int ft_scan_skip(struct ft_scan *s, enum ft_json_type *type)
{
    unsigned char object[FT_JSON_DEPTH / 8]; /* bit d: level d is an object */
    int depth = 0;
    enum ft_json_type inner;
    struct ft_str key;
    bool esc;
#define IS_OBJECT(d) (object[(d) >> 3] >> ((d) & 7) & 1)
    *type = FT_JSON_NULL;
value:
    if (depth && !IS_OBJECT(depth - 1)) {
        s->p = short_integers(s->p, s->end);
        ft_scan_space(s);
    }
    if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
        const bool obj = *s->p == '{';
        if (depth == FT_JSON_DEPTH)
            return ft_scan_fail(s, s->p, "JSON nested too deeply (limit 2048)");
        if (depth == 0)
            *type = obj ? FT_JSON_OBJECT : FT_JSON_ARRAY;
        if (obj)
            object[depth >> 3] |= (unsigned char)(1u << (depth & 7));
        else
            object[depth >> 3] &= (unsigned char)~(1u << (depth & 7));
        depth++;
        s->p++;
        ft_scan_space(s);
        if (s->p < s->end && *s->p == (obj ? '}' : ']')) {
            s->p++;
            depth--;
            goto after;
        }
        if (obj && ft_scan_key(s, &key, &esc))
            return -1;
        goto value;
    }
    if (scalar(s, depth ? &inner : type))
        return -1;
after:
    while (depth) {
        const bool obj = IS_OBJECT(depth - 1);
        ft_scan_space(s);
        if (s->p < s->end && *s->p == ',') {
            s->p++;
            ft_scan_space(s);
            if (obj && ft_scan_key(s, &key, &esc))
                return -1;
            goto value;
        }
        if (s->p >= s->end || *s->p != (obj ? '}' : ']'))
            return ft_scan_expected(s, s->p, obj ? "',' or '}'" : "',' or ']'");
        s->p++;
        depth--;
    }
#undef IS_OBJECT
    return 0;
}

int ft_scan_end(struct ft_scan *s)
{
    ft_scan_space(s);
    return s->p < s->end ? ft_scan_expected(s, s->p, "the end of the line") : 0;
}

int ft_json_check(const char *p, size_t n, struct ft_err *e)
{
    struct ft_arena mem = {0};
    uint64_t few[FT_SCAN_FEW];
    struct ft_scan s;
    enum ft_json_type type;
    ft_scan_open(&s, p, n, few, &mem, e);
    ft_scan_space(&s);
    const int r = ft_scan_skip(&s, &type) || ft_scan_end(&s) ? -1 : 0;
    ft_arena_release(&mem);
    return r;
}

/* Does a value at s->p have more in it than numbers? As far as its beginning tells. */
static bool wants_tree(const struct ft_scan *s)
{
    const char *p = s->p;
    if (p >= s->end || (*p != '{' && *p != '['))
        return false;
    for (p++; p < s->end && (*p == ' ' || *p == '[');)
        p++;
    return p < s->end && *p != '-' && !(*p >= '0' && *p <= '9');
}

static int scan(const char *p, size_t n, struct ft_arena *a, struct ft_field **fields, size_t *count, bool trees,
                struct ft_err *e)
{
    uint64_t few[FT_SCAN_FEW];
    struct ft_scan s;
    size_t cap = 16, k = 0;
    if (n >= UINT32_MAX)
        return ft_fail_at(e, FT_DATA, 1, "record of %zu bytes: the limit is 4 GiB", n);
    ft_scan_open(&s, p, n, few, a, e);
    ft_scan_space(&s);
    if (s.p >= s.end || *s.p != '{')
        return ft_scan_expected(&s, s.p, "a JSON object");
    struct ft_field *f = ft_arena_alloc(a, cap * sizeof *f);
    s.p++;
    ft_scan_space(&s);
    if (s.p < s.end && *s.p == '}') {
        s.p++;
    } else {
        for (;;) {
            struct ft_str key;
            if (k == cap) {
                struct ft_field *more = ft_arena_alloc(a, 2 * cap * sizeof *f);
                memcpy(more, f, cap * sizeof *f);
                f = more;
                cap *= 2;
            }
            if (ft_scan_key(&s, &key, &f[k].key_escaped))
                return -1;
            const char *begin = s.p;
            f[k].tree = NULL;
            f[k].ranges = NULL;
            f[k].edit = NULL;
            f[k].stamp = ft_scan_stamp(&s, key, a);
            if (f[k].stamp) {
                f[k].type = FT_JSON_OBJECT;
            } else if (trees && wants_tree(&s)) {
                f[k].tree = ft_arena_alloc(a, sizeof *f[k].tree);
                if (ft_scan_tree(&s, a, NULL, f[k].tree))
                    return -1;
                f[k].type = f[k].tree->type;
            } else if (ft_scan_holds_ranges(key) && ft_scan_ranges(&s, a, &f[k].ranges, &f[k].n_ranges)) {
                f[k].type = FT_JSON_ARRAY;
            } else if (ft_scan_skip(&s, &f[k].type)) {
                return -1;
            }
            f[k].key = (struct ft_span){(uint32_t)(key.p - p), (uint32_t)key.n};
            f[k].value = (struct ft_span){(uint32_t)(begin - p), (uint32_t)(s.p - begin)};
            k++;
            ft_scan_space(&s);
            if (s.p < s.end && *s.p == ',') {
                s.p++;
                ft_scan_space(&s);
                continue;
            }
            if (s.p >= s.end || *s.p != '}')
                return ft_scan_expected(&s, s.p, "',' or '}'");
            s.p++;
            break;
        }
    }
    *fields = f;
    *count = k;
    return ft_scan_end(&s);
}

int ft_json_scan(const char *p, size_t n, struct ft_arena *a, struct ft_field **fields, size_t *count,
                 struct ft_err *e)
{
    return scan(p, n, a, fields, count, false, e);
}

int ft_json_scan_trees(const char *p, size_t n, struct ft_arena *a, struct ft_field **fields, size_t *count,
                       struct ft_err *e)
{
    return scan(p, n, a, fields, count, true, e);
}
