#include "pipeline/pipe_split.h"
#include "tests/unit/test.h"

/* The commands joined by newlines, or the message. */
static const char *split(const char *s)
{
    static char out[1000];
    struct ft_arena a = {0};
    struct ft_err e = {0};
    char **stages;
    size_t n;

    out[0] = 0;
    if (ft_pipe_split(s, &a, &stages, &n, &e))
        snprintf(out, sizeof out, "error: %s", e.msg);
    else
        for (size_t i = 0; i < n; i++)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? "\n" : "", stages[i]);
    ft_arena_release(&a);
    return out;
}

TEST(pipes_are_cut_and_trimmed)
{
    CHECK_STR(split("a"), "a");
    CHECK_STR(split(" a -x  |\n b|c "), "a -x\nb\nc");
}

TEST(quotes_and_brackets_hide_pipes)
{
    CHECK_STR(split("a 'x|y' | b \"p|\\\"|q\" | c \\| d"), "a 'x|y'\nb \"p|\\\"|q\"\nc \\| d");
    CHECK_STR(split("(a | b) | c $(d | e) | { f | g; }"), "(a | b)\nc $(d | e)\n{ f | g; }");
    CHECK_STR(split("a `b | c` | d ${x:-'}|'} | e ')|('"), "a `b | c`\nd ${x:-'}|'}\ne ')|('");
    CHECK_STR(split("(a ')' | b) | c"), "(a ')' | b)\nc");
    CHECK_STR(split("a >| f | b"), "a >| f\nb");
    CHECK_STR(split("a ) | b }"), "a )\nb }"); /* the shell will complain */
}

TEST(what_is_no_pipe_is_refused)
{
    CHECK_STR(split(""), "error: stage 1 of the pipe is empty");
    CHECK_STR(split("a | | b"), "error: stage 2 of the pipe is empty");
    CHECK_STR(split("a |"), "error: stage 2 of the pipe is empty");
    CHECK_STR(split("a || b"), "error: '||' cannot stand between the stages of a pipe");
    CHECK_STR(split("a |& b"), "error: '|&' cannot stand between the stages of a pipe");
    CHECK_STR(split("a | b 'c"), "error: a quote is not closed in stage 2 of the pipe");
    CHECK_STR(split("a (b | c"), "error: a bracket is not closed in stage 1 of the pipe");
    CHECK_STR(split("a \\"), "error: a backslash is not closed in stage 1 of the pipe");
    CHECK_STR(split("a \"b\\"), "error: a quote is not closed in stage 1 of the pipe");
}
