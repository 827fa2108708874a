/* ft-train -- shards in, an adapter or a model out. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tokenizer/tokenizer.h"
#include "trainer/loop.h"
#include "trainer/output.h"
#include "trainer/rundir.h"
#include "trainer/save.h"

struct options {
    const char *base, *data, *out, *init, *adapter, *eval_data, *config;
    bool resume, force, quiet, allow_overlap;
    uint64_t threads;
    double held; /* share for evaluation */
    /* LoRA */
    int64_t r;
    double alpha, dropout;
    bool rslora;
    struct ft_list targets, exclude, ranks, alphas;
    bool r_given, alpha_given, dropout_given, rslora_given, targets_given, exclude_given, ranks_given, alphas_given;
    bool held_given;
};

static volatile int stop_signal;
static void on_signal(int s) { stop_signal = s; }

/* ---- LoRA options ---- */

/* "a,b" and repeated options as one list. */
static struct ft_list split(const struct ft_list *in, struct ft_arena *a)
{
    struct ft_list out = {0};
    for (size_t i = 0; i < in->n; i++)
        for (const char *p = in->v[i]; *p;) {
            const size_t n = strcspn(p, ",");
            out.v = ft_reallocs(out.v, out.n + 1, sizeof *out.v);
            if (n)
                out.v[out.n++] = ft_arena_dup(a, p, n);
            p += n + (p[n] == ',');
        }
    return out;
}

static const struct ft_pattern *patterns(const struct ft_tool *tool, const char *option, const struct ft_list *in, size_t *n,
                                         struct ft_arena *a)
{
    const struct ft_list items = split(in, a);
    struct ft_pattern *p = FT_NEWS(a, struct ft_pattern, items.n + 1);
    for (size_t i = 0; i < items.n; i++) {
        const char *eq = strrchr(items.v[i], '=');
        if (!eq || eq == items.v[i] || ft_parse_real(eq + 1, &p[i].value))
            ft_usage(tool, "option '--%s' wants MODULE=NUMBER, not '%s'", option, items.v[i]);
        p[i].key = ft_arena_dup(a, items.v[i], (size_t)(eq - items.v[i]));
    }
    *n = items.n;
    return p;
}

static bool wants_lora(const struct options *o)
{
    return o->adapter || o->r_given || o->alpha_given || o->dropout_given || o->rslora_given || o->targets_given ||
           o->exclude_given || o->ranks_given || o->alphas_given;
}

static int lora_config(const struct ft_tool *tool, const struct options *o, struct ft_lora_config *c, struct ft_arena *a,
                       struct ft_err *e)
{
    *c = (struct ft_lora_config)FT_LORA_DEFAULTS;
    if (o->adapter) {
        if (o->r_given || o->alpha_given || o->rslora_given || o->targets_given || o->exclude_given || o->ranks_given || o->alphas_given)
            ft_usage(tool, "'--adapter' brings its own rank, scale and target modules");
        if (ft_adapter_config_load(o->adapter, a, c, NULL, e))
            return -1;
        if (o->dropout_given)
            c->dropout = o->dropout;
        return 0;
    }
    c->r = o->r;
    c->alpha = o->alpha;
    c->dropout = o->dropout;
    c->rslora = o->rslora;
    c->targets = split(&o->targets, a);
    c->exclude = split(&o->exclude, a);
    if (!c->targets.n) {
        c->targets.v = ft_reallocs(NULL, 1, sizeof *c->targets.v);
        c->targets.v[c->targets.n++] = "all-linear";
    }
    for (size_t i = 0; i < c->targets.n; i++)
        if (strstr(c->targets.v[i], "lm_head") || strstr(c->targets.v[i], "embed_tokens"))
            return ft_fail(e, FT_USAGE, "an adapter on '%s' is not supported", c->targets.v[i]);
    if (c->targets.n == 1 && strpbrk(c->targets.v[0], "*+?[](){}|^$\\")) {
        c->targets_regex = c->targets.v[0];
        c->targets.n = 0;
    }
    c->rank_pattern = patterns(tool, "rank-pattern", &o->ranks, &c->n_rank_pattern, a);
    c->alpha_pattern = patterns(tool, "alpha-pattern", &o->alphas, &c->n_alpha_pattern, a);
    return 0;
}

static void put_words(struct ft_buf *b, const char *name, const struct ft_list *l)
{
    ft_buf_printf(b, ", \"%s\": [", name);
    for (size_t i = 0; i < l->n; i++) {
        ft_buf_putz(b, i ? "," : "");
        ft_json_put_strz(b, l->v[i]);
    }
    ft_buf_putc(b, ']');
}

static void put_numbers(struct ft_buf *b, const char *name, const struct ft_pattern *p, size_t n)
{
    ft_buf_printf(b, ", \"%s\": {", name);
    for (size_t i = 0; i < n; i++) {
        ft_buf_putz(b, i ? "," : "");
        ft_json_put_strz(b, p[i].key);
        ft_buf_putc(b, ':');
        ft_json_put_real(b, p[i].value);
    }
    ft_buf_putc(b, '}');
}

