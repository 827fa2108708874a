/* A whole model, tiny and random: gradients by finite differences, the fast
 * kernels against the plain ones, and what must not change a bit. */
#include "trainer/decoder.h"
#include "tests/unit/test.h"
#include "trainer/ops.h"

enum { T = 37, V = 29 };

static const int32_t segment[] = {0, 11, 12, 37};
static int32_t tokens[T], targets[T], positions[T];

static struct ft_batch batch(void)
{
    for (int t = 0; t < T; t++) {
        tokens[t] = (t * 7 + t * t) % V;
        targets[t] = t % 3 == 2 ? FT_NO_TARGET : (t * 11 + 5) % V;
        positions[t] = t < 11 ? t : t == 11 ? 0 : t - 12;
    }
    return (struct ft_batch){.n = T, .tokens = tokens, .targets = targets, .positions = positions, .segments = 3,
                             .segment = segment};
}

enum variation { TIED = 1, BIAS = 2, QKNORM = 4, WINDOW = 8, LORA = 16, DROP = 32, GELU = 64, LLAMA3 = 128, UPPER = 256 };

struct fixture {
    struct ft_backend b;
    struct ft_model *m;
};

/* Weights well away from zero, so that every path carries something. */
static void fill(struct ft_model *m)
{
    for (int i = 0; i < ft_model_params(m); i++) {
        struct ft_param *p = ft_model_param(m, i);
        float *x = p->data.p;
        for (int64_t k = 0; k < ft_param_count(p); k++)
            x[k] = (float)((p->role == FT_ROLE_NORM ? 1 : 0) + 0.25 * sin(1.7 * (double)k + 3.1 * i + 0.3));
    }
}

static void open_model(struct fixture *f, unsigned how, const char *isa, uint64_t threads)
{
    struct ft_config c;
    struct ft_err e = {0};
    static const char *targets_all[] = {"all-linear"};
    struct ft_lora_config lora = FT_LORA_DEFAULTS;
    int slot;

    setenv("FT_ISA", isa, 1);
    ft_config_default(&c);
    c.vocab = V;
    c.hidden = 20;
    c.intermediate = 27;
    c.layers = 3;
    c.heads = 4;
    c.kv_heads = 2;
    c.head_dim = 6;
    c.max_positions = 64;
    c.norm_eps = 1e-5;
    c.tied = how & TIED;
    c.qkv_bias = c.o_bias = c.mlp_bias = how & BIAS;
    c.qk_norm = how & QKNORM;
    c.act = how & GELU ? FT_ACT_GELU_TANH : FT_ACT_SILU;
    if (how & WINDOW) {
        c.window = 5;
        c.windowed[0] = c.windowed[2] = true;
    }
    if (how & LLAMA3) {
        c.rope.kind = FT_ROPE_LLAMA3;
        c.rope.factor = 8;
        c.rope.original_max = 32;
    }
    REQUIRE(ft_backend_open(&f->b, threads, &e) == 0);
    REQUIRE(ft_model_new(&f->b, &c, &f->m, &e) == 0);
    if (how & LORA) {
        lora.r = 3;
        lora.alpha = 5;
        lora.dropout = how & DROP ? 0.4 : 0;
        lora.targets = (struct ft_list){targets_all, 1};
        if (how & UPPER) /* nothing below the second layer learns */
            lora.targets_regex = "model\\.layers\\.[12]\\..*(q_proj|down_proj)";
        REQUIRE(ft_model_add_lora(f->m, &lora, &slot, &e) == 0);
        ft_model_init(f->m, 1);
        ft_model_init_lora(f->m, slot, 1);
    } else {
        ft_model_train_base(f->m);
        ft_model_init(f->m, 1);
    }
    fill(f->m);
    ft_model_set_seed(f->m, 42);
    REQUIRE(ft_model_complete(f->m, &e) == 0);
    REQUIRE(ft_model_reserve(f->m, &(struct ft_plan){.tokens = T, .train = true}, &e) == 0);
}

static void close_model(struct fixture *f)
{
    ft_model_free(f->m);
    ft_backend_close(&f->b);
}

