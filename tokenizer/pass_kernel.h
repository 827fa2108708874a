/* pass_kernel.h -- the body of tk_pass_fn: pass.h says how it works. The file that includes it
 * defines PASS and LISTED, the names, and is compiled with the flags of its level. */
#include <string.h>

#include "tokenizer/ends.h"
#include "tokenizer/pass.h"

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>
#endif

/* Of 64 bytes: where a step is to be taken, whatever the state; where characters begin; whose class the first
 * byte does not tell. */
struct places {
    uint64_t steps, leads, mixed;
};

#ifdef __AVX512VBMI2__
/* `all`: else of ASCII only. */
static inline __m512i look_up(const uint8_t *table, __m512i x, bool all)
{
    const __m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), x, _mm512_loadu_si512(table + 64));
    if (!all)
        return low;
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(x),
                                _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), x, _mm512_loadu_si512(table + 192)));
}

static inline __m512i bytes_before(const char *p, size_t at, uint64_t in, __m512i x, unsigned k)
{
    return at ? _mm512_maskz_loadu_epi8(in, p + at - k) : _mm512_maskz_expand_epi8(~0ull << k, x);
}

/* The rows of characters of three bytes. */
static inline __m512i rows_at(const struct tk_pass *t, const char *p, size_t n, __m512i x)
{
    const __m512i y = _mm512_maskz_loadu_epi8(n > 64 ? ~0ull : ~(~0ull << (n - 1)), p + 1),
                  z = _mm512_maskz_loadu_epi8(n > 65 ? ~0ull : n > 1 ? ~(~0ull << (n - 2)) : 0, p + 2);
#define AT(table, v) _mm512_permutexvar_epi8(v, _mm512_loadu_si512(t->table)) /* by the low six bits */
    const __m512i rows = _mm512_and_si512(_mm512_and_si512(AT(row_lead, x), AT(row_second, y)), AT(row_third, z));
#undef AT
    return _mm512_maskz_mov_epi8(_mm512_cmpge_epu8_mask(x, _mm512_set1_epi8((char)0xe0)), rows);
}

/* Those of p[at..), and the classes that first bytes tell; at `fences` a piece begins. */
static inline struct places places_at(const struct tk_pass *t, bool bytes, const char *p, size_t n, size_t at, uint64_t fences,
                                      uint8_t *class)
{
    const uint64_t in = n - at < 64 ? ~(~0ull << (n - at)) : ~0ull;
    const __m512i x = _mm512_maskz_loadu_epi8(in, p + at), y = bytes_before(p, at, in, x, 1), mixed = _mm512_set1_epi8(TK_PASS_MIXED);
    const bool all = bytes || _mm512_movepi8_mask(_mm512_or_si512(x, y));
    __m512i c = all ? look_up(t->class, x, true) : look_up(t->class, x, false);
    __m512i group, before;
    struct places v = {0, in, 0};
    if (!all) {
        group = look_up(t->group, x, false);
        before = look_up(t->group, y, false);
    } else if (bytes) {
        group = look_up(t->group, x, true);
        before = look_up(t->group, y, true);
    } else { /* of a character the first byte counts */
        const __m512i follows = _mm512_set1_epi8(-64);
        group = look_up(t->group, x, true);
        before = look_up(t->group, bytes_before(p, at, in, x, 4), true);
        for (unsigned k = 3; k > 0; k--) {
            const __m512i z = bytes_before(p, at, in, x, k);
            before = _mm512_mask_mov_epi8(before, _mm512_cmpge_epi8_mask(z, follows), look_up(t->group, z, true));
        }
        v.leads &= _mm512_cmpge_epi8_mask(x, follows);
        const __m512i rows = rows_at(t, p + at, n - at, x);
        for (int k = 0; k < 2; k++) {
            const uint64_t is = _mm512_test_epi8_mask(rows, _mm512_set1_epi8((char)t->row_bits[k])) & v.leads;
            c = _mm512_mask_mov_epi8(c, is, _mm512_set1_epi8((char)t->row_class[k]));
            group = _mm512_mask_mov_epi8(group, is, _mm512_set1_epi8((char)t->row_group[k]));
            before = _mm512_mask_mov_epi8(before, is << 3, _mm512_set1_epi8((char)t->row_group[k]));
        }
        v.mixed = _mm512_cmpeq_epi8_mask(group, mixed) & v.leads;
        v.steps = v.mixed | _mm512_cmpeq_epi8_mask(before, mixed);
    }
    v.steps |= _mm512_cmpneq_epi8_mask(group, before) | (fences & ~_mm512_test_epi8_mask(group, _mm512_set1_epi8(TK_PASS_BLIND)));
    v.steps &= v.leads;
    _mm512_storeu_si512(class, _mm512_mask_add_epi8(c, fences, c, _mm512_set1_epi8((char)(1u << (t->shift - 1)))));
    return v;
}

