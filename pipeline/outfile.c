#include "pipeline/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/str.h"

static const int fatal[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXCPU, SIGXFSZ};
enum { N_FATAL = sizeof fatal / sizeof *fatal };
static char *volatile doomed; /* the temporary file, for a signal to remove */

static void on_fatal(int sig)
{
    if (doomed)
        unlink(doomed);
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Only signals that would end the program anyway. */
static void watch(char *tmp)
{
    doomed = tmp;
    for (int i = 0; i < N_FATAL; i++) {
        struct sigaction a;
        if (sigaction(fatal[i], NULL, &a) || a.sa_handler != (tmp ? SIG_DFL : on_fatal))
            continue;
        a.sa_handler = tmp ? on_fatal : SIG_DFL;
        sigaction(fatal[i], &a, NULL);
    }
}

int ft_outfile_open(struct ft_outfile *o, const char *path, struct ft_err *e)
{
    struct stat st;
    *o = (struct ft_outfile){.fd = STDOUT_FILENO, .name = "stdout"};
    if (!path || !strcmp(path, "-"))
        return 0;
    o->name = path;
    if (!*path)
        return ft_fail(e, FT_USAGE, "the output file has no name");
    const bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        return o->fd < 0 ? ft_fail_errno(e, "cannot write '%s'", path) : 0;
    }
    o->path = exists ? realpath(path, NULL) : ft_strdup(path);
    if (!o->path)
        return ft_fail_errno(e, "cannot write '%s'", path);
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s.%ld.tmp", o->path, (long)getpid());
    ft_buf_putc(&b, 0);
    o->tmp = b.p;
    o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (o->fd < 0) {
        ft_fail_errno(e, "cannot create '%s'", path);
        free(o->tmp);
        free(o->path);
        *o = (struct ft_outfile){.fd = -1};
        return -1;
    }
    watch(o->tmp);
    if (exists && fchmod(o->fd, st.st_mode & 07777))
        errno = 0; /* another's file: then the new one is ours */
    return 0;
}

int ft_outfile_write(struct ft_outfile *o, const void *p, size_t n, struct ft_err *e)
{
    for (size_t done = 0; done < n;) {
        const ssize_t k = write(o->fd, (const char *)p + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return ft_fail_errno(e, "cannot write to %s", o->name);
        done += (size_t)k;
    }
    return 0;
}

int ft_outfile_close(struct ft_outfile *o, bool good, struct ft_err *e)
{
    int r = 0;
    if (o->fd < 0)
        return 0;
    if (good && o->tmp && fsync(o->fd) && errno != EINVAL && errno != EROFS)
        r = ft_fail_errno(e, "cannot write to %s", o->name);
    /* close(2) is where some file systems report that the disk is full */
    if (close(o->fd) && errno != EBADF && good && !r)
        r = ft_fail_errno(e, "cannot write to %s", o->name);
    o->fd = -1;
    if (!o->tmp)
        return r;
    if (good && !r && rename(o->tmp, o->path))
        r = ft_fail_errno(e, "cannot rename '%s' to '%s'", o->tmp, o->path);
    if (!good || r)
        unlink(o->tmp);
    watch(NULL);
    free(o->tmp);
    free(o->path);
    o->tmp = o->path = NULL;
    return r;
}

int ft_sync_folder(const char *dir, struct ft_err *e)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool bad = fd < 0 || (fsync(fd) && errno != EINVAL && errno != EROFS);
    const int r = bad ? ft_fail_errno(e, "cannot sync '%s'", dir) : 0;
    if (fd >= 0)
        close(fd);
    return r;
}
