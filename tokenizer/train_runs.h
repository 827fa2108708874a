/* train_runs.h -- words and their counts that memory does not hold: sorted runs in a temporary file, and all runs merged.
 *
 * A run is its words in the order of their bytes: length and count as numbers of seven bits a byte, and the bytes.
 */
#ifndef FT_TOKENIZER_TRAIN_RUNS_H
#define FT_TOKENIZER_TRAIN_RUNS_H

#include "pipeline/str.h"

struct tk_counted { /* a word */
    const char *p;
    uint64_t count;
    uint32_t n, hash;
};
/* By bytes, for qsort. */
int tk_counted_cmp(const void *x, const void *y);

struct tk_runs { /* all zero is empty */
    int fd; /* of a file without a name: it is gone when we are, however we end */
    bool open;
    uint64_t *ends; /* of the runs in the file */
    size_t n;
};

/* Writes n words as one run; sorts v. The file is made in the folder `temp`; NULL: $TMPDIR, or /tmp. */
int tk_runs_add(struct tk_runs *t, const char *temp, struct tk_counted *v, size_t n, struct ft_err *e);
void tk_runs_release(struct tk_runs *t);

struct tk_run_merge { /* all zero: ended */
    struct tk_run_reader *r;
    struct tk_run_reader **heap; /* the first word on top */
    size_t n, n_readers;
    struct ft_buf word; /* the one given */
};
/* All runs of n_files files, with about `memory` bytes to read ahead (at least a kilobyte a run). To be ended after a failure too. */
int tk_run_merge_begin(struct tk_run_merge *m, const struct tk_runs *const *file, size_t n_files, uint64_t memory, struct ft_err *e);
/* The next word and its count over all runs, valid until the next call: 1, 0 at the end, -1. */
int tk_run_merge_next(struct tk_run_merge *m, struct tk_counted *out, struct ft_err *e);
void tk_run_merge_end(struct tk_run_merge *m);

#endif
