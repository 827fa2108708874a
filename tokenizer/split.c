#include "tokenizer/split.h"

#include <stdlib.h>

#include "tokenizer/automaton.h"
#include "tokenizer/pass.h"
#include "tokenizer/prefilter.h"
#include "tokenizer/unicode.h"

enum { PARTS = 8, ENDS = 256 };

struct part {
    struct tk_automaton *automaton;
    struct tk_pass *pass; /* NULL: what it cuts is not all of the text, or too much to tell apart */
    enum tk_behavior behavior;
    bool invert;
    bool bytes;        /* behind ByteLevel: sees the alphabet */
    enum tk_rule rule; /* in last place: words.h has it */
    bool sought;       /* few characters may begin a match: */
    struct tk_prefilter seek;
};

struct tk_split {
    struct part *part[PARTS];
    int n;
    bool mapped, prefix;
    bool passes; /* all parts have one */
};

/* ---- load ---- */

static bool is_type(const struct ft_json *j, const char *name)
{
    struct ft_str type = {0};
    struct ft_err e = {0};
    return !ft_json_get_string(j, "type", &type, &e) && ft_str_is(type, name);
}

static bool flag(const struct ft_json *j, const char *key, bool absent)
{
    bool v = absent;
    struct ft_err e = {0};
    return ft_json_get_bool(j, key, &v, &e) ? absent : v;
}

static bool behavior_of(const struct ft_json *j, enum tk_behavior *out)
{
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    struct ft_str s = {0};
    struct ft_err e = {0};
    if (ft_json_get_string(j, "behavior", &s, &e))
        return false;
    for (int i = 0; i < 5; i++)
        if (ft_str_is(s, names[i]))
            return *out = (enum tk_behavior)i, true;
    return false;
}

/* The filter of what may begin a match, if it is worth having: not where words begin. */
static void fill_seek(struct part *x)
{
    const struct tk_automaton *a = x->automaton;
    for (const char *c = " etaoTA,.\n"; *c; c++)
        if (tk_automaton_starts(a, tk_automaton_class(a, (unsigned char)*c)))
            return;
    x->sought = true;
    char t[4];
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        if (tk_automaton_starts(a, tk_automaton_class(a, c))) {
            const int len = ft_utf8_put(t, c);
            tk_prefilter_add(&x->seek, t, len < 2 ? 1 : 2);
            if (len > 2)
                c |= len == 3 ? 63 : 4095; /* the others with these two bytes */
        }
    }
}

static bool is_digit(uint32_t c) { return uc_is(c, UC_DIGIT); }
static bool is_punct(uint32_t c) { return uc_is(c, UC_PUNCT); }
static bool is_space(uint32_t c) { return uc_is(c, UC_SPACE); }

/* Takes ownership of the automaton. */
static bool add(struct tk_split *s, struct tk_automaton *a, enum tk_behavior how, bool invert, enum tk_rule rule)
{
    if (!a || s->n == PARTS) {
        tk_automaton_free(a);
        return false;
    }
    struct part *x = ft_calloc(1, sizeof *x);
    *x = (struct part){.automaton = a, .behavior = how, .invert = invert, .bytes = s->mapped};
    x->rule = how == TK_ISOLATED && !s->mapped ? rule : TK_RULE_NONE;
    if (!x->bytes)
        fill_seek(x);
    x->pass = how == TK_REMOVED ? NULL : tk_pass_new(a, x->sought ? &x->seek : NULL, how, invert, x->bytes);
    s->passes = s->passes && x->pass;
    s->part[s->n++] = x;
    return true;
}

static bool add_json(struct tk_split *s, const struct ft_json *j, int depth)
{
    enum tk_behavior how = TK_ISOLATED;
    if (!j || j->type != FT_JSON_OBJECT || depth > PARTS)
        return false;
    if (is_type(j, "Sequence")) {
        const struct ft_json *v = ft_json_get(j, "pretokenizers");
        for (size_t i = 0; v && v->type == FT_JSON_ARRAY && i < v->n; i++)
            if (!add_json(s, &v->items[i], depth + 1))
                return false;
        return v && v->type == FT_JSON_ARRAY;
    }
    if (is_type(j, "Split")) {
        const struct ft_json *pattern = ft_json_get(j, "pattern");
        struct ft_str regex = {0}, text = {0};
        struct ft_err e = {0};
        if (!behavior_of(j, &how) || !pattern || pattern->type != FT_JSON_OBJECT ||
            ft_json_get_string(pattern, "Regex", &regex, &e) || ft_json_get_string(pattern, "String", &text, &e) ||
            !regex.n == !text.n)
            return false;
        return add(s, regex.n ? tk_automaton_new(regex) : tk_automaton_string(text), how, flag(j, "invert", false),
                   regex.n ? tk_rule_of(regex) : TK_RULE_NONE);
    }
    if (is_type(j, "Punctuation"))
        return (!ft_json_get(j, "behavior") || behavior_of(j, &how)) &&
               add(s, tk_automaton_of(is_punct), how, false, TK_RULE_NONE);
    if (is_type(j, "Digits"))
        return add(s, tk_automaton_of(is_digit), flag(j, "individual_digits", false) ? TK_ISOLATED : TK_CONTIGUOUS, false, TK_RULE_NONE);
    if (is_type(j, "WhitespaceSplit"))
        return add(s, tk_automaton_of(is_space), TK_REMOVED, false, TK_RULE_NONE);
    if (is_type(j, "ByteLevel") && !s->mapped) {
        s->prefix = flag(j, "add_prefix_space", true);
        if (s->prefix && s->n) /* in front of every piece */
            return false;
        if (flag(j, "use_regex", true) &&
            !add(s, tk_automaton_new(tk_rule_regex(TK_RULE_GPT2)), TK_ISOLATED, false, TK_RULE_GPT2))
            return false;
        s->mapped = true;
        return true;
    }
    return false;
}

