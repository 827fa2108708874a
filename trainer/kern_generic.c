#define KERN_ISA "generic"
#define KERN_TABLE ft_kern_generic
#include "trainer/kern.inc"
