/* The same records come out of every packing and format, with their places. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/input.h"
#include "tests/unit/random.h"
#include "tests/unit/file.h"
#include "tests/unit/test.h"

static void put_file(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* Everything that the files give: "file:line text\n", errors as "! message\n". */
static void read_all(const char **files, enum ft_input_format format, uint64_t max, struct ft_buf *out)
{
    struct ft_input *in = ft_input_new((char **)files, format, max);
    struct ft_line line;
    struct ft_err e = {0};
    int k;
    out->n = 0;
    while ((k = ft_input_next(in, &line, &e)) != 0) {
        if (k < 0) {
            ft_buf_printf(out, "%s:%d ! %s\n", line.file ? line.file : "", (int)line.lineno, e.msg);
            if (e.code != FT_DATA || !line.text.p)
                break;
            ft_err_clear(&e);
            continue;
        }
        ft_buf_printf(out, "%s:%d ", line.file, (int)line.lineno);
        ft_buf_puts(out, line.text);
        ft_buf_putc(out, '\n');
    }
    ft_buf_printf(out, "blank %d", (int)ft_input_blank(in));
    ft_buf_putc(out, 0);
    ft_input_free(in);
}

static const char *of(const char *name, const char *text, size_t n, uint64_t max)
{
    static struct ft_buf out;
    const char *files[] = {name, NULL};
    put_file(name, text, n);
    read_all(files, FT_IN_AUTO, max, &out);
    return out.p;
}

#define READS(name, text, want) CHECK_STR(of(name, text, sizeof(text) - 1, 1 << 20), want)

TEST(lines)
{
    READS("a.jsonl", "{\"a\":1}\n{\"a\":2}\n", "a.jsonl:1 {\"a\":1}\na.jsonl:2 {\"a\":2}\nblank 0");
    READS("a.jsonl", "{\"a\":1}\r\n\r\n  \n{\"a\":2}", "a.jsonl:1 {\"a\":1}\na.jsonl:4 {\"a\":2}\nblank 2");
    READS("a.jsonl", "\xef\xbb\xbf{\"a\":1}\n", "a.jsonl:1 {\"a\":1}\nblank 0");
    READS("a.jsonl", "\xef\xbb\xbf", "blank 0");
    READS("a.jsonl", "\xef\xbb", "a.jsonl:1 \xef\xbb\nblank 0");
    READS("a.jsonl", "", "blank 0");
    READS("a.jsonl", "\n\n\n", "blank 3");
    READS("a.jsonl", "nonsense", "a.jsonl:1 nonsense\nblank 0");
}

TEST(json_spread_over_lines)
{
    const char *want = "b.json:2 {\"a\":\" ] \\\" \"}\nb.json:3 {\"b\":[1,2]}\nb.json:5 [3]\nb.json:5 4\nblank 0";
    READS("b.json", "[\n{\"a\": \" ] \\\" \"},\n{ \"b\" : [ 1 ,\n 2 ] },\n[3], 4\n]\n", want);
    READS("b.json", "[]", "blank 0");
    READS("b.json", " [ ] ", "blank 0");
    READS("b.json", "{\n \"a\": 1\n}\n{\n \"a\": 2}", "b.json:1 {\"a\":1}\nb.json:4 {\"a\":2}\nblank 0");
    READS("b.json", "{\n\"a\": 1}{\"a\":2}", "b.json:1 {\"a\":1}\nb.json:2 {\"a\":2}\nblank 0");
    READS("b.json", "[{\"a\":1}\n", "b.json:1 {\"a\":1}\nb.json:2 ! invalid JSON: the file ends inside an array\nblank 0");
    READS("b.json", "[{\"a\":1} {\"a\":2}]", "b.json:1 {\"a\":1}\nb.json:1 ! invalid JSON: expected ',' or ']' between the elements of an array\nblank 0");
    READS("b.json", "[{\"a\":1},]", "b.json:1 {\"a\":1}\nb.json:1 ! invalid JSON: expected ',' or ']' between the elements of an array\nblank 0");
    READS("b.json", "[{\"a\":\n", "b.json:1 ! invalid JSON: the file ends inside a value\nblank 0");
}

