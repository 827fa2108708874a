#include "pipeline/cli.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/cli_priv.h"
#include "pipeline/mem.h"
#include "pipeline/str.h"

int ft_parse_size(const char *s, uint64_t *out)
{
    if (!isdigit((unsigned char)s[0]))
        return -1;
    char *end;
    errno = 0;
    uint64_t v = strtoull(s, &end, 10);
    if (errno)
        return -1;
    if (*end == '.' || *end == 'e' || *end == 'E') {
        const double d = strtod(s, &end);
        if (*end || !(d >= 0) || d > 0x1p63 || d != floor(d))
            return -1;
        *out = (uint64_t)d;
        return 0;
    }
    unsigned shift = 0;
    switch (*end) {
    case 'k': case 'K': shift = 10; end++; break;
    case 'm': case 'M': shift = 20; end++; break;
    case 'g': case 'G': shift = 30; end++; break;
    case 't': case 'T': shift = 40; end++; break;
    }
    if (*end == 'i' && shift)
        end++;
    if (*end == 'B' && shift)
        end++;
    if (*end || v > UINT64_MAX >> shift)
        return -1;
    *out = v << shift;
    return 0;
}

int ft_parse_real(const char *s, double *out)
{
    char *end;
    if (isspace((unsigned char)s[0]))
        return -1;
    double v = strtod(s, &end);
    if (end == s || !isfinite(v))
        return -1;
    if (*end == '%') {
        v /= 100;
        end++;
    }
    if (*end)
        return -1;
    *out = v;
    return 0;
}

/* ---- the two tables as one list ---- */

const struct ft_opt *ft_opt_next(const struct ft_tool *t, const struct ft_opt *o)
{
    static const struct ft_opt none = {0};
    const struct ft_opt *more = t->more ? t->more : &none;
    const struct ft_opt *n = o ? o + 1 : t->opts;
    if (n->name)
        return n;
    /* A table ended. It was `more` when o lies in it. */
    for (const struct ft_opt *m = more; o && m->name; m++)
        if (m == o)
            return NULL;
    return more->name ? more : NULL;
}

const struct ft_opt *ft_opt_find(const struct ft_tool *t, const char *name, size_t n, bool *off)
{
    *off = false;
    for (const struct ft_opt *o = ft_opt_next(t, NULL); o; o = ft_opt_next(t, o))
        if (o->type != FT_OPT_HEAD && strlen(o->name) == n && !memcmp(o->name, name, n))
            return o;
    if (n > 3 && !memcmp(name, "no-", 3))
        for (const struct ft_opt *o = ft_opt_next(t, NULL); o; o = ft_opt_next(t, o))
            if (o->type == FT_OPT_FLAG && strlen(o->name) == n - 3 && !memcmp(o->name, name + 3, n - 3)) {
                *off = true;
                return o;
            }
    return NULL;
}

static const struct ft_opt *find_letter(const struct ft_tool *t, char c)
{
    for (const struct ft_opt *o = ft_opt_next(t, NULL); o; o = ft_opt_next(t, o))
        if (o->type != FT_OPT_HEAD && o->letter == c)
            return o;
    return NULL;
}

static int choice(const char *words, const char *v)
{
    const size_t n = strlen(v);
    int i = 0;
    for (const char *w = words; *w; i++) {
        const size_t k = strcspn(w, "|");
        if (k == n && !memcmp(w, v, n))
            return i;
        w += k + (w[k] == '|');
    }
    return -1;
}

