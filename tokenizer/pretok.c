#include "tokenizer/pretok.h"

#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/component.h"
#include "tokenizer/pattern.h"
#include "tokenizer/scan.h"
#include "tokenizer/unicode.h"

enum kind {
    SEQUENCE, BERT, BYTE_LEVEL, DELIMITER, METASPACE, WHITESPACE, WHITESPACE_SPLIT, SPLIT, PUNCTUATION,
    DIGITS, FIXED_LENGTH, UNICODE_SCRIPTS,
};

enum behavior { REMOVED, ISOLATED, WITH_PREVIOUS, WITH_NEXT, CONTIGUOUS };

struct tk_pretok {
    enum kind kind;
    struct ft_arena mem; /* of the outermost one */
    struct tk_pretok **parts;
    size_t n_parts;
    enum behavior behavior;   /* SPLIT, PUNCTUATION */
    bool invert;              /* SPLIT */
    struct tk_pattern pattern; /* SPLIT */
    enum tk_rule rule;        /* SPLIT, BYTE_LEVEL: a scanner instead of the regex */
    bool prefix_space, use_regex; /* BYTE_LEVEL */
    bool keep_mapped;         /* BYTE_LEVEL: what is behind it must see the alphabet */
    struct ft_str delimiter;  /* DELIMITER */
    struct tk_metaspace metaspace;
    bool individual;          /* DIGITS */
    int64_t length;           /* FIXED_LENGTH */
};

/* ---- load ---- */

static int behavior_of(const struct ft_json *j, enum behavior *out, struct ft_err *e)
{
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                                        "Contiguous"};
    struct ft_str s = {0};
    if (ft_json_get_string(j, "behavior", &s, e))
        return -1;
    for (int i = 0; i < 5; i++)
        if (ft_str_is(s, names[i]))
            return *out = (enum behavior)i, 0;
    return ft_fail(e, FT_DATA, "behavior \"%.*s\" is not known", (int)s.n, s.p ? s.p : "");
}

static int load_kind(const struct ft_json *j, bool raw, struct ft_arena *mem, struct tk_pretok *t, struct ft_err *e);

static int load(const struct ft_json *j, bool raw, struct ft_arena *mem, struct tk_pretok **out, struct ft_err *e)
{
    static const struct tk_component_name names[] = {
        {"Sequence", SEQUENCE}, {"BertPreTokenizer", BERT}, {"ByteLevel", BYTE_LEVEL}, {"CharDelimiterSplit", DELIMITER},
        {"Metaspace", METASPACE}, {"Whitespace", WHITESPACE}, {"WhitespaceSplit", WHITESPACE_SPLIT}, {"Split", SPLIT},
        {"Punctuation", PUNCTUATION}, {"Digits", DIGITS}, {"FixedLength", FIXED_LENGTH}, {"UnicodeScripts", UNICODE_SCRIPTS}};
    const struct tk_component_name *name;
    if (tk_component_of(j, "pre-tokenizer", names, sizeof names / sizeof *names, FT_STR(""), &name, e))
        return -1;
    struct tk_pretok *t = FT_NEW(mem, struct tk_pretok);
    t->kind = (enum kind)name->kind;
    *out = t;
    if (load_kind(j, raw, mem, t, e))
        return ft_fail_in(e, "pre-tokenizer %s: ", name->name);
    return 0;
}

