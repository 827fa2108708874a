/* cli_priv.h -- the options of a tool, for cli.c (the command line) and cli_config.c (files, and what was given). */
#ifndef FT_PIPELINE_CLI_PRIV_H
#define FT_PIPELINE_CLI_PRIV_H

#include "pipeline/cli.h"

/* Walks opts, then more: the option behind o (NULL: the first), NULL at the end. */
const struct ft_opt *ft_opt_next(const struct ft_tool *t, const struct ft_opt *o);
/* By name[0..n), without dashes; *off: it is "no-" and the name of a flag. NULL: there is none. */
const struct ft_opt *ft_opt_find(const struct ft_tool *t, const char *name, size_t n, bool *off);
/* Stores a value, which is kept; FT_USAGE names what was expected. */
int ft_opt_set(const struct ft_opt *o, const char *v, struct ft_err *e);

#endif
