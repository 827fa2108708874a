#include "pipeline/doc_read.h"

#include "pipeline/hash.h"
#include "pipeline/spans.h"

static uint32_t role_of(struct ft_str s)
{
    for (uint32_t i = 1; i < FT_ROLES; i++)
        if (ft_str_is(s, ft_role_names[i]))
            return i;
    return s.n ? FT_ROLES - 1 : 0;
}

static int outside(const char *member, size_t i, size_t n, struct ft_err *e)
{
    return ft_fail(e, FT_DATA, "\"%s\": entry %zu is not a range of the %zu tokens", member, i, n);
}

/* Flags of every token, then runs of equal flags. */
static int flags_of(struct ft_rec *r, const int32_t *ids, size_t n, uint32_t *flags, bool *masked, struct ft_err *e)
{
    struct ft_range *v;
    int32_t *labels;
    size_t n_labels, n_v;
    int k = ft_rec_ranges(r, "spans", &v, &n_v, e);
    if (k < 0)
        return -1;
    for (size_t i = 0; i < n_v; i++) {
        struct ft_str role;
        int64_t message;
        if (v[i].begin < 0 || (uint64_t)v[i].end > n)
            return outside("spans", i, n, e);
        if (ft_range_int(v[i].item[FT_RANGE_MESSAGE], &message) || ft_range_string(r, v[i].item[FT_RANGE_ROLE], &role))
            return ft_fail(e, FT_DATA, "\"spans\": entry %zu is not [begin, end, message, field, role, flags]", i);
        const uint32_t f = role_of(role) << FT_RUN_ROLE_SHIFT |
                           (uint32_t)(message < 0 || message > 65534 ? 0 : message + 1) << FT_RUN_MESSAGE_SHIFT;
        for (int64_t b = v[i].begin; b < v[i].end; b++)
            flags[b] |= f;
    }
    k = ft_rec_ids(r, "labels", &labels, &n_labels, e);
    if (k < 0)
        return -1;
    if (k) {
        if (n_labels != n)
            return ft_fail(e, FT_DATA, "%zu labels for %zu input_ids", n_labels, n);
        for (size_t i = 0; i < n; i++) {
            if (labels[i] == -100)
                continue;
            if (labels[i] != ids[i])
                return ft_fail(e, FT_DATA, "label %zu is %d, neither -100 nor the token %d", i, labels[i], ids[i]);
            flags[i] |= FT_RUN_LEARN;
        }
        *masked = true;
        return 0;
    }
    k = ft_rec_ranges(r, "learn", &v, &n_v, e);
    if (k < 0)
        return -1;
    *masked = k > 0;
    if (!k)
        for (size_t i = 0; i < n; i++)
            flags[i] |= FT_RUN_LEARN;
    for (size_t i = 0; i < n_v; i++) {
        if (v[i].begin < 0 || (uint64_t)v[i].end > n)
            return outside("learn", i, n, e);
        for (int64_t b = v[i].begin; b < v[i].end; b++)
            flags[b] |= FT_RUN_LEARN;
    }
    return 0;
}

static void runs_of(struct ft_rec *r, const uint32_t *flags, size_t n, struct ft_doc *out, uint64_t *learnt)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < n; i++)
        count += flags[i] != flags[i + 1];
    count += n > 0;
    struct ft_run *runs = ft_arena_alloc(r->mem, (count + 1) * sizeof *runs);
    count = 0;
    *learnt = 0;
    for (size_t i = 0, from = 0; i < n; from = i) {
        const uint32_t f = flags[i];
        for (i++; i < n && flags[i] == f;)
            i++;
        runs[count++] = (struct ft_run){(uint32_t)i, f};
        *learnt += f & FT_RUN_LEARN ? i - from : 0;
    }
    out->runs = runs;
    out->n_runs = (uint32_t)count;
}

