/* ft-generate -- continue token sequences with a model. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipeline/stream.h"
#include "tokenizer/tokenizer.h"
#include "trainer/base.h"
#include "trainer/generate.h"

/* A record that waits for its group. */
struct waiting {
    struct ft_arena mem;
    struct ft_rec rec;
    int32_t *out;
};

struct state {
    const struct ft_tool *tool;
    struct ft_stream *stream;
    struct ft_base base;
    struct ft_model *model;
    struct ft_tokenizer *tok; /* loaded when a record or a missing stop id asks for it */
    struct ft_generation g;
    struct waiting wait[FT_THIN];
    struct ft_sequence seq[FT_THIN];
    size_t n;
    bool warned;
};

/* The model's tokenizer into s->tok, which stays NULL for a folder without one. */
static int tokenizer(struct state *s, struct ft_err *e)
{
    struct ft_buf path = {0};

    ft_buf_printf(&path, "%s/tokenizer.json", s->base.dir);
    ft_buf_putc(&path, 0);
    const bool there = !access(path.p, F_OK);
    ft_buf_release(&path);
    return s->tok || !there ? 0 : ft_tokenizer_load(s->base.dir, &s->tok, e);
}

/* Ids made by another tokenizer mean other words here. */
static int check_stamp(struct state *s, struct ft_rec *r, struct ft_err *e)
{
    struct ft_stamp stamp;

    if (ft_rec_get_stamp(r, &stamp, e) < 0 || (stamp.tok.n && tokenizer(s, e)))
        return -1;
    if (stamp.tok.n && s->tok && !ft_str_is(stamp.tok, ft_tokenizer_fingerprint(s->tok)))
        return ft_fail(e, FT_DATA, "ids of tokenizer %.*s, the model's is %s", (int)stamp.tok.n, stamp.tok.p,
                       ft_tokenizer_fingerprint(s->tok));
    return 0;
}

/* Takes a copy of the record into the group. */
static int add(struct state *s, const struct ft_rec *in, struct ft_err *e)
{
    struct waiting *w = &s->wait[s->n];
    struct ft_sequence *q = &s->seq[s->n];
    const int64_t vocab = ft_model_config(s->model)->vocab, most = ft_model_config(s->model)->max_positions;
    int32_t *ids;
    size_t n;

    ft_arena_reset(&w->mem);
    w->rec = (struct ft_rec){.line = {ft_arena_dup(&w->mem, in->line.p, in->line.n), in->line.n}, .file = in->file,
                             .lineno = in->lineno, .seq = in->seq, .mem = &w->mem};
    if (ft_rec_parse(&w->rec, e) || ft_stream_rename(s->stream, &w->rec, e) || check_stamp(s, &w->rec, e))
        return -1;
    const int k = ft_rec_ids(&w->rec, "input_ids", &ids, &n, e);
    if (k <= 0)
        return k < 0 ? -1 : ft_rec_missing(&w->rec, "input_ids", e);
    if (!n)
        return ft_fail(e, FT_DATA, "no token to continue");
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= vocab)
            return ft_fail(e, FT_DATA, "input_ids[%zu]: %" PRId32 " is not below the model's vocabulary of %" PRId64, i,
                           ids[i], vocab);
    if (n > (size_t)most)
        return ft_fail(e, FT_DATA, "%zu tokens are more than the model's %" PRId64 " positions", n, most);
    if (n + s->g.max_new > (size_t)most && !s->warned) {
        ft_warn(s->tool, "%s:%" PRIu64 ": may go on past the model's %" PRId64 " positions", in->file, in->lineno, most);
        s->warned = true;
    }
    w->out = FT_NEWS(&w->mem, int32_t, s->g.max_new ? s->g.max_new : 1);
    *q = (struct ft_sequence){.prompt = ids, .n_prompt = n, .record = in->seq, .out = w->out};
    s->n++;
    return 0;
}

static int run_group(struct state *s, struct ft_err *e)
{
    if (s->n && ft_generate(s->model, &s->g, s->seq, s->n, e))
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        struct ft_rec *r = &s->wait[i].rec;
        ft_rec_set_ids(r, "output_ids", s->seq[i].out, s->seq[i].n_out);
        ft_rec_count(r, s->seq[i].stopped ? "stopped" : "length", 1);
        ft_rec_count(r, "new_tokens", s->seq[i].n_out);
        if (ft_stream_write(s->stream, r))
            return -1;
    }
    s->n = 0;
    return 0;
}

/* A group is what can be had without waiting, so that a co-process gets its
 * answer before it sends the next question. */
static int work(struct state *s, size_t batch, struct ft_err *e)
{
    struct ft_rec *r;
    int k;

    for (;;) {
        if (s->n && (s->n == batch || !ft_stream_ready(s->stream)) && run_group(s, e))
            return -1;
        k = ft_stream_next(s->stream, &r, e);
        if (k <= 0)
            break;
        if (add(s, r, e) && (e->code != FT_DATA || ft_stream_bad(s->stream, r, e)))
            return -1;
    }
    return k < 0 ? -1 : run_group(s, e);
}

