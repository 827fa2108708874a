/* words_kernel.h -- the body of tk_words_avx2 and tk_words_avx512: words.h says
 * how it works. The file that includes it defines WORDS, the name, and is compiled
 * with the flags of its level. */
#ifndef FT_TOKENIZER_WORDS_KERNEL_H
#define FT_TOKENIZER_WORDS_KERNEL_H

#include "tokenizer/cache_short.h"
#include "tokenizer/cut.h"
#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>

/* One bit a byte. A character of several bytes has its class at all of them. */
struct masks {
    uint64_t letter, number, space, other; /* any white space; the last is the rest */
    uint64_t newline, blank, tick;         /* CR and LF, U+0020, apostrophe */
    uint64_t high;                         /* not ASCII */
    uint64_t wide[3];                      /* where others of 2, 3, 4 bytes begin */
    uint64_t east;                         /* where letters of east_letters begin */
};

static inline uint64_t low(int n) { return n < 64 ? _bzhi_u64(~0ull, (unsigned)n) : ~0ull; }

/* Where letters of three bytes begin that are most of Chinese, Japanese and Korean:
 * unified ideographs, kana, Hangul syllables. By their lead and what follows it:
 *   e3 81 but U+3040; e3 82 but U+3097..309c, 30a0; e3 83 but U+30fb; e3 90..bf;
 *   e4 but e4 b7 (hexagrams); e5..e9; ea b0..bf; eb, ec; ed 80..9d. */
#define EAST_LETTERS(EQ, IN)                                                                                   \
    ((EQ(0xe3) & ((EQ(0x81) & ~(EQ(0x80) >> 1)) >> 1 |                                                          \
                  (EQ(0x82) & ~((IN(0x97, 0x9c) | EQ(0xa0)) >> 1)) >> 1 | (EQ(0x83) & ~(EQ(0xbb) >> 1)) >> 1 |    \
                  IN(0x90, 0xbf) >> 1)) |                                                                       \
     (EQ(0xe4) & ~(EQ(0xb7) >> 1)) | IN(0xe5, 0xe9) | (EQ(0xea) & IN(0xb0, 0xbf) >> 1) | IN(0xeb, 0xec) |        \
     (EQ(0xed) & IN(0x80, 0x9d) >> 1))

static inline struct masks classify(const unsigned char *p, size_t n)
{
    struct masks m = {0};
#ifdef __AVX512BW__
    const __m512i x = n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, (unsigned)n), p);
    const __m512i folded = _mm512_or_si512(x, _mm512_set1_epi8(0x20));
    m.letter = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(folded, _mm512_set1_epi8('a')), _mm512_set1_epi8(26));
    m.number = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8('0')), _mm512_set1_epi8(10));
    m.blank = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(' '));
    m.space = m.blank | _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(9)), _mm512_set1_epi8(5));
    m.newline = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\n')) | _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\r'));
    m.tick = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\''));
    m.high = _mm512_movepi8_mask(x);
    if (m.high) {
#define EQ(c) ((uint64_t)_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8((char)(c))))
#define IN(a, b) \
    ((uint64_t)_mm512_cmple_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8((char)(a))), _mm512_set1_epi8((char)((b) - (a)))))
        m.east = EAST_LETTERS(EQ, IN);
#undef EQ
#undef IN
    }
#else
    unsigned char tail[64];
    if (n < 64) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, n);
        p = tail;
    }
    for (int h = 0; h < 2; h++) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * h));
        const __m256i folded = _mm256_or_si256(x, _mm256_set1_epi8(0x20));
#define BITS(v) ((uint64_t)(uint32_t)_mm256_movemask_epi8(v) << (32 * h))
#define BELOW(v, k) _mm256_cmpeq_epi8(v, _mm256_min_epu8(v, _mm256_set1_epi8(k)))
        m.letter |= BITS(BELOW(_mm256_sub_epi8(folded, _mm256_set1_epi8('a')), 25));
        m.number |= BITS(BELOW(_mm256_sub_epi8(x, _mm256_set1_epi8('0')), 9));
        m.blank |= BITS(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(' ')));
        m.space |= BITS(BELOW(_mm256_sub_epi8(x, _mm256_set1_epi8(9)), 4));
        m.newline |= BITS(_mm256_or_si256(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('\n')),
                                          _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\r'))));
        m.tick |= BITS(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('\'')));
        m.high |= BITS(x);
