#include "trainer/recipe.h"

#include <stddef.h>

#include "tests/unit/test.h"

static struct ft_recipe resolve(struct ft_recipe r, struct ft_facts f)
{
    struct ft_err e = {0};
    if (ft_recipe_resolve(&r, &f, &e))
        TEST_FAILED("%s", e.msg);
    return r;
}

static struct ft_recipe fresh(void)
{
    struct ft_recipe r;
    ft_recipe_init(&r);
    return r;
}

static const struct ft_facts packed = {.lora = true, .rows = 2000, .tokens = 2000 * 2000, .max_row = 2048, .eval_rows = 40};

TEST(defaults_follow_from_what_is_trained)
{
    const struct {
        bool pretrain, lora, scratch;
        double lr, decay, beta2, epochs;
    } table[] = {
        {false, true, false, 2e-4, 0, .999, 3}, {false, false, false, 2e-5, 0, .999, 3}, {true, true, false, 1e-4, 0, .999, 1},
        {true, false, false, 2e-5, 0, .999, 1}, {true, false, true, 1e-3, .1, .95, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ft_facts f = packed;
        f.pretrain = table[i].pretrain, f.lora = table[i].lora, f.scratch = table[i].scratch;
        struct ft_recipe r = resolve(fresh(), f);
        CHECK(r.lr == table[i].lr && r.decay == table[i].decay && r.beta2 == table[i].beta2 && r.epochs == table[i].epochs);
        CHECK(r.schedule.type == FT_LR_COSINE && r.max_norm == 1 && r.seed == 42 && r.eps == 1e-8);
        ft_recipe_release(&r);
    }
}

TEST(a_step_is_about_32k_tokens_unless_steps_would_be_few)
{
    struct ft_recipe r = resolve(fresh(), packed); /* 2,000 rows of 2k: 16 rows a step, 375 steps */
    CHECK_EQ(r.batch_rows * r.accumulation, 16);
    CHECK_EQ(r.batch_rows, 2); /* 4k tokens a micro-batch */
    CHECK_EQ(r.max_steps, 375);
    CHECK_EQ(r.schedule.warmup, 12);
    CHECK_EQ(r.log_every, 10);
    CHECK_EQ(r.eval_every, 37);
    CHECK_EQ(r.save_every, 37);
    CHECK(strstr(r.notes.p, "gradient_accumulation_steps 8: about 32768 tokens a step\n"));
    ft_recipe_release(&r);

    struct ft_facts few = packed;
    few.rows = 98, few.tokens = 98 * 2000;
    r = resolve(fresh(), few);
    CHECK_EQ(r.batch_rows * r.accumulation, 2);
    CHECK(r.max_steps >= 100);
    ft_recipe_release(&r);

    few.rows = 5, few.tokens = 100, few.max_row = 20;
    r = resolve(fresh(), few);
    CHECK_EQ(r.batch_rows * r.accumulation, 1);
    CHECK_EQ(r.max_steps, 15);
    ft_recipe_release(&r);
}

TEST(what_is_given_is_kept_and_counted_as_the_trainer_counts)
{
    /* batch, accumulation, epochs, rows -> updates an epoch, steps (trainer.py: the short last window steps on its own) */
    const struct {
        uint64_t batch, accumulation;
        double epochs;
        uint64_t rows, updates, steps;
    } table[] = {
        {2, 2, 1.5, 10, 3, 5}, {2, 4, 1, 25, 4, 4}, {8, 1, 3, 7, 1, 3}, {8, 16, 3, 7, 1, 3}, {1, 1, .25, 10, 10, 3},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct ft_recipe r = fresh();
        struct ft_facts f = packed;
        f.rows = table[i].rows;
        r.batch_rows = table[i].batch, r.accumulation = table[i].accumulation, r.epochs = table[i].epochs;
        r = resolve(r, f);
        CHECK_EQ(r.batch_rows, table[i].batch);
        CHECK_EQ(r.accumulation, table[i].accumulation);
        CHECK_EQ(r.updates, table[i].updates);
        CHECK_EQ(r.max_steps, table[i].steps);
        ft_recipe_release(&r);
    }
    struct ft_recipe r = fresh();
    r.max_steps = 50, r.logging_steps = .1, r.save_steps = 7.9, r.eval_steps = 500;
    r = resolve(r, packed);
    CHECK(r.max_steps == 50 && r.log_every == 5 && r.save_every == 7 && r.eval_every == 500);
    ft_recipe_release(&r);
}

TEST(nonsense_is_refused)
{
    const struct {
        size_t at;
        double v;
    } bad[] = {
        {offsetof(struct ft_recipe, lr), 0}, {offsetof(struct ft_recipe, lr), -1}, {offsetof(struct ft_recipe, warmup), -1},
        {offsetof(struct ft_recipe, decay), -1}, {offsetof(struct ft_recipe, beta1), 1}, {offsetof(struct ft_recipe, beta2), -.1},
        {offsetof(struct ft_recipe, eps), 0}, {offsetof(struct ft_recipe, max_norm), -1}, {offsetof(struct ft_recipe, epochs), 0},
        {offsetof(struct ft_recipe, logging_steps), 0}, {offsetof(struct ft_recipe, save_steps), -2},
        {offsetof(struct ft_recipe, patience), 1.5},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ft_recipe r = fresh();
        struct ft_err e = {0};
        *(double *)((char *)&r + bad[i].at) = bad[i].v;
        if (ft_recipe_resolve(&r, &packed, &e) != -1 || e.code != FT_USAGE)
            TEST_FAILED("case %zu is taken", i);
        ft_recipe_release(&r);
    }
}
