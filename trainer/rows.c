#include "trainer/rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/permute.h"
#include "pipeline/plan.h"
#include "pipeline/seen_set.h"

/* ---- which ---- */

/* What the document is: a hash of its uid, or of its tokens. */
static struct ft_digest identity(const struct ft_doc *d)
{
    static const unsigned char none[16];
    return memcmp(d->uid, none, 16) ? ft_hash128(d->uid, 16) : ft_hash128(d->tokens, (size_t)d->n * (size_t)d->width);
}

/* In [0,1). */
static double place(const struct ft_doc *d) { return (double)(identity(d).lo >> 11) * 0x1p-53; }

bool ft_rows_has(const struct ft_rows *r, uint64_t doc)
{
    const bool held = r->held && (r->held[doc >> 3] >> (doc & 7) & 1);
    return r->side == FT_ROWS_ALL || held == (r->side == FT_ROWS_HELD);
}

static uint32_t token(const struct ft_doc *d, uint32_t i)
{
    const unsigned char *p = (const unsigned char *)d->tokens + (size_t)i * (size_t)d->width;
    return d->width == 2 ? ft_load_u16(p) : ft_load_u32(p);
}

/* A template may set something behind the stop token (ChatML: a newline), so
 * it is the end of what is learnt that counts, not the end of the document. -1:
 * nothing is learnt. */
static int64_t last_learnt(const struct ft_doc *d)
{
    uint32_t k = d->n_runs;
    while (k > 0 && (!(d->runs[k - 1].flags & FT_RUN_LEARN) || d->runs[k - 1].end == (k > 1 ? d->runs[k - 2].end : 0)))
        k--;
    return k ? (int64_t)token(d, d->runs[k - 1].end - 1) : -1;
}

/* Counts how an answer ends; `ends` has a count for each token. */
static void count_end(struct ft_rows *r, const struct ft_doc *d, const struct ft_config *c, uint64_t *ends)
{
    const int64_t id = last_learnt(d);
    r->sft_docs++;
    if (id < 0)
        return;
    for (int i = 0; i < c->n_eos; i++)
        if (id == c->eos[i]) {
            r->stop_docs++;
            break;
        }
    if (++ends[id] > r->last_docs) {
        r->last_docs = ends[id];
        r->last = (int32_t)id;
    }
}

static int look_at_documents(struct ft_rows *r, const char *dir, double share, const struct ft_config *c, uint64_t *ends,
                             struct ft_err *e)
{
    const struct ft_set_info *info = ft_set_info(r->set);
    if (share > 0)
        r->held = ft_calloc(info->docs / 8 + 1, 1);
    for (uint64_t i = 0; i < info->docs; i++) {
        struct ft_doc d;
        if (ft_set_doc(r->set, i, &d, e))
            return -1;
        if (d.kind != FT_DOC_TEXT && d.kind != FT_DOC_SFT)
            return ft_fail(e, FT_DATA, "%s: document %" PRIu64 " is of kind '%s', and this objective learns from 'text' and 'sft'", dir,
                           i, ft_doc_kind_names[d.kind]);
        for (uint32_t k = 0; k < d.n; k++)
            if (token(&d, k) >= (uint64_t)c->vocab)
                return ft_fail(e, FT_DATA, "%s: document %" PRIu64 ": token %" PRIu32 " is id %" PRIu32 ", and the model has %" PRId64, dir,
                               i, k, token(&d, k), c->vocab);
        if (share > 0 && place(&d) < share)
            r->held[i >> 3] |= (unsigned char)(1 << (i & 7));
        if (!ft_rows_has(r, i))
            continue;
        r->docs++;
        if (d.kind == FT_DOC_SFT)
            count_end(r, &d, c, ends);
        for (uint32_t k = 0, begin = 0; k < d.n_runs; begin = d.runs[k++].end)
            if (!(d.runs[k].flags & FT_RUN_LEARN) && d.runs[k].end > begin) {
                r->masked_docs++;
                break;
            }
    }
    return 0;
}

