/* frame.h -- the frames of `tokenize --binary`: a record, and its numbers as they are in memory.
 *
 * RECORD.md ("Frames") has the layout. A frame is a multiple of four bytes, so that its
 * ids are aligned wherever the stream is read to. They have two bytes each where all of the vocabulary
 * fits: the pipe's pages are what frames cost. Spans are in numbers where all of the
 * record's are usual ones (spans.h); else they stay in its JSON.
 */
#ifndef FT_PIPELINE_FRAME_H
#define FT_PIPELINE_FRAME_H

#include "pipeline/spans.h"

#define FT_FRAMES_MAGIC "\x89" "FTI\r\n\x1a\n"
enum {
    FT_FRAMES_VERSION = 3,
    FT_FRAMES_START_SIZE = 16, /* magic; version, bytes of an id: u32 each */
    FT_FRAME_HEADER = 16,  /* bytes of the record, ids, spans, ranges of learn: u32 each */
    FT_FRAME_SPAN = 16,    /* begin, end, message: u32; field, role, flags, 0: a byte each */
    FT_FRAME_LEARN = 8,    /* begin, end: u32 */
};
#define FT_FRAME_NONE 0xfffffffeu /* as a number of ids, spans or ranges: they are not in the frame */
#define FT_FRAME_SEAL 0xffffffffu /* as a number of ids */

/* Bytes of an id in frames of a vocabulary with ids below n. */
static inline int ft_frames_width(uint64_t n) { return n <= 65536 ? 2 : 4; }
/* What stands in front of all frames whose ids have `width` bytes. */
void ft_frames_start(int width, char to[FT_FRAMES_START_SIZE]);
/* The bytes of n ids, with what fills them up to a multiple of four. */
static inline uint64_t ft_frame_ids_size(uint64_t n, int width) { return ((uint64_t)width * n + 3) & ~(uint64_t)3; }

/* The i-th span. Its field and role may be numbers that no name has. */
struct ft_frame_span {
    uint32_t begin, end;
    int32_t message;
    uint8_t field, role, flags;
};
struct ft_frame_span ft_frame_span(const struct ft_numbers *f, size_t i);
/* The i-th range of learn. */
struct ft_frame_learn {
    uint32_t begin, end;
};
struct ft_frame_learn ft_frame_learn(const struct ft_numbers *f, size_t i);

/* Writes x, a usual one, with other bounds to to[FT_FRAME_SPAN]. */
void ft_frame_put_span(char *to, const struct ft_range *x, uint32_t begin, uint32_t end);
void ft_frame_put_learn(char *to, uint32_t begin, uint32_t end);
/* The record with its edits as a frame, its numbers those of r->numbers; its ids, which fit, have `width` bytes each. */
void ft_frame_put(struct ft_rec *r, int width, struct ft_buf *out);
/* A seal, without its newline. */
void ft_frame_put_seal(struct ft_str seal, struct ft_buf *out);

/* The numbers as members of JSON, each with a comma in front. */
void ft_frame_json(const struct ft_numbers *f, struct ft_buf *out);

#endif
