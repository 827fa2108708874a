/* shard_write.h -- writing a set of shards (SHARD.md has the bytes).
 *
 * Documents stream to disk in blocks; memory is one block, one window of the
 * plan, and the names. Nothing is valid before ft_writer_commit: a crash at any
 * instant leaves a folder without a manifest, or with the set that was there
 * before. The folder is locked as long as the writer lives.
 */
#ifndef FT_PIPELINE_SHARD_WRITE_H
#define FT_PIPELINE_SHARD_WRITE_H

#include "pipeline/shard.h"

struct ft_writer_opts {
    uint64_t length;             /* of a row */
    enum ft_strategy strategy;
    uint64_t window;             /* documents a bfd window */
    uint64_t shard_bytes;        /* a new shard from here on */
    uint64_t vocab_size;         /* decides the token width; 0: 4 bytes */
    bool force;                  /* replace an existing set, which stays until the new one is complete */
};

struct ft_writer;

/* FT_DATA when `dir` holds a set: for a program that wants to know before it
 * reads its input. */
int ft_writer_is_free(const char *dir, struct ft_err *e);
/* Makes the folder. FT_DATA when it holds a set and !force. */
int ft_writer_new(const char *dir, const struct ft_writer_opts *o, struct ft_writer **out, struct ft_err *e);

/* FT_DATA unless all ids of the document are in a vocabulary of this size; 0: below 2^31. */
int ft_writer_check(const struct ft_doc *d, uint64_t vocab_size, struct ft_err *e);
/* Tokens are of either width, and checked; runs cover them; source and file are
 * copied. One longer than `length` is split among rows, but stays one document. */
int ft_writer_add(struct ft_writer *w, const struct ft_doc *d, struct ft_err *e);

/* What the manifest says besides what the writer counts: raw JSON values. */
struct ft_writer_facts {
    struct ft_str tok, tpl, lineage, overlong; /* "null" or a JSON value each */
    bool sealed;
};
/* Ends the set. Frees w in any case. `info` may be NULL. */
int ft_writer_commit(struct ft_writer *w, const struct ft_writer_facts *f, struct ft_set_info *info, struct ft_err *e);
/* Gives up: removes what was written. */
void ft_writer_abort(struct ft_writer *w);

#endif
