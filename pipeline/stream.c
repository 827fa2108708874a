#include "pipeline/stream.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/frame.h"
#include "pipeline/stream_priv.h"

enum { SHOWN_BAD = 20 }; /* messages for lines set aside; the rest are counted */

static volatile sig_atomic_t asked; /* SIGUSR1: print progress once */

static void on_usr1(int sig)
{
    (void)sig;
    asked = 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const struct ft_opt *ft_stream_options(struct ft_stream_opts *so)
{
    static struct ft_opt t[16];
    const struct ft_opt rows[] = {
        {0, "Common options", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {'o', "output", FT_OPT_STR, &so->output, "FILE", "write there (complete or not at all)", NULL},
        {'j', "jobs", FT_OPT_SIZE, &so->jobs, "N", so->jobs ? "threads; 0: every CPU allowed" : "threads; every CPU allowed when absent", NULL},
        {0, "map", FT_OPT_LIST, &so->map, "NEW=OLD,...", "read member OLD as NEW", NULL},
        {0, "bad", FT_OPT_STR, &so->bad, "FILE", "set bad lines aside there and go on", NULL},
        {0, "max-bad", FT_OPT_STR, &so->max_bad, "N|P%", "with --bad: stop at more bad lines than this", NULL},
        {0, "stats", FT_OPT_STR, &so->stats, "FILE", "write the counts there, as JSON", NULL},
        {0, "input-format", FT_OPT_CHOICE, &so->format, "auto|jsonl|json|csv|tsv|text",
         "what the input is", NULL},
        {0, "max-record", FT_OPT_SIZE, &so->max_record, "BYTES", "longest record accepted", NULL},
        {0, "progress", FT_OPT_FLAG, &so->progress, NULL, "show progress (also on SIGUSR1)", NULL},
        {'q', "quiet", FT_OPT_FLAG, &so->quiet, NULL, "no summary line", NULL},
        {0},
    };
    /* A sink's -o is its own: a folder, not a stream. */
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(so->no_records_out && rows[i].to == &so->output))
            t[n++] = rows[i];
    return t;
}

/* ---- open ---- */

static void parse_map(struct ft_stream *s)
{
    for (size_t i = 0; i < s->so.map.n; i++)
        for (const char *p = s->so.map.v[i]; *p;) {
            const size_t n = strcspn(p, ","), k = strcspn(p, "=");
            if (k == 0 || k + 1 >= n)
                ft_usage(s->tool, "option '--map' wants NEW=OLD, not '%.*s'", (int)n, p);
            s->rules = ft_reallocs(s->rules, s->n_rules + 1, sizeof *s->rules);
            s->rules[s->n_rules++] = (struct map_rule){
                ft_arena_dup(&s->mem, p, k), ft_arena_dup(&s->mem, p + k + 1, n - k - 1)};
            p += n + (p[n] == ',');
        }
}

static void parse_max_bad(struct ft_stream *s)
{
    s->max_bad = UINT64_MAX;
    s->max_bad_share = -1;
    const char *v = s->so.max_bad;
    if (!v)
        return;
    if (!s->so.bad)
        ft_usage(s->tool, "option '--max-bad' needs '--bad FILE'");
    const size_t n = strlen(v);
    if (n && v[n - 1] == '%') {
        if (ft_parse_real(v, &s->max_bad_share) || s->max_bad_share < 0)
            ft_usage(s->tool, "option '--max-bad' wants N or P%%, not '%s'", v);
    } else if (ft_parse_size(v, &s->max_bad)) {
        ft_usage(s->tool, "option '--max-bad' wants N or P%%, not '%s'", v);
    }
}

/* Writing to what is being read destroys it or never ends. `fd`: stdout, or -1
 * for the file of that name. -o is safe: it is renamed at the end. */
static void check_not_input(const struct ft_tool *tool, char **files, int fd, const char *name)
{
    static char *only_stdin[] = {(char *)"-", NULL};
    struct stat out, in;
    if ((fd < 0 ? stat(name, &out) : fstat(fd, &out)) || !S_ISREG(out.st_mode))
        return;
    for (char **f = files && *files ? files : only_stdin; *f; f++)
        if (!(strcmp(*f, "-") ? stat(*f, &in) : fstat(STDIN_FILENO, &in)) && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino && (fd < 0 || in.st_size))
            ft_usage(tool, "%s is read and written: %s", strcmp(*f, "-") ? *f : "stdin",
                     fd < 0 ? "give '--bad' another file" : "give the output another name, or '-o'");
}

struct ft_stream *ft_stream_open(const struct ft_tool *tool, const struct ft_stream_opts *so,
                                 char **files, char **argv)
{
    struct ft_stream *s = ft_calloc(1, sizeof *s);
    struct ft_err e = {0};
    s->tool = tool;
    s->so = *so;
    s->argv = argv;
    parse_map(s);
    parse_max_bad(s);
    ft_seal_open(s);
    /* A name mistyped should not show only when all before it is read. */
    for (char **f = files; f && *f; f++)
        if (strcmp(*f, "-") && access(*f, R_OK)) {
            ft_fail_errno(&e, "cannot open '%s'", *f);
            ft_die(tool, &e);
        }
    if (!so->max_record || so->max_record >= UINT32_MAX)
        ft_usage(tool, "option '--max-record' wants from 1 to 4G - 1");
    if (so->bad)
        check_not_input(tool, files, -1, so->bad);
    if (!so->no_records_out && (!so->output || !strcmp(so->output, "-")))
        check_not_input(tool, files, STDOUT_FILENO, NULL);
    s->in = ft_input_new(files, (enum ft_input_format)so->format, so->max_record);
    if (so->invalid_utf8)
        ft_input_repair(s->in);
    if (so->bad) {
        s->bad_file = fopen(so->bad, "wb");
        if (!s->bad_file) {
            ft_fail_errno(&e, "cannot create '%s'", so->bad);
            ft_die(tool, &e);
        }
        ft_input_spill(s->in, s->bad_file);
    }
    if (ft_outfile_open(&s->file, so->output, &e))
        ft_die(tool, &e);
    signal(SIGUSR1, on_usr1);
    s->next_progress = now() + 1;
    return s;
}

/* ---- accounting ---- */

void ft_stream_add(struct ft_arena *mem, struct ft_counter **list, const char *name, uint64_t n)
{
    for (; *list; list = &(*list)->next)
        if (!strcmp((*list)->name, name)) {
            (*list)->n += n;
            return;
        }
    *list = FT_NEW(mem, struct ft_counter);
    (*list)->name = name;
    (*list)->n = n;
}

void ft_stream_count(struct ft_stream *s, const char *what, uint64_t n)
{
    ft_stream_add(&s->mem, &s->counts, what, n);
}

void ft_stream_note(struct ft_stream *s, const char *key, struct ft_str json)
{
    if (s->notes.n)
        ft_buf_putc(&s->notes, ',');
    ft_json_put_strz(&s->notes, key);
    ft_buf_putc(&s->notes, ':');
    ft_buf_puts(&s->notes, json);
}

static void progress(struct ft_stream *s)
{
    if (!asked && (!s->so.progress || now() < s->next_progress))
        return;
    asked = 0;
    s->next_progress = now() + 1;
    const uint64_t total = ft_input_total(s->in), done = ft_input_bytes(s->in);
    fprintf(stderr, "%s: %" PRIu64 " in, %" PRIu64 " out, %.1f MB", s->tool->name, s->n_in, s->n_out,
            (double)done / 1e6);
    if (total)
        fprintf(stderr, " of %.1f", (double)total / 1e6);
    fputs(s->so.progress && isatty(STDERR_FILENO) ? "\033[K\r" : "\n", stderr);
}

/* ---- bad lines ---- */

static void show(const struct ft_stream *s, const char *file, uint64_t lineno, struct ft_str org_file,
                 int64_t org_line, const struct ft_err *e)
{
    char where[64] = "", org[600] = "";
    if (lineno && e->byte)
        snprintf(where, sizeof where, ":%" PRIu64 ":%" PRIu64, lineno, e->byte);
    else if (lineno)
        snprintf(where, sizeof where, ":%" PRIu64, lineno);
    if (org_file.n && !(ft_str_is(org_file, file) && (uint64_t)org_line == lineno))
        snprintf(org, sizeof org, " (from %.*s:%" PRId64 ")", (int)(org_file.n < 500 ? org_file.n : 500),
                 org_file.p, org_line);
    fprintf(stderr, "%s: %s%s: %s%s%s\n", s->tool->name, file, where, e->msg, e->rest ? e->rest : "", org);
}

int ft_stream_set_aside(struct ft_stream *s, struct ft_str line, const char *file, uint64_t lineno,
                        struct ft_str org_file, int64_t org_line, struct ft_err *e)
{
    const bool data = e->code == FT_DATA;
    if (data)
        s->n_bad++;
    const bool keep = data && s->bad_file && line.p;
    if (!keep || s->n_bad <= SHOWN_BAD)
        show(s, file, lineno, org_file, org_line, e);
    e->rest = NULL; /* the record goes */
    if (!keep) {
        s->err_shown = true;
        return -1;
    }
    /* An over-long line is in the file already (ft_input_spill): its text is empty. */
    if (line.n && (fwrite(line.p, 1, line.n, s->bad_file) != line.n || putc('\n', s->bad_file) == EOF)) {
        ft_err_clear(e);
        return ft_fail_errno(e, "cannot write '%s'", s->so.bad);
    }
    ft_err_clear(e);
    if (s->n_bad > s->max_bad)
        return ft_fail(e, FT_DATA, "more than %" PRIu64 " bad lines", s->max_bad);
    if (s->max_bad_share >= 0 && s->n_in >= 1000 && (double)s->n_bad > s->max_bad_share * (double)s->n_in)
        return ft_fail(e, FT_DATA, "more than %s bad lines", s->so.max_bad);
    return 0;
}

int ft_stream_bad(struct ft_stream *s, struct ft_rec *r, struct ft_err *e)
{
    struct ft_stamp stamp = {0};
    struct ft_err ignore = {0};
    if (r->n)
        ft_rec_get_stamp(r, &stamp, &ignore);
    const struct ft_numbers *f = &r->numbers;
    if ((f->ids || f->spans || f->learn) && r->n && s->bad_file) { /* set aside as a line of JSON, whole */
        struct ft_buf b = {0};
        size_t end = r->line.n;
        while (end && r->line.p[end - 1] != '}')
            end--;
        ft_buf_put(&b, r->line.p, end - 1);
        ft_frame_json(f, &b);
        ft_buf_putc(&b, '}');
        const int k = ft_stream_set_aside(s, ft_buf_str(&b), r->file, r->lineno, stamp.org_file, stamp.org_line, e);
        ft_buf_release(&b);
        return k;
    }
    return ft_stream_set_aside(s, r->line, r->file, r->lineno, stamp.org_file, stamp.org_line, e);
}

/* ---- in ---- */

int ft_stream_raw(struct ft_stream *s, struct ft_line *line, struct ft_err *e)
{
    for (;;) {
        const int r = ft_input_next(s->in, line, e);
        if (r < 0 && e->code == FT_DATA && line->lineno) {
            s->n_read++;
            return 2;
        }
        if (r <= 0)
            return r;
        const struct ft_frame *frame = ft_input_frame(s->in);
        if (frame && !s->so.no_records_out) {
            ft_fail(e, FT_DATA, "these are token frames, which only ft-pack reads: leave '--binary' out upstream");
            ft_stream_set_aside(s, (struct ft_str){0}, line->file, 0, (struct ft_str){0}, 0, e);
            return -1;
        }
        if (ft_seal_is(line->text)) {
            if (!s->seal.seen && ft_seal_read(s, line->text, e) == 0)
                continue;
            if (s->seal.seen)
                ft_fail(e, FT_DATA, "a second seal");
            ft_stream_set_aside(s, (struct ft_str){0}, line->file, line->lineno, (struct ft_str){0}, 0, e);
            return -1;
        }
        if (s->seal.seen && s->seal.mode == SEAL_INNER) {
            ft_fail(e, FT_DATA, "a record behind the seal");
            ft_stream_set_aside(s, (struct ft_str){0}, line->file, line->lineno, (struct ft_str){0}, 0, e);
            return -1;
        }
        if (s->seal.in && frame) {
            ft_hasher_add(s->seal.in, frame->raw.p, frame->raw.n);
        } else if (s->seal.in) {
            ft_hasher_add(s->seal.in, line->text.p, line->text.n);
            ft_hasher_add(s->seal.in, "\n", 1);
        }
        s->seal.lines++;
        s->n_read++;
        if (asked || (s->so.progress && (s->n_read & 255) == 0))
            progress(s);
        return 1;
    }
}

int ft_stream_rename(const struct ft_stream *s, struct ft_rec *r, struct ft_err *e)
{
    for (size_t i = 0; i < s->n_rules; i++)
        if (ft_rec_rename(r, s->rules[i].from, s->rules[i].to, e))
            return -1;
    return 0;
}

int ft_stream_next(struct ft_stream *s, struct ft_rec **out, struct ft_err *e)
{
    struct ft_rec *r = &s->rec;
    struct ft_line line;
    for (;;) {
        if (s->err.code)
            return -1;
        /* Nobody downstream waits for what we hold while we wait upstream. */
        if (s->out.n && !ft_input_ready(s->in) && ft_stream_flush(s))
            return -1;
        ft_arena_reset(&s->rec_mem);
        const int k = ft_stream_raw(s, &line, e);
        if (k <= 0)
            return k;
        s->n_in++;
        s->n_blank = ft_input_blank(s->in);
        if (k == 2) {
            if (ft_stream_set_aside(s, line.text, line.file, line.lineno, (struct ft_str){0}, 0, e))
                return -1;
            continue;
        }
        *r = (struct ft_rec){.line = line.text, .file = line.file, .lineno = line.lineno,
                             .seq = s->n_read - 1, .mem = &s->rec_mem, .trees = s->so.trees};
        const struct ft_frame *frame = ft_input_frame(s->in);
        if (frame)
            r->numbers = frame->numbers;
        if (ft_rec_parse(r, e) || ft_stream_rename(s, r, e)) {
            if (ft_stream_bad(s, r, e))
                return -1;
            continue;
        }
        *out = r;
        return 1;
    }
}

bool ft_stream_ready(const struct ft_stream *s) { return ft_input_ready(s->in); }

/* ---- out ---- */

static void take_counts(struct ft_stream *s, const struct ft_rec *r)
{
    for (const struct ft_counter *c = r->counts; c; c = c->next)
        ft_stream_add(&s->mem, &s->counts, c->name, c->n);
}

int ft_stream_write(struct ft_stream *s, struct ft_rec *r)
{
    struct ft_buf b = {0};
    int k;
    take_counts(s, r);
    s->n_out++;
    s->n_kept++;
    if (!r->edits) {
        k = ft_stream_emit(s, r->line.p, r->line.n);
        return k ? k : ft_stream_emit(s, "\n", 1);
    }
    ft_rec_write(r, &b);
    k = ft_stream_emit(s, b.p, b.n);
    ft_buf_release(&b);
    return k;
}

int ft_stream_drop(struct ft_stream *s, struct ft_rec *r, const char *why)
{
    take_counts(s, r);
    s->n_dropped++;
    ft_stream_add(&s->mem, &s->drops, why, 1);
    return 0;
}

int ft_stream_keep(struct ft_stream *s, struct ft_rec *r)
{
    take_counts(s, r);
    s->n_out++;
    s->n_kept++;
    return 0;
}

int ft_stream_puts(struct ft_stream *s, struct ft_str lines, uint64_t records)
{
    s->n_out += records;
    return ft_stream_emit(s, lines.p, lines.n);
}

/* ---- close ---- */

static void put_counters(struct ft_buf *b, const struct ft_counter *c)
{
    ft_buf_putc(b, '{');
    for (const char *sep = ""; c; c = c->next, sep = ", ") {
        ft_buf_putz(b, sep);
        ft_json_put_strz(b, c->name);
        ft_buf_printf(b, ": %" PRIu64, c->n);
    }
    ft_buf_putc(b, '}');
}

static int write_stats(const struct ft_stream *s, bool ok, struct ft_err *e)
{
    struct ft_buf b = {0};
    ft_buf_putz(&b, "{\"tool\": ");
    ft_json_put_strz(&b, s->tool->name);
    ft_buf_printf(&b,
                  ", \"version\": \"%s\", \"ok\": %s, \"in\": %" PRIu64 ", \"out\": %" PRIu64
                  ", \"kept\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"bad\": %" PRIu64
                  ", \"blank\": %" PRIu64 ", \"bytes_in\": %" PRIu64 ", \"bytes_out\": %" PRIu64
                  ", \"drops\": ",
                  FT_VERSION, ok ? "true" : "false", s->n_in, s->n_out, s->n_kept, s->n_dropped, s->n_bad,
                  s->n_blank, ft_input_bytes(s->in), s->bytes_out);
    put_counters(&b, s->drops);
    ft_buf_putz(&b, ", \"counts\": ");
    put_counters(&b, s->counts);
    if (s->notes.n) {
        ft_buf_putz(&b, ", ");
        ft_buf_puts(&b, ft_buf_str(&s->notes));
    }
    ft_buf_putz(&b, "}\n");
    FILE *f = fopen(s->so.stats, "wb");
    const bool wrote = f && fwrite(b.p, 1, b.n, f) == b.n;
    const bool closed = f && fclose(f) == 0;
    ft_buf_release(&b);
    return wrote && closed ? 0 : ft_fail_errno(e, "cannot write '%s'", s->so.stats);
}

static void summary(const struct ft_stream *s)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s: %" PRIu64 " in, %" PRIu64 " out", s->tool->name, s->n_in, s->n_out);
    if (s->n_dropped) {
        ft_buf_printf(&b, ", %" PRIu64 " dropped (", s->n_dropped);
        for (const struct ft_counter *c = s->drops; c; c = c->next)
            ft_buf_printf(&b, "%s %" PRIu64 "%s", c->name, c->n, c->next ? ", " : ")");
    }
    if (s->n_bad)
        ft_buf_printf(&b, ", %" PRIu64 " bad", s->n_bad);
    if (s->n_blank)
        ft_buf_printf(&b, ", %" PRIu64 " blank lines", s->n_blank);
    for (const struct ft_counter *c = s->counts; c; c = c->next)
        ft_buf_printf(&b, "%s%s %" PRIu64, c == s->counts ? "; " : ", ", c->name, c->n);
    ft_buf_putc(&b, '\n');
    fwrite(b.p, 1, b.n, stderr);
    ft_buf_release(&b);
}

