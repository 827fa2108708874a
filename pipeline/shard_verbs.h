/* shard_verbs.h -- the verbs of ft-shard that need no tokenizer: each is a main
 * of its own, argv[0] being the verb. */
#ifndef FT_PIPELINE_SHARD_VERBS_H
#define FT_PIPELINE_SHARD_VERBS_H

#include "pipeline/cli.h"
#include "pipeline/shard.h"
#include "pipeline/str.h"

int ft_verb_info(int argc, char **argv);
int ft_verb_verify(int argc, char **argv);
int ft_verb_cat(int argc, char **argv);
int ft_verb_export(int argc, char **argv);

int ft_verb_repack(int argc, char **argv);
int ft_verb_remask(int argc, char **argv);
int ft_verb_merge(int argc, char **argv);
int ft_verb_split(int argc, char **argv);

/* What verbs share: opens a set, or prints and exits. */
struct ft_set *ft_verb_open(const struct ft_tool *t, const char *dir);
/* The one folder among the operands. */
struct ft_set *ft_verb_open_one(const struct ft_tool *t, char **args, size_t n);
/* To stdout; empties b. */
void ft_verb_print(struct ft_buf *b);
/* Ends a verb that printed: closes s (may be NULL), prints e. The exit status. */
int ft_verb_done(const struct ft_tool *t, struct ft_set *s, struct ft_buf *b, const struct ft_err *e);

#endif
