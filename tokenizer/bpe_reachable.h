/* bpe_reachable.h -- which tokens of a byte-level BPE merging makes of their own bytes. */
#ifndef FT_TOKENIZER_BPE_REACHABLE_H
#define FT_TOKENIZER_BPE_REACHABLE_H

#include "tokenizer/model.h"

/* is: [n_ids] bytes, 1: the token is made; to be freed. It is right of tokens whose bytes all have an id (raw_id). NULL: it is not
 * told by this (merges are not in the order in which they are needed); then encoding tells.
 *
 * A token T is made by a merge (A, B) when A and B are made of their own bytes and nothing crosses
 * their boundary before. Where each merge has a higher rank than those that made its parts,
 * A and B grow in the order of ranks, and only the tokens that end A and those that begin B,
 * while they last, can be in the way: some look-ups a token, where encoding does n*n. */
struct tk_bpe_reachable {
    char *is;
    /* The pairs whose merges are ever done, where each byte of text has an id, in the order of their numbers; to be freed. If a
     * and b stand side by side and merge, merging their bytes alone comes to the same two and so to the same
     * token: it is the one merge that makes the token of its own bytes. Vocabularies that were made
     * from ranks have two other pairs a token that lead to it and none comes to. */
    struct tk_merge_pair *live;
    size_t n_live;
};
struct tk_bpe_reachable tk_bpe_reachable(const struct tk_model *m);

#endif
