#define WORDS tk_words_avx2
#include "tokenizer/words_kernel.h"
