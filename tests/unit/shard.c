/* Sets: what is written is read, and no damage goes unnoticed. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/shard_bytes.h"
#include "pipeline/shard_json.h"
#include "pipeline/shard_write.h"
#include "tests/unit/random.h"
#include "tests/unit/test.h"

static const struct ft_writer_facts facts = {
    .tok = {"null", 4}, .tpl = {"[]", 2}, .lineage = {"[]", 2}, .overlong = {"null", 4}};

struct made { /* a document and what it owns */
    struct ft_doc d;
    int32_t *ids;
    struct ft_run *runs;
    char source[16], file[16];
};

static void make(struct made *m, uint32_t n, uint64_t vocab)
{
    static const char *const sources[] = {"", "alpha", "beta"};
    *m = (struct made){.d = {.kind = (enum ft_doc_kind)rnd(FT_DOC_KINDS), .width = 4, .n = n, .line = rnd(1 << 20), .bytes = rnd(1 << 30)}};
    m->ids = ft_reallocs(NULL, n, sizeof *m->ids);
    m->runs = ft_reallocs(NULL, n, sizeof *m->runs);
    for (uint32_t i = 0; i < n; i++)
        m->ids[i] = (int32_t)rnd(vocab);
    for (uint32_t at = 0; at < n;) {
        at += 1 + (uint32_t)rnd(n - at);
        m->runs[m->d.n_runs++] = (struct ft_run){at, (uint32_t)rnd(UINT32_MAX)};
    }
    if (m->d.kind == FT_DOC_PREFERENCE) {
        m->d.prompt = (uint32_t)rnd(n + 1);
        m->d.chosen = (uint32_t)rnd(n - m->d.prompt + 1);
    }
    for (int i = 0; i < 16; i++)
        m->d.uid[i] = (unsigned char)rnd(256);
    snprintf(m->source, sizeof m->source, "%s", sources[rnd(3)]);
    snprintf(m->file, sizeof m->file, "f%d", (int)rnd(40));
    m->d.tokens = m->ids;
    m->d.runs = m->runs;
    m->d.source = ft_strz(m->source);
    m->d.file = ft_strz(m->file);
}

static void unmake(struct made *m)
{
    free(m->ids);
    free(m->runs);
}

static void same(const struct ft_doc *got, const struct ft_doc *want)
{
    int32_t *ids = ft_reallocs(NULL, want->n, sizeof *ids);
    REQUIRE(got->n == want->n);
    ft_doc_tokens(got, 0, got->n, ids);
    CHECK(!memcmp(ids, want->tokens, want->n * sizeof *ids));
    CHECK(got->n_runs == want->n_runs && !memcmp(got->runs, want->runs, want->n_runs * sizeof *got->runs));
    CHECK(got->kind == want->kind && got->prompt == want->prompt && got->chosen == want->chosen);
    CHECK(ft_str_eq(got->source, want->source) && ft_str_eq(got->file, want->file));
    CHECK(got->line == want->line && got->bytes == want->bytes && !memcmp(got->uid, want->uid, 16));
    free(ids);
}

/* A set of n documents of up to `longest` tokens in `dir`, checked. */
static void round_trip(const char *dir, size_t n, uint32_t longest, struct ft_writer_opts o)
{
    struct made *m = ft_calloc(n, sizeof *m);
    struct ft_writer *w;
    struct ft_set *s;
    struct ft_set_info info;
    struct ft_err e = {0};
    REQUIRE(ft_writer_new(dir, &o, &w, &e) == 0);
    for (size_t i = 0; i < n; i++) {
        make(&m[i], 1 + (uint32_t)rnd(longest), o.vocab_size ? o.vocab_size : 100000);
        REQUIRE(ft_writer_add(w, &m[i].d, &e) == 0);
    }
    REQUIRE(ft_writer_commit(w, &facts, &info, &e) == 0);
    if (ft_set_open(dir, &s, &e)) {
        TEST_FAILED("%s", e.msg);
        return;
    }
    CHECK_EQ(ft_set_info(s)->docs, n);
    CHECK_EQ(ft_set_info(s)->rows, info.rows);
    CHECK_EQ(ft_set_info(s)->shards, info.shards);
    for (size_t i = 0; i < n; i++) { /* in no order */
        const size_t k = (size_t)rnd(n);
        struct ft_doc d;
        REQUIRE(ft_set_doc(s, k, &d, &e) == 0);
        CHECK_EQ(d.id, k);
        CHECK_EQ(d.width, o.vocab_size && o.vocab_size <= 65536 ? 2 : 4);
        same(&d, &m[k].d);
    }
    struct ft_doc d;
    CHECK_EQ(ft_set_doc(s, n, &d, &e), -1);
    ft_err_clear(&e);
    if (ft_set_verify(s, &e))
        TEST_FAILED("%s", e.msg);
    ft_set_close(s);
    for (size_t i = 0; i < n; i++)
        unmake(&m[i]);
    free(m);
}

