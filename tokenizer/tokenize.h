/* tokenize.h -- the tool `tokenize`: what its files share. */
#ifndef FT_TOKENIZER_TOKENIZE_H
#define FT_TOKENIZER_TOKENIZE_H

#include "pipeline/cli.h"
#include "pipeline/record.h"
#include "pipeline/spans.h"
#include "tokenizer/tokenizer.h"

enum ft_tz_tri { FT_TZ_AUTO, FT_TZ_YES, FT_TZ_NO };
enum ft_tz_boundary { FT_TZ_PREFIX, FT_TZ_START, FT_TZ_OVERLAP, FT_TZ_INSIDE };
enum ft_tz_long { FT_TZ_CUT, FT_TZ_DROP, FT_TZ_ERROR };
enum { FT_TZ_OFFSETS_NONE = -1, FT_TZ_OFFSETS_BYTE, FT_TZ_OFFSETS_CHAR };

/* The command line, and what was made of it. */
struct ft_tz {
    const char *model, *split, *pair, *verify;
    struct ft_list fields;
    const char **read; /* fields and pair, ended by NULL */
    int special, eos, boundary, offsets;
    int side, strategy, too_long;
    uint64_t max_length; /* 0: no limit */
    bool plain_content, types, info, binary;
    int width; /* bytes of an id in frames */
    bool endless; /* nothing ends a text: no end-of-text token is known, nor does the post-processor put one */
    struct ft_tokenizer *tok;
    struct ft_tok_specials ids;
    struct ft_str eos_text;
    struct ft_tok_state **state; /* by worker */
};

/* The tool's ft_map_fn; ctx is a struct ft_tz. */
int ft_tz_map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e);

/* ---- tokenize_spans.c: ranges of bytes to ranges of tokens ---- */

/* A member of ranges of the text, and its places among the marks. All memory is the record's. */
struct ft_tz_spans {
    struct ft_range *v;
    size_t n;
    const uint32_t *mark; /* [2n]: the numbers of the marks at the begin and the end of each */
};
/* 1, 0 there is none, -1. Each lies within the n bytes of the text. */
int ft_tz_spans_read(struct ft_rec *r, const char *key, size_t text_n, struct ft_tz_spans *out, struct ft_err *e);
/* Sets the marks of two lists; gives both together, sorted, *n of them. */
const uint32_t *ft_tz_marks(struct ft_rec *r, struct ft_tz_spans *a, struct ft_tz_spans *b, size_t *n);
/* The tokens of the i-th; learn: of what is learnt, which --boundary treats its own way. */
struct ft_span ft_tz_span(const struct ft_tz *c, const struct ft_tz_spans *s, const struct ft_tok_place *place, size_t i, bool learn);
/* Sets member `key` to the ranges in tokens, of those that are kept; what else an entry holds stays as written. */
void ft_tz_spans_set(const struct ft_tz *c, struct ft_rec *r, const char *key, const struct ft_tz_spans *s,
                     const struct ft_tok_place *place, struct ft_span kept);
/* Which of the spans are untrusted content, as ranges of the text: *n of them, sorted if the
 * spans are; the number of each in *which, and in *bare whether the template knows a token that it spells. */
struct ft_tok_range *ft_tz_untrusted(struct ft_rec *r, const struct ft_tz_spans *s, size_t *n, bool **bare, uint32_t **which);
/* How many special tokens stand in what is untrusted of the spans. */
uint64_t ft_tz_specials_inside(const struct ft_tz *c, const struct ft_tz_spans *s, const uint32_t *which, size_t n,
                               const struct ft_encoding *x);

#endif
