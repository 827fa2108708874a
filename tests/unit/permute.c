#include "pipeline/permute.h"
#include "tests/unit/test.h"

TEST(every_item_comes_once)
{
    static unsigned char seen[70000];
    const uint64_t sizes[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4095, 4096, 4097, 65537};

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const uint64_t n = sizes[s];
        uint64_t wrong = 0;
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t at = ft_permute(i, n, 42 + s);
            wrong += at >= n || seen[at]++;
        }
        CHECK_EQ(wrong, 0);
    }
}

TEST(keys_give_other_orders_and_one_key_the_same)
{
    uint64_t same = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        const uint64_t a = ft_permute(i, 1000, ft_permute_key(1, 2, 3));
        CHECK_EQ(a, ft_permute(i, 1000, ft_permute_key(1, 2, 3)));
        same += a == ft_permute(i, 1000, ft_permute_key(1, 2, 4));
        same += a == ft_permute(i, 1000, ft_permute_key(1, 3, 3));
        same += a == ft_permute(i, 1000, ft_permute_key(2, 2, 3));
    }
    CHECK(same < 20); /* 3 are expected of 3000 */
}

/* Of three items, each of the six orders comes up about as often. */
TEST(small_orders_are_all_reached)
{
    int count[6] = {0};

    for (uint64_t k = 0; k < 60000; k++) {
        const uint64_t key = ft_permute_key(7, 0, k);
        const uint64_t a = ft_permute(0, 3, key), b = ft_permute(1, 3, key);
        count[a * 2 + (b > a ? b - 1 : b)]++;
    }
    for (int i = 0; i < 6; i++)
        CHECK_NEAR(count[i], 10000, 500); /* 5.5 standard deviations */
}

TEST(large_ranges_stay_inside)
{
    const uint64_t n = (uint64_t)1 << 40 | 1;

    for (uint64_t i = 0; i < 10000; i++)
        REQUIRE(ft_permute(n - 1 - i, n, 9) < n);
    CHECK(ft_permute(0, UINT64_MAX, 1) < UINT64_MAX);
}

/* Orders are recorded in runs: they may not change. */
TEST(the_order_is_the_one_of_version_1)
{
    const uint64_t want[8] = {2, 4, 6, 7, 3, 0, 5, 1};

    for (uint64_t i = 0; i < 8; i++)
        CHECK_EQ(ft_permute(i, 8, ft_permute_key(1, 0, 0)), want[i]);
}
