/* Any bytes through the scanner, the tree and back: what is accepted is written
 * and read again as the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "pipeline/json.h"
#include "pipeline/json_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(const struct ft_json *v, struct ft_buf *out)
{
    int64_t n;
    switch (v->type) {
    case FT_JSON_ARRAY:
        for (size_t i = 0; i < v->n; i++)
            visit(&v->items[i], out);
        break;
    case FT_JSON_OBJECT:
        for (size_t i = 0; i < v->n; i++) {
            assert(ft_json_get_str(v, v->members[i].key));
            visit(&v->members[i].value, out);
        }
        break;
    case FT_JSON_NUMBER:
        ft_json_put_real(out, ft_json_real(v));
        ft_json_int(v, &n);
        break;
    case FT_JSON_STRING: {
        struct ft_arena mem = {0};
        struct ft_err e = {0};
        struct ft_json again;
        const size_t at = out->n;
        assert(ft_utf8_valid(v->s.p, v->s.n) == v->s.n);
        ft_json_put_str(out, v->s);
        assert(ft_json_parse(out->p + at, out->n - at, &mem, &again, &e) == 0 && ft_str_eq(again.s, v->s));
        ft_arena_release(&mem);
        break;
    }
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_arena mem = {0};
    struct ft_err e = {0}, e2 = {0}, e3 = {0};
    struct ft_json v;
    struct ft_field *fields;
    size_t n;
    struct ft_buf out = {0};
    const char *p = (const char *)data;
    const int good = ft_json_parse(p, size, &mem, &v, &e);
    assert(ft_json_check(p, size, &e2) == good && e.byte == e2.byte);
    const int flat = ft_json_scan(p, size, &mem, &fields, &n, &e3);
    assert((flat == 0) == (good == 0 && v.type == FT_JSON_OBJECT));
    if (!good) {
        assert(v.raw.p >= p && v.raw.p + v.raw.n <= p + size);
        visit(&v, &out);
        out.n = 0;
        ft_canon(v.raw, &out);
    } else {
        assert(e.code == FT_DATA && e.byte >= 1 && e.byte <= size + 1);
    }
    ft_buf_release(&out);
    ft_arena_release(&mem);
    return 0;
}
