/* hf.h -- folders as Hugging Face keeps them.
 *
 * A model is named by a folder or by its hub name (pipeline/hub.h).
 */
#ifndef FT_TRAINER_HF_H
#define FT_TRAINER_HF_H

#include "pipeline/json.h"

/* What an adapter records as its base: the hub name when it is known (given, or
 * the folder lies in the cache), else the folder as given. In the arena. */
const char *ft_hf_base_name(const char *given, const char *dir, struct ft_arena *a);

/* Copies what makes a folder of weights usable and is not weights: tokenizer
 * files, chat template, generation config. */
int ft_hf_carry(const char *from, const char *to, struct ft_err *e);

/* Writes a config.json: `config` with the members of `changes`, raw values,
 * replaced or added; a change whose value is empty removes the member. Two
 * spaces of indent; values that are not changed stay as they were written. */
struct ft_hf_change {
    const char *name;
    struct ft_str value;
};
int ft_hf_write_config(const char *path, const struct ft_json *config, const struct ft_hf_change *changes, size_t n,
                       struct ft_err *e);

#endif
