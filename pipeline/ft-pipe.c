/* ft-pipe -- runs a pipe of filters sealed, and says what each did.
 *
 * A shell's pipe hides a crash: downstream it looks like the end of the file.
 * Here each stage vouches for what it wrote (RECORD.md, "The seal"), the last
 * seal is checked, and the pipe fails when any stage does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/cli.h"
#include "pipeline/outfile.h"
#include "pipeline/pipe_split.h"
#include "pipeline/pipe_tail.h"

struct stage {
    const char *command;
    pid_t pid;
    int status;                 /* 0-255, or 128 + signal */
    double cpu;                 /* seconds, of the stage and what it ran */
    const struct ft_json *seal; /* its entry in the seal, or NULL */
    const struct ft_json *seal_first; /* the first of several, when it is a pipe itself */
};

struct pipeline {
    const struct ft_tool *tool;
    struct stage *stages;
    size_t n;
    const char *inherited; /* TUNEUTILS_SEAL: we are a stage ourselves */
};

/* ---- running ---- */

/* Tools that were installed nowhere are next to us. */
static void extend_path(void)
{
    char self[4096];
    struct ft_buf b = {0};
    const char *path = getenv("PATH");
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n <= 0)
        return;
    self[n] = 0;
    slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    ft_buf_printf(&b, "%s%s%s", path ? path : "/usr/bin:/bin", path && !*path ? "" : ":", self);
    ft_buf_putc(&b, 0);
    setenv("PATH", b.p, 1);
    ft_buf_release(&b);
}

static int start(struct pipeline *p, int *last, struct ft_err *e)
{
    int in = STDIN_FILENO;

    for (size_t i = 0; i < p->n; i++) {
        int fd[2];
        if (pipe2(fd, O_CLOEXEC))
            return ft_fail_errno(e, "cannot make a pipe");
        fcntl(fd[1], F_SETPIPE_SZ, 1 << 20); /* fewer switches; a wish, no need */
        const pid_t pid = fork();
        if (pid < 0)
            return ft_fail_errno(e, "cannot start stage %zu", i + 1);
        if (pid == 0) {
            if (in != STDIN_FILENO)
                dup2(in, STDIN_FILENO);
            dup2(fd[1], STDOUT_FILENO);
            setenv("TUNEUTILS_SEAL", i ? "1" : p->inherited ? p->inherited : "first", 1);
            execl("/bin/sh", "sh", "-c", p->stages[i].command, (char *)NULL);
            _exit(127);
        }
        p->stages[i].pid = pid;
        if (in != STDIN_FILENO)
            close(in);
        close(fd[1]);
        in = fd[0];
    }
    *last = in;
    return 0;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

static void wait_all(struct pipeline *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct stage *s = &p->stages[i];
        struct rusage use;
        int status = 0;
        while (wait4(s->pid, &status, 0, &use) < 0 && errno == EINTR)
            ;
        s->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        s->cpu = seconds(use.ru_utime) + seconds(use.ru_stime);
    }
}

/* ---- which entry of the seal is whose ---- */

/* From the end, since a stage that breaks the chain loses those before it. A
 * stage that is a pipe itself may have several entries. */
static void match(struct pipeline *p, const struct ft_json *entries)
{
    size_t left = entries ? entries->n : 0;
    struct ft_arena mem = {0};

    for (size_t i = p->n; i-- > 0 && left;) {
        struct stage *s = &p->stages[i];
        do {
            struct ft_str tool = {0};
            struct ft_err ignore = {0};
            ft_json_get_string(&entries->items[left - 1], "tool", &tool, &ignore);
            if (!tool.n || !strstr(s->command, ft_str_z(&mem, tool)))
                break;
            s->seal_first = &entries->items[--left];
            if (!s->seal)
                s->seal = s->seal_first;
        } while (left > i);
        if (!s->seal)
            break;
    }
    ft_arena_release(&mem);
}

/* ---- what happened ---- */

