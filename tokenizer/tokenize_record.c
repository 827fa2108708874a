/* A record's texts to ids, by the kind of the record. */
#include <stdio.h>

#include "pipeline/frame.h"
#include "tokenizer/encode_guarded.h"
#include "tokenizer/ranges.h"
#include "tokenizer/tokenize.h"

static void set_types(struct ft_rec *r, const char *name, const struct ft_encoding *x, bool eos)
{
    int32_t *v = ft_arena_alloc(r->mem, (x->n + 1) * sizeof *v);
    for (size_t i = 0; i < x->n; i++)
        v[i] = (int32_t)x->type[i];
    v[x->n] = x->n ? v[x->n - 1] : 0;
    ft_rec_set_ids(r, name, v, x->n + eos);
}

/* Last, for it turns the encoding's offsets into characters. */
static void set_offsets(const struct ft_tz *c, struct ft_rec *r, const char *name, struct ft_str text, const struct ft_encoding *x)
{
    struct ft_buf out = {0};
    ft_buf_putc(&out, '[');
    if (c->offsets == FT_TZ_OFFSETS_CHAR)
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

/* The tokens of the record: a member, or what its frame holds beside the line. */
static void set_ids(const struct ft_tz *c, struct ft_rec *r, const char *name, const int32_t *ids, size_t n)
{
    if (!c->binary || strcmp(name, "input_ids") != 0) {
        ft_rec_set_ids(r, name, ids, n);
        return;
    }
    if (ft_rec_has(r, name))
        ft_rec_remove(r, name);
    r->numbers.ids = (const char *)ids;
    r->numbers.n_ids = n;
    r->numbers.width = sizeof *ids;
}

/* ---- what is too long ---- */

/* Counts a record of n tokens that must be cut: 0 cut it, 1 drop it, -1. */
static int over(const struct ft_tz *c, struct ft_rec *r, size_t n, struct ft_err *e)
{
    if (c->too_long == FT_TZ_ERROR)
        return ft_fail(e, FT_DATA, "%zu tokens: more than --max-length %llu", n, (unsigned long long)c->max_length);
    if (c->too_long == FT_TZ_DROP) {
        ft_rec_drop(r, "too_long");
        return 1;
    }
    ft_rec_count(r, "truncated", 1);
    return 0;
}

/* guarded: content that was rendered may spell tokens; the rule is encode_guarded.h's. */
static int encode_once(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text,
                       const struct ft_encode_opts *o, bool guarded, struct ft_encoding *x, struct ft_err *e)
{
    return guarded ? ft_encode_guarded(c->tok, st, text, o, r->mem, x, e) : ft_encode(c->tok, st, text, o, x, e);
}

/* ft_encode, within the limit. *eos: an end-of-text token is to follow; a text
 * that is cut at its end does not get it. 0, 1 when the record is dropped, -1. */
static int encode(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text,
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

/* ---- a text ---- */

static bool ends_with(struct ft_str s, struct ft_str tail)
{
    return tail.n && s.n >= tail.n && !memcmp(s.p + s.n - tail.n, tail.p, tail.n);
}

static bool wants_eos(const struct ft_tz *c, struct ft_rec *r, bool rendered, struct ft_str text)
{
    if (c->endless && c->eos == FT_TZ_AUTO && !rendered)
        ft_rec_count(r, "without_eos", 1);
    if (c->ids.eos < 0 || c->eos == FT_TZ_NO || (c->eos == FT_TZ_AUTO && rendered))
        return false;
    if (c->plain_content && !rendered) /* its string in the text is no token */
        return true;
    return c->eos == FT_TZ_YES || !ends_with(text, c->eos_text);
}

/* A text of a record, and where in it special-token text is to stay text. */
struct part {
    struct ft_str text;
    bool marked;              /* it has spans */
    struct ft_tz_spans spans;
    struct ft_tok_range *plain;
    bool *bare;      /* of each: the template knows a token that it spells; NULL: none */
    uint32_t *which; /* of each: its span; NULL: it has none */
    size_t n_plain;
};

/* Text that no span vouches for is content, all of it. */
static void all_of(struct ft_rec *r, struct part *p)
{
    p->plain = FT_NEW(r->mem, struct ft_tok_range);
    p->plain[0] = (struct ft_tok_range){0, (uint32_t)p->text.n};
    p->n_plain = 1;
}

/* What is known of p->text by member `key`. */
static int read_spans(const struct ft_tz *c, struct ft_rec *r, const char *name, const char *key, bool rendered, struct part *p,
                      struct ft_err *e)
{
    const int k = ft_tz_spans_read(r, key, p->text.n, &p->spans, e);
    if (k < 0)
        return -1;
    p->marked = k;
    if (k)
        p->plain = ft_tz_untrusted(r, &p->spans, &p->n_plain, &p->bare, &p->which);
    else if (c->plain_content && rendered)
        return ft_fail(e, FT_DATA, "\"%s\" was rendered, and there is no \"%s\" to tell content from template", name, key);
    else if (!rendered)
        all_of(r, p);
    return 0;
}

/* Reads member `name`; its spans are in `name`_spans, as chat-template writes them, and are
 * used up. 1, 0: no such member, -1. */
static int read_part(const struct ft_tz *c, struct ft_rec *r, const char *name, bool rendered, struct part *p, struct ft_err *e)
{
    char key[128];
    *p = (struct part){.text = {"", 0}};
    const int k = ft_rec_string(r, name, &p->text, e);
    if (k <= 0)
        return k;
    snprintf(key, sizeof key, "%s_spans", name);
    if (read_spans(c, r, name, key, rendered, p, e))
        return -1;
    if (p->marked)
        ft_rec_remove(r, key);
    return 1;
}

/* Counts special tokens in what the spans say is content. */
static void count_inside(const struct ft_tz *c, struct ft_rec *r, const struct part *p, const struct ft_encoding *x)
{
    const uint64_t inside = p->which ? ft_tz_specials_inside(c, &p->spans, p->which, p->n_plain, x) : 0;
    if (inside)
        ft_rec_count(r, "special_tokens_in_content", inside);
}

/* ---- kinds of records ---- */

static const struct ft_span everything = {0, UINT32_MAX};

/* A text with its spans and what is learnt of it. 1 written, 0 dropped, -1. */
static int one_text(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct part *p, bool rendered, struct ft_err *e)
{
    struct ft_tz_spans learn;
    const int has_learn = ft_tz_spans_read(r, "learn", p->text.n, &learn, e);
    if (has_learn < 0)
        return -1;
    struct ft_encode_opts o = {.special = c->special == FT_TZ_YES || (c->special == FT_TZ_AUTO && !rendered),
                               .types = c->types,
                               .offsets = c->offsets >= 0};
    if (p->marked || has_learn)
        o.marks = ft_tz_marks(r, &p->spans, &learn, &o.n_marks);
    if (c->plain_content) {
        o.n_plain = p->n_plain;
        o.plain = p->plain;
        o.bare = p->bare;
    }
    struct ft_encoding x;
    bool eos = wants_eos(c, r, rendered, p->text);
    const int k = encode(c, st, r, p->text, &o, o.n_plain && rendered, &x, &eos, e);
    if (k)
        return k < 0 ? -1 : 0;
    if (rendered)
        count_inside(c, r, p, &x);
    if (p->marked)
        ft_tz_spans_set(c, r, "spans", &p->spans, x.place, everything);
    if (has_learn)
        ft_tz_spans_set(c, r, "learn", &learn, x.place, everything);
    if (eos)
        x.ids[x.n] = (int32_t)c->ids.eos;
    set_ids(c, r, "input_ids", x.ids, x.n + eos);
    if (c->types)
        set_types(r, "token_type_ids", &x, eos);
    if (c->offsets >= 0)
        set_offsets(c, r, "offsets", p->text, &x);
    return 1;
}

static int text_alone(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text, bool rendered, struct ft_err *e)
{
    struct part p = {.text = text};
    if (read_spans(c, r, "text", "spans", rendered, &p, e))
        return -1;
    return one_text(c, st, r, &p, rendered || p.marked, e);
}

static int prompt_alone(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct part *p, bool rendered, struct ft_err *e)
{
    struct ft_tz prompt_only = *c;
    const bool own = p->marked;
    if (!own && ft_rec_has(r, "spans") && read_spans(c, r, "prompt", "spans", rendered, p, e))
        return -1;
    prompt_only.eos = c->eos == FT_TZ_YES ? FT_TZ_YES : FT_TZ_NO; /* something is to follow */
    const int done = one_text(&prompt_only, st, r, p, rendered || (p->marked && !own), e);
    if (done > 0) { /* a question without an answer teaches nothing */
        r->numbers.learn = NULL;
        r->numbers.n_learn = 0;
        ft_rec_set(r, "learn", FT_STR("[]"));
    }
    return done;
}

/* Members named by --field: one gives input_ids, several give NAME_ids each. */
static int fields(struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_err *e)
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
        struct ft_encode_opts o = {.special = c->special != FT_TZ_NO, .types = c->types, .offsets = c->offsets >= 0};
        if (c->pair) {
            const int m = ft_rec_string(r, c->pair, &pair, e);
            if (m <= 0)
                return m < 0 ? -1 : ft_rec_missing(r, c->pair, e);
            o.pair = &pair;
            o.chars = c->offsets == FT_TZ_OFFSETS_CHAR;
        }
        if (c->plain_content) {
            struct part p = {.text = c->pair && pair.n > text.n ? pair : text};
            if (c->pair)
                all_of(r, &p);
            else if (read_part(c, r, name, false, &p, e) < 0)
                return -1;
            o.n_plain = p.n_plain;
            o.plain = p.plain;
            o.bare = p.bare;
        }
        struct ft_encoding x;
        bool eos = c->pair ? c->eos == FT_TZ_YES : wants_eos(c, r, false, text);
        const int m = encode(c, st, r, text, &o, o.bare != NULL, &x, &eos, e);
        if (m)
            return m < 0 ? -1 : 0;
        if (eos)
            x.ids[x.n] = (int32_t)c->ids.eos;
        set_ids(c, r, key[0], x.ids, x.n + eos);
        if (c->types)
            set_types(r, key[2], &x, eos);
        if (c->offsets >= 0 && c->pair) {
            struct ft_tz done = *c; /* the two texts' characters are counted already */
            done.offsets = FT_TZ_OFFSETS_BYTE;
            set_offsets(&done, r, key[1], text, &x);
        } else if (c->offsets >= 0) {
            set_offsets(c, r, key[1], text, &x);
        }
    }
    return 1;
}

