/* plan.h -- packing: which pieces of which documents make a row. Documents come
 * in order and rows leave as soon as they are final, so memory is one window. */
#ifndef FT_PIPELINE_PLAN_H
#define FT_PIPELINE_PLAN_H

#include "pipeline/shard.h"

struct ft_planner;

/* Takes a finished row; `pieces` are valid until it returns. learn: targets in it (ft_doc_targets). -1 ends the planning. */
typedef int ft_row_fn(void *ctx, const struct ft_piece *pieces, size_t n, uint32_t learn, struct ft_err *e);

/* Rows of at most `length` tokens, handed to fn(ctx, ...). window: how many pieces best-fit packing (FT_PACK_BFD) holds back and packs at once. */
struct ft_planner *ft_planner_new(enum ft_strategy how, uint64_t length, uint64_t window, ft_row_fn *fn,
                                  void *ctx);
/* The next document: its tokens and runs. A longer one than a row is split into
 * pieces; a preference document always is a row of its own, whatever its length. */
int ft_planner_add(struct ft_planner *p, const struct ft_doc *d, struct ft_err *e);
int ft_planner_end(struct ft_planner *p, struct ft_err *e);
void ft_planner_free(struct ft_planner *p);

/* Targets in tokens [start, start + n): flagged learn, the first one not
 * counted, since nothing stands before it. */
uint32_t ft_doc_targets(const struct ft_doc *d, uint32_t start, uint32_t n);

#endif
