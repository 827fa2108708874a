#include "trainer/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trainer/save.h"

/* Files that a run leaves, besides its log, which may be left empty by a run that
 * never began; the others in the folder are not ours to remove. */
static const char *const ours[] = {
    "run.json", "adapter_model.safetensors", "adapter_config.json", "model.safetensors", "config.json",
};
enum { OURS = sizeof ours / sizeof *ours };

static bool there(const char *dir, const char *name)
{
    char *path = ft_path(dir, name);
    const bool yes = !access(path, F_OK);
    free(path);
    return yes;
}

static int remove_file(const char *dir, const char *name, struct ft_err *e)
{
    char *path = ft_path(dir, name);
    const int r = unlink(path) && errno != ENOENT ? ft_fail_errno(e, "cannot remove '%s'", path) : 0;
    free(path);
    return r;
}

static int remove_run(const char *dir, struct ft_err *e)
{
    int64_t *steps;
    size_t n;
    if (ft_checkpoint_list(dir, &steps, &n, e))
        return -1;
    int r = 0;
    for (size_t i = 0; i < n && !r; i++)
        r = ft_checkpoint_remove(dir, steps[i], e);
    free(steps);
    for (int i = 0; i < OURS && !r; i++)
        r = remove_file(dir, ours[i], e);
    if (!r)
        r = remove_file(dir, "log.jsonl", e);
    return r;
}

static int take_log(struct ft_rundir *r, struct ft_err *e)
{
    char *path = ft_path(r->path, "log.jsonl");
    r->log = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int bad = r->log < 0 ? ft_fail_errno(e, "cannot open '%s'", path) : 0;
    if (!bad && flock(r->log, LOCK_EX | LOCK_NB))
        bad = errno == EWOULDBLOCK ? ft_fail(e, FT_DATA, "'%s' is being written by another process", r->path)
                                   : errno == ENOLCK || errno == ENOTSUP ? 0 /* a file system without locks */
                                   : ft_fail_errno(e, "cannot lock '%s'", path);
    free(path);
    return bad;
}

/* The newest checkpoint that is whole. */
static int find_checkpoint(struct ft_rundir *r, struct ft_err *e)
{
    int64_t *steps;
    size_t n;
    if (ft_checkpoint_list(r->path, &steps, &n, e))
        return -1;
    while (n--) {
        struct ft_err why = {0};
        if (!ft_checkpoint_read(r->path, steps[n], &r->mem, &r->progress, &r->identity, &why)) {
            r->resumed = true;
            break;
        }
        if (!r->damaged++) {
            r->damaged_step = steps[n];
            snprintf(r->damage, sizeof r->damage, "%s", why.msg);
        }
    }
    free(steps);
    return 0;
}

int ft_rundir_unused(const char *path, struct ft_err *e)
{
    int64_t *steps;
    size_t n;
    if (ft_checkpoint_list(path, &steps, &n, e))
        return -1;
    free(steps);
    bool used = n > 0;
    for (int i = 0; i < OURS; i++)
        used |= there(path, ours[i]);
    return used ? ft_fail(e, FT_DATA, "'%s' holds a run or a model: '--resume' goes on with it, '--force' replaces it", path) : 0;
}

int ft_rundir_open(struct ft_rundir *r, const char *path, enum ft_run_start how, struct ft_err *e)
{
    *r = (struct ft_rundir){.path = path, .log = -1, .progress = {.best = NAN}};
    /* Every run begins with its run.json: without one, what is here is not ours to go on with. */
    const bool ours_to_go_on = how == FT_RUN_FORCE || (how == FT_RUN_RESUME && there(path, "run.json"));
    if ((!ours_to_go_on && ft_rundir_unused(path, e)) || ft_save_folder(path, e) || take_log(r, e))
        return -1;
    if (how == FT_RUN_FORCE) {
        /* The log's file goes too, and with it the lock: take the new one. */
        if (remove_run(path, e))
            return -1;
        close(r->log);
        if (take_log(r, e))
            return -1;
    }
    return how == FT_RUN_RESUME ? find_checkpoint(r, e) : 0;
}

int ft_rundir_begin(struct ft_rundir *r, struct ft_err *e)
{
    const int64_t step = r->resumed ? r->progress.step : -1;
    struct stat st;
    int64_t *steps;
    size_t n;

    if (!r->resumed)
        r->progress = (struct ft_progress){.best = NAN};
    if (fstat(r->log, &st))
        return ft_fail_errno(e, "cannot read '%s/log.jsonl'", r->path);
    if ((uint64_t)st.st_size < r->progress.log_bytes)
        return ft_fail(e, FT_DATA, "'%s/log.jsonl' has %lld bytes, and the checkpoint knows %" PRIu64, r->path,
                       (long long)st.st_size, r->progress.log_bytes);
    if (ftruncate(r->log, (off_t)r->progress.log_bytes))
        return ft_fail_errno(e, "cannot cut '%s/log.jsonl'", r->path);
    if (ft_checkpoint_sweep(r->path, e) || ft_checkpoint_list(r->path, &steps, &n, e))
        return -1;
    int bad = 0;
    for (size_t i = 0; i < n && !bad; i++)
        if (steps[i] > step)
            bad = ft_checkpoint_remove(r->path, steps[i], e);
    free(steps);
    return bad;
}

void ft_rundir_close(struct ft_rundir *r)
{
    if (r->log >= 0)
        close(r->log);
    ft_arena_release(&r->mem);
    *r = (struct ft_rundir){.log = -1};
}

int ft_rundir_compare(struct ft_str was, struct ft_str is, struct ft_err *e)
{
    struct ft_arena a = {0};
    struct ft_json old, new;
    int r = ft_str_eq(was, is) ? 0 : -1;
    if (r && !ft_json_parse(was.p, was.n, &a, &old, e) && !ft_json_parse(is.p, is.n, &a, &new, e)) {
        for (size_t i = 0; i < new.n; i++) {
            const struct ft_json *v = ft_json_get_str(&old, new.members[i].key);
            const struct ft_str now = new.members[i].value.raw, then = v ? v->raw : FT_STR("nothing");
            if (!ft_str_eq(now, then)) {
                ft_fail(e, FT_DATA, "the run has %.*s %.*s, not %.*s", (int)new.members[i].key.n, new.members[i].key.p,
                        then.n > 120 ? 120 : (int)then.n, then.p, now.n > 120 ? 120 : (int)now.n, now.p);
                break;
            }
        }
        ft_fail(e, FT_DATA, "the run was begun by another version");
    }
    ft_arena_release(&a);
    return r;
}
