/* fast_load.c -- which tokenizers the quick way takes, and the tables it needs. */
#include "tokenizer/fast_state.h"

#include <stdlib.h>

#include "tokenizer/bpe_reachable.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/lone_chars.h"
#include "tokenizer/spell.h"
#include "tokenizer/unicode.h"

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

/* The bytes that a token of the byte-level alphabet stands for; -1: none. *known: each is a token. */
static int token_bytes(const struct tk_model *m, struct ft_str t, struct ft_buf *out, bool *known)
{
    char *const to = ft_buf_room(out, t.n), *w = to;
    *known = true;
    for (size_t i = 0; i < t.n;) {
        int len;
        const int b = tk_char_byte(ft_utf8_get(t.p + i, &len));
        if (b < 0)
            return -1;
        *known = *known && m->raw_id[b] >= 0;
        *w++ = (char)b;
        i += (size_t)len;
    }
    out->n = (size_t)(w - to);
    return 0;
}

/* Is the token of these bytes what merging makes of them? */
static bool is_reached(const struct tk_model *m, struct tk_scratch *scratch, struct ft_str b, size_t id, struct tk_ids *ids)
{
    struct ft_err e = {0};
    ids->n = 0;
    return !tk_bpe_ids(m, scratch, b.p, b.n, true, ids, &e) && ids->n == 1 && ids->v[0] == (int32_t)id;
}

static void init_words(struct tk_fast *f, struct tk_model *m)
{
    f->on = true;
    /* Every byte that UTF-8 can have is a token, so nothing is lost or unknown. */
    bool bytes = true;
    for (int b = 0; b < 0xf5; b++)
        bytes = bytes && (m->raw_id[b] >= 0 || b == 0xc0 || b == 0xc1);
    const bool whole = bytes && (!f->split || tk_split_chars(f->split));
    const struct tk_bpe_reachable reached = tk_bpe_reachable(m);
    if (reached.is && bytes)
        tk_merges_keep(&m->merges, reached.live, reached.n_live, m->raw_id);
    free(reached.live);
    if (whole) {
        f->cut = ft_calloc(1, sizeof *f->cut);
        f->len = ft_calloc(m->vocab.n_ids + 1, sizeof *f->len);
    }
    tk_seed_init(&f->seed, m->vocab.count);
    struct tk_scratch *scratch = tk_scratch_new();
    struct ft_buf b = {0};
    struct tk_ids ids = {0};
    struct tk_seed_word ahead[16];
    size_t n_ahead = 0;
    f->plain = whole;
    if (f->split && !tk_split_keeps(f->split)) { /* lengths say nothing of places */
        free(f->len);
        f->len = NULL;
    }
    for (size_t id = 0; id < m->vocab.n_ids; id++) {
        bool known;
        b.n = 0;
        if (!m->vocab.token[id].p || token_bytes(m, m->vocab.token[id], &b, &known) || !b.n)
            continue;
        if (whole)
            tk_cut_add(f->cut, b.p, b.n);
        if (f->len)
            f->len[id] = (uint16_t)(b.n < UINT16_MAX ? b.n : 0);
        const bool made = reached.is && known ? reached.is[id] : is_reached(m, scratch, ft_buf_str(&b), id, &ids);
        /* Not where merges may be out of order: then one of the character and another may come before its own. */
        if (whole && reached.is && made && b.n == 3 && ft_utf8_seq((const unsigned char *)b.p, 3) == 3)
            f->cut->one[tk_cut_code(b.p)] = (uint32_t)id + 1;
        /* A token that merges do not reach is a word's all the same where merges are ignored. */
        if (made || m->ignore_merges) {
            struct tk_seed_word *w = &ahead[n_ahead % 16];
            if (n_ahead++ >= 16)
                tk_seed_put(&f->seed, w);
            *w = tk_seed_ask(&f->seed, b.p, b.n, (int32_t)id);
        }
        if (!made && m->ignore_merges)
            f->plain = false;
    }
    for (size_t i = n_ahead < 16 ? 0 : n_ahead - 16; i < n_ahead; i++)
        tk_seed_put(&f->seed, &ahead[i % 16]);
    free(reached.is);
    tk_scratch_free(scratch);
    ft_buf_release(&b);
    free(ids.v);
}

/* ---- units ---- */

static bool is_type(const struct ft_json *j, const char *name)
{
    struct ft_str type = {0};
    struct ft_err e = {0};
    return j && j->type == FT_JSON_OBJECT && !ft_json_get_string(j, "type", &type, &e) && ft_str_is(type, name);
}

