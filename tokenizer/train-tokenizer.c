/* train-tokenizer -- text to a tokenizer of its own. */
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/stream.h"
#include "tokenizer/train_base.h"
#include "tokenizer/train_split.h"
#include "tokenizer/train_texts.h"
#include "tokenizer/train_write.h"

struct config {
    const struct ft_tool *tool;
    const char *dir, *extend, *template, *initial, *temp;
    struct ft_list fields, specials;
    struct tk_recipe recipe;
    struct tk_learn_opts learn;
    uint64_t limit, max_length, size;
    bool force, plain_specials;
    bool fresh; /* an option was given that is not for --extend; of these it matters also which: */
    bool has_split, has_regex, has_prefix, has_fallback;
    /* from here on not options */
    struct ft_arena mem;
    const char **names; /* --field */
    size_t n_names;
    struct tk_base base; /* --extend */
    struct tk_parts parts;
    struct tk_splitter *splitter;
    struct tk_split_state **state; /* a worker each */
    struct tk_tally *tally;
    struct tk_learner learner;
    struct tk_words words;
    struct tk_alphabet alphabet;
    time_t shown; /* --progress */
};

static bool named(const char *token) { return token && *token; }

/* ---- options ---- */

/* "A,B" in any number of options. */
static size_t pieces(const struct ft_list *l, struct ft_arena *mem, struct ft_str **out)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += strlen(l->v[i]);
    struct ft_str *v = *out = FT_NEWS(mem, struct ft_str, n + 1);
    n = 0;
    for (size_t i = 0; i < l->n; i++)
        for (const char *p = l->v[i]; *p;) {
            const size_t k = strcspn(p, ",");
            if (k)
                v[n++] = (struct ft_str){p, k};
            p += k + (p[k] == ',');
        }
    return n;
}

static void check_recipe(struct config *c)
{
    struct tk_recipe *r = &c->recipe;
    const struct ft_tool *t = c->tool;
    const bool spm = r->type == TK_SENTENCEPIECE;
    if (r->add_bos && !named(r->bos))
        ft_usage(t, "option '--add-bos' needs '--bos TOKEN'");
    if (r->add_eos && !named(r->eos))
        ft_usage(t, "option '--add-eos' needs '--eos TOKEN'");
    if (!spm && c->limit)
        ft_usage(t, "option '--limit-alphabet' is for '--type sentencepiece': every byte has a token here");
    if (!spm && named(c->initial))
        ft_usage(t, "option '--initial-alphabet' is for '--type sentencepiece': every byte has a token here");
    if (!spm && (c->has_prefix || c->has_fallback))
        ft_usage(t, "option '--%s' is for '--type sentencepiece'", c->has_prefix ? "prefix-space" : "byte-fallback");
    if (spm && (c->has_split || c->has_regex))
        ft_usage(t, "option '--%s' is for '--type byte-level'", c->has_split ? "split" : "split-regex");
    if (c->has_split && c->has_regex)
        ft_usage(t, "give '--split' or '--split-regex', not both");
    if (spm && !r->byte_fallback && !named(r->unk))
        ft_usage(t, "without byte tokens unknown characters need '--unk TOKEN'");
    const uint64_t least = r->n_specials + (spm && !r->byte_fallback ? 0 : 256);
    if (c->learn.vocab_size < least)
        ft_usage(t, "option '--vocab-size': %zu special tokens and %" PRIu64 " bytes make %" PRIu64 " already", r->n_specials,
                 least - r->n_specials, least);
}

