/* Values: parsed, loaded, asked. */
#include "pipeline/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/json_scan.h"

int ft_json_parse_but(const char *p, size_t n, struct ft_arena *a, const char *const *but, struct ft_json *out, struct ft_err *e)
{
    uint64_t few[FT_SCAN_FEW];
    struct ft_scan s;
    ft_scan_open(&s, p, n, few, a, e);
    ft_scan_space(&s);
    return ft_scan_tree(&s, a, but, out) || ft_scan_end(&s) ? -1 : 0;
}

int ft_json_parse(const char *p, size_t n, struct ft_arena *a, struct ft_json *out, struct ft_err *e)
{
    return ft_json_parse_but(p, n, a, NULL, out, e);
}

int ft_json_read(const char *path, struct ft_arena *a, struct ft_str *text, struct ft_err *e)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return ft_fail_errno(e, "cannot open '%s'", path);
    if (fstat(fd, &st) || S_ISDIR(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            errno = EISDIR;
        ft_fail_errno(e, "cannot read '%s'", path);
        close(fd);
        return -1;
    }
    char *p = ft_arena_alloc(a, (size_t)st.st_size + 1);
    ft_large_hint(p, (size_t)st.st_size);
    size_t n = 0;
    while (n < (size_t)st.st_size) {
        const ssize_t k = read(fd, p + n, (size_t)st.st_size - n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            ft_fail_errno(e, "cannot read '%s'", path);
            close(fd);
            return -1;
        }
        if (k == 0)
            break;
        n += (size_t)k;
    }
    close(fd);
    *text = (struct ft_str){p, n};
    return 0;
}

int ft_json_parse_file(const char *path, struct ft_str text, struct ft_arena *a, const char *const *but, struct ft_json *out,
                       struct ft_err *e)
{
    const size_t bom = ft_str_starts(text, FT_STR("\xef\xbb\xbf")) ? 3 : 0;
    if (ft_json_parse_but(text.p + bom, text.n - bom, a, but, out, e))
        return e ? ft_fail_in(e, e->byte ? "%s: byte %llu: " : "%s: ", path, (unsigned long long)e->byte)
                 : -1;
    return 0;
}

int ft_json_load(const char *path, struct ft_arena *a, struct ft_json *out, struct ft_err *e)
{
    struct ft_str text;
    return ft_json_read(path, a, &text, e) || ft_json_parse_file(path, text, a, NULL, out, e) ? -1 : 0;
}

/* The member when it is there and not null. */
static const struct ft_json *there(const struct ft_json *v, const char *key)
{
    const struct ft_json *m = ft_json_get(v, key);
    return m && m->type != FT_JSON_NULL ? m : NULL;
}

int ft_json_get_bool(const struct ft_json *v, const char *key, bool *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_TRUE && m->type != FT_JSON_FALSE)
        return ft_fail(e, FT_DATA, "member \"%s\" is not true or false", key);
    *out = m->type == FT_JSON_TRUE;
    return 0;
}

int ft_json_get_int(const struct ft_json *v, const char *key, int64_t *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_NUMBER || ft_json_int(m, out))
        return ft_fail(e, FT_DATA, "member \"%s\" is not a whole number", key);
    return 0;
}

int ft_json_get_real(const struct ft_json *v, const char *key, double *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_NUMBER)
        return ft_fail(e, FT_DATA, "member \"%s\" is not a number", key);
    *out = ft_json_real(m);
    return 0;
}

int ft_json_get_string(const struct ft_json *v, const char *key, struct ft_str *out, struct ft_err *e)
{
    const struct ft_json *m = there(v, key);
    if (!m)
        return 0;
    if (m->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "member \"%s\" is not a string", key);
    *out = m->s;
    return 0;
}

int ft_json_int(const struct ft_json *v, int64_t *out)
{
    if (v->type != FT_JSON_NUMBER || v->is_float)
        return -1;
    const bool neg = v->s.p[0] == '-';
    uint64_t u = 0;
    for (size_t i = neg; i < v->s.n; i++) {
        const uint64_t d = (uint64_t)(v->s.p[i] - '0');
        if (__builtin_mul_overflow(u, 10u, &u) || __builtin_add_overflow(u, d, &u))
            return -1;
    }
    if (u > (uint64_t)INT64_MAX + neg)
        return -1;
    *out = neg ? (int64_t)(0 - u) : (int64_t)u;
    return 0;
}

double ft_json_real(const struct ft_json *v)
{
    char tmp[64];
    if (v->s.n < sizeof tmp) { /* strtod needs a NUL */
        memcpy(tmp, v->s.p, v->s.n);
        tmp[v->s.n] = 0;
        return strtod(tmp, NULL);
    }
    char *z = ft_malloc(v->s.n + 1);
    memcpy(z, v->s.p, v->s.n);
    z[v->s.n] = 0;
    const double d = strtod(z, NULL);
    free(z);
    return d;
}
