#include "pipeline/plan.h"

#include <stdlib.h>

struct bin {
    uint64_t room;
    size_t first, last; /* its pieces, a list; SIZE_MAX: none */
    size_t next;        /* in the queue of bins of equal room */
    uint32_t learn;
};

struct item {
    struct ft_piece piece;
    uint32_t learn;
    size_t next; /* the next piece of the same bin */
};

struct ft_planner {
    enum ft_strategy how;
    uint64_t length, window;
    ft_row_fn *fn;
    void *ctx;
    struct item *items;
    size_t n, cap;
    struct bin *bins;
    size_t n_bins, cap_bins;
    size_t *order;       /* of the items, in which they go to bins */
    size_t *queue;       /* by room 0..length: first and last bin */
    uint64_t *open;      /* bitmap of rooms that have a bin */
    struct ft_piece *row; /* the row being given out or filled */
    size_t row_n, row_cap;
    uint64_t row_used;
    uint32_t row_learn;
};

struct ft_planner *ft_planner_new(enum ft_strategy how, uint64_t length, uint64_t window, ft_row_fn *fn,
                                  void *ctx)
{
    struct ft_planner *p = ft_calloc(1, sizeof *p);
    p->how = how;
    p->length = length;
    p->window = window ? window : 1;
    p->fn = fn;
    p->ctx = ctx;
    if (how == FT_PACK_BFD) {
        p->queue = ft_calloc(2 * (length + 1), sizeof *p->queue);
        p->open = ft_calloc(length / 64 + 1, sizeof *p->open);
    }
    return p;
}

void ft_planner_free(struct ft_planner *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->bins);
    free(p->order);
    free(p->queue);
    free(p->open);
    free(p->row);
    free(p);
}

uint32_t ft_doc_targets(const struct ft_doc *d, uint32_t start, uint32_t n)
{
    uint32_t sum = 0, at = 0;
    const uint32_t from = start + 1, to = start + n;
    for (uint32_t i = 0; i < d->n_runs && at < to; i++) {
        const uint32_t b = at > from ? at : from, e = d->runs[i].end < to ? d->runs[i].end : to;
        if (d->runs[i].flags & FT_RUN_LEARN && b < e)
            sum += e - b;
        at = d->runs[i].end;
    }
    return sum;
}

static void row_put(struct ft_planner *p, struct ft_piece piece, uint32_t learn)
{
    if (p->row_n == p->row_cap) {
        p->row_cap = p->row_cap ? p->row_cap * 2 : 64;
        p->row = ft_reallocs(p->row, p->row_cap, sizeof *p->row);
    }
    p->row[p->row_n++] = piece;
    p->row_used += piece.length;
    p->row_learn += learn;
}

static int row_out(struct ft_planner *p, struct ft_err *e)
{
    if (!p->row_n)
        return 0;
    const int r = p->fn(p->ctx, p->row, p->row_n, p->row_learn, e);
    p->row_n = 0;
    p->row_used = p->row_learn = 0;
    return r;
}

/* ---- best fit, decreasing ---- */

/* The places of the items by their lengths, the longest first; equal ones as they came. */
static const size_t *longer_first(struct ft_planner *p)
{
    size_t *const at = p->queue; /* by length; cleared by the caller */
    p->order = ft_reallocs(p->order, p->n + 1, sizeof *p->order);
    for (size_t i = 0; i < p->n; i++)
        at[p->items[i].piece.length]++;
    for (size_t length = p->length + 1, sum = 0; length-- > 0;) {
        const size_t many = at[length];
        at[length] = sum;
        sum += many;
    }
    for (size_t i = 0; i < p->n; i++)
        p->order[at[p->items[i].piece.length]++] = i;
    return p->order;
}

static void queue_put(struct ft_planner *p, size_t bin)
{
    const uint64_t room = p->bins[bin].room;
    size_t *q = &p->queue[2 * room]; /* index + 1; 0: empty */
    p->bins[bin].next = 0;
    if (q[0])
        p->bins[q[1] - 1].next = bin + 1;
    else
        q[0] = bin + 1;
    q[1] = bin + 1;
    p->open[room / 64] |= 1ull << room % 64;
}

