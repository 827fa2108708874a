/* mix.h -- which source comes next, so that every prefix has the wanted ratio.
 *
 * Random choice by weight drifts: after 10,000 records a 15 % source is off by
 * tens of records. These schedules do not drift, are decided by counting
 * alone, and are exact: 128-bit integers, no rounding.
 *
 * By example (every item counts one): R. Tijdeman, "The chairman assignment
 * problem", Discrete Mathematics 32 (1980). With k sources of weights w (sum
 * 1), after any number n of items the count of each source is within
 * 1 - 1/(2k-2) of w*n, and no schedule can promise less.
 *
 * By amount (bytes, tokens) an item's size is known only when it is out. The
 * same rule, with the longest item so far as the unit, keeps each source within
 * one longest item of its share (no proof, but never more in the tests; taking
 * always the source that is furthest behind reaches 1.8).
 */
#ifndef FT_PIPELINE_MIX_H
#define FT_PIPELINE_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/err.h"

enum { FT_MIX_MAX = 256 }; /* sources; with the limits below nothing overflows */

struct ft_mix {
    size_t k;
    bool by_amount;
    uint64_t sum;     /* of w */
    uint64_t *w;      /* k weights, each > 0, without a common divisor */
    uint64_t *amount; /* put out so far: items, or their sizes; at most 2^60 in all */
    uint64_t *items;
    uint64_t total;   /* of `amount` */
    uint64_t longest; /* item so far */
};

/* A decimal number of up to 7 digits before and 9 behind the point ("15",
 * "0.15", "7.5%"; a % divides by 100), in units of 1e-11. -1 for anything else. */
#define FT_MIX_ONE ((uint64_t)100000000000)
int ft_mix_weight(const char *s, size_t n, uint64_t *out);

/* k weights of ft_mix_weight, each > 0. Release with ft_mix_release. */
void ft_mix_init(struct ft_mix *m, const uint64_t *weights, size_t k, bool by_amount);
/* The source that comes next. Does not change m: call ft_mix_put when its item
 * is out. */
size_t ft_mix_next(const struct ft_mix *m);
/* By amount: an item is below 2^32. By example: `amount` is taken as 1. */
void ft_mix_put(struct ft_mix *m, size_t source, uint64_t amount);
void ft_mix_release(struct ft_mix *m);

#endif
