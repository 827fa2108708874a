/* templates.c -- the template engine alone, over pipes, for comparing and timing.
 *
 * A line {"template": TEXT, "context": {...}} gives {"text": ..., "gens": [[b,e],...]}
 * or {"error": {"type", "message", "line"}}. A template that equals the line
 * before's is not compiled again; a line without one uses it. strftime_now sees
 * 2025-03-05 07:08:09. With "spans": true the origins come too.
 *
 * templates --time N: renders every line N times and says how long one takes:
 * {"compile": seconds, "render": seconds}.
 *
 * templates --stream N: the lines of one template, N times one after the other as a stream
 * has them (no render knows the one before it): what a render takes alone, with the origins,
 * and with the line's JSON parsed for it as well: {"renders", "alone", "origins", "parsed"}. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "templates/template.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void put_error(struct ft_buf *b, const char *type, struct ft_str message, unsigned line)
{
    ft_buf_printf(b, "{\"error\":{\"type\":\"%s\",\"line\":%u,\"message\":", type, line);
    ft_json_put_str(b, message);
    ft_buf_putz(b, "}}\n");
}

/* ---- --stream ---- */

struct line {
    struct ft_str text;
    struct ft_var *vars;
    size_t n;
};

/* A line's tree and its variables, in the arena. */
static const struct ft_json *read_line(struct ft_arena *a, struct line *l)
{
    struct ft_json *j = FT_NEW(a, struct ft_json);
    struct ft_err e = {0};
    if (ft_json_parse(l->text.p, l->text.n, a, j, &e)) {
        fprintf(stderr, "templates: %s\n", e.msg);
        exit(1);
    }
    const struct ft_json *c = ft_json_get(j, "context");
    l->n = c ? c->n : 0;
    l->vars = FT_NEWS(a, struct ft_var, l->n);
    for (size_t i = 0; i < l->n; i++)
        l->vars[i] = (struct ft_var){c->members[i].key, &c->members[i].value};
    return j;
}

/* Seconds for all lines once; `parse`: into this arena first. */
static double pass(struct ft_render *r, const struct ft_template *t, struct line *v, size_t n, const struct tm *tm, bool spans,
                   struct ft_arena *parse)
{
    const double start = now();
    for (size_t i = 0; i < n; i++) {
        struct ft_rendered x;
        struct ft_err e = {0};
        if (parse) {
            ft_arena_reset(parse);
            read_line(parse, &v[i]);
        }
        const struct ft_render_args args = {.vars = v[i].vars, .nvars = v[i].n, .now = tm, .spans = spans};
        if (ft_render(r, t, &args, &x, &e)) {
            fprintf(stderr, "templates: %s\n", e.msg);
            exit(1);
        }
    }
    return now() - start;
}

static int stream(int times, const struct tm *tm)
{
    struct ft_render *r = ft_render_new();
    struct ft_template *t = NULL;
    struct ft_arena all = {0}, one = {0};
    struct ft_err e = {0};
    struct line *v = NULL;
    size_t n = 0, cap = 0;
    char *line = NULL;
    ssize_t got;
    while ((got = getline(&line, &cap, stdin)) > 0) {
        v = ft_reallocs(v, n + 1, sizeof *v);
        v[n].text = (struct ft_str){ft_arena_dup(&all, line, (size_t)got), (size_t)got};
        const struct ft_json *j = read_line(&all, &v[n]), *text = ft_json_get(j, "template");
        if (!n && !(text && (t = ft_template_compile(text->s.p, text->s.n, &e)))) {
            fprintf(stderr, "templates: %s\n", text ? e.msg : "no template");
            return 1;
        }
        n++;
    }
    double alone = 0, origins = 0, parsed = 0;
    struct line *w = ft_reallocs(NULL, n + 1, sizeof *w); /* its trees are of one pass only */
    if (n)
        memcpy(w, v, n * sizeof *w);
    for (int k = -1; t && k < times; k++) { /* the first is not counted */
        const double x = pass(r, t, v, n, tm, false, NULL), y = pass(r, t, v, n, tm, true, NULL), z = pass(r, t, w, n, tm, true, &one);
        if (k >= 0)
            alone += x, origins += y, parsed += z;
    }
    const double renders = (double)n * times;
    printf("{\"renders\":%.0f,\"alone\":%.9g,\"origins\":%.9g,\"parsed\":%.9g}\n", renders, alone / renders, origins / renders, parsed / renders);
    ft_template_free(t);
    ft_render_free(r);
    ft_arena_release(&all);
    ft_arena_release(&one);
    free(line);
    free(v);
    free(w);
    return 0;
}

