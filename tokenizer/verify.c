#include "tokenizer/verify.h"

#include <stdlib.h>

#include "pipeline/input.h"
#include "pipeline/json.h"

enum { SHOWN = 20 };

struct run {
    const struct ft_tokenizer *t;
    struct ft_tok_state *s;
    struct ft_buf *out;
    const char *file;
    uint64_t line;
    bool show;
};

static const struct ft_json *either(const struct ft_json *r, const char *a, const char *b)
{
    const struct ft_json *v = ft_json_get(r, a);
    v = v ? v : ft_json_get(r, b);
    return v && v->type != FT_JSON_NULL ? v : NULL;
}

static void put_token(struct run *v, int64_t id)
{
    const struct ft_str s = ft_token_str(v->t, id);
    ft_buf_printf(v->out, "%lld ", (long long)id);
    if (s.p)
        ft_json_put_str(v->out, s);
    else
        ft_buf_putz(v->out, "(no token)");
}

static bool differs(struct run *v, const char *what)
{
    if (v->show)
        ft_buf_printf(v->out, "%s:%llu: %s", v->file, (unsigned long long)v->line, what);
    return v->show;
}

/* The golden's ids are `want`. */
static bool same_ids(struct run *v, const char *what, const struct ft_json *want, const int32_t *ids, size_t n)
{
    for (size_t i = 0; want->type == FT_JSON_ARRAY && i <= want->n && i <= n; i++) {
        int64_t x = -1;
        if (i < want->n && ft_json_int(&want->items[i], &x))
            break;
        if (i == want->n && i == n)
            return true;
        if (i < want->n && i < n && x == ids[i])
            continue;
        if (!differs(v, what))
            return false;
        ft_buf_printf(v->out, " differ at %zu: ", i);
        if (i < n)
            put_token(v, ids[i]);
        else
            ft_buf_putz(v->out, "the end");
        ft_buf_putz(v->out, ", golden ");
        if (i < want->n)
            put_token(v, x);
        else
            ft_buf_putz(v->out, "the end");
        ft_buf_putc(v->out, '\n');
        return false;
    }
    if (differs(v, what))
        ft_buf_putz(v->out, " of the golden are no list of ids\n");
    return false;
}

/* [[begin, end], ...], or the same in one list. */
static bool same_offsets(struct run *v, const struct ft_json *want, const struct ft_encoding *x)
{
    const bool flat = want->n && want->type == FT_JSON_ARRAY && want->items[0].type == FT_JSON_NUMBER;
    const size_t n = want->type != FT_JSON_ARRAY ? SIZE_MAX : flat ? want->n / 2 : want->n;
    size_t i = 0;
    for (; n != SIZE_MAX && i < n && i < x->n; i++) {
        const struct ft_json *p = flat ? &want->items[2 * i] : want->items[i].type == FT_JSON_ARRAY && want->items[i].n == 2 ? want->items[i].items : NULL;
        int64_t b, e;
        if (!p || ft_json_int(&p[0], &b) || ft_json_int(&p[1], &e) || b != x->begin[i] || e != x->end[i])
            break;
    }
    if (i == n && i == x->n)
        return true;
    if (differs(v, "offsets"))
        ft_buf_printf(v->out, " differ at %zu\n", i);
    return false;
}

/* `skip`: special tokens are left out. */
static bool same_text(struct run *v, const struct ft_json *want, const int32_t *ids, size_t n, bool skip)
{
    struct ft_buf b = {0};
    struct ft_err e = {0};
    size_t i = 0;
    const bool bad = ft_decode(v->t, v->s, ids, n, skip, &b, &e) != 0;
    const bool same = !bad && want->type == FT_JSON_STRING && ft_str_eq(ft_buf_str(&b), want->s);
    while (i < b.n && i < want->s.n && b.p[i] == want->s.p[i])
        i++;
    ft_buf_release(&b);
    if (!same && differs(v, skip ? "decoded text without special tokens" : "decoded text"))
        ft_buf_printf(v->out, " differs at byte %zu\n", i);
    return same;
}

