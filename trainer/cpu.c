/* The CPU backend: threads, memory, kernels chosen at run time, the table. */
#include "trainer/cpu.h"

#include <cblas.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pipeline/mem.h"

/* ---- cutting work ---- */

/* Elements that make a task: tens of microseconds, well above the cost of handing one out. */
enum { TASK = 16384 };

struct rows_job {
    const struct ft_cpu *c;
    ft_rows_fn *fn;
    void *ctx;
    ft_dim rows, chunk;
};

static void rows_task(void *arg, ptrdiff_t i, int worker)
{
    const struct rows_job *j = arg;
    const ft_dim first = i * j->chunk, left = j->rows - first;

    j->fn(j->c, j->ctx, first, left < j->chunk ? left : j->chunk, worker);
}

void ft_cpu_rows(struct ft_backend *b, ft_rows_fn *fn, void *ctx, ft_dim rows, ft_dim cost)
{
    struct rows_job j = {ft_cpu(b), fn, ctx, rows, TASK / (cost > 0 ? cost : 1)};

    if (j.chunk < 1)
        j.chunk = 1;
    if (j.chunk >= rows) {
        if (rows > 0)
            fn(j.c, ctx, 0, rows, 0);
        return;
    }
    ft_team_run(j.c->team, rows_task, &j, (rows + j.chunk - 1) / j.chunk);
}

struct share_job {
    const struct ft_cpu *c;
    ft_share_fn *fn;
    void *ctx;
    ft_dim rows, chunk, width;
};

static void share_task(void *arg, ptrdiff_t i, int worker)
{
    const struct share_job *j = arg;
    const ft_dim first = i * j->chunk, left = j->rows - first;
    float *out = j->c->work + i * j->width;

    (void)worker;
    memset(out, 0, (size_t)j->width * sizeof *out);
    j->fn(j->c, j->ctx, out, first, left < j->chunk ? left : j->chunk);
}

void ft_cpu_shares(struct ft_backend *b, ft_share_fn *fn, void *ctx, float *to, ft_dim rows, ft_dim width)
{
    struct share_job j = {ft_cpu(b), fn, ctx, rows, 1, width};
    ft_dim most = CPU_WORK / width, n;

    /* At most 64 shares, as many as fit, and none below a task's worth. */
    most = most > 64 ? 64 : most;
    j.chunk = (rows + most - 1) / most;
    if (j.chunk < TASK / width)
        j.chunk = TASK / width;
    if (j.chunk < 1)
        j.chunk = 1;
    n = (rows + j.chunk - 1) / j.chunk;
    ft_team_run(j.c->team, share_task, &j, n);
    for (ft_dim i = 0; i < n; i++)
        j.c->k->axpy(to, 1, j.c->work + i * width, width);
}

/* ---- memory ---- */

void *ft_cpu_alloc(struct ft_backend *b, size_t bytes)
{
    (void)b;
    void *p = NULL;
    const size_t n = (bytes + 63) & ~(size_t)63;
    if (n < bytes || posix_memalign(&p, 64, n ? n : 64))
        return NULL;
    return memset(p, 0, n ? n : 64);
}

void ft_cpu_free(struct ft_backend *b, void *p)
{
    (void)b;
    free(p);
}

static size_t row_bytes(struct ft_tensor t) { return (size_t)t.cols * ft_dtype_size(t.dtype); }

void ft_cpu_upload(struct ft_backend *b, struct ft_tensor t, const void *host)
{
    (void)b;
    for (ft_dim r = 0; r < t.rows; r++)
        memcpy(ft_tensor_at(t, r, 0), (const char *)host + (size_t)r * row_bytes(t), row_bytes(t));
}

void ft_cpu_download(struct ft_backend *b, void *host, struct ft_tensor t)
{
    (void)b;
    for (ft_dim r = 0; r < t.rows; r++)
        memcpy((char *)host + (size_t)r * row_bytes(t), ft_tensor_at(t, r, 0), row_bytes(t));
}

void ft_cpu_zero(struct ft_backend *b, struct ft_tensor t)
{
    (void)b;
    for (ft_dim r = 0; r < t.rows; r++)
        memset(ft_tensor_at(t, r, 0), 0, row_bytes(t));
}

void ft_cpu_copy(struct ft_backend *b, struct ft_tensor out, struct ft_tensor in)
{
    (void)b;
    for (ft_dim r = 0; r < out.rows; r++)
        memcpy(ft_tensor_at(out, r, 0), ft_tensor_at(in, r, 0), row_bytes(out));
}

/* ---- opening ---- */

