/* base.h -- a model as the tools are given it: `-m BASE`, and `--adapter DIR`.
 *
 *     struct ft_base base;
 *     ft_base_open(&base, name, &e);                      files mapped, config read
 *     ft_base_model(&base, &backend, adapter, false, &m, &slot, &e);
 *     ...
 *     ft_model_free(m);
 *     ft_base_close(&base);                               after the model: it may use the mapped files
 */
#ifndef FT_TRAINER_BASE_H
#define FT_TRAINER_BASE_H

#include "trainer/adapter.h"
#include "trainer/hf.h"
#include "trainer/hf_config.h"
#include "trainer/weights.h"

struct ft_base {
    char *dir;              /* the folder */
    const char *name;       /* what an adapter records (hf.h) */
    struct ft_config config;
    struct ft_json tree;    /* config.json */
    struct ft_st *weights;
    bool untied;            /* the file holds two tables although the config says one */
    struct ft_arena mem;
};

/* FT_DATA: no such folder, no config.json, no safetensors. */
int ft_base_open(struct ft_base *b, const char *name, struct ft_err *e);
void ft_base_close(struct ft_base *b); /* accepts all-zero */

/* A model with the base's weights, and with the adapter of a PEFT folder in slot
 * *slot (frozen, active) when `adapter` is not NULL; else *slot is -1. `own` as
 * for ft_model_load. The end tokens are the adapter's, where it has a generation config.
 * The caller reserves memory (ft_model_reserve). */
int ft_base_model(struct ft_base *b, struct ft_backend *be, const char *adapter, bool own, struct ft_model **m, int *slot,
                  struct ft_err *e);

#endif