int ft_rows_count(struct ft_rows *r, uint64_t row, uint64_t *targets, uint64_t *tokens, struct ft_err *e)
{
    size_t n;
    uint32_t learn;
    *targets = *tokens = 0;
    if (ft_set_row(r->set, row, r->pieces, r->max_pieces, &n, &learn, e))
        return -1;
    for (size_t k = 0; k < n; k++) {
        struct ft_doc d;
        if (!ft_rows_has(r, r->pieces[k].doc))
            continue;
        if (ft_set_doc(r->set, r->pieces[k].doc, &d, e))
            return -1;
        *targets += ft_doc_targets(&d, r->pieces[k].start, r->pieces[k].length);
        *tokens += r->pieces[k].length;
        if (r->pieces[k].length > r->max_piece)
            r->max_piece = r->pieces[k].length;
    }
    return 0;
}

int ft_rows_init(struct ft_rows *r, struct ft_set *set, const char *dir, enum ft_side_of side, double share,
                 const struct ft_config *c, struct ft_err *e)
{
    const struct ft_set_info *info = ft_set_info(set);
    *r = (struct ft_rows){.set = set, .side = side, .last = -1, .max_pieces = ft_set_row_max(set)};
    r->pieces = ft_calloc(r->max_pieces + 1, sizeof *r->pieces);
    r->row = ft_calloc(info->rows + 1, sizeof *r->row);
    r->key = ft_hash64(info->checksum.p, info->checksum.n);
    uint64_t *ends = ft_calloc((size_t)c->vocab, sizeof *ends);
    int bad = look_at_documents(r, dir, side == FT_ROWS_ALL ? 0 : share, c, ends, e);
    free(ends);
    for (uint64_t i = 0; i < info->rows && !bad; i++) {
        uint64_t targets, tokens;
        bad = ft_rows_count(r, i, &targets, &tokens, e);
        if (bad || !tokens)
            continue;
        r->row[r->n++] = i;
        r->targets += targets;
        r->tokens += tokens;
        if (tokens > r->max_row)
            r->max_row = (uint32_t)tokens;
    }
    if (bad)
        ft_rows_release(r);
    return bad;
}

int ft_rows_vocabulary(const struct ft_set_info *info, const char *dir, const char *mine, const char *owner, struct ft_err *note,
                       struct ft_err *e)
{
    const size_t vocab = strcspn(mine, ":");
    ft_err_clear(note);
    if (!info->tok.n)
        ft_fail(note, FT_DATA, "the vocabulary of '%s' is unknown and not checked ('ft-pack -m' stamps it)", dir);
    else if (!vocab)
        ft_fail(note, FT_DATA, "the vocabulary of '%s' is not checked: '%s' has no tokenizer.json that is read", dir, owner);
    else if (info->tok.n < vocab || memcmp(info->tok.p, mine, vocab))
        return ft_fail(e, FT_DATA, "'%s' has tokens of vocabulary %.*s, and '%s' has %s", dir, info->tok.n > 65 ? 65 : (int)info->tok.n,
                       info->tok.p, owner, mine);
    else if (!ft_str_is(info->tok, mine))
        ft_fail(note, FT_DATA, "'%s' was tokenized with the vocabulary of '%s', but split or merged otherwise", dir, owner);
    return 0;
}

int ft_rows_disjoint(const struct ft_rows *a, const struct ft_rows *b, struct ft_err *e)
{
    struct ft_seen seen;
    struct ft_doc d;
    uint64_t other;
    int r = 0;
    ft_seen_init(&seen, NULL);
    for (uint64_t i = 0; i < ft_set_info(a->set)->docs && !r; i++) {
        if (!ft_rows_has(a, i))
            continue;
        r = ft_set_doc(a->set, i, &d, e);
        if (!r && !ft_seen_get(&seen, identity(&d), &other))
            r = ft_seen_put(&seen, identity(&d), i, e);
    }
    for (uint64_t i = 0; i < ft_set_info(b->set)->docs && !r; i++) {
        if (!ft_rows_has(b, i))
            continue;
        r = ft_set_doc(b->set, i, &d, e);
        if (!r && ft_seen_get(&seen, identity(&d), &other))
            r = ft_fail(e, FT_DATA, "document %" PRIu64 " of the evaluation set is document %" PRIu64 " of the training set", i, other);
    }
    ft_seen_release(&seen);
    return r;
}

