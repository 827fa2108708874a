/* replay.c -- runs a fuzz target over its corpus with any compiler.
 *
 * Besides each file as it is, the target sees it cut short at every byte (at
 * 256 places when it is longer) and with 512 seeded changes: bytes set, blocks
 * repeated or removed. That finds most of what a fuzzer finds in its first
 * seconds, in `make check`, and the same inputs each time.
 *
 * Every input is copied to a heap block of exactly its size, so that the
 * sanitizers see a read behind the end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1;

/* splitmix64, Steele et al. 2014 */
static uint64_t next_random(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(size_t n) { return n ? (size_t)(next_random() % n) : 0; }

static void run(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        exit(3);
    if (n)
        memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* Bytes that formats give a meaning to, more often than any other byte. */
static uint8_t odd_byte(void)
{
    static const uint8_t odd[] = "\"\\{}[],:0-eE.\n\r\t %<|>'\0\x7f\x80\xbf\xc0\xed\xf4\xff";
    return next_random() & 1 ? odd[below(sizeof odd - 1)] : (uint8_t)next_random();
}

static size_t change(uint8_t *p, size_t n)
{
    size_t at = below(n), len = 1 + below(8);

    if (len > n - at)
        len = n - at;
    switch (below(4)) {
    case 0:
    case 1:
        if (n)
            p[at] = odd_byte();
        return n;
    case 2: /* the block once more; room for 8 bytes a change */
        memmove(p + at + len, p + at, n - at);
        return n + len;
    default:
        memmove(p + at, p + at + len, n - at - len);
        return n - len;
    }
}

static void replay(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n + 64);
    size_t step = n > 256 ? n / 256 : 1;
    int changes = n <= 4096 ? 512 : n <= 65536 ? 128 : 16;

    if (!copy)
        exit(3);
    run(data, n);
    for (size_t cut = 0; cut < n; cut += step)
        run(data, cut);
    for (int i = 0; i < changes; i++) {
        size_t m = n;
        if (n)
            memcpy(copy, data, n);
        for (size_t k = 1 + below(4); k > 0; k--)
            m = change(copy, m);
        run(copy, m);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        uint8_t *data = NULL;
        size_t n = 0, got;

        if (!f) {
            perror(argv[i]);
            return 1;
        }
        do {
            data = realloc(data, n + 65536);
            if (!data)
                return 3;
            got = fread(data + n, 1, 65536, f);
            n += got;
        } while (got);
        fclose(f);
        fprintf(stderr, "%s\n", argv[i]); /* shown when the target crashes */
        replay(data, n);
        free(data);
    }
    return 0;
}
