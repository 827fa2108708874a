/* words_masks.h -- the classes of a window of 64 bytes, as masks: for words_kernel.h.
 *
 * ASCII by comparisons. Of other characters most are told by tables of their bytes
 * (tk_rows in words.h; without byte permutations only the letters of East Asia, by
 * comparisons); the rest one by one. */
#ifndef FT_TOKENIZER_WORDS_MASKS_H
#define FT_TOKENIZER_WORDS_MASKS_H

#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

#if defined(__AVX2__) && defined(__BMI2__)
#include <immintrin.h>

/* One bit a byte. A character of several bytes has its class at all of them. */
struct masks {
    uint64_t letter, number, space, other; /* any white space; the last is the rest */
    uint64_t newline, blank, tick;         /* CR and LF, U+0020, apostrophe */
    uint64_t high;                         /* not ASCII */
    uint64_t inner;                        /* of a character's bytes all but the first; set if any is high */
    uint64_t wide[3];                      /* where others of 2, 3, 4 bytes begin */
    bool stop;                             /* classes are known up to white space or a number of several bytes */
    uint64_t letter_at[2], other_at[2];    /* where known ones of 2, 3 bytes begin */
};

#ifdef __AVX512BW__
/* A mask in a general register: to and from those for masks takes longer than what is done with it. */
static inline uint64_t general(__mmask64 m)
{
    uint64_t x = m;
    __asm__("" : "+r"(x));
    return x;
}
#endif

static inline uint64_t low(int n) { return n < 64 ? _bzhi_u64(~0ull, (unsigned)n) : ~0ull; }

#ifndef __AVX512BW__
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
#endif

static inline struct masks classify(const unsigned char *p, size_t n)
{
    struct masks m = {0};
#ifdef __AVX512BW__
    const __m512i x = n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, (unsigned)n), p);
    const __m512i folded = _mm512_or_si512(x, _mm512_set1_epi8(0x20));
    m.letter = general(_mm512_cmplt_epu8_mask(_mm512_sub_epi8(folded, _mm512_set1_epi8('a')), _mm512_set1_epi8(26)));
    m.number = general(_mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8('0')), _mm512_set1_epi8(10)));
    m.blank = general(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8(' ')));
    m.space = m.blank | general(_mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(9)), _mm512_set1_epi8(5)));
    m.newline = general(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\n'))) | general(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\r')));
    m.tick = general(_mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('\'')));
    m.high = general(_mm512_movepi8_mask(x));
    if (m.high) {
        const __m512i y = n > 64 ? _mm512_loadu_si512(p + 1) : _mm512_maskz_loadu_epi8(low((int)n - 1), p + 1);
        const __m512i z = n > 65 ? _mm512_loadu_si512(p + 2)
                                 : _mm512_maskz_loadu_epi8(n > 2 ? low((int)n - 2) : 0, p + 2);
        const __mmask64 lead = _mm512_cmpge_epu8_mask(x, _mm512_set1_epi8((char)0xc0));
        m.inner = m.high & ~general(lead);
#define AT(table, v) _mm512_permutexvar_epi8(v, _mm512_load_si512(table)) /* by the low six bits */
#define LEAD(set) _mm512_maskz_permutexvar_epi8(lead, x, _mm512_load_si512(tk_rows.lead[set]))
        const __m512i a = _mm512_and_si512(_mm512_and_si512(LEAD(TK_ROWS_LETTERS), AT(tk_rows.second[TK_ROWS_LETTERS], y)),
                                           AT(tk_rows.third[TK_ROWS_LETTERS], z));
        const __m512i b = _mm512_and_si512(_mm512_and_si512(LEAD(TK_ROWS_MIXED), AT(tk_rows.second[TK_ROWS_MIXED], y)),
                                           AT(tk_rows.third[TK_ROWS_MIXED], z));
        const __m512i c = _mm512_and_si512(LEAD(TK_ROWS_PAIRS), AT(tk_rows.second[TK_ROWS_PAIRS], y));
#undef AT
#undef LEAD
        const __m512i letters = _mm512_set1_epi8((char)TK_ROWS_LETTER);
        m.letter_at[0] = general(_mm512_test_epi8_mask(c, letters));
        m.other_at[0] = general(_mm512_test_epi8_mask(c, _mm512_set1_epi8(TK_ROWS_OTHER)));
        m.letter_at[1] = general(_mm512_test_epi8_mask(_mm512_ternarylogic_epi64(a, b, letters, 0xf8), _mm512_set1_epi8(-1))); /* a | b & letters */
        m.other_at[1] = general(_mm512_test_epi8_mask(b, _mm512_set1_epi8(TK_ROWS_OTHER)));
    }
#else
    unsigned char tail[64];
    p = tk_padded(p, n, tail, sizeof tail);
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
        /* Of one that begins among the last two bytes not all is seen. */
        m.letter_at[1] = EAST_LETTERS(EQ, IN) & low(62);
        m.inner = IN(0x80, 0xbf);
#undef EQ
#undef HALF
#undef IN
    }
#endif
    m.other = ~(m.letter | m.number | m.space | m.high);
    return m;
}

/* What a window must know of those before it where it does not begin at a word: bit 0 is of the character
 * before, the others of the bytes that begin the window, which may be that character's. */
struct before {
    uint64_t letter, number, space, other, blank;
    uint64_t joined; /* without a bit for the character before */
};

/* Classes of the characters that are not ASCII. Gives the number of bytes whose
 * class is known: less than `n` where white space or a number of several bytes
 * stands (the algebra knows them as one byte only). The text ends `rest` bytes behind p. */
static inline int classify_high(struct masks *m, const struct before *h, const unsigned char *p, int n, size_t rest)
{
    const uint64_t first = m->inner & ~(m->inner + 1); /* of a character that began before */
    uint64_t letter = m->letter_at[0] * 3 | m->letter_at[1] * 7 | (h->letter >> 1 & first),
             other = m->other_at[0] * 3 | m->other_at[1] * 7 | (h->other >> 1 & first);
    uint64_t todo = m->high & ~(letter | other);
    m->wide[0] = m->other_at[0];
    m->wide[1] = m->other_at[1];
    while (todo) {
        const int i = (int)_tzcnt_u64(todo);
        if (i >= n)
            break;
        const int len = p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
        if ((size_t)(i + len) > rest) {
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
            m->stop = true;
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

#endif
#endif