static const char *signal_name(int status)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
                 {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
                 {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"}, {SIGPIPE, "SIGPIPE"}, {SIGTERM, "SIGTERM"},
                 {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (status == 128 + names[i].number)
            return names[i].name;
    return NULL;
}

/* Says which stages failed; the worst status among ours (1 to 3), else 3. */
static int failures(const struct pipeline *p)
{
    int worst = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct stage *s = &p->stages[i];
        const char *signal = signal_name(s->status);
        const int as = s->status > 3 ? FT_SYS : s->status;
        if (!s->status)
            continue;
        fprintf(stderr, "%s: stage %zu '%s' ", p->tool->name, i + 1, s->command);
        if (signal)
            fprintf(stderr, "was killed by %s\n", signal);
        else if (s->status == 127)
            fprintf(stderr, "was not found (status 127)\n");
        else
            fprintf(stderr, "failed with status %d\n", s->status);
        worst = as > worst ? as : worst;
    }
    return worst;
}

/* The last stage that did well and yet is in no seal: not one of ours, unless
 * the stage behind it stopped before the seal could come. */
static void name_the_breaker(const struct pipeline *p)
{
    for (size_t i = p->n; i-- > 0;) {
        const struct stage *s = &p->stages[i];
        if (s->seal)
            continue;
        const bool unheard = i + 1 < p->n && p->stages[i + 1].seal && ft_json_get(p->stages[i + 1].seal_first, "stopped");
        if (!s->status && !unheard)
            fprintf(stderr,
                    "%s: stage %zu '%s' passes no seal on: it is no tuneutils filter; use an ordinary pipe for it, "
                    "outside ft-pipe\n",
                    p->tool->name, i + 1, s->command);
        return;
    }
}

static int64_t number(const struct ft_json *entry, const char *key)
{
    int64_t v = 0;
    struct ft_err ignore = {0};

    ft_json_get_int(entry, key, &v, &ignore);
    return v;
}

static void table(const struct pipeline *p)
{
    size_t slowest = 0;

    for (size_t i = 1; i < p->n; i++)
        if (p->stages[i].cpu > p->stages[slowest].cpu)
            slowest = i;
    fprintf(stderr, "%-32s %10s %10s %10s %8s %9s\n", "stage", "in", "out", "dropped", "bad", "CPU s");
    for (size_t i = 0; i < p->n; i++) {
        const struct stage *s = &p->stages[i];
        fprintf(stderr, "%-32.32s", s->command);
        if (s->seal)
            fprintf(stderr, " %10" PRId64 " %10" PRId64 " %10" PRId64 " %8" PRId64, number(s->seal_first, "in"),
                    number(s->seal, "out") + number(s->seal, "kept"), number(s->seal, "dropped"), number(s->seal, "bad"));
        else
            fprintf(stderr, " %10s %10s %10s %8s", "?", "?", "?", "?");
        fprintf(stderr, " %9.2f%s\n", s->cpu, p->n > 1 && i == slowest ? " slowest" : "");
    }
}

static int write_stats(const struct pipeline *p, const struct ft_tail *tail, const char *path, bool ok,
                       struct ft_err *e)
{
    const struct ft_json *entries = ft_tail_stages(tail);
    struct ft_buf b = {0};
    FILE *f = fopen(path, "wb");
    bool good;

    ft_buf_printf(&b, "{\"tool\": \"ft-pipe\", \"version\": \"%s\", \"ok\": %s, \"commands\": [", FT_VERSION,
                  ok ? "true" : "false");
    for (size_t i = 0; i < p->n; i++) {
        const struct ft_str command = ft_strz(p->stages[i].command);
        ft_buf_putz(&b, i ? ", {\"command\": " : "{\"command\": ");
        ft_json_put_str(&b, ft_utf8_valid(command.p, command.n) == command.n ? command : FT_STR("?"));
        ft_buf_printf(&b, ", \"status\": %d, \"cpu\": %.6f}", p->stages[i].status, p->stages[i].cpu);
    }
    ft_buf_putz(&b, "], \"stages\": ");
    ft_buf_puts(&b, entries ? entries->raw : FT_STR("[]"));
    ft_buf_putz(&b, "}\n");
    good = f && fwrite(b.p, 1, b.n, f) == b.n;
    good = f && fclose(f) == 0 && good;
    ft_buf_release(&b);
    return good ? 0 : ft_fail_errno(e, "cannot write '%s'", path);
}

int main(int argc, char **argv)
{
    const char *output = NULL, *stats = NULL;
    bool quiet = false;
    const struct ft_opt opts[] = {
        {'o', "output", FT_OPT_STR, &output, "FILE", "write there, only if every stage and the seal are good", NULL},
        {0, "stats", FT_OPT_STR, &stats, "FILE", "write what each stage did there, as JSON", NULL},
        {'q', "quiet", FT_OPT_FLAG, &quiet, NULL, "no table", NULL},
        {0},
    };
    const struct ft_tool tool = {
        "ft-pipe", "Run a pipe of filters so that no failure passes for the end of the data.",
        "[options] 'FILTER | FILTER | ...'", opts, NULL,
        "Each stage is run by sh, as in a shell's pipe, and seals its output; ft-pipe checks the\n"
        "last seal, strips it, and shows what went in and out of each stage. It fails with the\n"
        "worst status of the stages, or with 1 when the seals do not fit. Only tuneutils' filters\n"
        "pass seals on: head, shuf or cat belong outside."};
    struct pipeline p = {.tool = &tool, .inherited = getenv("TUNEUTILS_SEAL")};
    struct ft_arena mem = {0};
    struct ft_err e = {0}, broken = {0};
    struct ft_tail tail = {0};
    struct ft_outfile file;
    size_t n_args;
    char **args = ft_cli(&tool, argc, argv, &n_args), **commands;
    int in = -1, status;

    if (p.inherited && (!*p.inherited || !strcmp(p.inherited, "0")))
        p.inherited = NULL;
    if (n_args != 1)
        ft_usage(&tool, "give the pipe as one argument, in quotes");
    if (ft_pipe_split(args[0], &mem, &commands, &p.n, &e))
        ft_die(&tool, &e);
    p.stages = FT_NEWS(&mem, struct stage, p.n);
    for (size_t i = 0; i < p.n; i++)
        p.stages[i].command = commands[i];
    extend_path();
    if (ft_outfile_open(&file, output, &e) || start(&p, &in, &e))
        ft_die(&tool, &e);
    if (ft_tail_copy(&tail, in, file.fd, &e) == 0 && p.inherited)
        ft_outfile_write(&file, tail.seal.p, tail.seal.n, &e);
    close(in);
    wait_all(&p);
    match(&p, ft_tail_stages(&tail));
    status = failures(&p);
    if (!e.code && ft_tail_check(&tail, &broken)) {
        fprintf(stderr, "%s: %s\n", tool.name, broken.msg);
        name_the_breaker(&p);
    }
    ft_outfile_close(&file, !status && !e.code && !broken.code, &e);
    if (stats)
        write_stats(&p, &tail, stats, !status && !e.code && !broken.code, &e);
    if (e.code)
        fprintf(stderr, "%s: %s\n", tool.name, e.msg);
    if (!quiet)
        table(&p);
    if ((int)e.code > status)
        status = (int)e.code;
    if (!status && broken.code)
        status = FT_DATA;
    ft_tail_release(&tail);
    ft_arena_release(&mem);
    return status;
}
