/* chat_render.h -- one conversation through a template, prepared as transformers
 * prepares it.
 *
 * apply_chat_template of transformers 5.23 hands a template not quite what the user
 * wrote: members that are null are left out of messages, reasoning gets its aliases
 * (thinking, reasoning_content), the final message to be continued a tag at which
 * the text is then cut, and tools and documents are always defined.
 */
#ifndef FT_TEMPLATES_CHAT_RENDER_H
#define FT_TEMPLATES_CHAT_RENDER_H

#include "templates/template.h"

struct ft_chat_call {
    const struct ft_template *t;
    uint64_t template_id;                    /* tells t from templates that were freed before; 0 where none is */
    const struct ft_json *messages;          /* an array */
    const struct ft_json *tools, *documents; /* NULL or null: none */
    const struct ft_json *kwargs;            /* an object of variables, or NULL; wins over `vars` */
    const struct ft_var *vars;               /* special tokens, then the user's */
    size_t nvars;
    bool generation_prompt;
    struct ft_str continue_field; /* n > 0: continue the final message at this member */
    bool fixed; /* generation_prompt and continue_field stand, whatever kwargs say */
    bool keep_nulls; /* as render_jinja_template alone does, without a tokenizer */
    const struct tm *now;
    bool spans;
    struct ft_render_limits limits; /* of the template; 0: the engine's own */
};

/* Renders with state r; memory for what is made from a, which must live as long as
 * `out` is used. FT_DATA with transformers' message. */
int ft_chat_render(struct ft_render *r, const struct ft_chat_call *c, struct ft_arena *a, struct ft_rendered *out,
                   struct ft_err *e);

/* Is this member of chat_template_kwargs an argument of apply_chat_template rather
 * than a variable of the template? */
bool ft_chat_is_argument(struct ft_str name);

#endif
