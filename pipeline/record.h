/* record.h -- one record: a JSON object on a line, and the edits a stage makes.
 *
 * RECORD.md is the contract between stages; this is its mechanism. A record
 * keeps the bytes it was read as and a list of its members. Edits replace,
 * rename, remove or append members; ft_rec_write then copies every untouched
 * byte as it was. A record without edits comes out identical.
 *
 * Everything lives in the record's arena, which the stream resets for the next
 * record: keep nothing.
 */
#ifndef FT_PIPELINE_RECORD_H
#define FT_PIPELINE_RECORD_H

#include "pipeline/json.h"

struct ft_edit; /* private to record.c */
struct ft_stamp_read;

/* What a record has in its frame and not in its line (frame.h); NULL: not there. */
struct ft_numbers {
    const char *ids;   /* input_ids, little-endian */
    const char *spans; /* FT_FRAME_SPAN bytes each */
    const char *learn; /* FT_FRAME_LEARN bytes each */
    size_t n_ids, n_spans, n_learn;
    int width;         /* bytes of an id: 2 or 4 */
};

struct ft_rec {
    struct ft_str line;      /* the object, without the newline */
    struct ft_field *fields; /* its members, in order */
    size_t n;
    uint64_t names;          /* a bit for each name that it may have, read or set: most that is asked for is not there */
    const char *file;        /* where it was read, for messages */
    uint64_t lineno;         /* 1-based */
    uint64_t seq;            /* 0-based number among the records of the run */
    struct ft_arena *mem;
    bool trees;              /* most values will be read as trees: made at once */
    struct ft_edit *edits;
    struct ft_numbers numbers;
    const char *dropped;     /* why a stage dropped it (ft_rec_drop), or NULL */
    struct ft_stamp_read *stamp; /* private to stamp.c: `_ft` as parsed last */
    struct ft_counter *counts; /* ft_rec_count, for the statistics */
};

/* Parses `line`; the other members of *r must be set. FT_DATA with the byte. */
int ft_rec_parse(struct ft_rec *r, struct ft_err *e);

/* 1 and the member, 0 if there is none, -1 (FT_DATA) when it occurs twice: a
 * stage must not guess which of two it should read. Sees earlier edits. */
int ft_rec_find(struct ft_rec *r, const char *key, struct ft_str *raw, enum ft_json_type *type,
                struct ft_err *e);
/* Is the member there (as read or set)? */
bool ft_rec_has(struct ft_rec *r, const char *key);
/* One bit of 64 by length and ends: members of different bits have different names. */
static inline uint64_t ft_rec_name_bit(struct ft_str s)
{
    const unsigned first = s.n ? (unsigned char)s.p[0] : 0, last = s.n ? (unsigned char)s.p[s.n - 1] : 0;
    return (uint64_t)1 << ((s.n * 7 + first + last * 3) & 63);
}
/* false: it is not, without a look. */
static inline bool ft_rec_may_have(const struct ft_rec *r, const char *key) { return r->names & ft_rec_name_bit(ft_strz(key)); }

/* Typed reads. 1 found, 0 absent or null, -1 wrong type or duplicate. A
 * message names the member and its byte. */
int ft_rec_string(struct ft_rec *r, const char *key, struct ft_str *out, struct ft_err *e);
int ft_rec_int(struct ft_rec *r, const char *key, int64_t *out, struct ft_err *e);
int ft_rec_bool(struct ft_rec *r, const char *key, bool *out, struct ft_err *e);
/* An array of integers that fit int32 (token ids, labels), in the arena; of a frame, where they are. */
int ft_rec_ids(struct ft_rec *r, const char *key, int32_t **out, size_t *n, struct ft_err *e);
/* Any value as a tree. */
int ft_rec_value(struct ft_rec *r, const char *key, struct ft_json *out, struct ft_err *e);
/* FT_DATA "no member "key"" -- for when 0 above is an error. Returns -1. */
int ft_rec_missing(const struct ft_rec *r, const char *key, struct ft_err *e);

/* Edits. `json` is a whole JSON value and must live in the record's arena.
 * set: replaces the value in place, or appends the member. */
void ft_rec_set(struct ft_rec *r, const char *key, struct ft_str json);
void ft_rec_set_string(struct ft_rec *r, const char *key, struct ft_str text);
void ft_rec_set_ids(struct ft_rec *r, const char *key, const int32_t *ids, size_t n);
void ft_rec_remove(struct ft_rec *r, const char *key);
/* FT_DATA when `from` is absent or `to` exists. */
int ft_rec_rename(struct ft_rec *r, const char *from, const char *to, struct ft_err *e);

/* `_ft` (RECORD.md): sets one of its members ("tok", "tpl") to a string. The
 * first stage that stamps also sets `org`, and `uid`: the XXH3-128 of the
 * record as it was read. */
int ft_rec_stamp(struct ft_rec *r, const char *what, const char *value, struct ft_err *e);
/* "tok", and "bytes" where it is not 0: of the text that the tokens stand for and
 * that the record does not have any more. */
int ft_rec_stamp_tokens(struct ft_rec *r, const char *tok, uint64_t bytes, struct ft_err *e);
/* The parsed `_ft`, all fields empty when there is none. */
struct ft_stamp {
    struct ft_str tok, tpl, src, uid, org_file;
    int64_t org_line; /* 0: none */
    int64_t bytes;    /* of the text that the tokens stand for; 0: not known */
};
int ft_rec_get_stamp(struct ft_rec *r, struct ft_stamp *out, struct ft_err *e);

/* The record with its edits and a newline. */
void ft_rec_write(struct ft_rec *r, struct ft_buf *out);
/* The same for a stage that writes new members straight to `out`: all but the end; then for each
 * its name, which the record must not have, behind which the caller writes the value; the end. */
struct ft_rec_tail {
    bool empty, spaced; /* no member yet; a space stands behind the record's commas and colons */
    size_t at;          /* where the end begins in the line */
};
struct ft_rec_tail ft_rec_begin(struct ft_rec *r, struct ft_buf *out);
void ft_rec_name(struct ft_rec_tail *t, struct ft_buf *out, const char *key);
void ft_rec_end(const struct ft_rec *r, const struct ft_rec_tail *t, struct ft_buf *out);
/* The value of `_ft` as ft_rec_stamp makes it in a record that has none. */
void ft_rec_put_stamp(const struct ft_rec *r, struct ft_buf *out, const char *what, const char *value);

/* For a map function: says why it writes nothing for this record. `why` is a
 * short constant word ("empty", "too_long"): statistics count by it. */
void ft_rec_drop(struct ft_rec *r, const char *why);
/* Adds to a named statistic of the stage ("truncated", "specials_in_content"). */
void ft_rec_count(struct ft_rec *r, const char *what, uint64_t n);

struct ft_counter {
    const char *name; /* a constant */
    uint64_t n;
    struct ft_counter *next;
};

#endif
