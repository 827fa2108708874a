#include "tokenizer/bpe_many.h"

#include "tokenizer/cut.h"
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
