#include "pipeline/explain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool ft_explain_colour(enum ft_colour choice, int fd)
{
    const char *no = getenv("NO_COLOR");
    if (choice != FT_COLOUR_AUTO)
        return choice == FT_COLOUR_ALWAYS;
    return !(no && *no) && isatty(fd) == 1;
}

void ft_explain_put(struct ft_buf *out, struct ft_str text, bool learnt, bool colour)
{
    if (!text.n)
        return;
    ft_buf_putz(out, colour ? (learnt ? "\033[32m" : "\033[2m") : (learnt ? "\xe2\x9f\xa6" : ""));
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        /* C1 controls are c2 80 to c2 9f in UTF-8 */
        const bool c1 = c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0;
        if (c1)
            ft_buf_printf(out, "\\x%02x", (unsigned char)text.p[++i]);
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            ft_buf_printf(out, "\\x%02x", c);
        else if (c == '\n' && learnt && colour)
            ft_buf_putz(out, "\xe2\x86\xb5\n");
        else
            ft_buf_putc(out, (char)c);
    }
    ft_buf_putz(out, colour ? "\033[0m" : learnt ? "\xe2\x9f\xa7" : "");
}

struct ft_explain {
    pthread_mutex_t lock;
    uint64_t n, next;
    struct ft_buf *rows;
    bool *ready;
};

struct ft_explain *ft_explain_new(uint64_t n)
{
    if (!n)
        return NULL;
    struct ft_explain *x = ft_calloc(1, sizeof *x);
    x->n = n;
    x->rows = ft_calloc(n, sizeof *x->rows);
    x->ready = ft_calloc(n, sizeof *x->ready);
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

bool ft_explain_wants(const struct ft_explain *x, uint64_t seq)
{
    return x && seq < x->n;
}

static void show(struct ft_explain *x, bool all)
{
    for (; x->next < x->n && (all || x->ready[x->next]); x->next++) {
        struct ft_buf *b = &x->rows[x->next];
        if (b->n)
            fwrite(b->p, 1, b->n, stderr);
        ft_buf_release(b);
    }
    fflush(stderr);
}

void ft_explain_row(struct ft_explain *x, uint64_t seq, struct ft_buf *text)
{
    pthread_mutex_lock(&x->lock);
    x->rows[seq] = *text;
    x->ready[seq] = true;
    *text = (struct ft_buf){0};
    show(x, false);
    pthread_mutex_unlock(&x->lock);
}

void ft_explain_free(struct ft_explain *x)
{
    if (!x)
        return;
    show(x, true);
    pthread_mutex_destroy(&x->lock);
    free(x->rows);
    free(x->ready);
    free(x);
}
