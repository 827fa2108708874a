/* json_scan.h -- the steps of the JSON scanner, shared by the flat scan and the
 * tree parser; private to json*.c. Each step starts at s->p and leaves it
 * behind what it read; -1 with FT_DATA and the byte. */
#ifndef FT_PIPELINE_JSON_SCAN_H
#define FT_PIPELINE_JSON_SCAN_H

#include "pipeline/json.h"

struct ft_scan {
    const char *begin, *p, *end;
    struct ft_err *e;
};

static inline void ft_scan_space(struct ft_scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}
/* At a quote. *escaped: it has a backslash. */
int ft_scan_string(struct ft_scan *s, bool *escaped);
/* At a minus sign or a digit. */
int ft_scan_number(struct ft_scan *s, bool *is_float);
/* true, false, null; anything else fails. */
int ft_scan_word(struct ft_scan *s, enum ft_json_type *type);
/* A member name with its colon and the space behind it. */
int ft_scan_key(struct ft_scan *s, struct ft_str *inside, bool *escaped);
/* Only whitespace is left. */
int ft_scan_end(struct ft_scan *s);

#endif
