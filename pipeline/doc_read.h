/* doc_read.h -- from a record with token ids to a document for the writer. */
#ifndef FT_PIPELINE_DOC_READ_H
#define FT_PIPELINE_DOC_READ_H

#include "pipeline/record.h"
#include "pipeline/shard.h"

/* Reads input_ids with labels, learn or spans, or prompt_ids, chosen_ids and
 * rejected_ids, and the stamp. Memory from the record's arena. *learnt: tokens
 * flagged. FT_DATA with the member's name. */
int ft_doc_read(struct ft_rec *r, struct ft_doc *out, struct ft_stamp *stamp, uint64_t *learnt,
                struct ft_err *e);

/* Drops tokens from the end so that n remain, with their runs. */
void ft_doc_cut(struct ft_doc *d, uint32_t n);

#endif
