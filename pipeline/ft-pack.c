/* ft-pack -- the end of the pipe: documents of token ids into a set of shards,
 * with a plan of rows (SHARD.md).
 *
 * The only place where a document is shortened, after masking, and counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/doc_read.h"
#include "pipeline/fit.h"
#include "pipeline/plan.h"
#include "pipeline/shard_write.h"
#include "pipeline/stream.h"
#include "tokenizer/tokenizer.h"

enum { LOOKAHEAD = 1000, LOOKAHEAD_TOKENS = 16 << 20 }; /* read before --strategy=auto decides */
enum strategy { STRATEGY_AUTO, STRATEGY_BFD, STRATEGY_WRAPPED, STRATEGY_NONE };

struct packer {
    const struct ft_tool *tool;
    struct ft_stream *stream;
    const char *dir;
    struct ft_writer_opts o;
    struct ft_writer *writer;
    int strategy;
    struct ft_fit fit;

    struct ft_tokenizer *tokenizer; /* -m, or NULL */
    char tok[FT_TOK_FINGERPRINT + 1]; /* of the set; empty: unknown */
    bool tok_known;           /* the first document has decided */
    struct ft_buf tpl;        /* distinct template digests, a JSON array without its brackets */

    struct ft_doc *held;      /* the documents read ahead */
    size_t n_held;
    uint64_t held_tokens;
    struct ft_arena held_mem;
    bool only_text;           /* the strategy rests on there being nothing but plain text */
};

/* ---- what a record must hold ---- */

static int check_tok(struct packer *p, struct ft_str tok, struct ft_err *e)
{
    if (p->tokenizer && tok.n && !ft_str_is(tok, p->tok))
        return ft_fail(e, FT_DATA, "its tokens are of vocabulary %.*s, and '-m' has %s", (int)tok.n, tok.p, p->tok);
    if (p->tokenizer)
        return 0;
    if (tok.n > FT_TOK_FINGERPRINT)
        return ft_fail(e, FT_DATA, "\"_ft\": \"tok\" is longer than a fingerprint");
    if (!p->tok_known) {
        memcpy(p->tok, tok.p ? tok.p : "", tok.n);
        p->tok[tok.n] = 0;
        p->tok_known = true;
    }
    if (ft_str_is(tok, p->tok))
        return 0;
    if (!tok.n || !*p->tok)
        return ft_fail(e, FT_DATA, "%s names its tokenizer, and %s: say with '-m' which it is",
                       tok.n ? "this record" : "an earlier record", tok.n ? "an earlier one did not" : "this one does not");
    return ft_fail(e, FT_DATA, "its tokens are of vocabulary %.*s, those before of %s", (int)tok.n, tok.p, p->tok);
}

static void note_tpl(struct packer *p, struct ft_str tpl)
{
    char hex[40];
    if (!tpl.n || tpl.n > 32 || (p->tpl.n && tpl.n + 1 < p->tpl.n && !memcmp(p->tpl.p + p->tpl.n - 1 - tpl.n, tpl.p, tpl.n) &&
                                 p->tpl.p[p->tpl.n - 2 - tpl.n] == '"'))
        return; /* none, or the last one again */
    snprintf(hex, sizeof hex, "\"%.*s\"", (int)tpl.n, tpl.p);
    ft_buf_putc(&p->tpl, 0);
    p->tpl.n--;
    if (strstr(p->tpl.p, hex))
        return;
    ft_buf_putz(&p->tpl, p->tpl.n ? "," : "");
    ft_buf_putz(&p->tpl, hex);
}

/* 1: take it; 0: drop it, *why says for what; -1: bad. */
static int take(struct packer *p, struct ft_rec *r, struct ft_doc *d, const char **why, struct ft_err *e)
{
    struct ft_stamp stamp;
    uint64_t learnt;
    if (ft_doc_read(r, d, &stamp, &learnt, e) || check_tok(p, stamp.tok, e) || ft_writer_check(d, p->o.vocab_size, e))
        return -1;
    note_tpl(p, stamp.tpl);
    if (d->kind == FT_DOC_TEXT && d->n < 2) {
        *why = "empty"; /* no token has one before it */
        return 0;
    }
    if (!d->n || (!p->fit.allow_unlearnt && !(learnt && ft_doc_targets(d, 0, d->n))))
        return ft_fail(e, FT_DATA, "nothing to learn in its %u tokens (--allow-unlearnt takes it)", d->n);
    if (d->kind != FT_DOC_TEXT && p->only_text && p->writer)
        return ft_fail(e, FT_DATA, "the documents before were plain text and are being packed as such, and this one is not: "
                       "say '--strategy=bfd' or 'wrapped'");
    *why = "overlong";
    return ft_fit(&p->fit, d, e);
}

