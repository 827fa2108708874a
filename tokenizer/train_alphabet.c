#include "tokenizer/train_alphabet.h"

#include <stdlib.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/model.h"

enum { CODE_POINTS = 0x110000 };

struct seen {
    uint64_t count;
    uint32_t c;
};

static int rarest_first(const void *x, const void *y)
{
    const struct seen *a = x, *b = y;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->c > b->c ? -1 : 1;
}

static int by_code(const void *x, const void *y)
{
    const struct seen *a = x, *b = y;
    return a->c < b->c ? -1 : a->c > b->c;
}

static int32_t add_char(struct tk_learner *l, uint32_t c)
{
    char s[4];
    const int n = ft_utf8_put(s, c);
    return (int32_t)tk_learner_token(l, (struct ft_str){s, (size_t)n}, 1);
}

/* Those in w; all when it is NULL. */
static void add_bytes(struct tk_alphabet *a, struct tk_learner *l, const struct tk_words *w)
{
    bool there[256];
    memset(there, !w, sizeof there);
    for (size_t i = 0; w && i < w->n; i++)
        for (uint32_t k = 0; k < w->v[i].n; k++)
            there[(unsigned char)w->v[i].p[k]] = true;
    a->id = ft_reallocs(NULL, 256, sizeof *a->id);
    memset(a->id, -1, 256 * sizeof *a->id);
    for (uint32_t c = 0; c < 0x200; c++) {
        const int b = tk_char_byte(c);
        if (b >= 0 && there[b]) {
            a->id[b] = add_char(l, c);
            a->kept = ++a->seen;
        }
    }
}

void tk_alphabet_make(struct tk_alphabet *a, struct tk_learner *l, const struct tk_words *w, bool bytes, bool all,
                      uint64_t limit, struct ft_str initial)
{
    *a = (struct tk_alphabet){.bytes = bytes};
    if (bytes) {
        add_bytes(a, l, all ? NULL : w);
        return;
    }
    uint64_t *counts = ft_calloc(CODE_POINTS, sizeof *counts);
    for (size_t i = 0; i < w->n; i++)
        for (uint32_t at = 0; at < w->v[i].n;) {
            int len;
            counts[ft_utf8_get(w->v[i].p + at, &len)] += w->v[i].count;
            at += (uint32_t)len;
        }
    for (size_t at = 0; at < initial.n;) {
        int len;
        counts[ft_utf8_get(initial.p + at, &len)] = UINT64_MAX;
        at += (size_t)len;
    }
    struct seen *v = NULL;
    size_t n = 0;
    for (uint32_t c = 0; c < CODE_POINTS; c++)
        if (counts[c]) {
            if ((n & (n - 1)) == 0)
                v = ft_reallocs(v, n ? n * 2 : 1, sizeof *v);
            v[n++] = (struct seen){counts[c], c};
        }
    free(counts);
    size_t drop = 0;
    if (limit && n > limit) {
        qsort(v, n, sizeof *v, rarest_first);
        drop = n - limit;
        for (size_t i = 0; i < drop; i++)
            a->lost += v[i].count;
    }
    a->seen = n;
    a->kept = n - drop;
    if (n > drop)
        qsort(v + drop, n - drop, sizeof *v, by_code);
    a->id = ft_reallocs(NULL, CODE_POINTS, sizeof *a->id);
    memset(a->id, -1, CODE_POINTS * sizeof *a->id);
    for (size_t i = drop; i < n; i++)
        a->id[v[i].c] = add_char(l, v[i].c);
    /* A character that is a token for another reason (a special one) counts too. */
    for (size_t i = 0; i < drop; i++) {
        char s[4];
        const int len = ft_utf8_put(s, v[i].c);
        a->id[v[i].c] = (int32_t)tk_vocab_find(&l->vocab, s, (size_t)len);
    }
    free(v);
}

int tk_words_size(const struct tk_words *w, bool bytes, size_t *slots, size_t *longest, struct ft_err *e)
{
    *slots = *longest = 0;
    for (size_t i = 0; i < w->n; i++) {
        const size_t n = bytes ? w->v[i].n : ft_utf8_count(w->v[i].p, w->v[i].n);
        *slots += n;
        *longest = n > *longest ? n : *longest;
    }
    if (*slots + w->n >= UINT32_MAX - 2)
        return ft_fail(e, FT_DATA, "%zu different words of %zu characters in all: the limit is 4294967293", w->n, *slots);
    return 0;
}

int tk_alphabet_words(const struct tk_alphabet *a, struct tk_learner *l, const struct tk_words *w, struct ft_err *e)
{
    size_t slots, longest;
    if (tk_words_size(w, a->bytes, &slots, &longest, e))
        return -1;
    uint32_t *ids = ft_reallocs(NULL, longest + 1, sizeof *ids);
    tk_learner_begin(l, w->n, slots);
    for (size_t i = 0; i < w->n; i++) {
        const struct tk_counted *x = &w->v[i];
        size_t n = 0;
        for (uint32_t at = 0; at < x->n;) {
            int len = 1;
            const uint32_t c = a->bytes ? (unsigned char)x->p[at] : ft_utf8_get(x->p + at, &len);
            if (a->id[c] >= 0)
                ids[n++] = (uint32_t)a->id[c];
            at += (uint32_t)len;
        }
        tk_learner_word(l, ids, n, x->count);
    }
    free(ids);
    return 0;
}
