/* Any JSON as a config.json and as an adapter_config.json: refused, or sound. */
#include <stdlib.h>

#include "trainer/adapter.h"
#include "trainer/hf_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_arena a = {0};
    struct ft_json j;
    struct ft_config c;
    struct ft_lora_config lora;
    struct ft_err e = {0};

    if (!ft_json_parse((const char *)data, size, &a, &j, NULL)) {
        if (ft_hf_config_read(&j, &c, &e) ? e.code != FT_DATA || !e.msg[0] : ft_config_check(&c, NULL) != 0)
            abort();
        e = (struct ft_err){0};
        if (ft_adapter_config_read(&j, &a, &lora, NULL, &e) && (e.code != FT_DATA || !e.msg[0]))
            abort();
    }
    ft_arena_release(&a);
    return 0;
}
