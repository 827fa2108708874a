#include "pipeline/shard_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pipeline/hash.h"

static uint32_t token(const struct ft_doc *d, uint32_t i)
{
    return d->width == 2 ? ((const uint16_t *)d->tokens)[i] : ((const uint32_t *)d->tokens)[i];
}

static void put_ids(struct ft_buf *b, const char *key, const struct ft_doc *d, uint32_t from, uint32_t to)
{
    ft_buf_printf(b, "\"%s\":[", key);
    for (uint32_t i = from; i < to; i++) {
        if (i > from)
            ft_buf_putc(b, ',');
        ft_buf_put_u64(b, token(d, i));
    }
    ft_buf_putc(b, ']');
}

/* Labels of tokens [from, to); the first `masked` of them are -100 in any case. */
static void put_labels(struct ft_buf *b, const struct ft_doc *d, uint32_t from, uint32_t to, uint32_t masked)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < d->n_runs; at = d->runs[k++].end)
        for (uint32_t i = at > from ? at : from; i < d->runs[k].end && i < to; i++) {
            if (i > from)
                ft_buf_putc(b, ',');
            if (d->runs[k].flags & FT_RUN_LEARN && i - from >= masked)
                ft_buf_put_u64(b, token(d, i));
            else
                ft_buf_putz(b, "-100");
        }
}

/* Runs of one role and message, as spans. */
static void put_spans(struct ft_buf *b, const struct ft_doc *d)
{
    const uint32_t what = ~(uint32_t)0xff; /* role and message */
    uint32_t begin = 0;
    bool any = false;
    for (uint32_t k = 0; k < d->n_runs; k++) {
        const uint32_t f = d->runs[k].flags & what;
        if (k + 1 < d->n_runs && (d->runs[k + 1].flags & what) == f)
            continue;
        if (f) {
            const uint32_t role = f >> FT_RUN_ROLE_SHIFT & 0xff;
            ft_buf_printf(b, "%s[%u,%u,%d,\"\",\"%s\",0]", any ? "," : ",\"spans\":[", begin, d->runs[k].end,
                          (int)(f >> FT_RUN_MESSAGE_SHIFT) - 1, ft_role_names[role < FT_ROLES ? role : FT_ROLES - 1]);
            any = true;
        }
        begin = d->runs[k].end;
    }
    if (any)
        ft_buf_putc(b, ']');
}

static void put_stamp(struct ft_buf *b, struct ft_set *s, const struct ft_doc *d)
{
    const struct ft_set_info *info = ft_set_info(s);
    const struct ft_json *tpl = ft_json_get(info->manifest, "tpl");
    struct ft_digest uid = {0};
    const char *sep = ",\"_ft\":{";
    char hex[33];
    for (int i = 0; i < 8; i++) {
        uid.hi = uid.hi << 8 | d->uid[i];
        uid.lo = uid.lo << 8 | d->uid[8 + i];
    }
    if (d->line) {
        ft_buf_printf(b, "%s\"org\":[", sep);
        ft_json_put_str(b, d->file);
        ft_buf_printf(b, ",%" PRIu64 "]", d->line);
        sep = ",";
    }
    if (uid.hi || uid.lo) {
        ft_digest_hex(uid, hex);
        ft_buf_printf(b, "%s\"uid\":\"%s\"", sep, hex);
        sep = ",";
    }
    if (d->source.n) {
        ft_buf_printf(b, "%s\"src\":", sep);
        ft_json_put_str(b, d->source);
        sep = ",";
    }
    if (info->tok.n) {
        ft_buf_printf(b, "%s\"tok\":", sep);
        ft_json_put_str(b, info->tok);
        sep = ",";
    }
    /* Of several templates a document does not know its own. */
    if (d->kind != FT_DOC_TEXT && tpl && tpl->type == FT_JSON_ARRAY && tpl->n == 1) {
        ft_buf_printf(b, "%s\"tpl\":%.*s", sep, (int)tpl->items[0].raw.n, tpl->items[0].raw.p);
        sep = ",";
    }
    if (d->bytes) {
        ft_buf_printf(b, "%s\"bytes\":%" PRIu64, sep, d->bytes);
        sep = ",";
    }
    if (*sep == ',' && !sep[1])
        ft_buf_putc(b, '}');
}

