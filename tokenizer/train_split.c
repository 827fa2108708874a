#include "tokenizer/train_split.h"

#include <stdlib.h>

#include "tokenizer/added.h"
#include "tokenizer/fast.h"
#include "tokenizer/pretok.h"

struct tk_splitter {
    struct tk_normalizer *normalizer;
    struct tk_pretok *pretok;
    struct tk_added added;
    struct tk_vocab none;
    bool at_spaces;
    int prefix;        /* of a Metaspace that cuts, when that is all there is; -1: other */
    enum tk_rule rule; /* bytes cut by a rule that has a scanner of its own */
};

struct tk_split_state {
    struct tk_work work;
    struct tk_matcher *matcher;
    struct tk_cache *cache; /* for its records */
    struct ft_buf word;
    unsigned kinds;
};

enum { NEVER, FIRST, ALWAYS };
static const char mark[3] = "\xe2\x96\x81";

static int metaspace_prefix(const struct ft_json *j)
{
    struct ft_str type = {0}, by = {0}, scheme = FT_STR("always");
    bool split = true;
    struct ft_err e = {0};
    if (!j || ft_json_get_string(j, "type", &type, &e) || !ft_str_is(type, "Metaspace") ||
        ft_json_get_string(j, "replacement", &by, &e) || !ft_str_eq(by, (struct ft_str){mark, 3}) ||
        ft_json_get_string(j, "prepend_scheme", &scheme, &e) || ft_json_get_bool(j, "split", &split, &e) || !split ||
        ft_json_get(j, "add_prefix_space")) /* of old files */
        return -1;
    return ft_str_is(scheme, "first") ? FIRST : ft_str_is(scheme, "always") ? ALWAYS : ft_str_is(scheme, "never") ? NEVER : -1;
}

int tk_splitter_load(const struct ft_json *j, bool at_spaces, struct tk_splitter **out, struct ft_err *e)
{
    struct tk_splitter *s = ft_calloc(1, sizeof *s);
    tk_vocab_init(&s->none, 1);
    if (tk_normalizer_load(ft_json_get(j, "normalizer"), &s->normalizer, e) ||
        tk_pretok_load(ft_json_get(j, "pre_tokenizer"), true, &s->pretok, e) ||
        tk_added_load(&s->added, ft_json_get(j, "added_tokens"), &s->none, 0, s->normalizer, e)) {
        tk_splitter_free(s);
        return -1;
    }
    s->at_spaces = at_spaces;
    s->prefix = metaspace_prefix(ft_json_get(j, "pre_tokenizer"));
    s->rule = tk_fast_rule(ft_json_get(j, "pre_tokenizer"));
    *out = s;
    return 0;
}

void tk_splitter_free(struct tk_splitter *s)
{
    if (!s)
        return;
    tk_normalizer_free(s->normalizer);
    tk_pretok_free(s->pretok);
    tk_added_release(&s->added);
    tk_vocab_release(&s->none);
    free(s);
}

static const struct tk_seed no_seed;

struct tk_split_state *tk_split_state_new(void)
{
    struct tk_split_state *st = ft_calloc(1, sizeof *st);
    st->matcher = tk_matcher_new();
    st->cache = tk_cache_new(&no_seed, NULL, NULL);
    return st;
}

void tk_split_state_free(struct tk_split_state *st)
{
    if (!st)
        return;
    ft_arena_release(&st->work.mem);
    free(st->work.a.v);
    free(st->work.b.v);
    free(st->work.edits);
    tk_matcher_free(st->matcher);
    tk_cache_free(st->cache);
    ft_buf_release(&st->word);
    free(st);
}

static void add_pieces(struct tk_tally *words, const char *p, size_t n)
{
    const char *end = p + n, *from = p;
    for (const char *at = p; (at = memmem(at, (size_t)(end - at), "\xe2\x96\x81", 3)); at += 3) {
        if (at > from && !(at - from >= 3 && !memcmp(at - 3, at, 3))) {
            tk_tally_add(words, from, (size_t)(at - from));
            from = at;
        }
    }
    tk_tally_add(words, from, (size_t)(end - from));
}

/* What pretok.c's Metaspace does with a piece, without making pieces of it: every
 * space and every mark begins a word, which has the mark in front. */
static void metaspace(struct tk_split_state *st, const struct tk_piece *p, int prefix, struct tk_tally *words)
{
    const char *at = p->p, *end = p->p + p->n;
    struct ft_buf *b = &st->word;
    if (at == end)
        return;
    st->kinds |= 1;
    bool begin = prefix == ALWAYS || (prefix == FIRST && p->base == 0);
    for (bool first = true; at < end; first = false) {
        const bool space = *at == ' ', marked = !space && end - at >= 3 && !memcmp(at, mark, 3);
        const char *from = at += space ? 1 : marked ? 3 : 0;
        while (at < end && *at != ' ' && !((unsigned char)*at == 0xe2 && end - at >= 3 && !memcmp(at, mark, 3)))
            at++;
        b->n = 0;
        if (!first || space || marked || begin)
            ft_buf_put(b, mark, 3);
        ft_buf_put(b, from, (size_t)(at - from));
        tk_tally_add(words, b->p, b->n);
    }
}

unsigned tk_split_kinds(const struct tk_split_state *st) { return st->kinds; }

int tk_split(const struct tk_splitter *s, struct tk_split_state *st, struct ft_str text, bool added,
             struct tk_tally *words, struct ft_err *e)
{
    struct tk_work *w = &st->work;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    if (text.n >= INT32_MAX)
        return ft_fail(e, FT_DATA, "text of %zu bytes: the limit is 2 GiB", text.n);
    ft_arena_reset(&w->mem);
    w->a.n = w->b.n = 0;
    w->offsets = false;
    if (added && s->added.n)
        tk_added_split(&s->added, false, &all, NULL, 0, &w->b);
    else
        tk_push(&w->b, all);
    for (size_t i = 0; i < w->b.n; i++) {
        struct tk_piece p = w->b.v[i];
        if (p.id >= 0)
            continue;
        if (tk_normalize(s->normalizer, w, st->matcher, &p, e))
            return -1;
        if (added && s->added.n)
            tk_added_split(&s->added, true, &p, NULL, 0, &w->a);
        else
            tk_push(&w->a, p);
    }
    if (s->rule != TK_RULE_NONE) {
        tk_words_fn *cut = tk_words();
        st->kinds |= w->a.n ? 2 : 0;
        for (size_t i = 0; i < w->a.n; i++)
            for (size_t at = 0; w->a.v[i].id < 0 && at < w->a.v[i].n;) {
                cut(s->rule, st->cache, w->a.v[i].p, w->a.v[i].n, &at);
                tk_tally_take(words, st->cache);
            }
        return 0;
    }
    if (s->prefix >= 0) {
        for (size_t i = 0; i < w->a.n; i++)
            if (w->a.v[i].id < 0)
                metaspace(st, &w->a.v[i], s->prefix, words);
        return 0;
    }
    if (tk_pretokenize(s->pretok, w, st->matcher, e))
        return -1;
    for (size_t i = 0; i < w->a.n; i++)
        if (w->a.v[i].id < 0 && w->a.v[i].n) {
            st->kinds |= w->a.v[i].mapped ? 2 : 1;
            if (s->at_spaces && !w->a.v[i].mapped)
                add_pieces(words, w->a.v[i].p, w->a.v[i].n);
            else
                tk_tally_add(words, w->a.v[i].p, w->a.v[i].n);
        }
    return 0;
}
