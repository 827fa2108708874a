/* Every case of tests/golden/jinja: what transformers made of a template. */
#include <unistd.h>

#include "pipeline/json.h"
#include "templates/template.h"
#include "tests/unit/test.h"

/* Syntax errors are worded by us in places; the others are Python's to the letter. */
static bool same_type(const char *want, const char *got)
{
    static const char *const loose[] = {"TemplateSyntaxError", "TemplateAssertionError", "SyntaxError"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(want, loose[i]))
            return true;
    return !strcmp(want, got);
}

static void run(struct ft_render *r, const struct ft_json *common, const struct ft_json *row, struct ft_arena *a, int *bad,
                bool spans)
{
    const struct ft_json *ctx = ft_json_get(row, "c"), *text = ft_json_get(row, "text"), *error = ft_json_get(row, "error"),
                         *gens = ft_json_get(row, "gens");
    struct ft_str src = {0};
    struct ft_err e = {0};
    const struct tm now = {.tm_year = 125, .tm_mon = 2, .tm_mday = 5, .tm_hour = 7, .tm_min = 8, .tm_sec = 9, .tm_wday = 3, .tm_yday = 63};
    static const struct ft_json none = {.type = FT_JSON_NULL}, no = {.type = FT_JSON_FALSE};
    ft_json_get_string(row, "t", &src, &e);
    ctx = ctx ? ctx : common;
    struct ft_var *v = FT_NEWS(a, struct ft_var, ctx->n + 4);
    v[0] = (struct ft_var){FT_STR("messages"), &none};
    v[1] = (struct ft_var){FT_STR("tools"), &none};
    v[2] = (struct ft_var){FT_STR("documents"), &none};
    v[3] = (struct ft_var){FT_STR("add_generation_prompt"), &no};
    for (size_t i = 0; i < ctx->n; i++)
        v[4 + i] = (struct ft_var){ctx->members[i].key, &ctx->members[i].value};
    struct ft_template *t = ft_template_compile(src.p, src.n, &e);
    struct ft_rendered out = {0};
    const struct ft_render_args args = {.vars = v, .nvars = ctx->n + 4, .now = &now, .spans = spans};
    const int failed = !t || ft_render(r, t, &args, &out, &e);
    const char *type = t ? ft_render_failure(r)->type : "TemplateSyntaxError";
    bool good;
    if (error) {
        const struct ft_str msg = t && failed ? ft_render_failure(r)->text : (struct ft_str){0};
        const char *want = ft_str_z(a, error->items[0].s);
        const bool loose = same_type(want, "") || strstr(ft_str_z(a, error->items[1].s), "sequence item ");
        /* what we refuse by name may fail in Python for another reason */
        int64_t line = 0;
        const bool there = error->n < 3 || ft_json_int(&error->items[2], &line) || !line || !t || !failed ||
                           ft_render_failure(r)->line == line;
        good = failed && (!type || !strcmp(type, "LimitError") || (same_type(want, type) && there && (loose || ft_str_eq(msg, error->items[1].s))));
    } else {
        good = !failed && ft_str_eq(out.text, text->s);
        for (size_t i = 0; good && gens && i < gens->n; i++) {
            int64_t b, c;
            good = out.ngens == gens->n && !ft_json_int(&gens->items[i].items[0], &b) && !ft_json_int(&gens->items[i].items[1], &c) &&
                   out.gens[i].char_begin == (size_t)b && out.gens[i].char_end == (size_t)c;
        }
    }
    /* spans: sorted, disjoint, inside the text */
    for (size_t i = 0; good && !failed && i < out.nspans; i++)
        good = out.spans[i].begin < out.spans[i].end && out.spans[i].end <= out.text.n && out.spans[i].leaf &&
               (!i || out.spans[i - 1].end <= out.spans[i].begin);
    if (!good && ++*bad <= 10) {
        printf("  %.*s\n  wanted %.*s %.*s\n  got %s %.*s\n", (int)src.n, src.p, text ? (int)text->s.n : 5, text ? text->s.p : "error",
               error ? (int)error->raw.n : 0, error ? error->raw.p : "", failed ? e.msg : "", (int)out.text.n, out.text.p ? out.text.p : "");
    }
    ft_template_free(t);
}

static void all(bool spans)
{
    struct ft_arena file = {0}, a = {0};
    struct ft_json common, row;
    struct ft_render *r = ft_render_new();
    FILE *f = fopen(test_path("golden/jinja/cases.jsonl"), "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int bad = 0, count = 0;
    struct ft_err e = {0};
    REQUIRE(f != NULL);
    while ((n = getline(&line, &cap, f)) > 0) {
        ft_arena_reset(&a);
        if (!count++) {
            char *copy = ft_arena_dup(&file, line, (size_t)n);
            REQUIRE(!ft_json_parse(copy, (size_t)n, &file, &common, &e));
            common = *ft_json_get(&common, "common");
            continue;
        }
        REQUIRE(!ft_json_parse(line, (size_t)n, &a, &row, &e));
        run(r, &common, &row, &a, &bad, spans);
    }
    CHECK(count > 1000);
    CHECK_EQ(bad, 0);
    fclose(f);
    free(line);
    ft_render_free(r);
    ft_arena_release(&a);
    ft_arena_release(&file);
}

TEST(every_recorded_template_gives_what_jinja2_gave) { all(false); }
TEST(provenance_changes_no_byte_and_its_spans_are_in_order) { all(true); }