static void check_options(struct config *c)
{
    struct tk_recipe *r = &c->recipe;
    c->fresh = c->fresh || c->has_split || c->has_regex || c->has_prefix || c->has_fallback;
    const struct ft_tool *t = c->tool;
    struct ft_str *v;
    if (!named(c->dir))
        ft_usage(t, "give the tokenizer's folder: '-o DIR'");
    if (c->learn.vocab_size > INT32_MAX / 4)
        ft_usage(t, "option '--vocab-size' wants at most %d", INT32_MAX / 4);
    if (c->initial && ft_utf8_valid(c->initial, strlen(c->initial)) != strlen(c->initial))
        ft_usage(t, "option '--initial-alphabet' is not valid UTF-8");
    size_t n = pieces(&c->fields, &c->mem, &v);
    c->names = FT_NEWS(&c->mem, const char *, n + 1);
    for (c->n_names = 0; c->n_names < n; c->n_names++)
        c->names[c->n_names] = ft_str_z(&c->mem, v[c->n_names]);
    if (!c->extend) {
        const bool spm = r->type == TK_SENTENCEPIECE;
        r->eos = r->eos ? r->eos : spm ? "</s>" : "<|endoftext|>";
        r->bos = r->bos ? r->bos : spm ? "<s>" : "";
        r->unk = r->unk ? r->unk : spm ? "<unk>" : "";
    } else if (c->fresh) {
        ft_usage(t, "option '--extend' keeps type, splitting, normalizer and special tokens: only '--special-tokens' adds to them");
    }
    n = pieces(&c->specials, &c->mem, &v);
    tk_recipe_specials(r, v, n, &c->mem);
    for (size_t i = 0; i < r->n_specials; i++)
        if (ft_utf8_valid(r->specials[i].p, r->specials[i].n) != r->specials[i].n)
            ft_usage(t, "a special token is not valid UTF-8");
    if (!c->extend)
        check_recipe(c);
}

/* ---- before the text is read ---- */

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

static int load_splitter(struct config *c, struct ft_err *e)
{
    struct ft_buf b = {0};
    struct ft_json *j = FT_NEW(&c->mem, struct ft_json);
    const struct tk_parts *p = &c->parts;
    ft_buf_putz(&b, "{\"added_tokens\":");
    ft_buf_puts(&b, p->added_tokens);
    ft_buf_putz(&b, ",\"normalizer\":");
    ft_buf_puts(&b, p->normalizer);
    ft_buf_putz(&b, ",\"pre_tokenizer\":");
    ft_buf_puts(&b, p->pre_tokenizer);
    ft_buf_putc(&b, '}');
    const char *text = ft_arena_dup(&c->mem, b.p, b.n);
    const int r = ft_json_parse(text, b.n, &c->mem, j, e) || tk_splitter_load(j, c->extend != NULL, &c->splitter, e) ? -1 : 0;
    ft_buf_release(&b);
    return r;
}

static int load_base(struct config *c, struct ft_err *e)
{
    if (tk_base_load(&c->base, c->extend, c->recipe.specials, c->recipe.n_specials, &c->learner, e))
        return -1;
    c->parts = c->base.parts;
    if (c->learner.n_tokens >= c->learn.vocab_size)
        ft_usage(c->tool, "option '--vocab-size': '%s' has %zu tokens%s already", c->extend, c->base.size,
                 c->base.n_new ? " without the new ones" : "");
    return 0;
}

/* ---- counting and learning ---- */

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    struct tk_texts t = {0};
    (void)out;
    if (tk_texts_of(r, c->names, c->n_names, &t, e))
        return -1;
    for (size_t i = 0; i < t.n; i++)
        if (tk_split(c->splitter, c->state[worker], t.v[i], !c->plain_specials, &c->tally[worker], e))
            return -1;
    return tk_tally_check(&c->tally[worker], e) ? -1 : 1;
}

/* Once a second, as the stream does it. */
static void show(void *ctx, uint64_t tokens)
{
    struct config *c = ctx;
    const time_t now = time(NULL);
    if (now == c->shown)
        return;
    c->shown = now;
    fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " tokens%s", c->tool->name, tokens, c->learn.vocab_size,
            isatty(STDERR_FILENO) ? "\033[K\r" : "\n");
}

