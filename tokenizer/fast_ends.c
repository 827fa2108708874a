/* Metaspace with no WhitespaceSplit in front of it (NLLB and other multilingual Unigrams), behind a
 * normalizer that makes blanks of all white space between units, and one of several.
 *
 * In the middle of a text it is as if it were split at white space. At the ends it is not: a blank there
 * is a mark of its own, unless it is stripped, and what vanishes, or is a mark itself, leaves one or saves
 * one. So both ends are looked at: where they are characters that are known by themselves, all is told; else
 * what stands there, up to a gap between such characters, goes the slow way. */
#include "tokenizer/fast_state.h"

static bool is_gap(uint32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* What becomes of the character: text, blanks, or it is not known by itself. */
enum what { TEXT, BLANK, UNKNOWN };

static enum what what(struct tk_fast_state *s, const char *p, int *len)
{
    const uint32_t x = tk_char_get(p, len);
    if (is_gap(x))
        return BLANK;
    const unsigned n = x > 0xffff ? TK_CHAR_SLOW : tk_chars_at(s->chars, &s->work, s->matcher, x)->n;
    return n <= TK_CHAR_MAX ? TEXT : n == TK_CHAR_SPACE ? BLANK : UNKNOWN;
}

static enum what what_before(struct tk_fast_state *s, const char *p, size_t at, size_t *begin)
{
    int len;
    do
        at--;
    while (at && ((unsigned char)p[at] & 0xc0) == 0x80);
    *begin = at;
    return what(s, p + at, &len);
}

/* Begins the text, blanks left out, with two characters that are known, or one that is all? */
static bool front_is_known(struct tk_fast_state *s, const char *p, size_t n)
{
    int len;
    size_t at = 0;
    enum what x = BLANK;
    for (; at < n && x == BLANK; at += (size_t)len)
        x = what(s, p + at, &len);
    return x == TEXT && (at == n || what(s, p + at, &len) != UNKNOWN);
}

/* Ends it so? *end: without the blanks. */
static bool back_is_known(struct tk_fast_state *s, const char *p, size_t n, size_t *end)
{
    enum what x = BLANK;
    size_t b = n;
    *end = n;
    while (b && x == BLANK) {
        *end = b;
        x = what_before(s, p, b, &b);
    }
    return x == TEXT && (!b || what_before(s, p, b, &b) != UNKNOWN);
}

/* Is there a gap in front of p[at], between characters that are known? */
static bool is_cut(struct tk_fast_state *s, const char *p, size_t at)
{
    int len;
    size_t b;
    return at > 1 && is_gap((unsigned char)p[at - 1]) && p[at - 1] != '\r' && ((unsigned char)p[at] & 0xc0) != 0x80 &&
           what(s, p + at, &len) == TEXT && what_before(s, p, at - 1, &b) != UNKNOWN;
}

static int slowly(struct tk_fast_state *s, const char *p, size_t n, bool front, bool back, struct tk_ids *out, struct ft_err *e)
{
    struct tk_cache *c = s->cache;
    const size_t first = c->over.n;
    if (tk_fast_slow(s, p, n, front, back, &c->over, e))
        return c->over.n = first, -1;
    if (c->over.n > first)
        tk_cache_ids(c, first);
    return tk_cache_full(c) ? tk_cache_flush(c, out, e) : 0;
}

int tk_fast_ends(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    size_t from = 0, to;
    const bool front = front_is_known(s, p, n), back = back_is_known(s, p, n, &to), blank = back && to < n;
    if (!front)
        for (from = 2; from < n && !is_cut(s, p, from);)
            from++;
    if (!back)
        for (to = n - 1; to > from && !is_cut(s, p, to);)
            to--;
    if ((!front && from >= n) || (!back && to <= from && (front || !is_cut(s, p, to))))
        return slowly(s, p, n, false, false, out, e);
    if ((!front && slowly(s, p, from, false, true, out, e)) || (from < to && tk_fast_units(s, p + from, to - from, out, e)) ||
        (!back && slowly(s, p + to, n - to, true, false, out, e)))
        return -1;
    if (!blank || s->f->ends != TK_ENDS_MARKED)
        return 0;
    struct tk_cache *c = s->cache;
    const size_t first = c->over.n;
    if (tk_fast_model(s, low_line.p, low_line.n, &c->over, e))
        return -1;
    tk_cache_ids(c, first);
    return tk_cache_full(c) ? tk_cache_flush(c, out, e) : 0;
}
