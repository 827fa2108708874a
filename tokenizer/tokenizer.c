#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pipeline/canon.h"
#include "tokenizer/added.h"
#include "tokenizer/fast.h"
#include "tokenizer/model.h"
#include "tokenizer/post.h"
#include "tokenizer/pretok.h"

struct ft_tokenizer {
    struct ft_arena mem;
    struct tk_normalizer *normalizer;
    struct tk_pretok *pretok;
    struct tk_model model;
    struct tk_fast fast;
    struct tk_added added;
    struct tk_post post;
    struct tk_decoder *decoder;
    struct ft_tok_specials specials;
    char fingerprint[FT_TOK_FINGERPRINT + 1];
    size_t size;
};

struct ft_tok_state {
    struct tk_work work;
    struct tk_matcher *matcher;
    struct tk_scratch *scratch;
    struct tk_tokens tokens;
    struct tk_fast_state *fast; /* NULL: the slow way only */
    struct tk_ids ids;
    uint32_t *begin, *end;
    size_t cap; /* of begin and end */
};

/* ---- load ---- */

static void digest_hex(struct ft_buf *b, char *out)
{
    ft_digest_hex(ft_hash128(b->p, b->n), out);
}

static void fingerprint(struct ft_tokenizer *t, const struct ft_json *j)
{
    struct ft_buf b = {0};
    for (size_t id = 0; id < t->size; id++) {
        const struct ft_str s = ft_token_str(t, (int64_t)id);
        const struct tk_added_token *a = tk_added_of(&t->added, (int64_t)id);
        const unsigned flags = !a ? 0
                                  : 1u | (unsigned)a->special << 1 | (unsigned)a->single_word << 2 |
                                        (unsigned)a->lstrip << 3 | (unsigned)a->rstrip << 4 |
                                        (unsigned)a->normalized << 5;
        if (!s.p)
            continue;
        ft_buf_printf(&b, "%zu %u %zu ", id, flags, s.n);
        ft_buf_puts(&b, s);
    }
    digest_hex(&b, t->fingerprint);
    t->fingerprint[32] = ':';
    b.n = 0;
    static const char *const parts[] = {"normalizer", "pre_tokenizer", "post_processor", "decoder"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct ft_json *v = ft_json_get(j, parts[i]);
        ft_buf_printf(&b, "%s ", parts[i]);
        ft_canon(v ? v->raw : FT_STR("null"), &b);
    }
    const struct ft_json *m = ft_json_get(j, "model");
    struct ft_canon_sum sum = {0};
    struct ft_buf room = {0};
    for (size_t i = 0; i < m->n; i++) /* the vocabulary has its own digest; null is absent */
        if (!ft_str_is(m->members[i].key, "vocab") && !ft_str_is(m->members[i].key, "merges") &&
            m->members[i].value.type != FT_JSON_NULL)
            ft_canon_add(&sum, m->members[i].key, m->members[i].value.raw, &room);
    ft_canon_put(&sum, &b);
    /* Merges by ids: their two spellings mean the same. */
    const struct ft_json *merges = ft_json_get(m, "merges");
    ft_buf_printf(&b, "%zu ", merges && merges->type == FT_JSON_ARRAY ? merges->n : 0);
    if (merges && merges->type == FT_JSON_ARRAY)
        for (size_t i = 0; i < merges->n; i++) {
            const struct ft_json *g = &merges->items[i];
            if (g->type == FT_JSON_ARRAY && g->n == 2) {
                ft_buf_puts(&b, g->items[0].s);
                ft_buf_putc(&b, ' ');
                ft_buf_puts(&b, g->items[1].s);
            } else {
                ft_buf_puts(&b, g->s);
            }
            ft_buf_putc(&b, '\n');
        }
    digest_hex(&b, t->fingerprint + 33);
    ft_buf_release(&b);
    ft_buf_release(&room);
}

