#include "tokenizer/bpe_many.h"

#include "tokenizer/merges.h"

/* Compiled once more for what newer machines have. */
#define INLINE inline __attribute__((always_inline))

enum {
    LANES = 16, /* words at work */
    PLACE = 4,  /* bits of a place in a word */
};

struct lane {
    uint32_t key[TK_MANY_BYTES]; /* of a symbol and its right neighbour: rank << PLACE | place; none: UINT32_MAX */
    uint32_t made[TK_MANY_BYTES]; /* and what they become */
    uint32_t id[TK_MANY_BYTES];
    uint32_t alive;              /* symbols that are still there */
    uint32_t ask[2];             /* the places whose pairs are being looked up */
    uint64_t pair[2];
    const struct tk_merge *slot[2];
    uint32_t *to;
};

static const struct tk_merge none = {UINT64_MAX, 0, 0};

/* The first symbols and their pairs. */
static INLINE bool begin(struct lane *l, const struct tk_model *m, const struct tk_job *job)
{
    const unsigned char *p = (const unsigned char *)job->p;
    const uint32_t n = job->n;
    bool all = true;
    l->to = job->to;
    l->alive = (1u << n) - 1;
    for (uint32_t i = 0; i < TK_MANY_BYTES; i++)
        l->key[i] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const int32_t id = m->raw_id[p[i]];
        l->id[i] = (uint32_t)id;
        all = all && id >= 0;
    }
    for (uint32_t i = 0; i + 1 < n; i++) {
        const uint64_t x = m->byte_pair[p[i] << 8 | p[i + 1]];
        l->key[i] = x == UINT64_MAX ? UINT32_MAX : (uint32_t)(x >> 32) << PLACE | i;
        l->made[i] = (uint32_t)x;
    }
    for (int k = 0; k < 2; k++) {
        l->ask[k] = n - 1; /* the last symbol has no neighbour */
        l->slot[k] = &none;
        l->pair[k] = 0;
    }
    return all;
}

static INLINE void end(struct lane *l)
{
    uint32_t count = 0, id[TK_MANY_BYTES];
    for (uint32_t rest = l->alive; rest; rest &= rest - 1)
        id[count++] = l->id[__builtin_ctz(rest)];
    if (count > TK_MANY_IDS) {
        l->to[0] = 0;
        return;
    }
    memcpy(l->to, id, TK_MANY_IDS * sizeof *id);
    l->to[0] |= count << 24;
    if (count == 1)
        l->to[1] = 0;
}

/* Asks for the pair of the symbols at `place` and `next`. */
static INLINE void ask(struct lane *l, int k, const struct tk_model *m, uint32_t place, uint32_t next, bool is)
{
    unsigned bit;
    const uint64_t pair = (uint64_t)l->id[place] << 32 | l->id[next];
    const uint64_t word = *tk_merge_maybe(m, pair, &bit);
    const struct tk_merge *s = &m->merges[(size_t)(tk_pair_mix(pair) >> 20) & (m->n_merge_slots - 1)];
    s = (word >> bit & 1) & is ? s : &none;
    __builtin_prefetch(s);
    l->slot[k] = s;
    l->pair[k] = pair;
    l->ask[k] = place;
}

/* Sets the key of the pair that was asked for. */
static INLINE void answer(struct lane *l, int k, const struct tk_model *m)
{
    const struct tk_merge *s = l->slot[k];
    const uint64_t pair = l->pair[k];
    while (__builtin_expect(s->pair != pair && s->pair != UINT64_MAX, 0))
        s = s + 1 == m->merges + m->n_merge_slots ? m->merges : s + 1;
    const uint32_t at = l->ask[k];
    l->key[at] = s->pair == pair ? s->rank << PLACE | at : UINT32_MAX;
    l->made[at] = s->id;
}

/* One merge; false: there was none. */
static INLINE bool step(struct lane *l, const struct tk_model *m)
{
    uint32_t min = UINT32_MAX;
    for (int i = 0; i < TK_MANY_BYTES; i++)
        min = l->key[i] < min ? l->key[i] : min;
    if (min == UINT32_MAX)
        return false;
    const uint32_t best = min & (TK_MANY_BYTES - 1);
    const uint32_t after = l->alive & ~((2u << best) - 1), before = l->alive & ((1u << best) - 1);
    const uint32_t gone = (uint32_t)__builtin_ctz(after), rest = after & (after - 1);
    l->alive &= ~(1u << gone);
    l->key[gone] = UINT32_MAX;
    l->id[best] = l->made[best];
    ask(l, 0, m, best, rest ? (uint32_t)__builtin_ctz(rest) : best, rest != 0);
    /* Without one before, the first question is asked twice. */
    const uint32_t prev = before ? 31 - (uint32_t)__builtin_clz(before) : best;
    ask(l, 1, m, prev, before ? best : rest ? (uint32_t)__builtin_ctz(rest) : best, before || rest);
    return true;
}

static INLINE void many(const struct tk_model *m, const struct tk_job *job, size_t n)
{
    struct lane lane[LANES];
    size_t active = 0, next = 0;
    for (;;) {
        for (; active < LANES && next < n; next++) {
            if (begin(&lane[active], m, &job[next]))
                active++;
            else
                job[next].to[0] = 0;
        }
        if (!active)
            return;
        /* All the keys first: a vector of them that is read just after it was written waits. */
        for (size_t i = 0; i < active; i++) {
            answer(&lane[i], 1, m);
            answer(&lane[i], 0, m);
        }
        for (size_t i = 0; i < active;) {
            if (step(&lane[i], m)) {
                i++;
            } else {
                end(&lane[i]);
                lane[i] = lane[--active];
            }
        }
    }
}

#ifdef __x86_64__
__attribute__((target("avx2,bmi,bmi2,lzcnt"))) static void many_avx2(const struct tk_model *m, const struct tk_job *job, size_t n)
{
    many(m, job, n);
}
#endif

void tk_bpe_many(const struct tk_model *m, const struct tk_job *job, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        many_avx2(m, job, n);
        return;
    }
#endif
    many(m, job, n);
}
