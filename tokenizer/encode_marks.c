/* Where marks stand among the tokens, without leaving the units' quick way.
 *
 * Raw text is cut at the marks, where that changes nothing: then all tokens of a
 * stretch stand between two marks, and their number is all that has to be known of them.
 * Where it may not be cut, in the middle of a unit, the lengths of that unit's tokens say
 * where they stand, if these are the very bytes of the text; if not, the unit is done again. */
#include "tokenizer/tokenizer_priv.h"
#include "tokenizer/unicode.h"

struct stretch {
    uint32_t from, to; /* bytes of the text */
    bool apart;        /* its tokens have their own places */
};

/* Is told of flushes where the stretches begin among the ids. */
struct borders {
    size_t *first;                       /* [n]: the first id of each */
    size_t n, known;                     /* so many have begun, and have been told */
    uint16_t rec[TK_BATCH + TK_WINDOW];  /* of those not told, in order: the record that it begins with */
};

static void told(void *ctx, const struct tk_rec *rec, size_t n, const uint32_t *starts, const struct tk_ids *ids)
{
    struct borders *b = ctx;
    (void)rec, (void)n, (void)ids;
    for (size_t i = 0; b->known < b->n; i++)
        b->first[b->known++] = starts[b->rec[i]];
}

/* A stretch begins: with the next record. */
static int begin(struct borders *b, struct tk_fast_state *s, struct tk_ids *ids, struct ft_err *e)
{
    if (b->n - b->known == sizeof b->rec / sizeof *b->rec && tk_fast_flush(s, ids, e))
        return -1;
    b->rec[b->n - b->known] = (uint16_t)tk_fast_waiting(s);
    b->n++;
    return 0;
}

static bool gap(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool punct(char c)
{
    const unsigned x = (unsigned char)c;
    return x - '!' < 15 || x - ':' < 7 || x - '[' < 6 || x - '{' < 4;
}

/* The character of p[0..n) that begins at i, or ends there: does it stay apart from a gap beside it? */
static bool edge(const char *p, size_t i, bool before)
{
    int len;
    while (before && i > 0 && ((unsigned char)p[--i] & 0xc0) == 0x80)
        ;
    return (unsigned char)p[i] < 0x80 || tk_unit_edge(ft_utf8_get(p + i, &len));
}

/* Do both sides of p[m], 0 < m < n, become the same tokens apart from each other? */
static bool parts(enum tk_unit unit, const char *p, size_t m)
{
    const char a = p[m - 1], b = p[m];
    if (a == '\r' && b == '\n')
        return false;
    if ((gap(a) && edge(p, m, false)) || (gap(b) && edge(p, m, true)))
        return true;
    return unit == TK_UNIT_BERT && (punct(b) || (punct(a) && (unsigned char)b < 0x80));
}

/* No character of it is changed or cut off. */
static bool is_flat(const uint64_t *flat, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        int len;
        const uint32_t c = ft_utf8_get(p + i, &len);
        if (c >= 0x10000 || !(flat[c >> 6] >> (c & 63) & 1))
            return false;
        i += (size_t)len;
    }
    return true;
}

/* One piece of text in stretches behind v[n]; the new n, or SIZE_MAX. */
static size_t plan(const struct tk_fast *f, const struct tk_piece *p, const uint32_t *marks, size_t n_marks, struct stretch *v, size_t n)
{
    enum { UNIT_MAX = 512 };
    if (f->unit == TK_UNIT_PIECES) {
        v[n++] = (struct stretch){p->base, p->base + p->n, true};
        return n;
    }
    uint32_t at = 0;
    for (size_t i = 0; i < n_marks && marks[i] < p->base + p->n; i++) {
        const uint32_t m = marks[i] - p->base;
        if (m <= at)
            continue;
        if (parts(f->unit, p->p, m)) {
            v[n++] = (struct stretch){p->base + at, p->base + m, false};
            at = m;
            continue;
        }
        uint32_t b = m - 1, e = m + 1;
        while (b > at && m - b < UNIT_MAX && !parts(f->unit, p->p, b))
            b--;
        while (e < p->n && e - m < UNIT_MAX && !parts(f->unit, p->p, e))
            e++;
        if (f->unit != TK_UNIT_SPACES || !f->flat || m - b == UNIT_MAX || e - m == UNIT_MAX || !is_flat(f->flat, p->p + b, e - b))
            return SIZE_MAX;
        if (b > at)
            v[n++] = (struct stretch){p->base + at, p->base + b, false};
        v[n++] = (struct stretch){p->base + b, p->base + e, true};
        at = e;
    }
    if (at < p->n)
        v[n++] = (struct stretch){p->base + at, p->base + p->n, false};
    return n;
}

