/* words_kernel.h -- the body of tk_words_avx2 and tk_words_avx512: words.h says
 * how it works. The file that includes it defines WORDS and PUT, the names, and is compiled
 * with the flags of its level. */
#ifndef FT_TOKENIZER_WORDS_KERNEL_H
#define FT_TOKENIZER_WORDS_KERNEL_H

#include "tokenizer/cache_short.h"
#include "tokenizer/cut.h"
#include "tokenizer/ends.h"
#include "tokenizer/words.h"
#include "tokenizer/words_masks.h"

#if defined(__AVX2__) && defined(__BMI2__)

/* All bits of m that follow a bit of `from` without a gap; from is within m. */
static inline uint64_t spread(uint64_t from, uint64_t m) { return m & ~(m + from); }

/* Contractions at the apostrophes in `ticks`, each a word start. A letter behind
 * the contraction starts a word. None goes over one of the `fences`. */
static inline uint64_t contractions(const unsigned char *p, uint64_t ticks, uint64_t starts, bool any_case, uint64_t fences)
{
    const unsigned fold = any_case ? 0x20 : 0;
    for (; ticks; ticks = _blsr_u64(ticks)) {
        const int i = (int)_tzcnt_u64(ticks);
        const unsigned a = p[i + 1] | fold, b = p[i + 2] | fold;
        int len = 0;
        if (a == 's' || a == 't' || a == 'm' || a == 'd')
            len = 2;
        else if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ||
                 (any_case && p[i + 1] == 0xc5 && p[i + 2] == 0xbf))
            len = 3;
        if (len && !(fences >> i & (len == 2 ? 2 : 6)))
            starts = (starts & ~(1ull << (i + 1))) | 1ull << (i + len);
    }
    return starts;
}

enum { STEP = 61 }; /* from window to window: contractions look two bytes ahead, and a letter behind one begins a word */

/* Word starts among the first *known bits; *known becomes the number of bits that are decided, STEP if
 * the next window may begin there. `end`: the text ends behind them. At `fences` it ends and begins as well. */
static inline uint64_t starts_gpt2(const unsigned char *p, const struct masks *m, const struct before *h, int *known, bool end,
                                   uint64_t fences)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid;
    const uint64_t taken = (blank << 1 | (h->blank & 1)) & ~fences; /* what stands behind a space begins with it */
    uint64_t starts = (l & ~(l << 1 | (h->letter & 1)) & ~taken) | (d & ~(d << 1 | (h->number & 1)) & ~taken);
    const uint64_t others = o & (~(o << 1 | (h->other & 1)) | fences) & ~taken, ticks = m->tick & others;
    starts |= others;
    starts |= s & ~(s << 1 | (h->space & 1));
    uint64_t last = s & ~(s >> 1) & ~(fences >> 1); /* the last of a run goes with the next word, or alone */
    if (__builtin_expect(!end && *known == 64 && !(ticks & 7ull << (STEP - 3)), 1)) {
        *known = STEP;
    } else if (end) {
        last &= valid >> 1;
    } else {
        /* A run at the end is open behind its first; a contraction needs two bytes more. */
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0;
        *known = run < *known - 3 ? run + 1 : *known - 3;
        *known = *known < STEP ? *known : STEP - 1;
    }
    starts |= last | fences;
    if (ticks & low(*known))
        starts = contractions(p, ticks & low(*known), starts, false, fences);
    return starts;
}

