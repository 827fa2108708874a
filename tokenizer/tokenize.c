/* tokenize -- text to token ids, spans and all. */
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/frame.h"
#include "pipeline/stream.h"
#include "tokenizer/tokenize.h"
#include "tokenizer/verify.h"

/* Does the post-processor put something behind a text? */
static bool ends_text(const struct ft_tz *c)
{
    struct ft_tok_state *st = ft_tok_state_new(c->tok);
    const struct ft_encode_opts o = {.special = true};
    struct ft_encoding x;
    struct ft_err e = {0};
    const bool ends = !ft_encode(c->tok, st, FT_STR("a"), &o, &x, &e) && x.n_suffix;
    ft_tok_state_free(st);
    return ends;
}

static int info(const struct ft_tool *tool, const struct ft_tz *c)
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

static int verify(const struct ft_tool *tool, const struct ft_tz *c)
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
    struct ft_tz c = {.offsets = FT_TZ_OFFSETS_NONE};
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
    if (c.eos == FT_TZ_YES && c.ids.eos < 0)
        ft_usage(&tool, "'%s' names no end-of-text token to append", c.model);
    c.endless = c.ids.eos < 0 && !(c.special != FT_TZ_NO && ends_text(&c));
    so.framed_out = c.binary;
    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    if (c.binary) {
        char start[FT_FRAMES_START_SIZE];
        c.width = ft_frames_width(ft_tokenizer_size(c.tok));
        ft_frames_start(c.width, start);
        ft_stream_puts(s, (struct ft_str){start, sizeof start}, 0);
    }
    const int jobs = ft_stream_jobs(s);
    c.state = ft_calloc((size_t)jobs, sizeof *c.state);
    for (int i = 0; i < jobs; i++)
        c.state[i] = ft_tok_state_new(c.tok);
    struct ft_buf note = {0};
    ft_json_put_strz(&note, ft_tokenizer_fingerprint(c.tok));
    ft_stream_note(s, "tok", ft_buf_str(&note));
    ft_stream_map(s, ft_tz_map, &c, &e);
    const int status = ft_stream_close(s, &e);
    for (int i = 0; i < jobs; i++)
        ft_tok_state_free(c.state[i]);
    free(c.state);
    free(c.read);
    ft_buf_release(&note);
    ft_tokenizer_free(c.tok);
    return status;
}
