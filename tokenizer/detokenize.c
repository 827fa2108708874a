/* detokenize -- token ids to text. */
#include <stdlib.h>

#include "pipeline/stream.h"
#include "tokenizer/tokenizer.h"

struct config {
    const char *model, *split;
    bool skip_special;
    struct ft_tokenizer *tok;
    struct ft_tok_state **state;
};

static int map(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    struct config *c = ctx;
    int32_t *ids;
    size_t n;
    int k = ft_rec_ids(r, "output_ids", &ids, &n, e);
    if (k == 0)
        k = ft_rec_ids(r, "input_ids", &ids, &n, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(r, "input_ids", e);
    for (size_t i = 0; i < n; i++)
        if (!ft_token_str(c->tok, ids[i]).p)
            ft_rec_count(r, "unknown_ids", 1);
    struct ft_buf text = {0};
    if (ft_decode(c->tok, c->state[worker], ids, n, c->skip_special, &text, e)) {
        ft_buf_release(&text);
        return -1;
    }
    ft_rec_set_string(r, "text", ft_buf_str(&text));
    ft_buf_release(&text);
    ft_rec_write(r, out);
    return 1;
}

int main(int argc, char **argv)
{
    struct config c = {0};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &c.model, "DIR|FILE", "tokenizer.json, a .model or .tiktoken file, or the folder that has it", NULL},
        {0, "split", FT_OPT_STR, &c.split, "NAME|REGEX", "how a .tiktoken vocabulary splits text (cl100k, ...)", NULL},
        {0, "skip-special-tokens", FT_OPT_FLAG, &c.skip_special, NULL, "leave special tokens out", NULL},
        {0},
    };
    const struct ft_tool tool = {"detokenize", "Turn token ids into text.", "-m DIR|FILE [options] [FILE...]",
                                 opts, ft_stream_options(&so),
                                 "Reads output_ids where present, else input_ids, and sets text."};
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
    ft_stream_map(s, map, &c, &e);
    const int status = ft_stream_close(s, &e);
    for (int i = 0; i < jobs; i++)
        ft_tok_state_free(c.state[i]);
    free(c.state);
    ft_tokenizer_free(c.tok);
    return status;
}
