/* Unigram: the segmentation with the best sum of scores (Viterbi), with the
 * sums, ties and unknowns of tokenizers' encode_optimized: f64 from the start
 * of the word, the earliest start wins a tie, an unknown character costs ten
 * less than the worst score and is tried only where no one-character piece is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json_walk.h"
#include "tokenizer/model.h"
#include "tokenizer/model_scratch.h"
#include "tokenizer/trie.h"

/* A number as serde_json reads it, which is not always the nearest double: the
 * digits as a whole number, times or divided by a power of ten. Ties between
 * segmentations hang on the last bit. */
static double score_of(struct ft_str t)
{
    uint64_t digits = 0;
    int64_t exp = 0;
    bool point = false, full = false;
    size_t i = t.n && t.p[0] == '-';
    for (; i < t.n && (t.p[i] == '.' || (t.p[i] >= '0' && t.p[i] <= '9')); i++) {
        if (t.p[i] == '.') {
            point = true;
            continue;
        }
        const uint64_t d = (uint64_t)(t.p[i] - '0');
        full = full || digits > (UINT64_MAX - d) / 10;
        if (full) { /* digits that do not fit are left out */
            exp += !point;
            continue;
        }
        digits = digits * 10 + d;
        exp -= point;
    }
    char z[32];
    if (i < t.n) {
        snprintf(z, sizeof z, "%.*s", (int)(t.n - i - 1), t.p + i + 1);
        exp += strtol(z, NULL, 10);
    }
    double f = (double)digits;
    for (; exp < -308 && f != 0; exp += 308)
        f /= 1e308;
    snprintf(z, sizeof z, "1e%d", exp < 0 ? exp < -308 ? 308 : (int)-exp : exp > 308 ? 308 : (int)exp);
    const double power = strtod(z, NULL);
    f = exp < 0 ? f / power : f * power;
    return t.p[0] == '-' ? -f : f;
}

static int read_pieces(struct tk_model *m, struct ft_str raw, const struct ft_json *types, struct ft_err *e)
{
    struct ft_json_walk w = ft_json_walk_in(raw);
    struct ft_arena mem = {0};
    bool any = false, good = true, escaped;
    while (good && ft_json_walk_next(&w)) {
        struct ft_str s, score;
        enum ft_json_type kind = FT_JSON_NULL;
        good = ft_json_walk_array(&w) && ft_json_walk_next(&w) && ft_json_walk_string(&w, &s, &escaped) && ft_json_walk_next(&w) &&
               ft_json_walk_raw(&w, &score, &kind) && kind == FT_JSON_NUMBER && !ft_json_walk_next(&w);
        if (!good)
            break;
        if (escaped)
            s = ft_json_unescape(s, &mem);
        const size_t i = m->size++;
        m->score[i] = score_of(score);
        const bool typed = types && types->type == FT_JSON_ARRAY && i < types->n && types->items[i].raw.n == 1;
        const char type = typed ? types->items[i].raw.p[0] : '1';
        tk_vocab_add(&m->vocab, s, (uint32_t)i);
        if (type == '1') {
            m->min_score = !any || m->score[i] < m->min_score ? m->score[i] : m->min_score;
            any = true;
        }
        if (type == '1' || type == '4') /* user-defined symbols have the best score, 0 */
            tk_trie_add(m->trie, s.p, s.n, (int32_t)i);
        ft_arena_reset(&mem);
    }
    ft_arena_release(&mem);
    return good ? 0 : ft_fail(e, FT_DATA, "vocabulary entry %zu is not [token, score]", m->size);
}

int tk_unigram_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e)
{
    const struct ft_json *vocab = ft_json_get(j, "vocab");
    int64_t unk = -1;
    if (!vocab || vocab->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "\"vocab\" of a Unigram model is not an array");
    if (ft_json_get_int(j, "unk_id", &unk, e) || ft_json_get_bool(j, "byte_fallback", &m->byte_fallback, e))
        return -1;
    m->fuse_unk = true;
    const struct ft_json *types = ft_json_get(j, "ft:types"); /* of a SentencePiece .model */
    m->spm = types != NULL;
    const size_t most = vocab->raw.n / 6 + 1; /* pieces that there can be: memory that is not touched is none */
    m->score = ft_calloc(most, sizeof *m->score);
    m->trie = tk_trie_new();
    tk_vocab_init(&m->vocab, vocab->raw.n / 32);
    if (read_pieces(m, vocab->raw, types, e))
        return -1;
    if (unk >= (int64_t)m->size)
        return ft_fail(e, FT_DATA, "\"unk_id\" %lld is not in the vocabulary", (long long)unk);
    m->unk = unk;
    if (types && (types->type != FT_JSON_ARRAY || types->n != m->size))
        return ft_fail(e, FT_DATA, "the types of the pieces are damaged");
    if (tk_trie_freeze(m->trie, m->score, e))
        return -1;
    m->spm_words = m->spm && tk_sp_unigram_has_words(m);
    for (int b = 0; b < 256; b++) {
        static const char hex[] = "0123456789ABCDEF";
        const char name[6] = {'<', '0', 'x', hex[b >> 4], hex[b & 15], '>'};
        m->byte_id[b] = (int32_t)tk_vocab_find(&m->vocab, name, 6);
    }
    return 0;
}

