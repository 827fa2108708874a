/* tokenize -- text to token ids, spans and all. */
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/stream.h"
#include "tokenizer/tokenizer.h"

enum tri { AUTO, YES, NO };
enum boundary { PREFIX, START, OVERLAP, INSIDE };
enum { OFFSETS_NONE = -1, OFFSETS_BYTE, OFFSETS_CHAR };

struct config {
    const char *model;
    int special, eos, boundary, offsets;
    bool plain_content, info;
    struct ft_tokenizer *tok;
    struct ft_tok_specials ids;
    struct ft_str eos_text;
    struct ft_tok_state **state; /* by worker */
};

/* ---- ranges of bytes to ranges of tokens ---- */

static struct ft_span to_tokens(const struct config *c, const struct ft_encoding *x, uint32_t b, uint32_t e)
{
    size_t from = x->n_prefix, to;
    const enum boundary how = c->boundary == PREFIX ? START : (enum boundary)c->boundary;
    /* Tokens come in text order, so a range of bytes is a range of tokens. */
    while (from < x->n && (how == OVERLAP ? x->end[from] <= b : x->begin[from] < b))
        from++;
    to = from;
    while (to < x->n && (how == INSIDE ? x->end[to] <= e : x->begin[to] < e) && x->end[to] > x->begin[to])
        to++;
    return (struct ft_span){(uint32_t)from, (uint32_t)(to - from)};
}

static int range_of(const struct ft_json *v, size_t text_n, uint32_t *b, uint32_t *e)
{
    int64_t x, y;
    if (v->type != FT_JSON_ARRAY || v->n < 2 || ft_json_int(&v->items[0], &x) || ft_json_int(&v->items[1], &y) ||
        x < 0 || y < x || (uint64_t)y > text_n)
        return -1;
    *b = (uint32_t)x;
    *e = (uint32_t)y;
    return 0;
}

/* Rewrites a member of ranges from bytes to tokens; what else an entry holds
 * stays as written. */
static int convert(const struct config *c, struct ft_rec *r, const char *key, const struct ft_json *v,
                   const struct ft_encoding *x, size_t text_n, struct ft_err *e)
{
    struct ft_buf out = {0};
    ft_buf_putc(&out, '[');
    for (size_t i = 0; i < v->n; i++) {
        uint32_t b, end;
        const struct ft_json *entry = &v->items[i];
        if (range_of(entry, text_n, &b, &end)) {
            ft_buf_release(&out);
            return ft_fail(e, FT_DATA, "\"%s\": entry %zu is not a range of bytes of \"text\"", key, i);
        }
        const struct ft_span t = to_tokens(c, x, b, end);
        if (!t.n)
            continue;
        ft_buf_printf(&out, "%s[%u,%u", out.n > 1 ? "," : "", t.at, t.at + t.n);
        for (size_t k = 2; k < entry->n; k++) {
            ft_buf_putc(&out, ',');
            ft_buf_puts(&out, entry->items[k].raw);
        }
        ft_buf_putc(&out, ']');
    }
    ft_buf_putc(&out, ']');
    ft_rec_set(r, key, (struct ft_str){ft_arena_dup(r->mem, out.p, out.n), out.n});
    ft_buf_release(&out);
    return 0;
}

/* Last, for it turns the encoding's offsets into characters. */
static void set_offsets(const struct config *c, struct ft_rec *r, struct ft_str text, const struct ft_encoding *x)
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
    ft_rec_set(r, "offsets", (struct ft_str){ft_arena_dup(r->mem, out.p, out.n), out.n});
    ft_buf_release(&out);
}

/* ---- kinds of records ---- */

static bool ends_with(struct ft_str s, struct ft_str tail)
{
    return tail.n && s.n >= tail.n && !memcmp(s.p + s.n - tail.n, tail.p, tail.n);
}

static bool wants_eos(const struct config *c, bool rendered, struct ft_str text)
{
    if (c->ids.eos < 0 || c->eos == NO || (c->eos == AUTO && rendered))
        return false;
    return c->eos == YES || !ends_with(text, c->eos_text);
}

static int32_t *copy(struct ft_rec *r, const struct ft_encoding *x, size_t from, bool eos, const struct config *c,
                     size_t *n)
{
    int32_t *v = ft_arena_alloc(r->mem, (x->n - from + 1) * sizeof *v);
    *n = x->n - from;
    if (*n)
        memcpy(v, x->ids + from, *n * sizeof *v);
    if (eos)
        v[(*n)++] = (int32_t)c->ids.eos;
    return v;
}

/* Untrusted ranges of the text, and how many special tokens it spells there. */
static size_t untrusted(struct ft_rec *r, const struct ft_json *spans, size_t text_n, struct ft_tok_range **out)
{
    struct ft_tok_range *v = FT_NEWS(r->mem, struct ft_tok_range, spans->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < spans->n; i++) {
        int64_t flags = 0;
        uint32_t b, e;
        const struct ft_json *s = &spans->items[i];
        if (range_of(s, text_n, &b, &e) || s->n < 6 || ft_json_int(&s->items[5], &flags) || !(flags & 1))
            continue;
        v[n++] = (struct ft_tok_range){b, e};
    }
    *out = v;
    return n;
}

