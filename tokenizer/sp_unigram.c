/* Unigram as sentencepiece 0.2 computes it (unigram_model.cc, EncodeOptimized): sums are floats, over the whole text at once.
 *
 * Where no piece goes on behind a U+2581 that it does not begin with, every way through the text goes by
 * the front of every word. What is best inside of a word then hangs on what stands before it only by the
 * rounding of the sums: a word that is best by more than rounding can make is remembered, with how large
 * the sum may be for that. The sum itself is added up token by token, as theirs is. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "tokenizer/model.h"
#include "tokenizer/model_scratch.h"
#include "tokenizer/trie.h"

enum { WORD_BITS = 15, WORD_IDS = 8, WORDS = 32 };

struct tk_sp_word {
    struct tk_key key;
    float most; /* the absolute value of the sum in front of it is below this; 0: it is never known */
    unsigned char n, len[WORD_IDS]; /* its tokens from the back */
    int32_t id[WORD_IDS];
} __attribute__((aligned(64)));

static float unknown(const struct tk_model *m) { return (float)m->min_score - 10.0f; }

static void reach(struct tk_node *to, float sum, size_t from, int32_t id)
{
    if (to->from < 0 || sum > (float)to->score)
        *to = (struct tk_node){(double)sum, (int32_t)from, id};
}

/* Of p[b..e), with the sum of what stands in front of it. */
static void stretch(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t b, size_t e, float *sum, struct tk_tokens *out)
{
    const size_t n = e - b;
    struct tk_node *v = tk_nodes(s, n);
    v[0].score = (double)*sum;
    p += b;
    for (size_t at = 0; at < n;) {
        const float here = (float)v[at].score;
        bool single = false;
        int len;
        int32_t node = 0;
        ft_utf8_get(p + at, &len);
        for (size_t i = at; i < n && (node = tk_trie_step(m->trie, node, (unsigned char)p[i])) >= 0; i++) {
            const int32_t id = tk_trie_value(m->trie, node);
            if (id < 0)
                continue;
            reach(&v[i + 1], (float)m->score[id] + here, at, id);
            single = single || i + 1 - at == (size_t)len;
        }
        if (!single)
            reach(&v[at + (size_t)len], unknown(m) + here, at, (int32_t)m->unk);
        at += (size_t)len;
    }
    *sum = (float)v[n].score;
    size_t cuts = 0; /* the path from the back, in the symbols */
    for (size_t end = n; end > 0; end = (size_t)v[end].from) {
        if (cuts == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 256;
            s->sym = ft_reallocs(s->sym, s->cap, sizeof *s->sym);
        }
        s->sym[cuts++] = (struct tk_symbol){v[end].id, (uint32_t)end - (uint32_t)v[end].from, v[end].from, 0};
    }
    while (cuts) {
        const struct tk_symbol x = s->sym[--cuts];
        const uint32_t from = (uint32_t)x.prev;
        uint32_t to = from + x.len;
        if (x.id != m->unk) {
            tk_token_push(out, x.id, (uint32_t)b + from, (uint32_t)b + to);
            continue;
        }
        bool bytes = m->byte_fallback;
        for (uint32_t i = from; bytes && i < to; i++)
            bytes = m->byte_id[(unsigned char)p[i]] >= 0;
        if (bytes) {
            for (uint32_t i = from; i < to; i++)
                tk_token_push(out, m->byte_id[(unsigned char)p[i]], (uint32_t)b + from, (uint32_t)b + to);
            continue;
        }
        while (cuts && s->sym[cuts - 1].id == m->unk && !m->byte_fallback)
            to += s->sym[--cuts].len;
        tk_token_push(out, (int32_t)m->unk, (uint32_t)b + from, (uint32_t)b + to);
    }
}

/* What is best in a word of n bytes, and by how much at the least of its tokens. Each of at most n additions is off
 * by no more than 2^-24 of the largest sum on the way, and two ways are compared: below a sum of w->most
 * that is less than the lead. */
static void learn(const struct tk_model *m, const char *p, size_t n, struct tk_sp_word *w)
{
    double best[TK_KEY_MAX + 1], next[TK_KEY_MAX + 1], lead = INFINITY, largest = 0;
    size_t from[TK_KEY_MAX + 1] = {0};
    int32_t id[TK_KEY_MAX + 1];
    for (size_t i = 0; i <= n; i++)
        best[i] = next[i] = -INFINITY;
    best[0] = 0;
    for (size_t at = 0; at < n;) {
        bool single = false;
        int len;
        int32_t node = 0;
        ft_utf8_get(p + at, &len);
        for (size_t i = at; i < n && (node = tk_trie_step(m->trie, node, (unsigned char)p[i])) >= 0; i++) {
            const int32_t x = tk_trie_value(m->trie, node);
            if (x < 0)
                continue;
            const double own = (double)(float)m->score[x], sum = own + best[at];
            largest = fabs(own) > largest ? fabs(own) : largest;
            if (sum > best[i + 1]) {
                next[i + 1] = best[i + 1];
                best[i + 1] = sum;
                from[i + 1] = at;
                id[i + 1] = x;
            } else if (sum > next[i + 1]) {
                next[i + 1] = sum;
            }
            single = single || i + 1 - at == (size_t)len;
        }
        if (!single) {
            const double sum = (double)unknown(m) + best[at];
            const size_t end = at + (size_t)len;
            largest = fabs((double)unknown(m)) > largest ? fabs((double)unknown(m)) : largest;
            if (sum > best[end]) {
                next[end] = best[end];
                best[end] = sum;
                from[end] = at;
                id[end] = (int32_t)m->unk;
            } else if (sum > next[end]) {
                next[end] = sum;
            }
        }
        at += (size_t)len;
    }
    size_t k = 0;
    for (size_t end = n; end > 0; end = from[end]) {
        if (!(best[end] - next[end] > 0))
            return;
        lead = best[end] - next[end] < lead ? best[end] - next[end] : lead;
        /* Unknown ones in a row are one token. */
        k += end == n || id[end] != m->unk || w->id[k - 1] != m->unk;
        if (k > WORD_IDS)
            return;
        w->id[k - 1] = id[end];
        w->len[k - 1] = (unsigned char)(w->len[k - 1] + end - from[end]);
    }
    w->n = (unsigned char)k; /* from the back */
    const double most = lead / (2.5 * (double)n * 0x1p-24) - (double)(n + 1) * largest;
    w->most = most > 0 ? most < FLT_MAX ? (float)most : FLT_MAX : 0;
}

