#include "tokenizer/spell.h"

#include <stdlib.h>
#include <sys/mman.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "tokenizer/trie.h"
#include "tokenizer/unicode.h"

enum {
    RUN = 1024,    /* ids behind which a run ends */
    PATIENCE = 63, /* tries that are left out at most when words are not spelled */
    WINDOW = 64,   /* bytes that are looked at together, and so the characters of a word at most */
};

/* What a character is, in bits; none: not asked yet. */
enum {
    OTHER = 1, /* not known by itself */
    GAP = 2,
    /* WordPiece */
    WORD = 4,      /* part of a word, */
    LOST = 8,      /* that no piece has, */
    MORE = 16,     /* or with which longer pieces begin; */
    NO_FIRST = 32, /* no piece is it at the front, */
    NO_NEXT = 64,  /* or behind another one */
    ALONE = 128,   /* a word */
    /* Unigram */
    UNKNOWN = 4, /* no piece has any of the characters that it becomes */
    PIECE = 8,   /* a piece is no more than it; with neither of both it is one to look at closer */
};

/* Its ids in WordPiece, at the front of a word and behind another one. */
struct letter {
    uint32_t first, next;
};

struct table { /* by code point */
    unsigned char kind[0x10000];
    struct letter letter[0x10000];
};

struct tk_spell {
    const struct tk_fast *f;
    struct tk_work *w;
    struct tk_matcher *m;
    unsigned skip, patience; /* tries that are left out now, and after the next failure */
    struct table *table;
    /* Unigram */
    struct tk_chars *chars;
    int32_t front; /* of the mark in front by itself, -1: it is unknown */
    struct ft_buf text;
};

void tk_spell_add(uint64_t *set, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        int len;
        const uint32_t c = tk_char_get(p + i, &len);
        if (c <= 0xffff)
            set[c >> 6] |= 1ull << (c & 63);
        i += (size_t)len;
    }
}

static bool of_pieces(const struct tk_fast *f, uint32_t c) { return c > 0xffff || (f->solo[c >> 6] >> (c & 63) & 1); }

static int32_t walk(const struct tk_trie *t, int32_t node, const char *p, size_t n)
{
    for (size_t i = 0; i < n && node >= 0; i++)
        node = tk_trie_step(t, node, (unsigned char)p[i]);
    return node;
}

/* ---- what a character is ---- */

/* tk_char.own: how many characters are unknown, or the id of the piece. */
static void ask_unigram(struct tk_spell *s, uint32_t c)
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

static void ask_wordpiece(struct tk_spell *s, struct tk_cache *c, const char *p, size_t len, uint32_t x)
{
    const struct tk_fast *f = s->f;
    const struct tk_model *m = f->model;
    struct letter *to = &s->table->letter[x];
    unsigned char *as = &s->table->kind[x];
    const unsigned kind = x < 0x80 ? x == ' ' || x - 9 < 2 || x == '\r' ? TK_BERT_GAP : uc_is(x, UC_PUNCT) ? TK_BERT_ALONE : TK_BERT_WORD
                                   : tk_bert_kind[x];
    struct tk_piece piece = {.p = p, .n = (uint32_t)len, .id = -1};
    struct ft_err e = {0};
    int n;
    *as = kind == TK_BERT_GAP ? GAP : OTHER;
    if (kind == TK_BERT_GAP || (!(f->flat[x >> 6] >> (x & 63) & 1) && !tk_char_alone(x)))
        return;
    int32_t node = walk(m->trie, 0, p, len), id = node < 0 ? -1 : tk_trie_value(m->trie, node);
    if (kind == TK_BERT_ALONE) {
        struct tk_ids ids = {0};
        if (x >= 0x3400 && x < 0xa000) { /* unified ideographs stay as they are */
            *as = ALONE;
            to->first = id < 0 ? (uint32_t)m->unk : (uint32_t)id;
        } else if (!c->encode(c->ctx, p, len, &ids, &e) && ids.n == 1) {
            *as = ALONE;
            to->first = (uint32_t)ids.v[0];
        }
        free(ids.v);
        return;
    }
    if (!(f->flat[x >> 6] >> (x & 63) & 1)) {
        ft_arena_reset(&s->w->mem);
        if (tk_normalize(f->normalizer, s->w, s->m, &piece, &e) || !piece.n)
            return;
        node = walk(m->trie, 0, piece.p, piece.n);
        id = node < 0 ? -1 : tk_trie_value(m->trie, node);
    }
    const uint32_t y = ft_utf8_get(piece.p, &n);
    if (piece.n != (uint32_t)n || uc_is(y, UC_PUNCT | UC_SPACE))
        return;
    const int32_t behind = walk(m->trie, walk(m->trie, 0, m->prefix.p, m->prefix.n), piece.p, piece.n),
                  next = behind < 0 ? -1 : tk_trie_value(m->trie, behind);
    const bool more = (node >= 0 && !tk_trie_is_leaf(m->trie, node)) || (behind >= 0 && !tk_trie_is_leaf(m->trie, behind));
    *to = (struct letter){(uint32_t)id, (uint32_t)next};
    *as = (unsigned char)(WORD | (of_pieces(f, y) ? 0 : LOST) | (more ? MORE : 0) | (id < 0 ? NO_FIRST : 0) | (next < 0 ? NO_NEXT : 0));
}

