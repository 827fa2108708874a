#include "trainer/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/save.h"

static const char saving[] = ".saving", removing[] = ".removing";

char *ft_checkpoint_path(const char *run, int64_t step)
{
    char name[64];
    snprintf(name, sizeof name, "checkpoint-%" PRId64, step);
    return ft_path(run, name);
}

/* ---- out ---- */

/* `"NAME":{"size":N,"xxh3":"..."}` of every file in the folder, in the order of names. */
static int put_files(struct ft_buf *b, const char *dir, struct ft_err *e)
{
    struct dirent **list;
    const int n = scandir(dir, &list, NULL, alphasort);
    int r = n < 0 ? ft_fail_errno(e, "cannot read '%s'", dir) : 0;
    bool first = true;
    for (int i = 0; i < n; i++) {
        if (!r && list[i]->d_name[0] != '.') {
            struct ft_digest d;
            uint64_t size;
            char hex[33];
            char *path = ft_path(dir, list[i]->d_name);
            r = ft_save_digest(path, &d, &size, e);
            free(path);
            ft_digest_hex(d, hex);
            ft_buf_putz(b, first ? "\n    " : ",\n    ");
            ft_json_put_strz(b, list[i]->d_name);
            ft_buf_printf(b, ": {\"size\": %" PRIu64 ", \"xxh3\": \"%s\"}", size, hex);
            first = false;
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return r;
}

static void put_real(struct ft_buf *b, const char *name, double v)
{
    ft_buf_printf(b, ",\n  \"%s\": ", name);
    ft_json_put_real(b, v); /* the shortest decimal that reads back as v; null for none */
}

static void put_int(struct ft_buf *b, const char *name, int64_t v)
{
    ft_buf_printf(b, ",\n  \"%s\": %" PRId64, name, v);
}

static int put_state(struct ft_buf *b, const char *dir, const struct ft_progress *p, const struct ft_identity *id,
                     struct ft_err *e)
{
    char hex[33];
    ft_buf_putz(b, "{\n  \"format\": \"tuneutils-checkpoint\",\n  \"version\": 1");
    put_int(b, "step", p->step);
    put_real(b, "loss_sum", p->loss_sum);
    put_int(b, "loss_steps", p->loss_steps);
    put_real(b, "entropy_sum", p->entropy_sum);
    put_real(b, "accuracy_sum", p->accuracy_sum);
    put_int(b, "micro_batches", p->micro_batches);
    put_real(b, "loss_total", p->loss_total);
    put_int(b, "num_tokens", p->num_tokens);
    put_real(b, "best", p->best);
    put_int(b, "best_step", p->best_step);
    put_int(b, "worse", p->worse);
    ft_buf_putz(b, p->stopped ? ",\n  \"stopped\": true" : ",\n  \"stopped\": false");
    put_int(b, "log_bytes", (int64_t)p->log_bytes);
    ft_buf_putz(b, ",\n  \"recipe\": ");
    ft_buf_puts(b, id->recipe);
    ft_buf_putz(b, ",\n  \"numerics\": ");
    ft_json_put_str(b, id->numerics);
    ft_buf_putz(b, ",\n  \"files\": {");
    if (put_files(b, dir, e))
        return -1;
    ft_buf_putz(b, "\n  }");
    ft_digest_hex(ft_hash128(b->p, b->n), hex);
    ft_buf_printf(b, ",\n  \"checksum\": \"%s\"\n}\n", hex);
    return 0;
}

int ft_checkpoint_save(const char *run, const struct ft_progress *p, const struct ft_identity *id, const struct ft_optim *o,
                       ft_save_model_fn *save, void *ctx, struct ft_err *e)
{
    struct ft_buf b = {0};
    char *dir = ft_path(run, saving), *moments = ft_path(dir, "optimizer.safetensors"), *state = ft_path(dir, "state.json");
    char *to = ft_checkpoint_path(run, p->step);
    int r = ft_save_remove(dir, e) || ft_save_folder(dir, e) || save(ctx, dir, e) || ft_optim_save(o, moments, e) ||
            put_state(&b, dir, p, id, e) || ft_save_bytes(state, b.p, b.n, e) || ft_save_rename(dir, to, e);
    if (r)
        ft_save_remove(dir, NULL); /* the room may be needed */
    ft_buf_release(&b);
    free(dir);
    free(moments);
    free(state);
    free(to);
    return r ? -1 : 0;
}

/* ---- in ---- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int ft_checkpoint_list(const char *run, int64_t **steps, size_t *n, struct ft_err *e)
{
    *steps = NULL;
    *n = 0;
    DIR *d = opendir(run);
    if (!d)
        return errno == ENOENT ? 0 : ft_fail_errno(e, "cannot read '%s'", run);
    for (const struct dirent *f; (f = readdir(d));) {
        char *end;
        if (strncmp(f->d_name, "checkpoint-", 11) || f->d_name[11] < '0' || f->d_name[11] > '9')
            continue;
        errno = 0;
        const long long step = strtoll(f->d_name + 11, &end, 10);
        if (*end || errno || step < 0)
            continue;
        *steps = ft_reallocs(*steps, *n + 1, sizeof **steps);
        (*steps)[(*n)++] = step;
    }
    closedir(d);
    if (*n)
        qsort(*steps, *n, sizeof **steps, by_number);
    return 0;
}

static int get_real(const struct ft_json *j, const char *name, double *out, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, name);
    if (!v || (v->type != FT_JSON_NUMBER && v->type != FT_JSON_NULL))
        return ft_fail(e, FT_DATA, "\"%s\" is no number", name);
    *out = v->type == FT_JSON_NULL ? NAN : ft_json_real(v);
    return 0;
}

static int get_count(const struct ft_json *j, const char *name, int64_t *out, struct ft_err *e)
{
    const struct ft_json *v = ft_json_get(j, name);
    if (!v || ft_json_int(v, out) || *out < 0)
        return ft_fail(e, FT_DATA, "\"%s\" is no count", name);
    return 0;
}

/* The checksum stands over all bytes before its own comma. */
static int check_sum(struct ft_str text, const struct ft_json *sum, struct ft_err *e)
{
    static const char mark[] = ",\n  \"checksum\": ";
    struct ft_digest want, got;
    const size_t before = sum ? (size_t)(sum->raw.p - text.p) : 0;
    if (!sum || sum->type != FT_JSON_STRING || before < sizeof mark || memcmp(sum->raw.p - (sizeof mark - 1), mark, sizeof mark - 1) ||
        ft_digest_parse(sum->s.p, sum->s.n, &want))
        return ft_fail(e, FT_DATA, "no checksum");
    got = ft_hash128(text.p, before - (sizeof mark - 1));
    return got.hi == want.hi && got.lo == want.lo ? 0 : ft_fail(e, FT_DATA, "the checksum does not match");
}

int ft_checkpoint_parse(struct ft_str text, struct ft_arena *a, struct ft_progress *p, struct ft_identity *id,
                        const struct ft_json **files, struct ft_err *e)
{
    struct ft_json *j = FT_NEW(a, struct ft_json);
    struct ft_str format = {0};
    int64_t version = 0, log_bytes;

    if (ft_json_parse(text.p, text.n, a, j, e))
        return -1;
    if (j->type != FT_JSON_OBJECT || !ft_json_get(j, "format") || ft_json_get_string(j, "format", &format, e) ||
        !ft_str_is(format, "tuneutils-checkpoint"))
        return ft_fail(e, FT_DATA, "no state of a checkpoint");
    if (get_count(j, "version", &version, e))
        return -1;
    if (version != 1)
        return ft_fail(e, FT_DATA, "version %" PRId64 " is not known", version);
    if (check_sum(text, ft_json_get(j, "checksum"), e))
        return -1;
    const struct ft_json *recipe = ft_json_get(j, "recipe");
    if (!recipe || recipe->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "no \"recipe\"");
    id->recipe = recipe->raw;
    id->numerics = (struct ft_str){0};
    if (get_count(j, "step", &p->step, e) || get_real(j, "loss_sum", &p->loss_sum, e) ||
        get_count(j, "loss_steps", &p->loss_steps, e) || get_real(j, "entropy_sum", &p->entropy_sum, e) ||
        get_real(j, "accuracy_sum", &p->accuracy_sum, e) || get_count(j, "micro_batches", &p->micro_batches, e) ||
        get_real(j, "loss_total", &p->loss_total, e) || get_count(j, "num_tokens", &p->num_tokens, e) ||
        get_real(j, "best", &p->best, e) || get_count(j, "best_step", &p->best_step, e) || get_count(j, "worse", &p->worse, e) ||
        ft_json_get_bool(j, "stopped", &p->stopped, e) || get_count(j, "log_bytes", &log_bytes, e) ||
        ft_json_get_string(j, "numerics", &id->numerics, e))
        return -1;
    p->log_bytes = (uint64_t)log_bytes;
    const struct ft_json *list = ft_json_get(j, "files");
    if (!list || list->type != FT_JSON_OBJECT)
        return ft_fail(e, FT_DATA, "no \"files\"");
    if (files)
        *files = list;
    return 0;
}

static int verify(const char *dir, const struct ft_json *files, struct ft_err *e)
{
    for (size_t i = 0; i < files->n; i++) {
        const struct ft_json_member *m = &files->members[i];
        struct ft_str hex = {0};
        struct ft_digest want, got;
        uint64_t size;
        int64_t n;
        if (get_count(&m->value, "size", &n, e) || ft_json_get_string(&m->value, "xxh3", &hex, e))
            return -1;
        if (ft_digest_parse(hex.p, hex.n, &want) || !m->key.n || memchr(m->key.p, '/', m->key.n) || memchr(m->key.p, 0, m->key.n))
            return ft_fail(e, FT_DATA, "\"files\" is damaged");
        struct ft_buf path = {0};
        ft_buf_printf(&path, "%s/%.*s", dir, (int)m->key.n, m->key.p);
        ft_buf_putc(&path, 0);
        int r = ft_save_digest(path.p, &got, &size, e);
        if (!r && (size != (uint64_t)n || got.hi != want.hi || got.lo != want.lo))
            r = ft_fail(e, FT_DATA, "'%s' is damaged", path.p);
        ft_buf_release(&path);
        if (r)
            return -1;
    }
    return 0;
}

int ft_checkpoint_read(const char *run, int64_t step, struct ft_arena *a, struct ft_progress *p, struct ft_identity *id,
                       struct ft_err *e)
{
    char *dir = ft_checkpoint_path(run, step), *path = ft_path(dir, "state.json");
    const struct ft_json *files;
    struct ft_json j;
    /* Loaded once as JSON for its own errors of reading; the text is what is parsed. */
    int r = ft_json_load(path, a, &j, e);
    if (!r && ft_checkpoint_parse(j.raw, a, p, id, &files, e))
        r = ft_fail_in(e, "%s: ", path);
    if (!r && p->step != step)
        r = ft_fail(e, FT_DATA, "%s: the state of step %" PRId64, path, p->step);
    if (!r)
        r = verify(dir, files, e);
    free(dir);
    free(path);
    return r;
}

/* ---- fewer ---- */

int ft_checkpoint_remove(const char *run, int64_t step, struct ft_err *e)
{
    char *from = ft_checkpoint_path(run, step), *to = ft_path(run, removing);
    int r = ft_save_remove(to, e);
    if (!r && rename(from, to))
        r = ft_fail_errno(e, "cannot remove '%s'", from);
    if (!r)
        r = ft_save_remove(to, e);
    free(from);
    free(to);
    return r;
}

int ft_checkpoint_prune(const char *run, int64_t limit, int64_t best, struct ft_err *e)
{
    int64_t *steps;
    size_t n;
    int r = limit > 0 ? ft_checkpoint_list(run, &steps, &n, e) : 0;
    if (limit <= 0 || r)
        return r;
    size_t left = n;
    for (size_t i = 0; i + 1 < n && left > (size_t)limit && !r; i++)
        if (steps[i] != best) {
            r = ft_checkpoint_remove(run, steps[i], e);
            left--;
        }
    free(steps);
    return r;
}

int ft_checkpoint_sweep(const char *run, struct ft_err *e)
{
    char *a = ft_path(run, saving), *b = ft_path(run, removing);
    int r = ft_save_remove(a, e) || ft_save_remove(b, e);
    DIR *d = opendir(run);
    for (const struct dirent *f; d && (f = readdir(d)) && !r;) {
        const size_t n = strlen(f->d_name);
        if (n > 4 && !strncmp(f->d_name, "checkpoint-", 11) && !strcmp(f->d_name + n - 4, ".old")) {
            char *old = ft_path(run, f->d_name);
            r = ft_save_remove(old, e);
            free(old);
        }
    }
    if (d)
        closedir(d);
    free(a);
    free(b);
    return r ? -1 : 0;
}
