/* source.h -- the bytes of the named files, unpacked; private to input.c.
 *
 * What a file is shows in its first bytes: libarchive sees only what begins
 * like something it unpacks, so that plain data is read as it comes and a
 * co-process is never made to wait for a header that will not arrive.
 */
#ifndef FT_PIPELINE_SOURCE_H
#define FT_PIPELINE_SOURCE_H

#include "pipeline/str.h"

struct ft_source;

struct ft_source *ft_source_new(char **files);
/* The next file or archive entry: 1, 0 at the end, -1. Its name lives as long
 * as the source: the path, "stdin", or "archive:entry". */
int ft_source_open(struct ft_source *s, const char **name, struct ft_err *e);
/* At most n bytes of it: > 0, 0 at its end, -1 (FT_SYS, or FT_DATA when the
 * packing is damaged). */
ptrdiff_t ft_source_read(struct ft_source *s, char *p, size_t n, struct ft_err *e);
/* Is the open one a file in an archive, and do these first bytes of it say that
 * it is packed itself? Such a one is not unpacked further. */
bool ft_source_packed_twice(const struct ft_source *s, const char *p, size_t n);
/* Would a read return without waiting? */
bool ft_source_ready(const struct ft_source *s);
/* Sum of the sizes of the named plain files, 0 when one is not known. */
uint64_t ft_source_total(const struct ft_source *s);
void ft_source_free(struct ft_source *s);

#endif
