/* ranges.h -- which tokens belong to a range of the text's bytes. */
#ifndef FT_TOKENIZER_RANGES_H
#define FT_TOKENIZER_RANGES_H

#include "tokenizer/tokenizer.h"

/* A token that stands for bytes [begin, end) of the text belongs to the range
 * [b, e) when ... */
enum ft_tok_boundary {
    FT_TOK_START,   /* it begins in it: b <= begin < e. Ranges that touch share no token */
    FT_TOK_OVERLAP, /* it has a byte in it: begin < e and end > b */
    FT_TOK_INSIDE,  /* all of it lies in it: b <= begin and end <= e */
};

/* Where a place of the text stands in an encoding of ONE text with byte offsets;
 * what ft_encode says of its marks. Tokens that the post-processor put in belong to
 * no range, and those whose white space was all trimmed off go with what is behind them. */
struct ft_tok_place ft_tok_place_find(const struct ft_encoding *x, uint32_t at);

/* The tokens [*from, *to) of the range from place b to place e. An empty result stands
 * where the tokens of the range would be. */
static inline void ft_tok_range_of(struct ft_tok_place b, struct ft_tok_place e, enum ft_tok_boundary how, size_t *from, size_t *to)
{
    *from = how == FT_TOK_OVERLAP ? b.ends : b.begins;
    *to = how == FT_TOK_INSIDE ? e.ends : e.begins;
    if (*to < *from)
        *to = *from;
}

#endif
