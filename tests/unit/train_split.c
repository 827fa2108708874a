#include "tokenizer/train_split.h"

#include <stdlib.h>

#include "tests/unit/test.h"

/* The words of a text, most frequent first, as "word*count|...". */
static void words_of(const char *json, bool at_spaces, struct ft_str text, struct ft_buf *out)
{
    struct ft_arena mem = {0};
    struct ft_json j;
    struct ft_err e = {0};
    struct tk_splitter *s = NULL;
    struct tk_split_state *st = tk_split_state_new();
    struct tk_tally t = {0};
    struct tk_words w = {0};
    CHECK(ft_json_parse(json, strlen(json), &mem, &j, &e) == 0);
    if (tk_splitter_load(&j, at_spaces, &s, &e))
        printf("  %s\n", e.msg);
    REQUIRE(s);
    CHECK(tk_split(s, st, text, true, &t, &e) == 0);
    CHECK(tk_tally_finish(&t, 1, 0, &w, &e) == 0);
    for (size_t i = 0; i < w.n; i++)
        ft_buf_printf(out, "%.*s*%d|", (int)w.v[i].n, w.v[i].p, (int)w.v[i].count);
    tk_words_release(&w);
    tk_split_state_free(st);
    tk_splitter_free(s);
    ft_arena_release(&mem);
}

static bool same(const char *a, const char *b, struct ft_str text)
{
    struct ft_buf x = {0}, y = {0};
    words_of(a, false, text, &x);
    words_of(b, false, text, &y);
    const bool ok = ft_str_eq(ft_buf_str(&x), ft_buf_str(&y));
    if (!ok)
        printf("  %.*s\n  %.*s\n", (int)x.n, x.p, (int)y.n, y.p);
    ft_buf_release(&x);
    ft_buf_release(&y);
    return ok;
}

#define ADDED "\"added_tokens\":[{\"id\":0,\"content\":\"<x>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false," \
              "\"normalized\":false,\"special\":true}],\"normalizer\":null,\"pre_tokenizer\":"
#define META(scheme) "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"" scheme "\",\"split\":true}"
#define BYTES(regex) "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":" regex "}"
#define SEQUENCE(list) "{\"type\":\"Sequence\",\"pretokenizers\":[" list "]}"

/* A Sequence hides from the quick ways what it holds: the plain way is the oracle. */
TEST(the_quick_ways_cut_as_the_plain_one)
{
    static const char *const pairs[][2] = {
        {"{" ADDED META("first") "}", "{" ADDED SEQUENCE(META("first")) "}"},
        {"{" ADDED META("always") "}", "{" ADDED SEQUENCE(META("always")) "}"},
        {"{" ADDED META("never") "}", "{" ADDED SEQUENCE(META("never")) "}"},
        {"{" ADDED BYTES("true") "}", "{" ADDED SEQUENCE(BYTES("true")) "}"},
    };
    static const char *const bits[] = {" ", "  ", "\xe2\x96\x81", "<x>", "a", "b1", "가", "한국어", "\xe2\x96\x80", "\n", "'s", "\xe2\x80\x83", "."};
    uint64_t state = 1;
    for (int round = 0; round < 300; round++) {
        struct ft_buf text = {0};
        for (int k = round % 12; k >= 0; k--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            ft_buf_putz(&text, bits[(state >> 33) % (sizeof bits / sizeof *bits)]);
        }
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++)
            CHECK(same(pairs[p][0], pairs[p][1], ft_buf_str(&text)));
        ft_buf_release(&text);
    }
}

TEST(words_end_before_runs_of_marks_where_asked)
{
    struct ft_buf out = {0};
    const char *llama = "{\"added_tokens\":[],\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
                        "\"content\":\"\xe2\x96\x81\"},\"pre_tokenizer\":null}";
    words_of(llama, true, FT_STR("a  b"), &out);
    CHECK(ft_str_is(ft_buf_str(&out), "a*1|\xe2\x96\x81\xe2\x96\x81" "b*1|") || ft_str_is(ft_buf_str(&out), "\xe2\x96\x81\xe2\x96\x81" "b*1|a*1|"));
    out.n = 0;
    words_of(llama, false, FT_STR("a  b"), &out);
    CHECK(ft_str_is(ft_buf_str(&out), "a\xe2\x96\x81\xe2\x96\x81" "b*1|"));
    ft_buf_release(&out);
}
