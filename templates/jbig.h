/* jbig.h -- integers beyond 64 bits, as Python has them.
 *
 * Sign and magnitude, 32-bit limbs, least first, no leading zero limbs. Results
 * that fit 64 bits come back as J_INT: a J_BIG never does. At most 4300 decimal
 * digits are converted to and from text, CPython's limit; computing stops at
 * J_BIG_BITS, which no chat template comes near.
 */
#ifndef FT_TEMPLATES_JBIG_H
#define FT_TEMPLATES_JBIG_H

#include "templates/jvalue.h"

enum { J_BIG_BITS = 1 << 17 };

struct jbig {
    bool neg;
    uint32_t n;
    uint32_t limb[];
};

struct jval ft_jbig_add(struct jrt *rt, struct jval a, struct jval b, bool subtract);
struct jval ft_jbig_mul(struct jrt *rt, struct jval a, struct jval b);
/* Floor division; b is not zero. Either result may be NULL. */
void ft_jbig_divmod(struct jrt *rt, struct jval a, struct jval b, struct jval *q, struct jval *r);
struct jval ft_jbig_pow(struct jrt *rt, struct jval a, int64_t e); /* e >= 0 */
int ft_jbig_cmp(struct jrt *rt, struct jval a, struct jval b);
int ft_jbig_cmp_float(struct jrt *rt, struct jval a, double f); /* f finite */
bool ft_jbig_negative(struct jval a);
/* Nearest double; raises OverflowError. */
double ft_jbig_float(struct jrt *rt, struct jval a);
/* The integer part of a finite double. */
struct jval ft_jbig_from_float(struct jrt *rt, double f);
/* a / b of integers, correctly rounded as Python's true division; b is not zero. */
double ft_jbig_true_div(struct jrt *rt, struct jval a, struct jval b);
/* Digits in a base of 2..36, lower case, with '-'; raises over 4300 decimal digits. */
struct jstr *ft_jbig_text(struct jrt *rt, struct jval a, int base);
/* Digits (no sign, no prefix, no underscores) in a base. */
struct jval ft_jbig_parse(struct jrt *rt, const char *p, size_t n, int base, bool neg);
/* Ones in the absolute value. */
int64_t ft_jbig_ones(struct jval a);
uint32_t ft_jbig_hash(struct jval a);
unsigned ft_jbig_bits(struct jval a);

#endif
