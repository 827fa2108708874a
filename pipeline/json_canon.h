/* json_canon.h -- the canonical form of a JSON value, for hashing what it means.
 *
 * Two values have the same form when they differ only in spacing, in how
 * string contents are escaped, and in the order of the members of objects.
 * Numbers count as written (1 and 1.0 differ: a reader may take them for
 * different types), and so do the order of arrays and the bytes of strings: no
 * Unicode normalization.
 *
 * The form is binary: a tag byte, then for strings and numbers the length and
 * the bytes, for arrays the number of items and the items. Objects hold the
 * number of members and the sum, modulo 2^128, of the XXH3-128 of each member:
 * a sum does not know an order, so nothing is sorted and no tree is built.
 */
#ifndef FT_PIPELINE_JSON_CANON_H
#define FT_PIPELINE_JSON_CANON_H

#include "pipeline/hash.h"
#include "pipeline/str.h"

/* Appends the form of `raw`, a VALID JSON value as written. */
void ft_canon(struct ft_str raw, struct ft_buf *out);

/* An object made member by member, for callers that choose them. */
struct ft_canon_sum {
    uint64_t hi, lo, n;
};
/* `key` is unescaped. `room` is scratch. */
void ft_canon_add(struct ft_canon_sum *s, struct ft_str key, struct ft_str raw, struct ft_buf *room);
void ft_canon_put(const struct ft_canon_sum *s, struct ft_buf *out);

#endif
