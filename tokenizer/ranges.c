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

void ft_tok_range_find(const struct ft_encoding *x, uint32_t b, uint32_t e, enum ft_tok_boundary how, size_t *from,
                       size_t *to)
{
    const size_t lo = x->n_prefix, hi = x->n - x->n_suffix;
    *from = how == FT_TOK_OVERLAP ? first(x, x->end, lo, hi, b, true) : first(x, x->begin, lo, hi, b, false);
    *to = how == FT_TOK_INSIDE ? first(x, x->end, lo, hi, e, true) : first(x, x->begin, lo, hi, e, false);
    if (*to < *from)
        *to = *from;
}
