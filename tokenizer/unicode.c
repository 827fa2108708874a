#include "tokenizer/unicode.h"

#include <pthread.h>
#include <string.h>

#include "pipeline/str.h"

#include "tokenizer/unicode_form_tables.h"
#include "tokenizer/words.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Index of key in a sorted list, or -1. */
static ptrdiff_t find(const uint32_t *keys, size_t n, uint32_t key)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (keys[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && keys[lo] == key ? (ptrdiff_t)lo : -1;
}

static int mapped(const uint32_t *keys, const uint32_t *at, const uint32_t *pool, size_t n, uint32_t c,
                  uint32_t *out)
{
    const ptrdiff_t i = find(keys, n, c);
    if (i < 0)
        return 0;
    const int len = (int)(at[i] & 31);
    for (int k = 0; k < len; k++)
        out[k] = pool[(at[i] >> 5) + (uint32_t)k];
    return len;
}

int uc_ccc(uint32_t c)
{
    if (c < uc_ccc_key[0])
        return 0;
    const ptrdiff_t i = find(uc_ccc_key, COUNT(uc_ccc_key), c);
    return i < 0 ? 0 : uc_ccc_value[i];
}

/* Hangul syllables are arithmetic (The Unicode Standard, section 3.12). */
enum { S_BASE = 0xac00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11a7, L_N = 19, V_N = 21, T_N = 28 };

int uc_decompose(uint32_t c, bool compat, uint32_t *out)
{
    if (c < 0xa0)
        return 0;
    if (c >= S_BASE && c < S_BASE + L_N * V_N * T_N) {
        const uint32_t s = c - S_BASE;
        out[0] = L_BASE + s / (V_N * T_N);
        out[1] = V_BASE + s % (V_N * T_N) / T_N;
        out[2] = T_BASE + s % T_N;
        return s % T_N ? 3 : 2;
    }
    return compat ? mapped(uc_nfkd_key, uc_nfkd_at, uc_nfkd_pool, COUNT(uc_nfkd_key), c, out)
                  : mapped(uc_nfd_key, uc_nfd_at, uc_nfd_pool, COUNT(uc_nfd_key), c, out);
}

uint32_t uc_compose(uint32_t a, uint32_t b)
{
    if (a >= L_BASE && a < L_BASE + L_N && b >= V_BASE && b < V_BASE + V_N)
        return S_BASE + ((a - L_BASE) * V_N + (b - V_BASE)) * T_N;
    if (a >= S_BASE && a < S_BASE + L_N * V_N * T_N && (a - S_BASE) % T_N == 0 && b > T_BASE &&
        b < T_BASE + T_N)
        return a + (b - T_BASE);
    const uint64_t key = (uint64_t)a << 21 | b;
    size_t lo = 0, hi = COUNT(uc_pair_key);
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (uc_pair_key[mid] < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < COUNT(uc_pair_key) && uc_pair_key[lo] == key ? uc_pair[lo] : 0;
}

/* A bit for every code point that may not stay as it is under NFC: marks with a
 * combining class, second parts of composites, what decomposes for good. */
static uint64_t unstable[0x110000 / 64];
static pthread_once_t unstable_once = PTHREAD_ONCE_INIT;

static void mark(uint32_t c) { unstable[c >> 6] |= 1ull << (c & 63); }

static void fill_unstable(void)
{
    for (size_t i = 0; i < COUNT(uc_ccc_key); i++)
        if (uc_ccc_value[i])
            mark(uc_ccc_key[i]);
    for (size_t i = 0; i < COUNT(uc_pair_key); i++)
        mark((uint32_t)(uc_pair_key[i] & 0x1fffff));
    for (uint32_t c = V_BASE; c < V_BASE + V_N; c++)
        mark(c);
    for (uint32_t c = T_BASE; c < T_BASE + T_N; c++)
        mark(c);
    for (size_t i = 0; i < COUNT(uc_nfd_key); i++) {
        /* What its parts compose to again, one by one. */
        uint32_t d[18] = {0}, c = uc_nfd_key[i];
        const int n = uc_decompose(c, false, d);
        uint32_t back = d[0];
        for (int k = 1; k < n && back; k++)
            back = uc_compose(back, d[k]);
        if (back != c)
            mark(c);
    }
}

#ifdef __x86_64__
/* How far from `at` the text is ASCII, Latin 1 or of three bytes that never change:
 * U+2002..203f, e3 but the marks U+302a..302f and 3099, 309a; e4..e9; ea b0..bf; eb,
 * ec; ed 80..9d; ef bc, ef bd. Whole steps of 32 bytes; it may end inside a character. */
__attribute__((target("avx2"))) static size_t stable_avx2(const char *p, size_t n, size_t at)
{
    for (; at + 34 <= n; at += 32) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
        if (!_mm256_movemask_epi8(x))
            continue;
        const __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 1));
        const __m256i z = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 2));
