/* chat_json.h -- JSON values made by us, beside those that were parsed.
 *
 * A made value has no `raw`; everything it points to lives in the arena given or
 * is borrowed from the values put into it.
 */
#ifndef FT_TEMPLATES_CHAT_JSON_H
#define FT_TEMPLATES_CHAT_JSON_H

#include "pipeline/json.h"

struct ft_json ft_json_of_str(struct ft_str s);
struct ft_json ft_json_of_bool(bool b);
/* Room for n items or members, to be filled by the caller. */
struct ft_json ft_json_new_array(struct ft_arena *a, size_t n);
struct ft_json ft_json_new_object(struct ft_arena *a, size_t n);
/* {"role": role, "content": content} */
struct ft_json ft_json_message(struct ft_arena *a, const char *role, struct ft_str content);
/* a followed by b; a slice (shares its items). */
struct ft_json ft_json_concat(struct ft_arena *a, const struct ft_json *x, const struct ft_json *y);
struct ft_json ft_json_slice(const struct ft_json *v, size_t from, size_t to);
/* Same value in Python's sense of ==, except that numbers compare as written. */
bool ft_json_same(const struct ft_json *x, const struct ft_json *y);
/* Text of a value, parsed parts as they were written. */
void ft_json_put(struct ft_buf *b, const struct ft_json *v);

#endif