/* Two parts as one text. */
static void join(struct ft_rec *r, const struct part *a, const struct part *b, struct part *both)
{
    const uint32_t shift = (uint32_t)a->text.n;
    char *const text = ft_arena_alloc(r->mem, a->text.n + b->text.n + 1);
    *both = (struct part){.text = {text, a->text.n + b->text.n}, .marked = a->marked || b->marked};
    memcpy(text, a->text.p, a->text.n);
    memcpy(text + shift, b->text.p, b->text.n);
    both->spans.n = a->spans.n + b->spans.n;
    both->spans.v = ft_arena_alloc(r->mem, (both->spans.n + 1) * sizeof *both->spans.v);
    for (size_t i = 0; i < both->spans.n; i++) {
        struct ft_range *x = &both->spans.v[i];
        *x = i < a->spans.n ? a->spans.v[i] : b->spans.v[i - a->spans.n];
        x->begin += i < a->spans.n ? 0 : shift;
        x->end += i < a->spans.n ? 0 : shift;
    }
    both->n_plain = a->n_plain + b->n_plain;
    both->plain = FT_NEWS(r->mem, struct ft_tok_range, both->n_plain + 1);
    both->bare = FT_NEWS(r->mem, bool, both->n_plain + 1);
    both->which = a->which || b->which ? FT_NEWS(r->mem, uint32_t, both->n_plain + 1) : NULL;
    for (size_t i = 0; i < both->n_plain; i++) {
        const bool second = i >= a->n_plain;
        const struct part *p = second ? b : a;
        const size_t k = second ? i - a->n_plain : i;
        both->plain[i] = (struct ft_tok_range){p->plain[k].begin + (second ? shift : 0), p->plain[k].end + (second ? shift : 0)};
        both->bare[i] = p->bare && p->bare[k];
        if (p->which)
            both->which[i] = p->which[k] + (second ? (uint32_t)a->spans.n : 0);
    }
}