static int load(struct ft_tokenizer *t, const char *path, struct ft_err *e)
{
    struct ft_arena tmp = {0};
    struct ft_json j;
    int r = -1;
    if (ft_json_load(path, &tmp, &j, e))
        goto out;
    if (tk_model_load(&t->model, ft_json_get(&j, "model"), e) ||
        tk_normalizer_load(ft_json_get(&j, "normalizer"), &t->normalizer, e) ||
        tk_pretok_load(ft_json_get(&j, "pre_tokenizer"), &t->pretok, e) ||
        tk_post_load(ft_json_get(&j, "post_processor"), &t->mem, &t->post, e) ||
        tk_decoder_load(ft_json_get(&j, "decoder"), &t->decoder, e) ||
        tk_added_load(&t->added, ft_json_get(&j, "added_tokens"), &t->model.vocab, t->normalizer, e)) {
        ft_fail_in(e, "%s: ", path);
        goto out;
    }
    for (size_t id = t->model.vocab.n_ids; id-- > 0;)
        if (t->model.vocab.token[id].p) {
            t->size = id + 1;
            break;
        }
    if (t->added.n_ids > t->size)
        t->size = t->added.n_ids;
    fingerprint(t, &j);
    tk_fast_init(&t->fast, &t->model, ft_json_get(&j, "pre_tokenizer"));
    r = 0;
out:
    ft_arena_release(&tmp);
    return r;
}

/* ---- the names of the special tokens ---- */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A token is named by a string or by an object with its content. */
static int64_t named(const struct ft_tokenizer *t, const struct ft_json *j, const char *key)
{
    const struct ft_json *v = ft_json_get(j, key);
    if (v && v->type == FT_JSON_OBJECT)
        v = ft_json_get(v, "content");
    return v && v->type == FT_JSON_STRING ? ft_token_id(t, v->s) : -1;
}

static int load_specials(struct ft_tokenizer *t, const char *dir, struct ft_err *e)
{
    struct ft_arena tmp = {0};
    struct ft_json j;
    char path[4200];
    int r = 0;
    static const char *const files[] = {"tokenizer_config.json", "special_tokens_map.json"};
    for (int i = 0; i < 2 && !r; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        if (!exists(path))
            continue;
        r = ft_json_load(path, &tmp, &j, e);
        if (r)
            break;
        struct ft_tok_specials *s = &t->specials;
        s->bos = s->bos >= 0 ? s->bos : named(t, &j, "bos_token");
        s->eos = s->eos >= 0 ? s->eos : named(t, &j, "eos_token");
        s->unk = s->unk >= 0 ? s->unk : named(t, &j, "unk_token");
        s->pad = s->pad >= 0 ? s->pad : named(t, &j, "pad_token");
    }
    static const char *const configs[] = {"generation_config.json", "config.json"};
    for (int i = 0; i < 2 && !r && t->specials.eos < 0; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, configs[i]);
        if (!exists(path))
            continue;
        r = ft_json_load(path, &tmp, &j, e);
        const struct ft_json *v = r ? NULL : ft_json_get(&j, "eos_token_id");
        if (v && v->type == FT_JSON_ARRAY && v->n)
            v = &v->items[0];
        if (v && v->type == FT_JSON_NUMBER)
            ft_json_int(v, &t->specials.eos);
    }
    ft_arena_release(&tmp);
    return r;
}

int ft_tokenizer_load(const char *path, struct ft_tokenizer **out, struct ft_err *e)
{
    struct ft_tokenizer *t = ft_calloc(1, sizeof *t);
    struct stat st;
    char file[4200], dir[4096];
    t->specials = (struct ft_tok_specials){-1, -1, -1, -1};
    t->model.unk = -1;
    snprintf(dir, sizeof dir, "%s", path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        snprintf(file, sizeof file, "%s/tokenizer.json", path);
    } else {
        snprintf(file, sizeof file, "%s", path);
        char *slash = strrchr(dir, '/');
        if (slash)
            *slash = 0;
        else
            snprintf(dir, sizeof dir, ".");
    }
    if (load(t, file, e) || load_specials(t, dir, e)) {
        ft_tokenizer_free(t);
        return -1;
    }
    *out = t;
    return 0;
}

void ft_tokenizer_free(struct ft_tokenizer *t)
{
    if (!t)
        return;
    tk_normalizer_free(t->normalizer);
    tk_pretok_free(t->pretok);
    tk_fast_release(&t->fast);
    tk_model_release(&t->model);
    tk_added_release(&t->added);
    tk_decoder_free(t->decoder);
    ft_arena_release(&t->mem);
    free(t);
}

struct ft_tok_state *ft_tok_state_new(const struct ft_tokenizer *t)
{
    struct ft_tok_state *s = ft_calloc(1, sizeof *s);
    s->matcher = tk_matcher_new();
    s->scratch = tk_scratch_new();
    s->fast = t->fast.on ? tk_fast_state_new(&t->fast, s->scratch) : NULL;
    return s;
}

