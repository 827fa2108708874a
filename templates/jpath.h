/* jpath.h -- what filters take as `attribute`: a dotted path, or an integer (jinja2.filters.make_attrgetter). */
#ifndef FT_TEMPLATES_JPATH_H
#define FT_TEMPLATES_JPATH_H

#include "templates/jvalue.h"

struct jpart {
    struct jval name;
    int attr; /* its number in jattrs.h */
};
struct jpath { /* n == 0: the item itself */
    struct jpart *part;
    uint32_t n;
};

/* An argument that is there; one that is there and not none. */
static inline bool ft_jgiven(struct jval v) { return v.tag != J_MISSING; }
static inline bool ft_jset(struct jval v) { return v.tag != J_MISSING && v.tag != J_NONE; }
static inline bool ft_jflag(struct jrt *rt, struct jval v) { return ft_jgiven(v) && ft_jtrue(rt, v); }

struct jpath ft_jpath_of(struct jrt *rt, struct jval attribute);
/* What stands there in an item; `dflt`, where set, for what is undefined on the way. */
struct jval ft_jpath_get(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt);
/* The same as a key to order and compare by: strings in lower case unless `sensitive`. */
struct jval ft_jpath_key(struct jrt *rt, const struct jpath *p, struct jval item, struct jval dflt, bool sensitive);
struct jval ft_jignore_case(struct jrt *rt, struct jval v);

#endif