struct word { /* of the text */
    size_t end;
    struct tk_key key;
    uint32_t place; /* in the table */
};

/* Is the word remembered for such a sum? Its tokens then, and the sum behind it. */
static bool known(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t b, const struct word *x, float *sum,
                  struct tk_tokens *out)
{
    struct tk_sp_word *w = &s->sp_word[x->place], *beside = &s->sp_word[x->place ^ 1];
    if (x->end - b > TK_KEY_MAX || m->byte_fallback)
        return false;
    if (!tk_key_eq(w->key, x->key)) {
        const struct tk_sp_word was = *w; /* it goes beside */
        if (tk_key_eq(beside->key, x->key)) {
            *w = *beside;
        } else {
            *w = (struct tk_sp_word){.key = x->key};
            learn(m, p + b, x->end - b, w);
        }
        *beside = was;
    }
    if (!(fabsf(*sum) < w->most))
        return false;
    uint32_t at = (uint32_t)b;
    for (size_t k = w->n; k-- > 0;) {
        tk_token_push(out, w->id[k], at, at + w->len[k]);
        if (w->id[k] != m->unk)
            *sum = (float)m->score[w->id[k]] + *sum;
        for (uint32_t i = at; w->id[k] == m->unk && i < at + w->len[k]; i++)
            *sum = (p[i] & 0xc0) != 0x80 ? unknown(m) + *sum : *sum;
        at += w->len[k];
    }
    return true;
}

/* The words of p[at..n), whose lines are asked for: gives how many. */
static size_t find_words(const struct tk_scratch *s, const char *p, size_t at, size_t n, struct word v[WORDS])
{
    size_t k = 0;
    while (k < WORDS && at < n) {
        size_t end = at + 1;
        for (const char *q; end < n; end++) {
            q = memchr(p + end, 0xe2, n - end);
            end = q ? (size_t)(q - p) : n;
            if (n - end >= 3 && (unsigned char)p[end + 1] == 0x96 && (unsigned char)p[end + 2] == 0x81)
                break;
        }
        v[k].end = end = end < n ? end : n;
        v[k].key = tk_key_of(p + at, end - at);
        v[k].place = tk_key_hash(v[k].key.lo, v[k].key.hi) >> (32 - WORD_BITS);
        __builtin_prefetch(&s->sp_word[v[k].place]);
        __builtin_prefetch(&s->sp_word[v[k].place ^ 1]);
        at = end;
        k++;
    }
    return k;
}

bool tk_sp_unigram_has_words(const struct tk_model *m)
{
    const int32_t id = (int32_t)tk_vocab_find(&m->vocab, "\xe2\x96\x81", 3);
    int32_t node = 0;
    for (int i = 0; i < 3 && node >= 0; i++)
        node = tk_trie_step(m->trie, node, (unsigned char)"\xe2\x96\x81"[i]);
    if (id < 0 || id == m->unk || node < 0 || tk_trie_value(m->trie, node) < 0)
        return false;
    for (size_t i = 0; i < m->vocab.n_ids; i++) {
        const struct ft_str t = m->vocab.token[i];
        if (t.n > 1 && memmem(t.p + 1, t.n - 1, "\xe2\x96\x81", 3))
            return false;
    }
    return true;
}

int tk_sp_unigram_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, struct tk_tokens *out,
                         struct ft_err *e)
{
    float sum = 0;
    if (m->unk < 0)
        return ft_fail(e, FT_DATA, "the model has no unknown piece");
    if (!m->spm_words) {
        stretch(m, s, p, 0, n, &sum, out);
        return 0;
    }
    if (!s->sp_word)
        s->sp_word = ft_calloc((size_t)1 << WORD_BITS, sizeof *s->sp_word);
    for (size_t at = 0; at < n;) {
        struct word v[WORDS];
        const size_t k = find_words(s, p, at, n, v);
        for (size_t i = 0; i < k; at = v[i++].end)
            if (!known(m, s, p, at, &v[i], &sum, out))
                stretch(m, s, p, at, v[i].end, &sum, out);
    }
    return 0;
}
