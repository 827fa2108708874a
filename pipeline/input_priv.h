/* input_priv.h -- what the formats of input.h share: the present file's bytes, and where the reader is in them.
 * One file a format: input_lines.c, input_json.c, input_csv.c, input_frames.c; input.c tells which it is. */
#ifndef FT_PIPELINE_INPUT_PRIV_H
#define FT_PIPELINE_INPUT_PRIV_H

#include <stdio.h>

#include "pipeline/input.h"

struct ft_input {
    struct ft_source *src;
    enum ft_input_format wanted, format; /* as asked for; of the present file */
    uint64_t max;
    FILE *spill;

    const char *name; /* of the present file, NULL: none open */
    uint64_t lineno;  /* of the byte at `at` */
    char *buf;        /* [at, end) is read and not given out */
    size_t at, end, cap;
    size_t seen;      /* bytes behind `at` searched already, without success */
    bool eof;         /* of the present file */

    struct ft_buf made; /* a record written from CSV, text or spread JSON */
    struct ft_arena header_mem;
    struct ft_str *header; /* CSV column names */
    size_t columns;
    bool in_array, had_element; /* JSON: inside the outer brackets */
    int frames;            /* bytes of an id in the file's frames; 0: it is no file of frames */
    size_t unseen;         /* bytes of its header, until the first frame takes them */
    struct ft_frame frame; /* the last one */

    bool repair;
    struct ft_buf repaired_line;
    uint64_t bytes, blank, repaired;
};

/* Is byte `at` + i there? 1, 0 where the file ends in front of it, -1. May move the buffer. */
int ft_input_reach(struct ft_input *in, size_t i, struct ft_err *e);
/* That byte; -1: the file ends, -2: failure. */
static inline int ft_input_peek(struct ft_input *in, size_t i, struct ft_err *e)
{
    if (in->at + i >= in->end) {
        const int r = ft_input_reach(in, i, e);
        if (r <= 0)
            return r < 0 ? -2 : -1;
    }
    return (unsigned char)in->buf[in->at + i];
}
/* Reads more of the present file behind `end`: 1, 0 at its end, -1. */
int ft_input_fill(struct ft_input *in, struct ft_err *e);

/* ---- of the formats ---- */

bool ft_input_is_blank(struct ft_str line);
/* FT_DATA at the first byte that is no UTF-8. */
int ft_input_check_utf8(struct ft_str s, struct ft_err *e);

/* Each as ft_input_next, 0 at the end of the present file. */
int ft_input_next_line(struct ft_input *in, struct ft_line *out, struct ft_err *e);
int ft_input_next_json(struct ft_input *in, struct ft_line *out, struct ft_err *e);
int ft_input_next_row(struct ft_input *in, struct ft_line *out, struct ft_err *e);
int ft_input_next_frame(struct ft_input *in, struct ft_line *out, struct ft_err *e);
/* The first row of a CSV or TSV file: 1, 0 where there is none, -1. */
int ft_input_open_csv(struct ft_input *in, struct ft_line *out, struct ft_err *e);
/* Is the present file one of frames? 1, with in->frames set, 0, -1: of a version that is not known. */
int ft_input_open_frames(struct ft_input *in, struct ft_err *e);
/* Is the whole next line, frame, read already? */
bool ft_input_has_line(struct ft_input *in);
bool ft_input_has_frame(const struct ft_input *in);

#endif
