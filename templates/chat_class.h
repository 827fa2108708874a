/* chat_class.h -- the special tokens that a tokenizer's class sets where its
 * config is silent.
 *
 * AutoTokenizer of transformers 5.23 picks the class by tokenizer_class of
 * tokenizer_config.json, or of config.json, and by config.json's model_type: a type
 * whose registered class differs from the one named gets, but for some, a plain
 * tokenizer without defaults of its own.
 */
#ifndef FT_TEMPLATES_CHAT_CLASS_H
#define FT_TEMPLATES_CHAT_CLASS_H

#include "pipeline/json.h"

/* What that class sets, as "name value name value ..." ("bos_token <s> ..."), "" if nothing.
 * `config`: tokenizer_config.json, `model`: config.json, either of type NULL where there is none;
 * `byte_level`: tokenizer.json has a component of that name. */
const char *ft_chat_class_tokens(const struct ft_json *config, const struct ft_json *model, bool byte_level);

#endif
