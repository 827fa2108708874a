#include "tokenizer/cache_parts.h"

#include <sys/mman.h>

#include "tokenizer/cache_tables.h"
#include "tokenizer/cut.h"

enum {
    PARTS = 256,                                   /* that are looked up at a time */
    LETTERS = 2 * 0x10000 * 4 * sizeof(uint32_t), /* bytes of the table: a large page */
};

typedef uint32_t tk_letter[4]; /* ids as in a line; all 0: not known */

static inline bool wide(const char *p) { return (*p & 0xf0) == 0xe0; }

/* Of one character of three bytes, and of one with a blank in front. */
static inline tk_letter *letter(const struct tk_cache *c, uint32_t code, bool blank) { return &c->letters[2 * code + blank]; }

static inline tk_letter *letter_of(const struct tk_cache *c, const char *p, size_t n)
{
    const bool blank = *p == ' ' && n > 1;
    return n == 3u + blank && wide(p + blank) ? letter(c, tk_cut_code(p + blank), blank) : NULL;
}

void tk_cache_parts_free(struct tk_cache *c)
{
    if (c->letters)
        munmap(c->letters, LETTERS);
}

void tk_cache_parts_prefetch(const struct tk_cache *c, const char *p, size_t n)
{
    const size_t blank = *p == ' ';
    if (!c->letters)
        return;
    for (size_t i = blank; i + 3 <= n; i += 3)
        __builtin_prefetch(letter(c, tk_cut_code(p + i), false));
}

bool tk_cache_parts_spell(struct tk_cache *c, const struct tk_job *word)
{
    enum { MOST = 4 * (TK_KEY_MAX / 3) + 4 };
    uint32_t ids[MOST], n = 0, last = 0;
    const char *p = word->p, *const end = p + word->n;
    const bool blank = *p == ' ';
    if (!c->letters)
        return false;
    p += blank;
    if ((size_t)(end - p) % 3 || end - p < 6) /* what is one token is found as such */
        return false;
    for (const char *from = p; p < end; p += 3) {
        const uint32_t code = tk_cut_code(p), *x = *letter(c, code, blank && p == from);
        if (!wide(p) || !x[0] || (p > from && tk_cut_wide_together(c->part_cut, last, code)))
            return false;
        memcpy(ids + n, x, sizeof(tk_letter));
        ids[n] &= 0xffffff;
        n += x[0] >> 24;
        last = code;
    }
    if (n <= TK_INLINE) {
        memcpy(word->to, ids, TK_INLINE * sizeof *ids);
        word->to[0] |= n << 24;
        word->to[1] = n > 1 ? ids[1] : 0;
    } else {
        const size_t first = c->over.n;
        tk_ids_room(&c->over, n);
        memcpy(c->over.v + first, ids, n * sizeof *ids);
        c->over.n += n;
        tk_side_settle(c, first, word->to);
    }
    return true;
}

/* ---- parts ---- */

struct part {
    struct tk_key key;
    const char *p;
    const uint32_t *ids; /* as in a line */
    uint32_t n, hash;
    int64_t word; /* of the seed, that it may be */
    bool fresh;   /* not in its table */
    tk_letter *letter; /* its place in the table of characters, or NULL */
};

/* The parts of a word; gives how many. */
static size_t part_word(const struct tk_cache *c, const struct tk_job *w, struct part *to)
{
    uint64_t ends = tk_cut_mask(c->part_cut, w->p, w->n) | 1ull << w->n;
    uint32_t from = 0;
    size_t n = 0;
    for (; ends; ends &= ends - 1) {
        struct part *x = &to[n++];
        x->p = w->p + from;
        x->n = (uint32_t)__builtin_ctzll(ends) - from;
        x->letter = letter_of(c, x->p, x->n);
        from += x->n;
        if (x->letter)
            continue;
        for (uint32_t i = *x->p == ' '; i + 3 <= x->n; i += 3)
            __builtin_prefetch(&c->part_cut->one[tk_cut_code(x->p + i)]);
        x->key = tk_key_of(x->p, x->n);
        if (!c->part_plain)
            x->key.hi |= 1ull << 63; /* no word has this key */
        x->hash = tk_key_hash(x->key.lo, x->key.hi);
        __builtin_prefetch(tk_own_line(c, x->hash));
        tk_seed_prefetch(c->seed, x->hash);
    }
    return n;
}

