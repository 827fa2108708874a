#include "tokenizer/added.h"

#include <stdlib.h>

#include "tokenizer/trie.h"
#include "tokenizer/unicode.h"

static int read_token(const struct ft_json *j, struct tk_added_token *t, struct ft_arena *mem, struct ft_err *e)
{
    struct ft_str s = {0};
    *t = (struct tk_added_token){.normalized = true};
    if (ft_json_get_string(j, "content", &s, e) || ft_json_get_bool(j, "special", &t->special, e) ||
        ft_json_get_bool(j, "single_word", &t->single_word, e) ||
        ft_json_get_bool(j, "lstrip", &t->lstrip, e) || ft_json_get_bool(j, "rstrip", &t->rstrip, e))
        return -1;
    t->normalized = !t->special;
    if (ft_json_get_bool(j, "normalized", &t->normalized, e))
        return -1;
    t->content = (struct ft_str){ft_arena_dup(mem, s.p, s.n), s.n};
    return 0;
}

int tk_added_load(struct tk_added *a, const struct ft_json *list, const struct tk_vocab *vocab,
                  const struct tk_normalizer *norm, struct ft_err *e)
{
    const size_t count = list && list->type == FT_JSON_ARRAY ? list->n : 0;
    int64_t max = -1;
    a->v = FT_NEWS(&a->mem, struct tk_added_token, count + 1);
    a->raw = tk_trie_new();
    a->norm = tk_trie_new();
    tk_vocab_init(&a->names, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct tk_added_token t;
        if (read_token(&list->items[i], &t, &a->mem, e))
            return ft_fail_in(e, "added token %zu: ", i);
        if (!t.content.n)
            continue;
        int64_t id = tk_vocab_find(&a->names, t.content.p, t.content.n);
        if (id < 0)
            id = tk_vocab_find(vocab, t.content.p, t.content.n);
        if (id < 0)
            id = max >= (int64_t)vocab->count ? max + 1 : (int64_t)vocab->count;
        t.id = (int32_t)id;
        max = id > max ? id : max;
        size_t at = 0;
        while (at < a->n && a->v[at].id != t.id)
            at++;
        a->n += at == a->n;
        a->v[at] = t;
        tk_vocab_add(&a->names, t.content, (uint32_t)id);
    }
    a->n_ids = (size_t)(max + 1);
    a->by_id = ft_malloc(a->n_ids * sizeof *a->by_id);
    for (size_t i = 0; i < a->n_ids; i++)
        a->by_id[i] = -1;
    struct tk_work w = {0};
    struct tk_matcher *m = tk_matcher_new();
    int r = 0;
    for (size_t i = 0; i < a->n && !r; i++) {
        const struct tk_added_token *t = &a->v[i];
        a->by_id[t->id] = (int32_t)i;
        if (!t->normalized) {
            tk_trie_add(a->raw, t->content.p, t->content.n, (int32_t)i);
            tk_seek_add(&a->seek_raw, t->content.p, t->content.n);
            continue;
        }
        /* It is sought in normalized text, so it is normalized itself. */
        struct tk_piece p = {.p = t->content.p, .n = (uint32_t)t->content.n, .id = -1};
        r = tk_normalize(norm, &w, m, &p, e);
        if (!r && p.n) {
            tk_trie_add(a->norm, p.p, p.n, (int32_t)i);
            tk_seek_add(&a->seek_norm, p.p, p.n);
        }
    }
    tk_matcher_free(m);
    ft_arena_release(&w.mem);
    free(w.edits);
    return r;
}

void tk_added_release(struct tk_added *a)
{
    tk_trie_free(a->raw);
    tk_trie_free(a->norm);
    tk_vocab_release(&a->names);
    free(a->by_id);
    ft_arena_release(&a->mem);
    *a = (struct tk_added){0};
}

static uint32_t char_before(const char *p, uint32_t at, uint32_t *begin)
{
    int len;
    uint32_t i = at - 1;
    while (((unsigned char)p[i] & 0xc0) == 0x80)
        i--;
    *begin = i;
    return ft_utf8_get(p + i, &len);
}

static bool touches(const struct tk_range *v, size_t n, struct tk_range r)
{
    size_t lo = 0, hi = n; /* the first range that ends behind r begins */
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (v[mid].e <= r.b)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && v[lo].b < r.e;
}

void tk_added_split(const struct tk_added *a, bool normalized, const struct tk_piece *p,
                    const struct tk_range *plain, size_t n_plain, struct tk_pieces *out)
{
    const struct tk_trie *trie = normalized ? a->norm : a->raw;
    uint32_t done = 0; /* everything before is given out */
    const struct tk_seek *seek = normalized ? &a->seek_norm : &a->seek_raw;
    for (uint32_t i = 0; (i = (uint32_t)tk_seek_next(seek, p->p, p->n, i)) < p->n;) {
        /* Leftmost, longest. One that is rejected is not retried shorter. */
        int32_t node = 0, best = -1;
        uint32_t stop = i;
        for (uint32_t k = i; k < p->n && (node = tk_trie_step(trie, node, (unsigned char)p->p[k])) >= 0; k++)
            if (tk_trie_value(trie, node) >= 0) {
                best = tk_trie_value(trie, node);
                stop = k + 1;
            }
        if (best < 0) {
            i++;
            continue;
        }
        const struct tk_added_token *t = &a->v[best];
        uint32_t start = i, c;
        i = stop;
        int len;
        if (n_plain && touches(plain, n_plain, tk_origin(p, start, stop)))
            continue;
        if (t->single_word) {
            if ((start > 0 && uc_is(char_before(p->p, start, &c), UC_WORD)) ||
                (stop < p->n && uc_is(ft_utf8_get(p->p + stop, &len), UC_WORD)))
                continue;
        }
        if (t->lstrip) {
            uint32_t b = start;
            while (b > 0 && uc_is(char_before(p->p, b, &c), UC_SPACE))
                b = c;
            start = b > done ? b : done;
        }
        while (t->rstrip && stop < p->n && uc_is(ft_utf8_get(p->p + stop, &len), UC_SPACE))
            stop += (uint32_t)len;
        if (done < start)
            tk_push(out, tk_slice(p, done, start));
        struct tk_piece hit = tk_slice(p, start, stop);
        hit.id = t->id;
        tk_push(out, hit);
        done = stop;
    }
    if (done < p->n)
        tk_push(out, tk_slice(p, done, p->n));
}
