/* The table of merges: pairs at random, some twice, and such as were chosen to fall together. */
#include <stdlib.h>

#include "tests/unit/random.h"
#include "tests/unit/test.h"
#include "tokenizer/merges.h"

static int32_t raw_id[256];

/* Builds the table and asks for every pair of it, and for as many that are not there. Pairs are of distinct merges; of equal
 * ones the last must count. */
static void check(struct tk_merge_pair *pair, size_t n)
{
    for (int i = 0; i < 256; i++)
        raw_id[i] = i;
    struct tk_merges m = {.v = ft_calloc(n + 1, sizeof *m.v), .n = n};
    for (size_t i = 0; i < n; i++) {
        m.v[i] = (struct tk_merge){(uint32_t)i, (uint32_t)i};
        pair[i].merge = (uint32_t)i;
    }
    tk_merges_build(&m, pair, n, raw_id);
    uint32_t *last = ft_calloc(n + 1, sizeof *last);
    for (size_t i = n; i-- > 0;) { /* from one to the next that is equal it is eight places at most */
        last[i] = (uint32_t)i;
        for (size_t k = i + 1; k < n && k <= i + 8; k++)
            if (pair[k].a == pair[i].a && pair[k].b == pair[i].b)
                last[i] = last[k] > last[i] ? last[k] : last[i];
    }
    size_t wrong = 0, found = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += tk_pair_find(&m, pair[i].a, pair[i].b) != last[i];
        found += tk_pair_find(&m, pair[i].a ^ 0x800000, pair[i].b) != TK_NO_MERGE;
        found += tk_pair_find(&m, pair[i].a, pair[i].b ^ 0x400000) != TK_NO_MERGE;
    }
    CHECK(wrong == 0);
    CHECK(found == 0);
    for (uint32_t i = 0; i < 65536; i++)
        wrong += m.byte_pair[i] != tk_pair_find(&m, (uint32_t)raw_id[i & 255], (uint32_t)raw_id[i >> 8]);
    CHECK(wrong == 0);
    free(last);
    tk_merges_release(&m);
}

static void at_random(void)
{
    static const size_t sizes[] = {0, 1, 2, 7, 100, 819, 820, 5000, 52428, 60000};
    struct tk_merge_pair *pair = ft_calloc(60000, sizeof *pair);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t i = 0; i < sizes[s]; i++) {
            pair[i] = (struct tk_merge_pair){.a = (uint32_t)i / 4, .b = (uint32_t)rnd(1 << 22)};
            if (i > 8 && rnd(10) == 0)
                pair[i] = pair[i - (rnd(2) ? 1 : 8)];
        }
        check(pair, sizes[s]);
    }
    free(pair);
}

/* Pairs of which those of a kind have the same top bits, mixed as at first: no turn has places for all. */
static void together(unsigned bits, size_t n)
{
    struct tk_merge_pair *pair = ft_calloc(n, sizeof *pair);
    const struct tk_merges first = {.mul = TK_MIX_SECOND};
    for (size_t i = 0; i < n;) {
        const uint32_t a = (uint32_t)rnd(1 << 22), b = (uint32_t)rnd(1 << 22);
        if (tk_pair_mix(&first, a, b) >> (48 - bits) == 5)
            pair[i++] = (struct tk_merge_pair){.a = a, .b = b};
    }
    check(pair, n);
    free(pair);
}

TEST(pairs_at_random)
{
    at_random();
}

TEST(pairs_chosen_to_fall_together)
{
    together(8, 3000);
    together(13, 400);
}
