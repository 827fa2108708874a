#include "trainer/schedule.h"

#include "tests/unit/test.h"

static int index_of(const char *names, const char *name)
{
    int i = 0;
    for (const char *p = names; *p; i++) {
        const size_t n = strcspn(p, "|");
        if (n == strlen(name) && !memcmp(p, name, n))
            return i;
        p += n + (p[n] == '|');
    }
    return -1;
}

static void set(struct ft_schedule *s, const char *key, const char *value)
{
    const double x = strtod(value, NULL);
    const struct {
        const char *key;
        double *to;
    } reals[] = {
        {"num_cycles", &s->num_cycles}, {"lr_end", &s->lr_end}, {"power", &s->power}, {"min_lr", &s->min_lr},
        {"min_lr_rate", &s->min_lr_rate}, {"min_lr_ratio", &s->min_lr_rate}, {"warmup_lr_rate", &s->warmup_lr_rate},
    };
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (!strcmp(key, reals[i].key)) {
            *reals[i].to = x;
            return;
        }
    if (!strcmp(key, "timescale"))
        s->timescale = (int64_t)x;
    else if (!strcmp(key, "num_decay_steps"))
        s->decay_steps = (int64_t)x;
    else if (!strcmp(key, "num_stable_steps"))
        s->stable_steps = (int64_t)x;
    else if (!strcmp(key, "warmup_type"))
        s->warmup_type = (enum ft_ramp)index_of(FT_RAMP_NAMES, value);
    else if (!strcmp(key, "decay_type"))
        s->decay_type = (enum ft_ramp)index_of(FT_RAMP_NAMES, value);
    else
        TEST_FAILED("the recording has %s", key);
}

TEST(rates_are_those_of_transformers)
{
    FILE *f = fopen(test_path("golden/trainer/schedules.txt"), "r");
    char line[4096];
    int lines = 0;
    REQUIRE(f);
    while (fgets(line, sizeof line, f)) {
        struct ft_schedule s;
        struct ft_err e = {0};
        char *save, *word = strtok_r(line, " \n", &save);
        int t = 0;
        ft_schedule_init(&s);
        s.type = (enum ft_schedule_type)index_of(FT_SCHEDULE_NAMES, word);
        s.base = strtod(strtok_r(NULL, " ", &save), NULL);
        s.warmup = atol(strtok_r(NULL, " ", &save));
        s.total = atol(strtok_r(NULL, " ", &save));
        strtok_r(NULL, " ", &save);
        while ((word = strtok_r(NULL, " ", &save)) && strcmp(word, "|")) {
            char *eq = strchr(word, '=');
            *eq = 0;
            set(&s, word, eq + 1);
        }
        CHECK_EQ(ft_schedule_check(&s, &e), 0);
        for (; (word = strtok_r(NULL, " \n", &save)); t++) {
            const double want = strtod(word, NULL);
            CHECK_NEAR(ft_schedule_at(&s, t), want, 1e-14 * s.base);
        }
        CHECK_EQ(t, s.total + 3);
        lines++;
    }
    fclose(f);
    CHECK_EQ(lines, 25);
}

TEST(what_transformers_refuses_is_refused)
{
    struct ft_schedule s;
    const struct {
        enum ft_schedule_type type;
        double min_lr, rate, end;
    } bad[] = {
        {FT_LR_COSINE_WITH_MIN_LR, NAN, NAN, NAN}, {FT_LR_COSINE_WITH_MIN_LR, 1e-5, .1, NAN},
        {FT_LR_COSINE_WARMUP_WITH_MIN_LR, NAN, NAN, NAN}, {FT_LR_POLYNOMIAL, NAN, NAN, 1e-3},
        {FT_LR_WARMUP_STABLE_DECAY, NAN, NAN, NAN},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ft_err e = {0};
        ft_schedule_init(&s);
        s.base = 1e-4, s.total = 10;
        s.type = bad[i].type, s.min_lr = bad[i].min_lr, s.min_lr_rate = bad[i].rate, s.lr_end = bad[i].end;
        CHECK_EQ(ft_schedule_check(&s, &e), -1);
        CHECK_EQ(e.code, FT_USAGE);
    }
}

TEST(warm_up_below_1_is_a_share_rounded_up)
{
    CHECK_EQ(ft_warmup_steps(0, 100), 0);
    CHECK_EQ(ft_warmup_steps(.03, 101), 4);
    CHECK_EQ(ft_warmup_steps(.999, 10), 10);
    CHECK_EQ(ft_warmup_steps(1, 10), 1);
    CHECK_EQ(ft_warmup_steps(7.9, 10), 7);
}
