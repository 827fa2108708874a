#include "tokenizer/added.h"

#include <stdlib.h>

#include "tokenizer/component.h"
#include "tokenizer/trie.h"
#include "tokenizer/unicode.h"

static int read_token(const struct ft_json *j, struct tk_added_token *t, struct ft_arena *mem, struct ft_err *e)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {{"special", &t->special}, {"single_word", &t->single_word}, {"lstrip", &t->lstrip},
                 {"rstrip", &t->rstrip}, {"normalized", &t->normalized}};
    const struct ft_json *c = ft_json_get(j, "content"), *id = ft_json_get(j, "id");
    int64_t number;
    *t = (struct tk_added_token){0};
    if (!c || c->type != FT_JSON_STRING)
        return ft_fail(e, FT_DATA, "no \"content\"");
    if (!id || ft_json_int(id, &number) || number < 0 || number > UINT32_MAX)
        return ft_fail(e, FT_DATA, "its \"id\" is not a token id");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (tk_want_bool(j, flags[i].name, flags[i].to, e))
            return -1;
    t->sought = true;
    t->as_is = ft_json_get(j, "ft:sought") != NULL; /* of a .model: in normalized text as it stands, or not at all */
    if (ft_json_get_bool(j, "ft:sought", &t->sought, e))
        return -1;
    t->text = t->content = (struct ft_str){ft_arena_dup(mem, c->s.p, c->s.n), c->s.n};
    return 0;
}

/* A normalized token is sought in normalized text, so it is normalized itself. */
static int normalize(struct tk_added_token *t, const struct tk_normalizer *norm, struct tk_work *w,
                     struct tk_matcher *m, struct ft_arena *mem, struct ft_err *e)
{
    struct tk_piece p = {.p = t->content.p, .n = (uint32_t)t->content.n, .id = -1};
    ft_arena_reset(&w->mem);
    if (tk_normalize(norm, w, m, &p, e))
        return -1;
    if (!ft_str_eq((struct ft_str){p.p, p.n}, t->content))
        t->text = (struct ft_str){ft_arena_dup(mem, p.p, p.n), p.n};
    return 0;
}

