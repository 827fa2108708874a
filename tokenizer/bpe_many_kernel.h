/* bpe_many_kernel.h -- the body of tk_bpe_many, included by bpe_many.c once for each
 * level: LEVEL is its name, BYTES the longest word, TARGET the level's attribute, SETTLE(key, at, to, gone) sets key[at[k]] to to[k] and key[gone]
 * to what is none, and gives the least of them. */

#ifdef LEVEL
#define NAME(x) NAME_(x, LEVEL)
#define NAME_(x, level) NAME__(x, level)
#define NAME__(x, level) x##_##level

/* A word at work. */
struct NAME(lane) {
    uint32_t key[BYTES]; /* of a symbol and its right neighbour: number of the merge << PLACE | place;
                                  * none: NO_KEY or more */
    uint32_t id[BYTES];
    uint32_t alive; /* symbols that are still there */
    uint32_t ask;   /* from the beginning so many pairs are to be looked up */
    uint32_t gone;  /* a place that is no more */
    uint32_t at[2]; /* the places whose pairs are being looked up */
    uint64_t mix[2];
    const uint64_t *slot[2];
    uint32_t *to;
} __attribute__((aligned(64)));

/* Asks for a pair; not `is`: for none. Gives the slot it may be in. */
TARGET static inline const uint64_t *NAME(slot_of)(const struct tk_merges *g, uint64_t mix, bool is)
{
    /* Without a branch, which would often go wrong. */
    const uintptr_t yes = 0 - (uintptr_t)is, no = (uintptr_t)&no_slot;
    const uintptr_t slot = (((uintptr_t)tk_pair_slot(g, mix) ^ no) & yes) ^ no;
    __builtin_prefetch((const void *)slot);
    return (const uint64_t *)slot;
}

/* The number of its merge. */
TARGET static inline uint32_t NAME(merge_of)(const struct tk_merges *g, const uint64_t *slot, uint64_t mix)
{
    const uint32_t merge = tk_pair_in(slot, mix);
    if (!g->numbers_are_ids)
        __builtin_prefetch(&g->v[merge == TK_NO_MERGE ? 0 : merge]);
    return merge;
}

/* ---- a word begins ---- */

/* Its first symbols, and the pairs of those that are bytes; false: a byte is no token. */
TARGET static inline bool NAME(begin)(struct NAME(lane) *l, const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job)
{
    uint32_t n = job->n, i;
    int32_t all = 0;
    unsigned char p[TK_MANY_BYTES + 1] = {0}, bytes = 0; /* more than BYTES may be as few symbols */
    l->to = job->to;
    if (n <= TK_KEY_MAX) {
        const struct tk_key k = tk_key_of(job->p, n);
        memcpy(p, &k, sizeof k);
        bytes = (k.lo | (k.hi << 8 >> 8)) & 0x8080808080808080u ? 0x80 : 0;
        p[15] = 0;
    } else {
        memcpy(p, job->p, n);
        for (i = 0; i < n; i++)
            bytes |= p[i];
    }
    l->ask = 0;
    if (cut && bytes >= 0x80) {
        n = symbols(m, cut, job, l->id);
        for (i = 0; i < n; i++)
            all |= (int32_t)l->id[i];
        for (i = 0; i < BYTES; i++)
            l->key[i] = UINT32_MAX;
        l->ask = n - 1;
    } else {
        for (i = 0; i < n; i += 8) /* eight at a time: few branches go wrong */
            for (uint32_t k = i; k < i + 8; k++) {
                const int32_t id = m->raw_id[p[k]];
                const uint32_t key = m->merges.byte_pair[p[k] | p[k + 1] << 8] << PLACE | k;
                l->id[k] = (uint32_t)id;
                all |= id & (0 - (int32_t)(k < n));
                l->key[k] = k + 1 < n ? key : UINT32_MAX;
            }
        for (; i < BYTES; i++)
            l->key[i] = UINT32_MAX;
    }
    l->alive = (uint32_t)((1ull << n) - 1);
    l->gone = n - 1; /* the last symbol has no neighbour */
    for (int k = 0; k < 2; k++) {
        l->at[k] = n - 1;
        l->slot[k] = &no_slot;
        l->mix[k] = 0;
    }
    return all >= 0;
}

