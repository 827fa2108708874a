#include "tokenizer/train_tally.h"

#include <stdlib.h>

#include "tests/unit/test.h"

enum { WORDS = 2000, SEEN = 20000 };

static uint64_t state;
static uint32_t pick(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* Word k: short ones, long ones that begin alike, zeros inside. */
static size_t word(uint32_t k, char out[64])
{
    const char *const form[] = {"%u", "word%u", "a word that begins like others %u", "fifteen bytes%02u", "sixteen bytes %02u"};
    size_t n = (size_t)sprintf(out, form[k % 5], k % 5 > 2 ? k / 5 % 100 : k);
    if (k % 7 == 0)
        out[n++] = 0;
    return n;
}

/* A word's number is likelier the lower it is. */
static uint32_t draw(void) { return (uint32_t)((uint64_t)pick(WORDS) * pick(WORDS) / WORDS); }

/* The same words cut among n tallies of a limit each. */
static void count(struct tk_tally *t, size_t n, uint64_t limit, uint64_t size, struct tk_words *out)
{
    char w[64];
    struct ft_err e = {0};
    state = 42;
    for (size_t i = 0; i < n; i++)
        t[i] = (struct tk_tally){.limit = limit, .temp = "."};
    for (int i = 0; i < SEEN; i++) {
        const size_t k = word(draw(), w);
        struct tk_tally *to = &t[(size_t)i / 7 % n];
        tk_tally_add(to, w, k);
        CHECK(tk_tally_check(to, &e) == 0);
    }
    CHECK(tk_tally_finish(t, n, size, out, &e) == 0);
}

static bool same(const struct tk_words *a, const struct tk_words *b)
{
    bool ok = a->n == b->n && a->seen == b->seen && a->distinct == b->distinct && a->dropped == b->dropped &&
              a->lost == b->lost && a->rarest == b->rarest;
    for (size_t i = 0; ok && i < a->n; i++)
        ok = a->v[i].count == b->v[i].count && a->v[i].n == b->v[i].n && !memcmp(a->v[i].p, b->v[i].p, a->v[i].n);
    return ok;
}

TEST(counts_are_those_of_a_list)
{
    struct tk_tally t[1];
    struct tk_words got;
    static char words[WORDS][64];
    static size_t len[WORDS], times[WORDS];
    size_t distinct = 0;
    count(t, 1, 0, 0, &got);
    state = 42;
    for (int i = 0; i < SEEN; i++) {
        char w[64];
        const size_t n = word(draw(), w);
        size_t k = 0;
        while (k < distinct && (len[k] != n || memcmp(words[k], w, n)))
            k++;
        if (k == distinct) {
            memcpy(words[k], w, n);
            len[k] = n;
            distinct++;
        }
        times[k]++;
    }
    CHECK_EQ(got.n, distinct);
    CHECK_EQ(got.distinct, distinct);
    CHECK_EQ(got.seen, SEEN);
    CHECK_EQ(got.dropped, 0);
    for (size_t i = 0; i < got.n; i++) {
        size_t k = 0;
        while (k < distinct && (len[k] != got.v[i].n || memcmp(words[k], got.v[i].p, len[k])))
            k++;
        CHECK(k < distinct && times[k] == got.v[i].count);
        CHECK(!i || got.v[i - 1].count >= got.v[i].count);
    }
    tk_words_release(&got);
}

TEST(threads_and_runs_change_nothing)
{
    struct tk_tally t[5];
    struct tk_words one, other;
    const uint64_t sizes[] = {0, 2 << 20, 200000, 20000, 3000, 1};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        count(t, 1, 0, sizes[s], &one);
        CHECK_EQ(one.n + one.dropped, one.distinct);
        CHECK((sizes[s] == 0 || sizes[s] == 2 << 20) == (one.dropped == 0));
        for (size_t n = 1; n <= 5; n += 2)
            for (uint64_t limit = 200000; limit >= 2000; limit /= 10) {
                count(t, n, limit, sizes[s], &other);
                CHECK(same(&one, &other));
                tk_words_release(&other);
            }
        tk_words_release(&one);
    }
}

TEST(the_rarest_words_go_and_the_rest_fit)
{
    struct tk_tally t[1];
    struct tk_words all, some;
    const uint64_t size = 100000;
    uint64_t cost = 0, frequent = 0;
    count(t, 1, 0, 0, &all);
    count(t, 1, 0, size, &some);
    for (size_t i = 0; i < some.n; i++)
        cost += tk_word_cost(some.v[i].n);
    /* By hash, so a little more may stay of the last count than would fit. */
    CHECK(cost > size * 8 / 10 && cost < size * 11 / 10);
    for (size_t i = 0; i < all.n; i++)
        frequent += all.v[i].count > some.rarest;
    CHECK(frequent > 0 && frequent < some.n);
    for (size_t i = 0; i < frequent; i++)
        CHECK(some.v[i].count == all.v[i].count);
    tk_words_release(&all);
    tk_words_release(&some);
}

TEST(a_full_disk_is_an_error)
{
    struct tk_tally t = {.limit = 1, .temp = "no/such/folder"};
    struct ft_err e = {0};
    for (uint32_t k = 0; k < WORDS; k++) {
        char w[64];
        tk_tally_add(&t, w, word(k, w));
    }
    CHECK(tk_tally_check(&t, &e) == -1 && e.code == FT_SYS);
    tk_tally_release(&t);
}
