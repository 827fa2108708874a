/* The table of long words gives a word's own ids or none, whatever hashes they have, and
 * keeps what is new; a cache goes on when its places are used up. */
#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/cache.h"

enum { WORDS = 3000 };

static struct word {
    char p[TK_LONG_BYTES];
    size_t n, count;
    uint64_t hash;
    int32_t id[TK_LONG_IDS];
} words[WORDS];

/* Words that differ little, of few hashes if `few`. */
static void make(bool few)
{
    for (size_t i = 0; i < WORDS; i++) {
        struct word *w = &words[i];
        w->n = few ? 16 + rnd(3) : 16 + rnd(TK_LONG_BYTES - 15);
        for (size_t k = 0; k < w->n; k++)
            w->p[k] = 'a';
        w->p[rnd(2) ? rnd(w->n) : w->n - 1] = (char)('a' + rnd(26));
        w->p[rnd(w->n)] = (char)('a' + rnd(26));
        w->hash = few ? (uint64_t)rnd(4) << 62 | rnd(2) << 8 : tk_long_hash(w->p, w->n);
        w->count = 1 + rnd(TK_LONG_IDS);
        for (size_t k = 0; k < w->count; k++)
            w->id[k] = (int32_t)rnd(1 << 24);
    }
}

static bool is(const struct word *w, const uint32_t *ids)
{
    bool good = ids[0] == ((uint32_t)w->id[0] | (uint32_t)w->count << 24);
    for (size_t k = 1; k < w->count; k++)
        good = good && (int32_t)ids[k] == w->id[k];
    return good;
}

/* Of two words with the same bytes the first one's ids are right. */
static const struct word *first(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (words[k].n == words[i].n && !memcmp(words[k].p, words[i].p, words[i].n))
            return &words[k];
    return &words[i];
}

static void fill(bool few)
{
    struct tk_long l;
    tk_long_new(&l);
    make(few);
    size_t found = 0, bad = 0;
    for (size_t round = 0; round < 6; round++)
        for (size_t i = 0; i < WORDS; i++) {
            const struct word *w = first(i);
            const uint32_t *ids = tk_long_find(&l, w->p, w->n, w->hash);
            bad += ids && !is(w, ids);
            found += ids != NULL;
            if (!ids && tk_long_seen(&l, w->n, w->hash)) {
                tk_long_put(&l, w->p, w->n, w->hash, w->id, w->count);
                ids = tk_long_find(&l, w->p, w->n, w->hash);
                bad += !ids || !is(w, ids);
            }
            tk_long_next(&l);
        }
    CHECK(!bad);
    CHECK(few || found > WORDS / 2);
    tk_long_release(&l);
}

TEST(long_words) { fill(false); }
TEST(long_words_of_few_hashes) { fill(true); }

/* An id a byte, and it tells which. */
static int bytes(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    (void)ctx, (void)e;
    for (size_t i = 0; i < n; i++)
        tk_ids_put(out, (unsigned char)p[i] + 1000);
    return 0;
}

/* Words of any length, some again and again; `jump`: places are skipped, so that they are used up now and then. */
static void go_on(bool jump)
{
    static const struct tk_seed empty;
    static char text[400][300];
    static size_t len[400];
    struct tk_cache *c = tk_cache_new(&empty, bytes, NULL);
    struct tk_ids out = {0};
    struct ft_err e = {0};
    size_t bad = 0;
    for (size_t i = 0; i < 400; i++) {
        len[i] = 1 + rnd(rnd(4) ? 40 : 300);
        for (size_t k = 0; k < len[i]; k++)
            text[i][k] = (char)rnd(256);
    }
    for (size_t round = 0; round < 3000; round++) {
        size_t pick[TK_BATCH], n = 1 + rnd(TK_BATCH), at = 0;
        out.n = 0;
        for (size_t i = 0; i < n; i++) {
            pick[i] = rnd(rnd(2) ? 20 : 400);
            tk_cache_word(c, text[pick[i]], len[pick[i]]);
        }
        if (tk_cache_flush(c, &out, &e))
            bad++;
        for (size_t i = 0; i < n && !bad; at += len[pick[i++]])
            for (size_t k = 0; k < len[pick[i]]; k++)
                bad += at + k >= out.n || out.v[at + k] != (unsigned char)text[pick[i]][k] + 1000;
        bad += at != out.n;
        const uint32_t to = UINT32_MAX - (uint32_t)rnd(4 * TK_RING_BATCH);
        if (jump && !rnd(10) && to > c->longs.head)
            c->longs.head = to;
    }
    CHECK(!bad);
    tk_cache_free(c);
    free(out.v);
}

TEST(a_cache_with_long_words) { go_on(false); }
TEST(a_cache_whose_places_are_used_up) { go_on(true); }

/* A word whose hash is another one's gets its own ids. */
TEST(words_of_one_hash)
{
    static const struct tk_seed empty;
    struct tk_cache *c = tk_cache_new(&empty, bytes, NULL);
    struct tk_ids out = {0};
    struct ft_err e = {0};
    const char *a = "a word of some length", *b = "a word of same length";
    const int32_t ids[] = {7, 8};
    const size_t n = strlen(a);
    tk_long_put(&c->longs, a, n, 99, ids, 2);
    for (int k = 0; k < 2; k++) {
        const unsigned char *x = tk_long_guess(&c->longs, n, 99);
        REQUIRE(x);
        tk_cache_known(c, c->n++, k ? b : a, n, x);
    }
    CHECK(!tk_cache_flush(c, &out, &e));
    CHECK(out.n == 2 + n && out.v[0] == 7 && out.v[1] == 8);
    for (size_t k = 0; k < n && out.n == 2 + n; k++)
        CHECK(out.v[2 + k] == b[k] + 1000);
    tk_cache_free(c);
    free(out.v);
}