/* Marks that are to be placed, in their order. */
struct pending {
    const uint32_t *at;
    size_t n, next;
    struct ft_tok_place *place;
};

/* Walks over the tokens of a stretch: each place of a mark is the first token that does not begin in front of it,
 * and the first that ends behind it. */
struct walk {
    struct pending *m;
    size_t last, begins, ends; /* marks in the stretch: up to last; so many have the one, and the other */
};

static struct walk walk_from(struct pending *m, const struct stretch *x)
{
    size_t last = m->next;
    while (last < m->n && m->at[last] < x->to)
        last++;
    return (struct walk){m, last, m->next, m->next};
}

static inline void walk_on(struct walk *w, size_t k, uint32_t b, uint32_t e)
{
    for (; w->begins < w->last && w->m->at[w->begins] <= b; w->begins++)
        w->m->place[w->begins].begins = (uint32_t)k;
    for (; w->ends < w->last && w->m->at[w->ends] < e; w->ends++)
        w->m->place[w->ends].ends = (uint32_t)k;
}

static void walk_off(struct walk *w, size_t k)
{
    walk_on(w, k, UINT32_MAX, UINT32_MAX);
    w->m->next = w->last;
}

/* Bytes of a token's text in the text, or with what was put in front. */
static inline int64_t length(const struct ft_tokenizer *t, int32_t id)
{
    return t->fast.unit == TK_UNIT_PIECES ? t->fast.len[id] : (int64_t)t->model.vocab.token[id].n;
}

/* May one of these tokens be of unknown characters, and have what the others leave of their word? */
static bool may_lack(const struct ft_tokenizer *t, const int32_t *id, size_t n)
{
    const uint16_t *len = t->fast.len;
    if (!len || !t->fast.low_line || t->model.type != TK_UNIGRAM || t->model.byte_fallback || id[0] == t->model.unk || !(len[id[0]] & TK_LEN_MARKED))
        return false;
    for (size_t i = 1; i < n; i++)
        if (id[i] != t->model.unk && (len[id[i]] & TK_LEN_MARKED || !len[id[i]]))
            return false;
    return true;
}

/* Places the marks in a stretch, whose tokens are [k, n), by their lengths. False: they do not add up. */
static bool lay(const struct ft_tokenizer *t, const struct tk_ids *ids, struct ft_str text, size_t k, size_t n, const struct stretch *x,
                struct pending *m)
{
    const bool pieces = t->fast.unit == TK_UNIT_PIECES;
    int64_t sum = 0, front = t->fast.low_line ? 3 : 0; /* what was put in front: a blank, or U+2581 */
    size_t unknown = SIZE_MAX;
    for (size_t i = k; i < n; i++) {
        const int32_t id = ids->v[i];
        if (id != t->model.unk)
            sum += length(t, id);
        else if (unknown != SIZE_MAX || pieces || !may_lack(t, ids->v + k, n - k))
            return false;
        else
            unknown = i;
        if (pieces && !t->fast.len[id])
            return false;
    }
    const int64_t all = (int64_t)(x->to - x->from);
    if (pieces)
        front = sum - all;
    const int64_t rest = all + front - sum; /* of what is unknown */
    if ((pieces && front != 0 && front != 1) || (unknown == SIZE_MAX ? rest != 0 : rest <= 0))
        return false;
    int64_t at = -front;
    int first; /* what was put in front stands for the first character, as that does itself */
    ft_utf8_get(text.p + x->from, &first);
    struct walk w = walk_from(m, x);
    for (size_t i = k; i < n && w.begins < w.last; i++) {
        const int64_t end = at + (i == unknown ? rest : length(t, ids->v[i]));
        walk_on(&w, i, x->from + (uint32_t)(at < 0 ? 0 : at), x->from + (uint32_t)(end <= 0 ? first : end));
        at = end;
    }
    walk_off(&w, n);
    return true;
}

