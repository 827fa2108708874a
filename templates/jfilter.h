/* jfilter.h -- the filters of Jinja that jfilter.c does not define itself. */
#ifndef FT_TEMPLATES_JFILTER_H
#define FT_TEMPLATES_JFILTER_H

#include "templates/jiter.h"

#define J_FILTER(name) struct jval ft_jdo_##name(struct jrt *rt, struct jval v, const struct jargs *a)
/* jfilterseq.c: sequences and mappings */
J_FILTER(batch);
J_FILTER(dictsort);
J_FILTER(first);
J_FILTER(groupby);
J_FILTER(items);
J_FILTER(join);
J_FILTER(last);
J_FILTER(list);
J_FILTER(map);
J_FILTER(max);
J_FILTER(min);
J_FILTER(reject);
J_FILTER(rejectattr);
J_FILTER(reverse);
J_FILTER(select);
J_FILTER(selectattr);
J_FILTER(slice);
J_FILTER(sort);
J_FILTER(sum);
J_FILTER(unique);
/* jfilterhtml.c: markup and urls */
J_FILTER(striptags);
J_FILTER(urlencode);
J_FILTER(xmlattr);
/* jurlize.c */
J_FILTER(urlize);
/* jwrap.c */
J_FILTER(pprint);
J_FILTER(wordwrap);

#endif
