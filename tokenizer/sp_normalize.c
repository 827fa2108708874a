/* The rules are those of sentencepiece 0.2, normalizer.cc: the longest entry of the charsmap at each place (a user-defined symbol before
 * it, as it is), runs of blanks made one, a blank in front, blanks as U+2581. */
#include "tokenizer/sp_normalize.h"

#include <stdlib.h>

#include "tokenizer/charsmap.h"
#include "tokenizer/trie.h"

struct tk_sp {
    struct tk_charsmap *map; /* NULL: none */
    struct tk_trie *user;    /* NULL: no user-defined symbols */
    bool prefix, extra, escape, suffix;
    bool plain[256]; /* a byte that stays as it is where ASCII or nothing follows; not the blank, */
    bool blank;      /* which has its own rules, but is in no entry either */
};

/* Bytes that no entry begins with, or none that goes on in ASCII: what follows is
 * looked at by who asks. */
static void find_plain(struct tk_sp *s)
{
    for (int b = 0; b < 256; b++) {
        struct ft_str by;
        bool good = b < 0x80 || (!s->map && !s->user);
        char t[2] = {(char)b, 0};
        if (good && s->user)
            good = tk_trie_step(s->user, 0, (unsigned char)b) < 0;
        for (int c = 0; good && s->map && c < 0x80; c++) {
            t[1] = (char)c;
            good = !tk_charsmap_begins(s->map, t, 2) && !tk_charsmap_longest(s->map, t, 2, &by);
        }
        s->plain[b] = good;
    }
    s->blank = s->plain[' '];
    s->plain[' '] = false;
}

int tk_sp_load(const struct ft_json *j, struct tk_sp **out, struct ft_err *e)
{
    struct tk_sp *s = ft_calloc(1, sizeof *s);
    struct ft_str b64 = {0};
    const struct ft_json *user = ft_json_get(j, "user");
    *out = s;
    if (ft_json_get_string(j, "precompiled_charsmap", &b64, e) || ft_json_get_bool(j, "add_dummy_prefix", &s->prefix, e) ||
        ft_json_get_bool(j, "remove_extra_whitespaces", &s->extra, e) ||
        ft_json_get_bool(j, "escape_whitespaces", &s->escape, e) || ft_json_get_bool(j, "suffix", &s->suffix, e))
        return -1;
    if (b64.n && !(s->map = tk_charsmap_new(b64, e)))
        return -1;
    for (size_t i = 0; user && user->type == FT_JSON_ARRAY && i < user->n; i++) {
        if (user->items[i].type != FT_JSON_STRING)
            return ft_fail(e, FT_DATA, "a user-defined symbol is no string");
        if (!s->user)
            s->user = tk_trie_new();
        tk_trie_add(s->user, user->items[i].s.p, user->items[i].s.n, 0);
    }
    if (s->user && tk_trie_freeze(s->user, NULL, e))
        return -1;
    find_plain(s);
    return 0;
}

void tk_sp_free(struct tk_sp *s)
{
    if (!s)
        return;
    tk_charsmap_free(s->map);
    tk_trie_free(s->user);
    free(s);
}

/* What stands at p becomes *to; the bytes taken. */
static uint32_t prefix(const struct tk_sp *s, const char *p, uint32_t n, struct ft_str *to)
{
    uint32_t longest = 0;
    int32_t node = 0;
    for (uint32_t i = 0; s->user && i < n && (node = tk_trie_step(s->user, node, (unsigned char)p[i])) >= 0; i++)
        if (tk_trie_value(s->user, node) >= 0)
            longest = i + 1;
    if (longest) {
        *to = (struct ft_str){p, longest};
        return longest;
    }
    if (s->map && (longest = (uint32_t)tk_charsmap_longest(s->map, p, n, to)))
        return longest;
    int len;
    ft_utf8_get(p, &len);
    *to = (struct ft_str){p, (size_t)len};
    return (uint32_t)len;
}

struct out {
    char *p;
    struct tk_range *al;
    uint32_t n, cap;
    struct tk_work *w;
};

