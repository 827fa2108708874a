#include "tokenizer/train_base.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "tokenizer/model.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/train_write.h"

static struct ft_str keep(struct ft_arena *mem, struct ft_buf *b)
{
    const struct ft_str s = {ft_arena_dup(mem, b->p ? b->p : "", b->n), b->n};
    ft_buf_release(b);
    return s;
}

static struct ft_str raw_of(const struct ft_json *j, const char *key)
{
    const struct ft_json *v = ft_json_get(j, key);
    return v ? v->raw : FT_STR("null");
}

/* ---- load ---- */

static int check_model(const struct ft_json *m, struct ft_err *e)
{
    struct ft_str type = FT_STR("BPE"), prefix = {0}, suffix = {0};
    if (!m || ft_json_get_string(m, "type", &type, e) || !ft_str_is(type, "BPE") || !ft_json_get(m, "merges"))
        return ft_fail(e, FT_DATA, "only a BPE model can be extended");
    if (ft_json_get_string(m, "continuing_subword_prefix", &prefix, e) ||
        ft_json_get_string(m, "end_of_word_suffix", &suffix, e))
        return -1;
    if (prefix.n || suffix.n)
        return ft_fail(e, FT_DATA, "a model with %s cannot be extended",
                       prefix.n ? "a continuing_subword_prefix" : "an end_of_word_suffix");
    return 0;
}

static int load_merges(struct tk_base *b, const struct ft_json *list, struct ft_err *e)
{
    b->merges = FT_NEWS(&b->mem, struct ft_str, 2 * list->n + 1);
    for (size_t i = 0; i < list->n; i++) {
        const struct ft_json *m = &list->items[i];
        if (m->type == FT_JSON_ARRAY && m->n == 2) {
            b->merges[2 * i] = m->items[0].s;
            b->merges[2 * i + 1] = m->items[1].s;
            continue;
        }
        const char *space = m->type == FT_JSON_STRING ? memchr(m->s.p, ' ', m->s.n) : NULL;
        if (!space)
            return ft_fail(e, FT_DATA, "merge %zu is not a pair of tokens", i);
        const size_t n = (size_t)(space - m->s.p);
        b->merges[2 * i] = (struct ft_str){m->s.p, n};
        b->merges[2 * i + 1] = (struct ft_str){space + 1, m->s.n - n - 1};
    }
    b->n_merges = list->n;
    return 0;
}

/* The options of the model as they are written. */
static struct ft_str model_options(struct tk_base *b, const struct ft_json *m)
{
    struct ft_buf out = {0};
    if (!ft_json_get(m, "type"))
        ft_buf_putz(&out, "\"type\":\"BPE\"");
    for (size_t i = 0; i < m->n; i++) {
        if (ft_str_is(m->members[i].key, "vocab") || ft_str_is(m->members[i].key, "merges"))
            continue;
        if (out.n)
            ft_buf_putc(&out, ',');
        ft_json_put_str(&out, m->members[i].key);
        ft_buf_putc(&out, ':');
        ft_buf_puts(&out, m->members[i].value.raw);
    }
    return keep(&b->mem, &out);
}

static void put_added(struct ft_buf *out, struct ft_str content, size_t id, const bool flags[5])
{
    static const char *const names[] = {"single_word", "lstrip", "rstrip", "normalized", "special"};
    ft_buf_printf(out, "%s{\"id\":%zu,\"content\":", out->n > 1 ? "," : "", id);
    ft_json_put_str(out, content);
    for (int k = 0; k < 5; k++)
        ft_buf_printf(out, ",\"%s\":%s", names[k], flags[k] ? "true" : "false");
    ft_buf_putc(out, '}');
}

static int added_tokens(struct tk_base *b, const struct ft_json *list, const struct ft_str *specials, size_t n,
                        struct tk_learner *l, const struct ft_tokenizer *t, struct ft_err *e)
{
    static const char *const names[] = {"single_word", "lstrip", "rstrip", "normalized", "special"};
    struct ft_buf out = {0};
    ft_buf_putc(&out, '[');
    for (size_t i = 0; list && list->type == FT_JSON_ARRAY && i < list->n; i++) {
        struct ft_str content = {0};
        bool flags[5] = {0};
        int r = ft_json_get_string(&list->items[i], "content", &content, e);
        for (int k = 4; k >= 0 && !r; k--) {
            if (k == 3)
                flags[k] = !flags[4]; /* the library's default */
            r = ft_json_get_bool(&list->items[i], names[k], &flags[k], e);
        }
        if (r) {
            ft_buf_release(&out);
            return -1;
        }
        if (content.n)
            put_added(&out, content, (size_t)ft_token_id(t, content), flags);
    }
    for (size_t i = 0; i < n; i++) {
        bool there = false;
        for (size_t k = 0; list && list->type == FT_JSON_ARRAY && k < list->n; k++) {
            const struct ft_json *content = ft_json_get(&list->items[k], "content");
            there |= content && content->type == FT_JSON_STRING && ft_str_eq(content->s, specials[i]);
        }
        if (there)
            continue;
        const uint32_t before = l->n_tokens;
        const uint32_t id = tk_learner_token(l, specials[i], (uint32_t)ft_utf8_count(specials[i].p, specials[i].n));
        b->n_new += l->n_tokens > before;
        put_added(&out, specials[i], id, (const bool[]){false, false, false, false, true});
    }
    ft_buf_putc(&out, ']');
    b->parts.added_tokens = keep(&b->mem, &out);
    return 0;
}