static int preference(struct ft_rec *r, struct ft_doc *out, uint64_t *learnt, struct ft_err *e)
{
    static const char *const keys[] = {"prompt_ids", "chosen_ids", "rejected_ids"};
    int32_t *ids[3];
    size_t n[3], total = 0;
    for (int i = 0; i < 3; i++) {
        const int k = ft_rec_ids(r, keys[i], &ids[i], &n[i], e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, keys[i], e);
        total += n[i];
    }
    int32_t *all = ft_arena_alloc(r->mem, (total + 1) * sizeof *all);
    uint32_t *flags = ft_arena_alloc(r->mem, (total + 1) * sizeof *flags);
    size_t at = 0;
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < n[i]; k++, at++) {
            all[at] = ids[i][k];
            flags[at] = i == 0 ? FT_RUN_PROMPT : FT_RUN_COMPLETION | FT_RUN_LEARN;
        }
    out->kind = FT_DOC_PREFERENCE;
    out->tokens = all;
    out->n = (uint32_t)total;
    out->prompt = (uint32_t)n[0];
    out->chosen = (uint32_t)n[1];
    runs_of(r, flags, total, out, learnt);
    if (!n[1] || !n[2])
        *learnt = 0; /* a pair with an empty branch teaches nothing */
    return 0;
}

/* Where it comes from. */
static int about(struct ft_rec *r, const struct ft_stamp *stamp, struct ft_doc *out)
{
    struct ft_str text;
    struct ft_err ignore = {0};
    out->bytes = stamp->bytes > 0 ? (uint64_t)stamp->bytes : 0;
    if (ft_rec_has(r, "text") && ft_rec_string(r, "text", &text, &ignore) > 0)
        out->bytes = text.n;
    out->source = stamp->src;
    out->file = stamp->org_line ? stamp->org_file : ft_strz(r->file ? r->file : "");
    out->line = stamp->org_line ? (uint64_t)stamp->org_line : r->lineno;
    struct ft_digest uid;
    if (!stamp->uid.n || ft_digest_parse(stamp->uid.p, stamp->uid.n, &uid))
        uid = ft_hash128(r->line.p, r->line.n);
    for (int i = 0; i < 8; i++) {
        out->uid[i] = (unsigned char)(uid.hi >> (56 - 8 * i));
        out->uid[8 + i] = (unsigned char)(uid.lo >> (56 - 8 * i));
    }
    return 0;
}

int ft_doc_read(struct ft_rec *r, struct ft_doc *out, struct ft_stamp *stamp, uint64_t *learnt, struct ft_err *e)
{
    int32_t *ids;
    size_t n;
    *out = (struct ft_doc){.width = 4};
    if (ft_rec_get_stamp(r, stamp, e) < 0)
        return -1;
    if (ft_rec_has(r, "chosen_ids")) {
        if (preference(r, out, learnt, e))
            return -1;
    } else {
        bool masked = false, desirable = false;
        const int k = ft_rec_ids(r, "input_ids", &ids, &n, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "input_ids", e);
        if (n > INT32_MAX)
            return ft_fail(e, FT_DATA, "%zu tokens in one document", n);
        if (!ft_rec_has(r, "spans") && !ft_rec_has(r, "labels") && !ft_rec_has(r, "learn")) { /* plain text, most of it */
            struct ft_run *all = FT_NEW(r->mem, struct ft_run);
            *all = (struct ft_run){(uint32_t)n, FT_RUN_LEARN};
            *out = (struct ft_doc){.width = 4, .kind = FT_DOC_TEXT, .tokens = ids, .n = (uint32_t)n, .runs = all, .n_runs = n > 0};
            *learnt = n;
            return about(r, stamp, out);
        }
        uint32_t *flags = FT_NEWS(r->mem, uint32_t, n + 1);
        if (flags_of(r, ids, n, flags, &masked, e))
            return -1;
        struct ft_str raw;
        enum ft_json_type type = FT_JSON_NULL;
        if (ft_rec_find(r, "label", &raw, &type, e) < 0)
            return -1;
        const bool unpaired = masked && (type == FT_JSON_TRUE || type == FT_JSON_FALSE);
        if (unpaired && ft_rec_bool(r, "label", &desirable, e) < 0)
            return -1;
        for (size_t i = 0; unpaired && desirable && i < n; i++)
            flags[i] |= FT_RUN_DESIRABLE;
        out->kind = unpaired ? FT_DOC_UNPAIRED : masked ? FT_DOC_SFT : FT_DOC_TEXT;
        out->tokens = ids;
        out->n = (uint32_t)n;
        runs_of(r, flags, n, out, learnt);
    }
    return about(r, stamp, out);
}
void ft_doc_cut(struct ft_doc *d, uint32_t n)
{
    if (n >= d->n)
        return;
    struct ft_run *runs = (struct ft_run *)d->runs; /* the record's arena: ours to change */
    uint32_t k = 0;
    while (k < d->n_runs && runs[k].end < n)
        k++;
    runs[k].end = n;
    d->n_runs = k + 1;
    d->n = n;
}