static int plain_text(struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str text,
                      struct ft_err *e)
{
    struct ft_json spans = {0}, learn = {0};
    const int has_spans = ft_rec_value(r, "spans", &spans, e);
    const int has_learn = has_spans < 0 ? -1 : ft_rec_value(r, "learn", &learn, e);
    if (has_learn < 0)
        return -1;
    if ((has_spans && spans.type != FT_JSON_ARRAY) || (has_learn && learn.type != FT_JSON_ARRAY))
        return ft_fail(e, FT_DATA, "member \"%s\" is not an array",
                       has_spans && spans.type != FT_JSON_ARRAY ? "spans" : "learn");
    struct ft_encode_opts o = {.special = c->special == YES || (c->special == AUTO && !has_spans),
                               .offsets = c->offsets >= 0 || has_spans || has_learn};
    struct ft_tok_range *plain = NULL;
    const size_t n_plain = has_spans ? untrusted(r, &spans, text.n, &plain) : 0;
    if (c->plain_content) {
        o.plain = plain;
        o.n_plain = n_plain;
    }
    struct ft_encoding x;
    if (ft_encode(c->tok, st, text, &o, &x, e))
        return -1;
    uint64_t inside = 0;
    for (size_t i = x.n_prefix, k = 0; n_plain && i < x.n; i++) {
        while (k < n_plain && plain[k].end <= x.begin[i])
            k++;
        inside += k < n_plain && plain[k].begin < x.end[i] && ft_token_is_special(c->tok, x.ids[i]);
    }
    if (inside)
        ft_rec_count(r, "special_tokens_in_content", inside);
    if ((has_spans && convert(c, r, "spans", &spans, &x, text.n, e)) ||
        (has_learn && convert(c, r, "learn", &learn, &x, text.n, e)))
        return -1;
    size_t n;
    const bool eos = wants_eos(c, has_spans, text);
    const int32_t *ids = copy(r, &x, 0, eos, c, &n);
    ft_rec_set_ids(r, "input_ids", ids, n);
    if (c->offsets >= 0)
        set_offsets(c, r, text, &x);
    return 0;
}

/* Encodes a + b. *split: how many tokens at its front are the first part's. */
static int joint(struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str a, struct ft_str b,
                 bool rendered, int32_t **ids, size_t *n, size_t *split, bool *eos, struct ft_err *e)
{
    char *both = ft_arena_alloc(r->mem, a.n + b.n + 1);
    memcpy(both, a.p, a.n);
    memcpy(both + a.n, b.p, b.n);
    const struct ft_encode_opts o = {.special = c->special == YES || (c->special == AUTO && !rendered),
                                     .offsets = c->boundary != PREFIX};
    struct ft_encoding x;
    size_t n_first = 0;
    int32_t *first = NULL;
    if (c->boundary == PREFIX) { /* the longest common prefix with the first part's own tokens */
        if (ft_encode(c->tok, st, a, &o, &x, e))
            return -1;
        first = copy(r, &x, 0, false, c, &n_first);
    }
    if (ft_encode(c->tok, st, (struct ft_str){both, a.n + b.n}, &o, &x, e))
        return -1;
    if (c->boundary == PREFIX) {
        *split = 0;
        while (*split < n_first && *split < x.n && first[*split] == x.ids[*split])
            ++*split;
    } else {
        *split = to_tokens(c, &x, (uint32_t)a.n, (uint32_t)(a.n + b.n)).at;
    }
    *eos = wants_eos(c, rendered, b);
    *ids = copy(r, &x, 0, *eos, c, n);
    return 0;
}

static int completion(struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str prompt,
                      struct ft_str answer, bool rendered, struct ft_err *e)
{
    int32_t *ids;
    size_t n, split;
    bool eos;
    if (joint(c, st, r, prompt, answer, rendered, &ids, &n, &split, &eos, e))
        return -1;
    struct ft_buf learn = {0};
    if (split < n)
        ft_buf_printf(&learn, "[[%zu,%zu]]", split, n);
    else
        ft_buf_putz(&learn, "[]");
    ft_rec_set_ids(r, "input_ids", ids, n);
    ft_rec_set(r, "learn", (struct ft_str){ft_arena_dup(r->mem, learn.p, learn.n), learn.n});
    ft_buf_release(&learn);
    return 0;
}

