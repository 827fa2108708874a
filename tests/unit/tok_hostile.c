/* Text made to be slow, a megabyte without a place to cut: every kind of model gets
 * through it, with places and without. What is quadratic somewhere would take hours
 * for it, and the runner would end it. */
#include "tests/unit/tok_variant.h"
#include "tokenizer/tokenizer_priv.h"

enum { TEXT = 1 << 20 };

/* The shape said over and over, `lead` once before it, `trail` once behind. */
static const struct shape {
    const char *lead, *again, *trail;
} shapes[] = {
    {"", "a", ""}, {"", " ", ""}, {"", "ab", ""}, {"x", " ", "\xcc\x81"}, {"", "a\xcc\x81", ""}, {"", "\xe5\xad\x97", ""}, {"", "!", ""},
    {"", "\xe2\x96\x81", ""}, {"x", "\xcc\x81", ""}, {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", " \t", "\xcc\x81"},
    {"", "\xe1\x84\x80", ""}, {"", "'", "s"}, {"", "<", ">"}, {"x", "\xcc\x81\xcc\xa3", ""}, /* marks in another order than the canonical */
};

static void through(const char *name, struct ft_tokenizer *t)
{
    struct ft_err e = {0};
    struct ft_tok_state *s = ft_tok_state_new(t);
    char *text = ft_malloc(TEXT + 256);
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const size_t unit = strlen(shapes[k].again);
        size_t n = strlen(shapes[k].lead);
        memcpy(text, shapes[k].lead, n);
        while (n + unit <= TEXT) {
            memcpy(text + n, shapes[k].again, unit);
            n += unit;
        }
        memcpy(text + n, shapes[k].trail, strlen(shapes[k].trail));
        n += strlen(shapes[k].trail);
        for (int offsets = 0; offsets < 2; offsets++) {
            const struct ft_encode_opts o = {.offsets = offsets};
            struct ft_encoding x;
            e = (struct ft_err){0};
            const int r = ft_encode(t, s, (struct ft_str){text, n}, &o, &x, &e);
            for (size_t i = 0; !r && offsets && i < x.n; i++)
                if (x.begin[i] > x.end[i] || x.end[i] > n)
                    TEST_FAILED("%s, shape %zu: token %zu of %zu stands at %u..%u", name, k, i, x.n, x.begin[i], x.end[i]);
            CHECK(r == 0 || e.msg[0]); /* a character may be unknown, and that an error */
        }
    }
    free(text);
    ft_tok_state_free(s);
    ft_tokenizer_free(t);
}

static void golden(const char *name)
{
    char path[512];
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    snprintf(path, sizeof path, "golden/tokenizer/%s", name);
    REQUIRE(ft_tokenizer_load(test_path(path), &t, &e) == 0);
    through(name, t);
}

TEST(hostile_text_for_byte_level_bpe) { golden("byte-gpt2.json"), golden("byte-qwen.json"), golden("byte-clip.json"); }
TEST(hostile_text_for_bpe) { golden("bpe-chars.json"), golden("sp-llama2.json"), golden("sp-mistral.json"), golden("spm-bpe-bytes.model"); }
TEST(hostile_text_for_unigram) { golden("unigram-t5.json"), golden("unigram-bytes.json"), golden("spm-unigram.model"); }
TEST(hostile_text_for_others) { golden("wordpiece-cased.json"), golden("wordlevel.json"); }
TEST(hostile_text_for_variants)
{
    for (size_t i = 0; i < VARIANTS; i++)
        through(variants[i].golden, variant_load(&variants[i]));
}
