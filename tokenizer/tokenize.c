/* tokenize -- text to token ids, spans and all. */
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/bytes.h"
#include "pipeline/spans.h"
#include "pipeline/stream.h"
#include "tokenizer/guarded.h"
#include "tokenizer/ranges.h"
#include "tokenizer/verify.h"

enum tri { AUTO, YES, NO };
enum boundary { PREFIX, START, OVERLAP, INSIDE };
enum too_long { CUT, DROP, ERROR };
enum { OFFSETS_NONE = -1, OFFSETS_BYTE, OFFSETS_CHAR };

struct config {
    const char *model, *split, *pair, *verify;
    struct ft_list fields;
    const char **read; /* fields and pair, ended by NULL */
    int special, eos, boundary, offsets;
    int side, strategy, too_long;
    uint64_t max_length; /* 0: no limit */
    bool plain_content, types, info, binary;
    bool endless; /* nothing ends a text: no end-of-text token is known, nor does the post-processor put one */
    struct ft_tokenizer *tok;
    struct ft_tok_specials ids;
    struct ft_str eos_text;
    struct ft_tok_state **state; /* by worker */
};

/* ---- ranges of bytes to ranges of tokens ---- */

/* `learn`: of what is learnt, where the first token of a turn may begin within its
 * prompt ("\n" and "\n" as one): prefix takes it, as TRL does it twice over, by the
 * common prefix of prompts and by the tokens of {% generation %} blocks. */
static struct ft_span to_tokens(const struct config *c, const struct ft_encoding *x, uint32_t b, uint32_t e, bool learn)
{
    size_t from, to;
    ft_tok_range_find(x, b, e,
                      c->boundary == OVERLAP || (learn && c->boundary == PREFIX) ? FT_TOK_OVERLAP
                      : c->boundary == INSIDE                                    ? FT_TOK_INSIDE
                                                                                 : FT_TOK_START,
                      &from, &to);
    return (struct ft_span){(uint32_t)from, (uint32_t)(to - from)};
}

static int not_a_range(const char *key, size_t i, struct ft_err *e)
{
    return ft_fail(e, FT_DATA, "\"%s\": entry %zu is not a range of bytes of \"text\"", key, i);
}

/* A member of ranges, each within the text. 1, 0 there is none, -1. */
static int ranges_of(struct ft_rec *r, const char *key, size_t text_n, struct ft_range **v, size_t *n, struct ft_err *e)
{
    const int k = ft_rec_ranges(r, key, v, n, e);
    for (size_t i = 0; i < *n; i++)
        if ((*v)[i].begin < 0 || (uint64_t)(*v)[i].end > text_n)
            return not_a_range(key, i, e);
    return k;
}

