#include "tokenizer/pass.h"

#include <stdlib.h>

/* The level that every machine has. */
#define PASS tk_pass_scalar
#define LISTED tk_listed_scalar
#include "tokenizer/pass_kernel.h"

enum kind { MATCH, GAP, TEXT }; /* of the unit in front: a match, a gap, or the beginning of what the part is to cut */

/* Does a piece begin between units of these kinds? By the behaviors of the library's `split`. */
static bool cuts(enum tk_behavior how, bool invert, enum kind left, enum kind right)
{
    const bool hit_left = (left == MATCH) != invert, hit_right = (right == MATCH) != invert;
    if (left == TEXT)
        return true;
    if (left == GAP && right == GAP)
        return false;
    switch (how) {
    case TK_WITH_PREVIOUS: return !(!hit_left && hit_right);
    case TK_WITH_NEXT: return !(hit_left && !hit_right);
    case TK_CONTIGUOUS: return hit_left != hit_right;
    default: return true;
    }
}

struct maker {
    struct tk_pass *t;
    enum tk_behavior how;
    bool invert;
};

static uint32_t *to_of(const struct tk_pass *t, unsigned state, unsigned class) { return &t->to[(state << t->shift) + class]; }
static uint8_t *event_of(const struct tk_pass *t, unsigned state, unsigned class) { return &t->event[(state << t->shift) + class]; }

/* A unit begins with the character, behind one of that kind. */
static void begin(const struct maker *m, unsigned state, unsigned class, unsigned fenced, enum kind left)
{
    const struct tk_automaton *a = m->t->a;
    const unsigned to = a->step[TK_STEP_START << a->shift | class];
    const bool match = cuts(m->how, m->invert, left, MATCH), gap = cuts(m->how, m->invert, left, GAP);
    *to_of(m->t, state, class + fenced) = to << m->t->shift; /* TK_STEP_DEAD is TK_PASS_GAP */
    *event_of(m->t, state, class + fenced) = to == TK_STEP_DEAD ? gap * TK_PASS_CUT
                                                                : (uint8_t)(TK_PASS_UNIT | match * TK_PASS_CUT | (match != gap) * TK_PASS_FLIP);
}

static void fill(const struct maker *m)
{
    const struct tk_automaton *a = m->t->a;
    const unsigned half = 1u << (m->t->shift - 1), behind = m->t->states - 1;
    for (unsigned s = 0; s < m->t->states; s++)
        for (unsigned c = 0; c < a->end; c++) {
            if (s == TK_PASS_GAP || s == behind) {
                begin(m, s, c, 0, s == behind ? MATCH : GAP);
                begin(m, s, c, half, TEXT);
                continue;
            }
            const unsigned x = a->step[s << a->shift | c], to = x & (TK_STEP_MATCH - 1u);
            if (to != TK_STEP_DEAD) {
                *to_of(m->t, s, c) = to << m->t->shift;
                *event_of(m->t, s, c) = x & TK_STEP_MATCH ? TK_PASS_MATCH : 0;
            } else if (x & TK_STEP_MATCH) {
                begin(m, s, c, 0, MATCH);
            } else {
                *event_of(m->t, s, c) = TK_PASS_STOP;
            }
            if (a->step[s << a->shift | a->end] & TK_STEP_MATCH)
                begin(m, s, c, half, TEXT);
            else
                *event_of(m->t, s, c + half) = TK_PASS_STOP;
        }
}

/* May steps that stay in this state be left out, and with them where its unit began and what matched
 * meanwhile? Whatever leads out of it ends the unit, or matches anew. */
static bool is_lasting(const struct tk_pass *t, unsigned s, bool stops)
{
    const unsigned half = 1u << (t->shift - 1);
    for (unsigned c = 0; c < t->a->end; c++) {
        const unsigned e = *event_of(t, s, c), to = *to_of(t, s, c) >> t->shift;
        if ((e | *event_of(t, s, c + half)) & TK_PASS_STOP && !stops)
            return false;
        if (!(e & (TK_PASS_STOP | TK_PASS_UNIT | TK_PASS_MATCH)) && to != TK_PASS_GAP && to != s)
            return false;
    }
    return true;
}

