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

/* ---- sums as sentencepiece's ---- */

enum { LONG = 3000 };

struct list {
    char text[40][16];
    double score[40];
    size_t n;
};

/* Floats, over the whole text: its tokens from the back. */
static size_t want_floats(const struct list *l, const char *p, size_t n, struct tk_token *out)
{
    static float sum[LONG + 1];
    static int from[LONG + 1], id[LONG + 1];
    float worst = 0;
    for (size_t k = 1; k < l->n; k++)
        worst = (float)l->score[k] < worst ? (float)l->score[k] : worst;
    for (size_t i = 0; i <= n; i++)
        from[i] = -1;
    sum[0] = 0;
    for (size_t at = 0; at < n;) {
        int len;
        bool single = false;
        ft_utf8_get(p + at, &len);
        for (size_t bytes = 1; bytes < 16 && at + bytes <= n; bytes++)
            for (size_t k = 1; k < l->n; k++) {
                if (strlen(l->text[k]) != bytes || memcmp(l->text[k], p + at, bytes))
                    continue;
                const float x = (float)l->score[k] + sum[at];
                single = single || bytes == (size_t)len;
                if (from[at + bytes] < 0 || x > sum[at + bytes])
                    sum[at + bytes] = x, from[at + bytes] = (int)at, id[at + bytes] = (int)k;
            }
        const size_t e = at + (size_t)len;
        const float x = worst - 10.0f + sum[at];
        if (!single && (from[e] < 0 || x > sum[e]))
            sum[e] = x, from[e] = (int)at, id[e] = 0;
        at = e;
    }
    size_t k = 0;
    for (size_t i = n; i > 0; i = (size_t)from[i]) {
        if (k && !id[i] && !out[k - 1].id) /* unknowns in a row are one */
            out[k - 1].b = (uint32_t)from[i];
        else
            out[k++] = (struct tk_token){id[i], (uint32_t)from[i], (uint32_t)i};
    }
    return k;
}

static bool has(const struct list *l, const char *t)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->text[i], t))
            return true;
    return false;
}

/* Scores of all sizes: some words are best by less than a float of the sum can tell. */
TEST(unigram_of_floats_is_its_definition)
{
    static const char *const chars[] = {"a", "b", "c", "d", "\xe3\x81\x82", "\xea\xb0\x80", "z", "y"};
    static struct list l;
    static char text[LONG];
    static struct tk_token tokens[LONG];
    struct ft_arena mem = {0};
    struct ft_buf b = {0};
    struct tk_tokens out = {0};
    for (int round = 0; round < 150; round++) {
        const double step = round % 3 == 0 ? 0.1 : round % 3 == 1 ? 0.0001 : 1e-6;
        struct ft_err e = {0};
        struct ft_json j;
        struct tk_model m = {0};
        l.n = 0;
        strcpy(l.text[l.n++], "<unk>");
        if (round % 7)
            strcpy(l.text[l.n++], "\xe2\x96\x81");
        while (l.n < 30) {
            char t[16] = "";
            if (!rnd(3))
                strcat(t, "\xe2\x96\x81");
            for (size_t k = 1 + rnd(3); k; k--)
                strcat(t, chars[rnd(6)]);
            if (round % 11 == 0 && !rnd(4))
                strcat(t, "\xe2\x96\x81");
            if (strlen(t) < 16 && !has(&l, t))
                strcpy(l.text[l.n++], t);
        }
        b.n = 0;
        ft_buf_putz(&b, "{\"type\":\"Unigram\",\"unk_id\":0,\"ft:types\":[2");
        for (size_t k = 1; k < l.n; k++)
            ft_buf_putz(&b, ",1");
        ft_buf_putz(&b, "],\"vocab\":[[\"<unk>\",0]");
        for (size_t k = 1; k < l.n; k++) {
            l.score[k] = -3.0 * (double)(strlen(l.text[k]) / 2) - step * (double)rnd(20);
            ft_buf_printf(&b, ",[\"%s\",%.9g]", l.text[k], l.score[k]);
        }
        ft_buf_putz(&b, "]}");
        REQUIRE(ft_json_parse(b.p, b.n, &mem, &j, &e) == 0);
        REQUIRE(tk_model_load(&m, &j, &e) == 0);
        CHECK(m.spm && (m.spm_words || round % 7 == 0 || round % 11 == 0));
        struct tk_scratch *s = tk_scratch_new();
        for (int k = 0; k < 20; k++) {
            const size_t most = 1 + rnd(k % 5 ? 100 : LONG - 40), kinds = 2 + rnd(7);
            char word[6][40];
            for (int w = 0; w < 6; w++) {
                strcpy(word[w], rnd(9) ? "\xe2\x96\x81" : "");
                for (size_t i = rnd(8); i; i--)
                    strcat(word[w], chars[rnd(kinds)]);
                if (!*word[w])
                    strcpy(word[w], "a");
            }
            size_t n = 0;
            while (n < most) {
                const char *w = word[rnd(6)];
                memcpy(text + n, w, strlen(w));
                n += strlen(w);
            }
            out.n = 0;
            REQUIRE(tk_model_encode(&m, s, text, n, false, &out, &e) == 0);
            const size_t count = want_floats(&l, text, n, tokens);
            bool same = count == out.n;
            for (size_t i = 0; same && i < count; i++)
                same = out.v[i].id == tokens[count - 1 - i].id && out.v[i].b == tokens[count - 1 - i].b && out.v[i].e == tokens[count - 1 - i].e;
            CHECK(same);
        }
        tk_scratch_free(s);
        tk_model_release(&m);
        ft_arena_reset(&mem);
    }
    free(out.v);
    ft_buf_release(&b);
    ft_arena_release(&mem);
}
