/* mix-replay -- mixes sources so that every prefix of the output has the ratio.
 *
 * Training on new data alone forgets the old; a share of the old, replayed,
 * keeps it. The share is of the output, in the unit that matters to the
 * trainer (learnt tokens, after all), and holds at every prefix (mix.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/hash.h"
#include "pipeline/mix.h"
#include "pipeline/permute.h"
#include "pipeline/record_pool.h"
#include "pipeline/side_input.h"

enum unit { BY_EXAMPLE, BY_BYTE, BY_TOKEN, BY_LOSS_TOKEN };
enum stop { STOP_FIRST, STOP_ALL, STOP_MAIN };

static const char *const unit_names[] = {"example", "byte", "token", "loss-token"};
static const char *const unit_words[] = {"examples", "bytes", "tokens", "learnt tokens"};

struct source {
    const char *name;
    struct ft_pool *pool;    /* NULL: the main data, from the stream */
    uint64_t count, pos;     /* records in it; put out so far */
    uint64_t at_epoch_start; /* its amount then */
    uint64_t purpose;        /* tells its order from that of others */
    bool used_up;            /* all of it has been out once */
};

struct mixer {
    const struct ft_tool *tool;
    struct ft_stream *stream;
    struct source *sources;
    uint64_t *weights;
    size_t n;
    struct ft_mix mix;
    enum unit by;
    enum stop stop;
    bool in_order;
    uint64_t seed;
    char tok[80], tok_of[200]; /* the tokenizer of the first record that names one, and its place */
    struct ft_buf out;
};

/* ---- what a record amounts to ---- */

static int count_ids(struct ft_rec *r, const char *key, uint64_t *n, struct ft_err *e)
{
    int32_t *ids;
    size_t count = 0;
    const int found = ft_rec_ids(r, key, &ids, &count, e);

    *n += found > 0 ? count : 0;
    return found;
}

static int count_tokens(struct ft_rec *r, uint64_t *n, struct ft_err *e)
{
    static const char *const keys[] = {"prompt_ids", "chosen_ids", "rejected_ids"};
    int found = count_ids(r, "input_ids", n, e), any = 0;

    if (found)
        return found;
    for (int i = 0; i < 3; i++) {
        found = count_ids(r, keys[i], n, e);
        if (found < 0)
            return -1;
        any |= found;
    }
    if (any)
        return 1;
    return ft_fail(e, FT_USAGE, "--by=token and --by=loss-token need \"input_ids\": tokenize first");
}

/* [begin, end) ranges of tokens; the first token of a document is no target. */
static int count_ranges(struct ft_rec *r, uint64_t *n, struct ft_err *e)
{
    struct ft_json v;
    const int found = ft_rec_value(r, "learn", &v, e);

    if (found <= 0)
        return found;
    if (v.type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "member \"learn\" is not an array");
    for (size_t i = 0; i < v.n; i++) {
        const struct ft_json *range = &v.items[i];
        int64_t from, to;
        if (range->type != FT_JSON_ARRAY || range->n < 2 || ft_json_int(&range->items[0], &from) ||
            ft_json_int(&range->items[1], &to) || from < 0 || to < from || to > INT32_MAX)
            return ft_fail(e, FT_DATA, "\"learn\"[%zu] is not [begin, end]", i);
        if (from == 0 && to > 0)
            from = 1;
        *n += (uint64_t)(to - from);
    }
    return 1;
}

static int count_learnt(struct ft_rec *r, uint64_t *n, struct ft_err *e)
{
    int32_t *labels;
    size_t count = 0;
    uint64_t tokens = 0;
    int found;

    if (count_tokens(r, &tokens, e) < 0)
        return -1;
    found = ft_rec_ids(r, "labels", &labels, &count, e);
    for (size_t i = 1; found > 0 && i < count; i++) /* the first token is no target */
        *n += labels[i] != -100;
    if (found == 0)
        found = count_ranges(r, n, e);
    if (found == 0)
        return ft_fail(e, FT_USAGE, "--by=loss-token needs \"labels\" or \"learn\": mask-completion first");
    return found;
}

static int amount_of(const struct mixer *m, struct ft_rec *r, uint64_t *n, struct ft_err *e)
{
    *n = 0;
    switch (m->by) {
    case BY_EXAMPLE: *n = 1; return 0;
    case BY_BYTE: return 0; /* known when it is written */
    case BY_TOKEN: return count_tokens(r, n, e) < 0 ? -1 : 0;
    default: return count_learnt(r, n, e) < 0 ? -1 : 0;
    }
}

