#include "templates/family.h"

#include "templates/family_data.h"

/* ft_family_NAME and ft_family_NAME_size: made from family/NAME.jinja. */
#define STYLE(name, about, bos, eos) {#name, about, bos, eos, {ft_family_##name, sizeof ft_family_##name - 1}}

static const struct ft_family all[] = {
    STYLE(chatml, "<|im_start|>role ... <|im_end|>; tools and reasoning as Qwen and Hermes write them", NULL, "<|im_end|>"),
    STYLE(gemma, "<start_of_turn>user|model ... <end_of_turn>; a system message joins the first question", "<bos>", "<eos>"),
    STYLE(llama2, "<s>[INST] <<SYS>> ... [/INST] ... </s>", "<s>", "</s>"),
    STYLE(llama3, "<|start_header_id|>role<|end_header_id|> ... <|eot_id|>; tools as JSON", "<|begin_of_text|>", "<|eot_id|>"),
    STYLE(mistral, "<s>[INST] ... [/INST] ...</s>; [AVAILABLE_TOOLS], [TOOL_CALLS], [TOOL_RESULTS]", "<s>", "</s>"),
    STYLE(phi, "<|system|>, <|user|>, <|assistant|> ... <|end|>", NULL, "<|end|>"),
    STYLE(plain, "lines of \"User:\" and \"Assistant:\", for models without tokens of their own; ends with eos_token", NULL, "</s>"),
    STYLE(qwen, "chatml with <think> ... </think>: history loses its reasoning, enable_thinking=false skips it", NULL, "<|im_end|>"),
    STYLE(zephyr, "<|user|>, <|assistant|> lines, each message ends with eos_token", NULL, "</s>"),
};

const struct ft_family *ft_family_at(size_t i)
{
    return i < sizeof all / sizeof *all ? &all[i] : NULL;
}

const struct ft_family *ft_family_find(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, name))
            return &all[i];
    return NULL;
}
