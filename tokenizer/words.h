/* words.h -- text to the records of a cache, by the splitting rules in common use.
 *
 * The rules are those of scan.h, whose scanner is the oracle: it finds the end of
 * one word at a time, character by character. Here a window of 64 bytes that
 * becomes bit masks, one a class of characters, and the word starts come out of
 * shifts and ands of the masks. The next window begins 61 bytes on: three are enough
 * to look ahead for most that is there, and of what is behind a bit a class. So where
 * a window begins hangs on nothing, and the machine is at the next before it is done
 * with this one. Where 61 bytes do not decide all starts among them the next window begins at
 * the last start that is decided. As the rules look ahead but never back, it needs
 * nothing of the one before, and if none is (a long run of white space) one word is
 * left to the scanner.
 */
#ifndef FT_TOKENIZER_WORDS_H
#define FT_TOKENIZER_WORDS_H

#include "tokenizer/cache.h"
#include "tokenizer/pass.h"
#include "tokenizer/scan.h"

/* Adds the words of p[*at..n) to the cache's records, until these are full or the
 * text is done, and moves *at. */
typedef void tk_words_fn(enum tk_rule rule, struct tk_cache *c, const char *p, size_t n, size_t *at);

/* The fastest one for this machine, or the level that FT_ISA names ("scalar",
 * "avx2", "avx512"), if the machine has it. */
tk_words_fn *tk_words(void);
/* The level's name. */
const char *tk_words_isa(void);
/* For tests: NULL where the machine lacks it. */
tk_words_fn *tk_words_level(const char *isa);

tk_words_fn tk_words_scalar, tk_words_avx2, tk_words_avx512;

/* Adds words that are known: the first begins at p[from], ends[i] is where the i-th ends.
 * Gives how many of the n it took; not all where the records are full or a part is left. `limit`:
 * where the text ends. */
typedef size_t tk_put_fn(struct tk_cache *c, const char *p, size_t from, const uint32_t *ends, size_t n, const char *limit);
/* As tk_words; of the same level as that function. */
tk_put_fn *tk_put_of(tk_words_fn *words);
tk_put_fn tk_put_scalar, tk_put_avx2, tk_put_avx512;
tk_pass_fn *tk_pass_of(tk_words_fn *words);
tk_listed_fn *tk_listed_of(tk_words_fn *words);
tk_fenced_fn *tk_fenced_of(tk_words_fn *words); /* NULL: there is none */

/* What the windows must know of a character beyond ASCII, by code point: filled by
 * the first call of tk_words, tk_words_level or their like. */
enum { TK_KIND_STOP, TK_KIND_LETTER, TK_KIND_OTHER }; /* STOP: white space, numbers */
extern unsigned char tk_kind[0x10000];
unsigned tk_kind_of(uint32_t c);

/* The same by bytes: a character is of a row where a bit is common to the entries of
 * its lead byte, its second and, if it has three, its third, each by its low six bits.
 * Three sets of up to eight rows; the third has characters of two bytes. */
enum { TK_ROWS_LETTERS, TK_ROWS_MIXED, TK_ROWS_PAIRS, TK_ROWS };
enum { TK_ROWS_LETTER = 0xf0, TK_ROWS_OTHER = 0x0f }; /* in the last two sets: bits of rows of this kind */
struct tk_rows {
    unsigned char lead[TK_ROWS][64], second[TK_ROWS][64], third[2][64];
} __attribute__((aligned(64)));
extern struct tk_rows tk_rows;

/* p, or where p[0..n) is less than `size` bytes, these in `near`, zeros behind: so many may be read. */
static inline const unsigned char *tk_padded(const unsigned char *p, size_t n, unsigned char *near, size_t size)
{
    if (n >= size)
        return p;
    memset(near, 0, size);
    memcpy(near, p, n);
    return near;
}

/* Units: stretches of raw text that can be encoded apart from each other, where no
 * rule of scan.h applies. What is between them becomes nothing. */
enum tk_unit {
    TK_UNIT_NONE,
    TK_UNIT_PIECES, /* SentencePiece BPE: cut where no token spans, a space standing for U+2581 */
    TK_UNIT_SPACES, /* what stands between blanks, tabs and line ends */
    TK_UNIT_BERT,   /* the same, and every ASCII punctuation by itself */
};

/* May text be cut beside this character when a gap is on the other side? Not when
 * it makes one grapheme with the gap (normalizers that go by graphemes would see
 * another text): UAX 29 Extend, SpacingMark and Prepend. */
bool tk_unit_edge(uint32_t c);
/* What BERT's pre-tokenizer does with a character beyond ASCII, by code point, filled
 * as tk_kind is: part of a word; a word of its own (ideographs, punctuation); white
 * space between words. */
enum { TK_BERT_WORD, TK_BERT_ALONE, TK_BERT_GAP };
extern unsigned char tk_bert_kind[0x10000];
unsigned tk_bert_kind_of(uint32_t c);
/* As tk_words_fn. For TK_UNIT_PIECES the cache must have a cut. */
typedef void tk_units_fn(enum tk_unit kind, struct tk_cache *c, const char *p, size_t n, size_t *at);
/* As tk_words. */
tk_units_fn *tk_units(void);
tk_units_fn tk_units_scalar, tk_units_avx2, tk_units_avx512;

#endif
