/* pipe_split.h -- a shell pipe cut into its commands.
 *
 * Cuts at each `|` that the shell would take for a pipe: outside quotes,
 * backslashes, parentheses, braces and backquotes. The commands themselves are
 * the shell's to understand.
 */
#ifndef FT_PIPELINE_PIPE_SPLIT_H
#define FT_PIPELINE_PIPE_SPLIT_H

#include "pipeline/str.h"

/* The commands, trimmed, in the arena. FT_USAGE for an empty one, for `||` and
 * `|&` at the top, and for what is not closed. */
int ft_pipe_split(const char *s, struct ft_arena *a, char ***stages, size_t *count, struct ft_err *e);

#endif
