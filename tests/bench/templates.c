/* templates.c -- the template engine alone, over pipes, for comparing and timing.
 *
 * A line {"template": TEXT, "context": {...}} gives {"text": ..., "gens": [[b,e],...]}
 * or {"error": {"type", "message", "line"}}. A template that equals the line
 * before's is not compiled again; a line without one uses it. strftime_now sees
 * 2025-03-05 07:08:09. With "spans": true the origins come too.
 *
 * templates --time N: renders every line N times and says how long one takes:
 * {"compile": seconds, "render": seconds}. */
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

int main(int argc, char **argv)
{
    const int times = argc > 2 && !strcmp(argv[1], "--time") ? atoi(argv[2]) : 0;
    struct tm tm = {.tm_year = 125, .tm_mon = 2, .tm_mday = 5, .tm_hour = 7, .tm_min = 8, .tm_sec = 9, .tm_wday = 3, .tm_yday = 63};
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
