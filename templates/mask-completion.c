/* mask-completion -- decides which tokens of a row are learnt, and shows it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/explain.h"
#include "pipeline/stream.h"
#include "templates/mask.h"
#include "tokenizer/tokenizer.h"

enum unlearnt { UNLEARNT_ERROR, UNLEARNT_DROP, UNLEARNT_KEEP };

struct config {
    const char *model, *response_text, *instruction_text, *response_ids, *instruction_ids, *roles_text;
    bool last_turn, all, allow_unlearnt;
    int format, unlearnt, colour;
    uint64_t explain;

    struct ft_tokenizer *tok;
    struct ft_tok_state **state; /* by worker */
    struct ft_ids response, instruction;
    struct ft_str *roles;
    size_t n_roles;

    bool in_colour;
    struct ft_explain *shown;
};

/* ---- what the options name ---- */

static struct ft_ids encode(const struct config *c, struct ft_tok_state *st, const char *option, const char *text,
                            const struct ft_tool *tool)
{
    struct ft_encoding x;
    struct ft_err e = {0};
    if (ft_utf8_valid(text, strlen(text)) != strlen(text))
        ft_usage(tool, "option '--%s': not valid UTF-8", option);
    if (ft_encode(c->tok, st, ft_strz(text), &(struct ft_encode_opts){0}, &x, &e))
        ft_usage(tool, "option '--%s': %s", option, e.msg);
    if (!x.n)
        ft_usage(tool, "option '--%s': '%s' has no tokens", option, text);
    int32_t *v = ft_reallocs(NULL, x.n, sizeof *v);
    memcpy(v, x.ids, x.n * sizeof *v);
    return (struct ft_ids){v, x.n};
}

static struct ft_ids parse_ids(const char *option, const char *text, const struct ft_tool *tool)
{
    int32_t *v = ft_reallocs(NULL, strlen(text) + 1, sizeof *v);
    size_t n = 0;
    for (const char *p = text; *p;) {
        char *end;
        const long id = strtol(p, &end, 10);
        if (end == p || id < 0 || id > INT32_MAX || (*end && *end != ',') || (*end == ',' && !end[1]))
            ft_usage(tool, "option '--%s': '%s' is not a list of token ids such as 3,17,9", option, text);
        v[n++] = (int32_t)id;
        p = *end ? end + 1 : end;
    }
    if (!n)
        ft_usage(tool, "option '--%s': no token ids", option);
    return (struct ft_ids){v, n};
}

static void parse_roles(struct config *c, const struct ft_tool *tool)
{
    if (!*c->roles_text)
        ft_usage(tool, "option '--roles': no role");
    for (const char *p = c->roles_text;; p++) {
        const size_t n = strcspn(p, ",");
        if (!n)
            ft_usage(tool, "option '--roles': '%s' has an empty name", c->roles_text);
        c->roles = ft_reallocs(c->roles, c->n_roles + 1, sizeof *c->roles);
        c->roles[c->n_roles++] = (struct ft_str){p, n};
        p += n;
        if (!*p)
            return;
    }
}

/* ---- a record's ranges ---- */

static int range_of(const struct ft_json *v, size_t n, const char *member, size_t i, uint32_t *begin, uint32_t *end,
                    struct ft_err *e)
{
    int64_t b, z;
    if (v->type != FT_JSON_ARRAY || v->n < 2 || ft_json_int(&v->items[0], &b) || ft_json_int(&v->items[1], &z) ||
        b < 0 || z < b || (uint64_t)z > n)
        return ft_fail(e, FT_DATA, "\"%s\": entry %zu is not a range of the %zu tokens", member, i, n);
    *begin = (uint32_t)b;
    *end = (uint32_t)z;
    return 0;
}

static int list_of(struct ft_rec *r, const char *key, struct ft_json *out, struct ft_err *e)
{
    const int k = ft_rec_value(r, key, out, e);
    if (k > 0 && out->type != FT_JSON_ARRAY)
        return ft_fail(e, FT_DATA, "member \"%s\" is not an array", key);
    return k;
}