static double loss_of(struct fixture *f)
{
    struct ft_batch b = batch();
    struct ft_loss loss;
    struct ft_err e = {0};

    /* The training pass, so that dropout is on. */
    REQUIRE(ft_model_train(f->m, &b, 0, &loss, &e) == 0);
    return loss.nll;
}

/* d loss / d every parameter along a fixed direction, both ways. */
static void check_gradients(unsigned how)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_loss loss;
    struct ft_err e = {0};

    open_model(&f, how, "plain", 1);
    ft_model_zero_grad(f.m);
    REQUIRE(ft_model_train(f.m, &b, 1, &loss, &e) == 0);
    for (int i = 0; i < ft_model_params(f.m); i++) {
        struct ft_param *p = ft_model_param(f.m, i);
        const int64_t n = ft_param_count(p);
        float *x = p->data.p, *keep = malloc((size_t)n * sizeof *keep);
        double slope = 0, size = 0, value[2];
        const double h = 0.01;
        if (!p->trainable) {
            CHECK(p->grad.p == NULL);
            free(keep);
            continue;
        }
        memcpy(keep, x, (size_t)n * sizeof *keep);
        for (int64_t k = 0; k < n; k++) {
            slope += (double)((float *)p->grad.p)[k] * sin((double)k * 0.9 + i);
            size += pow(((float *)p->grad.p)[k], 2);
        }
        for (int side = 0; side < 2; side++) {
            for (int64_t k = 0; k < n; k++)
                x[k] = (float)(keep[k] + (side ? -h : h) / sqrt((double)n) * sin((double)k * 0.9 + i));
            value[side] = loss_of(&f);
        }
        memcpy(x, keep, (size_t)n * sizeof *keep);
        free(keep);
        const double measured = (value[0] - value[1]) / (2 * h) * sqrt((double)n);
        if (!(fabs(measured - slope) <= 0.01 * sqrt(size) + 0.02))
            TEST_FAILED("%s: slope %g, measured %g, norm %g", p->name, slope, measured, sqrt(size));
        CHECK(size > 0);
    }
    close_model(&f);
}

TEST(gradients_of_all_weights_are_the_slopes_of_the_loss) { check_gradients(0); }
TEST(gradients_of_a_tied_model_with_biases_norms_and_windows) { check_gradients(TIED | BIAS | QKNORM | WINDOW | GELU | LLAMA3); }
TEST(gradients_of_adapters) { check_gradients(LORA | TIED | BIAS); }
TEST(gradients_of_adapters_on_some_layers) { check_gradients(LORA | UPPER); }
TEST(gradients_of_adapters_under_dropout) { check_gradients(LORA | DROP | QKNORM); }

/* Loss and gradients, one after the other, of one training step. */
static float *outcome(unsigned how, const char *isa, uint64_t threads, size_t *n)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_loss loss;
    struct ft_err e = {0};
    float *all = NULL;

    open_model(&f, how, isa, threads);
    REQUIRE(ft_model_train(f.m, &b, 1, &loss, &e) == 0);
    *n = 1;
    all = realloc(all, sizeof *all);
    all[0] = (float)loss.nll;
    for (int i = 0; i < ft_model_params(f.m); i++) {
        const struct ft_param *p = ft_model_param(f.m, i);
        if (!p->grad.p)
            continue;
        all = realloc(all, (*n + (size_t)ft_param_count(p)) * sizeof *all);
        memcpy(all + *n, p->grad.p, (size_t)ft_param_count(p) * sizeof *all);
        *n += (size_t)ft_param_count(p);
    }
    close_model(&f);
    return all;
}

static const unsigned kinds[] = {0, TIED | BIAS | QKNORM | WINDOW | GELU, LORA | DROP | WINDOW};

TEST(fast_kernels_compute_what_plain_ones_define)
{
    static const char *const isas[] = {"generic", "avx2", "avx512"};

    for (size_t k = 0; k < 3; k++) {
        size_t n, n2;
        float *want = outcome(kinds[k], "plain", 1, &n);
        for (size_t i = 0; i < 3; i++) {
            struct ft_backend b;
            struct ft_err e = {0};
            double worst = 0;
            setenv("FT_ISA", isas[i], 1);
            if (ft_backend_open(&b, 1, &e))
                continue; /* not in this CPU */
            ft_backend_close(&b);
            float *got = outcome(kinds[k], isas[i], 2, &n2);
            REQUIRE(n == n2);
            for (size_t j = 0; j < n; j++)
                worst = fmax(worst, fabs(got[j] - want[j]) / (1e-2 + fabs(want[j])));
            CHECK_NEAR(worst, 0, 2e-4);
            free(got);
        }
        free(want);
    }
}