static bool absent(const struct ft_json *j) { return !j || j->type == FT_JSON_NULL; }

static bool string_is(const struct ft_json *j, const char *key, struct ft_str what)
{
    struct ft_str s = {0};
    struct ft_err e = {0};
    return j && j->type == FT_JSON_OBJECT && !ft_json_get_string(j, key, &s, &e) && s.p && ft_str_eq(s, what);
}

/* Replace of " " by U+2581. */
static bool is_blanks(const struct ft_json *j)
{
    return is_type(j, "Replace") && string_is(ft_json_get(j, "pattern"), "String", FT_STR(" ")) &&
           string_is(j, "content", low_line);
}

/* SentencePiece BPE in its spellings: Metaspace without splitting; Prepend and
 * Replace; Replace alone; a .model. Sets how the text begins. */
static bool is_pieces(struct tk_fast *f, const struct ft_json *norm, const struct ft_json *pretok)
{
    if (absent(norm) && is_type(pretok, "Metaspace")) {
        bool split = true;
        struct ft_err e = {0};
        struct ft_str scheme = {0};
        if (!string_is(pretok, "replacement", low_line) || ft_json_get_bool(pretok, "split", &split, &e) || split ||
            ft_json_get_string(pretok, "prepend_scheme", &scheme, &e) || !scheme.p)
            return false;
        f->front = ft_str_is(scheme, "always")  ? TK_FRONT_ALWAYS
                   : ft_str_is(scheme, "first") ? TK_FRONT_FIRST
                                                : TK_FRONT_NONE;
        return ft_str_is(scheme, "always") || ft_str_is(scheme, "first") || ft_str_is(scheme, "never");
    }
    if (!absent(pretok))
        return false;
    if (is_type(norm, "ft:sentencepiece")) {
        bool escape = false;
        struct ft_err e = {0};
        return !ft_json_get_bool(norm, "escape_whitespaces", &escape, &e) && escape;
    }
    if (is_blanks(norm))
        return true;
    const struct ft_json *v = is_type(norm, "Sequence") ? ft_json_get(norm, "normalizers") : NULL;
    if (!v || v->type != FT_JSON_ARRAY || v->n != 2)
        return false;
    f->front = TK_FRONT_EACH;
    return is_type(&v->items[0], "Prepend") && string_is(&v->items[0], "prepend", low_line) && is_blanks(&v->items[1]);
}

/* Has the model a token for every byte, that no merge uses or makes? Then no character is
 * unknown, and the tokens of one do not meet those of another. */
static bool has_bytes(const struct tk_model *m)
{
    if (!m->byte_fallback)
        return false;
    for (int b = 0; b < 256; b++)
        if (m->byte_id[b] < 0)
            return false;
    return !m->byte_merges;
}

/* Normalizers whose work on one side of a gap does not depend on the other, and
 * leaves the gap one. */