/* Encodes `both`, a and what follows it. *split: how many tokens at its front are the first part's. */
static int joint(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *a, struct part *both,
                 bool rendered, struct ft_encoding *x, size_t *split, struct ft_err *e)
{
    struct ft_encode_opts o = {.special = c->special == FT_TZ_YES || (c->special == FT_TZ_AUTO && !rendered)};
    const bool guarded = rendered && c->plain_content;
    size_t n_first = 0;
    int32_t *first = NULL;
    if (c->plain_content) {
        o.plain = both->plain;
        o.bare = both->bare;
        o.n_plain = a->n_plain;
    }
    if (c->boundary == FT_TZ_PREFIX) { /* the longest common prefix with the first part's own tokens */
        if (encode_once(c, st, r, a->text, &o, guarded && o.n_plain, x, e))
            return -1;
        n_first = x->n;
        first = ft_arena_alloc(r->mem, (n_first + 1) * sizeof *first);
        memcpy(first, x->ids, n_first * sizeof *first);
    }
    struct ft_range rest = {.begin = (int64_t)a->text.n, .end = (int64_t)both->text.n};
    struct ft_tz_spans answer = {.v = &rest, .n = 1};
    if (both->marked || c->boundary != FT_TZ_PREFIX)
        o.marks = ft_tz_marks(r, &both->spans, &answer, &o.n_marks);
    if (c->plain_content)
        o.n_plain = both->n_plain;
    if (encode_once(c, st, r, both->text, &o, guarded && o.n_plain, x, e))
        return -1;
    if (rendered)
        count_inside(c, r, both, x);
    if (c->boundary != FT_TZ_PREFIX)
        *split = ft_tz_span(c, &answer, x->place, 0, true).at;
    else
        for (*split = 0; *split < n_first && *split < x->n && first[*split] == x->ids[*split];)
            ++*split;
    return 0;
}

