#include "trainer/save.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/outfile.h"

char *ft_path(const char *dir, const char *name)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s/%s", dir, name);
    ft_buf_putc(&b, 0);
    return b.p;
}

static int sync_folder_of(const char *path, struct ft_err *e)
{
    char *dir = ft_strdup(path), *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    const int r = ft_sync_folder(slash ? dir : ".", e);
    free(dir);
    return r;
}

static void release(struct ft_save *s)
{
    if (s->fd >= 0)
        close(s->fd);
    ft_hasher_free(s->hash);
    free(s->path);
    free(s->tmp);
    *s = (struct ft_save){.fd = -1};
}

int ft_save_open(struct ft_save *s, const char *path, struct ft_err *e)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s.tmp", path);
    ft_buf_putc(&b, 0);
    *s = (struct ft_save){.fd = -1, .path = ft_strdup(path), .tmp = b.p, .hash = ft_hasher_new()};
    s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->fd >= 0)
        return 0;
    ft_fail_errno(e, "cannot create '%s'", s->tmp);
    release(s);
    return -1;
}

int ft_save_put(struct ft_save *s, const void *p, size_t n, struct ft_err *e)
{
    const char *at = p;
    ft_hasher_add(s->hash, p, n);
    s->size += n;
    while (n) {
        const ssize_t k = write(s->fd, at, n < 1u << 30 ? n : 1u << 30);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot write '%s'", s->tmp);
        at += k;
        n -= (size_t)k;
    }
    return 0;
}

int ft_save_commit(struct ft_save *s, struct ft_digest *digest, struct ft_err *e)
{
    int r = 0;
    if (digest)
        *digest = ft_hasher_sum128(s->hash);
    if (fsync(s->fd))
        r = ft_fail_errno(e, "cannot write '%s'", s->tmp);
    const int closed = close(s->fd);
    s->fd = -1;
    if (!r && closed)
        r = ft_fail_errno(e, "cannot write '%s'", s->tmp);
    if (!r && rename(s->tmp, s->path))
        r = ft_fail_errno(e, "cannot rename '%s'", s->tmp);
    if (r)
        unlink(s->tmp);
    else
        r = sync_folder_of(s->path, e);
    release(s);
    return r;
}

void ft_save_abort(struct ft_save *s)
{
    if (s->tmp)
        unlink(s->tmp);
    release(s);
}

int ft_save_bytes(const char *path, const void *p, size_t n, struct ft_err *e)
{
    struct ft_save s;
    if (ft_save_open(&s, path, e))
        return -1;
    if (ft_save_put(&s, p, n, e)) {
        ft_save_abort(&s);
        return -1;
    }
    return ft_save_commit(&s, NULL, e);
}

/* Calls `use` with pieces of the file. 1; 0 when there is none. */
static int read_file(const char *path, int (*use)(void *, const void *, size_t, struct ft_err *), void *ctx,
                     struct ft_err *e)
{
    enum { PIECE = 1 << 20 };
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : ft_fail_errno(e, "cannot open '%s'", path);
    char *room = ft_malloc(PIECE);
    int r = 1;
    for (;;) {
        const ssize_t k = read(fd, room, PIECE);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            r = ft_fail_errno(e, "cannot read '%s'", path);
        else if (k > 0 && use(ctx, room, (size_t)k, e))
            r = -1;
        if (k <= 0 || r < 0)
            break;
    }
    free(room);
    close(fd);
    return r;
}

static int put_piece(void *ctx, const void *p, size_t n, struct ft_err *e) { return ft_save_put(ctx, p, n, e); }

int ft_save_copy(const char *from, const char *to, struct ft_err *e)
{
    struct ft_save s;
    if (access(from, F_OK) && errno == ENOENT)
        return 0;
    if (ft_save_open(&s, to, e))
        return -1;
    const int r = read_file(from, put_piece, &s, e);
    if (r <= 0) {
        ft_save_abort(&s);
        return r;
    }
    return ft_save_commit(&s, NULL, e) ? -1 : 1;
}

struct sum {
    struct ft_hasher *hash;
    uint64_t size;
};

static int sum_piece(void *ctx, const void *p, size_t n, struct ft_err *e)
{
    struct sum *s = ctx;
    (void)e;
    ft_hasher_add(s->hash, p, n);
    s->size += n;
    return 0;
}

int ft_save_digest(const char *path, struct ft_digest *digest, uint64_t *size, struct ft_err *e)
{
    struct sum s = {ft_hasher_new(), 0};
    int r = read_file(path, sum_piece, &s, e);
    if (!r)
        r = ft_fail(e, FT_DATA, "'%s' is missing", path);
    *digest = ft_hasher_sum128(s.hash);
    *size = s.size;
    ft_hasher_free(s.hash);
    return r < 0 ? -1 : 0;
}

int ft_save_distinct(const char *out, const char *in, struct ft_err *e)
{
    struct stat a, b;
    if (!stat(out, &a) && !stat(in, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return ft_fail(e, FT_USAGE, "'%s' is read and cannot be written too", out);
    return 0;
}

int ft_save_folder(const char *dir, struct ft_err *e)
{
    if (!mkdir(dir, 0777))
        return 0;
    struct stat st;
    if (errno == EEXIST && !stat(dir, &st) && S_ISDIR(st.st_mode))
        return 0;
    return ft_fail_errno(e, "cannot create folder '%s'", dir);
}

int ft_save_remove(const char *dir, struct ft_err *e)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? 0 : ft_fail_errno(e, "cannot remove '%s'", dir);
    int r = 0;
    for (const struct dirent *f; (f = readdir(d));)
        if (strcmp(f->d_name, ".") && strcmp(f->d_name, "..") && unlinkat(dirfd(d), f->d_name, 0))
            r = ft_fail_errno(e, "cannot remove '%s/%s'", dir, f->d_name);
    closedir(d);
    if (!r && rmdir(dir))
        r = ft_fail_errno(e, "cannot remove '%s'", dir);
    return r;
}

int ft_save_rename(const char *from, const char *to, struct ft_err *e)
{
    /* rename() replaces only an empty folder, so an old one steps aside first;
     * between the two renames there is none, and a reader takes another. */
    struct ft_buf old = {0};
    ft_buf_printf(&old, "%s.old", to);
    ft_buf_putc(&old, 0);
    int r = ft_save_remove(old.p, e);
    if (!r && rename(to, old.p) && errno != ENOENT)
        r = ft_fail_errno(e, "cannot replace '%s'", to);
    if (!r && rename(from, to))
        r = ft_fail_errno(e, "cannot rename '%s'", from);
    if (!r)
        r = sync_folder_of(to, e);
    if (!r)
        r = ft_save_remove(old.p, e);
    ft_buf_release(&old);
    return r;
}
