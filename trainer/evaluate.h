/* evaluate.h -- the loss of a model on rows. */
#ifndef FT_TRAINER_EVALUATE_H
#define FT_TRAINER_EVALUATE_H

#include "trainer/rows.h"

struct ft_evaluation {
    struct ft_loss sum;   /* over all targets */
    int64_t tokens;       /* run through the model */
    /* The Trainer's eval_loss: the mean over rows of their batch's mean loss, so
     * that it depends on batches; and means of the batches' means. */
    double row_loss, batch_entropy, batch_accuracy;
};

/* Mean loss in nats a target. */
static inline double ft_evaluation_loss(const struct ft_evaluation *v)
{
    return v->sum.count ? v->sum.nll / (double)v->sum.count : 0;
}

/* Runs the rows in order, `batch_rows` at a time; the model is reserved for them. */
int ft_evaluate(struct ft_model *m, struct ft_rows *rows, uint64_t batch_rows, struct ft_feed *feed, struct ft_evaluation *out,
                struct ft_err *e);

#endif
