/* added.h -- the added tokens of a tokenizer.json: found in the text before all
 * else, in the raw text or, where `normalized` is set, in the normalized one. */
#ifndef FT_TOKENIZER_ADDED_H
#define FT_TOKENIZER_ADDED_H

#include "tokenizer/normalize.h"
#include "tokenizer/prefilter.h"
#include "tokenizer/vocab.h"

struct tk_added_token {
    struct ft_str content;
    struct ft_str text; /* what decoding gives: the content as the normalizer leaves it */
    int32_t id;
    bool special, single_word, lstrip, rstrip, normalized; /* as in the file */
    bool sought; /* in text; else it is only decoded. Of a SentencePiece .model, whose control symbols no text makes */
    bool as_is;  /* of any .model: it is sought in normalized text as it stands */
};

struct tk_added {
    struct ft_arena mem;
    struct tk_added_token *v;
    size_t n;
    struct tk_trie *raw, *norm;  /* values: indexes into v */
    struct tk_prefilter seek_raw, seek_norm; /* where these may begin */
    struct tk_vocab names;       /* content -> index into name_id: by id they would take megabytes of holes */
    int32_t *name_id;
    struct tk_vocab specials;    /* contents of all that were special once */
    int32_t *by_id;              /* index into v by id, -1 */
    size_t n_ids;
    bool any_normalized;
};

/* A token whose content the model has keeps the model's id; the others get
 * ids from the vocabulary's size on, whatever the file says. */
int tk_added_load(struct tk_added *a, const struct ft_json *list, const struct tk_vocab *vocab,
                  size_t vocab_size, const struct tk_normalizer *n, struct ft_err *e);
void tk_added_release(struct tk_added *a);
/* The id of an added token by its content, -1. */
static inline int64_t tk_added_id(const struct tk_added *a, const char *p, size_t n)
{
    const int64_t i = tk_vocab_find(&a->names, p, n);
    return i < 0 ? -1 : a->name_id[i];
}
/* Cuts one piece at the tokens found in it, but at no special one that touches
 * one of the `plain` ranges of the original (sorted, disjoint). */
void tk_added_split(const struct tk_added *a, bool normalized, const struct tk_piece *p,
                    const struct tk_range *plain, size_t n_plain, struct tk_pieces *out);
static inline const struct tk_added_token *tk_added_of(const struct tk_added *a, int64_t id)
{
    return id >= 0 && (size_t)id < a->n_ids && a->by_id[id] >= 0 ? &a->v[a->by_id[id]] : NULL;
}

#endif
