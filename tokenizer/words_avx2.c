#define WORDS tk_words_avx2
#define PUT tk_put_avx2
#include "tokenizer/words_kernel.h"
#define UNITS tk_units_avx2
#include "tokenizer/units_kernel.h"
#define PASS tk_pass_avx2
#define LISTED tk_listed_avx2
#include "tokenizer/pass_kernel.h"
#define FENCED tk_fenced_avx2
#include "tokenizer/fenced_kernel.h"
