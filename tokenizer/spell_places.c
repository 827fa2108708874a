/* The same with the places of the tokens, character by character. A character stands for all that it becomes. */
#include "tokenizer/spell_window.h"

static size_t of_wordpiece(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n, uint32_t base, struct tk_tokens *out)
{
    size_t at = 0, word = 0, first = out->n; /* of the word at hand: where it and its tokens begin */
    unsigned all = 0, chars = 0;             /* what its characters are; how many */
    bool lost = false;
    for (;;) {
        uint32_t x;
        int len = 0;
        const unsigned kind = at < n ? kind_at(s, c, p + at, &x, &len) : GAP;
        const uint32_t b = base + (uint32_t)at;
        if (kind & WORD) {
            if (!all) {
                word = at;
                first = out->n;
                chars = 0;
            }
            lost = lost || (kind & LOST) || (kind & (all ? NO_NEXT : NO_FIRST) && !((all | kind) & MORE));
            tk_token_push(out, (int32_t)(all ? s->table->letter[x].next : s->table->letter[x].first), b, b + (uint32_t)len);
            all |= kind;
            at += (size_t)len;
            if (++chars > WINDOW)
                break;
            continue;
        }
        if (all && (kind == OTHER || ((all & MORE) && !lost)))
            break;
        if (lost) {
            out->n = first;
            tk_token_push(out, (int32_t)s->f->model->unk, base + (uint32_t)word, b);
        }
        all = 0;
        lost = false;
        if (at >= n || kind == OTHER)
            return at;
        if (kind == ALONE)
            tk_token_push(out, (int32_t)s->table->letter[x].first, b, b + (uint32_t)len);
        at += (size_t)len;
    }
    out->n = first;
    return word;
}

static size_t of_unigram(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n, uint32_t base, struct tk_tokens *out)
{
    const int32_t unk = (int32_t)s->f->model->unk;
    size_t at = 0, word = 0, first = out->n;
    unsigned before = GAP;
    if (s->front < 0 && s->f->low_line)
        return 0;
    while (at < n) {
        uint32_t x;
        int len;
        const unsigned kind = kind_at(s, c, p + at, &x, &len);
        const uint32_t b = base + (uint32_t)at, e = b + (uint32_t)len;
        if (before == GAP) {
            word = at;
            first = out->n;
        }
        if (kind == UNKNOWN && before == UNKNOWN) {
            out->v[out->n - 1].e = e;
        } else if (kind == UNKNOWN) {
            if (before == GAP && s->front >= 0) /* what is put in front stands for the first character */
                tk_token_push(out, s->front, b, e);
            tk_token_push(out, unk, b, e);
        } else if (kind == PIECE && before == UNKNOWN) {
            tk_token_push(out, (int32_t)s->chars->entry[x].own, b, e);
        } else if (kind != GAP) {
            out->n = first;
            return tk_spell_cut(s, p, word);
        }
        before = kind;
        at += (size_t)len;
    }
    return n;
}

size_t tk_spell_places(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n, uint32_t base, struct tk_tokens *out)
{
    return s->chars ? of_unigram(s, c, p, n, base, out) : of_wordpiece(s, c, p, n, base, out);
}
