/* chat_text.h -- small cuts of borrowed text, for those who look for turns. */
#ifndef FT_TEMPLATES_CHAT_TEXT_H
#define FT_TEMPLATES_CHAT_TEXT_H

#include <string.h>

#include "pipeline/str.h"

/* s[from, to), empty where that runs backwards (text printed out of order). */
static inline struct ft_str ft_cut(struct ft_str s, size_t from, size_t to)
{
    return (struct ft_str){s.n ? s.p + from : s.p, to > from ? to - from : 0};
}

/* Bytes with which both begin. */
static inline size_t ft_common(struct ft_str x, struct ft_str y)
{
    const size_t n = x.n < y.n ? x.n : y.n;
    size_t i = 0;
    for (uint64_t a, b; i + 8 <= n; i += 8) {
        memcpy(&a, x.p + i, 8), memcpy(&b, y.p + i, 8);
        if (a != b)
            break;
    }
    while (i < n && x.p[i] == y.p[i])
        i++;
    return i;
}

/* NULL where it is not, or nothing is sought. */
static inline const char *ft_find(struct ft_str s, struct ft_str what)
{
    return what.n && s.n >= what.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
}

static inline bool ft_is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static inline struct ft_str ft_trim(struct ft_str s)
{
    while (s.n && ft_is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n && ft_is_blank(*s.p)) {
        s.p++;
        s.n--;
    }
    return s;
}

#endif
