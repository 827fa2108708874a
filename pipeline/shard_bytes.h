/* shard_bytes.h -- the constants of SHARD.md, for its reader and its writer. */
#ifndef FT_PIPELINE_SHARD_BYTES_H
#define FT_PIPELINE_SHARD_BYTES_H

#include "pipeline/bytes.h"
#include "pipeline/hash.h"

#define FT_SHARD_MAGIC "\x89" "FTS\r\n\x1a\n"
#define FT_BLOCK_MAGIC "FTSB"
#define FT_TRAILER_MAGIC "FTSEND\r\n"
#define FT_PLAN_MAGIC "FTPLAN\r\n"

enum {
    FT_SHARD_VERSION = 1,
    FT_HEADER = 64, /* of a shard, a block, a plan; also the trailer */
    FT_DIR_ENTRY = 24,
    FT_INDEX_ENTRY = 56,
};

enum { /* sections of a block */
    FT_SEC_TOKENS = 1, FT_SEC_TOKEN_BEGIN, FT_SEC_KIND, FT_SEC_PARTS, FT_SEC_RUN_BEGIN, FT_SEC_RUNS,
    FT_SEC_SOURCE, FT_SEC_UID, FT_SEC_FILE, FT_SEC_LINE, FT_SEC_BYTES, FT_SEC_KNOWN,
};

static inline uint64_t ft_align64(uint64_t n) { return (n + 63) & ~(uint64_t)63; }

/* XXH3-64 of bytes with the 8 at `hole` left out. */
static inline uint64_t ft_sum_around(const void *p, size_t n, size_t hole)
{
    struct ft_hasher *h = ft_hasher_new();
    ft_hasher_add(h, p, hole);
    ft_hasher_add(h, (const char *)p + hole + 8, n - hole - 8);
    const uint64_t sum = ft_hasher_sum64(h);
    ft_hasher_free(h);
    return sum;
}

static inline void ft_store_u64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}
static inline void ft_store_u32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

#endif
