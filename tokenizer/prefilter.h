/* prefilter.h -- where in a text one of some strings may begin: a filter over the first
 * two bytes, 32 places at a time where the machine can. */
#ifndef FT_TOKENIZER_PREFILTER_H
#define FT_TOKENIZER_PREFILTER_H

#include "pipeline/str.h"

struct tk_prefilter { /* all zero: no strings */
    bool any;
    unsigned char first_lo[16], first_hi[16]; /* by half byte: which upper halves are there */
    unsigned char second_lo[16], second_hi[16];
    uint64_t pair[1024]; /* a bit for every two bytes that may begin a string */
};

/* Adds a string of n >= 1 bytes. */
void tk_prefilter_add(struct tk_prefilter *s, const char *p, size_t n);
/* The first place at or behind `at` where a string may begin, or n. */
size_t tk_prefilter_next(const struct tk_prefilter *s, const char *p, size_t n, size_t at);

#endif
