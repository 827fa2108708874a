/* verify.h -- recorded answers of the library against ours.
 *
 * A golden file is JSON lines (packed or not) with the text in "t" or "text" and
 * any of: "ids" or "input_ids" (without special tokens), "sp" (with them),
 * "off" or "offsets" (in characters, [[begin, end], ...] or flat), "dec" (ids
 * decoded), "skip" (sp, or ids, decoded without special tokens). Rows without
 * text have ids and what they decode to.
 */
#ifndef FT_TOKENIZER_VERIFY_H
#define FT_TOKENIZER_VERIFY_H

#include "tokenizer/tokenizer.h"

struct ft_verify {
    uint64_t rows, wrong; /* wrong: rows of which something differs */
};

/* Appends a line to `out` for each of the first 20 rows that differ: where, what,
 * and the first place at which it does. FT_DATA when the file is no golden. */
int ft_verify_file(const struct ft_tokenizer *t, const char *path, struct ft_verify *v, struct ft_buf *out,
                   struct ft_err *e);

#endif
