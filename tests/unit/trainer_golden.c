/* Whole models against transformers and peft: log-probabilities, entropies,
 * logits, every gradient, greedy tokens, with and without an adapter. Answers are
 * in golden/trainer (record.py); FT_GOLDEN names another folder of the same form. */
#include <dirent.h>

#include "tests/unit/test.h"
#include "trainer/base.h"
#include "trainer/generate.h"

struct fixture {
    struct ft_backend be;
    struct ft_base base;
    struct ft_model *m;
    struct ft_st *want;
    struct ft_batch b;
    int slot;
    char dir[4096];
};

static const void *tensor(struct fixture *f, const char *name, size_t *n)
{
    const struct ft_st_tensor *t = ft_st_find(f->want, name);

    if (!t)
        TEST_FAILED("%s: no tensor '%s'", f->dir, name);
    *n = t ? t->count : 0;
    return t ? t->data : NULL;
}

/* The worst distance of two arrays, over the larger of 1 and the wanted norm per element. */
static void compare(struct fixture *f, const char *name, const float *got, size_t n, double tolerance, bool relative)
{
    size_t k = 0;
    const float *want = tensor(f, name, &k);
    double worst = 0, norm = 0, apart = 0;

    if (k != n) {
        TEST_FAILED("%s: %s has %zu elements, not %zu", f->dir, name, k, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - want[i]);
        worst = d > worst || isnan(d) ? d : worst;
        norm += (double)want[i] * want[i];
        apart += d * d;
    }
    const double measure = relative ? sqrt(apart) / (sqrt(norm) + 1e-6) : worst;
    if (!(measure <= tolerance))
        TEST_FAILED("%s: %s is off by %g", f->dir, name, measure);
    if (getenv("FT_GOLDEN_SHOW"))
        printf("%s: %s %g\n", f->dir, name, measure);
}

static void open_case(struct fixture *f, const char *dir, bool adapter)
{
    struct ft_err e = {0};
    size_t n, segments;
    char path[4200];

    memset(f, 0, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "%s", dir);
    snprintf(path, sizeof path, "%s/expect.safetensors", dir);
    REQUIRE(ft_st_open(path, &f->want, &e) == 0);
    REQUIRE(ft_backend_open(&f->be, 2, &e) == 0);
    if (ft_base_open(&f->base, dir, &e) || ft_model_new(&f->be, &f->base.config, &f->m, &e)) {
        TEST_FAILED("%s", e.msg);
        REQUIRE(false);
    }
    if (adapter) {
        struct ft_lora_config c;
        snprintf(path, sizeof path, "%s/adapter", dir);
        REQUIRE(ft_adapter_config_load(path, &f->base.mem, &c, NULL, &e) == 0);
        c.trainable = true;
        REQUIRE(ft_model_add_lora(f->m, &c, &f->slot, &e) == 0);
        REQUIRE(ft_weights_load(f->m, f->base.weights, false, &e) == 0);
        if (ft_adapter_load(f->m, f->slot, path, &e))
            TEST_FAILED("%s", e.msg);
    } else {
        ft_model_train_base(f->m);
        REQUIRE(ft_weights_load(f->m, f->base.weights, false, &e) == 0);
    }
    REQUIRE(ft_model_complete(f->m, &e) == 0);
    f->b.tokens = tensor(f, "ids", &n);
    f->b.n = (ft_dim)n;
    f->b.targets = tensor(f, "targets", &n);
    f->b.positions = tensor(f, "positions", &n);
    f->b.segment = tensor(f, "segment", &segments);
    REQUIRE(segments > 1);
    f->b.segments = (ft_dim)segments - 1;
    REQUIRE(ft_model_reserve(f->m, &(struct ft_plan){.tokens = f->b.n, .train = true}, &e) == 0);
}

static void close_case(struct fixture *f)
{
    ft_model_free(f->m);
    ft_base_close(&f->base);
    ft_backend_close(&f->be);
    ft_st_close(f->want);
}

static void gradients(struct fixture *f, const char *prefix)
{
    char name[300];

    for (int i = 0; i < ft_model_params(f->m); i++) {
        const struct ft_param *p = ft_model_param(f->m, i);
        if (!p->trainable)
            continue;
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        compare(f, name, p->grad.p, (size_t)ft_param_count(p), 3e-5, true);
    }
}

