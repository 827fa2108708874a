#include "trainer/hf.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/hub.h"
#include "trainer/hf_config.h"
#include "trainer/save.h"
#include "tests/unit/test.h"

static struct ft_arena mem;

static int read_config(const char *text, struct ft_config *c, struct ft_err *e)
{
    struct ft_json j;
    *e = (struct ft_err){0};
    REQUIRE(!ft_json_parse(text, strlen(text), &mem, &j, e));
    return ft_hf_config_read(&j, c, e);
}

TEST(absent_members_are_the_family_s_defaults)
{
    struct ft_config c;
    struct ft_err e;
    REQUIRE(!read_config("{\"model_type\":\"llama\"}", &c, &e));
    CHECK_EQ(c.vocab, 32000);
    CHECK_EQ(c.intermediate, 11008);
    CHECK_EQ(c.kv_heads, 32);
    CHECK_EQ(c.head_dim, 128);
    CHECK_EQ(c.max_positions, 2048);
    CHECK(!c.tied && !c.qkv_bias && !c.qk_norm && !c.window && c.act == FT_ACT_SILU && c.bos == 1 && c.n_eos == 1 && c.eos[0] == 2);
    CHECK_NEAR(c.norm_eps, 1e-6, 0);
    REQUIRE(!read_config("{\"model_type\":\"mistral\"}", &c, &e));
    CHECK_EQ(c.kv_heads, 8);
    CHECK_EQ(c.window, 4096);
    CHECK(c.windowed[0] && c.windowed[31]);
    REQUIRE(!read_config("{\"model_type\":\"mistral\",\"sliding_window\":null}", &c, &e));
    CHECK(!c.window && !c.windowed[0]);
    REQUIRE(!read_config("{\"model_type\":\"qwen2\"}", &c, &e));
    CHECK(c.qkv_bias && !c.o_bias && !c.qk_norm && !c.window && c.bos == -1 && !c.n_eos);
    REQUIRE(!read_config("{\"model_type\":\"qwen3\",\"hidden_size\":64,\"num_attention_heads\":4,\"num_key_value_heads\":2}", &c, &e));
    CHECK(c.qk_norm && !c.qkv_bias && c.head_dim == 128);
}

TEST(qwen_slides_from_a_layer_on_or_by_list)
{
    struct ft_config c;
    struct ft_err e;
    REQUIRE(!read_config("{\"model_type\":\"qwen2\",\"num_hidden_layers\":3,\"use_sliding_window\":true,\"sliding_window\":16,"
                         "\"max_window_layers\":1}", &c, &e));
    CHECK(c.window == 16 && !c.windowed[0] && c.windowed[1] && c.windowed[2]);
    REQUIRE(!read_config("{\"model_type\":\"qwen3\",\"num_hidden_layers\":2,\"use_sliding_window\":true,\"sliding_window\":16,"
                         "\"layer_types\":[\"sliding_attention\",\"full_attention\"]}", &c, &e));
    CHECK(c.windowed[0] && !c.windowed[1]);
    CHECK_EQ(read_config("{\"model_type\":\"qwen3\",\"num_hidden_layers\":2,\"layer_types\":[\"full_attention\"]}", &c, &e), -1);
    CHECK_STR(e.msg, "\"layer_types\" wants one word for each of 2 layers");
}

TEST(rope_is_read_under_old_and_new_names)
{
    struct ft_config c;
    struct ft_err e;
    REQUIRE(!read_config("{\"model_type\":\"llama\",\"rope_theta\":5e5,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,"
                         "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":8192}}", &c, &e));
    CHECK(c.rope.kind == FT_ROPE_LLAMA3 && c.rope.theta == 5e5 && c.rope.factor == 8 && c.rope.original_max == 8192);
    REQUIRE(!read_config("{\"model_type\":\"llama\",\"rope_parameters\":{\"rope_theta\":1e6,\"rope_type\":\"default\"}}", &c, &e));
    CHECK(c.rope.kind == FT_ROPE_DEFAULT && c.rope.theta == 1e6);
    REQUIRE(!read_config("{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.5}}", &c, &e));
    CHECK(c.rope.kind == FT_ROPE_LINEAR && c.rope.factor == 2.5 && c.rope.theta == 10000);
}

TEST(attention_bias_and_lists_of_stop_tokens)
{
    struct ft_config c;
    struct ft_err e;
    REQUIRE(!read_config("{\"model_type\":\"llama\",\"attention_bias\":true,\"mlp_bias\":true,\"eos_token_id\":[5,6,7],"
                         "\"bos_token_id\":null,\"tie_word_embeddings\":true}", &c, &e));
    CHECK(c.qkv_bias && c.o_bias && c.mlp_bias && c.tied && c.n_eos == 3 && c.eos[2] == 7 && c.bos == 1);
}

