#include "trainer/base.h"

#include "pipeline/hub.h"

#include <stdlib.h>

int ft_base_open(struct ft_base *b, const char *name, struct ft_err *e)
{
    *b = (struct ft_base){0};
    if (ft_hub_folder(name, &b->dir, e) || ft_hf_config_load(b->dir, &b->mem, &b->config, &b->tree, e) ||
        ft_st_open_folder(b->dir, "model", &b->weights, e)) {
        ft_base_close(b);
        return -1;
    }
    b->name = ft_hf_base_name(name, b->dir, &b->mem);
    b->untied = ft_weights_tie(b->weights, &b->config);
    return 0;
}

void ft_base_close(struct ft_base *b)
{
    ft_st_close(b->weights);
    free(b->dir);
    ft_arena_release(&b->mem);
    *b = (struct ft_base){0};
}

int ft_base_model(struct ft_base *b, struct ft_backend *be, const char *adapter, bool own, struct ft_model **m, int *slot,
                  struct ft_err *e)
{
    struct ft_lora_config lora;
    *slot = -1;
    if (adapter && ft_hf_generation_load(adapter, &b->mem, &b->config, e) < 0)
        return -1;
    if (ft_model_new(be, &b->config, m, e))
        return -1;
    if (adapter) {
        if (ft_adapter_config_load(adapter, &b->mem, &lora, NULL, e))
            goto fail;
        lora.trainable = false;
        if (ft_model_add_lora(*m, &lora, slot, e)) {
            ft_fail_in(e, "%s: ", adapter);
            if (e)
                e->code = FT_DATA; /* it came out of a file */
            goto fail;
        }
    }
    if (ft_weights_load(*m, b->weights, own, e) || (adapter && ft_adapter_load(*m, *slot, adapter, e)))
        goto fail;
    return 0;
fail:
    ft_model_free(*m);
    *m = NULL;
    return -1;
}
