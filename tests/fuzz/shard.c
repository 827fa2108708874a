/* Any bytes as a shard with its plan, all checksums made to fit, so that what is
 * tried is the reader and not the checksums. The input is 4 bytes, the length
 * of the shard, the shard, and the plan. */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/shard.h"
#include "pipeline/shard_bytes.h"
#include "pipeline/shard_json.h"
#include "pipeline/shard_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];

static void remove_dir(void)
{
    static const char *const names[] = {"shard-00000.fts", "plan.ftp", "manifest.json"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void put(const char *name, const void *p, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd))
        abort();
}

static void fix_shard(unsigned char *p, size_t n)
{
    if (n < 2 * FT_HEADER)
        return;
    ft_store_u64(p + 24, 0);
    ft_store_u64(p + 56, ft_hash128(p, 56).lo);
    unsigned char *t = p + n - FT_HEADER;
    const uint64_t foot = ft_load_u64(t + 8), size = ft_load_u64(t + 16), blocks = ft_load_u64(t + 24);
    if (foot <= n && size <= n - foot) {
        for (uint64_t i = 0; i < blocks && (i + 1) * FT_INDEX_ENTRY <= size; i++) {
            unsigned char *x = p + foot + i * FT_INDEX_ENTRY;
            const uint64_t at = ft_load_u64(x), len = ft_load_u64(x + 8);
            if (at > n || len > n - at || len < FT_HEADER)
                continue;
            ft_store_u64(p + at + 56, ft_sum_around(p + at, len, 56));
            ft_store_u64(x + 48, ft_load_u64(p + at + 56));
        }
        ft_store_u64(t + 48, ft_hash128(p + foot, size).lo);
    }
    ft_store_u64(t + 56, ft_hash128(t, 56).lo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    if (!*dir) {
        snprintf(dir, sizeof dir, "%s/ft-fuzz.%ld", access("/dev/shm", W_OK) ? "." : "/dev/shm", (long)getpid());
        mkdir(dir, 0700);
        atexit(remove_dir);
    }
    const size_t n = ft_load_u32(data) < size - 4 ? ft_load_u32(data) : size - 4, m = size - 4 - n;
    unsigned char *copy = malloc(size);
    memcpy(copy, data + 4, size - 4);
    unsigned char *shard = copy, *plan = copy + n, zero[FT_HEADER] = {0};
    fix_shard(shard, n);
    if (m >= FT_HEADER)
        ft_store_u64(plan + 56, ft_sum_around(plan, m, 56));
    const unsigned char *t = n >= FT_HEADER ? shard + n - FT_HEADER : zero;
    struct ft_buf b = {0};
    char hex[33];
    ft_buf_printf(&b, "{\"format\":\"tuneutils-shards\",\"version\":1,\"tok\":null,\"vocab_size\":%d,\"tpl\":[],\"docs\":%" PRIu64
                  ",\"tokens\":%" PRIu64 ",\"learn_tokens\":0,\"bytes\":0,\"kinds\":{},\"sources\":{},\"overlong\":{},"
                  "\"sealed\":false,\"lineage\":[],\"shards\":[{\"file\":\"shard-00000.fts\",\"size\":%zu,\"docs\":%" PRIu64
                  ",\"tokens\":0,\"xxh3\":\"%016" PRIx64 "\"}],\"plan\":{\"xxh3\":\"%016" PRIx64 "\"}",
                  n % 2 ? 100 : 0, ft_load_u64(t + 32), ft_load_u64(t + 40), n, ft_load_u64(t + 32), ft_load_u64(t + 56),
                  m >= FT_HEADER ? ft_load_u64(plan + 56) : 0);
    ft_digest_hex(ft_hash128(b.p, b.n), hex);
    ft_buf_printf(&b, ",\"checksum\":\"%s\"}\n", hex);
    put("shard-00000.fts", shard, n);
    put("plan.ftp", plan, m);
    put("manifest.json", b.p, b.n);

    struct ft_set *s;
    struct ft_err e = {0};
    if (ft_set_open(dir, &s, &e) == 0) {
        const struct ft_show how = {.explain = true};
        b.n = 0;
        for (uint64_t i = 0; i < ft_set_info(s)->docs && i < 1000; i++) {
            ft_err_clear(&e);
            ft_doc_json(s, i, &b, &e);
            ft_show_doc(s, i, &how, &b, &e);
            b.n = 0;
        }
        for (uint64_t i = 0; i < ft_set_info(s)->rows && i < 1000; i++) {
            ft_err_clear(&e);
            ft_row_json(s, i, &b, &e);
            ft_show_row(s, i, &how, &b, &e);
            b.n = 0;
        }
        ft_show_info(s, dir, &b);
        ft_err_clear(&e);
        ft_set_verify(s, &e);
        ft_set_close(s);
    }
    ft_buf_release(&b);
    free(copy);
    return 0;
}