TEST(csv)
{
    READS("c.csv", "a,b\n1,2\n", "c.csv:2 {\"a\":\"1\",\"b\":\"2\"}\nblank 0");
    READS("c.csv", "\xef\xbb\xbf" "a,b\r\n\"x,\"\"y\",\"2\n3\"\r\n\r\n,\r\n",
          "c.csv:2 {\"a\":\"x,\\\"y\",\"b\":\"2\\n3\"}\nc.csv:5 {\"a\":\"\",\"b\":\"\"}\nblank 1");
    READS("c.csv", "\"a\"\"b\",c\n1,2", "c.csv:2 {\"a\\\"b\":\"1\",\"c\":\"2\"}\nblank 0");
    READS("c.csv", "size,b\n5\" pipe,it's \"good\"\n6,\"x\"y\n", /* quotes inside a cell are themselves */
          "c.csv:2 {\"size\":\"5\\\" pipe\",\"b\":\"it's \\\"good\\\"\"}\nc.csv:3 {\"size\":\"6\",\"b\":\"xy\"}\nblank 0");
    READS("c.csv", "a,b\n1\n3,4\n", "c.csv:2 ! row of 1 cells under a header of 2\nc.csv:3 {\"a\":\"3\",\"b\":\"4\"}\nblank 0");
    READS("c.csv", "a,b\n1,2,3\n", "c.csv:2 ! row of 3 cells under a header of 2\nblank 0");
    READS("c.csv", "a,a\n1,2\n", "c.csv:1 ! column \"a\" occurs twice\nblank 0");
    READS("c.csv", "a\n\"1\n", "c.csv:2 ! the file ends inside quotes\nblank 0");
    READS("c.csv", "a\n\xff\n", "c.csv:2 ! invalid UTF-8: byte 0xff\nblank 0");
    READS("c.csv", "a\n", "blank 0");
    READS("c.csv", "", "blank 0");
    READS("d.tsv", "a\tb\n\"1\t2,3\n", "d.tsv:2 {\"a\":\"\\\"1\",\"b\":\"2,3\"}\nblank 0");
    READS("e.txt", "one\n\n{two}\r\n", "e.txt:1 {\"text\":\"one\"}\ne.txt:3 {\"text\":\"{two}\"}\nblank 1");
}

TEST(too_long)
{
    CHECK_STR(of("a.jsonl", "{\"a\":\"0123456789\"}\n", 19, 18), "a.jsonl:1 {\"a\":\"0123456789\"}\nblank 0");
    CHECK_STR(of("a.jsonl", "{\"a\":\"0123456789\"}\n", 19, 17), "a.jsonl:1 ! record longer than 17 bytes: see --max-record\nblank 0");
    CHECK_STR(of("c.csv", "a\n0123456789\n", 13, 9), "c.csv:2 ! row longer than 9 bytes: see --max-record\nblank 0");
    CHECK_STR(of("c.csv", "a\n\"0123456789\n", 14, 9), "c.csv:2 ! row longer than 9 bytes (a quote is not closed): see --max-record\nblank 0");
    CHECK_STR(of("b.json", "[{\"a\":\"0123456789\"}]", 20, 9), "b.json:1 ! record longer than 9 bytes: see --max-record\nblank 0");
}

/* ---- packings ---- */

typedef int set_fn(struct archive *);

static void pack(const char *path, set_fn *filter, set_fn *format, const char *entry, const char *p, size_t n)
{
    struct archive *a = archive_write_new();
    struct archive_entry *x = archive_entry_new();
    if (filter)
        REQUIRE(filter(a) == ARCHIVE_OK);
    REQUIRE(format(a) == ARCHIVE_OK);
    REQUIRE(archive_write_open_filename(a, path) == ARCHIVE_OK);
    for (int i = 0; i < (format == archive_write_set_format_raw ? 1 : 2); i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%d.jsonl", entry, i);
        archive_entry_clear(x);
        archive_entry_set_pathname(x, name);
        archive_entry_set_filetype(x, AE_IFREG);
        archive_entry_set_perm(x, 0644);
        archive_entry_set_size(x, (la_int64_t)n);
        REQUIRE(archive_write_header(a, x) == ARCHIVE_OK);
        REQUIRE(archive_write_data(a, p, n) == (la_ssize_t)n);
    }
    archive_entry_free(x);
    REQUIRE(archive_write_close(a) == ARCHIVE_OK);
    archive_write_free(a);
}

