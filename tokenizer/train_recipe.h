/* train_recipe.h -- the parts of a tokenizer.json around its vocabulary.
 *
 * Two recipes: byte-level BPE (GPT-2, Llama 3, Qwen: a splitting rule, then
 * bytes in the printable alphabet) and SentencePiece-style BPE (Llama 2,
 * Mistral: words begin with U+2581, characters that have no token are spelt in
 * byte tokens). Or the parts are taken from a tokenizer that is extended.
 */
#ifndef FT_TOKENIZER_TRAIN_RECIPE_H
#define FT_TOKENIZER_TRAIN_RECIPE_H

#include "pipeline/json.h"

enum tk_recipe_type { TK_BYTE_LEVEL, TK_SENTENCEPIECE };
enum tk_recipe_split { TK_SPLIT_QWEN2, TK_SPLIT_GPT2, TK_SPLIT_CL100K, TK_SPLIT_LLAMA3, TK_SPLIT_O200K };
enum tk_recipe_normalizer { TK_NORM_NONE, TK_NORM_NFC, TK_NORM_NFKC };
enum tk_recipe_prefix { TK_PREFIX_FIRST, TK_PREFIX_ALWAYS, TK_PREFIX_NEVER };

struct tk_recipe {
    int type, split, normalizer, prefix; /* the enums above */
    const char *regex;                   /* byte-level: instead of `split`; or NULL */
    bool split_digits, byte_fallback;
    const char *bos, *eos, *unk, *pad;   /* NULL or "": none */
    bool add_bos, add_eos;               /* by the post-processor */
    struct ft_str *specials;             /* all, in the order of their ids */
    size_t n_specials;
};

/* Raw JSON, each a whole value. */
struct tk_parts {
    struct ft_str truncation, padding, added_tokens, normalizer, pre_tokenizer, post_processor, decoder;
    struct ft_str model; /* the members of `model` before vocab and merges, without braces */
};

/* r->specials from the named ones (unk, bos, eos, pad) and `more`, each once,
 * in that order. */
void tk_recipe_specials(struct tk_recipe *r, const struct ft_str *more, size_t n, struct ft_arena *mem);
/* Texts live in the arena. */
void tk_recipe_parts(const struct tk_recipe *r, struct ft_arena *mem, struct tk_parts *out);

/* tokenizer_config.json and special_tokens_map.json. max_length 0: not known. */
void tk_recipe_config(const struct tk_recipe *r, uint64_t max_length, struct ft_buf *out);
void tk_recipe_map(const struct tk_recipe *r, struct ft_buf *out);

#endif