static void base_tokens(struct config *c)
{
    const struct tk_recipe *r = &c->recipe;
    struct tk_learner *l = &c->learner;
    for (size_t i = 0; i < r->n_specials; i++)
        tk_learner_token(l, r->specials[i], (uint32_t)ft_utf8_count(r->specials[i].p, r->specials[i].n));
    if (r->type == TK_SENTENCEPIECE && r->byte_fallback)
        for (unsigned b = 0; b < 256; b++) {
            char s[8];
            snprintf(s, sizeof s, "<0x%02X>", b);
            tk_learner_token(l, ft_strz(s), 6);
        }
}

static int learn(struct config *c, int jobs, struct ft_err *e)
{
    struct tk_learner *l = &c->learner;
    struct tk_words *w = &c->words;
    unsigned kinds = 0;
    for (int i = 0; i < jobs; i++)
        kinds |= tk_split_kinds(c->state[i]);
    if (!w->n)
        return ft_fail(e, FT_DATA, w->dropped ? "none of the text's words fits '-S'" : "no text to learn from");
    if (kinds == 3)
        return ft_fail(e, FT_DATA, "%s: its pre-tokenizer maps only some words to bytes", c->extend);
    if (!c->extend)
        base_tokens(c);
    tk_alphabet_make(&c->alphabet, l, w, kinds == 2, !c->extend, c->limit, ft_strz(c->initial ? c->initial : ""));
    if (l->n_tokens > c->learn.vocab_size)
        return ft_fail(e, FT_DATA, "the text has %" PRIu64 " different characters, which makes %" PRIu32
                       " tokens, more than '--vocab-size'; '--limit-alphabet' leaves rare ones out", c->alphabet.kept, l->n_tokens);
    if (c->extend ? tk_base_words(&c->base, l, w, kinds == 2, e) : tk_alphabet_words(&c->alphabet, l, w, e))
        return -1;
    tk_words_release(w);
    tk_learner_run(l, &c->learn);
    return 0;
}

/* ---- the folder ---- */

enum { MAX_FILES = 4 };

/* The files beside tokenizer.json: of the recipe, or those of the extended one. */
static int beside(struct config *c, struct ft_buf *template, struct tk_file *files, struct ft_buf *text, size_t *n,
                  struct ft_err *e)
{
    static const char *const names[] = {"chat_template.jinja", "special_tokens_map.json", "tokenizer_config.json"};
    for (size_t i = 0; i < 3; i++) {
        struct ft_buf json = {0};
        if (i == 0 && c->template) {
            ft_buf_puts(&text[i], ft_buf_str(template));
        } else if (c->extend) {
            struct ft_buf path = {0};
            struct stat st;
            char *copy = ft_strdup(c->extend);
            const bool folder = stat(c->extend, &st) == 0 && S_ISDIR(st.st_mode);
            ft_buf_printf(&path, "%s/%s", folder ? c->extend : dirname(copy), names[i]);
            ft_buf_putc(&path, 0);
            free(copy);
            const bool there = stat(path.p, &st) == 0;
            const int r = there ? read_file(path.p, &text[i], e) : 0;
            ft_buf_release(&path);
            if (r)
                return -1;
            if (!there)
                continue;
        } else if (i > 0) {
            (i == 1 ? tk_recipe_map(&c->recipe, &json) : tk_recipe_config(&c->recipe, c->max_length, &json));
            tk_json_pretty(ft_buf_str(&json), &text[i]);
            ft_buf_putc(&text[i], '\n');
        } else {
            continue;
        }
        files[(*n)++] = (struct tk_file){names[i], ft_buf_str(&text[i])};
        ft_buf_release(&json);
    }
    return 0;
}

static int write_all(struct config *c, struct ft_buf *template, struct ft_err *e)
{
    struct ft_buf text[MAX_FILES] = {0};
    struct tk_file files[MAX_FILES];
    size_t n = 0;
    int r = beside(c, template, files, text, &n, e);
    if (!r) {
        tk_tokenizer_json(&c->parts, &c->learner, c->base.merges, c->base.n_merges, &text[3]);
        files[n++] = (struct tk_file){"tokenizer.json", ft_buf_str(&text[3])};
        r = tk_folder_write(c->dir, files, n, c->force, e);
    }
    for (int i = 0; i < MAX_FILES; i++)
        ft_buf_release(&text[i]);
    return r;
}

