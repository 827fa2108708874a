/* train-tokenizer -- text to a tokenizer of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/stream.h"
#include "tokenizer/train_alphabet.h"
#include "tokenizer/train_split.h"
#include "tokenizer/train_write.h"

struct config {
    const struct ft_tool *tool;
    const char *dir, *template, *initial;
    struct ft_list fields, specials;
    struct tk_recipe recipe;
    struct tk_learn_opts learn;
    uint64_t limit, max_length, size;
    const char *temp;
    bool force, plain_specials;
    /* from here on not options */
    const char **names; /* --field */
    size_t n_names;
    struct tk_parts parts;
    struct tk_splitter *splitter;
    struct tk_split_state **state; /* a worker each */
    struct tk_tally *tally;
};

/* ---- the texts of a record ---- */

struct texts {
    struct ft_str *v;
    size_t n, cap;
};

static void add_text(struct ft_rec *r, struct texts *t, struct ft_str s)
{
    if (t->n == t->cap) {
        struct ft_str *v = FT_NEWS(r->mem, struct ft_str, t->cap * 2 + 8);
        if (t->n)
            memcpy(v, t->v, t->n * sizeof *v);
        t->v = v;
        t->cap = t->cap * 2 + 8;
    }
    t->v[t->n++] = s;
}

/* The texts of a message's content: a string, or parts that have a text. */
static int content(struct ft_rec *r, struct texts *t, const struct ft_json *c)
{
    if (!c || c->type == FT_JSON_NULL)
        return 0;
    if (c->type == FT_JSON_STRING) {
        add_text(r, t, c->s);
        return 0;
    }
    if (c->type != FT_JSON_ARRAY)
        return -1;
    for (size_t i = 0; i < c->n; i++) {
        const struct ft_json *text = c->items[i].type == FT_JSON_STRING ? &c->items[i] : ft_json_get(&c->items[i], "text");
        if (text && text->type == FT_JSON_STRING)
            add_text(r, t, text->s);
    }
    return 0;
}

/* A member that is a string or a list of messages: 1, 0 when absent or null, -1. */
static int member(struct ft_rec *r, const char *key, struct texts *t, struct ft_err *e)
{
    struct ft_json v;
    const int k = ft_rec_value(r, key, &v, e);
    if (k <= 0 || v.type == FT_JSON_NULL)
        return k < 0 ? -1 : 0;
    if (v.type == FT_JSON_STRING) {
        add_text(r, t, v.s);
        return 1;
    }
    if (v.type != FT_JSON_ARRAY)
        goto wrong;
    for (size_t i = 0; i < v.n; i++) {
        const struct ft_json *m = &v.items[i];
        if (m->type == FT_JSON_STRING)
            add_text(r, t, m->s);
        else if (m->type != FT_JSON_OBJECT || content(r, t, ft_json_get(m, "content")) ||
                 content(r, t, ft_json_get(m, "reasoning_content")))
            goto wrong;
    }
    return 1;
wrong:
    return ft_fail_at(e, FT_DATA, (uint64_t)(v.raw.p - r->line.p) + 1, "member \"%s\" is neither a string nor messages", key);
}

static int gather(const struct config *c, struct ft_rec *r, struct texts *t, struct ft_err *e)
{
    static const char *const pairs[] = {"prompt", "completion", "chosen", "rejected"};
    int any = 0;
    if (c->n_names) {
        for (size_t i = 0; i < c->n_names; i++) {
            const int k = member(r, c->names[i], t, e);
            if (k < 0)
                return -1;
            any |= k;
        }
        return any ? 0 : ft_rec_missing(r, c->names[0], e);
    }
    any = member(r, "text", t, e);
    if (!any)
        any = member(r, "messages", t, e);
    for (size_t i = 0; i < 4 && any >= 0 && !(any && i == 0); i++) {
        const int k = member(r, pairs[i], t, e);
        any = k < 0 ? -1 : any | k << 1;
    }
    return any < 0 ? -1 : any ? 0 : ft_rec_missing(r, "text", e);
}

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct texts t = {0};
    (void)out;
    if (gather(c, r, &t, e))
        return -1;
    for (size_t i = 0; i < t.n; i++)
        if (tk_split(c->splitter, c->state[worker], t.v[i], !c->plain_specials, &c->tally[worker], e))
            return -1;
    return tk_tally_check(&c->tally[worker], e) ? -1 : 1;
}

