/* chat_input.h -- from a record of any known format to conversations.
 *
 * TRL's formats (messages; prompt; prompt and completion; prompt, chosen and
 * rejected; chosen and rejected; prompt, completion and label) are taken as they
 * are: a record whose values are strings is no conversation and passes, as it does
 * there. What others use becomes one of them:
 *
 *   conversations    ShareGPT: {from, value} (human, gpt, system, function_call,
 *                    observation) or {role, content}; with system, tools (a string
 *                    of JSON counts), chosen and rejected, label or kto_tag
 *   instruction      Alpaca: with input, output, system, history, chosen, rejected;
 *                    the question is instruction, newline, input
 *   bad, corrected   correction pairs: a question or text, and as it should be
 *                    (also wrong, incorrect, original; correct, correction, fixed)
 *   messages, label  an unpaired preference for the last answer
 */
#ifndef FT_TEMPLATES_CHAT_INPUT_H
#define FT_TEMPLATES_CHAT_INPUT_H

#include "pipeline/record.h"

enum ft_chat_kind {
    FT_CHAT_PASS,       /* text, or strings: nothing to render */
    FT_CHAT_MESSAGES,   /* messages */
    FT_CHAT_PROMPT,     /* prompt */
    FT_CHAT_COMPLETION, /* prompt, completion; also the unpaired preference */
    FT_CHAT_PAIR,       /* prompt, chosen, rejected */
    FT_CHAT_IMPLICIT,   /* chosen, rejected, each with the prompt in it */
};

enum ft_chat_from { FT_FROM_AUTO, FT_FROM_TRL, FT_FROM_SHAREGPT, FT_FROM_ALPACA, FT_FROM_CORRECTION };

struct ft_chat_rules {
    enum ft_chat_from from;
    bool as_chat;        /* strings are a user's and an assistant's message */
    bool extract_prompt; /* IMPLICIT becomes PAIR, as TRL's DPO trainer does it */
    const char *use; /* "a,b": of TRL's members only these are read, the others go; NULL: all */
    struct ft_str system; /* put in front where there is no system message; p == NULL: none */
};

enum { FT_CHAT_CONSUMED = 16 };
struct ft_chat {
    enum ft_chat_kind kind;
    struct ft_json messages, prompt, completion, chosen, rejected; /* arrays of messages, by kind */
    struct ft_json tools, documents, kwargs; /* array, array, object; or null */
    const char *consumed[FT_CHAT_CONSUMED];  /* members of the record that these replace */
    size_t n_consumed;
    bool no_tools;   /* the record says that it has none: [] */
    bool label_made; /* `label` is to be written (from kto_tag) */
    bool label;
};

/* Reads the record. Values are borrowed from it or made in its arena. FT_DATA with
 * the member at fault. */
int ft_chat_read(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *out, struct ft_err *e);

#endif
