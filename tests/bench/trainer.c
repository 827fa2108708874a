/* The pace of training steps on a model of given sizes with random weights and
 * tokens: forward, backward, clipping, AdamW. Used by trainer.py, which sets it
 * beside PyTorch.
 *
 *     trainer full|lora HIDDEN LAYERS HEADS KV_HEADS FF VOCAB DOCUMENTS LENGTH STEPS THREADS
 *
 * Prints one line: best and mean wall milliseconds of a step, best milliseconds
 * on the CPU (of all threads), the last loss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "pipeline/mem.h"
#include "trainer/adamw.h"

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int fail(const struct ft_err *e)
{
    fprintf(stderr, "trainer: %s\n", e->msg);
    return 1;
}

int main(int argc, char **argv)
{
    struct ft_config c;
    struct ft_err e = {0};
    struct ft_backend b;
    struct ft_model *m;
    struct ft_optim o;
    int slot = -1;

    if (argc != 12)
        return 2;
    const int64_t docs = atoll(argv[8]), length = atoll(argv[9]), steps = atoll(argv[10]), T = docs * length;
    ft_config_default(&c);
    c.hidden = atoll(argv[2]);
    c.layers = atoll(argv[3]);
    c.heads = atoll(argv[4]);
    c.kv_heads = atoll(argv[5]);
    c.head_dim = c.hidden / c.heads;
    c.intermediate = atoll(argv[6]);
    c.vocab = atoll(argv[7]);
    c.tied = true;
    if (ft_backend_open(&b, (uint64_t)atoll(argv[11]), &e) || ft_model_new(&b, &c, &m, &e))
        return fail(&e);
    if (!strcmp(argv[1], "lora")) {
        static const char *all[] = {"all-linear"};
        struct ft_lora_config l = FT_LORA_DEFAULTS;
        l.targets = (struct ft_list){all, 1};
        if (ft_model_add_lora(m, &l, &slot, &e))
            return fail(&e);
    } else {
        ft_model_train_base(m);
    }
    ft_model_init(m, 1);
    if (slot >= 0)
        ft_model_init_lora(m, slot, 1);
    if (ft_model_reserve(m, &(struct ft_plan){.tokens = T, .train = true}, &e) || ft_optim_init(&o, &b, m, &e))
        return fail(&e);
    o.beta1 = 0.9, o.beta2 = 0.999, o.eps = 1e-8, o.max_norm = 1;

    int32_t *tokens = ft_calloc((size_t)T, 4), *targets = ft_calloc((size_t)T, 4), *positions = ft_calloc((size_t)T, 4),
            *segment = ft_calloc((size_t)docs + 1, 4);
    for (int64_t t = 0; t < T; t++)
        tokens[t] = (int32_t)((uint64_t)t * 2654435761u % (uint64_t)c.vocab);
    for (int64_t t = 0; t < T; t++) {
        positions[t] = (int32_t)(t % length);
        targets[t] = positions[t] == length - 1 ? FT_NO_TARGET : tokens[t + 1];
    }
    for (int64_t i = 0; i <= docs; i++)
        segment[i] = (int32_t)(i * length);
    const struct ft_batch batch = {.n = T, .tokens = tokens, .targets = targets, .positions = positions, .segments = docs,
                                   .segment = segment};
    double best = 1e30, sum = 0, work = 1e30;
    struct ft_loss loss = {0};
    for (int64_t i = -2; i < steps; i++) { /* two to warm up */
        const double w0 = wall(), c0 = cpu();
        ft_model_zero_grad(m);
        if (ft_model_train(m, &batch, 1.0 / (double)(docs * (length - 1)), &loss, &e) ||
            ft_optim_step(&o, 1e-4, ft_optim_norm(&o), &e))
            return fail(&e);
        if (i < 0)
            continue;
        best = wall() - w0 < best ? wall() - w0 : best;
        sum += wall() - w0;
        work = cpu() - c0 < work ? cpu() - c0 : work;
    }
    printf("%.3f %.3f %.3f %.6f %s %s\n", best, sum / (double)steps, work, loss.nll / (double)loss.count, b.isa,
           b.provider);
    ft_optim_release(&o);
    ft_model_free(m);
    ft_backend_close(&b);
    free(tokens);
    free(targets);
    free(positions);
    free(segment);
    return 0;
}