/* ---- options ---- */

/* "A,B" in any number of options. */
static size_t pieces(const struct ft_list *l, struct ft_arena *mem, struct ft_str **out)
{
    size_t n = 0;
    struct ft_str *v = NULL;
    for (size_t i = 0; i < l->n; i++)
        for (const char *p = l->v[i]; *p;) {
            const size_t k = strcspn(p, ",");
            if (k) {
                struct ft_str *more = FT_NEWS(mem, struct ft_str, n + 1);
                if (n)
                    memcpy(more, v, n * sizeof *v);
                v = more;
                v[n++] = (struct ft_str){p, k};
            }
            p += k + (p[k] == ',');
        }
    *out = v;
    return n;
}

static bool named(const char *token) { return token && *token; }

static void check_options(struct config *c, struct ft_arena *mem)
{
    struct tk_recipe *r = &c->recipe;
    const struct ft_tool *t = c->tool;
    struct ft_str *v;
    if (!named(c->dir))
        ft_usage(t, "give the tokenizer's folder: '-o DIR'");
    size_t n = pieces(&c->fields, mem, &v);
    c->names = FT_NEWS(mem, const char *, n + 1);
    for (c->n_names = 0; c->n_names < n; c->n_names++)
        c->names[c->n_names] = ft_str_z(mem, v[c->n_names]);
    const bool spm = r->type == TK_SENTENCEPIECE;
    if (!r->eos)
        r->eos = spm ? "</s>" : "<|endoftext|>";
    if (spm && !r->bos)
        r->bos = "<s>";
    if (spm && !r->unk)
        r->unk = "<unk>";
    n = pieces(&c->specials, mem, &v);
    tk_recipe_specials(r, v, n, mem);
    for (size_t i = 0; i < r->n_specials; i++)
        if (ft_utf8_valid(r->specials[i].p, r->specials[i].n) != r->specials[i].n)
            ft_usage(t, "a special token is not valid UTF-8");
    if (r->add_bos && !named(r->bos))
        ft_usage(t, "option '--add-bos' needs '--bos TOKEN'");
    if (r->add_eos && !named(r->eos))
        ft_usage(t, "option '--add-eos' needs '--eos TOKEN'");
    if (!spm && c->limit)
        ft_usage(t, "option '--limit-alphabet' is for '--type sentencepiece': every byte has a token here");
    if (!spm && named(c->initial))
        ft_usage(t, "option '--initial-alphabet' is for '--type sentencepiece': every byte has a token here");
    if (spm && !r->byte_fallback && !named(r->unk))
        ft_usage(t, "without byte tokens unknown characters need '--unk TOKEN'");
    if (c->initial && ft_utf8_valid(c->initial, strlen(c->initial)) != strlen(c->initial))
        ft_usage(t, "option '--initial-alphabet' is not valid UTF-8");
    const uint64_t least = r->n_specials + (spm ? 256 * (uint64_t)r->byte_fallback : 256);
    if (c->learn.vocab_size < least)
        ft_usage(t, "option '--vocab-size': %zu special tokens and %" PRIu64 " bytes make %" PRIu64 " already", r->n_specials,
                 least - r->n_specials, least);
    if (c->learn.vocab_size > INT32_MAX)
        ft_usage(t, "option '--vocab-size' wants at most %d", INT32_MAX);
}

/* ---- training ---- */

static void show(void *ctx, uint64_t tokens)
{
    const struct config *c = ctx;
    fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " tokens\n", c->tool->name, tokens, c->learn.vocab_size);
}