static int by_place(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The i-th of the places where ranges begin and end. */
static uint32_t place(const struct ft_range *v, size_t i) { return (uint32_t)(i & 1 ? v[i / 2].end : v[i / 2].begin); }

/* Where the ranges of two lists begin and end, sorted: each of the lists should be. */
static const uint32_t *marks_of(struct ft_rec *r, const struct ft_range *a, size_t n_a, const struct ft_range *b, size_t n_b, size_t *n)
{
    uint32_t *v = ft_arena_alloc(r->mem, 2 * (n_a + n_b) * sizeof *v + 1);
    bool sorted = true;
    *n = 0;
    for (size_t i = 0, k = 0; i < 2 * n_a || k < 2 * n_b;) {
        const uint32_t m = k == 2 * n_b || (i < 2 * n_a && place(a, i) < place(b, k)) ? place(a, i++) : place(b, k++);
        sorted = sorted && (!*n || v[*n - 1] <= m);
        v[(*n)++] = m;
    }
    if (!sorted)
        qsort(v, *n, sizeof *v, by_place);
    return v;
}

static char *put_u32(char *w, uint32_t v)
{
    char tmp[10];
    int k = 10;
    do
        tmp[--k] = (char)('0' + v % 10);
    while (v /= 10);
    memcpy(w, tmp + k, (size_t)(10 - k));
    return w + 10 - k;
}

/* Rewrites a member of ranges from bytes to tokens; what else an entry holds
 * stays as written. */
static void convert(const struct config *c, struct ft_rec *r, const char *key, const struct ft_range *v, size_t n,
                    const struct ft_encoding *x)
{
    const bool learn = !strcmp(key, "learn");
    uint32_t behind = 0; /* of the last one learnt: ranges stay disjoint */
    size_t room = 2;
    for (size_t i = 0; i < n; i++)
        room += 24 + v[i].more.n;
    char *const p = ft_arena_alloc(r->mem, room), *w = p;
    *w++ = '[';
    for (size_t i = 0; i < n; i++) {
        const uint32_t b = (uint32_t)v[i].begin, end = (uint32_t)v[i].end;
        struct ft_span t = b < end ? to_tokens(c, x, b, end, learn) : (struct ft_span){0};
        if (learn && t.n && t.at < behind) {
            const uint32_t shared = behind - t.at;
            t.at = behind;
            t.n -= shared < t.n ? shared : t.n;
        }
        if (!t.n)
            continue;
        behind = t.at + t.n;
        if (w > p + 1)
            *w++ = ',';
        *w++ = '[';
        w = put_u32(w, t.at);
        *w++ = ',';
        w = put_u32(w, t.at + t.n);
        memcpy(w, v[i].more.p, v[i].more.n);
        w += v[i].more.n;
        *w++ = ']';
    }
    *w++ = ']';
    ft_rec_set(r, key, (struct ft_str){p, (size_t)(w - p)});
}

static void set_types(struct ft_rec *r, const char *name, const struct ft_encoding *x, bool eos)
{
    int32_t *v = ft_arena_alloc(r->mem, (x->n + 1) * sizeof *v);
    for (size_t i = 0; i < x->n; i++)
        v[i] = (int32_t)x->type[i];
    v[x->n] = x->n ? v[x->n - 1] : 0;
    ft_rec_set_ids(r, name, v, x->n + eos);
}

/* Last, for it turns the encoding's offsets into characters. */
static void set_offsets(const struct config *c, struct ft_rec *r, const char *name, struct ft_str text, const struct ft_encoding *x)
{
    struct ft_buf out = {0};
    ft_buf_putc(&out, '[');
    if (c->offsets == OFFSETS_CHAR)
        ft_offsets_to_chars(x->begin, x->end, x->n, text);
    for (size_t i = 0; i < x->n; i++) {
        ft_buf_putz(&out, i ? ",[" : "[");
        ft_buf_put_u64(&out, x->begin[i]);
        ft_buf_putc(&out, ',');
        ft_buf_put_u64(&out, x->end[i]);
        ft_buf_putc(&out, ']');
    }
    ft_buf_putc(&out, ']');
    ft_rec_set(r, name, (struct ft_str){ft_arena_dup(r->mem, out.p, out.n), out.n});
    ft_buf_release(&out);
}

/* ---- frames ---- */

/* The tokens of the record: a member, or what its frame holds beside the line. */
static void set_ids(const struct config *c, struct ft_rec *r, const char *name, const int32_t *ids, size_t n)
{
    if (!c->binary || strcmp(name, "input_ids") != 0) {
        ft_rec_set_ids(r, name, ids, n);
        return;
    }
    if (ft_rec_has(r, name))
        ft_rec_remove(r, name);
    r->has_ids = true;
    r->ids = (const char *)ids;
    r->n_ids = n;
}

static void put_frame(struct ft_rec *r, struct ft_buf *out)
{
    const size_t at = out->n;
    ft_put_u32(out, 0);
    ft_put_u32(out, r->has_ids ? (uint32_t)r->n_ids : FT_FRAME_NO_IDS);
    ft_rec_write(r, out);
    out->n--; /* the newline */
    const uint32_t n = (uint32_t)(out->n - at - 8);
    const char size[4] = {(char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24)};
    memcpy(out->p + at, size, 4);
    if (!r->has_ids)
        return;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    ft_buf_put(out, r->ids, 4 * r->n_ids);
#else
    for (size_t i = 0; i < r->n_ids; i++)
        ft_put_u32(out, (uint32_t)((const int32_t *)(const void *)r->ids)[i]);
#endif
}

/* ---- what is too long ---- */

/* Counts a record of n tokens that must be cut: 0 cut it, 1 drop it, -1. */
static int over(const struct config *c, struct ft_rec *r, size_t n, struct ft_err *e)
{
    if (c->too_long == ERROR)
        return ft_fail(e, FT_DATA, "%zu tokens: more than --max-length %llu", n, (unsigned long long)c->max_length);
    if (c->too_long == DROP) {
        ft_rec_drop(r, "too_long");
        return 1;
    }
    ft_rec_count(r, "truncated", 1);
    return 0;
}

/* guarded: content that was rendered may spell tokens; the rule is guarded.h's. */
static int encode_once(const struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text,
                       const struct ft_encode_opts *o, bool guarded, struct ft_encoding *x, struct ft_err *e)
{
    return guarded ? ft_encode_guarded(c->tok, st, text, o, r->mem, x, e) : ft_encode(c->tok, st, text, o, x, e);
}

/* ft_encode, within the limit. *eos: an end-of-text token is to follow; a text
 * that is cut at its end does not get it. 0, 1 when the record is dropped, -1. */
static int encode(const struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text,
                  struct ft_encode_opts *o, bool guarded, struct ft_encoding *x, bool *eos, struct ft_err *e)
{
    if (encode_once(c, st, r, text, o, guarded, x, e))
        return -1;
    if (!c->max_length || x->n + *eos <= c->max_length)
        return 0;
    const int k = over(c, r, x->n + *eos, e);
    if (k)
        return k;
    *eos = *eos && c->side == 1;
    o->truncate = true;
    o->left = c->side == 1;
    o->strategy = (enum ft_tok_strategy)c->strategy;
    o->max_length = c->max_length - *eos;
    return encode_once(c, st, r, text, o, guarded, x, e);
}

/* ---- kinds of records ---- */

static bool ends_with(struct ft_str s, struct ft_str tail)
{
    return tail.n && s.n >= tail.n && !memcmp(s.p + s.n - tail.n, tail.p, tail.n);
}

static bool wants_eos(const struct config *c, struct ft_rec *r, bool rendered, struct ft_str text)
{
    if (c->endless && c->eos == AUTO && !rendered)
        ft_rec_count(r, "without_eos", 1);
    if (c->ids.eos < 0 || c->eos == NO || (c->eos == AUTO && rendered))
        return false;
    if (c->plain_content && !rendered) /* its string in the text is no token */
        return true;
    return c->eos == YES || !ends_with(text, c->eos_text);
}

static int32_t *copy(struct ft_rec *r, const struct ft_encoding *x, bool eos, const struct config *c, size_t *n)
{
    int32_t *v = ft_arena_alloc(r->mem, (x->n + 1) * sizeof *v);
    *n = x->n;
    if (*n)
        memcpy(v, x->ids, *n * sizeof *v);
    if (eos)
        v[(*n)++] = (int32_t)c->ids.eos;
    return v;
}

/* Untrusted ranges of the text. */
static size_t untrusted(struct ft_rec *r, const struct ft_range *spans, size_t n_spans, struct ft_tok_range **out, bool **bare)
{
    struct ft_tok_range *v = FT_NEWS(r->mem, struct ft_tok_range, n_spans + 1);
    size_t n = 0;
    *bare = FT_NEWS(r->mem, bool, n_spans + 1);
    for (size_t i = 0; i < n_spans; i++) {
        int64_t flags;
        if (!ft_range_int(spans[i].item[FT_RANGE_FLAGS], &flags) && flags & 1) {
            (*bare)[n] = flags & 4;
            v[n++] = (struct ft_tok_range){(uint32_t)spans[i].begin, (uint32_t)spans[i].end};
        }
    }
    *out = v;
    return n;
}

/* Text that no span vouches for is content, all of it. */
static size_t all_of(struct ft_rec *r, struct ft_str text, struct ft_tok_range **out)
{
    *out = FT_NEW(r->mem, struct ft_tok_range);
    (*out)[0] = (struct ft_tok_range){0, (uint32_t)text.n};
    return 1;
}

/* A text of a record, and where in it special-token text is to stay text. */
struct part {
    struct ft_str text;
    struct ft_tok_range *plain;
    bool *bare; /* of each: the template knows a token that it spells; NULL: none */
    size_t n_plain;
};

/* Reads member `name`; its marks are in `name`_spans, as chat-template writes them, and
 * are used up. 1, 0: no such member, -1. */
static int read_part(const struct config *c, struct ft_rec *r, const char *name, bool rendered, struct part *p, struct ft_err *e)
{
    struct ft_range *spans;
    size_t n_spans;
    char key[128];
    *p = (struct part){.text = {"", 0}};
    const int k = ft_rec_string(r, name, &p->text, e);
    if (k <= 0)
        return k;
    snprintf(key, sizeof key, "%s_spans", name);
    const int has = ranges_of(r, key, p->text.n, &spans, &n_spans, e);
    if (has < 0)
        return -1;
    if (has)
        p->n_plain = untrusted(r, spans, n_spans, &p->plain, &p->bare);
    else if (!rendered)
        p->n_plain = all_of(r, p->text, &p->plain);
    else if (c->plain_content)
        return ft_fail(e, FT_DATA, "\"%s\" was rendered, and there is no \"%s\" to tell content from template", name, key);
    if (has)
        ft_rec_remove(r, key);
    return 1;
}

/* Special tokens in what `plain` says is content. */
static uint64_t specials_inside(const struct config *c, const struct ft_encoding *x, const struct ft_tok_range *plain, size_t n_plain)
{
    const uint64_t *special = ft_tokenizer_special_bits(c->tok);
    uint64_t inside = 0;
    for (size_t i = x->n_prefix, at = 0; n_plain && i < x->n; i++) {
        const uint32_t id = (uint32_t)x->ids[i];
        if (!(special[id / 64] >> id % 64 & 1))
            continue;
        while (at < n_plain && plain[at].end <= x->begin[i])
            at++;
        inside += at < n_plain && plain[at].begin < x->end[i];
    }
    return inside;
}

/* 1 written, 0 dropped, -1. */
static int plain_text(struct config *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *marked, struct ft_str text,
                      bool rendered, struct ft_err *e)
{
    struct ft_range *spans, *learn;
    size_t n_spans, n_learn;
    const int has_spans = ranges_of(r, "spans", text.n, &spans, &n_spans, e);
    const int has_learn = has_spans < 0 ? -1 : ranges_of(r, "learn", text.n, &learn, &n_learn, e);
    if (has_learn < 0)
        return -1;
    struct ft_encode_opts o = {.special = c->special == YES || (c->special == AUTO && !has_spans && !rendered),
                               .types = c->types,
                               .offsets = c->offsets >= 0 || (marked && rendered)};
    if (has_spans || has_learn)
        o.marks = marks_of(r, spans, n_spans, learn, n_learn, &o.n_marks);
    struct ft_tok_range *plain = NULL;
    bool *bare = NULL;
    size_t n_plain = has_spans ? untrusted(r, spans, n_spans, &plain, &bare) : 0;
    if (marked && !has_spans) {
        plain = marked->plain;
        bare = marked->bare;
        n_plain = marked->n_plain;
    } else if (!has_spans && c->plain_content) {
        if (rendered)
            return ft_fail(e, FT_DATA, "\"text\" was rendered, and there is no \"spans\" to tell content from template");
        n_plain = all_of(r, text, &plain);
    }
    if (c->plain_content) {
        o.n_plain = n_plain;
        o.plain = plain;
        o.bare = bare;
    }
    struct ft_encoding x;
    bool eos = wants_eos(c, r, has_spans || rendered, text);
    const int k = encode(c, st, r, text, &o, n_plain && c->plain_content && (has_spans || rendered), &x, &eos, e);
    if (k)
        return k < 0 ? -1 : 0;
    const uint64_t inside = has_spans || rendered ? specials_inside(c, &x, plain, n_plain) : 0;
    if (inside)
        ft_rec_count(r, "special_tokens_in_content", inside);
    if (has_spans)
        convert(c, r, "spans", spans, n_spans, &x);
    if (has_learn)
        convert(c, r, "learn", learn, n_learn, &x);
    if (eos)
        x.ids[x.n] = (int32_t)c->ids.eos;
    set_ids(c, r, "input_ids", x.ids, x.n + eos);
    if (c->types)
        set_types(r, "token_type_ids", &x, eos);
    if (c->offsets >= 0)
        set_offsets(c, r, "offsets", text, &x);
    return 1;
}

/* Members named by --field: one gives input_ids, several give NAME_ids each. */
static int fields(struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_err *e)
{
    for (size_t i = 0; i < c->fields.n; i++) {
        const char *name = c->fields.v[i];
        const bool only = c->fields.n == 1;
        struct ft_str text, pair;
        char key[3][128];
        snprintf(key[0], sizeof key[0], only ? "input_ids" : "%s_ids", name);
        snprintf(key[1], sizeof key[1], only ? "offsets" : "%s_offsets", name);
        snprintf(key[2], sizeof key[2], only ? "token_type_ids" : "%s_type_ids", name);
        const int k = ft_rec_string(r, name, &text, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, name, e);
        struct ft_encode_opts o = {.special = c->special != NO, .types = c->types, .offsets = c->offsets >= 0};
        if (c->pair) {
            const int m = ft_rec_string(r, c->pair, &pair, e);
            if (m <= 0)
                return m < 0 ? -1 : ft_rec_missing(r, c->pair, e);
            o.pair = &pair;
            o.chars = c->offsets == OFFSETS_CHAR;
        }
        struct ft_tok_range *plain;
        if (c->plain_content) {
            struct part marked;
            o.n_plain = all_of(r, c->pair && pair.n > text.n ? pair : text, &plain);
            o.plain = plain;
            if (!c->pair && read_part(c, r, name, false, &marked, e) < 0)
                return -1;
            if (!c->pair) {
                o.n_plain = marked.n_plain;
                o.plain = marked.plain;
                o.bare = marked.bare;
            }
        }
        struct ft_encoding x;
        bool eos = c->pair ? c->eos == YES : wants_eos(c, r, false, text);
        const int m = encode(c, st, r, text, &o, o.bare != NULL, &x, &eos, e);
        if (m)
            return m < 0 ? -1 : 0;
        if (eos)
            x.ids[x.n] = (int32_t)c->ids.eos;
        set_ids(c, r, key[0], x.ids, x.n + eos);
        if (c->types)
            set_types(r, key[2], &x, eos);
        if (c->offsets >= 0 && c->pair) {
            struct config done = *c; /* the two texts' characters are counted already */
            done.offsets = OFFSETS_BYTE;
            set_offsets(&done, r, key[1], text, &x);
        } else if (c->offsets >= 0) {
            set_offsets(c, r, key[1], text, &x);
        }
    }
    return 1;
}

/* Encodes a + b. *split: how many tokens at its front are the first part's. */
static int joint(struct config *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *a, const struct part *b,
                 bool rendered, int32_t **ids, size_t *n, size_t *split, bool *eos, struct ft_err *e)
{
    const size_t n_text = a->text.n + b->text.n, n_plain = a->n_plain + b->n_plain;
    char *both = ft_arena_alloc(r->mem, n_text + 1);
    memcpy(both, a->text.p, a->text.n);
    memcpy(both + a->text.n, b->text.p, b->text.n);
    struct ft_tok_range *plain = FT_NEWS(r->mem, struct ft_tok_range, n_plain + 1);
    bool *bare = FT_NEWS(r->mem, bool, n_plain + 1);
    for (size_t i = 0; i < n_plain; i++)
        bare[i] = i < a->n_plain ? a->bare && a->bare[i] : b->bare && b->bare[i - a->n_plain];
    if (a->n_plain)
        memcpy(plain, a->plain, a->n_plain * sizeof *plain);
    for (size_t i = 0; i < b->n_plain; i++)
        plain[a->n_plain + i] = (struct ft_tok_range){b->plain[i].begin + (uint32_t)a->text.n, b->plain[i].end + (uint32_t)a->text.n};
    struct ft_encode_opts o = {.special = c->special == YES || (c->special == AUTO && !rendered),
                               .offsets = c->boundary != PREFIX || rendered};
    const bool guarded = rendered && c->plain_content;
    struct ft_encoding x;
    size_t n_first = 0;
    int32_t *first = NULL;
    if (c->plain_content) {
        o.plain = plain;
        o.bare = bare;
        o.n_plain = a->n_plain;
    }
    if (c->boundary == PREFIX) { /* the longest common prefix with the first part's own tokens */
        if (encode_once(c, st, r, a->text, &o, guarded && o.n_plain, &x, e))
            return -1;
        first = copy(r, &x, false, c, &n_first);
    }
    if (c->plain_content)
        o.n_plain = n_plain;
    if (encode_once(c, st, r, (struct ft_str){both, n_text}, &o, guarded && n_plain, &x, e))
        return -1;
    const uint64_t inside = rendered ? specials_inside(c, &x, plain, n_plain) : 0;
    if (inside)
        ft_rec_count(r, "special_tokens_in_content", inside);
    if (c->boundary == PREFIX) {
        *split = 0;
        while (*split < n_first && *split < x.n && first[*split] == x.ids[*split])
            ++*split;
    } else {
        *split = to_tokens(c, &x, (uint32_t)a->text.n, (uint32_t)n_text, true).at;
    }
    *eos = wants_eos(c, r, rendered, b->text);
    *ids = copy(r, &x, *eos, c, n);
    return 0;
}

static int completion(struct config *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *prompt,
                      const struct part *answer, bool rendered, struct ft_err *e)
{
    int32_t *ids;
    size_t n, split;
    bool eos;
    if (joint(c, st, r, prompt, answer, rendered, &ids, &n, &split, &eos, e))
        return -1;
    if (c->max_length && n > c->max_length) {
        const size_t cut = n - c->max_length;
        const int k = over(c, r, n, e);
        if (k)
            return k < 0 ? -1 : 0;
        n -= cut;
        if (c->side == 1) {
            ids += cut;
            split -= cut < split ? cut : split;
        } else {
            split = split < n ? split : n;
        }
    }
    struct ft_buf learn = {0};
    if (split < n)
        ft_buf_printf(&learn, "[[%zu,%zu]]", split, n);
    else
        ft_buf_putz(&learn, "[]");
    set_ids(c, r, "input_ids", ids, n);
    ft_rec_set(r, "learn", (struct ft_str){ft_arena_dup(r->mem, learn.p, learn.n), learn.n});
    ft_buf_release(&learn);
    return 1;
}

static int preference(struct config *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *prompt,
                      const struct part *chosen, const struct part *rejected, bool rendered, struct ft_err *e)
{
    int32_t *a, *b;
    size_t na, nb, sa, sb;
    bool eos;
    if (joint(c, st, r, prompt, chosen, rendered, &a, &na, &sa, &eos, e) ||
        joint(c, st, r, prompt, rejected, rendered, &b, &nb, &sb, &eos, e))
        return -1;
    size_t split = sa < sb ? sa : sb; /* one prompt for both */
    const size_t longest = na > nb ? na : nb, max = c->max_length;
    if (max && longest > max) { /* the prompt and either answer must fit */
        const int k = over(c, r, longest, e);
        if (k)
            return k < 0 ? -1 : 0;
        if (c->side == 1) {
            const size_t cut = longest - max < split ? longest - max : split;
            a += cut;
            b += cut;
            na -= cut;
            nb -= cut;
            split -= cut;
        }
        na = na < max ? na : max;
        nb = nb < max ? nb : max;
        split = split < max ? split : max;
    }
    ft_rec_set_ids(r, "prompt_ids", a, split);
    ft_rec_set_ids(r, "chosen_ids", a + split, na - split);
    ft_rec_set_ids(r, "rejected_ids", b + split, nb - split);
    return 1;
}

/* By kind of record the members that become ids, ended by NULL. */
static const char *const is_text[] = {"text", NULL}, *const is_pair[] = {"prompt", "chosen", "rejected", NULL},
                  *const is_answer[] = {"prompt", "completion", NULL}, *const is_prompt[] = {"prompt", NULL};

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct ft_tok_state *st = c->state[worker];
    struct ft_str text;
    struct part prompt, answer, other;
    struct ft_stamp stamp;
    const char *const *kind = is_text;
    int done = -1;
    if (ft_rec_get_stamp(r, &stamp, e) < 0)
        return -1;
    const bool rendered = stamp.tpl.n > 0;
    const int has_text = c->fields.n ? 0 : ft_rec_string(r, "text", &text, e);
    if (has_text < 0)
        return -1;
    if (c->fields.n) {
        kind = c->read;
        done = fields(c, st, r, e);
    } else if (has_text) {
        done = plain_text(c, st, r, NULL, text, rendered, e);
    } else if (ft_rec_has(r, "chosen")) {
        if (read_part(c, r, "prompt", rendered, &prompt, e) < 0 || read_part(c, r, "chosen", rendered, &answer, e) < 0)
            return -1;
        const int k = read_part(c, r, "rejected", rendered, &other, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "rejected", e);
        kind = is_pair;
        done = preference(c, st, r, &prompt, &answer, &other, rendered, e);
    } else if (ft_rec_has(r, "completion")) {
        const int k = read_part(c, r, "prompt", rendered, &prompt, e);
        const int m = k < 0 ? -1 : read_part(c, r, "completion", rendered, &answer, e);
        if (k < 0 || m < 0)
            return -1;
        if (!k || !m)
            return ft_rec_missing(r, k ? "completion" : "prompt", e);
        kind = is_answer;
        done = completion(c, st, r, &prompt, &answer, rendered, e);
    } else if (ft_rec_has(r, "messages")) {
        return ft_fail_at(e, FT_DATA, 1, "no member \"text\": \"messages\" must go through chat-template first");
    } else {
        const int k = read_part(c, r, "prompt", rendered, &prompt, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "text", e);
        kind = is_prompt;
        struct config prompt_only = *c;
        prompt_only.eos = c->eos == YES ? YES : NO; /* something is to follow */
        done = plain_text(&prompt_only, st, r, &prompt, prompt.text, rendered, e);
        if (done > 0)
            ft_rec_set(r, "learn", FT_STR("[]")); /* a question without an answer teaches nothing */
    }
    if (done <= 0)
        return done;
    /* A frame goes without what became ids; ft-pack counts the bytes of "text". */
    for (size_t i = 0; c->binary && kind[i]; i++)
        ft_rec_remove(r, kind[i]);
    const uint64_t bytes = c->binary && kind == is_text ? text.n : 0;
    if (ft_rec_stamp_tokens(r, ft_tokenizer_fingerprint(c->tok), bytes, e))
        return -1;
    if (c->binary)
        put_frame(r, out);
    else
        ft_rec_write(r, out);
    return 1;
}

