/* Byte pair encoding with the exact order of tokenizers' merge_word and
 * merge_all: lowest rank first, leftmost among equals. */
#include <stdio.h>
#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/merge_list.h"
#include "tokenizer/model.h"
#include "tokenizer/model_scratch.h"

/* ---- load ---- */

struct names { /* of a merge */
    struct tk_merge_text text;
    struct ft_str joined;
    uint64_t a, b; /* hashes */
};

/* The id of what a merge makes: most often the one behind the last one's. */
static int64_t made(const struct tk_vocab *v, struct ft_str s, int64_t last)
{
    if ((size_t)last + 1 < v->n_ids && v->token[last + 1].p && !v->n_alias && ft_str_eq(v->token[last + 1], s))
        return last + 1;
    return tk_vocab_find(v, s.p, s.n);
}

static int read_merges(struct tk_model *m, struct ft_str raw, struct tk_merge_pair *pair, struct ft_err *e)
{
    enum { BATCH = 32 };
    struct tk_merges *to = &m->merges;
    struct ft_arena mem = {0};
    struct tk_merge_list l = tk_merge_list_in(raw, &mem);
    struct names v[BATCH];
    char *is_byte = ft_calloc(m->vocab.n_ids + 1, 1);
    int64_t last = -1;
    int got = 1;
    for (int k = 0; k < 256 && m->byte_fallback; k++)
        if (m->byte_id[k] >= 0)
            is_byte[m->byte_id[k]] = 1;
    while (got > 0) {
        int n = 0;
        ft_arena_reset(&mem);
        for (; n < BATCH && (got = tk_merge_list_next(&l, &v[n].text)) > 0; n++) {
            const struct ft_str a = v[n].text.a, b = v[n].text.b;
            /* The prefix is not repeated inside the joined token. */
            const size_t cut = m->prefix.n <= b.n ? m->prefix.n : b.n;
            char *joined = ft_arena_alloc(&mem, a.n + b.n);
            memcpy(joined, a.p, a.n);
            memcpy(joined + a.n, b.p + cut, b.n - cut);
            v[n].joined = (struct ft_str){joined, a.n + b.n - cut};
            tk_vocab_prefetch(&m->vocab, v[n].a = tk_vocab_hash(a.p, a.n));
            tk_vocab_prefetch(&m->vocab, v[n].b = tk_vocab_hash(b.p, b.n));
        }
        for (int k = 0; k < n; k++) {
            const struct ft_str a = v[k].text.a, b = v[k].text.b;
            const int64_t ia = tk_vocab_find_hashed(&m->vocab, a.p, a.n, v[k].a), ib = tk_vocab_find_hashed(&m->vocab, b.p, b.n, v[k].b);
            const int64_t id = last = made(&m->vocab, v[k].joined, last);
            if (b.n < m->prefix.n || (b.n > m->prefix.n && ((unsigned char)b.p[m->prefix.n] & 0xc0) == 0x80)) {
                got = ft_fail(e, FT_DATA, "merge %zu: \"%.*s\" is shorter than the continuing_subword_prefix", m->n_merges,
                              (int)(b.n < 100 ? b.n : 100), b.p);
                goto out;
            }
            if (ia < 0 || ib < 0 || id < 0) {
                const struct ft_str which = ia < 0 ? a : ib < 0 ? b : v[k].joined;
                got = ft_fail(e, FT_DATA, "merge %zu: token \"%.*s\" is not in the vocabulary", m->n_merges,
                              (int)(which.n < 100 ? which.n : 100), which.p);
                goto out;
            }
            const uint32_t rank = v[k].text.rank.p ? v[k].text.rank_value : (uint32_t)m->n_merges;
            if (!to->n || to->v[to->n - 1].rank != rank || to->v[to->n - 1].id != (uint32_t)id)
                to->v[to->n++] = (struct tk_merge){rank, (uint32_t)id};
            pair[m->n_merges++] = (struct tk_merge_pair){(uint32_t)ia, (uint32_t)ib, (uint32_t)to->n - 1};
            m->byte_merges = m->byte_merges || is_byte[ia] | is_byte[ib] | is_byte[id];
        }
        if (m->n_merges >= TK_NO_MERGE - BATCH) {
            got = ft_fail(e, FT_DATA, "a BPE of more than 2^24 tokens or merges is not supported");
            goto out;
        }
        if (got < 0)
            ft_fail(e, FT_DATA, "merge %zu is not a pair of tokens", m->n_merges);
    }
out:
    ft_arena_release(&mem);
    free(is_byte);
    return got;
}

