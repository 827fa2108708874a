LIB_templates += templates/mask.c
TOOLS += templates/mask-completion.c
ROOMS_mask-completion := templates tokenizer
