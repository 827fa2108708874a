/* spans.h -- "spans" and "learn": lists of [begin, end, ...] (RECORD.md). */
#ifndef FT_PIPELINE_SPANS_H
#define FT_PIPELINE_SPANS_H

#include "pipeline/record.h"

/* Field and role of a span by their numbers, where they are among those that every chat has. */
enum { FT_SPAN_FIELDS = 8, FT_SPAN_ROLES = 6 };
extern const struct ft_str ft_span_fields[FT_SPAN_FIELDS];
extern const struct ft_str ft_span_roles[FT_SPAN_ROLES]; /* the first are those of ft_role_names (shard.h) */

struct ft_range {
    int64_t begin, end; /* begin < 0: the entry is not [begin, end, ...] with 0 <= begin <= end */
    struct ft_str more; /* what is written behind them, without the bracket: "" or `,0,"content"` */
    bool usual;         /* that is message, field, role and flags, all of them small and known: */
    uint8_t field, role, flags;
    int32_t message;
};

/* The member's entries, in the arena, whose text they point into. 1; 0 absent or null; -1
 * when it occurs twice or is no array. */
int ft_rec_ranges(struct ft_rec *r, const char *key, struct ft_range **v, size_t *n, struct ft_err *e);

/* The third to sixth element of an entry as written; p NULL where there is none. */
enum { FT_RANGE_MESSAGE, FT_RANGE_FIELD, FT_RANGE_ROLE, FT_RANGE_FLAGS, FT_RANGE_ITEMS };
void ft_range_items(const struct ft_range *x, struct ft_str item[FT_RANGE_ITEMS]);
/* A string or a whole number of an item: 0, or -1 when it is something else. */
int ft_range_string(struct ft_rec *r, struct ft_str item, struct ft_str *out);
int ft_range_int(struct ft_str item, int64_t *out);

#endif