static inline uint64_t having(const uint8_t *events, unsigned what)
{
    return _mm512_test_epi8_mask(_mm512_loadu_si512(events), _mm512_set1_epi8((char)what));
}
#elif defined(__AVX2__) && defined(__BMI2__)
static inline __m256i look_up(const uint8_t *table, __m256i x, bool bytes)
{
    const __m256i nibble = _mm256_set1_epi8(15), low = _mm256_and_si256(x, nibble),
                  high = _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble);
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < (bytes ? 16 : 8); i++) {
        const __m256i row = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table + 16 * i)));
        sum = _mm256_or_si256(sum, _mm256_and_si256(_mm256_cmpeq_epi8(high, _mm256_set1_epi8((char)i)), _mm256_shuffle_epi8(row, low)));
    }
    return sum;
}

static inline uint64_t bits_of(__m256i x) { return (uint32_t)_mm256_movemask_epi8(x); }

static inline struct places places_at(const struct tk_pass *t, bool bytes, const char *p, size_t n, size_t at, uint64_t fences,
                                      uint8_t *class)
{
    const size_t rest = n - at;
    const uint64_t in = rest < 64 ? ~(~0ull << rest) : ~0ull;
    char near[1 + 64] = {0};
    const char *from = p + at, *before = from - (at > 0); /* and the same, one byte back */
    if (rest < 64 || !at) {
        memcpy(near + 1, from, rest < 64 ? rest : 64);
        near[0] = *before;
        before = near;
        from = near + 1;
    }
    struct places v = {0, bytes ? ~0ull : 0, 0};
    uint64_t blind = 0;
    for (int k = 0; k < 64; k += 32) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(from + k)),
                      y = _mm256_loadu_si256((const __m256i *)(const void *)(before + k));
        const __m256i group = look_up(t->group, x, bytes);
        _mm256_storeu_si256((__m256i *)(void *)(class + k), look_up(t->class, x, bytes));
        v.steps |= (0xffffffff & ~bits_of(_mm256_cmpeq_epi8(group, look_up(t->group, y, bytes)))) << k;
        blind |= bits_of(_mm256_slli_epi16(group, 1)) << k; /* TK_PASS_BLIND becomes the sign */
        if (!bytes) {
            v.leads |= bits_of(_mm256_cmpgt_epi8(x, _mm256_set1_epi8(-65))) << k;
            v.mixed |= bits_of(x) << k; /* all that are not ASCII: no slower than to tell by so many shuffles */
            v.steps |= bits_of(_mm256_or_si256(x, y)) << k;
        }
    }
    v.steps |= fences & ~blind;
    v.leads &= in;
    v.mixed &= v.leads;
    v.steps &= v.leads;
    for (; fences; fences &= fences - 1)
        class[__builtin_ctzll(fences)] += (uint8_t)(1u << (t->shift - 1));
    return v;
}

