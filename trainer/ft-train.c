/* ft-train -- shards in, an adapter or a model out. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tokenizer/tokenizer.h"
#include "pipeline/hub.h"
#include "trainer/job.h"

struct options {
    const char *base, *init;
    bool allow_overlap;
    /* LoRA; 0, NaN, false or empty: not given */
    uint64_t r;
    double alpha, dropout;
    bool rslora;
    struct ft_list targets, exclude, ranks, alphas;
};

static volatile int stop_signal;
static void on_signal(int s)
{
    stop_signal = s;
    signal(s, SIG_DFL); /* the second one ends us at once */
}

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

/* The same words in any order. */
static bool same_words(const struct ft_list *a, const struct ft_list *b)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;
        while (k < b->n && strcmp(a->v[i], b->v[k]))
            k++;
        if (k == b->n)
            return false;
    }
    return a->n == b->n;
}

static int lora_config(const struct ft_tool *tool, const struct options *o, struct ft_job *j, struct ft_err *e)
{
    struct ft_lora_config *c = &j->lora;
    struct ft_arena *a = &j->base.mem;
    *c = (struct ft_lora_config)FT_LORA_DEFAULTS;
    j->has_lora = j->adapter || o->r || !isnan(o->alpha) || !isnan(o->dropout) || o->rslora || o->targets.n || o->exclude.n ||
                  o->ranks.n || o->alphas.n;
    if (!j->has_lora)
        return 0;
    if (j->adapter) {
        if (ft_adapter_config_load(j->adapter, a, c, NULL, e))
            return -1;
        const int ends = ft_hf_generation_load(j->adapter, a, &j->base.config, e);
        if (ends < 0)
            return -1;
        j->ends = ends > 0;
        /* Options may say again what the adapter is, nothing else. */
        const struct ft_list targets = split(&o->targets, a);
        if ((o->r && (int64_t)o->r != c->r) || (!isnan(o->alpha) && o->alpha != c->alpha) || (o->rslora && !c->rslora) ||
            (targets.n && !same_words(&targets, &c->targets)) || o->exclude.n || o->ranks.n || o->alphas.n)
            return ft_fail(e, FT_USAGE, "the adapter of '%s' has r %" PRId64 ", alpha %g and its own target modules", j->adapter, c->r,
                           c->alpha);
        if (!isnan(o->dropout))
            c->dropout = o->dropout;
        return 0;
    }
    c->r = o->r ? (int64_t)o->r : 16;
    c->alpha = isnan(o->alpha) ? 32 : o->alpha;
    c->dropout = isnan(o->dropout) ? 0 : o->dropout;
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

/* ---- the model ---- */

static void change(struct ft_job *j, const char *name, const char *value)
{
    j->changes[j->n_changes++] = (struct ft_hf_change){name, ft_strz(ft_arena_dup(&j->base.mem, value, strlen(value)))};
}

/* --init: sizes from the file, the vocabulary and its special tokens from the
 * tokenizer where the file does not say. */
static int open_init(const struct ft_tool *tool, const struct options *o, struct ft_job *j, struct ft_err *e)
{
    struct ft_config *c = &j->base.config;
    const struct ft_json *tree = &j->base.tree;
    struct ft_tokenizer *tok = NULL;
    char text[64];

    if (ft_hf_config_file(o->init, &j->base.mem, c, &j->base.tree, e) || (o->base && ft_hub_folder(o->base, &j->tokenizer, e)))
        return -1;
    j->name = o->init;
    if (!ft_json_get(tree, "architectures")) {
        snprintf(text, sizeof text, "[\"%sForCausalLM\"]", c->family);
        text[2] = (char)(text[2] - 'a' + 'A'); /* llama, mistral, qwen2, qwen3: as their classes, but for this letter */
        change(j, "architectures", text);
    }
    if (!j->tokenizer) {
        ft_warn(tool, "no '-m': the vocabulary is not checked, and no tokenizer comes along");
        return 0;
    }
    if (ft_tokenizer_load(j->tokenizer, &tok, e))
        return -1;
    const struct ft_tok_specials s = ft_tokenizer_specials(tok);
    const int64_t size = (int64_t)ft_tokenizer_size(tok);
    ft_tokenizer_free(tok);
    if (!ft_json_get(tree, "vocab_size")) {
        c->vocab = size;
        snprintf(text, sizeof text, "%" PRId64, size);
        change(j, "vocab_size", text);
    }
    if (!ft_json_get(tree, "bos_token_id")) {
        c->bos = (int32_t)s.bos;
        snprintf(text, sizeof text, "%" PRId64, s.bos);
        change(j, "bos_token_id", s.bos < 0 ? "null" : text);
    }
    if (!ft_json_get(tree, "eos_token_id")) {
        c->n_eos = s.eos >= 0;
        c->eos[0] = (int32_t)s.eos;
        snprintf(text, sizeof text, "%" PRId64, s.eos);
        change(j, "eos_token_id", s.eos < 0 ? "null" : text);
    }
    if (size > c->vocab)
        return ft_fail(e, FT_DATA, "%s: vocab_size is %" PRId64 ", and the tokenizer of '%s' has %" PRId64 " ids", o->init, c->vocab,
                       o->base, size);
    return 0;
}

static int open_base(const struct ft_tool *tool, const struct options *o, struct ft_job *j, struct ft_err *e)
{
    if (ft_base_open(&j->base, o->base, e))
        return -1;
    j->tokenizer = ft_strdup(j->base.dir);
    j->name = j->base.name;
    if (j->base.untied) {
        ft_warn(tool, "'%s' stores two tables although its config ties them: they stay two", o->base);
        change(j, "tie_word_embeddings", "false");
    }
    return 0;
}

/* ---- data ---- */

/* The shards' vocabulary against the model's. */
static int check_vocabulary(const struct ft_job *j, const char *dir, const struct ft_set_info *info, struct ft_err *e)
{
    struct ft_tokenizer *tok = NULL;
    struct ft_err note = {0};
    if (!j->tokenizer)
        return 0;
    ft_tokenizer_load(j->tokenizer, &tok, NULL);
    const int r = ft_rows_vocabulary(info, dir, tok ? ft_tokenizer_fingerprint(tok) : "", j->tokenizer, &note, e);
    if (!r && note.msg[0])
        ft_warn(j->tool, "%s", note.msg);
    ft_tokenizer_free(tok);
    return r;
}

static int open_eval(const struct options *o, struct ft_job *j, struct ft_err *e)
{
    const struct ft_config *c = &j->base.config;
    if (!j->eval_data && j->held == 0)
        return 0;
    if (!j->eval_data) {
        if (ft_rows_init(&j->eval, j->set, j->data, FT_ROWS_HELD, j->held, c, e))
            return -1;
        j->has_eval = j->eval.targets > 0;
        if (!j->has_eval)
            ft_warn(j->tool, "none of %" PRIu64 " documents falls into the %g %% held out: no evaluation", ft_set_info(j->set)->docs,
                    100 * j->held);
        return 0;
    }
    j->has_eval = true;
    if (ft_set_open(j->eval_data, &j->eval_set, e) || check_vocabulary(j, j->eval_data, ft_set_info(j->eval_set), e) ||
        ft_rows_init(&j->eval, j->eval_set, j->eval_data, FT_ROWS_ALL, 0, c, e))
        return -1;
    if (!j->eval.targets)
        return ft_fail(e, FT_DATA, "%s: no token is learnt", j->eval_data);
    if (!o->allow_overlap && ft_rows_disjoint(&j->train, &j->eval, e))
        return ft_fail_in(e, "%s and %s overlap ('--allow-overlap' takes it): ", j->data, j->eval_data);
    return 0;
}

/* A chat template may end answers in another token than the base does (ChatML on a
 * base that ends in <|endoftext|>). One that is special and ends most answers is an
 * end of what is trained here, besides those of the base. */
static int learnt_end(struct ft_job *j, struct ft_err *e)
{
    const struct ft_rows *r = &j->train;
    struct ft_config *c = &j->base.config;
    struct ft_tokenizer *tok = NULL;
    if (r->last_docs <= r->sft_docs / 2 || !j->tokenizer)
        return 0;
    for (int i = 0; i < c->n_eos; i++)
        if (c->eos[i] == r->last)
            return 0;
    /* A tokenizer that cannot be read was warned of with the vocabulary. */
    if (ft_tokenizer_load(j->tokenizer, &tok, NULL))
        return 0;
    if (ft_token_is_special(tok, r->last)) {
        if (c->n_eos == (int)(sizeof c->eos / sizeof *c->eos)) {
            ft_tokenizer_free(tok);
            return ft_fail(e, FT_DATA, "%s: answers end in token %" PRId32 ", and the model has %d end tokens already", j->data,
                           r->last, c->n_eos);
        }
        const struct ft_str name = ft_token_str(tok, r->last);
        c->eos[c->n_eos++] = r->last;
        j->ends = true;
        if (!j->quiet)
            fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " answers end in %.*s (%" PRId32 "): generation will stop there too\n",
                    j->tool->name, r->last_docs, r->sft_docs, (int)name.n, name.p, r->last);
    }
    ft_tokenizer_free(tok);
    return 0;
}

