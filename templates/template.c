/* template.c -- compiling and rendering: the public face of the engine. */
#include "templates/template.h"

#include <stdlib.h>

#include "templates/jiter.h"
#include "templates/jnode.h"
#include "templates/jtext.h"

enum { STACK = 5 << 20 }; /* of the usual 8 MiB */

/* Records of a stream bring the same variables in the same order: where they went the last time. */
enum { KNOWN = 32 };
struct known {
    int32_t at;
    uint8_t n;
    char name[27];
};

struct ft_render {
    struct jrt rt;
    size_t ctx_cap;
    uint64_t serial; /* of the template that the known variables are of */
    struct known known[KNOWN];
    struct ft_buf said; /* the last failure, as reported */
    uint32_t in, in_top; /* a leaf, 0: none, and the top of all whose parent it is */
};

static void release(struct jrt *rt)
{
    ft_arena_release(&rt->arena);
    free(rt->out);
    free(rt->ospan);
    free(rt->gens);
    free(rt->leaves);
    ft_buf_release(&rt->error_text);
}

enum { HEAD = 300, WHOLE = 16384 }; /* bytes of a message in ft_err itself, and at most */

/* The start of p[0..n) of at most `most` bytes, and no part of a character. */
static size_t head_of(const char *p, size_t n, size_t most)
{
    if (n <= most)
        return n;
    while (most && ((unsigned char)p[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* The failure as it goes into ft_err: on one line, what would move a terminal's cursor escaped. What is too long for
 * it is left in b behind a NUL, for e->rest. */
static int report(const struct jrt *rt, struct ft_buf *b, struct ft_err *e, const char *where, bool bare)
{
    const struct ft_buf *text = &rt->error_text;
    const size_t n = head_of(text->p, text->n, WHOLE);
    b->n = 0;
    if (rt->error.line)
        ft_buf_printf(b, "%s%u: ", where, rt->error.line);
    if (!bare)
        ft_buf_printf(b, "%s: ", rt->error.type);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text->p[i], next = i + 1 < n ? (unsigned char)text->p[i + 1] : 0;
        if (c == '\n' || c == '\t' || c == '\r')
            ft_buf_putz(b, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        else if (c < 0x20 || c == 0x7f)
            ft_buf_printf(b, "\\x%02x", c);
        else if (c == 0xc2 && next < 0xa0)
            ft_buf_printf(b, "\\x%02x", next), i++;
        else
            ft_buf_putc(b, (char)c);
    }
    if (n < text->n)
        ft_buf_printf(b, "... and %zu more bytes", text->n - n);
    ft_buf_putc(b, 0);
    const size_t head = head_of(b->p, b->n - 1, HEAD);
    ft_fail(e, FT_DATA, "%.*s", (int)head, b->p);
    if (e && head + 1 < b->n)
        e->rest = b->p + head;
    return -1;
}

/* ---- compiling ---- */

struct ft_template *ft_template_compile(const char *text, size_t n, struct ft_err *e)
{
    struct ft_template *t = ft_calloc(1, sizeof *t);
    struct jrt rt = {.mem_limit = (size_t)256 << 20,
                     .steps = 50000000,
                     .depth_limit = 190,
                     .out_limit = (size_t)1 << 20,
                     .stack = (const char *)__builtin_frame_address(0) - STACK};
    jmp_buf failed;
    struct ft_buf said = {0};
    const size_t bad = ft_utf8_valid(text, n);
    if (bad < n) {
        ft_fail_at(e, FT_DATA, bad + 1, "the template is not valid UTF-8");
        free(t);
        return NULL;
    }
    ft_jtext_init();
    rt.catch = &failed;
    if (n >= UINT32_MAX / 2 || setjmp(failed)) {
        if (n >= UINT32_MAX / 2)
            ft_fail(e, FT_DATA, "the template is too long");
        else
            report(&rt, &said, e, "line ", strcmp(rt.error.type, J_SYNTAX) == 0 || strcmp(rt.error.type, J_ASSERTION) == 0);
        if (e)
            e->rest = NULL;
        ft_buf_release(&said);
        release(&rt);
        free(t);
        return NULL;
    }
    size_t count;
    const struct jtoken *tokens = ft_jlex(&rt, text, n, &count);
    t->source = (struct ft_str){ft_arena_dup(&rt.arena, text, n), n};
    ft_jparse(&rt, t, tokens);
    ft_jresolve(&rt, t);
    t->arena = rt.arena;
    static _Atomic uint64_t serial;
    t->serial = ++serial;
    rt.arena = (struct ft_arena){0};
    release(&rt);
    return t;
}

void ft_template_free(struct ft_template *t)
{
    if (!t)
        return;
    ft_arena_release(&t->arena);
    free(t);
}

struct ft_str ft_template_source(const struct ft_template *t) { return t->source; }
bool ft_template_has_generation(const struct ft_template *t) { return t->generation; }

/* The number of a context variable, or -1. */
static int64_t find_name(const struct ft_template *t, struct ft_str name)
{
    const uint32_t h = ft_jhash_bytes(name.p, name.n);
    for (uint32_t i = h & t->name_mask; t->name_index[i]; i = (i + 1) & t->name_mask) {
        const struct jstr *s = t->names[t->name_index[i] - 1];
        if (s->hash == h && ft_str_eq(ft_jbytes(s), name))
            return t->name_index[i] - 1;
    }
    return -1;
}

/* The same for the i-th variable of a render. */
static int64_t place_of(struct ft_render *r, const struct ft_template *t, size_t i, struct ft_str name)
{
    struct known *k = &r->known[i % KNOWN];
    if (k->n == name.n && k->n && ft_jbytes_same(k->name, name.p, name.n))
        return k->at;
    const int64_t at = find_name(t, name);
    if (name.n <= sizeof k->name && at <= INT32_MAX) {
        k->at = (int32_t)at;
        k->n = (uint8_t)name.n;
        memcpy(k->name, name.p, name.n);
    }
    return at;
}

void ft_template_literals(const struct ft_template *t, void (*each)(void *ctx, struct ft_str s), void *ctx)
{
    for (uint32_t i = 0; i < t->nliteral; i++)
        each(ctx, ft_jbytes(t->literal[i]));
}

/* ---- rendering ---- */

struct ft_render *ft_render_new(void)
{
    ft_jtext_init();
    return ft_calloc(1, sizeof(struct ft_render));
}

void ft_render_free(struct ft_render *r)
{
    if (!r)
        return;
    release(&r->rt);
    ft_buf_release(&r->said);
    free(r->rt.ctx);
    free(r);
}

const struct ft_render_error *ft_render_failure(const struct ft_render *r) { return &r->rt.error; }

static void prepare(struct ft_render *r, const struct ft_template *t, const struct ft_render_args *a)
{
    struct jrt *rt = &r->rt;
    ft_arena_reset(&rt->arena);
    if (r->ctx_cap < t->nnames) {
        r->ctx_cap = t->nnames;
        rt->ctx = ft_reallocs(rt->ctx, r->ctx_cap, sizeof *rt->ctx);
    }
    if (r->serial != t->serial) {
        for (int i = 0; i < KNOWN; i++)
            r->known[i].n = 0;
        r->serial = t->serial;
    }
    rt->t = t;
    rt->mem = 0;
    rt->mem_limit = a->limits.memory ? a->limits.memory : (size_t)1 << 30;
    rt->steps = a->limits.steps ? (int64_t)(a->limits.steps > INT64_MAX ? INT64_MAX : a->limits.steps) : 50000000;
    rt->out_limit = a->limits.output ? a->limits.output : (size_t)256 << 20;
    rt->depth_limit = a->limits.depth ? a->limits.depth : 190;
    rt->depth = 0;
    rt->spans = a->spans;
    rt->autoescape = false;
    rt->showing = NULL;
    rt->line = 0;
    rt->nontext = NULL;
    rt->now = a->now;
    rt->out_n = rt->nospan = rt->captures = rt->root_mark = rt->ngens = 0;
    rt->tail = rt->tail_end = NULL;
    rt->stail = rt->stail_end = NULL;
    rt->nleaves = 1;
    if (!rt->leaves) {
        rt->leaves_cap = 64;
        rt->leaves = ft_reallocs(NULL, rt->leaves_cap, sizeof *rt->leaves);
    }
    rt->leaves[0] = (struct jleaf){0};
    r->in = 0;
    rt->error = (struct ft_render_error){0};
    if (rt->out_cap > 16u << 20) { /* one giant text must not keep its memory */
        free(rt->out);
        rt->out = NULL;
        rt->out_cap = 0;
    }
    if (!rt->out)
        ft_jout_room(rt, 1);
}

/* Positions of generation blocks: code points so far of each start, bytes of
 * each end. */
static void place_gens(struct jrt *rt)
{
    for (size_t i = 0; i < rt->ngens; i++) {
        struct ft_gen_span *g = &rt->gens[i];
        const size_t chars = g->char_end;
        g->char_begin = ft_utf8_count(rt->out, g->begin);
        g->char_end = g->char_begin + chars;
        size_t at = g->begin, left = chars;
        while (at < rt->out_n && left) {
            int len;
            ft_utf8_get(rt->out + at, &len);
            at += (size_t)len;
            left--;
        }
        g->end = at;
    }
}

int ft_render(struct ft_render *r, const struct ft_template *t, const struct ft_render_args *a, struct ft_rendered *out,
              struct ft_err *e)
{
    struct jrt *rt = &r->rt;
    jmp_buf failed;
    *out = (struct ft_rendered){0};
    prepare(r, t, a);
    rt->stack = (const char *)__builtin_frame_address(0) - STACK;
    rt->catch = &failed;
    if (setjmp(failed)) {
        rt->error.text = ft_buf_str(&rt->error_text);
        return report(rt, &r->said, e, "template line ", strcmp(rt->error.type, "TemplateError") == 0);
    }
    ft_jcopy(rt->ctx, t->globals, t->nnames * sizeof *rt->ctx);
    for (size_t i = 0; i < a->nvars; i++) {
        const int64_t at = place_of(r, t, i, a->vars[i].name);
        if (at < 0)
            continue;
        rt->ctx[at] = ft_jfrom_json(rt, a->vars[i].value, 0, 0, a->vars[i].name, 3);
    }
    ft_jrun_root(rt, t);
    place_gens(rt);
    *out = (struct ft_rendered){{rt->out, rt->out_n}, rt->ospan, rt->nospan, rt->gens, rt->ngens};
    return 0;
}

/* ---- leaves ---- */

static void path(const struct jrt *rt, uint32_t leaf, struct ft_buf *b)
{
    const struct jleaf *l = &rt->leaves[leaf];
    if (l->parent)
        path(rt, l->parent, b);
    if (l->kind == 0)
        ft_buf_printf(b, "[%u]", l->index);
    else if (l->kind == 3)
        ft_buf_puts(b, l->key);
    else
        ft_buf_putc(b, '.'), ft_buf_puts(b, l->key);
}

void ft_leaf_path(const struct ft_render *r, uint32_t leaf, struct ft_buf *b)
{
    if (leaf && leaf < r->rt.nleaves)
        path(&r->rt, leaf, b);
}

uint32_t ft_leaf_top(struct ft_render *r, uint32_t leaf)
{
    const struct jleaf *const all = r->rt.leaves;
    uint32_t below = 0, two_below = 0, i = leaf;
    if (!leaf || leaf >= r->rt.nleaves)
        return 0;
    if (all[leaf].parent == r->in && r->in) /* as the one before, mostly */
        return r->in_top;
    for (; all[i].parent; i = all[i].parent) {
        two_below = below;
        below = i;
    }
    if (ft_str_is(all[i].key, "messages") && below && all[below].kind == 0)
        i = two_below ? two_below : below;
    if (i != leaf) { /* all that is beside it has the same */
        r->in = all[leaf].parent;
        r->in_top = i;
    }
    return i;
}

void ft_leaf_where(const struct ft_render *r, uint32_t leaf, struct ft_leaf_place *out)
{
    const struct jleaf *chain[5] = {0}; /* the outermost ones, [0] the variable */
    const struct jleaf *const all = r->rt.leaves;
    *out = (struct ft_leaf_place){.message = -1, .part = -1};
    if (!leaf || leaf >= r->rt.nleaves)
        return;
    const struct jleaf *const l = &all[leaf], *const m = &all[l->parent];
    /* messages[i].field itself, as most are */
    if (l->kind == 1 && l->parent && m->parent && m->kind == 0 && !all[m->parent].parent && ft_str_is(all[m->parent].key, "messages")) {
        *out = (struct ft_leaf_place){.message = m->index, .var = all[m->parent].key, .field = l->key, .part = -1, .whole = true};
        return;
    }
    for (uint32_t i = leaf; i; i = all[i].parent) {
        memmove(chain + 1, chain, 4 * sizeof *chain);
        chain[0] = &all[i];
    }
    out->var = chain[0]->key;
    if (!ft_str_is(out->var, "messages") || !chain[1] || chain[1]->kind != 0)
        return;
    out->message = chain[1]->index;
    if (!chain[2])
        return;
    out->field = chain[2]->key;
    if (!chain[3] || chain[3]->kind != 0)
        return;
    out->part = chain[3]->index;
    if (chain[4])
        out->part_field = chain[4]->key;
}
