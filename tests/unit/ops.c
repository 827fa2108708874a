/* Each operator at sizes that are cut into several tasks, tiles and blocks,
 * against its plain definition; on one thread and on five, which changes no bit,
 * nor does the kernels' level. */
#include "pipeline/hash.h"
#include "tests/unit/test.h"
#include "trainer/ops.h"

/* A fixed pattern without structure that a mistake could hide in. */
static float noise(uint32_t i)
{
    i = (i ^ 61) ^ (i >> 16);
    i *= 9;
    i ^= i >> 4;
    i *= 0x27d4eb2du;
    return (float)(i ^ i >> 15) * 0x1p-31f - 1;
}

struct pair {
    struct ft_tensor a, b; /* for the definition, for the kernels */
};

static struct pair keep[32];
static int kept;

/* Two equal matrices, wider in memory than they look. */
static struct pair matrix(ft_dim rows, ft_dim cols)
{
    const ft_dim stride = cols + 3;
    struct pair p;
    float *x[2];

    for (int k = 0; k < 2; k++) {
        x[k] = malloc((size_t)(rows * stride) * sizeof(float));
        for (ft_dim i = 0; i < rows * stride; i++)
            x[k][i] = noise((uint32_t)i + 7919u * (uint32_t)kept);
    }
    p.a = ft_cols(ft_matrix(x[0], rows, stride), 0, cols);
    p.b = ft_cols(ft_matrix(x[1], rows, stride), 0, cols);
    keep[kept++] = p;
    return p;
}

/* Contiguous: what operators index as a list. */
static struct pair list(ft_dim rows, ft_dim cols)
{
    struct pair p = matrix(rows, cols);
    p.a.stride = p.b.stride = cols;
    return p;
}

static struct ft_tensor ids(const int32_t *x, ft_dim n) { return (struct ft_tensor){(void *)(uintptr_t)x, FT_I32, 1, n, n}; }

static void release(void)
{
    while (kept) {
        kept--;
        free(keep[kept].a.p);
        free(keep[kept].b.p);
    }
}

/* Of all bytes that the kernels gave: the same for every level and any number of threads. */
static uint64_t digest;

static void agree(const char *what, struct pair p, double tolerance)
{
    double worst = 0;
    ft_dim at = 0;

    for (ft_dim r = 0; r < p.b.rows; r++)
        digest = digest * 0x9E3779B97F4A7C15u + ft_hash64(ft_tensor_at(p.b, r, 0), (size_t)p.b.cols * sizeof(float));

    for (ft_dim r = 0; r < p.a.rows; r++)
        for (ft_dim c = 0; c < p.a.stride && r * p.a.stride + c < p.a.rows * p.a.stride; c++) {
            const double d = fabs((double)*(float *)ft_tensor_at(p.a, r, c) - *(float *)ft_tensor_at(p.b, r, c));
            if (!(d <= worst)) {
                worst = d;
                at = r * p.a.stride + c;
            }
        }
    if (!(worst <= tolerance))
        TEST_FAILED("%s: off by %g at row %td, column %td", what, worst, at / p.a.stride, at % p.a.stride);
}

static struct ft_backend plain, fast;

/* Runs `body` for every level that this CPU has, on one thread and on five. */
static void each(void (*body)(void))
{
    static const char *const isas[] = {"generic", "avx2", "avx512"};
    struct ft_err e = {0};
    uint64_t first = 0;

    setenv("FT_ISA", "plain", 1);
    REQUIRE(ft_backend_open(&plain, 1, &e) == 0);
    for (size_t i = 0; i < 3; i++)
        for (int threads = 1; threads <= 5; threads += 4) {
            setenv("FT_ISA", isas[i], 1);
            if (ft_backend_open(&fast, (uint64_t)threads, &e))
                continue;
            const int before = test_failures;
            digest = 1;
            body();
            first = first ? first : digest;
            CHECK(digest == first);
            if (test_failures > before)
                printf("  (%s, %d threads)\n", isas[i], threads);
            release();
            ft_backend_close(&fast);
        }
    ft_backend_close(&plain);
}

#define BOTH(call_a, call_b) (plain.op->call_a, fast.op->call_b)