static void summary(const struct config *c)
{
    const struct tk_recipe *r = &c->recipe;
    const struct tk_learner *l = &c->learner;
    const struct tk_words *w = &c->words;
    const struct tk_alphabet *a = &c->alphabet;
    const char *name = c->tool->name;
    fprintf(stderr, "%s: %s: %" PRIu32 " tokens (", name, c->dir, l->n_tokens);
    if (c->extend) {
        const size_t chars = l->n_tokens - c->base.size - c->base.n_new - l->n_new;
        fprintf(stderr, "%zu before, ", c->base.size);
        if (c->base.n_new)
            fprintf(stderr, "%zu special, ", c->base.n_new);
        if (chars)
            fprintf(stderr, "%zu characters, ", chars);
    } else if (r->type == TK_SENTENCEPIECE) {
        fprintf(stderr, "%zu special, %s%" PRIu64 " characters, ", r->n_specials, r->byte_fallback ? "256 bytes, " : "", a->kept);
    } else {
        fprintf(stderr, "%zu special, 256 bytes, ", r->n_specials);
    }
    fprintf(stderr, "%zu merges) from %" PRIu64 " words, %" PRIu64 " of them different\n", l->n_merges, w->seen, w->distinct);
    if (a->kept < a->seen)
        fprintf(stderr, "%s: %" PRIu64 " rare characters (%" PRIu64 " occurrences) got no token of their own\n", name,
                a->seen - a->kept, a->lost);
}

/* What was not as asked for, -q or not. */
static void warnings(const struct config *c)
{
    const struct tk_learner *l = &c->learner;
    const struct tk_words *w = &c->words;
    if (w->dropped)
        ft_warn(c->tool, "%" PRIu64 " rare words (%.2g%% of the text's) were dropped to fit '-S'; those seen more than %" PRIu64
                " times are all there", w->dropped, 100 * (double)w->lost / (double)w->seen, w->rarest);
    if (l->n_tokens < c->learn.vocab_size)
        ft_warn(c->tool, "%" PRIu32 " tokens, not %" PRIu64 ": no pair is left that occurs %" PRIu64 " times", l->n_tokens,
                c->learn.vocab_size, c->learn.min_frequency ? c->learn.min_frequency : 1);
}

/* The same for --stats and the seal. */
static void note(const struct config *c, struct ft_stream *s)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "{\"tokens\":%" PRIu32 ",\"merges\":%zu,\"words\":%" PRIu64 ",\"distinct_words\":%" PRIu64
                  ",\"dropped_words\":%" PRIu64 ",\"dropped_occurrences\":%" PRIu64 ",\"dropped_characters\":%" PRIu64 "}",
                  c->learner.n_tokens, c->learner.n_merges, c->words.seen, c->words.distinct, c->words.dropped, c->words.lost,
                  c->alphabet.seen - c->alphabet.kept);
    ft_stream_note(s, "vocabulary", ft_buf_str(&b));
    ft_buf_release(&b);
}

