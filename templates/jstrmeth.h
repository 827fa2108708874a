/* jstrmeth.h -- what the methods of str do, for the filters that do the same.
 *
 * Every result keeps the origin of the bytes it took over. */
#ifndef FT_TEMPLATES_JSTRMETH_H
#define FT_TEMPLATES_JSTRMETH_H

#include "templates/jvalue.h"

enum jstr_case { J_CASE_UPPER, J_CASE_LOWER, J_CASE_FOLD, J_CASE_TITLE, J_CASE_CAPITALIZE, J_CASE_SWAP };
struct jstr *ft_jstr_case(struct jrt *rt, struct jstr *s, enum jstr_case how);
/* sides: 1 left, 2 right, 3 both; set NULL: whitespace. Keeps Markup. */
struct jstr *ft_jstr_strip(struct jrt *rt, struct jstr *s, const struct jstr *set, int sides);
/* The first or last place of sub in [p, end), or NULL. */
const char *ft_jstr_find(struct jrt *rt, const char *p, const char *end, const struct jstr *sub, bool last);
struct jstr *ft_jstr_replace(struct jrt *rt, struct jstr *s, const struct jstr *old, const struct jstr *new, int64_t count);
/* sep NULL: whitespace; max < 0: no limit. A list; pieces keep Markup. */
struct jval ft_jstr_split(struct jrt *rt, struct jstr *s, const struct jstr *sep, int64_t max, bool right);
struct jval ft_jstr_lines(struct jrt *rt, struct jstr *s, bool keep);
/* escape: the items are escaped and may be anything; else they are strings. */
struct jstr *ft_jstr_join(struct jrt *rt, const struct jstr *sep, const struct jval *v, size_t n, bool escape);
/* side: '<', '>' or '^'; fill: one code point. */
struct jstr *ft_jstr_pad(struct jrt *rt, struct jstr *s, int64_t width, char side, struct jstr *fill);
/* The arguments of a method of Markup, in order; false for one that is str's own. */
bool ft_jmarkup_bind(struct jrt *rt, int attr, const struct jargs *a, struct jval room[3], struct jargs *out);
struct jstr *ft_jstr_translate(struct jrt *rt, struct jstr *s, struct jval table);
struct jval ft_jstr_maketrans(struct jrt *rt, const struct jargs *a);
bool ft_jstr_islower(const struct jstr *s);
bool ft_jstr_isupper(const struct jstr *s);
struct jval ft_jformat_map(struct jrt *rt, struct jstr *fmt, struct jval map);
struct jstr *ft_jstriptags(struct jrt *rt, struct jstr *s);
struct jstr *ft_jhtml_unescape(struct jrt *rt, struct jstr *s);

#endif