static int load_kind(const struct ft_json *j, bool raw, struct ft_arena *mem, struct tk_pretok *t, struct ft_err *e)
{
    switch (t->kind) {
    case SEQUENCE: {
        const struct ft_json *list;
        if (tk_want_list(j, "pretokenizers", &list, e))
            return -1;
        t->parts = FT_NEWS(mem, struct tk_pretok *, list->n);
        for (size_t k = 0; k < list->n; k++) {
            t->n_parts++; /* also one that fails half way is released */
            if (load(&list->items[k], raw && k + 1 == list->n, mem, &t->parts[k], e))
                return -1;
        }
        return 0;
    }
    case BYTE_LEVEL: {
        bool trim = true;
        t->use_regex = true;
        t->rule = TK_RULE_GPT2;
        t->keep_mapped = !raw;
        return tk_want_bool(j, "add_prefix_space", &t->prefix_space, e) || tk_want_bool(j, "trim_offsets", &trim, e) ||
                       (ft_json_get(j, "use_regex") && tk_want_bool(j, "use_regex", &t->use_regex, e))
                   ? -1
                   : 0;
    }
    case DELIMITER:
        return tk_want_char(j, "delimiter", mem, &t->delimiter, e);
    case METASPACE:
        return tk_metaspace_load(j, mem, &t->metaspace, e);
    case SPLIT:
        if (behavior_of(j, &t->behavior, e) || tk_want_bool(j, "invert", &t->invert, e) ||
            tk_pattern_load(ft_json_get(j, "pattern"), mem, &t->pattern, e))
            return -1;
        if (t->pattern.regex && t->behavior == ISOLATED)
            t->rule = tk_rule_of(t->pattern.source);
        return 0;
    case PUNCTUATION:
        t->behavior = ISOLATED;
        return ft_json_get(j, "behavior") ? behavior_of(j, &t->behavior, e) : 0;
    case DIGITS:
        return tk_want_bool(j, "individual_digits", &t->individual, e);
    case FIXED_LENGTH:
        t->length = 5;
        if (ft_json_get_int(j, "length", &t->length, e))
            return -1;
        return t->length > 0 ? 0 : ft_fail(e, FT_DATA, "length %lld", (long long)t->length);
    default:
        return 0;
    }
}

static void release(struct tk_pretok *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_parts; i++)
        release(t->parts[i]);
    tk_pattern_release(&t->pattern);
}

int tk_pretok_load(const struct ft_json *j, bool raw, struct tk_pretok **out, struct ft_err *e)
{
    *out = NULL;
    if (!j || j->type == FT_JSON_NULL)
        return 0;
    struct ft_arena mem = {0};
    const int r = load(j, raw, &mem, out, e);
    if (r) {
        release(*out);
        ft_arena_release(&mem);
        *out = NULL;
    } else {
        (*out)->mem = mem;
    }
    return r;
}

void tk_pretok_free(struct tk_pretok *t)
{
    if (!t)
        return;
    struct ft_arena mem = t->mem;
    release(t);
    ft_arena_release(&mem);
}

/* Walks the parts in order, keeping what has happened before each. */
static bool asks_origin(const struct tk_pretok *t, bool *rewritten, bool *cut)
{
    if (t->kind == SEQUENCE) {
        for (size_t i = 0; i < t->n_parts; i++)
            if (asks_origin(t->parts[i], rewritten, cut))
                return true;
        return false;
    }
    const bool asks = t->kind == METASPACE && t->metaspace.scheme == TK_PREPEND_FIRST && *rewritten && *cut;
    *rewritten |= t->kind == METASPACE || t->kind == BYTE_LEVEL;
    *cut = true;
    return asks;
}

bool tk_pretok_asks_origin(const struct tk_pretok *t, bool rewritten, bool cut)
{
    return t && asks_origin(t, &rewritten, &cut);
}

/* ---- cutting ---- */

static void put(struct tk_pieces *out, const struct tk_piece *p, uint32_t b, uint32_t e)
{
    if (b < e)
        tk_push(out, tk_slice(p, b, e));
}

/* Cuts a piece at matches, by the behaviors of the library's `split`. */
static void cut(struct tk_pieces *out, const struct tk_piece *p, const struct tk_match *m, size_t n,
                enum behavior how, bool invert, struct ft_arena *mem)
{
    struct part {
        uint32_t b, e;
        bool hit;
    } *v = ft_arena_alloc(mem, (2 * n + 1) * sizeof *v);
    size_t k = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (at < m[i].b)
            v[k++] = (struct part){at, m[i].b, invert};
        v[k++] = (struct part){m[i].b, m[i].e, !invert};
        at = m[i].e;
    }
    if (at < p->n)
        v[k++] = (struct part){at, p->n, invert};
    switch (how) {
    case ISOLATED:
        for (size_t i = 0; i < k; i++)
            put(out, p, v[i].b, v[i].e);
        break;
    case REMOVED:
        for (size_t i = 0; i < k; i++)
            if (!v[i].hit)
                put(out, p, v[i].b, v[i].e);
        break;
    case CONTIGUOUS:
        for (size_t i = 0; i < k;) {
            size_t j = i + 1;
            while (j < k && v[j].hit == v[i].hit)
                j++;
            put(out, p, v[i].b, v[j - 1].e);
            i = j;
        }
        break;
    case WITH_PREVIOUS: /* a match joins what stands before it, unless that is a match */
        for (size_t i = 0; i < k;) {
            const bool joined = !v[i].hit && i + 1 < k && v[i + 1].hit;
            put(out, p, v[i].b, v[i + joined].e);
            i += 1u + joined;
        }
        break;
    case WITH_NEXT: { /* the same from the right: of a row of matches the last one joins */
        for (size_t i = 0; i < k;) {
            const bool joined = v[i].hit && i + 1 < k && !v[i + 1].hit;
            put(out, p, v[i].b, v[i + joined].e);
            i += 1u + joined;
        }
        break;
    }
    }
}

