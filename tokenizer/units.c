#include "tokenizer/words.h"

/* The level that every machine has. */
#define UNITS tk_units_scalar
#include "tokenizer/units_kernel.h"
