/* The libraries' answers on small vocabularies that together have every component
 * of a tokenizer.json, and on .model and .tiktoken files (tests/golden/tokenizer/record.py made both). */
#include <glob.h>

#include "pipeline/json.h"
#include "tests/unit/test.h"
#include "tokenizer/tokenizer.h"

struct files {
    glob_t g;
};

static struct files all(void)
{
    struct files f;
    char pattern[4096];
    static const char *const kinds[] = {"json", "model", "tiktoken"};
    for (int i = 0; i < 3; i++) {
        snprintf(pattern, sizeof pattern, "%s/*.%s", test_path("golden/tokenizer"), kinds[i]);
        REQUIRE(glob(pattern, i ? GLOB_APPEND : 0, NULL, &f.g) == 0);
    }
    return f;
}

static bool same_ids(const struct ft_json *want, const int32_t *ids, size_t n)
{
    if (want->n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int64_t v;
        if (ft_json_int(&want->items[i], &v) || v != ids[i])
            return false;
    }
    return true;
}

static bool null(const struct ft_json *v) { return !v || v->type == FT_JSON_NULL; }

static int32_t *ids_of(const struct ft_json *v, struct ft_arena *mem)
{
    int32_t *ids = ft_arena_alloc(mem, (v->n + 1) * sizeof *ids);
    for (size_t i = 0; i < v->n; i++) {
        int64_t x = 0;
        ft_json_int(&v->items[i], &x);
        ids[i] = (int32_t)x;
    }
    return ids;
}

static const char *where; /* file and row, for messages */
#define SAME(cond)                                   \
    do {                                             \
        const bool same_ = (cond);                   \
        if (!same_)                                  \
            fprintf(stderr, "%s: %s\n", where, #cond); \
        CHECK(same_);                                \
    } while (0)

static void decoded(const struct ft_tokenizer *t, struct ft_tok_state *s, const int32_t *ids, size_t n, bool skip,
                    const struct ft_json *want)
{
    struct ft_buf b = {0};
    struct ft_err e = {0};
    if (null(want))
        return;
    SAME(ft_decode(t, s, ids, n, skip, &b, &e) == 0);
    SAME(ft_str_eq(ft_buf_str(&b), want->s));
    ft_buf_release(&b);
}

static void row(const struct ft_tokenizer *t, struct ft_tok_state *s, const struct ft_json *r, struct ft_arena *mem)
{
    const struct ft_json *text = ft_json_get(r, "t"), *a = ft_json_get(r, "a"), *b = ft_json_get(r, "b");
    const struct ft_json *ids = ft_json_get(r, "ids"), *off = ft_json_get(r, "off"), *sp = ft_json_get(r, "sp");
    const struct ft_json *type = ft_json_get(r, "type"), *side = ft_json_get(r, "side"), *how = ft_json_get(r, "how");
    struct ft_encoding x;
    struct ft_err e = {0};
    int64_t max = 0;
    if (text && !null(ids)) {
        struct ft_encode_opts o = {.offsets = true, .chars = true};
        SAME(ft_encode(t, s, text->s, &o, &x, &e) == 0 && same_ids(ids, x.ids, x.n));
        bool equal = !off || off->n == 2 * x.n;
        for (size_t i = 0; off && equal && i < x.n; i++) {
            int64_t p = -1, q = -1;
            ft_json_int(&off->items[2 * i], &p);
            ft_json_int(&off->items[2 * i + 1], &q);
            equal = p == x.begin[i] && q == x.end[i];
        }
        SAME(equal);
        o.offsets = false; /* another way through the code */
        SAME(ft_encode(t, s, text->s, &o, &x, &e) == 0 && same_ids(ids, x.ids, x.n));
        o.special = true;
        SAME(null(sp) || (ft_encode(t, s, text->s, &o, &x, &e) == 0 && same_ids(sp, x.ids, x.n)));
        decoded(t, s, ids_of(ids, mem), ids->n, false, ft_json_get(r, "dec"));
        if (!null(sp))
            decoded(t, s, ids_of(sp, mem), sp->n, true, ft_json_get(r, "skip"));
    } else if (!text && !a) {
        decoded(t, s, ids_of(ids, mem), ids->n, false, ft_json_get(r, "dec"));
        decoded(t, s, ids_of(ids, mem), ids->n, true, ft_json_get(r, "skip"));
    } else if (a && !null(ids)) {
        struct ft_encode_opts o = {.special = true, .types = true, .pair = b ? &b->s : NULL};
        if (how) {
            o.truncate = true;
            o.left = ft_str_is(side->s, "left");
            o.strategy = ft_str_is(how->s, "longest_first") ? FT_TOK_LONGEST_FIRST
                         : ft_str_is(how->s, "only_first")  ? FT_TOK_ONLY_FIRST
                                                            : FT_TOK_ONLY_SECOND;
            ft_json_int(ft_json_get(r, "max"), &max);
            o.max_length = (size_t)max;
        }
        SAME(ft_encode(t, s, a->s, &o, &x, &e) == 0 && same_ids(ids, x.ids, x.n));
        SAME(!type || same_ids(type, (const int32_t *)x.type, x.n));
    }
}

TEST(ids_offsets_and_text_are_the_librarys)
{
    struct files f = all();
    CHECK(f.g.gl_pathc >= 26);
    for (size_t i = 0; i < f.g.gl_pathc; i++) {
        struct ft_tokenizer *t;
        struct ft_err e = {0};
        char path[4200], at[4400];
        if (ft_tokenizer_load(f.g.gl_pathv[i], &t, &e))
            fprintf(stderr, "%s: %s\n", f.g.gl_pathv[i], e.msg);
        REQUIRE(e.code == FT_OK);
        struct ft_tok_state *s = ft_tok_state_new(t);
        const char *dot = strrchr(f.g.gl_pathv[i], '.');
        snprintf(path, sizeof path, "%.*s.jsonl", (int)(dot - f.g.gl_pathv[i]), f.g.gl_pathv[i]);
        FILE *in = fopen(path, "r");
        REQUIRE(in);
        char *line = NULL;
        size_t room = 0, n = 0;
        for (ssize_t k; (k = getline(&line, &room, in)) > 0;) {
            struct ft_arena mem = {0};
            struct ft_json r;
            snprintf(at, sizeof at, "%s:%zu", strrchr(path, '/') + 1, ++n);
            where = at;
            REQUIRE(ft_json_parse(line, (size_t)k, &mem, &r, &e) == 0);
            row(t, s, &r, &mem);
            ft_arena_release(&mem);
        }
        CHECK(n > 30);
        fclose(in);
        free(line);
        ft_tok_state_free(s);
        ft_tokenizer_free(t);
    }
    globfree(&f.g);
}