void ft_tok_state_free(struct ft_tok_state *s)
{
    if (!s)
        return;
    ft_arena_release(&s->work.mem);
    free(s->work.a.v);
    free(s->work.b.v);
    free(s->work.edits);
    tk_matcher_free(s->matcher);
    tk_scratch_free(s->scratch);
    free(s->tokens.v);
    free(s->ids.v);
    tk_fast_state_free(s->fast);
    free(s->begin);
    free(s->end);
    free(s);
}

/* ---- encode ---- */

/* Room for the places of all ids so far. */
static void places(struct ft_tok_state *s)
{
    if (s->ids.cap <= s->cap)
        return;
    s->cap = s->ids.cap;
    s->begin = ft_reallocs(s->begin, s->cap, sizeof *s->begin);
    s->end = ft_reallocs(s->end, s->cap, sizeof *s->end);
}

static void put(struct ft_tok_state *s, bool offsets, int32_t id, uint32_t b, uint32_t e)
{
    tk_ids_put(&s->ids, id);
    if (offsets) {
        places(s);
        s->begin[s->ids.n - 1] = b;
        s->end[s->ids.n - 1] = e;
    }
}

/* The text in pieces: added tokens, and normalized text between them. */
static int sections(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
                    const struct ft_encode_opts *o, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    w->a.n = w->b.n = 0;
    /* The same struct under another room's name. */
    const struct tk_range *plain = (const struct tk_range *)(const void *)o->plain;
    if (o->no_added)
        tk_push(&w->b, all);
    else
        tk_added_split(&t->added, false, &all, plain, o->n_plain, &w->b);
    for (size_t i = 0; i < w->b.n; i++) {
        struct tk_piece p = w->b.v[i];
        if (p.id < 0 && tk_normalize(t->normalizer, w, s->matcher, &p, e))
            return -1;
        if (p.id >= 0 || o->no_added)
            tk_push(&w->a, p);
        else
            tk_added_split(&t->added, true, &p, plain, o->n_plain, &w->a);
    }
    return 0;
}

/* What is in w->a, by pre-tokenizer and model. */
static int slowly(const struct ft_tokenizer *t, struct ft_tok_state *s, bool offsets, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    if (tk_pretokenize(t->pretok, w, s->matcher, e))
        return -1;
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0) {
            const struct tk_range r = offsets ? tk_origin(p, 0, p->n) : (struct tk_range){0, 0};
            put(s, offsets, p->id, r.b, r.e);
            continue;
        }
        s->tokens.n = 0;
        if (tk_model_encode(&t->model, s->scratch, p->p, p->n, p->mapped, &s->tokens, e))
            return -1;
        for (size_t k = 0; k < s->tokens.n; k++) {
            const struct tk_token *x = &s->tokens.v[k];
            const struct tk_range r = offsets && x->b < x->e && x->e <= p->n ? tk_origin(p, x->b, x->e)
                                                                             : (struct tk_range){0, 0};
            put(s, offsets, x->id, r.b, r.e);
        }
    }
    return 0;
}

/* The same by words and their ids. Places follow from the lengths of the tokens. */
static int quickly(const struct ft_tokenizer *t, struct ft_tok_state *s, bool offsets, struct ft_err *e)
{
    for (size_t i = 0; i < s->work.a.n; i++) {
        const struct tk_piece *p = &s->work.a.v[i];
        const size_t first = s->ids.n;
        if (p->id >= 0 ? tk_fast_id(s->fast, p->id, &s->ids, e) : tk_fast_text(s->fast, p->p, p->n, &s->ids, e))
            return -1;
        if (!offsets)
            continue;
        if (tk_fast_flush(s->fast, &s->ids, e))
            return -1;
        places(s);
        uint32_t at = 0;
        for (size_t k = first; k < s->ids.n; k++) {
            const uint32_t to = p->id >= 0 ? p->n : at + t->fast.len[s->ids.v[k]];
            const struct tk_range r = tk_origin(p, at, to);
            s->begin[k] = r.b;
            s->end[k] = r.e;
            at = to;
        }
    }
    return tk_fast_flush(s->fast, &s->ids, e);
}

