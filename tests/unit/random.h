/* random.h -- seeded numbers for tests: the same on every machine. */
#ifndef FT_TESTS_UNIT_RANDOM_H
#define FT_TESTS_UNIT_RANDOM_H

#include <stdint.h>

static uint64_t rnd_state = 1;

/* 0..below-1; splitmix64, Steele et al. 2014. */
static inline uint64_t rnd(uint64_t below)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

#endif