static bool is_local(const struct ft_json *j)
{
    static const char *const good[] = {"Precompiled", "NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Lowercase", "Nmt"};
    if (absent(j))
        return true;
    if (is_type(j, "Sequence")) {
        const struct ft_json *v = ft_json_get(j, "normalizers");
        for (size_t i = 0; v && v->type == FT_JSON_ARRAY && i < v->n; i++)
            if (!is_local(&v->items[i]))
                return false;
        return v && v->type == FT_JSON_ARRAY;
    }
    if (is_type(j, "Replace")) { /* of a string without white space */
        struct ft_str s = {0};
        struct ft_err e = {0};
        const struct ft_json *pattern = ft_json_get(j, "pattern");
        struct ft_str regex = {0}, content = {0};
        if (pattern && pattern->type == FT_JSON_OBJECT && !ft_json_get_string(pattern, "Regex", &regex, &e) && regex.p &&
            !ft_json_get_string(j, "content", &content, &e) && tk_is_blanks_to_one(regex, content))
            return true;
        if (!pattern || pattern->type != FT_JSON_OBJECT || ft_json_get_string(pattern, "String", &s, &e) || !s.n)
            return false;
        for (size_t i = 0; i < s.n; i++)
            if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
                return false;
        return true;
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (is_type(j, good[i]))
            return true;
    return false;
}

/* WhitespaceSplit first, and then what goes word by word. */
static bool is_spaced(const struct ft_json *j)
{
    if (is_type(j, "WhitespaceSplit"))
        return true;
    const struct ft_json *v = is_type(j, "Sequence") ? ft_json_get(j, "pretokenizers") : NULL;
    struct ft_str scheme = {0};
    struct ft_err e = {0};
    return v && v->type == FT_JSON_ARRAY && v->n == 2 && is_type(&v->items[0], "WhitespaceSplit") &&
           is_type(&v->items[1], "Metaspace") && !ft_json_get_string(&v->items[1], "prepend_scheme", &scheme, &e) &&
           !(scheme.p && ft_str_is(scheme, "first"));
}

/* Does the normalizer make one of these texts of the other? */
static bool becomes(const struct tk_fast *f, const char *from, const char *to, const char *or)
{
    struct tk_work w = {0};
    struct tk_matcher *matcher = tk_matcher_new();
    struct tk_piece p = {.p = from, .n = (uint32_t)strlen(from), .id = -1};
    struct ft_err e = {0};
    const bool good = !tk_normalize(f->normalizer, &w, matcher, &p, &e) &&
                      (ft_str_is((struct ft_str){p.p, p.n}, to) || ft_str_is((struct ft_str){p.p, p.n}, or));
    tk_matcher_free(matcher);
    ft_arena_release(&w.mem);
    free(w.edits);
    return good;
}

/* Metaspace alone, which puts a mark in front of all text, behind what makes one blank of several, as the
 * last thing that it does, perhaps after stripping the end. Sets f->ends. */
static bool has_ends(struct tk_fast *f, const struct ft_json *norm, const struct ft_json *pretok)
{
    struct ft_str scheme = FT_STR("always"), content = {0};
    bool split = true, legacy = true, left = true, right = true;
    struct ft_err e = {0};
    const struct ft_json *v = is_type(norm, "Sequence") ? ft_json_get(norm, "normalizers") : NULL;
    if (!is_type(pretok, "Metaspace") || !string_is(pretok, "replacement", low_line) || f->model->type != TK_UNIGRAM || f->model->spm ||
        ft_json_get_string(pretok, "prepend_scheme", &scheme, &e) || !ft_str_is(scheme, "always") ||
        ft_json_get_bool(pretok, "split", &split, &e) || !split || ft_json_get_bool(pretok, "add_prefix_space", &legacy, &e) || !legacy ||
        !v || v->type != FT_JSON_ARRAY || !v->n)
        return false;
    const struct ft_json *last = &v->items[v->n - 1];
    size_t n = v->n - 1;
    if (!is_type(last, "Replace") || !string_is(ft_json_get(last, "pattern"), "Regex", FT_STR(" {2,}")) ||
        ft_json_get_string(last, "content", &content, &e) || !content.p || !(ft_str_is(content, " ") || ft_str_eq(content, low_line)))
        return false;
    const bool strips = n && is_type(&v->items[n - 1], "Strip");
    if (strips && (ft_json_get_bool(&v->items[n - 1], "strip_left", &left, &e) || left ||
                   ft_json_get_bool(&v->items[n - 1], "strip_right", &right, &e) || !right))
        return false;
    n -= strips;
    for (size_t i = 0; i < n; i++)
        if (!is_local(&v->items[i]))
            return false;
    static const char *const gaps[] = {".\t.", ".\n.", ".\r.", ".\r\n."};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (!becomes(f, gaps[i], ". .", i < 3 ? ". ." : ".\xe2\x96\x81."))
            return false;
    uint64_t pattern[2] = {0};
    if (!becomes(f, ". \t\r\n.", ". .", ".\xe2\x96\x81.") || !tk_normalizer_by_char(f->normalizer, pattern) || pattern['.' >> 6] >> ('.' & 63) & 1)
        return false;
    f->ends = strips ? TK_ENDS_STRIPPED : TK_ENDS_MARKED;
    return true;
}

static enum tk_unit unit_of(struct tk_fast *f, const struct ft_json *norm, const struct ft_json *pretok)
{
    const struct tk_model *m = f->model;
    if (m->type == TK_BPE && !m->prefix.n && !m->suffix.n && !m->ignore_merges && is_pieces(f, norm, pretok) &&
        has_bytes(m))
        return TK_UNIT_PIECES;
    if (m->type == TK_BPE)
        return TK_UNIT_NONE;
    if (is_type(norm, "BertNormalizer") && is_type(pretok, "BertPreTokenizer")) {
        bool apart = false; /* ideographs are words each: where they are not, units may not be cut at them */
        struct ft_err e = {0};
        return ft_json_get_bool(norm, "handle_chinese_chars", &apart, &e) || !apart ? TK_UNIT_NONE : TK_UNIT_BERT;
    }
    return has_ends(f, norm, pretok) || (is_local(norm) && is_spaced(pretok)) ? TK_UNIT_SPACES : TK_UNIT_NONE;
}

/* Takes the characters of Replace patterns away. */
static void unflatten(struct tk_fast *f, const struct ft_json *norm)
{
    struct ft_str s = {0};
    struct ft_err e = {0};
    const struct ft_json *v = is_type(norm, "Sequence") ? ft_json_get(norm, "normalizers") : NULL;
    for (size_t i = 0; v && v->type == FT_JSON_ARRAY && i < v->n; i++)
        unflatten(f, &v->items[i]);
    if (is_type(norm, "Replace") && !ft_json_get_string(ft_json_get(norm, "pattern"), "String", &s, &e))
        for (size_t i = 0; i < s.n; i++)
            f->flat[(unsigned char)s.p[i] >> 6] &= ~(1ull << ((unsigned char)s.p[i] & 63));
}

/* Asks the normalizer for every character. Left out are those that may join with a
 * neighbour (marks, jamo) or be cut off from it (punctuation under BERT). */
static void find_flat(struct tk_fast *f, const struct ft_json *norm)
{
    struct tk_work w = {0};
    struct tk_matcher *matcher = tk_matcher_new();
    struct ft_err e = {0};
    f->flat = ft_calloc(1024, sizeof *f->flat);
    for (uint32_t c = 0x21; c < 0x10000; c++) {
        char t[4];
        const bool jamo = (c >= 0x1100 && c < 0x1200) || (c >= 0xa960 && c < 0xa980) || (c >= 0xd7b0 && c < 0xd800);
        if (c == 0x7f || jamo || (c >= 0xd800 && c < 0xe000) || c == 0x2581 || !tk_unit_edge(c) ||
            (f->unit == TK_UNIT_BERT && uc_is(c, UC_PUNCT)))
            continue;
        struct tk_piece p = {.p = t, .n = (uint32_t)ft_utf8_put(t, c), .id = -1};
        const size_t n = p.n;
        ft_arena_reset(&w.mem);
        if (!tk_normalize(f->normalizer, &w, matcher, &p, &e) && p.n == n && !memcmp(p.p, t, n))
            f->flat[c >> 6] |= 1ull << (c & 63);
        e = (struct ft_err){0};
    }
    unflatten(f, norm);
    tk_matcher_free(matcher);
    ft_arena_release(&w.mem);
    free(w.edits);
}

static uint16_t marked_length(const struct tk_fast *f, struct ft_str t)
{
    const struct ft_str mark = f->model->type == TK_WORDPIECE ? f->model->prefix : f->low_line ? low_line : (struct ft_str){0};
    const bool marked = mark.n && ft_str_starts(t, mark);
    const size_t n = t.n - (marked ? mark.n : 0);
    return (uint16_t)((n < TK_LEN_MARKED ? n : 0) | (marked ? TK_LEN_MARKED : 0));
}

static void init_units(struct tk_fast *f, const struct tk_model *m, const struct ft_json *norm, const struct ft_json *pretok)
{
    if (f->unit != TK_UNIT_PIECES)
        find_flat(f, norm);
    if (f->unit == TK_UNIT_SPACES && is_type(pretok, "Sequence")) { /* is_spaced: the second is Metaspace */
        struct ft_str scheme = {0};
        bool legacy = true;
        struct ft_err e = {0};
        const struct ft_json *meta = &ft_json_get(pretok, "pretokenizers")->items[1];
        ft_json_get_string(meta, "prepend_scheme", &scheme, &e);
        ft_json_get_bool(meta, "add_prefix_space", &legacy, &e);
        f->low_line = scheme.p ? ft_str_is(scheme, "always") : legacy;
        if (!string_is(meta, "replacement", low_line)) {
            free(f->flat);
            f->flat = NULL;
        }
    }
    if (f->ends)
        f->low_line = true;
    f->len = ft_calloc(m->vocab.n_ids + 1, sizeof *f->len);
    f->plain = true;
    tk_seed_init(&f->seed, m->vocab.count);
    f->in_tokens = ft_calloc(TK_LONE_WORDS, sizeof *f->in_tokens);
    if (f->unit == TK_UNIT_PIECES)
        f->cut = ft_calloc(1, sizeof *f->cut);
    f->on = true;
    struct tk_scratch *scratch = tk_scratch_new();
    struct tk_fast_state *s = tk_fast_state_new(f, scratch);
    struct tk_ids ids = {0};
    struct ft_buf b = {0};
    struct ft_err e = {0};
    for (size_t id = 0; id < m->vocab.n_ids; id++) {
        const struct ft_str t = m->vocab.token[id];
        if (!t.n)
            continue;
        /* The text that this token may be all of. */
        b.n = 0;
        bool word = f->unit != TK_UNIT_SPACES || ft_str_starts(t, low_line);
        for (size_t i = 0; i < t.n; i++) {
            if (t.n - i >= low_line.n && !memcmp(t.p + i, low_line.p, low_line.n)) {
                if (f->unit == TK_UNIT_PIECES)
                    ft_buf_putc(&b, ' ');
                else
                    word = word && i == 0;
                i += low_line.n - 1;
            } else {
                word = word && t.p[i] != ' ';
                ft_buf_putc(&b, t.p[i]);
            }
        }
        f->len[id] = f->unit == TK_UNIT_PIECES ? (uint16_t)(b.n < UINT16_MAX ? b.n : 0) : marked_length(f, t);
        if (!f->cut)
            tk_spell_add(f->in_tokens, t.p, t.n);
        if (f->cut && word) {
            tk_cut_add(f->cut, b.p, b.n);
            tk_lone_add(f->in_tokens, b.p, b.n);
        }
        ids.n = 0;
        if (!word || !b.n || b.n > TK_KEY_MAX)
            continue;
        if (s->cache->encode(s, b.p, b.n, &ids, &e))
            e = (struct ft_err){0};
        else if (ids.n == 1)
            tk_seed_add(&f->seed, b.p, b.n, ids.v[0]);
    }
    for (int k = 0; f->unit == TK_UNIT_PIECES && k < 256; k++)
        f->len[m->byte_id[k]] = 1;
    tk_fast_state_free(s);
    tk_scratch_free(scratch);
    ft_buf_release(&b);
    free(ids.v);
}

void tk_fast_attach(struct tk_fast *f, const struct ft_json *file, const struct tk_model *m,
                    const struct tk_normalizer *normalizer, const struct tk_pretok *pretok)
{
    if (m->type == TK_BPE && !m->prefix.n && !m->suffix.n && f->unit == TK_UNIT_NONE) {
        f->rule = tk_fast_rule(ft_json_get(file, "pre_tokenizer"));
        f->split = f->rule == TK_RULE_NONE ? tk_split_load(ft_json_get(file, "pre_tokenizer")) : NULL;
    }
    f->model = m;
    f->normalizer = normalizer;
    f->pretok = pretok;
    f->words = tk_words();
    f->units = tk_units();
    f->many = tk_bpe_many_level(tk_words_isa());
}

void tk_fast_init(struct tk_fast *f, const struct ft_json *file, struct tk_model *m,
                  const struct tk_normalizer *normalizer, const struct tk_pretok *pretok)
{
    *f = (struct tk_fast){0};
    tk_fast_attach(f, file, m, normalizer, pretok);
    if (m->vocab.n_ids >= 1u << 24 || m->vocab.n_alias) /* a token's text must be known */
        return;
    const struct ft_json *split = ft_json_get(file, "pre_tokenizer");
    if (f->rule != TK_RULE_NONE || f->split) {
        init_words(f, m);
        return;
    }
    f->unit = unit_of(f, ft_json_get(file, "normalizer"), split);
    if (f->unit != TK_UNIT_NONE)
        init_units(f, m, ft_json_get(file, "normalizer"), split);
}

void tk_fast_release(struct tk_fast *f)
{
    tk_seed_release(&f->seed);
    tk_split_free(f->split);
    if (!f->mapped) {
        free(f->cut);
        free(f->len);
        free(f->flat);
        free(f->in_tokens);
    }
    *f = (struct tk_fast){0};
}

void tk_fast_normalized(struct tk_fast *f)
{
    if (f->unit == TK_UNIT_NONE)
        return;
    if (f->unit != TK_UNIT_PIECES) { /* it takes raw text */
        tk_fast_release(f);
        return;
    }
    f->normalized = true;
    if (f->front == TK_FRONT_EACH) /* that is the normalizer's */
        f->front = TK_FRONT_NONE;
}