static void put(struct out *o, const char *p, size_t n, struct tk_range r)
{
    if (o->n + n > o->cap) {
        const uint32_t cap = 2 * o->cap + (uint32_t)n;
        char *more = ft_arena_alloc(&o->w->mem, cap);
        memcpy(more, o->p, o->n);
        o->p = more;
        if (o->al) {
            struct tk_range *al = ft_arena_alloc(&o->w->mem, cap * sizeof *al);
            memcpy(al, o->al, o->n * sizeof *al);
            o->al = al;
        }
        o->cap = cap;
    }
    memcpy(o->p + o->n, p, n);
    for (size_t i = 0; o->al && i < n; i++)
        o->al[o->n + i] = r;
    o->n += (uint32_t)n;
}

/* Bytes from `at` on that stay as they are. Where a blank stays one, single ones that
 * stand between such bytes are among them. */
static uint32_t plain_run(const struct tk_sp *s, const struct tk_piece *p, uint32_t at, bool blanks)
{
    const unsigned char *u = (const unsigned char *)p->p;
    uint32_t i = at;
    if (blanks && !s->extra && !s->map && !s->user)
        return p->n - at;
    while (i < p->n && (s->plain[u[i]] || (blanks && u[i] == ' ' && i > at && i + 1 < p->n && s->plain[u[i + 1]])))
        i++;
    /* The last one may be the first of a longer entry. */
    if (i > at && i < p->n && u[i] >= 0x80)
        i--;
    if (i > at && u[i - 1] == ' ')
        i--;
    return i - at;
}

static void apply(const struct tk_sp *s, struct tk_work *w, struct tk_piece *p, struct ft_str space)
{
    const bool stays = s->blank && (space.n == 1 || !s->escape);
    struct ft_str to;
    uint32_t at = 0;
    while (s->extra && at < p->n) {
        const uint32_t n = prefix(s, p->p + at, p->n - at, &to);
        if (!ft_str_is(to, " "))
            break;
        at += n;
    }
    struct out o = {ft_arena_alloc(&w->mem, 2 * (p->n - at) + 16), NULL, 0, 2 * (p->n - at) + 16, w};
    if (w->offsets)
        o.al = ft_arena_alloc(&w->mem, o.cap * sizeof *o.al);
    if (at < p->n) {
        if (!s->suffix && s->prefix)
            put(&o, space.p, space.n, (struct tk_range){p->base + at, p->base + at});
        bool after_space = s->extra;
        while (at < p->n) {
            const uint32_t run = o.al ? 0 : plain_run(s, p, at, stays);
            if (run) {
                put(&o, p->p + at, run, (struct tk_range){0, 0});
                after_space = false;
                at += run;
                continue;
            }
            const uint32_t n = prefix(s, p->p + at, p->n - at, &to);
            const struct tk_range r = {p->base + at, p->base + at + n};
            while (after_space && to.n && to.p[0] == ' ') {
                to.p++;
                to.n--;
            }
            for (size_t i = 0; i < to.n; i++)
                put(&o, s->escape && to.p[i] == ' ' ? space.p : to.p + i, s->escape && to.p[i] == ' ' ? space.n : 1, r);
            if (to.n)
                after_space = to.p[to.n - 1] == ' ';
            after_space = after_space && s->extra;
            at += n;
        }
        while (s->extra && o.n >= space.n && !memcmp(o.p + o.n - space.n, space.p, space.n))
            o.n -= (uint32_t)space.n;
        if (s->suffix && s->prefix)
            put(&o, space.p, space.n, (struct tk_range){p->base + p->n, p->base + p->n});
    }
    p->p = o.p;
    p->n = o.n;
    p->al = o.al;
}

static const struct ft_str low_line = {"\xe2\x96\x81", 3};

void tk_sp_apply(const struct tk_sp *s, struct tk_work *w, struct tk_piece *p)
{
    apply(s, w, p, s->escape ? low_line : FT_STR(" "));
}


void tk_sp_blanks(const struct tk_sp *s, struct tk_work *w, struct tk_piece *p) { apply(s, w, p, FT_STR(" ")); }
