/* Words that are spelled (spell.h) become what the slow way makes of them: under golden vocabularies, and under
 * vocabularies of random pieces whose sums tie. */
#include "tests/unit/file.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tests/unit/tok_variant.h"
#include "tokenizer/fast_state.h"
#include "tokenizer/spell.h"

enum { TEXT = 2000 };

static size_t put_char(char *to)
{
    static const uint32_t from[] = {0xac00, 0xac00, 0x3042, 0x30a2, 0x4e00, 0x4e00, 0x3000, 0xff01, 0x2010, 0x300, 0x3099, 0x1100, 0xe0, 0x430, 0x1f600, 0x20000};
    return (size_t)ft_utf8_put(to, from[rnd(16)] + (uint32_t)rnd(rnd(2) ? 4 : 60));
}

/* Text of mostly Chinese, Japanese, Korean, and what stands beside it. */
static size_t make(const struct ft_tokenizer *t, char *to)
{
    static const char *const parts[] = {" ", " ", "\n", "\r", "\r\n", "\t", ".", ",", "?", "a", "b", "ab", "abc", "7", "\xe3\x80\x80", "\xe3\x80\x82",
                                        "\xc2\xa0", " \xcc\x81", "\xe2\x96\x81", "\xea\xb0\x80\xeb\x82\x98", "\xe5\xad\x97", "\xe3\x81\x82"};
    char kind[9][32];
    size_t len[9], n = 0;
    const size_t kinds = 1 + rnd(8), count = rnd(150);
    for (size_t i = 0; i < kinds; i++) {
        const struct ft_str x = t->model.vocab.token[rnd(t->model.vocab.n_ids)];
        len[i] = 0;
        if (!rnd(4) && x.p && x.n < 20)
            memcpy(kind[i], x.p, len[i] = x.n);
        else if (rnd(2))
            for (size_t k = rnd(3); k < 3; k++)
                len[i] += put_char(kind[i] + len[i]);
        else
            len[i] = strlen(strcpy(kind[i], parts[rnd(sizeof parts / sizeof *parts)]));
    }
    memcpy(kind[kinds], " ", 2);
    len[kinds] = 1;
    for (size_t i = 0; i < count; i++) {
        const size_t k = rnd(kinds + 1), times = rnd(20) ? 1 : rnd(70);
        for (size_t r = 0; r < times && n + len[k] <= TEXT; r++) {
            memcpy(to + n, kind[k], len[k]);
            n += len[k];
        }
    }
    return n;
}

static void compare(const char *name, const struct ft_tokenizer *t, int rounds)
{
    struct ft_tok_state *quick = ft_tok_state_new(t), *slow = ft_tok_state_new(t);
    REQUIRE(quick->fast && quick->fast->spell);
    tk_fast_state_free(slow->fast);
    slow->fast = NULL;
    for (int i = 0; i < rounds; i++) {
        char text[TEXT];
        const size_t n = make(t, text);
        char *p = ft_malloc(n + 1); /* a read past the end is seen */
        memcpy(p, text, n);
        const struct ft_encode_opts o = {.offsets = !rnd(4)};
        struct ft_encoding a, b;
        struct ft_err e = {0};
        REQUIRE(!ft_encode(t, quick, (struct ft_str){p, n}, &o, &a, &e) && !ft_encode(t, slow, (struct ft_str){p, n}, &o, &b, &e));
        const bool good = a.n == b.n && !memcmp(a.ids, b.ids, a.n * sizeof *a.ids) &&
                          (!o.offsets || (!memcmp(a.begin, b.begin, a.n * sizeof *a.begin) && !memcmp(a.end, b.end, a.n * sizeof *a.end)));
        CHECK(good);
        if (!good)
            TEST_FAILED("%s: \"%.*s\"", name, (int)n, p);
        free(p);
    }
    ft_tok_state_free(quick);
    ft_tok_state_free(slow);
}

