#include "templates/unidata.h"

#include "templates/unidata_tables.h"

_Static_assert((int)J_SPACE == (int)UNI_SPACE && (int)J_CONTINUE == (int)UNI_CONTINUE, "the order of the flags");

static const struct uni_record *record(uint32_t c)
{
    return &uni_records[uni_blocks[uni_index[c >> UNI_SHIFT]][c & ((1u << UNI_SHIFT) - 1)]];
}

unsigned ft_juni(uint32_t c) { return record(c)->flags; }

int ft_juni_digit(uint32_t c) { return record(c)->digit; }

int ft_juni_map(uint32_t c, enum jcase to, uint32_t out[3])
{
    const struct uni_record *r = record(c);
    const int32_t m = to == J_TO_UPPER ? r->upper : to == J_TO_LOWER ? r->lower : to == J_TO_TITLE ? r->title : r->fold;
    if (m < UNI_SPECIAL) {
        out[0] = (uint32_t)((int32_t)c + m);
        return 1;
    }
    const uint16_t *s = uni_special[m - UNI_SPECIAL];
    int n = 0;
    for (; n < 3 && s[n]; n++)
        out[n] = s[n];
    return n;
}
