/* chat_lint.h -- what is doubtful about a template, found by rendering small chats.
 *
 *   - a beginning-of-text token that comes twice, or that the tokenizer adds as well
 *   - an answer without a stop token, or with one that is not learnt or does not end generation
 *   - history that is rewritten when the chat goes on (reasoning taken out): a chat
 *     of several turns then trains on text that no answer was generated behind
 *   - tokens in the template that the vocabulary does not have
 *   - an answer that cannot be told from its prompt
 *   - text that depends on the day
 */
#ifndef FT_TEMPLATES_CHAT_LINT_H
#define FT_TEMPLATES_CHAT_LINT_H

#include "templates/chat_turns.h"

struct ft_chat_lint {
    struct ft_chat_call call;    /* template and variables; messages are ignored */
    size_t n_trusted;            /* of call.vars, the special tokens */
    struct ft_learn_rules rules;
    struct ft_str bos;           /* n == 0: none */
    struct ft_str tokenizer_adds; /* the token that its post-processor puts in front; n == 0: none */
    bool (*has_token)(void *ctx, struct ft_str token); /* NULL: the vocabulary is not known */
    void *ctx;
};

/* Appends a line for each finding and returns their number. */
size_t ft_chat_lint(const struct ft_chat_lint *l, struct ft_buf *out);

#endif
