#define WORDS tk_words_avx512
#include "tokenizer/words_kernel.h"
