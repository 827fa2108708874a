#include "tokenizer/train_write.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/outfile.h"

/* ---- text ---- */

static void indent(struct ft_buf *out, size_t depth)
{
    ft_buf_putc(out, '\n');
    memset(ft_buf_room(out, depth * 2), ' ', depth * 2);
    out->n += depth * 2;
}

void tk_json_pretty(struct ft_str s, struct ft_buf *out)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (c == '"') {
            const size_t from = i++;
            while (s.p[i] != '"')
                i += 1 + (s.p[i] == '\\');
            ft_buf_put(out, s.p + from, i + 1 - from);
        } else if ((c == '{' || c == '[') && s.p[i + 1] == c + 2) { /* {} and [] */
            ft_buf_put(out, s.p + i++, 2);
        } else if (c == '{' || c == '[') {
            ft_buf_putc(out, c);
            indent(out, ++depth);
        } else if (c == '}' || c == ']') {
            indent(out, --depth);
            ft_buf_putc(out, c);
        } else if (c == ',') {
            ft_buf_putc(out, c);
            indent(out, depth);
        } else if (c == ':') {
            ft_buf_put(out, ": ", 2);
        } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            ft_buf_putc(out, c);
        }
    }
}

static void put_part(struct ft_buf *b, const char *name, struct ft_str json)
{
    ft_buf_printf(b, ",\"%s\":", name);
    ft_buf_puts(b, json);
}

static void put_merge(struct ft_buf *b, bool comma, struct ft_str left, struct ft_str right)
{
    ft_buf_putz(b, comma ? ",[" : "[");
    ft_json_put_str(b, left);
    ft_buf_putc(b, ',');
    ft_json_put_str(b, right);
    ft_buf_putc(b, ']');
}

void tk_tokenizer_json(const struct tk_parts *p, const struct tk_learner *l, const struct ft_str *old, size_t n_old,
                       struct ft_buf *out)
{
    struct ft_buf b = {0};
    ft_buf_putz(&b, "{\"version\":\"1.0\"");
    put_part(&b, "truncation", p->truncation);
    put_part(&b, "padding", p->padding);
    put_part(&b, "added_tokens", p->added_tokens);
    put_part(&b, "normalizer", p->normalizer);
    put_part(&b, "pre_tokenizer", p->pre_tokenizer);
    put_part(&b, "post_processor", p->post_processor);
    put_part(&b, "decoder", p->decoder);
    ft_buf_putz(&b, ",\"model\":{");
    ft_buf_puts(&b, p->model);
    ft_buf_putz(&b, ",\"vocab\":{");
    bool comma = false;
    for (size_t id = 0; id < l->n_tokens; id++) {
        if (!l->vocab.token[id].p)
            continue;
        if (comma)
            ft_buf_putc(&b, ',');
        comma = true;
        ft_json_put_str(&b, l->vocab.token[id]);
        ft_buf_putc(&b, ':');
        ft_buf_put_u64(&b, id);
    }
    ft_buf_putz(&b, "},\"merges\":[");
    for (size_t i = 0; i < n_old; i++)
        put_merge(&b, i > 0, old[2 * i], old[2 * i + 1]);
    for (size_t i = 0; i < l->n_merges; i++)
        put_merge(&b, n_old + i > 0, l->vocab.token[l->merges[i].left], l->vocab.token[l->merges[i].right]);
    ft_buf_putz(&b, "]}}");
    tk_json_pretty(ft_buf_str(&b), out);
    ft_buf_release(&b);
}

/* ---- files ---- */

static char *join(const char *dir, const char *name, const char *tail)
{
    struct ft_buf b = {0};
    ft_buf_printf(&b, "%s/%s%s", dir, name, tail);
    ft_buf_putc(&b, 0);
    return b.p;
}

static int write_file(const char *path, struct ft_str text, struct ft_err *e)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return ft_fail_errno(e, "cannot create '%s'", path);
    int r = 0;
    if (fwrite(text.p, 1, text.n, f) != text.n || fflush(f) || fsync(fileno(f)))
        r = ft_fail_errno(e, "cannot write '%s'", path);
    if (fclose(f) && !r)
        r = ft_fail_errno(e, "cannot write '%s'", path);
    return r;
}

