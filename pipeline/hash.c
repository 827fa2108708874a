#include "pipeline/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "pipeline/bytes.h"
#include "pipeline/err.h"
#include "pipeline/mem.h"

struct ft_hasher {
    XXH3_state_t *state;
};

#if defined __x86_64__ && defined __linux__
/* The same sums by what the processor has, in those builds of the library that have it (xxh_x86dispatch.h,
 * which is not always installed); a plain build is for any x86-64. */
__attribute__((weak)) XXH128_hash_t XXH3_128bits_dispatch(const void *p, size_t n);
__attribute__((weak)) XXH_errorcode XXH3_128bits_update_dispatch(XXH3_state_t *state, const void *p, size_t n);
#else
static XXH128_hash_t (*const XXH3_128bits_dispatch)(const void *, size_t) = NULL;
static XXH_errorcode (*const XXH3_128bits_update_dispatch)(XXH3_state_t *, const void *, size_t) = NULL;
#endif
enum { LONG = 256, MANY = 1024 }; /* bytes that are worth the detour: at once, and in pieces */

uint64_t ft_hash64(const void *p, size_t n) { return XXH3_64bits(p, n); }

struct ft_digest ft_hash128(const void *p, size_t n)
{
    const XXH128_hash_t h = n >= LONG && XXH3_128bits_dispatch ? XXH3_128bits_dispatch(p, n) : XXH3_128bits(p, n);
    return (struct ft_digest){h.high64, h.low64};
}

void ft_digest_hex(struct ft_digest d, char out[33])
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[i] = hex[d.hi >> (60 - 4 * i) & 15];
        out[16 + i] = hex[d.lo >> (60 - 4 * i) & 15];
    }
    out[32] = 0;
}

/* The value of eight digits, the bytes of x from the lowest on; bits of *wrong are set where one is none. */
static uint64_t eight_digits(uint64_t x, uint64_t *wrong)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t v = (x & 0x0f * each) + 9 * (x >> 6 & each); /* letters have bit 6 */
    const uint64_t letter = (v + 0x76 * each) >> 7 & each;
    *wrong |= (v & 0xf0 * each) | (x ^ (v + '0' * each + ('a' - '0' - 10) * letter)); /* is it what the value is written as? */
    v = __builtin_bswap64(v);
    v = (v | v >> 4) & 0x00ff00ff00ff00ff;
    v = (v | v >> 8) & 0x0000ffff0000ffff;
    return (v | v >> 16) & 0xffffffff;
}

int ft_digest_parse(const char *s, size_t n, struct ft_digest *d)
{
    uint64_t w[4], wrong = 0;
    if (n != 32)
        return -1;
    for (int i = 0; i < 4; i++)
        w[i] = eight_digits(ft_load_u64((const unsigned char *)s + 8 * i), &wrong);
    if (wrong)
        return -1;
    *d = (struct ft_digest){w[0] << 32 | w[1], w[2] << 32 | w[3]};
    return 0;
}

struct ft_hasher *ft_hasher_new(void)
{
    struct ft_hasher *h = ft_malloc(sizeof *h);
    h->state = XXH3_createState();
    if (!h->state)
        ft_oom();
    XXH3_128bits_reset(h->state);
    return h;
}

void ft_hasher_add(struct ft_hasher *h, const void *p, size_t n)
{
    if (n >= MANY && XXH3_128bits_update_dispatch)
        XXH3_128bits_update_dispatch(h->state, p, n);
    else
        XXH3_128bits_update(h->state, p, n);
}

void ft_hasher_field(struct ft_hasher *h, const void *p, size_t n)
{
    unsigned char len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (unsigned char)((uint64_t)n >> (8 * i));
    ft_hasher_add(h, len, 8);
    ft_hasher_add(h, p, n);
}

/* The 64-bit sum is the low word of the 128-bit one: one state serves both. */
uint64_t ft_hasher_sum64(const struct ft_hasher *h) { return XXH3_128bits_digest(h->state).low64; }

struct ft_digest ft_hasher_sum128(const struct ft_hasher *h)
{
    const XXH128_hash_t d = XXH3_128bits_digest(h->state);
    return (struct ft_digest){d.high64, d.low64};
}

void ft_hasher_free(struct ft_hasher *h)
{
    if (h) {
        XXH3_freeState(h->state);
        free(h);
    }
}
