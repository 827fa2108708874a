/* cache.h -- words and the ids they become, remembered.
 *
 * Text is a few thousand words said over and over: an encoder that looks a word
 * up costs tens of cycles, one that merges costs hundreds. Four tables, asked in
 * this order; none is ever needed for a right answer.
 *
 *   hot   of one thread: a line a word, with up to twelve ids. A word whose line
 *         is taken moves the other to the neighbour line, and what was there falls
 *         out. 8 MiB at most, so memory does not grow with the stream.
 *   seed  shared, read-only: every token of the vocabulary that is a word of one
 *         token (cache_seed.h). Made at load or mapped from the compiled image.
 *   long  of one thread: words of 16 to 192 bytes, or of 13 to 192 ids (cache_long.h).
 *   own   of one thread: what fell out of hot and is not in the seed, and parts of
 *         words (cut.h).
 *
 * Words go through in batches: the splitter fills records (key, line) and asks
 * for the lines; then all are probed, then what missed is sought in the seed, then
 * all ids are written. So the waits for memory overlap.
 */
#ifndef FT_TOKENIZER_CACHE_H
#define FT_TOKENIZER_CACHE_H

#include "tokenizer/bpe_many.h"
#include "tokenizer/cache_long.h"
#include "tokenizer/cache_seed.h"

enum {
    TK_BATCH = 256,    /* records */
    TK_WINDOW = 532,   /* records that may come on top */
    TK_INLINE = 12,    /* ids in a line */
    TK_OVER = 1 << 16, /* ids that wait beside the records */
    TK_AGAIN = 64,     /* words of a batch that go into the long table */
};

/* Ids of 24 bits; their count is on top of the first, 0: see cache.c. */
struct tk_line {
    uint32_t id[TK_INLINE]; /* first: sixteen are copied at once, the key with them */
    struct tk_key key;
} __attribute__((aligned(64)));

struct tk_rec { /* a word to be looked up */
    struct tk_key key;
    const char *p;
    uint32_t n, hash;
};

/* ---- ids on their way out ---- */

struct tk_ids {
    int32_t *v;
    size_t n, cap;
};
void tk_ids_grow(struct tk_ids *o, size_t room);
static inline void tk_ids_room(struct tk_ids *o, size_t room)
{
    if (o->n + room > o->cap)
        tk_ids_grow(o, room);
}
static inline void tk_ids_put(struct tk_ids *o, int32_t id)
{
    tk_ids_room(o, 1);
    o->v[o->n++] = id;
}

/* ---- the cache of a thread ---- */

/* Encodes a word without the cache, appending to `out`. */
typedef int tk_word_fn(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e);
/* The same for many words of up to 15 bytes at a time. */
typedef void tk_many_fn(void *ctx, const struct tk_job *job, size_t n);

/* Is told after a flush where the ids of its records begin in `out`: those of the i-th at starts[i], and end at starts[i + 1]. */
typedef void tk_placed_fn(void *ctx, const struct tk_rec *rec, size_t n, const uint32_t *starts, const struct tk_ids *out);

struct tk_cut;
struct tk_lone;
struct tk_spell;

/* Lines of a power of two; `shift` leaves of a hash of 32 bits what is a line's number. */
struct tk_lines {
    struct tk_line *line;
    unsigned shift;
};

struct tk_cache {
    struct tk_lines hot, own;
    struct tk_long longs;
    bool owns; /* is anything in own? */
    const struct tk_seed *seed;
    tk_word_fn *encode;
    tk_many_fn *encode_many; /* NULL: there is none */
    uint32_t (*letters)[4];  /* see cache_parts.h; NULL: none yet */
    const struct tk_cut *part_cut; /* by which the words for encode_many are cut that are not ASCII; NULL: they are not */
    bool part_plain;         /* a part becomes what the same bytes become as a word */
    void *ctx;
    const struct tk_cut *cut; /* words without a key are cut into parts by it, NULL: not */
    const char *left, *left_end; /* of such a word what is not in a record yet */
    size_t n;                    /* records waiting */
    struct tk_known {            /* those that may be in the long table */
        size_t i;
        const unsigned char *x;
    } known[TK_BATCH + TK_WINDOW];
    size_t n_known;
    size_t long_ids;             /* of this flush, from there */
    struct tk_again {            /* words that are in records in parts, to be remembered whole */
        const char *p;
        size_t n, first; /* records before it are not its parts */
        uint64_t hash;
    } again[TK_AGAIN];
    size_t n_again;
    bool long_known;             /* most of the last long words were */
    unsigned words;              /* flushed so far, up to TK_BRIEF; where some are spelled, those that the hot table did not have */
    size_t many;                 /* words of the last batch that had more than four ids */
    struct tk_rec rec[TK_BATCH + TK_WINDOW] __attribute__((aligned(64)));
    struct tk_line side[TK_BATCH + TK_WINDOW]; /* of this batch what was not in a table */
    struct tk_ids over;                        /* and its ids that found no room there, or came without a word */
    uint32_t *starts; /* [TK_BATCH + TK_WINDOW + 1]: a flush says where each record's ids begin, and end; NULL: not asked */
    tk_placed_fn *placed; /* NULL: not asked */
    void *placed_ctx;
    struct tk_lone *lone;                      /* characters that are alone, NULL: not asked for; the caller's */
    struct tk_spell *spell;                    /* words that are spelled; likewise */
};

