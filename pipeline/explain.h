/* explain.h -- showing a person which tokens of a row are learnt.
 *
 * Learnt text is green and the rest dim where colour is wanted; otherwise learnt
 * text stands between the marks U+27E6 and U+27E7. Control characters are written
 * as \x1b and the like: data must not steer the terminal of who looks at it.
 */
#ifndef FT_PIPELINE_EXPLAIN_H
#define FT_PIPELINE_EXPLAIN_H

#include "pipeline/str.h"

enum ft_colour { FT_COLOUR_AUTO, FT_COLOUR_ALWAYS, FT_COLOUR_NEVER }; /* in the order of "auto|always|never" */

/* AUTO: fd is a terminal, and NO_COLOR is unset or empty (no-color.org). */
bool ft_explain_colour(enum ft_colour choice, int fd);

/* Appends one run of text, learnt or not. In colour, the ends of learnt lines are
 * shown as U+21B5, since a learnt newline could not be seen. */
void ft_explain_put(struct ft_buf *out, struct ft_str text, bool learnt, bool colour);

/* Shows rows on stderr in the order of their numbers, whichever thread has them
 * ready first. */
struct ft_explain; /* opaque */
/* The first n rows; NULL when n is 0. */
struct ft_explain *ft_explain_new(uint64_t n);
bool ft_explain_wants(const struct ft_explain *x, uint64_t seq); /* x may be NULL */
/* Takes over the text of row `seq` and prints what is due. */
void ft_explain_row(struct ft_explain *x, uint64_t seq, struct ft_buf *text);
/* Prints what waits behind rows that never came (bad lines). */
void ft_explain_free(struct ft_explain *x);

#endif
