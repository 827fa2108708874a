/* Splitting rules against the library's answers (tests/golden/tokenizer/record_regex.py), by PCRE2 and, where there is one, by the automaton. */
#include "pipeline/json.h"
#include "tests/unit/file.h"
#include "tests/unit/test.h"
#include "tokenizer/automaton.h"
#include "tokenizer/pattern.h"
#include "tokenizer/pretok.h"

static struct tk_pretok *split(struct ft_str regex, struct ft_arena *mem, struct ft_err *e)
{
    struct ft_buf s = {0};
    struct ft_json j;
    struct tk_pretok *t = NULL;
    ft_buf_putz(&s, "{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,\"pattern\":{\"Regex\":");
    ft_json_put_str(&s, regex);
    ft_buf_putz(&s, "}}");
    REQUIRE(!ft_json_parse(s.p, s.n, mem, &j, e));
    if (tk_pretok_load(&j, false, &t, e))
        t = NULL;
    ft_buf_release(&s);
    return t;
}

static bool same_ends(const struct tk_pieces *got, const struct ft_json *want)
{
    for (size_t i = 0; i < got->n && i < want->n; i++) {
        int64_t end;
        if (ft_json_int(&want->items[i], &end) || got->v[i].base + got->v[i].n != end)
            return false;
    }
    return got->n == want->n;
}

static bool same_matches(struct ft_str regex, struct ft_str t, struct tk_matcher *m)
{
    struct ft_err e = {0};
    struct tk_regex *re = tk_regex_new(regex, &e);
    struct tk_automaton *a = tk_automaton_new(regex);
    bool same = true;
    for (size_t at = 0; re && a && at < t.n && same;) {
        size_t b, end;
        int len;
        const int found = tk_regex_find(re, m, t.p, t.n, at, &b, &end, &e);
        const size_t to = tk_automaton_match(a, t.p, t.n, at);
        same = to == (found > 0 && b == at ? end : at);
        ft_utf8_get(t.p + at, &len);
        at += (size_t)len;
    }
    tk_automaton_free(a);
    tk_regex_free(re);
    return same;
}

/* Long text goes by a table, with the same matches. */
static bool same_far(struct ft_str regex, struct ft_str t)
{
    struct tk_matcher *m = tk_matcher_new();
    struct ft_err e = {0};
    struct ft_arena mem = {0};
    struct tk_pattern pat = {.source = regex, .regex = tk_regex_new(regex, &e)};
    struct ft_buf text = {0};
    struct tk_match *v;
    size_t k = 0;
    bool same = true;
    while (pat.regex && text.n < 1 << 14)
        ft_buf_puts(&text, t);
    if (pat.regex && text.n && tk_matcher_table(m, pat.regex, regex)) {
        same = !tk_pattern_find(&pat, m, &mem, text.p, text.n, &v, &k, &e);
        size_t i = 0;
        for (size_t at = 0, b, end; same && tk_regex_find(pat.regex, m, text.p, text.n, at, &b, &end, &e) > 0; at = end, i++)
            same = i < k && v[i].b == b && v[i].e == end;
        same = same && i == k;
    }
    tk_matcher_free(m);
    tk_pattern_release(&pat);
    ft_buf_release(&text);
    ft_arena_release(&mem);
    return same;
}

TEST(patterns_split_as_in_the_library)
{
    struct ft_buf file = {0};
    file_read(test_path("golden/tokenizer/regex.jsonl"), &file);
    struct ft_arena mem = {0};
    struct tk_work w = {0};
    struct tk_matcher *m = tk_matcher_new();
    int n = 0, refused = 0;
    for (size_t at = 0; at < file.n;) {
        const char *nl = memchr(file.p + at, '\n', file.n - at);
        REQUIRE(nl != NULL);
        struct ft_json row;
        struct ft_err e = {0};
        ft_arena_reset(&mem);
        REQUIRE(!ft_json_parse(file.p + at, (size_t)(nl - (file.p + at)), &mem, &row, &e));
        at = (size_t)(nl - file.p) + 1;
        const struct ft_str regex = ft_json_get(&row, "r")->s, text = ft_json_get(&row, "t")->s;
        const struct ft_json *want = ft_json_get(&row, "at");
        struct tk_pretok *t = split(regex, &mem, &e);
        n++;
        if (want->type == FT_JSON_ARRAY && !t) {
            refused++; /* by name */
            CHECK(strstr(e.msg, "supported") || strstr(e.msg, "lookbehind assertion is not fixed length"));
        } else if (want->type == FT_JSON_ARRAY) {
            ft_arena_reset(&w.mem);
            w.a.n = 0;
            tk_push(&w.a, (struct tk_piece){.p = text.p, .n = (uint32_t)text.n, .id = -1});
            CHECK(!tk_pretokenize(t, &w, m, &e));
            const bool same = same_ends(&w.a, want), by_table = same_matches(regex, text, m) && (n % 4 || same_far(regex, text));
            if (!same || !by_table)
                printf("  %.*s%s\n", (int)regex.n, regex.p, same ? " (automaton)" : "");
            CHECK(same && by_table);
        }
        tk_pretok_free(t);
    }
    CHECK(n > 500);
    CHECK_EQ(refused, 32);
    tk_matcher_free(m);
    ft_arena_release(&mem);
    ft_arena_release(&w.mem);
    free(w.a.v);
    free(w.b.v);
    ft_buf_release(&file);
}
