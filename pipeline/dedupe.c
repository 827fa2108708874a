/* dedupe -- drops records whose key was seen before.
 *
 * Exact: keys are compared by their 128-bit digests. The first record of a key
 * is kept, so what is kept does not depend on what follows, and every dropped
 * record has one kept match, which --explain names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/record_key.h"
#include "pipeline/seen_set.h"
#include "pipeline/side_input.h"
#include "pipeline/stream.h"

/* Where a record came from, in 63 bits: bit 62 for the reference set, 18 bits
 * for the file's number, 44 for the line. */
enum { LINE_BITS = 44, FILE_BITS = 18 };
static const uint64_t in_reference = (uint64_t)1 << 62;

struct answer { /* the first to a prompt */
    struct ft_digest response;
    uint64_t where;
};

struct dedupe {
    struct ft_stream *stream;
    struct ft_key key, prompt, response;
    uint64_t limit;
    struct ft_seen seen;    /* key -> where */
    struct ft_seen prompts; /* prompt -> number of its first answer */
    struct answer *answers;
    size_t n_answers, cap_answers;
    struct ft_str *files; /* names that `where` refers to */
    size_t n_files;
    struct ft_seen names; /* file name -> its number */
    struct ft_arena mem;
    const char *explain_path;
    FILE *explain;
    struct ft_buf line;
};

/* ---- where a record is ---- */

static int file_number(struct dedupe *d, struct ft_str name, uint64_t *out, struct ft_err *e)
{
    const struct ft_digest key = ft_hash128(name.p ? name.p : "", name.n);
    if (ft_seen_get(&d->names, key, out))
        return 0;
    if (d->n_files >> FILE_BITS)
        return ft_fail(e, FT_DATA, "records of more than %d files", 1 << FILE_BITS);
    if ((d->n_files & (d->n_files - 1)) == 0)
        d->files = ft_reallocs(d->files, d->n_files ? d->n_files * 2 : 1, sizeof *d->files);
    d->files[d->n_files] = (struct ft_str){ft_arena_dup(&d->mem, name.p, name.n), name.n};
    *out = d->n_files++;
    return ft_seen_put(&d->names, key, *out, e);
}

/* The origin that its stamp gives, else the place it was read at. */
static int where_is(struct dedupe *d, struct ft_rec *r, uint64_t *out, struct ft_err *e)
{
    struct ft_stamp stamp = {0};
    struct ft_str name = ft_strz(r->file);
    uint64_t line = r->lineno, file = 0;

    if (ft_rec_has(r, "_ft")) {
        if (ft_rec_get_stamp(r, &stamp, e) < 0)
            return -1;
        if (stamp.org_line > 0) {
            name = stamp.org_file;
            line = (uint64_t)stamp.org_line;
        }
    }
    if (file_number(d, name, &file, e))
        return -1;
    *out = file << LINE_BITS | (line & (((uint64_t)1 << LINE_BITS) - 1));
    return 0;
}

static void put_place(struct dedupe *d, uint64_t where)
{
    ft_json_put_str(&d->line, d->files[where >> LINE_BITS & ((1 << FILE_BITS) - 1)]);
    ft_buf_printf(&d->line, ",%" PRIu64, where & (((uint64_t)1 << LINE_BITS) - 1));
}

/* {"what":"duplicate","at":["a.jsonl",7],"of":["a.jsonl",2]} */
static int explain(struct dedupe *d, const char *what, uint64_t at, uint64_t of, struct ft_err *e)
{
    if (!d->explain)
        return 0;
    d->line.n = 0;
    ft_buf_printf(&d->line, "{\"what\":\"%s\",\"at\":[", what);
    put_place(d, at);
    ft_buf_putz(&d->line, "],\"of\":[");
    put_place(d, of);
    ft_buf_putz(&d->line, "]}\n");
    if (fwrite(d->line.p, 1, d->line.n, d->explain) != d->line.n)
        return ft_fail_errno(e, "cannot write '%s'", d->explain_path);
    return 0;
}

/* ---- the work ---- */

/* Another answer to a prompt than its first: such pairs teach a contradiction.
 * Counted and explained; dropping is for keys to decide. */
static int conflict(struct dedupe *d, struct ft_rec *r, uint64_t where, struct ft_err *e)
{
    struct ft_digest prompt, response;
    uint64_t i;
    int found = ft_key_find(&d->response, r, &response, e);

    if (found > 0)
        found = ft_key_find(&d->prompt, r, &prompt, e);
    if (found <= 0)
        return found;
    if (ft_seen_get(&d->prompts, prompt, &i)) {
        if (d->answers[i].response.lo == response.lo && d->answers[i].response.hi == response.hi)
            return 0;
        ft_stream_count(d->stream, "conflicts", 1);
        return explain(d, "conflict", where, d->answers[i].where, e);
    }
    if (d->n_answers == d->cap_answers) {
        const size_t cap = d->cap_answers ? d->cap_answers * 2 : 256;
        const uint64_t more = (cap - d->cap_answers) * sizeof *d->answers;
        if (d->limit < more)
            return ft_fail(e, FT_SYS, "%zu prompts fill the memory allowed", d->n_answers);
        d->limit -= more;
        d->answers = ft_reallocs(d->answers, cap, sizeof *d->answers);
        d->cap_answers = cap;
    }
    d->answers[d->n_answers] = (struct answer){response, where};
    return ft_seen_put(&d->prompts, prompt, d->n_answers++, e);
}

