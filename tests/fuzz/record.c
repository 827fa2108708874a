/* A record from any bytes, read and edited as filters do: what comes out is a
 * record with the edits in it. The first byte chooses the edits. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "pipeline/doc_read.h"
#include "pipeline/record.h"
#include "pipeline/record_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct ft_rec *r)
{
    static const char *const keys[] = {"text", "input_ids", "labels", "learn", "spans", "prompt", "messages", "_ft", "a", ""};
    struct ft_err e = {0};
    struct ft_str s;
    int64_t n;
    int32_t *ids;
    size_t count;
    bool b;
    struct ft_json v;
    struct ft_stamp stamp;
    struct ft_doc d;
    uint64_t learnt;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        ft_rec_string(r, keys[i], &s, &e);
        ft_rec_int(r, keys[i], &n, &e);
        ft_rec_bool(r, keys[i], &b, &e);
        ft_rec_ids(r, keys[i], &ids, &count, &e);
        ft_rec_value(r, keys[i], &v, &e);
        ft_err_clear(&e);
    }
    ft_rec_get_stamp(r, &stamp, &e);
    ft_err_clear(&e);
    if (ft_doc_read(r, &d, &stamp, &learnt, &e) == 0 && d.n) {
        assert(d.n_runs && d.runs[d.n_runs - 1].end == d.n);
        ft_doc_cut(&d, (d.n + 1) / 2);
        assert(d.runs[d.n_runs - 1].end == d.n);
    }
    static const char *const kinds[] = {"record", "text", "messages", "prompt", "response", "last-user", "a,text"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ft_key k;
        struct ft_digest digest;
        ft_err_clear(&e);
        assert(ft_key_init(&k, kinds[i], NULL, &e) == 0);
        ft_key_find(&k, r, &digest, &e);
        ft_key_release(&k);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_arena mem = {0};
    struct ft_err e = {0};
    struct ft_buf out = {0};
    if (!size)
        return 0;
    const uint8_t how = data[0];
    struct ft_rec r = {.line = {(const char *)data + 1, size - 1}, .file = "f", .lineno = 1, .mem = &mem};
    if (ft_rec_parse(&r, &e) == 0) {
        read_all(&r);
        if (how & 1)
            ft_rec_set(&r, "text", FT_STR("[1]"));
        if (how & 2)
            ft_rec_remove(&r, "a");
        if (how & 4)
            ft_rec_rename(&r, "text", "b", &e);
        if (how & 8)
            ft_rec_remove(&r, "text");
        ft_err_clear(&e);
        if (how & 16)
            ft_rec_stamp(&r, "tok", "x", &e);
        if (how & 32)
            ft_rec_set_string(&r, "", (struct ft_str){"\"\n", 2});
        ft_rec_write(&r, &out);
        assert(out.n && out.p[out.n - 1] == '\n');
        ft_err_clear(&e);
        assert(ft_json_check(out.p, out.n - 1, &e) == 0);
        if (!how)
            assert(out.n - 1 == r.line.n && !memcmp(out.p, r.line.p, r.line.n));
        if (how == 1) {
            struct ft_rec again = {.line = {out.p, out.n - 1}, .mem = &mem};
            struct ft_str raw;
            enum ft_json_type type;
            assert(ft_rec_parse(&again, &e) == 0);
            if (ft_rec_find(&again, "text", &raw, &type, &e) > 0)
                assert(ft_str_is(raw, "[1]"));
        }
    }
    ft_buf_release(&out);
    ft_arena_release(&mem);
    return 0;
}
