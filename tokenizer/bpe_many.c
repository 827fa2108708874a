#include "tokenizer/bpe_many.h"

#include "tokenizer/model.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum {
    LANES = 16, /* words at work */
    PLACE = 5,  /* bits of a place in a word */
};
#define NO_KEY ((uint32_t)TK_NO_MERGE << PLACE)

static const uint64_t no_line[TK_PAIR_LINE] __attribute__((aligned(64))) = {
    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
};

static inline unsigned match(const uint64_t *line, uint64_t rest)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < TK_PAIR_LINE; i++)
        bits |= (unsigned)(line[i] >> 24 == rest) << i;
    return bits;
}

#define LEVEL scalar
#define BYTES TK_MANY_BYTES
#define TARGET
#define MATCH match
#include "tokenizer/bpe_many_kernel.h"

#ifdef __x86_64__
#define FOR_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
FOR_AVX2 static inline unsigned match_avx2(const uint64_t *line, uint64_t rest)
{
    const __m256i want = _mm256_set1_epi64x((long long)rest);
    const __m256i a = _mm256_srli_epi64(_mm256_load_si256((const __m256i *)(const void *)line), 24);
    const __m256i b = _mm256_srli_epi64(_mm256_load_si256((const __m256i *)(const void *)(line + 4)), 24);
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(a, want))) |
           (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(b, want))) << 4;
}

#define LEVEL avx2
#define BYTES TK_MANY_BYTES
#define TARGET FOR_AVX2
#define MATCH match_avx2
#include "tokenizer/bpe_many_kernel.h"
/* Most words are short. */
#define LEVEL avx2_16
#define BYTES 16
#define TARGET FOR_AVX2
#define MATCH match_avx2
#include "tokenizer/bpe_many_kernel.h"
#endif

static void by_scalar(const struct tk_model *m, const struct tk_job *job, size_t n) { many_scalar(m, job, n); }

#ifdef __x86_64__
static void by_avx2(const struct tk_model *m, const struct tk_job *job, size_t n)
{
    uint32_t longest = 0;
    for (size_t i = 0; i < n; i++)
        longest = job[i].n > longest ? job[i].n : longest;
    if (longest <= 16)
        many_avx2_16(m, job, n);
    else
        many_avx2(m, job, n);
}
#endif

tk_bpe_many_fn *tk_bpe_many_level(const char *isa)
{
#ifdef __x86_64__
    const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    if (wide && (!isa || strcmp(isa, "scalar")))
        return by_avx2;
#endif
    return by_scalar;
}
