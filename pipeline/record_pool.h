/* record_pool.h -- the records of some files, in any order.
 *
 * Opening reads everything once: it validates every record and notes where it
 * is, 16 bytes a record. Plain JSON lines in a regular file are later read from
 * that file; anything else (packed, an array, CSV, a pipe) is first copied to
 * an unnamed temporary file, one line a record.
 */
#ifndef FT_PIPELINE_RECORD_POOL_H
#define FT_PIPELINE_RECORD_POOL_H

#include "pipeline/stream.h"

struct ft_pool;

/* Arguments as for ft_side_new; `temp` is the folder for temporary files (NULL:
 * $TMPDIR, or /tmp). NULL on failure; the message names file and line. */
struct ft_pool *ft_pool_open(const struct ft_stream *s, const struct ft_stream_opts *so, char **files,
                             const char *temp, struct ft_err *e);
uint64_t ft_pool_count(const struct ft_pool *p);
/* Record i < count, valid until the next read, with --map applied. */
int ft_pool_read(struct ft_pool *p, uint64_t i, struct ft_rec **r, struct ft_err *e);
void ft_pool_free(struct ft_pool *p);

#endif
