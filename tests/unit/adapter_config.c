#include "trainer/adapter.h"

#include "tests/unit/test.h"

static struct ft_arena mem;

static int read_config(const char *text, struct ft_lora_config *c, struct ft_str *base, struct ft_err *e)
{
    struct ft_json j;
    *e = (struct ft_err){0};
    REQUIRE(!ft_json_parse(text, strlen(text), &mem, &j, e));
    return ft_adapter_config_read(&j, &mem, c, base, e);
}

TEST(what_peft_writes_is_read)
{
    struct ft_lora_config c;
    struct ft_str base;
    struct ft_err e;
    REQUIRE(!read_config("{\"alpha_pattern\":{\"v_proj\":3},\"base_model_name_or_path\":\"org/m\",\"bias\":\"none\",\"exclude_modules\":null,"
                         "\"init_lora_weights\":true,\"layers_to_transform\":null,\"loftq_config\":{},\"lora_alpha\":16,\"lora_dropout\":0.1,"
                         "\"modules_to_save\":null,\"peft_type\":\"LORA\",\"r\":4,\"rank_pattern\":{\"layers.0.self_attn.q_proj\":2},"
                         "\"target_modules\":[\"v_proj\",\"q_proj\"],\"use_dora\":false,\"use_rslora\":true,\"a_member_of_tomorrow\":1}",
                         &c, &base, &e));
    CHECK(c.r == 4 && c.alpha == 16 && c.dropout == .1 && c.rslora && c.targets.n == 2 && !c.targets_regex);
    CHECK_STR(c.targets.v[1], "q_proj");
    CHECK(c.n_rank_pattern == 1 && c.rank_pattern[0].value == 2 && c.n_alpha_pattern == 1 && c.alpha_pattern[0].value == 3);
    CHECK_STR(c.rank_pattern[0].key, "layers.0.self_attn.q_proj");
    CHECK(ft_str_is(base, "org/m"));
    REQUIRE(!read_config("{\"peft_type\":\"LORA\",\"target_modules\":\".*_proj\"}", &c, &base, &e));
    CHECK_STR(c.targets_regex, ".*_proj");
    CHECK(c.r == 8 && c.alpha == 8 && !c.rslora && base.n == 0);
    REQUIRE(!read_config("{\"peft_type\":\"LORA\",\"target_modules\":\"all-linear\",\"exclude_modules\":[\"o_proj\"]}", &c, &base, &e));
    CHECK(!c.targets_regex && c.targets.n == 1 && c.exclude.n == 1);
}

TEST(what_peft_would_compute_and_we_do_not_is_refused)
{
    static const char *const bad[][2] = {
        {"{}", "peft_type \"\" is not supported (LORA)"},
        {"{\"peft_type\":\"IA3\"}", "peft_type \"IA3\" is not supported (LORA)"},
        {"{\"peft_type\":\"LORA\",\"use_dora\":true}", "adapters with \"use_dora\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"modules_to_save\":[\"lm_head\"]}", "adapters with \"modules_to_save\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"trainable_token_indices\":[1]}", "adapters with \"trainable_token_indices\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"layers_to_transform\":0}", "adapters with \"layers_to_transform\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"fan_in_fan_out\":true}", "adapters with \"fan_in_fan_out\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"bias\":\"all\"}", "adapters with trained \"bias\" are not supported"},
        {"{\"peft_type\":\"LORA\",\"init_lora_weights\":\"pissa\"}",
         "adapters of init_lora_weights \"pissa\" need a base that was changed with them"},
        {"{\"peft_type\":\"LORA\",\"target_modules\":[]}", "\"target_modules\" is empty"},
        {"{\"peft_type\":\"LORA\",\"target_modules\":[1]}", "\"target_modules\" wants a list of module names"},
        {"{\"peft_type\":\"LORA\",\"target_modules\":\"\"}", "\"target_modules\" is no module name"},
        {"{\"peft_type\":\"LORA\",\"exclude_modules\":\"q_proj\"}", "\"exclude_modules\" wants a list of module names"},
        {"{\"peft_type\":\"LORA\",\"rank_pattern\":{\"a\":\"b\"}}", "\"rank_pattern\" wants a number for each module"},
        {"{\"peft_type\":\"LORA\",\"rank_pattern\":[1]}", "\"rank_pattern\" wants an object"},
        {"{\"peft_type\":\"LORA\",\"lora_alpha\":1e9}", "\"lora_alpha\" is 1e+09"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ft_lora_config c;
        struct ft_err e;
        CHECK_EQ(read_config(bad[i][0], &c, NULL, &e), -1);
        CHECK_EQ(e.code, FT_DATA);
        CHECK_STR(e.msg, bad[i][1]);
    }
}
