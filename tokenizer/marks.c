#include "tokenizer/marks.h"

#include "tokenizer/tokenizer_priv.h"

/* Is nothing left of this token when its white space is taken off? Such a one goes with what is behind it (ranges.h). */
static bool is_blank(const struct tk_marks *x, int32_t id)
{
    const struct ft_str s = ft_token_str(x->t, id);
    uint32_t lead, trail;
    tk_post_spaces(s, &lead, &trail);
    return lead && lead >= ft_utf8_count(s.p, s.n);
}

/* ASCII, and no white space. */
static inline bool visible(struct ft_str text, uint32_t at) { return (unsigned char)(text.p[at] - '!') <= '~' - '!'; }

/* Ids up to the k-th, without blank ones at the end. */
static uint32_t behind(const struct tk_marks *x, const struct tk_ids *ids, size_t k)
{
    while (x->post->n_trims && k > x->first && is_blank(x, ids->v[k - 1]))
        k--;
    return (uint32_t)k;
}

/* Of a mark where a word begins whose ids begin with the k-th. */
static inline struct ft_tok_place at_word(const struct tk_marks *x, const struct tk_ids *ids, uint32_t at, size_t k)
{
    const bool sure = !x->post->n_trims || !at || (at <= x->text.n && visible(x->text, at - 1));
    const uint32_t n = sure ? (uint32_t)k : behind(x, ids, k);
    return (struct ft_tok_place){n, n};
}

/* Of a mark within [b, e), one word, whose ids are [from, to); own: of the word if it is an added token. */
static struct ft_tok_place in_word(const struct tk_marks *x, const struct tk_ids *ids, uint32_t b, uint32_t e, bool added,
                                   size_t from, size_t to, uint32_t mark)
{
    const uint16_t *len = x->t->fast.len;
    const struct tk_piece all = {.p = x->text.p, .n = (uint32_t)x->text.n, .id = -1};
    size_t begins = SIZE_MAX, ends = SIZE_MAX;
    uint32_t at = b;
    for (size_t k = from; k < to; k++) {
        const int32_t id = ids->v[k];
        const uint32_t end = added ? e : at + len[id];
        const bool plain = visible(x->text, at) && visible(x->text, end - 1) && (end == x->text.n || visible(x->text, end));
        struct tk_range r = plain ? (struct tk_range){at, end} : tk_origin(&all, at, end);
        if (x->post->n_trims && !plain) {
            uint32_t lead, trail;
            tk_post_spaces(added ? (struct ft_str){x->text.p + b, e - b} : x->t->model.vocab.token[id], &lead, &trail);
            if (lead | trail)
                tk_post_take(x->post, k == x->first, x->text, lead, trail, &r.b, &r.e);
        }
        at = end;
        if (r.b >= r.e)
            continue;
        begins = r.b < mark ? k + 1 : begins;
        ends = r.e <= mark ? k + 1 : ends;
    }
    return (struct ft_tok_place){begins == SIZE_MAX ? behind(x, ids, from) : (uint32_t)begins,
                                 ends == SIZE_MAX ? behind(x, ids, from) : (uint32_t)ends};
}

/* Where the record stands in the text. */
static inline struct tk_range range_of(const struct tk_marks *x, const struct tk_rec *r)
{
    const uint32_t b = r->p ? (uint32_t)(r->p - x->text.p) : r->hash;
    return (struct tk_range){b, r->p ? b + r->n : (uint32_t)r->key.hi};
}

/* Places the marks in record i; gives the first that is not. */
static __attribute__((noinline)) size_t place(struct tk_marks *x, const struct tk_rec *r, const uint32_t *starts, const struct tk_ids *ids, size_t m)
{
    const struct tk_range w = range_of(x, r);
    for (; m < x->n && x->at[m] < w.e; m++)
        x->place[m] = x->at[m] <= w.b ? at_word(x, ids, x->at[m], starts[0]) : in_word(x, ids, w.b, w.e, !r->p, starts[0], starts[1], x->at[m]);
    return m;
}

void tk_marks_take(void *ctx, const struct tk_rec *rec, size_t n, const uint32_t *starts, const struct tk_ids *ids)
{
    struct tk_marks *x = ctx;
    const char *const text = x->text.p;
    size_t m = x->next;
    for (size_t i = 0; i < n && m < x->n; i++) {
        const uint32_t mark = x->at[m];
        const char *const limit = text + mark; /* no word that ends there or before holds it */
        while (i < n && (rec[i].p ? rec[i].p + rec[i].n <= limit : rec[i].key.hi <= mark))
            i++;
        if (i < n)
            m = place(x, &rec[i], starts + i, ids, m);
    }
    x->next = m;
}

void tk_marks_finish(struct tk_marks *x, const struct tk_ids *ids)
{
    for (; x->next < x->n; x->next++)
        x->place[x->next] = at_word(x, ids, (uint32_t)x->text.n, ids->n);
}