TEST(what_would_be_computed_otherwise_is_refused)
{
    static const char *const bad[][2] = {
        {"{\"model_type\":\"gemma2\"}", "model_type \"gemma2\" is not supported (llama, mistral, qwen2, qwen3)"},
        {"{}", "model_type \"\" is not supported (llama, mistral, qwen2, qwen3)"},
        {"{\"model_type\":\"llama\",\"quantization_config\":{}}", "quantized weights (\"quantization_config\") are not supported"},
        {"{\"model_type\":\"llama\",\"hidden_act\":\"relu\"}", "hidden_act \"relu\" is not supported"},
        {"{\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":2}}",
         "rope type \"dynamic\" is not supported (default, linear, llama3, yarn)"},
        {"{\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"linear\"}}", "rope type \"linear\" wants a \"factor\""},
        {"{\"model_type\":\"llama\",\"partial_rotary_factor\":0.5}", "\"partial_rotary_factor\" 0.5 is not supported"},
        {"{\"model_type\":\"llama\",\"rope_parameters\":{\"full_attention\":{}}}", "\"rope_parameters\" by layer type is not supported"},
        {"{\"model_type\":\"llama\",\"hidden_size\":30,\"num_attention_heads\":4}",
         "hidden_size 30 is no multiple of num_attention_heads 4"},
        {"{\"model_type\":\"llama\",\"num_key_value_heads\":5}", "num_attention_heads 32 is no multiple of num_key_value_heads 5"},
        {"{\"model_type\":\"llama\",\"eos_token_id\":\"x\"}", "\"eos_token_id\" is no token id"},
        {"{\"model_type\":\"llama\",\"vocab_size\":-3}", "vocab_size is -3, not in 1..2147483647"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ft_config c;
        struct ft_err e;
        CHECK_EQ(read_config(bad[i][0], &c, &e), -1);
        CHECK_EQ(e.code, FT_DATA);
        CHECK_STR(e.msg, bad[i][1]);
    }
}

static void put(const char *path, const char *text)
{
    struct ft_err e = {0};
    CHECK_EQ(ft_save_bytes(path, text, strlen(text), &e), 0);
}

TEST(a_generation_config_has_the_last_word_on_stop_tokens)
{
    struct ft_config c;
    struct ft_err e = {0};
    mkdir("m", 0777);
    put("m/config.json", "{\"model_type\":\"llama\",\"eos_token_id\":2}");
    REQUIRE(!ft_hf_config_load("m", &mem, &c, NULL, &e));
    CHECK(c.n_eos == 1 && c.eos[0] == 2);
    put("m/generation_config.json", "{\"eos_token_id\":[2,9]}");
    REQUIRE(!ft_hf_config_load("m", &mem, &c, NULL, &e));
    CHECK(c.n_eos == 2 && c.eos[1] == 9);
    put("m/config.json", "{\"model_type\":\"llama\",\"eos_token_id\":2");
    CHECK_EQ(ft_hf_config_load("m", &mem, &c, NULL, &e), -1);
    CHECK(strstr(e.msg, "m/config.json"));
}

TEST(a_hub_name_is_sought_in_the_cache)
{
    struct ft_err e = {0};
    char *dir;
    setenv("HF_HUB_CACHE", "hub", 1);
    CHECK_EQ(ft_hub_folder("org/name", &dir, &e), -1);
    CHECK_STR(e.msg, "no model folder 'org/name', and the cache 'hub' does not have it");
    mkdir("hub", 0777), mkdir("hub/models--org--name", 0777), mkdir("hub/models--org--name/snapshots", 0777);
    mkdir("hub/models--org--name/snapshots/abc", 0777);
    REQUIRE(!ft_hub_folder("org/name", &dir, &e));
    CHECK_STR(dir, "hub/models--org--name/snapshots/abc");
    CHECK_STR(ft_hf_base_name("org/name", dir, &mem), "org/name");
    CHECK_STR(ft_hf_base_name(dir, dir, &mem), "org/name"); /* given by its path, it has its name */
    free(dir);
    mkdir("hub/models--org--name/snapshots/abd", 0777);
    e = (struct ft_err){0};
    CHECK_EQ(ft_hub_folder("org/name", &dir, &e), -1); /* which of the two? */
    mkdir("hub/models--org--name/refs", 0777);
    put("hub/models--org--name/refs/main", "abd\n");
    e = (struct ft_err){0};
    REQUIRE(!ft_hub_folder("org/name", &dir, &e));
    CHECK_STR(dir, "hub/models--org--name/snapshots/abd");
    free(dir);
    CHECK_EQ(ft_hub_folder("../x", &dir, &e), -1);
    e = (struct ft_err){0};
    REQUIRE(!ft_hub_path("../x.json", &dir, &e)); /* a file's name, and its business */
    CHECK_STR(dir, "../x.json");
    free(dir);
    static const char *const other[][2] = {{"HUGGINGFACE_HUB_CACHE", "hub"}, {"HF_HOME", "."}};
    for (int i = 0; i < 2; i++) { /* the other places, each behind the one before */
        setenv("HF_HUB_CACHE", "none", 1);
        setenv(other[i][0], other[i][1], 1);
        CHECK_EQ(ft_hub_path("org/name", &dir, &e), -1);
        unsetenv("HF_HUB_CACHE");
        REQUIRE(!ft_hub_path("org/name", &dir, &e));
        CHECK(strstr(dir, "hub/models--org--name/snapshots/abd"));
        free(dir);
        unsetenv(other[i][0]);
    }
    mkdir("plain", 0777);
    CHECK_STR(ft_hf_base_name("plain", "plain", &mem), "plain");
}

TEST(a_config_is_written_with_changes_and_nothing_else_changed)
{
    struct ft_json j;
    struct ft_err e = {0};
    const char *text = "{\"a\": 1.50, \"dtype\":\"bfloat16\",\"x\":{\"y\" : [1,2]}, \"gone\":1}";
    const struct ft_hf_change changes[] = {{"dtype", FT_STR("\"float32\"")}, {"gone", {NULL, 0}}, {"new", FT_STR("7")}};
    char got[200] = "";
    REQUIRE(!ft_json_parse(text, strlen(text), &mem, &j, &e));
    CHECK_EQ(ft_hf_write_config("c.json", &j, changes, 3, &e), 0);
    FILE *f = fopen("c.json", "r");
    REQUIRE(f);
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    CHECK_STR(got, "{\n  \"a\": 1.50,\n  \"dtype\": \"float32\",\n  \"x\": {\"y\" : [1,2]},\n  \"new\": 7\n}\n");
}
