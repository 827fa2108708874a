/* chat_model.h -- what a model folder says about chats: its templates, the names
 * of its special tokens, and the tokens that end a turn.
 *
 * Read as transformers 5.23 reads a tokenizer's folder: chat_template.jinja (named
 * "default") and additional_chat_templates/NAME.jinja replace whatever
 * tokenizer_config.json has as chat_template, a string, or a list of {name,
 * template}. Where none of these has one, it is a processor's: processor_config.json,
 * chat_template.json. Special tokens are those of tokenizer_config.json (strings, or
 * objects with content), then the defaults of the tokenizer's class (chat_class.h);
 * special_tokens_map.json counts only where the config lacks added_tokens_decoder,
 * and then wins, but for the model's own names (image_token and its like).
 */
#ifndef FT_TEMPLATES_CHAT_MODEL_H
#define FT_TEMPLATES_CHAT_MODEL_H

#include "pipeline/json.h"

struct ft_named {
    struct ft_str name, text;
};

struct ft_chat_model { /* all zero is an empty one */
    struct ft_arena mem; /* owns everything below */
    struct ft_named *templates;
    size_t n_templates;
    struct ft_named *specials; /* "bos_token" and its like that are set */
    size_t n_specials;
    struct ft_str *stops; /* what ends a turn: eos_token, and the eos ids of generation_config.json or config.json */
    size_t n_stops;
    struct ft_str *controls; /* all special added tokens */
    size_t n_controls;
};

/* `dir` is the folder, a tokenizer.json in it, or org/name in the hub cache. FT_SYS when it cannot be read,
 * FT_DATA when a file in it is damaged. A folder without template is no error. */
int ft_chat_model_load(const char *dir, struct ft_chat_model *m, struct ft_err *e);
/* By name; NULL when there is none. */
const struct ft_named *ft_chat_model_find(const struct ft_chat_model *m, struct ft_str name);
void ft_chat_model_release(struct ft_chat_model *m);

/* A whole file (or pipe) into the arena, checked to be UTF-8, CRLF and CR made LF
 * as Python's text files are read. */
int ft_text_load(const char *path, struct ft_arena *a, struct ft_str *out, struct ft_err *e);

#endif