/* `joined`: letters that what is before them has joined, beyond the window's step. */
static inline uint64_t starts_cl100k(const unsigned char *p, const struct masks *m, const struct before *h, int *known, bool end,
                                     int digits, uint64_t *joined_on)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid, nl = m->newline & valid, b = s & ~nl;
    const uint64_t behind_other = o << 1 | (h->other & 1);
    const uint64_t others = o & ~behind_other & ~(blank << 1 | (h->blank & 1)), ticks = m->tick & others;
    const uint64_t w = s & ~spread(behind_other & nl, nl); /* line ends behind others are theirs */
    /* A letter behind one single other that begins a word goes with it. */
    const uint64_t wide = m->wide[0] | m->wide[1] | m->wide[2];
    uint64_t joined = (others & ~wide & ~(o >> 1)) << 1 | b << 1 | h->joined;
    if (wide & others)
        joined |= (others & m->wide[0] & ~(o >> 2)) << 2 | (others & m->wide[1] & ~(o >> 3)) << 3 |
                  (others & m->wide[2] & ~(o >> 4)) << 4;
    *joined_on = joined >> STEP;
    uint64_t starts = others;
    starts |= l & ~(l << 1 | (h->letter & 1)) & ~joined;
    if (digits == 1) {
        starts |= d;
    } else if (d) {
        const uint64_t fourth = d & d << 1 & d << 2 & d << 3;
        uint64_t g = d & ~(d << 1), more = g;
        while ((more = (more << 3) & fourth))
            g |= more;
        starts |= g;
    }
    starts |= w & ~(w << 1);
    uint64_t last = b & ~(w >> 1);
    /* White space, and digits in threes, must end before the next window begins. */
    const uint64_t over = (s & s >> 1) | (digits == 1 ? 0 : d & d >> 1) | (others & m->wide[2]);
    if (__builtin_expect(!end && *known == 64 && !((ticks & 7ull << (STEP - 3)) | (over & 1ull << (STEP - 1))), 1)) {
        *known = STEP;
    } else if (end) {
        last &= valid >> 1;
    } else {
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0; /* where white space at the end begins */
        *known = run < *known - 3 ? run + 1 : *known - 3;
        *known = *known < STEP ? *known : STEP - 1;
    }
    starts |= last;
    /* Behind the last line end of a run the rest is a word of its own. */
    uint64_t behind = b & (nl & w) << 1;
    if (behind) {
        const uint64_t stop = (b + behind) & ~b;
        if (!(stop & nl)) {
            starts |= behind;
        } else {
            for (; behind; behind = _blsr_u64(behind)) {
                const uint64_t bit = behind & -behind;
                if (!((b + bit) & ~b & nl))
                    starts |= bit;
            }
        }
    }
    if (ticks & low(*known))
        starts = contractions(p, ticks & low(*known), starts, true, 0);
    return starts;
}

/* The ends of the parts of the word p[0..n), but the last, added to a list, `base` added to
 * each; gives how many. */
static inline size_t list_parts(const struct tk_cut *cut, const char *p, size_t n, uint32_t *to, uint32_t base)
{
    size_t k = 0;
    for (size_t i = 0;;) {
        size_t e = n - i <= 64 ? n : i + 64;
        while (e < n && (p[e] & 0xc0) == 0x80)
            e--;
        const uint64_t cuts = tk_cut_mask(cut, p + i, e - i);
        list(to + k, cuts, base + (uint32_t)i);
        k += (size_t)_mm_popcnt_u64(cuts);
        if (e == n)
            return k;
        for (i = e - 1; (p[i] & 0xc0) == 0x80; i--) /* the next begins with the last character of this */
            ;
    }
}

enum {
    RECORDS = TK_BATCH + TK_WINDOW,
    ROUND = 1 << 13,   /* bytes of text in a round, at most */
    ROUND_PARTED = 256, /* where long words are new, and become many records */
    FEW_PARTED = 8,
};

/* Some windows: the words they have, before these are records. */
struct round {
    uint32_t bounds[1 + RECORDS + 64]; /* the i-th word begins at bounds[i], and ends where the next begins; the first is 0 */
    size_t k, n_longs;
    size_t done; /* bytes of all the words */
    uint32_t longs[TK_BATCH + TK_LONG_BYTES + 80]; /* which words are long */
    uint64_t hash[TK_BATCH + TK_LONG_BYTES + 80]; /* of them; 0: it is not looked after */
    const unsigned char *x[TK_BATCH + TK_LONG_BYTES + 80]; /* where it is remembered; NULL: it is not */
};

/* Lists the long words. */
static inline void list_long(struct round *r)
{
    size_t n = 0;
#ifdef __AVX512F__
    __m512i i = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (size_t at = 0; at < r->k; at += 16, i = _mm512_add_epi32(i, _mm512_set1_epi32(16))) {
        const __m512i len = _mm512_sub_epi32(_mm512_loadu_si512(r->bounds + at + 1), _mm512_loadu_si512(r->bounds + at));
        const __mmask16 m = _mm512_mask_cmpgt_epu32_mask(_mm512_cmplt_epu32_mask(i, _mm512_set1_epi32((int)r->k)), len,
                                                         _mm512_set1_epi32(TK_KEY_MAX));
        _mm512_storeu_si512(r->longs + n, _mm512_maskz_compress_epi32(m, i));
        n += (size_t)_mm_popcnt_u32(m);
    }
#else
    for (uint32_t i = 0; i < r->k; i++) {
        r->longs[n] = i;
        n += r->bounds[i + 1] - r->bounds[i] > TK_KEY_MAX;
    }
#endif
    r->n_longs = n;
}

