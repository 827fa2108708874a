/* chat_spans.h -- where the bytes of a rendered chat came from, as records say it.
 *
 * `spans` of a record (pipeline/RECORD.md) out of the engine's leaves: neighbours of
 * one message and field become one; text of special-token variables is the
 * template's own and has no span.
 */
#ifndef FT_TEMPLATES_CHAT_SPANS_H
#define FT_TEMPLATES_CHAT_SPANS_H

#include "templates/template.h"

enum { FT_CHAT_UNTRUSTED = 1, FT_CHAT_CHANGED = 2, FT_CHAT_CONTROL = 4 };

struct ft_chat_span {
    uint32_t begin, end;  /* bytes of the text */
    int32_t message;      /* -1: tools, documents, variables */
    int32_t part;         /* index of the part of a content that is an array, else -1 */
    struct ft_str field;  /* "content", "content[1].text", "tool_calls"; the variable's name where message is -1 */
    struct ft_str role;   /* the message's */
    uint32_t flags;       /* FT_CHAT_ */
    bool is_role;         /* the member "role" itself */
    bool repeated;        /* of tool_calls, and printed before */
};

/* Spans of `text` bytes, in the arena. `messages` as given to the render;
 * `trusted` are the names of variables that are the template's own. */
size_t ft_chat_spans(struct ft_render *r, const struct ft_rendered *x, const struct ft_json *messages,
                     const struct ft_var *trusted, size_t n_trusted, struct ft_arena *a, struct ft_chat_span **out);

/* What looks like a token in the template's own text: <think>, [INST]. */
struct ft_chat_controls {
    struct ft_str *v; /* from the template, in the order of its text; freed with free */
    size_t n;
    bool square; /* some begin with [ */
};
struct ft_chat_controls ft_chat_controls(const struct ft_template *t);

/* [[begin,end,message,"field","role",flags],...]. What of untrusted spans spells one of the
 * controls in `text`, be it together with what stands beside them, is an entry of its own
 * with FT_CHAT_CONTROL: whatever the vocabulary says of such a token, it is the template's
 * to write. `line`: of the record; what lies in it is between quotes there. */
void ft_chat_spans_put(struct ft_buf *b, const struct ft_chat_span *v, size_t n, struct ft_str text, const struct ft_chat_controls *c,
                       struct ft_str line);

#endif
