/* block.h -- where a plan's activations lie, and one decoder block over them.
 *
 *     x -> norm1 -> q,k,v -> (norms) -> rope -> attention -> o -> + x = mid
 *     mid -> norm2 -> gate,up -> act(gate) * up -> down -> + mid = next x
 */
#ifndef FT_TRAINER_BLOCK_H
#define FT_TRAINER_BLOCK_H

#include "trainer/decoder_priv.h"

void ft_layout_free(struct ft_model *m); /* and the gradients that lie in it */

#endif
