/* hf_config.h -- config.json and generation_config.json into a ft_config.
 *
 * Defaults of absent members are those of the family's configuration class in
 * transformers 5.23; both the old names (rope_theta, rope_scaling, torch_dtype)
 * and the new ones (rope_parameters, dtype) are read. What we would compute
 * differently is refused by name.
 */
#ifndef FT_TRAINER_HF_CONFIG_H
#define FT_TRAINER_HF_CONFIG_H

#include "pipeline/json.h"
#include "trainer/config.h"

/* From a parsed config.json. FT_DATA naming the member. */
int ft_hf_config_read(const struct ft_json *j, struct ft_config *out, struct ft_err *e);
/* DIR/config.json, then the token ids of DIR/generation_config.json where there
 * is one. *tree (may be NULL) is the parsed config.json, in the arena. */
int ft_hf_config_load(const char *dir, struct ft_arena *a, struct ft_config *out, struct ft_json *tree, struct ft_err *e);
/* The token ids of DIR/generation_config.json over those in *out: of a model, or of an
 * adapter, which may have learnt another end. 1: read, 0: there is none, -1. */
int ft_hf_generation_load(const char *dir, struct ft_arena *a, struct ft_config *out, struct ft_err *e);
/* The same for a file named by --init; no generation config. */
int ft_hf_config_file(const char *path, struct ft_arena *a, struct ft_config *out, struct ft_json *tree, struct ft_err *e);

#endif
