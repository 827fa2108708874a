#include "trainer/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include "trainer/rundir.h"
#include "trainer/save.h"
#include "tests/unit/test.h"

static struct ft_arena mem;
static const struct ft_identity identity = {FT_STR("{\"seed\": 1, \"data\": \"x\"}"), FT_STR("float32, plain")};
static const struct ft_optim no_moments;

static int put_weights(void *ctx, const char *dir, struct ft_err *e)
{
    char *path = ft_path(dir, "model.safetensors");
    const int r = ft_save_bytes(path, ctx, strlen(ctx), e);
    free(path);
    return r;
}

static void save(const char *run, int64_t step)
{
    const struct ft_progress p = {.step = step, .loss_sum = 0.1 + 0.2, .loss_steps = 3, .entropy_sum = 1.0 / 3, .accuracy_sum = 1e-17,
                                  .micro_batches = 4, .loss_total = 1e300, .num_tokens = 1ll << 52, .best = NAN, .worse = 2,
                                  .stopped = true, .log_bytes = 77};
    struct ft_err e = {0};
    mkdir(run, 0777);
    CHECK_EQ(ft_checkpoint_save(run, &p, &identity, &no_moments, put_weights, "weights", &e), 0);
}

TEST(what_is_saved_is_read_to_the_last_bit)
{
    struct ft_progress p;
    struct ft_identity id;
    struct ft_err e = {0};
    save("r", 12);
    REQUIRE(!ft_checkpoint_read("r", 12, &mem, &p, &id, &e));
    CHECK(p.step == 12 && p.loss_sum == 0.1 + 0.2 && p.loss_steps == 3 && p.entropy_sum == 1.0 / 3 && p.accuracy_sum == 1e-17);
    CHECK(p.micro_batches == 4 && p.loss_total == 1e300 && p.num_tokens == 1ll << 52 && isnan(p.best) && p.best_step == 0);
    CHECK(p.worse == 2 && p.stopped && p.log_bytes == 77);
    CHECK(ft_str_eq(id.recipe, identity.recipe) && ft_str_eq(id.numerics, identity.numerics));
}

TEST(any_changed_or_missing_byte_of_any_file_is_found)
{
    static const char *const files[] = {"r/checkpoint-3/state.json", "r/checkpoint-3/model.safetensors",
                                        "r/checkpoint-3/optimizer.safetensors"};
    save("r", 3);
    for (int f = 0; f < 3; f++) {
        struct stat st;
        unsigned char all[4096];
        REQUIRE(!stat(files[f], &st) && st.st_size < (off_t)sizeof all);
        const size_t n = (size_t)st.st_size;
        FILE *in = fopen(files[f], "rb");
        CHECK_EQ(fread(all, 1, sizeof all, in), n);
        fclose(in);
        for (size_t i = 0; i <= n; i += f == 0 ? 3 : 1) {
            struct ft_progress p;
            struct ft_identity id;
            struct ft_err e = {0};
            FILE *out = fopen(files[f], "wb");
            if (i < n)
                all[i] ^= 4;
            fwrite(all, 1, i < n ? n : n - 2, out); /* last: two bytes short */
            fclose(out);
            if (ft_checkpoint_read("r", 3, &mem, &p, &id, &e) == 0)
                TEST_FAILED("%s: byte %zu changed and nothing said", files[f], i);
            if (i < n)
                all[i] ^= 4;
            ft_arena_reset(&mem);
        }
        FILE *out = fopen(files[f], "wb");
        fwrite(all, 1, n, out);
        fclose(out);
    }
    unlink("r/checkpoint-3/model.safetensors");
    CHECK_EQ(ft_checkpoint_read("r", 3, &mem, &(struct ft_progress){0}, &(struct ft_identity){0}, NULL), -1);
}

static void expect(const char *run, const int64_t *want, size_t n)
{
    int64_t *steps;
    size_t got;
    CHECK_EQ(ft_checkpoint_list(run, &steps, &got, NULL), 0);
    CHECK_EQ(got, n);
    for (size_t i = 0; i < n && i < got; i++)
        CHECK_EQ(steps[i], want[i]);
    free(steps);
}