#define EQ(v, c) _mm256_cmpeq_epi8(v, _mm256_set1_epi8((char)(c)))
#define IN(v, a, b) \
    _mm256_cmpeq_epi8(_mm256_sub_epi8(v, _mm256_set1_epi8((char)(a))), \
                      _mm256_min_epu8(_mm256_sub_epi8(v, _mm256_set1_epi8((char)(a))), _mm256_set1_epi8((char)((b) - (a)))))
#define OR _mm256_or_si256
#define AND _mm256_and_si256
        const __m256i marks = OR(AND(EQ(y, 0x82), IN(z, 0x99, 0x9a)), AND(EQ(y, 0x80), IN(z, 0xaa, 0xaf)));
        __m256i good = OR(IN(x, 0, 0xbf), IN(x, 0xc2, 0xc3));
        good = OR(good, OR(IN(x, 0xe4, 0xe9), IN(x, 0xeb, 0xec)));
        good = OR(good, OR(AND(EQ(x, 0xea), IN(y, 0xb0, 0xbf)), AND(EQ(x, 0xed), IN(y, 0x80, 0x9d))));
        good = OR(good, _mm256_andnot_si256(marks, EQ(x, 0xe3)));
        good = OR(good, AND(EQ(x, 0xef), IN(y, 0xbc, 0xbd)));
        good = OR(good, AND(EQ(x, 0xe2), AND(EQ(y, 0x80), IN(z, 0x82, 0xbf))));
#undef EQ
#undef IN
#undef OR
#undef AND
        if (_mm256_movemask_epi8(good) != -1)
            break;
    }
    return at;
}
#endif

bool uc_is_nfc(const char *p, size_t n)
{
    pthread_once(&unstable_once, fill_unstable);
#ifdef __x86_64__
    size_t slow = 0; /* up to there byte by byte */
#endif
    for (size_t i = 0; i < n;) {
#ifdef __x86_64__
        if (i >= slow && tk_words() != tk_words_scalar) {
            i = stable_avx2(p, n, i);
            slow = i + 32;
            while (i < n && ((unsigned char)p[i] & 0xc0) == 0x80) /* the end of one that is known */
                i++;
            if (i == n)
                break;
        }
#endif
        const unsigned char *u = (const unsigned char *)p + i;
        if (u[0] < 0x80) {
            uint64_t v;
            i++;
            while (n - i >= 8 && (memcpy(&v, p + i, 8), !(v & 0x8080808080808080u)))
                i += 8;
            continue;
        }
        uint32_t c;
        if ((u[0] & 0xf0) == 0xe0) { /* a step of known length: the next need not wait for it */
            c = (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u);
            i += 3;
        } else {
            int len;
            c = ft_utf8_get(p + i, &len);
            i += (size_t)len;
        }
        if (unstable[c >> 6] >> (c & 63) & 1)
            return false;
    }
    return true;
}

int uc_lower(uint32_t c, uint32_t *out)
{
    if (c < 0x80) {
        if (c < 'A' || c > 'Z')
            return 0;
        out[0] = c + 32;
        return 1;
    }
    return mapped(uc_lower_key, uc_lower_at, uc_lower_pool, COUNT(uc_lower_key), c, out);
}
