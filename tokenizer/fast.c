#include "tokenizer/fast_state.h"

#include <stdlib.h>

#include "tokenizer/lone_chars.h"
#include "tokenizer/sp_normalize.h"
#include "tokenizer/spell.h"

/* ---- words to ids, uncached ---- */

static int merge(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    struct tk_fast_state *s = ctx;
    return tk_bpe_ids(s->f->model, s->scratch, p, n, true, out, e);
}

static void merge_many(void *ctx, const struct tk_job *job, size_t n)
{
    struct tk_fast_state *s = ctx;
    s->f->many(s->f->model, s->f->cut, job, n);
}

static bool high(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] >= 0x80)
            return true;
    return false;
}

static int word(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    struct tk_fast_state *s = ctx;
    const struct tk_fast *f = s->f;
    if (f->model->ignore_merges) {
        const int64_t id = tk_bpe_whole(f->model, s->scratch, p, n, true);
        if (id >= 0) {
            tk_ids_put(out, (int32_t)id);
            return 0;
        }
    }
    if (!f->cut || (n <= TK_KEY_MAX && !high(p, n)))
        return merge(s, p, n, out, e);
    for (size_t at = 0; at < n;) {
        const size_t end = tk_cut_next(f->cut, p, n, at);
        if (tk_cache_part(s->cache, p + at, end - at, f->plain, merge, out, e))
            return -1;
        at = end;
    }
    return 0;
}

/* A unit of SentencePiece BPE: its blanks are U+2581. */
static int piece(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    struct tk_fast_state *s = ctx;
    s->text.n = 0;
    char *to = ft_buf_room(&s->text, 3 * n);
    for (size_t i = 0; i < n; i++) {
        if (p[i] == ' ') {
            memcpy(to, low_line.p, low_line.n);
            to += low_line.n;
        } else {
            *to++ = p[i];
        }
    }
    return tk_bpe_ids(s->f->model, s->scratch, s->text.p, (size_t)(to - s->text.p), false, out, e);
}

bool tk_fast_flat(const struct tk_fast *f, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        int len = 1;
        const uint32_t c = (unsigned char)p[i] < 0x80 ? (unsigned char)p[i] : ft_utf8_get(p + i, &len);
        if (c > 0xffff || !(f->flat[c >> 6] >> (c & 63) & 1))
            return false;
        i += (size_t)len;
    }
    return true;
}

static int model_ids(struct tk_fast_state *s, const char *p, size_t n, bool mapped, struct tk_ids *out, struct ft_err *e)
{
    double sum = 0;
    if (s->f->model->type == TK_UNIGRAM && tk_unigram_short(s->f->model, p, n, &sum, out))
        return 0;
    s->tokens.n = 0;
    if (tk_model_encode(s->f->model, s->scratch, p, n, mapped, &s->tokens, e))
        return -1;
    tk_ids_room(out, s->tokens.n);
    for (size_t k = 0; k < s->tokens.n; k++)
        out->v[out->n++] = s->tokens.v[k].id;
    return 0;
}

int tk_fast_model(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    return model_ids(s, p, n, false, out, e);
}

int tk_fast_slow(struct tk_fast_state *s, const char *p, size_t n, bool front, bool back, struct tk_ids *out, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    ft_arena_reset(&w->mem);
    w->a.n = w->b.n = 0;
    if (front || back) { /* a point beyond a gap: a piece of its own, which is left out */
        s->text.n = 0;
        ft_buf_putz(&s->text, front ? ". " : "");
        ft_buf_put(&s->text, p, n);
        ft_buf_putz(&s->text, back ? " ." : "");
        p = s->text.p;
        n = s->text.n;
    }
    struct tk_piece all = {.p = p, .n = (uint32_t)n, .id = -1};
    if (tk_normalize(s->f->normalizer, w, s->matcher, &all, e))
        return -1;
    tk_push(&w->a, all);
    if (tk_pretokenize(s->f->pretok, w, s->matcher, e))
        return -1;
    for (size_t i = front; i + back < w->a.n; i++) {
        const struct tk_piece *x = &w->a.v[i];
        if (model_ids(s, x->p, x->n, x->mapped, out, e))
            return -1;
    }
    return 0;
}

/* A unit of any kind: the slow way, but for the parts of it that would do nothing. */
static int unit(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    struct tk_fast_state *s = ctx;
    const struct tk_fast *f = s->f;
    struct tk_work *w = &s->work;
    struct tk_chars_words words;
    if (s->chars && tk_chars_words(s->chars, w, s->matcher, p, n, f->low_line ? low_line : FT_STR(""), &words)) {
        for (size_t i = 0, at = 0; i < words.n; at = words.ends[i++])
            if (model_ids(s, words.p + at, words.ends[i] - at, false, out, e))
                return -1;
        return 0;
    }
    if (!s->chars && f->flat && tk_fast_flat(f, p, n)) {
        s->text.n = 0;
        if (f->low_line)
            ft_buf_puts(&s->text, low_line);
        ft_buf_put(&s->text, p, n);
        return model_ids(s, s->text.p, s->text.n, false, out, e);
    }
    return tk_fast_slow(s, p, n, f->ends, f->ends, out, e);
}

/* ---- a thread ---- */