static void put_lora(struct ft_buf *b, const struct ft_lora_config *c)
{
    ft_buf_printf(b, "{\"r\": %" PRId64 ", \"alpha\": ", c->r);
    ft_json_put_real(b, c->alpha);
    ft_buf_putz(b, ", \"dropout\": ");
    ft_json_put_real(b, c->dropout);
    ft_buf_printf(b, ", \"rslora\": %s", c->rslora ? "true" : "false");
    put_words(b, "targets", &c->targets);
    put_words(b, "exclude", &c->exclude);
    if (c->targets_regex) {
        ft_buf_putz(b, ", \"regex\": ");
        ft_json_put_strz(b, c->targets_regex);
    }
    put_numbers(b, "rank_pattern", c->rank_pattern, c->n_rank_pattern);
    put_numbers(b, "alpha_pattern", c->alpha_pattern, c->n_alpha_pattern);
    ft_buf_putc(b, '}');
}

/* ---- the model ---- */

struct trainee {
    struct ft_base base;       /* weights NULL with --init */
    char *tokenizer;           /* folder of the tokenizer, or NULL */
    const char *name;
    struct ft_hf_change changes[4];
    size_t n_changes;
    struct ft_lora_config lora;
    bool has_lora;
    struct ft_backend backend;
    struct ft_model *model;
    int slot;
};

/* --init: sizes from the file, the vocabulary and its special tokens from the
 * tokenizer where the file does not say. */
static int open_init(const struct ft_tool *tool, const struct options *o, struct trainee *t, struct ft_err *e)
{
    struct ft_config *c = &t->base.config;
    struct ft_tokenizer *tok = NULL;
    if (ft_hf_config_file(o->init, &t->base.mem, c, &t->base.tree, e))
        return -1;
    if (o->base && ft_hf_folder(o->base, &t->tokenizer, e))
        return -1;
    t->name = o->init;
    if (!t->tokenizer) {
        ft_warn(tool, "no '-m': the vocabulary is not checked, and no tokenizer comes along");
        return 0;
    }
    if (ft_tokenizer_load(t->tokenizer, &tok, e))
        return -1;
    const struct ft_tok_specials s = ft_tokenizer_specials(tok);
    const int64_t size = (int64_t)ft_tokenizer_size(tok);
    char text[32];
    ft_tokenizer_free(tok);
    if (!ft_json_get(&t->base.tree, "vocab_size")) {
        c->vocab = size;
        snprintf(text, sizeof text, "%" PRId64, size);
        t->changes[t->n_changes++] = (struct ft_hf_change){"vocab_size", ft_strz(ft_arena_dup(&t->base.mem, text, strlen(text)))};
    }
    if (!ft_json_get(&t->base.tree, "bos_token_id")) {
        c->bos = (int32_t)s.bos;
        snprintf(text, sizeof text, s.bos < 0 ? "null" : "%" PRId64, s.bos);
        t->changes[t->n_changes++] = (struct ft_hf_change){"bos_token_id", ft_strz(ft_arena_dup(&t->base.mem, text, strlen(text)))};
    }
    if (!ft_json_get(&t->base.tree, "eos_token_id")) {
        c->n_eos = s.eos >= 0;
        c->eos[0] = (int32_t)s.eos;
        snprintf(text, sizeof text, s.eos < 0 ? "null" : "%" PRId64, s.eos);
        t->changes[t->n_changes++] = (struct ft_hf_change){"eos_token_id", ft_strz(ft_arena_dup(&t->base.mem, text, strlen(text)))};
    }
    if (!ft_json_get(&t->base.tree, "architectures")) {
        static const char *const classes[][2] = {
            {"llama", "[\"LlamaForCausalLM\"]"}, {"mistral", "[\"MistralForCausalLM\"]"}, {"qwen2", "[\"Qwen2ForCausalLM\"]"},
            {"qwen3", "[\"Qwen3ForCausalLM\"]"},
        };
        for (size_t i = 0; i < 4; i++)
            if (!strcmp(classes[i][0], c->family))
                t->changes[t->n_changes++] = (struct ft_hf_change){"architectures", ft_strz(classes[i][1])};
    }
    if (size > c->vocab)
        return ft_fail(e, FT_DATA, "%s: vocab_size is %" PRId64 ", and the tokenizer of '%s' has %" PRId64 " ids", o->init, c->vocab,
                       o->base, size);
    return 0;
}

static int open_base(const struct ft_tool *tool, const struct options *o, struct trainee *t, struct ft_err *e)
{
    if (ft_base_open(&t->base, o->base, e))
        return -1;
    t->tokenizer = ft_strdup(t->base.dir);
    t->name = t->base.name;
    if (t->base.untied) {
        ft_warn(tool, "'%s' stores two tables although its config ties them: they stay two", o->base);
        t->changes[t->n_changes++] = (struct ft_hf_change){"tie_word_embeddings", FT_STR("false")};
    }
    return 0;
}

