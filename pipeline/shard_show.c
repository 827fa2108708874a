#include "pipeline/shard_show.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pipeline/explain.h"
#include "pipeline/hash.h"
#include "pipeline/plan.h"

/* ---- facts ---- */

static void fact(struct ft_buf *b, const char *name) { ft_buf_printf(b, "%-11s", name); }

/* 1234567 as 1,234,567 */
static void count(struct ft_buf *b, uint64_t n)
{
    char digits[24];
    const int k = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < k; i++) {
        if (i && (k - i) % 3 == 0)
            ft_buf_putc(b, ',');
        ft_buf_putc(b, digits[i]);
    }
}

static double percent(uint64_t part, uint64_t whole) { return whole ? 100.0 * (double)part / (double)whole : 0; }

static uint64_t member(const struct ft_json *v, const char *key)
{
    int64_t n = 0;
    struct ft_err ignore = {0};
    ft_json_get_int(v, key, &n, &ignore);
    return (uint64_t)n;
}

static void show_sources(const struct ft_json *sources, uint64_t tokens, struct ft_buf *b)
{
    if (!sources || sources->type != FT_JSON_OBJECT)
        return;
    for (size_t i = 0; i < sources->n; i++) {
        const struct ft_json_member *m = &sources->members[i];
        fact(b, i ? "" : "sources");
        ft_buf_puts(b, m->key.n ? m->key : FT_STR("(unnamed)"));
        ft_buf_putz(b, ": ");
        count(b, member(&m->value, "docs"));
        ft_buf_putz(b, " documents, ");
        count(b, member(&m->value, "tokens"));
        ft_buf_printf(b, " tokens (%.1f%%), ", percent(member(&m->value, "tokens"), tokens));
        count(b, member(&m->value, "learn_tokens"));
        ft_buf_putz(b, " learnt\n");
    }
}

static void show_lineage(const struct ft_json *lineage, bool sealed, struct ft_buf *b)
{
    fact(b, "lineage");
    if (!sealed)
        ft_buf_putz(b, "not sealed: made in an ordinary pipe\n");
    else
        ft_buf_putz(b, "sealed: every stage vouched for its output\n");
    for (size_t i = 0; lineage && lineage->type == FT_JSON_ARRAY && i < lineage->n; i++) {
        const struct ft_json *stage = &lineage->items[i], *tool = ft_json_get(stage, "tool"),
                             *argv = ft_json_get(stage, "argv");
        fact(b, "");
        if (tool && tool->type == FT_JSON_STRING)
            ft_buf_puts(b, tool->s);
        for (size_t k = 0; argv && argv->type == FT_JSON_ARRAY && k < argv->n; k++) {
            ft_buf_putc(b, ' ');
            ft_buf_puts(b, argv->items[k].s);
        }
        ft_buf_printf(b, ": %" PRIu64 " in, %" PRIu64 " out\n", member(stage, "in"),
                      member(stage, "out") + member(stage, "kept"));
    }
}

void ft_show_info(struct ft_set *s, const char *dir, struct ft_buf *b)
{
    const struct ft_set_info *i = ft_set_info(s);
    const struct ft_json *tpl = ft_json_get(i->manifest, "tpl"), *over = ft_json_get(i->manifest, "overlong"),
                         *shards = ft_json_get(i->manifest, "shards"), *policy = ft_json_get(over, "policy");
    const char *sep = "";
    uint64_t size = 0;
    fact(b, "set");
    ft_buf_putz(b, dir);
    ft_buf_printf(b, "\n%-11s", "documents");
    count(b, i->docs);
    ft_buf_putz(b, " (");
    for (int k = 0; k < FT_DOC_KINDS; k++)
        if (i->kinds[k]) {
            ft_buf_printf(b, "%s%s ", sep, ft_doc_kind_names[k]);
            count(b, i->kinds[k]);
            sep = ", ";
        }
    ft_buf_printf(b, ")\n%-11s", "tokens");
    count(b, i->tokens);
    ft_buf_putz(b, ", of which ");
    count(b, i->learn);
    ft_buf_printf(b, " to learn (%.1f%%)", percent(i->learn, i->tokens));
    if (i->bytes) {
        ft_buf_putz(b, ", of ");
        count(b, i->bytes);
        ft_buf_putz(b, " bytes of text");
    }
    ft_buf_printf(b, "\n%-11s", "vocabulary");
    if (i->tok.n)
        ft_buf_puts(b, i->tok);
    else
        ft_buf_putz(b, "unknown: the ids were made elsewhere");
    if (i->vocab_size) {
        ft_buf_putz(b, ", ");
        count(b, i->vocab_size);
        ft_buf_putz(b, " ids");
    }
    ft_buf_putc(b, '\n');
    for (size_t k = 0; tpl && tpl->type == FT_JSON_ARRAY && k < tpl->n; k++) {
        fact(b, k ? "" : "templates");
        ft_buf_puts(b, tpl->items[k].s);
        ft_buf_putc(b, '\n');
    }
    show_sources(ft_json_get(i->manifest, "sources"), i->tokens, b);
    fact(b, "rows");
    count(b, i->rows);
    ft_buf_printf(b, " of %" PRIu64 " tokens, %s", i->length, ft_strategy_names[i->strategy]);
    if (i->strategy == FT_PACK_BFD)
        ft_buf_printf(b, " in windows of %" PRIu64 " documents", i->window);
    ft_buf_printf(b, ", %.1f%% full, ", i->rows ? percent(i->tokens, i->rows) / (double)i->length : 0);
    count(b, i->row_learn);
    ft_buf_putz(b, " targets\n");
    fact(b, "overlong");
    ft_buf_puts(b, policy ? policy->s : FT_STR("?"));
    ft_buf_putz(b, ": ");
    count(b, member(over, "docs"));
    ft_buf_putz(b, " documents longer than a row, ");
    count(b, member(over, "tokens"));
    ft_buf_putz(b, " tokens left out\n");
    show_lineage(ft_json_get(i->manifest, "lineage"), i->sealed, b);
    for (size_t k = 0; k < shards->n; k++)
        size += member(&shards->items[k], "size");
    fact(b, "files");
    ft_buf_printf(b, "%d shard%s of ", i->shards, i->shards == 1 ? "" : "s");
    count(b, size);
    ft_buf_putz(b, " bytes together\n");
    fact(b, "checksum");
    ft_buf_puts(b, i->checksum);
    ft_buf_putc(b, '\n');
}

