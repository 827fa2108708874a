/* base64.h -- bytes as RFC 4648's base64, and back. */
#ifndef FT_TOKENIZER_BASE64_H
#define FT_TOKENIZER_BASE64_H

#include "pipeline/str.h"

/* Appends the text of s, padded. */
void tk_base64_put(struct ft_buf *out, struct ft_str s);
/* Appends the bytes of `text`, up to its first '='; -1 for what is no digit, with
 * a part of them appended. */
int tk_base64_get(struct ft_buf *out, struct ft_str text);

#endif