static int completion(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *prompt,
                      const struct part *answer, bool rendered, struct ft_err *e)
{
    struct part both;
    struct ft_encoding x;
    size_t split;
    join(r, prompt, answer, &both);
    if (joint(c, st, r, prompt, &both, rendered, &x, &split, e))
        return -1;
    if (wants_eos(c, r, rendered, answer->text))
        x.ids[x.n++] = (int32_t)c->ids.eos;
    size_t n = x.n, cut = 0;
    if (c->max_length && n > c->max_length) {
        const int k = over(c, r, n, e);
        if (k)
            return k < 0 ? -1 : 0;
        cut = c->side == 1 ? n - c->max_length : 0;
        n = c->max_length;
    }
    split = split < cut ? 0 : split - cut < n ? split - cut : n;
    if (both.marked)
        ft_tz_spans_set(c, r, "spans", &both.spans, x.place, (struct ft_span){(uint32_t)cut, (uint32_t)n});
    set_ids(c, r, "input_ids", x.ids + cut, n);
    char *learn = ft_arena_alloc(r->mem, 64);
    const int len = split < n ? snprintf(learn, 64, "[[%zu,%zu]]", split, n) : snprintf(learn, 64, "[]");
    ft_rec_set(r, "learn", (struct ft_str){learn, (size_t)len});
    return 1;
}

/* The tokens of prompt and answer. */
static int branch(const struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *prompt, const struct part *answer,
                  bool rendered, int32_t **ids, size_t *n, size_t *split, struct ft_err *e)
{
    struct part both;
    struct ft_encoding x;
    join(r, prompt, answer, &both);
    if (joint(c, st, r, prompt, &both, rendered, &x, split, e))
        return -1;
    *n = x.n;
    *ids = ft_arena_alloc(r->mem, (x.n + 1) * sizeof **ids);
    memcpy(*ids, x.ids, x.n * sizeof **ids);
    if (wants_eos(c, r, rendered, answer->text))
        (*ids)[(*n)++] = (int32_t)c->ids.eos;
    return 0;
}

static int preference(struct ft_tz *c, struct ft_tok_state *st, struct ft_rec *r, const struct part *prompt,
                      const struct part *chosen, const struct part *rejected, bool rendered, struct ft_err *e)
{
    int32_t *a, *b;
    size_t na, nb, sa, sb;
    if (branch(c, st, r, prompt, chosen, rendered, &a, &na, &sa, e) ||
        branch(c, st, r, prompt, rejected, rendered, &b, &nb, &sb, e))
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

int ft_tz_map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct ft_tz *c = ctx;
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
        done = text_alone(c, st, r, text, rendered, e);
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
        done = prompt_alone(c, st, r, &prompt, rendered, e);
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
        ft_frame_put(r, c->width, out);
    else
        ft_rec_write(r, out);
    return 1;
}

