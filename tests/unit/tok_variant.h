/* tok_variant.h -- a golden vocabulary with another normalizer and pre-tokenizer: what
 * models in use have, and the goldens do not. */
#ifndef FT_TESTS_UNIT_TOK_VARIANT_H
#define FT_TESTS_UNIT_TOK_VARIANT_H

#include "pipeline/json.h"
#include "tests/unit/test.h"
#include "tokenizer/tokenizer_priv.h"

struct variant {
    const char *golden, *normalizer /* NULL: the first of its own */, *pretok, *added /* NULL: none */;
};

#define VARIANT_METASPACE "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"},{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"add_prefix_space\":true}]}"

#define VARIANT_MARKS "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"always\",\"split\":true}"
#define VARIANT_NMT "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"},{\"type\":\"NFKC\"},"
#define VARIANT_BLANKS(to) "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\"" to "\"}"

/* Tokens that take the white space behind them, which the next of them has too. */
#define VARIANT_GREEDY "[{\"id\":9999,\"content\":\" \",\"single_word\":false,\"lstrip\":false,\"rstrip\":true,\"normalized\":false,\"special\":false}]"

static const struct variant variants[] = {
    {"unigram-t5.json", NULL, VARIANT_METASPACE, NULL},
    {"unigram-t5.json", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"``\"},\"content\":\"\\\"\"},{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}]}", VARIANT_METASPACE, NULL},
    {"unigram-t5.json", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}]}", VARIANT_METASPACE, NULL},
    {"unigram-t5.json", "null", "{\"type\":\"WhitespaceSplit\"}", NULL},
    {"unigram-t5.json", VARIANT_NMT VARIANT_BLANKS(" ") "]}", VARIANT_MARKS, NULL},
    /* A mark of the text's own stays one. */
    {"unigram-t5.json", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s+\"},\"content\":\" \"}," VARIANT_BLANKS(" ") "]}", VARIANT_MARKS, NULL},
    {"unigram-t5.json", VARIANT_NMT "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}," VARIANT_BLANKS("\xe2\x96\x81") "]}", VARIANT_MARKS, NULL},
    {"wordlevel.json", "{\"type\":\"NFC\"}", "{\"type\":\"WhitespaceSplit\"}", NULL},
    {"wordpiece-uncased.json", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}", "{\"type\":\"BertPreTokenizer\"}", NULL},
    {"wordpiece-cased.json", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":false}", "{\"type\":\"BertPreTokenizer\"}", NULL},
    {"sp-mistral.json", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xe2\x96\x81\"}]}", "null", NULL},
    {"sp-llama2.json", "null", "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"always\",\"split\":false}", NULL},
    {"byte-gpt2.json", "null", "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}", VARIANT_GREEDY},
    {"wordpiece-uncased.json", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}", "{\"type\":\"BertPreTokenizer\"}", VARIANT_GREEDY},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* The tokenizer is the caller's to free; made by way of a file in the working folder. */
static struct ft_tokenizer *variant_load(const struct variant *v)
{
    struct ft_arena mem = {0};
    struct ft_json j;
    struct ft_err e = {0};
    struct ft_buf b = {0};
    char path[512];
    snprintf(path, sizeof path, "golden/tokenizer/%s", v->golden);
    REQUIRE(ft_json_load(test_path(path), &mem, &j, &e) == 0);
    for (size_t i = 0; i < j.n; i++) {
        const struct ft_json_member *x = &j.members[i];
        if (ft_str_is(x->key, "normalizer") && !v->normalizer) {
            const struct ft_json *all = ft_json_get(&x->value, "normalizers");
            REQUIRE(all && all->n);
            ft_buf_printf(&b, "%s\"normalizer\":", i ? "," : "{");
            ft_buf_puts(&b, all->items[0].raw);
            continue;
        }
        const char *own = ft_str_is(x->key, "normalizer") ? v->normalizer : ft_str_is(x->key, "pre_tokenizer") ? v->pretok
                          : ft_str_is(x->key, "added_tokens") ? v->added ? v->added : "[]" : NULL;
        ft_buf_putz(&b, i ? "," : "{");
        ft_json_put_str(&b, x->key);
        ft_buf_putc(&b, ':');
        if (own)
            ft_buf_putz(&b, own);
        else
            ft_buf_puts(&b, x->value.raw);
    }
    ft_buf_putc(&b, '}');
    FILE *f = fopen("variant.json", "wb");
    REQUIRE(f && fwrite(b.p, 1, b.n, f) == b.n && fclose(f) == 0);
    ft_buf_release(&b);
    ft_arena_release(&mem);
    struct ft_tokenizer *t = NULL;
    if (ft_tokenizer_load("variant.json", &t, &e))
        TEST_FAILED("%s: %s", v->golden, e.msg);
    REQUIRE(t);
    return t;
}

#endif
