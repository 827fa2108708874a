/* output.h -- folders that other programs load: an adapter, or a whole model. */
#ifndef FT_TRAINER_OUTPUT_H
#define FT_TRAINER_OUTPUT_H

#include "trainer/base.h"

struct ft_output {
    struct ft_model *model;
    int slot;                     /* the adapter to write; -1: the base's weights */
    const char *base;             /* what adapter_config.json records */
    const struct ft_json *config; /* of the base, or of --init */
    const struct ft_hf_change *changes; /* to config.json, besides the dtype */
    size_t n_changes;
    const struct ft_st *like;     /* keep these types; NULL: float32 */
    bool ends;                    /* the model's end tokens go into its generation config, whatever `carry` has */
    const char *carry;            /* folder whose tokenizer, template and generation config come along; NULL: none */
};

/* Writes adapter_model.safetensors and adapter_config.json, or model.safetensors
 * and config.json, into a folder that is there. Each file whole or not at all,
 * the config last. A ft_save_model_fn: `ctx` is a struct ft_output. */
int ft_output_weights(void *ctx, const char *dir, struct ft_err *e);
/* The same, and what `carry` names. A model that has no generation_config.json, or an
 * adapter with ends of its own, gets one from its config, as transformers writes it. */
int ft_output_all(const struct ft_output *o, const char *dir, struct ft_err *e);

#endif