static void base_tokens(const struct config *c, struct tk_learner *l)
{
    const struct tk_recipe *r = &c->recipe;
    for (size_t i = 0; i < r->n_specials; i++)
        tk_learner_token(l, r->specials[i], (uint32_t)ft_utf8_count(r->specials[i].p, r->specials[i].n));
    if (r->type == TK_SENTENCEPIECE && r->byte_fallback)
        for (unsigned b = 0; b < 256; b++) {
            char s[8];
            snprintf(s, sizeof s, "<0x%02X>", b);
            tk_learner_token(l, ft_strz(s), 6);
        }
}

static int learn(struct config *c, struct tk_learner *l, struct tk_words *w, struct tk_alphabet *a, struct ft_err *e)
{
    if (!w->n)
        return ft_fail(e, FT_DATA, "no text to learn from");
    base_tokens(c, l);
    tk_alphabet_make(a, l, w, c->recipe.type == TK_BYTE_LEVEL, c->limit, ft_strz(c->initial ? c->initial : ""));
    if (l->n_tokens > c->learn.vocab_size)
        return ft_fail(e, FT_DATA, "the text has %" PRIu64 " different characters: with special tokens and bytes %" PRIu32
                       " tokens, more than '--vocab-size'; '--limit-alphabet' leaves rare ones out", a->kept, l->n_tokens);
    if (tk_alphabet_words(a, l, w, e))
        return -1;
    tk_words_release(w);
    tk_learner_run(l, &c->learn);
    return 0;
}

static int write_all(const struct config *c, const struct tk_learner *l, struct ft_str template, struct ft_err *e)
{
    struct ft_buf files[3] = {0}, json = {0};
    tk_tokenizer_json(&c->parts, l, NULL, 0, &files[0]);
    tk_recipe_config(&c->recipe, c->max_length, &json);
    tk_json_pretty(ft_buf_str(&json), &files[1]);
    ft_buf_putc(&files[1], '\n');
    json.n = 0;
    tk_recipe_map(&c->recipe, &json);
    tk_json_pretty(ft_buf_str(&json), &files[2]);
    ft_buf_putc(&files[2], '\n');
    struct tk_file list[4];
    size_t n = 0;
    if (c->template)
        list[n++] = (struct tk_file){"chat_template.jinja", template};
    list[n++] = (struct tk_file){"special_tokens_map.json", ft_buf_str(&files[2])};
    list[n++] = (struct tk_file){"tokenizer_config.json", ft_buf_str(&files[1])};
    list[n++] = (struct tk_file){"tokenizer.json", ft_buf_str(&files[0])};
    const int r = tk_folder_write(c->dir, list, n, c->force, e);
    for (int i = 0; i < 3; i++)
        ft_buf_release(&files[i]);
    ft_buf_release(&json);
    return r;
}

static int read_file(const char *path, struct ft_buf *out, struct ft_err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return ft_fail_errno(e, "cannot open '%s'", path);
    size_t n;
    do {
        n = fread(ft_buf_room(out, 1 << 16), 1, 1 << 16, f);
        out->n += n;
    } while (n);
    const int r = ferror(f) ? ft_fail_errno(e, "cannot read '%s'", path) : 0;
    fclose(f);
    if (!r && ft_utf8_valid(out->p, out->n) != out->n)
        return ft_fail(e, FT_DATA, "%s: not valid UTF-8", path);
    return r;
}

static int load_splitter(struct config *c, struct ft_arena *mem, struct ft_err *e)
{
    struct ft_buf b = {0};
    struct ft_json *j = FT_NEW(mem, struct ft_json);
    const struct tk_parts *p = &c->parts;
    ft_buf_putz(&b, "{\"added_tokens\":");
    ft_buf_puts(&b, p->added_tokens);
    ft_buf_putz(&b, ",\"normalizer\":");
    ft_buf_puts(&b, p->normalizer);
    ft_buf_putz(&b, ",\"pre_tokenizer\":");
    ft_buf_puts(&b, p->pre_tokenizer);
    ft_buf_putc(&b, '}');
    const char *text = ft_arena_dup(mem, b.p, b.n);
    const int r = ft_json_parse(text, b.n, mem, j, e) || tk_splitter_load(j, &c->splitter, e) ? -1 : 0;
    ft_buf_release(&b);
    return r;
}

