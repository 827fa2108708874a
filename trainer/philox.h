/* philox.h -- randomness as a function: Philox-4x32-10.
 *
 * A draw is named by a key (what for) and a counter (which one), so any of them
 * is known without the others: resuming, another order of work and another
 * number of workers give the same. J. Salmon et al., "Parallel Random Numbers:
 * As Easy as 1, 2, 3", SC 2011.
 */
#ifndef FT_TRAINER_PHILOX_H
#define FT_TRAINER_PHILOX_H

#include <stdint.h>

/* What a key is for: its high word, over the seed. */
enum ft_purpose { FT_FOR_INIT = 1, FT_FOR_LORA = 2, FT_FOR_DROPOUT = 3, FT_FOR_SAMPLING = 4 };

static inline void ft_philox(uint32_t out[4], const uint32_t counter[4], uint32_t key0, uint32_t key1)
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

    for (int i = 0; i < 10; i++) {
        const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ key0, n2 = (uint32_t)(a >> 32) ^ c3 ^ key1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        c0 = n0;
        c2 = n2;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Mixes a 64-bit seed and a purpose into a key (splitmix64's finalizer). */
static inline uint64_t ft_philox_key(uint64_t seed, uint32_t purpose)
{
    uint64_t z = seed + 0x9E3779B97F4A7C15u * (purpose + 1u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* In [0, 1), on a grid of 2^-24: every value is a float. */
static inline float ft_philox_unit(uint32_t x) { return (float)(x >> 8) * 0x1p-24f; }

#endif
