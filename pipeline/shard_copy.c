#include "pipeline/shard_copy.h"

#include <inttypes.h>
#include <stdlib.h>

struct ft_copy {
    struct ft_copy_opts o;
    struct ft_writer *writer;
    struct ft_arena mem; /* of the present document */
    struct ft_set **sets;
    size_t n_sets;
    uint64_t in, kept;
};

static int same_vocabulary(struct ft_set **sets, size_t n, struct ft_err *e)
{
    const struct ft_set_info *a = ft_set_info(sets[0]);
    for (size_t i = 1; i < n; i++) {
        const struct ft_set_info *b = ft_set_info(sets[i]);
        if (!ft_str_eq(a->tok, b->tok) || a->vocab_size != b->vocab_size)
            return ft_fail(e, FT_DATA, "set %zu is of vocabulary %.*s, the first of %.*s", i + 1,
                           b->tok.n ? (int)b->tok.n : 7, b->tok.n ? b->tok.p : "unknown", a->tok.n ? (int)a->tok.n : 7,
                           a->tok.n ? a->tok.p : "unknown");
    }
    return 0;
}

int ft_copy_new(const char *dir, const struct ft_copy_opts *o, struct ft_set **sets, size_t n, struct ft_copy **out,
                struct ft_err *e)
{
    if (same_vocabulary(sets, n, e))
        return -1;
    struct ft_copy *c = ft_calloc(1, sizeof *c);
    c->o = *o;
    c->o.fit.length = o->writer.length;
    c->o.fit.wrapped = o->writer.strategy == FT_PACK_WRAPPED;
    c->o.writer.vocab_size = ft_set_info(sets[0])->vocab_size;
    c->sets = sets;
    c->n_sets = n;
    if (ft_writer_new(dir, &c->o.writer, &c->writer, e)) {
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

int ft_copy_add(struct ft_copy *c, const struct ft_doc *d, struct ft_err *e)
{
    struct ft_doc x = *d;
    ft_arena_reset(&c->mem);
    x.runs = (const struct ft_run *)(const void *)ft_arena_dup(&c->mem, d->runs, d->n_runs * sizeof *d->runs);
    c->in++;
    const int k = ft_fit(&c->o.fit, &x, e);
    if (k <= 0)
        return k;
    c->kept++;
    return ft_writer_add(c->writer, &x, e) ? -1 : 1;
}

/* Distinct template digests of all sets. */
static void put_templates(const struct ft_copy *c, struct ft_buf *b)
{
    ft_buf_putc(b, '[');
    for (size_t i = 0; i < c->n_sets; i++) {
        const struct ft_json *t = ft_json_get(ft_set_info(c->sets[i])->manifest, "tpl");
        for (size_t k = 0; t && t->type == FT_JSON_ARRAY && k < t->n; k++) {
            const struct ft_str raw = t->items[k].raw;
            if (memmem(b->p, b->n, raw.p, raw.n))
                continue;
            ft_buf_putz(b, b->n > 1 ? "," : "");
            ft_buf_puts(b, raw);
        }
    }
    ft_buf_putc(b, ']');
}

/* The stages of all sets, then this one. */
static void put_lineage(const struct ft_copy *c, struct ft_buf *b)
{
    ft_buf_putc(b, '[');
    for (size_t i = 0; i < c->n_sets; i++) {
        const struct ft_json *l = ft_json_get(ft_set_info(c->sets[i])->manifest, "lineage");
        for (size_t k = 0; l && l->type == FT_JSON_ARRAY && k < l->n; k++) {
            ft_buf_puts(b, l->items[k].raw);
            ft_buf_putc(b, ',');
        }
    }
    ft_buf_printf(b, "{\"tool\":\"ft-shard\",\"argv\":[\"%s\"", c->o.verb);
    for (char **a = c->o.argv + 1; *a; a++) {
        const struct ft_str arg = ft_strz(*a);
        ft_buf_putc(b, ',');
        ft_json_put_str(b, ft_utf8_valid(arg.p, arg.n) == arg.n ? arg : FT_STR("?"));
    }
    ft_buf_putz(b, "],\"of\":[");
    for (size_t i = 0; i < c->n_sets; i++) {
        ft_buf_putz(b, i ? ",\"" : "\"");
        ft_buf_puts(b, ft_set_info(c->sets[i])->checksum);
        ft_buf_putc(b, '"');
    }
    ft_buf_printf(b, "],\"in\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"dropped\":%" PRIu64 "}]", c->in, c->kept,
                  c->in - c->kept);
}

int ft_copy_end(struct ft_copy *c, struct ft_set_info *info, struct ft_err *e)
{
    struct ft_buf tok = {0}, tpl = {0}, lineage = {0}, over = {0};
    bool sealed = true;
    const struct ft_str name = ft_set_info(c->sets[0])->tok;
    if (!e->code && !c->kept)
        ft_fail(e, FT_DATA, "no documents are left for the set");
    if (!e->code)
        ft_fit_check(&c->o.fit, e);
    if (e->code) {
        ft_writer_abort(c->writer);
    } else {
        if (name.n)
            ft_json_put_str(&tok, name);
        else
            ft_buf_putz(&tok, "null");
        put_templates(c, &tpl);
        put_lineage(c, &lineage);
        ft_fit_json(&c->o.fit, &over);
        for (size_t i = 0; i < c->n_sets; i++)
            sealed = sealed && ft_set_info(c->sets[i])->sealed;
        const struct ft_writer_facts f = {.tok = ft_buf_str(&tok), .tpl = ft_buf_str(&tpl),
                                          .lineage = ft_buf_str(&lineage), .overlong = ft_buf_str(&over),
                                          .sealed = sealed};
        ft_writer_commit(c->writer, &f, info, e);
    }
    ft_buf_release(&tok);
    ft_buf_release(&tpl);
    ft_buf_release(&lineage);
    ft_buf_release(&over);
    ft_arena_release(&c->mem);
    free(c);
    return e->code ? -1 : 0;
}
