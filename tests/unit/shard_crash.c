/* A writer killed at every step that changes the folder. Whatever it leaves is
 * no set, or the old one, or the new one, whole; and the next run succeeds. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/shard_write.h"
#include "tests/unit/test.h"

static int steps_left = -1; /* until the kill; < 0: never */

static void step(void)
{
    if (steps_left >= 0 && steps_left-- == 0)
        raise(SIGKILL);
}

/* These stand before libc's. */
int rename(const char *a, const char *b)
{
    step();
    return renameat(AT_FDCWD, a, AT_FDCWD, b);
}
int unlink(const char *path)
{
    step();
    return unlinkat(AT_FDCWD, path, 0);
}
int fsync(int fd)
{
    step();
    return fd < 0 ? -1 : 0; /* the disk is not what is tested here */
}

static const struct ft_writer_facts facts = {
    .tok = {"null", 4}, .tpl = {"[]", 2}, .lineage = {"[]", 2}, .overlong = {"null", 4}};

/* Writes a set of two shards, all ids being `id`. */
static int write_set(const char *dir, int32_t id, bool force)
{
    const struct ft_writer_opts o = {.length = 1 << 20, .strategy = FT_PACK_WRAPPED, .shard_bytes = 1, .vocab_size = 100, .force = force};
    static int32_t ids[1 << 20];
    const struct ft_run run = {1 << 20, FT_RUN_LEARN};
    const struct ft_doc d = {.kind = FT_DOC_TEXT, .tokens = ids, .width = 4, .n = 1 << 20, .runs = &run, .n_runs = 1};
    struct ft_writer *w;
    struct ft_err e = {0};
    for (int i = 0; i < 1 << 20; i++)
        ids[i] = id;
    if (ft_writer_new(dir, &o, &w, &e))
        return -1;
    for (int i = 0; i < 2; i++) /* each fills a block, and a block a shard */
        if (ft_writer_add(w, &d, &e))
            return -1;
    return ft_writer_commit(w, &facts, NULL, &e);
}

/* The id of the set's tokens; -1: no set there; -2: one that is not whole. */
static int32_t which(const char *dir)
{
    struct ft_set *s;
    struct ft_err e = {0};
    struct ft_doc d;
    int32_t id = -2;
    if (ft_set_open(dir, &s, &e))
        return strstr(e.msg, "has no manifest.json") ? -1 : -2;
    if (!ft_set_verify(s, &e) && !ft_set_doc(s, 1, &d, &e))
        ft_doc_tokens(&d, 0, 1, &id);
    ft_set_close(s);
    return id;
}

static void kill_everywhere(bool replace)
{
    bool old = false, none = false, new = false;
    int n = 0;
    for (bool done = false; !done && n < 100; n++) {
        fflush(stdout);
        REQUIRE(write_set("set", 1, true) == 0);
        if (!replace)
            REQUIRE(system("rm -r set") == 0);
        const pid_t pid = fork();
        if (!pid) {
            steps_left = n;
            _exit(write_set("set", 2, replace) ? 1 : 0);
        }
        int status = 0;
        REQUIRE(waitpid(pid, &status, 0) == pid);
        done = WIFEXITED(status);
        CHECK(done ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
        const int32_t id = which("set");
        old = old || id == 1;
        none = none || id == -1;
        new = new || id == 2;
        if (id == -2 || (id == 1 && !replace) || (done && id != 2))
            TEST_FAILED("killed at step %d: %s", n, id == -2 ? "half a set" : "the wrong set");
        if (id == -1) { /* the run again, as its user would start it: without --force */
            REQUIRE(write_set("set", 3, false) == 0);
            CHECK_EQ(which("set"), 3);
        }
    }
    CHECK(n > 8 && n < 100);
    CHECK(old == replace && none && new);
}

TEST(a_new_set_is_whole_or_not_there) { kill_everywhere(false); }
TEST(a_replaced_set_is_the_old_one_or_the_new_one_or_not_there) { kill_everywhere(true); }