static void summary(const struct config *c, const struct tk_learner *l, const struct tk_words *w, const struct tk_alphabet *a)
{
    const struct tk_recipe *r = &c->recipe;
    fprintf(stderr, "%s: %s: %" PRIu32 " tokens (%zu special, ", c->tool->name, c->dir, l->n_tokens, r->n_specials);
    if (r->type == TK_SENTENCEPIECE)
        fprintf(stderr, "%s%" PRIu64 " characters, ", r->byte_fallback ? "256 bytes, " : "", a->kept);
    else
        fprintf(stderr, "256 bytes, ");
    fprintf(stderr, "%zu merges) from %" PRIu64 " words, %" PRIu64 " of them different\n", l->n_merges, w->seen, w->distinct);
    if (w->dropped)
        fprintf(stderr, "%s: %" PRIu64 " rare words (%.2g%% of the text's) were dropped to fit '-S'; those seen more than %" PRIu64
                " times are all there\n", c->tool->name, w->dropped, 100 * (double)w->lost / (double)w->seen, w->rarest);
    if (a->kept < a->seen)
        fprintf(stderr, "%s: %" PRIu64 " rare characters (%" PRIu64 " occurrences) got no token of their own\n", c->tool->name,
                a->seen - a->kept, a->lost);
    if (l->n_tokens < c->learn.vocab_size)
        ft_warn(c->tool, "%" PRIu32 " tokens, not %" PRIu64 ": no pair is left that occurs %" PRIu64 " times", l->n_tokens,
                c->learn.vocab_size, c->learn.min_frequency ? c->learn.min_frequency : 1);
}

