/* shard_json.h -- documents and rows of a set as JSON lines. */
#ifndef FT_PIPELINE_SHARD_JSON_H
#define FT_PIPELINE_SHARD_JSON_H

#include "pipeline/shard.h"
#include "pipeline/str.h"

/* Document i as the record (RECORD.md) from which ft-pack makes an equal
 * document: ids, labels, spans with role and message, the stamp. Appended to
 * `out` with a newline. */
int ft_doc_json(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e);

/* Row i as a trainer sees it: input_ids; labels, -100 where nothing is learnt
 * and at the first token of each piece; seq_lengths of the pieces, and `docs`,
 * their [document, start, length]. Labels are not shifted. A pair's row is the
 * pair itself. */
int ft_row_json(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e);

/* The same for other trainers: document i as input_ids and labels alone, or as
 * prompt_ids, chosen_ids and rejected_ids (with `label`, if it is unpaired); row
 * i as input_ids, labels and position_ids, which begin anew with each piece. */
int ft_doc_json_bare(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e);
int ft_row_json_bare(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e);

#endif
