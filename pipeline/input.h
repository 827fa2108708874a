/* input.h -- records in: any file a user has, one JSON object at a time.
 *
 * Reads stdin or the named files in order. What a file is shows in its bytes:
 * gz, zst, xz, bz2, lz4, tar and zip are unpacked through libarchive, an array
 * or a run of (pretty-printed) JSON values gives its elements, anything else
 * is JSON lines; frames (frame.h) are told by their magic. CSV, TSV and plain text cannot be told by content: their
 * names say so (.csv, .tsv, .txt, also inside an archive) or --input-format.
 *
 * A record longer than `max` bytes is FT_DATA before memory grows further.
 * Blank lines are counted, not records. A UTF-8 BOM at the start is skipped.
 * The reader never waits for more bytes than it needs: see ft_input_ready.
 */
#ifndef FT_PIPELINE_INPUT_H
#define FT_PIPELINE_INPUT_H

#include "pipeline/record.h"

enum ft_input_format { FT_IN_AUTO, FT_IN_JSONL, FT_IN_JSON, FT_IN_CSV, FT_IN_TSV, FT_IN_TEXT };

struct ft_input; /* opaque */

/* `files` is NULL-terminated and must outlive the input; empty means stdin. */
struct ft_input *ft_input_new(char **files, enum ft_input_format format, uint64_t max);

struct ft_line {
    struct ft_str text; /* one JSON object, not validated yet, on one line; valid until the next call */
    const char *file;   /* lives as long as the input; "stdin" for stdin */
    uint64_t lineno;    /* 1-based line at which it starts */
};
/* 1, 0 at the end, -1. With -1 and FT_DATA, `out` says where; when it also has
 * a text, that is the bad record (a row of the wrong width) and the next call
 * goes on behind it. All other failures are final. */
int ft_input_next(struct ft_input *in, struct ft_line *out, struct ft_err *e);
/* What the last record's frame holds beside its text. */
struct ft_frame {
    struct ft_numbers numbers; /* as long valid as the text */
    struct ft_str raw; /* the frame as read, with the stream's header before the first */
};
/* NULL: it did not come in a frame. */
const struct ft_frame *ft_input_frame(const struct ft_input *in);
/* Where the bytes of a record longer than `max` go (with a newline): such a
 * record then counts as bad and reading goes on. NULL, the start: it is final. */
void ft_input_spill(struct ft_input *in, void *file);
/* From now on lines that are not UTF-8 are repaired with U+FFFD, not refused. */
void ft_input_repair(struct ft_input *in);
/* Lines repaired so far. */
uint64_t ft_input_repaired(const struct ft_input *in);
/* Would ft_input_next return without waiting for a slow writer? */
bool ft_input_ready(struct ft_input *in);
/* Bytes of decoded input consumed and blank lines skipped so far. */
uint64_t ft_input_bytes(const struct ft_input *in);
uint64_t ft_input_blank(const struct ft_input *in);
/* Total bytes of the plain files named, 0 when not known (pipes, archives). */
uint64_t ft_input_total(const struct ft_input *in);
void ft_input_free(struct ft_input *in);

#endif