/* ---- a window ---- */

struct window {
    uint16_t text[WINDOW]; /* characters; FAR: not below U+10000 */
    unsigned char at[WINDOW + 1];
    unsigned char kind[WINDOW] __attribute__((aligned(16)));
    size_t n;
};
enum { FAR = 0xd800 };

static inline uint64_t below(size_t n) { return n < 64 ? (1ull << n) - 1 : ~0ull; }

/* Which bytes have a bit of `bits`; as many as 64. */
static inline uint64_t having(const unsigned char kind[WINDOW], unsigned bits)
{
    uint64_t m = 0;
#ifdef __SSE2__
    const __m128i b = _mm_set1_epi8((char)bits);
    for (int h = 0; h < 4; h++) {
        const __m128i x = _mm_and_si128(_mm_load_si128((const __m128i *)(const void *)(kind + 16 * h)), b);
        m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())) << (16 * h);
    }
    return ~m;
#else
    for (int i = 0; i < WINDOW; i++)
        m |= (uint64_t)((kind[i] & bits) != 0) << i;
    return m;
#endif
}

/* Which are the first of a character. */
static inline uint64_t leads(const unsigned char p[WINDOW])
{
    uint64_t m = 0;
#ifdef __SSE2__
    for (int h = 0; h < 4; h++) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * h));
        m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(x, _mm_set1_epi8(-65))) << (16 * h);
    }
#else
    for (int i = 0; i < WINDOW; i++)
        m |= (uint64_t)((p[i] & 0xc0) != 0x80) << i;
#endif
    return m;
}

/* The characters that begin in the first 64 bytes of p[0..n), valid UTF-8. Where they begin comes first, so that
 * none waits for the length of the one before it. */
static inline __attribute__((always_inline)) void look(const struct tk_spell *s, const char *p, size_t n, struct window *w)
{
    const unsigned char *q = (const unsigned char *)p;
    unsigned char near[WINDOW + 2];
    if (n < sizeof near) {
        memcpy(near, p, n);
        memset(near + n, 0, sizeof near - n);
        q = near;
    }
    uint64_t starts = leads(q) & below(n);
    size_t k = 0, end = n;
    for (int i = 0; i < WINDOW; i += 16)
        memset(w->kind + i, 0, 16);
    if (n > WINDOW) {
        const int last = 63 - __builtin_clzll(starts);
        const unsigned a = q[last];
        end = (size_t)last + (a < 0x80 ? 1 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4);
    }
    for (; starts; starts &= starts - 1, k++) {
        const int i = __builtin_ctzll(starts);
        const uint32_t a = q[i];
        w->at[k] = (unsigned char)i;
        const uint32_t three = 0 - (a >> 7);
        uint32_t x = (a & 15) << 12 | (q[i + 1] & 63u) << 6 | (q[i + 2] & 63u);
        x = (x & three) | (a & ~three);
        if (__builtin_expect(a - 0x80 < 0x60 || a >= 0xf0, 0))
            x = a < 0xf0 ? (a & 31) << 6 | (q[i + 1] & 63u) : FAR;
        w->text[k] = (uint16_t)x;
        w->kind[k] = s->table->kind[x];
    }
    w->at[k] = (unsigned char)end;
    w->n = k;
}

/* Asks for what was not asked yet. */
static void ask(struct tk_spell *s, struct tk_cache *c, const char *p, struct window *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const uint32_t x = w->text[i];
        unsigned char *kind = &s->table->kind[x];
        if (!*kind && x == FAR)
            *kind = OTHER;
        else if (!*kind && s->chars)
            ask_unigram(s, x);
        else if (!*kind)
            ask_wordpiece(s, c, p + w->at[i], (size_t)(w->at[i + 1] - w->at[i]), x);
        w->kind[i] = *kind;
    }
}