TEST(documents_come_back)
{
    static const enum ft_strategy how[] = {FT_PACK_NONE, FT_PACK_BFD, FT_PACK_WRAPPED};
    for (int i = 0; i < 3; i++) {
        round_trip("set", 200, 50, (struct ft_writer_opts){.length = 64, .strategy = how[i], .window = 50,
                                                          .shard_bytes = 1 << 30, .vocab_size = 65536, .force = true});
        round_trip("set", 200, 50, (struct ft_writer_opts){.length = 16, .strategy = how[i], .window = 7,
                                                          .shard_bytes = 1 << 30, .vocab_size = 65537, .force = true});
    }
}

TEST(many_blocks_and_shards)
{
    /* a block holds 65536 documents or 2^20 tokens; every block a shard of its own */
#ifdef FT_TINY
    const size_t many = 100; /* blocks of 3 documents or 8 tokens */
#else
    const size_t many = 140000;
#endif
    round_trip("many", many, 3, (struct ft_writer_opts){.length = 64, .strategy = FT_PACK_BFD, .window = 1000, .shard_bytes = 1});
    round_trip("many", 40, 200000, (struct ft_writer_opts){.length = 1 << 18, .strategy = FT_PACK_WRAPPED, .shard_bytes = 1, .force = true});
}

/* ---- damage ---- */

static void small_set(const char *dir)
{
    struct ft_writer_opts o = {.length = 8, .strategy = FT_PACK_BFD, .window = 4, .shard_bytes = 1 << 20, .vocab_size = 100, .force = true};
    struct ft_writer *w;
    struct ft_err e = {0};
    struct made m;
    REQUIRE(ft_writer_new(dir, &o, &w, &e) == 0);
    for (int i = 0; i < 3; i++) {
        make(&m, 3 + (uint32_t)i, 100);
        REQUIRE(ft_writer_add(w, &m.d, &e) == 0);
        unmake(&m);
    }
    REQUIRE(ft_writer_commit(w, &facts, NULL, &e) == 0);
}

static bool good(const char *dir, struct ft_err *e)
{
    struct ft_set *s;
    *e = (struct ft_err){0};
    if (ft_set_open(dir, &s, e))
        return false;
    const int r = ft_set_verify(s, e);
    ft_set_close(s);
    return r == 0;
}

#ifdef FT_TINY
enum { FIRST_BIT = 8 }; /* more blocks, slower checks: whole bytes will do */
#else
enum { FIRST_BIT = 0 };
#endif
static const char *const files[] = {"small/shard-00000.fts", "small/plan.ftp", "small/manifest.json"};

static size_t load(const char *path, char *p, size_t max)
{
    FILE *f = fopen(path, "rb");
    REQUIRE(f != NULL);
    const size_t n = fread(p, 1, max, f);
    fclose(f);
    return n;
}

static void store(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(p, 1, n, f) == n && !fclose(f));
}

TEST(every_flipped_bit_of_every_file_is_found)
{
    static char p[8192];
    struct ft_err e;
    small_set("small");
    CHECK(good("small", &e));
    for (int k = 0; k < 3; k++) {
        const size_t n = load(files[k], p, sizeof p);
        CHECK(n > 200 && n < sizeof p);
        FILE *f = fopen(files[k], "r+b");
        REQUIRE(f != NULL);
        setvbuf(f, NULL, _IONBF, 0);
        for (size_t at = 0; at < n; at++)
            for (int bit = FIRST_BIT; bit <= 8; bit++) { /* 8: all of them */
                fseek(f, (long)at, SEEK_SET);
                putc(p[at] ^ (bit < 8 ? 1 << bit : 0xff), f);
                if (good("small", &e))
                    TEST_FAILED("%s: byte %zu, bit %d: not found", files[k], at, bit);
                else if (e.code != FT_DATA || !strstr(e.msg, "small"))
                    TEST_FAILED("%s: byte %zu, bit %d: status %d, %s", files[k], at, bit, (int)e.code, e.msg);
                fseek(f, (long)at, SEEK_SET);
                putc(p[at], f);
            }
        fclose(f);
    }
    CHECK(good("small", &e));
}