int tk_bpe_load(struct tk_model *m, const struct ft_json *j, struct ft_err *e)
{
    double dropout = 0;
    struct ft_str unk = {0};
    const struct ft_json *merges = ft_json_get(j, "merges");
    m->unk = -1;
    if (ft_json_get_bool(j, "byte_fallback", &m->byte_fallback, e) ||
        ft_json_get_bool(j, "fuse_unk", &m->fuse_unk, e) ||
        ft_json_get_bool(j, "ignore_merges", &m->ignore_merges, e) ||
        ft_json_get_real(j, "dropout", &dropout, e) || ft_json_get_string(j, "unk_token", &unk, e) ||
        ft_json_get_string(j, "continuing_subword_prefix", &m->prefix, e) ||
        ft_json_get_string(j, "end_of_word_suffix", &m->suffix, e))
        return -1;
    if (dropout < 0 || dropout > 1)
        return ft_fail(e, FT_DATA, "BPE dropout %g is not between 0 and 1", dropout);
    if (dropout > 0 && dropout < 1)
        return ft_fail(e, FT_DATA, "BPE dropout %g is not supported: its results are random (null in the file: none)", dropout);
    const bool never = dropout >= 1; /* all merges are dropped */
    m->ignore_merges = m->ignore_merges && !never;
    if (!merges || merges->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "\"model\" has no \"merges\"");
    if (unk.p) {
        m->unk = tk_vocab_find(&m->vocab, unk.p, unk.n);
        if (m->unk < 0) /* an error there too, but only where it is needed */
            m->unk = -2;
    }
    m->prefix.p = ft_arena_dup(&m->vocab.mem, m->prefix.p, m->prefix.n);
    m->suffix.p = ft_arena_dup(&m->vocab.mem, m->suffix.p, m->suffix.n);
    for (int b = 0; b < 256; b++) {
        char name[8], c[4];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        m->byte_id[b] = (int32_t)tk_vocab_find(&m->vocab, name, 6);
        const int len = ft_utf8_put(c, tk_byte_char((unsigned char)b));
        m->raw_id[b] = (int32_t)tk_vocab_find(&m->vocab, c, (size_t)len);
    }
    const size_t most = merges->raw.n / 4 + 1; /* merges that there can be: memory that is not touched is none */
    m->merges.v = ft_reallocs(NULL, most, sizeof *m->merges.v);
    struct tk_merge_pair *pair = ft_reallocs(NULL, most, sizeof *pair);
    ft_large_hint(m->merges.v, most * sizeof *m->merges.v);
    ft_large_hint(pair, most * sizeof *pair);
    const int got = read_merges(m, merges->raw, pair, e);
    if (!got)
        tk_merges_build(&m->merges, pair, never ? 0 : m->n_merges, m->raw_id);
    m->byte_merges = m->byte_merges && !never;
    free(pair);
    return got;
}

/* ---- encode ---- */

static void add(struct tk_scratch *s, int32_t id, uint32_t len)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->sym = ft_reallocs(s->sym, s->cap, sizeof *s->sym);
    }
    s->sym[s->n] = (struct tk_symbol){id, len, (int32_t)s->n - 1, (int32_t)s->n + 1};
    s->n++;
}

/* A word's first symbols, one a character. `unk` is pending until a known
 * character comes; bytes of the fallback do NOT flush it (so it comes out
 * behind them): the library does this, and ids must be equal. */
static int first_symbols(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw,
                         struct ft_err *e)
{
    uint32_t unk_len = 0;
    s->n = 0;
    for (size_t i = 0; i < n;) {
        int len = 1;
        int64_t id;
        struct ft_str c;
        char tmp[4];
        if (raw) {
            id = m->raw_id[(unsigned char)p[i]];
            c = (struct ft_str){tmp, (size_t)ft_utf8_put(tmp, tk_byte_char((unsigned char)p[i]))};
        } else {
            ft_utf8_get(p + i, &len);
            c = (struct ft_str){p + i, (size_t)len};
            id = -1;
        }
        const bool first = i == 0, last = i + (size_t)len == n;
        if ((m->prefix.n && !first) || (m->suffix.n && last)) {
            s->name.n = 0;
            if (!first)
                ft_buf_puts(&s->name, m->prefix);
            ft_buf_puts(&s->name, c);
            if (last)
                ft_buf_puts(&s->name, m->suffix);
            c = ft_buf_str(&s->name);
            id = tk_vocab_find(&m->vocab, c.p, c.n);
        } else if (!raw) {
            id = tk_vocab_find(&m->vocab, c.p, c.n);
        }
        i += (size_t)len;
        if (id >= 0) {
            if (unk_len)
                add(s, (int32_t)m->unk, unk_len);
            unk_len = 0;
            add(s, (int32_t)id, (uint32_t)len);
            continue;
        }
        if (m->byte_fallback) {
            bool all = true;
            for (size_t k = 0; k < c.n; k++)
                all = all && m->byte_id[(unsigned char)c.p[k]] >= 0;
            if (all) {
                for (size_t k = 0; k < c.n; k++)
                    add(s, m->byte_id[(unsigned char)c.p[k]], 1);
                continue;
            }
        }
        if (m->unk == -2)
            return ft_fail(e, FT_DATA, "the unk_token is not in the vocabulary");
        if (m->unk < 0)
            continue; /* the character vanishes */
        if (unk_len && !m->fuse_unk) {
            add(s, (int32_t)m->unk, unk_len);
            unk_len = 0;
        }
        unk_len += (uint32_t)len;
    }
    if (unk_len)
        add(s, (int32_t)m->unk, unk_len);
    if (s->n)
        s->sym[s->n - 1].next = -1;
    return 0;
}

