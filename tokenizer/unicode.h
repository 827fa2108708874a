/* unicode.h -- character classes and normal forms, as Hugging Face tokenizers
 * computes them (unicode_tables.py says why that is a database of its own). */
#ifndef FT_TOKENIZER_UNICODE_H
#define FT_TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of a class word; the order is that of unicode_tables.py. */
enum {
    UC_LU = 1 << 0, UC_LL = 1 << 1, UC_LT = 1 << 2, UC_LM = 1 << 3, UC_LO = 1 << 4,
    UC_MN = 1 << 5, UC_M = 1 << 6, UC_ND = 1 << 7, UC_N = 1 << 8, UC_P = 1 << 9, UC_S = 1 << 10,
    UC_SPACE = 1 << 11,
    UC_WORD = 1 << 12,   /* of the Whitespace pre-tokenizer and of added tokens: \w of Rust's regex crate */
    UC_PUNCT = 1 << 13,  /* the Punctuation and BERT pre-tokenizers' own notion */
    UC_DIGIT = 1 << 14,  /* the Digits pre-tokenizer's: Rust's is_numeric */
    UC_HAN = 1 << 15,
    UC_L = UC_LU | UC_LL | UC_LT | UC_LM | UC_LO,
};

extern const uint16_t uc_class_index[], uc_class_data[];

/* The class word of a code point below 0x110000. */
static inline unsigned uc_class(uint32_t c) { return uc_class_data[uc_class_index[c >> 7] * 128u + (c & 127)]; }
static inline bool uc_is(uint32_t c, unsigned classes) { return (uc_class(c) & classes) != 0; }

/* The script by the UnicodeScripts pre-tokenizer's count; 0 goes with every other. */
extern const uint16_t uc_script_index[];
extern const uint8_t uc_script_data[];
static inline int uc_script(uint32_t c) { return uc_script_data[uc_script_index[c >> 7] * 128u + (c & 127)]; }

/* Canonical combining class. */
int uc_ccc(uint32_t c);
/* Full decompositions; 0 when c stays itself, else the length written (<= 18). */
int uc_decompose(uint32_t c, bool compat, uint32_t *out);
/* The primary composite of a pair, or 0. */
uint32_t uc_compose(uint32_t a, uint32_t b);
/* Is the text (valid UTF-8) in NFC for certain? No where a character composes
 * with what stands before it, even if here it does not. */
bool uc_is_nfc(const char *p, size_t n);

/* Rust's char::to_lowercase: at most 3 characters; 0 when c stays itself. */
int uc_lower(uint32_t c, uint32_t *out);

/* Does the StripAccents normalizer drop it? */
bool uc_is_accent(uint32_t c);
/* Does BertNormalizer drop it as a control character; as an accent? */
bool uc_is_control(uint32_t c);
bool uc_is_bert_mark(uint32_t c);
/* Does a grapheme cluster go on with it; behind it? */
bool uc_is_attached(uint32_t c);
bool uc_is_prepended(uint32_t c);

#endif