int main(int argc, char **argv)
{
    const char *model = NULL, *adapter = NULL;
    int64_t max_new = 256, batch = FT_THIN;
    struct ft_list stop_ids = {0};
    bool given_stop = false, ignore_stop = false;
    struct state s = {.g.sampling = {.top_p = 1}};
    struct ft_stream_opts so = FT_STREAM_DEFAULTS;
    struct ft_sampling *p = &s.g.sampling;
    so.jobs = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &model, "BASE", "model folder, or org/name in the hub cache", NULL},
        {0, "adapter", FT_OPT_STR, &adapter, "DIR", "PEFT adapter on it", NULL},
        {0, "max-new-tokens", FT_OPT_INT, &max_new, "N", "tokens to add at most", NULL},
        {0, "temperature", FT_OPT_REAL, &p->temperature, "T", "0: always the most likely token", NULL},
        {0, "top-k", FT_OPT_INT, &p->top_k, "K", "draw among the K most likely; 0: all", NULL},
        {0, "top-p", FT_OPT_REAL, &p->top_p, "P", "draw among the fewest that reach probability P", NULL},
        {0, "seed", FT_OPT_SIZE, &p->seed, "N", "of the draws, which depend on it, the record's number and the step", NULL},
        {0, "stop-id", FT_OPT_LIST, &stop_ids, "ID", "end at this token instead of the model's end tokens", &given_stop},
        {0, "ignore-stop", FT_OPT_FLAG, &ignore_stop, NULL, "never end before --max-new-tokens", NULL},
        {0, "batch", FT_OPT_INT, &batch, "N", "records to continue together, 1 to 16", NULL},
        {0},
    };
    const struct ft_tool tool = {"ft-generate", "Continue token sequences with a model.", "-m BASE [options] [FILE...]", opts,
                                 ft_stream_options(&so),
                                 "Reads input_ids and adds output_ids: the new tokens, the end token included. The end tokens are those of the model's\n"
                                 "generation config and of the adapter's, which ft-train writes."};
    char **files = ft_cli(&tool, argc, argv, NULL);
    struct ft_backend backend = {0};
    struct ft_err e = {0};
    int slot;

    s.tool = &tool;
    if (!model)
        ft_usage(&tool, "no model: give '--model BASE'");
    if (max_new < 0 || max_new > 1 << 24)
        ft_usage(&tool, "option '--max-new-tokens' wants 0 to %d, not %" PRId64, 1 << 24, max_new);
    if (batch < 1 || batch > FT_THIN)
        ft_usage(&tool, "option '--batch' wants 1 to %d, not %" PRId64, FT_THIN, batch);
    if (!(p->temperature >= 0) || p->top_k < 0 || !(p->top_p > 0 && p->top_p <= 1))
        ft_usage(&tool, "--temperature and --top-k cannot be below 0, --top-p is above 0 and at most 1");
    s.g.max_new = (size_t)max_new;
    if (ft_base_open(&s.base, model, &e) || ft_backend_open(&backend, so.jobs, &e) ||
        ft_base_model(&s.base, &backend, adapter, false, &s.model, &slot, &e))
        ft_die(&tool, &e);

    const struct ft_config *c = ft_model_config(s.model);
    int32_t *stop = ft_calloc(stop_ids.n + 17, sizeof *stop);
    s.g.stop = stop;
    for (size_t i = 0; i < stop_ids.n; i++) {
        uint64_t id;
        if (ft_parse_size(stop_ids.v[i], &id) || id >= (uint64_t)c->vocab)
            ft_usage(&tool, "option '--stop-id' wants a token id, not '%s'", stop_ids.v[i]);
        stop[s.g.n_stop++] = (int32_t)id;
    }
    for (int i = 0; !given_stop && !ignore_stop && i < c->n_eos; i++)
        stop[s.g.n_stop++] = c->eos[i];
    if (!s.g.n_stop && !ignore_stop) { /* transformers takes it from nowhere else; a chat without an end helps nobody */
        if (tokenizer(&s, &e))
            ft_die(&tool, &e);
        if (s.tok && ft_tokenizer_specials(s.tok).eos >= 0)
            stop[s.g.n_stop++] = (int32_t)ft_tokenizer_specials(s.tok).eos;
    }
    if (ignore_stop)
        s.g.n_stop = 0;

    s.stream = ft_stream_open(&tool, &so, files, argv);
    work(&s, (size_t)batch, &e);
    const int status = ft_stream_close(s.stream, &e);
    for (int i = 0; i < FT_THIN; i++)
        ft_arena_release(&s.wait[i].mem);
    free(stop);
    ft_tokenizer_free(s.tok);
    ft_model_free(s.model);
    ft_base_close(&s.base);
    ft_backend_close(&backend);
    return status;
}
