/* Unigram as sentencepiece 0.2 computes it (unigram_model.cc, EncodeOptimized): sums are floats, over the whole text at once. */
#include <stdlib.h>

#include "tokenizer/model.h"
#include "tokenizer/scratch.h"
#include "tokenizer/trie.h"

static void reach(struct tk_node *to, float sum, size_t from, int32_t id)
{
    if (to->from < 0 || sum > (float)to->score)
        *to = (struct tk_node){(double)sum, (int32_t)from, id};
}

int tk_sp_unigram_encode(const struct tk_model *m, struct tk_scratch *s, const char *p, size_t n, struct tk_tokens *out,
                         struct ft_err *e)
{
    const float unknown = (float)m->min_score - 10.0f;
    if (m->unk < 0)
        return ft_fail(e, FT_DATA, "the model has no unknown piece");
    struct tk_node *v = tk_nodes(s, n);
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
            reach(&v[at + (size_t)len], unknown + here, at, (int32_t)m->unk);
        at += (size_t)len;
    }
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
        const uint32_t b = (uint32_t)x.prev;
        uint32_t to = b + x.len;
        if (x.id != m->unk) {
            tk_token_push(out, x.id, b, to);
            continue;
        }
        bool bytes = m->byte_fallback;
        for (uint32_t i = b; bytes && i < to; i++)
            bytes = m->byte_id[(unsigned char)p[i]] >= 0;
        if (bytes) {
            for (uint32_t i = b; i < to; i++)
                tk_token_push(out, m->byte_id[(unsigned char)p[i]], b, to);
            continue;
        }
        while (cuts && s->sym[cuts - 1].id == m->unk && !m->byte_fallback)
            to += s->sym[--cuts].len;
        tk_token_push(out, (int32_t)m->unk, b, to);
    }
    return 0;
}