/* The shards' vocabulary against the model's. */
static int check_vocabulary(const struct ft_tool *tool, const char *model, const char *dir, const struct ft_set_info *info,
                            struct ft_err *e)
{
    struct ft_tokenizer *tok = NULL;
    struct ft_err note = {0};
    ft_tokenizer_load(model, &tok, NULL);
    const int r = ft_rows_vocabulary(info, dir, tok ? ft_tokenizer_fingerprint(tok) : "", model, &note, e);
    if (!r && note.msg[0])
        ft_warn(tool, "%s", note.msg);
    ft_tokenizer_free(tok);
    return r;
}

/* The parameters as they are before step 0. */
static int make_model(struct trainee *t, const struct options *o, uint64_t seed, struct ft_err *e)
{
    t->slot = -1;
    if (ft_model_new(&t->backend, &t->base.config, &t->model, e))
        return -1;
    if (t->has_lora) {
        if (ft_model_add_lora(t->model, &t->lora, &t->slot, e))
            return -1;
    } else {
        ft_model_train_base(t->model);
    }
    ft_model_set_seed(t->model, seed);
    if (t->base.weights ? ft_weights_load(t->model, t->base.weights, false, e) : (ft_model_init(t->model, seed), 0))
        return -1;
    if (t->has_lora && o->adapter)
        return ft_adapter_load(t->model, t->slot, o->adapter, e);
    if (t->has_lora)
        ft_model_init_lora(t->model, t->slot, seed);
    return 0;
}

/* The same at a checkpoint. */
static int load_checkpoint(struct trainee *t, const char *dir, struct ft_err *e)
{
    struct ft_st *s;
    if (t->has_lora)
        return ft_adapter_load(t->model, t->slot, dir, e);
    if (ft_st_open_folder(dir, "model", &s, e))
        return -1;
    const int r = ft_weights_load(t->model, s, true, e);
    ft_st_close(s);
    return r;
}

static void count_parameters(struct ft_model *m, int64_t *all, int64_t *trainable)
{
    *all = *trainable = 0;
    for (int i = 0; i < ft_model_params(m); i++) {
        const struct ft_param *p = ft_model_param(m, i);
        *all += ft_param_count(p);
        *trainable += p->trainable ? ft_param_count(p) : 0;
    }
}

/* ---- data ---- */

struct data {
    struct ft_set *set, *eval_set;
    struct ft_rows train, eval;
    bool has_eval;
};

static int open_data(const struct ft_tool *tool, const struct options *o, const struct trainee *t, struct data *d,
                     struct ft_err *e)
{
    const struct ft_config *c = &t->base.config;
    if (ft_set_open(o->data, &d->set, e) || (t->tokenizer && check_vocabulary(tool, t->tokenizer, o->data, ft_set_info(d->set), e)))
        return -1;
    const bool hold = !o->eval_data && o->held > 0;
    if (ft_rows_init(&d->train, d->set, o->data, hold ? FT_ROWS_TRAIN : FT_ROWS_ALL, o->held, c, e))
        return -1;
    if (hold) {
        if (ft_rows_init(&d->eval, d->set, o->data, FT_ROWS_HELD, o->held, c, e))
            return -1;
        d->has_eval = d->eval.targets > 0;
        if (!d->has_eval)
            ft_warn(tool, "none of %" PRIu64 " documents falls into the %g %% held out: no evaluation", ft_set_info(d->set)->docs,
                    100 * o->held);
    }
    if (o->eval_data) {
        if (ft_set_open(o->eval_data, &d->eval_set, e) || (t->tokenizer && check_vocabulary(tool, t->tokenizer, o->eval_data, ft_set_info(d->eval_set), e)))
            return -1;
        if (ft_rows_init(&d->eval, d->eval_set, o->eval_data, FT_ROWS_ALL, 0, c, e))
            return -1;
        d->has_eval = true;
        if (!d->eval.targets)
            return ft_fail(e, FT_DATA, "%s: no token is learnt", o->eval_data);
        if (!o->allow_overlap && ft_rows_disjoint(&d->train, &d->eval, e))
            return ft_fail_in(e, "%s and %s overlap ('--allow-overlap' takes it): ", o->data, o->eval_data);
    }
    if (!d->train.targets)
        return ft_fail(e, FT_DATA, "%s: no token is learnt", o->data);
    const uint32_t longest = d->has_eval && d->eval.max_piece > d->train.max_piece ? d->eval.max_piece : d->train.max_piece;
    if (longest > c->max_positions)
        return ft_fail(e, FT_DATA, "%s: a document of %" PRIu32 " tokens in a row, and the model has %" PRId64 " positions ('ft-shard repack')",
                       o->data, longest, c->max_positions);
    if (d->train.sft_docs && c->n_eos && !d->train.stop_docs)
        ft_warn(tool, "none of %" PRIu64 " answers ends in a learnt stop token (%" PRId32 "): the model would not learn to stop",
                d->train.sft_docs, c->eos[0]);
    return 0;
}

