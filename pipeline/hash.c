#include "pipeline/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "pipeline/err.h"
#include "pipeline/mem.h"

struct ft_hasher {
    XXH3_state_t *state;
};

uint64_t ft_hash64(const void *p, size_t n) { return XXH3_64bits(p, n); }

struct ft_digest ft_hash128(const void *p, size_t n)
{
    const XXH128_hash_t h = XXH3_128bits(p, n);
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

int ft_digest_parse(const char *s, size_t n, struct ft_digest *d)
{
    uint64_t w[2] = {0, 0};
    if (n != 32)
        return -1;
    for (int i = 0; i < 32; i++) {
        const char c = s[i];
        const int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0)
            return -1;
        w[i / 16] = w[i / 16] << 4 | (uint64_t)v;
    }
    *d = (struct ft_digest){w[0], w[1]};
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

void ft_hasher_add(struct ft_hasher *h, const void *p, size_t n) { XXH3_128bits_update(h->state, p, n); }

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
