#include "pipeline/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void record(struct ft_err *e, enum ft_code code, uint64_t byte, const char *fmt, va_list ap)
{
    if (!e || e->code != FT_OK)
        return;
    e->code = code;
    e->byte = byte;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
}

int ft_fail(struct ft_err *e, enum ft_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    record(e, code, 0, fmt, ap);
    va_end(ap);
    return -1;
}

int ft_fail_at(struct ft_err *e, enum ft_code code, uint64_t byte, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    record(e, code, byte, fmt, ap);
    va_end(ap);
    return -1;
}

int ft_fail_errno(struct ft_err *e, const char *fmt, ...)
{
    const int saved = errno;
    if (e && e->code == FT_OK) {
        va_list ap;
        va_start(ap, fmt);
        record(e, FT_SYS, 0, fmt, ap);
        va_end(ap);
        const size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
    }
    return -1;
}

int ft_fail_in(struct ft_err *e, const char *fmt, ...)
{
    if (!e || e->code == FT_OK)
        return -1;
    char old[sizeof e->msg];
    memcpy(old, e->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    const size_t n = strlen(e->msg);
    if ((size_t)snprintf(e->msg + n, sizeof e->msg - n, "%s", old) >= sizeof e->msg - n)
        e->rest = NULL; /* it follows on what is now cut off */
    return -1;
}

void ft_err_clear(struct ft_err *e)
{
    *e = (struct ft_err){0};
}

_Noreturn void ft_oom(void)
{
    fputs("out of memory\n", stderr);
    exit(FT_SYS);
}
