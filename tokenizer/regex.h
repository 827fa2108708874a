/* regex.h -- the splitting rules of tokenizer.json, exactly.
 *
 * Those files are written for Oniguruma over Unicode 16. PCRE2 runs them here,
 * but with its own, older tables it would split other characters; so every class
 * (\p{L}, \s, \w, ...) is written out as its ranges before compiling, and what
 * the two engines mean differently is rewritten (regex_syntax.c): letters that
 * without regard to case are several (ß and ss), escapes, options, calls. Refused
 * by name are \X, \y, absent operators, callouts, (?y), (?C), (?I), (?L), look-behinds
 * without a fixed length, \K in a look-around, back references without regard to case.
 */
#ifndef FT_TOKENIZER_REGEX_H
#define FT_TOKENIZER_REGEX_H

#include "pipeline/str.h"

struct tk_regex; /* immutable, shared by threads */
struct tk_automaton;

struct tk_regex *tk_regex_new(struct ft_str pattern, struct ft_err *e);
/* The same in the syntax of tiktoken's rules (fancy-regex): a{2,3}+ is possessive, ^ and $ are the ends of the text. */
struct tk_regex *tk_regex_new_tiktoken(struct ft_str pattern, struct ft_err *e);
void tk_regex_free(struct tk_regex *re);

/* The pattern as PCRE2 gets it, appended: characters are \x{1f}, sets [\x{1}-\x{5}...],
 * names of classes are gone. For other engines (automaton.h). */
int tk_regex_plain(struct ft_str pattern, struct ft_buf *out, struct ft_err *e);

/* Per-thread matching state. */
struct tk_matcher;
struct tk_matcher *tk_matcher_new(void);
void tk_matcher_free(struct tk_matcher *m);

/* The same as a table, which this thread keeps: NULL where the pattern is none (automaton.h). `re` is of `source`, and stays until m goes. */
const struct tk_automaton *tk_matcher_table(struct tk_matcher *m, const struct tk_regex *re, struct ft_str source);

/* The next match in p[0..n) at or behind `from`: 1 with [*b, *e), 0, -1 when a
 * limit was hit. p is valid UTF-8. */
int tk_regex_find(const struct tk_regex *re, struct tk_matcher *m, const char *p, size_t n, size_t from,
                  size_t *b, size_t *e, struct ft_err *err);

#endif
