/* Any bytes as a seal line, read by a filter and by the end of a pipe. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/pipe_split.h"
#include "pipeline/pipe_tail.h"
#include "pipeline/stream_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int in = -1, out;
    struct ft_err e = {0};
    struct ft_stream s = {0};
    struct ft_tail tail = {0};
    if (in < 0) {
        in = memfd_create("in", 0);
        out = memfd_create("out", 0);
    }
    ft_seal_read(&s, (struct ft_str){(const char *)data, size}, &e);
    ft_seal_check(&s, &e);
    ft_arena_release(&s.mem);

    if (ftruncate(in, 0) || ftruncate(out, 0) || pwrite(in, data, size, 0) != (ssize_t)size)
        abort();
    lseek(in, 0, SEEK_SET);
    lseek(out, 0, SEEK_SET);
    ft_err_clear(&e);
    if (ft_tail_copy(&tail, in, out, &e) == 0) {
        assert((size_t)lseek(out, 0, SEEK_CUR) + tail.seal.n == size);
        ft_tail_check(&tail, &e);
        ft_tail_stages(&tail);
    }
    ft_tail_release(&tail);

    char *text = malloc(size + 1), **stages;
    size_t n;
    memcpy(text, data, size);
    text[size] = 0;
    ft_err_clear(&e);
    if (ft_pipe_split(text, &s.mem, &stages, &n, &e) == 0)
        for (size_t i = 0; i < n; i++)
            assert(*stages[i]);
    ft_arena_release(&s.mem);
    free(text);
    return 0;
}