/* Sixteen places at a time: what is behind the n may be overwritten. */
static inline uint32_t *copy_ends(uint32_t *to, const uint32_t *ends, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        memcpy(to + i, ends + i, 16 * sizeof *to);
    return to + n;
}

/* Finds the long words; gives how many are known. */
static inline size_t look_up_long(struct tk_cache *c, struct round *r, const char *base)
{
    size_t n_known = 0;
    for (size_t j = 0; j < r->n_longs; j++) {
        const uint32_t b = r->bounds[r->longs[j]];
        const size_t n = r->bounds[r->longs[j] + 1] - b;
        r->hash[j] = 0;
        if (n <= TK_LONG_BYTES && !tk_long_skips(&c->longs, base + b, n)) {
            r->hash[j] = tk_long_hash(base + b, n);
            tk_long_prefetch(&c->longs, r->hash[j]);
        }
    }
    for (size_t j = 0; j < r->n_longs; j++) {
        r->x[j] = r->hash[j] ? tk_long_guess(&c->longs, r->bounds[r->longs[j] + 1] - r->bounds[r->longs[j]], r->hash[j]) : NULL;
        n_known += r->x[j] != NULL;
    }
    return n_known;
}

/* Puts the ends of the parts of long words that are not known before theirs, as far as there is room for
 * them: then the words from there on are for the next round. */
static __attribute__((noinline)) void part_long(struct tk_cache *c, struct round *r, const char *base)
{
    uint32_t ends[RECORDS + 64], *at = ends;
    const uint32_t *const old = r->bounds + 1;
    const size_t room = RECORDS - c->n;
    size_t done = 0;
    for (size_t j = 0; j < r->n_longs; j++) {
        const uint32_t i = r->longs[j], b = r->bounds[i], n = old[i] - b;
        if ((size_t)(at - ends) + (r->k - done) + n > room) {
            r->k = i;
            r->n_longs = j;
            r->done = b;
            break;
        }
        at = copy_ends(at, old + done, i - done);
        if (!r->x[j]) {
            if (r->hash[j])
                tk_cache_unknown(c, base + b, n, r->hash[j]);
            at += list_parts(c->cut, base + b, n, at, b);
        }
        done = i + 1;
        r->longs[j] = (uint32_t)(at - ends);
        *at++ = old[i];
    }
    r->k = (size_t)(copy_ends(at, old + done, r->k - done) - ends);
    copy_ends(r->bounds + 1, ends, r->k);
}

/* Records of the words, the first of which begins at base. Apart from
 * what found them, or registers do not suffice. */
static __attribute__((noinline)) void add_words(struct tk_cache *c, struct round *r, const char *base, const char *limit)
{
    const struct tk_lines hot = c->hot;
    struct tk_rec *const to = &c->rec[c->n];
    const uint32_t *const b = r->bounds;
    r->n_longs = 0;
    if (c->cut)
        list_long(r);
    if (!r->n_longs) {
        for (size_t i = 0; i < r->k; i++)
            tk_rec_short(&to[i], hot, base + b[i], b[i + 1] - b[i], limit, false);
        c->n += r->k;
        return;
    }
    const size_t n_parted = r->n_longs - look_up_long(c, r, base);
    c->long_known = n_parted <= FEW_PARTED;
    if (n_parted)
        part_long(c, r, base);
    for (size_t i = 0; i < r->k; i++)
        tk_rec_short(&to[i], hot, base + b[i], b[i + 1] - b[i], limit, true);
    for (size_t j = 0; j < r->n_longs; j++) {
        const uint32_t i = r->longs[j];
        if (r->x[j])
            tk_cache_known(c, c->n + i, to[i].p, to[i].n, r->x[j]);
    }
    c->n += r->k;
}

/* First the ends of words, window by window, then their records: what is guessed wrong
 * at a window's end does not hold up the records, nor they it. */