/* After so many words come large tables in large pages: clearing one takes as long as
 * tokenizing a page of text, so a line of text must not pay for it. */
enum { TK_BRIEF = 300 };
void tk_cache_enlarge(struct tk_cache *c);
/* Empties the tables. */
void tk_cache_forget(struct tk_cache *c);
static inline size_t tk_lines_n(const struct tk_lines *t) { return (size_t)1 << (32 - t->shift); }

struct tk_cache *tk_cache_new(const struct tk_seed *seed, tk_word_fn *encode, void *ctx);
void tk_cache_free(struct tk_cache *c);

static inline struct tk_line *tk_cache_line(const struct tk_cache *c, uint32_t hash)
{
    return &c->hot.line[hash >> c->hot.shift];
}

/* A record of a word of any length; cache_short.h has a quicker one. */
static inline void tk_rec_long(struct tk_rec *r, struct tk_lines hot, const char *p, size_t n)
{
    r->key = tk_key_of(p, n);
    r->p = p;
    r->n = (uint32_t)n;
    r->hash = tk_key_hash(r->key.lo, r->key.hi);
    __builtin_prefetch(&hot.line[r->hash >> hot.shift]);
}
/* Makes the record i of a word, of more than TK_KEY_MAX bytes, that tk_long_guess found at x. */
static inline void tk_cache_known(struct tk_cache *c, size_t i, const char *p, size_t n, const unsigned char *x)
{
    tk_long_again(&c->longs);
    c->known[c->n_known++] = (struct tk_known){i, x};
    c->rec[i] = (struct tk_rec){.key = c->hot.line[0].key, .p = p, .n = (uint32_t)n}; /* for the look-up it is that line's word */
}
/* A word that it did not find is to be added in parts, next. */
static inline void tk_cache_unknown(struct tk_cache *c, const char *p, size_t n, uint64_t hash)
{
    if (tk_long_seen(&c->longs, n, hash) && c->n_again < TK_AGAIN)
        c->again[c->n_again++] = (struct tk_again){p, n, c->n, hash};
}

/* Adds a word of n >= 1 bytes that has to stay whole; its bytes must stay until
 * the flush. */
static inline void tk_cache_whole(struct tk_cache *c, const char *p, size_t n)
{
    tk_rec_long(&c->rec[c->n++], c->hot, p, n);
}
/* Adds parts of the word that is cut while there are fewer than `limit` records. */
void tk_cache_rest(struct tk_cache *c, size_t limit);
/* Adds a word, in parts if it is long and not known: some may be left for tk_cache_rest, before
 * any other word, unless it has no more than TK_WINDOW bytes and is added while fewer
 * than TK_BATCH records wait. */
static inline void tk_cache_word(struct tk_cache *c, const char *p, size_t n)
{
    if (n <= TK_KEY_MAX || !c->cut) {
        tk_cache_whole(c, p, n);
        return;
    }
    if (n <= TK_LONG_BYTES && !tk_long_skips(&c->longs, p, n)) {
        const uint64_t hash = tk_long_hash(p, n);
        const unsigned char *x = tk_long_guess(&c->longs, n, hash);
        if (x) {
            tk_cache_known(c, c->n++, p, n, x);
            return;
        }
        tk_cache_unknown(c, p, n, hash);
    }
    c->left = p;
    c->left_end = p + n;
    tk_cache_rest(c, n <= TK_WINDOW ? TK_BATCH + TK_WINDOW : TK_BATCH);
}
/* Records without a word (p NULL) have keys that no line has: 1 or 2 at lo, and on top of hi, where words have their
 * length, 0. */
/* Adds an id that is known; [from, to): where it stands, for who asks `placed`. */
static inline void tk_cache_id(struct tk_cache *c, int32_t id, uint32_t from, uint32_t to)
{
    c->rec[c->n++] = (struct tk_rec){.key = {1, to}, .n = (uint32_t)id, .hash = from};
}
/* Adds the ids that were appended to `over` from first on. */
static inline void tk_cache_ids(struct tk_cache *c, size_t first)
{
    c->rec[c->n++] = (struct tk_rec){.key = {2, 0}, .n = (uint32_t)(c->over.n - first), .hash = (uint32_t)first};
}
/* Must the records be flushed before another window of words comes? */
static inline bool tk_cache_full(const struct tk_cache *c) { return c->n >= TK_BATCH || c->over.n >= TK_OVER; }

/* Writes the ids of all waiting records. */
int tk_cache_flush(struct tk_cache *c, struct tk_ids *out, struct ft_err *e);

/* One part of a word, now; what is not remembered is encoded by `encode`. `plain`:
 * a part becomes what the same bytes become as a word. */
int tk_cache_part(struct tk_cache *c, const char *p, size_t n, bool plain, tk_word_fn *encode,
                  struct tk_ids *out, struct ft_err *e);

#endif