/* The same by the places of its tokens, which are sought again. 1, 0 it cannot, -1. */
static int seek(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, size_t k, size_t n, const struct stretch *x,
                struct pending *m, struct ft_err *e)
{
    const struct tk_piece p = {.p = text.p + x->from, .n = x->to - x->from, .base = x->from, .id = -1};
    if (t->fast.unit != TK_UNIT_SPACES || !tk_fast_has_places(&t->fast, p.p, p.n))
        return 0;
    s->tokens.n = 0;
    if (tk_fast_places(s->fast, &s->work, &p, p.base == 0, &s->tokens, e))
        return -1;
    if (s->tokens.n != n - k)
        return 0;
    struct walk w = walk_from(m, x);
    for (size_t i = 0; i < n - k && w.begins < w.last; i++)
        walk_on(&w, k + i, s->tokens.v[i].b, s->tokens.v[i].e);
    walk_off(&w, n);
    return 1;
}

/* What a charsmap takes away at the front shifts all places behind it (the library's slip), which lengths do not tell. */
static bool may_shift(const struct tk_fast *f, const struct tk_piece *p)
{
    int len = 0;
    if (f->unit != TK_UNIT_SPACES || !p->n || gap(p->p[0]))
        return false;
    ft_utf8_get(p->p, &len);
    return !f->flat || !is_flat(f->flat, p->p, (size_t)len);
}

int tk_encode_marked(const struct ft_tokenizer *t, struct ft_tok_state *s, struct ft_str text, const struct ft_encode_opts *o,
                     struct ft_err *e)
{
    const struct tk_fast *f = &t->fast;
    struct tk_work *w = &s->work;
    struct row *r = &s->row;
    const size_t first = r->ids.n;
    const struct tk_piece all = {.p = text.p, .n = (uint32_t)text.n, .id = -1};
    if (!s->marks.may || f->normalized || f->ends || t->post.trims || (f->unit == TK_UNIT_PIECES && !f->len))
        return 0;
    for (size_t i = 0; i < o->n_marks; i++) /* within a character the tokens of its bytes all stand at its begin */
        if (o->marks[i] < text.n && ((unsigned char)text.p[o->marks[i]] & 0xc0) == 0x80)
            return 0;
    w->a.n = 0;
    if (o->no_added)
        tk_push(&w->a, all);
    else
        tk_added_split(&t->added, false, &all, (const struct tk_range *)(const void *)o->plain, o->n_plain, &w->a);
    struct stretch *v = ft_arena_alloc(&w->mem, (2 * o->n_marks + 2 * w->a.n + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0, m = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        if (i && p[-1].base + p[-1].n > p->base) /* the one before has its white space, and gives it to this one too */
            return 0;
        while (m < o->n_marks && o->marks[m] <= p->base)
            m++;
        if (p->id >= 0)
            v[n++] = (struct stretch){p->base, p->base + p->n, false};
        else if (may_shift(f, p) || (n = plan(f, p, o->marks + m, o->n_marks - m, v, n)) == SIZE_MAX)
            return 0;
    }
    struct borders borders = {.first = ft_arena_alloc(&w->mem, (n + 1) * sizeof *borders.first)};
    bool failed = false;
    tk_fast_placed(s->fast, told, &borders);
    for (size_t i = 0, k = 0; i < w->a.n; i++) {
        const struct tk_piece *p = &w->a.v[i];
        for (; k < n && v[k].from < p->base + p->n && !failed; k++)
            failed = begin(&borders, s->fast, &r->ids, e) ||
                     (p->id >= 0 ? tk_fast_id(s->fast, p->id, 0, 0, &r->ids, e)
                                 : tk_fast_raw(s->fast, w, p->p + (v[k].from - p->base), v[k].to - v[k].from, v[k].from == 0, &r->ids, e));
    }
    failed = failed || tk_fast_flush(s->fast, &r->ids, e);
    tk_fast_placed(s->fast, NULL, NULL);
    if (failed)
        return -1;
    borders.first[n] = r->ids.n;
    struct pending m = {o->marks, o->n_marks, 0, s->marks.place};
    for (size_t k = 0; k < n && m.next < m.n; k++) {
        const size_t from = borders.first[k], to = borders.first[k + 1];
        if (m.at[m.next] >= v[k].to)
            continue;
        if (v[k].apart) {
            const int done = lay(t, &r->ids, text, from, to, &v[k], &m) ? 1 : seek(t, s, text, from, to, &v[k], &m, e);
            if (done <= 0) {
                r->ids.n = first;
                return done;
            }
            continue;
        }
        struct walk x = walk_from(&m, &v[k]);
        if (from < to)
            walk_on(&x, from, v[k].from, v[k].to);
        walk_off(&x, to);
    }
    for (; m.next < m.n; m.next++)
        m.place[m.next] = (struct ft_tok_place){(uint32_t)r->ids.n, (uint32_t)r->ids.n};
    s->marks.done = true;
    return 1;
}
