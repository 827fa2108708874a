/* chat_edges.h -- how the authors of a template draw its turns.
 *
 * The rule (chat_turns.h) is the same for every template. Authors of {% generation %}
 * blocks draw them a little otherwise, each in a way of his own: with the line break
 * behind the stop token, with the header of the answer, ... Where the blocks are to be
 * met, the way is read off them, or, for the templates that TRL patches for training,
 * known.
 */
#ifndef FT_TEMPLATES_CHAT_EDGES_H
#define FT_TEMPLATES_CHAT_EDGES_H

#include "templates/chat_find.h"

/* The edges of the blocks in TRL's patched version of template t; false: it has none
 * (https://github.com/huggingface/trl, 1.16.0, trl/chat_templates). t is known by its
 * very text, as TRL knows it. */
bool ft_edges_of_trl(const struct ft_template *t, struct ft_edges *out);

/* The edges of t's own blocks, by a question and an answer; false: it has no blocks, or
 * they are drawn in no way that is known here. */
bool ft_edges_of_blocks(const struct ft_finder *f, struct ft_edges *out);

#endif
