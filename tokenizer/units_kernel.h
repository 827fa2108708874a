/* units_kernel.h -- the body of tk_units_*: raw text to records, a window of 64
 * bytes at a time (words.h). The file that includes it defines UNITS, the name. Only
 * the masks of ASCII differ by level; what they are made into is the same. */
#ifndef FT_TOKENIZER_UNITS_KERNEL_H
#define FT_TOKENIZER_UNITS_KERNEL_H

#include "tokenizer/cache_short.h"
#include "tokenizer/cut.h"
#include "tokenizer/ends.h"
#include "tokenizer/lone_chars.h"
#include "tokenizer/spell.h"
#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

struct unit_masks { /* a bit a byte */
    uint64_t letter, blank, gap, punct, high; /* gap: blank, tab, CR, LF; punct: of ASCII, blanks left out */
};

static inline uint64_t below(size_t n) { return n < 64 ? (1ull << n) - 1 : ~0ull; }

static inline struct unit_masks unit_masks(const unsigned char *p, size_t n)
{
    struct unit_masks m = {0};
#if defined(__AVX512BW__)
    const __m512i x = n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(below(n), p);
#define RANGE(v, from, count) \
    _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, _mm512_set1_epi8(from)), _mm512_set1_epi8(count))
#define IS(c) _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(c))
    m.letter = RANGE(_mm512_or_si512(x, _mm512_set1_epi8(0x20)), 'a', 26);
    m.blank = IS(' ');
    m.gap = m.blank | IS('\t') | IS('\n') | IS('\r');
    m.punct = RANGE(x, '!', 15) | RANGE(x, ':', 7) | RANGE(x, '[', 6) | RANGE(x, '{', 4);
    m.high = _mm512_movepi8_mask(x);
#undef RANGE
#undef IS
#elif defined(__AVX2__)
    unsigned char tail[64];
    p = tk_padded(p, n, tail, sizeof tail);
    for (int h = 0; h < 2; h++) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * h));
#define BITS(v) ((uint64_t)(uint32_t)_mm256_movemask_epi8(v) << (32 * h))
#define SUB(v, from) _mm256_sub_epi8(v, _mm256_set1_epi8(from))
#define RANGE(v, from, count) \
    BITS(_mm256_cmpeq_epi8(SUB(v, from), _mm256_min_epu8(SUB(v, from), _mm256_set1_epi8((count) - 1))))
#define IS(c) BITS(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(c)))
        m.letter |= RANGE(_mm256_or_si256(x, _mm256_set1_epi8(0x20)), 'a', 26);
        m.blank |= IS(' ');
        m.gap |= IS(' ') | IS('\t') | IS('\n') | IS('\r');
        m.punct |= RANGE(x, '!', 15) | RANGE(x, ':', 7) | RANGE(x, '[', 6) | RANGE(x, '{', 4);
        m.high |= BITS(x);
#undef BITS
#undef SUB
#undef RANGE
#undef IS
    }
#else
    for (size_t i = 0; i < 64 && i < n; i++) {
        const unsigned c = p[i];
        m.letter |= (uint64_t)((c | 0x20) - 'a' < 26) << i;
        m.blank |= (uint64_t)(c == ' ') << i;
        m.gap |= (uint64_t)(c == ' ' || c == '\t' || c == '\n' || c == '\r') << i;
        m.punct |= (uint64_t)(c - '!' < 15 || c - ':' < 7 || c - '[' < 6 || c - '{' < 4) << i;
        m.high |= (uint64_t)(c >= 0x80) << i;
    }
#endif
    return m;
}

/* The first gap of q[e..n), n: there is none. */
static inline size_t gap_from(const unsigned char *q, size_t e, size_t n)
{
    for (; e < n; e += 64) {
        const size_t k = n - e < 64 ? n - e : 64;
        const uint64_t gap = unit_masks(q + e, k).gap & below(k);
        if (gap)
            return e + (size_t)__builtin_ctzll(gap);
    }
    return n;
}