struct tk_split *tk_split_load(const struct ft_json *pretok)
{
    struct tk_split *s = ft_calloc(1, sizeof *s);
    s->passes = true;
    if (add_json(s, pretok, 0) && s->mapped)
        return s;
    tk_split_free(s);
    return NULL;
}

void tk_split_free(struct tk_split *s)
{
    for (int i = 0; s && i < s->n; i++) {
        tk_automaton_free(s->part[i]->automaton);
        tk_pass_free(s->part[i]->pass);
        free(s->part[i]);
    }
    free(s);
}

bool tk_split_prefix(const struct tk_split *s) { return s->prefix; }

bool tk_split_keeps(const struct tk_split *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->part[i]->behavior == TK_REMOVED)
            return false;
    return true;
}

bool tk_split_chars(const struct tk_split *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->part[i]->bytes)
            return false;
    return true;
}

/* ---- at work ---- */

struct work {
    const struct tk_split *s;
    struct tk_cache *c;
    tk_words_fn *words;
    tk_put_fn *put;
    struct tk_ids *out;
    struct ft_err *e;
};

static int put(struct work *w, const char *p, size_t n)
{
    struct tk_cache *c = w->c;
    if (tk_cache_full(c) && tk_cache_flush(c, w->out, w->e))
        return -1;
    tk_cache_word(c, p, n);
    while (c->left) {
        if (tk_cache_flush(c, w->out, w->e))
            return -1;
        tk_cache_rest(c, TK_BATCH);
    }
    return 0;
}

static int split(struct work *w, int k, const char *p, size_t n);

static int words(struct work *w, enum tk_rule rule, const char *p, size_t n)
{
    for (size_t at = 0; at < n || w->c->left;) {
        w->words(rule, w->c, p, n, &at);
        if (tk_cache_full(w->c) && tk_cache_flush(w->c, w->out, w->e))
            return -1;
    }
    return 0;
}

/* Where a match may begin, at or behind `at`. */
static inline size_t next(const struct part *x, const char *p, size_t n, size_t at)
{
    return x->sought ? tk_prefilter_next(&x->seek, p, n, at) : at;
}

static inline size_t step(const struct part *x, const char *p, size_t at)
{
    const unsigned char c = (unsigned char)p[at];
    return at + (x->bytes || c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4);
}

/* Stretches between matches and matches, in turn, as the behavior joins them. */
struct joiner {
    struct work *w;
    int k;
    enum tk_behavior how;
    const char *p;
    size_t b, e;
    bool held, hit;
};

static int join(struct joiner *j, size_t b, size_t e, bool hit)
{
    if (b == e || (j->how == TK_REMOVED && hit))
        return 0;
    if (j->how == TK_ISOLATED || j->how == TK_REMOVED)
        return split(j->w, j->k + 1, j->p + b, e - b);
    const bool same = j->held && (j->how == TK_CONTIGUOUS      ? j->hit == hit
                                  : j->how == TK_WITH_PREVIOUS ? !j->hit && hit
                                                            : j->hit && !hit);
    if (same) {
        j->e = e;
        if (j->how == TK_CONTIGUOUS)
            return 0;
        j->held = false;
        return split(j->w, j->k + 1, j->p + j->b, j->e - j->b);
    }
    if (j->held && split(j->w, j->k + 1, j->p + j->b, j->e - j->b))
        return -1;
    j->held = true;
    j->b = b;
    j->e = e;
    j->hit = hit;
    return 0;
}

