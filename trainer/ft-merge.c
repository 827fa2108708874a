/* ft-merge -- an adapter into its base: a folder that stands alone. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trainer/output.h"
#include "trainer/save.h"

int main(int argc, char **argv)
{
    const char *model = NULL, *adapter = NULL, *out = NULL;
    bool force = false;
    int dtype = 0;
    uint64_t threads = 0;
    const struct ft_opt opts[] = {
        {'m', "model", FT_OPT_STR, &model, "BASE", "model folder, or org/name in the hub cache", NULL},
        {0, "adapter", FT_OPT_STR, &adapter, "DIR", "PEFT adapter", NULL},
        {'o', "output-dir", FT_OPT_STR, &out, "OUT", "folder of the merged model", NULL},
        {0, "dtype", FT_OPT_CHOICE, &dtype, "auto|float32", "auto: the types that the base has", NULL},
        {0, "force", FT_OPT_FLAG, &force, NULL, "replace a model in OUT", NULL},
        {'j', "jobs", FT_OPT_SIZE, &threads, "N", "threads; every CPU allowed when absent", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-merge", "Merge an adapter into its base.", "-m BASE --adapter DIR -o OUT [options]", opts, NULL,
        "W + s B A is computed in float32 and rounded once, to the nearest. Tokenizer, chat template and generation config come\n"
        "along: those of the adapter's folder, else the base's."};
    struct ft_base base = {0};
    struct ft_backend backend = {0};
    struct ft_model *m = NULL;
    struct ft_err e = {0};
    size_t n;
    int slot, bad = -1;

    ft_cli(&tool, argc, argv, &n);
    if (n || !model || !adapter || !out)
        ft_usage(&tool, n ? "no operands are taken" : !model ? "no model: '-m'" : !adapter ? "no adapter: '--adapter'" : "no folder: '-o'");
    char *config = ft_path(out, "config.json"), *weights = ft_path(out, "model.safetensors");
    if (!force && (!access(config, F_OK) || !access(weights, F_OK)))
        ft_fail(&e, FT_DATA, "'%s' holds a model ('--force' replaces it)", out);
    free(config);
    free(weights);
    if (e.code || ft_base_open(&base, model, &e) || ft_save_distinct(out, base.dir, &e) || ft_save_distinct(out, adapter, &e) ||
        ft_backend_open(&backend, threads, &e) ||
        ft_base_model(&base, &backend, adapter, true, &m, &slot, &e) || ft_model_merge(m, slot, &e) || ft_save_folder(out, &e))
        goto out;
    const struct ft_hf_change untied = {"tie_word_embeddings", FT_STR("false")};
    const struct ft_output output = {.model = m, .slot = -1, .config = &base.tree, .changes = &untied, .n_changes = base.untied,
                                     .like = dtype == 0 ? base.weights : NULL};
    /* First the base's files, then over them what the adapter's folder has of its own. */
    bad = ft_hf_carry(base.dir, out, &e) || ft_hf_carry(adapter, out, &e) || ft_output_all(&output, out, &e);
out:
    ft_model_free(m);
    if (backend.op)
        ft_backend_close(&backend);
    ft_base_close(&base);
    if (bad)
        ft_die(&tool, &e);
    return 0;
}
