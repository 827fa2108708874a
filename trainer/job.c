#include "trainer/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/rundir.h"
#include "trainer/save.h"

/* The parameters as they are before step 0. */
static int make_model(struct ft_job *j, struct ft_err *e)
{
    j->slot = -1;
    if (ft_model_new(&j->backend, &j->base.config, &j->model, e))
        return -1;
    if (j->has_lora) {
        if (ft_model_add_lora(j->model, &j->lora, &j->slot, e))
            return -1;
    } else {
        ft_model_train_base(j->model);
    }
    ft_model_set_seed(j->model, j->recipe.seed);
    if (j->base.weights ? ft_weights_load(j->model, j->base.weights, false, e) : (ft_model_init(j->model, j->recipe.seed), 0))
        return -1;
    if (j->has_lora && j->adapter)
        return ft_adapter_load(j->model, j->slot, j->adapter, e);
    if (j->has_lora)
        ft_model_init_lora(j->model, j->slot, j->recipe.seed);
    return 0;
}

/* The same at a checkpoint. */
static int load_checkpoint(struct ft_job *j, const char *dir, struct ft_err *e)
{
    struct ft_st *s;
    if (j->has_lora)
        return ft_adapter_load(j->model, j->slot, dir, e);
    if (ft_st_open_folder(dir, "model", &s, e))
        return -1;
    const int r = ft_weights_load(j->model, s, true, e);
    ft_st_close(s);
    return r;
}

static void describe(const struct ft_job *j, struct ft_str numerics)
{
    const struct ft_recipe *r = &j->recipe;
    int64_t all, trainable;
    ft_job_parameters(j, &all, &trainable);
    fprintf(stderr, "%s: %s: ", j->tool->name, j->objective);
    if (j->has_lora)
        fprintf(stderr, "LoRA r %" PRId64 " alpha %g, %" PRId64 " of %" PRId64 " parameters", j->lora.r, j->lora.alpha, trainable, all);
    else
        fprintf(stderr, "%s, %" PRId64 " parameters", j->base.weights ? "full weights" : "from random weights", all);
    fprintf(stderr, "; %.*s\n", (int)numerics.n, numerics.p);
    fprintf(stderr, "%s: %" PRIu64 " rows, %" PRIu64 " documents, %" PRIu64 " tokens, %" PRIu64 " learnt", j->tool->name, j->train.n,
            j->train.docs, j->train.tokens, j->train.targets);
    if (j->has_eval)
        fprintf(stderr, "; evaluation: %" PRIu64 " documents, %" PRIu64 " learnt%s", j->eval.docs, j->eval.targets,
                j->eval_data ? "" : ", held out");
    static const char types[] = FT_SCHEDULE_NAMES;
    const char *type = types;
    for (int i = (int)r->schedule.type; i > 0; i--)
        type += strcspn(type, "|") + 1;
    fprintf(stderr, "\n%s: %" PRId64 " steps of %" PRIu64 " x %" PRIu64 " rows; AdamW %g, decay %g, betas %g %g, clip %g; %.*s, warm-up %" PRId64
                    "; %s, seed %" PRIu64 "\n",
            j->tool->name, r->max_steps, r->accumulation, r->batch_rows, r->lr, r->decay, r->beta1, r->beta2, r->max_norm,
            (int)strcspn(type, "|"), type, r->schedule.warmup, r->sampling ? "in order" : "shuffled", r->seed);
    if (r->notes.n)
        fprintf(stderr, "%s: computed defaults:\n%.*s", j->tool->name, (int)r->notes.n, r->notes.p);
}

static void tell_end(const struct ft_job *j, const struct ft_progress *p)
{
    fprintf(stderr, "%s: %" PRId64 " steps, mean loss %.4f", j->tool->name, p->step, p->step ? p->loss_total / (double)p->step : 0);
    if (j->has_eval)
        fprintf(stderr, ", best evaluation %.4f at step %" PRId64, p->best, p->best_step);
    fprintf(stderr, "; %s in %s\n", j->has_lora ? "adapter" : "model", j->out);
}

/* The folder of the run is none that is read, and is free. */
static int check_folder(const struct ft_job *j, struct ft_err *e)
{
    const char *const read[] = {j->base.dir, j->adapter, j->tokenizer, j->data, j->eval_data};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        if (read[i] && ft_save_distinct(j->out, read[i], e))
            return -1;
    return j->resume || j->force ? 0 : ft_rundir_unused(j->out, e);
}

/* Room for the largest micro-batch. */
static struct ft_plan room_of(const struct ft_job *j)
{
    const struct ft_recipe *r = &j->recipe;
    const uint64_t train = r->batch_rows * j->train.max_row, eval = r->eval_rows * j->eval.max_row;
    struct ft_plan room = {.tokens = (ft_dim)(train > j->train.tokens ? j->train.tokens : train), .train = true};
    if (j->has_eval) {
        const uint64_t n = eval > j->eval.tokens ? j->eval.tokens : eval;
        if ((ft_dim)n > room.tokens)
            room.tokens = (ft_dim)n;
    }
    return room;
}

