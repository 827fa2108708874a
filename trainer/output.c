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

static void put_ends(const struct ft_config *c, struct ft_buf *b)
{
    for (int i = 0; i < c->n_eos; i++)
        ft_buf_printf(b, "%s%" PRId32, i ? ", " : c->n_eos > 1 ? "[" : "", c->eos[i]);
    if (c->n_eos > 1)
        ft_buf_putc(b, ']');
}

/* The end tokens into the file that is there, the rest as it is. */
static int change_generation(const struct ft_output *o, const char *path, struct ft_err *e)
{
    struct ft_arena mem = {0};
    struct ft_buf b = {0};
    struct ft_json j;
    int r = ft_json_load(path, &mem, &j, e);
    if (!r && j.type != FT_JSON_OBJECT)
        r = ft_fail(e, FT_DATA, "%s: no object", path);
    if (!r) {
        put_ends(ft_model_config(o->model), &b);
        const struct ft_hf_change ends = {"eos_token_id", ft_buf_str(&b)};
        r = ft_hf_write_config(path, &j, &ends, 1, e);
    }
    ft_buf_release(&b);
    ft_arena_release(&mem);
    return r;
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
        if (c->n_eos) {
            ft_buf_putz(&b, ",\n  \"eos_token_id\": ");
            put_ends(c, &b);
        }
        if (c->pad >= 0)
            ft_buf_printf(&b, ",\n  \"pad_token_id\": %" PRId32, c->pad);
        ft_buf_putz(&b, "\n}\n");
        r = ft_save_bytes(path, b.p, b.n, e);
    } else if (o->ends) {
        r = change_generation(o, path, e);
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
    if ((o->slot < 0 || o->ends) && put_generation(o, dir, e))
        return -1;
    return ft_output_weights(&copy, dir, e);
}