static int spans_of(struct ft_rec *r, size_t n, struct ft_mask_span **out, size_t *count, struct ft_err *e)
{
    struct ft_json v;
    const int k = list_of(r, "spans", &v, e);
    *count = 0;
    if (k <= 0)
        return k;
    *out = FT_NEWS(r->mem, struct ft_mask_span, v.n + 1);
    for (size_t i = 0; i < v.n; i++) {
        struct ft_mask_span *s = &(*out)[i];
        const struct ft_json *x = &v.items[i];
        int64_t message;
        if (range_of(x, n, "spans", i, &s->begin, &s->end, e))
            return -1;
        if (x->n < 5 || ft_json_int(&x->items[2], &message) || message < -1 || message > INT32_MAX ||
            x->items[4].type != FT_JSON_STRING)
            return ft_fail(e, FT_DATA, "\"spans\": entry %zu is not [begin, end, message, field, role, flags]", i);
        s->message = (int32_t)message;
        s->role = x->items[4].s;
        s->header = x->items[3].type == FT_JSON_STRING && ft_str_is(x->items[3].s, "role");
    }
    *count = v.n;
    return 1;
}

/* TRL's columns of a tokenized data set: what all masks that are there allow. 1, or 0
 * when there are none. */
static int trl_masks(struct ft_rec *r, struct ft_ids row, unsigned char *mask, struct ft_err *e)
{
    static const char *const keys[] = {"completion_mask", "assistant_masks"};
    int any = 0;
    memset(mask, 1, row.n);
    for (int k = 0; k < 2; k++) {
        int32_t *v;
        size_t n;
        const int found = ft_rec_ids(r, keys[k], &v, &n, e);
        if (found < 0)
            return -1;
        if (!found)
            continue;
        if (n != row.n)
            return ft_fail(e, FT_DATA, "\"%s\" has %zu elements for %zu input_ids", keys[k], n, row.n);
        for (size_t i = 0; i < n; i++)
            mask[i] &= v[i] != 0;
        any = 1;
    }
    return any;
}

/* What the record itself says: labels, else learn, else TRL's masks, else everything. */
static int given_mask(struct ft_rec *r, struct ft_ids row, unsigned char *mask, struct ft_err *e)
{
    int32_t *labels;
    size_t n;
    struct ft_json v;
    int k = ft_rec_ids(r, "labels", &labels, &n, e);
    if (k < 0)
        return -1;
    if (k) {
        if (n != row.n)
            return ft_fail(e, FT_DATA, "%zu labels for %zu input_ids", n, row.n);
        for (size_t i = 0; i < n; i++) {
            if (labels[i] != -100 && labels[i] != row.v[i])
                return ft_fail(e, FT_DATA, "label %zu is %d, neither -100 nor the token %d", i, labels[i], row.v[i]);
            mask[i] = labels[i] != -100;
        }
        return 0;
    }
    k = list_of(r, "learn", &v, e);
    if (k < 0)
        return -1;
    if (!k && (k = trl_masks(r, row, mask, e)) != 0)
        return k < 0 ? -1 : 0;
    memset(mask, !k, row.n);
    for (size_t i = 0; k && i < v.n; i++) {
        uint32_t begin = 0, end = 0;
        if (range_of(&v.items[i], row.n, "learn", i, &begin, &end, e))
            return -1;
        memset(mask + begin, 1, end - begin);
    }
    return 0;
}

/* ---- the template that was not found ---- */

/* Where the row's text has it all the same, its tokens differ there: tokenizers
 * merge over borders. Puts them into the message. */