static int load_tokens(struct tk_learner *l, const struct ft_json *vocab, const struct ft_tokenizer *t, struct ft_err *e)
{
    for (size_t i = 0; i < vocab->n; i++) {
        int64_t id = -1;
        const struct ft_str s = vocab->members[i].key;
        if (ft_json_int(&vocab->members[i].value, &id) || !ft_str_eq(ft_token_str(t, id), s))
            return ft_fail(e, FT_DATA, "id %lld stands for two tokens, \"%.*s\" is one", (long long)id,
                           (int)(s.n < 100 ? s.n : 100), s.p);
    }
    for (size_t id = 0; id < ft_tokenizer_size(t); id++) {
        const struct ft_str s = ft_token_str(t, (int64_t)id);
        tk_learner_put(l, s, (uint32_t)id, s.p ? (uint32_t)ft_utf8_count(s.p, s.n) : 0);
    }
    return 0;
}

int tk_base_load(struct tk_base *b, const char *dir, const struct ft_str *specials, size_t n_specials,
                 struct tk_learner *l, struct ft_err *e)
{
    struct ft_tokenizer *t = NULL;
    struct ft_json j;
    struct ft_buf path = {0};
    struct stat st;
    *b = (struct tk_base){.unk = -1};
    const bool folder = stat(dir, &st) == 0 && S_ISDIR(st.st_mode);
    ft_buf_printf(&path, "%s%s", dir, folder ? "/tokenizer.json" : "");
    ft_buf_putc(&path, 0);
    int r = ft_tokenizer_load(dir, &t, e) || ft_json_load(path.p, &b->mem, &j, e) ? -1 : 0;
    const struct ft_json *m = r ? NULL : ft_json_get(&j, "model");
    struct ft_str unk = {0};
    if (!r) {
        r = check_model(m, e) || load_merges(b, ft_json_get(m, "merges"), e) ||
                    load_tokens(l, ft_json_get(m, "vocab"), t, e) || ft_json_get_string(m, "unk_token", &unk, e) ||
                    added_tokens(b, ft_json_get(&j, "added_tokens"), specials, n_specials, l, t, e)
                ? ft_fail_in(e, "%s: ", path.p)
                : 0;
        b->size = ft_tokenizer_size(t);
        b->unk = unk.p ? tk_vocab_find(&l->vocab, unk.p, unk.n) : -1;
        b->parts.truncation = raw_of(&j, "truncation");
        b->parts.padding = raw_of(&j, "padding");
        b->parts.normalizer = raw_of(&j, "normalizer");
        b->parts.pre_tokenizer = raw_of(&j, "pre_tokenizer");
        b->parts.post_processor = raw_of(&j, "post_processor");
        b->parts.decoder = raw_of(&j, "decoder");
        if (!r)
            b->parts.model = model_options(b, m);
    }
    ft_tokenizer_free(t);
    ft_buf_release(&path);
    return r;
}

void tk_base_release(struct tk_base *b)
{
    ft_arena_release(&b->mem);
    *b = (struct tk_base){0};
}

/* ---- words ---- */

/* The model with all tokens that there are now (new characters too) and the old
 * merges: it makes of a word what the finished tokenizer will start from. */
static int load_model(const struct tk_base *b, const struct tk_learner *l, struct tk_model *m, struct ft_err *e)
{
    struct ft_buf text = {0};
    struct ft_arena mem = {0};
    struct ft_json j;
    tk_tokenizer_json(&b->parts, l, b->merges, b->n_merges, &text);
    m->unk = -1;
    const int r = ft_json_parse(text.p, text.n, &mem, &j, e) || tk_model_load(m, ft_json_get(&j, "model"), e) ? -1 : 0;
    ft_arena_release(&mem);
    ft_buf_release(&text);
    return r;
}

/* A word's tokens; what covers other than its own characters stands between. */
static void add_word(const struct tk_base *b, struct tk_learner *l, const struct tk_counted *w, bool bytes,
                     const struct tk_tokens *t, uint32_t *ids)
{
    size_t n = 0;
    uint32_t end = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct tk_token *x = &t->v[i];
        const bool inside = x->b <= x->e && x->e <= w->n;
        const size_t chars = !inside ? 0 : bytes ? x->e - x->b : ft_utf8_count(w->p + x->b, x->e - x->b);
        const bool own = chars && chars == l->len[x->id] && x->id != b->unk;
        if (n && (!own || x->b != end)) {
            tk_learner_word(l, ids, n, w->count);
            n = 0;
        }
        if (own)
            ids[n++] = (uint32_t)x->id;
        end = x->e;
    }
    tk_learner_word(l, ids, n, w->count);
}

int tk_base_words(const struct tk_base *b, struct tk_learner *l, const struct tk_words *w, bool bytes, struct ft_err *e)
{
    struct tk_model m = {0};
    struct tk_scratch *s = tk_scratch_new();
    struct tk_tokens t = {0};
    size_t slots, longest;
    uint32_t *ids = NULL;
    int r = tk_words_size(w, bytes, &slots, &longest, e);
    r = r || load_model(b, l, &m, e) ? -1 : 0;
    if (!r) {
        ids = ft_reallocs(NULL, longest + 1, sizeof *ids);
        tk_learner_begin(l, w->n, slots);
    }
    for (size_t i = 0; i < w->n && !r; i++) {
        t.n = 0;
        r = tk_model_encode(&m, s, w->v[i].p, w->v[i].n, bytes, &t, e);
        if (!r)
            add_word(b, l, &w->v[i], bytes, &t, ids);
    }
    free(ids);
    free(t.v);
    tk_scratch_free(s);
    tk_model_release(&m);
    return r;
}
