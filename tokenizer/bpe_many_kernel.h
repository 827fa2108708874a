/* bpe_many_kernel.h -- the body of tk_bpe_many, included by bpe_many.c once for each
 * level: LEVEL is its name, BYTES the longest word, TARGET the level's attribute, MATCH(line, rest) gives bits
 * for the entries of a line that have this rest. */

#ifdef LEVEL
#define NAME(x) NAME_(x, LEVEL)
#define NAME_(x, level) NAME__(x, level)
#define NAME__(x, level) x##_##level

/* A word at work. */
struct NAME(lane) {
    uint32_t key[BYTES]; /* of a symbol and its right neighbour: number of the merge << PLACE | place;
                                  * none: NO_KEY or more */
    uint32_t id[BYTES];
    uint32_t alive;              /* symbols that are still there */
    uint32_t at[2];              /* the places whose pairs are being looked up */
    uint64_t mix[2];
    const uint64_t *line[2];
    uint32_t *to;
};

/* Asks for a pair; not `is`: for none. Gives the line it may be in. */
TARGET static inline const uint64_t *NAME(line_of)(const struct tk_merges *g, uint64_t mix, bool is)
{
    /* Without a branch, which would go wrong half of the time. */
    const uintptr_t yes = 0 - (uintptr_t)(tk_pair_maybe(g, mix) & is), no = (uintptr_t)no_line;
    const uintptr_t line = (((uintptr_t)&g->line[tk_pair_line(g, mix) * TK_PAIR_LINE] ^ no) & yes) ^ no;
    __builtin_prefetch((const void *)line);
    return (const uint64_t *)line;
}

/* The number of its merge. */
TARGET static inline uint32_t NAME(merge_of)(const struct tk_merges *g, const uint64_t *line, uint64_t mix)
{
    const unsigned bits = MATCH(line, tk_pair_rest(mix));
    const uint32_t none = 0 - (uint32_t)!bits;
    uint32_t merge = ((uint32_t)line[__builtin_ctz(bits | 1u << (TK_PAIR_LINE - 1))] | none) & TK_NO_MERGE;
    if (__builtin_expect(!bits & (line[TK_PAIR_LINE - 1] != UINT64_MAX), 0))
        merge = tk_pair_seek(g, mix);
    if (!g->numbers_are_ids)
        __builtin_prefetch(&g->v[merge & ~none]);
    return merge;
}

/* Asks for the pair of the symbols at `place` and `next`; not `is`: for none. */
TARGET static inline void NAME(ask)(struct NAME(lane) *l, int k, const struct tk_merges *g, uint32_t place, uint32_t next, bool is)
{
    const uint64_t mix = tk_pair_mix(l->id[place], l->id[next]);
    l->line[k] = NAME(line_of)(g, mix, is);
    l->mix[k] = mix;
    l->at[k] = place;
}

/* Sets the key of the pair that was asked for. */
TARGET static inline void NAME(answer)(struct NAME(lane) *l, int k, const struct tk_merges *g)
{
    l->key[l->at[k]] = NAME(merge_of)(g, l->line[k], l->mix[k]) << PLACE | l->at[k];
}

/* The first symbols and their pairs; false: a byte is no token. */
TARGET static inline bool NAME(begin)(struct NAME(lane) *l, const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job)
{
    uint32_t n = job->n;
    const unsigned char *p = (const unsigned char *)job->p;
    int32_t all = 0;
    unsigned bytes = 0;
    l->to = job->to;
    for (uint32_t i = 0; i < BYTES; i++)
        l->key[i] = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++)
        bytes |= p[i];
    if (cut && bytes >= 0x80) {
        const uint64_t *line[BYTES];
        uint64_t mix[BYTES];
        n = symbols(m, cut, job, l->id);
        for (uint32_t i = 0; i + 1 < n; i++) {
            mix[i] = tk_pair_mix(l->id[i], l->id[i + 1]);
            line[i] = NAME(line_of)(&m->merges, mix[i], true);
        }
        for (uint32_t i = 0; i + 1 < n; i++)
            l->key[i] = NAME(merge_of)(&m->merges, line[i], mix[i]) << PLACE | i;
        for (uint32_t i = 0; i < n; i++)
            all |= (int32_t)l->id[i];
    } else {
        for (uint32_t i = 0; i < n; i++) {
            const int32_t id = m->raw_id[p[i]];
            l->id[i] = (uint32_t)id;
            all |= id;
        }
        for (uint32_t i = 0; i + 1 < n; i++)
            l->key[i] = m->merges.byte_pair[p[i] << 8 | p[i + 1]] << PLACE | i;
    }
    l->alive = (uint32_t)((1ull << n) - 1);
    for (int k = 0; k < 2; k++) {
        l->at[k] = n - 1; /* the last symbol has no neighbour */
        l->line[k] = no_line;
        l->mix[k] = 0;
    }
    return all >= 0;
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

/* One merge; false: there was none. */
TARGET static inline bool NAME(step)(struct NAME(lane) *l, const struct tk_merges *g)
{
    uint32_t min = UINT32_MAX;
    for (int i = 0; i < BYTES; i++)
        min = l->key[i] < min ? l->key[i] : min;
    if (min >= NO_KEY)
        return false;
    const uint32_t best = min & (BYTES - 1);
    const uint32_t after = l->alive & ~((2u << best) - 1), before = l->alive & ((1u << best) - 1);
    const uint32_t gone = (uint32_t)__builtin_ctz(after), rest = after & (after - 1);
    const uint32_t next = rest ? (uint32_t)__builtin_ctz(rest) : best;
    const uint32_t prev = before ? 31 - (uint32_t)__builtin_clz(before) : best;
    l->alive &= ~(1u << gone);
    l->key[gone] = UINT32_MAX;
    l->id[best] = g->numbers_are_ids ? min >> PLACE : g->v[min >> PLACE].id;
    NAME(ask)(l, 0, g, best, next, rest != 0);
    NAME(ask)(l, 1, g, prev, before ? best : next, before || rest); /* without one before, the same again */
    return true;
}

TARGET static void NAME(many)(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, size_t n)
{
    struct NAME(lane) lane[LANES];
    size_t active = 0, next = 0;
    for (;;) {
        for (; active < LANES && next < n; next++) {
            if (NAME(begin)(&lane[active], m, cut, &job[next]))
                active++;
            else
                job[next].to[0] = 0;
        }
        if (!active)
            return;
        /* All the keys first: a vector of them that is read just after it was written waits. */
        for (size_t i = 0; i < active; i++) {
            NAME(answer)(&lane[i], 1, &m->merges);
            NAME(answer)(&lane[i], 0, &m->merges);
        }
        for (size_t i = 0; i < active;) {
            if (NAME(step)(&lane[i], &m->merges)) {
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
#undef MATCH
#endif
