/* merge_list.h -- the member `merges` of a BPE in a tokenizer.json, one by one. */
#ifndef FT_TOKENIZER_MERGE_LIST_H
#define FT_TOKENIZER_MERGE_LIST_H

#include "pipeline/json_walk.h"

struct tk_merge_list {
    struct ft_json_walk w;
    struct ft_arena *mem; /* for strings with escapes; theirs to reset between two calls */
    bool any, pairs;      /* one was read; it was ["a", "b"] */
};

struct tk_merge_text {
    struct ft_str a, b;
    struct ft_str rank; /* as written; p == NULL: none, its place counts */
    uint32_t rank_value;
};

/* `raw`: validated JSON, an array. */
static inline struct tk_merge_list tk_merge_list_in(struct ft_str raw, struct ft_arena *mem)
{
    return (struct tk_merge_list){.w = ft_json_walk_in(raw), .mem = mem};
}

/* "a b" or ["a", "b"], all alike; a name may hold a space only in the second form. Of our own making, for vocabularies of other formats:
 * ["a", "b", rank]. 1, 0 there are no more, -1 it is none of these. */
int tk_merge_list_next(struct tk_merge_list *l, struct tk_merge_text *out);

#endif
