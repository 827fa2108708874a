#include "trainer/evaluate.h"

int ft_evaluate(struct ft_model *m, struct ft_rows *rows, uint64_t batch_rows, struct ft_feed *feed, struct ft_evaluation *v,
                struct ft_err *e)
{
    double batches = 0;
    *v = (struct ft_evaluation){0};
    for (uint64_t i = 0; i < rows->n;) {
        struct ft_loss loss;
        uint64_t k = 0;
        ft_feed_start(feed);
        for (; k < batch_rows && i < rows->n; k++, i++)
            if (ft_feed_add(feed, rows, rows->row[i], 0, e))
                return -1;
        ft_feed_end(feed);
        if (ft_model_score(m, &feed->batch, NULL, &loss, e))
            return -1;
        v->sum.nll += loss.nll;
        v->sum.entropy += loss.entropy;
        v->sum.count += loss.count;
        v->sum.greedy += loss.greedy;
        v->tokens += feed->batch.n;
        /* A batch without a target has loss 0, as TRL's. */
        const double n = loss.count ? (double)loss.count : 1;
        v->row_loss += loss.nll / n * (double)k;
        v->batch_entropy += loss.entropy / n;
        v->batch_accuracy += (double)loss.greedy / n;
        batches++;
    }
    if (rows->n) {
        v->row_loss /= (double)rows->n;
        v->batch_entropy /= batches;
        v->batch_accuracy /= batches;
    }
    return 0;
}
