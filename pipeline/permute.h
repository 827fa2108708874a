/* permute.h -- a seeded order of n things in no memory.
 *
 * A keyed Feistel network over the next even number of bits permutes a range a
 * little larger than n; values outside of n go through it again until they
 * fall inside (cycle walking: Black and Rogaway, "Ciphers with Arbitrary
 * Finite Domains", 2002). So the i-th item of any order is known without the
 * others, and an epoch can be entered anywhere. Not cryptographic.
 */
#ifndef FT_PIPELINE_PERMUTE_H
#define FT_PIPELINE_PERMUTE_H

#include <stdint.h>

/* The place of i in the order that `key` gives to 0..n-1; i < n. Under four
 * evaluations of the network on average. */
uint64_t ft_permute(uint64_t i, uint64_t n, uint64_t key);

/* A key from what tells one order from another: a seed, what it is for (a
 * number or a hash), an epoch. */
uint64_t ft_permute_key(uint64_t seed, uint64_t purpose, uint64_t epoch);

#endif
