#define WORDS tk_words_avx512
#define PUT tk_put_avx512
#include "tokenizer/words_kernel.h"
#define UNITS tk_units_avx512
#include "tokenizer/units_kernel.h"
