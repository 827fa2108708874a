#include "trainer/sample.h"

#include <math.h>
#include <stdbool.h>
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

/* Before: more likely, or as likely with a lower id. */
static bool before(const float *x, int32_t i, int32_t j) { return x[i] > x[j] || (x[i] == x[j] && i < j); }

static int descending(const void *a, const void *b, void *logits)
{
    const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;

    return i == j ? 0 : before(logits, i, j) ? -1 : 1;
}

/* The k most likely ids, in no order: a heap whose root is the least likely. */
static void most_likely(const float *x, int64_t n, int32_t *heap, int64_t k)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at;
        if (i < k) { /* rises */
            for (at = i; at > 0 && before(x, heap[(at - 1) / 2], (int32_t)i); at = (at - 1) / 2)
                heap[at] = heap[(at - 1) / 2];
        } else if (before(x, (int32_t)i, heap[0])) { /* takes the root's place and sinks */
            for (at = 0; 2 * at + 1 < k;) {
                int64_t c = 2 * at + 1;
                c += c + 1 < k && before(x, heap[c], heap[c + 1]);
                if (!before(x, (int32_t)i, heap[c]))
                    break;
                heap[at] = heap[c];
                at = c;
            }
        } else {
            continue;
        }
        heap[at] = (int32_t)i;
    }
}

static double weight(const struct ft_sampling *s, const float *x, int32_t i, int32_t best)
{
    return exp(((double)x[i] - x[best]) / s->temperature);
}

/* Keeps of the n ids the fewest, most likely first, whose share reaches top_p;
 * returns how many. What is below (1 - top_p) / n of the whole can not be among
 * them, so only the rest is sorted. */
static int64_t nucleus(const struct ft_sampling *s, const float *x, int32_t *ids, int64_t n, int32_t best, double *sum)
{
    const double least = (1 - s->top_p) * *sum / (double)n;
    double reach = 0;
    int64_t kept = 0, k = 0;

    for (int64_t i = 0; i < n; i++)
        if (weight(s, x, ids[i], best) >= least)
            ids[kept++] = ids[i];
    qsort_r(ids, (size_t)kept, sizeof *ids, descending, (void *)(uintptr_t)x);
    while (k < kept && (k == 0 || reach < s->top_p * *sum))
        reach += weight(s, x, ids[k++], best);
    *sum = reach;
    return k;
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
    if (s->top_k > 0 && s->top_k < vocab) {
        n = s->top_k;
        most_likely(logits, vocab, order, n);
    } else {
        for (int64_t i = 0; i < vocab; i++)
            order[i] = (int32_t)i;
    }
    for (int64_t i = 0; i < n; i++)
        sum += weight(s, logits, order[i], best);
    if (s->top_p < 1)
        n = nucleus(s, logits, order, n, best, &sum);
    ft_philox(r, counter, (uint32_t)key, (uint32_t)(key >> 32));
    left = ((double)r[0] + (double)(r[1] >> 11) * 0x1p-21) * 0x1p-32 * sum; /* 53 bits of [0, sum) */
    for (int64_t i = 0; i < n; i++) {
        left -= weight(s, logits, order[i], best);
        if (left < 0)
            return order[i];
    }
    return order[n - 1];
}