static void close_data(struct data *d)
{
    ft_rows_release(&d->train);
    ft_rows_release(&d->eval);
    ft_set_close(d->set);
    ft_set_close(d->eval_set);
}

/* ---- what the run is ---- */

static void put_digest(struct ft_buf *b, struct ft_digest d)
{
    char hex[33];
    ft_digest_hex(d, hex);
    ft_buf_printf(b, "\"%s\"", hex);
}

/* Everything that decides the result, as one JSON object. */
static int put_recipe(struct ft_buf *b, const char *objective, const struct options *o, const struct trainee *t, const struct data *d,
                      const struct ft_recipe *r, struct ft_err *e)
{
    struct ft_digest digest;
    uint64_t size;
    ft_buf_printf(b, "{\"objective\": \"%s\", \"data\": ", objective);
    ft_json_put_str(b, ft_set_info(d->set)->checksum);
    ft_buf_putz(b, ", \"eval_data\": ");
    if (d->eval_set)
        ft_json_put_str(b, ft_set_info(d->eval_set)->checksum);
    else
        ft_buf_putz(b, "null");
    ft_buf_putz(b, ", \"held_out\": ");
    ft_json_put_real(b, o->eval_data ? 0 : o->held);
    ft_buf_putz(b, t->base.weights ? ", \"base\": " : ", \"init\": ");
    if (t->base.weights)
        put_digest(b, ft_weights_digest(t->base.weights));
    else
        put_digest(b, ft_hash128(t->base.tree.raw.p, t->base.tree.raw.n));
    ft_buf_putz(b, ", \"adapter\": ");
    if (o->adapter) {
        char *path = ft_path(o->adapter, "adapter_model.safetensors");
        const int bad = ft_save_digest(path, &digest, &size, e);
        free(path);
        if (bad)
            return -1;
        put_digest(b, digest);
    } else {
        ft_buf_putz(b, "null");
    }
    ft_buf_putz(b, ", \"lora\": ");
    if (t->has_lora)
        put_lora(b, &t->lora);
    else
        ft_buf_putz(b, "null");
    ft_buf_putz(b, ", ");
    ft_recipe_put(r, b);
    ft_buf_putc(b, '}');
    return 0;
}

static void put_rows(struct ft_buf *b, const char *name, const char *dir, struct ft_str checksum, const struct ft_rows *r)
{
    ft_buf_printf(b, ",\n  \"%s\": {\"dir\": ", name);
    ft_json_put_strz(b, dir);
    ft_buf_printf(b, ", \"checksum\": \"%.*s\", \"rows\": %" PRIu64 ", \"documents\": %" PRIu64 ", \"tokens\": %" PRIu64
                     ", \"targets\": %" PRIu64 "}", (int)checksum.n, checksum.p, r->n, r->docs, r->tokens, r->targets);
}

static int write_run(struct ft_str options, const char *objective, const struct options *o, const struct trainee *t,
                     const struct data *d, const struct ft_recipe *r, const struct ft_identity *id, const struct ft_progress *p,
                     struct ft_err *e)
{
    struct ft_buf b = {0};
    int64_t all, trainable;
    count_parameters(t->model, &all, &trainable);
    ft_buf_printf(&b, "{\n  \"format\": \"tuneutils-run\",\n  \"version\": 1,\n  \"tool\": \"ft-train " FT_VERSION "\",\n  \"objective\": \"%s\"",
                  objective);
    ft_buf_printf(&b, ",\n  \"state\": \"%s\"", !p ? "begun" : p->stopped ? "stopped early" : "finished");
    ft_buf_putz(&b, ",\n  \"options\": ");
    ft_buf_puts(&b, options);
    ft_buf_putz(&b, ",\n  \"resolved\": {");
    ft_buf_puts(&b, ft_buf_str(&r->resolved));
    ft_buf_putz(&b, "\n  },\n  \"recipe\": ");
    ft_buf_puts(&b, id->recipe);
    ft_buf_printf(&b, ",\n  \"model\": {\"base\": ");
    ft_json_put_strz(&b, t->name);
    ft_buf_printf(&b, ", \"parameters\": %" PRId64 ", \"trainable\": %" PRId64 "}", all, trainable);
    put_rows(&b, "train", o->data, ft_set_info(d->set)->checksum, &d->train);
    if (d->has_eval)
        put_rows(&b, "eval", o->eval_data ? o->eval_data : o->data, ft_set_info(d->eval_set ? d->eval_set : d->set)->checksum, &d->eval);
    ft_buf_putz(&b, ",\n  \"numerics\": ");
    ft_json_put_str(&b, id->numerics);
    if (p) {
        ft_buf_printf(&b, ",\n  \"result\": {\"step\": %" PRId64 ", \"train_loss\": ", p->step);
        ft_json_put_real(&b, p->step ? p->loss_total / (double)p->step : 0);
        ft_buf_printf(&b, ", \"num_tokens\": %" PRId64 ", \"best_metric\": ", p->num_tokens);
        ft_json_put_real(&b, p->best);
        ft_buf_printf(&b, ", \"best_step\": %" PRId64 "}", p->best_step);
    }
    ft_buf_putz(&b, "\n}\n");
    char *path = ft_path(o->out, "run.json");
    const int bad = ft_save_bytes(path, b.p, b.n, e);
    free(path);
    ft_buf_release(&b);
    return bad;
}

