/* shard_show.h -- a set for the eye: its facts, and documents with what is
 * learnt in them marked. */
#ifndef FT_PIPELINE_SHARD_SHOW_H
#define FT_PIPELINE_SHARD_SHOW_H

#include <stdio.h>

#include "pipeline/shard.h"
#include "pipeline/str.h"

struct ft_show {
    bool color;   /* as explain.h shows it */
    bool explain; /* a line for every run, with its tokens, role, message */
    /* Appends the text of the ids; NULL: ids are shown. */
    int (*text)(void *ctx, const int32_t *ids, size_t n, struct ft_buf *out, struct ft_err *e);
    void *ctx;
};

/* What the set holds, a fact a line. */
void ft_show_info(struct ft_set *s, const char *dir, struct ft_buf *out);
/* Marked is what has a label: a first token, of a document or of a piece of a
 * row, never has. */
int ft_show_doc(struct ft_set *s, uint64_t i, const struct ft_show *how, struct ft_buf *out, struct ft_err *e);
int ft_show_row(struct ft_set *s, uint64_t i, const struct ft_show *how, struct ft_buf *out, struct ft_err *e);

#endif
