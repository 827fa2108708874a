/* side_input.h -- records of files beside the stream: a reference set, replay data.
 *
 * Read like the stream's own input (any packing, --map, --max-record), but not
 * counted in it. A bad line is always an error, --bad or not: these files were
 * chosen by name and are expected to be whole.
 */
#ifndef FT_PIPELINE_SIDE_INPUT_H
#define FT_PIPELINE_SIDE_INPUT_H

#include "pipeline/stream.h"

struct ft_side;

/* `files` is NULL-terminated, not empty, and outlives the side; so do s, whose
 * --map applies, and so. */
struct ft_side *ft_side_new(const struct ft_stream *s, const struct ft_stream_opts *so, char **files);
/* 1 and the next record (valid until the next call), 0, -1. The message names
 * file, line and byte. */
int ft_side_next(struct ft_side *side, struct ft_rec **r, struct ft_err *e);
/* Puts "file:line:byte: " of r before the message of e. Returns -1. */
int ft_side_fail(const struct ft_rec *r, struct ft_err *e);
void ft_side_free(struct ft_side *side);

#endif