/* Joins symbol i with its right neighbour. */
static void join(struct tk_scratch *s, int32_t i, uint32_t id)
{
    struct tk_symbol *a = &s->sym[i], *b = &s->sym[a->next];
    a->id = (int32_t)id;
    a->len += b->len;
    a->next = b->next;
    b->id = -1; /* gone */
    if (b->next >= 0)
        s->sym[b->next].prev = i;
}

/* Short words: the ranks of all pairs in an array, its minimum by looking. */
static void merge_short(const struct tk_model *m, struct tk_scratch *s)
{
    enum { MAX = TK_SHORT };
    uint32_t rank[MAX], id[MAX];
    int32_t n = (int32_t)s->n;
    struct tk_symbol *v = s->sym;
    for (int32_t i = 0; i + 1 < n; i++) {
        const struct tk_merge *g = tk_merge_find(&m->merges, v[i].id, v[i + 1].id);
        rank[i] = g ? g->rank : UINT32_MAX;
        id[i] = g ? g->id : 0;
    }
    while (n > 1) {
        int32_t best = 0;
        for (int32_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best])
                best = i;
        if (rank[best] == UINT32_MAX)
            break;
        v[best].id = (int32_t)id[best];
        v[best].len += v[best + 1].len;
        memmove(&v[best + 1], &v[best + 2], (size_t)(n - best - 2) * sizeof *v);
        memmove(&rank[best], &rank[best + 1], (size_t)(n - best - 2) * sizeof *rank);
        memmove(&id[best], &id[best + 1], (size_t)(n - best - 2) * sizeof *id);
        n--;
        for (int32_t i = best - 1; i <= best; i++) {
            if (i < 0 || i + 1 >= n)
                continue;
            const struct tk_merge *g = tk_merge_find(&m->merges, v[i].id, v[i + 1].id);
            rank[i] = g ? g->rank : UINT32_MAX;
            id[i] = g ? g->id : 0;
        }
    }
    s->n = (size_t)n;
}