static char *parent_of(const char *dir)
{
    char *copy = ft_strdup(dir), *parent = ft_strdup(dirname(copy));
    free(copy);
    return parent;
}

int tk_folder_check(const char *dir, bool force, struct ft_err *e)
{
    struct stat st;
    if (lstat(dir, &st) == 0) {
        if (!force)
            return ft_fail(e, FT_DATA, "'%s' exists: '--force' writes into it", dir);
        if (stat(dir, &st) || !S_ISDIR(st.st_mode))
            return ft_fail(e, FT_DATA, "'%s' is no folder", dir);
        return access(dir, W_OK | X_OK) ? ft_fail_errno(e, "cannot write into '%s'", dir) : 0;
    }
    char *parent = parent_of(dir);
    const int r = access(parent, W_OK | X_OK) ? ft_fail_errno(e, "cannot make '%s'", dir) : 0;
    free(parent);
    return r;
}

/* All files as dir/NAME.tmp; removes them again on failure. */
static int write_temps(const char *dir, const char *tail, const struct tk_file *files, size_t n, struct ft_err *e)
{
    size_t i;
    for (i = 0; i < n; i++) {
        char *path = join(dir, files[i].name, tail);
        const int r = write_file(path, files[i].text, e);
        free(path);
        if (r)
            break;
    }
    if (i == n)
        return 0;
    for (size_t k = 0; k <= i; k++) {
        char *path = join(dir, files[k].name, tail);
        unlink(path);
        free(path);
    }
    return -1;
}

static int write_new(const char *dir, const struct tk_file *files, size_t n, struct ft_err *e)
{
    struct ft_buf tmp = {0};
    ft_buf_printf(&tmp, "%s.tmp%ld", dir, (long)getpid());
    ft_buf_putc(&tmp, 0);
    char *parent = parent_of(dir);
    int r = mkdir(tmp.p, 0777) ? ft_fail_errno(e, "cannot make '%s'", dir) : 0;
    if (!r) {
        r = write_temps(tmp.p, "", files, n, e) || ft_sync_folder(tmp.p, e) ? -1 : 0;
        if (!r && rename(tmp.p, dir))
            r = ft_fail_errno(e, "cannot make '%s'", dir);
        if (r) {
            for (size_t i = 0; i < n; i++) {
                char *path = join(tmp.p, files[i].name, "");
                unlink(path);
                free(path);
            }
            rmdir(tmp.p);
        }
    }
    r = r || ft_sync_folder(parent, e) ? -1 : 0;
    free(parent);
    ft_buf_release(&tmp);
    return r;
}

static int write_into(const char *dir, const struct tk_file *files, size_t n, struct ft_err *e)
{
    int r = write_temps(dir, ".tmp", files, n, e);
    for (size_t i = 0; i < n && !r; i++) {
        char *from = join(dir, files[i].name, ".tmp"), *to = join(dir, files[i].name, "");
        if (rename(from, to))
            r = ft_fail_errno(e, "cannot replace '%s'", to);
        if (r)
            for (size_t k = i; k < n; k++) {
                char *rest = join(dir, files[k].name, ".tmp");
                unlink(rest);
                free(rest);
            }
        free(from);
        free(to);
    }
    return r || ft_sync_folder(dir, e) ? -1 : 0;
}

int tk_folder_write(const char *dir, const struct tk_file *files, size_t n, bool force, struct ft_err *e)
{
    struct stat st;
    struct ft_buf plain = {0}; /* without slashes at the end */
    size_t k = strlen(dir);
    while (k > 1 && dir[k - 1] == '/')
        k--;
    ft_buf_put(&plain, dir, k);
    ft_buf_putc(&plain, 0);
    const int r = force && stat(plain.p, &st) == 0 ? write_into(plain.p, files, n, e) : write_new(plain.p, files, n, e);
    ft_buf_release(&plain);
    return r;
}
