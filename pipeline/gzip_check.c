#include "pipeline/gzip_check.h"

#include <stdlib.h>
#include <string.h>

struct end {
    uint64_t where;     /* in the file: the first byte behind it */
    uint32_t crc, size; /* of the member that may end here; its size modulo 2^32 */
};

struct ft_gzip {
    uint32_t table[4][256];
    unsigned char window[12]; /* the last bytes of the file */
    uint64_t seen;            /* bytes of the file */
    unsigned char last[8];    /* those up to its last byte that is not zero */
    uint64_t zeros;           /* behind it */
    struct end *ends;         /* that may be, not yet looked at */
    size_t n_ends, cap_ends;
    uint64_t start, at;       /* of the present member and the next byte, in what came out */
    uint32_t crc;             /* of what lies between */
};

struct ft_gzip *ft_gzip_new(void)
{
    struct ft_gzip *g = ft_calloc(1, sizeof *g);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        g->table[0][i] = c;
    }
    for (int k = 1; k < 4; k++)
        for (int i = 0; i < 256; i++)
            g->table[k][i] = g->table[k - 1][i] >> 8 ^ g->table[0][g->table[k - 1][i] & 255];
    return g;
}

/* Four bytes at a step. */
static uint32_t crc32(const struct ft_gzip *g, uint32_t crc, const unsigned char *p, size_t n)
{
    crc = ~crc;
    for (; n >= 4; n -= 4, p += 4)
        crc = g->table[3][(crc ^ p[0]) & 255] ^ g->table[2][(crc >> 8 ^ p[1]) & 255] ^
              g->table[1][(crc >> 16 ^ p[2]) & 255] ^ g->table[0][(crc >> 24 ^ p[3]) & 255];
    while (n--)
        crc = crc >> 8 ^ g->table[0][(crc ^ *p++) & 255];
    return ~crc;
}

static uint32_t u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void ft_gzip_packed(struct ft_gzip *g, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    unsigned char *w = g->window;
    for (size_t i = 0; i < n; i++) {
        memmove(w, w + 1, 11);
        w[11] = p[i];
        if (++g->seen > 12 && w[8] == 0x1f && w[9] == 0x8b && w[10] == 8 && !(w[11] & 0xe0)) {
            if (g->n_ends == g->cap_ends) {
                g->cap_ends = g->cap_ends * 2 + 16;
                g->ends = ft_reallocs(g->ends, g->cap_ends, sizeof *g->ends);
            }
            g->ends[g->n_ends++] = (struct end){g->seen - 4, u32(w), u32(w + 4)};
        }
        if (!p[i]) {
            g->zeros++;
            continue;
        }
        memcpy(g->last, w + 4, 8);
        g->zeros = 0;
    }
}

void ft_gzip_plain(struct ft_gzip *g, const void *bytes, size_t n, uint64_t used)
{
    const unsigned char *p = bytes;
    const uint64_t end = g->at + n;
    size_t i = 0;
    for (; i < g->n_ends && g->ends[i].where <= used; i++) {
        uint64_t to = g->start + g->ends[i].size;
        if (to < g->at) /* a member of 4 GiB or more */
            to += (g->at - to + UINT32_MAX) >> 32 << 32;
        if (to > end || crc32(g, g->crc, p, (size_t)(to - g->at)) != g->ends[i].crc)
            continue; /* it only looks like an end */
        p += to - g->at;
        g->start = g->at = to;
        g->crc = 0;
    }
    g->n_ends -= i;
    if (i && g->n_ends)
        memmove(g->ends, g->ends + i, g->n_ends * sizeof *g->ends);
    g->crc = crc32(g, g->crc, p, (size_t)(end - g->at));
    g->at = end;
}

bool ft_gzip_fits(struct ft_gzip *g)
{
    unsigned char tail[16] = {0};
    ft_gzip_plain(g, "", 0, g->seen); /* empty members may be behind the last byte */
    memcpy(tail, g->last, 8);
    for (unsigned z = 0; z <= 8 && z <= g->zeros; z++)
        if (u32(tail + z) == g->crc && u32(tail + z + 4) == (uint32_t)(g->at - g->start))
            return true;
    return false;
}

void ft_gzip_free(struct ft_gzip *g)
{
    if (g)
        free(g->ends);
    free(g);
}
