#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

bool tk_unit_edge(uint32_t c)
{
    if (!uc_is(c, UC_L | UC_N | UC_P | UC_S) || uc_is(c, UC_M))
        return false;
    return c != 0xff9e && c != 0xff9f && c != 0xe33 && c != 0xeb3 && c != 0xd4e && !(c >= 0x1f3fb && c <= 0x1f3ff) &&
           !(c >= 0x11000 && c < 0x12000);
}

/* The level that every machine has. */
#define UNITS tk_units_scalar
#include "tokenizer/units_kernel.h"