/* ---- one record ---- */

/* Writes src into the stamp, and refuses ids of different tokenizers. */
static int stamp(struct mixer *m, const struct source *src, struct ft_rec *r, struct ft_err *e)
{
    struct ft_stamp now = {0};

    if (ft_rec_get_stamp(r, &now, e) < 0)
        return -1;
    if (now.tok.n && !m->tok[0]) {
        snprintf(m->tok, sizeof m->tok, "%.*s", (int)now.tok.n, now.tok.p);
        snprintf(m->tok_of, sizeof m->tok_of, "%.150s:%" PRIu64, r->file, r->lineno);
    } else if (now.tok.n && !ft_str_is(now.tok, m->tok)) {
        return ft_fail(e, FT_DATA, "the ids are of tokenizer %.*s, those of %s of %s",
                       (int)(now.tok.n < 65 ? now.tok.n : 65), now.tok.p, m->tok_of, m->tok);
    }
    /* Main data that was mixed before keeps the names it has. */
    return src->pool || !now.src.n ? ft_rec_stamp(r, "src", src->name, e) : 0;
}

static int prepare(struct mixer *m, size_t i, struct ft_rec *r, uint64_t *amount, struct ft_err *e)
{
    if (amount_of(m, r, amount, e) || stamp(m, &m->sources[i], r, e))
        return -1;
    if (m->by == BY_BYTE || m->sources[i].pool) {
        m->out.n = 0;
        ft_rec_write(r, &m->out);
        if (m->by == BY_BYTE)
            *amount = m->out.n;
    }
    return 0;
}

/* 1, 0 at the end of the main data, -1. */
static int put_main(struct mixer *m, size_t i, struct ft_err *e)
{
    struct ft_rec *r;
    uint64_t amount;
    int k;

    while ((k = ft_stream_next(m->stream, &r, e)) > 0) {
        if (prepare(m, i, r, &amount, e) == 0) {
            m->sources[i].pos++;
            ft_mix_put(&m->mix, i, amount);
            return ft_stream_write(m->stream, r) ? -1 : 1;
        }
        /* A member that is missing is a wrong command line, not a bad line. */
        if (e->code != FT_DATA) {
            char text[sizeof e->msg];
            snprintf(text, sizeof text, "%s", e->msg);
            snprintf(e->msg, sizeof e->msg, "%.100s:%" PRIu64 ": %.350s", r->file, r->lineno, text);
            return -1;
        }
        if (ft_stream_bad(m->stream, r, e))
            return -1;
    }
    return k;
}

static int put_pooled(struct mixer *m, size_t i, struct ft_err *e)
{
    struct source *src = &m->sources[i];
    const uint64_t epoch = src->pos / src->count, at = src->pos % src->count;
    const uint64_t key = ft_permute_key(m->seed, src->purpose, epoch);
    struct ft_rec *r;
    uint64_t amount;

    if (at == 0) {
        if (epoch && m->mix.amount[i] == src->at_epoch_start)
            return ft_fail(e, FT_DATA, "source '%s': none of its %" PRIu64 " records has any %s", src->name,
                           src->count, unit_words[m->by]);
        src->at_epoch_start = m->mix.amount[i];
    }
    if (ft_pool_read(src->pool, m->in_order ? at : ft_permute(at, src->count, key), &r, e))
        return -1;
    if (prepare(m, i, r, &amount, e))
        return ft_side_fail(r, e);
    src->pos++;
    ft_mix_put(&m->mix, i, amount);
    return ft_stream_puts(m->stream, ft_buf_str(&m->out), 1) ? -1 : 1;
}

/* Does the run end instead of starting source i once more? */
static bool ends_here(struct mixer *m, size_t i)
{
    bool all = true;

    m->sources[i].used_up = true;
    for (size_t j = 0; j < m->n; j++)
        all &= m->sources[j].used_up;
    return m->stop == STOP_FIRST || (m->stop == STOP_ALL && all) || (m->stop == STOP_MAIN && i == 0);
}

static int mix_all(struct mixer *m, struct ft_err *e)
{
    struct ft_rec *r;
    int k;

    for (;;) {
        const size_t i = ft_mix_next(&m->mix);
        struct source *src = &m->sources[i];
        if (!src->pool) {
            k = put_main(m, i, e);
            if (k == 0)
                src->used_up = true;
        } else if (src->pos && src->pos % src->count == 0 && ends_here(m, i)) {
            k = 0;
        } else {
            k = put_pooled(m, i, e);
        }
        if (k <= 0)
            break;
    }
    /* What the main data still has is accounted for, not left unread. */
    if (k == 0 && !m->sources[0].pool && !m->sources[0].used_up)
        while ((k = ft_stream_next(m->stream, &r, e)) > 0)
            ft_stream_drop(m->stream, r, "after_the_end");
    return k;
}