/* ---- reading ahead ---- */

static void hold(struct packer *p, const struct ft_doc *d)
{
    struct ft_doc *h = &p->held[p->n_held++];
    *h = *d;
    h->tokens = ft_arena_dup(&p->held_mem, d->tokens, d->n * (size_t)d->width);
    h->runs = (const struct ft_run *)ft_arena_dup(&p->held_mem, (const char *)d->runs, d->n_runs * sizeof *d->runs);
    h->source.p = ft_str_z(&p->held_mem, d->source);
    h->file.p = ft_str_z(&p->held_mem, d->file);
}

/* Decides on a strategy and writes what was held. */
static int start(struct packer *p, struct ft_err *e)
{
    static const enum ft_strategy given[] = {FT_PACK_BFD, FT_PACK_BFD, FT_PACK_WRAPPED, FT_PACK_NONE};
    size_t text = 0, pairs = 0;
    for (size_t i = 0; i < p->n_held; i++) {
        text += p->held[i].kind == FT_DOC_TEXT;
        pairs += p->held[i].kind == FT_DOC_PREFERENCE;
    }
    p->o.strategy = given[p->strategy];
    if (p->strategy == STRATEGY_AUTO && p->n_held) {
        p->only_text = text == p->n_held;
        p->o.strategy = p->only_text ? FT_PACK_WRAPPED : pairs == p->n_held ? FT_PACK_NONE : FT_PACK_BFD;
    }
    if (ft_writer_new(p->dir, &p->o, &p->writer, e))
        return -1;
    for (size_t i = 0; i < p->n_held; i++)
        if (ft_writer_add(p->writer, &p->held[i], e))
            return -1;
    ft_arena_release(&p->held_mem);
    free(p->held);
    p->held = NULL;
    return 0;
}

static int put(struct packer *p, const struct ft_doc *d, struct ft_err *e)
{
    if (p->writer)
        return ft_writer_add(p->writer, d, e);
    hold(p, d);
    p->held_tokens += d->n;
    return p->n_held == LOOKAHEAD || p->held_tokens >= LOOKAHEAD_TOKENS ? start(p, e) : 0;
}

/* ---- all of it ---- */

static int pack_all(struct packer *p, struct ft_err *e)
{
    struct ft_rec *r;
    int k;
    while ((k = ft_stream_next(p->stream, &r, e)) > 0) {
        struct ft_doc d;
        const char *why = NULL;
        k = take(p, r, &d, &why, e);
        if (k < 0) {
            if (ft_stream_bad(p->stream, r, e))
                return -1;
        } else if (k == 0) {
            ft_stream_drop(p->stream, r, why);
        } else if (put(p, &d, e)) {
            return -1;
        } else {
            ft_stream_keep(p->stream, r);
        }
    }
    return k;
}

static int commit(struct packer *p, struct ft_set_info *info, struct ft_err *e)
{
    char tok[FT_TOK_FINGERPRINT + 3] = "null";
    struct ft_buf tpl = {0}, over = {0};
    if (!p->writer && !p->n_held)
        return ft_fail(e, FT_DATA, "no documents to pack");
    if (!p->writer && start(p, e))
        return -1;
    if (*p->tok)
        snprintf(tok, sizeof tok, "\"%s\"", p->tok);
    ft_buf_printf(&tpl, "[%.*s]", (int)p->tpl.n, p->tpl.p ? p->tpl.p : "");
    ft_fit_json(&p->fit, &over);
    const struct ft_writer_facts f = {.tok = ft_strz(tok),
                                      .tpl = ft_buf_str(&tpl),
                                      .overlong = ft_buf_str(&over),
                                      .lineage = ft_stream_lineage(p->stream),
                                      .sealed = ft_stream_sealed(p->stream)};
    const int r = ft_writer_commit(p->writer, &f, info, e);
    p->writer = NULL;
    ft_buf_release(&tpl);
    ft_buf_release(&over);
    return r;
}