static bool before(const struct tk_heap_item *a, const struct tk_heap_item *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_push(struct tk_scratch *s, struct tk_heap_item x)
{
    if (s->heap_n == s->heap_cap) {
        s->heap_cap = s->heap_cap ? s->heap_cap * 2 : 256;
        s->heap = ft_reallocs(s->heap, s->heap_cap, sizeof *s->heap);
    }
    size_t i = s->heap_n++;
    while (i && before(&x, &s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = x;
}

static struct tk_heap_item heap_pop(struct tk_scratch *s)
{
    const struct tk_heap_item top = s->heap[0], x = s->heap[--s->heap_n];
    size_t i = 0;
    for (;;) {
        size_t c = 2 * i + 1;
        if (c >= s->heap_n)
            break;
        if (c + 1 < s->heap_n && before(&s->heap[c + 1], &s->heap[c]))
            c++;
        if (!before(&s->heap[c], &x))
            break;
        s->heap[i] = s->heap[c];
        i = c;
    }
    s->heap[i] = x;
    return top;
}

static void offer(const struct tk_model *m, struct tk_scratch *s, int32_t i)
{
    if (i < 0 || s->sym[i].next < 0)
        return;
    const struct tk_merge *g = tk_merge_find(&m->merges, s->sym[i].id, s->sym[s->sym[i].next].id);
    if (g)
        heap_push(s, (struct tk_heap_item){g->rank, i, g->id});
}

/* Long words: a heap with stale entries, O(n log n). */
static void merge_long(const struct tk_model *m, struct tk_scratch *s)
{
    s->heap_n = 0;
    for (size_t i = 0; i + 1 < s->n; i++)
        offer(m, s, (int32_t)i);
    while (s->heap_n) {
        const struct tk_heap_item top = heap_pop(s);
        const struct tk_symbol *a = &s->sym[top.at];
        if (a->id < 0 || a->next < 0)
            continue;
        const struct tk_merge *g = tk_merge_find(&m->merges, a->id, s->sym[a->next].id);
        if (!g || g->id != top.id)
            continue;
        join(s, top.at, top.id);
        offer(m, s, s->sym[top.at].prev);
        offer(m, s, top.at);
    }
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->sym[i].id >= 0)
            s->sym[n++] = s->sym[i];
    s->n = n;
}

/* The word as the vocabulary has it whole, for ignore_merges; -1: it has not. */
int64_t tk_bpe_whole(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw)
{
    struct ft_str whole = {p, n};
    if (raw) {
        s->name.n = 0;
        for (size_t i = 0; i < n; i++) {
            char *to = ft_buf_room(&s->name, 4);
            s->name.n += (size_t)ft_utf8_put(to, tk_byte_char((unsigned char)p[i]));
        }
        whole = ft_buf_str(&s->name);
    }
    return tk_vocab_find(&m->vocab, whole.p, whole.n);
}

static inline uint64_t pair_key(const struct tk_model *m, uint32_t a, uint32_t b)
{
    return tk_merge_key(&m->merges, tk_pair_find(&m->merges, a, b));
}

/* Merges the n <= TK_SHORT bytes of a word; id[] are their own ids, and become
 * those of its tokens. Gives how many there are. */
static size_t merge_ids(const struct tk_model *m, const unsigned char *p, uint32_t *id, size_t n)
{
    uint64_t key[TK_SHORT];
    uint64_t alive = n < 64 ? (1ull << n) - 1 : ~0ull; /* symbols that are still there */
    for (size_t i = 0; i + 1 < n; i++)
        key[i] = tk_merge_key(&m->merges, m->merges.byte_pair[p[i] | p[i + 1] << 8]);
    key[n - 1] = UINT64_MAX;
    for (;;) {
        size_t best = 0;
        uint64_t min = key[0];
        for (size_t i = 1; i < n; i++)
            if (key[i] < min) {
                min = key[i];
                best = i;
            }
        if (min == UINT64_MAX)
            break;
        const uint64_t behind = alive & ~((2ull << best) - 1), before = alive & ((1ull << best) - 1);
        const size_t gone = (size_t)__builtin_ctzll(behind);
        const uint64_t rest = behind & (behind - 1);
        alive &= ~(1ull << gone);
        key[gone] = UINT64_MAX;
        id[best] = (uint32_t)min;
        key[best] = rest ? pair_key(m, id[best], id[__builtin_ctzll(rest)]) : UINT64_MAX;
        if (before) {
            const size_t prev = 63 - (size_t)__builtin_clzll(before);
            key[prev] = pair_key(m, id[prev], id[best]);
        }
    }
    size_t k = 0;
    for (; alive; alive &= alive - 1)
        id[k++] = id[__builtin_ctzll(alive)];
    return k;
}

/* The word's symbols, merged. */
static inline int merged(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw, struct ft_err *e)
{
    if (first_symbols(m, s, p, n, raw, e))
        return -1;
    if (s->n <= TK_SHORT)
        merge_short(m, s);
    else
        merge_long(m, s);
    return 0;
}

int tk_bpe_ids(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw, struct tk_ids *out,
               struct ft_err *e)
{
    if (raw && n <= TK_SHORT && n) {
        uint32_t id[TK_SHORT];
        size_t i = 0;
        while (i < n && m->raw_id[(unsigned char)p[i]] >= 0) {
            id[i] = (uint32_t)m->raw_id[(unsigned char)p[i]];
            i++;
        }
        if (i == n) {
            const size_t k = merge_ids(m, (const unsigned char *)p, id, n);
            tk_ids_room(out, k);
            memcpy(out->v + out->n, id, k * sizeof *id);
            out->n += k;
            return 0;
        }
    }
    if (merged(m, s, p, n, raw, e))
        return -1;
    tk_ids_room(out, s->n);
    for (size_t i = 0; i < s->n; i++)
        out->v[out->n++] = s->sym[i].id;
    return 0;
}

int tk_bpe_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, bool raw,
                  struct tk_tokens *out, struct ft_err *e)
{
    if (m->ignore_merges) {
        const int64_t id = tk_bpe_whole(m, s, p, n, raw);
        if (id >= 0) {
            tk_token_push(out, (int32_t)id, 0, (uint32_t)n);
            return 0;
        }
    }
    if (merged(m, s, p, n, raw, e))
        return -1;
    uint32_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        tk_token_push(out, s->sym[i].id, at, at + s->sym[i].len);
        at += s->sym[i].len;
    }
    return 0;
}