static void describe(const struct ft_tool *tool, const char *objective, const struct options *o, const struct trainee *t,
                     const struct data *d, const struct ft_recipe *r, struct ft_str numerics)
{
    int64_t all, trainable;
    count_parameters(t->model, &all, &trainable);
    fprintf(stderr, "%s: %s: ", tool->name, objective);
    if (t->has_lora)
        fprintf(stderr, "LoRA r %" PRId64 " alpha %g, %" PRId64 " of %" PRId64 " parameters", t->lora.r, t->lora.alpha, trainable, all);
    else
        fprintf(stderr, "%s, %" PRId64 " parameters", t->base.weights ? "full weights" : "from random weights", all);
    fprintf(stderr, "; %.*s\n", (int)numerics.n, numerics.p);
    fprintf(stderr, "%s: %" PRIu64 " rows, %" PRIu64 " documents, %" PRIu64 " tokens, %" PRIu64 " learnt", tool->name, d->train.n,
            d->train.docs, d->train.tokens, d->train.targets);
    if (d->has_eval)
        fprintf(stderr, "; evaluation: %" PRIu64 " documents, %" PRIu64 " learnt%s", d->eval.docs, d->eval.targets,
                o->eval_data ? "" : ", held out");
    static const char types[] = FT_SCHEDULE_NAMES;
    const char *type = types;
    for (int i = (int)r->schedule.type; i > 0; i--)
        type += strcspn(type, "|") + 1;
    fprintf(stderr, "\n%s: %" PRId64 " steps of %" PRIu64 " x %" PRIu64 " rows; AdamW %g, decay %g, betas %g %g, clip %g; %.*s, warm-up %" PRId64
                    "; %s, seed %" PRIu64 "\n",
            tool->name, r->max_steps, r->accumulation, r->batch_rows, r->lr, r->decay, r->beta1, r->beta2, r->max_norm,
            (int)strcspn(type, "|"), type, r->schedule.warmup, r->sampling ? "in order" : "shuffled", r->seed);
    if (r->notes.n)
        fprintf(stderr, "%s: computed defaults:\n%.*s", tool->name, (int)r->notes.n, r->notes.p);
}

/* ---- the run ---- */

static int train(const struct ft_tool *tool, const char *objective, const struct options *o, struct trainee *t, struct data *d,
                 struct ft_recipe *r, struct ft_err *e)
{
    struct ft_rundir dir = {.log = -1};
    struct ft_optim optim = {0};
    struct ft_loop loop = {0};
    struct ft_buf recipe = {0}, numerics = {0}, given = {0};
    char *checkpoint = NULL;
    int status = -1;

    const struct ft_facts facts = {
        .pretrain = !strcmp(objective, "pretrain"), .lora = t->has_lora, .scratch = !t->base.weights,
        .rows = d->train.n, .tokens = d->train.tokens, .max_row = d->train.max_row, .eval_rows = d->has_eval ? d->eval.n : 0,
    };
    ft_cli_dump(tool, &given); /* before the rest is computed */
    if (ft_recipe_resolve(r, &facts, e) || put_recipe(&recipe, objective, o, t, d, r, e))
        goto out;
    if (ft_backend_open(&t->backend, o->threads, e))
        goto out;
    ft_buf_printf(&numerics, "float32, %s, %s", t->backend.provider, t->backend.isa);
    const struct ft_identity id = {ft_buf_str(&recipe), ft_buf_str(&numerics)};

    /* All that can be refused is, before the folder is made or touched. */
    if (!o->resume && !o->force && ft_rundir_unused(o->out, e))
        goto out;
    if (make_model(t, o, r->seed, e))
        goto out;
    const uint64_t train_tokens = r->batch_rows * d->train.max_row, eval_tokens = r->eval_rows * d->eval.max_row;
    struct ft_plan room = {.tokens = (ft_dim)(train_tokens > d->train.tokens ? d->train.tokens : train_tokens), .train = true};
    if (d->has_eval) {
        const uint64_t n = eval_tokens > d->eval.tokens ? d->eval.tokens : eval_tokens;
        if ((ft_dim)n > room.tokens)
            room.tokens = (ft_dim)n;
    }
    if (ft_model_reserve(t->model, &room, e) || ft_optim_init(&optim, &t->backend, t->model, e))
        goto out;
    optim.beta1 = r->beta1, optim.beta2 = r->beta2, optim.eps = r->eps, optim.decay = r->decay, optim.max_norm = r->max_norm;