static int preference(struct config *c, struct ft_tok_state *st, struct ft_rec *r, struct ft_str prompt,
                      struct ft_str chosen, struct ft_str rejected, bool rendered, struct ft_err *e)
{
    int32_t *a, *b;
    size_t na, nb, sa, sb;
    bool eos;
    if (joint(c, st, r, prompt, chosen, rendered, &a, &na, &sa, &eos, e) ||
        joint(c, st, r, prompt, rejected, rendered, &b, &nb, &sb, &eos, e))
        return -1;
    const size_t split = sa < sb ? sa : sb; /* one prompt for both */
    ft_rec_set_ids(r, "prompt_ids", a, split);
    ft_rec_set_ids(r, "chosen_ids", a + split, na - split);
    ft_rec_set_ids(r, "rejected_ids", b + split, nb - split);
    return 0;
}

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct ft_tok_state *st = c->state[worker];
    struct ft_str text, prompt = {"", 0}, answer, other;
    struct ft_stamp stamp;
    int done = -1;
    if (ft_rec_get_stamp(r, &stamp, e) < 0)
        return -1;
    const bool rendered = stamp.tpl.n > 0;
    const int has_text = ft_rec_string(r, "text", &text, e);
    if (has_text < 0)
        return -1;
    if (has_text) {
        done = plain_text(c, st, r, text, e);
    } else if (ft_rec_has(r, "chosen")) {
        if (ft_rec_string(r, "prompt", &prompt, e) < 0 || ft_rec_string(r, "chosen", &answer, e) < 0)
            return -1;
        const int k = ft_rec_string(r, "rejected", &other, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "rejected", e);
        done = preference(c, st, r, prompt, answer, other, rendered, e);
    } else if (ft_rec_has(r, "completion")) {
        const int k = ft_rec_string(r, "prompt", &prompt, e), m = ft_rec_string(r, "completion", &answer, e);
        if (k < 0 || m < 0)
            return -1;
        if (!k || !m)
            return ft_rec_missing(r, k ? "completion" : "prompt", e);
        done = completion(c, st, r, prompt, answer, rendered, e);
    } else if (ft_rec_has(r, "messages")) {
        return ft_fail_at(e, FT_DATA, 1, "no member \"text\": \"messages\" must go through chat-template first");
    } else {
        const int k = ft_rec_string(r, "prompt", &prompt, e);
        if (k <= 0)
            return k < 0 ? -1 : ft_rec_missing(r, "text", e);
        struct config prompt_only = *c;
        prompt_only.eos = c->eos == YES ? YES : NO; /* something is to follow */
        done = plain_text(&prompt_only, st, r, prompt, e);
    }
    if (done || ft_rec_stamp(r, "tok", ft_tokenizer_fingerprint(c->tok), e))
        return -1;
    ft_rec_write(r, out);
    return 1;
}

static int info(const struct ft_tool *tool, const struct config *c)
{
    struct ft_buf b = {0};
    ft_tokenizer_describe(c->tok, &b);
    printf("%.*s\nbos %lld, eos %lld, unk %lld, pad %lld\nfingerprint %s\n"
           "Unicode: regex classes 16.0, normal forms 12.0, as tokenizers 0.23\n",
           (int)b.n, b.p, (long long)c->ids.bos, (long long)c->ids.eos, (long long)c->ids.unk,
           (long long)c->ids.pad, ft_tokenizer_fingerprint(c->tok));
    ft_buf_release(&b);
    return ft_close_stdout(tool);
}

int main(int argc, char **argv)
{
    struct config c = {.offsets = OFFSETS_NONE};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR|FILE", "tokenizer.json, or the folder that has it", NULL},
        {0, "add-special-tokens", FT_OPT_CHOICE, &c.special, "auto|yes|no",
         "the post-processor's; auto: not on text that has spans", NULL},
        {0, "append-eos", FT_OPT_CHOICE, &c.eos, "auto|yes|no",
         "auto: on plain text and completions that do not end with it", NULL},
        {0, "boundary", FT_OPT_CHOICE, &c.boundary, "prefix|start|overlap|inside",
         "which tokens belong to a range", NULL},
        {0, "offsets", FT_OPT_CHOICE, &c.offsets, "byte|char", "add where each token stands in the text", NULL},
        {0, "no-specials-in-content", FT_OPT_FLAG, &c.plain_content, NULL,
         "special-token text inside messages is plain text", NULL},
        {0, "info", FT_OPT_FLAG, &c.info, NULL, "print what was loaded and exit", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "tokenize", "Turn text into token ids.", "-m DIR|FILE [options] [FILE...]", opts,
        ft_stream_options(&so),
        "Reads text (input_ids are added; spans and learn come to count tokens), prompt and\n"
        "completion, or prompt, chosen and rejected (prompt_ids, chosen_ids, rejected_ids)."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_err e = {0};
    if (!c.model)
        ft_usage(&tool, "no tokenizer: give '--model DIR'");
    if (ft_tokenizer_load(c.model, &c.tok, &e))
        ft_die(&tool, &e);
    c.ids = ft_tokenizer_specials(c.tok);
    c.eos_text = ft_token_str(c.tok, c.ids.eos);
    if (c.info)
        return info(&tool, &c);
    if (c.eos == YES && c.ids.eos < 0)
        ft_usage(&tool, "'%s' names no end-of-text token to append", c.model);
    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
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
    ft_buf_release(&note);
    ft_tokenizer_free(c.tok);
    return status;
}
