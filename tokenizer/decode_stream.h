/* decode_stream.h -- text as ids come, a few at a time.
 *
 * A token may be part of a character, and what it decodes to may depend on its
 * neighbours (spaces, "##"). So a piece of text is given out once it ends with
 * whole characters, by the rule of tokenizers' DecodeStream: the ids of the last
 * piece are decoded again together with what follows, and the difference is new.
 */
#ifndef FT_TOKENIZER_DECODE_STREAM_H
#define FT_TOKENIZER_DECODE_STREAM_H

#include "tokenizer/tokenizer.h"

struct ft_decode_stream { /* all zero is the start */
    int32_t *ids;
    size_t n, cap, shown; /* the first `shown` of them are given out as `prefix` */
    struct ft_buf prefix, text;
};

/* Takes ids and appends what is new to `out`; nothing while a character is not
 * complete. FT_DATA when the text given out no longer stands. */
int ft_decode_step(struct ft_decode_stream *d, const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids,
                   size_t n, bool skip_special, struct ft_buf *out, struct ft_err *e);
/* Appends what was held back, with U+FFFD for what never became a character, and
 * starts anew. */
int ft_decode_finish(struct ft_decode_stream *d, const struct ft_tokenizer *t, struct ft_tok_state *s, bool skip_special,
                     struct ft_buf *out, struct ft_err *e);
void ft_decode_stream_release(struct ft_decode_stream *d);

#endif