static void products(void)
{
    static const ft_dim shapes[][3] = {
        {1, 1, 1}, {3, 5, 700}, {16, 300, 70}, {17, 90, 33}, {300, 530, 40}, {40, 70, 1100}, {12, 40, 2050}, {600, 20, 9}, {300, 20, 1100},
    };

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int t = 0; t < 4; t++)
            for (int add = 0; add < 2; add++) {
                const ft_dim M = shapes[s][0], N = shapes[s][1], K = shapes[s][2];
                char what[80];
                struct pair out = matrix(M, N), a = t & 1 ? matrix(K, M) : matrix(M, K), b = t & 2 ? matrix(N, K) : matrix(K, N);
                BOTH(gemm(&plain, out.a, 0.5f, a.a, t & 1, b.a, t & 2, (float)add),
                     gemm(&fast, out.b, 0.5f, a.b, t & 1, b.b, t & 2, (float)add));
                snprintf(what, sizeof what, "gemm %td x %td x %td, %d, %d", M, N, K, t, add);
                agree(what, out, 1e-4);
                release();
            }
}
TEST(products_of_all_shapes) { each(products); }

/* Rows of up to FT_THIN depend on themselves alone: generate.h counts on it. */
static void thin(void)
{
    struct pair one = matrix(1, 130), many = matrix(FT_THIN, 130), a = matrix(FT_THIN, 77), b = matrix(130, 77);

    for (ft_dim m = 1; m <= FT_THIN; m++) {
        fast.op->gemm(&fast, ft_rows(many.b, 0, m), 1, ft_rows(a.b, 0, m), false, b.b, true, 0);
        for (ft_dim r = 0; r < m; r++) {
            fast.op->gemm(&fast, one.b, 1, ft_rows(a.b, r, 1), false, b.b, true, 0);
            CHECK(!memcmp(one.b.p, ft_tensor_at(many.b, r, 0), 130 * sizeof(float)));
        }
    }
}
TEST(a_row_of_a_thin_product_does_not_depend_on_its_neighbours) { each(thin); }

static void rows(void)
{
    enum { T = 1500, C = 37 };
    struct pair x = matrix(T, C), y = matrix(T, C), bias = list(1, C), table = matrix(50, C), dtable = matrix(50, C);
    int32_t id[T], perm[T];

    for (int t = 0; t < T; t++) {
        id[t] = (int32_t)((uint32_t)t * 2654435761u % 50);
        perm[t] = (t * 7) % T; /* 7 and 1500 have no common factor */
    }
    BOTH(bias_fwd(&plain, x.a, bias.a), bias_fwd(&fast, x.b, bias.b));
    agree("bias_fwd", x, 0);
    BOTH(bias_bwd(&plain, bias.a, x.a), bias_bwd(&fast, bias.b, x.b));
    agree("bias_bwd", bias, 2e-3);
    BOTH(add(&plain, x.a, 0.3f, y.a), add(&fast, x.b, 0.3f, y.b));
    agree("add", x, 1e-6);
    BOTH(embed_fwd(&plain, x.a, table.a, ids(id, T)), embed_fwd(&fast, x.b, table.b, ids(id, T)));
    agree("embed_fwd", x, 0);
    BOTH(embed_bwd(&plain, dtable.a, y.a, ids(id, T)), embed_bwd(&fast, dtable.b, y.b, ids(id, T)));
    agree("embed_bwd", dtable, 0);
    BOTH(gather(&plain, x.a, y.a, ids(perm, T)), gather(&fast, x.b, y.b, ids(perm, T)));
    agree("gather", x, 0);
    BOTH(scatter(&plain, y.a, x.a, ids(perm, T)), scatter(&fast, y.b, x.b, ids(perm, T)));
    agree("scatter", y, 0);
}
TEST(operators_that_move_and_add_rows) { each(rows); }

static void norms(void)
{
    static const ft_dim widths[][2] = {{1, 37}, {4, 8}, {3, 150}};

    for (int k = 0; k < 3; k++) {
        enum { T = 900 };
        const ft_dim groups = widths[k][0], C = widths[k][1];
        struct pair x = matrix(T, groups * C), more = matrix(T, groups * C), out = matrix(T, groups * C), w = list(1, C),
                    rstd = list(T, groups), dx = matrix(T, groups * C), dw = list(1, C);
        BOTH(rmsnorm_fwd(&plain, out.a, rstd.a, x.a, more.a, w.a, 1e-5f, groups),
             rmsnorm_fwd(&fast, out.b, rstd.b, x.b, more.b, w.b, 1e-5f, groups));
        agree("rmsnorm_fwd", out, 1e-5);
        agree("rmsnorm_fwd x", x, 0);
        agree("rmsnorm_fwd rstd", rstd, 1e-5);
        BOTH(rmsnorm_bwd(&plain, dx.a, dw.a, more.a, x.a, w.a, rstd.a, groups),
             rmsnorm_bwd(&fast, dx.b, dw.b, more.b, x.b, w.b, rstd.b, groups));
        agree("rmsnorm_bwd dx", dx, 2e-5);
        agree("rmsnorm_bwd dw", dw, 2e-3);
        const struct ft_tensor none = {0};
        BOTH(rmsnorm_bwd(&plain, more.a, none, more.a, x.a, w.a, rstd.a, groups),
             rmsnorm_bwd(&fast, more.b, none, more.b, x.b, w.b, rstd.b, groups));
        agree("rmsnorm_bwd in place", more, 2e-5);
        release();
    }
}
TEST(norms_of_whole_rows_and_of_heads) { each(norms); }

