/* chat_emit.h -- a record in, its rendered forms out: the work of chat-template.
 *
 *   messages             text, spans, learn
 *   prompt               prompt, prompt_spans
 *   prompt, completion   both, each with its spans (also with label); or, jointly, text, spans, learn
 *   pairs                prompt, chosen, rejected, each with its spans
 *
 * pipeline/RECORD.md says what these are.
 */
#ifndef FT_TEMPLATES_CHAT_EMIT_H
#define FT_TEMPLATES_CHAT_EMIT_H

#include "pipeline/explain.h"
#include "templates/chat_setup.h"

struct ft_chat_emit {
    struct ft_chat_setup setup;
    bool keep;        /* the members that were rendered */
    bool convert;     /* messages in TRL's form, nothing rendered */
    bool split_turns; /* a record for each learnt turn, with what came before */
    bool joint;       /* prompt and completion as one text */
    bool in_colour;
    struct ft_explain *shown;
};

struct ft_chat_worker; /* one a thread */
struct ft_chat_worker *ft_chat_worker_new(const struct ft_chat_emit *c);
void ft_chat_worker_free(struct ft_chat_worker *w);

/* Renders a record (with `convert`, w is NULL) and appends its lines to `out`: how many, 0 when it is dropped
 * (counted), -1. */
int ft_chat_emit(const struct ft_chat_emit *c, struct ft_chat_worker *w, struct ft_rec *r, struct ft_buf *out, struct ft_err *e);

#endif
