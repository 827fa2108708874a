/* Which tokens merging makes of their own bytes, against merging them: small random vocabularies over three letters, where nearly
 * everything crosses something. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/bpe_reachable.h"

enum { TOKENS = 40, LONGEST = 7, LETTERS = 3 };

struct vocabulary {
    char token[TOKENS][LONGEST + 1];
    int n;
};

static int index_of(const struct vocabulary *v, const char *s)
{
    for (int i = 0; i < v->n; i++)
        if (!strcmp(v->token[i], s))
            return i;
    return -1;
}

/* A merge of two tokens that are there, or of any two letters' worth that will be: `ordered` makes parts first. With ranks
 * the ways to make one token share its own. */
static void make(struct vocabulary *v, struct ft_buf *b, bool ordered, bool ranks)
{
    static const char *const letters[] = {"a", "b", "c"};
    struct ft_buf merges = {0};
    v->n = 0;
    for (int i = 0; i < LETTERS; i++)
        strcpy(v->token[v->n++], letters[i]);
    for (int i = 0; i < 60 && v->n < TOKENS; i++) {
        char s[2 * LONGEST + 1];
        const char *x = v->token[rnd((uint64_t)v->n)], *y = v->token[rnd((uint64_t)v->n)];
        snprintf(s, sizeof s, "%s%s", x, y);
        if (strlen(s) > LONGEST)
            continue;
        const bool known = index_of(v, s) >= 0;
        if (!known)
            strcpy(v->token[v->n++], s);
        for (size_t k = 1; ranks && !known && k < strlen(s); k++) { /* every way to make it, as of a .tiktoken */
            char left[LONGEST + 1] = {0};
            memcpy(left, s, k);
            if (index_of(v, left) >= 0 && index_of(v, s + k) >= 0)
                ft_buf_printf(&merges, "%s[\"%s\",\"%s\",%d]", merges.n ? "," : "", left, s + k, v->n);
        }
        if (ranks)
            continue;
        if (ordered || rnd(4)) {
            ft_buf_printf(&merges, "%s\"%s %s\"", merges.n ? "," : "", x, y);
        } else { /* in front of all others: out of order */
            struct ft_buf t = {0};
            ft_buf_printf(&t, "\"%s %s\"%s", x, y, merges.n ? "," : "");
            ft_buf_puts(&t, ft_buf_str(&merges));
            ft_buf_release(&merges);
            merges = t;
        }
    }
    b->n = 0;
    ft_buf_putz(b, "{\"type\":\"BPE\",\"vocab\":{");
    for (int i = 0; i < v->n; i++)
        ft_buf_printf(b, "%s\"%s\":%d", i ? "," : "", v->token[i], i);
    ft_buf_putz(b, "},\"merges\":[");
    ft_buf_puts(b, ft_buf_str(&merges));
    ft_buf_putz(b, "]}");
    ft_buf_release(&merges);
}

/* Words of random letters become the same without the merges that are never done. */
static void same_without(struct tk_model *m, const struct tk_bpe_reachable *r, struct tk_scratch *s, struct tk_ids *ids)
{
    enum { WORDS = 40 };
    char word[WORDS][TK_MANY_BYTES];
    uint32_t to[WORDS][TK_MANY_IDS];
    struct tk_job job[WORDS];
    struct ft_err e = {0};
    size_t first[WORDS + 1];
    ids->n = 0;
    for (int i = 0; i < WORDS; i++) {
        job[i] = (struct tk_job){word[i], 1 + (uint32_t)rnd(TK_MANY_BYTES), to[i]};
        for (uint32_t k = 0; k < job[i].n; k++)
            word[i][k] = (char)('a' + rnd(LETTERS));
        first[i] = ids->n;
        REQUIRE(tk_bpe_ids(m, s, word[i], job[i].n, true, ids, &e) == 0);
    }
    first[WORDS] = ids->n;
    tk_merges_keep(&m->merges, r->live, r->n_live, m->raw_id);
    CHECK(m->merges.ascending);
    tk_bpe_many_level(NULL)(m, NULL, job, WORDS);
    for (int i = 0; i < WORDS; i++) {
        const size_t at = ids->n, n = first[i + 1] - first[i];
        REQUIRE(tk_bpe_ids(m, s, word[i], job[i].n, true, ids, &e) == 0);
        CHECK(ids->n - at == n && !memcmp(ids->v + at, ids->v + first[i], n * sizeof *ids->v));
        CHECK(to[i][0] >> 24 == (n <= TK_MANY_IDS ? n : 0));
        to[i][0] &= 0xffffff;
        CHECK(n > TK_MANY_IDS || !memcmp(to[i], ids->v + at, n * sizeof *ids->v));
        ids->n = at;
    }
}

TEST(tokens_are_made_as_merging_makes_them)
{
    struct vocabulary v;
    struct ft_buf b = {0};
    struct tk_scratch *s = tk_scratch_new();
    struct tk_ids ids = {0};
    long told = 0, made = 0, not_made = 0, untold = 0;
    size_t kept = 0, listed = 0;
    for (int round = 0; round < 3000; round++) {
        struct ft_arena mem = {0};
        struct ft_json j;
        struct ft_err e = {0};
        struct tk_model m = {0};
        make(&v, &b, round % 3 == 0, round % 3 == 1);
        REQUIRE(ft_json_parse(b.p, b.n, &mem, &j, &e) == 0);
        REQUIRE(tk_model_load(&m, &j, &e) == 0);
        const struct tk_bpe_reachable reached = tk_bpe_reachable(&m);
        const char *is = reached.is;
        told += is != NULL;
        untold += !is;
        CHECK(is || round % 3 != 1); /* elsewhere a merge that comes twice may be out of order, the last one counting */
        for (int i = 0; is && i < v.n; i++) {
            ids.n = 0;
            REQUIRE(tk_bpe_ids(&m, s, v.token[i], strlen(v.token[i]), true, &ids, &e) == 0);
            const bool want = ids.n == 1 && ids.v[0] == i;
            CHECK(is[i] == want);
            made += want;
            not_made += !want;
        }
        if (is)
            same_without(&m, &reached, s, &ids);
        kept += is ? reached.n_live : 0;
        listed += is ? m.n_merges : 0;
        free(reached.is);
        free(reached.live);
        tk_model_release(&m);
        ft_arena_release(&mem);
    }
    CHECK(kept > 1000 && kept < listed);
    CHECK(told > 1000 && untold > 100 && made > 1000 && not_made > 1000);
    tk_scratch_free(s);
    free(ids.v);
    ft_buf_release(&b);
}
