/* Any bytes as input of any format, packed or not. The first byte chooses the
 * format. Every record that JSON or CSV yields is one line. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    struct ft_line line;
    struct ft_err e = {0};
    size_t lines = 0;
    int k;
    if (!size)
        return 0;
    if (fd < 0) {
        fd = memfd_create("input", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)(size - 1))
        abort();
    const enum ft_input_format format = (enum ft_input_format)(data[0] % (FT_IN_TEXT + 1));
    char *files[] = {path, path, NULL};
    struct ft_input *in = ft_input_new(files, format, 4096);
    while ((k = ft_input_next(in, &line, &e)) != 0 && lines < 100000) {
        lines++;
        if (k < 0) {
            assert(*e.msg);
            if (e.code != FT_DATA || !line.text.p)
                break;
            ft_err_clear(&e);
            continue;
        }
        assert(line.lineno >= 1 && line.file);
        assert(line.text.n <= 6 * 4096 + 64 || format == FT_IN_CSV || format == FT_IN_TSV); /* escapes make it longer; so do names */
        assert(!memchr(line.text.p, '\n', line.text.n) || format == FT_IN_AUTO || format == FT_IN_JSON);
    }
    ft_input_ready(in);
    ft_input_free(in);
    return 0;
}
