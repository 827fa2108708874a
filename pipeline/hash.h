/* hash.h -- fingerprints: XXH3-128 digests as 32 hex digits.
 *
 * Digests tell things apart, they do not authenticate them: XXH3 is not
 * cryptographic. They are taken over canonical forms, so that two files that
 * mean the same have the same fingerprint.
 */
#ifndef FT_PIPELINE_HASH_H
#define FT_PIPELINE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ft_digest {
    uint64_t hi, lo;
};

uint64_t ft_hash64(const void *p, size_t n);
struct ft_digest ft_hash128(const void *p, size_t n);
/* 32 lower-case hex digits, high word first, and a NUL. */
void ft_digest_hex(struct ft_digest d, char out[33]);
/* 0, or -1 if s is not 32 hex digits. */
int ft_digest_parse(const char *s, size_t n, struct ft_digest *d);

/* Streaming form. new/free; `add` in any pieces gives the digest of the whole. */
struct ft_hasher;
struct ft_hasher *ft_hasher_new(void);
void ft_hasher_add(struct ft_hasher *h, const void *p, size_t n);
/* A length-prefixed piece: ("ab","c") and ("a","bc") differ. */
void ft_hasher_field(struct ft_hasher *h, const void *p, size_t n);
uint64_t ft_hasher_sum64(const struct ft_hasher *h);
struct ft_digest ft_hasher_sum128(const struct ft_hasher *h);
void ft_hasher_free(struct ft_hasher *h);

#endif
