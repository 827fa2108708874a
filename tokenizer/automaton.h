/* automaton.h -- a splitting rule as a table: one look-up a character.
 *
 * The regex of regex.h, where it is regular: characters, sets, groups, alternatives, greedy
 * repetitions, and a look at the one character ahead. It finds what a backtracking
 * engine finds (the first alternative that fits, not the longest match): a state is
 * the list of positions in the pattern in their order of preference, cut off behind
 * one that has matched. A look-ahead is decided by the character that comes
 * next, so what a step says of a match is of the place in front of that character.
 */
#ifndef FT_TOKENIZER_AUTOMATON_H
#define FT_TOKENIZER_AUTOMATON_H

#include "pipeline/str.h"

struct tk_automaton {  /* immutable, shared by threads */
    uint16_t *step;    /* [state << shift | class]: next state, and TK_STEP_MATCH if a match ends here */
    unsigned shift, states;
    unsigned end;      /* the class of the end of the text */
    uint16_t page[0x110000 >> 7]; /* of a code point's class */
    uint8_t (*kind)[128];
    uint8_t byte[256]; /* the classes of bytes in the byte-level alphabet */
};
enum { TK_STEP_DEAD = 0, TK_STEP_START = 1, TK_STEP_MATCH = 0x8000 };

static inline unsigned tk_automaton_class(const struct tk_automaton *a, uint32_t c)
{
    return a->kind[a->page[c >> 7]][c & 127];
}

/* NULL: it is not regular, too large, or matches nothing at all; PCRE2 has it then. */
struct tk_automaton *tk_automaton_new(struct ft_str regex);
/* One character of which `is` holds. */
struct tk_automaton *tk_automaton_of(bool (*is)(uint32_t c));
/* The string as it stands, n >= 1. */
struct tk_automaton *tk_automaton_string(struct ft_str text);
void tk_automaton_free(struct tk_automaton *a);

/* The end of the match that begins at p[at], at < n; `at` itself: there is none. */
size_t tk_automaton_match(const struct tk_automaton *a, const char *p, size_t n, size_t at);

/* The matches of one text, in at most a multiple of its length. One that looks far ahead and finds
 * nothing (a+b in "aaaa...") looks there again from the next place, and so on: when that comes to more
 * than TK_HUNT_LIMIT, it is kept for each state at every 64th byte that nothing comes of it. */
struct tk_hunt {
    const struct tk_automaton *a;
    const char *p;
    size_t n;
    bool bytes;      /* every byte is a character of the byte-level alphabet */
    size_t spent;    /* bytes looked at behind the ends of matches; all bytes once `dead` is there */
    uint64_t *dead;  /* NULL at first */
    uint16_t *trail; /* the states of the last look */
};
#define TK_HUNT_LIMIT(n) (32 * (n) + 1024)
/* As tk_automaton_match; places at which it is asked do not decrease. */
size_t tk_hunt_match(struct tk_hunt *h, size_t at);
void tk_hunt_end(struct tk_hunt *h);
/* May a match begin with this character? */
static inline bool tk_automaton_starts(const struct tk_automaton *a, unsigned class)
{
    return a->step[TK_STEP_START << a->shift | class] != TK_STEP_DEAD;
}

#endif