/* ---- the report ---- */

static void report(struct mixer *m, bool quiet)
{
    struct ft_buf json = {0};

    ft_buf_putc(&json, '[');
    for (size_t i = 0; i < m->n; i++) {
        const struct source *src = &m->sources[i];
        const double total = m->mix.total ? (double)m->mix.total : 1;
        const double share = (double)m->mix.amount[i] / total, want = (double)m->mix.w[i] / (double)m->mix.sum;
        const double epochs = src->pool ? (double)src->pos / (double)src->count : 0;
        if (!quiet) {
            fprintf(stderr, "%s: %s: %" PRIu64 " records", m->tool->name, src->name, src->pos);
            if (m->by != BY_EXAMPLE)
                fprintf(stderr, ", %" PRIu64 " %s", m->mix.amount[i], unit_words[m->by]);
            fprintf(stderr, ", %.3f%% (wanted %.3f%%)", 100 * share, 100 * want);
            if (src->pool)
                fprintf(stderr, ", %.3f epochs of %" PRIu64, epochs, src->count);
            putc('\n', stderr);
        }
        ft_buf_putz(&json, i ? ",{\"name\":" : "{\"name\":");
        ft_json_put_strz(&json, src->name);
        ft_buf_printf(&json, ",\"records\":%" PRIu64 ",\"by\":\"%s\",\"amount\":%" PRIu64 ",\"share\":", src->pos,
                      unit_names[m->by], m->mix.amount[i]);
        ft_json_put_real(&json, share);
        ft_buf_putz(&json, ",\"wanted\":");
        ft_json_put_real(&json, want);
        if (src->pool) {
            ft_buf_putz(&json, ",\"epochs\":");
            ft_json_put_real(&json, epochs);
        }
        ft_buf_putc(&json, '}');
    }
    ft_buf_putc(&json, ']');
    ft_stream_note(m->stream, "mix", ft_buf_str(&json));
    ft_buf_release(&json);
}

/* ---- the command line ---- */

static struct source *add_source(struct mixer *m, const char *name, uint64_t weight)
{
    for (size_t i = 0; i < m->n; i++)
        if (!strcmp(m->sources[i].name, name))
            ft_usage(m->tool, "two sources are called '%s'", name);
    if (m->n == FT_MIX_MAX)
        ft_usage(m->tool, "more than %d sources", FT_MIX_MAX);
    m->sources = ft_reallocs(m->sources, m->n + 1, sizeof *m->sources);
    m->weights = ft_reallocs(m->weights, m->n + 1, sizeof *m->weights);
    m->weights[m->n] = weight;
    m->sources[m->n] = (struct source){.name = name, .purpose = ft_hash64(name, strlen(name))};
    return &m->sources[m->n++];
}

static int open_pool(struct mixer *m, struct source *src, const struct ft_stream_opts *so, char **files,
                     const char *temp, struct ft_err *e)
{
    src->pool = ft_pool_open(m->stream, so, files, temp, e);
    if (!src->pool)
        return -1;
    src->count = ft_pool_count(src->pool);
    return src->count ? 0 : ft_fail(e, FT_DATA, "source '%s': no records in '%s'", src->name, files[0]);
}

/* NAME=FILE:WEIGHT; the first = and the last : count, so that paths may hold both. */
static void parse_source(struct mixer *m, char *arg, char **file)
{
    char *eq = strchr(arg, '='), *colon = strrchr(arg, ':');
    uint64_t weight;

    if (!eq || eq == arg || !colon || colon < eq + 2 || ft_mix_weight(colon + 1, strlen(colon + 1), &weight) || !weight)
        ft_usage(m->tool, "option '--source' wants NAME=FILE:WEIGHT with a weight above 0, not '%s'", arg);
    *eq = *colon = 0;
    *file = eq + 1;
    add_source(m, arg, weight);
}

static uint64_t parse_ratio(const struct mixer *m, const char *ratio)
{
    uint64_t p;

    if (ft_mix_weight(ratio, strlen(ratio), &p) || p >= FT_MIX_ONE)
        ft_usage(m->tool, "option '--ratio' wants a share of the output below 1, such as 15%% or 0.15, not '%s'", ratio);
    return p;
}

