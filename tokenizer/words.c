#include "tokenizer/words.h"

#include <pthread.h>
#include <stdlib.h>

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

tk_words_fn *tk_words_level(const char *isa)
{
#ifdef __x86_64__
    if (!strcmp(isa, "avx512"))
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("bmi2")
                   ? tk_words_avx512
                   : NULL;
    if (!strcmp(isa, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? tk_words_avx2 : NULL;
#endif
    return !strcmp(isa, "scalar") ? tk_words_scalar : NULL;
}

static tk_words_fn *best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
    static const char *const levels[] = {"avx512", "avx2", "scalar"};
    const char *force = getenv("FT_ISA");
    best = force ? tk_words_level(force) : NULL;
    for (int i = 0; !best; i++)
        best = tk_words_level(levels[i]);
}

tk_words_fn *tk_words(void)
{
    pthread_once(&once, choose);
    return best;
}
