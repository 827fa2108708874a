/* regex_set.h -- sets of characters, for the classes of a regex.
 *
 * A set is a sorted list of disjoint ranges in an arena. Surrogates belong to
 * no set and to no complement: text never has them.
 */
#ifndef FT_TOKENIZER_REGEX_SET_H
#define FT_TOKENIZER_REGEX_SET_H

#include "pipeline/str.h"

struct rx_range {
    uint32_t a, b; /* both included */
};
struct rx_set {
    struct rx_range *v;
    size_t n;
};

/* The set of a name: a category, script or property as in \p{...} (spaces, case,
 * `_` and `-` do not count), "\\s" and the like, ":alpha" as in brackets. */
bool rx_set_named(struct ft_arena *mem, struct ft_str name, struct rx_set *out);
/* From a to b, but for what is no character. */
struct rx_set rx_set_char(struct ft_arena *mem, uint32_t a, uint32_t b);
struct rx_set rx_set_or(struct ft_arena *mem, struct rx_set x, struct rx_set y);
struct rx_set rx_set_not(struct ft_arena *mem, struct rx_set x);
struct rx_set rx_set_and(struct ft_arena *mem, struct rx_set x, struct rx_set y);
/* With what differs from its characters by case alone. */
struct rx_set rx_set_cases(struct ft_arena *mem, struct rx_set x);
bool rx_set_has(struct rx_set x, uint32_t c);
/* The letters that without regard to case are several others ("ß" and "ss"): those, and how many. */
size_t rx_several_count(void);
size_t rx_several_of(size_t i, uint32_t *letter, uint32_t to[3]);
/* Appends it in PCRE2's spelling. */
void rx_set_put(struct rx_set x, struct ft_buf *out);

#endif
