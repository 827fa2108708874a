/* mask.h -- which tokens of a row are learnt: one byte a token, 0 or 1.
 *
 * Each rule is a function on such a mask. They know ids and ranges, not records.
 */
#ifndef FT_TEMPLATES_MASK_H
#define FT_TEMPLATES_MASK_H

#include "pipeline/str.h"

struct ft_ids {
    const int32_t *v;
    size_t n;
};

/* A range of tokens that belong to a message (`spans` of a record). */
struct ft_mask_span {
    uint32_t begin, end;
    int32_t message; /* -1: none */
    struct ft_str role;
    bool header; /* the role itself, not what the message says */
};

enum ft_mask_found {
    FT_MASK_FOUND,
    FT_MASK_NO_RESPONSE,    /* the response template is not in the row: nothing is learnt */
    FT_MASK_NO_INSTRUCTION, /* the instruction template is not: nothing is learnt */
    FT_MASK_UNEVEN,         /* both are, but do not take turns: see below */
};

/* The rule of TRL's DataCollatorForCompletionOnlyLM (up to 0.19), with its edges.
 * Without an instruction template (n == 0) what follows the LAST response template
 * is learnt. With one, the i-th instruction is paired with the i-th response in
 * order of position -- from the instruction to the end of the response template
 * nothing is learnt, before the first neither -- and an instruction without
 * response closes the row. When a response comes first, the row's start stands for
 * its instruction. Pairing by number trusts that the two take turns: where they do
 * not (an answer in two turns) the collator learns template text, and so does
 * this, but says FT_MASK_UNEVEN.
 *
 * One deliberate difference: the collator searches in labels whose padding is
 * already -100, so a template or stop token that equals the pad token is lost; here
 * there is no padding. */
enum ft_mask_found ft_mask_templates(struct ft_ids row, struct ft_ids response, struct ft_ids instruction,
                                     unsigned char *mask);

/* Keeps the last turn of what is learnt: the last run of learnt tokens, with the
 * earlier runs that touch the same message. */
void ft_mask_last(unsigned char *mask, size_t n, const struct ft_mask_span *spans, size_t n_spans);

/* Keeps the runs of learnt tokens that belong to one of the roles (a run without
 * any span is the assistant's), and adds the text of other messages of these
 * roles, but for their headers. */
void ft_mask_roles(unsigned char *mask, size_t n, const struct ft_mask_span *spans, size_t n_spans,
                   const struct ft_str *roles, size_t n_roles);

/* The next run of learnt tokens at or behind *at: true and [*begin, *end), with *at
 * moved behind it. */
bool ft_mask_run(const unsigned char *mask, size_t n, size_t *at, size_t *begin, size_t *end);

#endif