int main(int argc, char **argv)
{
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    struct config c = {.size = 4ull << 30, .learn = {.vocab_size = 32000, .min_frequency = 2}, .recipe = {.byte_fallback = true}};
    struct ft_arena mem = {0};
    struct tk_recipe *const recipe = &c.recipe;
    so.no_records_out = true;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'o', "output", FT_OPT_STR, &c.dir, "DIR", "the tokenizer's folder; it is made", NULL},
        {0, "force", FT_OPT_FLAG, &c.force, NULL, "write into a folder that exists", NULL},
        {0, "field", FT_OPT_LIST, &c.fields, "A,B", "members to learn from; else text, or messages, or prompt and completion", NULL},
        {0, "Vocabulary", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "type", FT_OPT_CHOICE, &recipe->type, "byte-level|sentencepiece", "byte-level BPE, or words that begin with U+2581", NULL},
        {0, "vocab-size", FT_OPT_SIZE, &c.learn.vocab_size, "N", "tokens in all", NULL},
        {0, "min-frequency", FT_OPT_SIZE, &c.learn.min_frequency, "N", "merge no pair that is rarer", NULL},
        {0, "max-token-length", FT_OPT_SIZE, &c.learn.max_token_length, "N", "tokens that merging makes are shorter than N characters (bytes)", NULL},
        {0, "limit-alphabet", FT_OPT_SIZE, &c.limit, "N", "sentencepiece: keep the N most frequent characters", NULL},
        {0, "initial-alphabet", FT_OPT_STR, &c.initial, "CHARS", "sentencepiece: characters to have whether seen or not", NULL},
        {0, "byte-fallback", FT_OPT_FLAG, &recipe->byte_fallback, NULL, "sentencepiece: byte tokens for unknown characters (default)", NULL},
        {'S', "buffer-size", FT_OPT_SIZE, &c.size, "SIZE", "memory for words; the rarest are dropped when they need more", NULL},
        {'T', "temporary-directory", FT_OPT_STR, &c.temp, "DIR", "for word counts that do not fit; else $TMPDIR or /tmp", NULL},
        {0, "Splitting", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "split", FT_OPT_CHOICE, &recipe->split, "qwen2|gpt2|cl100k|llama3|o200k", "byte-level: how text is cut into words", NULL},
        {0, "split-regex", FT_OPT_STR, &recipe->regex, "REGEX", "byte-level: the same by a pattern for one word", NULL},
        {0, "split-digits", FT_OPT_FLAG, &recipe->split_digits, NULL, "every digit is a word", NULL},
        {0, "prefix-space", FT_OPT_CHOICE, &recipe->prefix, "first|always|never", "sentencepiece: put a space before the text", NULL},
        {0, "normalizer", FT_OPT_CHOICE, &recipe->normalizer, "none|nfc|nfkc", "Unicode normal form of the text", NULL},
        {0, "Special tokens", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "special-tokens", FT_OPT_LIST, &c.specials, "A,B", "more special tokens", NULL},
        {0, "bos", FT_OPT_STR, &recipe->bos, "TOKEN", "begin of text", NULL},
        {0, "eos", FT_OPT_STR, &recipe->eos, "TOKEN", "end of text", NULL},
        {0, "unk", FT_OPT_STR, &recipe->unk, "TOKEN", "unknown character", NULL},
        {0, "pad", FT_OPT_STR, &recipe->pad, "TOKEN", "padding", NULL},
        {0, "add-bos", FT_OPT_FLAG, &recipe->add_bos, NULL, "encoding puts bos in front", NULL},
        {0, "add-eos", FT_OPT_FLAG, &recipe->add_eos, NULL, "encoding puts eos behind", NULL},
        {0, "plain-specials", FT_OPT_FLAG, &c.plain_specials, NULL, "special tokens in the text are learnt from as plain text", NULL},
        {0, "chat-template", FT_OPT_STR, &c.template, "FILE", "copy it into the folder", NULL},
        {0, "model-max-length", FT_OPT_SIZE, &c.max_length, "N", "for tokenizer_config.json", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "train-tokenizer", "Learn a BPE vocabulary from text.", "[options] [FILE...] -o DIR", opts, ft_stream_options(&so),
        "Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json.\n"};
    struct ft_err e = {0};
    char **files = ft_cli(&tool, argc, argv, NULL);
    c.tool = &tool;
    check_options(&c, &mem);
    if (so.progress) {
        c.learn.progress = show;
        c.learn.ctx = &c;
    }
    tk_recipe_parts(recipe, &mem, &c.parts);
    struct ft_buf template = {0};
    if (load_splitter(&c, &mem, &e) || tk_folder_check(c.dir, c.force, &e) ||
        (c.template && read_file(c.template, &template, &e)))
        ft_die(&tool, &e);
    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    const int jobs = ft_stream_jobs(s);
    c.state = ft_calloc((size_t)jobs, sizeof *c.state);
    c.tally = ft_calloc((size_t)jobs, sizeof *c.tally);
    for (int i = 0; i < jobs; i++) {
        c.state[i] = tk_split_state_new();
        c.tally[i].limit = c.size / 2 / (uint64_t)jobs + 1;
        c.tally[i].temp = c.temp;
    }
    struct tk_words words = {0};
    struct tk_learner l;
    struct tk_alphabet a = {0};
    tk_learner_init(&l);
    bool good = ft_stream_map(s, map, &c, &e) == 0 && ft_stream_check(s, &e) == 0;
    good = good && tk_tally_finish(c.tally, (size_t)jobs, c.size, &words, &e) == 0 && learn(&c, &l, &words, &a, &e) == 0 && write_all(&c, &l, ft_buf_str(&template), &e) == 0;
    const int status = ft_stream_close(s, &e);
    if (good && !status && !so.quiet)
        summary(&c, &l, &words, &a);
    for (int i = 0; i < jobs; i++) {
        tk_split_state_free(c.state[i]);
        tk_tally_release(&c.tally[i]);
    }
    tk_words_release(&words);
    tk_learner_release(&l);
    tk_splitter_free(c.splitter);
    ft_buf_release(&template);
    ft_arena_release(&mem);
    free(a.id);
    free(c.state);
    free(c.tally);
    return status;
}