int main(int argc, char **argv)
{
    const int times = argc > 2 && !strcmp(argv[1], "--time") ? atoi(argv[2]) : 0;
    struct tm tm = {.tm_year = 125, .tm_mon = 2, .tm_mday = 5, .tm_hour = 7, .tm_min = 8, .tm_sec = 9, .tm_wday = 3, .tm_yday = 63};
    if (argc > 2 && !strcmp(argv[1], "--stream"))
        return stream(atoi(argv[2]), &tm);
    struct ft_template *t = NULL;
    struct ft_render *r = ft_render_new();
    struct ft_err bad = {0};
    struct ft_arena arena = {0};
    struct ft_buf out = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    double compile = 0;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct ft_json j;
        struct ft_err e = {0};
        ft_arena_reset(&arena);
        out.n = 0;
        if (ft_json_parse(line, (size_t)n, &arena, &j, &e)) {
            fprintf(stderr, "templates: %s\n", e.msg);
            return 1;
        }
        const struct ft_json *text = ft_json_get(&j, "template");
        if (text && !(t && ft_str_eq(ft_template_source(t), text->s))) {
            ft_template_free(t);
            bad = (struct ft_err){0};
            t = ft_template_compile(text->s.p, text->s.n, &bad);
            if (times && t) {
                const double start = now();
                for (int i = 0; i < 20; i++) {
                    struct ft_template *x = ft_template_compile(text->s.p, text->s.n, &bad);
                    ft_template_free(x);
                }
                compile = (now() - start) / 20;
            }
        }
        if (!t) {
            put_error(&out, "TemplateSyntaxError", ft_strz(bad.msg), 0);
            fwrite(out.p, 1, out.n, stdout);
            fflush(stdout);
            continue;
        }
        const struct ft_json *c = ft_json_get(&j, "context");
        struct ft_var *vars = FT_NEWS(&arena, struct ft_var, c ? c->n : 0);
        for (size_t i = 0; c && i < c->n; i++)
            vars[i] = (struct ft_var){c->members[i].key, &c->members[i].value};
        bool spans = false;
        ft_json_get_bool(&j, "spans", &spans, &e);
        const struct ft_render_args args = {.vars = vars, .nvars = c ? c->n : 0, .now = &tm, .spans = spans};
        struct ft_rendered x;
        int failed = ft_render(r, t, &args, &x, &e);
        if (times) {
            const double start = now();
            for (int i = 0; i < times; i++) {
                struct ft_err none = {0};
                ft_render(r, t, &args, &x, &none);
            }
            printf("{\"compile\":%.9g,\"render\":%.9g}\n", compile, (now() - start) / times);
            continue;
        }
        if (failed) {
            const struct ft_render_error *f = ft_render_failure(r);
            put_error(&out, f->type, f->text, f->line);
        } else {
            ft_buf_putz(&out, "{\"text\":");
            ft_json_put_str(&out, x.text);
            ft_buf_putz(&out, ",\"gens\":[");
            for (size_t i = 0; i < x.ngens; i++)
                ft_buf_printf(&out, "%s[%zu,%zu,%zu,%zu]", i ? "," : "", x.gens[i].char_begin, x.gens[i].char_end, x.gens[i].begin, x.gens[i].end);
            ft_buf_putc(&out, ']');
            if (spans) {
                ft_buf_putz(&out, ",\"spans\":[");
                for (size_t i = 0; i < x.nspans; i++) {
                    struct ft_buf path = {0};
                    ft_leaf_path(r, x.spans[i].leaf, &path);
                    ft_buf_printf(&out, "%s[%zu,%zu,", i ? "," : "", x.spans[i].begin, x.spans[i].end);
                    ft_json_put_str(&out, ft_buf_str(&path));
                    ft_buf_printf(&out, ",%u]", x.spans[i].flags);
                    ft_buf_release(&path);
                }
                ft_buf_putc(&out, ']');
            }
            ft_buf_putz(&out, "}\n");
        }
        fwrite(out.p, 1, out.n, stdout);
        fflush(stdout);
    }
    ft_template_free(t);
    ft_render_free(r);
    ft_arena_release(&arena);
    ft_buf_release(&out);
    free(line);
    return 0;
}
