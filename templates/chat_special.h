/* chat_special.h -- special tokens in the text that a template prints: those that the model has,
 * and where no list of them is at hand, what looks like one. */
#ifndef FT_TEMPLATES_CHAT_SPECIAL_H
#define FT_TEMPLATES_CHAT_SPECIAL_H

#include "templates/chat_turns.h"

/* The first of these in s, of those that begin there the longest; n == 0: none. */
struct ft_str ft_first_of(struct ft_str s, const struct ft_str *v, size_t n);
/* The first special token, or what looks like one: <|im_end|>, </s>, [/X]. */
struct ft_str ft_first_special(const struct ft_learn_rules *r, struct ft_str s);
/* n, or less, so that the first n bytes of s end within no such token. */
size_t ft_whole(struct ft_str s, size_t n);
/* The last of them that is whole in s. */
struct ft_str ft_last_special(const struct ft_learn_rules *r, struct ft_str s);

#endif
