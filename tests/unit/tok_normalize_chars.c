/* Normalizing by remembered characters, against the normalizer that sees the whole text. */
#include "tests/unit/random.h"
#include "tests/unit/file.h"
#include "tests/unit/test.h"
#include "tokenizer/normalize_chars.h"
#include "tokenizer/unicode.h"

static struct ft_arena mem;

static struct tk_normalizer *load(const char *json)
{
    struct ft_json j;
    struct tk_normalizer *n;
    struct ft_err e = {0};
    REQUIRE(ft_json_parse(json, strlen(json), &mem, &j, &e) == 0);
    REQUIRE(tk_normalizer_load(&j, &n, &e) == 0);
    return n;
}

static uint32_t any_char(void)
{
    static const uint16_t runs[][2] = {{0x20, 0x7e},     {0x41, 0x7a},     {0xa0, 0x17f},    {0x300, 0x310},   {0x370, 0x52f},
                                       {0x1100, 0x11ff}, {0x2010, 0x2030}, {0x2100, 0x218f}, {0x3000, 0x303f}, {0x3041, 0x30ff},
                                       {0x3041, 0x30ff}, {0x3131, 0x318e}, {0x3200, 0x33ff}, {0x4e00, 0x9fff}, {0xac00, 0xd7a3},
                                       {0xac00, 0xd7a3}, {0xff01, 0xffdc}, {0x21, 0xd7ff},   {0xe000, 0xffff}};
    const uint16_t *r = runs[rnd(sizeof runs / sizeof *runs)];
    const uint32_t many = (uint32_t)rnd(12);
    return many == 0 ? '\n' : many == 1 ? ' ' : many == 2 ? (uint32_t)"ab'"[rnd(3)] : r[0] + (uint32_t)rnd((uint64_t)(r[1] - r[0]) + 1);
}

/* The words of a text that was normalized whole. */
static void whole(const struct tk_normalizer *n, struct tk_work *w, struct tk_matcher *m, struct ft_str text, struct ft_buf *out)
{
    struct tk_piece p = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    struct ft_err e = {0};
    bool in = false;
    REQUIRE(tk_normalize(n, w, m, &p, &e) == 0);
    for (uint32_t i = 0; i < p.n;) {
        int len;
        const bool space = uc_is(ft_utf8_get(p.p + i, &len), UC_SPACE);
        if (!space) {
            ft_buf_put(out, in ? "" : "|", !in);
            ft_buf_put(out, p.p + i, (size_t)len);
        }
        in = !space;
        i += (uint32_t)len;
    }
}

static size_t compare(const char *json)
{
    struct tk_normalizer *n = load(json);
    struct tk_matcher *m = tk_matcher_new();
    struct tk_work w = {0};
    struct ft_buf text = {0}, want = {0}, got = {0};
    uint64_t *flat = ft_calloc(1024, sizeof *flat);
    struct tk_chars *c = tk_chars_new(n, flat); /* no flat ones: all must be asked for */
    REQUIRE(c != NULL);
    size_t taken = 0;
    for (int k = 0; k < 20000; k++) {
        const size_t len = k % 100 ? 1 + rnd(6) : 1 + rnd(300);
        const uint32_t same = k % 200 ? 0 : 0xac01 + (uint32_t)rnd(20);
        struct tk_chars_words words;
        text.n = want.n = got.n = 0;
        for (size_t i = 0; i < len; i++) {
            const uint32_t x = same ? same : any_char();
            char t[4];
            ft_buf_put(&text, t, (size_t)ft_utf8_put(t, x));
        }
        if (!tk_chars_words(c, &w, m, text.p, text.n, FT_STR("|"), &words))
            continue;
        taken++;
        for (size_t i = 0; i < words.n; i++)
            CHECK(words.ends[i] > (i ? words.ends[i - 1] : 0) + 1);
        ft_buf_put(&got, words.p, words.n ? words.ends[words.n - 1] : 0);
        ft_arena_reset(&w.mem);
        whole(n, &w, m, (struct ft_str){text.p, text.n}, &want);
        const bool same_text = got.n == want.n && (!got.n || !memcmp(got.p, want.p, got.n));
        CHECK(same_text);
        if (!same_text)
            fprintf(stderr, "%s: \"%.*s\": \"%.*s\", not \"%.*s\"\n", json, (int)text.n, text.p, (int)got.n, got.p, (int)want.n,
                    want.p);
    }
    tk_chars_free(c);
    tk_normalizer_free(n);
    tk_matcher_free(m);
    ft_arena_release(&w.mem);
    free(w.edits);
    free(flat);
    ft_buf_release(&text);
    ft_buf_release(&want);
    ft_buf_release(&got);
    return taken;
}

TEST(characters_alone_give_what_the_whole_text_gives)
{
    static const char *const shapes[] = {
        "{\"type\":\"NFC\"}", "{\"type\":\"NFD\"}", "{\"type\":\"NFKC\"}", "{\"type\":\"NFKD\"}",
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"ab\"},\"content\":\"''\"},"
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"''\"},\"content\":\"x\"},"
        "{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"},{\"type\":\"Lowercase\"}]}",
        "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}",
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}]}",
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"},{\"type\":\"Lowercase\"},{\"type\":\"NFKC\"}]}"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        CHECK(compare(shapes[i]) > 2000);
    ft_arena_release(&mem);
}

/* A charsmap: the one of the vocabulary that has T5's shape. */
TEST(so_they_do_behind_a_charsmap)
{
    struct ft_json j;
    struct ft_err e = {0};
    struct ft_buf file = {0}, json = {0};
    file_read(test_path("golden/tokenizer/unigram-t5.json"), &file);
    REQUIRE(ft_json_parse(file.p, file.n, &mem, &j, &e) == 0);
    const struct ft_json *n = ft_json_get(&j, "normalizer");
    const struct ft_json *v = ft_json_get(n, "normalizers"), *map = ft_json_get(n, "precompiled_charsmap");
    for (size_t i = 0; !map && v && i < v->n; i++)
        map = ft_json_get(&v->items[i], "precompiled_charsmap");
    REQUIRE(map != NULL);
    for (int k = 0; k < 2; k++) {
        json.n = 0;
        ft_buf_putz(&json, k ? "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKD\"}," : "{\"type\":\"Sequence\",\"normalizers\":[");
        ft_buf_putz(&json, "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
        ft_buf_puts(&json, map->s);
        ft_buf_putz(&json, "\"}]}");
        ft_buf_putc(&json, 0);
        CHECK(compare(json.p) > 2000);
    }
    ft_buf_release(&file);
    ft_buf_release(&json);
    ft_arena_release(&mem);
}

TEST(an_order_in_which_neighbours_matter_is_not_taken)
{
    static const char *const shapes[] = {
        "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\"!!\"},\"content\":\"x\"}]}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a+\"},\"content\":\"x\"}",
        "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}"};
    uint64_t pattern[2], flat[1024] = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct tk_normalizer *n = load(shapes[i]);
        CHECK(!tk_normalizer_by_char(n, pattern));
        CHECK(tk_chars_new(n, flat) == NULL);
        tk_normalizer_free(n);
    }
    ft_arena_release(&mem);
}
