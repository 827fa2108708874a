/* Places of what the quick way finds: of most units they follow from the lengths of
 * their tokens; the others are done again, the slow way, each by itself. */
#include "tokenizer/fast_state.h"
#include "tokenizer/spell.h"

bool tk_fast_has_places(const struct tk_fast *f, const char *p, size_t n)
{
    if (!f->on || f->unit == TK_UNIT_NONE || f->ends || f->normalized || f->model->vocab.n_alias)
        return false;
    if (f->unit != TK_UNIT_PIECES)
        return f->flat && f->len;
    return f->len && !tk_normalizer_sp(f->normalizer) && !tk_has_low_line(p, n);
}

/* ---- SentencePiece BPE ---- */

static int of_pieces(struct tk_fast_state *s, struct tk_work *w, const struct tk_piece *x, bool first, struct tk_tokens *out,
                     struct ft_err *e)
{
    const struct tk_fast *f = s->f;
    const uint32_t front = tk_fast_front(f, x->p, first);
    if (tk_fast_raw(s, w, x->p, x->n, first, &s->ids, e) || tk_fast_flush(s, &s->ids, e))
        return -1;
    uint32_t at = 0;
    for (size_t k = 0; k < s->ids.n; k++) {
        const uint32_t to = at + f->len[s->ids.v[k]];
        /* The blank in front stands for the first character, as that does itself. */
        const struct tk_range r = tk_origin(x, at > front ? at - front : 0, to > front ? to - front : 1);
        tk_token_push(out, s->ids.v[k], r.b, r.e);
        at = to;
    }
    return 0;
}

/* ---- between gaps ---- */

static bool is_gap(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* ASCII letters whose case the normalizer changes, and no more. */
static void find_even(struct tk_fast_state *s)
{
    for (uint32_t c = 0; c < 128; c++) {
        const char t = (char)c;
        struct tk_piece p = {.p = &t, .n = 1, .id = -1};
        struct ft_err e = {0};
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        ft_arena_reset(&s->work.mem);
        if ((s->f->flat[c >> 6] >> (c & 63) & 1) ||
            (letter && !tk_normalize(s->f->normalizer, &s->work, s->matcher, &p, &e) && p.n == 1 && tk_fast_flat(s->f, p.p, 1)))
            s->even[c >> 6] |= 1ull << (c & 63);
    }
    /* In units of their own, punctuation of BERT is even too. */
    for (uint32_t c = 0; c < 256; c++)
        s->odd[c] = c < 0x80 && !(s->even[c >> 6] >> (c & 63) & 1) && !is_gap((char)c) && !(s->f->unit == TK_UNIT_BERT && c > ' ' && c < 0x7f);
    s->knows_even = true;
}

static bool even(const struct tk_fast_state *s, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        const unsigned char c = (unsigned char)p[i];
        int len = 1;
        if (c < 0x80 ? !(s->even[c >> 6] >> (c & 63) & 1) : (ft_utf8_get(p + i, &len), !tk_fast_flat(s->f, p + i, (size_t)len)))
            return false;
        i += (size_t)len;
    }
    return true;
}

/* A word of the text whose bytes are those of its tokens, one of them unknown at most.
 * False: it is not one. */
static inline bool by_lengths(const struct tk_fast_state *s, const struct tk_piece *x, uint32_t b, uint32_t n, const int32_t *id,
                       size_t n_ids, struct tk_tokens *out)
{
    const struct tk_model *m = s->f->model;
    size_t unknown = SIZE_MAX, sum = 0;
    uint32_t len[16];
    if (n_ids > sizeof len / sizeof *len)
        return false;
    for (size_t k = 0; k < n_ids; k++) {
        if (id[k] == m->unk || m->type == TK_WORDLEVEL) {
            if (unknown != SIZE_MAX)
                return false;
            unknown = k;
            continue;
        }
        const uint32_t own = s->f->len[id[k]], marked = own & TK_LEN_MARKED;
        len[k] = own & (TK_LEN_MARKED - 1);
        if (m->type == TK_WORDPIECE ? !k && marked : k && (marked || !len[k]))
            return false; /* the mark is its text, or stands where none can be */
        sum += len[k];
    }
    if (sum > n || (unknown == SIZE_MAX && sum < n) || (unknown != SIZE_MAX && sum == n))
        return false;
    if (unknown != SIZE_MAX)
        len[unknown] = n - (uint32_t)sum;
    b += x->base;
    for (size_t k = 0; k < n_ids; k++) { /* what was put in front stands for the first character */
        uint32_t e = b + len[k];
        if (e == b)
            e = tk_origin(x, b - x->base, b - x->base + 1).e;
        out->v[out->n++] = (struct tk_token){id[k], b, e};
        b += len[k];
    }
    return true;
}

