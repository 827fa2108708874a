#define WORDS tk_words_avx2
#define PUT tk_put_avx2
#include "tokenizer/words_kernel.h"
#define UNITS tk_units_avx2
#include "tokenizer/units_kernel.h"
