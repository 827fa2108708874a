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

size_t tk_put_scalar(struct tk_cache *c, const char *p, size_t from, const uint32_t *ends, size_t n, const char *limit)
{
    size_t i = 0;
    (void)limit;
    for (; i < n && !tk_cache_full(c) && !c->left; from = ends[i++])
        tk_cache_word(c, p + from, ends[i] - from);
    return i;
}

enum level { AVX512, AVX2, SCALAR, LEVELS };
static const char *const names[] = {"avx512", "avx2", "scalar"};

static bool has(enum level l)
{
#ifdef __x86_64__
    if (l == AVX512)
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
    if (l == AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#endif
    return l == SCALAR;
}

static const struct {
    tk_words_fn *words;
    tk_units_fn *units;
    tk_put_fn *put;
    tk_pass_fn *pass;
    tk_listed_fn *listed;
    tk_fenced_fn *fenced;
} functions[] = {
#ifdef __x86_64__
    {tk_words_avx512, tk_units_avx512, tk_put_avx512, tk_pass_avx512, tk_listed_avx512, tk_fenced_avx512},
    {tk_words_avx2, tk_units_avx2, tk_put_avx2, tk_pass_avx2, tk_listed_avx2, tk_fenced_avx2},
#else
    {0}, {0},
#endif
    {tk_words_scalar, tk_units_scalar, tk_put_scalar, tk_pass_scalar, tk_listed_scalar, NULL},
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

struct tk_rows tk_rows;

/* Are the characters of this lead and second byte all of that kind? */
static bool all_of(unsigned lead, unsigned second, unsigned kind)
{
    for (unsigned third = 0; third < 64; third++)
        if (tk_kind[(lead & 15) << 12 | second << 6 | third] != kind)
            return false;
    return true;
}

/* A row of characters of three bytes: the leads from..to and all seconds behind which
 * every third is of that kind. */
static void row_of_blocks(int set, unsigned bit, unsigned from, unsigned to, unsigned kind)
{
    for (unsigned s = 0; s < 64; s++) {
        bool all = true;
        for (unsigned l = from; l <= to; l++)
            all = all && all_of(l, s, kind);
        tk_rows.second[set][s] |= (unsigned char)(all ? bit : 0);
        tk_rows.third[set][s] |= (unsigned char)bit;
    }
    for (unsigned l = from; l <= to; l++)
        tk_rows.lead[set][l & 63] |= (unsigned char)bit;
}

/* The thirds that are of that kind behind one lead and second. */
static void row_of_thirds(int set, unsigned bit, unsigned lead, unsigned second, unsigned kind)
{
    tk_rows.lead[set][lead & 63] |= (unsigned char)bit;
    tk_rows.second[set][second & 63] |= (unsigned char)bit;
    for (unsigned t = 0; t < 64; t++)
        if (tk_kind[(lead & 15) << 12 | (second & 63) << 6 | t] == kind)
            tk_rows.third[set][t] |= (unsigned char)bit;
}

/* The seconds that are of that kind behind the lead of a character of two bytes; behind
 * any lead all of whose are letters if `lead` is 0. */
static void row_of_pairs(unsigned bit, unsigned lead, unsigned kind)
{
    for (unsigned l = lead ? lead : 0xc2; l <= (lead ? lead : 0xdf); l++) {
        unsigned n = 0;
        for (unsigned s = 0; s < 64; s++)
            n += tk_kind[(l & 31) << 6 | s] == kind;
        if (!lead && n < 64)
            continue;
        tk_rows.lead[TK_ROWS_PAIRS][l & 63] |= (unsigned char)bit;
        for (unsigned s = 0; s < 64; s++)
            if (tk_kind[(l & 31) << 6 | s] == kind)
                tk_rows.second[TK_ROWS_PAIRS][s] |= (unsigned char)bit;
    }
}

static void fill_kinds(void)
{
    for (uint32_t c = 0; c < 0x10000; c++) {
        tk_kind[c] = (unsigned char)tk_kind_of(c);
        tk_bert_kind[c] = (unsigned char)tk_bert_kind_of(c);
    }
    /* Ideographs, Hangul, kana. */
    row_of_blocks(TK_ROWS_LETTERS, 1, 0xe5, 0xe9, TK_KIND_LETTER);
    row_of_blocks(TK_ROWS_LETTERS, 2, 0xeb, 0xec, TK_KIND_LETTER);
    row_of_blocks(TK_ROWS_LETTERS, 4, 0xe4, 0xe4, TK_KIND_LETTER);
    row_of_blocks(TK_ROWS_LETTERS, 8, 0xea, 0xea, TK_KIND_LETTER);
    row_of_blocks(TK_ROWS_LETTERS, 16, 0xed, 0xed, TK_KIND_LETTER);
    row_of_blocks(TK_ROWS_LETTERS, 32, 0xe3, 0xe3, TK_KIND_LETTER);
    row_of_thirds(TK_ROWS_LETTERS, 64, 0xe3, 0x81, TK_KIND_LETTER);
    row_of_thirds(TK_ROWS_LETTERS, 128, 0xe3, 0x82, TK_KIND_LETTER);
    /* Punctuation, symbols, wide forms; kana and iteration marks with exceptions. */
    row_of_blocks(TK_ROWS_MIXED, 1, 0xe2, 0xe2, TK_KIND_OTHER);
    row_of_thirds(TK_ROWS_MIXED, 2, 0xe2, 0x80, TK_KIND_OTHER);
    row_of_thirds(TK_ROWS_MIXED, 4, 0xe3, 0x80, TK_KIND_OTHER);
    row_of_thirds(TK_ROWS_MIXED, 8, 0xef, 0xbc, TK_KIND_OTHER);
    row_of_thirds(TK_ROWS_MIXED, 16, 0xe3, 0x83, TK_KIND_LETTER);
    row_of_thirds(TK_ROWS_MIXED, 32, 0xe3, 0x80, TK_KIND_LETTER);
    row_of_thirds(TK_ROWS_MIXED, 64, 0xef, 0xbc, TK_KIND_LETTER);
    row_of_thirds(TK_ROWS_MIXED, 128, 0xe0, 0xb8, TK_KIND_LETTER); /* Thai */
    /* Latin, Greek, Cyrillic, Arabic. */
    row_of_pairs(1, 0xc2, TK_KIND_OTHER);
    row_of_pairs(2, 0xcc, TK_KIND_OTHER); /* combining marks */
    row_of_pairs(16, 0, TK_KIND_LETTER);
    row_of_pairs(32, 0xc3, TK_KIND_LETTER);
    row_of_pairs(64, 0xce, TK_KIND_LETTER);
    row_of_pairs(128, 0xd9, TK_KIND_LETTER);
}

static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

tk_words_fn *tk_words_level(const char *isa)
{
    pthread_once(&kinds_once, fill_kinds);
    return level_of(isa) < LEVELS ? functions[level_of(isa)].words : NULL;
}

static enum level level_with(tk_words_fn *words)
{
    enum level l = AVX512;
    while (l < SCALAR && functions[l].words != words)
        l++;
    return l;
}

tk_put_fn *tk_put_of(tk_words_fn *words) { return functions[level_with(words)].put; }
tk_pass_fn *tk_pass_of(tk_words_fn *words) { return functions[level_with(words)].pass; }
tk_listed_fn *tk_listed_of(tk_words_fn *words) { return functions[level_with(words)].listed; }
tk_fenced_fn *tk_fenced_of(tk_words_fn *words) { return functions[level_with(words)].fenced; }

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

const char *tk_words_isa(void)
{
    pthread_once(&once, choose);
    return names[best];
}

tk_units_fn *tk_units(void)
{
    pthread_once(&once, choose);
    return functions[best].units;
}
