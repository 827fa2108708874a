/* spans.h -- "spans" and "learn": lists of [begin, end, ...] (RECORD.md). */
#ifndef FT_PIPELINE_SPANS_H
#define FT_PIPELINE_SPANS_H

#include "pipeline/record.h"

enum { FT_RANGE_MESSAGE, FT_RANGE_FIELD, FT_RANGE_ROLE, FT_RANGE_FLAGS, FT_RANGE_ITEMS };

struct ft_range {
    int64_t begin, end;  /* begin < 0: the entry is not [begin, end, ...] with 0 <= begin <= end */
    struct ft_str more;  /* what is written behind them, without the bracket: "" or `,0,"content"` */
    struct ft_str item[FT_RANGE_ITEMS]; /* the third to sixth element as written; p NULL where there is none */
};

/* The member's entries, in the arena, whose text they point into. 1; 0 absent or null; -1
 * when it occurs twice or is no array. */
int ft_rec_ranges(struct ft_rec *r, const char *key, struct ft_range **v, size_t *n, struct ft_err *e);
/* A string or a whole number of an item: 0, or -1 when it is something else. */
int ft_range_string(struct ft_rec *r, struct ft_str item, struct ft_str *out);
int ft_range_int(struct ft_str item, int64_t *out);

#endif
