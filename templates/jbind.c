/* jbind.c -- arguments to parameters, by Python's rules and words. */
#include "templates/jiter.h"
#include "templates/jtext.h"

static struct ft_str next_param(const char **p, bool *optional)
{
    while (**p == ' ')
        ++*p;
    struct ft_str s = {*p, strcspn(*p, " =")};
    *p += s.n;
    *optional = **p == '=';
    *p += *optional;
    return s;
}

/* Raises when positional parameters are given by name. */
static void keywords_given(struct jrt *rt, const char *func, const char *params, const struct jargs *a)
{
    struct ft_buf names = {0};
    bool optional;
    for (struct ft_str s; (s = next_param(&params, &optional)).n;)
        for (uint32_t k = 0; k < a->nkw; k++)
            if (ft_str_eq(ft_jbytes(a->kw[k].name), s))
                ft_buf_printf(&names, "%s%.*s", names.n ? ", " : "", (int)s.n, s.p);
    if (!names.n)
        return;
    const char *z = ft_arena_dup(&rt->arena, names.p, names.n);
    ft_buf_release(&names);
    ft_jraise(rt, J_TYPE, "%s() got some positional-only arguments passed as keyword arguments: '%s'", func, z);
}

void ft_jbind(struct jrt *rt, const char *func, const char *params, unsigned implied, const struct jargs *a, struct jval *out)
{
    const bool positional = *params == '/';
    params += positional;
    const char *p = params;
    bool optional;
    uint32_t n = 0, need = 0;
    bool used[32] = {false};
    if (!a->nkw && a->n == 0 && !*p)
        return;
    if (a->nkw == 0) {
        /* the common case: positional arguments, the rest optional */
        const char *q = p, *eq = strchr(p, '=');
        uint32_t count = *p != 0, required = count;
        for (; *q; q++) {
            count += *q == ' ';
            if (q == eq)
                required = count - 1;
        }
        if (!eq)
            required = count;
        if (a->n >= required && a->n <= count) {
            for (uint32_t i = 0; i < count; i++)
                out[i] = i < a->n ? a->v[i] : (struct jval){0};
            return;
        }
    }
    if (a->nkw > 32)
        ft_jraise(rt, J_TYPE, "%s() got too many keyword arguments", func);
    for (struct ft_str s; (s = next_param(&p, &optional)).n; n++) {
        need += !optional;
        out[n] = n < a->n ? a->v[n] : (struct jval){0};
        for (uint32_t k = 0; k < a->nkw && !positional; k++)
            if (ft_str_eq(ft_jbytes(a->kw[k].name), s)) {
                if (n < a->n)
                    ft_jraise(rt, J_TYPE, "%s() got multiple values for argument '%.*s'", func, (int)s.n, s.p);
                out[n] = a->kw[k].v;
                used[k] = true;
            }
    }
    if (positional && a->nkw)
        keywords_given(rt, func, params, a);
    for (uint32_t k = 0; k < a->nkw; k++)
        if (!used[k])
            ft_jraise(rt, J_TYPE, "%s() got an unexpected keyword argument '%.*s'", func, (int)a->kw[k].name->n,
                      a->kw[k].name->p);
    if (a->n > n) {
        if (need == n)
            ft_jraise(rt, J_TYPE, "%s() takes %u positional argument%s but %u %s given", func, n + implied,
                      n + implied == 1 ? "" : "s", a->n + implied, a->n + implied == 1 ? "was" : "were");
        ft_jraise(rt, J_TYPE, "%s() takes from %u to %u positional arguments but %u were given", func, need + implied,
                  n + implied, a->n + implied);
    }
    p = params;
    uint32_t missing = 0;
    struct ft_buf names = {0};
    for (uint32_t i = 0; i < n; i++) {
        const struct ft_str s = next_param(&p, &optional);
        if (!optional && out[i].tag == J_MISSING) {
            ft_buf_printf(&names, "%s'%.*s'", missing ? (missing + 1 == need ? " and " : ", ") : "", (int)s.n, s.p);
            missing++;
        }
    }
    if (missing) {
        const char *z = ft_arena_dup(&rt->arena, names.p, names.n);
        ft_buf_release(&names);
        ft_jraise(rt, J_TYPE, "%s() missing %u required positional argument%s: %s", func, missing, missing == 1 ? "" : "s", z);
    }
}
