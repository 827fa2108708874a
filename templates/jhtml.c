/* jhtml.c -- markup without its tags and entities: Markup.striptags and unescape. */
#include "templates/entities.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"
#include "templates/jtext.h"

/* The code points of a name: how many, 0 when there is none of that name. */
static int named(const char *p, size_t n, uint32_t out[2])
{
    size_t lo = 0, hi = sizeof entities / sizeof *entities;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        const int c = ft_str_cmp(ft_strz(entities[mid].name), (struct ft_str){p, n});
        if (c == 0) {
            out[0] = entities[mid].c[0], out[1] = entities[mid].c[1];
            return out[1] ? 2 : 1;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

static int numbered(uint32_t c, uint32_t out[2])
{
    for (size_t i = 0; i < sizeof bad_references / sizeof *bad_references; i++)
        if (bad_references[i].from == c)
            return out[0] = bad_references[i].to, 1;
    if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        return out[0] = 0xfffd, 1;
    for (size_t i = 0; i < sizeof no_characters / sizeof *no_characters; i++)
        if (no_characters[i] == c)
            return 0;
    return out[0] = c, 1;
}

/* A reference at p[0] == '&': its length, its replacement, and how much of the
 * text behind the replacement stays (a name that only begins as an entity). */
static size_t reference(const char *p, const char *end, uint32_t out[2], int *n, size_t *rest)
{
    const char *q = p + 1;
    *rest = 0;
    if (q < end && *q == '#') {
        q++;
        const bool hex = q < end && (*q == 'x' || *q == 'X');
        const char *digits = q += hex;
        uint32_t c = 0;
        for (; q < end; q++) {
            const int d = ft_digit(*q);
            if (d >= (hex ? 16 : 10))
                break;
            if (c <= 0x110000)
                c = c * (hex ? 16 : 10) + (uint32_t)d;
        }
        if (q == digits)
            return 0;
        *n = numbered(c, out);
        q += q < end && *q == ';';
        return (size_t)(q - p);
    }
    /* [^\t\n\f <&#;]{1,32};? */
    int chars = 0;
    while (q < end && chars < 32 && !strchr("\t\n\f <&#;", *q)) {
        int len;
        ft_utf8_get(q, &len);
        q += len;
        chars++;
    }
    if (!chars)
        return 0;
    const size_t bare = (size_t)(q - p - 1), full = bare + (q < end && *q == ';');
    if ((*n = named(p + 1, full, out)))
        return full + 1;
    for (size_t k = full - 1; k > 1; k--)
        if ((*n = named(p + 1, k, out))) {
            *rest = full - k;
            return full + 1;
        }
    return 0;
}

struct jstr *ft_jhtml_unescape(struct jrt *rt, struct jstr *s)
{
    const char *p = s->p, *end = s->p + s->n, *from = p;
    struct jsb b;
    ft_jstep(rt, s->n / 64);
    if (!memchr(p, '&', s->n))
        return ft_jstr_as(rt, s, false);
    ft_jsb_init(&b, rt, s->n);
    ft_jstep(rt, s->n / 8 + 1);
    while ((p = memchr(p, '&', (size_t)(end - p))) != NULL) {
        uint32_t c[2];
        int n = 0;
        size_t rest;
        ft_jstep(rt, 8);
        const size_t len = reference(p, end, c, &n, &rest);
        if (!len) {
            p++;
            continue;
        }
        ft_jsb_cut(&b, s, (size_t)(from - s->p), (size_t)(p - from));
        const size_t at = b.n;
        for (int i = 0; i < n; i++)
            ft_jsb_cp(&b, c[i]);
        ft_jsb_mark(&b, at, s, (size_t)(p - s->p));
        p += len;
        ft_jsb_cut(&b, s, (size_t)(p - rest - s->p), rest);
        from = p;
    }
    ft_jsb_cut(&b, s, (size_t)(from - s->p), (size_t)(end - from));
    return ft_jsb_done(&b);
}

struct jstr *ft_jstriptags(struct jrt *rt, struct jstr *s)
{
    struct jsb b;
    const char *p = s->p, *end = s->p + s->n;
    ft_jsb_init(&b, rt, s->n);
    for (;;) {
        const char *lt = memchr(p, '<', (size_t)(end - p)), *gt;
        if (!lt)
            break;
        if (end - lt >= 4 && memcmp(lt, "<!--", 4) == 0) {
            gt = memmem(lt + 4, (size_t)(end - lt - 4), "-->", 3);
            if (gt)
                gt += 3;
        } else {
            gt = memchr(lt, '>', (size_t)(end - lt));
            if (gt)
                gt++;
        }
        if (!gt)
            break;
        ft_jsb_cut(&b, s, (size_t)(p - s->p), (size_t)(lt - p));
        p = gt;
    }
    ft_jsb_cut(&b, s, (size_t)(p - s->p), (size_t)(end - p));
    const struct jval words = ft_jstr_split(rt, ft_jsb_done(&b), NULL, -1, false);
    return ft_jhtml_unescape(rt, ft_jstr_join(rt, ft_jstr_ref(rt, " ", 1), ft_jq(rt, words)->v, ft_jq(rt, words)->n, false));
}
