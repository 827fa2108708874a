#include "tokenizer/model.h"

#include <stdlib.h>

#include "tokenizer/model_scratch.h"
#include "tokenizer/trie.h"

struct tk_scratch *tk_scratch_new(void) { return ft_calloc(1, sizeof(struct tk_scratch)); }

void tk_scratch_free(struct tk_scratch *s)
{
    if (!s)
        return;
    free(s->sym);
    free(s->heap);
    free(s->node);
    free(s->sp_word);
    ft_buf_release(&s->name);
    free(s);
}

/* ---- load ---- */

/* A vocabulary of any kind. */
static int load_odd_vocab(struct tk_model *m, const struct ft_json *v, struct ft_err *e)
{
    /* From the end: of two entries with one key the last counts. Of strings that share an id the last is the one it
     * decodes to (the library's choice is random). */
    for (size_t i = v->n; i-- > 0;) {
        int64_t id;
        const struct ft_str key = v->members[i].key;
        const int shown = (int)(key.n < 100 ? key.n : 100);
        if (ft_json_int(&v->members[i].value, &id) || id < 0)
            return ft_fail(e, FT_DATA, "token \"%.*s\" has no valid id", shown, key.p);
        if (id >= TK_MAX_IDS)
            return ft_fail(e, FT_DATA, "token \"%.*s\" has id %lld: the limit is %d", shown, key.p, (long long)id,
                           TK_MAX_IDS - 1);
        if (tk_vocab_find(&m->vocab, key.p, key.n) >= 0)
            continue;
        if ((size_t)id < m->vocab.n_ids && m->vocab.token[id].p)
            tk_vocab_add_alias(&m->vocab, key, (uint32_t)id);
        else
            tk_vocab_add(&m->vocab, key, (uint32_t)id);
    }
    return 0;
}

static int load_vocab(struct tk_model *m, const struct ft_json *j, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, "vocab");
    if (!v || v->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "\"vocab\" is not an object");
    if (!tk_vocab_read(&m->vocab, v->raw)) {
        struct ft_arena mem = {0};
        struct ft_json tree;
        const int r = ft_json_parse(v->raw.p, v->raw.n, &mem, &tree, e) || load_odd_vocab(m, &tree, e);
        ft_arena_release(&mem);
        if (r)
            return -1;
    }
    m->size = m->vocab.count;
    return 0;
}

static int load_words(struct tk_model *m, const struct ft_json *j, struct ft_err *e)
{
    struct ft_str unk = {0};
    int64_t max = -1;
    if (ft_json_get_string(j, "unk_token", &unk, e) ||
        ft_json_get_string(j, "continuing_subword_prefix", &m->prefix, e) ||
        ft_json_get_int(j, "max_input_chars_per_word", &max, e))
        return -1;
    if (!unk.p)
        return ft_fail(e, FT_DATA, "the model has no \"unk_token\"");
    if (m->type == TK_WORDPIECE && (!m->prefix.p || max < 0))
        return ft_fail(e, FT_DATA, "the model has no \"%s\"", m->prefix.p ? "max_input_chars_per_word" : "continuing_subword_prefix");
    m->max_chars = max < 0 ? 0 : (size_t)max;
    m->prefix.p = ft_arena_dup(&m->vocab.mem, m->prefix.p, m->prefix.n);
    m->unk = tk_vocab_find(&m->vocab, unk.p, unk.n);
    const struct ft_json *control = ft_json_get(j, "ft:control"); /* of sentencepiece words: those that no text has */
    if (m->type == TK_WORDLEVEL && control && control->type == FT_JSON_ARRAY) {
        m->spm = true;
        m->trie = tk_trie_new();
        for (size_t i = 0; i < control->n; i++)
            tk_trie_add(m->trie, control->items[i].s.p, control->items[i].s.n, 0);
        return tk_trie_freeze(m->trie, NULL, e);
    }
    if (m->type == TK_WORDPIECE) {
        m->trie = tk_trie_new();
        for (size_t id = 0; id < m->vocab.n_ids; id++)
            if (m->vocab.token[id].p)
                tk_trie_add(m->trie, m->vocab.token[id].p, m->vocab.token[id].n, (int32_t)id);
        for (size_t i = 0; i < m->vocab.n_alias; i++)
            tk_trie_add(m->trie, m->vocab.alias[i].s.p, m->vocab.alias[i].s.n, (int32_t)m->vocab.alias[i].id);
        return tk_trie_freeze(m->trie, NULL, e);
    }
    return 0;
}

static bool has(const struct ft_json *j, const char *key, enum ft_json_type type)
{
    const struct ft_json *v = ft_json_get(j, key);
    return v && v->type == type;
}

/* Old files name no type: what a model has tells what it is, in the library's order. */
static struct ft_str guess(const struct ft_json *j)
{
    return has(j, "merges", FT_JSON_ARRAY) ? FT_STR("BPE")
           : has(j, "vocab", FT_JSON_ARRAY) ? FT_STR("Unigram")
           : has(j, "continuing_subword_prefix", FT_JSON_STRING) && has(j, "max_input_chars_per_word", FT_JSON_NUMBER)
               ? FT_STR("WordPiece")
               : FT_STR("WordLevel");
}