int ft_opt_set(const struct ft_opt *o, const char *v, struct ft_err *e)
{
    switch (o->type) {
    case FT_OPT_FLAG:
        *(bool *)o->to = v[0] == '1';
        break;
    case FT_OPT_STR:
        *(const char **)o->to = v;
        break;
    case FT_OPT_INT: {
        char *end;
        errno = 0;
        const long long x = strtoll(v, &end, 10);
        if (errno || *end || end == v || isspace((unsigned char)*v))
            return ft_fail(e, FT_USAGE, "option '--%s' wants a whole number, not '%s'", o->name, v);
        *(int64_t *)o->to = x;
        break;
    }
    case FT_OPT_SIZE:
        if (ft_parse_size(v, o->to))
            return ft_fail(e, FT_USAGE, "option '--%s' wants a number such as 64, 10M or 1e6, not '%s'",
                           o->name, v);
        break;
    case FT_OPT_REAL:
        if (ft_parse_real(v, o->to))
            return ft_fail(e, FT_USAGE, "option '--%s' wants a number, not '%s'", o->name, v);
        break;
    case FT_OPT_CHOICE: {
        const int i = choice(o->arg, v);
        if (i < 0)
            return ft_fail(e, FT_USAGE, "option '--%s' wants %s, not '%s'", o->name, o->arg, v);
        *(int *)o->to = i;
        break;
    }
    case FT_OPT_LIST: {
        struct ft_list *l = o->to;
        l->v = ft_reallocs(l->v, l->n + 1, sizeof *l->v);
        l->v[l->n++] = v;
        break;
    }
    case FT_OPT_HEAD:
        break;
    }
    if (o->given)
        *o->given = true;
    return 0;
}

/* ---- help ---- */

static void help_line(const struct ft_opt *o)
{
    char left[256]; /* a choice may have many words */
    if (o->type == FT_OPT_HEAD) {
        printf("\n%s:\n", o->name);
        return;
    }
    int n = o->letter ? snprintf(left, sizeof left, "  -%c, --%s", o->letter, o->name)
                      : snprintf(left, sizeof left, "      --%s", o->name);
    if (o->type != FT_OPT_FLAG)
        snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg ? o->arg : "VALUE");
    const char *help = o->help ? o->help : "";
    if (strlen(left) > 27)
        printf("%s\n%28s%s", left, "", help);
    else
        printf("%-28s%s", left, help);
    /* The default is what stands in the variable: help cannot go stale. */
    switch (o->type) {
    case FT_OPT_STR:
        if (*(const char **)o->to && **(const char **)o->to)
            printf(" [%s]", *(const char **)o->to);
        break;
    case FT_OPT_INT:
        printf(" [%lld]", (long long)*(int64_t *)o->to);
        break;
    case FT_OPT_SIZE: {
        const uint64_t v = *(uint64_t *)o->to;
        if (v >= 1u << 20 && v % (1u << 20) == 0)
            printf(" [%lluM]", (unsigned long long)(v >> 20));
        else if (v)
            printf(" [%llu]", (unsigned long long)v);
        break;
    }
    case FT_OPT_REAL:
        if (!isnan(*(double *)o->to))
            printf(" [%g]", *(double *)o->to);
        break;
    case FT_OPT_CHOICE: {
        const char *w = o->arg;
        for (int i = *(int *)o->to; i > 0 && *w; i--)
            w += strcspn(w, "|") + 1;
        if (*(int *)o->to >= 0)
            printf(" [%.*s]", (int)strcspn(w, "|"), w);
        break;
    }
    case FT_OPT_FLAG:
        if (*(bool *)o->to)
            printf(" [on]");
        break;
    default:
        break;
    }
    putchar('\n');
}

static _Noreturn void help(const struct ft_tool *t)
{
    printf("Usage: %s %s\n%s\n\n", t->name, t->usage, t->about);
    for (const struct ft_opt *o = ft_opt_next(t, NULL); o; o = ft_opt_next(t, o))
        help_line(o);
    printf("  -h, --help                show this and exit\n"
           "      --version             show the version and exit\n");
    if (t->notes)
        printf("\n%s\n", t->notes);
    printf("\nExit status: 0 good, 1 bad data, 2 usage, 3 system.\n");
    exit(ft_close_stdout(t));
}

/* ---- parsing ---- */

