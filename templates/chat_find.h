/* chat_find.h -- where in a rendered chat a message's turn lies, by provenance.
 *
 * The rules are those of chat_turns.h; this is their mechanism.
 */
#ifndef FT_TEMPLATES_CHAT_FIND_H
#define FT_TEMPLATES_CHAT_FIND_H

#include "templates/chat_probe.h"

/* Where a turn begins, from the end of what was said before. */
enum ft_edge {
    FT_EDGE_PROMPT, /* at the end of the generation prompt */
    FT_EDGE_THINK,  /* before a <think> in it */
    FT_EDGE_BREAK,  /* before the line break that ends it */
    FT_EDGE_HEADER, /* where it begins: the header of the answer is learnt */
};

struct ft_edges {
    enum ft_edge begin;
    bool space;             /* white space behind the stop token too */
    bool tail;              /* what the template prints at the end of the text too */
    struct ft_str unlearnt; /* a token that is no stop */
};

/* Where what is said was looked at to find a turn: so many bytes of the text at `at` are those of `tail`. */
struct ft_peek {
    size_t at, same;
    struct ft_str tail;
};

struct ft_finder {
    struct ft_probe *probe;
    const struct ft_learn_rules *rules;
    const struct ft_chat_call *call;
    struct ft_edges edges;
    struct ft_str text, own_stop, middle_stop; /* of ft_probe_stop */
    bool prompted; /* the text ends with a generation prompt */
    const struct ft_chat_span *spans;
    size_t n_spans;
    const uint32_t *first, *last; /* span of each message, roles apart; first > last: none */
    struct ft_arena *a;
    int budget; /* renders that may be spent on messages of which nothing is printed */
    size_t missed; /* such messages that were not looked for any more */
    struct ft_peek *peeks; /* where else than in the template's text the turns were looked for (chat_plan.h) */
    size_t n_peeks, cap_peeks;
    bool stared; /* elsewhere too */
};

struct ft_turn_list {
    struct ft_turn *v; /* in the arena */
    size_t n, cap;
};

/* Appends a turn, unless it is empty. */
void ft_turn_add(struct ft_arena *a, struct ft_turn_list *l, struct ft_turn t);

/* Sets what is counted from call and spans: first, last. */
void ft_finder_index(struct ft_finder *f);

/* Appends the pieces of message i. `prompts`: it is an answer, before which the model
 * is prompted. */
void ft_find_turn(struct ft_finder *f, int32_t i, bool prompts, struct ft_turn_list *out);

#endif
