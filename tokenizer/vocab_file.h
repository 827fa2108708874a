/* vocab_file.h -- vocabularies that are not tokenizer.json: SentencePiece .model files and .tiktoken ranks.
 *
 * Both become the text of a tokenizer.json, with a few kinds of our own in it (names that begin with "ft:"), so that all that reads one
 * (loading, fingerprints) reads them. The reference of a .model is the sentencepiece library, of a .tiktoken file the tiktoken library.
 */
#ifndef FT_TOKENIZER_VOCAB_FILE_H
#define FT_TOKENIZER_VOCAB_FILE_H

#include "pipeline/json.h"

/* What a tree of a tokenizer.json goes without (ft_json_parse_but), ended by NULL: what is read from its text. */
extern const char *const tk_large[];

/* The vocabulary file of a folder: tokenizer.json, else tokenizer.model or another name that SentencePiece models have, else the only
 * .tiktoken file. The name that is missed when there is none of them. */
void tk_file_in(const char *dir, char *path, size_t room);
/* Is it JSON? By the file's first bytes; true for one that is not there. */
bool tk_file_is_json(const char *path);
/* A file's bytes, in one of the formats, as the tree of a tokenizer.json, which may point into them. `split`: for .tiktoken, or
 * NULL: by its name. Messages begin with the path. */
int tk_file_parse(const char *path, struct ft_str bytes, const char *split, struct ft_arena *mem, struct ft_json *out, struct ft_err *e);

/* A SentencePiece model (protobuf). FT_DATA for what is damaged, and by name for
 * what is not supported. */
int tk_sentencepiece_json(struct ft_str bytes, struct ft_buf *json, struct ft_err *e);

/* Lines of base64 and rank. `split`: as for ft_tokenizer_load_as (tokenizer.h). */
int tk_tiktoken_json(struct ft_str bytes, const char *split, struct ft_buf *json, struct ft_err *e);
/* The splitting rule that a file's name tells, or NULL. */
const char *tk_tiktoken_split_of(const char *path);

#endif
