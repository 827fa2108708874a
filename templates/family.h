/* family.h -- the templates that come with the program, one a style.
 *
 * Their texts are templates/family/NAME.jinja, put into the program when it is
 * built. Each is written for this project; what it prints equals what the models of
 * that style were trained on for plain chats (templates/family/README.md says where
 * they differ). The tokens serve where no model folder names them.
 */
#ifndef FT_TEMPLATES_FAMILY_H
#define FT_TEMPLATES_FAMILY_H

#include "pipeline/str.h"

struct ft_family {
    const char *name, *about;
    const char *bos, *eos; /* NULL: none */
    struct ft_str text;
};

/* By name, or NULL. */
const struct ft_family *ft_family_find(const char *name);
/* The i-th, or NULL behind the last. */
const struct ft_family *ft_family_at(size_t i);

#endif
