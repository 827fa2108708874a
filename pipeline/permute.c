#include "pipeline/permute.h"

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of the
 * input reaches every bit of the output. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static const uint64_t golden = 0x9e3779b97f4a7c15;

/* Seven rounds are enough for a Feistel permutation to look random to one who
 * sees nearly all of it (Patarin 2003), which small n make everyone do. */
enum { ROUNDS = 7 };

uint64_t ft_permute(uint64_t i, uint64_t n, uint64_t key)
{
    int half = 1;

    if (n < 2)
        return 0;
    while (half < 32 && (n - 1) >> (2 * half))
        half++;
    const uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 1; round <= ROUNDS; round++) {
            const uint64_t f = mix(key + round * golden + mix(right + golden)) >> 17 & mask;
            const uint64_t next = left ^ f;
            left = right;
            right = next;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

uint64_t ft_permute_key(uint64_t seed, uint64_t purpose, uint64_t epoch)
{
    return mix(mix(mix(seed + golden) + purpose + golden) + epoch + golden);
}
