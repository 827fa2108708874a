#ifdef __x86_64__
#define KERN_ISA "avx512"
#define KERN_TABLE ft_kern_avx512
#include "trainer/kern.inc"
#else
typedef int kern_none; /* no empty unit in C */
#endif