static void summary(const struct packer *p, const struct ft_set_info *i)
{
    const double room = (double)i->rows * (double)p->o.length;
    fprintf(stderr, "%s: %s: %" PRIu64 " documents, %" PRIu64 " tokens (%" PRIu64 " learnt) in %" PRIu64 " rows of %" PRIu64,
            p->tool->name, p->dir, i->docs, i->tokens, i->row_learn, i->rows, p->o.length);
    fprintf(stderr, " (%s, %.1f%% full)%s\n", ft_strategy_names[i->strategy], room > 0 ? 100 * (double)i->tokens / room : 0,
            *p->tok ? "" : "; vocabulary unknown, '-m' would name it");
}

int main(int argc, char **argv)
{
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    struct packer p = {.o = {.length = 2048, .window = 1 << 16, .shard_bytes = 1 << 30}, .fit.max_dropped = 0.05};
    const char *model = NULL;
    so.no_records_out = true;
    const struct ft_opt opts[] = {
        {'o', "output", FT_OPT_STR, &p.dir, "DIR", "the set's folder; it is made", NULL},
        {0, "length", FT_OPT_SIZE, &p.o.length, "N", "tokens of a row", NULL},
        {0, "strategy", FT_OPT_CHOICE, &p.strategy, "auto|bfd|wrapped|none",
         "bfd: whole documents, best fit; wrapped: cut anywhere, rows full; none: a row each; auto: plain text "
         "wrapped, pairs none, all else bfd", NULL},
        {'m', "model", FT_OPT_STR, &model, "DIR", "the tokenizer the ids are of: checks them, names it in the set", NULL},
        {0, "overlong", FT_OPT_CHOICE, &p.fit.how, FT_OVERLONG_WORDS,
         "documents longer than a row; auto: plain text is split, all else dropped", NULL},
        {0, "max-overlong", FT_OPT_REAL, &p.fit.max_dropped, "P", "fail when more of them than this share are dropped", NULL},
        {0, "allow-unlearnt", FT_OPT_FLAG, &p.fit.allow_unlearnt, NULL, "take documents in which nothing is learnt", NULL},
        {0, "pack-window", FT_OPT_SIZE, &p.o.window, "N", "documents that bfd looks at together", NULL},
        {0, "shard-size", FT_OPT_SIZE, &p.o.shard_bytes, "BYTES", "begin a new file from here on", NULL},
        {0, "force", FT_OPT_FLAG, &p.o.force, NULL, "replace the set that is there", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-pack", "Pack token ids into a checksummed set of shards.", "-o DIR --length N [options] [FILE...]", opts,
        ft_stream_options(&so),
        "Reads input_ids with labels or learn (without: all is learnt), or prompt_ids, chosen_ids\n"
        "and rejected_ids. Nothing of the set is valid before all is; in a sealed pipe (ft-pipe)\n"
        "not before every stage has vouched for its output."};
    struct ft_err e = {0};
    struct ft_set_info info = {0};
    char **files = ft_cli(&tool, argc, argv, NULL);
    p.tool = &tool;
    if (!p.dir || !*p.dir)
        ft_usage(&tool, "give the set's folder: '-o DIR'");
    if (p.o.length < 2 || p.o.length > INT32_MAX)
        ft_usage(&tool, "option '--length' wants from 2 to %d tokens", INT32_MAX);
    if (!p.o.force && ft_writer_is_free(p.dir, &e))
        ft_die(&tool, &e);
    if (model) {
        if (ft_tokenizer_load(model, &p.tokenizer, &e))
            ft_die(&tool, &e);
        memcpy(p.tok, ft_tokenizer_fingerprint(p.tokenizer), FT_TOK_FINGERPRINT);
        p.o.vocab_size = ft_tokenizer_size(p.tokenizer);
    }
    p.fit.length = p.o.length;
    p.fit.wrapped = p.strategy == STRATEGY_WRAPPED;
    p.held = ft_calloc(LOOKAHEAD, sizeof *p.held);
    p.stream = ft_stream_open(&tool, &so, files, argv);
    bool good = pack_all(&p, &e) == 0 && ft_stream_check(p.stream, &e) == 0;
    good = good && ft_fit_check(&p.fit, &e) == 0 && commit(&p, &info, &e) == 0;
    if (!good)
        ft_writer_abort(p.writer);
    const int status = ft_stream_close(p.stream, &e);
    if (good && !so.quiet)
        summary(&p, &info);
    ft_tokenizer_free(p.tokenizer);
    ft_arena_release(&p.held_mem);
    ft_buf_release(&p.tpl);
    free(p.held);
    return status;
}
