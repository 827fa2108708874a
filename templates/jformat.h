/* jformat.h -- numbers and values as text, for % and str.format. */
#ifndef FT_TEMPLATES_JFORMAT_H
#define FT_TEMPLATES_JFORMAT_H

#include "templates/jvalue.h"

/* Digits of x >= 0 in C's e, f, g or Python's repr ('r'). */
struct jstr *ft_jfloat_digits(struct jrt *rt, double x, char type, int64_t prec, bool alt, bool dot);

/* format(v, spec). */
struct jstr *ft_jformat_value(struct jrt *rt, struct jval v, struct jstr *spec);

#endif