int ft_stream_check(struct ft_stream *s, struct ft_err *e)
{
    if (!e->code && s->err.code)
        *e = s->err;
    if (!e->code)
        ft_seal_check(s, e);
    if (!e->code && s->max_bad_share >= 0 && (double)s->n_bad > s->max_bad_share * (double)s->n_in)
        ft_fail(e, FT_DATA, "more than %s bad lines", s->so.max_bad);
    return e->code ? -1 : 0;
}

static void say_error(struct ft_stream *s, const struct ft_err *e)
{
    if (e->code && !s->err_shown)
        fprintf(stderr, "%s: %s\n", s->tool->name, e->msg);
    s->err_shown = s->err_shown || e->code;
}

int ft_stream_close(struct ft_stream *s, struct ft_err *e)
{
    if (ft_input_repaired(s->in))
        ft_stream_count(s, "invalid_utf8_replaced", ft_input_repaired(s->in));
    if (ft_stream_check(s, e) == 0)
        s->n_blank = ft_input_blank(s->in); /* those behind the last record too */
    if (s->bad_file && fclose(s->bad_file) && !e->code)
        ft_fail_errno(e, "cannot write '%s'", s->so.bad);
    say_error(s, e); /* before the seal: the stages behind speak after this one */
    if (s->seal.mode != SEAL_NONE && !s->err.code) {
        struct ft_buf b = {0};
        ft_seal_write(s, e->code == FT_OK, &b);
        if (s->so.framed_out) {
            ft_frame_put_seal((struct ft_str){b.p, b.n - 1}, &s->out); /* without the newline */
        } else {
            ft_buf_put(&s->out, b.p, b.n);
        }
        ft_buf_release(&b);
    }
    if (ft_stream_flush(s) && !e->code)
        *e = s->err;
    ft_outfile_close(&s->file, e->code == FT_OK, e);
    if (s->so.stats)
        write_stats(s, e->code == FT_OK, e);
    say_error(s, e);
    if (!s->so.quiet && s->seal.mode == SEAL_NONE) /* ft-pipe shows the counts of all */
        summary(s);
    const int status = e->code;
    ft_input_free(s->in);
    ft_hasher_free(s->seal.in);
    ft_hasher_free(s->seal.out);
    ft_buf_release(&s->out);
    ft_buf_release(&s->notes);
    ft_arena_release(&s->mem);
    ft_arena_release(&s->rec_mem);
    free(s->rules);
    free(s);
    return status;
}