    if (ft_rundir_open(&dir, o->out, o->resume ? FT_RUN_RESUME : o->force ? FT_RUN_FORCE : FT_RUN_NEW, e))
        goto out;
    if (dir.damaged)
        ft_warn(tool, "checkpoint %" PRId64 " is passed over: %s", dir.damaged_step, dir.damage);
    if (dir.resumed) {
        if (ft_rundir_compare(dir.identity.recipe, id.recipe, e)) {
            ft_fail_in(e, "'%s' cannot go on: ", o->out);
            goto out;
        }
        if (!ft_str_eq(dir.identity.numerics, id.numerics))
            ft_warn(tool, "the run was computed with '%.*s': bytes may differ from here on", (int)dir.identity.numerics.n,
                    dir.identity.numerics.p);
        checkpoint = ft_checkpoint_path(o->out, dir.progress.step);
    }
    if ((checkpoint && load_checkpoint(t, checkpoint, e)) || ft_rundir_begin(&dir, e))
        goto out;
    if (checkpoint) {
        char *path = ft_path(checkpoint, "optimizer.safetensors");
        const int bad = ft_optim_load(&optim, path, e);
        free(path);
        if (bad)
            goto out;
        optim.t = dir.progress.step;
    }
    if (!o->quiet)
        describe(tool, objective, o, t, d, r, id.numerics);
    if (r->max_steps < 100)
        ft_warn(tool, "%" PRId64 " steps are few%s", r->max_steps,
                r->schedule.warmup && r->schedule.type != FT_LR_COSINE_WARMUP_WITH_MIN_LR && r->schedule.type != FT_LR_CONSTANT
                    ? ", and with warm-up the first has learning rate 0" : "");
    if (dir.resumed)
        fprintf(stderr, "%s: goes on at step %" PRId64 "\n", tool->name, dir.progress.step);
    if (write_run(ft_buf_str(&given), objective, o, t, d, r, &id, NULL, e))
        goto out;

    struct ft_output output = {.model = t->model, .slot = t->slot, .base = t->name, .config = &t->base.tree, .changes = t->changes,
                               .n_changes = t->n_changes, .carry = t->tokenizer};
    loop = (struct ft_loop){.run = o->out, .recipe = r, .model = t->model, .optim = &optim, .train = &d->train,
                            .eval = d->has_eval ? &d->eval : NULL, .identity = id, .progress = dir.progress,
                            .save = ft_output_weights, .save_ctx = &output, .quiet = o->quiet, .log = dir.log, .stop = &stop_signal};
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    status = ft_loop_run(&loop, e);
    if (status == 1) {
        fprintf(stderr, "%s: stopped by a signal; '--resume' goes on at step %" PRId64 "\n", tool->name, loop.progress.step);
        goto out;
    }
    if (status)
        goto out;
    if (r->load_best && loop.progress.best_step) {
        char *best = ft_checkpoint_path(o->out, loop.progress.best_step);
        status = load_checkpoint(t, best, e);
        free(best);
        if (status)
            goto out;
    }
    status = ft_output_all(&output, o->out, e) || write_run(ft_buf_str(&given), objective, o, t, d, r, &id, &loop.progress, e) ? -1 : 0;
    if (!status && !o->quiet) {
        fprintf(stderr, "%s: %" PRId64 " steps, mean loss %.4f", tool->name, loop.progress.step,
                loop.progress.step ? loop.progress.loss_total / (double)loop.progress.step : 0);
        if (d->has_eval)
            fprintf(stderr, ", best evaluation %.4f at step %" PRId64, loop.progress.best, loop.progress.best_step);
        fprintf(stderr, "; %s in %s\n", t->has_lora ? "adapter" : "model", o->out);
    }
out:
    ft_loop_release(&loop);
    ft_optim_release(&optim);
    ft_rundir_close(&dir);
    ft_buf_release(&recipe);
    ft_buf_release(&numerics);
    ft_buf_release(&given);
    free(checkpoint);
    return status;
}

static const char notes[] =
    "Objectives: pretrain (all that is not masked; defaults for plain text) and sft. Both learn the tokens that the shards flag.\n"
    "With a LoRA option or --adapter an adapter is trained, else all weights. RUN ends with the adapter or the model, run.json\n"
    "(what was computed, and why), log.jsonl, and checkpoints: a killed run goes on with --resume to the same bytes.";