static int emit(const struct tk_model *m, const char *p, uint32_t b, uint32_t e, struct tk_tokens *out,
                struct ft_err *err)
{
    /* Unknowns in a row may be a piece together. The trie has the whole vocabulary, and
     * tells sooner than a hash of them all that they are not. */
    int32_t node = 0;
    for (uint32_t i = b; i < e && node >= 0; i++)
        node = tk_trie_step(m->trie, node, (unsigned char)p[i]);
    if (node >= 0 && tk_trie_value(m->trie, node) >= 0) {
        tk_token_push(out, tk_trie_value(m->trie, node), b, e);
        return 0;
    }
    if (m->byte_fallback) {
        bool all = true;
        for (uint32_t i = b; i < e; i++)
            all = all && m->byte_id[(unsigned char)p[i]] >= 0;
        for (uint32_t i = b; all && i < e; i++)
            tk_token_push(out, m->byte_id[(unsigned char)p[i]], b, e);
        if (all)
            return 0;
    }
    if (m->unk < 0)
        return ft_fail(err, FT_DATA, "the text has a character that is not in the vocabulary, and there is no unk_id");
    tk_token_push(out, (int32_t)m->unk, b, e);
    return 0;
}

/* Nothing stands over p[end], behind an unknown character that began at `at`: what
 * follows is unknown, one after the other, for as long as no piece begins there. They
 * become one node, since they will be one token; its end. */
static size_t unknown_run(const struct tk_model *m, const char *p, size_t n, size_t at, size_t end, double score,
                          struct tk_node *v)
{
    const double unk_score = m->min_score - 10.0;
    while (end < n) {
        int len;
        size_t i = end;
        int32_t node = 0, id = -1;
        ft_utf8_get(p + end, &len);
        while (id < 0 && i < n && (node = tk_trie_step(m->trie, node, (unsigned char)p[i])) >= 0) {
            id = tk_trie_value(m->trie, node);
            i++;
        }
        if (id >= 0)
            break;
        score = unk_score + score;
        end += (size_t)len;
    }
    v[end] = (struct tk_node){score, (int32_t)at, (int32_t)m->unk};
    return end;
}

int tk_unigram_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n,
                      struct tk_tokens *out, struct ft_err *err)
{
    if (m->spm)
        return tk_sp_unigram_encode(m, s, p, n, out, err);
    const double unk_score = m->min_score - 10.0;
    struct tk_node *v = tk_nodes_room(s, n);
    size_t reach = 0; /* nodes behind it have no way yet, and are not set */
    v[0] = (struct tk_node){0, -1, 0};
    for (size_t at = 0; at < n;) {
        const double here = v[at].score;
        bool single = false;
        int len;
        ft_utf8_get(p + at, &len);
        int32_t node = 0;
        for (size_t i = at; i < n; i++) {
            node = tk_trie_step(m->trie, node, (unsigned char)p[i]);
            if (node < 0)
                break;
            const int32_t id = tk_trie_value(m->trie, node);
            if (id < 0)
                continue;
            while (reach < i + 1)
                v[++reach].from = -1;
            struct tk_node *to = &v[i + 1];
            const double score = m->score[id] + here;
            if (to->from < 0 || score > to->score)
                *to = (struct tk_node){score, (int32_t)at, id};
            single = single || i + 1 - at == (size_t)len;
        }
        if (!single) {
            const size_t end = at + (size_t)len;
            const double score = unk_score + here;
            if (reach < end || v[end].from < 0 || score > v[end].score) {
                if (m->unk < 0)
                    return ft_fail(err, FT_DATA, "the text has a character that is not in the vocabulary, and there is no unk_id");
                if (reach == at) {
                    at = reach = unknown_run(m, p, n, at, end, score, v);
                    continue;
                }
                while (reach < end)
                    v[++reach].from = -1;
                v[end] = (struct tk_node){score, (int32_t)at, (int32_t)m->unk};
            }
        }
        at += (size_t)len;
    }
    /* Backwards over the path; the list of cuts lies in the symbols. */
    size_t cuts = 0;
    for (size_t end = n; end > 0;) {
        const struct tk_node *k = &v[end];
        if (cuts == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 256;
            s->sym = ft_reallocs(s->sym, s->cap, sizeof *s->sym);
        }
        s->sym[cuts++] = (struct tk_symbol){k->id, (uint32_t)end - (uint32_t)k->from, k->from, 0};
        end = (size_t)k->from;
    }
    while (cuts) {
        const uint32_t b = (uint32_t)s->sym[cuts - 1].prev;
        uint32_t e = b + s->sym[cuts - 1].len;
        const bool unk = m->unk >= 0 && s->sym[cuts - 1].id == m->unk;
        cuts--;
        if (!unk) { /* a piece of the trie is one of the vocabulary, and the last of its name in both */
            tk_token_push(out, s->sym[cuts].id, b, e);
            continue;
        }
        while (cuts && s->sym[cuts - 1].id == m->unk)
            e += s->sym[--cuts].len;
        if (emit(m, p, b, e, out, err))
            return -1;
    }
    return 0;
}

