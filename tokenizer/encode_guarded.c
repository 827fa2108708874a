#include "tokenizer/encode_guarded.h"

#include "tokenizer/ranges.h"
#include "tokenizer/tokenizer_priv.h"

/* The tokens of all pieces so far. */
struct joined {
    struct ft_arena *a;
    int32_t *ids;
    uint32_t *begin, *end;
    size_t n, cap;
};

static void put(struct joined *j, int32_t id, uint32_t begin, uint32_t end)
{
    if (j->n + 1 >= j->cap) { /* with room for one more */
        const size_t cap = 2 * j->cap + 64;
        int32_t *ids = FT_NEWS(j->a, int32_t, cap);
        uint32_t *b = FT_NEWS(j->a, uint32_t, 2 * cap);
        if (j->n) {
            memcpy(ids, j->ids, j->n * sizeof *ids);
            memcpy(b, j->begin, j->n * sizeof *b);
            memcpy(b + cap, j->end, j->n * sizeof *b);
        }
        j->ids = ids;
        j->begin = b;
        j->end = b + cap;
        j->cap = cap;
    }
    j->ids[j->n] = id;
    j->begin[j->n] = begin;
    j->end[j->n++] = end;
}

static bool is_blank(struct ft_str s)
{
    size_t i = 0;
    while (i < s.n && strchr(" \t\r\n\v\f", s.p[i]))
        i++;
    return i == s.n;
}

/* Token i of x stands in content, where it must not: its text, else n == 0. */
static struct ft_str control(const struct ft_tokenizer *t, struct ft_str text, const struct ft_encode_opts *o,
                             const struct ft_encoding *x, size_t i)
{
    const struct tk_added_token *added = tk_added_of(&t->added, x->ids[i]);
    const bool special = added && ft_token_is_special(t, x->ids[i]);
    struct ft_str whole = {0};
    if (!added || x->begin[i] >= x->end[i] || x->end[i] > text.n || (!special && is_blank(added->content)))
        return whole;
    whole = (struct ft_str){text.p + x->begin[i], x->end[i] - x->begin[i]};
    /* without the white space that it took in */
    const char *at = memmem(whole.p, whole.n, added->content.p, added->content.n);
    if (at)
        whole = (struct ft_str){at, added->content.n};
    const size_t b = (size_t)(whole.p - text.p), e = b + whole.n;
    size_t lo = 0, hi = o->n_plain;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (o->plain[mid].end <= b)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < o->n_plain && o->plain[lo].begin < e; lo++)
        if (special || (o->bare && o->bare[lo]))
            return whole;
    return (struct ft_str){0};
}

/* Appends the tokens of text[from, to). */
static int piece(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, size_t from, size_t to, bool marked,
                 struct joined *j, struct ft_err *e)
{
    const struct ft_encode_opts plain = {.offsets = true}, o = {.offsets = true, .no_added = marked};
    const struct ft_str own = {text.p + from, to - from};
    struct ft_encoding x;
    size_t skip = 0, n_break = 0;
    if (from == to)
        return 0;
    if (from > 0) {
        char *behind = ft_arena_alloc(j->a, own.n + 1);
        behind[0] = '\n';
        memcpy(behind + 1, own.p, own.n);
        if (ft_encode(t, s, FT_STR("\n"), &plain, &x, e))
            return -1;
        n_break = x.n;
        int32_t *brk = FT_NEWS(j->a, int32_t, n_break + 1);
        memcpy(brk, x.ids, n_break * sizeof *brk);
        if (ft_encode(t, s, (struct ft_str){behind, own.n + 1}, &o, &x, e))
            return -1;
        if (x.n >= n_break && !memcmp(x.ids, brk, n_break * sizeof *brk))
            skip = 1;
    }
    if (!skip && ft_encode(t, s, own, &o, &x, e))
        return -1;
    const int64_t token = marked ? ft_token_id(t, own) : -1;
    for (size_t i = skip ? n_break : 0; i < x.n; i++) {
        const uint32_t b = x.begin[i] < skip ? (uint32_t)skip : x.begin[i], end = x.end[i] < skip ? (uint32_t)skip : x.end[i];
        if (marked && x.ids[i] == token)
            return ft_fail(e, FT_DATA, "'%.*s' in content cannot be kept from being a token: the tokenizer makes it of plain text",
                           (int)own.n, own.p);
        put(j, x.ids[i], b - (uint32_t)skip + (uint32_t)from, end - (uint32_t)skip + (uint32_t)from);
    }
    return 0;
}