int main(int argc, char **argv)
{
    struct options o = {.r = 16, .alpha = 32, .held = .02};
    struct ft_recipe r;
    struct ft_schedule *s = &r.schedule;
    struct trainee t = {0};
    struct data d = {0};
    struct ft_err e = {0};
    size_t n;
    int type, warmup_type = FT_RAMP_LINEAR, decay_type = FT_RAMP_COSINE;

    ft_recipe_init(&r);
    type = (int)s->type;
    int64_t timescale = -1, decay_steps = -1, stable_steps = -1;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &o.base, "BASE", "model folder, or org/name in the hub cache; with --init the tokenizer's", NULL},
        {'d', "data", FT_OPT_STR, &o.data, "SHARDS", "what ft-pack made", NULL},
        {'o', "output-dir", FT_OPT_STR, &o.out, "RUN", "folder of the run", NULL},
        {0, "init", FT_OPT_STR, &o.init, "CONFIG.json", "start from random weights of this config", NULL},
        {0, "adapter", FT_OPT_STR, &o.adapter, "DIR", "go on with this PEFT adapter", NULL},
        {0, "resume", FT_OPT_FLAG, &o.resume, NULL, "go on with the run in RUN, or begin it", NULL},
        {0, "force", FT_OPT_FLAG, &o.force, NULL, "replace the run in RUN", NULL},
        {0, "config", FT_OPT_STR, &o.config, "FILE", "options as JSON or name = value lines", NULL},
        {'j', "threads", FT_OPT_SIZE, &o.threads, "N", "threads; 0: every CPU allowed", NULL},
        {'q', "quiet", FT_OPT_FLAG, &o.quiet, NULL, "print only warnings and errors", NULL},
        {0, "LoRA", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "lora-r", FT_OPT_INT, &o.r, "R", "rank", &o.r_given},
        {0, "lora-alpha", FT_OPT_REAL, &o.alpha, "A", "scale: alpha / r", &o.alpha_given},
        {0, "lora-dropout", FT_OPT_REAL, &o.dropout, "P", "", &o.dropout_given},
        {0, "use-rslora", FT_OPT_FLAG, &o.rslora, NULL, "scale: alpha / sqrt(r)", &o.rslora_given},
        {0, "target-modules", FT_OPT_LIST, &o.targets, "A,B,...", "modules by PEFT's rules, or a regular expression; all-linear when absent",
         &o.targets_given},
        {0, "exclude-modules", FT_OPT_LIST, &o.exclude, "A,B,...", "", &o.exclude_given},
        {0, "rank-pattern", FT_OPT_LIST, &o.ranks, "MODULE=R,...", "", &o.ranks_given},
        {0, "alpha-pattern", FT_OPT_LIST, &o.alphas, "MODULE=A,...", "", &o.alphas_given},
        {0, "Batches and steps", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "per-device-train-batch-size", FT_OPT_SIZE, &r.batch_rows, "N", "rows a micro-batch; computed when absent", NULL},
        {0, "gradient-accumulation-steps", FT_OPT_SIZE, &r.accumulation, "N", "micro-batches a step; computed when absent", NULL},
        {0, "per-device-eval-batch-size", FT_OPT_SIZE, &r.eval_rows, "N", "", NULL},
        {0, "num-train-epochs", FT_OPT_REAL, &r.epochs, "N", "3 for sft, 1 for pretrain", NULL},
        {0, "max-steps", FT_OPT_INT, &r.max_steps, "N", "wins over epochs", NULL},
        {0, "train-sampling-strategy", FT_OPT_CHOICE, &r.sampling, "random|sequential", "", NULL},
        {0, "seed", FT_OPT_SIZE, &r.seed, "N", "", NULL},
        {0, "Optimizer", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "learning-rate", FT_OPT_REAL, &r.lr, "X", "computed when absent", NULL},
        {0, "lr-scheduler-type", FT_OPT_CHOICE, &type, FT_SCHEDULE_NAMES, "", NULL},
        {0, "warmup-steps", FT_OPT_REAL, &r.warmup, "N", "steps, or a share below 1; 0.03 when absent", NULL},
        {0, "weight-decay", FT_OPT_REAL, &r.decay, "X", "not on biases and norms", NULL},
        {0, "max-grad-norm", FT_OPT_REAL, &r.max_norm, "X", "0: no clipping", NULL},
        {0, "adam-beta1", FT_OPT_REAL, &r.beta1, "X", "", NULL},
        {0, "adam-beta2", FT_OPT_REAL, &r.beta2, "X", "", NULL},
        {0, "adam-epsilon", FT_OPT_REAL, &r.eps, "X", "", NULL},
        {0, "num-cycles", FT_OPT_REAL, &s->num_cycles, "X", "cosine schedules", NULL},
        {0, "lr-end", FT_OPT_REAL, &s->lr_end, "X", "polynomial", NULL},
        {0, "power", FT_OPT_REAL, &s->power, "X", "polynomial", NULL},
        {0, "min-lr", FT_OPT_REAL, &s->min_lr, "X", "schedules with min_lr", NULL},
        {0, "min-lr-rate", FT_OPT_REAL, &s->min_lr_rate, "X", "schedules with min_lr, warmup_stable_decay", NULL},
        {0, "warmup-lr-rate", FT_OPT_REAL, &s->warmup_lr_rate, "X", "cosine_warmup_with_min_lr", NULL},
        {0, "timescale", FT_OPT_INT, &timescale, "N", "inverse_sqrt", NULL},
        {0, "num-decay-steps", FT_OPT_INT, &decay_steps, "N", "warmup_stable_decay", NULL},
        {0, "num-stable-steps", FT_OPT_INT, &stable_steps, "N", "warmup_stable_decay", NULL},
        {0, "warmup-type", FT_OPT_CHOICE, &warmup_type, FT_RAMP_NAMES, "warmup_stable_decay", NULL},
        {0, "decay-type", FT_OPT_CHOICE, &decay_type, FT_RAMP_NAMES, "warmup_stable_decay", NULL},
        {0, "Evaluation, log, checkpoints", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "eval-data", FT_OPT_STR, &o.eval_data, "SHARDS", "evaluate on this set", NULL},
        {0, "eval-share", FT_OPT_REAL, &o.held, "X", "else hold out this share of the documents", &o.held_given},
        {0, "allow-overlap", FT_OPT_FLAG, &o.allow_overlap, NULL, "evaluate on documents that are learnt too", NULL},
        {0, "eval-steps", FT_OPT_REAL, &r.eval_steps, "N", "steps, or a share below 1; ten times a run when absent", NULL},
        {0, "logging-steps", FT_OPT_REAL, &r.logging_steps, "N", "steps, or a share below 1", NULL},
        {0, "save-steps", FT_OPT_REAL, &r.save_steps, "N", "steps, or a share below 1; with each evaluation when absent", NULL},
        {0, "save-total-limit", FT_OPT_SIZE, &r.save_limit, "N", "checkpoints kept, best and newest always; 0: all", NULL},
        {0, "metric-for-best-model", FT_OPT_CHOICE, &r.metric, "loss_per_token|loss", "", NULL},
        {0, "load-best-model-at-end", FT_OPT_FLAG, &r.load_best, NULL, "the outputs are those of the best checkpoint", NULL},
        {0, "early-stopping-patience", FT_OPT_REAL, &r.patience, "N", "stop after N evaluations without gain; never when absent", NULL},
        {0, "early-stopping-threshold", FT_OPT_REAL, &r.patience_threshold, "X", "a gain is more than this", NULL},
        {0},
    };
    const struct ft_tool tool = {"ft-train", "Train a model, or an adapter on it, on shards.", "pretrain|sft [options] -m BASE -d SHARDS -o RUN",
                                 opts, NULL, notes};

    /* The file first, so that the command line wins. */
    for (int i = 1; i < argc; i++) {
        const char *path = !strncmp(argv[i], "--config=", 9) ? argv[i] + 9 : !strcmp(argv[i], "--config") && i + 1 < argc ? argv[i + 1] : NULL;
        if (path && ft_cli_config(&tool, path, &e))
            ft_die(&tool, &e);
    }
    char **objective = ft_cli(&tool, argc, argv, &n);
    if (n != 1)
        ft_usage(&tool, n ? "one objective is wanted, not %zu" : "no objective (pretrain, sft)", n);
    static const char *const later[] = {"dpo", "kto", "orpo", "rm", "ppo", "grpo"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (!strcmp(objective[0], later[i]))
            ft_usage(&tool, "objective '%s' is not supported yet (pretrain, sft)", later[i]);
    if (strcmp(objective[0], "pretrain") && strcmp(objective[0], "sft"))
        ft_usage(&tool, "unknown objective '%s' (pretrain, sft)", objective[0]);
    if (!o.data)
        ft_usage(&tool, "no shards: '-d'");
    if (!o.out)
        ft_usage(&tool, "no folder for the run: '-o'");
    if (!o.base && !o.init)
        ft_usage(&tool, "no model: '-m', or '--init'");
    if (o.resume && o.force)
        ft_usage(&tool, "'--resume' and '--force' exclude each other");
    if (!(o.held >= 0 && o.held < 1))
        ft_usage(&tool, "'--eval-share' wants [0,1)");
    if (o.eval_data && o.held_given && o.held > 0)
        ft_usage(&tool, "'--eval-data' and '--eval-share' exclude each other");
    s->type = (enum ft_schedule_type)type;
    s->timescale = timescale, s->decay_steps = decay_steps, s->stable_steps = stable_steps;
    s->warmup_type = (enum ft_ramp)warmup_type, s->decay_type = (enum ft_ramp)decay_type;

    int status = -1;
    t.has_lora = wants_lora(&o);
    if ((o.init ? open_init(&tool, &o, &t, &e) : open_base(&tool, &o, &t, &e)) ||
        (t.has_lora && lora_config(&tool, &o, &t.lora, &t.base.mem, &e)) || open_data(&tool, &o, &t, &d, &e))
        goto out;
    t.lora.trainable = true;
    if (r.load_best && !d.has_eval) {
        ft_fail(&e, FT_USAGE, "'--load-best-model-at-end' wants an evaluation");
        goto out;
    }
    status = train(&tool, objective[0], &o, &t, &d, &r, &e);
out:
    ft_model_free(t.model);
    if (t.backend.op)
        ft_backend_close(&t.backend);
    ft_base_close(&t.base);
    free(t.tokenizer);
    close_data(&d);
    ft_recipe_release(&r);
    if (status < 0)
        ft_die(&tool, &e);
    return status ? 128 + stop_signal : 0;
}
