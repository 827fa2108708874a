/* chat_probe.h -- what a template prints around a message, by rendering chats like
 * the one at hand.
 *
 * What a template prints in a place depends on roles, on which members the messages
 * have and on its variables, hardly ever on what is said. So each kind of place is
 * rendered once and remembered (chat_facts.h), not once a record.
 */
#ifndef FT_TEMPLATES_CHAT_PROBE_H
#define FT_TEMPLATES_CHAT_PROBE_H

#include "templates/chat_facts.h"
#include "templates/chat_turns.h"

struct ft_probe; /* remembers; one a worker */
struct ft_probe *ft_probe_new(const struct ft_learn_rules *rules);
void ft_probe_free(struct ft_probe *p);
/* To be called for each call that is asked about, or when it has changed. */
void ft_probe_begin(struct ft_probe *p);

/* What is known of the places of chats. */
struct ft_facts *ft_probe_facts(struct ft_probe *p);

/* The prompt before message `to`, where `from` (of the messages before) was the last
 * that said anything. Valid until the next call. */
const struct ft_prompt *ft_probe_prompt(struct ft_probe *p, const struct ft_chat_call *call, size_t from, size_t to,
                                        struct ft_arena *a);
/* The prompt behind a user's only message. */
const struct ft_prompt *ft_probe_plain_prompt(struct ft_probe *p, const struct ft_chat_call *call, struct ft_arena *a);
/* Bytes of the prompt's tail that belong to the message before alone: they are there
 * too where its role speaks again. `from` as in ft_probe_prompt. */
size_t ft_probe_owned(struct ft_probe *p, const struct ft_chat_call *call, size_t from, size_t to, struct ft_str tail,
                      struct ft_arena *a);
/* The generation prompt of it alone. */
struct ft_str ft_prompt_text(const struct ft_prompt *p);

/* The same before a message of which nothing is printed in the chat's text: *at is the byte at
 * which the prompt's tail begins. What is not known yet costs a render of the chat so far; where
 * *budget is spent, the kind of place alone decides, as in ft_probe_prompt. false: nor does that,
 * nothing was said for long. */
bool ft_probe_bare_prompt(struct ft_probe *p, const struct ft_chat_call *call, size_t to, struct ft_str text,
                          const struct ft_chat_span *spans, size_t n_spans, int *budget, struct ft_arena *a, struct ft_prompt *out,
                          size_t *at);

/* The template's text behind what message i says in `field`, where the chat ends with
 * that message; s is what stands there in the chat at hand. */
struct ft_str ft_probe_ending(struct ft_probe *p, const struct ft_chat_call *call, size_t i, struct ft_str field,
                              struct ft_str s, struct ft_arena *a);
/* The token with which the template ends a final answer; n == 0: none. *middle_stop:
 * the one in the midst of a chat, where it is another, else empty. */
struct ft_str ft_probe_stop(struct ft_probe *p, const struct ft_chat_call *call, struct ft_str *middle_stop, struct ft_arena *a);

/* A question, an answer and a question; `parts`: as some templates want them, in parts. */
struct ft_json ft_probe_chat(struct ft_arena *a, bool parts);

/* End of what the messages before `to` (and tools, documents) say before byte
 * `before`; roles and what is behind are not counted. *who: the last of them, or -1. */
size_t ft_said(const struct ft_chat_span *v, size_t n, int32_t to, size_t before, int32_t *who);

/* The first span that ends behind this byte; n: none. */
size_t ft_span_behind(const struct ft_chat_span *v, size_t n, size_t byte);

#endif
