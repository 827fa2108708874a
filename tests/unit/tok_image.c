/* An image is taken from the machine and the source that it was made for, and from no other: also where its checksum is right. */
#include <dirent.h>
#include <unistd.h>

#include "tests/unit/file.h"
#include "tests/unit/test.h"
#include "tokenizer/image_priv.h"
#include "tokenizer/tokenizer_priv.h"

/* A byte-level BPE of 8,000 tokens. */
static void write_source(const char *path, const char *end)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f);
    fputs("{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
          "\"trim_offsets\":false},\"post_processor\":null,\"decoder\":null,\"model\":{\"type\":\"BPE\",\"vocab\":{", f);
    int id = 0;
    for (int a = 'a'; a <= 'z'; a++)
        fprintf(f, "\"%c\":%d,", a, id++);
    for (int i = 0; i < 8000; i++)
        fprintf(f, "\"x%d%s\":%d,", i, end, id++);
    fprintf(f, "\"ab\":%d},\"merges\":[\"a b\"]}}", id);
    REQUIRE(fclose(f) == 0);
}

static void seal(struct ft_buf *b)
{
    struct tk_image_header *h = (struct tk_image_header *)(void *)b->p;
    h->checksum = ft_hash128(b->p + TK_IMAGE_SUMMED, b->n - TK_IMAGE_SUMMED).lo;
}

static bool opens(const char *source)
{
    struct tk_image im;
    struct tk_model m;
    struct tk_fast f;
    if (!tk_image_open(&im, source, "", &m, &f))
        return false;
    free(m.vocab.token);
    tk_image_close(&im);
    return true;
}

static void load(const char *source)
{
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    REQUIRE(ft_tokenizer_load(source, &t, &e) == 0);
    ft_tokenizer_free(t); /* it is written by now */
}

TEST(an_image_is_for_its_machine_and_source)
{
    char path[4400];
    struct ft_digest d;
    setenv("TUNEUTILS_CACHE", "cache", 1);
    write_source("one.json", "");
    CHECK(!opens("one.json"));
    load("one.json");
    CHECK(opens("one.json"));
    struct ft_buf source = {0}, good = {0}, b = {0}, other = {0}, image = {0};
    file_read("one.json", &source);
    d = tk_image_digest(ft_hash128(source.p, source.n), "");
    REQUIRE(tk_image_path(path, sizeof path, d, false) == 0);
    file_read(path, &good);
    file_read(path, &b);
    struct tk_image_header *h = (struct tk_image_header *)(void *)b.p;
    CHECK(h->layout == tk_image_layout());
    seal(&b);
    file_write(path, ft_buf_str(&b));
    CHECK(opens("one.json")); /* the seal is right */
    h->layout++;
    seal(&b);
    file_write(path, ft_buf_str(&b));
    CHECK(!opens("one.json"));
    memcpy(b.p, good.p, sizeof *h);
    h->source.lo++;
    seal(&b);
    file_write(path, ft_buf_str(&b));
    CHECK(!opens("one.json"));
    memcpy(b.p, good.p, sizeof *h);
    h->part[SLOTS].at += 64; /* what it says of itself does not fit */
    h->part[SLOTS].n -= 64;
    seal(&b);
    file_write(path, ft_buf_str(&b));
    CHECK(!opens("one.json"));
    /* Another's image under this name. */
    write_source("two.json", "y");
    load("two.json");
    file_write(path, ft_buf_str(&good));
    CHECK(opens("one.json") && opens("two.json"));
    file_read("two.json", &other);
    char theirs[4400];
    REQUIRE(tk_image_path(theirs, sizeof theirs, tk_image_digest(ft_hash128(other.p, other.n), ""), false) == 0);
    file_read(theirs, &image);
    file_write(path, ft_buf_str(&image));
    CHECK(!opens("one.json"));
    struct ft_buf *all[] = {&source, &good, &b, &other, &image};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ft_buf_release(all[i]);
}

/* The image is of the bytes that were read, also where the file is another by the time that it is written. */
TEST(an_image_is_of_what_was_read)
{
    struct tk_image im = {0};
    struct ft_tokenizer *t;
    struct ft_err e = {0};
    struct ft_arena mem = {0};
    struct ft_str bytes;
    struct ft_json j;
    setenv("TUNEUTILS_CACHE", "off", 1);
    write_source("source.json", "");
    REQUIRE(ft_tokenizer_load("source.json", &t, &e) == 0);
    REQUIRE(ft_json_read("source.json", &mem, &bytes, &e) == 0 && ft_json_parse(bytes.p, bytes.n, &mem, &j, &e) == 0);
    write_source("source.json", "z");
    setenv("TUNEUTILS_CACHE", "cache2", 1);
    tk_image_save(&im, bytes, "", &j, &t->model, &t->fast, t->fingerprint);
    tk_image_wait(&im);
    CHECK(!opens("source.json"));
    write_source("source.json", "");
    CHECK(opens("source.json"));
    ft_tokenizer_free(t);
    ft_arena_release(&mem);
}
