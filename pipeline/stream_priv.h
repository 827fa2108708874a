/* stream_priv.h -- what stream.c, stream_map.c, stream_out.c and seal.c share. */
#ifndef FT_PIPELINE_STREAM_PRIV_H
#define FT_PIPELINE_STREAM_PRIV_H

#include <stdio.h>

#include "pipeline/hash.h"
#include "pipeline/outfile.h"
#include "pipeline/stream.h"

enum seal_mode {
    SEAL_NONE,  /* an ordinary pipe */
    SEAL_FIRST, /* first stage: nothing upstream to vouch for its input */
    SEAL_INNER,
};

struct seal {
    enum seal_mode mode;
    struct ft_hasher *in, *out; /* of the bytes read and written, without seals */
    uint64_t lines;             /* read so far */
    bool seen, ok;              /* the upstream seal */
    bool missing;               /* the input ended without a good one */
    uint64_t want_lines;
    char want_hash[17];
    struct ft_str stages;       /* upstream, the inside of the JSON array */
};

struct map_rule {
    const char *to, *from;
};

struct ft_stream {
    const struct ft_tool *tool;
    struct ft_stream_opts so;
    char **argv;
    struct ft_arena mem, rec_mem; /* of the run; of the present record */
    struct ft_err err;            /* what ended the run */
    bool err_shown;

    struct ft_input *in;
    struct ft_rec rec;
    struct map_rule *rules;
    size_t n_rules;

    struct ft_outfile file;
    struct ft_buf out; /* not yet written to it */
    FILE *bad_file;
    uint64_t max_bad;
    double max_bad_share; /* < 0: not given */

    uint64_t n_read; /* records read, some perhaps in flight */
    uint64_t n_in, n_out, n_kept, n_dropped, n_bad, n_blank, bytes_out;
    struct ft_counter *drops, *counts, *notes_n;
    struct ft_buf notes; /* "key": json, ... */
    struct seal seal;
    double next_progress;
};

/* stream.c */
/* The next raw line that is a record: 1, 0, -1; strips and reads the seal. 2: a
 * bad line that the input could pass over; e says why. */
int ft_stream_raw(struct ft_stream *s, struct ft_line *line, struct ft_err *e);
/* Adds n to the counter of that name, which is made in `mem` behind the others when there is none. */
void ft_stream_add(struct ft_arena *mem, struct ft_counter **list, const char *name, uint64_t n);
/* A bad line: set aside (0) or final (-1, e kept). `org` may be empty. */
int ft_stream_set_aside(struct ft_stream *s, struct ft_str line, const char *file, uint64_t lineno,
                        struct ft_str org_file, int64_t org_line, struct ft_err *e);

/* stream_out.c */
int ft_stream_emit(struct ft_stream *s, const char *p, size_t n); /* buffered, what is large is not */
int ft_stream_emitted(struct ft_stream *s, size_t from); /* s->out was written to from there on */
int ft_stream_flush(struct ft_stream *s);

/* seal.c */
void ft_seal_open(struct ft_stream *s);
bool ft_seal_is(struct ft_str line);
int ft_seal_read(struct ft_stream *s, struct ft_str line, struct ft_err *e);
/* At the end of the input: -1 when what was read is not what was sent. */
int ft_seal_check(struct ft_stream *s, struct ft_err *e);
/* This stage's seal line. */
void ft_seal_write(struct ft_stream *s, bool ok, struct ft_buf *out);

#endif
