/* Verbs of ft-shard that look at sets. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/outfile.h"
#include "pipeline/shard_json.h"
#include "pipeline/shard_show.h"
#include "pipeline/shard_verbs.h"

/* ---- what the verbs share ---- */

struct ft_set *ft_verb_open(const struct ft_tool *t, const char *dir)
{
    struct ft_set *s;
    struct ft_err e = {0};
    if (ft_set_open(dir, &s, &e))
        ft_die(t, &e);
    return s;
}

/* The one folder that the verb works on. */
struct ft_set *ft_verb_open_one(const struct ft_tool *t, char **args, size_t n)
{
    if (n != 1)
        ft_usage(t, "give one set's folder");
    return ft_verb_open(t, args[0]);
}

void ft_verb_print(struct ft_buf *b)
{
    if (b->n) /* an empty buffer has no bytes to point to */
        fwrite(b->p, 1, b->n, stdout);
    b->n = 0;
}

/* Ends a verb that printed. */
int ft_verb_done(const struct ft_tool *t, struct ft_set *s, struct ft_buf *b, const struct ft_err *e)
{
    ft_set_close(s);
    ft_buf_release(b);
    if (e->code) {
        fflush(stdout);
        ft_die(t, e);
    }
    return ft_close_stdout(t);
}

/* ---- info, verify ---- */

