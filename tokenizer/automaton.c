#include "tokenizer/automaton.h"

#include <stdlib.h>

#include "tokenizer/model.h"
#include "tokenizer/regex.h"
#include "tokenizer/regex_set.h"

enum { NODES = 3000, SETS = 62, CLASSES = 200, STATES = 600, DEPTH = 32, LIST = 400 };

/* ---- the pattern as a graph ---- */

enum op { SET, FORK, LOOK, LOOK_NOT, MATCH };
struct node {
    enum op op;
    int set;      /* SET, LOOK */
    int next, or; /* FORK: `next` is preferred */
};

struct graph {
    struct node node[NODES];
    int n;
    struct rx_set set[SETS];
    int n_sets;
    struct ft_arena mem;
    const char *p, *end;
    int depth;
    bool bad;
};

/* A part with one way in and, by `last`, one way out: a node whose `next` is open. */
struct part {
    int first, last;
    bool empty; /* it may match nothing */
};

static int node(struct graph *g, enum op op, int set, int next, int or)
{
    if (g->n == NODES) {
        g->bad = true;
        return 0;
    }
    g->node[g->n] = (struct node){op, set, next, or};
    return g->n++;
}

/* A node that does nothing. */
static int joint(struct graph *g) { return node(g, FORK, 0, -1, -1); }

static bool hex(struct graph *g, uint32_t *c)
{
    if (g->end - g->p < 4 || memcmp(g->p, "\\x{", 3))
        return false;
    char *stop;
    *c = (uint32_t)strtoul(g->p + 3, &stop, 16);
    if (stop >= g->end || *stop != '}' || *c > 0x10ffff)
        return false;
    g->p = stop + 1;
    return true;
}

/* \x{..} or [..]: its number, -1. */
static int one_set(struct graph *g)
{
    struct rx_set s = {0};
    uint32_t a, b;
    if (g->p < g->end && *g->p == '[') {
        size_t n = 0;
        for (const char *q = g->p; q < g->end && *q != ']'; q++)
            n += *q == '{';
        s.v = ft_arena_alloc(&g->mem, (n + 1) * sizeof *s.v);
        const bool not = g->end - g->p > 1 && g->p[1] == '^';
        for (g->p += 1 + not; g->p < g->end && *g->p != ']';) {
            if (!hex(g, &a))
                return -1;
            b = a;
            if (g->p < g->end && *g->p == '-') {
                g->p++;
                if (!hex(g, &b))
                    return -1;
            }
            s.v[s.n++] = (struct rx_range){a, b};
        }
        if (g->p++ == g->end)
            return -1;
        if (not)
            s = rx_set_not(&g->mem, s);
    } else {
        if (!hex(g, &a))
            return -1;
        s = rx_set_char(&g->mem, a, a);
    }
    for (int i = 0; i < g->n_sets; i++)
        if (g->set[i].n == s.n && !memcmp(g->set[i].v, s.v, s.n * sizeof *s.v))
            return i;
    if (g->n_sets == SETS)
        return -1;
    g->set[g->n_sets] = s;
    return g->n_sets++;
}

static bool starts(const struct graph *g, const char *s)
{
    return ft_str_starts((struct ft_str){g->p, (size_t)(g->end - g->p)}, ft_strz(s));
}

static struct part alternatives(struct graph *g);

static struct part fail(struct graph *g)
{
    g->bad = true;
    return (struct part){0, 0, false};
}

static struct part atom(struct graph *g)
{
    if (starts(g, "(?!") || starts(g, "(?=")) { /* of one set only */
        const bool not = g->p[2] == '!';
        g->p += 3;
        const int s = one_set(g);
        if (s < 0 || g->p == g->end || *g->p++ != ')')
            return fail(g);
        const int k = node(g, not ? LOOK_NOT : LOOK, s, -1, -1);
        return (struct part){k, k, true};
    }
    if (*g->p == '(') {
        if (starts(g, "(?") && !starts(g, "(?:"))
            return fail(g);
        g->p += starts(g, "(?:") ? 3 : 1;
        const struct part in = alternatives(g);
        return g->p < g->end && *g->p++ == ')' ? in : fail(g);
    }
    const int s = one_set(g);
    if (s < 0)
        return fail(g);
    const int k = node(g, SET, s, -1, -1);
    return (struct part){k, k, false};
}