static void look_in_text(struct config *c, int worker, struct ft_ids row, const char *text, const char *option,
                         struct ft_buf *out)
{
    struct ft_buf all = {0}, part = {0};
    struct ft_err e = {0};
    const char *found = NULL;
    if (!ft_decode(c->tok, c->state[worker], row.v, row.n, false, &all, &e) && all.n)
        found = memmem(all.p, all.n, text, strlen(text));
    if (found) {
        const size_t b = (size_t)(found - all.p), end = b + strlen(text);
        size_t first = 0, last = row.n, lo = 0, hi = row.n;
        /* decoded length grows with the number of tokens: two searches */
        while (lo < hi) {
            const size_t mid = (lo + hi + 1) / 2;
            part.n = 0;
            if (ft_decode(c->tok, c->state[worker], row.v, mid, false, &part, &e))
                break;
            if (part.n <= b)
                lo = mid;
            else
                hi = mid - 1;
        }
        first = lo;
        for (hi = row.n; lo < hi;) {
            const size_t mid = (lo + hi) / 2;
            part.n = 0;
            if (ft_decode(c->tok, c->state[worker], row.v, mid, false, &part, &e))
                break;
            if (part.n >= end)
                hi = mid;
            else
                lo = mid + 1;
        }
        last = lo;
        if (last > first && last - first < 40) {
            ft_buf_printf(out, "; its text is, as the tokens ");
            for (size_t i = first; i < last; i++)
                ft_buf_printf(out, "%s%d", i > first ? "," : "", row.v[i]);
            ft_buf_printf(out, ": give what they share from row to row as --%s-ids", option);
        }
    } else if (strstr(text, "\\n")) {
        ft_buf_printf(out, " (a newline is $'\\n' in the shell)");
    }
    ft_buf_release(&all);
    ft_buf_release(&part);
}

static void put_ids(struct ft_buf *out, struct ft_ids ids)
{
    for (size_t i = 0; i < ids.n; i++)
        ft_buf_printf(out, "%s%d", i ? "," : "", ids.v[i]);
}

static int not_found(struct config *c, int worker, struct ft_ids row, bool response, struct ft_err *e)
{
    const char *option = response ? "response" : "instruction";
    const char *text = response ? c->response_text : c->instruction_text;
    struct ft_buf b = {0};
    ft_buf_printf(&b, "nothing to learn: the %s template ", option);
    if (text)
        ft_buf_printf(&b, "'%s' (", text);
    put_ids(&b, response ? c->response : c->instruction);
    ft_buf_printf(&b, "%s is not in the row", text ? ")" : "");
    if (text)
        look_in_text(c, worker, row, text, option, &b);
    for (size_t i = 0; i < b.n; i++) /* a message is one line */
        if (b.p[i] == '\n')
            b.p[i] = ' ';
    const int k = ft_fail(e, FT_DATA, "%.*s", (int)b.n, b.p);
    ft_buf_release(&b);
    return k;
}

/* ---- showing ---- */

/* Appends the runs of the row as text. Decoding a run alone would lose spaces and
 * break characters, so each border is where the text of all tokens before it leaves
 * the text of the row. */
static int put_row(struct config *c, int worker, struct ft_ids row, const unsigned char *mask, struct ft_buf *out,
                   struct ft_err *e)
{
    struct ft_buf all = {0}, part = {0};
    size_t from = 0;
    int k = ft_decode(c->tok, c->state[worker], row.v, row.n, false, &all, e);
    for (size_t i = 1; i <= row.n && !k; i++) {
        if (i < row.n && mask[i] == mask[i - 1])
            continue;
        size_t to = all.n;
        if (i < row.n) {
            part.n = 0;
            k = ft_decode(c->tok, c->state[worker], row.v, i, false, &part, e);
            to = from;
            while (to < all.n && to < part.n && all.p[to] == part.p[to])
                to++;
            while (to > from && to < all.n && ((unsigned char)all.p[to] & 0xc0) == 0x80)
                to--; /* a character whose bytes are of both runs is shown with the second */
        }
        ft_explain_put(out, (struct ft_str){all.p + from, to - from}, mask[i - 1], c->in_colour);
        from = to;
    }
    if (!all.n || all.p[all.n - 1] != '\n' || (row.n && mask[row.n - 1]))
        ft_buf_putc(out, '\n');
    ft_buf_release(&all);
    ft_buf_release(&part);
    return k;
}

static int explain(struct config *c, int worker, struct ft_rec *r, struct ft_ids row, const unsigned char *mask,
                   size_t learnt, struct ft_err *e)
{
    struct ft_buf out = {0};
    ft_buf_printf(&out, "== %s:%" PRIu64 ": %zu of %zu tokens learnt\n", r->file, r->lineno, learnt, row.n);
    const int k = put_row(c, worker, row, mask, &out, e);
    ft_explain_row(c->shown, r->seq, &out);
    return k;
}

