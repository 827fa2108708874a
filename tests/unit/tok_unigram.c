/* Unigram against its definition: every start and every piece, no trie, no shortcuts. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/model.h"

/* Some pieces of characters that are none alone; sums that tie. */
static const char *const piece[] = {"<unk>", "a", "b", "ab", "ba", "aba", "\xe3\x81\x82\xe3\x81\x84", "b\xe3\x81\x84", "aa",
                                    "\xe3\x81\x84\xe3\x81\x86" "a", "\xc3\xa9", "cd", "dcd"};
static const double score[] = {0, -2, -2.5, -4, -4.5, -6.5, -9, -3.25, -4, -1, -7, -5, -8.125};
enum { PIECES = sizeof piece / sizeof *piece };

static size_t want(const char *p, size_t n, int32_t *ids)
{
    double sum[512];
    int from[512], id[512];
    for (size_t i = 0; i <= n; i++)
        from[i] = -1;
    sum[0] = 0;
    for (size_t at = 0; at < n;) {
        int len;
        bool single = false;
        ft_utf8_get(p + at, &len);
        for (size_t l = 1; at + l <= n; l++)
            for (int k = 0; k < PIECES; k++)
                if (strlen(piece[k]) == l && !memcmp(piece[k], p + at, l)) {
                    single = single || l == (size_t)len;
                    if (from[at + l] < 0 || sum[at] + score[k] > sum[at + l])
                        sum[at + l] = sum[at] + score[k], from[at + l] = (int)at, id[at + l] = k;
                }
        const size_t e = at + (size_t)len;
        if (!single && (from[e] < 0 || sum[at] - 19 > sum[e])) /* the worst is -9 */
            sum[e] = sum[at] - 19, from[e] = (int)at, id[e] = 0;
        at = e;
    }
    size_t k = 0;
    for (size_t i = n; i > 0; i = (size_t)from[i]) /* unknowns in a row are one */
        if (!(k && !id[i] && !ids[k - 1]))
            ids[k++] = id[i];
    for (size_t i = 0; i < k / 2; i++) {
        const int32_t x = ids[i];
        ids[i] = ids[k - 1 - i];
        ids[k - 1 - i] = x;
    }
    return k;
}

TEST(unigram_is_its_definition)
{
    static const char *const chars[] = {"a", "b", "c", "d", "\xe3\x81\x82", "\xe3\x81\x84", "\xe3\x81\x86", "\xc3\xa9", "\xe3\x81\x82", "z"};
    struct ft_arena mem = {0};
    struct ft_buf b = {0}, text = {0};
    struct ft_err e = {0};
    struct ft_json j;
    struct tk_model m = {0};
    struct tk_tokens out = {0};
    ft_buf_putz(&b, "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[");
    for (int k = 0; k < PIECES; k++) {
        char t[64];
        snprintf(t, sizeof t, "%s[\"%s\",%.3f]", k ? "," : "", piece[k], score[k]);
        ft_buf_putz(&b, t);
    }
    ft_buf_putz(&b, "]}");
    REQUIRE(ft_json_parse(b.p, b.n, &mem, &j, &e) == 0);
    REQUIRE(tk_model_load(&m, &j, &e) == 0);
    struct tk_scratch *s = tk_scratch_new();
    for (int k = 0; k < 20000; k++) {
        const size_t len = k % 50 ? 1 + rnd(9) : 1 + rnd(120), kinds = 2 + rnd(9);
        const size_t first = rnd(sizeof chars / sizeof *chars - kinds + 1);
        int32_t ids[512];
        text.n = 0;
        for (size_t i = 0; i < len; i++)
            ft_buf_putz(&text, chars[first + rnd(kinds)]);
        out.n = 0;
        REQUIRE(tk_model_encode(&m, s, text.p, text.n, false, &out, &e) == 0);
        const size_t n = want(text.p, text.n, ids);
        bool same = n == out.n;
        uint32_t at = 0;
        for (size_t i = 0; same && i < n; at = out.v[i++].e)
            same = out.v[i].id == ids[i] && out.v[i].b == at && out.v[i].e > at;
        CHECK(same && at == text.n);
        if (!same)
            fprintf(stderr, "%.*s\n", (int)text.n, text.p);
    }
    tk_scratch_free(s);
    tk_model_release(&m);
    free(out.v);
    ft_buf_release(&b);
    ft_buf_release(&text);
    ft_arena_release(&mem);
}