/* Does the post-processor put something behind a text? */
static bool ends_text(const struct config *c)
{
    struct ft_tok_state *st = ft_tok_state_new(c->tok);
    const struct ft_encode_opts o = {.special = true};
    struct ft_encoding x;
    struct ft_err e = {0};
    const bool ends = !ft_encode(c->tok, st, FT_STR("a"), &o, &x, &e) && x.n_suffix;
    ft_tok_state_free(st);
    return ends;
}

static int info(const struct ft_tool *tool, const struct config *c)
{
    struct ft_buf b = {0};
    ft_tokenizer_describe(c->tok, &b);
    const char *asks = ft_tokenizer_asks(c->tok);
    printf("%.*s\nbos %lld, eos %lld, unk %lld, pad %lld\nfingerprint %s\n"
           "Unicode: regex classes 16.0, normal forms 12.0, as tokenizers 0.23\n%s%s%s",
           (int)b.n, b.p, (long long)c->ids.bos, (long long)c->ids.eos, (long long)c->ids.unk,
           (long long)c->ids.pad, ft_tokenizer_fingerprint(c->tok), asks ? "the file asks for " : "", asks ? asks : "",
           asks ? ", which is not done\n" : "");
    if (ft_tokenizer_unapplied(c->tok))
        printf("tokenizer_config.json also says: %s; the vocabulary's file alone is followed, as tokenizers does\n",
               ft_tokenizer_unapplied(c->tok));
    ft_buf_release(&b);
    return ft_close_stdout(tool);
}

