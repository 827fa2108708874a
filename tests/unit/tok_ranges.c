/* Ranges of bytes to ranges of tokens, against the definition token by token. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tests/unit/tok_variant.h"
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
                    ft_tok_range_of(ft_tok_place_find(&x, b), ft_tok_place_find(&x, end), (enum ft_tok_boundary)how, &from, &to);
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

/* Marks are placed while words go by, or within units, and as offsets would place them. */
TEST(marks_tell_the_same_as_offsets)
{
    static const char *const names[] = {"byte-gpt2", "byte-llama3", "byte-qwen", "byte-roberta", "byte-deepseek", "byte-falcon", "byte-starcoder", "byte-o200k", "byte-sets", "byte-clip", "bpe-chars", "bpe-prefix", "sp-llama2", "sp-mistral", "sp-gemma", "sp-unk",
                                        "wordpiece-uncased", "wordpiece-cased", "unigram-t5", "unigram-bytes"};
    static const char *const piece[] = {"The", " mill", "user", "\n", " ", "  ", "<|im_end|>", "<|im_start|>", ".", ", ", "12,000", "물방앗간 딸은", "größer", "e\u0301",
                                        "\u2581", "한", "<s>", "</s>", "\r\n", "\t", "\u0301", " \u0308x", "日本語", "ﷺ", "👨‍👩‍👧", "[SEP]", "abc", "(", "<", "~x", "{", "\xc6\xb5", "Q\xc6\xb5", "\u200d", "Ⅳ", "<0x0A>"};
    struct ft_buf b = {0};
    enum { NAMES = sizeof names / sizeof *names };
    for (size_t m = 0; m < NAMES + VARIANTS; m++) {
        char path[4200];
        struct ft_tokenizer *t;
        struct ft_err e = {0};
        if (m < NAMES) {
            snprintf(path, sizeof path, "%s/%s.json", test_path("golden/tokenizer"), names[m]);
            REQUIRE(ft_tokenizer_load(path, &t, &e) == 0);
        } else {
            t = variant_load(&variants[m - NAMES]);
        }
        struct ft_tok_state *s = ft_tok_state_new(t), *s2 = ft_tok_state_new(t);
        for (int round = 0; round < 2000; round++) {
            uint32_t marks[8];
            size_t n_marks = 0;
            b.n = 0;
            for (uint64_t n = rnd(round % 50 ? 14 : 900); n > 0; n--) {
                if (!rnd(round % 50 ? 3 : 100) && n_marks < 7)
                    marks[n_marks++] = (uint32_t)b.n;
                ft_buf_putz(&b, piece[rnd(round & 1 ? 12 : sizeof piece / sizeof *piece)]);
            }
            if (b.n && !rnd(4)) {
                marks[n_marks++] = (uint32_t)rnd(b.n + 1);
                for (size_t i = n_marks - 1; i > 0 && marks[i] < marks[i - 1]; i--) {
                    const uint32_t swap = marks[i];
                    marks[i] = marks[i - 1];
                    marks[i - 1] = swap;
                }
            }
            const struct ft_encode_opts exact = {.offsets = true, .types = true, .special = round & 2}, vague = {.marks = marks, .n_marks = n_marks, .types = true, .special = round & 2};
            struct ft_encoding x, y;
            REQUIRE(ft_encode(t, s, ft_buf_str(&b), &exact, &x, &e) == 0);
            REQUIRE(ft_encode(t, s2, ft_buf_str(&b), &vague, &y, &e) == 0);
            CHECK(x.n == y.n && !memcmp(x.ids, y.ids, x.n * sizeof *x.ids));
            CHECK(!memcmp(x.type, y.type, x.n * sizeof *x.type));
            CHECK(x.n_prefix == y.n_prefix && x.n_suffix == y.n_suffix);
            for (size_t i = 0; i < n_marks; i++)
                for (size_t k = i; k < n_marks; k++)
                    for (int how = FT_TOK_START; how <= FT_TOK_INSIDE; how++) {
                        size_t from[2], to[2];
                        ft_tok_range_of(ft_tok_place_find(&x, marks[i]), ft_tok_place_find(&x, marks[k]), (enum ft_tok_boundary)how, &from[0], &to[0]);
                        ft_tok_range_of(y.place[i], y.place[k], (enum ft_tok_boundary)how, &from[1], &to[1]);
                        if (from[0] != from[1] || to[0] != to[1]) {
                            fprintf(stderr, "%s: '%.*s' [%u, %u) %d: [%zu, %zu) [%zu, %zu)\n", m < NAMES ? names[m] : variants[m - NAMES].golden, (int)b.n, b.p, marks[i], marks[k], how,
                                    from[0], to[0], from[1], to[1]);
                            CHECK(0);
                        }
                    }
        }
        ft_tok_state_free(s);
        ft_tok_state_free(s2);
        ft_tokenizer_free(t);
    }
    ft_buf_release(&b);
}