/* What is asked for is asked of several words before it is used. */
TARGET static inline void NAME(first_pairs)(struct NAME(lane) *l, size_t n, const struct tk_merges *g)
{
    for (size_t k = 0; k < n; k++)
        for (uint32_t i = 0; i < l[k].ask; i++)
            NAME(slot_of)(g, tk_pair_mix(g, l[k].id[i], l[k].id[i + 1]), true);
    for (size_t k = 0; k < n; k++)
        for (uint32_t i = 0; i < l[k].ask; i++) {
            const uint64_t mix = tk_pair_mix(g, l[k].id[i], l[k].id[i + 1]);
            l[k].key[i] = NAME(merge_of)(g, tk_pair_slot(g, mix), mix) << PLACE | i;
        }
}

/* ---- and goes on ---- */

/* Asks for the pair of the symbols at `place` and `next`; not `is`: for none. */
TARGET static inline void NAME(ask)(struct NAME(lane) *l, int k, const struct tk_merges *g, uint32_t place, uint32_t next, bool is)
{
    const uint64_t mix = tk_pair_mix(g, l->id[place], l->id[next]);
    l->slot[k] = NAME(slot_of)(g, mix, is);
    l->mix[k] = mix;
    l->at[k] = place;
}

/* What was asked for, and the next merge; false: there was none. */
TARGET static inline bool NAME(step)(struct NAME(lane) *l, const struct tk_merges *g)
{
    const uint32_t to[2] = {NAME(merge_of)(g, l->slot[0], l->mix[0]) << PLACE | l->at[0],
                            NAME(merge_of)(g, l->slot[1], l->mix[1]) << PLACE | l->at[1]};
    const uint32_t min = SETTLE(l->key, l->at, to, l->gone);
    if (min >= NO_KEY)
        return false;
    const uint32_t best = min & (BYTES - 1);
    const uint32_t after = l->alive & ~((2u << best) - 1), before = l->alive & ((1u << best) - 1);
    const uint32_t gone = (uint32_t)__builtin_ctz(after), rest = after & (after - 1);
    const uint32_t next = (uint32_t)__builtin_ctz(rest | (uint32_t)!rest << best);
    const uint32_t prev = 31 - (uint32_t)__builtin_clz(before | (uint32_t)!before << best);
    const uint32_t right = next ^ ((next ^ best) & (0 - (uint32_t)!!before));
    l->alive &= ~(1u << gone);
    l->gone = gone;
    l->id[best] = g->numbers_are_ids ? min >> PLACE : g->v[min >> PLACE].id;
    NAME(ask)(l, 0, g, best, next, rest != 0);
    NAME(ask)(l, 1, g, prev, right, (before | rest) != 0); /* without one before, the same again */
    return true;
}

TARGET static inline void NAME(end)(struct NAME(lane) *l)
{
    const uint32_t count = (uint32_t)__builtin_popcount(l->alive);
    if (count > TK_MANY_IDS) {
        l->to[0] = 0;
        return;
    }
    uint32_t id[BYTES], n = 0;
    for (uint32_t rest = l->alive; rest; rest &= rest - 1)
        id[n++] = l->id[__builtin_ctz(rest)];
    memcpy(l->to, id, TK_MANY_IDS * sizeof *id);
    l->to[0] |= count << 24;
    if (count == 1)
        l->to[1] = 0;
}

TARGET static void NAME(many)(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, size_t n)
{
    struct NAME(lane) lane[LANES];
    const struct tk_merges g = m->merges; /* that nothing written here could be */
    size_t active = 0, next = 0;
    for (;;) {
        const size_t known = active;
        for (; active < LANES && next < n; next++) {
            if (NAME(begin)(&lane[active], m, cut, &job[next]))
                active++;
            else
                job[next].to[0] = 0;
        }
        if (!active)
            return;
        NAME(first_pairs)(lane + known, active - known, &g);
        for (size_t i = 0; i < active;) {
            if (NAME(step)(&lane[i], &g)) {
                i++;
            } else {
                NAME(end)(&lane[i]);
                lane[i] = lane[--active];
            }
        }
    }
}
#undef NAME
#undef NAME_
#undef NAME__
#undef LEVEL
#undef BYTES
#undef TARGET
#undef SETTLE
#endif