/* Bytes of whole characters in p[0..n). */
static inline size_t whole_chars(const unsigned char *p, size_t n)
{
    size_t b = n;
    while (b > 0 && n - b < 4 && (p[b - 1] & 0xc0) == 0x80)
        b--;
    if (!b || p[b - 1] < 0xc0)
        return n; /* ends with ASCII, or a character that is complete */
    const size_t len = p[b - 1] < 0xe0 ? 2 : p[b - 1] < 0xf0 ? 3 : 4;
    return n - (b - 1) >= len ? n : b - 1;
}

static inline void unit_add(struct tk_cache *c, const char *p, size_t n, const char *limit)
{
    if (__builtin_expect(n <= TK_KEY_MAX, 1))
        tk_cache_short(c, p, n, limit);
    else
        tk_cache_whole(c, p, n);
}

/* ---- pieces ---- */

/* Pieces that are found and have no record yet: what is guessed wrong at a window's end does not hold up the
 * records, nor they it. */
enum { WAIT = 256 };
struct waiting {
    const char *base; /* where the first begins */
    uint32_t ends[WAIT + 64];
    size_t n;
};

/* Apart from what found them, or registers do not suffice. */
static __attribute__((noinline)) void add_waiting(struct tk_cache *c, struct waiting *w, const char *limit)
{
    const struct tk_lines hot = c->hot;
    const char *const base = w->base;
    struct tk_rec *const to = &c->rec[c->n];
    const size_t n = w->n;
    uint32_t b = 0;
    for (size_t i = 0; i < n; b = w->ends[i++])
        if (__builtin_expect(w->ends[i] - b > TK_KEY_MAX, 0))
            tk_rec_long(&to[i], hot, base + b, w->ends[i] - b);
        else
            tk_rec_short(&to[i], hot, base + b, w->ends[i] - b, limit, false);
    c->n += n;
    w->n = 0;
}

/* The bits of `starts` at which ASCII on both sides may be cut. */
static inline uint64_t ascii_cuts(const struct tk_cut *cut, const unsigned char *q, uint64_t starts, uint64_t sure)
{
    for (uint64_t todo = starts & ~sure; todo; todo &= todo - 1) {
        const int i = __builtin_ctzll(todo);
        const unsigned x = q[i - 1], y = q[i];
        starts &= ~((cut->ascii[x][y >> 6] >> (y & 63) & 1) << i);
    }
    return starts;
}

/* Those in a window with other characters: these, one run of them after the other, with what is beside them. */
static inline uint64_t mixed_cuts(const struct tk_cut *cut, const unsigned char *q, size_t known, uint64_t starts, uint64_t sure,
                                  uint64_t high)
{
    const uint64_t beside = high | high << 1;
    uint64_t cuts = ascii_cuts(cut, q, starts & ~beside & below(known) & ~1ull, sure);
    for (uint64_t todo = beside & below(known); todo;) {
        const unsigned b = (unsigned)__builtin_ctzll(todo), from = b ? b - 1 : 0; /* never amid a character: b begins one */
        const uint64_t run = todo & ~(todo + (todo & -todo));
        const unsigned e = 64 - (unsigned)__builtin_clzll(run);
        cuts |= tk_cut_mask(cut, (const char *)q + from, e - from) << from & run;
        todo &= ~run;
    }
    return cuts;
}

