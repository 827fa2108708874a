#include "tokenizer/byte_level.h"

uint32_t tk_byte_char(unsigned char b)
{
    /* 33..126, 161..172, 174..255 stand for themselves; the other 68 bytes, in
     * order, for U+0100 and up. */
    if ((b >= 33 && b <= 126) || (b >= 161 && b != 173))
        return b;
    return b < 33 ? 256u + b : b < 161 ? 256u + 33 + (b - 127u) : 256u + 33 + 34;
}

int tk_char_byte(uint32_t c)
{
    if ((c >= 33 && c <= 126) || (c >= 161 && c != 173 && c < 256))
        return (int)c;
    if (c >= 256 && c < 256 + 33)
        return (int)c - 256;
    if (c >= 289 && c < 289 + 34)
        return (int)c - 289 + 127;
    return c == 323 ? 173 : -1;
}

void tk_byte_level(struct tk_work *w, struct tk_piece *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        tk_edit_put(w, tk_byte_char((unsigned char)p->p[i]), ((unsigned char)p->p[i] & 0xc0) == 0x80);
    tk_edit_apply(w, p, 0);
}
