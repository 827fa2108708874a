/* json.h -- JSON: one validating scanner, a small tree, and a writer.
 *
 * Strict RFC 8259 and nothing more: no NaN, no comments, valid UTF-8, no lone
 * surrogates, at most FT_JSON_DEPTH levels. jansson is the oracle in the tests
 * and reads configuration elsewhere; this exists because records pass through
 * at pipe speed and must come out byte for byte (`0.1` stays `0.1`), which a
 * tree that converts numbers cannot do.
 *
 * Errors are FT_DATA with the 1-based byte in `p`.
 */
#ifndef FT_PIPELINE_JSON_H
#define FT_PIPELINE_JSON_H

#include "pipeline/str.h"

enum { FT_JSON_DEPTH = 2048 };

enum ft_json_type {
    FT_JSON_NULL,
    FT_JSON_FALSE,
    FT_JSON_TRUE,
    FT_JSON_NUMBER,
    FT_JSON_STRING,
    FT_JSON_ARRAY,
    FT_JSON_OBJECT,
};

struct ft_json_member;

/* A parsed value. Everything it points to is owned by the arena it was parsed
 * into, or is part of the text that was parsed. */
struct ft_json {
    enum ft_json_type type;
    bool is_float;     /* NUMBER: has a fraction or an exponent */
    struct ft_str s;   /* STRING: unescaped bytes. NUMBER: as written */
    struct ft_str raw; /* the value as written, without outer whitespace */
    size_t n;          /* ARRAY, OBJECT: number of items */
    union {
        struct ft_json *items;         /* ARRAY */
        struct ft_json_member *members; /* OBJECT, in source order, duplicates kept */
    };
};

struct ft_json_member {
    struct ft_str key; /* unescaped */
    struct ft_json value;
};

/* ---- scanning ---- */

/* A member of an object: pieces of the scanned text, still escaped. */
struct ft_span {
    uint32_t at, n;
};
struct ft_range;
struct ft_edit;
struct ft_field {
    struct ft_span key;   /* between the quotes */
    struct ft_span value; /* whole value as written */
    bool key_escaped;
    enum ft_json_type type;
    struct ft_json *tree; /* the value, where the scan made one */
    struct ft_range *ranges; /* spans.h: the same */
    uint32_t n_ranges;
    struct ft_stamp_read *stamp; /* stamp.c: the same */
    struct ft_edit *edit; /* record.c: what becomes of it */
};

/* Validates p[0..n) as one JSON object (whitespace around it allowed) and
 * lists its members in *fields, which it allocates in `a`. n < 4 GiB. */
int ft_json_scan(const char *p, size_t n, struct ft_arena *a, struct ft_field **fields, size_t *count,
                 struct ft_err *e);
/* The same, and makes the trees of objects and arrays on the way (not of numbers alone:
 * those are token ids): for a reader that will want most of them. */
int ft_json_scan_trees(const char *p, size_t n, struct ft_arena *a, struct ft_field **fields, size_t *count,
                       struct ft_err *e);
/* Validates one value of any type. */
int ft_json_check(const char *p, size_t n, struct ft_err *e);

/* ---- trees ---- */

/* Parses one value (whitespace around it allowed). Strings without escapes
 * point into p, which must outlive the tree. */
int ft_json_parse(const char *p, size_t n, struct ft_arena *a, struct ft_json *out, struct ft_err *e);
/* The same for a whole file; the message starts with the path. */
int ft_json_load(const char *path, struct ft_arena *a, struct ft_json *out, struct ft_err *e);

/* The two halves of that: a file's bytes, and their tree. */
int ft_json_read(const char *path, struct ft_arena *a, struct ft_str *text, struct ft_err *e);
int ft_json_parse_file(const char *path, struct ft_str text, struct ft_arena *a, const char *const *but, struct ft_json *out,
                       struct ft_err *e);
/* As ft_json_parse, without the children of some containers: the members with one of the names `but` (ended by NULL, or NULL) of the
 * root's members. Such a one is validated, and has `type` and `raw`, but n == 0: for what is too large for a tree (json_walk.h). */
int ft_json_parse_but(const char *p, size_t n, struct ft_arena *a, const char *const *but, struct ft_json *out, struct ft_err *e);

/* The last member of that name (the rule of Python's json), or NULL; also NULL
 * when v is NULL or no object, so that look-ups chain. */
static inline struct ft_json *ft_json_get_str(const struct ft_json *v, struct ft_str key)
{
    if (!v || v->type != FT_JSON_OBJECT)
        return NULL;
    for (size_t i = v->n; i-- > 0;) {
        const struct ft_str k = v->members[i].key;
        if (k.n == key.n && (!k.n || (*k.p == *key.p && !memcmp(k.p, key.p, k.n))))
            return &v->members[i].value;
    }
    return NULL;
}
static inline struct ft_json *ft_json_get(const struct ft_json *v, const char *key) { return ft_json_get_str(v, ft_strz(key)); }

/* Typed look-ups with a default for absent and null; -1 and FT_DATA when the
 * member has another type. */
int ft_json_get_bool(const struct ft_json *v, const char *key, bool *out, struct ft_err *e);
int ft_json_get_int(const struct ft_json *v, const char *key, int64_t *out, struct ft_err *e);
int ft_json_get_real(const struct ft_json *v, const char *key, double *out, struct ft_err *e);
int ft_json_get_string(const struct ft_json *v, const char *key, struct ft_str *out, struct ft_err *e);

/* A NUMBER as an integer; -1 if it is no integer or does not fit. */
int ft_json_int(const struct ft_json *v, int64_t *out);
/* A NUMBER as the nearest double. */
double ft_json_real(const struct ft_json *v);

/* ---- strings ---- */

/* Unescapes the inside of a valid JSON string into the arena, or returns the
 * piece itself when it has no escape. */
struct ft_str ft_json_unescape(struct ft_str inside, struct ft_arena *a);
/* The same into room for inside.n + FT_JSON_SLACK bytes; returns the end. */
char *ft_json_unescape_to(char *w, struct ft_str inside);
enum { FT_JSON_SLACK = 32 }; /* it is written 32 bytes at a time */

/* ---- writing ---- */

/* A JSON string with its quotes. Escapes only what RFC 8259 demands (quote,
 * backslash, controls: \n \t \r \b \f, else \u00xx), as Python's json.dumps
 * with ensure_ascii=False does. */
void ft_json_put_str(struct ft_buf *b, struct ft_str s);
/* The same in two steps: room enough for it, and writing there; returns the end. */
size_t ft_json_str_room(struct ft_str s);
/* Room enough for any string of n bytes, which is six times as much: for short ones. */
static inline size_t ft_json_str_most(size_t n) { return 6 * n + 2 + FT_JSON_SLACK; }
char *ft_json_write_str(char *w, struct ft_str s);
static inline void ft_json_put_strz(struct ft_buf *b, const char *z) { ft_json_put_str(b, ft_strz(z)); }
/* The shortest decimal that reads back as v, always with a fraction or an
 * exponent ("1.0", "1e-07"), as Python prints floats. Non-finite becomes null. */
void ft_json_put_real(struct ft_buf *b, double v);
/* ft_json_put_real into out[40]; returns the length. "nan", "inf", "-inf" for
 * the non-finite. */
int ft_real_repr(char *out, double v);

#endif