TEST(the_best_and_the_newest_stay)
{
    struct ft_err e = {0};
    for (int64_t i = 1; i <= 11; i += 2)
        save("q", i);
    mkdir("q/checkpoint-x", 0777), mkdir("q/checkpoint-5.old", 0777), mkdir("q/.saving", 0777), mkdir("q/checkpoint-", 0777);
    expect("q", (int64_t[]){1, 3, 5, 7, 9, 11}, 6);
    CHECK_EQ(ft_checkpoint_prune("q", 0, 3, &e), 0);
    expect("q", (int64_t[]){1, 3, 5, 7, 9, 11}, 6);
    CHECK_EQ(ft_checkpoint_prune("q", 3, 3, &e), 0);
    expect("q", (int64_t[]){3, 9, 11}, 3);
    CHECK_EQ(ft_checkpoint_prune("q", 1, 3, &e), 0);
    expect("q", (int64_t[]){3, 11}, 2);
    CHECK_EQ(ft_checkpoint_sweep("q", &e), 0);
    CHECK(access("q/.saving", F_OK) && access("q/checkpoint-5.old", F_OK) && !access("q/checkpoint-x", F_OK));
    expect("nowhere", NULL, 0);
}

TEST(a_resumed_run_takes_the_newest_that_is_whole)
{
    struct ft_rundir r;
    struct ft_err e = {0};
    save("p", 2), save("p", 4), save("p", 6);
    unlink("p/checkpoint-6/state.json");
    CHECK_EQ(ft_save_bytes("p/checkpoint-4/model.safetensors", "weighty", 7, &e), 0);
    CHECK_EQ(ft_rundir_open(&r, "p", FT_RUN_NEW, &e), -1);
    CHECK(strstr(e.msg, "holds a run"));
    e = (struct ft_err){0};
    CHECK_EQ(ft_rundir_open(&r, "p", FT_RUN_RESUME, &e), -1); /* no run.json: whose is it? */
    CHECK_EQ(ft_save_bytes("p/run.json", "{}", 2, NULL), 0);
    e = (struct ft_err){0};
    REQUIRE(!ft_rundir_open(&r, "p", FT_RUN_RESUME, &e));
    CHECK(r.resumed && r.progress.step == 2 && r.damaged == 2 && r.damaged_step == 6);
    struct ft_rundir other;
    CHECK_EQ(ft_rundir_open(&other, "p", FT_RUN_RESUME, &e), -1);
    CHECK_STR(e.msg, "'p' is being written by another process");
    ft_rundir_close(&other);
    e = (struct ft_err){0};
    CHECK_EQ(ft_rundir_begin(&r, &e), -1); /* the log is gone: 77 bytes are known of it */
    char log[100] = {0};
    CHECK_EQ(pwrite(r.log, log, sizeof log, 0), 100);
    e = (struct ft_err){0};
    CHECK_EQ(ft_rundir_begin(&r, &e), 0);
    expect("p", (int64_t[]){2}, 1);
    struct stat st;
    CHECK(!fstat(r.log, &st) && st.st_size == 77);
    ft_rundir_close(&r);
}

TEST(a_recipe_that_differs_is_named)
{
    struct ft_err e = {0};
    CHECK_EQ(ft_rundir_compare(FT_STR("{\"a\": 1, \"b\": [1]}"), FT_STR("{\"a\": 1, \"b\": [1]}"), &e), 0);
    CHECK_EQ(ft_rundir_compare(FT_STR("{\"a\": 1, \"b\": [1]}"), FT_STR("{\"a\": 1, \"b\": [2]}"), &e), -1);
    CHECK_STR(e.msg, "the run has b [1], not [2]");
    e = (struct ft_err){0};
    CHECK_EQ(ft_rundir_compare(FT_STR("{\"a\": 1, \"b\": 2}"), FT_STR("{\"a\": 1}"), &e), -1);
    CHECK_STR(e.msg, "the run was begun by another version");
}