typedef bool is_fn(uint32_t c);
static bool is_space(uint32_t c) { return uc_is(c, UC_SPACE); }
static bool is_punct(uint32_t c) { return uc_is(c, UC_PUNCT); }
static bool is_digit(uint32_t c) { return uc_is(c, UC_DIGIT); }

/* Every character for which `is` holds, as a match of its own. */
static size_t each(const struct tk_piece *p, is_fn *is, struct ft_arena *mem, struct tk_match **out)
{
    struct tk_match *v = ft_arena_alloc(mem, ((size_t)p->n + 1) * sizeof *v);
    size_t k = 0;
    for (uint32_t i = 0; i < p->n;) {
        int len;
        if (is(ft_utf8_get(p->p + i, &len)))
            v[k++] = (struct tk_match){i, i + (uint32_t)len};
        i += (uint32_t)len;
    }
    *out = v;
    return k;
}

/* \w+|[^\w\s]+, the rest dropped */
static void whitespace(struct tk_pieces *out, const struct tk_piece *p)
{
    int len;
    for (uint32_t i = 0; i < p->n;) {
        const unsigned k = uc_class(ft_utf8_get(p->p + i, &len));
        if (k & UC_SPACE && !(k & UC_WORD)) {
            i += (uint32_t)len;
            continue;
        }
        uint32_t e = i;
        while (e < p->n) {
            const unsigned x = uc_class(ft_utf8_get(p->p + e, &len));
            if (!(x & UC_WORD) != !(k & UC_WORD) || (!(x & UC_WORD) && x & UC_SPACE))
                break;
            e += (uint32_t)len;
        }
        put(out, p, i, e);
        i = e;
    }
}

/* Cuts where the script changes. Script 0 goes with any other, and what stands
 * in front of the first character with a script is lost, as in the library. */
static void scripts(struct tk_pieces *out, const struct tk_piece *p)
{
    int len, last = -1;
    uint32_t from = UINT32_MAX;
    for (uint32_t i = 0; i < p->n; i += (uint32_t)len) {
        const int k = uc_script(ft_utf8_get(p->p + i, &len));
        if (k && k != last) {
            if (from != UINT32_MAX)
                put(out, p, from, i);
            from = i;
            last = k;
        }
    }
    if (from != UINT32_MAX)
        put(out, p, from, p->n);
}

static void scan(struct tk_pieces *out, const struct tk_piece *p, enum tk_rule rule)
{
    for (size_t at = 0; at < p->n;) {
        const size_t e = tk_scan(rule, p->p, p->n, at);
        put(out, p, (uint32_t)at, (uint32_t)e);
        at = e;
    }
}

