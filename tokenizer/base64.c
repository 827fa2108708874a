#include "tokenizer/base64.h"

void tk_base64_put(struct ft_buf *out, struct ft_str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i += 3) {
        const uint32_t x = (uint32_t)p[i] << 16 | (i + 1 < s.n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < s.n ? p[i + 2] : 0);
        ft_buf_putc(out, digits[x >> 18]);
        ft_buf_putc(out, digits[x >> 12 & 63]);
        ft_buf_putc(out, i + 1 < s.n ? digits[x >> 6 & 63] : '=');
        ft_buf_putc(out, i + 2 < s.n ? digits[x & 63] : '=');
    }
}

static int value(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

int tk_base64_get(struct ft_buf *out, struct ft_str text)
{
    uint32_t acc = 0;
    int bits = 0;
    for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
        const int v = value(text.p[i]);
        if (v < 0)
            return -1;
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8)
            ft_buf_putc(out, (char)(acc >> (bits -= 8) & 0xff));
    }
    return 0;
}