/* Each branch of a pair behind the prompt. */
static int explain_pair(struct config *c, int worker, struct ft_rec *r, const struct ft_ids *part, struct ft_err *e)
{
    static const char *const names[] = {"", "chosen", "rejected"};
    struct ft_buf out = {0};
    int k = 0;
    for (int b = 1; b < 3 && !k; b++) {
        struct ft_ids row = {NULL, part[0].n + part[b].n};
        int32_t *v = ft_arena_alloc(r->mem, (row.n + 1) * sizeof *v);
        unsigned char *mask = ft_arena_alloc(r->mem, row.n + 1);
        if (part[0].n)
            memcpy(v, part[0].v, part[0].n * sizeof *v);
        if (part[b].n)
            memcpy(v + part[0].n, part[b].v, part[b].n * sizeof *v);
        memset(mask, 0, part[0].n);
        memset(mask + part[0].n, 1, part[b].n);
        row.v = v;
        ft_buf_printf(&out, "== %s:%" PRIu64 ": %s: %zu of %zu tokens\n", r->file, r->lineno, names[b], part[b].n, row.n);
        k = put_row(c, worker, row, mask, &out, e);
    }
    ft_explain_row(c->shown, r->seq, &out);
    return k;
}

/* ---- a record ---- */

/* One of the two members says what is learnt; the other would go stale. */
static void write_mask(const struct config *c, struct ft_rec *r, struct ft_ids row, const unsigned char *mask)
{
    if (c->format == 0) {
        int32_t *labels = ft_arena_alloc(r->mem, (row.n + 1) * sizeof *labels);
        for (size_t i = 0; i < row.n; i++)
            labels[i] = mask[i] ? row.v[i] : -100;
        ft_rec_remove(r, "learn");
        ft_rec_set_ids(r, "labels", labels, row.n);
        return;
    }
    struct ft_buf b = {0};
    size_t at = 0, begin, end;
    ft_buf_putc(&b, '[');
    while (ft_mask_run(mask, row.n, &at, &begin, &end))
        ft_buf_printf(&b, "%s[%zu,%zu]", b.n > 1 ? "," : "", begin, end);
    ft_buf_putc(&b, ']');
    ft_rec_remove(r, "labels");
    ft_rec_set(r, "learn", (struct ft_str){ft_arena_dup(r->mem, b.p, b.n), b.n});
    ft_buf_release(&b);
}

static int check_tokenizer(const struct config *c, struct ft_rec *r, struct ft_err *e)
{
    struct ft_stamp stamp;
    if (!c->tok)
        return 0;
    if (ft_rec_get_stamp(r, &stamp, e) < 0)
        return -1;
    if (stamp.tok.n && !ft_str_is(stamp.tok, ft_tokenizer_fingerprint(c->tok)))
        return ft_fail(e, FT_DATA, "its tokens are of vocabulary %.*s, and '-m' has %s", (int)stamp.tok.n, stamp.tok.p,
                       ft_tokenizer_fingerprint(c->tok));
    return 0;
}

