/* train_write.h -- a folder of small files that appears whole or not at all. */
#ifndef FT_TOKENIZER_TRAIN_WRITE_H
#define FT_TOKENIZER_TRAIN_WRITE_H

#include "tokenizer/train_bpe.h"
#include "tokenizer/train_recipe.h"

struct tk_file {
    const char *name;
    struct ft_str text;
};

/* Can `dir` be made, or with `force` written into? Asked before the work. */
int tk_folder_check(const char *dir, bool force, struct ft_err *e);
/* A new folder is written beside its place and renamed. Into an existing one
 * (`force`) each file goes by a rename of its own, the last one last, and what
 * else is there stays. */
int tk_folder_write(const char *dir, const struct tk_file *files, size_t n, bool force, struct ft_err *e);

/* Compact JSON with two spaces of indent a level, as serde and Python print it. */
void tk_json_pretty(struct ft_str compact, struct ft_buf *out);

/* tokenizer.json from its parts, the vocabulary by ids and the merges by rank,
 * those of `old` (tokens, two each) first; byte for byte what tokenizers 0.23
 * saves. */
void tk_tokenizer_json(const struct tk_parts *p, const struct tk_learner *l, const struct ft_str *old, size_t n_old,
                       struct ft_buf *out);

#endif
