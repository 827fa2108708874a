/* stream.h -- the frame of every filter: records in, records out, all accounted.
 *
 * A filter's main is a table of options and a loop. The stream does the rest:
 * input of any kind (input.h), --map, bad lines, order, threads, statistics,
 * progress, the seal, the summary line, the exit status.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct ft_stream_opts so = FT_STREAM_DEFAULTS;
 *         const struct ft_opt opts[] = { ..., {0} };
 *         const struct ft_tool tool = {"dedupe", "Drop records already seen.",
 *             "[options] [FILE...]", opts, ft_stream_options(&so), NULL};
 *         char **files = ft_cli(&tool, argc, argv, NULL);
 *         struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
 *         struct ft_rec *r;
 *         struct ft_err e = {0};
 *         while (ft_stream_next(s, &r, &e) > 0) {
 *             if (seen(r)) ft_stream_drop(s, r, "duplicate");
 *             else         ft_stream_write(s, r);
 *         }
 *         return ft_stream_close(s, &e);
 *     }
 *
 * A filter whose records do not depend on each other gives a function instead
 * and gets threads for nothing: ft_stream_map. Output order is input order and
 * output bytes are the same for any -j.
 *
 * What is complete is written before any read that would wait, so filters work
 * as co-processes. Bytes in flight are bounded (batches of about 128 KiB).
 *
 * The seal (TUNEUTILS_SEAL in the environment, set by ft-pipe): the stream
 * checks and strips the seal line it reads and ends its output with its own,
 * ok:false when anything upstream or here failed. RECORD.md gives its form.
 */
#ifndef FT_PIPELINE_STREAM_H
#define FT_PIPELINE_STREAM_H

#include "pipeline/cli.h"
#include "pipeline/input.h"
#include "pipeline/record.h"

struct ft_stream_opts {
    const char *output;   /* -o FILE, written under a temporary name and renamed; NULL: stdout */
    uint64_t jobs;        /* -j N; 0: every CPU allowed (affinity, cgroup) */
    const char *stats;    /* --stats FILE */
    const char *bad;      /* --bad FILE: bad lines go there and work goes on */
    const char *max_bad;  /* --max-bad N or P% */
    struct ft_list map;   /* --map new=old,... */
    int format;           /* enum ft_input_format */
    uint64_t max_record;  /* --max-record */
    bool progress;        /* --progress */
    bool quiet;           /* -q: no summary line */
    int invalid_utf8;     /* 1: lines that are not UTF-8 are repaired, and counted */
    bool trees;           /* the filter reads most values as trees (record.h) */
    bool framed_out;      /* output is frames (RECORD.md): the seal too becomes one */
    bool no_records_out;  /* a sink (ft-pack): nothing on stdout but the seal; no -o in the table */
};
#define FT_STREAM_DEFAULTS {.jobs = 1, .max_record = 64u << 20}

/* The option table for `more` of ft_tool; points into *so. */
const struct ft_opt *ft_stream_options(struct ft_stream_opts *so);

struct ft_stream; /* opaque */

/* Opens input and output; prints and exits when that fails. `argv` is the
 * command line for the seal's lineage. */
struct ft_stream *ft_stream_open(const struct ft_tool *tool, const struct ft_stream_opts *so,
                                 char **files, char **argv);

/* 1 and the next good record (valid until the next call), 0 at the end, -1. A
 * line that does not parse is handled as a bad line before this returns. */
int ft_stream_next(struct ft_stream *s, struct ft_rec **r, struct ft_err *e);
/* Would it return without waiting for a slow writer? For a filter that takes
 * several records at a time, but must not wait for the last of them. */
bool ft_stream_ready(const struct ft_stream *s);

/* Exactly one of these for each record that next returned: */
int ft_stream_write(struct ft_stream *s, struct ft_rec *r);            /* it, with its edits */
int ft_stream_drop(struct ft_stream *s, struct ft_rec *r, const char *why); /* counted by `why` */
int ft_stream_keep(struct ft_stream *s, struct ft_rec *r); /* taken in by a sink: counts as out */
/* The record is bad (e has code FT_DATA and says why): sets it aside under
 * --bad and clears e, 0; or -1, and the loop must end (ft_stream_close prints). */
int ft_stream_bad(struct ft_stream *s, struct ft_rec *r, struct ft_err *e);
/* Extra output lines of the filter's own making (whole lines, with newline;
 * `records` of them): counted as out, not as in. */
int ft_stream_puts(struct ft_stream *s, struct ft_str lines, uint64_t records);

/* Applies --map to a record that was read elsewhere (side_input.h). */
int ft_stream_rename(const struct ft_stream *s, struct ft_rec *r, struct ft_err *e);

/* Adds to a named statistic (constant name). */
void ft_stream_count(struct ft_stream *s, const char *what, uint64_t n);
/* A string member of the --stats JSON and of the seal ("tok": digest). */
void ft_stream_note(struct ft_stream *s, const char *key, struct ft_str json);

/* Writes the output lines for one record to `out` (none, one or several, each
 * with its newline) and returns how many, or -1 with FT_DATA (a bad line) or
 * another code (the run ends). To write none, call ft_rec_drop first. `worker`
 * is 0..jobs-1, for per-thread state in ctx. Runs on several threads at once. */
typedef int ft_map_fn(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e);
/* Runs fn over all records. 0, or -1: pass e on to ft_stream_close. */
int ft_stream_map(struct ft_stream *s, ft_map_fn *fn, void *ctx, struct ft_err *e);
/* Number of workers that map will use: size per-thread state by it. */
int ft_stream_jobs(const struct ft_stream *s);

/* At the end of the input: did all go well, bad lines within their bounds, and
 * is everything vouched for upstream if the run is sealed? 0, or -1 with e. A
 * sink commits only on 0. ft_stream_close checks the same. */
int ft_stream_check(struct ft_stream *s, struct ft_err *e);
bool ft_stream_sealed(const struct ft_stream *s);
/* The upstream stages as a JSON array (for a manifest's lineage). */
struct ft_str ft_stream_lineage(const struct ft_stream *s);

/* Ends the run: prints e if set, flushes, writes seal, statistics and summary,
 * commits -o FILE. Frees s. Returns the exit status. */
int ft_stream_close(struct ft_stream *s, struct ft_err *e);

#endif