static void put_doc(struct ft_buf *b, struct ft_set *s, const struct ft_doc *d, bool bare)
{
    if (d->kind == FT_DOC_PREFERENCE) {
        put_ids(b, "prompt_ids", d, 0, d->prompt);
        ft_buf_putc(b, ',');
        put_ids(b, "chosen_ids", d, d->prompt, d->prompt + d->chosen);
        ft_buf_putc(b, ',');
        put_ids(b, "rejected_ids", d, d->prompt + d->chosen, d->n);
    } else {
        put_ids(b, "input_ids", d, 0, d->n);
        if (d->kind != FT_DOC_TEXT || bare) { /* a table has the same columns in every row */
            ft_buf_putz(b, ",\"labels\":[");
            put_labels(b, d, 0, d->n, 0);
            ft_buf_putc(b, ']');
        }
        if (!bare)
            put_spans(b, d);
        if (d->kind == FT_DOC_UNPAIRED)
            ft_buf_putz(b, d->n_runs && d->runs[0].flags & FT_RUN_DESIRABLE ? ",\"label\":true" : ",\"label\":false");
    }
    if (!bare)
        put_stamp(b, s, d);
}

static int doc_json(struct ft_set *s, uint64_t i, bool bare, struct ft_buf *out, struct ft_err *e)
{
    struct ft_doc d;
    if (ft_set_doc(s, i, &d, e))
        return -1;
    ft_buf_putc(out, '{');
    put_doc(out, s, &d, bare);
    ft_buf_putz(out, "}\n");
    return 0;
}

static int row_json(struct ft_set *s, uint64_t i, bool bare, struct ft_buf *out, struct ft_err *e)
{
    const size_t max = ft_set_row_max(s);
    struct ft_piece *v = ft_reallocs(NULL, max + 1, sizeof *v);
    size_t n;
    uint32_t learn;
    struct ft_doc d;
    int r = ft_set_row(s, i, v, max, &n, &learn, e);
    if (!r && n == 1)
        r = ft_set_doc(s, v[0].doc, &d, e);
    if (r) {
        free(v);
        return -1;
    }
    ft_buf_putc(out, '{');
    if (!bare)
        ft_buf_printf(out, "\"row\":%" PRIu64 ",", i);
    if (n == 1 && d.kind == FT_DOC_PREFERENCE) {
        put_doc(out, s, &d, bare);
        ft_buf_putz(out, "}\n");
        free(v);
        return 0;
    }
    ft_buf_putz(out, "\"input_ids\":[");
    for (size_t k = 0; k < n && !(r = ft_set_doc(s, v[k].doc, &d, e)); k++)
        for (uint32_t t = 0; t < v[k].length; t++) {
            if (k || t)
                ft_buf_putc(out, ',');
            ft_buf_put_u64(out, token(&d, v[k].start + t));
        }
    ft_buf_putz(out, "],\"labels\":[");
    for (size_t k = 0; k < n && !r && !(r = ft_set_doc(s, v[k].doc, &d, e)); k++) {
        ft_buf_putz(out, k ? "," : "");
        put_labels(out, &d, v[k].start, v[k].start + v[k].length, 1);
    }
    if (bare) {
        ft_buf_putz(out, "],\"position_ids\":[");
        for (size_t k = 0; k < n; k++)
            for (uint32_t t = 0; t < v[k].length; t++) {
                if (k || t)
                    ft_buf_putc(out, ',');
                ft_buf_put_u64(out, t);
            }
    } else {
        ft_buf_putz(out, "],\"seq_lengths\":[");
        for (size_t k = 0; k < n; k++)
            ft_buf_printf(out, "%s%u", k ? "," : "", v[k].length);
        ft_buf_putz(out, "],\"docs\":[");
        for (size_t k = 0; k < n; k++)
            ft_buf_printf(out, "%s[%" PRIu64 ",%u,%u]", k ? "," : "", v[k].doc, v[k].start, v[k].length);
    }
    ft_buf_putz(out, "]}\n");
    free(v);
    return r;
}

int ft_doc_json(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e)
{
    return doc_json(s, i, false, out, e);
}

int ft_row_json(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e)
{
    return row_json(s, i, false, out, e);
}

int ft_doc_json_bare(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e)
{
    return doc_json(s, i, true, out, e);
}

int ft_row_json_bare(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e)
{
    return row_json(s, i, true, out, e);
}