/* A unit of characters that become what they become by themselves. False: it is not one. */
static bool by_chars(struct tk_fast_state *s, const struct tk_piece *x, uint32_t b, uint32_t n, struct tk_tokens *out)
{
    const struct ft_str mark = s->f->low_line ? low_line : FT_STR("");
    struct tk_chars_words words;
    struct ft_err e = {0};
    const size_t first = out->n;
    if (!s->chars || !tk_chars_words(s->chars, &s->work, s->matcher, x->p + b, n, mark, &words))
        return false;
    ft_arena_reset(&s->work.mem);
    struct tk_range *from = ft_arena_alloc(&s->work.mem, (words.n ? words.ends[words.n - 1] + 1 : 1) * sizeof *from);
    uint32_t at = b;
    for (size_t i = 0, begin = 0; i < words.n; begin = words.ends[i++]) {
        size_t to = begin + mark.n;
        while (to < words.ends[i]) { /* the characters of the word: where each byte of it comes from */
            int len;
            const struct tk_char *c = tk_chars_at(s->chars, &s->work, s->matcher, tk_char_get(x->p + at, &len));
            for (unsigned k = 0; c->n <= TK_CHAR_MAX && k < c->n; k++)
                from[to++] = (struct tk_range){x->base + at, x->base + at + (uint32_t)len};
            at += (uint32_t)len;
        }
        for (size_t k = 0; k < mark.n; k++) /* what was put in front stands for the first character */
            from[begin + k] = from[begin + mark.n];
        s->tokens.n = 0;
        if (tk_model_encode(s->f->model, s->scratch, words.p + begin, words.ends[i] - begin, false, &s->tokens, &e)) {
            out->n = first;
            return false;
        }
        for (size_t k = 0; k < s->tokens.n; k++) {
            const struct tk_token t = s->tokens.v[k];
            tk_token_push(out, t.id, from[begin + t.b].b, from[begin + t.e - 1].e);
        }
    }
    return true;
}

static int slowly(struct tk_fast_state *s, const struct tk_piece *x, uint32_t b, uint32_t n, struct tk_tokens *out, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    if (by_chars(s, x, b, n, out))
        return 0;
    /* With the gap in front: a character that vanishes behind it counts as the gap's. */
    const uint32_t gap = b && is_gap(x->p[b - 1]);
    struct tk_piece all = {.p = x->p + b - gap, .n = n + gap, .base = x->base + b - gap, .id = -1};
    ft_arena_reset(&w->mem);
    w->a.n = w->b.n = 0;
    w->offsets = true;
    const int r = tk_normalize(s->f->normalizer, w, s->matcher, &all, e);
    if (!r)
        tk_push(&w->a, all);
    const int cut = r || tk_pretokenize(s->f->pretok, w, s->matcher, e);
    w->offsets = false;
    for (size_t i = 0; !cut && i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        s->tokens.n = 0;
        if (tk_model_encode(s->f->model, s->scratch, p->p, p->n, p->mapped, &s->tokens, e))
            return -1;
        for (size_t k = 0; k < s->tokens.n; k++) {
            const struct tk_range at = tk_origin(p, s->tokens.v[k].b, s->tokens.v[k].e);
            tk_token_push(out, s->tokens.v[k].id, at.b, at.e);
        }
    }
    return cut ? -1 : 0;
}

/* Does the first character become nothing? Then the library's places may be off to the
 * end of the text (a slip of its Precompiled). */
static bool vanishes(struct tk_fast_state *s, const struct tk_piece *x)
{
    int len;
    ft_utf8_get(x->p, &len);
    struct tk_piece p = {.p = x->p, .n = (uint32_t)len, .id = -1};
    struct ft_err e = {0};
    if (is_gap(x->p[0]) || even(s, x->p, (size_t)len))
        return false;
    ft_arena_reset(&s->work.mem);
    return tk_normalize(s->f->normalizer, &s->work, s->matcher, &p, &e) || !p.n;
}

static bool one_char(const char *p, size_t n)
{
    const unsigned char c = (unsigned char)*p;
    return n == (c < 0x80 ? 1u : c < 0xe0 ? 2u : c < 0xf0 ? 3u : 4u);
}

