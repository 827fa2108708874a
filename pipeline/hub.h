/* hub.h -- models by name, in the local cache of the Hugging Face hub.
 *
 * A model is named by a folder, or by its hub name `org/name` when it is in the
 * local cache; nothing is ever fetched. The cache is $HF_HUB_CACHE, else
 * $HUGGINGFACE_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub,
 * else ~/.cache/huggingface/hub (huggingface_hub's constants.py); in it
 *
 *     models--ORG--NAME/refs/main              the commit
 *     models--ORG--NAME/snapshots/COMMIT/...   the files
 */
#ifndef FT_PIPELINE_HUB_H
#define FT_PIPELINE_HUB_H

#include "pipeline/err.h"

/* The folder of a model: `name` itself when it is one. From malloc. FT_DATA
 * saying where it was sought. */
int ft_hub_folder(const char *name, char **dir, struct ft_err *e);

/* The same where a file will do too (a tokenizer.json): whatever exists, and what is
 * no hub name, is given back as it is, so that opening it says what is wrong. */
int ft_hub_path(const char *name, char **path, struct ft_err *e);

#endif
