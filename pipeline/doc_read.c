#include "pipeline/doc_read.h"

#include "pipeline/frame.h"
#include "pipeline/hash.h"

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

/* ---- what the tokens are: flags, in runs ---- */

/* Tokens [begin, end) have these flags. */
struct stretch {
    uint32_t begin, end, flags;
};
struct stretches {
    struct stretch *v;
    size_t n;
    bool apart; /* sorted, and none touches another's tokens */
};

static int add(struct stretches *s, const char *member, int64_t begin, int64_t end, uint32_t flags, size_t n, struct ft_err *e)
{
    if (begin < 0 || end < begin || (uint64_t)end > n)
        return outside(member, s->n, n, e);
    s->apart = s->apart && (!s->n || s->v[s->n - 1].end <= begin);
    s->v[s->n++] = (struct stretch){(uint32_t)begin, (uint32_t)end, flags};
    return 0;
}

/* The number of a role among those that shards have, by that among those that spans have. */
static uint32_t known_role(uint32_t role) { return role < FT_ROLES - 1 ? role : FT_ROLES - 1; }

static uint32_t said_by(uint32_t role, int64_t message)
{
    return role << FT_RUN_ROLE_SHIFT | (uint32_t)(message < 0 || message > 65534 ? 0 : message + 1) << FT_RUN_MESSAGE_SHIFT;
}

static int not_a_span(size_t i, struct ft_err *e)
{
    return ft_fail(e, FT_DATA, "\"spans\": entry %zu is not [begin, end, message, field, role, flags]", i);
}

/* Of n tokens what `spans` says. */
static int spans_of(struct ft_rec *r, size_t n, struct stretches *s, struct ft_err *e)
{
    const struct ft_numbers *f = &r->numbers;
    struct ft_range *v;
    size_t n_v;
    *s = (struct stretches){.apart = true};
    if (f->spans) {
        s->v = ft_arena_alloc(r->mem, (f->n_spans + 1) * sizeof *s->v);
        for (size_t i = 0; i < f->n_spans; i++) {
            const struct ft_frame_span x = ft_frame_span(f, i);
            if (x.field >= FT_SPAN_FIELDS || x.role >= FT_SPAN_ROLES)
                return not_a_span(i, e);
            if (add(s, "spans", x.begin, x.end, said_by(known_role(x.role), x.message), n, e))
                return -1;
        }
        return 0;
    }
    if (ft_rec_ranges(r, "spans", &v, &n_v, e) < 0)
        return -1;
    s->v = ft_arena_alloc(r->mem, (n_v + 1) * sizeof *s->v);
    for (size_t i = 0; i < n_v; i++) {
        struct ft_str item[FT_RANGE_ITEMS], role;
        int64_t message;
        if (v[i].begin < 0 || (uint64_t)v[i].end > n)
            return outside("spans", i, n, e);
        if (v[i].usual) {
            add(s, "spans", v[i].begin, v[i].end, said_by(known_role(v[i].role), v[i].message), n, e);
            continue;
        }
        ft_range_items(&v[i], item);
        if (ft_range_int(item[FT_RANGE_MESSAGE], &message) || ft_range_string(r, item[FT_RANGE_ROLE], &role))
            return not_a_span(i, e);
        add(s, "spans", v[i].begin, v[i].end, said_by(role_of(role), message), n, e);
    }
    return 0;
}

