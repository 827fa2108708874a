#include "trainer/sample.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/philox.h"

static int32_t greedy(const float *x, int64_t n)
{
    int64_t best = 0;

    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return (int32_t)best;
}

static int descending(const void *a, const void *b, void *logits)
{
    const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    const float x = ((const float *)logits)[i], y = ((const float *)logits)[j];

    return x > y ? -1 : x < y ? 1 : i < j ? -1 : 1;
}

int32_t ft_sample(const struct ft_sampling *s, const float *logits, int64_t vocab, int32_t *order, uint64_t record,
                  uint32_t step)
{
    const int32_t best = greedy(logits, vocab);
    const uint64_t key = ft_philox_key(s->seed, FT_FOR_SAMPLING);
    const uint32_t counter[4] = {step, (uint32_t)record, (uint32_t)(record >> 32), 0};
    int64_t n = vocab;
    uint32_t r[4];
    double sum = 0, left;

    if (!(s->temperature > 0))
        return best;
    for (int64_t i = 0; i < vocab; i++)
        order[i] = (int32_t)i;
    if ((s->top_k > 0 && s->top_k < vocab) || s->top_p < 1)
        qsort_r(order, (size_t)vocab, sizeof *order, descending, (void *)(uintptr_t)logits);
    if (s->top_k > 0 && s->top_k < n)
        n = s->top_k;
    for (int64_t i = 0; i < n; i++)
        sum += exp((logits[order[i]] - (double)logits[best]) / s->temperature);
    if (s->top_p < 1) {
        double reach = 0;
        int64_t k = 0;
        while (k < n && (k == 0 || reach < s->top_p * sum))
            reach += exp((logits[order[k++]] - (double)logits[best]) / s->temperature);
        n = k;
        sum = reach;
    }
    ft_philox(r, counter, (uint32_t)key, (uint32_t)(key >> 32));
    left = ((double)r[0] + (double)(r[1] >> 11) * 0x1p-21) * 0x1p-32 * sum;
    for (int64_t i = 0; i < n; i++) {
        left -= exp((logits[order[i]] - (double)logits[best]) / s->temperature);
        if (left < 0)
            return order[i];
    }
    return order[n - 1];
}
