/* text.h -- a piece of text on its way to tokens, that remembers where each of
 * its bytes came from.
 *
 * Normalizers and pre-tokenizers rewrite and cut pieces. Where offsets are
 * wanted, `al` gives for every byte the range of the original it stands for;
 * the rules by which an edit moves those ranges are those of the library whose
 * results we give (tokenizers 0.23, `NormalizedString::transform`).
 */
#ifndef FT_TOKENIZER_TEXT_H
#define FT_TOKENIZER_TEXT_H

#include "pipeline/str.h"

struct tk_range {
    uint32_t b, e; /* bytes of the original text */
};

struct tk_piece {
    const char *p;
    uint32_t n;
    uint32_t base;             /* where it begins in the original */
    const struct tk_range *al; /* [n], or NULL: the bytes ARE those of the original at base */
    uint32_t front;            /* leading bytes that stand for nothing: put in where nothing was */
    bool hollow;               /* a cut in which all do */
    int32_t id;                /* >= 0: an added token, done */
    bool mapped;               /* its bytes were mapped to the byte-level alphabet */
};

struct tk_pieces {
    struct tk_piece *v;
    size_t n, cap;
};

/* The working memory of one encode call. */
struct tk_work {
    struct ft_arena mem;
    bool offsets;               /* keep `al` */
    bool lost;                  /* an edit ran out of its text */
    struct tk_pieces a, b;      /* pieces, and the next stage's */
    struct tk_edit *edits;      /* of the edit being gathered */
    size_t n_edits, cap_edits;
};

void tk_push(struct tk_pieces *v, struct tk_piece p);
/* Bytes [b, e) of a piece as a piece. */
struct tk_piece tk_slice(const struct tk_piece *p, uint32_t b, uint32_t e);
/* The original range that bytes [b, e) of a piece stand for; b < e. */
struct tk_range tk_origin(const struct tk_piece *p, uint32_t b, uint32_t e);

/* One character of an edited piece. change 0: it stands for the next character
 * of the old text; 1: it was put in; -k: it stands for the next one and k more
 * behind it. */
struct tk_edit {
    uint32_t c;
    int32_t change;
};
void tk_edit_put(struct tk_work *w, uint32_t c, int32_t change);
/* Replaces the piece's text by the edits gathered since the last call;
 * `skip` bytes at the front of the old text are gone. Behind a `front` the
 * library's range begins too late (a slip): the front stays, the edits stand for
 * what comes that much later, and where they run out of the text it panics;
 * then w->lost is set. */
void tk_edit_apply(struct tk_work *w, struct tk_piece *p, uint32_t skip);
/* FT_DATA if w->lost, which it clears. */
int tk_edit_check(struct tk_work *w, struct ft_err *e);

/* Puts text in front. No-op on an empty piece. */
void tk_prepend(struct tk_work *w, struct tk_piece *p, struct ft_str text);

/* Replaces the given matches (sorted, disjoint ranges of the piece) by text. */
struct tk_match {
    uint32_t b, e;
};
void tk_replace(struct tk_work *w, struct tk_piece *p, const struct tk_match *m, size_t n, struct ft_str text);

#endif
