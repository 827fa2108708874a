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

/* The tokens [*from, *to) of an encoding of ONE text with byte offsets. Tokens
 * that the post-processor put in belong to no range. An empty result stands
 * where the tokens of the range would be. */
void ft_tok_range_find(const struct ft_encoding *x, uint32_t b, uint32_t e, enum ft_tok_boundary how, size_t *from,
                       size_t *to);

#endif