/* A pair is learnt whole by its objective; only an empty branch is refused. */
static int preference(struct config *c, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    static const char *const keys[] = {"prompt_ids", "chosen_ids", "rejected_ids"};
    struct ft_ids part[3] = {{0}};
    if (check_tokenizer(c, r, e))
        return -1;
    for (int i = 0; i < 3; i++) {
        int32_t *ids = NULL;
        const int k = ft_rec_ids(r, keys[i], &ids, &part[i].n, e);
        if (k < 0 || (!k && i))
            return k < 0 ? -1 : ft_rec_missing(r, keys[i], e);
        part[i].v = ids;
        if (!k)
            part[i].n = 0;
    }
    if (ft_explain_wants(c->shown, r->seq) && explain_pair(c, worker, r, part, e))
        return -1;
    for (int i = 1; i < 3; i++) {
        if (part[i].n)
            continue;
        if (c->unlearnt == UNLEARNT_DROP)
            return ft_rec_drop(r, "unlearnt"), 0;
        if (c->unlearnt == UNLEARNT_ERROR)
            return ft_fail(e, FT_DATA, "nothing to learn: \"%s\" is empty", keys[i]);
        ft_rec_count(r, "unlearnt", 1);
    }
    ft_rec_write(r, out);
    return 1;
}

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct ft_mask_span *spans = NULL;
    struct ft_ids row;
    int32_t *ids;
    size_t n_spans = 0, learnt = 0;

    if (!ft_rec_has(r, "input_ids") && ft_rec_has(r, "chosen_ids"))
        return preference(c, worker, r, out, e);
    int k = ft_rec_ids(r, "input_ids", &ids, &row.n, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, "input_ids", e);
    row.v = ids;
    if (check_tokenizer(c, r, e))
        return -1;

    unsigned char *mask = ft_arena_alloc(r->mem, row.n + 1);
    enum ft_mask_found found = FT_MASK_FOUND;
    if (c->response.n) {
        found = ft_mask_templates(row, c->response, c->instruction, mask);
        if (found == FT_MASK_UNEVEN)
            ft_rec_count(r, "uneven_turns", 1);
    } else if (c->all) {
        memset(mask, 1, row.n);
    } else if (given_mask(r, row, mask, e)) {
        return -1;
    }
    if ((c->n_roles || c->last_turn) && spans_of(r, row.n, &spans, &n_spans, e) < 0)
        return -1;
    if (c->n_roles) {
        if (!spans)
            return ft_fail(e, FT_DATA, "no member \"spans\": '--roles' needs what chat-template and tokenize write");
        ft_mask_roles(mask, row.n, spans, n_spans, c->roles, c->n_roles);
    }
    if (c->last_turn)
        ft_mask_last(mask, row.n, spans, n_spans);

    for (size_t i = 0; i < row.n; i++)
        learnt += mask[i];
    if (ft_explain_wants(c->shown, r->seq) && explain(c, worker, r, row, mask, learnt, e))
        return -1;
    if (learnt == (row.n ? mask[0] : 0)) { /* the first token is never a target */
        if (c->unlearnt == UNLEARNT_DROP)
            return ft_rec_drop(r, "unlearnt"), 0;
        if (c->unlearnt == UNLEARNT_ERROR) {
            if (found == FT_MASK_NO_RESPONSE || found == FT_MASK_NO_INSTRUCTION)
                return not_found(c, worker, row, found == FT_MASK_NO_RESPONSE, e);
            return ft_fail(e, FT_DATA, "nothing to learn in its %zu tokens (--allow-unlearnt takes it)", row.n);
        }
        ft_rec_count(r, "unlearnt", 1);
    }
    ft_rec_count(r, "tokens", row.n);
    ft_rec_count(r, "learnt", learnt);
    write_mask(c, r, row, mask);
    ft_rec_write(r, out);
    return 1;
}

static void check_options(struct config *c, const struct ft_tool *tool)
{
    const bool templates = c->response_text || c->response_ids;
    if ((c->response_text && c->response_ids) || (c->instruction_text && c->instruction_ids))
        ft_usage(tool, "a template is given as text or as ids, not as both");
    if ((c->instruction_text || c->instruction_ids) && !templates)
        ft_usage(tool, "option '--instruction-template' needs '--response-template'");
    if (templates && (c->all || c->roles_text))
        ft_usage(tool, "option '--%s' does not go with a response template", c->all ? "all" : "roles");
    if (c->all && c->roles_text)
        ft_usage(tool, "option '--all' does not go with '--roles'");
    if (!c->model && (c->response_text || c->instruction_text))
        ft_usage(tool, "a template's text needs its tokenizer: give '--model DIR'");
    if (!c->model && c->explain)
        ft_usage(tool, "option '--explain' needs the tokenizer: give '--model DIR'");
    if (c->explain > 1000000)
        ft_usage(tool, "option '--explain': at most 1000000 rows");
    if (c->allow_unlearnt)
        c->unlearnt = UNLEARNT_KEEP;
}