static inline void pieces(struct tk_cache *c, const char *p, size_t n, size_t *from)
{
    const char *limit = p + n;
    const bool blank = c->lone && c->lone->blank;
    struct waiting w;
    size_t at = *from;
    w.n = 0;
    while (at < n && c->n + w.n < TK_BATCH && !tk_cache_full(c)) {
        const unsigned char *q = (const unsigned char *)p + at;
        if (c->lone && (*q >= 0x80 || (*q == ' ' && n - at > 1 && q[1] >= 0x80))) {
            add_waiting(c, &w, limit);
            const size_t run = tk_lone_run(c->lone, c, p + at, n - at);
            at += run;
            if (run)
                continue;
        }
        bool end = n - at <= 64;
        size_t known = end ? n - at : 64;
        const struct unit_masks m = unit_masks(q, known);
        uint64_t high = m.high & below(known);
        if (high && c->lone) { /* up to a character that surely begins another part */
            const size_t first = (size_t)__builtin_ctzll(high);
            if (first && n - at - first >= 4 && tk_lone_starts(c->lone, p + at + first)) {
                known = first;
                end = true;
                high = 0;
            }
        }
        /* Where words begin and end (no cut between a blank and the letter behind it is
         * worth looking for); other cuts only between what is not ASCII. */
        const uint64_t blanks = m.blank & ~(m.blank << 1), sure = blank ? blanks : 0;
        uint64_t starts = ((m.letter ^ m.letter << 1) & ~(m.blank << 1)) | blanks;
        if (high) {
            if (!end)
                known = whole_chars(q, known);
            starts = mixed_cuts(c->cut, q, known, starts, sure, high & below(known));
        } else {
            starts = ascii_cuts(c->cut, q, starts & below(known) & ~1ull, sure);
        }
        if (end && known < 64)
            starts |= 1ull << known;
        /* Longer than a key: all cuts there are. */
        for (uint64_t longs = long_ends(starts); longs; longs &= longs - 1) {
            const unsigned e = (unsigned)__builtin_ctzll(longs);
            const uint64_t before = starts & below(e);
            const unsigned b = before ? 63 - (unsigned)__builtin_clzll(before) : 0;
            starts |= tk_cut_mask(c->cut, (const char *)q + b, e - b) << b;
        }
        if (!w.n)
            w.base = p + at;
        if (starts) {
            list(w.ends + w.n, starts, (uint32_t)(p + at - w.base));
            w.n += (size_t)__builtin_popcountll(starts);
            at += 63 - (size_t)__builtin_clzll(starts);
        } else {
            at = end ? at + known : tk_cut_next(c->cut, p, n, at);
            w.ends[w.n++] = (uint32_t)(p + at - w.base);
        }
        if (w.n >= WAIT || p + at - w.base > 1 << 30)
            add_waiting(c, &w, limit);
    }
    add_waiting(c, &w, limit);
    *from = at;
}

/* ---- between gaps ---- */

/* What BERT makes words of their own, so that the text may be cut on both sides, and
 * its white space, among the characters of q[0..n) that are not ASCII. */
struct bert_masks {
    uint64_t alone, first, gap; /* all bytes of the characters; their first ones; all bytes */
};

static inline struct bert_masks bert_masks(const unsigned char *q, uint64_t high)
{
    struct bert_masks m = {0};
    while (high) {
        const int i = __builtin_ctzll(high), len = q[i] < 0xe0 ? 2 : q[i] < 0xf0 ? 3 : 4;
        const uint64_t bits = below((size_t)len) << i;
        unsigned kind;
        if (len == 3) {
            kind = tk_bert_kind[(q[i] & 15u) << 12 | (q[i + 1] & 63u) << 6 | (q[i + 2] & 63u)];
        } else {
            int k;
            kind = tk_bert_kind_of(ft_utf8_get((const char *)q + i, &k));
        }
        const uint64_t is_alone = 0 - (uint64_t)(kind == TK_BERT_ALONE), is_gap = 0 - (uint64_t)(kind == TK_BERT_GAP);
        m.alone |= bits & is_alone;
        m.first |= (bits & -bits) & is_alone;
        m.gap |= bits & is_gap;
        high &= ~bits;
    }
    return m;
}

/* The end of the unit of BERT that q[0..e) begins. */
static inline size_t bert_end(const unsigned char *q, size_t e, size_t n)
{
    while (e < n) {
        int len = 1;
        const unsigned c = q[e];
        if (c < 0x80 ? c == ' ' || c - 9 < 2 || c == '\r' || c - '!' < 15 || c - ':' < 7 || c - '[' < 6 || c - '{' < 4
                     : tk_bert_kind_of(ft_utf8_get((const char *)q + e, &len)) != TK_BERT_WORD)
            break;
        e += (size_t)len;
    }
    return e;
}

