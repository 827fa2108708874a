#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pipeline/canon.h"
#include "tokenizer/added.h"
#include "tokenizer/decode.h"
#include "tokenizer/fast.h"
#include "tokenizer/foreign.h"
#include "tokenizer/image.h"
#include "tokenizer/model.h"
#include "tokenizer/post.h"
#include "tokenizer/pretok.h"

struct ft_tokenizer {
    struct ft_arena mem;
    struct tk_normalizer *normalizer;
    struct tk_pretok *pretok;
    struct tk_model model;
    struct tk_added added;
    struct tk_post post;
    struct tk_decoder *decoder;
    struct tk_fast fast;
    struct tk_image image; /* where the arrays of model and fast are, or none */
    struct ft_tok_specials specials;
    char fingerprint[FT_TOK_FINGERPRINT + 1];
    size_t size;
    char asks[80]; /* padding and truncation of the file */
    bool origins; /* the pre-tokenizer must know where rewritten text came from */
};

/* Tokens on their way out. */
struct row {
    struct tk_ids ids;
    /* Only when something of them is asked for: */
    uint32_t *begin, *end, *type;
    uint32_t *lead, *trail; /* white space at the ends of the token, where it is trimmed */
    size_t cap;
};

struct ft_tok_state {
    struct tk_work work;
    struct tk_matcher *matcher;
    struct tk_scratch *scratch;
    struct tk_tokens tokens;
    struct tk_fast_state *fast; /* NULL: the slow way only */
    bool places;                /* rows have more than ids */
    struct row row, assembled;
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
            if (g->type == FT_JSON_ARRAY && g->n == 3)
                ft_buf_puts(&b, g->items[2].s);
            if (g->type == FT_JSON_ARRAY && g->n >= 2) {
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

static void asks(struct ft_tokenizer *t, const struct ft_json *j)
{
    const struct ft_json *cut = ft_json_get(j, "truncation"), *pad = ft_json_get(j, "padding");
    int64_t n = 0;
    size_t at = 0;
    if (cut && cut->type == FT_JSON_OBJECT && ft_json_get(cut, "max_length") && !ft_json_int(ft_json_get(cut, "max_length"), &n))
        at = (size_t)snprintf(t->asks, sizeof t->asks, "truncation to %lld tokens", (long long)n);
    if (pad && pad->type == FT_JSON_OBJECT)
        snprintf(t->asks + at, sizeof t->asks - at, "%spadding", at ? " and " : "");
}

static int load(struct ft_tokenizer *t, const char *path, const char *split, struct ft_err *e)
{
    struct ft_arena tmp = {0};
    struct ft_json j;
    int r = -1;
    const bool json = tk_file_is_json(path);
    const bool ready = json && tk_image_open(&t->image, path, &t->model, &t->fast);
    if (ready  ? ft_json_parse(t->image.rest.p, t->image.rest.n, &tmp, &j, e)
        : json ? ft_json_load(path, &tmp, &j, e)
               : tk_foreign_load(path, split, &tmp, &j, e))
        goto out;
    if ((!ready && tk_model_load(&t->model, ft_json_get(&j, "model"), e)) ||
        tk_normalizer_load(ft_json_get(&j, "normalizer"), &t->normalizer, e) ||
        tk_pretok_load(ft_json_get(&j, "pre_tokenizer"), tk_model_takes_bytes(&t->model), &t->pretok, e) ||
        tk_post_load(ft_json_get(&j, "post_processor"), &t->mem, &t->post, e) ||
        tk_decoder_load(ft_json_get(&j, "decoder"), &t->decoder, e) ||
        tk_added_load(&t->added, ft_json_get(&j, "added_tokens"), &t->model.vocab, t->model.size, t->normalizer, e)) {
        ft_fail_in(e, "%s: ", path);
        goto out;
    }
    if (tk_normalizer_empty_start(t->normalizer) && tk_pretok_has_bytes(t->pretok)) {
        ft_fail(e, FT_DATA, "%s: ByteLevel behind a Replace that matches nothing, or a Prepend of nothing, is not defined", path);
        goto out;
    }
    for (size_t id = t->model.vocab.n_ids; id-- > 0;)
        if (t->model.vocab.token[id].p) {
            t->size = id + 1;
            break;
        }
    if (t->added.n_ids > t->size)
        t->size = t->added.n_ids;
    t->origins = tk_pretok_asks_origin(t->pretok, t->normalizer != NULL, t->added.any_normalized);
    asks(t, &j);
    const struct ft_json *own = ft_json_get(&j, "ft:specials"); /* ids that a file of another format names */
    if (own && !json && (ft_json_get_int(own, "bos", &t->specials.bos, e) || ft_json_get_int(own, "eos", &t->specials.eos, e) ||
                         ft_json_get_int(own, "unk", &t->specials.unk, e) || ft_json_get_int(own, "pad", &t->specials.pad, e)))
        goto out;
    if (ready) {
        snprintf(t->fingerprint, sizeof t->fingerprint, "%s", t->image.fingerprint.p);
        tk_fast_attach(&t->fast, &t->model, t->normalizer, t->pretok);
    } else {
        fingerprint(t, &j);
        tk_fast_init(&t->fast, &j, &t->model, t->normalizer, t->pretok);
        if (t->added.seek_norm.any && t->fast.unit != TK_UNIT_NONE)
            tk_fast_release(&t->fast); /* tokens are sought behind the normalizer: it cannot be left out */
        if (json) /* of other files --split is a part */
            tk_image_save(path, &j, &t->model, &t->fast, t->fingerprint);
    }
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
    return ft_tokenizer_load_as(path, NULL, out, e);
}

int ft_tokenizer_load_as(const char *path, const char *split, struct ft_tokenizer **out, struct ft_err *e)
{
    struct ft_tokenizer *t = ft_calloc(1, sizeof *t);
    struct stat st;
    char file[4200], dir[4096];
    t->specials = (struct ft_tok_specials){-1, -1, -1, -1};
    t->model.unk = -1;
    snprintf(dir, sizeof dir, "%s", path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        tk_file_in(path, file, sizeof file);
    } else {
        snprintf(file, sizeof file, "%s", path);
        char *slash = strrchr(dir, '/');
        if (slash)
            *slash = 0;
        else
            snprintf(dir, sizeof dir, ".");
    }
    if (load(t, file, split, e) || load_specials(t, dir, e)) {
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
    tk_model_release(&t->model);
    tk_added_release(&t->added);
    tk_decoder_free(t->decoder);
    tk_fast_release(&t->fast);
    tk_image_close(&t->image);
    ft_arena_release(&t->mem);
    free(t);
}

static void row_release(struct row *r)
{
    free(r->ids.v);
    free(r->begin);
    free(r->end);
    free(r->type);
    free(r->lead);
    free(r->trail);
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
    tk_fast_state_free(s->fast);
    row_release(&s->row);
    row_release(&s->assembled);
    free(s);
}

/* ---- encode ---- */

/* Room for the places of all ids so far. */
static void places(struct row *r)
{
    if (r->ids.cap <= r->cap)
        return;
    r->cap = r->ids.cap;
    uint32_t **const all[] = {&r->begin, &r->end, &r->type, &r->lead, &r->trail};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = ft_reallocs(*all[i], r->cap, sizeof **all[i]);
}

static void put(struct row *r, bool with_places, int32_t id, uint32_t b, uint32_t e)
{
    tk_ids_put(&r->ids, id);
    if (with_places) {
        places(r);
        r->begin[r->ids.n - 1] = b;
        r->end[r->ids.n - 1] = e;
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

/* What the library calls the token's value, whose white space is trimmed. */
static struct ft_str value_of(const struct ft_tokenizer *t, const struct tk_piece *p, const struct tk_token *x)
{
    if (t->model.type == TK_UNIGRAM && x->id == t->model.unk && x->e <= p->n) {
        bool bytes = t->model.byte_fallback && tk_vocab_find(&t->model.vocab, p->p + x->b, x->e - x->b) < 0;
        for (uint32_t i = x->b; i < x->e && bytes; i++)
            bytes = t->model.byte_id[(unsigned char)p->p[i]] >= 0;
        if (!bytes)
            return (struct ft_str){p->p + x->b, x->e - x->b};
    }
    return t->model.vocab.token[x->id];
}

/* What is in w->a, by pre-tokenizer and model. */
static int slowly(const struct ft_tokenizer *t, struct ft_tok_state *s, const struct ft_encode_opts *o, struct ft_err *e)
{
    struct tk_work *w = &s->work;
    struct row *r = &s->row;
    const bool spaces = o->offsets && t->post.trims;
    if (tk_pretokenize(t->pretok, w, s->matcher, e))
        return -1;
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0) {
            const struct tk_range x = o->offsets ? tk_origin(p, 0, p->n) : (struct tk_range){0, 0};
            put(r, s->places, p->id, x.b, x.e);
            if (spaces)
                tk_post_spaces((struct ft_str){p->p, p->n}, &r->lead[r->ids.n - 1], &r->trail[r->ids.n - 1]);
        } else {
            s->tokens.n = 0;
            if (tk_model_encode(&t->model, s->scratch, p->p, p->n, p->mapped, &s->tokens, e))
                return -1;
            for (size_t k = 0; k < s->tokens.n; k++) {
                const struct tk_token *x = &s->tokens.v[k];
                /* Fallback bytes of a suffix reach beyond the word: the library
                 * leaves their offsets as they are. */
                const struct tk_range g = !o->offsets ? (struct tk_range){0, 0}
                                          : x->b < x->e && x->e <= p->n ? tk_origin(p, x->b, x->e)
                                                                        : (struct tk_range){x->b, x->e};
                put(r, s->places, x->id, g.b, g.e);
                if (spaces)
                    tk_post_spaces(value_of(t, p, x), &r->lead[r->ids.n - 1], &r->trail[r->ids.n - 1]);
            }
        }
    }
    return 0;
}

/* The same by words and their ids. Places follow from the lengths of the tokens. */
static int quickly(const struct ft_tokenizer *t, struct ft_tok_state *s, bool offsets, struct ft_err *e)
{
    struct row *r = &s->row;
    for (size_t i = 0; i < s->work.a.n; i++) {
        const struct tk_piece *p = &s->work.a.v[i];
        const size_t first = r->ids.n;
        if (p->id >= 0 ? tk_fast_id(s->fast, p->id, &r->ids, e) : tk_fast_text(s->fast, p->p, p->n, &r->ids, e))
            return -1;
        if (!offsets)
            continue;
        if (tk_fast_flush(s->fast, &r->ids, e))
            return -1;
        places(r);
        uint32_t at = 0;
        for (size_t k = first; k < r->ids.n; k++) {
            const uint32_t to = p->id >= 0 ? p->n : at + t->fast.len[r->ids.v[k]];
            const struct tk_range x = tk_origin(p, at, to);
            r->begin[k] = x.b;
            r->end[k] = x.e;
            if (t->post.trims)
                tk_post_spaces(p->id >= 0 ? (struct ft_str){p->p, p->n} : t->model.vocab.token[r->ids.v[k]], &r->lead[k],
                               &r->trail[k]);
            at = to;
        }
    }
    return tk_fast_flush(s->fast, &r->ids, e);
}

/* Raw text, in units. */
static int in_units(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                    struct ft_err *e)
{
    struct tk_work *w = &s->work;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    const struct tk_range *plain = (const struct tk_range *)(const void *)o->plain;
    w->a.n = 0;
    if (o->no_added)
        tk_push(&w->a, all);
    else
        tk_added_split(&t->added, false, &all, plain, o->n_plain, &w->a);
    for (size_t i = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (p->id >= 0 ? tk_fast_id(s->fast, p->id, &s->row.ids, e)
                       : tk_fast_raw(s->fast, &w->mem, p->p, p->n, p->base == 0, &s->row.ids, e))
            return -1;
    }
    return tk_fast_flush(s->fast, &s->row.ids, e);
}

/* Can it be done quickly? Places are known of text that stands as it was. */
static bool quick(const struct ft_tokenizer *t, const struct ft_tok_state *s, bool offsets)
{
    if (!s->fast || t->fast.unit != TK_UNIT_NONE || (offsets && !t->fast.len))
        return false;
    for (size_t i = 0; offsets && i < s->work.a.n; i++)
        if (s->work.a.v[i].al)
            return false;
    return true;
}

/* Appends the text's tokens to the row: those that stand in it, no special ones. */
static int encode_text(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
                       const struct ft_encode_opts *o, struct ft_err *e)
{
    if (text.n >= INT32_MAX)
        return ft_fail(e, FT_DATA, "text of %zu bytes: the limit is 2 GiB", text.n);
    ft_arena_reset(&s->work.mem);
    s->work.offsets = o->offsets || o->n_plain || t->origins;
    if (s->fast && t->fast.unit != TK_UNIT_NONE && !o->offsets) {
        if (in_units(t, s, text, o, e))
            return -1;
        if (s->places)
            places(&s->row);
        return 0;
    }
    if (sections(t, s, text, o, e))
        return -1;
    if (quick(t, s, o->offsets) ? quickly(t, s, o->offsets, e) : slowly(t, s, o, e))
        return -1;
    if (s->places)
        places(&s->row);
    return 0;
}

static bool lead_byte(char c) { return ((unsigned char)c & 0xc0) != 0x80; }

/* Takes the white space at a token's ends off its offsets, character by character of the text. */
static void trim(const struct tk_post_item *it, bool front, struct ft_str text, uint32_t lead, uint32_t trail, uint32_t *b,
                 uint32_t *e)
{
    for (size_t k = 0; k < it->n_trims; k++) {
        const struct tk_post_trim *x = &it->trims[k];
        /* One space in front of the first word is the one that was put there. */
        const bool own = ((x->first && front) || *b == 0) && x->prefix_space && lead == 1;
        for (uint32_t i = 0; i < lead && !own && *b < *e; i++)
            for (++*b; *b < *e && *b < text.n && !lead_byte(text.p[*b]);)
                ++*b;
        uint32_t to = *e < text.n ? *e : (uint32_t)text.n, i = 0;
        for (; i < trail && to > 0; i++)
            for (--to; to > 0 && !lead_byte(text.p[to]);)
                --to;
        if (i == trail && trail)
            *e = to > *b ? to : *b;
    }
}

struct place {
    size_t at, chars; /* characters that begin before byte `at` */
};

/* Moves to byte `to`, either way: offsets go back a little where tokens share a character. */
static size_t seek(struct place *p, struct ft_str text, size_t to)
{
    if (p->at < to)
        p->chars += ft_utf8_count(text.p + p->at, to - p->at);
    for (; p->at > to; p->at--)
        p->chars -= lead_byte(text.p[p->at - 1]);
    p->at = to;
    return p->chars;
}

/* What lies outside of the text stays, as in the library. */
void ft_offsets_to_chars(uint32_t *begin, uint32_t *end, size_t n_tokens, struct ft_str text)
{
    struct place from = {0}, to = {0};
    for (size_t i = 0; i < n_tokens; i++) {
        const size_t b = begin[i], e = end[i];
        if (b > text.n || (b == text.n && e > b))
            continue;
        const size_t first = seek(&from, text, b) - (b < text.n && !lead_byte(text.p[b]));
        begin[i] = (uint32_t)first;
        end[i] = (uint32_t)(e > text.n ? first + 2 : seek(&to, text, e) - (e < text.n && !lead_byte(text.p[e])));
    }
}

static void finish(struct row *r, const struct tk_post_item *it, size_t from, struct ft_str text, const struct ft_encode_opts *o)
{
    for (size_t i = from; o->offsets && it->n_trims && i < r->ids.n; i++)
        trim(it, i == from, text, r->lead[i], r->trail[i], &r->begin[i], &r->end[i]);
    if (o->offsets && o->chars)
        ft_offsets_to_chars(r->begin + from, r->end + from, r->ids.n - from, text);
    for (size_t i = from; o->types && i < r->ids.n; i++)
        r->type[i] = it->type;
}

static void put_special(struct row *r, bool with_places, const struct tk_post_item *it)
{
    put(r, with_places, it->id, 0, 0);
    if (with_places)
        r->type[r->ids.n - 1] = it->type;
}

/* The lengths to which two sequences of n[0] and n[1] tokens are cut. */
static int truncated(const struct ft_encode_opts *o, size_t max, size_t n[2], struct ft_err *e)
{
    const size_t total = n[0] + n[1];
    if (max == 0) {
        n[0] = n[1] = 0;
        return 0;
    }
    if (total <= max)
        return 0;
    if (o->strategy == FT_TOK_LONGEST_FIRST) {
        if (!o->pair) {
            n[0] = max;
            return 0;
        }
        const bool swap = n[0] > n[1];
        size_t a = swap ? n[1] : n[0], b; /* a: of the shorter one */
        b = a > max ? a : max - a > a ? max - a : a;
        if (a + b > max) {
            a = max / 2;
            b = a + max % 2;
        }
        n[0] = (swap ? b : a) < n[0] ? (swap ? b : a) : n[0];
        n[1] = (swap ? a : b) < n[1] ? (swap ? a : b) : n[1];
        return 0;
    }
    const int k = o->strategy == FT_TOK_ONLY_SECOND;
    if (k && !o->pair)
        return ft_fail(e, FT_DATA, "the second sequence is to be cut, and there is none");
    if (n[k] <= total - max)
        return ft_fail(e, FT_DATA, "the %s sequence is too short to be cut to %zu tokens in all", k ? "second" : "first", max);
    n[k] -= total - max;
    return 0;
}

/* Pairs, truncation, templates that do not have the sequence just once: by way of a second row. */
static int assemble(const struct ft_tokenizer *t, struct ft_tok_state *s, const struct ft_str text[2],
                    const struct ft_encode_opts *o, const struct tk_post_program *p, struct ft_encoding *out,
                    struct ft_err *e)
{
    struct row *r = &s->row, *to = &s->assembled;
    size_t n[2] = {0, 0}, room = o->max_length;
    const size_t added = o->special ? t->post.added[o->pair != NULL] : 0;
    if (o->truncate && room < added)
        return ft_fail(e, FT_DATA, "%zu special tokens alone are more than --max-length", added);
    room -= o->truncate ? added : 0;
    for (int k = 0; k < (o->pair ? 2 : 1); k++) {
        const size_t before = r->ids.n;
        if (encode_text(t, s, text[k], o, e))
            return -1;
        n[k] = r->ids.n - before;
    }
    size_t keep[2] = {n[0], n[1]};
    if (o->truncate && truncated(o, room, keep, e))
        return -1;
    out->n_cut = n[0] - keep[0] + n[1] - keep[1];
    to->ids.n = 0;
    bool seen = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct tk_post_item *it = &p->v[i];
        if (it->id >= 0) {
            put_special(to, s->places, it);
            continue;
        }
        const int k = it->id == TK_POST_B;
        const size_t from = (k ? n[0] : 0) + (o->left ? n[k] - keep[k] : 0), at = to->ids.n;
        out->n_prefix = seen ? out->n_prefix : at;
        seen = true;
        for (size_t x = from; x < from + keep[k]; x++) {
            put(to, false, r->ids.v[x], 0, 0);
            if (!s->places)
                continue;
            places(to);
            const size_t last = to->ids.n - 1;
            to->begin[last] = r->begin[x];
            to->end[last] = r->end[x];
            to->lead[last] = r->lead[x];
            to->trail[last] = r->trail[x];
        }
        finish(to, it, at, text[k], o);
    }
    out->n_prefix = seen ? out->n_prefix : to->ids.n;
    for (size_t i = p->n; i > 0 && p->v[i - 1].id >= 0 && seen; i--)
        out->n_suffix++;
    return 0;
}

int ft_encode(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text,
              const struct ft_encode_opts *o, struct ft_encoding *out, struct ft_err *e)
{
    const struct tk_post_program *p = &t->post.of[o->pair != NULL][o->special];
    struct row *r = &s->row;
    *out = (struct ft_encoding){0};
    r->ids.n = 0;
    s->places = o->offsets || o->types;
    if (p->error)
        return ft_fail(e, FT_DATA, "post-processor: %s", p->error);
    size_t sequences = 0;
    for (size_t i = 0; i < p->n; i++)
        sequences += p->v[i].id < 0;
    if (sequences == 1 && !o->pair && !o->truncate) {
        for (size_t i = 0; i < p->n; i++) {
            if (p->v[i].id >= 0) {
                put_special(r, s->places, &p->v[i]);
                continue;
            }
            const size_t from = out->n_prefix = r->ids.n;
            out->n_suffix = p->n - 1 - i;
            if (encode_text(t, s, text, o, e))
                return -1;
            finish(r, &p->v[i], from, text, o);
        }
    } else {
        const struct ft_str texts[2] = {text, o->pair ? *o->pair : (struct ft_str){0}};
        if (assemble(t, s, texts, o, p, out, e))
            return -1;
        r = &s->assembled;
    }
    tk_ids_room(&r->ids, 1);
    if (s->places)
        places(r);
    out->n = r->ids.n;
    out->ids = r->ids.v;
    out->begin = o->offsets ? r->begin : NULL;
    out->end = o->offsets ? r->end : NULL;
    out->type = o->types ? r->type : NULL;
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
        const struct tk_added_token *a = tk_added_of(&t->added, ids[i]);
        const struct ft_str token = a ? a->text : ft_token_str(t, ids[i]);
        if (token.p && !(skip_special && tk_vocab_find(&t->added.specials, token.p, token.n) >= 0))
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
    const struct ft_str s = ft_token_str(t, id);
    return s.p && tk_vocab_find(&t->added.specials, s.p, s.n) >= 0;
}

size_t ft_tokenizer_size(const struct ft_tokenizer *t) { return t->size; }
struct ft_tok_specials ft_tokenizer_specials(const struct ft_tokenizer *t) { return t->specials; }
const char *ft_tokenizer_fingerprint(const struct ft_tokenizer *t) { return t->fingerprint; }

const char *ft_tokenizer_asks(const struct ft_tokenizer *t) { return t->asks[0] ? t->asks : NULL; }

void ft_tokenizer_describe(const struct ft_tokenizer *t, struct ft_buf *out)
{
    static const char *const types[] = {"BPE", "Unigram", "WordPiece", "WordLevel"};
    ft_buf_printf(out, "%s, %zu tokens, %zu of them added", types[t->model.type], t->size, t->added.n);
    if (t->model.type == TK_BPE)
        ft_buf_printf(out, ", %zu merges", t->model.n_merges);
}