int main(int argc, char **argv)
{
    struct config c = {0};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR|FILE", "the tokenizer, for templates given as text and for --explain",
         NULL},
        {0, "What is learnt", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "response-template", FT_OPT_STR, &c.response_text, "TEXT", "what follows the last of this text", NULL},
        {0, "instruction-template", FT_OPT_STR, &c.instruction_text, "TEXT",
         "with it: what stands between a response template and the next of this", NULL},
        {0, "response-ids", FT_OPT_STR, &c.response_ids, "N,N,...", "the same as token ids", NULL},
        {0, "instruction-ids", FT_OPT_STR, &c.instruction_ids, "N,N,...", "the same as token ids", NULL},
        {0, "roles", FT_OPT_STR, &c.roles_text, "A,B,...", "the turns of these roles only, of those that chat-template did not mark the text alone; needs spans", NULL},
        {0, "last-turn", FT_OPT_FLAG, &c.last_turn, NULL, "of all that, the last turn only (history is masked)", NULL},
        {0, "all", FT_OPT_FLAG, &c.all, NULL, "everything, prompts too", NULL},
        {0, "Rows with nothing to learn", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "unlearnt", FT_OPT_CHOICE, &c.unlearnt, "error|drop|keep", "are bad, or are dropped, or kept; counted", NULL},
        {0, "allow-unlearnt", FT_OPT_FLAG, &c.allow_unlearnt, NULL, "the same as --unlearnt=keep", NULL},
        {0, "Output", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "format", FT_OPT_CHOICE, &c.format, "labels|learn", "labels: -100 where nothing is learnt; learn: ranges",
         NULL},
        {0, "explain", FT_OPT_SIZE, &c.explain, "N", "show the first N rows on stderr, learnt text in colour or in \xe2\x9f\xa6\xe2\x9f\xa7",
         NULL},
        {0, "color", FT_OPT_CHOICE, &c.colour, "auto|always|never", "auto: on a terminal, unless NO_COLOR is set", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "mask-completion", "Mark which tokens are learnt.", "[options] [FILE...]", opts, ft_stream_options(&so),
        "Without options a row's labels stand, else its learn ranges (assistant turns after\n"
        "chat-template, the completion of prompt and completion), else TRL's completion_mask and\n"
        "assistant_masks (both hold), else everything is learnt.\n"
        "Templates are sought as token ids, as TRL's DataCollatorForCompletionOnlyLM does it:\n"
        "instructions and responses are paired by number; rows where they do not take turns are\n"
        "counted as uneven_turns. Rows of preference pairs pass as they are."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_err e = {0};
    check_options(&c, &tool);
    if (c.model && ft_tokenizer_load(c.model, &c.tok, &e))
        ft_die(&tool, &e);
    if (c.roles_text)
        parse_roles(&c, &tool);
    if (c.response_ids)
        c.response = parse_ids("response-ids", c.response_ids, &tool);
    if (c.instruction_ids)
        c.instruction = parse_ids("instruction-ids", c.instruction_ids, &tool);
    c.in_colour = ft_explain_colour((enum ft_colour)c.colour, 2);
    c.shown = ft_explain_new(c.explain);

    struct ft_tok_state *first = c.tok ? ft_tok_state_new(c.tok) : NULL;
    if (c.response_text)
        c.response = encode(&c, first, "response-template", c.response_text, &tool);
    if (c.instruction_text)
        c.instruction = encode(&c, first, "instruction-template", c.instruction_text, &tool);

    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    const int jobs = ft_stream_jobs(s);
    c.state = ft_calloc((size_t)jobs, sizeof *c.state);
    for (int i = 0; c.tok && i < jobs; i++)
        c.state[i] = i ? ft_tok_state_new(c.tok) : first;
    ft_stream_map(s, map, &c, &e);
    ft_explain_free(c.shown);
    const int status = ft_stream_close(s, &e);

    for (int i = 0; c.tok && i < jobs; i++)
        ft_tok_state_free(c.state[i]);
    free(c.state);
    free(c.roles);
    free((void *)c.response.v);
    free((void *)c.instruction.v);
    ft_tokenizer_free(c.tok);
    return status;
}
