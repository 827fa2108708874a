/* Draws: the generator's known answers, and what the filters let through. */
#include "trainer/sample.h"
#include "tests/unit/test.h"
#include "trainer/philox.h"

/* Random123's kat_vectors for philox4x32-10. */
TEST(philox_gives_the_known_answers)
{
    static const uint32_t in[3][6] = {
        {0, 0, 0, 0, 0, 0},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0},
    };
    static const uint32_t want[3][4] = {
        {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
    };

    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        ft_philox(out, in[i], in[i][4], in[i][5]);
        for (int k = 0; k < 4; k++)
            CHECK_EQ(out[k], want[i][k]);
    }
}

enum { V = 6, N = 40000 };
/* Probabilities 0.1 0.4 0.05 0.25 0.05 0.15 at temperature 1. */
static const double share[V] = {0.1, 0.4, 0.05, 0.25, 0.05, 0.15};

static void draw(struct ft_sampling s, double *got)
{
    float logits[V];
    int32_t order[V];
    int count[V] = {0};

    for (int v = 0; v < V; v++)
        logits[v] = (float)log(share[v]) + 50;
    for (int i = 0; i < N; i++)
        count[ft_sample(&s, logits, V, order, (uint64_t)i / 100, (uint32_t)i % 100)]++;
    for (int v = 0; v < V; v++)
        got[v] = count[v] / (double)N;
}

static void expect(struct ft_sampling s, const double *weight)
{
    double got[V], sum = 0;

    draw(s, got);
    for (int v = 0; v < V; v++)
        sum += weight[v];
    for (int v = 0; v < V; v++) {
        const double p = weight[v] / sum;
        if (p == 0)
            CHECK_EQ(got[v], 0);
        CHECK_NEAR(got[v], p, 4 * sqrt(p * (1 - p) / N));
    }
}

TEST(draws_follow_the_distribution) { expect((struct ft_sampling){.temperature = 1, .top_p = 1, .seed = 3}, share); }

TEST(temperature_sharpens)
{
    double w[V];
    for (int v = 0; v < V; v++)
        w[v] = share[v] * share[v];
    expect((struct ft_sampling){.temperature = 0.5, .top_p = 1, .seed = 4}, w);
}

TEST(top_k_keeps_the_k_most_likely)
{
    expect((struct ft_sampling){.temperature = 1, .top_k = 3, .top_p = 1}, (double[V]){0, 0.4, 0, 0.25, 0, 0.15});
}

TEST(top_p_keeps_the_fewest_that_reach_it)
{
    /* 0.4 + 0.25 fall short of 0.7, with 0.15 they reach it. */
    expect((struct ft_sampling){.temperature = 1, .top_p = 0.7}, (double[V]){0, 0.4, 0, 0.25, 0, 0.15});
    expect((struct ft_sampling){.temperature = 1, .top_p = 0.3}, (double[V]){0, 1, 0, 0, 0, 0});
    /* Within the three that top_k leaves, 0.6 of their 0.8 is 0.48. */
    expect((struct ft_sampling){.temperature = 1, .top_k = 3, .top_p = 0.6}, (double[V]){0, 0.4, 0, 0.25, 0, 0});
}

TEST(top_k_finds_them_among_many)
{
    enum { MANY = 5000 };
    static float x[MANY];
    static int32_t order[MANY];
    struct ft_sampling s = {.temperature = 1e9, .top_k = 7, .top_p = 1}; /* all as likely */
    int count[MANY] = {0};

    for (int i = 0; i < MANY; i++)
        x[i] = (float)((i * 2503) % MANY / 2); /* pairs of equals; no common factor */
    for (uint32_t k = 0; k < 700; k++)
        count[ft_sample(&s, x, MANY, order, k, 0)]++;
    for (int i = 0; i < MANY; i++) {
        int ahead = 0;
        for (int j = 0; j < MANY; j++)
            ahead += x[j] > x[i] || (x[j] == x[i] && j < i);
        CHECK((count[i] > 50) == (ahead < 7) && (count[i] == 0) == (ahead >= 7));
    }
}

TEST(greedy_takes_the_first_of_equals)
{
    const float x[4] = {-1, 2, 2, 0};
    int32_t order[4];
    const struct ft_sampling s = {.temperature = 0};
    CHECK_EQ(ft_sample(&s, x, 4, order, 0, 0), 1);
}
