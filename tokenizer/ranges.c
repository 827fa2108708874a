#include "tokenizer/ranges.h"

/* The first of the tokens [lo, hi) for which v is at least (above: more than) at. Offsets grow from token to token, but for
 * tokens that were trimmed to nothing: these go with what is behind them. */
static size_t first(const struct ft_encoding *x, const uint32_t *v, size_t lo, size_t hi, uint32_t at, bool above)
{
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        size_t m = mid;
        while (m < hi && x->begin[m] >= x->end[m])
            m++;
        if (m == hi || (above ? v[m] > at : v[m] >= at))
            hi = mid;
        else
            lo = m + 1;
    }
    return lo;
}

struct ft_tok_place ft_tok_place_find(const struct ft_encoding *x, uint32_t at)
{
    const size_t lo = x->n_prefix, hi = x->n - x->n_suffix;
    return (struct ft_tok_place){(uint32_t)first(x, x->begin, lo, hi, at, false), (uint32_t)first(x, x->end, lo, hi, at, true)};
}
