#include "pipeline/hub.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/mem.h"

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static char *text(const char *fmt, ...) FT_PRINTF(1, 2);
static char *text(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        ft_oom();
    va_end(ap);
    return s;
}

static char *hub(void)
{
    const char *cache = getenv("HF_HUB_CACHE"), *home = getenv("HF_HOME"), *xdg = getenv("XDG_CACHE_HOME");
    if (!cache || !*cache)
        cache = getenv("HUGGINGFACE_HUB_CACHE");
    if (cache && *cache)
        return ft_strdup(cache);
    if (home && *home)
        return text("%s/hub", home);
    if (xdg && *xdg)
        return text("%s/huggingface/hub", xdg);
    home = getenv("HOME");
    return text("%s/.cache/huggingface/hub", home ? home : "");
}

/* "org/name" of the characters that the hub allows, no dots at the ends. */
static bool is_hub_name(const char *name)
{
    int slashes = 0;
    for (const char *p = name; *p; p++) {
        slashes += *p == '/';
        if (!isalnum((unsigned char)*p) && !strchr("-_./", *p))
            return false;
    }
    return slashes == 1 && isalnum((unsigned char)name[0]) && name[strlen(name) - 1] != '/';
}

/* The commit that refs/main names, or the only snapshot. From malloc; NULL. */
static char *commit_of(const char *repo)
{
    char *ref = text("%s/refs/main", repo), *commit = NULL;
    FILE *f = fopen(ref, "r");
    char line[128];
    if (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, " \r\n")] = 0;
        if (*line && !strchr(line, '/'))
            commit = ft_strdup(line);
    }
    if (f)
        fclose(f);
    free(ref);
    if (commit)
        return commit;

    char *all = text("%s/snapshots", repo);
    DIR *d = opendir(all);
    int n = 0;
    for (const struct dirent *s; d && (s = readdir(d));)
        if (s->d_name[0] != '.' && !n++)
            commit = ft_strdup(s->d_name);
    if (d)
        closedir(d);
    free(all);
    if (n > 1) {
        free(commit);
        return NULL;
    }
    return commit;
}

int ft_hub_folder(const char *name, char **dir, struct ft_err *e)
{
    *dir = NULL;
    if (is_folder(name)) {
        *dir = ft_strdup(name);
        return 0;
    }
    if (!is_hub_name(name))
        return ft_fail(e, FT_DATA, "no model folder '%s'", name);
    char *cache = hub();
    const int org = (int)strcspn(name, "/");
    char *repo = text("%s/models--%.*s--%s", cache, org, name, name + org + 1);
    char *commit = commit_of(repo);
    char *found = commit ? text("%s/snapshots/%s", repo, commit) : NULL;
    if (found && is_folder(found))
        *dir = found;
    else
        ft_fail(e, FT_DATA, "no model folder '%s', and the cache '%s' does not have it", name, cache);
    if (!*dir)
        free(found);
    free(commit);
    free(repo);
    free(cache);
    return *dir ? 0 : -1;
}

int ft_hub_path(const char *name, char **path, struct ft_err *e)
{
    struct stat st;
    if (stat(name, &st) && is_hub_name(name))
        return ft_hub_folder(name, path, e);
    *path = ft_strdup(name);
    return 0;
}
