/* A filter's frame: the same bytes for any number of threads, all accounted,
 * and a seal that vouches for exactly what went through. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/stream.h"
#include "tests/unit/random.h"
#include "tests/unit/file.h"
#include "tests/unit/test.h"

/* Does a bit of everything, decided by the record alone. */
static int odd_jobs(void *ctx, int worker, struct ft_rec *r, struct ft_buf *out, struct ft_err *e)
{
    int64_t n = 0;
    (void)ctx;
    (void)worker;
    if (ft_rec_int(r, "n", &n, e) < 0)
        return -1;
    if (n % 7 == 3) {
        ft_rec_drop(r, n % 2 ? "odd" : "even");
        return 0;
    }
    if (n % 11 == 5) {
        ft_buf_printf(out, "half a line"); /* must not be seen */
        return ft_fail_at(e, FT_DATA, 2, "%d is a bad number", (int)n);
    }
    for (volatile int spin = (int)(n * 7919 % 5000); spin > 0; spin--) {
    }
    ft_rec_count(r, "kept", 1);
    ft_rec_set(r, "m", ft_strz("true"));
    for (int i = 0; i < (n % 5 == 0 ? 2 : 1); i++)
        ft_rec_write(r, out);
    return n % 5 == 0 ? 2 : 1;
}

struct setup {
    uint64_t jobs;
    bool map; /* ft_stream_map; else a loop that writes every record */
    const char *seal, *in, *out, *bad, *max_bad;
};

/* Runs a filter in a process of its own; its status, stdout in `out`, stderr in
 * "err", statistics in "stats". */
static int filter(const struct setup *c)
{
    fflush(stdout);
    const pid_t pid = fork();
    if (!pid) {
        const int out = open(c->out, O_WRONLY | O_CREAT | O_TRUNC, 0666), err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        struct ft_stream_opts so = FT_STREAM_DEFAULTS;
        static const struct ft_opt none[] = {{0}};
        const struct ft_tool tool = {"filter", "", "", none, ft_stream_options(&so), NULL};
        char *files[] = {(char *)c->in, NULL}, *argv[] = {(char *)"filter", NULL};
        struct ft_err e = {0};
        struct ft_rec *r;
        if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
            _exit(99);
        if (c->seal)
            setenv("TUNEUTILS_SEAL", c->seal, 1);
        else
            unsetenv("TUNEUTILS_SEAL");
        so.jobs = c->jobs;
        so.bad = c->bad;
        so.max_bad = c->max_bad;
        so.stats = "stats";
        struct ft_stream *s = ft_stream_open(&tool, &so, files, argv);
        if (c->map)
            ft_stream_map(s, odd_jobs, NULL, &e);
        else
            while (ft_stream_next(s, &r, &e) > 0)
                ft_stream_write(s, r);
        _exit(ft_stream_close(s, &e));
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 100 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return WEXITSTATUS(status);
}

static void store(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(p, 1, n, f) == n && !fclose(f));
}

static void store_text(const char *path, const char *text) { store(path, text, strlen(text)); }

static void same(struct ft_buf *want, const char *path)
{
    struct ft_buf got = {0};
    file_read(path, &got);
    if (got.n != want->n || memcmp(got.p ? got.p : "", want->p ? want->p : "", got.n))
        TEST_FAILED("%s: %zu bytes, not the %zu of one thread", path, got.n, want->n);
    ft_buf_release(&got);
}

static void make_input(const char *path, int n, bool bad)
{
    struct ft_buf b = {0};
    for (int i = 0; i < n; i++) {
        ft_buf_printf(&b, "{\"n\":%d,\"pad\":\"%0*d\"}\n", i, (int)rnd(300) + 1, i);
        if (bad && rnd(97) == 0)
            ft_buf_putz(&b, rnd(2) ? "{\"n\":\n" : "\n");
    }
    store(path, b.p, b.n);
    ft_buf_release(&b);
}

TEST(threads_do_not_change_a_byte)
{
    static const uint64_t jobs[] = {2, 3, 8};
    struct ft_buf out = {0}, err = {0}, stats = {0}, bad = {0};
#ifdef FT_TINY
    const int n = 1000; /* batches of 64 bytes, 7 a write */
#else
    const int n = 40000; /* batches of a MiB */
#endif
    make_input("in.jsonl", n, true);
    for (int aside = 0; aside < 2; aside++) {
        struct setup c = {.jobs = 1, .map = true, .in = "in.jsonl", .out = "out1", .bad = aside ? "bad" : NULL};
        const int status = filter(&c);
        CHECK_EQ(status, aside ? 0 : 1);
        file_read("out1", &out);
        file_read("err", &err);
        file_read("stats", &stats);
        if (aside)
            file_read("bad", &bad);
        CHECK(aside ? out.n > (size_t)n * 30 : out.n > 0);
        for (int k = 0; k < 3; k++) {
            c.jobs = jobs[k];
            CHECK_EQ(filter(&c), status);
            same(&out, "out1");
            same(&err, "err");
            if (aside) {
                same(&bad, "bad");
                same(&stats, "stats"); /* at a stop, how far the reader was ahead is chance */
            }
        }
    }
    ft_buf_release(&out);
    ft_buf_release(&err);
    ft_buf_release(&stats);
    ft_buf_release(&bad);
}