/* Is the state settled within runs of the group? `fenced`: also where pieces begin in them. */
static bool is_settled(const struct tk_pass *t, const uint8_t *group, unsigned s, unsigned g, unsigned fenced)
{
    unsigned all = 0, common = ~0u;
    for (unsigned c = 0; c < t->a->end; c++) {
        if (group[c] != g)
            continue;
        const unsigned e = *event_of(t, s, c + fenced);
        if (e & TK_PASS_STOP || (!fenced && e & TK_PASS_CUT) || *to_of(t, s, c + fenced) >> t->shift != s)
            return false;
        all |= e;
        common &= e;
    }
    if ((all ^ common) & TK_PASS_MATCH)
        return false;
    return (!(all & TK_PASS_UNIT) || is_lasting(t, s, false)) && (!(all & TK_PASS_MATCH) || is_lasting(t, s, true));
}

/* Are they all of one class? */
static bool is_one(const struct tk_automaton *a, uint32_t first, uint32_t last, uint8_t *class)
{
    *class = (uint8_t)tk_automaton_class(a, first);
    for (uint32_t c = first; c <= last; c++) {
        if (!(c & 127) && last - c >= 127 && c > first + 127 && a->page[c >> 7] == a->page[(c >> 7) - 1])
            c += 127; /* as the page before */
        else if (tk_automaton_class(a, c) != *class && !(c >= 0xd800 && c < 0xe000))
            return false;
    }
    return true;
}

/* Are all characters that begin with that byte of one class? */
static bool is_uniform(const struct tk_automaton *a, unsigned lead, uint8_t *class)
{
    if (lead < 0x80)
        return is_one(a, lead, lead, class);
    if (lead < 0xc2 || lead > 0xf4)
        return false;
    if (lead < 0xe0)
        return is_one(a, (lead & 31) << 6, (lead & 31) << 6 | 63, class);
    if (lead < 0xf0)
        return is_one(a, lead == 0xe0 ? 0x800 : (lead & 15) << 12, (lead & 15) << 12 | 0xfff, class);
    return is_one(a, lead == 0xf0 ? 0x10000 : (lead & 7) << 18, lead == 0xf4 ? 0x10ffff : (lead & 7) << 18 | 0x3ffff, class);
}

/* Ideographs, Hangul, kana: the blocks, or single characters of one, that are of the class of a `sample`. */
static void fill_rows(struct tk_pass *t)
{
    static const struct {
        unsigned char from, to, second; /* 0: any all of whose characters are */
        uint16_t sample;
    } rows[8] = {{0xe4, 0xe9, 0, 0x4e00}, {0xeb, 0xec, 0, 0xac00}, {0xea, 0xea, 0, 0xac00}, {0xed, 0xed, 0, 0xac00},
                 {0xe3, 0xe3, 0, 0x4e00}, {0xe3, 0xe3, 0x81, 0x3042}, {0xe3, 0xe3, 0x82, 0x3042}, {0xe3, 0xe3, 0x83, 0x3042}};
    const struct tk_automaton *a = t->a;
    t->row_class[0] = (uint8_t)tk_automaton_class(a, 0x4e00);
    t->row_class[1] = (uint8_t)tk_automaton_class(a, 0xac00);
    for (unsigned r = 0; r < 8 && !t->bytes; r++) {
        const uint8_t bit = (uint8_t)(1u << r);
        const unsigned class = tk_automaton_class(a, rows[r].sample);
        const int k = class == t->row_class[0] ? 0 : 1;
        if (class != t->row_class[k])
            continue;
        t->row_bits[k] |= bit;
        for (unsigned l = rows[r].from; l <= rows[r].to; l++)
            t->row_lead[l & 63] |= bit;
        for (unsigned s = 0; s < 64; s++) {
            bool all = true, is = tk_automaton_class(a, (rows[r].from & 15u) << 12 | (rows[r].second & 63u) << 6 | s) == class;
            for (unsigned l = rows[r].from; l <= rows[r].to && all; l++)
                for (unsigned i = 0; i < 64 && all; i++)
                    all = tk_automaton_class(a, (l & 15) << 12 | s << 6 | i) == class;
            if (rows[r].second ? s == (rows[r].second & 63u) : all)
                t->row_second[s] |= bit;
            if (!rows[r].second || is)
                t->row_third[s] |= bit;
        }
    }
}

