/* The words that are spelled, and those of WordPiece. */
#include "tokenizer/spell_window.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "tokenizer/unicode.h"

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

/* ---- what a character is ---- */

void tk_spell_ask_wordpiece(struct tk_spell *s, struct tk_cache *c, const char *p, size_t len, uint32_t x)
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
    bool lost = false, more = false;
    for (uint32_t i = 0; i < piece.n; i += (uint32_t)n) {
        const uint32_t y = ft_utf8_get(piece.p + i, &n);
        if (uc_is(y, UC_PUNCT | UC_SPACE))
            return;
        lost = lost || !of_pieces(f, y);
        more = more || (uint32_t)n < piece.n; /* what becomes several is for the cache */
    }
    const int32_t behind = walk(m->trie, walk(m->trie, 0, m->prefix.p, m->prefix.n), piece.p, piece.n),
                  next = behind < 0 ? -1 : tk_trie_value(m->trie, behind);
    more = more || (node >= 0 && !tk_trie_is_leaf(m->trie, node)) || (behind >= 0 && !tk_trie_is_leaf(m->trie, behind));
    *to = (struct letter){(uint32_t)id, (uint32_t)next};
    *as = (unsigned char)(WORD | (lost ? LOST : 0) | (more ? MORE : 0) | (id < 0 ? NO_FIRST : 0) | (next < 0 ? NO_NEXT : 0));
}

void tk_spell_ask(struct tk_spell *s, struct tk_cache *c, const char *p, struct window *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const uint32_t x = w->text[i];
        unsigned char *kind = &s->table->kind[x];
        if (!*kind && x == FAR)
            *kind = OTHER;
        else if (!*kind && s->chars)
            tk_spell_ask_unigram(s, x);
        else if (!*kind)
            tk_spell_ask_wordpiece(s, c, p + w->at[i], (size_t)(w->at[i + 1] - w->at[i]), x);
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
            tk_spell_ask(s, c, p + at, &w);
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

size_t tk_spell_run(struct tk_spell *s, struct tk_cache *c, const char *p, size_t n)
{
    if (s->skip) {
        s->skip--;
        return 0;
    }
    const size_t k = s->chars ? tk_spell_unigram(s, c, p, n) : of_wordpiece(s, c, p, n);
    s->patience = k ? 0 : 2 * s->patience + 1 < PATIENCE ? 2 * s->patience + 1 : PATIENCE;
    s->skip = s->patience;
    return k;
}

/* ---- life ---- */

struct tk_spell *tk_spell_new(const struct tk_fast *f, struct tk_chars *chars, struct tk_work *w, struct tk_matcher *m)
{
    const struct tk_model *model = f->model;
    const bool wordpiece = model->type == TK_WORDPIECE && f->unit == TK_UNIT_BERT;
    if (!f->in_tokens || !f->flat || model->unk < 0 ||
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