int tk_added_load(struct tk_added *a, const struct ft_json *list, const struct tk_vocab *vocab,
                  size_t vocab_size, const struct tk_normalizer *norm, struct ft_err *e)
{
    const size_t count = list && list->type == FT_JSON_ARRAY ? list->n : 0; /* absent: none */
    int64_t next = (int64_t)vocab_size, max = -1;
    struct tk_work w = {0};
    struct tk_matcher *m = tk_matcher_new();
    int r = list && list->type != FT_JSON_ARRAY ? ft_fail(e, FT_DATA, "\"added_tokens\" is not a list") : 0;
    a->name_id = FT_NEWS(&a->mem, int32_t, count + 1);
    a->v = FT_NEWS(&a->mem, struct tk_added_token, count + 1);
    a->raw = tk_trie_new();
    a->norm = tk_trie_new();
    tk_vocab_init(&a->names, count + 1);
    tk_vocab_init(&a->specials, count + 1);
    size_t slots = 64; /* index by id, open addressing: ids may repeat */
    while (slots < 2 * count)
        slots *= 2;
    uint32_t *slot = ft_calloc(slots, sizeof *slot);
    for (size_t i = 0; i < count && !r; i++) {
        struct tk_added_token t;
        r = read_token(&list->items[i], &t, &a->mem, e);
        if (!r && t.content.n && t.normalized && !t.as_is)
            r = normalize(&t, norm, &w, m, &a->mem, e);
        if (r) {
            ft_fail_in(e, "added token %zu: ", i);
            break;
        }
        if (!t.content.n)
            continue;
        int64_t id = tk_added_id(a, t.content.p, t.content.n);
        if (id < 0)
            id = tk_vocab_find(vocab, t.content.p, t.content.n);
        if (id < 0)
            id = next++;
        t.id = (int32_t)id;
        max = id > max ? id : max;
        size_t at = (size_t)id * 0x9e3779b1u & (slots - 1);
        while (slot[at] && a->v[slot[at] - 1].id != t.id)
            at = (at + 1) & (slots - 1);
        if (!slot[at]) {
            slot[at] = (uint32_t)++a->n;
        } else if (ft_str_eq(t.text, t.content) && !ft_str_eq(a->v[slot[at] - 1].text, a->v[slot[at] - 1].content)) {
            /* What the normalizer made of a token stays with its id, whichever token has it next. */
            t.text = a->v[slot[at] - 1].text;
        }
        a->v[slot[at] - 1] = t;
        a->name_id[i] = (int32_t)id;
        tk_vocab_add(&a->names, t.content, (uint32_t)i);
        if (t.special && tk_vocab_find(&a->specials, t.content.p, t.content.n) < 0)
            tk_vocab_add(&a->specials, t.content, (uint32_t)a->specials.count);
        a->any_normalized |= t.normalized && t.sought;
    }
    free(slot);
    a->n_ids = (size_t)(max + 1);
    a->by_id = ft_malloc((a->n_ids + 1) * sizeof *a->by_id);
    for (size_t i = 0; i < a->n_ids; i++)
        a->by_id[i] = -1;
    /* Of two that are sought as the same text the first wins (the library's
     * choice between them is random). */
    for (size_t i = a->n; i-- > 0;) {
        const struct tk_added_token *t = &a->v[i];
        const struct ft_str s = t->normalized ? t->text : t->content;
        a->by_id[t->id] = (int32_t)i;
        if (!t->sought)
            continue;
        if (!s.n) /* the library panics on it wherever text is not ASCII, and never ends where another token half matches */
            r = ft_fail(e, FT_DATA, "added token \"%.*s\" is empty once normalized", (int)(t->content.n < 100 ? t->content.n : 100),
                        t->content.p);
        tk_trie_add(t->normalized ? a->norm : a->raw, s.p, s.n, (int32_t)i);
        tk_prefilter_add(t->normalized ? &a->seek_norm : &a->seek_raw, s.p, s.n);
    }
    if (tk_trie_freeze(a->raw, NULL, e) || tk_trie_freeze(a->norm, NULL, e))
        r = -1;
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
    tk_vocab_release(&a->specials);
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
    if (r.b == r.e) { /* a normalizer put it in: it belongs to what stands on either side */
        r.b -= r.b > 0;
        r.e++;
    }
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
    uint32_t done = 0;   /* everything before is given out */
    uint32_t spaces = 0; /* how far the white space goes that was last looked at: tokens in the midst of it do not walk it again */
    const struct tk_prefilter *seek = normalized ? &a->seek_norm : &a->seek_raw;
    for (uint32_t i = 0; (i = (uint32_t)tk_prefilter_next(seek, p->p, p->n, i)) < p->n;) {
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
        if (n_plain && tk_vocab_find(&a->specials, t->content.p, t->content.n) >= 0 &&
            touches(plain, n_plain, tk_origin(p, start, stop)))
            continue;
        if (t->single_word) {
            if ((start > 0 && uc_is(char_before(p->p, start, &c), UC_WORD)) ||
                (stop < p->n && uc_is(ft_utf8_get(p->p + stop, &len), UC_WORD)))
                continue;
        }
        if (t->lstrip) {
            uint32_t b = start;
            while (b > done && uc_is(char_before(p->p, b, &c), UC_SPACE))
                b = c;
            start = b > done ? b : done;
        }
        if (t->rstrip) {
            stop = stop < spaces ? spaces : stop;
            while (stop < p->n && uc_is(ft_utf8_get(p->p + stop, &len), UC_SPACE))
                stop += (uint32_t)len;
            spaces = stop;
        }
        if (start >= stop) /* all of it went to the token before (where the library gives up) */
            continue;
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
