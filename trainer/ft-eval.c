/* ft-eval -- the loss of a model on shards, as JSON on stdout. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json.h"
#include "tokenizer/tokenizer.h"
#include "trainer/base.h"
#include "trainer/evaluate.h"

enum { MICRO_TOKENS = 4096 };

struct doc_sum {
    double nll, entropy;
    int64_t targets, greedy;
    uint64_t tokens;
};

/* The shards' vocabulary against the model's. */
static int check_vocabulary(const struct ft_tool *tool, const char *model, const char *dir, const struct ft_set_info *info,
                            struct ft_err *e)
{
    struct ft_tokenizer *tok = NULL;
    struct ft_err note = {0};
    ft_tokenizer_load(model, &tok, NULL);
    const int r = ft_rows_vocabulary(info, dir, tok ? ft_tokenizer_fingerprint(tok) : "", model, &note, e);
    if (!r && note.msg[0])
        ft_warn(tool, "%s", note.msg);
    ft_tokenizer_free(tok);
    return r;
}

static void put(struct ft_buf *b, const char *name, double v)
{
    ft_buf_printf(b, ", \"%s\": ", name);
    ft_json_put_real(b, v);
}

/* Loss and what follows from it; `bytes` 0: not known, or not all of the text is learnt. */
static void put_loss(struct ft_buf *b, const struct doc_sum *s, uint64_t bytes)
{
    const double n = s->targets ? (double)s->targets : NAN, loss = s->nll / n;
    ft_buf_putz(b, "\"loss\": ");
    ft_json_put_real(b, loss);
    put(b, "perplexity", exp(loss));
    put(b, "bits_per_byte", bytes ? s->nll / log(2) / (double)bytes : NAN);
    put(b, "entropy", s->entropy / n);
    put(b, "mean_token_accuracy", (double)s->greedy / n);
    ft_buf_printf(b, ", \"tokens\": %" PRId64 ", \"num_tokens\": %" PRIu64, s->targets, s->tokens);
    if (bytes)
        ft_buf_printf(b, ", \"bytes\": %" PRIu64, bytes);
}

/* Bytes of the document's text, if all of it but the first token is learnt. */
static uint64_t learnt_bytes(const struct ft_doc *d)
{
    for (uint32_t i = 0, at = 0; i < d->n_runs; at = d->runs[i++].end)
        if (!(d->runs[i].flags & FT_RUN_LEARN) && d->runs[i].end > (at > 1 ? at : 1))
            return 0;
    return d->bytes;
}

static int put_document(const struct ft_doc *d, const struct doc_sum *s, struct ft_err *e)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "{\"document\": %" PRIu64 ", \"uid\": \"", d->id);
    for (int i = 0; i < 16; i++)
        ft_buf_printf(&b, "%02x", d->uid[i]);
    ft_buf_putz(&b, "\", \"source\": ");
    ft_json_put_str(&b, d->source);
    ft_buf_putz(&b, ", ");
    put_loss(&b, s, learnt_bytes(d));
    ft_buf_putz(&b, "}\n");
    const int r = fwrite(b.p, 1, b.n, stdout) == b.n ? 0 : ft_fail_errno(e, "cannot write stdout");
    ft_buf_release(&b);
    return r;
}

struct eval {
    struct ft_model *model;
    struct ft_rows rows;
    struct ft_feed feed;
    struct doc_sum *doc; /* one a document */
    float *logp, *entropy;
    uint8_t *greedy;
    size_t cap;
    uint64_t batch_rows, batches;
    double row_loss;
};

static int run(struct eval *v, struct ft_err *e)
{
    for (uint64_t i = 0; i < v->rows.n; v->batches++) {
        struct ft_loss loss;
        uint64_t k = 0;
        ft_feed_start(&v->feed);
        for (; k < v->batch_rows && i < v->rows.n; k++, i++)
            if (ft_feed_add(&v->feed, &v->rows, v->rows.row[i], 0, e))
                return -1;
        ft_feed_end(&v->feed);
        const size_t n = (size_t)v->feed.batch.n;
        if (n > v->cap) {
            v->cap = n;
            v->logp = ft_reallocs(v->logp, n, sizeof *v->logp);
            v->entropy = ft_reallocs(v->entropy, n, sizeof *v->entropy);
            v->greedy = ft_reallocs(v->greedy, n, sizeof *v->greedy);
        }
        struct ft_scores s = {v->logp, v->entropy, v->greedy};
        if (ft_model_score(v->model, &v->feed.batch, &s, &loss, e))
            return -1;
        v->row_loss += loss.count ? loss.nll / (double)loss.count * (double)k : 0;
        for (ft_dim seg = 0; seg < v->feed.batch.segments; seg++) {
            struct doc_sum *d = &v->doc[v->feed.doc[seg]];
            for (int32_t t = v->feed.segment[seg]; t < v->feed.segment[seg + 1]; t++) {
                d->tokens++;
                if (v->feed.targets[t] < 0)
                    continue;
                d->nll -= v->logp[t];
                d->entropy += v->entropy[t];
                d->greedy += v->greedy[t];
                d->targets++;
            }
        }
    }
    return 0;
}