static int open_data(const struct options *o, struct ft_job *j, struct ft_err *e)
{
    const struct ft_config *c = &j->base.config;
    const enum ft_side_of side = j->eval_data || j->held == 0 ? FT_ROWS_ALL : FT_ROWS_TRAIN;
    if (ft_set_open(j->data, &j->set, e) || check_vocabulary(j, j->data, ft_set_info(j->set), e) ||
        ft_rows_init(&j->train, j->set, j->data, side, j->held, c, e) || open_eval(o, j, e))
        return -1;
    if (!j->train.targets)
        return ft_fail(e, FT_DATA, "%s: no token is learnt", j->data);
    const uint32_t longest = j->has_eval && j->eval.max_piece > j->train.max_piece ? j->eval.max_piece : j->train.max_piece;
    if (longest > c->max_positions)
        return ft_fail(e, FT_DATA, "%s: a document of %" PRIu32 " tokens in a row, and the model has %" PRId64 " positions ('ft-shard repack')",
                       j->data, longest, c->max_positions);
    if (learnt_end(j, e))
        return -1;
    if (j->train.sft_docs && c->n_eos && !j->train.stop_docs && !j->ends)
        ft_warn(j->tool, "none of %" PRIu64 " answers ends in a learnt stop token (%" PRId32 "): the model would not learn to stop",
                j->train.sft_docs, c->eos[0]);
    return 0;
}