/* Can it be done quickly? Places are known of text that stands as it was. */
static bool quick(const struct ft_tokenizer *t, const struct ft_tok_state *s, bool offsets)
{
    if (!s->fast || (offsets && !t->fast.len))
        return false;
    for (size_t i = 0; offsets && i < s->work.a.n; i++)
        if (s->work.a.v[i].al)
            return false;
    return true;
}

int ft_encode(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
              const struct ft_encode_opts *o, struct ft_encoding *out, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    *out = (struct ft_encoding){0};
    if (text.n >= INT32_MAX)
        return ft_fail(e, FT_DATA, "text of %zu bytes: the limit is 2 GiB", text.n);
    ft_arena_reset(&w->mem);
    s->ids.n = 0;
    w->offsets = o->offsets || o->n_plain;
    if (sections(t, s, text, o, e))
        return -1;
    for (size_t i = 0; o->special && i < t->post.n_prefix; i++)
        put(s, o->offsets, t->post.prefix[i], 0, 0);
    out->n_prefix = s->ids.n;
    if (quick(t, s, o->offsets) ? quickly(t, s, o->offsets, e) : slowly(t, s, o->offsets, e))
        return -1;
    if (o->offsets && t->post.trim)
        for (size_t i = out->n_prefix; i < s->ids.n; i++)
            tk_post_trim(&t->post, ft_token_str(t, s->ids.v[i]), i - out->n_prefix, &s->begin[i], &s->end[i]);
    for (size_t i = 0; o->special && i < t->post.n_suffix; i++)
        put(s, o->offsets, t->post.suffix[i], 0, 0);
    tk_ids_room(&s->ids, 1);
    if (o->offsets)
        places(s);
    out->n = s->ids.n;
    out->ids = s->ids.v;
    out->begin = o->offsets ? s->begin : NULL;
    out->end = o->offsets ? s->end : NULL;
    return 0;
}

/* ---- decode ---- */

int ft_decode(const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids, size_t n,
              bool skip_special, struct ft_buf *out, struct ft_err *e)
{
    struct ft_arena *mem = &s->work.mem;
    ft_arena_reset(mem);
    struct tk_strings v = {ft_arena_alloc(mem, (n + 1) * sizeof *v.v), 0};
    for (size_t i = 0; i < n; i++) {
        const struct ft_str token = ft_token_str(t, ids[i]);
        if (token.p && !(skip_special && ft_token_is_special(t, ids[i])))
            v.v[v.n++] = token;
    }
    if (t->decoder && tk_decode(t->decoder, &v, s->matcher, mem, e))
        return -1;
    for (size_t i = 0; i < v.n; i++) {
        if (i && !t->decoder)
            ft_buf_putc(out, ' ');
        ft_buf_puts(out, v.v[i]);
    }
    return 0;
}

/* ---- look-ups ---- */

int64_t ft_token_id(const struct ft_tokenizer *t, struct ft_str token)
{
    const int64_t id = tk_vocab_find(&t->added.names, token.p, token.n);
    return id >= 0 ? id : tk_vocab_find(&t->model.vocab, token.p, token.n);
}

struct ft_str ft_token_str(const struct ft_tokenizer *t, int64_t id)
{
    const struct tk_added_token *a = tk_added_of(&t->added, id);
    if (a)
        return a->content;
    if (id < 0 || (size_t)id >= t->model.vocab.n_ids)
        return (struct ft_str){0};
    return t->model.vocab.token[id];
}

bool ft_token_is_special(const struct ft_tokenizer *t, int64_t id)
{
    const struct tk_added_token *a = tk_added_of(&t->added, id);
    return a && a->special;
}

size_t ft_tokenizer_size(const struct ft_tokenizer *t) { return t->size; }
struct ft_tok_specials ft_tokenizer_specials(const struct ft_tokenizer *t) { return t->specials; }
const char *ft_tokenizer_fingerprint(const struct ft_tokenizer *t) { return t->fingerprint; }

void ft_tokenizer_describe(const struct ft_tokenizer *t, struct ft_buf *out)
{
    static const char *const types[] = {"BPE", "Unigram", "WordPiece", "WordLevel"};
    ft_buf_printf(out, "%s, %zu tokens, %zu of them added", types[t->model.type], t->size, t->added.n);
    if (t->model.type == TK_BPE)
        ft_buf_printf(out, ", %zu merges", t->model.n_merges);
}
