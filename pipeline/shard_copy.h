/* shard_copy.h -- a new set out of the documents of others. */
#ifndef FT_PIPELINE_SHARD_COPY_H
#define FT_PIPELINE_SHARD_COPY_H

#include "pipeline/fit.h"
#include "pipeline/shard_write.h"

struct ft_copy; /* opaque */

struct ft_copy_opts {
    struct ft_writer_opts writer; /* vocab_size is taken from the sets */
    struct ft_fit fit;
    const char *verb; /* for the lineage, with the command line */
    char **argv;
};

/* `sets` (n > 0) must be of one vocabulary: FT_DATA names both. */
int ft_copy_new(const char *dir, const struct ft_copy_opts *o, struct ft_set **sets, size_t n, struct ft_copy **out,
                struct ft_err *e);
/* A document of one of them; `d` may have been changed (its runs). 1: taken,
 * 0: dropped, counted; -1. */
int ft_copy_add(struct ft_copy *c, const struct ft_doc *d, struct ft_err *e);
/* Ends the set, or gives it up when e is set or too much was dropped. Frees c. */
int ft_copy_end(struct ft_copy *c, struct ft_set_info *info, struct ft_err *e);

#endif