int tk_model_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e)
{
    struct ft_str type = {0};
    if (!j || j->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "no \"model\"");
    const struct ft_json *named = ft_json_get(j, "type");
    if (named && named->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "the model's \"type\" is not a string");
    type = named ? named->s : guess(j);
    if (ft_str_is(type, "Unigram")) {
        m->type = TK_UNIGRAM;
        return tk_unigram_load(m, j, e);
    }
    m->type = ft_str_is(type, "BPE")         ? TK_BPE
              : ft_str_is(type, "WordPiece") ? TK_WORDPIECE
                                             : TK_WORDLEVEL;
    if (m->type == TK_WORDLEVEL && !ft_str_is(type, "WordLevel"))
        return ft_fail(e, FT_DATA, "model type \"%.*s\" is not known", (int)type.n, type.p);
    if (load_vocab(m, j, e))
        return -1;
    return m->type == TK_BPE ? tk_bpe_load(m, j, e) : load_words(m, j, e);
}

bool tk_model_takes_bytes(const struct tk_model *m)
{
    if (m->type != TK_BPE)
        return false;
    /* A character of the alphabet that vanishes, or that falls back to bytes,
     * shifts the offsets behind it by its length in UTF-8. */
    if (m->unk >= 0 && !m->byte_fallback)
        return true;
    bool all = !m->prefix.n && !m->suffix.n;
    for (int b = 0; b < 256; b++)
        all = all && m->raw_id[b] >= 0;
    return all;
}

void tk_model_release(struct tk_model *m)
{
    if (m->mapped) {
        m->vocab.slots = NULL;
        m->merges = (struct tk_merges){0};
        m->score = NULL;
    }
    tk_vocab_release(&m->vocab);
    tk_trie_free(m->trie);
    tk_merges_release(&m->merges);
    free(m->score);
    *m = (struct tk_model){0};
}

/* ---- WordPiece and WordLevel ---- */

static int unknown(const struct tk_model *m, size_t n, struct tk_tokens *out, struct ft_err *e)
{
    if (m->unk < 0)
        return ft_fail(e, FT_DATA, "a word is not in the vocabulary, and the unk_token is not either");
    tk_token_push(out, (int32_t)m->unk, 0, (uint32_t)n);
    return 0;
}

/* Greedy, longest piece first; one unknown piece makes the word unknown. */
static int wordpiece(const struct tk_model *m, const char *p, size_t n, struct tk_tokens *out, struct ft_err *e)
{
    const size_t first = out->n;
    if (ft_utf8_count(p, n) > m->max_chars)
        return unknown(m, n, out, e);
    for (size_t at = 0; at < n;) {
        int32_t node = 0, best = -1;
        size_t end = at;
        for (size_t i = 0; at && i < m->prefix.n && node >= 0; i++)
            node = tk_trie_step(m->trie, node, (unsigned char)m->prefix.p[i]);
        for (size_t i = at; i < n && node >= 0; i++) {
            node = tk_trie_step(m->trie, node, (unsigned char)p[i]);
            if (node < 0)
                break;
            const bool boundary = i + 1 == n || ((unsigned char)p[i + 1] & 0xc0) != 0x80;
            if (boundary && tk_trie_value(m->trie, node) >= 0) {
                best = tk_trie_value(m->trie, node);
                end = i + 1;
            }
        }
        if (best < 0) {
            out->n = first;
            return unknown(m, n, out, e);
        }
        tk_token_push(out, best, (uint32_t)at, (uint32_t)end);
        at = end;
    }
    return 0;
}

/* Whole text as sentencepiece's word model takes it (word_model.cc): a word begins at each U+2581, and a run of
 * unknown ones is one token. */
static int words(const struct tk_model *m, const char *p, size_t n, struct tk_tokens *out, struct ft_err *e)
{
    bool known = true;
    for (size_t at = 0; at < n;) {
        const char *next = n - at > 1 ? memmem(p + at + 1, n - at - 1, "\xe2\x96\x81", 3) : NULL;
        const size_t end = next ? (size_t)(next - p) : n;
        const int64_t id = tk_vocab_find(&m->vocab, p + at, end - at);
        const bool was_known = known;
        int32_t node = 0;
        for (size_t i = at; i < end && node >= 0; i++)
            node = tk_trie_step(m->trie, node, (unsigned char)p[i]);
        known = id >= 0 && id != m->unk && (node < 0 || tk_trie_value(m->trie, node) < 0);
        if (known)
            tk_token_push(out, (int32_t)id, (uint32_t)at, (uint32_t)end);
        else if (m->unk < 0)
            return unknown(m, n, out, e);
        else if (was_known)
            tk_token_push(out, (int32_t)m->unk, (uint32_t)at, (uint32_t)end);
        else
            out->v[out->n - 1].e = (uint32_t)end;
        at = end;
    }
    return 0;
}

int tk_model_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw,
                    struct tk_tokens *out, struct ft_err *e)
{
    if (!n)
        return 0;
    switch (m->type) {
    case TK_BPE: return tk_bpe_encode(m, s, p, n, raw, out, e);
    case TK_UNIGRAM: return tk_unigram_encode(m, s, p, n, out, e);
    case TK_WORDPIECE: return wordpiece(m, p, n, out, e);
    case TK_WORDLEVEL: break;
    }
    if (m->spm)
        return words(m, p, n, out, e);
    const int64_t id = tk_vocab_find(&m->vocab, p, n);
    if (id < 0)
        return unknown(m, n, out, e);
    tk_token_push(out, (int32_t)id, 0, (uint32_t)n);
    return 0;
}