static inline __attribute__((always_inline)) void words(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n,
                                                        size_t *from)
{
    const struct tk_cut *const cut = c->cut;
    struct round r;
    r.bounds[0] = 0;
    if (c->left)
        tk_cache_rest(c, TK_BATCH);
    while (*from < n && !tk_cache_full(c)) {
        const char *const base = p + *from;
        const size_t left = n - *from < UINT32_MAX ? n - *from : UINT32_MAX;
        size_t at = 0, word = 0; /* the window; the word that is not done, in or before it */
        size_t k = 0;
        bool stuck = false;
        const size_t round = !cut ? left : c->long_known ? ROUND : ROUND_PARTED, most = round < left ? round : left;
        struct before h = {0};
        while (at < most && c->n + k < TK_BATCH && !stuck) {
            const unsigned char *q = (const unsigned char *)base + at;
            size_t rest = left - at;
            bool end = rest < STEP;
            int known = rest < 64 ? (int)rest : 64;
            struct masks m = classify(q, rest);
            if (m.high & low(known)) {
                const int part = classify_high(&m, &h, q, known, rest);
                if (part < known) { /* before a STOP words end as before the text's end, but for white space and numbers */
                    end = m.stop && (m.letter | m.other) << 1 >> part & 1;
                    known = part;
                    rest = end ? (size_t)part : rest;
                }
            }
            uint64_t starts = 0, joined_on = 0;
            if (known > 3 || end) {
                unsigned char tail[66];
                if (end && (m.tick & low(known))) { /* contractions look behind the end */
                    memcpy(tail, q, rest);
                    tail[rest] = tail[rest + 1] = 0;
                    q = tail;
                }
                starts = rule == TK_RULE_GPT2 ? starts_gpt2(q, &m, &h, &known, end, 0)
                                              : starts_cl100k(q, &m, &h, &known, end, rule == TK_RULE_QWEN2 ? 1 : 3, &joined_on);
            }
            const bool step = known == STEP && !end;
            if (end)
                starts = (starts & low((int)rest)) | 1ull << rest;
            else
                starts &= low(known < 0 ? 0 : known);
            starts &= word == at ? ~1ull : ~0ull;
            list(r.bounds + 1 + k, starts, (uint32_t)at);
            k += (size_t)_mm_popcnt_u64(starts);
            word = starts ? at + 63 - (size_t)_lzcnt_u64(starts) : word;
            if (__builtin_expect(step, 1)) {
                h = (struct before){.letter = m.letter >> (STEP - 1), .number = m.number >> (STEP - 1), .space = m.space >> (STEP - 1),
                                    .other = m.other >> (STEP - 1), .blank = m.blank >> (STEP - 1), .joined = joined_on};
                at += STEP;
                if (__builtin_expect(at - word > TK_LONG_BYTES - 64, 0) && cut) { /* too long to be remembered */
                    const size_t parts = h.letter & 1 ? list_parts(cut, base + word, at - word, r.bounds + 1 + k, (uint32_t)word) : 0;
                    k += parts;
                    stuck = !parts;
                    word = r.bounds[k];
                }
            } else {
                h = (struct before){0};
                stuck = !starts;
                at = word;
            }
        }
        r.k = k;
        r.done = word;
        add_words(c, &r, base, p + n);
        *from += r.done;
        if (stuck && r.done == word) {
            const size_t e = tk_scan(rule, p, n, *from);
            tk_cache_word(c, p + *from, e - *from);
            *from = e;
        }
    }
}

#ifdef PUT
size_t PUT(struct tk_cache *c, const char *p, size_t from, const uint32_t *ends, size_t n, const char *limit)
{
    const struct tk_lines hot = c->hot;
    const size_t most = c->cut ? TK_KEY_MAX : SIZE_MAX;
    size_t i = 0;
    while (i < n && !tk_cache_full(c) && !c->left) {
        struct tk_rec *r = &c->rec[c->n];
        const size_t room = TK_BATCH - c->n < n - i ? i + TK_BATCH - c->n : n;
        for (; i < room && ends[i] - from <= most; from = ends[i++])
            tk_rec_short(r++, hot, p + from, ends[i] - from, limit, false);
        c->n = (size_t)(r - c->rec);
        if (i < room) {
            tk_cache_word(c, p + from, ends[i] - from);
            from = ends[i++];
        }
    }
    return i;
}
#endif

#ifdef WORDS
void WORDS(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n, size_t *at)
{
    switch (rule) {
    case TK_RULE_GPT2: words(TK_RULE_GPT2, c, p, n, at); break;
    case TK_RULE_CL100K: words(TK_RULE_CL100K, c, p, n, at); break;
    case TK_RULE_QWEN2: words(TK_RULE_QWEN2, c, p, n, at); break;
    default: tk_words_scalar(rule, c, p, n, at);
    }
}
#endif
#endif
#endif