static int verify(const struct ft_tool *tool, const struct config *c)
{
    struct ft_verify v;
    struct ft_buf out = {0};
    struct ft_err e = {0};
    if (ft_verify_file(c->tok, c->verify, &v, &out, &e))
        ft_die(tool, &e);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    printf("%llu of %llu rows equal (Unicode: regex classes 16.0, normal forms 12.0, as tokenizers 0.23)\n",
           (unsigned long long)(v.rows - v.wrong), (unsigned long long)v.rows);
    ft_buf_release(&out);
    const int status = ft_close_stdout(tool);
    return status ? status : v.wrong ? FT_DATA : FT_OK;
}

int main(int argc, char **argv)
{
    struct config c = {.offsets = OFFSETS_NONE};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    bool of_length[3] = {false};
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR|FILE", "tokenizer.json, a .model or .tiktoken file, or the folder that has it; also org/name in the hub cache", NULL},
        {0, "split", FT_OPT_STR, &c.split, "NAME|REGEX", "how a .tiktoken vocabulary splits text (cl100k, ...)", NULL},
        {0, "add-special-tokens", FT_OPT_CHOICE, &c.special, "auto|yes|no",
         "the post-processor's; auto: not on text that has spans", NULL},
        {0, "append-eos", FT_OPT_CHOICE, &c.eos, "auto|yes|no",
         "auto: on plain text and completions that do not end with it", NULL},
        {0, "boundary", FT_OPT_CHOICE, &c.boundary, "prefix|start|overlap|inside",
         "which tokens belong to a range", NULL},
        {0, "offsets", FT_OPT_CHOICE, &c.offsets, "byte|char", "add where each token stands in the text", NULL},
        {0, "no-specials-in-content", FT_OPT_FLAG, &c.plain_content, NULL,
         "special-token text inside messages, or in text without spans, is plain text", NULL},
        {0, "field", FT_OPT_LIST, &c.fields, "NAME", "the member to read; of several each gives NAME_ids", NULL},
        {0, "pair", FT_OPT_STR, &c.pair, "NAME", "the member with the second text of a pair", NULL},
        {0, "type-ids", FT_OPT_FLAG, &c.types, NULL, "add token_type_ids", NULL},
        {0, "max-length", FT_OPT_SIZE, &c.max_length, "N", "tokens of a record at most, special ones included", NULL},
        {0, "too-long", FT_OPT_CHOICE, &c.too_long, "cut|drop|error", "what happens to a record that is longer", &of_length[0]},
        {0, "truncation-side", FT_OPT_CHOICE, &c.side, "right|left", "where it is cut", &of_length[1]},
        {0, "truncation-strategy", FT_OPT_CHOICE, &c.strategy, "longest-first|only-first|only-second",
         "which text of a pair is cut", &of_length[2]},
        {0, "invalid-utf8", FT_OPT_CHOICE, &so.invalid_utf8, "error|replace", "lines that are not UTF-8 are bad, or get U+FFFD", NULL},
        {0, "binary", FT_OPT_FLAG, &c.binary, NULL, "write frames with the ids as they are, for ft-pack", NULL},
        {0, "verify", FT_OPT_STR, &c.verify, "GOLDEN", "compare with recorded answers and exit", NULL},
        {0, "info", FT_OPT_FLAG, &c.info, NULL, "print what was loaded and exit", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "tokenize", "Turn text into token ids.", "-m DIR|FILE [options] [FILE...]", opts,
        ft_stream_options(&so),
        "Reads text (input_ids are added; spans and learn come to count tokens), prompt and\n"
        "completion, or prompt, chosen and rejected (prompt_ids, chosen_ids, rejected_ids).\n"
        "A token belongs to a range in which it begins (start), of which it shares a byte\n"
        "(overlap), or that holds all of it (inside). prefix: start for spans, overlap for what\n"
        "is learnt, as generation masks of transformers have it, and a prompt ends\n"
        "where its own tokens and those of prompt and completion together part."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_err e = {0};
    if (!c.model)
        ft_usage(&tool, "no tokenizer: give '--model DIR'");
    if (ft_tokenizer_load_as(c.model, c.split, &c.tok, &e))
        ft_die(&tool, &e);
    c.ids = ft_tokenizer_specials(c.tok);
    c.eos_text = ft_token_str(c.tok, c.ids.eos);
    if (c.info)
        return info(&tool, &c);
    if (c.verify)
        return verify(&tool, &c);
    if ((of_length[0] || of_length[1] || of_length[2]) && !c.max_length)
        ft_usage(&tool, "'--%s' says what happens at a '--max-length', and none is given",
                 of_length[0] ? "too-long" : of_length[1] ? "truncation-side" : "truncation-strategy");
    if (of_length[2] && !c.pair)
        ft_usage(&tool, "'--truncation-strategy' is about the two texts of a '--pair'");
    if (c.pair && c.fields.n > 1)
        ft_usage(&tool, "'--pair' goes with one '--field'");
    if (c.pair && !c.fields.n) {
        static const char *text[] = {"text"};
        c.fields = (struct ft_list){text, 1};
    }
    c.types |= c.pair != NULL;
    c.read = ft_calloc(c.fields.n + 2, sizeof *c.read);
    for (size_t i = 0; i < c.fields.n; i++)
        c.read[i] = c.fields.v[i];
    c.read[c.fields.n] = c.pair;
    if (ft_tokenizer_asks(c.tok) && !c.max_length && !so.quiet)
        ft_warn(&tool, "'%s' asks for %s: not done without '--max-length'", c.model, ft_tokenizer_asks(c.tok));
    if (c.eos == YES && c.ids.eos < 0)
        ft_usage(&tool, "'%s' names no end-of-text token to append", c.model);
    c.endless = c.ids.eos < 0 && !(c.special != NO && ends_text(&c));
    so.framed_out = c.binary;
    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    if (c.binary) /* format version 1 */
        ft_stream_puts(s, (struct ft_str){FT_FRAMES_MAGIC "\1\0\0\0\0\0\0\0", FT_FRAMES_HEADER}, 0);
    const int jobs = ft_stream_jobs(s);
    c.state = ft_calloc((size_t)jobs, sizeof *c.state);
    for (int i = 0; i < jobs; i++)
        c.state[i] = ft_tok_state_new(c.tok);
    struct ft_buf note = {0};
    ft_json_put_strz(&note, ft_tokenizer_fingerprint(c.tok));
    ft_stream_note(s, "tok", ft_buf_str(&note));
    ft_stream_map(s, map, &c, &e);
    const int status = ft_stream_close(s, &e);
    for (int i = 0; i < jobs; i++)
        ft_tok_state_free(c.state[i]);
    free(c.state);
    free(c.read);
    ft_buf_release(&note);
    ft_tokenizer_free(c.tok);
    return status;
}