static void reserve(struct tk_tokens *t, size_t room)
{
    if (t->n + room <= t->cap)
        return;
    t->cap = 2 * (t->n + room);
    t->v = ft_reallocs(t->v, t->cap, sizeof *t->v);
}

/* The tokens id[0..n_ids) of a unit of n bytes at b of the piece; `sure`: it is even. */
static inline int of_unit(struct tk_fast_state *s, const struct tk_piece *x, uint32_t b, uint32_t n, const int32_t *id,
                          size_t n_ids, bool sure, struct tk_tokens *out, struct ft_err *e)
{
    const struct tk_model *m = s->f->model;
    const char *p = x->p + b;
    if (one_char(p, n)) { /* all of its tokens are it */
        reserve(out, n_ids);
        for (size_t j = 0; j < n_ids; j++)
            out->v[out->n++] = (struct tk_token){id[j], x->base + b, x->base + b + n};
        return 0;
    }
    if (sure || even(s, p, n)) {
        reserve(out, n_ids);
        if (n_ids == 1 && (s->f->len[*id] & (m->type == TK_WORDPIECE ? UINT16_MAX : TK_LEN_MARKED - 1)) == n && *id != m->unk) {
            out->v[out->n++] = (struct tk_token){*id, x->base + b, x->base + b + n};
            return 0;
        }
        if (by_lengths(s, x, b, n, id, n_ids, out))
            return 0;
    }
    return slowly(s, x, b, n, out, e);
}

/* Up to where a word may be spelled again, behind `most` bytes. */
static size_t until_spelled(const struct tk_piece *x, size_t at, size_t most)
{
    const char *p = x->p;
    for (size_t i = at + most + 2; i + 2 < x->n; i++) {
        int len;
        size_t b = i - 2; /* the character in front of the gap */
        if ((unsigned char)p[i] < 0xe0 || !is_gap(p[i - 1]) || !tk_unit_edge(ft_utf8_get(p + i, &len)))
            continue;
        while (b > at && ((unsigned char)p[b] & 0xc0) == 0x80)
            b--;
        if ((unsigned char)p[b] < 0x80 ? !is_gap(p[b]) : tk_unit_edge(ft_utf8_get(p + b, &len)))
            return i;
    }
    return x->n;
}

static int of_units(struct tk_fast_state *s, const struct tk_piece *x, struct tk_tokens *out, struct ft_err *e)
{
    struct tk_cache *c = s->cache;
    size_t patience = 0;
    if (!s->knows_even)
        find_even(s);
    if (s->f->unit == TK_UNIT_SPACES && vanishes(s, x))
        return slowly(s, x, 0, x->n, out, e);
    unsigned char odd = 0;
    for (uint32_t i = 0; i < x->n; i++)
        odd |= s->odd[(unsigned char)x->p[i]];
    c->spell = NULL; /* it tells ids alone */
    for (size_t at = 0, end = 0; at < x->n;) {
        if (at >= end) {
            const size_t k = s->spell ? tk_spell_places(s->spell, c, x->p + at, x->n - at, x->base + (uint32_t)at, out) : 0;
            patience = k ? 0 : 2 * patience + 64;
            at += k;
            end = s->spell ? until_spelled(x, at, patience) : x->n;
            if (at == x->n)
                break;
        }
        s->f->units(s->f->unit, c, x->p, end, &at);
        const size_t n = c->n;
        s->ids.n = 0;
        c->starts = s->starts;
        int r = tk_cache_flush(c, &s->ids, e);
        c->starts = NULL;
        for (size_t i = 0; i < n && !r; i++) {
            const struct tk_rec *k = &c->rec[i];
            const bool sure = !odd && k->n <= TK_KEY_MAX && !((k->key.lo | k->key.hi) & 0x8080808080808080u);
            r = of_unit(s, x, (uint32_t)(k->p - x->p), k->n, s->ids.v + s->starts[i], s->starts[i + 1] - s->starts[i], sure, out, e);
        }
        if (r) {
            c->spell = s->spell;
            return -1;
        }
    }
    c->spell = s->spell;
    return 0;
}

int tk_fast_places(struct tk_fast_state *s, struct tk_work *w, const struct tk_piece *x, bool first, struct tk_tokens *out,
                   struct ft_err *e)
{
    s->ids.n = 0;
    if (!x->n)
        return 0;
    return s->f->unit == TK_UNIT_PIECES ? of_pieces(s, w, x, first, out, e) : of_units(s, x, out, e);
}
