#include "tokenizer/vocab.h"

#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/hash.h"
#include "pipeline/json_walk.h"

void tk_vocab_init(struct tk_vocab *v, size_t expected)
{
    *v = (struct tk_vocab){.n_slots = 64};
    while (v->n_slots < expected * 2)
        v->n_slots *= 2;
    v->slots = ft_calloc(v->n_slots, sizeof *v->slots);
}

/* What the low half of a slot holds: id + 1, or the index of an alias with this bit. */
static const uint32_t ALIAS = 1u << 31;

static struct ft_str string_of(const struct tk_vocab *v, uint32_t slot)
{
    return slot & ALIAS ? v->alias[slot & ~ALIAS].s : v->token[slot - 1];
}

/* Most tokens are short, and a call costs more than they do. */
uint64_t tk_vocab_hash(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    uint64_t a, b;
    if (n > 16)
        return ft_hash64(s, n);
    if (n >= 8) {
        a = ft_load_u64(p);
        b = ft_load_u64(p + n - 8);
    } else if (n >= 4) {
        a = ft_load_u32(p);
        b = ft_load_u32(p + n - 4);
    } else {
        a = n ? (uint64_t)p[0] << 16 | (uint64_t)p[n / 2] << 8 | p[n - 1] : 0;
        b = 0;
    }
    const unsigned __int128 x = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ n ^ 0xd1b54a32d192ed03u);
    const uint64_t h = ((uint64_t)x ^ (uint64_t)(x >> 64)) * 0x2545f4914f6cdd1du;
    return h ^ h >> 32;
}

static uint64_t *slot(const struct tk_vocab *v, const char *p, size_t n, uint64_t hash)
{
    size_t i = hash & (v->n_slots - 1);
    for (;; i = (i + 1) & (v->n_slots - 1)) {
        uint64_t *s = &v->slots[i];
        if (!*s)
            return s;
        if ((*s ^ hash) >> 32)
            continue;
        const struct ft_str t = string_of(v, (uint32_t)*s);
        if (t.n == n && !memcmp(t.p, p, n))
            return s;
    }
}

static uint64_t entry(uint64_t hash, uint32_t low) { return (hash >> 32 << 32) | low; }

static void grow(struct tk_vocab *v)
{
    uint64_t *old = v->slots;
    const size_t n = v->n_slots;
    v->n_slots *= 2;
    v->slots = ft_calloc(v->n_slots, sizeof *v->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i]) {
            const struct ft_str t = string_of(v, (uint32_t)old[i]);
            *slot(v, t.p, t.n, tk_vocab_hash(t.p, t.n)) = old[i];
        }
    free(old);
}

/* A place by the id. */
static void reach(struct tk_vocab *v, uint32_t id)
{
    if (id < v->n_ids)
        return;
    size_t n = v->n_ids ? v->n_ids : 256;
    while (n <= id)
        n *= 2;
    v->token = ft_reallocs(v->token, n, sizeof *v->token);
    memset(v->token + v->n_ids, 0, (n - v->n_ids) * sizeof *v->token);
    v->n_ids = n;
}

void tk_vocab_add(struct tk_vocab *v, struct ft_str s, uint32_t id)
{
    if (v->count * 2 >= v->n_slots)
        grow(v);
    reach(v, id);
    const uint64_t hash = tk_vocab_hash(s.p, s.n);
    uint64_t *at = slot(v, s.p, s.n, hash);
    const struct ft_str own = {ft_arena_dup(&v->mem, s.p, s.n), s.n};
    v->count += *at == 0;
    v->token[id] = own;
    *at = entry(hash, id + 1);
}

