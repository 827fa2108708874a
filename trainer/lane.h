/* lane.h -- sixteen floats at a time, the same on every CPU.
 *
 * Kernels (kern.inc) are written once over `struct lanes`: sixteen lanes made of
 * as many registers as the ISA needs (one AVX-512, two AVX2, four SSE or NEON).
 * A lane's operations and the tree of `lanes_sum` are fixed and nothing is
 * contracted to FMA, so that all ISAs give the same bits. Only for files that are
 * compiled per ISA.
 */
#ifndef FT_TRAINER_LANE_H
#define FT_TRAINER_LANE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANE_REG 16
#elif defined(__AVX2__)
#define LANE_REG 8
#else
#define LANE_REG 4
#endif
#define LANES 16
#define LANE_REGS (LANES / LANE_REG)

typedef float lane_f __attribute__((vector_size(4 * LANE_REG), may_alias));
typedef int32_t lane_i __attribute__((vector_size(4 * LANE_REG), may_alias));

struct lanes {
    lane_f r[LANE_REGS];
};

#define LANE_FN static inline __attribute__((always_inline, unused))
#define LANE_EACH for (int k = 0; k < LANE_REGS; k++)

LANE_FN struct lanes lanes_set(float x)
{
    struct lanes o;
    LANE_EACH o.r[k] = x - (lane_f){0};
    return o;
}
LANE_FN struct lanes lanes_load(const float *p)
{
    struct lanes o;
    memcpy(&o, p, sizeof o);
    return o;
}
LANE_FN void lanes_store(float *p, struct lanes a) { memcpy(p, &a, sizeof a); }
/* The first n < 16 floats, `fill` behind them. */
LANE_FN struct lanes lanes_part(const float *p, ptrdiff_t n, float fill)
{
    float t[LANES];
    for (int i = 0; i < LANES; i++)
        t[i] = fill;
    memcpy(t, p, (size_t)n * 4);
    return lanes_load(t);
}
LANE_FN void lanes_store_part(float *p, struct lanes a, ptrdiff_t n)
{
    float t[LANES];
    lanes_store(t, a);
    memcpy(p, t, (size_t)n * 4);
}
LANE_FN struct lanes lanes_add(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] += b.r[k];
    return a;
}
LANE_FN struct lanes lanes_sub(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] -= b.r[k];
    return a;
}
LANE_FN struct lanes lanes_mul(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] *= b.r[k];
    return a;
}
LANE_FN struct lanes lanes_div(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] /= b.r[k];
    return a;
}
/* a * b + c, rounded twice. */
LANE_FN struct lanes lanes_mad(struct lanes a, struct lanes b, struct lanes c) { return lanes_add(lanes_mul(a, b), c); }

/* Per lane: where the mask is all ones, a, else b. */
LANE_FN lane_f lane_pick(lane_i mask, lane_f a, lane_f b)
{
    return (lane_f)((mask & (lane_i)a) | (~mask & (lane_i)b));
}
LANE_FN struct lanes lanes_max(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] = lane_pick(a.r[k] > b.r[k], a.r[k], b.r[k]);
    return a;
}
LANE_FN struct lanes lanes_min(struct lanes a, struct lanes b)
{
    LANE_EACH a.r[k] = lane_pick(a.r[k] < b.r[k], a.r[k], b.r[k]);
    return a;
}
/* Halves folded onto each other: 8, 4, 2, 1. */
LANE_FN float lanes_sum(struct lanes a)
{
    float t[LANES];
    lanes_store(t, a);
    for (int w = LANES / 2; w; w /= 2)
        for (int i = 0; i < w; i++)
            t[i] += t[i + w];
    return t[0];
}
LANE_FN float lanes_top(struct lanes a)
{
    float t[LANES];
    lanes_store(t, a);
    for (int w = LANES / 2; w; w /= 2)
        for (int i = 0; i < w; i++)
            t[i] = t[i] > t[i + w] ? t[i] : t[i + w];
    return t[0];
}

/* e^x within 2 units in the last place; 0 below -87, and never above e^88. By
 * x = n ln 2 + r, |r| <= ln 2 / 2 (ln 2 in two parts, so that n ln 2 is exact
 * enough), and the Taylor series of e^r up to r^7. */
LANE_FN struct lanes lanes_exp(struct lanes x)
{
    LANE_EACH {
        const lane_f zero = {0};
        lane_f v = lane_pick(x.r[k] > 88.0f - zero, 88.0f - zero, x.r[k]);
        const lane_i tiny = v < -87.0f - zero;
        v = lane_pick(tiny, zero, v);
        const lane_f big = 12582912.0f - zero; /* 1.5 * 2^23: adding it rounds to an integer */
        const lane_f t = v * 1.44269504f + big;
        const lane_f n = t - big;
        const lane_f r = v - n * 0.693359375f - n * -2.12194440e-4f;
        lane_f p = r * (1 / 5040.0f) + 1 / 720.0f;
        p = p * r + 1 / 120.0f;
        p = p * r + 1 / 24.0f;
        p = p * r + 1 / 6.0f;
        p = p * r + 0.5f;
        p = p * (r * r) + r + 1.0f;
        const lane_i e = ((lane_i)t - (lane_i)big + 127) << 23; /* 2^n */
        x.r[k] = lane_pick(tiny, zero, p * (lane_f)e);
    }
    return x;
}

#endif
