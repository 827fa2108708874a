#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/json.h"

void ft_json_put_str(struct ft_buf *b, struct ft_str s)
{
    static const char hex[] = "0123456789abcdef";
    ft_buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        ft_buf_put(b, s.p + from, i - from);
        from = i + 1;
        switch (c) {
        case '"': ft_buf_put(b, "\\\"", 2); break;
        case '\\': ft_buf_put(b, "\\\\", 2); break;
        case '\n': ft_buf_put(b, "\\n", 2); break;
        case '\r': ft_buf_put(b, "\\r", 2); break;
        case '\t': ft_buf_put(b, "\\t", 2); break;
        case '\b': ft_buf_put(b, "\\b", 2); break;
        case '\f': ft_buf_put(b, "\\f", 2); break;
        default: {
            const char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            ft_buf_put(b, u, 6);
        }
        }
    }
    if (s.n > from)
        ft_buf_put(b, s.p + from, s.n - from);
    ft_buf_putc(b, '"');
}

/* The shortest digits d1d2...dn with v = 0.d1d2...dn * 10^point that read back
 * as v > 0. Returns n. Rounding to n digits and trying is enough but for one
 * case: below a power of two the neighbours are twice as near on one side, so
 * the digits that read back may be the ones rounded the other way. */
static int shortest(double v, char *digits, int *point)
{
    char s[40];
    const bool normal = v >= 2.2250738585072014e-308;
    for (int n = normal ? 15 : 1;; n++) {
        snprintf(s, sizeof s, "%.*e", n - 1, v);
        bool ok = n >= 17 || strtod(s, NULL) == v;
        if (!ok && n == 16) { /* up by one in the last place */
            char *last = s + 1 + (n > 1) * n - 1;
            if (*last < '9') {
                ++*last;
                ok = strtod(s, NULL) == v;
            }
        }
        if (!ok)
            continue;
        int k = 0;
        const char *p = s;
        for (; *p != 'e'; p++)
            if (*p != '.')
                digits[k++] = *p;
        *point = atoi(p + 1) + 1;
        while (k > 1 && digits[k - 1] == '0')
            k--;
        return k;
    }
}

int ft_real_repr(char *out, double v)
{
    char d[20];
    char *w = out;
    int point;
    if (isnan(v))
        return memcpy(out, "nan", 4), 3;
    if (signbit(v))
        *w++ = '-';
    if (isinf(v))
        return memcpy(w, "inf", 4), (int)(w - out) + 3;
    if (v == 0)
        return memcpy(w, "0.0", 4), (int)(w - out) + 3;
    const int n = shortest(fabs(v), d, &point);
    if (point > 16 || point < -3) { /* Python's rule for repr */
        *w++ = d[0];
        if (n > 1) {
            *w++ = '.';
            memcpy(w, d + 1, (size_t)n - 1);
            w += n - 1;
        }
        w += sprintf(w, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
    } else if (point <= 0) {
        *w++ = '0';
        *w++ = '.';
        memset(w, '0', (size_t)-point);
        w += -point;
        memcpy(w, d, (size_t)n);
        w += n;
    } else {
        for (int i = 0; i < point || i < n; i++) {
            if (i == point)
                *w++ = '.';
            *w++ = i < n ? d[i] : '0';
        }
        if (point >= n) {
            *w++ = '.';
            *w++ = '0';
        }
    }
    *w = 0;
    return (int)(w - out);
}

void ft_json_put_real(struct ft_buf *b, double v)
{
    char s[40];
    if (!isfinite(v))
        ft_buf_putz(b, "null");
    else
        ft_buf_put(b, s, (size_t)ft_real_repr(s, v));
}