TEST(every_truncation_of_every_file_is_found)
{
    static char p[8192];
    struct ft_err e;
    small_set("small");
    for (int k = 0; k < 3; k++) {
        const size_t n = load(files[k], p, sizeof p);
        for (size_t cut = 0; cut < n; cut++) {
            store(files[k], p, cut);
            if (good("small", &e))
                TEST_FAILED("%s: cut at %zu of %zu: not found", files[k], cut, n);
            CHECK_EQ(e.code, FT_DATA);
        }
        p[n] = k == 2 ? '\n' : 0;
        store(files[k], p, n + 1);
        if (good("small", &e))
            TEST_FAILED("%s: a byte more: not found", files[k]);
        store(files[k], p, n);
        REQUIRE(!unlink(files[k]));
        CHECK(!good("small", &e));
        store(files[k], p, n);
    }
    CHECK(good("small", &e));
}

TEST(files_of_another_set_are_found)
{
    static char p[8192];
    struct ft_err e;
    for (int k = 0; k < 3; k++) {
        small_set("small");
        const size_t n = load(files[k], p, sizeof p);
        small_set("small"); /* other tokens, all else equal */
        store(files[k], p, n);
        CHECK(!good("small", &e));
    }
}

TEST(damage_in_a_block_is_told_with_file_and_byte)
{
    struct ft_err e;
    small_set("small");
    FILE *f = fopen(files[0], "r+b");
    fseek(f, 64 + 64 + 24 * 11 + 60, SEEK_SET);
    putc(99, f);
    fclose(f);
    CHECK(!good("small", &e));
    CHECK_STR(e.msg, "small/shard-00000.fts: byte 65: the block is damaged");
}

/* ---- writing ---- */

TEST(a_set_is_replaced_only_by_a_complete_one)
{
    struct ft_writer_opts o = {.length = 8, .strategy = FT_PACK_BFD, .window = 4, .shard_bytes = 1 << 20, .vocab_size = 100};
    struct ft_writer *w, *other;
    struct ft_err e = {0};
    struct made m;
    small_set("small");
    CHECK_EQ(ft_writer_new("small", &o, &w, &e), -1);
    CHECK_STR(e.msg, "'small' holds a set already: give '--force' to replace it");
    ft_err_clear(&e);
    o.force = true;
    REQUIRE(ft_writer_new("small", &o, &w, &e) == 0);
    CHECK_EQ(ft_writer_new("small", &o, &other, &e), -1);
    CHECK_STR(e.msg, "another program is writing a set to 'small'");
    ft_err_clear(&e);
    make(&m, 4, 100);
    REQUIRE(ft_writer_add(w, &m.d, &e) == 0);
    CHECK(good("small", &e));
    ft_writer_abort(w);
    CHECK(good("small", &e));
    int n = 0;
    DIR *d = opendir("small");
    for (struct dirent *x; (x = readdir(d));)
        n += x->d_name[0] != '.';
    closedir(d);
    CHECK_EQ(n, 3);
    unmake(&m);
}

TEST(ids_outside_the_vocabulary_are_refused)
{
    struct ft_writer_opts o = {.length = 8, .vocab_size = 10, .shard_bytes = 1 << 20};
    struct ft_writer *w;
    struct ft_err e = {0};
    int32_t ids[] = {1, 10};
    const struct ft_run run = {2, 0};
    struct ft_doc d = {.kind = FT_DOC_TEXT, .tokens = ids, .width = 4, .n = 2, .runs = &run, .n_runs = 1};
    REQUIRE(ft_writer_new("ids", &o, &w, &e) == 0);
    CHECK_EQ(ft_writer_add(w, &d, &e), -1);
    CHECK_STR(e.msg, "token 1 is id 10, and the vocabulary has 10");
    uint16_t narrow[20] = {[18] = 10, [19] = 11};
    struct ft_doc of_two = {.kind = FT_DOC_TEXT, .tokens = narrow, .width = 2, .n = 20};
    ft_err_clear(&e);
    CHECK_EQ(ft_writer_check(&of_two, 12, &e), 0);
    CHECK_EQ(ft_writer_check(&of_two, 10, &e), -1);
    CHECK_STR(e.msg, "token 18 is id 10, and the vocabulary has 10");
    ft_writer_abort(w);
    CHECK(access("ids/manifest.json", F_OK) != 0);
}