/* Of the document's tokens what `labels` or `learn` say is learnt; all where there is neither, and *masked is false then. */
static int learnt_of(struct ft_rec *r, const struct ft_doc *d, struct stretches *s, bool *masked, struct ft_err *e)
{
    const size_t n = d->n;
    const struct ft_numbers *f = &r->numbers;
    struct ft_range *v;
    int32_t *labels;
    size_t n_labels, n_v;
    *s = (struct stretches){.apart = true};
    *masked = true;
    int k = ft_rec_ids(r, "labels", &labels, &n_labels, e);
    if (k < 0)
        return -1;
    if (k) {
        if (n_labels != n)
            return ft_fail(e, FT_DATA, "%zu labels for %zu input_ids", n_labels, n);
        int32_t *ids = ft_arena_alloc(r->mem, (n + 1) * sizeof *ids);
        ft_doc_tokens(d, 0, d->n, ids);
        s->v = ft_arena_alloc(r->mem, (n / 2 + 1) * sizeof *s->v);
        for (size_t i = 0; i < n;) {
            const size_t from = i;
            for (; i < n && labels[i] != -100; i++)
                if (labels[i] != ids[i])
                    return ft_fail(e, FT_DATA, "label %zu is %d, neither -100 nor the token %d", i, labels[i], ids[i]);
            if (i > from)
                s->v[s->n++] = (struct stretch){(uint32_t)from, (uint32_t)i, FT_RUN_LEARN};
            while (i < n && labels[i] == -100)
                i++;
        }
        return 0;
    }
    if (f->learn) {
        s->v = ft_arena_alloc(r->mem, (f->n_learn + 1) * sizeof *s->v);
        for (size_t i = 0; i < f->n_learn; i++) {
            const struct ft_frame_learn x = ft_frame_learn(f, i);
            if (add(s, "learn", x.begin, x.end, FT_RUN_LEARN, n, e))
                return -1;
        }
        return 0;
    }
    k = ft_rec_ranges(r, "learn", &v, &n_v, e);
    if (k < 0)
        return -1;
    *masked = k > 0;
    s->v = ft_arena_alloc(r->mem, (n_v + 1) * sizeof *s->v);
    if (!k && n)
        s->v[s->n++] = (struct stretch){0, (uint32_t)n, FT_RUN_LEARN};
    for (size_t i = 0; i < n_v; i++)
        if (add(s, "learn", v[i].begin, v[i].end, FT_RUN_LEARN, n, e))
            return -1;
    return 0;
}

/* Appends a run, or lengthens the last. */
static inline void run_put(struct ft_doc *out, struct ft_run *runs, uint32_t begin, uint32_t end, uint32_t flags, uint64_t *learnt)
{
    *learnt += flags & FT_RUN_LEARN ? end - begin : 0;
    if (out->n_runs && runs[out->n_runs - 1].flags == flags)
        runs[out->n_runs - 1].end = end;
    else
        runs[out->n_runs++] = (struct ft_run){end, flags};
}

/* Runs of n tokens by two lists, each sorted and apart; all have the flags `common`. */
static void merge(struct ft_rec *r, const struct stretches list[2], size_t n, uint32_t common, struct ft_doc *out, uint64_t *learnt)
{
    struct ft_run *runs = ft_arena_alloc(r->mem, (2 * (list[0].n + list[1].n) + 1) * sizeof *runs);
    size_t i[2] = {0, 0};
    *learnt = 0;
    for (uint32_t at = 0; at < n;) {
        uint32_t flags = common, next = (uint32_t)n;
        for (int k = 0; k < 2; k++) {
            const struct stretch *v = list[k].v;
            while (i[k] < list[k].n && v[i[k]].end <= at)
                i[k]++;
            if (i[k] == list[k].n)
                continue;
            const bool in = v[i[k]].begin <= at;
            const uint32_t edge = in ? v[i[k]].end : v[i[k]].begin;
            flags |= in ? v[i[k]].flags : 0;
            next = edge < next ? edge : next;
        }
        run_put(out, runs, at, next, flags, learnt);
        at = next;
    }
    out->runs = runs;
}

/* The same token by token, for lists that are not. */
static void spread(struct ft_rec *r, const struct stretches list[2], size_t n, uint32_t common, struct ft_doc *out, uint64_t *learnt)
{
    struct ft_run *runs = ft_arena_alloc(r->mem, (n + 1) * sizeof *runs);
    uint32_t *flags = ft_arena_alloc(r->mem, (n + 1) * sizeof *flags);
    *learnt = 0;
    for (size_t i = 0; i < n; i++)
        flags[i] = common;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < list[k].n; i++)
            for (uint32_t b = list[k].v[i].begin; b < list[k].v[i].end; b++)
                flags[b] |= list[k].v[i].flags;
    for (size_t i = 0; i < n; i++)
        run_put(out, runs, (uint32_t)i, (uint32_t)i + 1, flags[i], learnt);
    out->runs = runs;
}