struct tk_fast_state *tk_fast_state_new(const struct tk_fast *f, struct tk_scratch *scratch)
{
    struct tk_fast_state *s = ft_calloc(1, sizeof *s);
    s->f = f;
    s->scratch = scratch;
    s->cache = tk_cache_new(&f->seed, f->unit == TK_UNIT_NONE ? word : f->unit == TK_UNIT_PIECES ? piece : unit, s);
    s->cache->encode_many = f->unit == TK_UNIT_NONE && f->model->merges.ascending ? merge_many : NULL;
    s->matcher = tk_matcher_new();
    s->chars = f->unit == TK_UNIT_SPACES || f->unit == TK_UNIT_BERT ? tk_chars_new(f->normalizer, f->flat) : NULL;
    if (s->chars) {
        s->chars->no_punct = f->unit == TK_UNIT_BERT;
        s->chars->blanks = f->ends != TK_ENDS_NONE;
    }
    s->cache->cut = f->plain ? f->cut : NULL;
    s->cache->part_cut = f->cut;
    s->cache->part_plain = f->plain;
    s->cache->lone = f->unit == TK_UNIT_PIECES && f->in_tokens ? tk_lone_new(f->in_tokens) : NULL;
    s->spell = f->unit == TK_UNIT_NONE ? NULL : tk_spell_new(f, s->chars, &s->work, s->matcher);
    s->cache->spell = s->spell;
    return s;
}

void tk_fast_state_free(struct tk_fast_state *s)
{
    if (!s)
        return;
    tk_lone_free(s->cache->lone);
    tk_spell_free(s->spell);
    tk_cache_free(s->cache);
    tk_matcher_free(s->matcher);
    tk_chars_free(s->chars);
    ft_arena_release(&s->work.mem);
    free(s->work.a.v);
    free(s->work.b.v);
    free(s->work.edits);
    ft_buf_release(&s->text);
    ft_buf_release(&s->room);
    free(s->tokens.v);
    free(s->ids.v);
    free(s);
}

int tk_fast_flush(struct tk_fast_state *s, struct tk_ids *out, struct ft_err *e)
{
    return tk_cache_flush(s->cache, out, e);
}

int tk_fast_text(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    if (s->f->split)
        return tk_split_text(s->f->split, &s->room, s->cache, s->f->words, p, n, out, e);
    for (size_t at = 0; at < n || s->cache->left;) {
        s->f->words(s->f->rule, s->cache, p, n, &at);
        if (tk_cache_full(s->cache) && tk_cache_flush(s->cache, out, e))
            return -1;
    }
    return 0;
}

struct ft_str tk_fast_blanks(const struct tk_fast *f, struct tk_work *w, const char *p, size_t n, bool first)
{
    char *own = NULL;
    bool lines = tk_has_low_line(p, n);
    const struct tk_sp *sp = f->normalized ? NULL : tk_normalizer_sp(f->normalizer);
    if (sp) {
        struct tk_piece x = {.p = p, .n = (uint32_t)n, .id = -1};
        if (!lines) {
            tk_sp_blanks(sp, w, &x);
            lines = tk_has_low_line(x.p, x.n);
        }
        if (lines) {
            x = (struct tk_piece){.p = p, .n = (uint32_t)n, .id = -1};
            tk_sp_apply(sp, w, &x);
        }
        p = x.p;
        n = x.n;
    }
    /* A U+2581 in the text is a blank like the others. */
    if (lines) {
        own = ft_arena_alloc(&w->mem, n + 1);
        size_t k = 1;
        for (size_t i = 0; i < n; i++) {
            const bool line = n - i >= low_line.n && !memcmp(p + i, low_line.p, low_line.n);
            own[k++] = line ? ' ' : p[i];
            i += line ? low_line.n - 1 : 0;
        }
        p = own + 1;
        n = k - 1;
    }
    /* Metaspace puts one in front of text that has none, Prepend of any. */
    if (n && tk_fast_front(f, p, first)) {
        if (!own) {
            own = ft_arena_alloc(&w->mem, n + 1);
            memcpy(own + 1, p, n);
        }
        *own = ' ';
        p = own;
        n++;
    }
    return (struct ft_str){p, n};
}

int tk_fast_raw(struct tk_fast_state *s, struct tk_work *w, const char *p, size_t n, bool first,
                struct tk_ids *out, struct ft_err *e)
{
    const struct tk_fast *f = s->f;
    if (!n)
        return 0;
    if (f->unit == TK_UNIT_PIECES) {
        const struct ft_str t = tk_fast_blanks(f, w, p, n, first);
        p = t.p;
        n = t.n;
    }
    return f->ends ? tk_fast_ends(s, p, n, out, e) : tk_fast_units(s, p, n, out, e);
}

int tk_fast_units(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    const struct tk_fast *f = s->f;
    for (size_t at = 0; at < n;) {
        f->units(f->unit, s->cache, p, n, &at);
        if (tk_cache_full(s->cache) && tk_cache_flush(s->cache, out, e))
            return -1;
    }
    return 0;
}

size_t tk_fast_waiting(const struct tk_fast_state *s) { return s->cache->n; }

void tk_fast_placed(struct tk_fast_state *s, tk_placed_fn *fn, void *ctx)
{
    s->cache->placed = fn;
    s->cache->placed_ctx = ctx;
}

int tk_fast_id(struct tk_fast_state *s, int32_t id, uint32_t from, uint32_t to, struct tk_ids *out, struct ft_err *e)
{
    tk_cache_id(s->cache, id, from, to);
    return tk_cache_full(s->cache) ? tk_cache_flush(s->cache, out, e) : 0;
}
