/* shard.h -- reading a set of shards (SHARD.md has the bytes).
 *
 * Files are mapped, not read. Opening checks the manifest's checksum, every
 * header, trailer and footer, and that the parts fit together; a block's own
 * checksum is checked when a document of it is first asked for, so that a large
 * set opens at once and no damaged token is ever used. Errors name file and
 * byte. Not for concurrent use; documents stay valid until ft_set_close.
 */
#ifndef FT_PIPELINE_SHARD_H
#define FT_PIPELINE_SHARD_H

#include "pipeline/json.h"

enum ft_doc_kind { FT_DOC_TEXT, FT_DOC_SFT, FT_DOC_PREFERENCE, FT_DOC_UNPAIRED, FT_DOC_PROMPT, FT_DOC_KINDS };
extern const char *const ft_doc_kind_names[FT_DOC_KINDS];

enum { /* flags of a run */
    FT_RUN_LEARN = 1,
    FT_RUN_PROMPT = 2,
    FT_RUN_COMPLETION = 4,
    FT_RUN_DESIRABLE = 8,
    FT_RUN_ROLE_SHIFT = 8,
    FT_RUN_MESSAGE_SHIFT = 16,
};

enum { FT_ROLES = 6 };
extern const char *const ft_role_names[FT_ROLES]; /* "": none; the last is "other" */

struct ft_run {
    uint32_t end, flags; /* end: first token behind the run, from the document's start */
};

struct ft_doc {
    uint64_t id; /* number in the set */
    enum ft_doc_kind kind;
    const void *tokens; /* [n] of `width` bytes each, little-endian */
    int width;
    uint32_t n;
    uint32_t prompt, chosen; /* preference: tokens of the prompt, of the chosen branch */
    const struct ft_run *runs;
    uint32_t n_runs;
    unsigned char uid[16];
    struct ft_str source, file; /* names; empty: none */
    uint64_t line, bytes;
};

struct ft_piece { /* a part of a document in a row */
    uint64_t doc;
    uint32_t start, length;
};

enum ft_strategy { FT_PACK_NONE, FT_PACK_BFD, FT_PACK_WRAPPED };
extern const char *const ft_strategy_names[3];

struct ft_set_info {
    uint64_t docs, tokens, learn, bytes;
    uint64_t kinds[FT_DOC_KINDS];
    uint64_t vocab_size; /* 0: unknown */
    struct ft_str tok;   /* fingerprint, empty: unknown */
    bool sealed;
    int shards;
    uint64_t rows, pieces, row_learn; /* of the plan */
    uint64_t length, window;
    enum ft_strategy strategy;
    struct ft_str checksum;     /* of the manifest: the set's identity */
    const struct ft_json *manifest;
};

struct ft_set;

/* FT_DATA when the folder has no manifest, and when what is there is damaged or of
 * another version; FT_SYS when a file cannot be read. *out is the caller's to close. */
int ft_set_open(const char *dir, struct ft_set **out, struct ft_err *e);
void ft_set_close(struct ft_set *s); /* NULL is fine */
const struct ft_set_info *ft_set_info(const struct ft_set *s);

/* Document i < docs. FT_DATA when its block is damaged. */
int ft_set_doc(struct ft_set *s, uint64_t i, struct ft_doc *out, struct ft_err *e);
/* Tokens [start, start + n) as int32. */
void ft_doc_tokens(const struct ft_doc *d, uint32_t start, uint32_t n, int32_t *out);
/* Flags of the same tokens. */
void ft_doc_flags(const struct ft_doc *d, uint32_t start, uint32_t n, uint32_t *out);

/* Row i < rows: its pieces, copied to out[max]; each lies in its document, whose
 * block is checked; a pair is a whole row. */
int ft_set_row(struct ft_set *s, uint64_t i, struct ft_piece *out, size_t max, size_t *n, uint32_t *learn,
               struct ft_err *e);
/* The most pieces a row has: size the array above by it. */
size_t ft_set_row_max(const struct ft_set *s);

/* Every checksum, every id below vocab_size, every row of the plan. */
int ft_set_verify(struct ft_set *s, struct ft_err *e);

#endif