TEST(the_number_of_threads_changes_no_bit)
{
    for (size_t k = 0; k < 3; k++) {
        size_t n, n2;
        float *one = outcome(kinds[k], "", 1, &n), *five = outcome(kinds[k], "", 5, &n2);
        CHECK_EQ(n, n2);
        CHECK(memcmp(one, five, n * sizeof *one) == 0);
        free(one);
        free(five);
    }
}

TEST(segments_do_not_see_each_other)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    float together[T], alone[T];
    struct ft_scores s = {.logp = together};

    open_model(&f, WINDOW, "generic", 1);
    REQUIRE(ft_model_score(f.m, &b, &s, NULL, &e) == 0);
    for (int i = 0; i < 3; i++) {
        const int32_t n = segment[i + 1] - segment[i], own[] = {0, n};
        struct ft_batch one = {.n = n, .tokens = tokens + segment[i], .targets = targets + segment[i],
                               .positions = positions + segment[i], .segments = 1, .segment = own};
        struct ft_scores t = {.logp = alone + segment[i]};
        REQUIRE(ft_model_score(f.m, &one, &t, NULL, &e) == 0);
    }
    for (int t = 0; t < T; t++)
        CHECK_NEAR(alone[t], together[t], 1e-5);
    close_model(&f);
}

TEST(cached_decoding_gives_the_logits_of_the_whole)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    float whole[T], out[2 * V];
    struct ft_scores s = {.logp = whole};
    const int32_t rows[2] = {1, 0}, two[3] = {0, 1, 2};

    open_model(&f, WINDOW | QKNORM, "generic", 2);
    REQUIRE(ft_model_score(f.m, &b, &s, NULL, &e) == 0);
    REQUIRE(ft_model_reserve(f.m, &(struct ft_plan){.tokens = T, .cache_rows = 2, .cache_length = 64}, &e) == 0);
    /* Segment 2 (25 tokens) into row 1, all but the last 4 at once; segment 0 into row 0. */
    const int32_t first[3] = {0, 21, 28};
    int32_t ids[28], pos[28];
    for (int t = 0; t < 21; t++) {
        ids[t] = tokens[12 + t];
        pos[t] = t;
    }
    for (int t = 0; t < 7; t++) {
        ids[21 + t] = tokens[t];
        pos[21 + t] = t;
    }
    struct ft_batch start = {.n = 28, .tokens = ids, .positions = pos, .segments = 2, .segment = first, .cache_row = rows};
    REQUIRE(ft_model_next(f.m, &start, out, &e) == 0);
    for (int step = 0; step < 4; step++) {
        const int32_t at[2] = {12 + 20 + step, 6 + step}; /* whose next token `out` tells */
        for (int k = 0; k < 2; k++) {
            double sum = 0;
            for (int v = 0; v < V; v++)
                sum += exp(out[k * V + v]);
            if (targets[at[k]] >= 0)
                CHECK_NEAR(out[k * V + targets[at[k]]] - log(sum), whole[at[k]], 2e-5);
        }
        const int32_t next[2] = {tokens[at[0] + 1], tokens[at[1] + 1]}, where[2] = {21 + step, 7 + step};
        struct ft_batch more = {.n = 2, .tokens = next, .positions = where, .segments = 2, .segment = two, .cache_row = rows};
        REQUIRE(ft_model_next(f.m, &more, out, &e) == 0);
    }
    close_model(&f);
}