static void layers(void)
{
    enum { T = 700, F = 53, HEADS = 3, D = 10 };
    struct pair gu = matrix(T, 2 * F), out = matrix(T, F), dgu = matrix(T, 2 * F), x = matrix(T, HEADS * D), table = list(90, D);
    int32_t pos[T];

    for (ft_dim r = 0; r < T; r++) /* up to +-60: both ends of the exponential */
        for (ft_dim c = 0; c < 2 * F; c++) {
            const float v = 60 * powf(*(float *)ft_tensor_at(gu.a, r, c), 5);
            *(float *)ft_tensor_at(gu.a, r, c) = *(float *)ft_tensor_at(gu.b, r, c) = v;
        }
    for (int act = FT_ACT_SILU; act <= FT_ACT_GELU; act++) {
        BOTH(glu_fwd(&plain, out.a, gu.a, (enum ft_act)act), glu_fwd(&fast, out.b, gu.b, (enum ft_act)act));
        agree("glu_fwd", out, 1e-3);
        BOTH(glu_bwd(&plain, dgu.a, out.a, gu.a, (enum ft_act)act), glu_bwd(&fast, dgu.b, out.a, gu.b, (enum ft_act)act));
        agree("glu_bwd", dgu, 0.2); /* values to 60^3 */
    }
    for (int t = 0; t < T; t++)
        pos[t] = t % 90;
    BOTH(rope(&plain, x.a, table.a, ids(pos, T), HEADS, false), rope(&fast, x.b, table.b, ids(pos, T), HEADS, false));
    agree("rope", x, 1e-6);
    BOTH(rope(&plain, x.a, table.a, ids(pos, T), HEADS, true), rope(&fast, x.b, table.b, ids(pos, T), HEADS, true));
    agree("rope back", x, 1e-6);
}
TEST(gated_units_and_rotary_positions) { each(layers); }

static void attention(void)
{
    enum { T = 760, H = 4, K = 2, D = 6 };
    static const ft_dim windows[] = {0, 5, 600};

    for (int k = 0; k < 3; k++) {
        struct pair qkv = matrix(T, (H + 2 * K) * D), d = matrix(T, (H + 2 * K) * D), o = matrix(T, H * D), lse = list(T, H),
                    dout = matrix(T, H * D);
        const ft_dim bounds[] = {0, 640, 641, 705, 760}, cached[] = {0, 603, 90};
        struct ft_attn_seg seg[2][4];
        struct ft_attn a[2];
        for (int side = 0; side < 2; side++) {
            const struct ft_tensor x = side ? qkv.b : qkv.a, dx = side ? d.b : d.a;
            for (int s = 0; s < 4; s++)
                seg[side][s] = (struct ft_attn_seg){
                    .q = bounds[s], .n = bounds[s + 1] - bounds[s], .nk = bounds[s + 1] - bounds[s],
                    .k = ft_tensor_at(x, bounds[s], H * D), .v = ft_tensor_at(x, bounds[s], (H + K) * D),
                    .dk = ft_tensor_at(dx, bounds[s], H * D), .dv = ft_tensor_at(dx, bounds[s], (H + K) * D),
                    .stride = x.stride, .dstride = dx.stride};
            /* The second and third continue a cache: the keys before them, of which there are these. */
            for (int s = 1; s < 3; s++) {
                seg[side][s].k = ft_tensor_at(x, bounds[s] - cached[s], H * D);
                seg[side][s].v = ft_tensor_at(x, bounds[s] - cached[s], (H + K) * D);
                seg[side][s].nk += cached[s];
            }
            a[side] = (struct ft_attn){.heads = H, .kv_heads = K, .dim = D, .scale = 0.9f, .window = windows[k],
                                       .seg = seg[side], .segs = 4};
        }
        BOTH(attn_fwd(&plain, o.a, lse.a, ft_cols(qkv.a, 0, H * D), &a[0]),
             attn_fwd(&fast, o.b, lse.b, ft_cols(qkv.b, 0, H * D), &a[1]));
        agree("attn_fwd", o, 1e-5);
        agree("attn_fwd lse", lse, 1e-5);
        for (int side = 0; side < 2; side++) /* training has no cache */
            for (int s = 1; s < 3; s++) {
                seg[side][s].k = ft_tensor_at(side ? qkv.b : qkv.a, bounds[s], H * D);
                seg[side][s].v = ft_tensor_at(side ? qkv.b : qkv.a, bounds[s], (H + K) * D);
                seg[side][s].nk -= cached[s];
            }
        BOTH(attn_fwd(&plain, o.a, lse.a, ft_cols(qkv.a, 0, H * D), &a[0]),
             attn_fwd(&fast, o.b, lse.b, ft_cols(qkv.b, 0, H * D), &a[1]));
        BOTH(attn_bwd(&plain, ft_cols(d.a, 0, H * D), dout.a, o.a, lse.a, ft_cols(qkv.a, 0, H * D), &a[0]),
             attn_bwd(&fast, ft_cols(d.b, 0, H * D), dout.b, o.b, lse.b, ft_cols(qkv.b, 0, H * D), &a[1]));
        agree("attn_bwd", d, 5e-5);
        release();
    }
}
TEST(attention_over_several_blocks_of_keys_and_queries) { each(attention); }