/* The matches of a part in a piece, and what is between them. */
static int by_part(struct work *w, int k, struct tk_hunt *h)
{
    const struct part *x = w->s->part[k];
    const char *p = h->p;
    const size_t n = h->n;
    struct joiner j = {.w = w, .k = k, .how = x->behavior, .p = p};
    size_t gap = 0;
    for (size_t at = 0; (at = next(x, p, n, at)) < n;) {
        const size_t to = tk_hunt_match(h, at);
        if (to == at) {
            at = step(x, p, at);
            continue;
        }
        if (join(&j, gap, at, x->invert) || join(&j, at, to, !x->invert)) {
            return -1;
        }
        gap = at = to;
    }
    if (join(&j, gap, n, x->invert))
        return -1;
    return j.held ? split(w, k + 1, p + j.b, j.e - j.b) : 0;
}

/* The piece p[0..n) by the parts from k on. */
static int split(struct work *w, int k, const char *p, size_t n)
{
    if (k == w->s->n)
        return put(w, p, n);
    const struct part *x = w->s->part[k];
    if (k + 1 == w->s->n && x->rule != TK_RULE_NONE)
        return words(w, x->rule, p, n);
    struct tk_hunt h = {.a = x->automaton, .p = p, .n = n, .bytes = x->bytes};
    const int r = by_part(w, k, &h);
    tk_hunt_end(&h);
    return r;
}

/* ---- by passes ---- */

static int put_ends(struct work *w, const char *p, size_t from, const uint32_t *ends, size_t k, const char *limit)
{
    for (size_t i = 0; i < k;) {
        i += w->put(w->c, p, i ? ends[i - 1] : from, ends + i, k - i, limit);
        while (w->c->left || tk_cache_full(w->c)) {
            if (tk_cache_flush(w->c, w->out, w->e))
                return -1;
            if (w->c->left)
                tk_cache_rest(w->c, TK_BATCH);
        }
    }
    return 0;
}

/* The words that begin at the bits; or what a rule makes of them. */
static int put_pieces(struct work *w, enum tk_rule rule, const char *p, size_t n, const uint64_t *starts)
{
    uint32_t ends[ENDS + 1];
    const size_t words_of = (n + 63) / 64;
    tk_listed_fn *const listed = tk_listed_of(w->words);
    size_t from = 0;
    for (size_t word = 0; word < words_of;) {
        const bool first = !word;
        size_t k = listed(starts, &word, words_of, ends, ENDS);
        if (word == words_of)
            ends[k++] = (uint32_t)n;
        const uint32_t *const e = ends + first; /* the text's beginning is no end */
        k -= first;
        if (rule == TK_RULE_NONE) {
            if (put_ends(w, p, from, e, k, p + n))
                return -1;
            from = k ? e[k - 1] : from;
            continue;
        }
        for (size_t i = 0; i < k; from = e[i++])
            if (words(w, rule, p + from, e[i] - from))
                return -1;
    }
    return 0;
}

/* Do pieces begin so seldom that each is worth a call? */
static bool are_few(const uint64_t *starts, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < (n + 63) / 64; i++)
        k += (size_t)__builtin_popcountll(starts[i]);
    return k < n / 128 + 2;
}

/* False: by parts, then. */
static bool find_pieces(const struct work *w, const char *p, size_t n, uint64_t *starts, enum tk_rule *rest)
{
    const struct tk_split *s = w->s;
    tk_pass_fn *const pass = tk_pass_of(w->words);
    tk_fenced_fn *const fenced = tk_fenced_of(w->words);
    memset(starts, 0, ((n + 63) / 64 + 1) * sizeof *starts);
    *starts = 1;
    for (int i = 0; i < s->n; i++) {
        *rest = i + 1 == s->n ? s->part[i]->rule : TK_RULE_NONE;
        if (*rest != TK_RULE_NONE && are_few(starts, n))
            return true;
        if (s->part[i]->rule == TK_RULE_GPT2 && fenced)
            fenced(p, n, starts);
        else if (!pass(s->part[i]->pass, p, n, starts))
            return false;
    }
    *rest = TK_RULE_NONE;
    return true;
}

int tk_split_text(const struct tk_split *s, struct ft_buf *room, struct tk_cache *c, tk_words_fn *fn, const char *p, size_t n,
                  struct tk_ids *out, struct ft_err *e)
{
    struct work w = {s, c, fn, tk_put_of(fn), out, e};
    enum tk_rule rest;
    if (!n)
        return 0;
    if (s->passes && n < UINT32_MAX) {
        room->n = 0;
        uint64_t *starts = (uint64_t *)(void *)ft_buf_room(room, ((n + 63) / 64 + 1) * sizeof *starts);
        if (find_pieces(&w, p, n, starts, &rest))
            return put_pieces(&w, rest, p, n, starts);
    }
    return split(&w, 0, p, n);
}
