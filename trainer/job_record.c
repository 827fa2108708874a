/* What a run is, on disk: the recipe that decides its result, and run.json. */
#include <inttypes.h>
#include <stdlib.h>

#include "trainer/job.h"
#include "trainer/save.h"

void ft_job_parameters(const struct ft_job *j, int64_t *all, int64_t *trainable)
{
    *all = *trainable = 0;
    for (int i = 0; i < ft_model_params(j->model); i++) {
        const struct ft_param *p = ft_model_param(j->model, i);
        *all += ft_param_count(p);
        *trainable += p->trainable ? ft_param_count(p) : 0;
    }
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

static void put_digest(struct ft_buf *b, struct ft_digest d)
{
    char hex[33];
    ft_digest_hex(d, hex);
    ft_buf_printf(b, "\"%s\"", hex);
}

int ft_job_recipe(const struct ft_job *j, struct ft_buf *b, struct ft_err *e)
{
    struct ft_digest digest;
    uint64_t size;
    ft_buf_printf(b, "{\"objective\": \"%s\", \"data\": ", j->objective);
    ft_json_put_str(b, ft_set_info(j->set)->checksum);
    ft_buf_putz(b, ", \"eval_data\": ");
    if (j->eval_set)
        ft_json_put_str(b, ft_set_info(j->eval_set)->checksum);
    else
        ft_buf_putz(b, "null");
    ft_buf_putz(b, ", \"held_out\": ");
    ft_json_put_real(b, j->eval_data ? 0 : j->held);
    ft_buf_putz(b, j->base.weights ? ", \"base\": " : ", \"init\": ");
    if (j->base.weights)
        put_digest(b, ft_weights_digest(j->base.weights));
    else
        put_digest(b, ft_hash128(j->base.tree.raw.p, j->base.tree.raw.n));
    ft_buf_putz(b, ", \"adapter\": ");
    if (j->adapter) {
        char *path = ft_path(j->adapter, "adapter_model.safetensors");
        const int bad = ft_save_digest(path, &digest, &size, e);
        free(path);
        if (bad)
            return -1;
        put_digest(b, digest);
    } else {
        ft_buf_putz(b, "null");
    }
    ft_buf_putz(b, ", \"lora\": ");
    if (j->has_lora)
        put_lora(b, &j->lora);
    else
        ft_buf_putz(b, "null");
    ft_buf_putz(b, ", ");
    ft_recipe_put(&j->recipe, b);
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

int ft_job_record(const struct ft_job *j, const struct ft_identity *id, const struct ft_progress *p, struct ft_err *e)
{
    struct ft_buf b = {0};
    int64_t all, trainable;
    ft_job_parameters(j, &all, &trainable);
    ft_buf_printf(&b, "{\n  \"format\": \"tuneutils-run\",\n  \"version\": 1,\n  \"tool\": \"ft-train " FT_VERSION "\",\n  \"objective\": \"%s\"",
                  j->objective);
    ft_buf_printf(&b, ",\n  \"state\": \"%s\"", !p ? "begun" : p->stopped ? "stopped early" : "finished");
    ft_buf_putz(&b, ",\n  \"options\": ");
    ft_buf_puts(&b, j->options);
    ft_buf_putz(&b, ",\n  \"resolved\": {");
    ft_buf_puts(&b, ft_buf_str(&j->recipe.resolved));
    ft_buf_putz(&b, "\n  },\n  \"recipe\": ");
    ft_buf_puts(&b, id->recipe);
    ft_buf_printf(&b, ",\n  \"model\": {\"base\": ");
    ft_json_put_strz(&b, j->name);
    ft_buf_printf(&b, ", \"parameters\": %" PRId64 ", \"trainable\": %" PRId64 "}", all, trainable);
    put_rows(&b, "train", j->data, ft_set_info(j->set)->checksum, &j->train);
    if (j->has_eval)
        put_rows(&b, "eval", j->eval_data ? j->eval_data : j->data, ft_set_info(j->eval_set ? j->eval_set : j->set)->checksum, &j->eval);
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
    char *path = ft_path(j->out, "run.json");
    const int bad = ft_save_bytes(path, b.p, b.n, e);
    free(path);
    ft_buf_release(&b);
    return bad;
}