static void apply(const struct ft_tool *t, const struct ft_opt *o, const char *v)
{
    struct ft_err e = {0};
    if (ft_opt_set(o, v, &e))
        ft_usage(t, "%s", e.msg);
}

static void long_option(const struct ft_tool *t, const char *arg, char **argv, int argc, int *i)
{
    const char *eq = strchr(arg, '=');
    const size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
    bool off;
    const struct ft_opt *o = ft_opt_find(t, arg, n, &off);
    if (!o)
        ft_usage(t, "unknown option '--%.*s'", (int)n, arg);
    if (o->type == FT_OPT_FLAG) {
        if (eq)
            ft_usage(t, "option '--%s' takes no value", o->name);
        apply(t, o, off ? "0" : "1");
    } else if (eq) {
        apply(t, o, eq + 1);
    } else {
        if (*i + 1 >= argc)
            ft_usage(t, "option '--%s' wants a value", o->name);
        apply(t, o, argv[++*i]);
    }
}

static void short_options(const struct ft_tool *t, const char *arg, char **argv, int argc, int *i)
{
    for (; *arg; arg++) {
        const struct ft_opt *o = find_letter(t, *arg);
        if (*arg == 'h' && !o)
            help(t);
        if (!o)
            ft_usage(t, "unknown option '-%c'", *arg);
        if (o->type == FT_OPT_FLAG) {
            apply(t, o, "1");
            continue;
        }
        if (arg[1]) {
            apply(t, o, arg + 1);
        } else {
            if (*i + 1 >= argc)
                ft_usage(t, "option '-%c' wants a value", *arg);
            apply(t, o, argv[++*i]);
        }
        return;
    }
}

char **ft_cli(const struct ft_tool *t, int argc, char **argv, size_t *count)
{
    static char **volatile operands; /* where a look for leaks finds them: they are theirs while the process lasts */
    char **const files = operands = ft_calloc((size_t)argc + 1, sizeof *files);
    size_t n = 0;
    bool plain = false;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (plain || a[0] != '-' || !a[1])
            files[n++] = argv[i];
        else if (!strcmp(a, "--"))
            plain = true;
        else if (!strcmp(a, "--help"))
            help(t);
        else if (!strcmp(a, "--version")) {
            printf("%s (tuneutils) %s\n", t->name, FT_VERSION);
            exit(ft_close_stdout(t));
        } else if (a[1] == '-')
            long_option(t, a + 2, argv, argc, &i);
        else
            short_options(t, a + 1, argv, argc, &i);
    }
    if (count)
        *count = n;
    return files;
}

/* ---- messages and the end ---- */

static void say(const struct ft_tool *t, const char *kind, const char *fmt, va_list ap)
{
    /* One write a message: lines of several stages do not interleave. */
    char line[1024];
    int n = snprintf(line, sizeof line, "%s: %s", t->name, kind);
    n += vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    if (n > (int)sizeof line - 2)
        n = sizeof line - 2;
    line[n++] = '\n';
    fwrite(line, 1, (size_t)n, stderr);
}

_Noreturn void ft_usage(const struct ft_tool *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(t, "", fmt, ap);
    va_end(ap);
    fprintf(stderr, "Try '%s --help'.\n", t->name);
    exit(FT_USAGE);
}

_Noreturn void ft_die(const struct ft_tool *t, const struct ft_err *e)
{
    fprintf(stderr, "%s: %s\n", t->name, e->msg);
    exit(e->code ? e->code : FT_SYS);
}

void ft_warn(const struct ft_tool *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(t, "warning: ", fmt, ap);
    va_end(ap);
}

int ft_close_stdout(const struct ft_tool *t)
{
    const bool bad = ferror(stdout);
    errno = 0;
    if (fclose(stdout) != 0 || bad) {
        fprintf(stderr, "%s: cannot write to stdout%s%s\n", t->name, errno ? ": " : "",
                errno ? strerror(errno) : "");
        return FT_SYS;
    }
    return FT_OK;
}