static int report(const struct eval *v, bool per_document, struct ft_err *e)
{
    struct doc_sum all = {0};
    uint64_t bytes = 0;
    bool whole = true;
    struct ft_buf b = {0};
    for (uint64_t i = 0; i < ft_set_info(v->rows.set)->docs; i++) {
        const struct doc_sum *s = &v->doc[i];
        struct ft_doc d;
        if (ft_set_doc(v->rows.set, i, &d, e) || (per_document && put_document(&d, s, e)))
            return -1;
        all.nll += s->nll;
        all.entropy += s->entropy;
        all.targets += s->targets;
        all.greedy += s->greedy;
        all.tokens += s->tokens;
        const uint64_t n = learnt_bytes(&d);
        bytes += n;
        whole = whole && n;
    }
    ft_buf_putz(&b, "{");
    put_loss(&b, &all, whole ? bytes : 0);
    ft_buf_printf(&b, ", \"documents\": %" PRIu64 ", \"rows\": %" PRIu64, ft_set_info(v->rows.set)->docs, v->rows.n);
    put(&b, "row_mean_loss", v->rows.n ? v->row_loss / (double)v->rows.n : NAN);
    ft_buf_putz(&b, "}\n");
    const int r = fwrite(b.p, 1, b.n, stdout) == b.n ? 0 : ft_fail_errno(e, "cannot write stdout");
    ft_buf_release(&b);
    return r;
}

int main(int argc, char **argv)
{
    const char *model = NULL, *adapter = NULL, *data = NULL;
    bool per_document = false;
    uint64_t threads = 0, batch_rows = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &model, "BASE", "model folder, or org/name in the hub cache", NULL},
        {0, "adapter", FT_OPT_STR, &adapter, "DIR", "PEFT adapter", NULL},
        {'d', "data", FT_OPT_STR, &data, "SHARDS", "what ft-pack made", NULL},
        {0, "per-document", FT_OPT_FLAG, &per_document, NULL, "first a line for each document", NULL},
        {0, "per-device-eval-batch-size", FT_OPT_SIZE, &batch_rows, "N", "rows at a time; about 4096 tokens when absent", NULL},
        {'j', "jobs", FT_OPT_SIZE, &threads, "N", "threads; every CPU allowed when absent", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-eval", "Print the loss of a model on shards.", "-m BASE -d SHARDS [options]", opts, NULL,
        "One JSON object: loss (nats a learnt token), perplexity, bits_per_byte (where all of the text is learnt and its size\n"
        "known), tokens (learnt), num_tokens (all), and row_mean_loss, the mean over rows that transformers' eval_loss is."};
    struct ft_base base = {0};
    struct ft_backend backend = {0};
    struct ft_set *set = NULL;
    struct eval v = {0};
    struct ft_err e = {0};
    size_t n;
    int slot, bad = -1;

    ft_cli(&tool, argc, argv, &n);
    if (n || !model || !data)
        ft_usage(&tool, n ? "no operands are taken" : model ? "no shards: '-d'" : "no model: '-m'");
    if (ft_base_open(&base, model, &e) || ft_set_open(data, &set, &e) ||
        check_vocabulary(&tool, base.dir, data, ft_set_info(set), &e))
        goto out;
    if (base.untied)
        ft_warn(&tool, "'%s' stores two tables although its config ties them: they stay two", model);
    if (ft_rows_init(&v.rows, set, data, FT_ROWS_ALL, 0, &base.config, &e))
        goto out;
    if (!v.rows.targets) {
        ft_fail(&e, FT_DATA, "%s: no token is learnt", data);
        goto out;
    }
    if (v.rows.max_piece > base.config.max_positions) {
        ft_fail(&e, FT_DATA, "%s: a document of %" PRIu32 " tokens in a row, and the model has %" PRId64 " positions ('ft-shard repack')",
                data, v.rows.max_piece, base.config.max_positions);
        goto out;
    }
    if (ft_backend_open(&backend, threads, &e) || ft_base_model(&base, &backend, adapter, false, &v.model, &slot, &e))
        goto out;
    v.batch_rows = batch_rows ? batch_rows : v.rows.max_row < MICRO_TOKENS ? MICRO_TOKENS / v.rows.max_row : 1;
    const uint64_t tokens = v.batch_rows > v.rows.tokens / v.rows.max_row ? v.rows.tokens : v.batch_rows * v.rows.max_row;
    v.doc = ft_calloc(ft_set_info(set)->docs, sizeof *v.doc);
    if (ft_model_reserve(v.model, &(struct ft_plan){.tokens = (ft_dim)tokens}, &e) || run(&v, &e) || report(&v, per_document, &e))
        goto out;
    bad = 0;
out:
    ft_model_free(v.model);
    if (backend.op)
        ft_backend_close(&backend);
    ft_rows_release(&v.rows);
    ft_feed_release(&v.feed);
    ft_set_close(set);
    ft_base_close(&base);
    free(v.doc);
    free(v.logp);
    free(v.entropy);
    free(v.greedy);
    if (bad)
        ft_die(&tool, &e);
    return ft_close_stdout(&tool);
}
