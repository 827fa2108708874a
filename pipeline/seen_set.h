/* seen_set.h -- what has been seen: digests, each with a number, in bounded memory.
 *
 * Open addressing with linear probing: the digest is its own hash. 24 bytes a
 * slot, at most 3/4 full, doubled when fuller: 32 to 64 bytes an entry, and half
 * as much again while it grows. A set never stops taking entries silently: at
 * its limit ft_seen_put fails.
 *
 * 128 bits: among a billion entries the chance of any false match is 1e-21.
 */
#ifndef FT_PIPELINE_SEEN_SET_H
#define FT_PIPELINE_SEEN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/err.h"
#include "pipeline/hash.h"

struct ft_seen_slot {
    struct ft_digest key;
    uint64_t value; /* plus one; 0: the slot is free */
};

struct ft_seen {
    struct ft_seen_slot *slots;
    size_t n, cap;   /* cap: 0 or a power of two */
    uint64_t *limit; /* bytes that may still be taken, shared by several sets; NULL: any */
};

/* `limit` may be shared by several sets and must outlive them. */
void ft_seen_init(struct ft_seen *s, uint64_t *limit);
/* Is key there? Then *value is its number. */
bool ft_seen_get(const struct ft_seen *s, struct ft_digest key, uint64_t *value);
/* Adds a key that is not there; value < 2^64-1. FT_SYS when that needs more
 * than the limit. */
int ft_seen_put(struct ft_seen *s, struct ft_digest key, uint64_t value, struct ft_err *e);
void ft_seen_release(struct ft_seen *s);

#endif
