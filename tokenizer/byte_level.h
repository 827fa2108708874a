/* byte_level.h -- the byte-level alphabet of GPT-2 (Radford et al., bytes_to_unicode): a printable character for every byte. */
#ifndef FT_TOKENIZER_BYTE_LEVEL_H
#define FT_TOKENIZER_BYTE_LEVEL_H

#include "tokenizer/text.h"

/* The character of a byte: printable ones stand for themselves, the others for U+0100 and up. */
uint32_t tk_byte_char(unsigned char b);
/* The byte of a character, -1: it is none of the alphabet. */
int tk_char_byte(uint32_t c);
/* Writes a piece's bytes as these characters. */
void tk_byte_level(struct tk_work *w, struct tk_piece *p);

#endif