/* Finds or makes the ids of n parts, those that are made in `made`. */
static void look_up(struct tk_cache *c, struct part *part, size_t n, uint32_t made[][TK_INLINE])
{
    struct tk_job job[PARTS];
    size_t n_jobs = 0;
    for (size_t i = 0; i < n; i++) {
        struct part *x = &part[i];
        if (x->letter) {
            x->fresh = !(*x->letter)[0];
            x->ids = x->fresh ? NULL : *x->letter;
            x->word = -1;
            continue;
        }
        const struct tk_line *own = tk_own_find(c, x->key, x->hash);
        x->fresh = !own;
        x->ids = own ? own->id : NULL;
        x->word = own || !c->part_plain ? -1 : tk_seed_guess(c->seed, x->hash);
    }
    for (size_t i = 0; i < n; i++) {
        struct part *x = &part[i];
        if (x->ids)
            continue;
        if (x->word >= 0 && (x->word = tk_seed_check(c->seed, x->word, x->key, x->hash)) >= 0) {
            x->ids = &c->seed->id[x->word];
            continue;
        }
        x->ids = made[n_jobs];
        job[n_jobs] = (struct tk_job){x->p, x->n, made[n_jobs]};
        n_jobs++;
    }
    c->encode_many(c->ctx, job, n_jobs);
}

static void remember(struct tk_cache *c, const struct part *part, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct part *x = &part[i];
        const uint32_t count = x->ids[0] >> 24;
        if (x->letter && x->fresh)
            memcpy(*x->letter, x->ids, sizeof *x->letter); /* no more than four ids */
        if (x->letter || !x->fresh || !count || tk_key_eq(tk_own_line(c, x->hash)->key, x->key))
            continue;
        struct tk_line *l = tk_own_take(c, x->hash);
        l->key = x->key;
        memcpy(l->id, x->ids, (count > 1 ? TK_INLINE : 1) * sizeof *l->id);
        l->id[1] = count > 1 ? l->id[1] : 0;
    }
}

/* Sets a word's ids to those of its parts; false: one of them is not known. */
static bool join(struct tk_cache *c, const struct part *part, size_t n, uint32_t *to)
{
    const size_t first = c->over.n;
    tk_ids_room(&c->over, TK_INLINE * (n + 1));
    int32_t *at = c->over.v + first;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *s = part[i].ids, count = s[0] >> 24;
        if (!count)
            return false;
        memcpy(at, s, 4 * sizeof *at);
        at[0] = (int32_t)(s[0] & 0xffffff);
        if (count > 4)
            memcpy(at + 4, s + 4, (TK_INLINE - 4) * sizeof *at);
        at += count;
    }
    c->over.n = (size_t)(at - c->over.v);
    tk_side_settle(c, first, to);
    return true;
}

int tk_cache_parts_find(struct tk_cache *c, const struct tk_job *word, size_t n, struct ft_err *e)
{
    struct part part[PARTS];
    uint32_t made[PARTS][TK_INLINE];
    uint8_t parts[PARTS];
    if (!c->letters)
        c->letters = tk_pages(LETTERS, true);
    for (size_t i = 0; i < n;) {
        size_t k = 0, n_parts = 0;
        for (; i + k < n && k < PARTS && n_parts + TK_KEY_MAX <= PARTS; k++)
            n_parts += parts[k] = (uint8_t)part_word(c, &word[i + k], &part[n_parts]);
        look_up(c, part, n_parts, made);
        const struct part *x = part;
        for (size_t w = 0; w < k; x += parts[w++]) {
            const struct tk_rec r = {.p = word[i + w].p, .n = word[i + w].n};
            if (!join(c, x, parts[w], word[i + w].to) && tk_side_encode(c, &r, word[i + w].to, e))
                return -1;
        }
        remember(c, part, n_parts);
        i += k;
    }
    return 0;
}
