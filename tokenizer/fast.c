#include "tokenizer/fast.h"

#include <stdlib.h>

#include "tokenizer/scratch.h"

struct tk_fast_state {
    const struct tk_fast *f;
    struct tk_cache *cache;
    struct tk_scratch *scratch;
    struct tk_tokens tokens;
};

/* ---- words to ids, uncached ---- */

static int merge(void *ctx, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    struct tk_fast_state *s = ctx;
    return tk_bpe_ids(s->f->model, s->scratch, p, n, true, out, e);
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

/* ---- load ---- */

enum tk_rule tk_fast_rule(const struct ft_json *j)
{
    struct ft_str type = {0}, regex = {0}, how = {0};
    bool prefix = true, use_regex = true, invert = false;
    struct ft_err e = {0};
    if (!j || ft_json_get_string(j, "type", &type, &e))
        return TK_RULE_NONE;
    if (ft_str_is(type, "Sequence")) { /* Split by a rule, then bytes */
        const struct ft_json *v = ft_json_get(j, "pretokenizers");
        if (!v || v->type != FT_JSON_ARRAY || v->n != 2)
            return TK_RULE_NONE;
        if (ft_json_get_string(&v->items[0], "type", &type, &e) || !ft_str_is(type, "Split") ||
            ft_json_get_string(&v->items[0], "behavior", &how, &e) || !ft_str_is(how, "Isolated") ||
            ft_json_get_bool(&v->items[0], "invert", &invert, &e) || invert)
            return TK_RULE_NONE;
        const struct ft_json *pattern = ft_json_get(&v->items[0], "pattern");
        if (!pattern || ft_json_get_string(pattern, "Regex", &regex, &e) || !regex.p)
            return TK_RULE_NONE;
        j = &v->items[1];
        if (ft_json_get_string(j, "type", &type, &e))
            return TK_RULE_NONE;
    }
    if (!ft_str_is(type, "ByteLevel") || ft_json_get_bool(j, "add_prefix_space", &prefix, &e) || prefix ||
        ft_json_get_bool(j, "use_regex", &use_regex, &e) || use_regex == (regex.p != NULL))
        return TK_RULE_NONE;
    return regex.p ? tk_rule_of(regex) : TK_RULE_GPT2;
}

/* The bytes that a token of the byte-level alphabet stands for; -1: none. */
static int token_bytes(struct ft_str t, struct ft_buf *out)
{
    out->n = 0;
    for (size_t i = 0; i < t.n;) {
        int len;
        const int b = tk_char_byte(ft_utf8_get(t.p + i, &len));
        if (b < 0)
            return -1;
        ft_buf_putc(out, (char)b);
        i += (size_t)len;
    }
    return 0;
}

void tk_fast_init(struct tk_fast *f, const struct tk_model *m, const struct ft_json *pretok)
{
    *f = (struct tk_fast){.model = m};
    if (m->type != TK_BPE || m->prefix.n || m->suffix.n || m->vocab.n_ids >= 1u << 24)
        return;
    f->rule = tk_fast_rule(pretok);
    if (f->rule == TK_RULE_NONE)
        return;
    f->on = true;
    f->words = tk_words();
    bool whole = true; /* every byte is a token, so nothing is lost or unknown */
    for (int b = 0; b < 256; b++)
        whole = whole && m->raw_id[b] >= 0;
    if (whole) {
        f->cut = ft_calloc(1, sizeof *f->cut);
        f->len = ft_calloc(m->vocab.n_ids + 1, sizeof *f->len);
    }
    tk_seed_init(&f->seed, m->vocab.count);
    struct tk_scratch *scratch = tk_scratch_new();
    struct ft_buf b = {0};
    struct tk_ids ids = {0};
    struct ft_err e = {0};
    f->plain = whole;
    for (size_t id = 0; id < m->vocab.n_ids; id++) {
        if (!m->vocab.token[id].p || token_bytes(m->vocab.token[id], &b) || !b.n)
            continue;
        if (whole) {
            tk_cut_add(f->cut, b.p, b.n);
            f->len[id] = (uint16_t)(b.n < UINT16_MAX ? b.n : 0);
        }
        ids.n = 0;
        if (tk_bpe_ids(m, scratch, b.p, b.n, true, &ids, &e)) {
            e = (struct ft_err){0};
            continue;
        }
        /* A token that merges do not reach is a word's all the same where merges are ignored. */
        if (m->ignore_merges && !(ids.n == 1 && ids.v[0] == (int32_t)id)) {
            f->plain = false;
            ids.n = 0;
            tk_ids_put(&ids, (int32_t)id);
        }
        tk_seed_add(&f->seed, b.p, b.n, ids.v, ids.n);
    }
    tk_scratch_free(scratch);
    ft_buf_release(&b);
    free(ids.v);
}

void tk_fast_release(struct tk_fast *f)
{
    tk_seed_release(&f->seed);
    free(f->cut);
    free(f->len);
    *f = (struct tk_fast){0};
}

/* ---- a thread ---- */

struct tk_fast_state *tk_fast_state_new(const struct tk_fast *f, struct tk_scratch *scratch)
{
    struct tk_fast_state *s = ft_calloc(1, sizeof *s);
    s->f = f;
    s->scratch = scratch;
    s->cache = tk_cache_new(&f->seed, word, s);
    s->cache->cut = f->plain ? f->cut : NULL;
    return s;
}

void tk_fast_state_free(struct tk_fast_state *s)
{
    if (!s)
        return;
    tk_cache_free(s->cache);
    free(s->tokens.v);
    free(s);
}

int tk_fast_flush(struct tk_fast_state *s, struct tk_ids *out, struct ft_err *e)
{
    return tk_cache_flush(s->cache, out, e);
}

int tk_fast_text(struct tk_fast_state *s, const char *p, size_t n, struct tk_ids *out, struct ft_err *e)
{
    for (size_t at = 0; at < n || s->cache->left;) {
        s->f->words(s->f->rule, s->cache, p, n, &at);
        if (tk_cache_full(s->cache) && tk_cache_flush(s->cache, out, e))
            return -1;
    }
    return 0;
}

int tk_fast_id(struct tk_fast_state *s, int32_t id, struct tk_ids *out, struct ft_err *e)
{
    tk_cache_id(s->cache, id);
    return tk_cache_full(s->cache) ? tk_cache_flush(s->cache, out, e) : 0;
}
