/* Where in a text the bytes are that matter within quotes: quotes, backslashes, controls.
 *
 * Found for the whole text at once, 64 bytes a word, before it is scanned: the scanner then goes
 * from one string's beginning to its end by counting zeros. Whether the text is UTF-8 is settled
 * on the way. */
#include "pipeline/json_scan.h"

/* A file of that size may be a vocabulary, whose memory counts. */
enum { LARGE = 4 << 20 };

#if defined(__SSE2__)
static inline uint64_t odd16(const char *p, uint64_t *high)
{
    const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
                                     _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
    *high = (unsigned)_mm_movemask_epi8(v);
    return (unsigned)_mm_movemask_epi8(odd);
}
#else
static inline uint64_t odd16(const char *p, uint64_t *high)
{
    uint64_t m = 0;
    *high = 0;
    for (int i = 0; i < 16; i++) {
        const unsigned char c = (unsigned char)p[i];
        m |= (uint64_t)(c == '"' || c == '\\' || c < 0x20) << i;
        *high |= (uint64_t)(c >= 0x80) << i;
    }
    return m;
}
#endif

static inline uint64_t odd64(const char *p, uint64_t *high)
{
    uint64_t m = 0, h;
    *high = 0;
    for (int i = 0; i < 64; i += 16) {
        m |= odd16(p + i, &h) << i;
        *high |= h << i;
    }
    return m;
}

/* n / 64 words; returns the bytes from 0x80 on, of all words together. `with_high`: they are odd too. */
static uint64_t odd_any(const char *p, size_t n, uint64_t *odd, bool with_high)
{
    uint64_t all = 0, high;
    for (size_t i = 0; i < n / 64; i++) {
        odd[i] = odd64(p + 64 * i, &high);
        odd[i] |= with_high ? high : 0;
        all |= high;
    }
    return all;
}

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2"))) static uint64_t odd_avx2(const char *p, size_t n, uint64_t *odd)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), last = _mm256_set1_epi8(0x1f);
    __m256i all = _mm256_setzero_si256();
    for (size_t i = 0; i < n / 64; i++) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + 64 * i));
        const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 64 * i + 32));
        const __m256i x = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(a, slash)),
                                          _mm256_cmpeq_epi8(_mm256_min_epu8(a, last), a));
        const __m256i y = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(b, quote), _mm256_cmpeq_epi8(b, slash)),
                                          _mm256_cmpeq_epi8(_mm256_min_epu8(b, last), b));
        odd[i] = (uint64_t)(uint32_t)_mm256_movemask_epi8(x) | (uint64_t)(uint32_t)_mm256_movemask_epi8(y) << 32;
        all = _mm256_or_si256(all, _mm256_or_si256(a, b));
    }
    return (uint32_t)_mm256_movemask_epi8(all);
}
#endif

static uint64_t odd_words(const char *p, size_t n, uint64_t *odd)
{
#ifdef __x86_64__
    if (n >= 128 && __builtin_cpu_supports("avx2"))
        return odd_avx2(p, n, odd);
#endif
    return odd_any(p, n, odd, false);
}

void ft_scan_open(struct ft_scan *s, const char *p, size_t n, uint64_t few[FT_SCAN_FEW], struct ft_arena *a, struct ft_err *e)
{
    const size_t words = n / 64, rest = n % 64;
    *s = (struct ft_scan){.begin = p, .p = p, .end = p + n, .utf8 = true, .e = e};
    if (n > LARGE) {
        s->utf8 = ft_utf8_valid(p, n) == n;
        return;
    }
    uint64_t *odd = words < FT_SCAN_FEW ? few : ft_arena_alloc(a, (words + 1) * sizeof *odd);
    char last[64];
    uint64_t high, more;
    memset(last, ' ', sizeof last);
    if (rest)
        memcpy(last, p + 64 * words, rest);
    high = odd_words(p, n, odd);
    odd[words] = odd64(last, &more);
    if ((high | more) && ft_utf8_valid(p, n) < n) { /* what is wrong is to be met where it stands */
        s->utf8 = false;
        odd_any(p, n, odd, true);
        odd[words] |= more;
    }
    odd[words] |= (uint64_t)1 << rest; /* the end */
    s->odd = odd;
}