static void place_marks(const struct ft_encode_opts *o, struct ft_arena *a, struct ft_encoding *x)
{
    if (!o->marks)
        return;
    x->place = FT_NEWS(a, struct ft_tok_place, o->n_marks + 1);
    for (size_t i = 0; i < o->n_marks; i++)
        x->place[i] = ft_tok_place_find(x, o->marks[i]);
}

int ft_encode_guarded(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                      struct ft_arena *a, struct ft_encoding *out, struct ft_err *e)
{
    struct ft_encode_opts whole = *o;
    struct ft_encoding x;
    size_t n_hits = 0;
    whole.plain = NULL;
    whole.bare = NULL;
    whole.n_plain = 0;
    whole.marks = NULL; /* all places are asked for */
    whole.n_marks = 0;
    whole.offsets = true;
    whole.truncate = false;
    if (ft_encode(t, s, text, &whole, &x, e))
        return -1;
    const size_t last = x.n - x.n_suffix;
    struct ft_str *hits = FT_NEWS(a, struct ft_str, last + 1);
    for (size_t i = x.n_prefix; i < last; i++)
        if ((hits[n_hits] = control(t, text, o, &x, i)).n)
            n_hits++;
    if (!n_hits) {
        whole.truncate = o->truncate;
        if (o->truncate && ft_encode(t, s, text, &whole, &x, e))
            return -1;
        *out = x;
        place_marks(o, a, out);
        return 0;
    }
    struct joined j = {.a = a};
    const size_t n_prefix = x.n_prefix, n_suffix = x.n_suffix;
    int32_t *around = FT_NEWS(a, int32_t, n_prefix + n_suffix + 1);
    memcpy(around, x.ids, n_prefix * sizeof *around);
    memcpy(around + n_prefix, x.ids + last, n_suffix * sizeof *around);
    const uint32_t type = o->types && last > n_prefix ? x.type[n_prefix] : 0;
    size_t at = 0;
    for (size_t i = 0; i < n_prefix; i++)
        put(&j, around[i], 0, 0);
    for (size_t i = 0; i < n_hits; i++) {
        const size_t b = (size_t)(hits[i].p - text.p);
        if (b < at)
            continue;
        if (piece(t, s, text, at, b, false, &j, e) || piece(t, s, text, b, b + hits[i].n, true, &j, e))
            return -1;
        at = b + hits[i].n;
    }
    if (piece(t, s, text, at, text.n, false, &j, e))
        return -1;
    size_t n = j.n - n_prefix, cut = 0;
    if (o->truncate && n > o->max_length - n_prefix - n_suffix)
        cut = n - (o->max_length - n_prefix - n_suffix);
    if (cut && o->left) {
        memmove(j.ids + n_prefix, j.ids + n_prefix + cut, (n - cut) * sizeof *j.ids);
        memmove(j.begin + n_prefix, j.begin + n_prefix + cut, (n - cut) * sizeof *j.begin);
        memmove(j.end + n_prefix, j.end + n_prefix + cut, (n - cut) * sizeof *j.end);
    }
    j.n -= cut;
    for (size_t i = 0; i < n_suffix; i++)
        put(&j, around[n_prefix + i], 0, 0);
    *out = (struct ft_encoding){.ids = j.ids, .begin = j.begin, .end = j.end, .n = j.n, .n_prefix = n_prefix, .n_suffix = n_suffix, .n_cut = cut};
    if (o->types) {
        out->type = FT_NEWS(a, uint32_t, j.n + 1);
        for (size_t i = n_prefix; i < j.n - n_suffix; i++)
            out->type[i] = type;
    }
    place_marks(o, a, out);
    return 0;
}