/* At step 0, or where the newest good checkpoint of the same run stands. */
static int begin(struct ft_job *j, struct ft_rundir *dir, const struct ft_identity *id, struct ft_optim *optim, struct ft_err *e)
{
    if (dir->damaged)
        ft_warn(j->tool, "checkpoint %" PRId64 " is passed over: %s", dir->damaged_step, dir->damage);
    if (!dir->resumed)
        return ft_rundir_begin(dir, e);
    if (ft_rundir_compare(dir->identity.recipe, id->recipe, e))
        return ft_fail_in(e, "'%s' cannot go on: ", j->out);
    if (!ft_str_eq(dir->identity.numerics, id->numerics))
        ft_warn(j->tool, "the run was computed with '%.*s': bytes may differ from here on", (int)dir->identity.numerics.n,
                dir->identity.numerics.p);
    char *checkpoint = ft_checkpoint_path(j->out, dir->progress.step), *path = ft_path(checkpoint, "optimizer.safetensors");
    const int r = load_checkpoint(j, checkpoint, e) || ft_rundir_begin(dir, e) || ft_optim_load(optim, path, e) ? -1 : 0;
    optim->t = dir->progress.step;
    free(path);
    free(checkpoint);
    return r;
}

int ft_job_run(struct ft_job *j, const volatile int *stop, struct ft_err *e)
{
    struct ft_recipe *r = &j->recipe;
    struct ft_rundir dir = {.log = -1};
    struct ft_optim optim = {0};
    struct ft_loop loop = {0};
    struct ft_buf recipe = {0}, numerics = {0};
    int status = -1;

    const struct ft_facts facts = {
        .pretrain = !strcmp(j->objective, "pretrain"), .lora = j->has_lora, .scratch = !j->base.weights,
        .rows = j->train.n, .tokens = j->train.tokens, .max_row = j->train.max_row, .eval_rows = j->has_eval ? j->eval.n : 0,
    };
    if (ft_recipe_resolve(r, &facts, e) || ft_job_recipe(j, &recipe, e))
        goto out;
    if (ft_backend_open(&j->backend, j->threads, e))
        goto out;
    if (j->backend.slow && !j->quiet)
        ft_warn(j->tool, "%s", j->backend.slow);
    ft_buf_printf(&numerics, "tuneutils " FT_VERSION ", float32, %s, %s", j->backend.provider, j->backend.isa);
    const struct ft_identity id = {ft_buf_str(&recipe), ft_buf_str(&numerics)};

    /* All that can be refused is, before the folder is made or touched. */
    if (check_folder(j, e) || make_model(j, e))
        goto out;
    const struct ft_plan room = room_of(j);
    if (ft_model_reserve(j->model, &room, e) || ft_optim_init(&optim, &j->backend, j->model, e))
        goto out;
    optim.beta1 = r->beta1, optim.beta2 = r->beta2, optim.eps = r->eps, optim.decay = r->decay, optim.max_norm = r->max_norm;

    if (ft_rundir_open(&dir, j->out, j->resume ? FT_RUN_RESUME : j->force ? FT_RUN_FORCE : FT_RUN_NEW, e))
        goto out;
    if (begin(j, &dir, &id, &optim, e))
        goto out;
    if (!j->quiet)
        describe(j, id.numerics);
    if (r->max_steps < 100)
        ft_warn(j->tool, "%" PRId64 " steps are few%s", r->max_steps,
                r->schedule.warmup && r->schedule.type != FT_LR_COSINE_WARMUP_WITH_MIN_LR && r->schedule.type != FT_LR_CONSTANT
                    ? ", and with warm-up the first has learning rate 0" : "");
    if (dir.resumed)
        fprintf(stderr, "%s: goes on at step %" PRId64 "\n", j->tool->name, dir.progress.step);
    if (ft_job_record(j, &id, NULL, e))
        goto out;

    struct ft_output output = {.model = j->model, .slot = j->slot, .base = j->name, .config = &j->base.tree, .changes = j->changes,
                               .n_changes = j->n_changes, .ends = j->ends, .carry = j->tokenizer};
    loop = (struct ft_loop){.run = j->out, .recipe = r, .model = j->model, .optim = &optim, .train = &j->train,
                            .eval = j->has_eval ? &j->eval : NULL, .identity = id, .progress = dir.progress,
                            .save = ft_output_weights, .save_ctx = &output, .quiet = j->quiet, .log = dir.log, .stop = stop};
    status = ft_loop_run(&loop, e);
    if (status == 1) {
        fprintf(stderr, "%s: stopped by a signal; '--resume' goes on at step %" PRId64 "\n", j->tool->name, loop.progress.step);
        goto out;
    }
    if (status)
        goto out;
    if (r->load_best && loop.progress.best_step) {
        char *best = ft_checkpoint_path(j->out, loop.progress.best_step);
        status = load_checkpoint(j, best, e);
        free(best);
        if (status)
            goto out;
    }
    status = ft_output_all(&output, j->out, e) || ft_job_record(j, &id, &loop.progress, e) ? -1 : 0;
    if (!status && !j->quiet)
        tell_end(j, &loop.progress);
out:
    ft_loop_release(&loop);
    ft_optim_release(&optim);
    ft_rundir_close(&dir);
    ft_buf_release(&recipe);
    ft_buf_release(&numerics);
    return status;
}

void ft_job_release(struct ft_job *j)
{
    ft_model_free(j->model);
    if (j->backend.op)
        ft_backend_close(&j->backend);
    ft_base_close(&j->base);
    free(j->tokenizer);
    ft_rows_release(&j->train);
    ft_rows_release(&j->eval);
    ft_set_close(j->set);
    ft_set_close(j->eval_set);
    ft_recipe_release(&j->recipe);
}