/* 1: keep it, 0: dropped, -1. */
static int judge(struct dedupe *d, struct ft_rec *r, bool conflicts, struct ft_err *e)
{
    struct ft_digest key;
    uint64_t where, first;

    if (ft_key_of(&d->key, r, &key, e) || where_is(d, r, &where, e) ||
        (conflicts && conflict(d, r, where, e) < 0))
        return -1;
    if (!ft_seen_get(&d->seen, key, &first))
        return ft_seen_put(&d->seen, key, where, e) ? -1 : 1;
    const char *what = first & in_reference ? "in_reference" : "duplicate";
    if (explain(d, what, where, first, e))
        return -1;
    ft_stream_drop(d->stream, r, what);
    return 0;
}

static int read_reference(struct dedupe *d, const struct ft_stream_opts *so, char **files, struct ft_err *e)
{
    struct ft_side *side = ft_side_new(d->stream, so, files);
    struct ft_rec *r;
    struct ft_digest key;
    uint64_t where, first;
    int k;

    while ((k = ft_side_next(side, &r, e)) > 0) {
        if (ft_key_of(&d->key, r, &key, e) || where_is(d, r, &where, e)) {
            k = ft_side_fail(r, e);
            break;
        }
        ft_stream_count(d->stream, "reference", 1);
        if (!ft_seen_get(&d->seen, key, &first) && ft_seen_put(&d->seen, key, where | in_reference, e)) {
            k = -1;
            break;
        }
    }
    ft_side_free(side);
    return k;
}

/* Which memory was it? The message of a full set names the way out. */
static void name_the_limit(struct ft_err *e, uint64_t size)
{
    if (e->code == FT_SYS && strstr(e->msg, "memory allowed")) {
        char text[sizeof e->msg];
        snprintf(text, sizeof text, "%s", e->msg);
        snprintf(e->msg, sizeof e->msg, "%.380s (-S %" PRIu64 "%s; --no-conflicts needs less)", text,
                 size >> 20 ? size >> 20 : size >> 10, size >> 20 ? "M" : "k");
    }
}

int main(int argc, char **argv)
{
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    const char *key = "record", *ignore = NULL;
    struct ft_list against = {0};
    uint64_t size = (uint64_t)4 << 30;
    bool conflicts = true;
    struct dedupe d = {0};
    const struct ft_opt opts[] = {
        {'k', "key", FT_OPT_STR, &key, "KEY", "what makes records the same; below", NULL},
        {0, "ignore", FT_OPT_STR, &ignore, "A,B,...", "members that key 'record' leaves out as well", NULL},
        {0, "against", FT_OPT_LIST, &against, "FILE", "drop what is in this reference set too; may be repeated", NULL},
        {0, "explain", FT_OPT_STR, &d.explain_path, "FILE", "write every drop with its kept match there, and conflicts",
         NULL},
        {0, "conflicts", FT_OPT_FLAG, &conflicts, NULL, "count other answers to a prompt seen before", NULL},
        {'S', "buffer-size", FT_OPT_SIZE, &size, "SIZE", "memory for what was seen, 32-64 bytes a record", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "dedupe", "Drop records whose key was seen before; keep the first.", "[options] [FILE...]", opts,
        ft_stream_options(&so),
        "Keys:\n"
        "  record     every member except null ones and ids or metadata (_ft, id, uid, source,\n"
        "             metadata, timestamp, url and the like; --ignore adds)\n"
        "  text       the member text\n"
        "  messages   the conversation, with tools\n"
        "  prompt     prompt; or messages before the last answer; or instruction and input\n"
        "  response   completion; chosen and rejected; the last answer; output\n"
        "  last-user  what the user said last\n"
        "  A,B,...    these members\n"
        "Keys compare contents: spacing, escapes and the order of members do not matter."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_rec *r;
    struct ft_err e = {0};
    int k = 0, status;

    if (ft_key_init(&d.key, key, ignore, &e))
        ft_usage(&tool, "option '--key': %s", e.msg);
    if (ignore && d.key.kind != FT_KEY_RECORD)
        ft_usage(&tool, "option '--ignore' is for key 'record'");
    ft_key_init(&d.prompt, "prompt", NULL, &e);
    ft_key_init(&d.response, "response", NULL, &e);
    d.limit = size;
    ft_seen_init(&d.seen, &d.limit);
    ft_seen_init(&d.prompts, &d.limit);
    ft_seen_init(&d.names, NULL);
    d.stream = ft_stream_open(&tool, &so, files, argv);
    if (d.explain_path && !(d.explain = fopen(d.explain_path, "wb")))
        k = ft_fail_errno(&e, "cannot create '%s'", d.explain_path);
    if (!k && against.n) {
        char **refs = ft_calloc(against.n + 1, sizeof *refs);
        for (size_t i = 0; i < against.n; i++)
            refs[i] = (char *)against.v[i];
        k = read_reference(&d, &so, refs, &e);
        free(refs);
    }
    while (k >= 0 && (k = ft_stream_next(d.stream, &r, &e)) > 0) {
        k = judge(&d, r, conflicts, &e);
        if (k > 0)
            k = ft_stream_write(d.stream, r);
        else if (k < 0 && e.code == FT_DATA)
            k = ft_stream_bad(d.stream, r, &e);
    }
    if (d.explain && fclose(d.explain))
        ft_fail_errno(&e, "cannot write '%s'", d.explain_path);
    name_the_limit(&e, size);
    status = ft_stream_close(d.stream, &e);
    ft_seen_release(&d.seen);
    ft_seen_release(&d.prompts);
    ft_seen_release(&d.names);
    free(d.answers);
    free(d.files);
    ft_arena_release(&d.mem);
    ft_buf_release(&d.line);
    ft_key_release(&d.key);
    ft_key_release(&d.prompt);
    ft_key_release(&d.response);
    return status;
}