/* ---- the command line ---- */

static void check_usage(const struct ft_tool *tool, const struct options *o, const struct ft_job *j, char **objective, size_t n)
{
    static const char *const later[] = {"dpo", "kto", "orpo", "rm", "ppo", "grpo"};
    if (n != 1)
        ft_usage(tool, n ? "one objective is wanted, not %zu" : "no objective (pretrain, sft)", n);
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (!strcmp(objective[0], later[i]))
            ft_usage(tool, "objective '%s' is not supported yet (pretrain, sft)", later[i]);
    if (strcmp(objective[0], "pretrain") && strcmp(objective[0], "sft"))
        ft_usage(tool, "unknown objective '%s' (pretrain, sft)", objective[0]);
    if (!j->data)
        ft_usage(tool, "no shards: '-d'");
    if (!j->out)
        ft_usage(tool, "no folder for the run: '-o'");
    if (!o->base && !o->init)
        ft_usage(tool, "no model: '-m', or '--init'");
    if (j->resume && j->force)
        ft_usage(tool, "'--resume' and '--force' exclude each other");
    if (!(j->held >= 0 && j->held < 1))
        ft_usage(tool, "'--eval-share' wants [0,1)");
    if (j->recipe.eval_strategy == FT_WHEN_NO && j->eval_data)
        ft_usage(tool, "'--eval-data' and '--eval-strategy=no' exclude each other");
}