TEST(a_bad_line_stops_behind_what_was_good)
{
    struct ft_buf b = {0};
    store_text("in.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\":5}\n{\"n\":1}\n");
    const struct setup c = {.jobs = 1, .map = true, .in = "in.jsonl", .out = "out1"};
    CHECK_EQ(filter(&c), 1);
    file_read("out1", &b);
    ft_buf_putc(&b, 0);
    CHECK_STR(b.p, "{\"n\":1,\"m\":true}\n{\"n\":2,\"m\":true}\n");
    file_read("err", &b);
    ft_buf_putc(&b, 0);
    CHECK_STR(b.p, "filter: in.jsonl:3:2: 5 is a bad number\nfilter: 3 in, 2 out, 1 bad; kept 2\n");
    ft_buf_release(&b);
}

TEST(every_changed_byte_of_a_sealed_stream_is_found)
{
    struct ft_buf b = {0}, err = {0};
    store_text("in.jsonl", "{\"n\":1}\n{\"n\":2, \"k\":[ ]}\n");
    struct setup first = {.jobs = 1, .seal = "first", .in = "in.jsonl", .out = "sealed"};
    struct setup next = {.jobs = 1, .seal = "1", .in = "sealed", .out = "out1"};
    CHECK_EQ(filter(&first), 0);
    CHECK_EQ(filter(&next), 0);
    file_read("sealed", &b);
    const size_t n = b.n;
    ft_buf_putc(&b, 0);
    const size_t argv = (size_t)(strstr(b.p, "\"argv\"") - b.p), seal = (size_t)(strstr(b.p, "{\"#seal") - b.p);
    const size_t tool = (size_t)(strstr(b.p, "\"tool\"") - b.p), xxh3 = (size_t)(strstr(b.p, "\"xxh3\"") - b.p);
    const size_t out = (size_t)(strstr(b.p, "\"out\"") - b.p);
    int good = 0;
    for (size_t at = 0; at < n; at++) {
        const char was = b.p[at];
        b.p[at] = (char)(was ^ 1);
        store("sealed", b.p, n);
        if (filter(&next) == 0) {
            /* Only what the seal says besides its sum may change unseen: the
             * names in `tool` and `argv`, and counts that nobody can check. */
            good++;
            if (at < seal || (at >= xxh3 && at < n - 5) || (at >= out && at < out + 7))
                TEST_FAILED("byte %zu of %zu changed to '%c': not found", at, n, b.p[at]);
        }
        b.p[at] = was;
    }
    CHECK(tool < argv && good < 60);
    for (size_t cut = 0; cut < n; cut++) {
        store("sealed", b.p, cut);
        if (filter(&next) == 0 && cut != n - 1) /* the last newline may go: the line is whole */
            TEST_FAILED("cut at %zu of %zu: not found", cut, n);
    }
    ft_buf_release(&b);
    ft_buf_release(&err);
}

TEST(at_most_so_many_bad_lines)
{
    struct ft_buf err = {0};
    store_text("in.jsonl", "{\n{\n{\"n\":1}\n{\"n\":2}\n");
    struct setup c = {.jobs = 2, .map = true, .in = "in.jsonl", .out = "out1", .bad = "bad", .max_bad = "2"};
    CHECK_EQ(filter(&c), 0);
    c.max_bad = "1";
    CHECK_EQ(filter(&c), 1);
    c.max_bad = "50%";
    CHECK_EQ(filter(&c), 0);
    c.max_bad = "49%";
    CHECK_EQ(filter(&c), 1);
    file_read("err", &err);
    ft_buf_putc(&err, 0);
    CHECK(strstr(err.p, "filter: more than 49% bad lines\n") != NULL);
    c.bad = "in.jsonl";
    CHECK_EQ(filter(&c), 2);
    file_read("err", &err);
    ft_buf_putc(&err, 0);
    CHECK(strstr(err.p, "filter: in.jsonl is read and written: give '--bad' another file\n") == err.p);
    c = (struct setup){.jobs = 1, .in = "in.jsonl", .out = "in.jsonl"};
    store_text("in.jsonl", ""); /* (the shell has emptied it) */
    CHECK_EQ(filter(&c), 0);
    ft_buf_release(&err);
}
