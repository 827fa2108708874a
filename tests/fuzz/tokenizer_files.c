/* Any bytes as a vocabulary file (tokenizer.json, .model, .tiktoken): refused, or
 * a tokenizer that takes texts, pairs and ids without harm. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((constructor)) static void no_images(void) { setenv("TUNEUTILS_CACHE", "off", 1); }

static void use(const struct ft_tokenizer *t)
{
    static const char *const texts[] = {"", "a", " ab aB  x\t\xc2\xbd 12", "\xe4\xb8\xad\xe6\x96\x87<s> Ab \xf0\x9f\x91\x8d\xef\xbf\xbd"};
    struct ft_tok_state *s = ft_tok_state_new(t);
    struct ft_buf out = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int k = 0; k < 8; k++) {
            const struct ft_str text = ft_strz(texts[i]), pair = ft_strz(texts[(i + 1) % 4]);
            const struct ft_encode_opts o = {.special = k & 1, .offsets = k & 2, .chars = k & 2, .types = k & 4, .pair = k & 4 ? &pair : NULL,
                                             .truncate = k == 7, .max_length = 5, .left = i & 1};
            struct ft_encoding x;
            struct ft_err e = {0};
            if (ft_encode(t, s, text, &o, &x, &e)) {
                assert(e.code == FT_DATA);
                continue;
            }
            assert(x.n_prefix <= x.n);
            out.n = 0;
            e = (struct ft_err){0};
            ft_decode(t, s, x.ids, x.n, k & 1, &out, &e);
            assert(ft_utf8_valid(out.p, out.n) == out.n);
        }
    const int32_t ids[] = {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, INT32_MAX};
    struct ft_err e = {0};
    out.n = 0;
    ft_decode(t, s, ids, sizeof ids / sizeof *ids, false, &out, &e);
    ft_buf_release(&out);
    ft_tok_state_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[64];
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    snprintf(name, sizeof name, "vocabulary.%ld", (long)getpid());
    FILE *f = fopen(name, "wb");
    if (!f)
        return 0;
    fwrite(data, 1, size, f);
    fclose(f);
    if (ft_tokenizer_load_as(name, "cl100k", &t, &e)) {
        assert(e.code != FT_OK && e.msg[0]);
    } else {
        use(t);
        ft_tokenizer_free(t);
    }
    unlink(name);
    return 0;
}
