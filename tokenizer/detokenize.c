/* detokenize -- token ids to text. */
#include <stdlib.h>

#include "pipeline/stream.h"
#include "tokenizer/decode_stream.h"

enum unknown { DROP, ERROR };

struct config {
    const char *model, *split;
    bool skip_special, streaming;
    int unknown; /* enum unknown */
    struct ft_tokenizer *tok;
    struct ft_tok_state **state;
};

/* Ids of another vocabulary mean other words here: the first half of the fingerprint tells it. */
static int check_stamp(const struct config *c, struct ft_rec *r, struct ft_err *e)
{
    enum { HALF = 32 };
    const char *own = ft_tokenizer_fingerprint(c->tok);
    struct ft_stamp stamp;
    if (ft_rec_get_stamp(r, &stamp, e) < 0)
        return -1;
    if (stamp.tok.n >= HALF && memcmp(stamp.tok.p, own, HALF))
        return ft_fail(e, FT_DATA, "ids of vocabulary %.*s, this is %.*s", HALF, stamp.tok.p, HALF, own);
    return 0;
}

static int read_ids(const struct config *c, struct ft_rec *r, int32_t **ids, size_t *n, struct ft_err *e)
{
    int k = check_stamp(c, r, e);
    if (!k)
        k = ft_rec_ids(r, "output_ids", ids, n, e);
    if (k == 0)
        k = ft_rec_ids(r, "input_ids", ids, n, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, "input_ids", e);
    for (size_t i = 0; i < *n; i++) {
        if (ft_token_str(c->tok, (*ids)[i]).p)
            continue;
        if (c->unknown == ERROR)
            return ft_fail(e, FT_DATA, "id %d at %zu is no token", (*ids)[i], i);
        ft_rec_count(r, "unknown_ids", 1);
    }
    return 0;
}

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    int32_t *ids;
    size_t n;
    struct ft_buf text = {0};
    if (read_ids(c, r, &ids, &n, e))
        return -1;
    const int k = ft_decode(c->tok, c->state[worker], ids, n, c->skip_special, &text, e);
    if (!k) {
        ft_rec_set_string(r, "text", ft_buf_str(&text));
        ft_rec_write(r, out);
    }
    ft_buf_release(&text);
    return k ? -1 : 1;
}

/* All records are one text: each gives what its ids add to it. */
static void stream(const struct config *c, struct ft_stream *s, struct ft_err *e)
{
    struct ft_decode_stream d = {0};
    struct ft_buf text = {0};
    struct ft_rec *r;
    while (ft_stream_next(s, &r, e) > 0) {
        int32_t *ids;
        size_t n;
        text.n = 0;
        if (read_ids(c, r, &ids, &n, e) || ft_decode_step(&d, c->tok, c->state[0], ids, n, c->skip_special, &text, e)) {
            if (ft_stream_bad(s, r, e))
                break;
            continue;
        }
        ft_rec_set_string(r, "text", ft_buf_str(&text));
        if (ft_stream_write(s, r))
            break;
    }
    text.n = 0;
    if (!e->code && !ft_decode_finish(&d, c->tok, c->state[0], c->skip_special, &text, e) && text.n) {
        struct ft_buf line = {0};
        ft_buf_putz(&line, "{\"text\":");
        ft_json_put_str(&line, ft_buf_str(&text));
        ft_buf_putz(&line, "}\n");
        ft_stream_puts(s, ft_buf_str(&line), 1);
        ft_buf_release(&line);
    }
    ft_buf_release(&text);
    ft_decode_stream_release(&d);
}

int main(int argc, char **argv)
{
    struct config c = {0};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR|FILE", "tokenizer.json, a .model or .tiktoken file, or the folder that has it; also org/name in the hub cache", NULL},
        {0, "split", FT_OPT_STR, &c.split, "NAME|REGEX", "how a .tiktoken vocabulary splits text (cl100k, ...)", NULL},
        {0, "skip-special-tokens", FT_OPT_FLAG, &c.skip_special, NULL, "leave special tokens out", NULL},
        {0, "stream", FT_OPT_FLAG, &c.streaming, NULL, "all records are one text; each gives what it adds, in whole characters", NULL},
        {0, "unknown-ids", FT_OPT_CHOICE, &c.unknown, "drop|error", "ids that are no token", NULL},
        {0},
    };
    const struct ft_tool tool = {"detokenize", "Turn token ids into text.", "-m DIR|FILE [options] [FILE...]",
                                 opts, ft_stream_options(&so),
                                 "Reads output_ids where present, else input_ids, and sets text. With --stream a character\n"
                                 "that is not complete is held back; what is left at the end comes as one more record."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_err e = {0};
    if (!c.model)
        ft_usage(&tool, "no tokenizer: give '--model DIR'");
    if (ft_tokenizer_load_as(c.model, c.split, &c.tok, &e))
        ft_die(&tool, &e);
    struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
    const int jobs = ft_stream_jobs(s);
    c.state = ft_calloc((size_t)jobs, sizeof *c.state);
    for (int i = 0; i < jobs; i++)
        c.state[i] = ft_tok_state_new(c.tok);
    if (c.streaming)
        stream(&c, s, &e);
    else
        ft_stream_map(s, map, &c, &e);
    const int status = ft_stream_close(s, &e);
    for (int i = 0; i < jobs; i++)
        ft_tok_state_free(c.state[i]);
    free(c.state);
    ft_tokenizer_free(c.tok);
    return status;
}