static void cross_entropy(void)
{
    enum { N = 40, V = 2501 };
    struct pair logits = matrix(N, V), score = list(N, 4), dlogp = list(1, N);
    int32_t target[N];

    for (int i = 0; i < N; i++) {
        target[i] = i * 61 % V;
        for (int side = 0; side < 2; side++) {
            const struct ft_tensor x = side ? logits.b : logits.a;
            for (int v = 0; v < V; v++)
                *(float *)ft_tensor_at(x, i, v) *= (float)i; /* from flat to sharp */
            if (i % 3 == 1) { /* the maximum, but for one before it that comes near */
                *(float *)ft_tensor_at(x, i, target[i]) = 100;
                *(float *)ft_tensor_at(x, i, 0) = 99.5f;
            }
            if (i % 3 == 0) /* the maximum, twice: the first counts */
                *(float *)ft_tensor_at(x, i, target[i]) = *(float *)ft_tensor_at(x, i, (i % 2 ? target[i] + 9 : 3 * i / 4)) = 100;
        }
    }
    const struct ft_tensor none = {0};
    BOTH(xent(&plain, score.a, logits.a, ids(target, N), none), xent(&fast, score.b, logits.b, ids(target, N), none));
    agree("xent", score, 2e-5);
    agree("xent leaves logits", logits, 0);
    BOTH(xent(&plain, score.a, logits.a, ids(target, N), dlogp.a), xent(&fast, score.b, logits.b, ids(target, N), dlogp.b));
    agree("xent", score, 2e-5);
    agree("xent gradient", logits, 2e-6);
}
TEST(cross_entropy_of_flat_and_sharp_distributions) { each(cross_entropy); }

static void optimizer(void)
{
    enum { N = 20011 };
    struct pair w = list(1, N), m = list(1, N), v = list(1, N), g = list(1, N);
    const struct ft_adamw c = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.1, .t = 3, .grad_scale = 0.7};

    for (int i = 0; i < N; i++)
        ((float *)v.a.p)[i] = ((float *)v.b.p)[i] = fabsf(((float *)v.a.p)[i]);
    CHECK_NEAR(fast.op->sumsq(&fast, g.b), plain.op->sumsq(&plain, g.a), 1e-9);
    BOTH(adamw(&plain, w.a, m.a, v.a, g.a, &c), adamw(&fast, w.b, m.b, v.b, g.b, &c));
    agree("adamw", w, 1e-5);
    agree("adamw m", m, 1e-6);
    agree("adamw v", v, 1e-6);
}
TEST(adamw_and_the_norm_of_a_gradient) { each(optimizer); }

static void dropping(void)
{
    enum { T = 300, C = 90 };
    struct pair x = matrix(T, C), out = matrix(T, C);
    int32_t keys[4 * T], zeros = 0;
    const struct ft_drop d = {.p = 0.3f, .seed = 5, .purpose = 2, .step = 9};

    for (int t = 0; t < T; t++) {
        keys[4 * t] = t / 100;
        keys[4 * t + 1] = 0;
        keys[4 * t + 2] = t % 100;
        keys[4 * t + 3] = 0;
    }
    struct ft_tensor k = {keys, FT_I32, T, 4, 4};
    BOTH(dropout(&plain, out.a, x.a, k, &d, false), dropout(&fast, out.b, x.b, k, &d, false));
    agree("dropout", out, 0);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < C; c++) {
            const float v = *(float *)ft_tensor_at(out.b, t, c), w = *(float *)ft_tensor_at(x.b, t, c);
            zeros += v == 0;
            CHECK(v == 0 || fabsf(v * 0.7f - w) < 1e-6f);
        }
    CHECK_NEAR(zeros / (double)(T * C), 0.3, 0.01);
}
TEST(dropout_keeps_its_share_and_scales_the_rest) { each(dropping); }