static void check_base(const char *dir)
{
    struct fixture f;
    struct ft_err e = {0};
    struct ft_loss loss;
    size_t n, nwant;

    open_case(&f, dir, false);
    n = (size_t)f.b.n;
    float *logp = calloc(n, sizeof *logp), *entropy = calloc(n, sizeof *entropy);
    struct ft_scores s = {.logp = logp, .entropy = entropy};
    REQUIRE(ft_model_score(f.m, &f.b, &s, &loss, &e) == 0);
    compare(&f, "logp", logp, n, 2e-5, false);
    compare(&f, "entropy", entropy, n, 2e-5, false);
    const float *want = tensor(&f, "logp", &nwant);
    double nll = 0;
    for (size_t i = 0; i < nwant; i++)
        nll -= want[i];
    CHECK_NEAR(loss.nll / (double)loss.count, nll / (double)loss.count, 2e-6);

    REQUIRE(ft_model_train(f.m, &f.b, 1, &loss, &e) == 0);
    CHECK_NEAR(loss.nll / (double)loss.count, nll / (double)loss.count, 2e-6);
    gradients(&f, "grad.");

    /* The last document through the cache: its last logits, then the greedy tokens. */
    const int32_t V = (int32_t)f.base.config.vocab, first = f.b.segment[f.b.segments - 1], row = 0,
                  bounds[2] = {0, (int32_t)f.b.n - first};
    float *logits = calloc((size_t)V, sizeof *logits);
    REQUIRE(ft_model_reserve(f.m, &(struct ft_plan){.tokens = f.b.n, .cache_rows = 16, .cache_length = 512}, &e) == 0);
    struct ft_batch last = {.n = bounds[1], .tokens = f.b.tokens + first, .positions = f.b.positions + first,
                            .segments = 1, .segment = bounds, .cache_row = &row};
    REQUIRE(ft_model_next(f.m, &last, logits, &e) == 0);
    compare(&f, "logits", logits, (size_t)V, 1e-4, false);

    struct ft_generation g = {.max_new = 24, .stop = f.base.config.eos, .n_stop = (size_t)f.base.config.n_eos};
    int32_t out[3][24];
    struct ft_sequence q[3] = {{.out = out[0]}, {.out = out[1]}, {.out = out[2]}};
    for (int i = 0; i < 3; i++)
        q[i].prompt = tensor(&f, "greedy.prompt", &q[i].n_prompt);
    q[1].n_prompt = 4; /* company of another length */
    REQUIRE(ft_generate(f.m, &g, q, 3, &e) == 0);
    const int32_t *tokens = tensor(&f, "greedy.out", &nwant);
    CHECK_EQ(q[0].n_out, nwant);
    CHECK(q[0].n_out == nwant && !memcmp(out[0], tokens, nwant * sizeof *tokens));
    CHECK(q[2].n_out == nwant && !memcmp(out[2], tokens, nwant * sizeof *tokens));
    free(logits);
    free(logp);
    free(entropy);
    close_case(&f);
}

static void check_adapter(const char *dir)
{
    struct fixture f;
    struct ft_err e = {0};
    struct ft_loss loss;

    open_case(&f, dir, true);
    float *logp = calloc((size_t)f.b.n, sizeof *logp);
    struct ft_scores s = {.logp = logp};
    REQUIRE(ft_model_score(f.m, &f.b, &s, &loss, &e) == 0);
    compare(&f, "adapter.logp", logp, (size_t)f.b.n, 3e-5, false);
    REQUIRE(ft_model_train(f.m, &f.b, 1, &loss, &e) == 0);
    gradients(&f, "adapter.grad.");
    free(logp);
    close_case(&f);
}

static void all(void (*check)(const char *dir))
{
    static const char *const made[] = {"llama", "llama3", "yarn", "linear", "mistral", "qwen2", "qwen3"};
    const char *other = getenv("FT_GOLDEN");
    char dir[4096];
    int count = 0;

    for (size_t i = 0; !other && i < sizeof made / sizeof *made; i++) {
        snprintf(dir, sizeof dir, "%s/%s", test_path("golden/trainer"), made[i]);
        check(dir);
    }
    if (!other)
        return;
    DIR *d = opendir(other);
    REQUIRE(d);
    for (struct dirent *k; (k = readdir(d));)
        if (k->d_name[0] != '.') {
            snprintf(dir, sizeof dir, "%s/%s", other, k->d_name);
            check(dir);
            count++;
        }
    closedir(d);
    CHECK(count > 0);
}

TEST(losses_gradients_and_greedy_tokens_are_those_of_transformers) { all(check_base); }
TEST(adapters_score_and_learn_as_in_peft) { all(check_adapter); }
