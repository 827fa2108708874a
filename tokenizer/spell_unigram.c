/* Unigram, spelled. */
#include "tokenizer/spell_window.h"

#include "tokenizer/unicode.h"

/* tk_char.own: how many characters are unknown, or the id of the piece. */
void tk_spell_ask_unigram(struct tk_spell *s, uint32_t c)
{
    const struct tk_fast *f = s->f;
    const struct tk_char *x = tk_chars_at(s->chars, s->w, s->m, c);
    uint32_t chars = 0, unknown = 0;
    unsigned char *kind = &s->table->kind[c];
    if (x->n == TK_CHAR_SPACE || x->n == TK_CHAR_SLOW) {
        *kind = x->n == TK_CHAR_SPACE ? GAP : OTHER;
        return;
    }
    for (uint32_t i = 0; i < x->n; chars++) {
        int len;
        unknown += !of_pieces(f, ft_utf8_get(x->text + i, &len));
        i += (uint32_t)len;
    }
    const int32_t node = chars == 1 ? walk(f->model->trie, 0, x->text, x->n) : -1, id = node < 0 ? -1 : tk_trie_value(f->model->trie, node);
    const bool piece = unknown < chars && id >= 0 && id != f->model->unk;
    *kind = unknown == chars ? UNKNOWN : piece ? PIECE : UNKNOWN | PIECE;
    s->chars->entry[c].own = piece ? (uint32_t)id : unknown;
}

/* A stretch of characters of pieces. False: it is not short enough. */
static bool stretch(struct tk_spell *s, size_t front, size_t chars, int32_t own, double *sum, struct tk_ids *out)
{
    const struct tk_model *m = s->f->model;
    const int32_t id = !chars ? s->front : chars == 1 && !front ? own : -1;
    if (id >= 0) {
        *sum = m->score[id] + *sum;
        tk_ids_put(out, id);
        return true;
    }
    const size_t k = out->n;
    if (!tk_unigram_short(m, s->text.p, s->text.n, sum, out))
        return false;
    if (!front && out->v[k] == m->unk) /* it is one with the unknown ones in front */
        memmove(out->v + k, out->v + k + 1, (--out->n - k) * sizeof *out->v);
    return true;
}

/* The word at p: bytes, or 0: it is not spelled. */
static size_t unigram_word(struct tk_spell *s, const char *p, size_t n, struct tk_ids *out)
{
    const struct tk_model *m = s->f->model;
    const double unknown = m->min_score - 10.0;
    const size_t first = out->n;
    const struct ft_str mark = s->f->low_line ? FT_STR("\xe2\x96\x81") : FT_STR("");
    double sum = 0;
    size_t at = 0, front = mark.n, chars = 0;
    int32_t own = -1;  /* the piece that is the last character */
    bool any = false; /* of characters that no piece has */
    s->text.n = 0;
    ft_buf_puts(&s->text, mark);
    for (;;) {
        int len = 0;
        const uint32_t x = at < n ? tk_char_get(p + at, &len) : ' ';
        if (x > 0xffff)
            break;
        if (!s->table->kind[x])
            tk_spell_ask_unigram(s, x);
        const struct tk_char *y = &s->chars->entry[x];
        const unsigned kind = s->table->kind[x];
        const bool end = at >= n || kind == GAP;
        if (kind == OTHER)
            break;
        if (!end && kind != UNKNOWN) {
            memcpy(ft_buf_room(&s->text, sizeof *y), y, sizeof *y);
            s->text.n += y->n;
            own = kind == PIECE ? (int32_t)y->own : -1;
            chars++;
            at += (size_t)len;
            if (s->text.n > TK_SHORT_WORD)
                break;
            continue;
        }
        if ((end && !any) || (s->text.n && !stretch(s, front, chars, own, &sum, out))) /* one for the cache */
            break;
        s->text.n = front = chars = 0;
        if (end)
            return at;
        any = true;
        if (out->n == first || out->v[out->n - 1] != m->unk)
            tk_ids_put(out, (int32_t)m->unk);
        for (uint32_t k = y->own; k; k--)
            sum = unknown + sum;
        at += (size_t)len;
    }
    out->n = first;
    return 0;
}

size_t tk_spell_cut(const struct tk_spell *s, const char *p, size_t at)
{
    int len;
    if (!at || ((unsigned char)p[at - 1] <= ' ' && tk_unit_edge(ft_utf8_get(p + at, &len))))
        return at;
    while (at) {
        size_t b = at - 1;
        while (((unsigned char)p[b] & 0xc0) == 0x80)
            b--;
        const uint32_t x = tk_char_get(p + b, &len);
        if (x > 0xffff || s->table->kind[x] != GAP)
            break;
        at = b;
    }
    return at;
}

/* What stands alone between unknown characters; other words one by one. */
size_t tk_spell_unigram(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n)
{
    const size_t start = c->over.n;
    const int32_t unk = (int32_t)s->f->model->unk;
    const uint64_t front = s->front >= 0;
    const struct tk_char *const entry = s->chars->entry;
    size_t at = 0, word = 0, word_to = start; /* the word at hand */
    unsigned before = GAP;
    while (at < n) {
        struct window w;
        tk_ids_room(&c->over, 2 * WINDOW);
        int32_t *to = c->over.v + c->over.n;
        look(s, p + at, n - at, &w);
        if (having(w.kind, 255) != below(w.n))
            tk_spell_ask(s, c, p + at, &w);
        const uint64_t gap = having(w.kind, GAP), unknown = having(w.kind, UNKNOWN) & ~having(w.kind, PIECE),
                       piece = having(w.kind, PIECE) & ~having(w.kind, UNKNOWN), gaps = gap << 1 | (before == GAP),
                       unknowns = unknown << 1 | (before == UNKNOWN);
        const uint64_t odd = ~(gap | unknown | (piece & unknowns)) & below(w.n), first = ~gap & gaps & below(w.n);
        size_t stop = odd ? (size_t)__builtin_ctzll(odd) : w.n;
        const uint64_t firsts = first & below(stop + 1), puts = (piece | (unknown & ~unknowns)) & below(stop);
        /* Up to the last word, which may be odd, and it. */
        const size_t last = firsts ? 63 - (size_t)__builtin_clzll(firsts) : 0;
        for (int part = firsts ? 0 : 1; part < 2; part++) {
            uint64_t todo = part ? puts & ~below(last) : puts & below(last);
            for (; todo; todo &= todo - 1) {
                const int i = __builtin_ctzll(todo);
                *to = s->front;
                to += unknown >> i & gaps >> i & front;
                *to++ = unknown >> i & 1 ? unk : (int32_t)entry[w.text[i]].own;
            }
            c->over.n = (size_t)(to - c->over.v);
            if (!part) {
                word = at + w.at[last];
                word_to = c->over.n;
            }
        }
        if (!odd && c->over.n - start < RUN) {
            before = w.kind[w.n - 1];
            at += w.at[w.n];
            continue;
        }
        c->over.n = word_to;
        const bool slow = w.kind[stop] == OTHER && at + w.at[stop] == word;
        const size_t bytes = !odd || slow ? 0 : unigram_word(s, p + word, n - word, &c->over);
        if (!bytes) {
            n = tk_spell_cut(s, p, word);
            break;
        }
        at = word + bytes; /* a gap, or the end */
        before = GAP;
    }
    if (n)
        tk_cache_ids(c, start);
    else
        c->over.n = start;
    return n;
}