/* Groups of classes, and where the state is settled. */
static void find_groups(struct tk_pass *t)
{
    uint8_t group[256];
    unsigned first[256], n = 0;
    const unsigned half = 1u << (t->shift - 1);
    bool used[256] = {false}, told[256];
    for (unsigned b = 0; b < 256; b++) {
        told[b] = t->bytes || is_uniform(t->a, b, &t->class[b]);
        t->group[b] = TK_PASS_MIXED;
        used[t->class[b]] |= told[b];
    }
    fill_rows(t);
    for (int k = 0; k < 2; k++)
        used[t->row_class[k]] |= t->row_bits[k] != 0;
    for (unsigned c = 0; c < t->a->end; c++) {
        unsigned g = 0;
        group[c] = 255;
        if (!used[c]) /* by itself a step wherever it stands */
            continue;
        while (g < n && (*to_of(t, TK_PASS_GAP, c) != *to_of(t, TK_PASS_GAP, first[g]) ||
                         *event_of(t, TK_PASS_GAP, c) != *event_of(t, TK_PASS_GAP, first[g])))
            g++;
        if (g == n)
            first[n++] = c;
        group[c] = (uint8_t)g;
    }
    bool *settled = ft_calloc((size_t)t->states * n, sizeof *settled);
    for (unsigned s = 0; s < t->states; s++)
        for (unsigned g = 0; g < n; g++)
            settled[s * n + g] = is_settled(t, group, s, g, 0);
    for (unsigned g = 0; g < n; g++) {
        bool blind = true;
        for (unsigned s = 0; s < t->states && blind; s++)
            blind = !settled[s * n + g] || is_settled(t, group, s, g, half);
        for (unsigned b = 0; b < 256; b++)
            if (told[b] && group[t->class[b]] == g)
                t->group[b] = (uint8_t)(g | blind * TK_PASS_BLIND);
        for (int k = 0; k < 2; k++)
            if (t->row_bits[k] && group[t->row_class[k]] == g)
                t->row_group[k] = (uint8_t)(g | blind * TK_PASS_BLIND);
    }
    for (unsigned s = 0; s < t->states; s++)
        for (unsigned c = 0; c < t->a->end; c++)
            for (unsigned k = 0; k <= half && used[c]; k += half)
                if (!settled[(*to_of(t, s, c + k) >> t->shift) * n + group[c]])
                    *event_of(t, s, c + k) |= TK_PASS_ALERT;
    free(settled);
}

struct tk_pass *tk_pass_new(const struct tk_automaton *a, const struct tk_prefilter *seek, enum tk_behavior how, bool invert, bool bytes)
{
    if (a->end >= TK_PASS_BLIND) /* so many groups may be, too */
        return NULL;
    struct tk_pass *t = ft_calloc(1, sizeof *t);
    t->a = a;
    t->seek = seek;
    t->bytes = bytes;
    t->states = a->states + 1;
    t->shift = a->shift + 1;
    t->to = ft_calloc((size_t)t->states << t->shift, sizeof *t->to);
    t->event = ft_calloc((size_t)t->states << t->shift, sizeof *t->event);
    for (unsigned b = 0; b < 256; b++)
        t->class[b] = a->byte[b]; /* find_groups makes others of them where they are not bytes */
    fill(&(struct maker){t, how, invert});
    find_groups(t);
    for (size_t i = 0; i < (size_t)t->states << t->shift; i++)
        t->event[i] |= TK_PASS_STEP;
    return t;
}

void tk_pass_free(struct tk_pass *t)
{
    if (!t)
        return;
    free(t->to);
    free(t->event);
    free(t);
}