#undef BITS
#undef BELOW
    }
    m.space |= m.blank;
    if (m.high) {
        const __m256i x0 = _mm256_loadu_si256((const __m256i *)(const void *)p),
                      x1 = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
#define EQ(c) ((uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x0, _mm256_set1_epi8((char)(c)))) | \
               (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x1, _mm256_set1_epi8((char)(c)))) << 32)
#define HALF(v, a, b) \
    ((uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8( \
        _mm256_sub_epi8(v, _mm256_set1_epi8((char)(a))), \
        _mm256_min_epu8(_mm256_sub_epi8(v, _mm256_set1_epi8((char)(a))), _mm256_set1_epi8((char)((b) - (a)))))))
#define IN(a, b) (HALF(x0, a, b) | HALF(x1, a, b) << 32)
        m.east = EAST_LETTERS(EQ, IN);
#undef EQ
#undef HALF
#undef IN
    }
#endif
    m.other = ~(m.letter | m.number | m.space | m.high);
    return m;
}

/* Classes of the characters that are not ASCII. Gives the number of bytes whose
 * class is known: less than `n` where white space or a number of several bytes
 * stands (the algebra knows them as one byte only) or a character is cut off. */
static inline int classify_high(struct masks *m, const unsigned char *p, int n)
{
    /* One that begins among the last two bytes may not be whole: left to the loop. */
    const uint64_t east = m->east & low(n - 2);
    uint64_t letter = east | east << 1 | east << 2, other = 0, todo = m->high & ~letter;
    while (todo) {
        const int i = (int)_tzcnt_u64(todo);
        if (i >= n)
            break;
        const int len = p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
        if (i + len > n) {
            n = i;
            break;
        }
        const uint64_t bits = low(len) << i;
        unsigned kind;
        if (len == 3) {
            kind = tk_kind[(p[i] & 15u) << 12 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u)];
        } else {
            int k;
            kind = tk_kind_of(ft_utf8_get((const char *)p + i, &k));
        }
        if (__builtin_expect(kind == TK_KIND_STOP, 0)) {
            n = i;
            break;
        }
        const uint64_t is_letter = 0 - (uint64_t)(kind == TK_KIND_LETTER);
        letter |= bits & is_letter;
        other |= bits & ~is_letter;
        m->wide[len - 2] |= (bits & -bits) & ~is_letter;
        todo &= ~bits;
    }
    m->letter |= letter;
    m->other |= other;
    return n;
}

/* All bits of m that follow a bit of `from` without a gap; from is within m. */
static inline uint64_t spread(uint64_t from, uint64_t m) { return m & ~(m + from); }

/* Contractions at the apostrophes in `ticks`, each a word start. A letter behind
 * the contraction starts a word. `apart`: so did the letter in it. */
static inline uint64_t contractions(const unsigned char *p, uint64_t ticks, uint64_t starts, bool any_case)
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
        if (len)
            starts = (starts & ~(1ull << (i + 1))) | 1ull << (i + len);
    }
    return starts;
}

/* Word starts among the first *known bits (bit 0 is one); *known becomes the
 * number of bits that are decided. `end`: the text ends behind them. */
static inline uint64_t starts_gpt2(const unsigned char *p, const struct masks *m, int *known, bool end)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid;
    const uint64_t taken = blank << 1; /* what stands behind a space begins with it */
    uint64_t starts = (l & ~(l << 1) & ~taken) | (d & ~(d << 1) & ~taken);
    const uint64_t others = o & ~(o << 1) & ~taken;
    starts |= others;
    starts |= s & ~(s << 1);
    uint64_t last = s & ~(s >> 1); /* the last of a run goes with the next word, or alone */
    if (end) {
        last &= valid >> 1;
    } else {
        /* A run at the end is open behind its first; a contraction needs two bytes more. */
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0;
        *known = run < *known - 3 ? run + 1 : *known - 3;
    }
    starts |= last;
    const uint64_t ticks = m->tick & others & low(*known);
    if (ticks)
        starts = contractions(p, ticks, starts, false);
    return starts;
}

