#include "tokenizer/lone_chars.h"
#include "tokenizer/normalize_chars.h"

#include <stdlib.h>
#include <sys/mman.h>

void tk_lone_add(uint64_t sets[TK_LONE_WORDS], const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        int len;
        const uint32_t c = tk_char_get(p + i, &len);
        if (c <= 0xffff) {
            if (i)
                sets[c >> 6] |= 1ull << (c & 63);
            if (i + (size_t)len < n)
                sets[1024 + (c >> 6)] |= 1ull << (c & 63);
        }
        i += (size_t)len;
    }
}

enum { TABLE = 0x10000 * 4 * sizeof(uint32_t) };

struct tk_lone *tk_lone_new(const uint64_t sets[TK_LONE_WORDS])
{
    struct tk_lone *s = ft_calloc(1, sizeof *s);
    s->sets = sets;
    s->blank = !(sets[0] >> ' ' & 1);
    void *p = mmap(NULL, TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* few pages are touched */
    s->id = p == MAP_FAILED ? ft_malloc(SIZE_MAX) : p;
    return s;
}

void tk_lone_free(struct tk_lone *s)
{
    if (!s)
        return;
    munmap(s->id, TABLE);
    free(s);
}

static void ask(const struct tk_lone *s, struct tk_cache *c, const char *p, size_t len, uint32_t x)
{
    struct tk_ids ids = {0};
    struct ft_err e = {0};
    uint32_t *to = s->id[x];
    if (c->encode(c->ctx, p, len, &ids, &e) || !ids.n || ids.n > 4) {
        to[0] = (uint32_t)LONE_NO << 24;
    } else {
        for (size_t i = 0; i < ids.n; i++)
            to[i] = (uint32_t)ids.v[i];
        to[0] |= (uint32_t)ids.n << 24;
        to[1] |= (uint32_t)(s->sets[x >> 6] >> (x & 63) & 1 ? LONE_BEHIND : 0) << 24 |
                 (uint32_t)(s->sets[1024 + (x >> 6)] >> (x & 63) & 1 ? LONE_BEFORE : 0) << 24;
    }
    free(ids.v);
}

size_t tk_lone_run(const struct tk_lone *s, struct tk_cache *c, const char *p, size_t n)
{
    const size_t first = c->over.n;
    size_t at = 0;
    if (!n)
        return 0;
    tk_ids_room(&c->over, 4 * (TK_LONE_RUN + 1));
    int32_t *to = c->over.v + first;
    int len, next_len = 0;
    uint32_t x = tk_char_get(p, &len), y = 0;
    const uint32_t *next = NULL;
    for (size_t k = 0; k < TK_LONE_RUN; k++) {
        if (x > 0xffff)
            break;
        const uint32_t *id = s->id[x];
        if (__builtin_expect(!id[0], 0))
            ask(s, c, p + at, (size_t)len, x);
        const uint32_t count = id[0] >> 24;
        if (count == LONE_NO)
            break;
        const size_t end = at + (size_t)len;
        if (end < n) {
            y = tk_char_get(p + end, &next_len);
            if (id[1] >> 24 & LONE_BEFORE) { /* it may have the next one behind it */
                if (y > 0xffff)
                    break;
                next = s->id[y];
                if (__builtin_expect(!next[0], 0))
                    ask(s, c, p + end, (size_t)next_len, y);
                if (next[1] >> 24 & LONE_BEHIND || next[0] >> 24 == LONE_NO)
                    break;
            }
        }
        to[0] = (int32_t)(id[0] & 0xffffff);
        to[1] = (int32_t)(id[1] & 0xffffff);
        to[2] = (int32_t)id[2];
        to[3] = (int32_t)id[3];
        to += count;
        at = end;
        if (at >= n)
            break;
        x = y;
        len = next_len;
    }
    c->over.n = (size_t)(to - c->over.v);
    if (at)
        tk_cache_ids(c, first);
    return at;
}