int ft_verb_info(int argc, char **argv)
{
    bool json = false;
    const struct ft_opt opts[] = {
        {0, "json", FT_OPT_FLAG, &json, NULL, "the manifest, on one line", NULL},
        {0},
    };
    const struct ft_tool tool = {"ft-shard info", "Show what a set holds.", "[options] DIR", opts, NULL,
                                 "Reads the manifest, the frames of the files and the plan, no documents."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    struct ft_buf b = {0};
    struct ft_err e = {0};
    if (json) {
        const struct ft_str raw = ft_set_info(s)->manifest->raw;
        for (size_t i = 0; i < raw.n; i++) /* no string holds a raw newline */
            if (raw.p[i] != '\n')
                ft_buf_putc(&b, raw.p[i]);
        ft_buf_putc(&b, '\n');
    } else {
        ft_show_info(s, args[0], &b);
    }
    ft_verb_print(&b);
    return ft_verb_done(&tool, s, &b, &e);
}

int ft_verb_verify(int argc, char **argv)
{
    bool quiet = false;
    const struct ft_opt opts[] = {
        {'q', "quiet", FT_OPT_FLAG, &quiet, NULL, "say nothing about good sets", NULL},
        {0},
    };
    const struct ft_tool tool = {"ft-shard verify", "Check every byte of sets.", "[options] DIR...", opts, NULL,
                                 "Every checksum, every id, every row of the plan. Any flipped bit, any truncation is\n"
                                 "found; the first one of each set is named with file and byte."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    int status = 0;
    if (!n)
        ft_usage(&tool, "give a set's folder");
    for (size_t i = 0; i < n; i++) {
        struct ft_set *s = NULL;
        struct ft_err e = {0};
        if (ft_set_open(args[i], &s, &e) || ft_set_verify(s, &e)) {
            fprintf(stderr, "%s: %s\n", tool.name, e.msg);
            status = (int)e.code > status ? (int)e.code : status;
        } else if (!quiet) {
            const struct ft_set_info *f = ft_set_info(s);
            printf("%s: good: %" PRIu64 " documents, %" PRIu64 " tokens, %" PRIu64 " rows in %d shard%s\n", args[i],
                   f->docs, f->tokens, f->rows, f->shards, f->shards == 1 ? "" : "s");
        }
        ft_set_close(s);
    }
    const int closed = ft_close_stdout(&tool);
    return closed > status ? closed : status;
}

/* ---- cat ---- */

int ft_verb_cat(int argc, char **argv)
{
    bool rows = false;
    const struct ft_opt opts[] = {
        {0, "rows", FT_OPT_FLAG, &rows, NULL, "packed rows, as a trainer reads them", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-shard cat", "Print the documents of sets as JSON lines.", "[options] DIR...", opts, NULL,
        "A document is printed as the record from which ft-pack makes an equal one: input_ids,\n"
        "labels and spans, or prompt_ids, chosen_ids and rejected_ids, and its stamp. A row has\n"
        "input_ids, labels (not shifted), seq_lengths and docs, [document, start, length] each."};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_buf b = {0};
    struct ft_err e = {0};
    if (!n)
        ft_usage(&tool, "give a set's folder");
    for (size_t k = 0; k < n && !e.code; k++) {
        struct ft_set *s = ft_verb_open(&tool, args[k]);
        const uint64_t count = rows ? ft_set_info(s)->rows : ft_set_info(s)->docs;
        for (uint64_t i = 0; i < count && !ferror(stdout); i++) {
            if (rows ? ft_row_json(s, i, &b, &e) : ft_doc_json(s, i, &b, &e))
                break;
            if (b.n > 1 << 16)
                ft_verb_print(&b);
        }
        ft_verb_print(&b);
        ft_set_close(s);
    }
    return ft_verb_done(&tool, NULL, &b, &e);
}

/* ---- export ---- */

enum { EXPORT_DOCUMENTS, EXPORT_ROWS, EXPORT_TOKENS };

/* All tokens of a document as they are stored. A flat file has no mask, so
 * none may be lost. */
static int put_tokens(struct ft_set *s, uint64_t i, struct ft_buf *out, struct ft_err *e)
{
    struct ft_doc d;
    if (ft_set_doc(s, i, &d, e))
        return -1;
    for (uint32_t k = 0; k < d.n_runs; k++)
        if (!(d.runs[k].flags & FT_RUN_LEARN) || d.kind == FT_DOC_PREFERENCE)
            return ft_fail(e, FT_DATA, "document %" PRIu64 " is learnt in part, and '--format tokens' knows no mask", i);
    ft_buf_put(out, d.tokens, (size_t)d.n * (size_t)d.width);
    return 0;
}

int ft_verb_export(int argc, char **argv)
{
    const char *path = NULL;
    int format = EXPORT_DOCUMENTS;
    const struct ft_opt opts[] = {
        {'o', "output", FT_OPT_STR, &path, "FILE", "write there (complete or not at all), not to stdout", NULL},
        {0, "format", FT_OPT_CHOICE, &format, "documents|rows|tokens", "below", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-shard export", "Write a set as other trainers read it.", "[options] DIR", opts, NULL,
        "  documents  JSON lines of input_ids and labels, or prompt_ids, chosen_ids and rejected_ids,\n"
        "             as TRL takes data that is tokenized already\n"
        "  rows       JSON lines of packed rows: input_ids, labels, position_ids\n"
        "  tokens     the ids of plain text, document behind document, two bytes each (four, where\n"
        "             the vocabulary is larger than 65536 or unknown), as nanoGPT maps them"};
    size_t n;
    char **args = ft_cli(&tool, argc, argv, &n);
    struct ft_set *s = ft_verb_open_one(&tool, args, n);
    const uint64_t count = format == EXPORT_ROWS ? ft_set_info(s)->rows : ft_set_info(s)->docs;
    struct ft_buf b = {0};
    struct ft_err e = {0};
    struct ft_outfile out;
    if (ft_outfile_open(&out, path, &e))
        ft_die(&tool, &e);
    for (uint64_t i = 0; i < count && !e.code; i++) {
        if (format == EXPORT_TOKENS)
            put_tokens(s, i, &b, &e);
        else if (format == EXPORT_ROWS)
            ft_row_json_bare(s, i, &b, &e);
        else
            ft_doc_json_bare(s, i, &b, &e);
        if (!e.code && (b.n > 1 << 16 || i + 1 == count)) {
            ft_outfile_write(&out, b.p, b.n, &e);
            b.n = 0;
        }
    }
    ft_outfile_close(&out, !e.code, &e);
    ft_set_close(s);
    ft_buf_release(&b);
    if (e.code)
        ft_die(&tool, &e);
    return 0;
}
