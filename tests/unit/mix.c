#include "pipeline/mix.h"
#include "tests/unit/test.h"

static uint64_t state = 1;

static uint64_t rnd(uint64_t below)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

/* The largest |count - w n| over all prefixes of `steps` items, in items; or,
 * by amount with sizes 1..longest, in longest items. */
static double worst(const uint64_t *w, size_t k, uint64_t steps, uint64_t longest)
{
    const bool few_long = rnd(2);
    struct ft_mix m;
    double sum = 0, most = 0;

    ft_mix_init(&m, w, k, longest > 0);
    for (size_t i = 0; i < k; i++)
        sum += (double)w[i];
    for (uint64_t n = 0; n < steps; n++) {
        ft_mix_put(&m, ft_mix_next(&m), longest ? 1 + rnd(few_long && rnd(8) ? 1 + longest / 10 : longest) : 1);
        for (size_t i = 0; i < k; i++) {
            const double off = fabs((double)m.amount[i] - (double)w[i] / sum * (double)m.total);
            if (off > most)
                most = off;
        }
    }
    ft_mix_release(&m);
    return longest ? most / (double)longest : most;
}

static void weights(uint64_t *w, size_t k)
{
    const uint64_t kind = rnd(3);
    for (size_t i = 0; i < k; i++)
        w[i] = kind == 0   ? 1 + rnd(10)                              /* small ratios */
               : kind == 1 ? 1 + rnd((uint64_t)1 << (1 + rnd(40)))    /* very uneven */
                           : FT_MIX_ONE / k + rnd(1000);              /* nearly even */
}

TEST(no_prefix_by_example_is_off_by_more_than_the_optimal_bound)
{
    for (int run = 0; run < 400; run++) {
        uint64_t w[32];
        const size_t k = run < 100 ? 2 : 2 + (size_t)rnd(30);
        const double bound = 1 - 1 / (2 * (double)k - 2);
        double got;

        weights(w, k);
        got = worst(w, k, 3000, 0);
        if (!(got <= bound + 1e-9))
            TEST_FAILED("run %d, %zu sources: off by %.6f, bound %.6f", run, k, got, bound);
    }
}

TEST(no_prefix_by_amount_is_off_by_more_than_the_longest_item)
{
    for (int run = 0; run < 200; run++) {
        uint64_t w[32];
        const size_t k = 2 + (size_t)rnd(30);
        double got;

        weights(w, k);
        got = worst(w, k, 5000, 1 + rnd(2000));
        if (!(got <= 1))
            TEST_FAILED("run %d, %zu sources: off by %.4f longest items", run, k, got);
    }
}

TEST(a_hundred_of_15_percent_hold_15)
{
    const uint64_t w[2] = {85, 15};
    struct ft_mix m;

    ft_mix_init(&m, w, 2, false);
    for (int n = 0; n < 100; n++)
        ft_mix_put(&m, ft_mix_next(&m), 0);
    CHECK_EQ(m.items[0], 85);
    CHECK_EQ(m.items[1], 15);
    ft_mix_release(&m);
}

TEST(one_source_is_always_chosen)
{
    const uint64_t w[1] = {7};
    struct ft_mix m;

    ft_mix_init(&m, w, 1, false);
    for (int n = 0; n < 10; n++) {
        CHECK_EQ(ft_mix_next(&m), 0);
        ft_mix_put(&m, 0, 1);
    }
    ft_mix_release(&m);
}

/* Far into a run the products must still fit. */
TEST(the_largest_counts_and_weights_do_not_overflow)
{
    uint64_t w[FT_MIX_MAX];
    struct ft_mix m;

    for (size_t i = 0; i < FT_MIX_MAX; i++)
        w[i] = i ? FT_MIX_ONE * 9999999 : 1;
    ft_mix_init(&m, w, FT_MIX_MAX, true);
    m.total = (uint64_t)1 << 60; /* as if each had its share so far */
    for (size_t i = 1; i < FT_MIX_MAX; i++)
        m.amount[i] = m.total / (FT_MIX_MAX - 1);
    ft_mix_put(&m, 9, UINT32_MAX);
    for (int n = 0; n < 100000; n++) {
        const size_t i = ft_mix_next(&m);
        double off;
        ft_mix_put(&m, i, UINT32_MAX);
        off = (double)((long double)m.amount[i] -
                       (long double)m.total * (long double)m.w[i] / (long double)m.sum) / UINT32_MAX;
        if (!(fabs(off) < 1)) {
            TEST_FAILED("step %d: source %zu is off by %g items", n, i, off);
            break;
        }
    }
    ft_mix_release(&m);
}

TEST(weights_are_decimal_numbers)
{
    uint64_t v;

    CHECK_EQ(ft_mix_weight("1", 1, &v), 0);
    CHECK_EQ(v, FT_MIX_ONE);
    CHECK_EQ(ft_mix_weight("15%", 3, &v), 0);
    CHECK_EQ(v, FT_MIX_ONE / 100 * 15);
    CHECK_EQ(ft_mix_weight("0.15", 4, &v), 0);
    CHECK_EQ(v, FT_MIX_ONE / 100 * 15);
    CHECK_EQ(ft_mix_weight(".5", 2, &v), 0);
    CHECK_EQ(v, FT_MIX_ONE / 2);
    CHECK_EQ(ft_mix_weight("9999999.999999999", 17, &v), 0);
    CHECK_EQ(ft_mix_weight("", 0, &v), -1);
    CHECK_EQ(ft_mix_weight(".", 1, &v), -1);
    CHECK_EQ(ft_mix_weight("%", 1, &v), -1);
    CHECK_EQ(ft_mix_weight("-1", 2, &v), -1);
    CHECK_EQ(ft_mix_weight("1e3", 3, &v), -1);
    CHECK_EQ(ft_mix_weight("12345678", 8, &v), -1);
    CHECK_EQ(ft_mix_weight("0.1234567890", 12, &v), -1);
}