/* Takes the oldest bin of the least room >= need, or none. */
static size_t queue_take(struct ft_planner *p, uint64_t need)
{
    const uint64_t words = p->length / 64 + 1;
    for (uint64_t w = need / 64; w < words; w++) {
        uint64_t bits = p->open[w];
        if (w == need / 64)
            bits &= ~0ull << need % 64;
        if (!bits)
            continue;
        const uint64_t room = w * 64 + (uint64_t)__builtin_ctzll(bits);
        size_t *q = &p->queue[2 * room];
        const size_t bin = q[0] - 1;
        q[0] = p->bins[bin].next;
        if (!q[0])
            p->open[w] &= ~(1ull << room % 64);
        return bin;
    }
    return SIZE_MAX;
}

static int flush_window(struct ft_planner *p, struct ft_err *e)
{
    const size_t *const order = longer_first(p);
    memset(p->queue, 0, (p->length + 1) * sizeof *p->queue);
    p->n_bins = 0;
    for (size_t k = 0; k < p->n; k++) {
        const size_t i = order[k];
        struct item *x = &p->items[i];
        size_t b = queue_take(p, x->piece.length);
        if (b == SIZE_MAX) {
            if (p->n_bins == p->cap_bins) {
                p->cap_bins = p->cap_bins ? p->cap_bins * 2 : 256;
                p->bins = ft_reallocs(p->bins, p->cap_bins, sizeof *p->bins);
            }
            b = p->n_bins++;
            p->bins[b] = (struct bin){.room = p->length, .first = SIZE_MAX};
        }
        struct bin *bin = &p->bins[b];
        x->next = SIZE_MAX;
        if (bin->first == SIZE_MAX)
            bin->first = i;
        else
            p->items[bin->last].next = i;
        bin->last = i;
        bin->room -= x->piece.length;
        if (bin->room)
            queue_put(p, b);
    }
    for (size_t b = 0; b < p->n_bins; b++) {
        for (size_t i = p->bins[b].first; i != SIZE_MAX; i = p->items[i].next)
            row_put(p, p->items[i].piece, p->items[i].learn);
        if (row_out(p, e))
            return -1;
    }
    memset(p->queue, 0, 2 * (p->length + 1) * sizeof *p->queue);
    memset(p->open, 0, (p->length / 64 + 1) * sizeof *p->open);
    p->n = 0;
    return 0;
}

static void item_put(struct ft_planner *p, struct ft_piece piece, uint32_t learn)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 1024;
        p->items = ft_reallocs(p->items, p->cap, sizeof *p->items);
    }
    p->items[p->n++] = (struct item){piece, learn, SIZE_MAX};
}

/* ---- */

int ft_planner_add(struct ft_planner *p, const struct ft_doc *d, struct ft_err *e)
{
    if (!d->n)
        return 0;
    if (d->kind == FT_DOC_PREFERENCE) {
        if (row_out(p, e))
            return -1;
        row_put(p, (struct ft_piece){d->id, 0, d->n}, ft_doc_targets(d, 0, d->n));
        return row_out(p, e);
    }
    for (uint32_t at = 0; at < d->n;) {
        const uint64_t room = p->length - p->row_used;
        const uint32_t n = d->n - at < room ? d->n - at : (uint32_t)room;
        const struct ft_piece piece = {d->id, at, n};
        const uint32_t learn = ft_doc_targets(d, at, n);
        at += n;
        if (p->how == FT_PACK_BFD) {
            item_put(p, piece, learn);
            continue;
        }
        row_put(p, piece, learn);
        if ((p->how == FT_PACK_NONE || p->row_used == p->length) && row_out(p, e))
            return -1;
    }
    return p->how == FT_PACK_BFD && p->n >= p->window ? flush_window(p, e) : 0;
}

int ft_planner_end(struct ft_planner *p, struct ft_err *e)
{
    if (p->how == FT_PACK_BFD)
        return flush_window(p, e);
    return row_out(p, e);
}
