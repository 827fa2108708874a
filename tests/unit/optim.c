#include "trainer/adamw.h"

#include "trainer/backend.h"
#include "tests/unit/test.h"

/* One layer of hidden 8: the norm and one matrix get gradients, all else zero ones. */
static struct ft_model *make(struct ft_backend *b)
{
    struct ft_config c;
    struct ft_model *m;
    struct ft_err e = {0};
    ft_config_default(&c);
    c.vocab = 16, c.hidden = 8, c.intermediate = 8, c.layers = 1, c.heads = c.kv_heads = 1, c.head_dim = 8, c.max_positions = 8, c.tied = true;
    REQUIRE(!ft_backend_open(b, 2, &e) && !ft_model_new(b, &c, &m, &e));
    ft_model_train_base(m);
    ft_model_init(m, 1);
    REQUIRE(!ft_model_reserve(m, &(struct ft_plan){.tokens = 8, .train = true}, &e));
    return m;
}

static const char norm_name[] = "model.layers.0.input_layernorm.weight", matrix_name[] = "model.layers.0.self_attn.o_proj.weight";

static float *data(struct ft_model *m, const char *name) { return ft_model_param(m, ft_model_find(m, name))->data.p; }
static float *grad(struct ft_model *m, const char *name) { return ft_model_param(m, ft_model_find(m, name))->grad.p; }

static void gradients(struct ft_model *m, int t)
{
    ft_model_zero_grad(m);
    for (int i = 0; i < 72; i++)
        (i < 8 ? grad(m, norm_name) : grad(m, matrix_name) - 8)[i] = (float)sin(i + 7 * t);
}

TEST(five_steps_are_those_of_torch)
{
    struct ft_backend b;
    struct ft_optim o;
    struct ft_err e = {0};
    struct ft_model *m = make(&b);
    FILE *f = fopen(test_path("golden/trainer/adamw.txt"), "r");
    REQUIRE(f && !ft_optim_init(&o, &b, m, &e));
    o.beta2 = .95, o.eps = 1e-6, o.decay = .1, o.max_norm = .5;
    for (int i = 0; i < 8; i++)
        data(m, norm_name)[i] = (float)(-1 + 2 * i / 7.0);
    for (int i = 0; i < 64; i++)
        data(m, matrix_name)[i] = (float)(i / 40.0 - .8);
    for (int t = 1; t <= 5; t++) {
        double norm, want;
        REQUIRE(fscanf(f, "%lf", &norm) == 1);
        gradients(m, t);
        CHECK_NEAR(ft_optim_norm(&o), norm, 1e-6 * norm);
        CHECK_EQ(ft_optim_step(&o, 1e-2 / t, ft_optim_norm(&o), &e), 0);
        for (int i = 0; i < 72; i++) {
            REQUIRE(fscanf(f, "%lf", &want) == 1);
            CHECK_NEAR(i < 8 ? data(m, norm_name)[i] : data(m, matrix_name)[i - 8], want, 5e-7);
        }
    }
    CHECK_EQ(o.t, 5);
    fclose(f);
    ft_optim_release(&o);
    ft_model_free(m);
    ft_backend_close(&b);
}

TEST(moments_come_back_and_go_on)
{
    struct ft_backend b, b2;
    struct ft_optim o, o2;
    struct ft_err e = {0};
    struct ft_model *m = make(&b), *m2 = make(&b2);
    REQUIRE(!ft_optim_init(&o, &b, m, &e) && !ft_optim_init(&o2, &b2, m2, &e));
    gradients(m, 1);
    ft_optim_step(&o, .1, ft_optim_norm(&o), &e);
    CHECK_EQ(ft_optim_save(&o, "moments.safetensors", &e), 0);
    gradients(m2, 1);
    ft_optim_step(&o2, .1, ft_optim_norm(&o2), &e);
    for (int i = 0; i < o2.n; i++) { /* forget */
        memset(o2.m1[i].p, 0, ft_tensor_bytes(o2.m1[i]));
        memset(o2.m2[i].p, 0, ft_tensor_bytes(o2.m2[i]));
    }
    REQUIRE(!ft_optim_load(&o2, "moments.safetensors", &e));
    gradients(m, 2), gradients(m2, 2);
    ft_optim_step(&o, .1, ft_optim_norm(&o), &e), ft_optim_step(&o2, .1, ft_optim_norm(&o2), &e);
    CHECK(!memcmp(data(m, matrix_name), data(m2, matrix_name), 64 * sizeof(float)));

    /* Another model's moments. */
    o2.n--;
    CHECK_EQ(ft_optim_load(&o2, "moments.safetensors", &e), -1);
    CHECK(strstr(e.msg, "two moments each"));
    o2.n++;
    ft_optim_release(&o), ft_optim_release(&o2);
    ft_model_free(m), ft_model_free(m2);
    ft_backend_close(&b), ft_backend_close(&b2);
}