static const struct ft_ops cpu_ops = {
    .alloc = ft_cpu_alloc,
    .free = ft_cpu_free,
    .upload = ft_cpu_upload,
    .download = ft_cpu_download,
    .zero = ft_cpu_zero,
    .copy = ft_cpu_copy,
    .gemm = ft_cpu_gemm,
    .bias_fwd = ft_cpu_bias_fwd,
    .bias_bwd = ft_cpu_bias_bwd,
    .add = ft_cpu_add,
    .embed_fwd = ft_cpu_embed_fwd,
    .embed_bwd = ft_cpu_embed_bwd,
    .rmsnorm_fwd = ft_cpu_rmsnorm_fwd,
    .rmsnorm_bwd = ft_cpu_rmsnorm_bwd,
    .rope = ft_cpu_rope,
    .attn_fwd = ft_cpu_attn_fwd,
    .attn_bwd = ft_cpu_attn_bwd,
    .glu_fwd = ft_cpu_glu_fwd,
    .glu_bwd = ft_cpu_glu_bwd,
    .dropout = ft_cpu_dropout,
    .gather = ft_cpu_gather,
    .scatter = ft_cpu_scatter,
    .xent = ft_cpu_xent,
    .sumsq = ft_cpu_sumsq,
    .adamw = ft_cpu_adamw,
};

/* The kernels of a level, NULL when this CPU or build has none. */
static const struct ft_kernels *level(const char *isa)
{
    if (!strcmp(isa, "generic"))
        return &ft_kern_generic;
#ifdef __x86_64__
    __builtin_cpu_init();
    if (!strcmp(isa, "avx2") && __builtin_cpu_supports("avx2"))
        return &ft_kern_avx2;
    if (!strcmp(isa, "avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &ft_kern_avx512;
#endif
    return NULL;
}

static int cpus(void)
{
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

    return n < 1 ? 1 : n;
}

/* Build machines set OPENBLAS_CORETYPE=Haswell, which halves products on newer cores. */
static void note_slow(struct ft_cpu *c)
{
    const char *core = openblas_get_corename(), *forced = getenv("OPENBLAS_CORETYPE");
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    bool fits = strcmp(c->k->isa, "avx512") != 0;

    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        fits |= !strcasecmp(core, wide[i]);
    if (forced && *forced && !fits)
        snprintf(c->slow, sizeof c->slow,
                 "OPENBLAS_CORETYPE=%.30s: matrix products use the kernels of %s, not this CPU's AVX-512", forced, core);
}

int ft_backend_open(struct ft_backend *b, uint64_t threads, struct ft_err *e)
{
    const char *want = getenv("FT_ISA");
    const struct ft_kernels *k = NULL;
    const bool plain = want && !strcmp(want, "plain");

    if (threads > 1024)
        return ft_fail(e, FT_USAGE, "%llu threads are more than 1024", (unsigned long long)threads);
    if (plain)
        k = &ft_kern_generic;
    else if (want && *want)
        k = level(want);
    else if (!(k = level("avx512")) && !(k = level("avx2")))
        k = &ft_kern_generic;
    if (!k)
        return ft_fail(e, FT_USAGE, "FT_ISA is '%s': not plain, generic, avx2 or avx512, or not in this CPU", want);

    struct ft_cpu *c = ft_calloc(1, sizeof *c);
    c->k = k;
    c->team = ft_team_new(plain ? 1 : threads ? (int)threads : cpus());
    c->work = ft_malloc((size_t)CPU_WORK * sizeof *c->work); /* untouched pages cost nothing */
    c->own = ft_calloc((size_t)ft_team_size(c->team), sizeof *c->own);
    for (int i = 0; i < ft_team_size(c->team); i++)
        if (!(c->own[i] = ft_cpu_alloc(b, (size_t)CPU_OWN * sizeof *c->own[i])))
            ft_oom();
    snprintf(c->isa, sizeof c->isa, "%s", plain ? "plain" : k->isa);
    openblas_set_num_threads(1); /* the threads are ours: a tile is one call on one of them */
    snprintf(c->provider, sizeof c->provider, "%s", plain ? "plain loops" : openblas_get_config());
    if (!plain)
        note_slow(c);
    *b = (struct ft_backend){.slow = *c->slow ? c->slow : NULL, .op = plain ? &ft_plain_ops : &cpu_ops, .name = "cpu", .isa = c->isa,
                             .provider = c->provider, .self = c};
    return 0;
}

void ft_backend_close(struct ft_backend *b)
{
    struct ft_cpu *c = b->self;

    if (!c)
        return;
    for (int i = 0; i < ft_team_size(c->team); i++)
        free(c->own[i]);
    ft_team_free(c->team);
    free(c->own);
    free(c->work);
    free(c);
    *b = (struct ft_backend){0};
}

int ft_backend_ok(struct ft_backend *b, struct ft_err *e)
{
    if (b->err.code == FT_OK)
        return 0;
    ft_fail(e, b->err.code, "%s", b->err.msg);
    return -1;
}

struct ft_tensor ft_mem_tensor(struct ft_mem *m, enum ft_dtype t, ft_dim rows, ft_dim cols)
{
    struct ft_tensor x = {NULL, t, rows, cols, cols};

    m->used = (m->used + 63) & ~(size_t)63;
    if (m->base)
        x.p = m->base + m->used;
    m->used += ft_tensor_bytes(x);
    return x;
}