static inline uint64_t starts_cl100k(const unsigned char *p, const struct masks *m, int *known, bool end, int digits)
{
    const uint64_t valid = low(*known), l = m->letter & valid, d = m->number & valid, s = m->space & valid,
                   o = m->other & valid, blank = m->blank & valid, nl = m->newline & valid, b = s & ~nl;
    const uint64_t others = o & ~(o << 1) & ~(blank << 1);
    const uint64_t w = s & ~spread(o << 1 & nl, nl); /* line ends behind others are theirs */
    /* A letter behind one single other that begins a word goes with it. */
    const uint64_t wide = m->wide[0] | m->wide[1] | m->wide[2];
    uint64_t joined = (others & ~wide & ~(o >> 1)) << 1 | b << 1;
    if (wide & others)
        joined |= (others & m->wide[0] & ~(o >> 2)) << 2 | (others & m->wide[1] & ~(o >> 3)) << 3 |
                  (others & m->wide[2] & ~(o >> 4)) << 4;
    uint64_t starts = others;
    starts |= l & ~(l << 1) & ~joined;
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
    if (end) {
        last &= valid >> 1;
    } else {
        const uint64_t rest = ~s & valid;
        const int run = rest ? 64 - (int)_lzcnt_u64(rest) : 0; /* where white space at the end begins */
        *known = run < *known - 3 ? run + 1 : *known - 3;
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
    const uint64_t ticks = m->tick & others & low(*known);
    if (ticks)
        starts = contractions(p, ticks, starts, true);
    return starts;
}

static inline __attribute__((always_inline)) void words(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n,
                                                        size_t *from)
{
    size_t at = *from;
    if (c->left)
        tk_cache_rest(c, TK_BATCH);
    while (at < n && !tk_cache_full(c)) {
        const unsigned char *q = (const unsigned char *)p + at;
        const size_t rest = n - at;
        bool end = rest < 61;
        int whole; /* bytes of whole characters */
        int known = rest < 64 ? (int)rest : 64;
        struct masks m = classify(q, rest);
        if (m.high & low(known)) {
            const int k = classify_high(&m, q, known);
            if (k < known) {
                known = k;
                end = false;
            }
        }
        whole = known;
        uint64_t starts = 0;
        if (known > 3) {
            unsigned char tail[64];
            if (end && (m.tick & low(known))) { /* contractions look behind the end */
                memcpy(tail, q, rest);
                tail[rest] = tail[rest + 1] = 0;
                q = tail;
            }
            starts = rule == TK_RULE_GPT2 ? starts_gpt2(q, &m, &known, end)
                                          : starts_cl100k(q, &m, &known, end, rule == TK_RULE_QWEN2 ? 1 : 3);
        } else {
            end = false;
        }
        if (end) {
            starts = (starts & low((int)rest)) | 1ull << rest;
        } else {
            starts &= low(known < 0 ? 0 : known);
        }
        starts &= ~1ull;
        if (c->cut && !end && known > 0) {
            /* Letters that go on behind the window are cut where it does not matter. */
            const int last = starts ? 63 - (int)_lzcnt_u64(starts) : 0;
            const uint64_t inner = m.letter & (m.letter << 1) & low(known) & ~low(last + 1);
            if (known - last > TK_KEY_MAX && inner)
                starts |= tk_cut_mask(c->cut, (const char *)q + last, (size_t)(whole - last)) << last & inner;
        }
        if (!starts) {
            const size_t e = tk_scan(rule, p, n, at);
            tk_cache_word(c, p + at, e - at);
            at = e;
            continue;
        }
        size_t b = 0;
        do {
            const size_t e = (size_t)_tzcnt_u64(starts);
            if (__builtin_expect(e - b > TK_KEY_MAX, 0)) {
                const uint64_t cuts = c->cut ? tk_cut_mask(c->cut, p + at + b, e - b) << b : 0;
                if (cuts) {
                    starts |= cuts;
                    continue;
                }
                tk_cache_whole(c, p + at + b, e - b);
            } else {
                tk_cache_short(c, p + at + b, e - b, p + n);
            }
            b = e;
            starts = _blsr_u64(starts);
        } while (starts);
        at += b;
    }
    *from = at;
}

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