/* ---- short words ---- */

static inline __attribute__((always_inline)) bool short_ids(const struct tk_model *m, const char *p, size_t n, double *sum,
                                                            struct tk_ids *out, bool floats)
{
    double score[TK_SHORT_WORD + 1]; /* of the best way to a byte; where its last piece begins and ends in the trie */
    uint64_t way[TK_SHORT_WORD + 1];
    const uint32_t *cell = m->trie->cell;
    for (size_t i = 1; i <= n; i++) {
        score[i] = -INFINITY;
        way[i] = UINT64_MAX;
    }
    score[0] = *sum;
    for (size_t at = 0; at < n;) {
        const unsigned char c = (unsigned char)p[at];
        const size_t end = at + (c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4);
        const double here = score[at];
        bool single = false;
        uint32_t x = cell[0];
        for (size_t i = at; i < n;) {
            const unsigned char byte = (unsigned char)p[i++];
            const uint32_t node = (x >> TK_TRIE_BASE) + byte;
            x = cell[node];
            if ((x & TK_TRIE_LABEL) != byte)
                break;
            if (x & TK_TRIE_ENDS) {
                const double own = m->trie->end[node].score, to = floats ? (double)((float)own + (float)here) : own + here;
                /* By masks: it is as often the better one as not. */
                const uint64_t better = 0 - (uint64_t)(to > score[i]);
                way[i] = (((uint64_t)at << 32 | node) & better) | (way[i] & ~better);
                score[i] = to > score[i] ? to : score[i];
                single |= i == end;
            }
        }
        if (!single) { /* the character is no piece */
            if (m->unk < 0 || m->byte_fallback)
                return false;
            const double to = floats ? (double)((float)m->min_score - 10.0f + (float)here) : m->min_score - 10.0 + here;
            if (to > score[end]) {
                score[end] = to;
                way[end] = (uint64_t)at << 32; /* node 0: it is unknown */
            }
        }
        at = end;
    }
    int32_t id[TK_SHORT_WORD];
    size_t k = TK_SHORT_WORD;
    bool unknown = false;
    for (size_t end = n; end > 0; end = way[end] >> 32) {
        const uint32_t node = (uint32_t)way[end];
        if ((!node && unknown) || way[end] == UINT64_MAX)
            return false; /* in a row they may be a piece together; or scores without end */
        unknown = !node;
        id[--k] = node ? m->trie->end[node].value : (int32_t)m->unk;
        if (node && id[k] == m->unk)
            return false;
    }
    tk_ids_room(out, TK_SHORT_WORD - k);
    memcpy(out->v + out->n, id + k, (TK_SHORT_WORD - k) * sizeof *id);
    out->n += TK_SHORT_WORD - k;
    *sum = score[n];
    return true;
}

bool tk_unigram_short(const struct tk_model *m, const char *p, size_t n, double *sum, struct tk_ids *out)
{
    if (n > TK_SHORT_WORD)
        return false;
    return m->spm ? short_ids(m, p, n, sum, out, true) : short_ids(m, p, n, sum, out, false);
}
