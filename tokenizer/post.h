/* post.h -- the `post_processor` of a tokenizer.json, worked out at load.
 *
 * What a chain of post-processors does depends on nothing but whether there is
 * one sequence or a pair and whether special tokens are wanted: so each of the
 * four cases becomes a fixed list of special tokens and sequences.
 */
#ifndef FT_TOKENIZER_POST_H
#define FT_TOKENIZER_POST_H

#include "pipeline/json.h"

/* White space at the ends of a token is taken off its offsets. */
struct tk_post_trim {
    bool first; /* the sequence stands at the front of what is trimmed */
    bool prefix_space;
};

enum { TK_POST_A = -1, TK_POST_B = -2 };

struct tk_post_item {
    int32_t id; /* a special token, or TK_POST_A, TK_POST_B */
    uint32_t type;
    struct tk_post_trim *trims; /* of a sequence, one after the other */
    size_t n_trims;
};

struct tk_post_program {
    struct tk_post_item *v;
    size_t n;
    const char *error; /* NULL, or why this case cannot be had */
};

struct tk_post {
    struct tk_post_program of[2][2]; /* [pair][special] */
    size_t added[2];                 /* [pair]: tokens that truncation leaves room for */
    bool trims;                      /* some program trims */
};

/* Memory from `mem`. A null `j` gives the sequences as they are. */
int tk_post_load(const struct ft_json *j, struct ft_arena *mem, struct tk_post *out, struct ft_err *e);

/* White-space characters (and byte-level spaces) at the ends of a token. */
void tk_post_spaces(struct ft_str token, uint32_t *lead, uint32_t *trail);
/* Takes so much white space at a token's ends off its offsets, character by character of the text; front: it is the
 * sequence's first. */
void tk_post_take(const struct tk_post_item *it, bool front, struct ft_str text, uint32_t lead, uint32_t trail, uint32_t *b,
                  uint32_t *e);

#endif