/* ---- tokens ---- */

/* Where in the text of all ids that of the first n ends: the longest common
 * prefix, since an unfinished character decodes to something else. */
static int text_end(const struct ft_show *how, const int32_t *ids, size_t n, struct ft_str all, size_t *end,
                    struct ft_err *e)
{
    struct ft_buf b = {0};
    *end = 0;
    if (n && how->text(how->ctx, ids, n, &b, e)) {
        ft_buf_release(&b);
        return -1;
    }
    while (*end < b.n && *end < all.n && b.p[*end] == all.p[*end])
        ++*end;
    while (*end && *end < all.n && ((unsigned char)all.p[*end] & 0xc0) == 0x80)
        --*end; /* not inside a character */
    ft_buf_release(&b);
    return 0;
}

struct tokens { /* one sequence as the model reads it */
    const int32_t *ids;
    const uint32_t *flags;
    size_t from, n; /* shown are [from, n) */
    uint32_t base;  /* number, in the document, of the token at `from` */
};

static bool learnt(const struct tokens *t, size_t i) { return i > 0 && t->flags[i] & FT_RUN_LEARN; }

static void put_run(struct ft_buf *b, const struct ft_show *how, const struct tokens *t, size_t begin, size_t end,
                    struct ft_str text)
{
    struct ft_buf ids = {0};
    const bool on = learnt(t, begin);
    if (!how->text) {
        for (size_t i = begin; i < end; i++)
            ft_buf_printf(&ids, "%s%d", i > begin ? " " : "", t->ids[i]);
        text = ft_buf_str(&ids);
    }
    if (how->explain) {
        const uint32_t f = t->flags[begin], role = f >> FT_RUN_ROLE_SHIFT & 0xff;
        char who[32] = "-";
        if (f >> FT_RUN_MESSAGE_SHIFT)
            snprintf(who, sizeof who, "%s %u", ft_role_names[role < FT_ROLES ? role : FT_ROLES - 1],
                     (f >> FT_RUN_MESSAGE_SHIFT) - 1);
        else if (role)
            snprintf(who, sizeof who, "%s", ft_role_names[role < FT_ROLES ? role : FT_ROLES - 1]);
        ft_buf_printf(b, "%7zu..%-7zu %-14s %-6s ", t->base + begin - t->from, t->base + end - t->from, who,
                      on ? "learn" : "-");
    }
    if (how->explain && how->text) { /* on one line */
        ft_json_put_str(&ids, text);
        text = ft_buf_str(&ids);
    }
    ft_explain_put(b, text, on, how->color);
    if (how->explain)
        ft_buf_putc(b, '\n');
    else if (!how->text && end < t->n)
        ft_buf_putc(b, ' ');
    ft_buf_release(&ids);
}

static int put_tokens(struct ft_buf *b, const struct ft_show *how, const struct tokens *t, struct ft_err *e)
{
    struct ft_buf all = {0};
    size_t at = 0, to = 0;
    int r = 0;
    if (how->text)
        r = how->text(how->ctx, t->ids, t->n, &all, e) || text_end(how, t->ids, t->from, ft_buf_str(&all), &at, e);
    for (size_t i = t->from, next; !r && i < t->n; i = next, at = to) {
        for (next = i + 1; next < t->n && learnt(t, next) == learnt(t, i); next++)
            if (how->explain && t->flags[next] != t->flags[i])
                break;
        to = all.n;
        if (how->text && next < t->n)
            r = text_end(how, t->ids, next, ft_buf_str(&all), &to, e);
        if (to < at)
            to = at;
        if (!r)
            put_run(b, how, t, i, next, (struct ft_str){all.p ? all.p + at : "", to - at});
    }
    if (!how->explain)
        ft_buf_putc(b, '\n');
    ft_buf_release(&all);
    return r ? -1 : 0;
}

