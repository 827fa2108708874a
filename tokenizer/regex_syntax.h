/* regex_syntax.h -- a pattern in the syntax of Oniguruma, as PCRE2 gets it. */
#ifndef FT_TOKENIZER_REGEX_SYNTAX_H
#define FT_TOKENIZER_REGEX_SYNTAX_H

#include "tokenizer/regex_set.h"

/* Appends the pattern: characters are \x{1f}, sets [\x{1}-\x{5}...], names of classes and
 * options are gone. `tiktoken`: it is in that one's syntax (fancy-regex). */
int rx_plain(struct ft_str pattern, bool tiktoken, struct ft_buf *out, struct ft_err *e);

static inline bool rx_one_of(const char *set, char c) { return c && strchr(set, c); }

/* ---- regex_class.c: what stands for one character ---- */

struct rx_options {
    bool i, m, x;          /* no case; the dot takes newlines; white space is no pattern */
    bool w, d, s, p;       /* words, digits, spaces, all classes that POSIX names are of ASCII */
};

struct rx_reader {
    const char *p, *end;
    struct ft_arena mem;
    struct rx_options o;
    int captures; /* so far */
    struct ft_err *e;
};

/* No character: \x{d800}, \x{110000}. */
enum { RX_NEVER = 0x110000 };

int rx_refuse(struct rx_reader *r, const char *what);
/* At a backslash: the characters that the escape stands for (\x{41 42}: several), appended to
 * *codes: 1; 0 when it stands for something else. In brackets fewer letters do. */
int rx_escaped(struct rx_reader *r, bool bracket, struct ft_buf *codes);
/* At an escape that stands for a set: 1; 0 when it does not. */
int rx_escaped_set(struct rx_reader *r, bool bracket, struct rx_set *out);
/* At '['. `several`: what of it without regard to case may also be several letters. */
int rx_bracket(struct rx_reader *r, struct rx_set *out, struct rx_set *several);
/* \w outside of brackets, and what \b goes by. */
struct rx_set rx_word(struct rx_reader *r);

#endif
