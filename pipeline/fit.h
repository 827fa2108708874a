/* fit.h -- what becomes of a document that is longer than a row.
 *
 * Nothing is shortened or left out without being counted here, and a run that
 * would leave out more than a small share fails.
 */
#ifndef FT_PIPELINE_FIT_H
#define FT_PIPELINE_FIT_H

#include "pipeline/shard.h"
#include "pipeline/str.h"

enum ft_overlong { FT_OVERLONG_AUTO, FT_OVERLONG_DROP, FT_OVERLONG_CUT, FT_OVERLONG_SPLIT, FT_OVERLONG_ERROR };
#define FT_OVERLONG_WORDS "auto|drop|cut|split|error"

struct ft_fit {
    int how;             /* enum ft_overlong; auto: plain text and wrapped rows split, all else dropped */
    bool wrapped;        /* rows are cut anywhere */
    bool allow_unlearnt; /* a cut document may have nothing to learn */
    uint64_t length;     /* of a row */
    double max_dropped;  /* share of the documents */
    uint64_t docs, overlong, dropped, tokens; /* seen; longer than a row; dropped; tokens dropped or cut */
};

/* 1: take it, perhaps cut (its runs must be writable); 0: drop it; -1: FT_DATA. */
int ft_fit(struct ft_fit *f, struct ft_doc *d, struct ft_err *e);
/* At the end: FT_DATA when more than the allowed share was dropped. */
int ft_fit_check(const struct ft_fit *f, struct ft_err *e);
/* The manifest's `overlong`. */
void ft_fit_json(const struct ft_fit *f, struct ft_buf *out);

#endif