TEST(goldens_are_spelled_as_they_are_encoded)
{
    size_t n = 0;
    for (size_t i = 0; i < VARIANTS; i++) {
        struct ft_tokenizer *t = variant_load(&variants[i]);
        struct ft_tok_state *s = ft_tok_state_new(t);
        const bool spelled = s->fast && s->fast->spell;
        ft_tok_state_free(s);
        if (spelled)
            compare(variants[i].golden, t, 2000);
        ft_tokenizer_free(t);
        n += spelled;
    }
    CHECK(n == 9); /* seven of Unigram, two of WordPiece */
}

static struct ft_tokenizer *load(const struct ft_buf *b)
{
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    file_write("spelled.json", ft_buf_str(b));
    if (ft_tokenizer_load("spelled.json", &t, &e))
        TEST_FAILED("%s", e.msg);
    return t;
}

static const char *const chars[] = {"a", "b", "c", ".", "\xea\xb0\x80", "\xea\xb0\x81", "\xe3\x81\x82", "\xe5\xad\x97", "\xe4\xb8\x80", "\xe2\x96\x81"};

static void put_piece(struct ft_buf *b)
{
    for (size_t k = 1 + rnd(3); k; k--)
        ft_buf_putz(b, chars[rnd(sizeof chars / sizeof *chars)]);
}

typedef void put_model(int round, struct ft_buf *b);

/* Texts under 60 vocabularies of random pieces. */
static void compare_random(put_model *put)
{
    struct ft_buf b = {0};
    for (int k = 0; k < 60; k++) {
        b.n = 0;
        put(k, &b);
        struct ft_tokenizer *t = load(&b);
        compare(b.p, t, 300);
        ft_tokenizer_free(t);
    }
    ft_buf_release(&b);
}

/* Scores of a few tenths: sums of other orders differ in their last bit, or not at all. */
static void put_unigram(int round, struct ft_buf *b)
{
    ft_buf_putz(b, "{\"normalizer\":null,\"pre_tokenizer\":" VARIANT_METASPACE ",\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0.0]");
    if (round % 5)
        ft_buf_putz(b, ",[\"\xe2\x96\x81\",-0.7]");
    for (size_t i = rnd(30); i < 32; i++) {
        ft_buf_putz(b, ",[\"");
        put_piece(b);
        ft_buf_printf(b, "\",-%d.%d]", (int)rnd(3), (int)rnd(10));
    }
    ft_buf_putz(b, "]}}");
}

static void put_wordpiece(int round, struct ft_buf *b)
{
    ft_buf_printf(b, "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,"
                     "\"lowercase\":%s},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0", round % 2 ? "true" : "false");
    for (int i = 1; i < 2 + (int)rnd(40); i++) {
        ft_buf_putz(b, rnd(2) ? ",\"" : ",\"##");
        put_piece(b);
        ft_buf_printf(b, "\":%d", i);
    }
    ft_buf_putz(b, "}}}");
}

TEST(unigram_of_random_pieces) { compare_random(put_unigram); }
TEST(wordpiece_of_random_pieces) { compare_random(put_wordpiece); }

TEST(a_run_ends_where_a_word_is_not_spelled)
{
    struct ft_buf b = {0};
    ft_buf_putz(&b, "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":false},"
                    "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"\xea\xb0\x80\":1,\"##\xea\xb0\x80\":2,\"ab\":3}}}");
    struct ft_tokenizer *t = load(&b);
    struct ft_tok_state *s = ft_tok_state_new(t);
    struct tk_cache *c = s->fast->cache;
    static const char text[] = "\xea\xb0\x80\xea\xb0\x80 \xea\xb0\x81. ab";
    REQUIRE(s->fast->spell);
    CHECK(tk_spell_run(s->fast->spell, c, text, sizeof text - 1) == 12);
    CHECK(c->n == 1 && c->over.n == 4);
    const int32_t want[] = {1, 2, 0, 0};
    CHECK(!memcmp(c->over.v, want, sizeof want));
    c->n = c->over.n = 0;
    ft_tok_state_free(s);
    ft_tokenizer_free(t);
    ft_buf_release(&b);
}