static inline uint64_t having(const uint8_t *events, unsigned what)
{
    uint64_t bits = 0;
    for (int k = 0; k < 64; k += 32) {
        const __m256i w = _mm256_set1_epi8((char)what), x = _mm256_loadu_si256((const __m256i *)(const void *)(events + k));
        bits |= bits_of(_mm256_cmpeq_epi8(_mm256_and_si256(x, w), w)) << k;
    }
    return bits;
}
#else
static inline struct places places_at(const struct tk_pass *t, bool bytes, const char *p, size_t n, size_t at, uint64_t fences,
                                      uint8_t *class)
{
    struct places v = {0, 0, 0};
    uint8_t before = TK_PASS_MIXED;
    for (size_t k = 0; at && k < 4; k++) { /* the character before */
        before = t->group[(unsigned char)p[at - 1 - k]];
        if (bytes || ((unsigned char)p[at - 1 - k] & 0xc0) != 0x80)
            break;
    }
    for (size_t i = 0; i < 64 && at + i < n; i++) {
        const unsigned char x = (unsigned char)p[at + i];
        const uint8_t group = t->group[x];
        const bool fence = fences >> i & 1;
        if (!bytes && (x & 0xc0) == 0x80)
            continue;
        class[i] = (uint8_t)(t->class[x] + (fence << (t->shift - 1)));
        v.leads |= 1ull << i;
        v.mixed |= (uint64_t)(group == TK_PASS_MIXED) << i;
        v.steps |= (uint64_t)(group != before || group == TK_PASS_MIXED || (fence && group < TK_PASS_BLIND)) << i;
        before = group;
    }
    return v;
}

static inline uint64_t having(const uint8_t *events, unsigned what)
{
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++)
        bits |= (uint64_t)((events[i] & what) != 0) << i;
    return bits;
}
#endif

static inline unsigned class_of(const struct tk_pass *t, bool bytes, const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    if (bytes || *u < 0x80)
        return t->class[*u];
    if (*u >= 0xe0 && *u < 0xf0)
        return tk_automaton_class(t->a, (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u));
    int k;
    return tk_automaton_class(t->a, ft_utf8_get(p, &k));
}

struct unit {
    size_t from, match; /* where it begins; where a match of it ends, if that is behind */
    unsigned event;     /* at its beginning */
};

/* The automaton died in front of p[at]: gives where the unit ends and *row how it goes on there. `step`: where
 * the last step was taken, in that row. */
static size_t go_back(const struct tk_pass *t, bool bytes, const char *p, const struct unit *u, size_t step, size_t at,
                      uint32_t *row, uint64_t *starts)
{
    size_t last = u->match, before = at - 1;
    while (!bytes && ((unsigned char)p[before] & 0xc0) == 0x80)
        before--;
    if (before != step && t->event[*row + class_of(t, bytes, p + before)] & TK_PASS_MATCH) /* steps were left out */
        last = before;
    if (last > u->from) {
        *row = (t->states - 1) << t->shift;
        return last;
    }
    if (u->event & TK_PASS_FLIP)
        starts[u->from >> 6] ^= 1ull << (u->from & 63);
    *row = TK_PASS_GAP;
    last = u->from + 1;
    while (!bytes && last < at && ((unsigned char)p[last] & 0xc0) == 0x80)
        last++;
    return last;
}

/* Takes the steps of a window. What follows one waits for nothing but the row; where the next
 * one is is known before, but for TK_PASS_ALERT, which a branch guesses. `class` has all but those of `mixed`. Gives the place of the step that is to
 * be taken next: of a TK_PASS_STOP, or 64. */
static inline __attribute__((always_inline)) unsigned take_steps(const struct tk_pass *t, const char *p, uint64_t todo, uint64_t leads,
                                                                 uint64_t mixed, uint64_t fences, const uint8_t *class,
                                                                 uint8_t *events, uint32_t *row)
{
    const uint32_t *const next = t->to;
    const uint8_t *const event = t->event;
    uint32_t r = *row;
    while (todo) {
        const unsigned j = (unsigned)__builtin_ctzll(todo);
        const uint32_t x = r + (!(mixed >> j & 1) ? class[j] : class_of(t, false, p + j) + (unsigned)((fences >> j & 1) << (t->shift - 1)));
        const unsigned e = event[x];
        todo &= todo - 1;
        if (__builtin_expect((e & TK_PASS_STOP) | (e & TK_PASS_ALERT & ~(todo >> j << 3)), 0)) {
            if (e & TK_PASS_STOP) {
                *row = r;
                return j;
            }
            const uint64_t ahead = leads & ~1ull << j;
            todo |= ahead & -ahead;
        }
        events[j] = (uint8_t)e;
        r = next[x];
    }
    *row = r;
    return 64;
}

