#include "pipeline/fit.h"

#include <inttypes.h>

#include "pipeline/doc_read.h"
#include "pipeline/plan.h"

/* Its length as a row has to hold it. */
static uint32_t row_tokens(const struct ft_doc *d)
{
    const uint32_t rejected = d->n - d->prompt - d->chosen;
    if (d->kind != FT_DOC_PREFERENCE)
        return d->n;
    return d->prompt + (d->chosen > rejected ? d->chosen : rejected);
}

int ft_fit(struct ft_fit *f, struct ft_doc *d, struct ft_err *e)
{
    const uint32_t n = row_tokens(d);
    const bool pair = d->kind == FT_DOC_PREFERENCE;
    int how = f->how;
    f->docs++;
    if (n <= f->length)
        return 1;
    f->overlong++;
    if (how == FT_OVERLONG_AUTO)
        how = d->kind == FT_DOC_TEXT || (f->wrapped && !pair) ? FT_OVERLONG_SPLIT : FT_OVERLONG_DROP;
    if (pair && (how == FT_OVERLONG_CUT || how == FT_OVERLONG_SPLIT))
        return ft_fail(e, FT_DATA, "a pair of %u tokens cannot be shortened to %" PRIu64 ": use '--overlong=drop'", n,
                       f->length);
    if (how == FT_OVERLONG_ERROR)
        return ft_fail(e, FT_DATA, "%u tokens, and a row has %" PRIu64, n, f->length);
    if (how == FT_OVERLONG_SPLIT)
        return 1;
    /* What is left of a cut document must teach something. */
    if (how == FT_OVERLONG_CUT && (f->allow_unlearnt || ft_doc_targets(d, 0, (uint32_t)f->length))) {
        f->tokens += n - f->length;
        ft_doc_cut(d, (uint32_t)f->length);
        return 1;
    }
    f->dropped++;
    f->tokens += n;
    return 0;
}

int ft_fit_check(const struct ft_fit *f, struct ft_err *e)
{
    if ((double)f->dropped <= f->max_dropped * (double)f->docs)
        return 0;
    return ft_fail(e, FT_DATA,
                   "%" PRIu64 " of %" PRIu64 " documents are longer than %" PRIu64 " tokens and would be dropped, more "
                   "than %g%%: choose --length, --overlong=cut or --max-overlong",
                   f->dropped, f->docs, f->length, 100 * f->max_dropped);
}

void ft_fit_json(const struct ft_fit *f, struct ft_buf *out)
{
    static const char *const names[] = {"auto", "drop", "cut", "split", "error"};
    ft_buf_printf(out, "{\"policy\":\"%s\",\"docs\":%" PRIu64 ",\"tokens\":%" PRIu64 "}", names[f->how], f->overlong,
                  f->tokens);
}
