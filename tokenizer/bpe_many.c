#include "tokenizer/bpe_many.h"

#include "tokenizer/cut.h"
#include "tokenizer/model.h"
#include "tokenizer/cache_seed.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum {
    LANES = 16, /* words at work */
    PLACE = 5,  /* bits of a place in a word */
};
#define NO_KEY ((uint32_t)TK_NO_MERGE << PLACE)

static const uint64_t no_slot = UINT64_MAX;

/* ---- the first symbols of a word that is not ASCII ---- */

static inline bool wide(const unsigned char *p, size_t n) { return n >= 3 && (*p & 0xf0) == 0xe0; }

/* Bytes, but for the characters of three bytes that no token has a part of beside what stands on their left or right: a
 * merge that takes one of these and more takes all of it, so its own merges are done before, whatever
 * they are. Gives how many symbols. */
static uint32_t symbols(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, uint32_t *id)
{
    const unsigned char *const p = (const unsigned char *)job->p;
    const uint32_t n = job->n;
    uint32_t k = 0, code = 0;
    bool whole = true; /* is no token across what is in front? */
    for (uint32_t i = 0; i < n;) {
        uint32_t len = p[i] < 0x80 ? 1 : p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4, one = 0, next = 0;
        bool open = i + len >= n;
        if (wide(p + i, n - i)) {
            code = tk_cut_code((const char *)p + i);
            if (wide(p + i + 3, n - i - 3)) {
                next = tk_cut_code((const char *)p + i + 3);
                open = !tk_cut_wide_broken(cut, code, next);
            }
            one = whole && open ? cut->one[code] : 0;
        }
        whole = open;
        len = len < n - i ? len : n - i;
        if (one)
            id[k++] = one - 1;
        for (uint32_t b = 0; b < len && !one; b++)
            id[k++] = (uint32_t)m->raw_id[p[i + b]];
        i += len;
    }
    return k;
}

static inline uint32_t settle(uint32_t *key, const uint32_t *at, const uint32_t *to, uint32_t gone)
{
    uint32_t min = UINT32_MAX;
    key[gone] = UINT32_MAX;
    key[at[0]] = to[0];
    key[at[1]] = to[1];
    for (int i = 0; i < TK_MANY_BYTES; i++)
        min = key[i] < min ? key[i] : min;
    return min;
}

#define LEVEL scalar
#define BYTES TK_MANY_BYTES
#define TARGET
#define SETTLE settle
#include "tokenizer/bpe_many_kernel.h"

#ifdef __x86_64__
#define FOR_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
/* In registers: a vector of keys that is read just after one was written waits. */
FOR_AVX2 static inline uint32_t settle_avx2(uint32_t *key, const uint32_t *at, const uint32_t *to, uint32_t gone, int n)
{
    const __m256i not = _mm256_set1_epi32((int)gone), at0 = _mm256_set1_epi32((int)at[0]), at1 = _mm256_set1_epi32((int)at[1]);
    const __m256i to0 = _mm256_set1_epi32((int)to[0]), to1 = _mm256_set1_epi32((int)to[1]);
    __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), min = _mm256_set1_epi32(-1);
    for (int i = 0; i < n; i += 8, place = _mm256_add_epi32(place, _mm256_set1_epi32(8))) {
        __m256i *const v = (__m256i *)(void *)(key + i);
        __m256i x = _mm256_or_si256(_mm256_load_si256(v), _mm256_cmpeq_epi32(place, not));
        x = _mm256_blendv_epi8(x, to0, _mm256_cmpeq_epi32(place, at0));
        x = _mm256_blendv_epi8(x, to1, _mm256_cmpeq_epi32(place, at1));
        _mm256_store_si256(v, x);
        min = _mm256_min_epu32(min, x);
    }
    __m128i x = _mm_min_epu32(_mm256_castsi256_si128(min), _mm256_extracti128_si256(min, 1));
    x = _mm_min_epu32(x, _mm_shuffle_epi32(x, 0x4e));
    x = _mm_min_epu32(x, _mm_shuffle_epi32(x, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(x);
}

#define LEVEL avx2
#define BYTES TK_MANY_BYTES
#define TARGET FOR_AVX2
#define SETTLE(key, at, to, gone) settle_avx2(key, at, to, gone, TK_MANY_BYTES)
#include "tokenizer/bpe_many_kernel.h"
/* Most words are short. */
#define LEVEL avx2_16
#define BYTES 16
#define TARGET FOR_AVX2
#define SETTLE(key, at, to, gone) settle_avx2(key, at, to, gone, 16)
#include "tokenizer/bpe_many_kernel.h"
#endif

static void by_scalar(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, size_t n)
{
    many_scalar(m, cut, job, n);
}

#ifdef __x86_64__
static bool high(const struct tk_job *job)
{
    unsigned char all = 0;
    for (uint32_t i = 0; i < job->n; i++)
        all |= (unsigned char)job->p[i];
    return all >= 0x80;
}

static void by_avx2(const struct tk_model *m, const struct tk_cut *cut, const struct tk_job *job, size_t n)
{
    uint32_t longest = 0, id[TK_MANY_BYTES];
    for (size_t i = 0; i < n && longest <= 16; i++) {
        const uint32_t k = job[i].n > 16 && cut && high(&job[i]) ? symbols(m, cut, &job[i], id) : job[i].n;
        longest = k > longest ? k : longest;
    }
    if (longest <= 16)
        many_avx2_16(m, cut, job, n);
    else
        many_avx2(m, cut, job, n);
}
#endif

tk_bpe_many_fn *tk_bpe_many_level(const char *isa)
{
#ifdef __x86_64__
    const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    if (wide && (!isa || strcmp(isa, "scalar")))
        return by_avx2;
#else
    (void)isa;
#endif
    return by_scalar;
}
