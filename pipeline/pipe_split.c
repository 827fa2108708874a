#include "pipeline/pipe_split.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static int add(struct ft_arena *a, const char *from, const char *to, char ***stages, size_t *count, struct ft_err *e)
{
    char **more = FT_NEWS(a, char *, *count + 2);

    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    if (from == to)
        return ft_fail(e, FT_USAGE, "stage %zu of the pipe is empty", *count + 1);
    if (*count)
        memcpy(more, *stages, *count * sizeof *more);
    more[(*count)++] = ft_arena_dup(a, from, (size_t)(to - from));
    *stages = more;
    return 0;
}

/* Behind the quote or bracket that opens at p, NULL when it is not closed. The
 * depth is that of the text: one level a byte at most, so it is a loop. */
static const char *skip(const char *p)
{
    size_t depth = 0;

    do {
        const char c = *p;
        if (!c)
            return NULL;
        if (c == '\\') {
            if (!p[1])
                return NULL;
            p += 2;
            continue;
        }
        if (c == '\'' || c == '"' || c == '`') {
            for (p++; *p != c; p++) {
                if (c != '\'' && *p == '\\')
                    p++;
                if (!*p)
                    return NULL;
            }
        }
        depth += c == '(' || c == '{';
        depth -= (c == ')' || c == '}') && depth;
        p++;
    } while (depth);
    return p;
}

int ft_pipe_split(const char *s, struct ft_arena *a, char ***stages, size_t *count, struct ft_err *e)
{
    const char *from = s, *p = s;

    *stages = NULL;
    *count = 0;
    while (*p) {
        if (*p != '|') {
            const char *next = skip(p);
            if (!next)
                return ft_fail(e, FT_USAGE, "%s is not closed in stage %zu of the pipe",
                               *p == '\\' ? "a backslash" : *p == '\'' || *p == '"' || *p == '`' ? "a quote"
                                                                                                  : "a bracket",
                               *count + 1);
            p = next;
            continue;
        }
        if (p > from && p[-1] == '>') { /* >| is a redirection */
            p++;
            continue;
        }
        if (p[1] == '|' || p[1] == '&')
            return ft_fail(e, FT_USAGE, "'|%c' cannot stand between the stages of a pipe", p[1]);
        if (add(a, from, p, stages, count, e))
            return -1;
        from = ++p;
    }
    return add(a, from, p, stages, count, e);
}