/* ---- a run of words ---- */

static size_t of_wordpiece(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n)
{
    const size_t start = c->over.n;
    const struct letter *const letter = s->table->letter;
    const int32_t unk = (int32_t)s->f->model->unk;
    tk_ids_room(&c->over, RUN + WINDOW);
    int32_t *to = c->over.v + start, *const full = to + RUN;
    size_t at = 0;
    while (at < n && to < full) {
        struct window w;
        look(s, p + at, n - at, &w);
        uint64_t known = having(w.kind, WORD | ALONE | GAP);
        if (known != below(w.n)) {
            ask(s, c, p + at, &w);
            known = having(w.kind, WORD | ALONE | GAP);
        }
        const uint64_t word = having(w.kind, WORD), more = having(w.kind, MORE), alone = having(w.kind, ALONE),
                       first = word & ~(word << 1);
        const uint64_t lost = having(w.kind, LOST), stuck = (having(w.kind, NO_FIRST) & first) | (having(w.kind, NO_NEXT) & word & ~first);
        size_t stop = known == ~0ull ? WINDOW : (size_t)__builtin_ctzll(~known);
        const bool whole = stop == w.n && at + w.at[stop] == n;
        if (!whole) /* the word there may go on */
            while (stop && word >> (stop - 1) & 1)
                stop--;
        uint64_t todo = (first | alone) & below(stop);
        for (; todo; todo &= todo - 1) {
            const int i = __builtin_ctzll(todo);
            if (alone >> i & 1) {
                *to++ = (int32_t)letter[w.text[i]].first;
                continue;
            }
            const uint64_t rest = ~word >> i;
            const int len = rest ? __builtin_ctzll(rest) : WINDOW - i;
            const uint64_t all = below((size_t)len) << i;
            if ((lost & all) || ((stuck & all) && !(more & all))) {
                *to++ = unk;
                continue;
            }
            if (more & all) { /* one for the cache */
                stop = (size_t)i;
                break;
            }
            *to++ = (int32_t)letter[w.text[i]].first;
            for (int k = 1; k < len; k++)
                *to++ = (int32_t)letter[w.text[i + k]].next;
        }
        at += w.at[stop];
        if (stop < w.n && (todo || !(word >> stop & 1) || !stop))
            break;
    }
    c->over.n = (size_t)(to - c->over.v);
    if (at)
        tk_cache_ids(c, start);
    return at;
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
            ask_unigram(s, x);
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

/* Where the text may be cut in front of p[at], behind a gap: beside it, or in front of it where what follows may join it. */
static size_t cut_before(const struct tk_spell *s, const char *p, size_t at)
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
static size_t of_unigram(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n)
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
            ask(s, c, p + at, &w);
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
            n = cut_before(s, p, word);
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

size_t tk_spell_run(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n)
{
    if (s->skip) {
        s->skip--;
        return 0;
    }
    const size_t k = s->chars ? of_unigram(s, c, p, n) : of_wordpiece(s, c, p, n);
    s->patience = k ? 0 : 2 * s->patience + 1 < PATIENCE ? 2 * s->patience + 1 : PATIENCE;
    s->skip = s->patience;
    return k;
}

/* ---- life ---- */

struct tk_spell *tk_spell_new(const struct tk_fast *f, struct tk_chars *chars, struct tk_work *w, struct tk_matcher *m)
{
    const struct tk_model *model = f->model;
    const bool wordpiece = model->type == TK_WORDPIECE && f->unit == TK_UNIT_BERT;
    if (!f->solo || !f->flat || model->unk < 0 ||
        !((wordpiece && model->max_chars >= WINDOW) || (model->type == TK_UNIGRAM && f->unit == TK_UNIT_SPACES && chars && !model->spm && !model->byte_fallback)))
        return NULL;
    struct tk_spell *s = ft_calloc(1, sizeof *s);
    s->f = f;
    s->w = w;
    s->m = m;
    void *p = mmap(NULL, sizeof *s->table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* few pages are touched */
    s->table = p == MAP_FAILED ? ft_malloc(SIZE_MAX) : p;
    if (wordpiece)
        return s;
    const int32_t node = walk(model->trie, 0, "\xe2\x96\x81", 3), id = node < 0 || !f->low_line ? -1 : tk_trie_value(model->trie, node);
    s->front = id == model->unk ? -1 : id;
    s->chars = chars;
    return s;
}

void tk_spell_free(struct tk_spell *s)
{
    if (!s)
        return;
    munmap(s->table, sizeof *s->table);
    ft_buf_release(&s->text);
    free(s);
}
