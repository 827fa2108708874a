/* file.h -- whole files, for tests. */
#ifndef FT_TESTS_UNIT_FILE_H
#define FT_TESTS_UNIT_FILE_H

#include "pipeline/str.h"
#include "tests/unit/test.h"

/* Its bytes in place of those of b. */
static inline void file_read(const char *path, struct ft_buf *b)
{
    FILE *f = fopen(path, "rb");
    REQUIRE(f != NULL);
    b->n = 0;
    for (size_t n; (n = fread(ft_buf_room(b, 1 << 16), 1, 1 << 16, f)) > 0;)
        b->n += n;
    fclose(f);
}

static inline void file_write(const char *path, struct ft_str s)
{
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(s.p, 1, s.n, f) == s.n && fclose(f) == 0);
}

#endif