/* One pre-tokenizer over one piece. */
static int apply(const struct tk_pretok *t, struct tk_work *w, struct tk_matcher *m, struct tk_piece *p,
                 struct tk_pieces *out, struct ft_err *e)
{
    struct tk_match *v;
    size_t k;
    switch (t->kind) {
    case BYTE_LEVEL: {
        const size_t first = out->n;
        if (t->prefix_space && !(p->n && p->p[0] == ' '))
            tk_prepend(w, p, FT_STR(" "));
        if (t->use_regex)
            scan(out, p, t->rule);
        else if (p->n)
            tk_push(out, *p);
        for (size_t i = first; i < out->n; i++) {
            if (t->keep_mapped || out->v[i].front)
                tk_byte_level(w, &out->v[i]);
            else
                out->v[i].mapped = true;
        }
        return tk_edit_check(w, e);
    }
    case METASPACE:
        if (tk_pattern_find(&(struct tk_pattern){.text = FT_STR(" ")}, m, &w->mem, p->p, p->n, &v, &k, e))
            return -1;
        tk_replace(w, p, v, k, t->metaspace.replacement);
        if (t->metaspace.scheme != TK_PREPEND_NEVER && !ft_str_starts((struct ft_str){p->p, p->n}, t->metaspace.replacement) &&
            (t->metaspace.scheme == TK_PREPEND_ALWAYS || p->base == 0))
            tk_prepend(w, p, t->metaspace.replacement);
        if (!t->metaspace.split) {
            if (p->n)
                tk_push(out, *p);
            return 0;
        }
        if (tk_pattern_find(&(struct tk_pattern){.text = t->metaspace.replacement}, m, &w->mem, p->p, p->n, &v, &k, e))
            return -1;
        cut(out, p, v, k, WITH_NEXT, false, &w->mem);
        return 0;
    case SPLIT:
        if (t->rule && !t->invert) {
            scan(out, p, t->rule);
            return 0;
        }
        if (tk_pattern_find(&t->pattern, m, &w->mem, p->p, p->n, &v, &k, e))
            return -1;
        cut(out, p, v, k, t->behavior, t->invert, &w->mem);
        return 0;
    case DELIMITER:
        if (tk_pattern_find(&(struct tk_pattern){.text = t->delimiter}, m, &w->mem, p->p, p->n, &v, &k, e))
            return -1;
        cut(out, p, v, k, REMOVED, false, &w->mem);
        return 0;
    case WHITESPACE:
        whitespace(out, p);
        return 0;
    case WHITESPACE_SPLIT:
        k = each(p, is_space, &w->mem, &v);
        cut(out, p, v, k, REMOVED, false, &w->mem);
        return 0;
    case PUNCTUATION:
        k = each(p, is_punct, &w->mem, &v);
        cut(out, p, v, k, t->behavior, false, &w->mem);
        return 0;
    case DIGITS:
        k = each(p, is_digit, &w->mem, &v);
        cut(out, p, v, k, t->individual ? ISOLATED : CONTIGUOUS, false, &w->mem);
        return 0;
    case BERT: {
        struct tk_pieces words = {0};
        k = each(p, is_space, &w->mem, &v);
        cut(&words, p, v, k, REMOVED, false, &w->mem);
        for (size_t i = 0; i < words.n; i++) {
            k = each(&words.v[i], is_punct, &w->mem, &v);
            cut(out, &words.v[i], v, k, ISOLATED, false, &w->mem);
        }
        free(words.v);
        return 0;
    }
    case FIXED_LENGTH:
        for (uint32_t i = 0; i < p->n;) {
            uint32_t end = i;
            for (int64_t c = 0; c < t->length && end < p->n; c++) {
                int len;
                ft_utf8_get(p->p + end, &len);
                end += (uint32_t)len;
            }
            put(out, p, i, end);
            i = end;
        }
        return 0;
    case UNICODE_SCRIPTS:
        scripts(out, p);
        return 0;
    case SEQUENCE:
        break;
    }
    return 0;
}

int tk_pretokenize(const struct tk_pretok *t, struct tk_work *w, struct tk_matcher *m, struct ft_err *e)
{
    if (!t)
        return 0;
    if (t->kind == SEQUENCE) {
        for (size_t i = 0; i < t->n_parts; i++)
            if (tk_pretokenize(t->parts[i], w, m, e))
                return -1;
        return 0;
    }
    w->b.n = 0;
    for (size_t i = 0; i < w->a.n; i++) {
        if (w->a.v[i].id >= 0)
            tk_push(&w->b, w->a.v[i]);
        else if (apply(t, w, m, &w->a.v[i], &w->b, e))
            return -1;
    }
    const struct tk_pieces swap = w->a;
    w->a = w->b;
    w->b = swap;
    return 0;
}
