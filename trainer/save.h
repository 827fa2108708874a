/* save.h -- files that are there whole or not at all.
 *
 * A file is written under `PATH.tmp`, synced, renamed, and its folder synced:
 * a crash at any instant leaves the old file, or the new one, never a part. A
 * folder (a checkpoint) is filled under a name that no reader looks at and
 * renamed when it is complete.
 */
#ifndef FT_TRAINER_SAVE_H
#define FT_TRAINER_SAVE_H

#include "pipeline/hash.h"
#include "pipeline/str.h"

struct ft_save {
    int fd;
    char *path, *tmp;
    struct ft_hasher *hash;
    uint64_t size;
};

/* Starts PATH; `s` needs no initialisation. FT_SYS. */
int ft_save_open(struct ft_save *s, const char *path, struct ft_err *e);
int ft_save_put(struct ft_save *s, const void *p, size_t n, struct ft_err *e);
/* Makes the file valid; *digest (may be NULL) is the XXH3-128 of its bytes. The
 * struct is released in any case; on failure the file was not touched. */
int ft_save_commit(struct ft_save *s, struct ft_digest *digest, struct ft_err *e);
/* Gives up and removes the temporary file. */
void ft_save_abort(struct ft_save *s);

/* The three above in one. */
int ft_save_bytes(const char *path, const void *p, size_t n, struct ft_err *e);
/* Copies a regular file. 1 done, 0 there is no `from`, -1. */
int ft_save_copy(const char *from, const char *to, struct ft_err *e);

/* mkdir; one that is there already is no failure. */
int ft_save_folder(const char *dir, struct ft_err *e);
/* Renames the filled folder `from` to `to`, replacing a folder of that name. */
int ft_save_rename(const char *from, const char *to, struct ft_err *e);
/* Removes a folder with its files (one level: ours have no more). A name that
 * is not there is no failure. */
int ft_save_remove(const char *dir, struct ft_err *e);

/* FT_USAGE when a folder that is to be written is one that is read. */
int ft_save_distinct(const char *out, const char *in, struct ft_err *e);

/* The XXH3-128 and size of a file's bytes. */
int ft_save_digest(const char *path, struct ft_digest *digest, uint64_t *size, struct ft_err *e);

/* "DIR/NAME", from malloc. */
char *ft_path(const char *dir, const char *name);

#endif
