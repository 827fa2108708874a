#include "pipeline/archive_load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct ft_archive api;
static char problem[200]; /* "": none */

static void load(void)
{
    void *lib = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL); /* the only one there has been since version 3 */
    if (!lib)
        lib = dlopen("libarchive.so", RTLD_LAZY | RTLD_LOCAL);
    const char *why = lib ? NULL : dlerror();
    /* A pointer to an object is no pointer to a function in C; POSIX says that dlsym's is. */
#define X(name)                                                \
    if (!why) {                                                \
        void *const f = dlsym(lib, "archive_" #name);          \
        why = f ? NULL : dlerror();                            \
        memcpy(&api.name, &f, sizeof api.name);                \
    }
    FT_ARCHIVE_FUNCTIONS(X)
#undef X
    if (why)
        strncpy(problem, why, sizeof problem - 1);
}

const struct ft_archive *ft_archive(struct ft_err *e)
{
    pthread_once(&once, load);
    if (!*problem)
        return &api;
    ft_fail(e, FT_SYS, "libarchive, which unpacks input, cannot be loaded: %s", problem);
    return NULL;
}