/* What a window's events say of the unit. */
static inline void note(struct unit *u, size_t *step, const uint8_t *events, size_t at, uint64_t steps)
{
    const uint64_t units = having(events, TK_PASS_UNIT), matches = having(events, TK_PASS_MATCH);
    if (units) {
        const unsigned j = 63u - (unsigned)__builtin_clzll(units);
        u->from = at + j;
        u->event = events[j];
    }
    if (matches)
        u->match = at + 63u - (unsigned)__builtin_clzll(matches);
    if (steps)
        *step = at + 63u - (unsigned)__builtin_clzll(steps);
}

/* Those of `todo` that are not before p[from], and that one, in the window that begins at p[at] <= p[from]. */
static inline uint64_t steps_from(uint64_t todo, size_t at, size_t from) { return (todo | 1ull << (from - at)) & ~0ull << (from - at); }

static inline __attribute__((always_inline)) bool pass(const struct tk_pass *t, bool bytes, const char *p, size_t n, uint64_t *starts)
{
    uint32_t row = TK_PASS_GAP;
    struct unit u = {0, 0, 0};
    size_t from = 0, step = 0, spent = 0; /* where to go on; the last step */
    bool forced = true;                   /* with a step */
    bool idle = false;                    /* nothing came of the last window, and what may begin a match is known */
    for (size_t at = 0;;) {
        uint8_t class[64], events[64];
        if (idle && !forced && row == TK_PASS_GAP && (at = tk_prefilter_next(t->seek, p, n, at) & ~(size_t)63) >= n)
            return true;
        const uint64_t fences = starts[at >> 6];
        const struct places v = places_at(t, bytes, p, n, at, fences, class);
        if (!v.leads) /* the rest of a character at the text's end */
            forced = false;
        if (!v.steps && !forced && at + 64 < n) {
            at += 64;
            continue;
        }
        if (from < at && v.leads)
            from = at + (size_t)__builtin_ctzll(v.leads);
        unsigned stop = 64;
        for (uint64_t todo = forced ? steps_from(v.steps, at, from) : v.steps;; todo = steps_from(v.steps, at, from)) {
            memset(events, 0, sizeof events);
            stop = v.mixed ? take_steps(t, p + at, todo, v.leads, v.mixed, fences, class, events, &row)
                           : take_steps(t, p + at, todo, v.leads, 0, 0, class, events, &row);
            const uint64_t cut = having(events, TK_PASS_CUT);
            idle = !cut && t->seek;
            starts[at >> 6] |= cut;
            note(&u, &step, events, at, having(events, TK_PASS_STEP));
            if (stop == 64)
                break;
            from = go_back(t, bytes, p, &u, step, at + stop, &row, starts);
            spent += at + stop - from;
            if (from < at || spent > TK_HUNT_LIMIT(n))
                break;
        }
        if (stop == 64) {
            forced = v.leads && events[63 - __builtin_clzll(v.leads)] & TK_PASS_ALERT; /* the last character had no next */
            if ((at += 64) < n)
                continue;
            const unsigned s = row >> t->shift;
            if (s == TK_PASS_GAP || s == t->states - 1 || t->a->step[s << t->a->shift | t->a->end] & TK_STEP_MATCH)
                return true;
            from = go_back(t, bytes, p, &u, step, n, &row, starts);
            spent += n - from;
            if (from == n)
                return true;
        }
        if (spent > TK_HUNT_LIMIT(n))
            return false;
        forced = true;
        at = from & ~(size_t)63;
    }
}

bool PASS(const struct tk_pass *t, const char *p, size_t n, uint64_t *starts)
{
    return t->bytes ? pass(t, true, p, n, starts) : pass(t, false, p, n, starts);
}

size_t LISTED(const uint64_t *starts, size_t *word, size_t words, uint32_t *to, size_t room)
{
    size_t n = 0;
    for (; *word < words && n + 64 <= room; n += (size_t)__builtin_popcountll(starts[(*word)++]))
        list(to + n, starts[*word], (uint32_t)(64 * *word));
    return n;
}
