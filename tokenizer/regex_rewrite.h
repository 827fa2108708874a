/* regex_rewrite.h -- a pattern on its way to PCRE2's syntax; private to regex_syntax.c (the walk, escapes, repetitions),
 * regex_literal.c (characters and sets) and regex_group.c (groups, and what refers to them). */
#ifndef FT_TOKENIZER_REGEX_REWRITE_H
#define FT_TOKENIZER_REGEX_REWRITE_H

#include "tokenizer/regex_syntax.h"

enum { RX_DEPTH = 64 };

struct rx_group {
    size_t begin;            /* where it begins in `out` */
    struct rx_options outer; /* options behind it */
    int extra;               /* brackets to close before it: an option in its middle opens one */
    bool behind, look;
};

struct rx_rewriter {
    struct rx_reader r;
    struct ft_buf out;
    size_t atom; /* where the last atom begins in `out`; SIZE_MAX: there is none to repeat */
    struct rx_group groups[RX_DEPTH];
    int depth, looks, behinds; /* groups open: of all kinds, look-arounds, look-behinds */
    int plain;                 /* open groups that are as if they were not there */
    int highest;               /* back reference */
    bool refers, calls, numbered;
    struct ft_str *names;
    size_t n_names;
    struct ft_buf run; /* characters without regard to case that follow each other */
    bool tiktoken;     /* the pattern is in that one's syntax */
};

/* ---- regex_literal.c ---- */

/* A character that stands for itself. Without regard to case it waits in `run` for its neighbours, with which it may be one letter. */
void rx_literal(struct rx_rewriter *w, uint32_t c);
/* Writes the run: to be called before anything else is written. */
void rx_flush(struct rx_rewriter *w);
int rx_put_set(struct rx_rewriter *w, struct rx_set s);
/* At '['. */
int rx_put_bracket(struct rx_rewriter *w);

/* ---- regex_group.c ---- */

/* At '(', at ')'. */
int rx_open(struct rx_rewriter *w);
int rx_close(struct rx_rewriter *w);
/* Behind \k, behind \g, which is a `call`. */
int rx_reference(struct rx_rewriter *w, bool call);

/* ---- regex_syntax.c ---- */

/* Does a repetition begin at p? */
bool rx_repeats(const struct rx_rewriter *w, const char *p);

#endif
