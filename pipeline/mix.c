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
    if (digits > 7)
        return -1;
    if (i < n && s[i] == '.')
        for (i++; i < n && s[i] >= '0' && s[i] <= '9' && scale > 1; i++, digits++) {
            scale /= 10;
            part += (uint64_t)(s[i] - '0') * scale;
        }
    if (i < n || digits == 0)
        return -1;
    *out = (whole * 1000000000 + part) * (percent ? 1 : 100); /* below 1e18 */
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
    m->longest = 1;
    /* The products below must fit 127 bits: q < 2^9, longest < 2^32, sum < 2^46
     * and w < 2^38. A percentage with nine decimals is exact; weights as uneven
     * as a thousand against a billionth lose their last digits. */
    while (max >> 38) {
        max >>= 1;
        for (size_t i = 0; i < k; i++)
            m->w[i] = m->w[i] > 1 ? m->w[i] >> 1 : 1;
    }
    for (size_t i = 0; i < k; i++)
        m->sum += m->w[i];
}

/* Tijdeman's rule, with u for the size of an item (1, or the longest so far).
 * In units of 1/sum: when the next item is out, source i will be behind its
 * share by d = w(total+u) - amount*sum, if it is not chosen. Those with
 * d >= u*sum/(2k-2) may be chosen; of them the one that would leave its bound
 * first: the smallest (u*sum(1 - 1/(2k-2)) - d)/w. */
size_t ft_mix_next(const struct ft_mix *m)
{
    const wide q = 2 * (wide)m->k - 2, u = (wide)m->longest * m->sum;
    size_t best = 0;
    wide best_room = 0, best_d = 0;
    bool any = false;

    if (m->k == 1)
        return 0;
    for (size_t i = 0; i < m->k; i++) {
        const wide d = (wide)m->w[i] * (m->total + m->longest) - (wide)m->amount[i] * m->sum;
        const wide room = (q - 1) * u - d * q;
        if (d * q < u) {
            /* By amount all may be ahead: then the one least so. */
            if (!any && (i == 0 || d > best_d)) {
                best = i;
                best_d = d;
            }
            continue;
        }
        if (!any || room * (wide)m->w[best] < best_room * (wide)m->w[i]) {
            any = true;
            best = i;
            best_room = room;
        }
    }
    return best;
}

void ft_mix_put(struct ft_mix *m, size_t source, uint64_t amount)
{
    if (!m->by_amount)
        amount = 1;
    m->items[source]++;
    m->amount[source] += amount;
    m->total += amount;
    if (amount > m->longest)
        m->longest = amount;
}

void ft_mix_release(struct ft_mix *m)
{
    free(m->w);
    free(m->amount);
    free(m->items);
    memset(m, 0, sizeof *m);
}
