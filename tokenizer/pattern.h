/* pattern.h -- what a Replace, a Split and a decoder's Replace look for: {"String": s} or {"Regex": r}. */
#ifndef FT_TOKENIZER_PATTERN_H
#define FT_TOKENIZER_PATTERN_H

#include "pipeline/json.h"
#include "tokenizer/regex.h"
#include "tokenizer/text.h"

struct tk_pattern { /* immutable */
    struct ft_str text;     /* String */
    struct tk_regex *regex; /* Regex; NULL where it is a String */
    struct ft_str source;   /* the regex as written */
    struct tk_automaton *group; /* of (?=(\d{3})+(?!\d)), which cuts numbers from their ends: its \d; else NULL */
    unsigned every;             /* and its 3 */
};

/* Strings are copied into `mem`; the regex is released by tk_pattern_release, also after a failure.
 * {"ft:tiktoken": r}, of our own making, is a regex in the syntax of tiktoken's rules. */
int tk_pattern_load(const struct ft_json *j, struct ft_arena *mem, struct tk_pattern *out, struct ft_err *e);
void tk_pattern_release(struct tk_pattern *p);
/* All matches in p[0..n), sorted and disjoint, in memory of `mem`. Empty ones count, but not one where the last match ends. */
int tk_pattern_find(const struct tk_pattern *pat, struct tk_matcher *m, struct ft_arena *mem, const char *p,
                    size_t n, struct tk_match **out, size_t *count, struct ft_err *e);

#endif
