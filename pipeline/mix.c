#include "pipeline/mix.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/mem.h"

typedef __int128 wide;

int ft_mix_weight(const char *s, size_t n, uint64_t *out)
{
    uint64_t whole = 0, part = 0, scale = 1000000000;
    size_t i = 0, digits = 0;
    const bool percent = n && s[n - 1] == '%';

    n -= percent;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++, digits++)
        whole = whole * 10 + (uint64_t)(s[i] - '0');
    if (digits > 9)
        return -1;
    if (i < n && s[i] == '.')
        for (i++; i < n && s[i] >= '0' && s[i] <= '9' && scale > 1; i++, digits++) {
            scale /= 10;
            part += (uint64_t)(s[i] - '0') * scale;
        }
    if (i < n || digits == 0)
        return -1;
    *out = (whole * 1000000000 + part) * (percent ? 1 : 100);
    return 0;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

void ft_mix_init(struct ft_mix *m, const uint64_t *weights, size_t k, bool by_amount)
{
    uint64_t g = 0, max = 0;

    memset(m, 0, sizeof *m);
    m->k = k;
    m->by_amount = by_amount;
    m->w = ft_reallocs(NULL, k, sizeof *m->w);
    m->amount = ft_calloc(k, sizeof *m->amount);
    m->items = ft_calloc(k, sizeof *m->items);
    for (size_t i = 0; i < k; i++)
        g = gcd(weights[i], g);
    for (size_t i = 0; i < k; i++) {
        m->w[i] = weights[i] / g;
        if (m->w[i] > max)
            max = m->w[i];
    }
    /* Weights above 2^52 (a billion against a billionth) lose their last bits
     * so that the products below fit 127 bits. */
    while (max >> 52) {
        max >>= 1;
        for (size_t i = 0; i < k; i++)
            m->w[i] = m->w[i] > 1 ? m->w[i] >> 1 : 1;
    }
    for (size_t i = 0; i < k; i++)
        m->sum += m->w[i];
}

/* Tijdeman's rule for item n+1. In units of 1/sum: the deficit of source i is
 * d = w(n+1) - c*sum, at least -sum and, by the theorem, below 2*sum. Those
 * with d >= sum/(2k-2) may be chosen; of them the one that would run out of its
 * bound first: (1 - 1/(2k-2) - d)/w the smallest. */
static size_t next_item(const struct ft_mix *m)
{
    const wide q = 2 * (wide)m->k - 2, n = (wide)m->total + 1;
    size_t best = 0;
    wide best_room = 0;
    bool any = false;

    if (m->k == 1)
        return 0;
    for (size_t i = 0; i < m->k; i++) {
        const wide d = (wide)m->w[i] * n - (wide)m->amount[i] * m->sum;
        if (d * q < (wide)m->sum)
            continue;
        const wide room = (q - 1) * (wide)m->sum - d * q; /* divided by w: the deadline */
        if (!any || room * (wide)m->w[best] < best_room * (wide)m->w[i]) {
            any = true;
            best = i;
            best_room = room;
        }
    }
    return best;
}

static size_t next_amount(const struct ft_mix *m)
{
    size_t best = 0;
    wide most = 0;

    for (size_t i = 0; i < m->k; i++) {
        const wide d = (wide)m->w[i] * m->total - (wide)m->amount[i] * m->sum;
        if (i == 0 || d > most) {
            best = i;
            most = d;
        }
    }
    return best;
}

size_t ft_mix_next(const struct ft_mix *m)
{
    return m->by_amount ? next_amount(m) : next_item(m);
}

void ft_mix_put(struct ft_mix *m, size_t source, uint64_t amount)
{
    if (!m->by_amount)
        amount = 1;
    m->items[source]++;
    m->amount[source] += amount;
    m->total += amount;
}

void ft_mix_release(struct ft_mix *m)
{
    free(m->w);
    free(m->amount);
    free(m->items);
    memset(m, 0, sizeof *m);
}
