#include "tokenizer/words.h"

#include <pthread.h>
#include <stdlib.h>

#include "tokenizer/unicode.h"

void tk_words_scalar(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n, size_t *at)
{
    if (c->left)
        tk_cache_rest(c, TK_BATCH);
    while (*at < n && !tk_cache_full(c)) {
        const size_t e = tk_scan(rule, p, n, *at);
        tk_cache_word(c, p + *at, e - *at);
        *at = e;
    }
}

enum level { AVX512, AVX2, SCALAR, LEVELS };
static const char *const names[] = {"avx512", "avx2", "scalar"};

static bool has(enum level l)
{
#ifdef __x86_64__
    if (l == AVX512)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("bmi2");
    if (l == AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#endif
    return l == SCALAR;
}

static const struct {
    tk_words_fn *words;
    tk_units_fn *units;
} functions[] = {
#ifdef __x86_64__
    {tk_words_avx512, tk_units_avx512}, {tk_words_avx2, tk_units_avx2},
#else
    {0}, {0},
#endif
    {tk_words_scalar, tk_units_scalar},
};

static enum level level_of(const char *isa)
{
    for (enum level l = AVX512; l < LEVELS; l++)
        if (!strcmp(isa, names[l]) && has(l))
            return l;
    return LEVELS;
}

unsigned char tk_kind[0x10000];

unsigned tk_kind_of(uint32_t c)
{
    const unsigned k = uc_class(c);
    return k & UC_L ? TK_KIND_LETTER : k & (UC_SPACE | UC_N) ? TK_KIND_STOP : TK_KIND_OTHER;
}

static void fill_kinds(void)
{
    for (uint32_t c = 0; c < 0x10000; c++) {
        tk_kind[c] = (unsigned char)tk_kind_of(c);
        tk_bert_kind[c] = (unsigned char)tk_bert_kind_of(c);
    }
}

static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

tk_words_fn *tk_words_level(const char *isa)
{
    pthread_once(&kinds_once, fill_kinds);
    return level_of(isa) < LEVELS ? functions[level_of(isa)].words : NULL;
}

static enum level best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
    pthread_once(&kinds_once, fill_kinds);
    const char *force = getenv("FT_ISA");
    best = force ? level_of(force) : LEVELS;
    if (best == LEVELS)
        for (best = AVX512; !has(best); best++)
            ;
}

tk_words_fn *tk_words(void)
{
    pthread_once(&once, choose);
    return functions[best].words;
}

tk_units_fn *tk_units(void)
{
    pthread_once(&once, choose);
    return functions[best].units;
}
