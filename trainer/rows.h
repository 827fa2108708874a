/* rows.h -- the rows of a set as training takes them: which, in which order,
 * as micro-batches.
 *
 * Rows are those of the set's packing plan. A row may lose pieces: a share of
 * the documents is held out for evaluation, chosen by a hash of the document's
 * uid (of its tokens where it has none), so that the same text is always on the
 * same side, whatever the seed, the packing or the order. A row that loses all
 * its pieces is no row.
 *
 * The order of an epoch is a pure function of (set, seed, epoch, index):
 * nothing has to be remembered to enter it anywhere.
 */
#ifndef FT_TRAINER_ROWS_H
#define FT_TRAINER_ROWS_H

#include "pipeline/shard.h"
#include "trainer/decoder.h"

enum ft_side_of { FT_ROWS_ALL, FT_ROWS_TRAIN, FT_ROWS_HELD };

struct ft_rows {
    struct ft_set *set; /* borrowed */
    enum ft_side_of side;
    unsigned char *held; /* a bit a document; NULL: none is held out */
    uint64_t *row;       /* numbers of rows in the plan */
    uint64_t n;          /* rows */
    uint64_t docs;       /* documents on this side */
    uint64_t tokens, targets;
    uint64_t masked_docs; /* documents of which not every token is learnt */
    uint64_t sft_docs, stop_docs; /* of kind sft; those whose last learnt token is a stop token */
    uint64_t last_docs;  /* of kind sft: those whose last learnt token is the commonest such token, */
    int32_t last;        /* which is this one; -1: there is none */
    uint32_t max_row, max_piece; /* tokens of the longest row, of the longest piece of one */
    uint64_t key;        /* of the set, for orders */
    struct ft_piece *pieces; /* room for one row */
    size_t max_pieces;
};

/* Looks at every document once, and so checks every block. `share` of them, 0 to
 * 1, are held out. FT_DATA for damage, for kinds of documents that are no text
 * with a mask, and for an id that the model does not have. `c` also names the
 * stop tokens; `dir` is for messages. */
int ft_rows_init(struct ft_rows *r, struct ft_set *set, const char *dir, enum ft_side_of side, double share,
                 const struct ft_config *c, struct ft_err *e);
void ft_rows_release(struct ft_rows *r);

/* The set's vocabulary against that of a tokenizer, by fingerprint ("vocabulary:
 * pipeline"; empty when the tokenizer could not be read). FT_DATA naming both when
 * the vocabularies differ. *note: what to warn of, an empty string for nothing. */
int ft_rows_vocabulary(const struct ft_set_info *info, const char *dir, const char *fingerprint, const char *owner,
                       struct ft_err *note, struct ft_err *e);

/* FT_DATA when a document of `b` is in `a` too, by uid (by tokens where there is
 * none): evaluating on what was learnt says nothing. Names the first. */
int ft_rows_disjoint(const struct ft_rows *a, const struct ft_rows *b, struct ft_err *e);

/* Is document i on this side? */
bool ft_rows_has(const struct ft_rows *r, uint64_t doc);

/* The row that stands at place i < n of an epoch. */
uint64_t ft_rows_at(const struct ft_rows *r, bool shuffled, uint64_t seed, uint64_t epoch, uint64_t i);

/* ---- micro-batches ---- */

/* One batch's arrays, reused; release accepts all-zero. */
struct ft_feed {
    struct ft_batch batch;
    int32_t *tokens, *targets, *positions, *segment;
    uint64_t *document;
    uint64_t *doc; /* [segments] number of the segment's document */
    size_t cap, cap_segments;
    int64_t n_targets;
    uint32_t *flags; /* room */
};

/* Empties the batch. */
void ft_feed_start(struct ft_feed *f);
/* Adds row `row` of the plan: its pieces on this side. */
int ft_feed_add(struct ft_feed *f, struct ft_rows *r, uint64_t row, uint64_t epoch, struct ft_err *e);
/* Makes `batch` valid for what was added. */
void ft_feed_end(struct ft_feed *f);
void ft_feed_release(struct ft_feed *f);

/* Targets and tokens in a row on this side, without making a batch. */
int ft_rows_count(struct ft_rows *r, uint64_t row, uint64_t *targets, uint64_t *tokens, struct ft_err *e);

#endif
