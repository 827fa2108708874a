/* outfile.h -- a file that is there complete or not at all.
 *
 * Bytes go to a temporary name beside it; closing well gives it the real name.
 * A signal that ends the program takes the temporary file along. What is not a
 * regular file (a device, a pipe) cannot be replaced and is written directly; a
 * link is followed; a file that is replaced keeps its mode.
 */
#ifndef FT_PIPELINE_OUTFILE_H
#define FT_PIPELINE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "pipeline/err.h"

struct ft_outfile {
    int fd;
    const char *name; /* as given, "stdout" for none; for messages */
    char *path, *tmp; /* NULL: written directly */
};

/* `path` NULL or "-" is stdout; it must outlive the file. Only one with a
 * temporary name may be open at a time. */
int ft_outfile_open(struct ft_outfile *o, const char *path, struct ft_err *e);
int ft_outfile_write(struct ft_outfile *o, const void *p, size_t n, struct ft_err *e);
/* Closes it: `good` gives it its name, else it vanishes. -1 when that fails. */
int ft_outfile_close(struct ft_outfile *o, bool good, struct ft_err *e);

/* Makes the names in a folder last, after a rename. A file system that refuses to
 * sync a folder is no failure: the rename is still atomic. FT_SYS. */
int ft_sync_folder(const char *dir, struct ft_err *e);

#endif