/* ---- kinds ---- */

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
    struct ft_run *runs = ft_arena_alloc(r->mem, 3 * sizeof *runs);
    size_t at = 0;
    *learnt = 0;
    for (int i = 0; i < 3; i++) {
        if (n[i]) {
            memcpy(all + at, ids[i], n[i] * sizeof *all);
            run_put(out, runs, (uint32_t)at, (uint32_t)(at + n[i]), i == 0 ? FT_RUN_PROMPT : FT_RUN_COMPLETION | FT_RUN_LEARN, learnt);
        }
        at += n[i];
    }
    out->runs = runs;
    out->kind = FT_DOC_PREFERENCE;
    out->tokens = all;
    out->n = (uint32_t)total;
    out->prompt = (uint32_t)n[0];
    out->chosen = (uint32_t)n[1];
    if (!n[1] || !n[2])
        *learnt = 0; /* a pair with an empty branch teaches nothing */
    return 0;
}

/* Its tokens: of a frame, where they are. */
static int tokens_of(struct ft_rec *r, struct ft_doc *out, struct ft_err *e)
{
    const struct ft_numbers *f = &r->numbers;
    int32_t *ids = NULL;
    size_t n = f->n_ids;
    out->width = 2;
    out->tokens = f->ids;
    if (!f->ids || f->width != 2) {
        const int k = ft_rec_ids(r, "input_ids", &ids, &n, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "input_ids", e);
        out->width = 4;
        out->tokens = ids;
    }
    out->n = (uint32_t)n;
    return n > INT32_MAX ? ft_fail(e, FT_DATA, "%zu tokens in one document", n) : 0;
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
    const uint64_t bytes[2] = {__builtin_bswap64(uid.hi), __builtin_bswap64(uid.lo)}; /* the highest first */
    memcpy(out->uid, bytes, 16);
    return 0;
}

int ft_doc_read(struct ft_rec *r, struct ft_doc *out, struct ft_stamp *stamp, uint64_t *learnt, struct ft_err *e)
{
    *out = (struct ft_doc){.width = 4};
    if (ft_rec_get_stamp(r, stamp, e) < 0)
        return -1;
    if (ft_rec_has(r, "chosen_ids")) {
        if (preference(r, out, learnt, e))
            return -1;
    } else {
        bool masked = false, desirable = false;
        if (tokens_of(r, out, e))
            return -1;
        if (!ft_rec_has(r, "spans") && !ft_rec_has(r, "labels") && !ft_rec_has(r, "learn")) { /* plain text, most of it */
            struct ft_run *all = FT_NEW(r->mem, struct ft_run);
            *all = (struct ft_run){out->n, FT_RUN_LEARN};
            out->runs = all;
            out->n_runs = out->n > 0;
            *learnt = out->n;
            return about(r, stamp, out);
        }
        struct stretches list[2];
        if (spans_of(r, out->n, &list[0], e) || learnt_of(r, out, &list[1], &masked, e))
            return -1;
        struct ft_str raw;
        enum ft_json_type type = FT_JSON_NULL;
        if (ft_rec_find(r, "label", &raw, &type, e) < 0)
            return -1;
        const bool unpaired = masked && (type == FT_JSON_TRUE || type == FT_JSON_FALSE);
        if (unpaired && ft_rec_bool(r, "label", &desirable, e) < 0)
            return -1;
        out->kind = unpaired ? FT_DOC_UNPAIRED : masked ? FT_DOC_SFT : FT_DOC_TEXT;
        (list[0].apart && list[1].apart ? merge : spread)(r, list, out->n, desirable ? FT_RUN_DESIRABLE : 0, out, learnt);
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
