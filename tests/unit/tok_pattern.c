/* Numbers cut from their ends, (?=(\d{3})+(?!\d)): the matches are those of the regular expression, and a long number
 * takes no square of its length. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/pattern.h"

static const char *const groups[] = {
    "(?=(\\d{3})+(?!\\d))", "(?=(?:\\p{N}{3})+(?!\\p{N}))", "(?=([0-9]{2})+(?![0-9]))", "(?=(\\P{L}{1})+(?!\\P{L}))", "(?=(?:[^a\\s]{4})+(?![^a\\s]))",
};
static const char *const others[] = { /* alike, and something else */
    "(?=(\\d{3})+(?!\\D))", "(?=(\\d{3})*(?!\\d))", "(?=(\\d{3})+(?=\\d))", "(?=(\\d{3})+(?!\\d)", "(?=(\\d{13})+(?!\\d))", "(?=(\\R{2})+(?!\\R))",
    "(?=(a{3})+(?!a))", "(?=(\\d{3})+(?!\\d))a", "(?=([0-9\\]]{2})+(?![0-9\\]]))", "(?=(", "(?=(\\",
};

static struct tk_pattern load(const char *regex, struct ft_arena *mem)
{
    struct ft_json_member m = {FT_STR("Regex"), {.type = FT_JSON_STRING, .s = ft_strz(regex)}};
    const struct ft_json j = {.type = FT_JSON_OBJECT, .n = 1, .members = &m};
    struct tk_pattern p;
    struct ft_err e = {0};
    tk_pattern_load(&j, mem, &p, &e);
    return p;
}

TEST(groups_are_found_as_by_the_expression)
{
    static const char *const atoms[] = {"1", "23", "456", "78901", "a", "b ", " ", "\xd9\xa3", "\xc2\xbd", "\xc3\xa9", "\n", "aaa", "-"};
    struct ft_arena mem = {0};
    struct tk_matcher *m = tk_matcher_new();
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        struct tk_pattern p = load(groups[g], &mem), slow = p;
        CHECK(p.group && p.regex);
        slow.group = NULL;
        for (int round = 0; round < 400; round++) {
            struct ft_buf t = {0};
            struct tk_match *v, *w;
            size_t n, k;
            struct ft_err e = {0};
            for (uint64_t i = rnd(24); i-- > 0;)
                ft_buf_putz(&t, atoms[rnd(sizeof atoms / sizeof *atoms)]);
            ft_buf_putc(&t, 'x');
            CHECK(!tk_pattern_find(&p, m, &mem, t.p, t.n, &v, &n, &e) && !tk_pattern_find(&slow, m, &mem, t.p, t.n, &w, &k, &e));
            CHECK(n == k);
            for (size_t i = 0; i < n && i < k; i++)
                CHECK(v[i].b == w[i].b && v[i].e == w[i].e);
            ft_buf_release(&t);
        }
        tk_pattern_release(&p);
    }
    for (size_t g = 0; g < sizeof others / sizeof *others; g++) {
        struct tk_pattern p = load(others[g], &mem);
        CHECK(!p.group);
        tk_pattern_release(&p);
    }
    tk_matcher_free(m);
    ft_arena_release(&mem);
}

TEST(a_long_number_is_cut_in_one_pass)
{
    enum { N = 1 << 22 }; /* looked through from each digit it would take days */
    struct ft_arena mem = {0};
    struct tk_matcher *m = tk_matcher_new();
    struct tk_pattern p = load(groups[0], &mem);
    struct tk_match *v;
    struct ft_err e = {0};
    size_t n = 0;
    char *text = memset(ft_malloc(N), '7', N);
    CHECK(!tk_pattern_find(&p, m, &mem, text, N, &v, &n, &e));
    CHECK(n == N / 3 && v[0].b == N % 3 && v[n - 1].b == N - 3);
    free(text);
    tk_pattern_release(&p);
    tk_matcher_free(m);
    ft_arena_release(&mem);
}
