/* chat_turns.h -- which bytes of a rendered chat are to be learnt.
 *
 * A turn that is learnt runs from the end of the generation prompt to the stop
 * token, inclusive: what the model writes after it is prompted, until it stops.
 * Where the template has {% generation %} blocks these are taken. Otherwise the
 * turn is found from provenance, in the one render of the chat:
 *
 *   begin  Between the end of what was said before and the first byte of the
 *          message stands the template's text. The same text, as the generation
 *          prompt, ends a render of the chat so far: their common prefix is where
 *          the turn begins. That render is done once for each kind of place (roles
 *          before, kind of content, variables), not for each record.
 *   stop   The first stop token behind the last byte of the message, in the
 *          template's text: the token with which the template ends a final turn, or
 *          one that ends generation in the model's configuration, even where the
 *          opening of the next message owns it (GLM stops at <|user|>).
 *   pieces A message whose text lies in several places (other messages between, or
 *          a stop token) has a piece in each; a later piece counts only where the
 *          generation prompt stands before it. So a function's name that is repeated
 *          in the frame of its result is not learnt; nor is it where no stop token
 *          stands between the call and the frame.
 *
 *   frame  Where another's text stands in the midst of a message (a function's result
 *          before the rest of the answer) and nothing stops before it, the piece ends with
 *          the frame of what was said: what the template prints there when the chat ends.
 *
 * Authors of {% generation %} blocks draw them a little otherwise. Templates that TRL
 * patches for training have, as they are, the edges of the patched one, those with
 * blocks the edges of these, all others the exact ones (chat_edges.h). `wide` is what
 * most of TRL's have: also the white space behind the stop token, what the template
 * prints at the end of the text, and a <think> that ends the prompt.
 */
#ifndef FT_TEMPLATES_CHAT_TURNS_H
#define FT_TEMPLATES_CHAT_TURNS_H

#include "templates/chat_render.h"
#include "templates/chat_spans.h"

enum ft_learn_from { FT_LEARN_AUTO, FT_LEARN_GENERATION, FT_LEARN_TURNS };

enum ft_edges_from { FT_EDGES_AUTO, FT_EDGES_EXACT, FT_EDGES_WIDE };

struct ft_learn_rules {
    const struct ft_str *roles; /* whose turns; n_roles == 0: nothing */
    size_t n_roles;
    bool last;                  /* the last of these turns only */
    enum ft_edges_from edges;
    enum ft_learn_from from;
    const struct ft_str *stops; /* tokens that end generation */
    size_t n_stops;
    const struct ft_str *controls; /* special tokens, to tell the stop token in the template's text; may be none */
    size_t n_controls;
};

struct ft_turn {
    uint32_t begin, end; /* bytes of the text */
    int32_t message;
    bool prompted; /* the generation prompt was found before it */
    bool stopped;  /* a stop token ends it */
};

/* Remembers prompts and stop tokens; one a worker. */
struct ft_turn_cache;
struct ft_turn_cache *ft_turn_cache_new(const struct ft_learn_rules *rules);
void ft_turn_cache_free(struct ft_turn_cache *c);

/* The turns of `x`, which `call` rendered with spans, sorted and disjoint; honours
 * the rules and the messages' own `train` or `weight` (true, false; 1, 0), which win
 * over roles, and parts' `train`: false. In the arena. *missed: answers of which nothing is
 * printed, far behind anything said, that were not looked for: each costs a render of the chat
 * so far, and 64 were. */
int ft_turns(struct ft_turn_cache *c, const struct ft_chat_call *call, const struct ft_rendered *x,
             const struct ft_chat_span *spans, size_t n_spans, struct ft_arena *a, struct ft_turn **out, size_t *n,
             size_t *missed, struct ft_err *e);

/* The token with which the template ends a final assistant turn; n == 0: none. */
struct ft_str ft_turn_stop(struct ft_turn_cache *c, const struct ft_chat_call *call, struct ft_arena *a);

#endif
