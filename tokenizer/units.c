#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

bool tk_unit_edge(uint32_t c)
{
    if (!uc_is(c, UC_L | UC_N | UC_P | UC_S) || uc_is(c, UC_M))
        return false;
    return c != 0xff9e && c != 0xff9f && c != 0xe33 && c != 0xeb3 && c != 0xd4e && !(c >= 0x1f3fb && c <= 0x1f3ff) &&
           !(c >= 0x11000 && c < 0x12000);
}

unsigned char tk_bert_kind[0x10000];

unsigned tk_bert_kind_of(uint32_t c)
{
    /* Not all white space: some of it may join a mark behind it, or is dropped. */
    if (c == 0x3000)
        return TK_BERT_GAP;
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) || uc_is(c, UC_PUNCT)
               ? TK_BERT_ALONE
               : TK_BERT_WORD;
}

/* The level that every machine has. */
#define UNITS tk_units_scalar
#include "tokenizer/units_kernel.h"