/* A pair: the prompt once, then both branches as they continue it. */
static int put_pair(struct ft_buf *b, const struct ft_show *how, const struct ft_doc *d, int32_t *ids,
                    uint32_t *flags, struct ft_err *e)
{
    const uint32_t rejected = d->prompt + d->chosen;
    const struct tokens prompt = {ids, flags, 0, d->prompt, 0}, chosen = {ids, flags, d->prompt, rejected, d->prompt};
    ft_buf_putz(b, "-- prompt\n");
    if (d->prompt && put_tokens(b, how, &prompt, e))
        return -1;
    ft_buf_putz(b, "-- chosen\n");
    if (put_tokens(b, how, &chosen, e))
        return -1;
    memmove(ids + d->prompt, ids + rejected, (d->n - rejected) * sizeof *ids);
    memmove(flags + d->prompt, flags + rejected, (d->n - rejected) * sizeof *flags);
    const struct tokens other = {ids, flags, d->prompt, d->n - d->chosen, rejected};
    ft_buf_putz(b, "-- rejected\n");
    return put_tokens(b, how, &other, e);
}

static int put_piece(struct ft_buf *b, const struct ft_show *how, const struct ft_doc *d, uint32_t start, uint32_t n,
                     struct ft_err *e)
{
    int32_t *ids = ft_reallocs(NULL, n + 1u, sizeof *ids);
    uint32_t *flags = ft_reallocs(NULL, n + 1u, sizeof *flags);
    const struct tokens t = {ids, flags, 0, n, start};
    ft_doc_tokens(d, start, n, ids);
    ft_doc_flags(d, start, n, flags);
    const int r = d->kind == FT_DOC_PREFERENCE ? put_pair(b, how, d, ids, flags, e) : put_tokens(b, how, &t, e);
    free(ids);
    free(flags);
    return r;
}

static void put_head(struct ft_buf *b, const struct ft_doc *d, uint32_t start, uint32_t n)
{
    static const char digits[] = "0123456789abcdef";
    ft_buf_printf(b, "document %" PRIu64 ": %s, ", d->id, ft_doc_kind_names[d->kind]);
    if (n < d->n)
        ft_buf_printf(b, "tokens %u..%u of %u, ", start, start + n, d->n);
    else
        ft_buf_printf(b, "%u tokens, ", n);
    ft_buf_printf(b, "%u learnt", ft_doc_targets(d, start, n));
    if (d->kind == FT_DOC_UNPAIRED)
        ft_buf_putz(b, d->n_runs && d->runs[0].flags & FT_RUN_DESIRABLE ? ", desirable" : ", undesirable");
    if (d->source.n) {
        ft_buf_putz(b, ", source ");
        ft_explain_put(b, d->source, false, false);
    }
    if (d->line) {
        ft_buf_putz(b, ", ");
        ft_explain_put(b, d->file, false, false);
        ft_buf_printf(b, ":%" PRIu64, d->line);
    }
    ft_buf_putz(b, ", uid ");
    for (int i = 0; i < 16; i++) {
        ft_buf_putc(b, digits[d->uid[i] >> 4]);
        ft_buf_putc(b, digits[d->uid[i] & 15]);
    }
    ft_buf_putc(b, '\n');
}

int ft_show_doc(struct ft_set *s, uint64_t i, const struct ft_show *how, struct ft_buf *out, struct ft_err *e)
{
    struct ft_doc d;
    if (ft_set_doc(s, i, &d, e))
        return -1;
    put_head(out, &d, 0, d.n);
    return put_piece(out, how, &d, 0, d.n, e);
}

int ft_show_row(struct ft_set *s, uint64_t i, const struct ft_show *how, struct ft_buf *out, struct ft_err *e)
{
    const size_t max = ft_set_row_max(s);
    struct ft_piece *v = ft_reallocs(NULL, max + 1, sizeof *v);
    size_t n;
    uint32_t learn;
    uint64_t used = 0;
    struct ft_doc d;
    int r = ft_set_row(s, i, v, max, &n, &learn, e);
    for (size_t k = 0; !r && k < n; k++)
        used += v[k].length;
    if (!r)
        ft_buf_printf(out, "row %" PRIu64 ": %" PRIu64 " of %" PRIu64 " tokens, %zu piece%s, %u learnt\n", i, used,
                      ft_set_info(s)->length, n, n == 1 ? "" : "s", learn);
    for (size_t k = 0; !r && k < n; k++) {
        r = ft_set_doc(s, v[k].doc, &d, e);
        if (r)
            break;
        put_head(out, &d, v[k].start, v[k].length);
        r = put_piece(out, how, &d, v[k].start, v[k].length, e);
    }
    free(v);
    return r;
}