static const char notes[] =
    "Objectives: pretrain and sft. Both learn the tokens that the shards flag; their defaults differ.\n"
    "With a LoRA option or --adapter an adapter is trained, else all weights. RUN ends with the adapter or the model, run.json\n"
    "(what was computed, and why), log.jsonl, and checkpoints: a killed run goes on with --resume to the same bytes.";

int main(int argc, char **argv)
{
    struct options o = {.alpha = NAN, .dropout = NAN};
    struct ft_job j = {.held = .02};
    struct ft_recipe *r = &j.recipe;
    struct ft_schedule *s = &r->schedule;
    struct ft_buf given = {0};
    struct ft_err e = {0};
    const char *config = NULL;
    double timescale = NAN, decay_steps = NAN, stable_steps = NAN;
    int type, optim = 1, warmup_type = FT_RAMP_LINEAR, decay_type = FT_RAMP_COSINE, status = -1;
    size_t n;

    ft_recipe_init(r);
    type = (int)s->type;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &o.base, "BASE", "model folder, or org/name in the hub cache; with --init the tokenizer's", NULL},
        {'d', "data", FT_OPT_STR, &j.data, "SHARDS", "what ft-pack made", NULL},
        {'o', "output-dir", FT_OPT_STR, &j.out, "RUN", "folder of the run", NULL},
        {0, "init", FT_OPT_STR, &o.init, "CONFIG.json", "start from random weights of this config", NULL},
        {0, "adapter", FT_OPT_STR, &j.adapter, "DIR", "go on with this PEFT adapter", NULL},
        {0, "resume", FT_OPT_FLAG, &j.resume, NULL, "go on with the run in RUN, or begin it", NULL},
        {0, "force", FT_OPT_FLAG, &j.force, NULL, "replace the run in RUN", NULL},
        {0, "config", FT_OPT_STR, &config, "FILE", "options as JSON or name = value lines; the command line wins", NULL},
        {'j', "jobs", FT_OPT_SIZE, &j.threads, "N", "threads; every CPU allowed when absent", NULL},
        {'q', "quiet", FT_OPT_FLAG, &j.quiet, NULL, "print only warnings and errors", NULL},
        {0, "LoRA", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "lora-r", FT_OPT_SIZE, &o.r, "R", "rank; 16 when absent", NULL},
        {0, "lora-alpha", FT_OPT_REAL, &o.alpha, "A", "scale: alpha / r; 32 when absent", NULL},
        {0, "lora-dropout", FT_OPT_REAL, &o.dropout, "P", "probability that an input of the adapter is dropped; 0 when absent", NULL},
        {0, "use-rslora", FT_OPT_FLAG, &o.rslora, NULL, "scale: alpha / sqrt(r)", NULL},
        {0, "target-modules", FT_OPT_LIST, &o.targets, "A,B,...", "modules by PEFT's rules, or a regular expression; all-linear when absent",
         NULL},
        {0, "exclude-modules", FT_OPT_LIST, &o.exclude, "A,B,...", "leave these out", NULL},
        {0, "rank-pattern", FT_OPT_LIST, &o.ranks, "MODULE=R,...", "another rank for modules of that path or its end (a regular expression)", NULL},
        {0, "alpha-pattern", FT_OPT_LIST, &o.alphas, "MODULE=A,...", "another alpha, as in --rank-pattern", NULL},
        {0, "Batches and steps", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "per-device-train-batch-size", FT_OPT_SIZE, &r->batch_rows, "N", "rows a micro-batch; computed when absent", NULL},
        {0, "gradient-accumulation-steps", FT_OPT_SIZE, &r->accumulation, "N", "micro-batches a step; computed when absent", NULL},
        {0, "per-device-eval-batch-size", FT_OPT_SIZE, &r->eval_rows, "N", "rows; as in training when absent", NULL},
        {0, "num-train-epochs", FT_OPT_REAL, &r->epochs, "N", "3 for sft, 1 for pretrain when absent", NULL},
        {0, "max-steps", FT_OPT_INT, &r->max_steps, "N", "wins over epochs; -1: by epochs", NULL},
        {0, "train-sampling-strategy", FT_OPT_CHOICE, &r->sampling, "random|sequential", "order of the rows", NULL},
        {0, "seed", FT_OPT_SIZE, &r->seed, "N", "of order, initial values and dropout", NULL},
        {0, "Optimizer", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "optim", FT_OPT_CHOICE, &optim, "adamw_torch|adamw_torch_fused", "AdamW under both its names", NULL},
        {0, "learning-rate", FT_OPT_REAL, &r->lr, "X", "computed when absent", NULL},
        {0, "lr-scheduler-type", FT_OPT_CHOICE, &type, FT_SCHEDULE_NAMES, "transformers' schedules", NULL},
        {0, "warmup-steps", FT_OPT_REAL, &r->warmup, "N", "steps, or a share below 1; 0.03 when absent", NULL},
        {0, "weight-decay", FT_OPT_REAL, &r->decay, "X", "not on biases and norms; 0.1 from random weights, else 0 when absent", NULL},
        {0, "max-grad-norm", FT_OPT_REAL, &r->max_norm, "X", "0: no clipping", NULL},
        {0, "adam-beta1", FT_OPT_REAL, &r->beta1, "X", "AdamW", NULL},
        {0, "adam-beta2", FT_OPT_REAL, &r->beta2, "X", "AdamW; 0.95 from random weights, else 0.999 when absent", NULL},
        {0, "adam-epsilon", FT_OPT_REAL, &r->eps, "X", "AdamW", NULL},
        {0, "num-cycles", FT_OPT_REAL, &s->num_cycles, "X", "of the cosine schedules; 1 with restarts, else 0.5 when absent", NULL},
        {0, "lr-end", FT_OPT_REAL, &s->lr_end, "X", "last rate of polynomial; 1e-7 when absent", NULL},
        {0, "power", FT_OPT_REAL, &s->power, "X", "of polynomial; 1 when absent", NULL},
        {0, "min-lr", FT_OPT_REAL, &s->min_lr, "X", "lowest rate of schedules with min_lr", NULL},
        {0, "min-lr-rate", FT_OPT_REAL, &s->min_lr_rate, "X", "the same as a share of the rate; also of warmup_stable_decay", NULL},
        {0, "warmup-lr-rate", FT_OPT_REAL, &s->warmup_lr_rate, "X", "first rate of cosine_warmup_with_min_lr, as a share", NULL},
        {0, "timescale", FT_OPT_REAL, &timescale, "N", "of inverse_sqrt; the warmup's steps, else 10000 when absent", NULL},
        {0, "num-decay-steps", FT_OPT_REAL, &decay_steps, "N", "of warmup_stable_decay, which needs it", NULL},
        {0, "num-stable-steps", FT_OPT_REAL, &stable_steps, "N", "of warmup_stable_decay; all that are left when absent", NULL},
        {0, "warmup-type", FT_OPT_CHOICE, &warmup_type, FT_RAMP_NAMES, "of warmup_stable_decay", NULL},
        {0, "decay-type", FT_OPT_CHOICE, &decay_type, FT_RAMP_NAMES, "of warmup_stable_decay", NULL},
        {0, "Evaluation, log, checkpoints", FT_OPT_HEAD, NULL, NULL, NULL, NULL},
        {0, "eval-data", FT_OPT_STR, &j.eval_data, "SHARDS", "evaluate on this set", NULL},
        {0, "eval-share", FT_OPT_REAL, &j.held, "X", "else hold out this share of the documents", NULL},
        {0, "allow-overlap", FT_OPT_FLAG, &o.allow_overlap, NULL, "evaluate on documents that are learnt too", NULL},
        {0, "eval-strategy", FT_OPT_CHOICE, &r->eval_strategy, FT_WHEN_NAMES, "no: hold nothing out, evaluate never", NULL},
        {0, "eval-steps", FT_OPT_REAL, &r->eval_steps, "N", "steps, or a share below 1; ten times a run when absent", NULL},
        {0, "logging-steps", FT_OPT_REAL, &r->logging_steps, "N", "steps, or a share below 1; at most 10 when absent", NULL},
        {0, "save-strategy", FT_OPT_CHOICE, &r->save_strategy, FT_WHEN_NAMES, "no: only the best and the last", NULL},
        {0, "save-steps", FT_OPT_REAL, &r->save_steps, "N", "steps, or a share below 1; with each evaluation when absent", NULL},
        {0, "save-total-limit", FT_OPT_SIZE, &r->save_limit, "N", "checkpoints kept, best and newest always; 0: all", NULL},
        {0, "metric-for-best-model", FT_OPT_CHOICE, &r->metric, "loss_per_token|loss", "loss: the Trainer's mean over rows", NULL},
        {0, "load-best-model-at-end", FT_OPT_FLAG, &r->load_best, NULL, "the outputs are those of the best checkpoint", NULL},
        {0, "early-stopping-patience", FT_OPT_REAL, &r->patience, "N", "stop after N evaluations without gain; never when absent", NULL},
        {0, "early-stopping-threshold", FT_OPT_REAL, &r->patience_threshold, "X", "a gain is more than this", NULL},
        {0},
    };
    const struct ft_tool tool = {"ft-train", "Train a model, or an adapter on it, on shards.", "pretrain|sft -m BASE -d SHARDS -o RUN [options]",
                                 opts, NULL, notes};

    /* The file first, so that the command line wins. */
    for (int i = 1; i < argc; i++) {
        const char *path = !strncmp(argv[i], "--config=", 9) ? argv[i] + 9 : !strcmp(argv[i], "--config") && i + 1 < argc ? argv[i + 1] : NULL;
        if (path && ft_cli_config(&tool, path, &e))
            ft_die(&tool, &e);
    }
    char **objective = ft_cli(&tool, argc, argv, &n);
    check_usage(&tool, &o, &j, objective, n);
    if (r->eval_strategy == FT_WHEN_NO)
        j.held = 0;
    s->type = (enum ft_schedule_type)type;
    s->timescale = isnan(timescale) ? -1 : (int64_t)timescale;
    s->decay_steps = isnan(decay_steps) ? -1 : (int64_t)decay_steps;
    s->stable_steps = isnan(stable_steps) ? -1 : (int64_t)stable_steps;
    s->warmup_type = (enum ft_ramp)warmup_type, s->decay_type = (enum ft_ramp)decay_type;
    ft_cli_dump(&tool, &given); /* before the rest is computed */
    j.tool = &tool;
    j.objective = objective[0];
    j.options = ft_buf_str(&given);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);

    if (!(o.init ? open_init(&tool, &o, &j, &e) : open_base(&tool, &o, &j, &e)) && !lora_config(&tool, &o, &j, &e) &&
        !open_data(&o, &j, &e)) {
        j.lora.trainable = true;
        if (r->load_best && !j.has_eval)
            ft_fail(&e, FT_USAGE, "'--load-best-model-at-end' wants an evaluation");
        else
            status = ft_job_run(&j, &stop_signal, &e);
    }
    ft_job_release(&j);
    ft_buf_release(&given);
    if (status < 0)
        ft_die(&tool, &e);
    return status ? 128 + stop_signal : 0;
}
