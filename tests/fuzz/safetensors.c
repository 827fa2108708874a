/* Any bytes as a safetensors file: refused, or every tensor lies inside. */
#include <stdlib.h>

#include "trainer/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_st *s;
    struct ft_err e = {0};
    if (ft_st_open_bytes(data, size, &s, &e)) {
        if (e.code != FT_DATA || !e.msg[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < ft_st_count(s); i++) {
        const struct ft_st_tensor *t = ft_st_at(s, i);
        volatile unsigned char sum = 0;
        float v;
        for (uint64_t k = 0; k < t->bytes; k++)
            sum = (unsigned char)(sum + t->data[k]);
        if (t->count)
            ft_st_f32(t, t->count - 1, 1, &v, NULL);
        if (ft_st_find(s, t->name) != t)
            abort();
        ft_st_describe(t);
    }
    ft_st_close(s);
    return 0;
}
