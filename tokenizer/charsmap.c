#include "tokenizer/charsmap.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "pipeline/bytes.h"
#include "tokenizer/base64.h"
#include "tokenizer/unicode.h"

struct tk_charsmap {
    uint32_t *unit;
    size_t n_units;
    char *text;
    size_t n_text;
};

struct tk_charsmap *tk_charsmap_new(struct ft_str b64, struct ft_err *e)
{
    struct ft_buf raw = {0};
    if (tk_base64_get(&raw, b64)) {
        ft_buf_release(&raw);
        ft_fail(e, FT_DATA, "precompiled_charsmap is not base64");
        return NULL;
    }
    struct ft_cur c = ft_cur(raw.p, raw.n);
    const uint32_t size = ft_get_u32(&c);
    const unsigned char *units = ft_cur_take(&c, size);
    struct tk_charsmap *m = NULL;
    if (c.bad || size % 4 || !size || ft_utf8_valid((const char *)c.p, (size_t)(c.end - c.p)) != (size_t)(c.end - c.p)) {
        ft_fail(e, FT_DATA, "precompiled_charsmap is damaged");
    } else {
        m = ft_calloc(1, sizeof *m);
        m->n_units = size / 4;
        m->unit = ft_malloc(size);
        for (size_t i = 0; i < m->n_units; i++)
            m->unit[i] = ft_load_u32(units + 4 * i);
        m->n_text = (size_t)(c.end - c.p);
        m->text = ft_malloc(m->n_text + 1);
        memcpy(m->text, c.p, m->n_text);
        m->text[m->n_text] = 0;
    }
    ft_buf_release(&raw);
    return m;
}

void tk_charsmap_free(struct tk_charsmap *m)
{
    if (!m)
        return;
    free(m->unit);
    free(m->text);
    free(m);
}

static size_t offset_of(uint32_t u) { return (size_t)(u >> 10) << ((u & (1u << 9)) >> 6); }

/* The replacement of the SHORTEST entry that begins the chunk: the library
 * takes the first hit for all of the chunk, and so do we. */
static bool lookup(const struct tk_charsmap *m, const char *p, size_t n, struct ft_str *out)
{
    size_t node = offset_of(m->unit[0]);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        node ^= c;
        if (!c || node >= m->n_units)
            return false;
        const uint32_t u = m->unit[node];
        if ((u & (1u << 31 | 0xff)) != c)
            return false;
        node ^= offset_of(u);
        if (node >= m->n_units)
            return false;
        if (u >> 8 & 1) {
            const size_t at = m->unit[node] & 0x7fffffff;
            if (at > m->n_text)
                return false;
            *out = (struct ft_str){m->text + at, strlen(m->text + at)};
            return true;
        }
    }
    return false;
}

size_t tk_charsmap_longest(const struct tk_charsmap *m, const char *p, size_t n, struct ft_str *by)
{
    size_t node = offset_of(m->unit[0]), longest = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        node ^= c;
        if (!c || node >= m->n_units)
            break;
        const uint32_t u = m->unit[node];
        if ((u & (1u << 31 | 0xff)) != c)
            break;
        node ^= offset_of(u);
        if (node >= m->n_units)
            break;
        if (u >> 8 & 1) {
            const size_t at = m->unit[node] & 0x7fffffff;
            if (at > m->n_text)
                break;
            *by = (struct ft_str){m->text + at, strlen(m->text + at)};
            longest = i + 1;
        }
    }
    return longest;
}

bool tk_charsmap_begins(const struct tk_charsmap *m, const char *p, size_t n)
{
    size_t node = offset_of(m->unit[0]);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        node ^= c;
        if (!c || node >= m->n_units || (m->unit[node] & (1u << 31 | 0xff)) != c)
            return false;
        node ^= offset_of(m->unit[node]);
        if (node >= m->n_units)
            return false;
    }
    return true;
}

static void replace(struct tk_work *w, const char *p, size_t n, struct ft_str by)
{
    const size_t old_n = ft_utf8_count(p, n), new_n = ft_utf8_count(by.p, by.n);
    size_t k = 0;
    for (size_t i = 0; i < by.n; k++) {
        int len;
        const uint32_t c = ft_utf8_get(by.p + i, &len);
        tk_edit_put(w, c, k >= old_n ? 1 : 0);
        i += (size_t)len;
    }
    if (new_n < old_n && w->n_edits)
        w->edits[w->n_edits - 1].change -= (int32_t)(old_n - new_n);
}

/* Clusters by the library's version of Unicode: what a character clings to is
 * ours to know, the rest (line ends, Hangul, flags, emoji) has not changed. */
/* Not assigned, and a control all the same (GraphemeBreakProperty.txt); utf8proc has only what is assigned. */
static bool reserved_control(uint32_t c)
{
    return c == 0x2065 || (c >= 0xfff0 && c <= 0xfff8) || c == 0xe0000 || (c >= 0xe0002 && c <= 0xe001f) ||
           (c >= 0xe0080 && c <= 0xe00ff) || (c >= 0xe01f0 && c <= 0xe0fff);
}

static bool cluster_ends(uint32_t c, uint32_t next, utf8proc_int32_t *state)
{
    if (reserved_control(c) || reserved_control(next)) {
        *state = 0;
        return true;
    }
    const bool broken = utf8proc_grapheme_break_stateful((utf8proc_int32_t)c, (utf8proc_int32_t)next, state);
    const int before = utf8proc_get_property((utf8proc_int32_t)c)->boundclass;
    const int behind = utf8proc_get_property((utf8proc_int32_t)next)->boundclass;
    if (before == UTF8PROC_BOUNDCLASS_CR || before == UTF8PROC_BOUNDCLASS_LF || before == UTF8PROC_BOUNDCLASS_CONTROL)
        return broken;
    if (uc_is_attached(next) || (uc_is_prepended(c) && behind != UTF8PROC_BOUNDCLASS_CR &&
                                 behind != UTF8PROC_BOUNDCLASS_LF && behind != UTF8PROC_BOUNDCLASS_CONTROL))
        return false;
    const bool clung = behind == UTF8PROC_BOUNDCLASS_EXTEND || behind == UTF8PROC_BOUNDCLASS_SPACINGMARK ||
                       behind == UTF8PROC_BOUNDCLASS_ZWJ || before == UTF8PROC_BOUNDCLASS_PREPEND;
    return broken || clung;
}

void tk_charsmap_apply(const struct tk_charsmap *m, struct tk_work *w, struct tk_piece *p)
{
    bool modified = false;
    struct ft_str by;
    for (uint32_t i = 0; i < p->n;) {
        /* A grapheme cluster is looked up whole while it is short. */
        int len;
        utf8proc_int32_t state = 0;
        uint32_t c = ft_utf8_get(p->p + i, &len), end = i + (uint32_t)len;
        while (end < p->n) {
            const uint32_t next = ft_utf8_get(p->p + end, &len);
            if (cluster_ends(c, next, &state))
                break;
            end += (uint32_t)len;
            c = next;
        }
        if (end - i < 6 && lookup(m, p->p + i, end - i, &by)) {
            replace(w, p->p + i, end - i, by);
            modified = true;
            i = end;
            continue;
        }
        while (i < end) {
            c = ft_utf8_get(p->p + i, &len);
            if (lookup(m, p->p + i, (size_t)len, &by)) {
                replace(w, p->p + i, (size_t)len, by);
                modified = true;
            } else {
                tk_edit_put(w, c, 0);
            }
            i += (uint32_t)len;
        }
    }
    if (modified)
        tk_edit_apply(w, p, 0);
    else
        w->n_edits = 0;
}
