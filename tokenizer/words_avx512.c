#define WORDS tk_words_avx512
#define PUT tk_put_avx512
#include "tokenizer/words_kernel.h"
#define UNITS tk_units_avx512
#include "tokenizer/units_kernel.h"
#define PASS tk_pass_avx512
#define LISTED tk_listed_avx512
#include "tokenizer/pass_kernel.h"
#define FENCED tk_fenced_avx512
#include "tokenizer/fenced_kernel.h"