static struct part chain(struct graph *g, struct part a, struct part b)
{
    g->node[a.last].next = b.first;
    return (struct part){a.first, b.last, a.empty && b.empty};
}

/* x? */
static struct part maybe(struct graph *g, struct part x)
{
    const int out = joint(g), fork = node(g, FORK, 0, x.first, out);
    g->node[x.last].next = out;
    return (struct part){fork, out, true};
}

/* x* */
static struct part loop(struct graph *g, struct part x)
{
    const int out = joint(g), fork = node(g, FORK, 0, x.first, out);
    g->node[x.last].next = fork;
    return (struct part){fork, out, true};
}

/* An atom and how often: the text of the atom is read again for each copy. */
static struct part repeated(struct graph *g)
{
    const char *const from = g->p;
    struct part x = atom(g);
    unsigned low = 1, high = 1;
    if (g->bad || g->p == g->end)
        return x;
    const char *behind = g->p;
    if (*g->p == '?' || *g->p == '*' || *g->p == '+') {
        low = *g->p == '+';
        high = *g->p == '?' ? 1 : 0;
        behind++;
    } else if (*g->p == '{') {
        char *q;
        low = high = (unsigned)strtoul(g->p + 1, &q, 10);
        if (*q == ',')
            high = q[1] == '}' ? q++, 0 : (unsigned)strtoul(q + 1, &q, 10);
        if (*q != '}' || (high && high < low) || low > 50 || high > 50 || (!low && !high && q[-1] != ','))
            return fail(g);
        behind = q + 1;
    } else {
        return x;
    }
    /* Lazy, possessive, repeated again, of what may be nothing: not here. */
    if (x.empty || (behind < g->end && (*behind == '?' || *behind == '+' || *behind == '*' || *behind == '{')))
        return fail(g);
    struct part all = {joint(g), 0, true};
    all.last = all.first;
    bool used = false;
    for (unsigned i = 0; !g->bad && (i < low || i < high || (!high && i == low)); i++) {
        if (used) { /* another copy */
            g->p = from;
            x = atom(g);
        }
        used = true;
        if (i < low) {
            all = chain(g, all, x);
            continue;
        }
        if (!high) {
            all = chain(g, all, loop(g, x));
            break;
        }
        /* x{2,4} is xx(x(x)?)?, and as each copy is preferred, xx x? x? finds the same. */
        all = chain(g, all, maybe(g, x));
    }
    g->p = behind;
    return all;
}

static struct part alternatives(struct graph *g)
{
    struct part all = {0, 0, false};
    bool any = false;
    if (g->depth++ == DEPTH)
        return fail(g);
    for (;;) {
        struct part one = {joint(g), 0, true};
        one.last = one.first;
        while (!g->bad && g->p < g->end && *g->p != '|' && *g->p != ')')
            one = chain(g, one, repeated(g));
        if (g->bad)
            return one;
        if (!any) {
            all = one;
        } else {
            const int out = joint(g), fork = node(g, FORK, 0, all.first, one.first);
            g->node[all.last].next = g->node[one.last].next = out;
            all = (struct part){fork, out, all.empty || one.empty};
        }
        any = true;
        if (g->p == g->end || *g->p == ')')
            break;
        g->p++;
    }
    g->depth--;
    return all;
}

/* ---- classes: characters that no set of the pattern tells apart ---- */

struct edge {
    uint32_t at;
    int set;
    bool in;
};

