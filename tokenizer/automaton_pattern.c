/* automaton_pattern.c -- reads a pattern, as the regex of regex.h leaves it, into a graph. */
#include "tokenizer/automaton_priv.h"

#include <stdlib.h>

enum { DEPTH = 32 };

int an_node(struct an_graph *g, enum an_op op, int set, int next, int or)
{
    if (g->n == AN_NODES) {
        g->bad = true;
        return 0;
    }
    g->node[g->n] = (struct an_node){op, set, next, or};
    return g->n++;
}

/* A node that does nothing. */
static int joint(struct an_graph *g) { return an_node(g, AN_FORK, 0, -1, -1); }

static bool hex(struct an_graph *g, uint32_t *c)
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
static int one_set(struct an_graph *g)
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
    if (g->n_sets == AN_SETS)
        return -1;
    g->set[g->n_sets] = s;
    return g->n_sets++;
}

static bool starts(const struct an_graph *g, const char *s)
{
    return ft_str_starts((struct ft_str){g->p, (size_t)(g->end - g->p)}, ft_strz(s));
}

static struct an_part alternatives(struct an_graph *g);

static struct an_part fail(struct an_graph *g)
{
    g->bad = true;
    return (struct an_part){0, 0, false};
}

static struct an_part atom(struct an_graph *g)
{
    if (starts(g, "(?!") || starts(g, "(?=")) { /* of one set only */
        const bool not = g->p[2] == '!';
        g->p += 3;
        const int s = one_set(g);
        if (s < 0 || g->p == g->end || *g->p++ != ')')
            return fail(g);
        const int k = an_node(g, not ? AN_LOOK_NOT : AN_LOOK, s, -1, -1);
        return (struct an_part){k, k, true};
    }
    if (*g->p == '(') {
        if (starts(g, "(?") && !starts(g, "(?:"))
            return fail(g);
        g->p += starts(g, "(?:") ? 3 : 1;
        const struct an_part in = alternatives(g);
        return g->p < g->end && *g->p++ == ')' ? in : fail(g);
    }
    const int s = one_set(g);
    if (s < 0)
        return fail(g);
    const int k = an_node(g, AN_SET, s, -1, -1);
    return (struct an_part){k, k, false};
}

struct an_part an_chain(struct an_graph *g, struct an_part a, struct an_part b)
{
    g->node[a.last].next = b.first;
    return (struct an_part){a.first, b.last, a.empty && b.empty};
}

/* x? */
static struct an_part maybe(struct an_graph *g, struct an_part x)
{
    const int out = joint(g), fork = an_node(g, AN_FORK, 0, x.first, out);
    g->node[x.last].next = out;
    return (struct an_part){fork, out, true};
}

/* x* */
static struct an_part loop(struct an_graph *g, struct an_part x)
{
    const int out = joint(g), fork = an_node(g, AN_FORK, 0, x.first, out);
    g->node[x.last].next = fork;
    return (struct an_part){fork, out, true};
}

/* An atom and how often: the text of the atom is read again for each copy. */
static struct an_part repeated(struct an_graph *g)
{
    const char *const from = g->p;
    struct an_part x = atom(g);
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
    struct an_part all = {joint(g), 0, true};
    all.last = all.first;
    bool used = false;
    for (unsigned i = 0; !g->bad && (i < low || i < high || (!high && i == low)); i++) {
        if (used) { /* another copy */
            g->p = from;
            x = atom(g);
        }
        used = true;
        if (i < low) {
            all = an_chain(g, all, x);
            continue;
        }
        if (!high) {
            all = an_chain(g, all, loop(g, x));
            break;
        }
        /* x{2,4} is xx(x(x)?)?, and as each copy is preferred, xx x? x? finds the same. */
        all = an_chain(g, all, maybe(g, x));
    }
    g->p = behind;
    return all;
}

static struct an_part alternatives(struct an_graph *g)
{
    struct an_part all = {0, 0, false};
    bool any = false;
    if (g->depth++ == DEPTH)
        return fail(g);
    for (;;) {
        struct an_part one = {joint(g), 0, true};
        one.last = one.first;
        while (!g->bad && g->p < g->end && *g->p != '|' && *g->p != ')')
            one = an_chain(g, one, repeated(g));
        if (g->bad)
            return one;
        if (!any) {
            all = one;
        } else {
            const int out = joint(g), fork = an_node(g, AN_FORK, 0, all.first, one.first);
            g->node[all.last].next = g->node[one.last].next = out;
            all = (struct an_part){fork, out, all.empty || one.empty};
        }
        any = true;
        if (g->p == g->end || *g->p == ')')
            break;
        g->p++;
    }
    g->depth--;
    return all;
}

struct an_part an_pattern(struct an_graph *g)
{
    const struct an_part all = alternatives(g);
    g->bad = g->bad || g->p != g->end;
    return all;
}