static void expect(struct ft_buf *out, const char *name, const struct ft_buf *text)
{
    int line = 1;
    for (size_t i = 0; i < text->n; line++) {
        const char *nl = memchr(text->p + i, '\n', text->n - i);
        const size_t n = (size_t)(nl - text->p) - i;
        ft_buf_printf(out, "%s:%d %.*s\n", name, line, (int)n, text->p + i);
        i += n + 1;
    }
}

static void same(const struct ft_buf *got, const struct ft_buf *want, const char *what)
{
    if (got->n != want->n || memcmp(got->p, want->p, got->n))
        TEST_FAILED("%s: %zu bytes came, not %zu; they begin %.60s", what, got->n, want->n, got->p);
}

TEST(every_packing_gives_the_same_records)
{
    static const struct { const char *name; set_fn *filter, *format; } kinds[] = {
        {"x.gz", archive_write_add_filter_gzip, archive_write_set_format_raw},
        {"x.zst", archive_write_add_filter_zstd, archive_write_set_format_raw},
        {"x.xz", archive_write_add_filter_xz, archive_write_set_format_raw},
        {"x.bz2", archive_write_add_filter_bzip2, archive_write_set_format_raw},
        {"x.lz4", archive_write_add_filter_lz4, archive_write_set_format_raw},
        {"x.tar", NULL, archive_write_set_format_pax_restricted},
        {"x.tar.zst", archive_write_add_filter_zstd, archive_write_set_format_ustar},
        {"x.zip", NULL, archive_write_set_format_zip}};
    struct ft_buf text = {0}, want = {0}, got = {0};
    for (int i = 0; i < 20000; i++)
        ft_buf_printf(&text, "{\"n\":%d,\"text\":\"%0*d\"}\n", i, (int)rnd(40) + 1, i);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char name[64];
        const bool raw = kinds[k].format == archive_write_set_format_raw;
        const char *files[] = {kinds[k].name, NULL};
        pack(kinds[k].name, kinds[k].filter, kinds[k].format, "in/", text.p, text.n);
        want.n = 0;
        for (int i = 0; i < (raw ? 1 : 2); i++) {
            snprintf(name, sizeof name, raw ? "%s" : "%s:in/%d.jsonl", kinds[k].name, i);
            expect(&want, name, &text);
        }
        ft_buf_printf(&want, "blank 0");
        ft_buf_putc(&want, 0);
        read_all(files, FT_IN_AUTO, 1 << 20, &got);
        same(&got, &want, kinds[k].name);
    }
    /* what a file inside an archive is called decides as for one outside */
    const char *csv[] = {"y.zip", NULL};
    struct archive *a = archive_write_new();
    struct archive_entry *x = archive_entry_new();
    archive_write_set_format_zip(a);
    archive_write_open_filename(a, "y.zip");
    archive_entry_set_pathname(x, "t.csv");
    archive_entry_set_filetype(x, AE_IFREG);
    archive_entry_set_size(x, 8);
    archive_write_header(a, x);
    archive_write_data(a, "a,b\n1,2\n", 8);
    archive_entry_free(x);
    archive_write_close(a);
    archive_write_free(a);
    read_all(csv, FT_IN_AUTO, 1 << 20, &got);
    CHECK_STR(got.p, "y.zip:t.csv:2 {\"a\":\"1\",\"b\":\"2\"}\nblank 0");
    ft_buf_release(&text);
    ft_buf_release(&want);
    ft_buf_release(&got);
}