static inline __attribute__((always_inline)) void between(enum tk_unit kind, struct tk_cache *c, const char *p, size_t n,
                                                          size_t *from)
{
    const char *limit = p + n;
    size_t at = *from;
    while (at < n && !tk_cache_full(c)) {
        const unsigned char *q = (const unsigned char *)p + at;
        if (c->spell && (*q >= 0x80 || (*q <= ' ' && n - at > 1 && q[1] >= 0x80))) {
            const size_t run = tk_spell_run(c->spell, c, p + at, n - at);
            at += run;
            if (run)
                continue;
        }
        const bool end = n - at <= 64;
        size_t known = end ? n - at : 64;
        const struct unit_masks m = unit_masks(q, known);
        uint64_t gap = m.gap, high = m.high & below(known), alone = kind == TK_UNIT_BERT ? m.punct : 0, single = alone;
        if (high) {
            if (!end) {
                known = whole_chars(q, known);
                high &= below(known);
            }
            if (kind == TK_UNIT_BERT) {
                const struct bert_masks x = bert_masks(q, high);
                gap |= x.gap;
                alone |= x.alone;
                single |= x.first;
            }
            if (kind == TK_UNIT_SPACES) {
                int len;
                for (uint64_t x = high & gap << 1; x; x &= x - 1) {
                    const int i = __builtin_ctzll(x);
                    if (!tk_unit_edge(ft_utf8_get((const char *)q + i, &len)))
                        gap &= ~(1ull << (i - 1));
                }
                for (uint64_t x = high << 1 & gap; x; x &= x - 1) {
                    const int i = __builtin_ctzll(x);
                    int b = i - 1;
                    while ((q[b] & 0xc0) == 0x80)
                        b--;
                    if (!tk_unit_edge(ft_utf8_get((const char *)q + b, &len)))
                        gap &= ~(1ull << i);
                }
            }
        }
        const uint64_t valid = below(known), text = ~gap & ~alone & valid;
        uint64_t starts = (text & ~(text << 1)) | (single & valid);
        size_t stop = known; /* where the next window begins */
        if (!end) {
            /* The last unit is not known whole; nor is what may join the one before it. */
            if (!starts) {
                at += kind == TK_UNIT_BERT ? known : known - 1; /* gaps only; the last one may belong to what follows */
                continue;
            }
            stop = 63 - (size_t)__builtin_clzll(starts);
            starts &= below(stop);
            if (!starts && stop) {
                at += stop;
                continue;
            }
            if (!starts) { /* one unit as long as the window */
                size_t e = known;
                if (kind == TK_UNIT_BERT) {
                    e = bert_end(q, e, n - at);
                } else {
                    for (;; e++) {
                        e = gap_from(q, e, n - at);
                        if (at + e >= n)
                            break;
                        size_t b = e - 1;
                        int len;
                        while ((q[b] & 0xc0) == 0x80)
                            b--;
                        /* A second gap behind it is enough: only the last one may join what follows. */
                        if ((q[b] < 0x80 || tk_unit_edge(ft_utf8_get((const char *)q + b, &len))) &&
                            (at + e + 1 >= n || q[e + 1] < 0x80 || tk_unit_edge(ft_utf8_get((const char *)q + e + 1, &len))))
                            break;
                    }
                }
                tk_cache_whole(c, p + at, e);
                at += e;
                continue;
            }
        }
        const uint64_t stops = (gap | starts) & valid;
        for (; starts; starts &= starts - 1) {
            const size_t b = (size_t)__builtin_ctzll(starts);
            const uint64_t after = b < 63 ? stops & ~below(b + 1) : 0;
            size_t e = after ? (size_t)__builtin_ctzll(after) : known;
            if (e > stop)
                e = stop;
            unit_add(c, p + at + b, e - b, limit);
        }
        at += stop;
    }
    *from = at;
}

#ifdef UNITS
void UNITS(enum tk_unit kind, struct tk_cache *c, const char *p, size_t n, size_t *at)
{
    switch (kind) {
    case TK_UNIT_PIECES: pieces(c, p, n, at); break;
    case TK_UNIT_SPACES: between(TK_UNIT_SPACES, c, p, n, at); break;
    case TK_UNIT_BERT: between(TK_UNIT_BERT, c, p, n, at); break;
    case TK_UNIT_NONE: break;
    }
}
#endif
#endif
