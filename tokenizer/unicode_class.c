/* unicode_class.c -- what a character is: classes, scripts, and sets too small for a bit of their own. */
#include "tokenizer/unicode.h"

#include "tokenizer/unicode_class_tables.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool in_runs(const uint32_t *v, size_t n, uint32_t c)
{
    size_t lo = 0, hi = n / 2;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (v[2 * mid + 1] < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n / 2 && v[2 * lo] <= c;
}

bool uc_is_accent(uint32_t c) { return in_runs(uc_accent, COUNT(uc_accent), c); }
bool uc_is_control(uint32_t c) { return in_runs(uc_control, COUNT(uc_control), c); }
bool uc_is_bert_mark(uint32_t c) { return in_runs(uc_bert_mark, COUNT(uc_bert_mark), c); }
bool uc_is_attached(uint32_t c) { return c >= 0x300 && in_runs(uc_attached, COUNT(uc_attached), c); }
bool uc_is_prepended(uint32_t c) { return c >= 0x600 && in_runs(uc_prepended, COUNT(uc_prepended), c); }
