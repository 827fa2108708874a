/* chat_input_priv.h -- what the formats of chat_input.h share: one file each, chat_input_trl.c, _sharegpt.c, _alpaca.c. */
#ifndef FT_TEMPLATES_CHAT_INPUT_PRIV_H
#define FT_TEMPLATES_CHAT_INPUT_PRIV_H

#include "templates/chat_input.h"
#include "templates/chat_json.h"

/* ---- members ---- */

/* Its type; null where it is absent. */
static inline enum ft_json_type ft_chat_type(struct ft_rec *r, const char *key)
{
    if (!ft_rec_may_have(r, key))
        return FT_JSON_NULL;
    struct ft_str raw;
    enum ft_json_type type = FT_JSON_NULL;
    return ft_rec_find(r, key, &raw, &type, NULL) > 0 ? type : FT_JSON_NULL;
}

/* There and not null. A member that occurs twice is there: reading it will fail. */
static inline bool ft_chat_has(struct ft_rec *r, const char *key)
{
    if (!ft_rec_may_have(r, key))
        return false;
    struct ft_str raw;
    enum ft_json_type type = FT_JSON_NULL;
    const int k = ft_rec_find(r, key, &raw, &type, NULL);
    return k < 0 || (k > 0 && type != FT_JSON_NULL);
}

static inline bool ft_chat_is_bool(enum ft_json_type t) { return t == FT_JSON_TRUE || t == FT_JSON_FALSE; }

/* A member of the wanted type, which the chat replaces: 1, 0 absent or null, -1. */
int ft_chat_take(struct ft_rec *r, struct ft_chat *c, const char *key, enum ft_json_type type, struct ft_json *out, struct ft_err *e);
/* The chat replaces this member. */
void ft_chat_consume(struct ft_chat *c, const char *key);
/* tools, documents, chat_template_kwargs. `wrap`: bare functions become {"type": "function", ...}. */
int ft_chat_extras(struct ft_rec *r, struct ft_chat *c, bool wrap, struct ft_err *e);
/* The byte of an error in a string within the record is not one of the record. Returns -1. */
int ft_chat_not_here(struct ft_err *e, const char *where);

/* ---- messages ---- */

/* An array of one. */
struct ft_json ft_chat_one(struct ft_arena *a, struct ft_json message);
/* chosen or rejected: a string, one turn, or an array of them. */
int ft_chat_branch(struct ft_rec *r, const char *key, struct ft_json *out, struct ft_err *e);
/* The last answer of `all` and what is before it become completion and prompt; `label` judges it. */
int ft_chat_unpaired(struct ft_rec *r, struct ft_chat *c, const struct ft_json *all, const char *label, struct ft_err *e);

/* ---- formats, each as ft_chat_read ---- */

int ft_chat_trl(struct ft_rec *r, const struct ft_chat_rules *rules, struct ft_chat *c, struct ft_err *e);
int ft_chat_sharegpt(struct ft_rec *r, struct ft_chat *c, struct ft_err *e);
/* `may_pair`: chosen and rejected count. */
int ft_chat_alpaca(struct ft_rec *r, struct ft_chat *c, bool may_pair, struct ft_err *e);
/* The names of a correction pair; false: the record is none. */
bool ft_chat_correction_names(struct ft_rec *r, const char **bad, const char **good);
int ft_chat_correction(struct ft_rec *r, struct ft_chat *c, const char *bad, const char *good, struct ft_err *e);

#endif
