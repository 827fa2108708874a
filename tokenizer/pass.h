/* pass.h -- a part of a pre_tokenizer as one pass over text: bits where pieces begin.
 *
 * A part cuts every piece that came to it at the matches of its pattern. Here all text goes by
 * at once: where pieces begin is a bit a byte, and a pass adds its own to those of the parts
 * before, in front of which its automaton (automaton.h) begins anew as at the text's beginning and end.
 *
 * Text is units, one behind the other: matches, and where none begins single characters (gaps);
 * what kinds two neighbours are of says whether a piece begins between them, by the behavior. The
 * table has for each state and class what the next state is and what happens in front of the character.
 * It says that a piece begins when a unit does, as if that became a match; where an automaton dies
 * and its last match was earlier, or none, the pass goes back there.
 *
 * Most characters change nothing: a letter behind a letter. Classes are put together in groups
 * (all that begin a text alike), and within a run of a group a state may be settled: whatever
 * of that group comes, it stays, and nothing happens. So only where a group ends, and behind an
 * unsettled state, a step is taken: vectors find these places, 64 bytes at a time.
 */
#ifndef FT_TOKENIZER_PASS_H
#define FT_TOKENIZER_PASS_H

#include "tokenizer/automaton.h"
#include "tokenizer/prefilter.h"

enum tk_behavior { TK_REMOVED, TK_ISOLATED, TK_WITH_PREVIOUS, TK_WITH_NEXT, TK_CONTIGUOUS };

struct tk_pass { /* immutable */
    const struct tk_automaton *a;
    const struct tk_prefilter *seek; /* of what may begin a match, if little does; else NULL */
    bool bytes; /* every byte is a character of the byte-level alphabet */
    unsigned shift; /* a row has 1 << shift entries, the upper half for characters in front of which a piece begins */
    unsigned states; /* the automaton's, TK_PASS_GAP for its dead one, and one more: behind a match */
    uint32_t *to;   /* [row + class]: the next row */
    uint8_t *event; /* of that step: enum tk_pass_event */
    uint8_t class[256]; /* of bytes, or of the characters that begin with one, where all have the same */
    uint8_t group[256]; /* likewise, else TK_PASS_MIXED; TK_PASS_BLIND: pieces that begin within a run of it change nothing */
    /* Characters of three bytes, most of those of East Asia, of one of two classes: of a row where a bit is common to the
     * entries of its bytes, each by its low six bits; the bits of the rows of a class. */
    uint8_t row_lead[64], row_second[64], row_third[64], row_bits[2], row_class[2], row_group[2];
};
enum tk_pass_event {
    TK_PASS_CUT = 1,   /* a piece begins in front of the character */
    TK_PASS_UNIT = 2,  /* a unit begins there, maybe a match */
    TK_PASS_MATCH = 4, /* a match may end there, or later */
    TK_PASS_STOP = 8,  /* it ended earlier, or there is none */
    TK_PASS_ALERT = 16, /* the state is not settled */
    TK_PASS_FLIP = 32, /* of the unit: where it becomes a gap, CUT is not what was said */
    TK_PASS_STEP = 128, /* always */
};
enum { TK_PASS_GAP = 0, TK_PASS_MIXED = 0x3f, TK_PASS_BLIND = 0x40 };

/* `a` and `seek` must outlive it; not TK_REMOVED. NULL: too many classes. */
struct tk_pass *tk_pass_new(const struct tk_automaton *a, const struct tk_prefilter *seek, enum tk_behavior how, bool invert, bool bytes);
void tk_pass_free(struct tk_pass *t);

/* Adds the pass's bits to starts[0 .. (n + 63) / 64), of which bit 0 is set. False: it went back too
 * often (TK_HUNT_LIMIT), and the bits are not right. */
typedef bool tk_pass_fn(const struct tk_pass *t, const char *p, size_t n, uint64_t *starts);
tk_pass_fn tk_pass_scalar, tk_pass_avx2, tk_pass_avx512;

/* The bits of starts[*word .. words) as a list, as far as it has room for 64 more; moves *word, gives how many. */
typedef size_t tk_listed_fn(const uint64_t *starts, size_t *word, size_t words, uint32_t *list, size_t room);
tk_listed_fn tk_listed_scalar, tk_listed_avx2, tk_listed_avx512;

/* As tk_pass_fn for TK_RULE_GPT2, by vectors; behind the last of the words of `starts` another may be read. */
typedef void tk_fenced_fn(const char *p, size_t n, uint64_t *starts);
tk_fenced_fn tk_fenced_avx2, tk_fenced_avx512;

#endif
