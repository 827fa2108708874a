/* Any text through the golden vocabularies: the quick way and the slow one give the
 * same ids, offsets stay in the text and do not run backwards, and what byte-level
 * BPE encodes decodes to itself. */
#include <assert.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vocabulary {
    struct ft_tokenizer *t;
    struct ft_tok_state *s;
    bool bytes; /* decodes to what was encoded */
} v[64];
static size_t n_v;

static void load(void)
{
    const char *tests = getenv("TESTS");
    char pattern[4096];
    glob_t g;
    setenv("TUNEUTILS_CACHE", "off", 1);
    for (int k = 0; k < 2; k++) {
        snprintf(pattern, sizeof pattern, "%s/golden/tokenizer/*.%s", tests ? tests : "../../tests", k ? "model" : "json");
        if (glob(pattern, 0, NULL, &g))
            continue;
        for (size_t i = 0; i < g.gl_pathc && n_v < 64; i++) {
            struct ft_err e = {0};
            if (ft_tokenizer_load(g.gl_pathv[i], &v[n_v].t, &e))
                abort();
            v[n_v].s = ft_tok_state_new(v[n_v].t);
            v[n_v].bytes = strstr(g.gl_pathv[i], "byte-gpt2") || strstr(g.gl_pathv[i], "byte-o200k") || strstr(g.gl_pathv[i], "byte-starcoder");
            n_v++;
        }
        globfree(&g);
    }
    if (!n_v)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ft_str text = {(const char *)data, size};
    if (!n_v)
        load();
    if (ft_utf8_valid(text.p, text.n) != text.n)
        return 0;
    for (size_t i = 0; i < n_v; i++) {
        struct ft_encoding x;
        struct ft_err e = {0};
        struct ft_encode_opts o = {.offsets = true};
        if (ft_encode(v[i].t, v[i].s, text, &o, &x, &e)) {
            assert(e.code == FT_DATA);
            continue;
        }
        uint32_t at = 0;
        int32_t *ids = malloc((x.n + 1) * sizeof *ids);
        const size_t n = x.n;
        for (size_t k = 0; k < x.n; k++) {
            ids[k] = x.ids[k];
            assert(x.begin[k] <= x.end[k] && x.end[k] <= text.n);
            if (x.begin[k] == x.end[k])
                continue;
            assert(x.begin[k] >= at);
            at = x.begin[k];
        }
        o.offsets = false;
        assert(ft_encode(v[i].t, v[i].s, text, &o, &x, &e) == 0);
        assert(x.n == n && (!n || !memcmp(ids, x.ids, n * sizeof *ids)));
        if (v[i].bytes) {
            struct ft_buf out = {0};
            assert(ft_decode(v[i].t, v[i].s, ids, n, false, &out, &e) == 0);
            assert(ft_str_eq(ft_buf_str(&out), text));
            ft_buf_release(&out);
        }
        free(ids);
    }
    return 0;
}