TEST(damaged_packings_are_errors)
{
    static const struct { const char *name; set_fn *filter; } kinds[] = {
        {"x.gz", archive_write_add_filter_gzip}, {"x.zst", archive_write_add_filter_zstd},
        {"x.xz", archive_write_add_filter_xz}, {"x.bz2", archive_write_add_filter_bzip2}};
    struct ft_buf text = {0}, packed = {0}, got = {0};
    for (int i = 0; i < 300; i++)
        ft_buf_printf(&text, "{\"n\":%d}\n", i * i);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const char *files[] = {kinds[k].name, NULL};
        pack(kinds[k].name, kinds[k].filter, archive_write_set_format_raw, "", text.p, text.n);
        file_read(kinds[k].name, &packed);
        for (size_t cut = 18; cut < packed.n; cut += 7) { /* shorter, it is not recognised: the JSON is bad then */
            put_file(kinds[k].name, packed.p, cut);
            read_all(files, FT_IN_AUTO, 1 << 20, &got);
            if (!strstr(got.p, "! cannot unpack") && !strstr(got.p, ":0 ! "))
                TEST_FAILED("%s cut at %zu of %zu: no error", kinds[k].name, cut, packed.n);
        }
    }
    /* packed twice: told, not read as bytes */
    pack("x.gz", archive_write_add_filter_gzip, archive_write_set_format_raw, "", text.p, text.n);
    file_read("x.gz", &packed);
    pack("z.tar", NULL, archive_write_set_format_ustar, "inner", packed.p, packed.n);
    const char *files[] = {"z.tar", NULL};
    read_all(files, FT_IN_AUTO, 1 << 20, &got);
    CHECK(strstr(got.p, "cannot unpack 'z.tar:inner0.jsonl': it is packed once more; unpack the archive first") != NULL);
    ft_buf_release(&text);
    ft_buf_release(&packed);
    ft_buf_release(&got);
}

TEST(many_small_files)
{
    enum { N = 3000 };
    const char **files = ft_calloc(N + 1, sizeof *files);
    struct ft_buf want = {0}, got = {0};
    REQUIRE(mkdir("many", 0777) == 0);
    for (int i = 0; i < N; i++) {
        struct ft_buf name = {0};
        ft_buf_printf(&name, "many/%d.jsonl", i);
        ft_buf_putc(&name, 0);
        files[i] = name.p;
        put_file(name.p, "{}", i % 3 ? 2 : 0);
        if (i % 3)
            ft_buf_printf(&want, "%s:1 {}\n", name.p);
    }
    ft_buf_printf(&want, "blank 0");
    ft_buf_putc(&want, 0);
    read_all(files, FT_IN_AUTO, 1 << 20, &got);
    same(&got, &want, "many");
    for (int i = 0; i < N; i++)
        free((char *)files[i]);
    free(files);
    ft_buf_release(&want);
    ft_buf_release(&got);
}

TEST(files_that_cannot_be_read)
{
    struct ft_buf got = {0};
    const char *none[] = {"none.jsonl", NULL}, *folder[] = {".", NULL};
    read_all(none, FT_IN_AUTO, 1 << 20, &got);
    CHECK_STR(got.p, ":0 ! cannot open 'none.jsonl': No such file or directory\nblank 0");
    read_all(folder, FT_IN_AUTO, 1 << 20, &got);
    CHECK_STR(got.p, ":0 ! cannot read '.': Is a directory\nblank 0");
    ft_buf_release(&got);
}

TEST(names_that_are_no_utf8_stand_in_records)
{
    CHECK_STR(of("n\xff.jsonl", "{}", 2, 99), "n\xef\xbf\xbd.jsonl:1 {}\nblank 0");
}

TEST(a_line_of_a_pipe_is_given_before_the_next_one_comes)
{
    int fd[2];
    struct ft_err e = {0};
    struct ft_line line;
    REQUIRE(pipe(fd) == 0);
    REQUIRE(dup2(fd[0], 0) == 0);
    close(fd[0]);
    static const struct { enum ft_input_format format; const char *in, *out; } turns[] = {
        {FT_IN_AUTO, "{\"a\":1}\n", "{\"a\":1}"}, {FT_IN_TEXT, "plain text\n", "{\"text\":\"plain text\"}"}};
    for (size_t i = 0; i < 2; i++) {
        struct ft_input *in = ft_input_new(NULL, turns[i].format, 1 << 20);
        for (int k = 0; k < 3; k++) {
            alarm(20); /* a reader that waits for more would never end */
            REQUIRE(write(fd[1], turns[i].in, strlen(turns[i].in)) > 0);
            REQUIRE(ft_input_next(in, &line, &e) == 1);
            CHECK(ft_str_is(line.text, turns[i].out));
            CHECK(!ft_input_ready(in));
        }
        ft_input_free(in);
    }
    alarm(0);
    close(fd[1]);
}
