/* weights.h -- a model's parameters out of safetensors, and back. */
#ifndef FT_TRAINER_WEIGHTS_H
#define FT_TRAINER_WEIGHTS_H

#include "pipeline/hash.h"
#include "trainer/decoder.h"
#include "trainer/safetensors.h"

/* What a config says about tying against what the file holds, as transformers'
 * tie_weights: a tied model of which both tables are stored and differ is not
 * tied. True when `c` was changed. */
bool ft_weights_tie(const struct ft_st *s, struct ft_config *c);

/* Loads every parameter of the base. A tied table may be stored under either
 * name. FT_DATA naming the tensor that is missing, has another shape or type,
 * holds a value that is no number, or that the model does not have. `s` must
 * outlive the model unless `own` (ft_model_load). */
int ft_weights_load(struct ft_model *m, const struct ft_st *s, bool own, struct ft_err *e);

/* XXH3-128 over names, types, shapes and bytes of all tensors: what tells one
 * base from another. */
struct ft_digest ft_weights_digest(const struct ft_st *s);

/* Writes the base's parameters as float32, or as the types they have in `like`
 * (NULL: float32), rounded to the nearest, ties to even. */
int ft_weights_save(struct ft_model *m, const char *path, const struct ft_st *like, struct ft_err *e);

#endif