int main(int argc, char **argv)
{
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    struct ft_list sources = {0}, replay = {0};
    const char *ratio = NULL, *temp = NULL;
    int by = BY_EXAMPLE, stop = STOP_FIRST, order = 0;
    bool stop_given = false;
    struct mixer m = {.seed = 42};
    const struct ft_opt opts[] = {
        {0, "replay", FT_OPT_LIST, &replay, "FILE", "mix this into the main data; may be repeated", NULL},
        {0, "ratio", FT_OPT_STR, &ratio, "P", "its share of the output: 15% or 0.15", NULL},
        {0, "source", FT_OPT_LIST, &sources, "NAME=FILE:WEIGHT", "mix these and no main data; repeat for each", NULL},
        {0, "by", FT_OPT_CHOICE, &by, "example|byte|token|loss-token", "what the ratio counts", NULL},
        {0, "order", FT_OPT_CHOICE, &order, "shuffle|file", "order within each file; main data is never reordered",
         NULL},
        {0, "seed", FT_OPT_SIZE, &m.seed, "N", "of that order", NULL},
        {0, "stop", FT_OPT_CHOICE, &stop, "first|all|main",
         "end when the first source is used up, when all have been, or when the main data is (default with --replay)",
         &stop_given},
        {'T', "temporary-directory", FT_OPT_STR, &temp, "DIR", "where packed replay data is unpacked", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "mix-replay", "Mix sources in a ratio that holds at every prefix of the output.",
        "--replay FILE --ratio P [options] [FILE...]", opts, ft_stream_options(&so),
        "Main data comes from FILE or stdin and keeps its order. Replayed files come in a seeded\n"
        "order, once more each time they are used up. Their records are indexed (16 bytes each);\n"
        "those that are not plain JSON lines are unpacked to a temporary file first. A bad line in\n"
        "them is an error, --bad or not.\n"
        "  byte        of the output line\n"
        "  token       of input_ids (or prompt_ids, chosen_ids, rejected_ids)\n"
        "  loss-token  labels other than -100, or tokens in learn; never a record's first\n"
        "Each record gets its source's name as \"src\" of its \"_ft\".\n"
        "By example every source stays within one record of its share, and by other units within\n"
        "the longest record."};
    char *nothing[] = {"/dev/null", NULL};
    size_t n_files;
    char **files = ft_cli(&tool, argc, argv, &n_files), **paths = NULL;
    struct ft_err e = {0};
    int status, k = 0;

    m.tool = &tool;
    m.by = (enum unit)by;
    m.stop = (enum stop)stop;
    m.in_order = order == 1;
    if (!sources.n == !replay.n)
        ft_usage(&tool, "give --replay FILE and --ratio P, or --source NAME=FILE:WEIGHT for each source");
    paths = ft_calloc(sources.n + replay.n + 1, sizeof *paths);
    if (sources.n) {
        if (ratio || n_files)
            ft_usage(&tool, ratio ? "option '--ratio' is for --replay: sources have weights"
                                  : "with --source all data comes from the sources: '%s' is one too many", files[0]);
        for (size_t i = 0; i < sources.n; i++)
            parse_source(&m, ft_strdup(sources.v[i]), &paths[i]);
        files = nothing;
    } else {
        uint64_t p;
        if (!ratio)
            ft_usage(&tool, "option '--replay' needs '--ratio'");
        p = parse_ratio(&m, ratio);
        if (!stop_given)
            m.stop = STOP_MAIN;
        if (m.stop == STOP_ALL)
            ft_usage(&tool, "option '--stop=all': the main data cannot be repeated; use --source");
        for (size_t i = 0; i < replay.n; i++)
            paths[i] = (char *)replay.v[i];
        add_source(&m, "main", FT_MIX_ONE - p);
        if (p)
            add_source(&m, "replay", p);
    }
    m.stream = ft_stream_open(&tool, &so, files, argv);
    for (size_t i = 0; k == 0 && i < m.n; i++) {
        char *one[] = {sources.n ? paths[i] : NULL, NULL};
        if (sources.n || i > 0)
            k = open_pool(&m, &m.sources[i], &so, sources.n ? one : paths, temp, &e);
    }
    ft_mix_init(&m.mix, m.weights, m.n, m.by != BY_EXAMPLE);
    if (k == 0) {
        mix_all(&m, &e);
        report(&m, so.quiet);
    }
    status = ft_stream_close(m.stream, &e);
    for (size_t i = 0; i < m.n; i++)
        ft_pool_free(m.sources[i].pool);
    ft_mix_release(&m.mix);
    ft_buf_release(&m.out);
    free(m.sources);
    free(m.weights);
    free(paths);
    return status;
}
