#include "trainer/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/save.h"

static int put_config(const struct ft_output *o, const char *dir, struct ft_err *e)
{
    struct ft_hf_change *c = ft_calloc(o->n_changes + 2, sizeof *c);
    size_t n = o->n_changes;
    if (n)
        memcpy(c, o->changes, n * sizeof *c);
    if (!o->like) {
        /* Under the name that is there; transformers since 4.56 reads both. */
        const bool old = ft_json_get(o->config, "torch_dtype") && !ft_json_get(o->config, "dtype");
        c[n++] = (struct ft_hf_change){old ? "torch_dtype" : "dtype", FT_STR("\"float32\"")};
    }
    char *path = ft_path(dir, "config.json");
    const int r = ft_hf_write_config(path, o->config, c, n, e);
    free(path);
    free(c);
    return r;
}

int ft_output_weights(void *ctx, const char *dir, struct ft_err *e)
{
    const struct ft_output *o = ctx;
    if (o->slot >= 0)
        return ft_adapter_save(o->model, o->slot, dir, o->base, e);
    char *path = ft_path(dir, "model.safetensors");
    const int r = ft_weights_save(o->model, path, o->like, e);
    free(path);
    return r ? r : put_config(o, dir, e);
}

/* transformers' GenerationConfig.from_model_config: the token ids. */
static int put_generation(const struct ft_output *o, const char *dir, struct ft_err *e)
{
    const struct ft_config *c = ft_model_config(o->model);
    struct ft_buf b = {0};
    char *path = ft_path(dir, "generation_config.json");
    int r = 0;
    if (access(path, F_OK)) {
        ft_buf_putz(&b, "{\n  \"_from_model_config\": true");
        if (c->bos >= 0)
            ft_buf_printf(&b, ",\n  \"bos_token_id\": %" PRId32, c->bos);
        if (c->n_eos == 1)
            ft_buf_printf(&b, ",\n  \"eos_token_id\": %" PRId32, c->eos[0]);
        for (int i = 0; c->n_eos > 1 && i < c->n_eos; i++)
            ft_buf_printf(&b, "%s%" PRId32 "%s", i ? ", " : ",\n  \"eos_token_id\": [", c->eos[i], i + 1 == c->n_eos ? "]" : "");
        if (c->pad >= 0)
            ft_buf_printf(&b, ",\n  \"pad_token_id\": %" PRId32, c->pad);
        ft_buf_putz(&b, "\n}\n");
        r = ft_save_bytes(path, b.p, b.n, e);
    }
    ft_buf_release(&b);
    free(path);
    return r;
}

int ft_output_all(const struct ft_output *o, const char *dir, struct ft_err *e)
{
    struct ft_output copy = *o;
    if (o->carry && ft_hf_carry(o->carry, dir, e))
        return -1;
    if (o->slot < 0 && put_generation(o, dir, e))
        return -1;
    return ft_output_weights(&copy, dir, e);
}
