/* Matrix products: a grid of tiles that depends on the shape alone, each tile
 * one single-threaded call of the provider; long inner dimensions of small
 * outputs are cut too and their parts added in order. */
#include <cblas.h>
#include <string.h>

#include "trainer/cpu.h"

enum {
    TILE_M = 256,
    TILE_N = 512,
    TILES = 16,        /* enough for the cores of a common machine */
    SPLIT = 256,       /* shortest part of a cut inner dimension */
    SMALL = 1 << 18,   /* multiply-adds below which a second thread does not pay */
};

struct job {
    const struct ft_cpu *c;
    struct ft_tensor out, a, b;
    float alpha, beta;
    bool ta, tb;
    ft_dim k;                 /* inner */
    ft_dim bm, bn, bk;        /* of a tile */
    ft_dim tm, tn, tk;        /* tiles */
    ft_dim m, n;
};

static ft_dim part(ft_dim i, ft_dim size, ft_dim total) { return total - i * size < size ? total - i * size : size; }

static void tile(void *arg, ptrdiff_t at, int worker)
{
    const struct job *j = arg;
    const ft_dim ik = at % j->tk, in = at / j->tk % j->tn, im = at / j->tk / j->tn;
    const ft_dim m0 = im * j->bm, n0 = in * j->bn, k0 = ik * j->bk;
    const ft_dim m = part(im, j->bm, j->m), n = part(in, j->bn, j->n), k = part(ik, j->bk, j->k);
    const float *a = ft_tensor_at(j->a, j->ta ? k0 : m0, j->ta ? m0 : k0);
    const float *b = ft_tensor_at(j->b, j->tb ? n0 : k0, j->tb ? k0 : n0);
    float *out = ft_tensor_at(j->out, m0, n0), beta = j->beta;
    ft_dim ldo = j->out.stride;

    (void)worker;
    if (j->tk > 1) { /* a share: added up below */
        out = j->c->work + (ik * j->m + m0) * j->n + n0;
        ldo = j->n;
        beta = 0;
    }
    if (j->m <= FT_THIN && !j->ta && j->tb) {
        j->c->k->thin(out, ldo, j->alpha, a, j->a.stride, b, j->b.stride, beta, m, n, k);
        return;
    }
    cblas_sgemm(CblasRowMajor, j->ta ? CblasTrans : CblasNoTrans, j->tb ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, j->alpha, a, (blasint)j->a.stride, b, (blasint)j->b.stride, beta, out,
                (blasint)ldo);
}

static void collect(const struct ft_cpu *c, void *arg, ft_dim first, ft_dim rows, int worker)
{
    const struct job *j = arg;

    (void)worker;
    for (ft_dim r = first; r < first + rows; r++) {
        float *out = ft_tensor_at(j->out, r, 0);
        if (j->beta == 0)
            memset(out, 0, (size_t)j->n * sizeof *out);
        for (ft_dim i = 0; i < j->tk; i++)
            c->k->axpy(out, 1, c->work + (i * j->m + r) * j->n, j->n);
    }
}

void ft_cpu_gemm(struct ft_backend *be, struct ft_tensor out, float alpha, struct ft_tensor a, bool ta,
                 struct ft_tensor b, bool tb, float beta)
{
    struct job j = {.c = ft_cpu(be), .out = out, .a = a, .b = b, .alpha = alpha, .beta = beta, .ta = ta, .tb = tb,
                    .m = out.rows, .n = out.cols, .k = ta ? a.rows : a.cols};

    if (!j.m || !j.n)
        return;
    j.bm = j.m < TILE_M ? j.m : TILE_M;
    j.bn = j.n < TILE_N ? j.n : TILE_N;
    j.bk = j.k;
    if (j.m <= FT_THIN && j.n > 64) /* bound by memory: spread w over the cores */
        j.bn = j.n > TILES * 64 ? (j.n / TILES + 15) / 16 * 16 : 64;
    j.tm = (j.m + j.bm - 1) / j.bm;
    j.tn = (j.n + j.bn - 1) / j.bn;
    j.tk = 1;
    if (j.tm * j.tn < TILES / 2 && j.k >= 2 * SPLIT && (beta == 0 || beta == 1) && j.m > FT_THIN) {
        ft_dim parts = TILES / 2 / (j.tm * j.tn);
        if (parts > j.k / SPLIT)
            parts = j.k / SPLIT;
        if (parts > CPU_WORK / (j.m * j.n))
            parts = CPU_WORK / (j.m * j.n);
        if (parts > 1) {
            j.bk = (j.k + parts - 1) / parts;
            j.tk = (j.k + j.bk - 1) / j.bk;
        }
    }
    const ft_dim tiles = j.tm * j.tn * j.tk;
    if (tiles == 1 || j.m * j.n * j.k < SMALL)
        for (ft_dim i = 0; i < tiles; i++)
            tile(&j, i, 0);
    else
        ft_team_run(j.c->team, tile, &j, tiles);
    if (j.tk > 1)
        ft_cpu_rows(be, collect, &j, j.m, j.n * j.tk);
}