TEST(merging_an_adapter_changes_nothing_but_where_it_is)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    float with[T], merged[T], without[T];
    struct ft_scores s = {.logp = with};
    double moved = 0;

    open_model(&f, LORA, "generic", 1);
    REQUIRE(ft_model_score(f.m, &b, &s, NULL, &e) == 0);
    ft_model_use_slots(f.m, 0);
    s.logp = without;
    REQUIRE(ft_model_score(f.m, &b, &s, NULL, &e) == 0);
    REQUIRE(ft_model_merge(f.m, 0, &e) == 0);
    s.logp = merged;
    REQUIRE(ft_model_score(f.m, &b, &s, NULL, &e) == 0);
    for (int t = 0; t < T; t++) {
        CHECK_NEAR(merged[t], with[t], 2e-4);
        moved += fabs(with[t] - without[t]);
    }
    CHECK(moved > 1);
    close_model(&f);
}

TEST(two_micro_batches_add_up_to_one)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    struct ft_loss loss, part;
    float *whole = NULL;
    size_t n = 0;

    open_model(&f, 0, "generic", 1);
    REQUIRE(ft_model_train(f.m, &b, 0.125, &loss, &e) == 0);
    for (int i = 0; i < ft_model_params(f.m); i++) {
        const struct ft_param *p = ft_model_param(f.m, i);
        whole = realloc(whole, (n + (size_t)ft_param_count(p)) * sizeof *whole);
        memcpy(whole + n, p->grad.p, (size_t)ft_param_count(p) * sizeof *whole);
        n += (size_t)ft_param_count(p);
    }
    ft_model_zero_grad(f.m);
    const int32_t rest[] = {0, 1, 26};
    struct ft_batch one = {.n = 11, .tokens = tokens, .targets = targets, .positions = positions, .segments = 1, .segment = segment};
    struct ft_batch two = {.n = 26, .tokens = tokens + 11, .targets = targets + 11, .positions = positions + 11, .segments = 2, .segment = rest};
    REQUIRE(ft_model_train(f.m, &one, 0.125, &part, &e) == 0);
    double nll = part.nll;
    int64_t count = part.count;
    REQUIRE(ft_model_train(f.m, &two, 0.125, &part, &e) == 0);
    CHECK_NEAR(nll + part.nll, loss.nll, 1e-4);
    CHECK_EQ(count + part.count, loss.count);
    n = 0;
    for (int i = 0; i < ft_model_params(f.m); i++) {
        const struct ft_param *p = ft_model_param(f.m, i);
        for (int64_t k = 0; k < ft_param_count(p); k++)
            CHECK_NEAR(((float *)p->grad.p)[k], whole[n + (size_t)k], 1e-4);
        n += (size_t)ft_param_count(p);
    }
    free(whole);
    close_model(&f);
}

/* The way of objectives that see the log-probabilities first. */
TEST(the_parts_of_a_step_make_the_step)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    struct ft_loss loss;
    float dlogp[T], logp[T], again[T];
    struct ft_scores s = {.logp = logp}, s2 = {.logp = again};
    const float *grad;

    open_model(&f, TIED, "generic", 1);
    REQUIRE(ft_model_train(f.m, &b, 0.25, &loss, &e) == 0);
    grad = ft_model_param(f.m, 3)->grad.p;
    const int64_t n = ft_param_count(ft_model_param(f.m, 3));
    float *whole = malloc((size_t)n * sizeof *whole);
    memcpy(whole, grad, (size_t)n * sizeof *whole);
    ft_model_zero_grad(f.m);
    ft_model_forward(f.m, &b, true);
    ft_model_head(f.m, &b, NULL, &s, NULL);
    for (int t = 0; t < T; t++)
        dlogp[t] = -0.25f;
    ft_model_head(f.m, &b, dlogp, &s2, NULL);
    ft_model_backward(f.m, &b);
    CHECK(!memcmp(logp, again, sizeof logp));
    CHECK(!memcmp(whole, grad, (size_t)n * sizeof *whole));
    free(whole);
    close_model(&f);
}

TEST(a_token_outside_of_the_vocabulary_is_an_error)
{
    struct fixture f;
    struct ft_batch b = batch();
    struct ft_err e = {0};
    struct ft_loss loss;

    open_model(&f, 0, "generic", 1);
    tokens[3] = V;
    CHECK(ft_model_train(f.m, &b, 1, &loss, &e) == -1);
    CHECK_EQ(e.code, FT_DATA);
    CHECK_STR(e.msg, "token 29 is not below the model's vocabulary of 29");
    close_model(&f);
}