void tk_vocab_add_alias(struct tk_vocab *v, struct ft_str s, uint32_t id)
{
    if (v->count * 2 >= v->n_slots)
        grow(v);
    if (!(v->n_alias & (v->n_alias - 1))) /* full at each power of two */
        v->alias = ft_reallocs(v->alias, v->n_alias ? 2 * v->n_alias : 1, sizeof *v->alias);
    v->alias[v->n_alias] = (struct tk_alias){{ft_arena_dup(&v->mem, s.p, s.n), s.n}, id};
    const uint64_t hash = tk_vocab_hash(s.p, s.n);
    *slot(v, s.p, s.n, hash) = entry(hash, ALIAS | (uint32_t)v->n_alias++);
    v->count++;
}

/* ---- all at once ---- */

/* The strings, one behind the other, and the table by id. */
static bool read_strings(struct tk_vocab *v, struct ft_str raw)
{
    struct ft_json_walk w = ft_json_walk_in(raw);
    char *to = ft_arena_alloc(&v->mem, raw.n + FT_JSON_SLACK);
    size_t n = 0;
    v->n_ids = raw.n / 5; /* as many members as there can be: memory that is not touched is none */
    v->token = ft_calloc(v->n_ids, sizeof *v->token);
    ft_large_hint(v->token, v->n_ids * sizeof *v->token);
    ft_large_hint(to, raw.n);
    while (ft_json_walk_next(&w)) {
        struct ft_str s;
        bool escaped;
        uint32_t id;
        if (!ft_json_walk_key(&w, &s, &escaped) || !ft_json_walk_count(&w, &id) || id >= TK_MAX_IDS)
            return false;
        reach(v, id);
        if (v->token[id].p)
            return false;
        v->token[id].p = to;
        if (escaped)
            to = ft_json_unescape_to(to, s);
        else
            to = (char *)memcpy(to, s.p, s.n) + s.n;
        v->token[id].n = (size_t)(to - v->token[id].p);
        v->count++;
        n = id >= n ? id + 1 : n;
    }
    v->n_ids = n;
    return true;
}

/* False: a string twice. */
static bool index_strings(struct tk_vocab *v)
{
    enum { AHEAD = 16 };
    uint64_t hash[AHEAD];
    while (v->n_slots * 2 < v->count * 3) /* read more often than written */
        v->n_slots *= 2;
    free(v->slots);
    v->slots = memset(ft_large(v->n_slots * sizeof *v->slots), 0, v->n_slots * sizeof *v->slots);
    for (size_t i = 0; i < v->n_ids + AHEAD; i++) {
        if (i >= AHEAD && v->token[i - AHEAD].p) {
            const struct ft_str t = v->token[i - AHEAD];
            uint64_t *s = slot(v, t.p, t.n, hash[i % AHEAD]);
            if (*s)
                return false;
            *s = entry(hash[i % AHEAD], (uint32_t)(i - AHEAD) + 1);
        }
        if (i < v->n_ids && v->token[i].p) {
            hash[i % AHEAD] = tk_vocab_hash(v->token[i].p, v->token[i].n);
            tk_vocab_prefetch(v, hash[i % AHEAD]);
        }
    }
    return true;
}

bool tk_vocab_read(struct tk_vocab *v, struct ft_str raw)
{
    tk_vocab_init(v, 0);
    if (read_strings(v, raw) && index_strings(v))
        return true;
    tk_vocab_release(v);
    tk_vocab_init(v, 0);
    return false;
}

/* ---- look-ups ---- */

int64_t tk_vocab_find_hashed(const struct tk_vocab *v, const char *p, size_t n, uint64_t hash)
{
    if (!v->n_slots)
        return -1;
    const uint32_t s = (uint32_t)*slot(v, p, n, hash);
    return s & ALIAS ? (int64_t)v->alias[s & ~ALIAS].id : (int64_t)s - 1;
}

int64_t tk_vocab_find(const struct tk_vocab *v, const char *p, size_t n)
{
    return tk_vocab_find_hashed(v, p, n, tk_vocab_hash(p, n));
}

void tk_vocab_release(struct tk_vocab *v)
{
    ft_arena_release(&v->mem);
    free(v->token);
    free(v->alias);
    free(v->slots);
    *v = (struct tk_vocab){0};
}
