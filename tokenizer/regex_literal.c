/* Characters and sets of a pattern. Without regard to case a letter may be several (sharp s and ss), and so may a row of
 * characters be one. */
#include "tokenizer/regex_rewrite.h"

static struct rx_set cases(struct rx_rewriter *w, uint32_t c)
{
    return rx_set_cases(&w->r.mem, rx_set_char(&w->r.mem, c, c));
}

static void put_char(struct rx_rewriter *w, uint32_t c)
{
    if (c >= RX_NEVER)
        ft_buf_putz(&w->out, "(?!)");
    else
        ft_buf_printf(&w->out, "\\x{%x}", (unsigned)c);
}

static void put_cases(struct rx_rewriter *w, uint32_t c)
{
    const struct rx_set s = cases(w, c);
    if (s.n == 1 && s.v[0].a == s.v[0].b)
        put_char(w, s.v[0].a);
    else
        rx_set_put(s, &w->out);
}

/* The letters that are the next characters of a run, at most as many as `n`: how many those are, 0. */
static size_t letters_of(struct rx_rewriter *w, const uint32_t *c, size_t n, struct rx_set *out)
{
    size_t best = 0;
    struct rx_set like[3] = {{0}};
    for (size_t i = 0; i < 3 && i < n; i++)
        like[i] = cases(w, c[i]);
    for (size_t i = 0; i < rx_several_count(); i++) {
        uint32_t letter, to[3];
        const size_t k = rx_several_of(i, &letter, to);
        size_t same = 0;
        while (k <= n && same < k && rx_set_has(like[same], to[same]))
            same++;
        if (same < k || k < best)
            continue;
        if (k > best)
            *out = (struct rx_set){0};
        best = k;
        *out = rx_set_or(&w->r.mem, *out, rx_set_char(&w->r.mem, letter, letter));
    }
    return best;
}

static size_t fold(uint32_t c, uint32_t to[3])
{
    for (size_t i = 0; i < rx_several_count(); i++) {
        uint32_t letter;
        const size_t k = rx_several_of(i, &letter, to);
        if (letter == c)
            return k;
    }
    return 0;
}

/* The run so far. Where some of its characters are also one letter, the longest such stretch is
 * either; where a character is also several, it is either (not in a look-behind; tiktoken's engine
 * knows neither). */
void rx_flush(struct rx_rewriter *w)
{
    const size_t n = w->run.n / sizeof(uint32_t);
    uint32_t *c = ft_arena_alloc(&w->r.mem, w->run.n + 1), to[3];
    const bool several = !w->tiktoken && !w->behinds;
    struct rx_set letters;
    if (n)
        memcpy(c, w->run.p, w->run.n);
    w->run.n = 0;
    for (size_t i = 0; i < n;) {
        size_t k = several ? letters_of(w, c + i, n - i, &letters) : 0;
        const size_t parts = k || !several ? 0 : fold(c[i], to);
        if (k || parts)
            ft_buf_putz(&w->out, "(?:");
        w->atom = w->out.n;
        for (size_t x = 0; x < (k ? k : 1); x++)
            put_cases(w, c[i + x]);
        if (k || parts) {
            w->atom -= 3;
            ft_buf_putc(&w->out, '|');
            if (k)
                rx_set_put(letters, &w->out);
            for (size_t x = 0; x < parts; x++)
                put_cases(w, to[x]);
            ft_buf_putc(&w->out, ')');
        }
        i += k ? k : 1;
    }
}

void rx_literal(struct rx_rewriter *w, uint32_t c)
{
    if (w->r.o.i && c < RX_NEVER) {
        ft_buf_put(&w->run, (const char *)&c, sizeof c);
        w->atom = w->out.n; /* of the last one, once it is flushed */
        return;
    }
    rx_flush(w);
    w->atom = w->out.n;
    put_char(w, c);
}

int rx_put_set(struct rx_rewriter *w, struct rx_set s)
{
    rx_flush(w);
    w->atom = w->out.n;
    rx_set_put(s, &w->out);
    return 0;
}

int rx_put_bracket(struct rx_rewriter *w)
{
    struct rx_set s, several;
    bool more = false;
    rx_flush(w);
    if (rx_bracket(&w->r, &s, &several))
        return -1;
    w->atom = w->out.n;
    for (size_t i = 0; several.n && !w->tiktoken && i < rx_several_count(); i++) {
        uint32_t letter, to[3];
        const size_t k = rx_several_of(i, &letter, to);
        if (!rx_set_has(several, letter))
            continue;
        if (!more) {
            ft_buf_putz(&w->out, "(?:");
            rx_set_put(s, &w->out);
        }
        more = true;
        ft_buf_putc(&w->out, '|');
        for (size_t x = 0; x < k; x++)
            put_cases(w, to[x]);
    }
    if (more)
        ft_buf_putc(&w->out, ')');
    else
        rx_set_put(s, &w->out);
    return 0;
}
