/* regex_case.c -- letters that differ by case alone, for classes of a regex and for what is written in one. */
#include "tokenizer/regex_case_tables.h"
#include "tokenizer/regex_set.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The first entry of rx_case, which is sorted, from letter c on. */
static size_t case_from(uint32_t c)
{
    size_t lo = 0, hi = COUNT(rx_case);
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (rx_case[mid].a < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct rx_set rx_set_cases(struct ft_arena *mem, struct rx_set x)
{
    size_t more = 0;
    for (size_t k = 0; k < x.n; k++)
        more += case_from(x.v[k].b + 1) - case_from(x.v[k].a);
    struct rx_set s = {FT_NEWS(mem, struct rx_range, more), 0};
    for (size_t k = 0; k < x.n; k++)
        for (size_t i = case_from(x.v[k].a); i < COUNT(rx_case) && rx_case[i].a <= x.v[k].b; i++)
            s.v[s.n++] = (struct rx_range){rx_case[i].b, rx_case[i].b};
    return rx_set_or(mem, x, s);
}

size_t rx_several_count(void) { return COUNT(rx_several); }

size_t rx_several_of(size_t i, uint32_t *letter, uint32_t to[3])
{
    *letter = rx_several[i].letter;
    memcpy(to, rx_several[i].to, sizeof rx_several[i].to);
    return to[2] ? 3 : 2;
}
