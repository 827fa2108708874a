/* cache_tables.h -- lines of the tables of a cache; private to cache.c and cache_batch.c. */
#ifndef FT_TOKENIZER_CACHE_TABLES_H
#define FT_TOKENIZER_CACHE_TABLES_H

#include "tokenizer/cache.h"

/* Sets the ids of a line, of which there are 1 to TK_INLINE. */
static inline void tk_line_fill(uint32_t *to, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint32_t)ids[i];
    to[0] |= (uint32_t)n << 24;
}

/* Where a word goes that another one takes the line from. While a line is free, the
 * one beside it has none of its words. */
static inline struct tk_line *tk_hot_beside(const struct tk_cache *c, struct tk_line *l) { return &c->hot.line[(l - c->hot.line) ^ 1]; }

static inline struct tk_line *tk_own_line(const struct tk_cache *c, uint32_t hash)
{
    return &c->own.line[hash >> c->own.shift];
}

/* The same two places as in the hot table. The second is used only behind the first. */
static inline struct tk_line *tk_own_find(const struct tk_cache *c, struct tk_key k, uint32_t hash)
{
    if (!c->owns)
        return NULL;
    struct tk_line *l = tk_own_line(c, hash);
    if (tk_key_eq(l->key, k))
        return l;
    struct tk_line *x = &c->own.line[(l - c->own.line) ^ 1];
    return l->key.hi && tk_key_eq(x->key, k) ? x : NULL;
}

/* A line for a new word. */
static inline struct tk_line *tk_own_take(struct tk_cache *c, uint32_t hash)
{
    struct tk_line *l = tk_own_line(c, hash);
    if (l->key.hi)
        c->own.line[(l - c->own.line) ^ 1] = *l;
    c->owns = true;
    return l;
}

/* Takes a word into the hot table; what falls out of it goes into the own. */
void tk_hot_insert(struct tk_cache *c, uint32_t hash, struct tk_key key, const uint32_t *ids);
/* Sets a side line's ids to those of `over` from first on, which may stay there. */
void tk_side_settle(struct tk_cache *c, size_t first, uint32_t *to);
/* Encodes a word by itself. */
int tk_side_encode(struct tk_cache *c, const struct tk_rec *r, uint32_t *to, struct ft_err *e);

/* Zeroed, in whole pages that cost nothing before they are touched; `large` ones
 * where the system has them. */
void *tk_pages(size_t n, bool large);

#endif