/* Ids without a text: what they decode to. */
static bool same_decoded(struct run *v, const struct ft_json *ids, const struct ft_json *dec, const struct ft_json *skip)
{
    int32_t *own = ft_reallocs(NULL, ids->n + 1, sizeof *own);
    bool same = true;
    int64_t id = 0;
    for (size_t i = 0; i < ids->n && same; i++) {
        same = !ft_json_int(&ids->items[i], &id) && id >= INT32_MIN && id <= INT32_MAX;
        own[i] = (int32_t)id;
    }
    if (!same && differs(v, "ids"))
        ft_buf_putz(v->out, " of the golden are no list of ids\n");
    same = same && (!dec || same_text(v, dec, own, ids->n, false)) && (!skip || same_text(v, skip, own, ids->n, true));
    free(own);
    return same;
}

/* 1 equal, 0 not, -1. */
static int row(struct run *v, const struct ft_json *r, struct ft_err *e)
{
    const struct ft_json *text = either(r, "t", "text"), *ids = either(r, "ids", "input_ids");
    const struct ft_json *off = either(r, "off", "offsets"), *sp = either(r, "sp", "sp"), *dec = either(r, "dec", "dec"), *skip = either(r, "skip", "skip");
    struct ft_encoding x;
    bool same = true;
    if (!text && ids && ids->type == FT_JSON_ARRAY && (dec || skip))
        return same_decoded(v, ids, dec, skip);
    if (!text || text->type != FT_JSON_STRING || (!ids && !sp))
        return ft_fail(e, FT_DATA, "no golden: a row has \"t\" and \"ids\" (or \"text\" and \"input_ids\")");
    if (ids) {
        const struct ft_encode_opts o = {.offsets = off != NULL, .chars = true};
        struct ft_err why = {0};
        if (ft_encode(v->t, v->s, text->s, &o, &x, &why)) {
            if (differs(v, ""))
                ft_buf_printf(v->out, "%s\n", why.msg);
            return 0;
        }
        same = same_ids(v, "ids", ids, x.ids, x.n) && (!off || same_offsets(v, off, &x)) &&
               (!dec || same_text(v, dec, x.ids, x.n, false)) && (sp || !skip || same_text(v, skip, x.ids, x.n, true));
    }
    if (sp && same) {
        struct ft_err why = {0};
        if (ft_encode(v->t, v->s, text->s, &(struct ft_encode_opts){.special = true}, &x, &why)) {
            if (differs(v, ""))
                ft_buf_printf(v->out, "%s\n", why.msg);
            return 0;
        }
        same = same_ids(v, "ids with special tokens", sp, x.ids, x.n) && (!skip || same_text(v, skip, x.ids, x.n, true));
    }
    return same;
}

int ft_verify_file(const struct ft_tokenizer *t, const char *path, struct ft_verify *v, struct ft_buf *out,
                   struct ft_err *e)
{
    char *files[] = {ft_strdup(path), NULL};
    struct ft_input *in = ft_input_new(files, FT_IN_AUTO, 1u << 30);
    struct ft_arena mem = {0};
    struct run run = {t, ft_tok_state_new(t), out, path, 0, true};
    struct ft_line line;
    int k;
    *v = (struct ft_verify){0};
    while ((k = ft_input_next(in, &line, e)) > 0) {
        struct ft_json r;
        ft_arena_reset(&mem);
        run.line = line.lineno;
        run.show = v->wrong < SHOWN;
        const int same = ft_json_parse(line.text.p, line.text.n, &mem, &r, e) ? -1 : row(&run, &r, e);
        if (same < 0) {
            if (e->byte)
                ft_fail_in(e, "%s:%llu:%llu: ", path, (unsigned long long)line.lineno, (unsigned long long)e->byte);
            else
                ft_fail_in(e, "%s:%llu: ", path, (unsigned long long)line.lineno);
            k = -1;
            break;
        }
        v->rows++;
        v->wrong += !same;
    }
    if (k == 0 && !v->rows)
        k = ft_fail(e, FT_DATA, "'%s' has no rows", path);
    ft_tok_state_free(run.s);
    ft_arena_release(&mem);
    ft_input_free(in);
    free(files[0]);
    return k;
}