static int by_place(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

struct classes {
    uint64_t sets[CLASSES]; /* in which the class is, a bit each */
    int n;
    size_t pages, cap;
};

static int class_of(struct tk_automaton *a, struct classes *k, uint64_t sets)
{
    for (int i = 0; i < k->n; i++)
        if (k->sets[i] == sets)
            return i;
    if (k->n == CLASSES)
        return -1;
    k->sets[k->n] = sets;
    memset(a->kind[k->n], k->n, sizeof *a->kind);
    return k->n++;
}

/* Characters [from, to) are of that class. */
static void fill(struct tk_automaton *a, struct classes *k, uint32_t from, uint32_t to, int class)
{
    while (from < to) {
        const uint32_t page = from >> 7, end = (page + 1) << 7;
        if (!(from & 127) && to >= end) {
            a->page[page] = (uint16_t)class;
            from = end;
            continue;
        }
        if (!(from & 127)) { /* the first of a page of several */
            if (k->pages == k->cap)
                a->kind = ft_reallocs(a->kind, k->cap *= 2, sizeof *a->kind);
            a->page[page] = (uint16_t)k->pages++;
        }
        for (; from < to && from < end; from++)
            a->kind[a->page[page]][from & 127] = (uint8_t)class;
    }
}

static bool classify(struct tk_automaton *a, struct graph *g, struct classes *k)
{
    size_t n = 0;
    for (int i = 0; i < g->n_sets; i++)
        n += 2 * g->set[i].n;
    struct edge *v = ft_arena_alloc(&g->mem, (n + 1) * sizeof *v);
    n = 0;
    for (int i = 0; i < g->n_sets; i++)
        for (size_t r = 0; r < g->set[i].n; r++) {
            v[n++] = (struct edge){g->set[i].v[r].a, i, true};
            v[n++] = (struct edge){g->set[i].v[r].b + 1, i, false};
        }
    qsort(v, n, sizeof *v, by_place);
    k->pages = CLASSES;
    k->cap = 2 * CLASSES;
    a->kind = ft_reallocs(NULL, k->cap, sizeof *a->kind);
    uint64_t sets = 0;
    uint32_t at = 0;
    for (size_t i = 0; i <= n; i++) {
        const uint32_t to = i < n ? v[i].at : 0x110000;
        if (to > at) {
            const int c = class_of(a, k, sets);
            if (c < 0)
                return false;
            fill(a, k, at, to, c);
            at = to;
        }
        if (i < n)
            sets ^= 1ull << v[i].set;
    }
    for (int b = 0; b < 256; b++)
        a->byte[b] = (uint8_t)tk_automaton_class(a, tk_byte_char((unsigned char)b));
    return true;
}

/* ---- states ---- */

struct builder {
    struct graph *g;
    struct classes *k;
    uint16_t *list; /* [state * LIST ...]: count, nodes */
    size_t n, cap;
    uint32_t mark[NODES], round; /* seen in this closure */
    int now[LIST];               /* the next state's nodes, in order */
    size_t n_now;
    bool matched, bad;
};

/* Follows what needs no character; `sets`: those that have the character ahead. Stops
 * at a match: what is less preferred can win no more. */
static void follow(struct builder *b, int from, uint64_t sets)
{
    int stack[LIST], n = 0;
    stack[n++] = from;
    while (n && !b->matched) {
        const int i = stack[--n];
        if (i < 0 || b->mark[i] == b->round)
            continue;
        b->mark[i] = b->round;
        const struct node *x = &b->g->node[i];
        switch (x->op) {
        case MATCH:
            b->matched = true;
            break;
        case FORK:
            if (n + 2 > LIST) {
                b->bad = true;
                return;
            }
            if (x->or >= 0)
                stack[n++] = x->or;
            stack[n++] = x->next;
            break;
        case LOOK: case LOOK_NOT:
            if ((sets >> x->set & 1) == (x->op == LOOK))
                stack[n++] = x->next;
            break;
        case SET:
            if (!(sets >> x->set & 1))
                break;
            if (b->n_now == LIST - 1) {
                b->bad = true;
                return;
            }
            b->now[b->n_now++] = x->next;
            break;
        }
    }
}

/* The state of the nodes in b->now. */
static size_t state(struct builder *b)
{
    uint16_t v[LIST] = {0};
    /* Of several ways to one node only the first counts. */
    for (size_t i = 0; i < b->n_now; i++) {
        bool seen = false;
        for (size_t k = 1; k <= v[0] && !seen; k++)
            seen = v[k] == b->now[i];
        if (!seen)
            v[++v[0]] = (uint16_t)b->now[i];
    }
    for (size_t s = 0; s < b->n; s++)
        if (!memcmp(b->list + s * LIST, v, (v[0] + 1u) * sizeof *v))
            return s;
    if (b->n == STATES) {
        b->bad = true;
        return 0;
    }
    if (b->n == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->list = ft_reallocs(b->list, b->cap * LIST, sizeof *b->list);
    }
    memcpy(b->list + b->n * LIST, v, sizeof v);
    return b->n++;
}

static bool build(struct tk_automaton *a, struct builder *b, int first)
{
    b->n_now = 0;
    state(b); /* TK_STEP_DEAD: no node */
    b->now[b->n_now++] = first;
    state(b);
    a->end = (unsigned)b->k->n;
    while (1u << a->shift < a->end + 1)
        a->shift++;
    for (size_t s = 0; s < b->n && !b->bad; s++) {
        a->step = ft_reallocs(a->step, (s + 1) << a->shift, sizeof *a->step);
        for (unsigned c = 0; c <= a->end && !b->bad; c++) {
            const uint64_t sets = c < a->end ? b->k->sets[c] : 0;
            b->n_now = 0;
            b->matched = false;
            b->round++;
            const uint16_t *v = b->list + s * LIST;
            for (unsigned i = 1; i <= v[0] && !b->matched; i++)
                follow(b, v[i], sets);
            const bool matched = b->matched;
            const size_t to = state(b);
            a->step[s << a->shift | c] = (uint16_t)(to | (matched ? TK_STEP_MATCH : 0));
        }
    }
    /* A match of nothing is none of ours. */
    for (unsigned c = 0; c <= a->end && !b->bad; c++)
        b->bad = a->step[TK_STEP_START << a->shift | c] & TK_STEP_MATCH;
    return !b->bad;
}

static struct tk_automaton *made(struct graph *g, struct part all)
{
    struct tk_automaton *a = ft_calloc(1, sizeof *a);
    struct classes k = {0};
    struct builder *b = ft_calloc(1, sizeof *b);
    b->g = g;
    b->k = &k;
    bool good = !g->bad;
    if (good) {
        g->node[all.last].next = node(g, MATCH, 0, -1, -1);
        good = !g->bad && classify(a, g, &k) && build(a, b, all.first);
    }
    a->states = (unsigned)b->n;
    free(b->list);
    free(b);
    ft_arena_release(&g->mem);
    free(g);
    if (good)
        return a;
    tk_automaton_free(a);
    return NULL;
}

struct tk_automaton *tk_automaton_new(struct ft_str regex)
{
    struct ft_buf plain = {0};
    struct ft_err e = {0};
    struct tk_automaton *a = NULL;
    if (!tk_regex_plain(regex, &plain, &e) && plain.n) {
        struct graph *g = ft_calloc(1, sizeof *g);
        ft_buf_putc(&plain, 0); /* strtoul stops there */
        g->p = plain.p;
        g->end = plain.p + plain.n - 1;
        const struct part all = alternatives(g);
        g->bad = g->bad || g->p != g->end;
        a = made(g, all);
    }
    ft_buf_release(&plain);
    return a;
}

struct tk_automaton *tk_automaton_string(struct ft_str text)
{
    struct graph *g = ft_calloc(1, sizeof *g);
    struct part all = {joint(g), 0, true};
    all.last = all.first;
    for (size_t i = 0; i < text.n && !g->bad;) {
        int len;
        const uint32_t c = ft_utf8_get(text.p + i, &len);
        if (g->n_sets == SETS) {
            g->bad = true;
            break;
        }
        g->set[g->n_sets] = rx_set_char(&g->mem, c, c);
        const int k = node(g, SET, g->n_sets++, -1, -1);
        all = chain(g, all, (struct part){k, k, false});
        i += (size_t)len;
    }
    return made(g, all);
}

struct tk_automaton *tk_automaton_of(bool (*is)(uint32_t c))
{
    struct graph *g = ft_calloc(1, sizeof *g);
    struct rx_set s = {ft_arena_alloc(&g->mem, 4096 * sizeof *s.v), 0};
    for (uint32_t c = 0; c < 0x110000 && s.n < 4096; c++) {
        if (!is(c))
            continue;
        if (s.n && s.v[s.n - 1].b + 1 == c)
            s.v[s.n - 1].b = c;
        else
            s.v[s.n++] = (struct rx_range){c, c};
    }
    g->set[g->n_sets++] = s;
    g->bad = s.n == 4096;
    const int k = node(g, SET, 0, -1, -1);
    return made(g, (struct part){k, k, false});
}

void tk_automaton_free(struct tk_automaton *a)
{
    if (!a)
        return;
    free(a->step);
    free(a->kind);
    free(a);
}

/* ---- at work ---- */

/* The class of the character at p, and its length. */
static inline unsigned class_at(const struct tk_automaton *a, const char *p, size_t *len)
{
    const unsigned char *u = (const unsigned char *)p;
    if (*u < 0x80)
        return *len = 1, a->kind[a->page[0]][*u];
    if (*u >= 0xe0 && *u < 0xf0)
        return *len = 3, tk_automaton_class(a, (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u));
    int k;
    const uint32_t c = ft_utf8_get(p, &k);
    return *len = (size_t)k, tk_automaton_class(a, c);
}

/* *reach: how far it looked. */
static inline __attribute__((always_inline)) size_t match(const struct tk_automaton *a, bool bytes, const char *p, size_t n, size_t at,
                                                          size_t *reach)
{
    size_t last = at, len = 1, i = at;
    unsigned s = TK_STEP_START;
    while (i < n) {
        s = a->step[s << a->shift | (bytes ? a->byte[(unsigned char)p[i]] : class_at(a, p + i, &len))];
        if (s & TK_STEP_MATCH) {
            last = i;
            s &= TK_STEP_MATCH - 1;
        }
        if (!s) {
            *reach = i;
            return last;
        }
        i += len;
    }
    *reach = n;
    return a->step[s << a->shift | a->end] & TK_STEP_MATCH ? n : last;
}

size_t tk_automaton_match(const struct tk_automaton *a, const char *p, size_t n, size_t at)
{
    size_t reach;
    return match(a, false, p, n, at, &reach);
}

/* ---- looking far ahead ---- */

enum { MARK = 6 }; /* a mark every 1 << MARK bytes, at the character that begins there or next */

static void remember(struct tk_hunt *h)
{
    const size_t marks = (h->n >> MARK) + 2, words = (h->a->states + 63) / 64;
    h->dead = ft_calloc(marks * words, sizeof *h->dead);
    h->trail = ft_reallocs(NULL, marks, sizeof *h->trail);
    h->spent = 0;
}

/* The same, which ends where an earlier one came by in the same state and found nothing more. */
static size_t remembered(struct tk_hunt *h, size_t at)
{
    const struct tk_automaton *a = h->a;
    const size_t words = (a->states + 63) / 64, first = at >> MARK;
    size_t last = at, len = 1, i = at, mark = first;
    unsigned s = TK_STEP_START;
    bool known = false;
    for (; i < h->n; i += len, h->spent++) {
        if (i >> MARK > mark) {
            mark = i >> MARK;
            h->trail[mark] = (uint16_t)s;
            known = h->dead[mark * words + s / 64] >> s % 64 & 1;
            if (known)
                break;
        }
        s = a->step[s << a->shift | (h->bytes ? a->byte[(unsigned char)h->p[i]] : class_at(a, h->p + i, &len))];
        if (s & TK_STEP_MATCH) {
            last = i;
            s &= TK_STEP_MATCH - 1;
        }
        if (!s)
            break;
    }
    if (i >= h->n && !known && a->step[s << a->shift | a->end] & TK_STEP_MATCH)
        return h->n;
    /* What was noted at or before a match led to it. */
    for (size_t k = (last >> MARK) + 1 > first + 1 ? (last >> MARK) + 1 : first + 1; k <= mark; k++)
        h->dead[k * words + h->trail[k] / 64] |= 1ull << h->trail[k] % 64;
    return last;
}

size_t tk_hunt_match(struct tk_hunt *h, size_t at)
{
    if (h->dead)
        return remembered(h, at);
    size_t reach;
    const size_t end = h->bytes ? match(h->a, true, h->p, h->n, at, &reach) : match(h->a, false, h->p, h->n, at, &reach);
    h->spent += reach > end ? reach - end : 0;
    if (__builtin_expect(h->spent > TK_HUNT_LIMIT(h->n), 0))
        remember(h);
    return end;
}

void tk_hunt_end(struct tk_hunt *h)
{
    free(h->dead);
    free(h->trail);
    h->dead = NULL;
    h->trail = NULL;
}
