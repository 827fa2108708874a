/* adapter.h -- adapters in PEFT's format (peft 0.21.2).
 *
 *     adapter_config.json         what it lies on, rank, scale
 *     adapter_model.safetensors   base_model.model.PATH.lora_A.weight [r, in], .lora_B.weight [out, r]
 *
 * What PEFT would compute and we do not (DoRA, saved modules, trained tokens, a
 * changed base) is refused by the name of the member that asks for it; members
 * that PEFT does not know, it ignores, and so do we.
 */
#ifndef FT_TRAINER_ADAPTER_H
#define FT_TRAINER_ADAPTER_H

#include "pipeline/json.h"
#include "trainer/decoder.h"

/* From a parsed adapter_config.json. The strings live in `a`. `base` (may be
 * NULL): base_model_name_or_path, empty when null. */
int ft_adapter_config_read(const struct ft_json *j, struct ft_arena *a, struct ft_lora_config *out, struct ft_str *base,
                           struct ft_err *e);
/* DIR/adapter_config.json. */
int ft_adapter_config_load(const char *dir, struct ft_arena *a, struct ft_lora_config *out, struct ft_str *base,
                           struct ft_err *e);

/* DIR/adapter_model.safetensors into the slot's parameters, which it must match
 * exactly: FT_DATA naming the tensor that is missing, misshapen or too much. */
int ft_adapter_load(struct ft_model *m, int slot, const char *dir, struct ft_err *e);

/* Writes both files into the folder, as PEFT lays them out. `base` is recorded
 * as the base model's name. A slot on all linears is saved with their full paths
 * as target modules, as PEFT does. */
int ft_adapter_save(struct ft_model *m, int slot, const char *dir, const char *base, struct ft_err *e);

#endif
