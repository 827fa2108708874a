/* tokenizer.h -- text to token ids and back, as Hugging Face tokenizers does it.
 *
 * A tokenizer is read from a tokenizer.json (tokenizers 0.23: its whole order of
 * operations -- added tokens on the raw text, normalizer, added tokens that are
 * sought in normalized text, pre-tokenizer, model, post-processor). It is
 * immutable and shared by threads; what changes during a call lives in a state,
 * one a thread. Equal ids, offsets and decoded text are promised for what loads;
 * what cannot be exact is refused by name.
 */
#ifndef FT_TOKENIZER_TOKENIZER_H
#define FT_TOKENIZER_TOKENIZER_H

#include "pipeline/hash.h"
#include "pipeline/str.h"

struct ft_tokenizer;
struct ft_tok_state;

/* `path`: a folder with tokenizer.json, or org/name in the hub cache (pipeline/hub.h), or such a file; or a SentencePiece .model
 * or .tiktoken file, or a folder that has one and no tokenizer.json. Beside it are
 * read, when they are there, tokenizer_config.json, generation_config.json and
 * config.json for the names of the special tokens. */
int ft_tokenizer_load(const char *path, struct ft_tokenizer **out, struct ft_err *e);
/* The same; `split` says how the text of a .tiktoken vocabulary is split: cl100k,
 * o200k, r50k, p50k, gpt2, qwen or a regex. NULL: the file's name says it. */
int ft_tokenizer_load_as(const char *path, const char *split, struct ft_tokenizer **out, struct ft_err *e);
void ft_tokenizer_free(struct ft_tokenizer *t);

struct ft_tok_state *ft_tok_state_new(const struct ft_tokenizer *t);
void ft_tok_state_free(struct ft_tok_state *s);

/* Of a place in the text, as numbers of tokens: the first that begins there or behind it, and the first that ends behind
 * it; where there is none, the one behind the text's last. */
struct ft_tok_place {
    uint32_t begins, ends;
};

struct ft_encoding { /* lives in the state until its next call */
    int32_t *ids;          /* with room for one more behind them */
    uint32_t *begin, *end; /* where each token stands in its text; NULL unless asked for. (0,0) for tokens put in */
    struct ft_tok_place *place; /* [n_marks]: of each mark; NULL: there are none */
    uint32_t *type;        /* type ids (0 first, 1 second sequence, or as the template says); NULL unless asked for */
    size_t n;
    size_t n_prefix, n_suffix; /* special tokens that the post-processor put in front, and behind all text */
    size_t n_cut;          /* tokens that truncation took away */
};

struct ft_tok_range {
    uint32_t begin, end; /* bytes of the text */
};

enum ft_tok_strategy { FT_TOK_LONGEST_FIRST, FT_TOK_ONLY_FIRST, FT_TOK_ONLY_SECOND };

struct ft_encode_opts {
    bool special;  /* let the post-processor add its tokens */
    bool offsets;
    const uint32_t *marks; /* or NULL: sorted places of the text, to be found among the tokens (`place`; ranges.h): quicker */
    size_t n_marks;        /* than offsets. Of one text only */
    bool chars;    /* offsets count characters (code points), not bytes */
    bool types;
    bool no_added; /* find no added tokens in the text: it is all plain */
    const struct ft_tok_range *plain; /* sorted, disjoint: no special token is found that touches one */
    const bool *bare; /* [n_plain], or NULL: of ft_encode_guarded */
    size_t n_plain;
    const struct ft_str *pair; /* a second text; its offsets count from its own start */
    bool truncate;             /* to max_length tokens, special tokens included */
    bool left;                 /* cut at the front of the text, not at its end */
    enum ft_tok_strategy strategy; /* which of two texts is cut */
    size_t max_length;
};

/* `text` must be valid UTF-8 of less than 2 GiB. FT_DATA where the library
 * raises (a character that is not in the vocabulary, and no unknown token). */
int ft_encode(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
              const struct ft_encode_opts *o, struct ft_encoding *out, struct ft_err *e);

/* Byte offsets of one text's tokens to offsets in characters, in place. */
void ft_offsets_to_chars(uint32_t *begin, uint32_t *end, size_t n, struct ft_str text);

/* Appends the text to `out`. Ids that the tokenizer does not have are left out,
 * as the library leaves them out. */
int ft_decode(const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids, size_t n,
              bool skip_special, struct ft_buf *out, struct ft_err *e);

/* -1 when there is none. Added tokens first. */
int64_t ft_token_id(const struct ft_tokenizer *t, struct ft_str token);
/* The token's string as the vocabulary has it; p == NULL for an unused id. */
struct ft_str ft_token_str(const struct ft_tokenizer *t, int64_t id);
bool ft_token_is_special(const struct ft_tokenizer *t, int64_t id);
/* How many of the ids of an encoding are. */
size_t ft_tokenizer_count_special(const struct ft_tokenizer *t, const int32_t *ids, size_t n);
/* Highest id + 1. */
size_t ft_tokenizer_size(const struct ft_tokenizer *t);

/* Ids of the named special tokens of tokenizer_config.json, -1: none. When it
 * names no eos, the eos_token_id of generation_config.json or config.json. */
struct ft_tok_specials {
    int64_t bos, eos, unk, pad;
};
struct ft_tok_specials ft_tokenizer_specials(const struct ft_tokenizer *t);

/* "vocabulary:pipeline": two XXH3-128 digests in hex. The first is over the ids,
 * strings and flags of all tokens, the second over normalizer, pre-tokenizer,
 * model options, merges, post-processor and decoder, keys in sorted order. */
enum { FT_TOK_FINGERPRINT = 32 + 1 + 32 };
const char *ft_tokenizer_fingerprint(const struct ft_tokenizer *t);

/* What the file asks for and is not done unless told: padding, truncation. NULL:
 * nothing. */
const char *ft_tokenizer_asks(const struct ft_tokenizer *t);
/* What tokenizer_config.json says beside it that transformers would follow and `tokenizers`, whose results these are, does
 * not: a class with rules of its own, other added tokens, add_bos_token. NULL: nothing. */
const char *ft_tokenizer_unapplied(const struct ft_tokenizer *t);

/* One line about what was loaded: model type, sizes. */
void ft_tokenizer_describe(const struct ft_tokenizer *t, struct ft_buf *out);

#endif