void ft_rows_release(struct ft_rows *r)
{
    free(r->held);
    free(r->row);
    free(r->pieces);
    *r = (struct ft_rows){0};
}

uint64_t ft_rows_at(const struct ft_rows *r, bool shuffled, uint64_t seed, uint64_t epoch, uint64_t i)
{
    return r->row[shuffled ? ft_permute(i, r->n, ft_permute_key(seed, r->key, epoch)) : i];
}

/* ---- micro-batches ---- */

void ft_feed_start(struct ft_feed *f)
{
    f->batch.n = f->batch.segments = 0;
    f->n_targets = 0;
}

static void make_room(struct ft_feed *f, size_t tokens)
{
    const size_t n = (size_t)f->batch.n + tokens, k = (size_t)f->batch.segments + 2;
    if (n > f->cap) {
        f->cap = n > 2 * f->cap ? n : 2 * f->cap;
        f->tokens = ft_reallocs(f->tokens, f->cap, sizeof *f->tokens);
        f->targets = ft_reallocs(f->targets, f->cap, sizeof *f->targets);
        f->positions = ft_reallocs(f->positions, f->cap, sizeof *f->positions);
        f->flags = ft_reallocs(f->flags, f->cap, sizeof *f->flags);
    }
    if (k > f->cap_segments) {
        f->cap_segments = 2 * k;
        f->segment = ft_reallocs(f->segment, f->cap_segments, sizeof *f->segment);
        f->document = ft_reallocs(f->document, f->cap_segments, sizeof *f->document);
        f->doc = ft_reallocs(f->doc, f->cap_segments, sizeof *f->doc);
    }
}

/* Adds one whole document, or a piece of one. */
static int add_piece(struct ft_feed *f, struct ft_set *set, const struct ft_piece *p, uint64_t epoch, struct ft_err *e)
{
    struct ft_doc d;
    if (ft_set_doc(set, p->doc, &d, e))
        return -1;
    make_room(f, p->length);
    const ft_dim at = f->batch.n, s = f->batch.segments;
    ft_doc_tokens(&d, p->start, p->length, f->tokens + at);
    ft_doc_flags(&d, p->start, p->length, f->flags);
    for (uint32_t i = 0; i < p->length; i++) {
        const bool learn = i + 1 < p->length && (f->flags[i + 1] & FT_RUN_LEARN);
        f->targets[at + i] = learn ? f->tokens[at + i + 1] : FT_NO_TARGET;
        f->positions[at + i] = (int32_t)i;
        f->n_targets += learn;
    }
    f->segment[s] = (int32_t)at;
    /* One key a piece and epoch, so that no dropout mask comes twice. */
    f->document[s] = ft_permute_key(p->doc, p->start, epoch);
    f->doc[s] = p->doc;
    f->batch.segments++;
    f->batch.n += p->length;
    return 0;
}

int ft_feed_add(struct ft_feed *f, struct ft_rows *r, uint64_t row, uint64_t epoch, struct ft_err *e)
{
    size_t n;
    uint32_t learn;
    if (ft_set_row(r->set, row, r->pieces, r->max_pieces, &n, &learn, e))
        return -1;
    for (size_t k = 0; k < n; k++)
        if (ft_rows_has(r, r->pieces[k].doc) && add_piece(f, r->set, &r->pieces[k], epoch, e))
            return -1;
    return 0;
}

void ft_feed_end(struct ft_feed *f)
{
    make_room(f, 1);
    f->segment[f->batch.segments] = (int32_t)f->batch.n;
    f->batch.tokens = f->tokens;
    f->batch.targets = f->targets;
    f->batch.positions = f->positions;
    f->batch.segment = f->segment;
    f->batch.document = f->document;
}

void ft_feed_release(struct ft_feed *f)
{
    free(f->tokens);
    free(f->targets);
    free(f->positions);
    free(f->segment);
    free(f->document);
    free(f->doc);
    free(f->flags);
    *f = (struct ft_feed){0};
}