static int run(struct config *c, const struct ft_stream_opts *so, char **files, char **argv)
{
    struct ft_err e = {0};
    struct ft_buf template = {0};
    tk_learner_init(&c->learner);
    if (c->extend ? load_base(c, &e) : (tk_recipe_parts(&c->recipe, &c->mem, &c->parts), 0))
        ft_die(c->tool, &e);
    if (load_splitter(c, &e) || tk_folder_check(c->dir, c->force, &e) || (c->template && read_file(c->template, &template, &e)))
        ft_die(c->tool, &e);
    struct ft_stream *s = ft_stream_open(c->tool, so, files, argv);
    const int jobs = ft_stream_jobs(s);
    c->state = ft_calloc((size_t)jobs, sizeof *c->state);
    c->tally = ft_calloc((size_t)jobs, sizeof *c->tally);
    for (int i = 0; i < jobs; i++) {
        c->state[i] = tk_split_state_new();
        c->tally[i].limit = c->size / 3 / (uint64_t)jobs + 1; /* the rest: to sort them, to merge them into one */
        c->tally[i].temp = c->temp;
    }
    const bool good = ft_stream_map(s, map, c, &e) == 0 && ft_stream_check(s, &e) == 0 &&
                      tk_tally_finish(c->tally, (size_t)jobs, c->size, &c->words, &e) == 0 && learn(c, jobs, &e) == 0 &&
                      write_all(c, &template, &e) == 0;
    if (good)
        note(c, s);
    const int status = ft_stream_close(s, &e);
    if (good && !status && !so->quiet)
        summary(c);
    if (good && !status)
        warnings(c);
    for (int i = 0; i < jobs; i++) {
        tk_split_state_free(c->state[i]);
        tk_tally_release(&c->tally[i]);
    }
    free(c->state);
    free(c->tally);
    free(c->alphabet.id);
    tk_words_release(&c->words);
    tk_learner_release(&c->learner);
    tk_splitter_free(c->splitter);
    tk_base_release(&c->base);
    ft_buf_release(&template);
    return status;
}

