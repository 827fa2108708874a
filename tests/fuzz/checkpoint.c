/* Any bytes as a checkpoint's state.json; its checksum is made right, so that more than the checksum is looked at. */
#include <stdlib.h>

#include "pipeline/hash.h"
#include "trainer/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_arena a = {0};
    struct ft_buf b = {0};
    struct ft_progress p = {0};
    struct ft_identity id;
    const struct ft_json *files;
    struct ft_err e = {0};
    char hex[33];

    ft_buf_put(&b, data, size);
    ft_digest_hex(ft_hash128(b.p, b.n), hex);
    ft_buf_printf(&b, ",\n  \"checksum\": \"%s\"\n}\n", hex);
    if (ft_checkpoint_parse(ft_buf_str(&b), &a, &p, &id, &files, &e) ? e.code != FT_DATA || !e.msg[0]
                                                                     : p.step < 0 || id.recipe.p[0] != '{' || files->type != FT_JSON_OBJECT)
        abort();
    e = (struct ft_err){0};
    ft_checkpoint_parse((struct ft_str){(const char *)data, size}, &a, &p, &id, &files, &e);
    ft_buf_release(&b);
    ft_arena_release(&a);
    return 0;
}
