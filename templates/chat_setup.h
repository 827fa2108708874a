/* chat_setup.h -- what a run of chat-template renders with: the templates, the
 * variables, the clock, what is learnt.
 *
 * The template is chosen as transformers chooses it: by the user's word, else the
 * model's tool_use where there are tools, else its default. A record may bring its own
 * (chat_template in its chat_template_kwargs), a name in the model's folder or a text.
 */
#ifndef FT_TEMPLATES_CHAT_SETUP_H
#define FT_TEMPLATES_CHAT_SETUP_H

#include "pipeline/cli.h"
#include "templates/chat_input.h"
#include "templates/chat_model.h"
#include "templates/chat_spans.h"
#include "templates/chat_turns.h"
#include "templates/family.h"

enum ft_chat_nulls { FT_NULLS_AUTO, FT_NULLS_KEEP, FT_NULLS_DROP };

struct ft_chat_compiled {
    struct ft_template *t;
    uint64_t id;     /* ft_chat_call's; never the same for two */
    char digest[33]; /* XXH3-128 of its text */
    struct ft_chat_controls controls;
};

struct ft_chat_setup {
    /* options, as given */
    const char *model, *template, *tools_file, *documents_file, *date, *system, *continue_field, *roles;
    struct ft_list kwargs, stop_tokens;
    bool generation_prompt, continue_final, last_turn;
    int nulls, learn_from, edges;
    struct ft_chat_rules input;

    /* what they come to */
    struct ft_arena mem;
    struct ft_chat_model folder;
    struct ft_chat_compiled main, with_tools; /* with_tools.t is NULL where the folder has no tool_use */
    bool tools_only; /* tool_use is there and no default: main is it, and records without tools are refused */
    struct ft_json tools, documents;
    struct ft_var *vars; /* special tokens, then --kwarg */
    size_t nvars, n_trusted;
    struct ft_learn_rules learn;
    struct tm now;
};

/* Loads the model's folder, where one is given. */
int ft_chat_setup_model(struct ft_chat_setup *s, struct ft_err *e);
/* The rest; `bare`: nothing is rendered, no template is needed. FT_USAGE for an option
 * that makes no sense. */
int ft_chat_setup(struct ft_chat_setup *s, bool bare, struct ft_err *e);
void ft_chat_setup_release(struct ft_chat_setup *s);

/* The text of a template: a name in the model's folder, a file, or a bundled style, in
 * this order. *family: the bundled one, or NULL. */
int ft_chat_find_text(struct ft_chat_setup *s, const char *name, struct ft_str *text, const struct ft_family **family, struct ft_err *e);
/* "template 'NAME': line 3: ..." */
int ft_chat_compile(const char *name, struct ft_str text, struct ft_chat_compiled *out, struct ft_err *e);
void ft_chat_compiled_release(struct ft_chat_compiled *c);

#endif