int main(int argc, char **argv)
{
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    struct config c = {.size = 4ull << 30, .learn = {.vocab_size = 32000, .min_frequency = 2}, .recipe = {.byte_fallback = true}};
    struct tk_recipe *const r = &c.recipe;
    bool *const fresh = &c.fresh;
    so.no_records_out = true;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'o', "output", FT_OPT_STR, &c.dir, "DIR", "the tokenizer's folder; it is made", NULL},
        {0, "force", FT_OPT_FLAG, &c.force, NULL, "write into a folder that exists", NULL},
        {0, "field", FT_OPT_LIST, &c.fields, "A,B", "members to learn from, instead of text, messages, prompt, ...", NULL},
        {0, "extend", FT_OPT_STR, &c.extend, "DIR", "keep that tokenizer's ids and merges and learn more", NULL},
        {0, "Vocabulary", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "type", FT_OPT_CHOICE, &r->type, "byte-level|sentencepiece", "BPE over bytes, or over characters, words beginning with U+2581", fresh},
        {0, "vocab-size", FT_OPT_SIZE, &c.learn.vocab_size, "N", "tokens in all", NULL},
        {0, "min-frequency", FT_OPT_SIZE, &c.learn.min_frequency, "N", "merge no pair that is rarer", NULL},
        {0, "max-token-length", FT_OPT_SIZE, &c.learn.max_token_length, "N", "merge to fewer than N characters (bytes)", NULL},
        {0, "limit-alphabet", FT_OPT_SIZE, &c.limit, "N", "sentencepiece: tokens for the N most frequent characters only (0: for all)", NULL},
        {0, "initial-alphabet", FT_OPT_STR, &c.initial, "CHARS", "sentencepiece: characters that get a token, seen or not", NULL},
        {0, "byte-fallback", FT_OPT_FLAG, &r->byte_fallback, NULL, "sentencepiece: byte tokens for other characters", &c.has_fallback},
        {'S', "buffer-size", FT_OPT_SIZE, &c.size, "SIZE", "memory for words; the rarest go when they need more", NULL},
        {'T', "temporary-directory", FT_OPT_STR, &c.temp, "DIR", "for counts that do not fit; else $TMPDIR or /tmp", NULL},
        {0, "Splitting", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "split", FT_OPT_CHOICE, &r->split, "qwen2|gpt2|cl100k|llama3|o200k", "byte-level: how text is cut into words", &c.has_split},
        {0, "split-regex", FT_OPT_STR, &r->regex, "REGEX", "byte-level: a pattern of one word instead", &c.has_regex},
        {0, "split-digits", FT_OPT_FLAG, &r->split_digits, NULL, "every digit is a word", fresh},
        {0, "prefix-space", FT_OPT_CHOICE, &r->prefix, "first|always|never", "sentencepiece: a space goes before the text", &c.has_prefix},
        {0, "normalizer", FT_OPT_CHOICE, &r->normalizer, "none|nfc|nfkc", "Unicode normal form of the text", fresh},
        {0, "Special tokens", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "special-tokens", FT_OPT_LIST, &c.specials, "A,B", "special tokens besides these", NULL},
        {0, "bos", FT_OPT_STR, &r->bos, "TOKEN", "begin of text (sentencepiece: <s>)", fresh},
        {0, "eos", FT_OPT_STR, &r->eos, "TOKEN", "end of text (<|endoftext|>; sentencepiece: </s>)", fresh},
        {0, "unk", FT_OPT_STR, &r->unk, "TOKEN", "unknown character (sentencepiece: <unk>)", fresh},
        {0, "pad", FT_OPT_STR, &r->pad, "TOKEN", "padding", fresh},
        {0, "add-bos", FT_OPT_FLAG, &r->add_bos, NULL, "encoding puts bos in front", fresh},
        {0, "add-eos", FT_OPT_FLAG, &r->add_eos, NULL, "encoding puts eos behind", fresh},
        {0, "plain-specials", FT_OPT_FLAG, &c.plain_specials, NULL, "learn from the text of special tokens too", NULL},
        {0, "chat-template", FT_OPT_STR, &c.template, "FILE", "goes into the folder", NULL},
        {0, "model-max-length", FT_OPT_SIZE, &c.max_length, "N", "for tokenizer_config.json", fresh},
        {0},
    };
    const struct ft_tool tool = {
        "train-tokenizer", "Learn a BPE vocabulary from text.", "-o DIR [options] [FILE...]", opts, ft_stream_options(&so),
        "Learns from text, else from what there is of messages, prompt, completion, chosen and\n"
        "rejected (strings, or the contents of messages; ShareGPT and Alpaca records too). Plain\n"
        "text is a record a line: line ends are learnt from JSON only. Writes tokenizer.json\n"
        "(as tokenizers 0.23 saves it), with tokenizer_config.json and special_tokens_map.json for\n"
        "transformers. The folder appears whole or not at all; with --force the files replace\n"
        "those of the same names, each whole.\n"
        "\n"
        "Ids: special tokens (unk, bos, eos, pad, then --special-tokens), byte tokens, characters\n"
        "by code point, merges in the order in which they were learnt. The next merge is the pair\n"
        "seen most often, of equals the one with the lowest ids: what the library's BpeTrainer\n"
        "does. The result is the same for any -j, any packing and any order of the records. A\n"
        "role with the empty string (--eos '') is none. The text of special tokens in the input\n"
        "is set aside, as encoding will do, unless --plain-specials is given.\n"
        "\n"
        "Splitting rules, by the models that made them known: qwen2 (each digit alone), cl100k =\n"
        "llama3 (up to three digits), o200k (and by case), gpt2. Merges never cross a split.\n"
        "\n"
        "Memory: words are counted in a third of -S; what does not fit goes to sorted runs on disk,\n"
        "so that all counts are exact. Then the words that can be learnt from in -S are kept, the\n"
        "most frequent first, and a warning says what was dropped.\n"
        "\n"
        "--extend: text is read as the tokens it is now, merges go on from there, and new ids\n"
        "follow the highest. Characters without a token get one (the --limit-alphabet most\n"
        "frequent ones). The files beside tokenizer.json are copied.\n"
        "\n"
        "Examples:\n"
        "  train-tokenizer corpus.jsonl.zst -o tok --vocab-size 8000 \\\n"
        "      --special-tokens '<|im_start|>,<|im_end|>' --pad '<|pad|>'\n"
        "  train-tokenizer --type sentencepiece --limit-alphabet 2000 *.txt -o tok\n"
        "  train-tokenizer korean.jsonl --extend base -o wider --vocab-size 40000"};
    char **files = ft_cli(&tool, argc, argv, NULL);
    c.tool = &tool;
    check_options(&c);
    if (so.progress) {
        c.learn.progress = show;
        c.learn.ctx = &c;
    }
    const int status = run(&c, &so, files, argv);
    ft_arena_release(&c.mem);
    return status;
}
