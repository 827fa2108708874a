#include "tokenizer/normalize_chars.h"

#include <stdlib.h>

#include "tokenizer/unicode.h"
#include "tokenizer/words.h"

struct tk_chars *tk_chars_new(const struct tk_normalizer *n, const uint64_t *flat)
{
    uint64_t pattern[2] = {0, 0};
    if (!flat || !tk_normalizer_by_char(n, pattern))
        return NULL;
    struct tk_chars *c = ft_calloc(1, sizeof *c);
    c->normalizer = n;
    c->flat = flat;
    memcpy(c->pattern, pattern, sizeof pattern);
    return c;
}

void tk_chars_free(struct tk_chars *c)
{
    if (!c)
        return;
    ft_buf_release(&c->text);
    free(c->ends);
    free(c);
}

/* Characters that neither cluster nor compose with one of these or a flat one, nor
 * does what any normal form or case makes of them: it begins with a starter that is
 * second in no composition. Jamo and what decomposes into them are not here. */
bool tk_char_alone(uint32_t c)
{
    static const uint16_t runs[][2] = {
        {0x21, 0x7e},     {0xa1, 0x17f},    {0x370, 0x52f},   {0x2010, 0x2027}, {0x2100, 0x218f}, {0x2460, 0x24ff},
        {0x3000, 0x3029}, {0x3030, 0x303f}, {0x3041, 0x3096}, {0x30a0, 0x30ff}, {0x31f0, 0x31ff}, {0x3220, 0x325f},
        {0x3280, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, {0xff01, 0xff5e}, {0xff61, 0xff9d}};
    if (c == 0x3000 || c == ' ' || c == '\t' || c == '\n') /* not CR, which clusters with LF */
        return true;
    if (!tk_unit_edge(c))
        return false;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (c >= runs[i][0] && c <= runs[i][1])
            return true;
    return false;
}

void tk_chars_ask(struct tk_chars *c, struct tk_work *w, struct tk_matcher *m, uint32_t x)
{
    struct tk_char *e = &c->entry[x];
    char t[6] = ".";
    int len = ft_utf8_put(t + 1, x);
    struct tk_piece p = {.p = t + 1, .n = (uint32_t)len, .id = -1};
    struct ft_err err = {0};
    size_t spaces = 0, chars = 0;
    e->n = TK_CHAR_SLOW;
    if (x < 128 && c->pattern[x >> 6] >> (x & 63) & 1)
        return;
    if (!(c->flat[x >> 6] >> (x & 63) & 1)) {
        if (!tk_char_alone(x))
            return;
        ft_arena_reset(&w->mem);
        if (c->blanks) { /* between others: at an end it may be stripped */
            t[1 + len] = '.';
            p.p = t;
            p.n += 2;
        }
        if (tk_normalize(c->normalizer, w, m, &p, &err) || p.n <= 2u * c->blanks)
            return;
        p.p += c->blanks;
        p.n -= 2u * c->blanks;
    }
    for (uint32_t i = 0; i < p.n; chars++) {
        const uint32_t y = ft_utf8_get(p.p + i, &len);
        if (y == 0x2581 || (c->no_punct && uc_is(y, UC_PUNCT)) || (c->blanks && y != ' ' && uc_is(y, UC_SPACE)))
            return;
        spaces += uc_is(y, UC_SPACE);
        i += (uint32_t)len;
    }
    if (spaces || x <= ' ') {
        e->n = spaces == chars ? TK_CHAR_SPACE : TK_CHAR_SLOW;
    } else if (p.n <= TK_CHAR_MAX) {
        memcpy(e->text, p.p, p.n);
        e->n = (unsigned char)p.n;
    }
}

bool tk_chars_words(struct tk_chars *c, struct tk_work *w, struct tk_matcher *m, const char *p, size_t n,
                    struct ft_str front, struct tk_chars_words *out)
{
    size_t words = 0, begin = 0;
    c->text.n = 0;
    /* A step writes no more than SLACK. */
    enum { SLACK = 64 };
    size_t room = n + n / 2 + 2 * SLACK;
    char *text = ft_buf_room(&c->text, room), *to = text, *full = text + room - SLACK;
    memcpy(to, front.p, front.n);
    to += front.n;
    for (size_t i = 0; i <= n;) {
        if (to > full) {
            c->text.n = (size_t)(to - text);
            room = c->text.n + 2 * (n - i) + 2 * SLACK;
            to = ft_buf_room(&c->text, room - c->text.n);
            text = to - c->text.n;
            full = text + room - SLACK;
        }
        if (i < n) {
            int len;
            const uint32_t x = tk_char_get(p + i, &len);
            if (x > 0xffff)
                return false;
            const struct tk_char *e = tk_chars_at(c, w, m, x);
            i += (size_t)len;
            if (e->n <= TK_CHAR_MAX) {
                memcpy(to, e, sizeof *e);
                to += e->n;
                continue;
            }
            if (e->n == TK_CHAR_SLOW)
                return false;
        } else {
            i++;
        }
        if ((size_t)(to - text) == begin + front.n)
            continue; /* nothing between spaces */
        if (words == c->cap) {
            c->cap = c->cap ? 2 * c->cap : 64;
            c->ends = ft_reallocs(c->ends, c->cap, sizeof *c->ends);
        }
        begin = (size_t)(to - text);
        c->ends[words++] = (uint32_t)begin;
        memcpy(to, front.p, front.n);
        to += front.n;
    }
    *out = (struct tk_chars_words){text, c->ends, words};
    return true;
}
