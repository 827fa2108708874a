/* Ranges of bytes to ranges of tokens, against the definition token by token. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/ranges.h"

static bool belongs(uint32_t tb, uint32_t te, uint32_t b, uint32_t e, enum ft_tok_boundary how)
{
    return how == FT_TOK_START ? b <= tb && tb < e : how == FT_TOK_OVERLAP ? tb < e && te > b : b <= tb && te <= e;
}

TEST(ranges_hold_the_tokens_that_the_definition_names)
{
    static const char *const names[] = {"byte-gpt2", "sp-llama2", "wordpiece-uncased", "unigram-t5", "byte-roberta"};
    static const char *const texts[] = {
        "The mill turned all day, and 12,000 sacks were left.", "물방앗간 딸은 우물에서 물을", "größer 👨‍👩‍👧 e\u0301x ﷺ ½",
        "<s>Hello</s>  a<mask>b", "x", ""};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        char path[4200];
        struct ft_tokenizer *t;
        struct ft_err e = {0};
        snprintf(path, sizeof path, "%s/%s.json", test_path("golden/tokenizer"), names[m]);
        REQUIRE(ft_tokenizer_load(path, &t, &e) == 0);
        struct ft_tok_state *s = ft_tok_state_new(t);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            for (int k = 0; k < 200; k++) {
                const struct ft_str text = ft_strz(texts[i]);
                const struct ft_encode_opts o = {.offsets = true, .special = k & 1};
                struct ft_encoding x;
                REQUIRE(ft_encode(t, s, text, &o, &x, &e) == 0);
                uint32_t b = (uint32_t)(rnd(text.n + 1)), end = (uint32_t)(rnd(text.n + 1));
                if (b > end) {
                    const uint32_t swap = b;
                    b = end;
                    end = swap;
                }
                for (int how = FT_TOK_START; how <= FT_TOK_INSIDE; how++) {
                    size_t from, to;
                    ft_tok_range_find(&x, b, end, (enum ft_tok_boundary)how, &from, &to);
                    CHECK(from >= x.n_prefix && from <= to && to <= x.n - x.n_suffix);
                    for (size_t j = x.n_prefix; j < x.n - x.n_suffix; j++)
                        if (x.begin[j] < x.end[j] && b < end)
                            CHECK(belongs(x.begin[j], x.end[j], b, end, (enum ft_tok_boundary)how) == (from <= j && j < to));
                }
            }
        ft_tok_state_free(s);
        ft_tokenizer_free(t);
    }
}
